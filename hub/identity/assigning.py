"""Which facts are a child's: by what the register assigns to it, wherever they stand.

Facts stay for ever in the stream where they were first written. A child whom no split and no move ever touched has what
stands under its ids, and nothing here costs it anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from hub.domain.facts import EventKey, Fact
from hub.domain.versions import OF_ONE_RECORD, own_targets
from hub.identity.register import Register

FOLLOWING = OF_ONE_RECORD | {"retracts"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Assigned:
    """What the register assigns to one child."""

    register: Register
    members: list[UUID]
    """All ids that are this child today, the oldest first."""
    streams: list[UUID]
    """Where its facts may stand: under its ids, and under those with which splits and moves exchanged anything."""

    def of(self, read: Sequence[T], fact: Callable[[T], Fact]) -> list[T]:
        """Of what was read in those streams, this child's. `fact` gives the fact behind each."""
        if len(self.streams) == len(self.members):
            return list(read)
        known = {one.key: one for one in map(fact, read)}
        return [one for one in read if place_among(self.register, fact(one), known) in self.members]

    def read(self, facts_of: Callable[[UUID], Iterable[Fact]]) -> list[Fact]:
        """This child's facts, stream by stream."""
        return self.of([fact for stream in self.streams for fact in facts_of(stream)], _itself)


def assigned_to(register: Register, child: UUID) -> Assigned:
    """What is assigned to a child, whichever of its ids is named."""
    members = register.members(child)
    if not any(one in register.exchanged for one in members):
        return Assigned(register, members, members)
    others = {other for one in members for other in register.exchanged.get(one, ())} - set(members)
    return Assigned(register, members, [*members, *sorted(others, key=register.born.__getitem__)])


def place_among(register: Register, fact: Fact, known: Mapping[EventKey, Fact]) -> UUID:
    """The id that a fact belongs to. What its source says of an event that was moved goes where that event went.

    Else a retraction would not reach it, and its next version would stand with the wrong child again.
    """
    said, seen, streams = fact, {fact.key}, {fact.stream}
    while register.moved and said.key not in register.moved:
        earlier = (known[key] for key in own_targets(said, FOLLOWING) if key in known and key not in seen)
        following = next(earlier, None)
        if following is None:
            return register.place_of(fact)
        said = following
        seen.add(said.key)
        streams.add(said.stream)
    to = register.place_of(said)
    if said is not fact and not streams <= set(assigned_to(register, to).streams):
        return register.place_of(fact)  # its new child would not look there: rather beside the wrong one than nowhere
    return to


def _itself(fact: Fact) -> Fact:
    return fact
