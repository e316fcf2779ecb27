"""Who asks: a professional's standing as frozen data, as the staff events say it at one position of the log.

Says nothing about any child, and takes nothing from a token: a token proves who somebody is, never what they may do.
"""

from __future__ import annotations

from dataclasses import dataclass

DECIDERS = frozenset({"frontDoor", "outOfHours", "teamManager", "conferenceChair"})
"""Roles that decide what opens or closes a record, and what ends a protection that others set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A professional in the role in which they act now."""

    person: str
    """The id under which the partnership knows them."""
    role: str
    """The role in which they ask; it counts only while it is among `roles`."""
    service: str
    """URN of their service: the school, ward, team or practice, never the employer above it."""
    agency_sector: str = ""
    """police, health, education, social-care …; for display and audit, never a reason to see anything."""
    trained: bool = False
    """Safeguarding training recorded and not run out."""
    conflicts: frozenset[str] = frozenset()
    """Ids of children whose family member, neighbour or acquaintance they have declared themselves to be."""
    roles: frozenset[str] = frozenset()
    """Roles registered for them and not ended or suspended."""

    @property
    def registered(self) -> bool:
        """The role they act in is one that was given to them."""
        return self.role in self.roles
