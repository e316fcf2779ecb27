"""What a register export means: a period of absence, a suspension, a leaver, something taken back. Pure.

Marks are judged over the file's whole period and only the sums leave the school. Reasons that say too much about a
child stay behind unless the settings let them go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.education.mapping.marks import Register, add_up, find_longest_unauthorised, stopped_suddenly
from adapters.education.mapping.pupil import describe_child, find_obstacle
from adapters.education.mapping.rules import Thresholds, find_thresholds
from adapters.education.mapping.saying import day_of, make_event
from adapters.education.mapping.versions import stand_in_place, take_back
from adapters.education.record.assembly import Exclusion, Leaver, Marks
from adapters.education.record.pupil import Pupil
from adapters.kit.outcomes import Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import When, of_nothing, of_period
from schemas.catalogue import get_codes

Settings = Mapping[str, Any]

KINDS = {"PERM": "excluded", "FIXD": "suspended", "SUSP": "suspended", "LNCH": "suspended"}
WRITTEN_OUT = {"PERMANENT": "PERM", "FIXED TERM": "FIXD", "FIXED": "FIXD", "SUSPENSION": "SUSP", "LUNCHTIME": "LNCH"}
SENSITIVE = {"SM", "DA", "OW"}  # sexual misconduct, drugs or alcohol, weapon
NOT_SHARED = Remark("reason-not-shared", "exclusion_reason", "The school's settings keep sensitive reasons back.")


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """By table. A deletion is judged with what it deletes; everything else with the child it is about."""
    table = str(record.parsed.get("table", ""))
    if table == "deletions":
        return map_deletion(record, last, settings)
    return TABLES[table](record, last, settings) if table in TABLES else Unmappable("table", "No such table is known.")


def _said_last(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Events | None:
    """What the last version of this record meant by itself, None if it meant no event."""
    if last is None or last.parsed.get("table") != record.parsed.get("table"):
        return None
    outcome = map_record(last, None, settings)
    return outcome if isinstance(outcome, Events) else None


def _obstacle(record: NativeRecord, last: NativeRecord | None, day: str) -> Outcome | None:
    pupil = Pupil.of_register(record.parsed)
    if not (pupil.surname or pupil.forename or pupil.upn):
        return Unmappable("student", "The student is not among the file's students: nobody is identified.")
    before = Pupil.of_register(last.parsed) if last is not None and last.parsed.get("student") else None
    return find_obstacle(pupil, before, day)


# Attendance


def map_attendance(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """One absence pattern over the period where enough was missed, and a run of ten days without leave."""
    period = Marks.of(record.parsed)
    if obstacle := _obstacle(record, last, period.end):
        return obstacle
    if not (period.start and period.end and period.marks):
        return NoEvent("no-marks")
    register, thresholds = add_up(period.marks), find_thresholds()
    child, dropped = describe_child(Pupil.of_register(record.parsed), settings)
    if child is None:
        return Unmappable("student", "Neither a name nor a valid pupil number is left.", dropped)
    said = [*_pattern(record, child, period, register, thresholds, settings)]
    said += _ten_days(record, child, register, thresholds, settings)
    if not said:
        return _below(record, last, register, settings)
    later = (Remark("rule-edition-later", "period"),) if period.start < thresholds.since else ()
    return _after(Events(tuple(said), (*dropped, *register.remarks, *later)), record, last, settings)


def _class(register: Register, thresholds: Thresholds) -> str:
    if register.possible < thresholds.fewest_sessions:
        return "below"  # a day's illness in a short file is no pattern
    if register.missed * 100 >= thresholds.severe_percent * register.possible:
        return "severe"
    return "persistent" if register.missed * 100 >= thresholds.persistent_percent * register.possible else "below"


def _pattern(
    record: NativeRecord,
    child: Mapping[str, Any],
    period: Marks,
    register: Register,
    thresholds: Thresholds,
    settings: Settings,
) -> list[Event]:
    kind = _class(register, thresholds)
    stop = stopped_suddenly(register.days, thresholds.stop_days, thresholds.persistent_percent)
    if kind == "below" and not stop:
        return []
    details = {
        "sessions_possible": register.possible,
        "sessions_missed": register.missed,
        "authorised": register.missed - register.unauthorised,
        "unauthorised": register.unauthorised,
        "pattern": "sudden-stop" if stop else kind,
    }
    how = "; stopped coming suddenly" if stop else f" ({kind} absence)"
    return [
        make_event(
            "absence-pattern",
            of_period(day_of(period.start), day_of(period.end)),
            details,
            child=child,
            person=record.person,
            statement="measured",
            settings=settings,
            parts={"missed": register.missed, "possible": register.possible, "how": how},
            learned=period.end,
        )
    ]


def _ten_days(
    record: NativeRecord, child: Mapping[str, Any], register: Register, thresholds: Thresholds, settings: Settings
) -> list[Event]:
    run = find_longest_unauthorised(register.days)
    if len(run) < thresholds.days_in_a_row:
        return []
    return [
        make_event(
            "absent-ten-days",
            of_period(day_of(run[0].day), day_of(run[-1].day)),
            {"days": len(run)},
            child=child,
            person=record.person,
            statement="measured",
            settings=settings,
            parts={"days": len(run)},
            learned=run[-1].day,
        )
    ]


def _below(record: NativeRecord, last: NativeRecord | None, register: Register, settings: Settings) -> Outcome:
    """Nothing to say; but marks of the same period that were corrected below the threshold take the pattern back."""
    said = _said_last(record, last, settings)
    if said and last is not None and last.parsed["period"] == record.parsed["period"]:
        return Events(take_back(record, last, "untrue", settings), register.remarks)
    return NoEvent("below-the-threshold", register.remarks)


def _after(said: Events, record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """Compared with the last version: the same figures say nothing new, others stand in place of the earlier ones.

    A period that grew (term so far, exported every week) is the same record: one pattern a term, not one a week.
    """
    earlier = _said_last(record, last, settings)
    if earlier is None or last is None:
        return said
    return stand_in_place(said, earlier, record, last, settings)


# Exclusions, leavers, deletions


def map_exclusion(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """One suspension or permanent exclusion, with up to three reason codes."""
    one = Exclusion.of(record.parsed)
    if obstacle := _obstacle(record, last, one.start):
        return obstacle
    category = WRITTEN_OUT.get(one.kind, one.kind)
    if category not in KINDS:
        odd_kind = Remark("unknown-code", "exclusion_type", _code(one.kind))
        return Unmappable("exclusion_type", "The kind of exclusion is not known.", (odd_kind,))
    child, dropped = describe_child(Pupil.of_register(record.parsed), settings)
    if child is None:
        return Unmappable("student", "Neither a name nor a valid pupil number is left.", dropped)
    reasons, odd = _reasons(one, settings)
    name = KINDS[category]
    details: dict[str, Any] = {"from": one.start, "category": category, "reasons": reasons}
    if name == "suspended":
        details |= {"until": one.end if one.end >= one.start else "", "half_days": _half_days(one.sessions)}
    event = make_event(
        name,
        _span(one) if name == "suspended" else day_of(one.start),
        details,
        child=child,
        person=record.person,
        statement="decision",
        settings=settings,
        learned=one.start,
    )
    return _after(Events((event,), (*dropped, *odd)), record, last, settings)


def _reasons(one: Exclusion, settings: Settings) -> tuple[list[str], tuple[Remark, ...]]:
    codes = get_codes("exclusion-reasons")
    remarks = [Remark("unknown-code", "exclusion_reason", _code(code)) for code in one.reasons if code not in codes]
    known = [code for code in dict.fromkeys(one.reasons) if code in codes]
    if settings.get("education", {}).get("sensitive_reasons") is not True:
        if SENSITIVE & set(known):
            remarks.append(NOT_SHARED)
        known = [code for code in known if code not in SENSITIVE]
    return known[:3], tuple(remarks)


def _code(text: str) -> str:
    """An unknown code as a remark may quote it: short and without words."""
    return text if len(text) <= 4 and text.isascii() and text.isalnum() else ""


def _half_days(sessions: str) -> int | None:
    whole = sessions.removesuffix(".0")
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) <= 3 and int(whole) <= 400 else None


def _span(one: Exclusion) -> When:
    if not one.start:
        return of_nothing()
    return of_period(day_of(one.start), day_of(one.end)) if one.end > one.start else day_of(one.start)


def map_leaver(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """A pupil who left: by permanent exclusion, or otherwise."""
    one = Leaver.of(record.parsed)
    if obstacle := _obstacle(record, last, one.leaving):
        return obstacle
    if not one.leaving:
        return Unmappable("leaving_date", "A leaver without a leaving date.")
    child, dropped = describe_child(Pupil.of_register(record.parsed), settings)
    if child is None:
        return Unmappable("student", "Neither a name nor a valid pupil number is left.", dropped)
    name = "excluded" if one.reason == "PE" else "left-roll"
    details: dict[str, Any] = {"from": one.leaving, "category": "PERM"}
    if name == "left-roll":
        details = {"left": one.leaving, "destination_known": bool(one.destination), "reason": _code(one.reason)}
        details["destination"] = one.destination[:200]
    event = make_event(
        name,
        day_of(one.leaving),
        details,
        child=child,
        person=record.person,
        statement="decision",
        settings=settings,
        parts={"destination": "The next school is named." if one.destination else "The next school is not stated."},
        learned=one.leaving,
    )
    return _after(Events((event,), dropped), record, last, settings)


def map_deletion(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """An exclusion that the school deleted is taken back; a deleted pupil may be a merge, which a person must see."""
    match record.parsed.get("of"):
        case "exclusion":
            back = take_back(record, last, "removed-at-source", settings) if last and last.parsed.get("student") else ()
            return Events(back) if back else NoEvent("nothing-to-retract")
        case "attendance":
            return NoEvent("single-mark-deleted")  # the next export of the period carries the corrected marks
        case "student" | "students-leaver" | "leaver":
            return Held("student-deleted", "deletions")
        case _:
            return NoEvent("deletion-of-no-concern")


TABLES: Mapping[str, Callable[[NativeRecord, NativeRecord | None, Settings], Outcome]] = {
    "attendance": map_attendance,
    "exclusions": map_exclusion,
    "students-leavers": map_leaver,
}
