"""What a new version of a native record does to what was said before: stands in its place, or takes it back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.education.mapping.pupil import describe_child, find_contradictions
from adapters.education.mapping.saying import day_of, make_event
from adapters.education.record.pupil import Pupil
from adapters.kit.outcomes import EVERYTHING, Event, Events, NativeRecord, NoEvent, Outcome

Settings = Mapping[str, Any]
NOTHING_NEW = "nothing-new-to-report"


def stand_in_place(
    said: Events, earlier: Events, record: NativeRecord, last: NativeRecord, settings: Settings
) -> Outcome:
    """Each event that says another thing than before stands in the place of the earlier one; what is no longer said of
    the same period is taken back. Under another pupil all of it is new, and taken back from the first."""
    if record.person != last.person:
        return Events((*said.events, *take_back(record, last, reason_of_move(record, last), settings)), said.remarks)
    before = {event.name: event for event in earlier.events}
    now = {event.name: event for event in said.events}
    other = next(iter(before)) if len(before) == len(now) == 1 else ""  # a suspension that became an exclusion
    events: list[Event] = []
    for name, event in now.items():
        old = name if name in before else other
        if not old:
            events.append(event)
        elif old != name or not _says_the_same(event, before[old]):
            events.append(_in_place_of(old, event, record))
    if other == "" and record.parsed.get("period") == last.parsed.get("period"):
        for name in before.keys() - now.keys():
            events += take_back(record, last, "untrue", settings, name)
    return Events(tuple(events), said.remarks) if events else NoEvent(NOTHING_NEW, said.remarks)


def _says_the_same(one: Event, other: Event) -> bool:
    """The same facts; a period that grew without adding to them says nothing new."""
    return bool(one.data["details"] == other.data["details"])


def _in_place_of(name: str, event: Event, record: NativeRecord) -> Event:
    data = event.data | {"change": "replaces"}
    return Event(event.name, data, event.person, event.time, about=(record.key, name), as_="replaces")


def reason_of_move(record: NativeRecord, last: NativeRecord) -> str:
    """Another child, or the same one under another number."""
    differ = find_contradictions(Pupil.of_register(record.parsed), Pupil.of_register(last.parsed))
    return "wrong-child" if differ else "removed-at-source"


def take_back(
    record: NativeRecord, last: NativeRecord, reason: str, settings: Settings, name: str = EVERYTHING
) -> tuple[Event, ...]:
    """What was said of the record is taken back from the pupil of its last version; nothing where nobody is described.
    What of it was ever told, the kit knows."""
    child, _ = describe_child(Pupil.of_register(last.parsed), settings)
    if child is None:
        return ()
    event = make_event(
        "retraction-made",
        day_of(str(record.parsed.get("deleted", ""))),
        {"reason": reason},
        child=child,
        person=last.person,
        statement="decision",
        settings=settings,
        change="retracts",
    )
    return (Event(event.name, event.data, event.person, about=(last.key, name), as_="retracts"),)
