"""Are these two descriptions the same child? Pure rules; a doubt is an answer.

Rule (a): an identifier of the same system equal, birth date agreeing, given name and sex not contradicting. Rule (b):
full names, birth date and postcode equal. A different number of the same national system, a twin (same surname and
birth date, other given name) and any contradiction are never joined by a rule: people look.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

NATIONAL = frozenset({"https://fhir.nhs.uk/Id/nhs-number", "urn:gov:dfe:upn"})
HUB_CHILD = "urn:safeguarding:hub:child"
"""The system of the hub's own child ids; only the people's door may use it."""


@dataclass(frozen=True, slots=True)
class Description:
    """What descriptions of one child have in common use for matching; several values where sources or years differ."""

    identifiers: frozenset[tuple[str, str]] = frozenset()
    full_names: frozenset[tuple[str, str]] = frozenset()
    """(family, all given names), folded."""
    given: frozenset[str] = frozenset()
    """First given and preferred names, folded."""
    birth_dates: frozenset[str] = frozenset()
    sexes: frozenset[str] = frozenset()
    postcodes: frozenset[str] = frozenset()

    def __or__(self, other: Description) -> Description:
        return Description(
            self.identifiers | other.identifiers, self.full_names | other.full_names, self.given | other.given,
            self.birth_dates | other.birth_dates, self.sexes | other.sexes, self.postcodes | other.postcodes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """same (by `rule`), unsure (a person must look) or different."""

    outcome: Literal["same", "unsure", "different"]
    rule: str = ""
    agrees: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


def describe(child: Mapping[str, Any]) -> Description:
    """The matching description of an event's `child` member. The hub's ids describe nothing: anybody can write one."""
    names = child.get("names", ())
    full = {(folded(n.get("family", "")), folded(" ".join(n.get("given", ())))) for n in names}
    given = {folded(n["given"][0]) for n in names if n.get("given")}
    given |= {folded(n["preferred"]) for n in names if n.get("preferred")}
    birth = child.get("birth_date", {})
    certain = birth.get("accuracy", "AAA") == "AAA"
    return Description(
        frozenset((i["system"], i["value"]) for i in child.get("identifiers", ()) if i["system"] != HUB_CHILD),
        frozenset(pair for pair in full if pair[0] and pair[1]),
        frozenset(given - {""}),
        frozenset([birth["date"]] if birth and certain else ()),
        frozenset([child["sex"]] if child.get("sex") in ("1", "2") else ()),
        frozenset(_postcode(one["postcode"]) for one in child.get("address", ()) if one.get("postcode")),
    )


def judge(new: Description, held: Description) -> Verdict:
    """Compare a new description with what is held of one child."""
    agrees, contradicts = [], []
    compared: tuple[tuple[str, frozenset[Any], frozenset[Any]], ...] = (
        ("number", _national(new), _national(held)),
        ("birth date", new.birth_dates, held.birth_dates),
        ("given name", new.given, held.given),
        ("sex", new.sexes, held.sexes),
    )
    for word, ours, theirs in compared:
        if ours & theirs:
            agrees.append(word)
        if _clash(ours, theirs) if word == "number" else ours and theirs and not ours & theirs:
            contradicts.append(word)
    shared = new.identifiers & held.identifiers
    if shared and "number" not in agrees:
        agrees.append("local number")
    by_name = new.full_names & held.full_names and new.birth_dates & held.birth_dates
    if new.postcodes & held.postcodes:
        agrees.append("postcode")
    found = tuple(agrees), tuple(contradicts)
    if not contradicts and shared and "birth date" in agrees:
        return Verdict("same", "a", *found)
    if not contradicts and by_name and new.postcodes & held.postcodes:
        return Verdict("same", "b", *found)
    if shared or by_name:
        return Verdict("unsure", "", *found)
    return Verdict("different", "", *found)


def tokens(description: Description, key: bytes) -> list[bytes]:
    """Keyed tokens under which a child can be found again without any name standing in the index."""
    parts: list[tuple[str, ...]] = [("id", system, value) for system, value in sorted(description.identifiers)]
    parts += [
        ("name", family, given, born)
        for family, given in sorted(description.full_names)
        for born in sorted(description.birth_dates)
    ]
    return [hmac.digest(key, "\x1f".join(part).encode(), hashlib.sha256)[:16] for part in parts]


def folded(text: str) -> str:
    """A name as it is compared: no case, no marks, no punctuation. It is stored as the agency wrote it."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return plain if plain.isalnum() else "".join(c for c in plain if c.isalnum())


def merged(descriptions: Iterable[Description]) -> Description:
    """All that is held of one child."""
    total = Description()
    for one in descriptions:
        total = total | one
    return total


def _national(description: Description) -> frozenset[tuple[str, str]]:
    return frozenset(one for one in description.identifiers if one[0] in NATIONAL)


def _clash(ours: frozenset[tuple[str, str]], theirs: frozenset[tuple[str, str]]) -> bool:
    """Both sides hold a number of one system, and none of that system is equal."""
    same_systems = {system for system, _ in ours} & {system for system, _ in theirs}
    return bool(same_systems - {system for system, _ in ours & theirs})


def _postcode(text: str) -> str:
    return "".join(text.upper().split())
