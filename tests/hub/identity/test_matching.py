"""When two descriptions are one child, when they are not, and when a person must look."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity.matching import HUB_CHILD, Description, describe, folded, judge, merged, tokens

NHS, UPN, LOCAL = "https://fhir.nhs.uk/Id/nhs-number", "urn:gov:dfe:upn", "urn:local:fenwater-nhs-trust:patient"
KEY = b"k" * 32


def child(
    given: str = "Wrenna", family: str = "Quillfeather", born: str = "2014-05-17", postcode: str = "ZZ1 4QF",
    sex: str = "2", **numbers: str,
) -> Description:  # fmt: skip
    """A description; "" leaves a part out; numbers by name: nhs, upn, local."""
    systems = {"nhs": NHS, "upn": UPN, "local": LOCAL}
    raw: dict[str, Any] = {
        "identifiers": [{"system": systems[name], "value": value} for name, value in numbers.items()],
        "names": [{"family": family, "given": given.split()}] if given else [],
        **({"birth_date": {"date": born}} if born else {}),
        "address": [{"postcode": postcode}] if postcode else [],
        "sex": sex,
    }
    return describe(raw)


TABLE = {
    # rule (a): an identifier equal, birth date agreeing, nothing contradicting
    "number and birth date": (child(nhs="9991204318"), child(nhs="9991204318", postcode=""), "same", "a"),
    "a pupil number does as well": (child(upn="U999200118001"), child(upn="U999200118001"), "same", "a"),
    "a number of one service": (child(local="P1", postcode=""), child(local="P1", family="Mosswick"), "same", "a"),
    "a name changed in between": (child(nhs="1"), child(nhs="1", family="Mosswick", postcode="QQ2 7WX"), "same", "a"),
    "no name on one side": (child(given="", nhs="1"), child(nhs="1"), "same", "a"),
    "sex not stated on one side": (child(nhs="1", sex=""), child(nhs="1"), "same", "a"),
    # rule (b): full names, birth date and postcode equal
    "names, birth date and postcode": (child(), child(), "same", "b"),
    "with numbers of two kinds": (child(nhs="1"), child(upn="2"), "same", "b"),
    "shouting without apostrophes": (child(family="O'Dair-Vane"), child(family="ODAIR VANE"), "same", "b"),
    "a postcode without its space": (child(postcode="zz14qf"), child(), "same", "b"),
    # a person must look
    "number and birth date, but another given name": (child(nhs="1"), child("Tobin", nhs="1"), "unsure", ""),
    "number and name, but another birth date": (child(nhs="1"), child(nhs="1", born="2014-05-18"), "unsure", ""),
    "number and birth date, but another sex": (child(nhs="1"), child(nhs="1", sex="1"), "unsure", ""),
    "a number alone": (child("", born="", postcode="", nhs="1"), child(nhs="1", born=""), "unsure", ""),
    "another number of the same system": (child(nhs="1"), child(nhs="2"), "unsure", ""),
    "same number, other number of another system": (child(nhs="1", upn="2"), child(nhs="1", upn="3"), "unsure", ""),
    "names and birth date, another postcode": (child(), child(postcode="QQ2 7WX"), "unsure", ""),
    "names and birth date, another sex": (child(), child(sex="1"), "unsure", ""),
    "names and birth date, no postcode": (child(), child(postcode=""), "unsure", ""),
    # never by a rule, and nothing to ask
    "twins": (child("Wrenna"), child("Tobin"), "different", ""),
    "twins with a number each": (child("Wrenna", nhs="1"), child("Tobin", nhs="2"), "different", ""),
    "names alone": (child(born=""), child(born=""), "different", ""),
    "names and postcode, another birth date": (child(), child(born="2016-11-02"), "different", ""),
    "birth date and postcode alone": (child("Wrenna"), child("Isla", "Vane"), "different", ""),
    "nothing at all": (Description(), Description(), "different", ""),
}


@pytest.mark.parametrize(("one", "other", "outcome", "rule"), TABLE.values(), ids=TABLE)
def test_descriptions_join_by_a_rule_or_wait_for_a_person(
    one: Description, other: Description, outcome: str, rule: str
) -> None:
    verdict = judge(one, other)
    assert (verdict.outcome, verdict.rule) == (outcome, rule)


def test_a_verdict_says_in_words_what_agrees_and_what_contradicts() -> None:
    verdict = judge(child("Tobin", nhs="1"), child(nhs="1"))
    assert verdict.agrees == ("number", "birth date", "sex", "postcode")
    assert verdict.contradicts == ("given name",)


def test_a_preferred_name_counts_as_a_given_name() -> None:
    known = describe({"names": [{"family": "Quillfeather", "given": ["Wrenna"], "preferred": "Wren"}]})
    assert folded("Wren") in known.given
    assert "given name" not in judge(child("Wren", nhs="1"), known | child(nhs="1")).contradicts


def test_a_birth_date_that_is_only_estimated_neither_joins_nor_contradicts() -> None:
    guessed = describe({"birth_date": {"date": "2014-01-01", "accuracy": "EEA"}})
    assert guessed.birth_dates == frozenset()


def test_sex_not_known_or_indeterminate_contradicts_nothing() -> None:
    assert describe({"sex": "X"}).sexes == describe({"sex": "9"}).sexes == frozenset()


def test_an_old_number_that_was_replaced_does_not_contradict_the_new_one() -> None:
    both = child(nhs="1") | child(nhs="2")
    assert judge(child(nhs="2"), both).outcome == "same"


def test_the_hubs_own_child_id_describes_nothing() -> None:
    claimed = {"identifiers": [{"system": HUB_CHILD, "value": "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"}]}
    assert describe(claimed) == Description()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Zoë", "ZOE"), ("O’Neill", "O'NEILL"), ("Anne-Marie", "anne marie"), ("Straße", "STRASSE"), ("ﬁnn", "Finn")],
)
def test_accents_case_apostrophes_and_hyphens_are_no_difference(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_a_name_of_punctuation_alone_is_no_name() -> None:
    assert describe({"names": [{"family": "-", "given": ["-"]}]}) == Description()


def test_the_index_finds_by_number_or_by_names_with_birth_date_and_holds_neither() -> None:
    found = tokens(child(nhs="9991204318"), KEY)
    assert len(found) == 2
    assert set(found) & set(tokens(child(postcode=""), KEY))
    assert set(found) & set(tokens(child("", nhs="9991204318"), KEY))
    assert not set(found) & set(tokens(child(nhs="9991204318"), b"other key"))
    assert not any(b"9991204318" in token or b"wrenna" in token for token in found)


# --- laws -------------------------------------------------------------------------------------------------------------

GIVEN = st.sampled_from(["Wrenna", "Tobin", "Isla", "Wrenna May"])
DESCRIPTIONS = st.builds(
    lambda given, family, born, postcode, sex, numbers: child(given, family, born, postcode, sex, **numbers),
    GIVEN, st.sampled_from(["Quillfeather", "Mosswick"]), st.sampled_from(["2014-05-17", "2016-11-02", ""]),
    st.sampled_from(["ZZ1 4QF", "QQ2 7WX", ""]), st.sampled_from(["1", "2", ""]),
    st.dictionaries(st.sampled_from(["nhs", "upn", "local"]), st.sampled_from("123"), max_size=2),
)  # fmt: skip
FEW = settings(max_examples=150, deadline=None)


@FEW
@given(DESCRIPTIONS, DESCRIPTIONS)
def test_the_verdict_is_the_same_whichever_comes_first(one: Description, other: Description) -> None:
    assert judge(one, other) == judge(other, one)


@FEW
@given(
    DESCRIPTIONS,
    st.lists(DESCRIPTIONS, max_size=4).flatmap(lambda held: st.tuples(st.just(held), st.permutations(held))),
)
def test_the_order_in_which_descriptions_arrived_does_not_matter(
    new: Description, orders: tuple[list[Description], list[Description]]
) -> None:
    first, other = orders
    assert judge(new, merged(first)) == judge(new, merged(other))


@FEW
@given(DESCRIPTIONS, DESCRIPTIONS, st.sampled_from([NHS, UPN]))
def test_another_number_of_the_same_national_system_is_never_the_same_child(
    one: Description, other: Description, system: str
) -> None:
    def numbered(plain: Description, value: str) -> Description:
        others = frozenset(pair for pair in plain.identifiers if pair[0] != system)
        return Description(
            others | {(system, value)}, plain.full_names, plain.given, plain.birth_dates, plain.sexes, plain.postcodes
        )

    assert judge(numbered(one, "8"), numbered(other, "9")).outcome != "same"


@FEW
@given(DESCRIPTIONS, st.sampled_from([("Wrenna", "Tobin"), ("Isla", "Isolde")]))
def test_twins_are_never_the_same_child(one: Description, names: tuple[str, str]) -> None:
    twins = [
        Description(
            one.identifiers, frozenset({("quillfeather", folded(name))}), frozenset({folded(name)}),
            frozenset({"2014-05-17"}), one.sexes, one.postcodes,
        )
        for name in names
    ]  # fmt: skip
    assert judge(*twins).outcome != "same"


@FEW
@given(DESCRIPTIONS, DESCRIPTIONS)
def test_no_rule_joins_over_a_contradiction(one: Description, other: Description) -> None:
    verdict = judge(one, other)
    assert verdict.outcome != "same" or not verdict.contradicts


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_folding_is_stable_and_knows_no_case(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFC", text)) == folded(unicodedata.normalize("NFD", text)) == folded(text)
    assert folded(text.casefold()) == folded(text)


@FEW
@given(DESCRIPTIONS, DESCRIPTIONS)
def test_whatever_a_rule_joins_the_index_finds(one: Description, other: Description) -> None:
    if judge(one, other).outcome != "different":
        assert set(tokens(one, KEY)) & set(tokens(other, KEY))
