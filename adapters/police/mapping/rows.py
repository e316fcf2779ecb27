"""A row of a police CSV to canonical events. Pure: the row, its last version and the settings decide everything.

What a row means the first time is in `incident.py`. Seen again, only what is different goes out: `correction-made` for
each corrected fact; the outcome or the end, newly written; a notice to a school newly written; the whole event again
(`replaces`) where the child, the form, the limits or the purpose changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.kit.identifiers import is_live
from adapters.kit.outcomes import Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import is_after, read_iso
from adapters.police.mapping.incident import (
    ENDING_FORMS,
    Incident,
    end_events,
    exploitation,
    first_events,
    main_event,
    notices,
)
from adapters.police.mapping.parts import (
    ChildAsWritten,
    Remarks,
    child_part,
    handling,
    is_adult,
    label_of,
    remark_on_future,
    said,
    without_empty,
)
from adapters.police.mapping.words import NOTHING_FOUND, PRESENT, find_result, summary
from adapters.police.record.rows import CLOSED, Row
from adapters.police.source.naming import normal_words

NEW_VERSION = "The force sent a later version of the row."


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Mapping[str, Any]) -> Outcome:
    """What this row means, given the version of it that was handled before."""
    now = _judge(record, settings)
    same = last is not None and (last.key, last.format) == (record.key, record.format)
    before = _judge(last, settings) if same and last is not None else None
    if not isinstance(before, Incident):
        return now if not isinstance(now, Incident) else _outcome(first_events(now), now)
    if last is not None and _is_somebody_else(Row(record.parsed), Row(last.parsed)):
        return Held("two-people", "child_ref", _remarks(now))
    if not isinstance(now, Incident):  # it was sent as a child's before; a person must say what is true
        return now if isinstance(now, Unmappable) else Held("no-longer-a-child", "child_dob", _remarks(now))
    if is_after(before.submitted, now.submitted):
        return Held("older-version", "submitted_at", _remarks(now))
    events = _later_events(before, now)
    return _outcome(events, now) if events else NoEvent("unchanged", _each_once(now.remarks))


def _judge(record: NativeRecord, settings: Mapping[str, Any]) -> Incident | NoEvent | Unmappable:
    """The incident of a row, or why it has none."""
    row, remarks = Row(record.parsed), Remarks()
    if not row.text("incident_ref"):
        return Unmappable("incident_ref", "The row names no incident.")
    limits = handling(row.codes("share_limits"), "share_limits", remarks)
    child = child_part(_written(row, limits), live=is_live(settings), at="child_", remarks=remarks)
    if not child:
        return Unmappable("child", "The child has no name and no identifier.", tuple(remarks.found))
    happened = remarks.when(read_iso(row.text("incident_opened_at"), "incident_opened_at")).happened
    submitted = remarks.when(read_iso(row.text("submitted_at"), "submitted_at")).first or ""
    if is_adult(child, happened if "from" in happened else {"from": submitted}):
        return NoEvent("adult", tuple(remarks.found))
    remark_on_future(happened, submitted, "incident_opened_at", remarks)
    _remark_on_codes(row, remarks)
    return Incident(row, record, settings, remarks, child, happened, submitted, limits)


def _written(row: Row, limits: list[str]) -> ChildAsWritten:
    return ChildAsWritten(
        given=row.text("child_given_name"),
        family=row.text("child_family_name"),
        birth_date=row.text("child_dob"),
        accuracy=row.text("child_dob_accuracy"),
        sex=row.text("child_sex"),
        lines=[row.text("child_address1")],
        postcode=row.text("child_postcode"),
        uprn=row.text("child_uprn"),
        nhs_number=row.text("child_nhs_number"),
        address_closed="confidentialAddress" in limits,
    )


def _remark_on_codes(row: Row, remarks: Remarks) -> None:
    for column in ("incident_type", "children_present", "risk_level", "referral_or_information"):
        if (code := row.text(column)) and code not in CLOSED[column]:
            remarks.unknown_code(column, code)
    if not row.text("incident_type"):
        remarks.add("unknown-code", "incident_type", "The row names no form; it is taken as an incident attended.")


def _outcome(events: list[Event], incident: Incident) -> Events:
    return Events(tuple(events), _each_once(incident.remarks))


def _remarks(judged: Incident | NoEvent | Unmappable) -> tuple[Remark, ...]:
    return _each_once(judged.remarks) if isinstance(judged, Incident) else judged.remarks


def _each_once(remarks: Remarks) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(remarks.found))


def _is_somebody_else(now: Row, before: Row) -> bool:
    """Under one reference another given name and another birth date: not a correction, another person."""
    name, earlier_name = (normal_words(row.text("child_given_name")) for row in (now, before))
    born, earlier_born = (row.text("child_dob") for row in (now, before))
    return bool(name and earlier_name and born and earlier_born) and name != earlier_name and born != earlier_born


# -- seen again


def _later_events(before: Incident, now: Incident) -> list[Event]:
    old, new = main_event(before), main_event(now)
    main = (now.record.key, old.name)
    events = [_again(new, main)] if _must_replace(old, new) else _corrections(before, now, new, main)
    events += [_about(risk, main, "follows") for risk in _newly(exploitation(before), exploitation(now), "details")]
    events += [_about(ended, main, "follows") for ended in _newly(end_events(before), end_events(now), "details")]
    events += [_about(outcome, main, "follows") for outcome in _new_outcome(before, now)]
    events += _newly(notices(before), notices(now), "addressed_to")
    return events


def _about(event: Event, main: tuple[str, str], as_: str) -> Event:
    return Event(event.name, event.data, event.person, event.time, main, as_)


def _again(event: Event, main: tuple[str, str]) -> Event:
    return _about(Event(event.name, event.data | {"change": "replaces"}, event.person, event.time), main, "replaces")


def _must_replace(old: Event, new: Event) -> bool:
    """Another kind, or anything changed but the facts that are corrected one by one and the outcome."""
    return old.name != new.name or _without_corrected(old.data) != _without_corrected(new.data)


def _without_corrected(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in data.items() if name not in _MOVES}
    details = {name: value for name, value in data["details"].items() if name not in _CORRECTED_DETAILS}
    return {**kept, "details": details}


_MOVES = frozenset({"happened", "recorded", "summary", "afterwards", "said_by", "people"})
_CORRECTED_DETAILS = frozenset({
    "children_present", "saw_or_heard", "child_present", "risk", "first_risk", "concerns", "repeat_victim",
    "started", "outcome",
})  # fmt: skip

# Column -> where the fact stands in the event: the first place that is different.
_CORRECTED: Mapping[str, tuple[str, ...]] = {
    "incident_opened_at": ("/happened/from",),
    "children_present": ("/details/children_present", "/details/saw_or_heard", "/details/child_present"),
    "risk_level": ("/details/risk", "/details/first_risk"),
    "concern_codes": ("/details/concerns",),
    "repeat_victim": ("/details/repeat_victim",),
    "relationship_to_child": ("/people",),
}
_CORRECTED_WORDS = {
    "incident_opened_at": "when it happened",
    "children_present": "whether children were there",
    "risk_level": "risk",
    "concern_codes": "concerns",
    "repeat_victim": "repeat victim",
    "relationship_to_child": "who the other person is to the child",
}


def _corrections(before: Incident, now: Incident, new: Event, main: tuple[str, str]) -> list[Event]:
    old = main_event(before)
    changed = [column for column in _CORRECTED if before.row.cells.get(column) != now.row.cells.get(column)]
    return [
        _about(_correction(now, column, pointer, old, new), main, "corrects")
        for column in changed
        if (pointer := _pointer(column, old, new))
    ]


def _pointer(column: str, old: Event, new: Event) -> str:
    return next((at for at in _CORRECTED[column] if _at(old, at) != _at(new, at)), "")


def _correction(now: Incident, column: str, pointer: str, old: Event, new: Event) -> Event:
    """One corrected fact, with the category, level and limits of what it corrects. Old and new are codes, never who."""
    told = pointer != "/people"
    present = PRESENT.get(now.row.text("children_present"), "") if column == "children_present" else ""
    return now.event(
        "correction-made",
        happened=new.data["happened"],
        said_by=said("decision"),
        summary=summary("correction-made", f"Police corrected {_CORRECTED_WORDS[column]}", present),
        label=label_of(new.name, now.limits),
        people=new.data.get("people") if not told else None,
        details=without_empty(
            field=pointer,
            old=_at(old, pointer) or "not stated" if told else None,
            new=_at(new, pointer) or "not stated" if told else None,
            why=f"{NEW_VERSION} {present}." if present else NEW_VERSION,
        ),
    )


def _at(event: Event, pointer: str) -> str:
    """What stands at this place of an event, as text."""
    value: Any = event.data
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pointer == "/people":
        return ", ".join(str(person.get("relation")) for person in value or () if "relation" in person)
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _new_outcome(before: Incident, now: Incident) -> list[Event]:
    """An outcome, or a day of closing, that was not written before; what has an end of its own is ended instead."""
    if now.row.text("incident_type") in ENDING_FORMS:
        return []
    result = find_result(now.row.text("outcome"), "outcome", now.remarks)
    closed_anew = not before.row.text("closed_at") and bool(now.row.text("closed_at"))
    if now.row.text("outcome") == before.row.text("outcome") and not (closed_anew and result is None):
        return []
    if result is None and not closed_anew:
        return []  # an outcome taken back says nothing; the corrected row stands with the force
    nothing = now.row.text("outcome") == NOTHING_FOUND
    closed = now.remarks.when(read_iso(now.row.text("closed_at") or now.submitted, "closed_at")).happened
    words = result.words if result else "Closed; outcome not stated"
    return [
        now.event(
            "investigation-outcome",
            happened=closed,
            said_by=said("nothing-found" if nothing else "decision"),
            summary=summary("investigation-outcome", words),
            afterwards=without_empty(outcome=words, reason_class=result.reason if result else ""),
            details=without_empty(
                outcome=result.outcome if result else "other",
                reason_class=result.reason if result else "not-stated",
                incident_reference=now.row.text("incident_ref")[:100],
            ),
        )
    ]


def _newly(before: list[Event], now: list[Event], by: str = "") -> list[Event]:
    """Events of a kind that there was not before; with `by`, also those whose member of this name is another."""
    known = {(event.name, repr(event.data.get(by)) if by else "") for event in before}
    return [event for event in now if (event.name, repr(event.data.get(by)) if by else "") not in known]
