"""What a file of rules must be: a named refusal for each misfit, so that a broken edition is never half obeyed.

A file is one rule: `{id, title, editions}`. An edition says its name, status (draft, in-force, suspended), area, from
and until (the first day on which it holds no more), kind, where its clock starts, source and paragraph, and unit and
limit, or neither where the rule has no such number. What else a rule says stands in members of its own. It does not
look anything up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from schemas.strict import strict_json

EVERYWHERE = "*"
DRAFT, IN_FORCE, SUSPENDED = "draft", "in-force", "suspended"
STATUSES = (DRAFT, IN_FORCE, SUSPENDED)
KINDS = ("law", "statutory-guidance", "local", "advice")
UNITS = ("working-day", "school-day", "calendar-day", "hour", "month", "rhythm")
TEXTS = ("edition", "area", "from", "clock_starts_at", "source", "paragraph")
MEMBERS = frozenset({*TEXTS, "status", "kind", "until", "unit", "limit"})
NEARLY = 0.75
"""So like one of them a member may not be: a misspelt `until` would be an edition that never ends."""
AREA = re.compile(r"\*|[A-Z][0-9]{8}")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_BYTES = 256 * 1024


class BrokenRule(Exception):
    """A file of rules is not what it must be; the argument names rule, edition and fault. Nothing of it counts."""


class OverlappingEditions(BrokenRule):
    """Two editions of one rule would hold in one area on the same day, so nobody could say which."""


def has_begun(edition: Mapping[str, Any]) -> bool:
    """Does it count at all? A draft never does."""
    return bool(edition["status"] != DRAFT)


def check_rule(raw: bytes, name: str = "") -> dict[str, Any]:
    """One file of rules as it was read. `name` is the id that it must have. Errors: `BrokenRule`."""
    try:
        rule = strict_json(raw, MOST_BYTES)
    except ValueError as error:
        raise BrokenRule(f"{name or 'the file'}: not one JSON object that can be read in one way only") from error
    said = rule.get("id")
    if not isinstance(said, str) or not NAME.fullmatch(said) or said != (name or said):
        raise BrokenRule(f"{name or 'the file'}: id is missing, or not the name of the rule")
    editions = rule.get("editions")
    if rule.keys() != {"id", "title", "editions"} or not isinstance(editions, list) or not editions:
        raise BrokenRule(f"{said}: a rule has id, title and editions, and one edition at least")
    for number, edition in enumerate(editions, 1):
        for fault in _faults(edition):
            raise BrokenRule(f"{said}, edition {number}: {fault}")
    _refuse_doubles(said, editions)
    return rule


def _faults(edition: Any) -> Iterator[str]:
    """What is wrong with one edition by itself."""
    if not isinstance(edition, dict):
        yield "is no object"
        return
    for name in sorted(edition.keys() - MEMBERS):
        if meant := get_close_matches(name.lower(), MEMBERS, 1, NEARLY):
            yield f"has a member that nobody reads, nearly {meant[0]}: {name[:40]!a}"
    for name in TEXTS:
        if not isinstance(edition.get(name), str) or not edition[name]:
            yield f"{name} is missing, or no text"
    for name, allowed in (("status", STATUSES), ("kind", KINDS)):
        if edition.get(name) not in allowed:
            yield f"{name} is none of {', '.join(allowed)}"
    if not AREA.fullmatch(str(edition.get("area"))):
        yield "area is neither * nor a GSS code"
    yield from _undated(edition)
    unit, limit = edition.get("unit"), edition.get("limit")
    if (unit is None) != (limit is None) or unit not in (None, *UNITS):
        yield f"unit and limit stand together, the unit one of {', '.join(UNITS)}"
    if limit is not None and (type(limit) is not int or limit < 1):
        yield "limit is no whole number of 1 or more"


def _undated(edition: Mapping[str, Any]) -> Iterator[str]:
    for name in ("from", "until"):
        if name in edition and not _is_day(edition[name]):
            yield f"{name} is no day that exists, as YYYY-MM-DD"
            return
    if "until" in edition and edition["until"] <= edition["from"]:
        yield "ends before it holds for a day"


def _is_day(text: Any) -> bool:
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse_doubles(rule: str, editions: Sequence[Mapping[str, Any]]) -> None:
    """Errors: `OverlappingEditions`; `BrokenRule` where two have one name."""
    named = [(one["edition"], one["area"]) for one in editions]
    if len(set(named)) != len(named):
        raise BrokenRule(f"{rule}: two editions for one area have the same name")
    held = sorted((one for one in editions if has_begun(one)), key=lambda one: (one["area"], one["from"]))
    for earlier, later in pairwise(held):
        if earlier["area"] == later["area"] and later["from"] < earlier.get("until", "9999"):
            which = f"{earlier['edition']} and {later['edition']} for {earlier['area']}"
            raise OverlappingEditions(
                f"{rule}: {which} overlap from {later['from']}; give the earlier one an `until` [OverlappingEditions]"
            )
