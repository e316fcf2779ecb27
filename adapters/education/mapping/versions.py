"""What a new version of a native record does to what was said before: stands in its place, or takes it back. Pure."""

from __future__ import annotations

from adapters.education.mapping.saying import day_of, make_summary
from adapters.kit.outcomes import Event, Events, NativeRecord, Outcome

LABEL_OF = {  # what is taken back stays at its own level
    "absence-pattern": {"category": "education", "level": "N"},
    "absent-ten-days": {"category": "education", "level": "N"},
    "suspended": {"category": "education", "level": "R"},
    "excluded": {"category": "education", "level": "R"},
}


def stand_in_place(said: Events, earlier: Events, record: NativeRecord) -> Outcome:
    """The first event stands in place of the earlier one of the same record."""
    first, *rest = said.events
    if "absent-ten-days" in (first.name, earlier.events[0].name):  # the places in the record would not agree
        return said
    data = first.data | {"change": "replaces"}
    first = Event(first.name, data, first.person, first.time, about=(record.key, 0), as_="replaces")
    return Events((first, *rest), said.remarks)


def take_back(record: NativeRecord, earlier: Events, reason: str) -> Outcome:
    """Every event of the earlier version is taken back."""
    return Events(tuple(_taken_back(record, one, place, reason) for place, one in enumerate(earlier.events)))


def _taken_back(record: NativeRecord, earlier: Event, place: int, reason: str) -> Event:
    data = {
        "change": "retracts",
        "happened": day_of(str(record.parsed.get("deleted", ""))).happened,
        "child": earlier.data["child"],
        "said_by": {"statement": "decision", "basis": "fact"},
        "summary": make_summary("retraction-made"),
        "shared_under": earlier.data["shared_under"],
        "label": LABEL_OF[earlier.name],
        "details": {"reason": reason},
    }
    return Event("retraction-made", data, earlier.person, about=(record.key, place), as_="retracts")
