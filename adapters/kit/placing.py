"""Which earlier event of this source a new one stands to. Reads what was published; writes and seals nothing.

An earlier event is named by its native record, its name and its person, never by its place: a later version of a
record that publishes only a correction or an outcome changes nothing about what the incident is. Only what stands
counts, that is, what was published and not taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.kit.outcomes import EVERYTHING, Event, NativeRecord

RETRACTS, CORRECTS, REPLACES = "retracts", "corrects", "replaces"
CHANGES_EARLIER = (RETRACTS, CORRECTS, REPLACES)


@dataclass(frozen=True, slots=True)
class Standing:
    """A published event that was not taken back. `target` and `as_` say which earlier one it stands to, if any."""

    id: str
    name: str
    target: str = ""
    as_: str = ""


class Published(Protocol):
    """What this source has published, as its memory knows it."""

    def list_standing(self, system: str, key: str, subject: str) -> list[Standing]:
        """What stands of a native record about a person, the oldest first; retractions are not among it."""
        ...

    def is_shared(self, subject: str) -> bool:
        """Does anything published about this person stand?"""
        ...

    def is_asked(self, subject: str) -> bool:
        """Did the hub ask about this person?"""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """An event and what it stands to. `nth` counts the record's events of this name from 0; `target` is the earlier
    event's id or ""; `of` is the name of what is taken back (for a correction, of what that corrected)."""

    event: Event
    subject: str
    nth: int
    target: str = ""
    of: str = ""


def place_events(record: NativeRecord, events: Iterable[tuple[Event, str]], published: Published) -> list[Placed]:
    """All events with their subject placed; one retraction becomes one for each standing event that it takes back.

    What would take back an event that was never published, or was taken back before, is left out.
    """
    placed: list[Placed] = []
    gone: set[str] = set()
    count: dict[str, int] = {}
    for event, subject in events:
        for target, of in _targets(record, event, subject, published):
            if target and target in gone:
                continue
            if event.as_ == RETRACTS:
                gone.add(target)
            nth = count.get(event.name, 0)
            count[event.name] = nth + 1
            placed.append(Placed(event, subject, nth, target, of))
    return placed


def _targets(record: NativeRecord, event: Event, subject: str, published: Published) -> list[tuple[str, str]]:
    """(id, name) of each earlier event that this one stands to; one empty pair where it stands to none."""
    if event.about is None:
        return [("", "")]
    key, name = event.about
    standing = published.list_standing(record.system, key, subject)
    if event.as_ == RETRACTS:
        return [(one.id, _root(one, standing).name) for one in find_to_take_back(standing, name)]
    newest = [(one.id, "") for one in standing if one.name == name][-1:]
    return newest or [("", "")]


def find_to_take_back(standing: Sequence[Standing], name: str) -> list[Standing]:
    """What goes when the events of this name go: they, what they replaced, and whatever was said about them since.

    `name` may be EVERYTHING: the whole record, as far as this person is concerned.
    """
    ids = {one.id for one in standing if name in (one.name, EVERYTHING)}
    while True:
        more = {one.id for one in standing if one.target in ids}
        more |= {one.target for one in standing if one.id in ids and one.as_ == REPLACES}
        if more <= ids:
            return [one for one in standing if one.id in ids]
        ids |= more


def _root(one: Standing, standing: Sequence[Standing]) -> Standing:
    """What a correction corrects; any other event itself."""
    if one.as_ != CORRECTS:
        return one
    return next((other for other in standing if other.id == one.target), one)


def is_first_heard(record: NativeRecord, events: Iterable[tuple[Event, str]], published: Published) -> bool:
    """Do these events change something of which nothing was ever published? Then they say too little, or nothing.

    A version that corrects what was held back is the first that anybody hears of the record: it has to be told whole.
    """
    pairs = list(events)
    changing = [(event, subject) for event, subject in pairs if event.as_ in CHANGES_EARLIER]
    for event, subject in changing:
        if event.about and published.list_standing(record.system, event.about[0], subject):
            return False
    only_back = len(changing) == len(pairs) and all(event.as_ == RETRACTS for event, _ in changing)
    return only_back or any(event.as_ != RETRACTS for event, _ in changing)
