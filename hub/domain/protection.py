"""Where a child is, as a secret: since when it is protected, until when, who may know, and which entries it covers.

Protected location and adoption are facts about the child, because whoever sends the next entry does not know of them.
While a protection is open it covers every entry of every agency; what happened, was learned, was recorded or was shared
in between it covers for ever. Pure; what is taken away from a covered entry is decided by the rules.
Source: record of the partnership, protected location; Domestic Abuse Act 2021; Adoption and Children Act 2002 ss 57-59.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.domain.facts import PEOPLE, EventKey, Fact, came_to_count, details_of
from hub.domain.staff import DECIDERS, Reader

PROTECTED, ENDED = "location-protected", "location-protection-ended"
ADOPTIONS: Mapping[str, tuple[str, str]] = {
    "name-changed": ("reason", "adoption"), "looked-after-ended": ("next", "adopted"),
    "court-order-made": ("kind", "adoption"), PROTECTED: ("reason", "adoption"),
}  # fmt: skip
"""Kind → (detail, word) by which an event says that the child was adopted."""
SEALED = frozenset(ADOPTIONS) - {PROTECTED}
"""Of these the entry that says so is sealed too. A protection names no adoption but in its reason."""

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
DAY = len("2025-03-03")
ZONE = timedelta(hours=1)
"""A day or month is London's, which is UTC or an hour ahead of it: in doubt an entry is covered."""
Span = tuple[datetime, datetime]
"""From when on, and until when."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """One protection of a child's whereabouts."""

    key: EventKey
    service: str
    """The service that set it: whoever may lift it."""
    may_know: tuple[tuple[str, str, str], ...]
    """(service, role, person) of those who are named; who set it, in that role, is one of them."""
    since: datetime
    until: datetime | None = None
    """When it ended; None while nobody ended it."""
    adoption: bool = False

    def is_open(self, now: datetime) -> bool:
        """Does it still cover everything?"""
        return self.until is None or now < self.until

    def names(self, reader: Reader) -> bool:
        """Is this reader one of those who may know?"""
        return any(
            person == reader.person if person else service == reader.service and role in ("", reader.role)
            for service, role, person in self.may_know
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """What of one child's record one reader may not place: everything, or what belongs to these periods."""

    everything: bool
    periods: tuple[Span, ...]
    adoptions: tuple[Span, ...] = ()
    """Periods from an adoption on, in which a new name is as good as an address."""

    def covers(self, spans: Iterable[Span]) -> bool:
        """Is an entry of these times kept without place and source?"""
        return self.everything or _overlap(spans, self.periods)

    def covers_name(self, spans: Iterable[Span]) -> bool:
        """Is the name that an entry of these times gives the child kept too?"""
        return bool(self.adoptions) and _overlap(spans, self.adoptions)


def guard_against(protections: Iterable[Protection], reader: Reader, now: datetime) -> Guard | None:
    """What is kept from this reader today; None where nothing is, as for most children."""
    against = [one for one in protections if not one.names(reader)]
    if not against:
        return None
    periods = tuple((one.since, one.until or LAST) for one in against)
    adoptions = tuple((one.since, one.until or LAST) for one in against if one.adoption)
    return Guard(any(one.is_open(now) for one in against), periods, adoptions)


def guard_against_all(protections: Iterable[Protection], now: datetime) -> Guard | None:
    """What is kept from somebody whom no protection names: an agency that is told something unasked."""
    return guard_against(protections, Reader(person="", role="", service=""), now)


def spans_of(fact: Fact) -> tuple[Span, ...]:
    """The times of an entry: when it happened, was learned, recorded, shared and admitted.

    Where nobody knows when it happened, nor when it was learned or recorded, it may have been at any time before it was
    shared.
    """
    known = [at for at in (fact.data.get("learned"), fact.data.get("recorded")) if at]
    points = [(_begun(at), _last(at)) for at in (*known, fact.shared, fact.admitted) if at]
    happened: Mapping[str, Any] = fact.data.get("happened") or {}
    if known and happened.get("precision") == "unknown":
        return tuple(points)
    return (*points, _happened(happened, fact.shared))


def protected(protections: tuple[Protection, ...], fact: Fact) -> tuple[Protection, ...]:
    """With the protection that this fact sets. One that replaces an earlier one of its source takes its beginning."""
    details = details_of(fact)
    replaced = replaced_by(fact)
    earlier = [one for one in protections if one.key in replaced]
    said: Mapping[str, Any] = fact.data.get("said_by", {})
    counted = came_to_count(fact)
    stated = details if fact.name == PROTECTED else {}
    begins = [stated.get("from"), fact.data.get("happened", {}).get("from")]
    ends = [_last(stated["until"])] if "until" in stated else [one.until for one in earlier if one.until]
    new = Protection(
        key=fact.key, service=said.get("service", ""), may_know=_named(details, said),
        since=min([counted, *(_first(at) for at in begins if at), *(one.since for one in earlier)]),
        until=max(ends, default=None), adoption=is_adoption(fact.name, details),
    )  # fmt: skip
    return (*(one for one in protections if one.key not in replaced), new)


def ended(protections: tuple[Protection, ...], fact: Fact) -> tuple[Protection, ...]:
    """With those ended that the fact's author may lift. It never ends earlier than it was recorded."""
    details = details_of(fact)
    at = max([came_to_count(fact), *([_last(details["until"])] if "until" in details else [])])
    lifted = {one.key for one in lifted_by(protections, fact)}
    return tuple(
        replace(one, until=at) if one.key in lifted and at < (one.until or LAST) else one for one in protections
    )


def lifted_by(protections: Iterable[Protection], fact: Fact) -> list[Protection]:
    """The protections that this end concerns: its own source's; through the people's door those that its author may
    lift, who was judged there. Anybody else's word stands in the record and lifts nothing."""
    said: Mapping[str, Any] = fact.data.get("said_by", {})
    by_people = fact.source.startswith(PEOPLE)
    role = said.get("author", {}).get("role", "")
    return [
        one for one in protections
        if one.until is None or one.until > came_to_count(fact)
        if one.key[0] == fact.source or (by_people and may_lift(one, said.get("service", ""), role))
    ]  # fmt: skip


def may_lift(protection: Protection, service: str, role: str) -> bool:
    """The service that set it, or a role that decides."""
    return protection.service == service or role in DECIDERS


def replaced_by(fact: Fact) -> set[EventKey]:
    """Earlier events of its own source that this fact replaces."""
    return {
        (one["source"], one["id"]) for one in fact.data.get("references", ())
        if one["source"] == fact.source and one["as"] in ("replaces", "corrects")
    }  # fmt: skip


def is_adoption(event: str, details: Mapping[str, Any]) -> bool:
    """Does an event of this kind say that the child was adopted?"""
    name, word = ADOPTIONS.get(event, ("", ""))
    return bool(name) and details.get(name) == word


def _named(details: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    named = [(to.get("service", ""), to.get("role", ""), to.get("person", "")) for to in details.get("may_know", ())]
    author: Mapping[str, Any] = said.get("author", {})
    if author.get("person"):
        named.append(("", "", author["person"]))
    if author.get("role") and said.get("service"):
        named.append((said["service"], author["role"], ""))
    return tuple(named)


def _happened(happened: Mapping[str, Any], shared: str) -> Span:
    first, last = happened.get("from"), happened.get("to")
    open_ended = happened.get("precision") in ("period", "unknown")
    begins = _begun(first) if first else FIRST
    if last or not open_ended:
        return begins, _last(last or first or shared)
    return begins, max(begins, _last(shared)) if shared else LAST


def _overlap(spans: Iterable[Span], periods: Iterable[Span]) -> bool:
    return any(begins < until and ends >= since for begins, ends in spans for since, until in periods)


def _first(text: str) -> datetime:
    """The moment; of a day or month its beginning."""
    at = _moment(text, FIRST)
    return at - ZONE if len(text) <= DAY and at > FIRST else at


def _begun(text: str) -> datetime:
    """The moment; of a day or month its first day's end: the day on which a protection ends is not covered by it."""
    at = _moment(text, FIRST)
    return at.replace(hour=23) if len(text) <= DAY else at


def _last(text: str) -> datetime:
    """The moment; of a day or month its end."""
    at = _moment(text, LAST)
    if len(text) > DAY:
        return at
    if at.year == LAST.year:
        return LAST
    if len(text) == DAY:
        return at + timedelta(days=1)
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)


def _moment(text: str, instead: datetime) -> datetime:
    """The moment; of a day or month the first one, UTC; `instead` of what no calendar has: in doubt it is covered."""
    try:
        at = datetime.fromisoformat(text if len(text) >= DAY else f"{text}-01")
    except ValueError:
        return instead
    return at if at.tzinfo else at.replace(tzinfo=UTC)
