"""What a steward may say about who is who: pure rules over the register and what is held of a child.

Groups are judged, not only pairs. What is refused here was no mistake of form: each refusal names its rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.identity.matching import NHS_NUMBER, PUPIL_NUMBER, Description
from hub.identity.register import Register

LONE = 1
"""A child with at most so many entries is the doubtful record itself: one steward says whose it is."""
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
UPN_FORM = re.compile(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]")


class CannotSettle(Exception):
    """These words about who is who would make a record that is wrong, or say nothing; the argument names the rule."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one child, as far as a decision about who it is rests on it."""

    entries: int
    """How many stand, retractions and what they took back left out."""
    description: Description


Holding = Callable[[UUID], Held]


def same(register: Register, person: str, one: UUID, other: UUID, held: Holding) -> tuple[UUID, UUID, bool]:
    """The pair as it is to be recorded, and whether it takes two persons. Errors: `CannotSettle`.

    Two persons decide where both have a chronology of their own (notes on identity matching, 4.3).
    """
    pair = _asked_before(register, one, other) or (one, other)
    together = register.survivor(one) == register.survivor(other)
    mine, theirs = held(one), held(other)
    if not together and valid_numbers_differ(mine.description, theirs.description):
        raise CannotSettle("TwoValidNumbers")
    apart = [two for two in register.said_apart(one, other) if two != frozenset(pair)]
    if apart and not together:
        raise CannotSettle("SaidNotTheSame")
    lone = any(each.entries <= LONE and not _was_more(register, id) for each, id in ((mine, one), (theirs, other)))
    two_persons = not together and not lone
    if two_persons and register.waiting.get(frozenset(pair)) == person:
        raise CannotSettle("TwoPersonsNeeded")
    return *pair, two_persons


def not_same(register: Register, one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """The pair as it is to be recorded. Errors: `CannotSettle` where other words than one about these two join them."""
    pair = _asked_before(register, one, other) or (one, other)
    if register.survivor(one) == register.survivor(other) and frozenset(pair) not in register.said_same:
        raise CannotSettle("JoinedByOtherWords")
    return pair


def split(
    register: Register, details: Mapping[str, Any], held: Holding, subject_of: Callable[[str, str], str | None],
    is_peoples: Callable[[str], bool],
) -> dict[str, Any]:  # fmt: skip
    """The details of a split, its events with their subjects. Errors: `CannotSettle`."""
    child = UUID(details["child"])
    to = UUID(details["to_child"]) if "to_child" in details else None
    subjects, events = details.get("subjects", []), details.get("events", [])
    if not subjects and not events:
        raise CannotSettle("NothingGoes")
    if to is not None and register.survivor(to) == register.survivor(child):
        raise CannotSettle("SameChild")
    for one in subjects:
        if is_peoples(one["source"]):  # people name the child themselves: their next entry about it must stay with it
            raise CannotSettle("PeoplesEntriesGoOneByOne")
        if register.find(one["source"], one["subject"]) != register.survivor(child):
            raise CannotSettle("NotThisChilds")
        if to is not None and register.knows(to):
            if valid_numbers_differ(held(child).description, held(to).description):
                raise CannotSettle("TwoValidNumbers")
            if not _may_join(register, one, to, held):
                raise CannotSettle("SplitToANewChildFirst")
    if to is not None and register.knows(to) and len(events) > LONE and held(to).entries > LONE:
        raise CannotSettle("SplitToANewChildFirst")
    placed = [_placed(register, one, child, subject_of) for one in events]
    return {**details, **({"events": placed} if placed else {})}


def moved(
    register: Register, details: Mapping[str, Any], held: Holding, subject_of: Callable[[str, str], str | None]
) -> dict[str, Any]:
    """The details of a move, with the event's subject. Errors: `CannotSettle`, also for the last entry of a chronology
    that would so become another's: that is a join, and takes two persons."""
    event, to = details["event"], UUID(details["to_child"])
    now = _now(register, event, subject_of)
    if now is None or ("child" in details and register.survivor(UUID(details["child"])) != register.survivor(now[1])):
        raise CannotSettle("NotThisChilds")
    if register.survivor(now[1]) == register.survivor(to):
        raise CannotSettle("SameChild")
    key = event["source"], event["id"]
    stood = {register.find_place((key[0], now[0])), *register.moved.get(key, ()), *register.ever.get(key, ())}
    back = bool(stood & set(register.members(to)))
    emptied = held(now[1]).entries <= LONE and _was_more(register, now[1])
    if emptied and not back and register.knows(to) and held(to).entries > LONE:
        raise CannotSettle("SplitToANewChildFirst")
    return {**details, "child": details.get("child", str(now[1])), "subject": now[0]}


def valid_numbers_differ(one: Description, other: Description) -> bool:
    """Do both hold valid numbers of one national system, none of them equal?"""
    for system in (NHS_NUMBER, PUPIL_NUMBER):
        ours, theirs = ({n for s, n in each.identifiers if s == system and is_valid(s, n)} for each in (one, other))
        if ours and theirs and not ours & theirs:
            return True
    return False


def is_valid(system: str, number: str) -> bool:
    """Does a national number pass its own check (NHS: modulus 11; pupil number: letter of the sum modulo 23)?"""
    if system == NHS_NUMBER:
        if not re.fullmatch(r"[0-9]{10}", number) or len(set(number)) == 1:
            return False
        total = sum(int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True))
        return (11 - total % 11) % 11 == int(number[9])
    if not UPN_FORM.fullmatch(number):
        return False
    worth = [int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in number[1:]]
    return UPN_LETTERS[sum(n * weight for n, weight in zip(worth, range(2, 14), strict=True)) % 23] == number[0]


def _asked_before(register: Register, one: UUID, other: UUID) -> tuple[UUID, UUID] | None:
    """The ids of these two children under which somebody's word waits for another person's."""
    children = {register.survivor(one), register.survivor(other)}
    for pair in register.waiting:
        a, b = sorted(pair, key=register.born.__getitem__)
        if {register.survivor(a), register.survivor(b)} == children:
            return a, b
    return None


def _was_more(register: Register, child: UUID) -> bool:
    """Was anything split off or moved from this child? Then that it holds little today makes it no doubtful record."""
    ids = set(register.members(child))
    return any(ids & set(places[:-1]) for places in register.ever.values())


def _may_join(register: Register, subject: Mapping[str, str], to: UUID, held: Holding) -> bool:
    """A source's child goes back where it stood, or to a child who is no more than one entry. Else two persons decide:
    it is split off first, and then said to be the same."""
    key = subject["source"], subject["subject"]
    stood = [*register.places.get(key, ()), *register.ever.get(key, ()), register.assigned[key]]
    return register.survivor(to) in map(register.survivor, stood) or held(to).entries <= LONE


def _placed(
    register: Register, event: Mapping[str, str], child: UUID, subject_of: Callable[[str, str], str | None]
) -> dict[str, str]:
    now = _now(register, event, subject_of)
    if now is None or register.survivor(now[1]) != register.survivor(child):
        raise CannotSettle("NotThisChilds")
    return {"source": event["source"], "id": event["id"], "subject": now[0]}


def _now(
    register: Register, event: Mapping[str, str], subject_of: Callable[[str, str], str | None]
) -> tuple[str, UUID] | None:
    """(subject, id under which it stands) of an admitted event about a child; None where there is no such event."""
    subject = subject_of(event["source"], event["id"])
    place = None if subject is None else register.find_place((event["source"], subject))
    if subject is None or place is None:
        return None
    return subject, register.moved.get((event["source"], event["id"]), [place])[-1]
