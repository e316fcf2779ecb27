"""The identity stream, folded: which child each (source, subject) belongs to, and what people settled about it.

It names ids, carries person and reason, and copies nothing. A child's chronology is the fold over what this register
assigns to it, so whatever is undone here is undone in every view. Automatic assignments are the hub's own notes; same,
not the same, split and moved are people's sealed events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any
from uuid import UUID

from hub.domain.facts import Fact

ASSIGNED = "child-assigned"
Subject = tuple[str, str]
"""(source, pseudonym that this source uses for a child)."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A question for a person: is this provisional child one of those?"""

    child: UUID
    candidates: tuple[UUID, ...]
    agrees: tuple[str, ...]
    contradicts: tuple[str, ...]
    opened: str
    urgent: bool


@dataclass(slots=True)
class Register:
    """The fold of the identity stream up to `seq`."""

    seq: int = 0
    assigned: dict[Subject, UUID] = field(default_factory=dict)
    said_same: dict[frozenset[UUID], None] = field(default_factory=dict)
    """The pairs that people said are one child, in the order in which they said it."""
    joined: dict[UUID, UUID] = field(default_factory=dict)
    """Child → the older child that it is, by all that people said."""
    not_same: set[frozenset[UUID]] = field(default_factory=set)
    items: dict[UUID, ReviewItem] = field(default_factory=dict)
    provisional: set[UUID] = field(default_factory=set)
    born: dict[UUID, int] = field(default_factory=dict)
    """Child → order in which it came into the record."""

    def evolve(self, fact: Fact) -> None:
        """Apply one fact of the identity stream."""
        self.seq = fact.seq
        if change := CHANGES.get(fact.name):
            change(self, fact)

    def survivor(self, child: UUID) -> UUID:
        """The child id under which this child is read today."""
        while child in self.joined:
            child = self.joined[child]
        return child

    def find(self, source: str, subject: str) -> UUID | None:
        """The child that a source's pseudonym stands for, if it is known."""
        child = self.assigned.get((source, subject))
        return None if child is None else self.survivor(child)

    def knows(self, child: UUID) -> bool:
        """Was this id ever given to a child?"""
        return child in self.born

    def members(self, child: UUID) -> list[UUID]:
        """All ids that are this child today, the oldest first."""
        top = self.survivor(child)
        younger = [one for one in self.joined if self.survivor(one) == top]
        return [top, *sorted(younger, key=self.born.__getitem__)]

    def children(self) -> list[UUID]:
        """Every child, once, in the order in which they came into the record."""
        return [child for child in self.born if child not in self.joined]

    def open_items(self) -> list[ReviewItem]:
        """What waits for a person, the urgent first."""
        return sorted(self.items.values(), key=lambda item: (not item.urgent, item.opened))


def fold(facts: Iterable[Fact], register: Register | None = None) -> Register:
    """The register after these facts."""
    register = register or Register()
    for fact in facts:
        register.evolve(fact)
    return register


def assignment(
    source: str, subject: str, child: UUID, *, rule: str, new: bool, agrees: Iterable[str] = (),
    contradicts: Iterable[str] = (), candidates: Iterable[UUID] = (), urgent: bool = False, at: str = "",
) -> dict[str, object]:  # fmt: skip
    """The data of a `child-assigned` note. `rule` is a, b, hub-id, none (no match) or unsure, with its edition."""
    return {
        "source": source, "subject": subject, "child": str(child), "rule": rule, "new": new, "at": at,
        "agrees": list(agrees), "contradicts": list(contradicts), "candidates": [str(one) for one in candidates],
        "urgent": urgent,
    }  # fmt: skip


def _assigned(register: Register, fact: Fact) -> None:
    data = fact.data
    child = UUID(data["child"])
    register.assigned[intern(data["source"]), data["subject"]] = child
    if not data["new"]:
        return
    register.born.setdefault(child, len(register.born) + 1)
    register.provisional.add(child)
    if data["candidates"]:
        candidates = tuple(UUID(one) for one in data["candidates"])
        register.items[child] = ReviewItem(
            child, candidates, tuple(data["agrees"]), tuple(data["contradicts"]), data["at"], data["urgent"]
        )


def _pair(details: Mapping[str, Any]) -> tuple[UUID, UUID]:
    one, other = details["children"]
    return UUID(one), UUID(other)


def _same(register: Register, fact: Fact) -> None:
    pair = _pair(fact.data["details"])
    if not all(map(register.knows, pair)):
        return
    for child in (*pair, *map(register.survivor, pair)):
        register.items.pop(child, None)
        register.provisional.discard(child)
    register.not_same.discard(frozenset(pair))
    register.said_same[frozenset(pair)] = None
    _join(register, *pair)


def _join(register: Register, one: UUID, other: UUID) -> None:
    older, younger = sorted((register.survivor(one), register.survivor(other)), key=register.born.__getitem__)
    if older != younger:
        register.joined[younger] = older


def _not_same(register: Register, fact: Fact) -> None:
    """It answers the question, and takes back a "same" that was said of these two; what joins them otherwise stays."""
    one, other = _pair(fact.data["details"])
    pair = frozenset((one, other))
    register.not_same.add(pair)
    if pair in register.said_same:
        del register.said_same[pair]
        register.joined.clear()
        for still in register.said_same:
            _join(register, *still)
    for child in (one, other):
        item = register.items.get(child)
        if item and all(frozenset((child, candidate)) in register.not_same for candidate in item.candidates):
            del register.items[child]


CHANGES = {ASSIGNED: _assigned, "identity-same": _same, "identity-not-same": _not_same}
"""Splits and moves are stored from the first day; what they change is added here."""
