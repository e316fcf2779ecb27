"""Somebody describes a child and learns whom to ring, or one sentence; recorded first, and never "no"."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import CannotRecord, Search, description_of
from hub.disclosure.access import ALARM, SEARCH
from hub.disclosure.query import NOTHING
from hub.policy.decide import PolicyFault
from hub.store.keys import KeyAway
from hub.store.streams import ACCESS
from tests.hub.conftest import WRENNA, only_child

S = "urn:safeguarding:service:"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
NUMBERED = {**WRENNA, "identifiers": [{"system": NHS, "value": "9991204318"}]}
CONTACT = {"name": "Robin Dale", "role": "duty desk", "phone": "01632 960112"}


def ask(hub: Hub, person: str, asked: dict[str, Any] | None = None, purpose: str = "triage", role: str = "") -> bytes:
    described = description_of(WRENNA if asked is None else asked)
    return hub.query.answer(Search(person=person, asked=described, purpose=purpose, role=role))


def rung(answer: bytes) -> list[str]:
    return [one["service"] for one in json.loads(answer)["ring"]]


def said(name: str, kind: str = "police", **contact: str) -> dict[str, Any]:
    return {
        "service": S + name.lower().replace(" ", "-"), "service_name": name, "service_kind": kind,
        "statement": "seen", "basis": "fact", "contact": contact or CONTACT,
    }  # fmt: skip


def notes(hub: Hub, topic: str = SEARCH) -> list[dict[str, Any]]:
    return [dict(fact.data) for fact in hub.record.facts(ACCESS, topics=[topic])]


@pytest.fixture
def front_door(staff: Callable[..., str]) -> str:
    return staff("ottoline", "frontDoor")


@pytest.fixture
def known(hub: Hub, police: Any) -> Hub:
    hub.admission.admit([police.seal(child=NUMBERED, said_by=said("Northmarch"))], police.source)
    return hub


# -- whom to ring


def test_who_may_know_of_a_service_learns_whom_to_ring_and_nothing_else(known: Hub, front_door: str) -> None:
    assert json.loads(ask(known, front_door)) == {
        "ring": [
            {"service": "Northmarch", "kind": "police", "contact": {"role": "duty desk", "phone": "01632 960112"}}
        ],
        "notice": "Other information may exist that is not shown here.",
    }


def test_a_service_stands_once_with_the_contact_that_it_named_last(known: Hub, police: Any, front_door: str) -> None:
    newer = police.seal(shared="2025-03-02T11:00:00Z", said_by=said("Northmarch", phone="01632 960199"))
    older = police.seal(shared="2025-02-02T11:00:00Z", said_by=said("Northmarch", phone="01632 960155"))
    known.admission.admit([newer, older], police.source)
    (row,) = json.loads(ask(known, front_door))["ring"]
    assert row["contact"]["phone"] == "01632 960112"


DESCRIPTIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "names, birth date and postcode": (WRENNA, True),
    "a number and the birth date": ({k: NUMBERED[k] for k in ("identifiers", "birth_date")}, True),
    "the names in capitals": ({**WRENNA, "names": [{"family": "QUILLFEATHER", "given": ["WRENNA"]}]}, True),
    "names and birth date without a postcode": ({**WRENNA, "address": []}, False),
    "a number without a birth date": ({"identifiers": NUMBERED["identifiers"]}, False),
    "the number and birth date of one and the name of another": ({**NUMBERED, "names": [{"given": ["Tobin"]}]}, False),
    "another number with the same names": (
        {**WRENNA, "identifiers": [{"system": NHS, "value": "9993189022"}]}, False,
    ),
    "a twin": ({**WRENNA, "names": [{"family": "Quillfeather", "given": ["Tobin"]}]}, False),
    "somebody unknown": ({**WRENNA, "birth_date": {"date": "2013-01-01"}}, False),
    "the hub's own id": ({"identifiers": [{"system": "urn:safeguarding:hub:child", "value": "x"}]}, False),
    "nothing": ({}, False),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "found"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_only_who_is_the_same_by_the_rules_of_identity_is_found(
    known: Hub, front_door: str, asked: dict[str, Any], found: bool
) -> None:
    assert (ask(known, front_door, asked) != NOTHING) == found


def test_two_who_could_be_meant_are_nobody(known: Hub, register: Callable[..., Any], front_door: str) -> None:
    other = register("saltmarsh")
    unsure = {**NUMBERED, "names": [{"family": "Quillfeather", "given": ["Tobin"], "use": "official"}]}
    known.admission.admit([other.seal(child=unsure, person="p9")], other.source)
    assert len(known.register().children()) == 2
    assert ask(known, front_door, NUMBERED) == NOTHING


def test_of_whom_people_said_that_they_are_not_this_child_nobody_is_in_doubt(
    known: Hub, register: Callable[..., Any], staff: Callable[..., str], front_door: str
) -> None:
    other = register("saltmarsh")
    unsure = {**NUMBERED, "names": [{"family": "Quillfeather", "given": ["Tobin"], "use": "official"}]}
    known.admission.admit([other.seal(child=unsure, person="p9")], other.source)
    one, two = known.register().children()
    assert ask(known, front_door, NUMBERED) == NOTHING
    known.casework.settle(staff("bram", "steward"), "identity-not-same", one, two, "brother and sister")
    assert rung(ask(known, front_door, NUMBERED)) == ["Northmarch"]


# -- the same words


def test_nothing_can_be_said_is_one_sentence_whatever_the_reason(
    known: Hub, police: Any, staff: Callable[..., str], front_door: str
) -> None:
    hidden = {"names": [{"family": "Vane", "given": ["Ulla"]}], "birth_date": {"date": "2015-01-01"},
              "address": [{"postcode": "ZZ9 9ZZ"}]}  # fmt: skip
    known.admission.admit([police.seal("intelligence-held", child=hidden, person="p7")], police.source)
    assert json.loads(NOTHING) == {"says": "nothing can be said here, ring the front door"}
    staff("juno", "schoolLead")
    for person, asked, role in (
        (front_door, hidden, ""), (front_door, {}, ""), ("nobody", WRENNA, ""), ("juno", WRENNA, ""),
        (front_door, WRENNA, "policeProtection"),
    ):  # fmt: skip
        assert ask(known, person, asked, role=role) == NOTHING


def test_a_fault_while_looking_is_the_same_sentence_and_recorded_as_what_it_was(
    known: Hub, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise KeyAway("key store away")

    def fails(*_: Any, **__: Any) -> Any:
        raise PolicyFault("one label could not be decided")

    for target, name, fault in ((known.view, "rows", away), (known.disclosure.policy, "decide", fails)):
        with monkeypatch.context() as patched:
            patched.setattr(target, name, fault)
            assert ask(known, front_door) == NOTHING
            assert notes(known)[-1]["outcome"] == "incomplete"


SECRET = {
    "sexual health": ({"label": {"category": "sexualHealth"}}, "community health"),
    "mental health": ({"label": {"category": "mentalHealth"}}, "community health"),
    "substance misuse": ({"label": {"category": "substance"}}, "community health"),
    "a mental health service, whatever it says": ({}, "mental health service"),
    "a protected source": ({"label": {"handling": ["protectedSource"]}}, "voluntary sector"),
    "a refuge": ({"label": {"handling": ["confidentialAddress"]}}, "housing"),
    "an adoption": ({"label": {"handling": ["adoption"]}}, "council"),
    "legal advice": ({"label": {"handling": ["privileged"]}}, "council"),
}


@pytest.mark.parametrize(("members", "kind"), SECRET.values(), ids=SECRET)
@pytest.mark.parametrize("purpose", ["triage", "s47"])
def test_a_service_whose_name_is_the_secret_stands_on_no_list_and_finds_nobody(
    hub: Hub, police: Any, staff: Callable[..., str], members: dict[str, Any], kind: str, purpose: str
) -> None:
    staff("mira", "teamManager")
    fenn = staff("fenn", "allocatedSocialWorker")
    entry = {**members, "child": WRENNA, "said_by": said("Quiet House", kind), "references": None}
    hub.admission.admit([police.seal("advice-given", **entry)], police.source)
    child = str(only_child(hub))
    for event, details in (
        ("s47-started", {}),
        ("worker-allocated", {"person": fenn, "role": "allocatedSocialWorker"}),
    ):
        hub.casework.record("mira", {"event": event, "child": child, "details": details})
    assert ask(hub, fenn, WRENNA, purpose) == ask(hub, staff("ottoline", "frontDoor"), WRENNA, purpose) == NOTHING
    entry = {"child": WRENNA, "said_by": said("Northmarch"), "references": None}
    hub.admission.admit([police.seal("advice-given", **entry)], police.source)
    assert "Quiet House" not in rung(ask(hub, fenn, WRENNA, "s47"))


def test_what_is_hidden_from_the_asker_neither_finds_a_child_nor_hides_one(
    known: Hub, police: Any, front_door: str
) -> None:
    before = ask(known, front_door)
    newer = {**WRENNA, "names": [{"family": "Mosswick", "given": ["Wrenna"]}]}
    hidden = {"label": {"level": "V", "handling": ["privileged"]}, "references": None, "said_by": said("Law Office")}
    known.admission.admit([police.seal("advice-given", child=newer, **hidden)], police.source)
    assert ask(known, front_door, newer) == NOTHING
    assert ask(known, front_door) == before


def test_attack_blinding_the_query_with_many_hidden_children_of_the_same_name_and_birth_date(
    known: Hub, police: Any, front_door: str
) -> None:
    before = ask(known, front_door)
    unplaced = {name: WRENNA[name] for name in ("names", "birth_date")}
    hidden = [police.seal("intelligence-held", person=f"i{n}", child=unplaced) for n in range(21)]
    assert {one.outcome for one in known.admission.admit(hidden, police.source)} == {"admitted"}
    assert len(known.register().children()) == 22
    assert rung(before)
    assert ask(known, front_door) == before


def test_what_only_exists_for_the_asker_is_rung_and_finds_nobody(hub: Hub, police: Any, front_door: str) -> None:
    carded = {"label": {"category": "legal", "level": "R"}, "references": None}
    hub.admission.admit(
        [police.seal("advice-given", child=WRENNA, said_by=said("Court team"), **carded)], police.source
    )
    assert ask(hub, front_door) == NOTHING
    shown = {"child": WRENNA, "references": None, "said_by": said("Northmarch")}
    hub.admission.admit([police.seal("advice-given", **shown)], police.source)
    assert rung(ask(hub, front_door)) == ["Court team", "Northmarch"]


# -- recorded


def test_every_query_is_recorded_before_it_answers_with_a_digest_and_no_word(
    known: Hub, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(known, front_door, NUMBERED)
    ask(known, front_door, NUMBERED)
    ask(known, front_door, {})
    first, again, nothing = notes(known)
    assert (first["kind"], first["outcome"], first["reader"]) == ("query", "answered", front_door)
    assert (first["role"], first["purpose"], first["child"]) == ("frontDoor", "triage", str(only_child(known)))
    assert first["searched"] == again["searched"] != nothing["searched"]
    assert first["classes"]
    assert (nothing["outcome"], nothing["child"]) == ("nothing-said", "")
    for word in ("Quillfeather", "quillfeather", "9991204318", "2014-05-17", "ZZ14QF"):
        assert word not in str(notes(known))
    assert json.loads(answer)["ring"]

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(known.record, "append", fail)
    monkeypatch.setattr(known.journal, "add", fail)
    with pytest.raises(CannotRecord):
        ask(known, front_door)


def test_who_searched_for_a_child_stands_with_the_childs_accesses_also_where_nothing_was_said(
    known: Hub, staff: Callable[..., str]
) -> None:
    ask(known, staff("juno", "schoolLead"), purpose="educationSupport")
    (access,) = known.disclosure.accesses(only_child(known))
    assert (access["kind"], access["reader"], access["outcome"]) == ("query", "juno", "nothing-said")


def test_another_hub_makes_another_digest_of_the_same_words(known: Hub, front_door: str) -> None:
    ask(known, front_door)
    known.query._digest_key = b"another"
    ask(known, front_door)
    one, other = notes(known)
    assert one["searched"] != other["searched"]


# -- alarms


def test_more_searches_without_result_than_the_dated_limit_raise_one_alarm_a_day(
    open_hub: Callable[..., Hub], known: Hub, front_door: str, clock: Any
) -> None:
    for number in range(20):
        assert ask(known, front_door, {"names": [{"given": [f"Child {number}"]}]}) == NOTHING
    ask(known, front_door)
    assert notes(known, ALARM) == []
    other = open_hub()
    for process in (other, known, other):
        ask(process, front_door, {})
    alarm = {"kind": "searches-without-result", "reader": front_door}
    assert notes(known, ALARM) == [alarm | {"rule": "searches-without-result/2024-01", "limit": 20}]
    clock.now += timedelta(days=1)
    for _ in range(20):
        ask(known, front_door, {})
    assert len(notes(known, ALARM)) == 1
    ask(known, "somebody", {})
    assert len(notes(known, ALARM)) == 1


def test_a_search_by_somebody_in_conflict_is_answered_alike_and_officers_hear_of_it(
    known: Hub, front_door: str
) -> None:
    details = {"person": front_door, "child": str(only_child(known)), "reason": "family"}
    known.casework.record("ada", {"event": "conflict-declared", "details": details})
    assert ask(known, front_door) == ask(known, front_door) == NOTHING
    assert notes(known, ALARM) == [{"kind": "conflict-attempt", "reader": front_door, "child": details["child"]}]
    assert ask(known, front_door, {}) == NOTHING
    assert len(notes(known, ALARM)) == 1
