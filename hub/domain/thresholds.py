"""What opens a child's record to others: thresholds, and strategy discussions for those they name (access ruling 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from hub.domain.facts import EventKey, Fact, came_to_count, details_of

if TYPE_CHECKING:
    from hub.domain.child import Child

OPEN_TO_PARTICIPANTS = timedelta(hours=72)
"""How long a called strategy discussion opens the record to those it names, before any threshold is recorded."""
STRENGTH = ("s17", "cpPlan", "s47", "emergency")
"""Thresholds, the weakest first."""
KEEPS_NAMED = frozenset({"s47", "cpPlan", "emergency"})
"""While one of these stands, those named in a strategy discussion stay named."""
STEPS_DOWN = {"s47": "s47", "cp-plan": "cpPlan", "s17": "s17", "early-help": "none", "universal": "none"}
"""Where a step down leads, as the threshold that rules know."""


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody named in a strategy discussion: a person, or a service by its role."""

    person: str
    service: str
    role: str
    since: str
    until: str
    """When the 72 hours end, RFC 3339; after that only a recorded threshold keeps the record open."""


def _standing_at(child: Child, fact: Fact, thresholds: Mapping[str, EventKey]) -> Child:
    """The child with these thresholds open, the strongest of them in force since its own event, or none by this one."""
    strongest = max(thresholds, key=STRENGTH.index, default="none")
    return replace(
        child, open_thresholds=MappingProxyType(dict(thresholds)), threshold=strongest,
        threshold_event=thresholds.get(strongest, fact.key),
    )  # fmt: skip


def opens(level: str, *, ends: frozenset[str] = frozenset()) -> Callable[[Child, Fact], Child]:
    """`level` stands from here on, and those that it follows upon end. It names nobody anew whose 72 hours ran out."""

    def open_(child: Child, fact: Fact) -> Child:
        left = {name: key for name, key in child.open_thresholds.items() if name not in ends}
        child = child if KEEPS_NAMED & child.open_thresholds.keys() else _lapsed(child, fact)
        return _standing_at(child, fact, {**left, level: fact.key})

    return open_


def closes(level: str) -> Callable[[Child, Fact], Child]:
    """`level` ends; another that stands goes on."""

    def close(child: Child, fact: Fact) -> Child:
        left = {name: key for name, key in child.open_thresholds.items() if name != level}
        return _standing_at(child, fact, left)

    return close


def s47_concluded(child: Child, fact: Fact) -> Child:
    """It closes what the discussion opened (access ruling 6); where a conference follows, the record stays open."""
    child = _discussion_over(closes("s47")(child, fact))
    return opens("cpPlan")(child, fact) if details_of(fact).get("next_step") == "conference" else child


def stepped_down(child: Child, fact: Fact) -> Child:
    """Whatever is stronger than the threshold named ends (access ruling 6)."""
    to = STEPS_DOWN.get(details_of(fact).get("to", ""), "none")
    weaker = STRENGTH[: STRENGTH.index(to)] if to in STRENGTH else ()
    left = {name: key for name, key in child.open_thresholds.items() if name in weaker}
    return _discussion_over(_standing_at(child, fact, {**left, to: fact.key} if to in STRENGTH else left))


def _discussion_over(child: Child) -> Child:
    return replace(child, participants=(), participants_event=None)


def _lapsed(child: Child, fact: Fact) -> Child:
    now = came_to_count(fact)
    left = tuple(one for one in child.participants if datetime.fromisoformat(one.until) > now)
    return replace(child, participants=left)


def discussion_called(child: Child, fact: Fact) -> Child:
    """Those it names read for 72 hours, and on while a threshold stands that keeps them named."""
    since = came_to_count(fact).isoformat()
    until = (came_to_count(fact) + OPEN_TO_PARTICIPANTS).isoformat()
    named = tuple(
        Participant(one.get("person", ""), one.get("service", ""), one.get("role", ""), since, until)
        for one in details_of(fact).get("participants", ())
    )
    return replace(child, participants=child.participants + named, participants_event=fact.key)
