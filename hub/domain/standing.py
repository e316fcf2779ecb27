"""A professional's standing, folded from staff events: which roles they hold, training, declared conflicts.

A token proves who somebody is; what they are comes from here, at a position of the log, never from claims.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.domain.facts import Fact
from hub.domain.staff import Reader

SECTORS = {
    "frontDoor": "social-care", "allocatedSocialWorker": "social-care", "teamManager": "social-care",
    "schoolLead": "education", "healthPractitioner": "health", "namedHealth": "health", "camhs": "health",
    "policeProtection": "police",
}  # fmt: skip

DAY = len("2024-09-09")
EVERY_CHILD = "*"
"""A conflict declared without naming a child counts for every child."""


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """One role at one service, from a day to a day (the last one included) or from moment to moment; empty: open."""

    role: str
    service: str
    since: str
    until: str = ""

    def is_held(self, now: datetime) -> bool:
        """Does the role count at this moment?"""
        return _begins(self.since) <= now and (not self.until or now < _ends(self.until))


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What the record says of one professional."""

    person: str
    name: str = ""
    roles: tuple[RoleHeld, ...] = ()
    trained_until: str = ""
    """Last day on which the recorded safeguarding training counts; empty: none recorded."""
    conflicts: frozenset[str] = frozenset()

    def reader(self, now: datetime, role: str = "") -> Reader | None:
        """The reader in `role` (where empty: in their first role held now); None when they hold no such role."""
        held = [one for one in self.roles if one.is_held(now) and role in ("", one.role)]
        if not held:
            return None
        every = frozenset(one.role for one in self.roles if one.is_held(now))
        return Reader(
            person=self.person, role=held[0].role, service=held[0].service,
            agency_sector=SECTORS.get(held[0].role, ""), conflicts=self.conflicts, roles=every,
            trained=now.date().isoformat() <= self.trained_until,
        )  # fmt: skip


def fold(person: str, facts: Iterable[Fact]) -> Standing:
    """The standing that these staff facts add up to."""
    standing = Standing(person=person)
    for fact in facts:
        standing = evolve(standing, fact)
    return standing


def evolve(standing: Standing, fact: Fact) -> Standing:
    """The standing after one staff fact."""
    details: dict[str, Any] = fact.data.get("details", {})
    match fact.name:
        case "role-held":
            held = RoleHeld(
                details["role"], details["service"], details.get("from", fact.admitted), details.get("until", "")
            )
            return replace(standing, roles=(*standing.roles, held), name=details.get("name", standing.name))
        case "role-ended":
            return replace(standing, roles=tuple(_ended(one, details, fact) for one in standing.roles))
        case "training-recorded":
            return replace(standing, trained_until=max(standing.trained_until, details.get("until", "9999-12-31")))
        case "conflict-declared":
            return replace(standing, conflicts=standing.conflicts | {details.get("child", EVERY_CHILD)})
        case "conflict-ended":
            return replace(standing, conflicts=standing.conflicts - {details.get("child", EVERY_CHILD)})
    return standing


def _ended(held: RoleHeld, details: dict[str, Any], fact: Fact) -> RoleHeld:
    """A leaver's role ends with the named day or moment; without one, when it was recorded. An end is never put off."""
    if held.role != details.get("role", held.role) or held.service != details.get("service", held.service):
        return held
    until = details.get("until", fact.admitted)
    return replace(held, until=min(until, held.until, key=_ends) if held.until else until)


def _begins(text: str) -> datetime:
    """A moment as it is; a day from its first moment, UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ends(text: str) -> datetime:
    """A moment as it is; a day until it is over."""
    return _begins(text) + (timedelta(days=1) if len(text) == DAY else timedelta())
