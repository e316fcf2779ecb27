"""A fact: one thing that the record holds, as the domain sees it. Pure data; how it is stored is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

EventKey = tuple[str, str]
"""(source, event id): what names an event for ever, across agencies."""
PEOPLE = "urn:safeguarding:source:people:"
"""How the sources begin that the hub keeps for people's services: what comes by them was judged at the people's door.
"""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd about a fact that can never change: it arrived late, its clock ran ahead, a gap came before it."""

    code: str
    note: str = ""


NOBODYS = UUID(int=0)


class Fact(NamedTuple):
    """One recorded event: what an agency reported, what a person recorded, or what the hub itself noted.

    A tuple because there are so many of them: made in a third of the time that a frozen dataclass takes.
    """

    name: str
    version: int
    data: Mapping[str, Any]
    source: str = ""
    id: str = ""
    subject: str = ""
    datadigest: str = ""
    shared: str = ""
    """When the source sealed it, RFC 3339: our *shared* time."""
    admitted: str = ""
    """When the hub admitted it, RFC 3339."""
    remarks: tuple[Remark, ...] = ()
    stream: UUID = NOBODYS
    seq: int = 0
    position: int = 0
    """Place in the hub's log, from 1; 0 while it is not yet recorded."""

    @property
    def key(self) -> EventKey:
        """(source, event id)."""
        return self.source, self.id

    @property
    def topic(self) -> str:
        """The contract's name, which is what is stored: `missing-reported/v1`."""
        return f"{self.name}/v{self.version}"


def came_to_count(fact: Fact) -> datetime:
    """When a fact came to count: a source's clock may run behind the hub's, never ahead of it."""
    return min(datetime.fromisoformat(at) for at in (fact.shared or fact.admitted, fact.admitted or fact.shared))


def details_of(fact: Fact) -> Mapping[str, Any]:
    """What is particular to its kind; the hub's own notes have none."""
    found: Mapping[str, Any] = fact.data.get("details", {})
    return found
