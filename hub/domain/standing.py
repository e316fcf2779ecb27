"""A professional's standing, folded from staff events: which roles they hold, training, declared conflicts.

A token proves who somebody is; what they are comes from here, at a position of the log, never from claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True, slots=True)
class Conflict:
    """A declared conflict of interest: it counts from when it was recorded, to a day or moment; empty: open."""

    child: str
    until: str = ""

    def counts(self, now: datetime) -> bool:
        """Does it stand between the person and the child at this moment?"""
        return not self.until or now < _ends(self.until)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What the record says of one professional."""

    person: str
    name: str = ""
    roles: tuple[RoleHeld, ...] = ()
    trained_until: str = ""
    """Last day on which the recorded safeguarding training counts; empty: none recorded."""
    declared: tuple[Conflict, ...] = ()

    def conflicts(self, now: datetime) -> frozenset[str]:
        """Ids of the children with whom a declared conflict counts now."""
        return frozenset(one.child for one in self.declared if one.counts(now))

    def reader(self, now: datetime, role: str = "") -> Reader | None:
        """The reader in `role` (where empty: in their first role held now); None when they hold no such role."""
        held = [one for one in self.roles if one.is_held(now) and role in ("", one.role)]
        if not held:
            return None
        every = frozenset(one.role for one in self.roles if one.is_held(now))
        return Reader(
            person=self.person, role=held[0].role, service=held[0].service,
            agency_sector=SECTORS.get(held[0].role, ""), conflicts=self.conflicts(now), roles=every,
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
            new = Conflict(details.get("child", EVERY_CHILD), details.get("until", ""))
            return replace(standing, declared=(*standing.declared, new))
        case "conflict-ended":
            return replace(standing, declared=tuple(_over(one, details, fact) for one in standing.declared))
    return standing


def _ended(held: RoleHeld, details: dict[str, Any], fact: Fact) -> RoleHeld:
    """A leaver's role ends with the named day or moment; without one, when it was recorded. An end is never put off."""
    if held.role != details.get("role", held.role) or held.service != details.get("service", held.service):
        return held
    until = details.get("until", fact.admitted)
    return replace(held, until=min(until, held.until, key=_ends) if held.until else until)


def _over(conflict: Conflict, details: dict[str, Any], fact: Fact) -> Conflict:
    if conflict.child != details.get("child", EVERY_CHILD) or (conflict.until and conflict.until < fact.admitted):
        return conflict
    return replace(conflict, until=details.get("until", fact.admitted))


def find_contradiction(standing: Standing, name: str, details: Mapping[str, Any], now: datetime) -> str:
    """The rule that a staff event would break, given what the record says of its person; "" where it breaks none.

    Said to whoever records it, while they can still put it right; what stands in the record is folded as it is. That
    `until` is not before `from` is the schema's to say.
    """
    match name:
        case "role-held":
            return "RoleHeldAlready" if any(_overlaps(one, details, now) for one in standing.roles) else ""
        case "role-ended":
            return _ending_contradicts(standing, details, now)
        case "training-recorded":
            done = details.get("completed", "")
            over = "EndsBeforeItBegins" if details.get("until", done) < done else ""
            return "NotYetCompleted" if done > now.date().isoformat() else over
        case "conflict-ended":
            meant = details.get("child", EVERY_CHILD)
            return "" if meant in standing.conflicts(now) else "NoConflictDeclared"
    return ""


def _overlaps(held: RoleHeld, details: Mapping[str, Any], now: datetime) -> bool:
    """The same role at the same service at the same time, from now on: what is over stands in nobody's way."""
    if (held.role, held.service) != (details["role"], details["service"]):
        return False
    since = max(_begins(details["from"]), now) if "from" in details else now
    over = bool(held.until) and _ends(held.until) <= since
    return not over and not ("until" in details and _ends(details["until"]) <= _begins(held.since))


def _ending_contradicts(standing: Standing, details: Mapping[str, Any], now: datetime) -> str:
    """Without a day it ends now, also a role that would have begun later. A role that is over is not ended again."""
    at = _ends(details["until"]) if "until" in details else now
    open_then = [
        one for one in standing.roles
        if (one.role, one.service) == (details["role"], details["service"])
        and (not one.until or at < _ends(one.until))
    ]  # fmt: skip
    if not open_then:
        return "RoleNotHeld"
    return "EndsBeforeItBegins" if "until" in details and all(at <= _begins(one.since) for one in open_then) else ""


def _begins(text: str) -> datetime:
    """A moment as it is; a day from its first moment, UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ends(text: str) -> datetime:
    """A moment as it is; a day until it is over."""
    if text.startswith("9999"):
        return datetime.max.replace(tzinfo=UTC)
    return _begins(text) + (timedelta(days=1) if len(text) == DAY else timedelta())
