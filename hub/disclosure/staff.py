"""What the record says of professionals, for the officers who register them: roles, training, declared conflicts.

An officer sees ids of children where a conflict names them, and nothing else about any child.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from hub.disclosure.door import Disclosure, NoStanding
from hub.domain.standing import Standing

HELD = ("role-held/v1",)


class NobodyKnown(Exception):
    """Nobody of this id was ever registered."""


class Staff:
    """Shows professionals to officers. One per process."""

    def __init__(self, door: Disclosure, officers: Callable[[], Collection[str]]) -> None:
        self.door, self.officers = door, officers

    def show(self, officer: str, purpose: str, person: str) -> dict[str, Any]:
        """One professional, recorded. Errors: `NoStanding`, `NobodyKnown`, `CannotRecord`."""
        self._record("staff-show", officer, purpose, of=person)
        if not self.door.is_known(person):
            raise NobodyKnown
        return _written(self.door.professional(person), self.door.clock())

    def everybody(self, officer: str, purpose: str) -> list[dict[str, Any]]:
        """Everybody who holds or held a role, by their id, recorded. Errors: `NoStanding`, `CannotRecord`."""
        self._record("staff-list", officer, purpose)
        record, now = self.door.record, self.door.clock()
        people = {
            next(record.facts(stream, topics=HELD)).data["details"]["person"] for stream in record.streams_with(HELD)
        }
        return [_written(self.door.professional(person), now) for person in sorted(people)]

    def _record(self, kind: str, officer: str, purpose: str, **facts: str) -> None:
        allowed = officer in self.officers()
        self.door.note_access(kind, officer, purpose, outcome="answered" if allowed else "no-standing", **facts)
        if not allowed:
            raise NoStanding


def _written(standing: Standing, now: datetime) -> dict[str, Any]:
    return {
        "person": standing.person,
        "name": standing.name,
        "roles": [
            {
                "role": one.role, "service": one.service, "from": one.since,
                **({"until": one.until} if one.until else {}), "held": one.is_held(now),
            }
            for one in standing.roles
        ],
        "trained_until": standing.trained_until,
        "trained": now.date().isoformat() <= standing.trained_until,
        "conflicts": [
            {"child": one.child, **({"until": one.until} if one.until else {}), "counts": one.counts(now)}
            for one in standing.declared
        ],
    }  # fmt: skip
