"""What may wait for one person: found by whom it is for, before it is asked what of it they may be told.

For a service's role or a person what is addressed to them; for the front door, the allocated worker and the manager
what is urgent; for whoever read an entry that it was removed or corrected; for stewards and the front door the
questions who is who; for officers the alarms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from hub.disclosure.door import Disclosure
from hub.disclosure.looks import Looks
from hub.disclosure.parted import read_as_anothers
from hub.disclosure.replies import Replies
from hub.domain import standing
from hub.domain.staff import Reader
from hub.identity.assigning import assigned_to
from hub.identity.register import Register, ReviewItem
from hub.projections.items import (
    ADDRESSED,
    ALARM,
    ALLOCATED,
    CORRECTED,
    INVOLVED,
    LEAD,
    URGENT,
    Items,
    Row,
    person_id,
)
from hub.rules.calendars import span
from schemas.rules import get_list

FRONT_DOOR, STEWARD, SCHOOL_LEAD = "frontDoor", "steward", "schoolLead"
WITHDRAWN, CONDITIONS = "agreement-withdrawn", ("condition-started", "condition-ended")
UNKNOWN, UNSURE, QUARANTINED = "addressee-unknown", "identity-unsure", "quarantined-urgent"
QUARANTINED_SAYS = ("source", "reason", "ring", "records", "newest")
MIXED = "record-mixed"
DAY = len("2024-09-09")


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """Something that may wait for a person."""

    kind: str
    key: str
    """What an opening of it is recorded under: shared by all for whom it is one item."""
    at: str
    reader: Reader | None = None
    """In which role it is for them; None for an officer."""
    urgent: bool = False
    home: UUID | None = None
    position: int = 0
    """With `home` the entry that it is about."""
    child: UUID | None = None
    """The child that it is about, where it is about no entry."""
    concerns: tuple[UUID, ...] = ()
    """Children with whom a conflict bars the reader, beside the one it is about."""
    cards: bool = False
    """Listed, without its entry, also where only a card shows."""
    sender: str = ""
    """The service that said it."""
    unseen: bool = False
    """Listed, without its entry, also where the rules hide that and its sender did not ask for it: this person is to
    know that it is there."""
    by_when: str = ""
    overdue: bool | None = None
    settled: bool = False
    """Replied to: no longer on the list, in whichever other way it would be for them."""
    stands: bool = False
    """It stays until what it says has ended, opened or not."""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Sources:
    """Where what waits is found beside the rows and the register."""

    officers: Callable[[], Collection[str]]
    services: Callable[[], Collection[str]]
    """Services that the partnership knows by name."""
    speaks_for: Callable[[str, str], bool]
    """(source, service): is this source one of that service's?"""
    waiting: Callable[[], Sequence[Mapping[str, Any]]]
    """Quarantined records that may be urgent: id, at, source, reason, urgent, and ring where somebody signed it; of a
    line for several how many records, and when the newest came."""


@dataclass
class Gathering:
    """One person's, at one moment."""

    door: Disclosure
    rows: Items
    sources: Sources
    looks: Looks
    person: str
    readers: Sequence[Reader]

    @property
    def register(self) -> Register:
        """Which child is which."""
        return self.looks.register

    @property
    def now(self) -> datetime:
        """The moment of the list."""
        return self.looks.now

    def all(self) -> list[list[Candidate]]:
        """Each once, in every way in which it is for this person: as addressed before as urgent, by role after role."""
        found: dict[tuple[Any, ...], list[Candidate]] = {}
        for one in self._each():
            place = (one.position or one.key, one.kind if one.kind not in (ADDRESSED, URGENT) else "")
            found.setdefault(place, []).append(one)
        return list(found.values())

    def _each(self) -> Iterator[Candidate]:
        for reader in self.readers:
            yield from self._addressed(reader)
            if reader.role == FRONT_DOOR:
                yield from self._for_the_front_door(reader)
            yield from self._of_their_children(reader)
            yield from self._questions(reader)
            yield from self._unknown_addressees(reader)
            yield from self._was_read(reader)
        if self.person in self.sources.officers():
            yield from map(self._alarm, self.rows.of_kinds(ALARM))

    @cached_property
    def _me(self) -> str:
        return person_id(self.person)

    @cached_property
    def _replies(self) -> Replies:
        return Replies(self.door, self.rows, self.looks, self.sources.speaks_for)

    def _addressed(self, reader: Reader) -> Iterator[Candidate]:
        """What asks something stays until their service has replied, and is overdue once its time has passed."""
        rows = self.rows.addressed(reader.service, reader.role, self._me)
        replied = self._replies.answered([row for row in rows if row.by_when])
        for row in rows:
            if not row.by_when:
                yield _about_entry(row, reader)
            else:
                late, when = _is_past(row.by_when, self.now), row.by_when.strip("*")
                asked: dict[str, Any] = {"by_when": when, "overdue": late if when else None}
                yield _about_entry(row, reader, settled=row in replied, stands=True, **asked)

    def _for_the_front_door(self, reader: Reader) -> Iterator[Candidate]:
        for row in self.rows.of_kinds(URGENT, WITHDRAWN):
            yield _about_entry(row, reader, for_="frontDoor")
        for one in self.sources.waiting():
            more = {name: one[name] for name in QUARANTINED_SAYS if one.get(name)}
            yield Candidate(
                kind=QUARANTINED, key=f"{QUARANTINED}/{one['id']}", at=one["at"], reader=reader, urgent=one["urgent"],
                stands=True, more=more,
            )  # fmt: skip

    def _of_their_children(self, reader: Reader) -> Iterator[Candidate]:
        """Of the children with whom they work today, as the record says it of each."""
        urgent = (URGENT,) if reader.role in get_list("urgent")["addressed_to"] else ()
        for child in self._children(self.rows.leading(ALLOCATED, person=self._me)):
            if self.door.standing_of(child).workers.get(self.person) == reader.role:
                yield from self._about(child, reader, *urgent, *CONDITIONS)
        if reader.role == SCHOOL_LEAD:
            for child in self._children(self.rows.leading(INVOLVED, service=reader.service)):
                if reader.service in self.door.standing_of(child).involved:
                    yield from self._about(child, reader, *CONDITIONS)
        for child in self._children(self.rows.leading(LEAD, person=self._me)):
            if self._rows_of(child, LEAD)[-1].person == self._me:
                yield from self._about(child, reader, WITHDRAWN)

    def _about(self, child: UUID, reader: Reader, *kinds: str) -> Iterator[Candidate]:
        rows = self._rows_of(child, *kinds)
        return (_about_entry(row, reader, for_=self._me, unseen=row.kind != URGENT) for row in rows)

    def _rows_of(self, child: UUID, *kinds: str) -> list[Row]:
        """The rows about entries that are this child's today, wherever they stand."""
        rows = self.rows.of_homes(assigned_to(self.register, child).streams, *kinds)
        return [row for row in rows if self.looks.child_of(UUID(row.home), row.position) == child]

    def _questions(self, reader: Reader) -> Iterator[Candidate]:
        """Who is who: every question for stewards, the urgent ones for the front door too."""
        for item in self.register.open_items() if reader.role in (STEWARD, FRONT_DOOR) else ():
            urgent = item.urgent or bool(self._rows_of(self.register.survivor(item.child), URGENT))
            if urgent or reader.role == STEWARD:
                yield _question(item, reader, urgent=urgent)

    def _unknown_addressees(self, reader: Reader) -> Iterator[Candidate]:
        """To the front door and to the sender's service: what was addressed to somebody who is not there."""
        for addressee in self._unknown:
            for row in self.rows.addressed_to(*addressee):
                if reader.role == FRONT_DOOR or row.sender == reader.service:
                    yield Candidate(
                        kind=UNKNOWN, key=_key(UNKNOWN, row, reader.service), at=row.at, reader=reader,
                        home=UUID(row.home), position=row.position,
                        sender=row.sender, cards=True, unseen=row.sender == reader.service, stands=True,
                    )  # fmt: skip

    @cached_property
    def _unknown(self) -> list[tuple[str, str, str]]:
        known = set(self.sources.services())
        return [one for one in self.rows.addressees() if not self._is_known(*one, known)]

    def _is_known(self, service: str, role: str, person: str, known: Collection[str]) -> bool:
        """A named person who holds a role today; else a service that the partnership knows, or whose people it does."""
        if person:
            return self._holds(UUID(person))
        return service in known or any(map(self._holds, self.rows.holders(service, role)))

    def _holds(self, stream: UUID) -> bool:
        held = standing.fold("", self.rows.record.facts(stream)).roles
        return any(one.is_held(self.now) for one in held)

    def _was_read(self, reader: Reader) -> Iterator[Candidate]:
        """A removed entry is never shown again, not even named; a correction is, to whom it is shown."""
        for row, child in self.rows.removed_or_corrected(self._me):
            if row.kind == CORRECTED:
                yield _about_entry(row, reader, for_=self._me)
            else:
                key = _key(row.kind, row._replace(part=0), self._me)
                yield Candidate(kind=row.kind, key=key, at=row.at[:DAY], reader=reader, child=child)
        for one in read_as_anothers(self.door, self.rows, self.register, self.person):
            key = f"{MIXED}/{one.child}/{one.since}/{self._me}"
            yield Candidate(kind=MIXED, key=key, at=one.since[:DAY], reader=reader, child=one.child)

    def _alarm(self, row: Row) -> Candidate:
        return Candidate(kind=row.role, key=f"{ALARM}/{row.position}", at=row.at, more={"alarm": row.position})

    def _children(self, rows: Iterable[Row]) -> Iterable[UUID]:
        return dict.fromkeys(self.looks.child_of(UUID(row.home), row.position) for row in rows)


def _about_entry(row: Row, reader: Reader, *, for_: str = "", **more: Any) -> Candidate:
    return Candidate(
        kind=row.kind, key=_key(row.kind, row, for_), at=row.at, reader=reader,
        urgent=bool(row.urgent) and row.kind in (URGENT, ADDRESSED),
        home=UUID(row.home), position=row.position, sender=row.sender, **more,
    )  # fmt: skip


def _key(kind: str, row: Row, for_: str) -> str:
    """Made of the event itself: where it stands in the log would tell how much else there is."""
    return f"{kind}/{row.source}/{row.event}/{row.part}/{for_}"


def _question(item: ReviewItem, reader: Reader, *, urgent: bool) -> Candidate:
    return Candidate(
        kind=UNSURE, key=f"{UNSURE}/{item.child}/{reader.role}", at=item.opened, reader=reader, urgent=urgent,
        child=item.child, concerns=item.candidates, stands=True,
    )  # fmt: skip


def _is_past(by_when: str, now: datetime) -> bool:
    """A day counts to its end; what was asked without a time is never late."""
    if by_when == "*":
        return False
    return by_when < now.date().isoformat() if len(by_when) == DAY else span(by_when)[1] < now
