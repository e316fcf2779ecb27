"""Open items: what somebody waits for, computed from the entries that whoever asks may know. Pure.

Nothing of it is stored: what later entries lift is gone with the next reading. Each item is judged by the rule's
edition in force when its clock started, in that area. Late is a remark, never a refusal, and nothing is put in order
by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.domain.clocks import ASKED, CLOCKS, READ, Clock, Closes, Entry
from hub.domain.facts import EventKey, Fact
from hub.rules.calendars import day_of, due, is_past, span
from hub.rules.editions import Edition

ANSWERS = frozenset({"answers", "follows"})
NAMES = ANSWERS | {"about"}
"""References by which an entry of a kind that lifts names what it lifts."""
ADVICE = "advice"
NOBODY: frozenset[str] = frozenset()
NOTHING: frozenset[EventKey] = frozenset()
FindEdition = Callable[[str, date, str], Edition | None]
"""(rule, day, area) → the edition in force, or None."""


class OpenItem(NamedTuple):
    """One thing that is waited for."""

    rule: str
    edition: str
    source: str
    what: str
    since: str
    due: str
    """The last day or moment in time; "" where the rule has no number."""
    late: bool
    about: EventKey


def open_items(entries: Iterable[Entry], now: datetime, area: str, find: FindEdition) -> list[OpenItem]:
    """What is open of these entries of one child at `now`, by when it began and then by rule."""
    entries = list(entries)
    by_event: dict[str, list[Entry]] = {}
    for one in entries:
        by_event.setdefault(one.event, []).append(one)
        if one.asked:
            by_event.setdefault(ASKED, []).append(one)
    begun = [clock for clock in CLOCKS if not by_event.keys().isdisjoint(clock.opens)]
    found = [item for clock in begun for item in _of_clock(clock, by_event, entries, now, area, find)]
    return sorted(found, key=lambda item: (span(item.since)[0], item.rule, item.about))


def reads(fact: Fact, data: Mapping[str, Any]) -> bool:
    """Do clocks read anything of this fact, where so much of it may be known?"""
    return fact.name in READ or "asked" in data or bool(fact.data.get("references"))


def told(fact: Fact, data: Mapping[str, Any], service: str, *, starts: bool = True) -> Entry:
    """What clocks read of a fact, from `data`, which has as much of it as may be known.

    `data` has happened, shared and, where they may be known, details, asked, by_when and addressed_to.
    """
    when, shared, references = data["happened"], data["shared"], fact.data.get("references", ())
    happened = when.get("from") or when.get("to") or shared
    first, last = span(happened)
    addressed = data.get("addressed_to", ())
    return Entry(
        fact.key, fact.name, happened, first, span(when["to"])[1] if "to" in when else last, shared, service,
        data.get("details", {}), data.get("by_when", ""), "asked" in data,
        frozenset([one["service"] for one in addressed if "service" in one]) if addressed else NOBODY,
        _named(references, NAMES) if references else NOTHING, _named(references, ANSWERS) if references else NOTHING,
        starts,
    )  # fmt: skip


def _named(references: Sequence[Mapping[str, str]], by: frozenset[str]) -> frozenset[EventKey]:
    return frozenset([(one["source"], one["id"]) for one in references if one["as"] in by])


def current(facts: Sequence[Fact]) -> list[Fact]:
    """Without what its own source took back or replaced by a newer version."""
    gone = {
        (one["source"], one["id"])
        for fact in facts
        for one in fact.data.get("references", ())
        if one["as"] in ("retracts", "replaces") and one["source"] == fact.source
    }
    return [fact for fact in facts if fact.key not in gone]


def _of_clock(
    clock: Clock, by_event: Mapping[str, Sequence[Entry]], entries: Sequence[Entry], now: datetime, area: str,
    find: FindEdition,
) -> list[OpenItem]:  # fmt: skip
    opened = [
        one
        for event, opens in clock.opens.items()
        for one in by_event.get(event, ())
        if one.starts
        and opens(one)
        and (clock.stated(one) or not clock.needs_day)
        and not is_past(clock.lapses(one), now)
    ]
    if not opened:
        return []
    opened.sort(key=lambda one: _began(clock, one))
    closing = [(one, closes) for event, closes in clock.closes.items() for one in by_event.get(event, ())]
    keys = {one.key for one in opened}
    left = [one for one in opened if not _is_lifted(clock, one, closing, entries, keys)]
    items = [_item(clock, one, by_event, now, area, find) for one in (left[:1] if clock.single else left)]
    return [one for one in items if one is not None]


def _runs(clock: Clock, opened: Entry, now: datetime) -> bool:
    return bool(clock.stated(opened) or not clock.needs_day) and not is_past(clock.lapses(opened), now)


def _began(clock: Clock, opened: Entry) -> datetime:
    return span(opened.received)[0] if clock.received else opened.first


def _is_lifted(
    clock: Clock, opened: Entry, closing: Sequence[tuple[Entry, Closes]], entries: Sequence[Entry], keys: set[EventKey]
) -> bool:
    """Does a later entry lift it? One that names what it lifts lifts that alone; one that names nothing, all till then.

    What is known to the day counts till its end, so that a receipt of the same day is one.
    """
    for one, closes in closing:
        if one is opened or not closes(one, opened):
            continue
        named = one.named & keys if one.named else NOTHING
        if opened.key in named or (not named and _is_after(clock, one, opened, again=one.key in keys)):
            return True
    return clock.answered and _is_answered(opened, entries)


def _is_after(clock: Clock, one: Entry, opened: Entry, *, again: bool) -> bool:
    """`again`: it opens this clock itself, so that of two on one day the later one stays."""
    if again:
        return (_began(clock, one), one.key) > (_began(clock, opened), opened.key)
    return one.last >= opened.first


def _is_answered(opened: Entry, entries: Sequence[Entry]) -> bool:
    """Everybody who was addressed has answered, or whoever asked says so; where nobody was addressed, anybody."""
    services = {one.service for one in entries if opened.key in one.answers}
    if not services:
        return False
    return not opened.addressed or opened.service in services - {""} or opened.addressed <= services


def _item(
    clock: Clock, opened: Entry, by_event: Mapping[str, Sequence[Entry]], now: datetime, area: str, find: FindEdition
) -> OpenItem | None:
    since, renewed = opened.received if clock.received else opened.happened, False
    if clock.since:
        before = [one for one in by_event.get(clock.since, ()) if one.first <= opened.last]
        since = max(before, key=_first).happened if before else since
    if clock.renewed:
        after = [one for one in by_event.get(clock.renewed, ()) if one.last >= opened.first]
        renewed, since = bool(after), max(after, key=_first).happened if after else since
    edition = find(clock.rule, day_of(span(since)[0]), area)
    if edition is None:
        return None
    due_by = clock.stated(opened) or due(edition.unit, edition.limit, since)
    late = edition.kind != ADVICE and is_past(due_by, now)
    if renewed and not late:
        return None
    return OpenItem(
        edition.rule, edition.edition, edition.source, clock.what, since, due_by, late, opened.key
    )  # fmt: skip


def _first(entry: Entry) -> datetime:
    return entry.first
