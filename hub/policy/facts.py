"""The facts about a reader that rules rest on, each with the event that made it true.

`reading` is this reader, for this purpose, with this child, now, in closed words. Pure; role, relationship, threshold,
training and conflict come from recorded events, never from claims. What may be seen is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.child import Child
from hub.domain.facts import EventKey
from hub.domain.labels import is_named
from hub.domain.staff import Reader

RESOLVER: Final = "reading/2"
"""Name and version of what is resolved here; part of the policy digest."""

OPEN_THRESHOLDS: Final = frozenset({"s47", "cpPlan", "emergency"})
"""While one of these is recorded, those named in the strategy discussion stay named."""

ANSWERABLE: Final = frozenset({"allocatedSocialWorker", "teamManager"})
"""Roles to which what is urgent about their own child is always addressed (`schemas/rules/urgent.json`)."""

Profile = tuple[str, str, str, str, bool, bool, bool, bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """This reader, for this purpose, with this child, now."""

    role: str
    purpose: str
    involvement: str = "none"
    """none; team: their service works with the child or was called in; allocated: they themselves do."""
    threshold: str = "none"
    participant: bool = False
    """Named in a strategy discussion that is still open (72 hours, or while a threshold is recorded)."""
    registered: bool = True
    trained: bool = True
    conflict: bool = False
    evidence: tuple[tuple[str, EventKey | None], ...] = field(default=(), compare=False)
    """(fact, event that made it true); for the access record, never for a rule."""

    @property
    def profile(self) -> Profile:
        """All that rules may know of the reader: the key under which their decisions are remembered."""
        return (
            self.role, self.purpose, self.involvement, self.threshold, self.participant, self.registered,
            self.trained, self.conflict,
        )  # fmt: skip

    @property
    def answerable(self) -> bool:
        """Must decide what happens to this child next: the front door, and the child's own worker and manager."""
        return self.role == "frontDoor" or (self.role in ANSWERABLE and self.involvement == "allocated")


def reading(reader: Reader, purpose: str, child: Child, now: datetime, *, child_id: str = "") -> Reading:
    """Resolve who asks and why into what rules may know. `now` is today, whatever day the answer is about.

    `child_id` finds the child among the conflicts that the reader declared; a conflict recorded with the child counts
    without it.
    """
    participant = _participant(reader, child, now)
    involvement, involved_by = _involvement(reader, child, participant=participant)
    return Reading(
        role=reader.role,
        purpose=purpose,
        involvement=involvement,
        threshold=child.threshold,
        participant=participant,
        registered=reader.registered,
        trained=reader.trained,
        conflict=reader.person in child.conflicts or (bool(child_id) and child_id in reader.conflicts),
        evidence=(
            ("involvement", involved_by),
            ("threshold", child.threshold_event),
            ("participant", child.participants_event if participant else None),
        ),
    )


def _participant(reader: Reader, child: Child, now: datetime) -> bool:
    """Named in a strategy discussion, from when it was called for 72 hours or while a threshold is open (ruling 6)."""
    still_open = child.threshold in OPEN_THRESHOLDS
    return any(
        is_named(one, reader)
        and datetime.fromisoformat(one.since) <= now
        and (still_open or now < datetime.fromisoformat(one.until))
        for one in child.participants
    )


def _involvement(reader: Reader, child: Child, *, participant: bool) -> tuple[str, EventKey | None]:
    if child.workers.get(reader.person) == reader.role:
        return "allocated", child.worker_events.get(reader.person)
    if reader.service in child.involved:
        return "team", child.involved[reader.service]
    if reader.person in child.workers:
        return "team", child.worker_events.get(reader.person)
    return ("team", child.participants_event) if participant else ("none", None)
