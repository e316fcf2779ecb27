"""The identity stream, folded: which child each (source, subject) belongs to, and what people settled about it.

It names ids, carries person and reason, and copies nothing. A child's chronology is the fold over what this register
assigns to it, so whatever is undone here is undone in every view. Automatic assignments are the hub's own notes; same,
not the same, split and moved are people's sealed events. Which facts that makes a child's: `assigning.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any
from uuid import UUID

from hub.domain.facts import EventKey, Fact

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
    more: int = 0
    """How many more were found under the same words, and are not named here."""


@dataclass(slots=True)
class Register:
    """The fold of the identity stream up to `seq`."""

    seq: int = 0
    assigned: dict[Subject, UUID] = field(default_factory=dict)
    said_same: dict[frozenset[UUID], None] = field(default_factory=dict)
    """The pairs that people said are one child, in the order in which they said it."""
    joined: dict[UUID, UUID] = field(default_factory=dict)
    """Child → the older child that it is, by all that people said."""
    younger: dict[UUID, list[UUID]] = field(default_factory=dict)
    """Child → the younger ids that are it today, in the order in which they came."""
    not_same: set[frozenset[UUID]] = field(default_factory=set)
    items: dict[UUID, ReviewItem] = field(default_factory=dict)
    provisional: set[UUID] = field(default_factory=set)
    born: dict[UUID, int] = field(default_factory=dict)
    """Child → order in which it came into the record."""
    waiting: dict[frozenset[UUID], str] = field(default_factory=dict)
    """The pairs that one person said are the same and that another has to confirm, with who said it first."""
    places: dict[Subject, list[UUID]] = field(default_factory=dict)
    """Where a source's child stood that was ever split off, today's place last; what was undone is gone from here."""
    ever: dict[Subject, list[UUID]] = field(default_factory=dict)
    """Source's child, or event, that was ever sent somewhere → all places in which it stood, the last one last."""
    moved: dict[EventKey, list[UUID]] = field(default_factory=dict)
    """Where single events were moved to, away from their source's child; today's place last."""
    begun_from: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    """A child that a split began → the child that it was split off, and when the hub admitted that."""
    exchanged: dict[UUID, set[UUID]] = field(default_factory=dict)
    """Ids between which splits and moves ever sent anything: where else to look for a child's facts."""
    met: dict[UUID, set[UUID]] = field(default_factory=dict)
    """Ids that ever were read as one or exchanged anything: whoever read the one may have read the other's."""
    parted: set[UUID] = field(default_factory=set)
    """Ids from or to which a word ever took away what was read under another."""
    settled_by: dict[UUID, set[str]] = field(default_factory=dict)
    """Id → who ever settled something about it; they are no readers of that child."""

    def evolve(self, fact: Fact) -> None:
        """Apply one fact of the identity stream."""
        self.seq = fact.seq
        if change := CHANGES.get(fact.name):
            change(self, fact)

    def survivor(self, child: UUID) -> UUID:
        """The child id under which this child is read today."""
        while self.joined and child in self.joined:
            child = self.joined[child]
        return child

    def find(self, source: str, subject: str) -> UUID | None:
        """The child that a source's pseudonym stands for, if it is known."""
        child = self.find_place((source, subject))
        return None if child is None else self.survivor(child)

    def find_place(self, subject: Subject) -> UUID | None:
        """The one id to which a source's pseudonym is assigned: there its facts are written, whoever that id is today.

        What is said to be the same is read together and written apart, so that it can be parted again.
        """
        places = self.places.get(subject)
        return places[-1] if places else self.assigned.get(subject)

    def place_of(self, fact: Fact) -> UUID:
        """The id that a recorded fact belongs to: by its own move, else by its source's child, else where it stands."""
        if not self.places and not self.moved:
            return fact.stream
        moved = self.moved.get(fact.key)
        if moved:
            return moved[-1]
        places = self.places.get((fact.source, fact.subject))
        return places[-1] if places else fact.stream

    def found_under(self, ids: Iterable[UUID]) -> list[UUID]:
        """The children of today behind ids that an index gave: what was said of one may have gone to another since."""
        indexed = list(ids)
        gone_to = (other for one in indexed for other in sorted(self.exchanged.get(one, ())))
        return list(dict.fromkeys(self.survivor(one) for one in (*indexed, *gone_to)))

    def knows(self, child: UUID) -> bool:
        """Was this id ever given to a child?"""
        return child in self.born

    def members(self, child: UUID) -> list[UUID]:
        """All ids that are this child today, the oldest first."""
        top = self.survivor(child)
        return [top, *self.younger.get(top, ())]

    def known_as(self, child: UUID) -> list[UUID]:
        """All ids under which somebody may have spoken of this child: its own, and those that it was split off."""
        found = self.members(child)
        for one in found:  # it grows while it is read: a child may be split off from one that was split off
            if one in self.begun_from and self.begun_from[one][0] not in found:
                found.append(self.begun_from[one][0])
        return found

    def children(self) -> list[UUID]:
        """Every child, once, in the order in which they came into the record; none that a split began for nothing."""
        known = [child for child in self.born if child not in self.joined]
        if not self.begun_from:
            return known
        begun = {self.survivor(child) for child in self.begun_from}
        held = [*self.assigned.values(), *(stack[-1] for some in (self.places, self.moved) for stack in some.values())]
        in_use = {self.survivor(child) for child in held}
        return [child for child in known if child not in begun or child in in_use]

    def open_items(self) -> list[ReviewItem]:
        """What waits for a person, the urgent first."""
        return sorted(self.items.values(), key=lambda item: (not item.urgent, item.opened))

    def said_apart(self, one: UUID, other: UUID) -> list[frozenset[UUID]]:
        """The pairs of these two children's ids of which somebody said that they are not the same."""
        if not self.not_same:
            return []
        pairs = (frozenset((a, b)) for a in self.members(one) for b in self.members(other))
        return [pair for pair in pairs if pair in self.not_same]

    def is_parted(self, child: UUID) -> bool:
        """Did somebody say of this child that it is not another, whichever?"""
        ids = set(self.members(child))
        return any(ids & pair for pair in self.not_same)

    def settlers(self, child: UUID) -> set[str]:
        """Who settled something about this child, under whichever of its ids."""
        return {person for one in self.members(child) for person in self.settled_by.get(one, ())}


def fold(facts: Iterable[Fact], register: Register | None = None) -> Register:
    """The register after these facts."""
    register = register or Register()
    for fact in facts:
        register.evolve(fact)
    return register


def assignment(
    source: str, subject: str, child: UUID, *, rule: str, new: bool, agrees: Iterable[str] = (),
    contradicts: Iterable[str] = (), candidates: Iterable[UUID] = (), more: int = 0, urgent: bool = False,
    at: str = "",
) -> dict[str, object]:  # fmt: skip
    """The data of a `child-assigned` note. `rule` is a, b, hub-id, none (no match) or unsure, with its edition."""
    return {
        "source": source, "subject": subject, "child": str(child), "rule": rule, "new": new, "at": at,
        "agrees": list(agrees), "contradicts": list(contradicts), "candidates": [str(one) for one in candidates],
        "urgent": urgent, **({"more": more} if more else {}),
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
            child, candidates, tuple(data["agrees"]), tuple(data["contradicts"]), data["at"], data["urgent"],
            data.get("more", 0),
        )  # fmt: skip


def _pair(details: Mapping[str, Any]) -> tuple[UUID, UUID]:
    one, other = details["children"]
    return UUID(one), UUID(other)


def _same(register: Register, fact: Fact) -> None:
    pair = _pair(fact.data["details"])
    if not all(map(register.knows, pair)):
        return
    both, person = frozenset(pair), _settled(register, fact, pair)
    if fact.data["details"].get("two_persons") and register.waiting.get(both, person) == person:
        register.waiting[both] = person
        return
    for child in (*pair, *map(register.survivor, pair)):
        register.items.pop(child, None)
        register.provisional.discard(child)
    register.waiting.pop(both, None)
    register.not_same.discard(both)
    register.said_same[both] = None
    for one in register.members(pair[0]):
        _link(register.met, one, register.members(pair[1]))
    _join(register, *pair)


def _join(register: Register, one: UUID, other: UUID) -> None:
    older, younger = sorted((register.survivor(one), register.survivor(other)), key=register.born.__getitem__)
    if older != younger:
        register.joined[younger] = older
        both = [*register.younger.get(older, ()), younger, *register.younger.pop(younger, ())]
        register.younger[older] = sorted(both, key=register.born.__getitem__)


def _not_same(register: Register, fact: Fact) -> None:
    """It answers the question, and takes back a "same" that was said of these two; what joins them otherwise stays."""
    one, other = _pair(fact.data["details"])
    pair = frozenset((one, other))
    _settled(register, fact, pair)
    register.waiting.pop(pair, None)
    register.not_same.add(pair)
    if pair in register.said_same:
        register.parted |= pair
        del register.said_same[pair]
        register.joined.clear()
        register.younger.clear()
        for still in register.said_same:
            _join(register, *still)
    for child in (one, other):
        item = register.items.get(child)
        if item and _is_answered(register, item):
            del register.items[child]


def _is_answered(register: Register, item: ReviewItem) -> bool:
    """It is none of those; and of as many others as were found beside them somebody said the same."""
    if not all(frozenset((item.child, candidate)) in register.not_same for candidate in item.candidates):
        return False
    asked = len(item.candidates) + item.more
    return not item.more or sum(item.child in pair for pair in register.not_same) >= asked


def _split(register: Register, fact: Fact) -> None:
    """Whole local children, or single events, go to a new or a named child; what these sources say later goes there."""
    details = fact.data["details"]
    child, to = UUID(details["child"]), UUID(details.get("to_child", details["child"]))
    if child == to or not register.knows(child):
        return
    if not register.knows(to):
        register.born[to] = len(register.born) + 1
        register.begun_from[to] = child, fact.admitted
    _settled(register, fact, (child, to))
    for one in details.get("subjects", ()):
        _send_subject(register, (one["source"], one["subject"]), to)
    for one in details.get("events", ()):
        _send_event(register, one, to)


def _moved(register: Register, fact: Fact) -> None:
    """One event goes to a child that is known."""
    details = fact.data["details"]
    to = UUID(details["to_child"])
    if register.knows(to):
        _settled(register, fact, (to, *(UUID(details[name]) for name in ("child",) if name in details)))
        _send_event(register, {**details["event"], "subject": details.get("subject", "")}, to)


def _send_subject(register: Register, subject: Subject, to: UUID) -> None:
    first = register.assigned.get(subject)
    if first is not None:
        ever = register.ever.setdefault(subject, [first])
        places = _gone_to(register.places.get(subject, [first]), to, register.members(to), ever)
        register.places[subject] = places
        ever.append(places[-1])
        _exchange(register, first, to)


def _send_event(register: Register, event: Mapping[str, str], to: UUID) -> None:
    key, subject = (event["source"], event["id"]), (event["source"], event.get("subject", ""))
    first, place = register.assigned.get(subject), register.find_place(subject)
    if first is None or place is None:
        return
    ever = register.ever.setdefault(key, [place])
    stood = _gone_to([place, *register.moved.get(key, ())], to, register.members(to), ever)[1:]
    ever.append((stood or [place])[-1])
    if stood and stood[-1] != place:
        register.moved[key] = stood
    else:
        register.moved.pop(key, None)  # back with its source's child, and so with whatever becomes of that one
    _exchange(register, first, to)


def _gone_to(stood: list[UUID], to: UUID, is_now: list[UUID], ever: list[UUID]) -> list[UUID]:
    """The places of something after it was sent to a child who `is_now` known under these ids.

    Sent to where it stood before it is back there, under the id of then, and what came between is undone. Where that
    was undone already, it goes to the id under which it `ever` stood there last, so that the undoing can be undone.
    """
    if stood[-1] in is_now:
        return stood
    back = next((at for at in range(len(stood) - 2, -1, -1) if stood[at] in is_now), None)
    if back is not None:
        return stood[: back + 1]
    return [*stood, next((one for one in reversed(ever) if one in is_now), to)]


def _exchange(register: Register, first: UUID, to: UUID) -> None:
    """A source's facts may stand wherever its child ever was: all those ids look at each other from now on."""
    ever = {first, to, *register.exchanged.get(first, ())}
    register.parted |= ever
    for one in ever:
        _link(register.exchanged, one, ever)
        _link(register.met, one, ever)
    for one in register.members(first):
        _link(register.met, one, register.members(to))


def _link(some: dict[UUID, set[UUID]], one: UUID, others: Iterable[UUID]) -> None:
    for other in others:
        if other != one:
            some.setdefault(one, set()).add(other)
            some.setdefault(other, set()).add(one)


def _settled(register: Register, fact: Fact, children: Iterable[UUID]) -> str:
    """Notes who said this, for each child that is named; gives the person."""
    person: str = fact.data.get("said_by", {}).get("author", {}).get("person", "")
    if person:
        for child in children:
            register.settled_by.setdefault(child, set()).add(person)
    return person


CHANGES = {
    ASSIGNED: _assigned,
    "identity-same": _same,
    "identity-not-same": _not_same,
    "identity-split": _split,
    "identity-moved": _moved,
}
