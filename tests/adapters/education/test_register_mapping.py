"""Register exports: marks added up, thresholds, exclusions, what is taken back. Rows come as JSON."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from adapters.education.mapping.marks import add_up
from adapters.education.record.assembly import Mark
from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable, Unreadable
from schemas.catalogue import get_codes

HERE, ILL, AWAY, SHUT = "/ \\", "I I", "O O", "# #"


def school_days(*marks):
    """Marks of school days in a row from Monday 6 January 2025, weekends left out."""
    days = (date(2025, 1, 6) + timedelta(days=n) for n in range(3 * len(marks) + 3))
    return [(day.isoformat(), text) for day, text in zip((d for d in days if d.weekday() < 5), marks, strict=False)]


def said(end):
    return [event.name for event in end.events] if isinstance(end, Events) else end.reason


PATTERNS = {
    # marks of days in a row: events, pattern
    "always there": ([HERE] * 20, "below-the-threshold", ""),
    "one session in ten": ([HERE] * 18 + [ILL] * 2, ["absence-pattern"], "persistent"),
    "just under one in ten": ([HERE] * 18 + [ILL, "/ I"], "below-the-threshold", ""),
    "half": ([HERE, AWAY] * 10, ["absence-pattern"], "severe"),
    "ill on one day of two": ([ILL, HERE], "below-the-threshold", ""),
    "a week away at the end": ([HERE] * 12 + [AWAY] * 5, ["absence-pattern"], "sudden-stop"),
    "a week away and back": ([HERE] * 12 + [AWAY] * 5 + [HERE], ["absence-pattern"], "persistent"),
    "a week away after a bad start": ([HERE, AWAY] * 3 + [AWAY] * 5, ["absence-pattern"], "severe"),
    "ten days without leave": ([HERE] * 10 + [AWAY] * 10, ["absence-pattern", "absent-ten-days"], "sudden-stop"),
    "nine days without leave": ([HERE] * 10 + [AWAY] * 9, ["absence-pattern"], "sudden-stop"),
    "ten days ill": ([HERE] * 10 + [ILL] * 10, ["absence-pattern"], "sudden-stop"),
    "ten days with a closed one between": (
        [HERE] * 10 + [AWAY] * 6 + [SHUT] + [AWAY] * 4,
        ["absence-pattern", "absent-ten-days"],
        "sudden-stop",
    ),
    "ten days with an hour there between": (
        [HERE] * 10 + [AWAY] * 6 + ["/ O"] + [AWAY] * 4,
        ["absence-pattern"],
        "severe",
    ),
    "a stop so late that it is less than one in ten": ([HERE] * 60 + [ILL] * 5, ["absence-pattern"], "sudden-stop"),
    "in custody": ([HERE] * 15 + ["Y5 Y5"] * 10, "below-the-threshold", ""),
    "not yet on roll": (["Z Z"] * 10 + [HERE] * 10, "below-the-threshold", ""),
    "unknown codes": ([HERE] * 10 + ["@ @"] * 10, "below-the-threshold", ""),
}


@pytest.mark.parametrize("row", PATTERNS.values(), ids=PATTERNS)
def test_these_marks_say_exactly_this(take, completed, register, row):
    marks, expected, pattern = row
    ((record, end),) = take([("a.json", register(school_days(*marks)))])
    assert said(end) == expected
    if pattern:
        assert completed(record, end.events[0], end)["details"]["pattern"] == pattern


def test_every_code_of_the_list_counts_as_the_list_says():
    for code, entry in get_codes("attendance").items():
        register = add_up([Mark("2025-01-06", "AM", code)])
        counts = (register.possible, register.missed, register.unauthorised)
        expected = {"present": (1, 0, 0), "authorised": (1, 1, 0), "unauthorised": (1, 1, 1)}
        assert counts == expected.get(entry["counts_as"], (0, 0, 0)), code


@pytest.mark.parametrize("code", ["H", "J", "Y"])
def test_codes_of_the_old_regulations_are_mapped_with_a_remark(code):
    assert [remark.code for remark in add_up([Mark("2025-01-06", "AM", code)]).remarks] == ["old-code"]
    assert add_up([Mark("2024-07-01", "AM", code)]).remarks == ()


def test_an_unknown_code_counts_as_nothing_and_is_remarked():
    register = add_up([Mark("2025-01-06", "AM", "@"), Mark("2025-01-06", "PM", "gone to her aunt")])
    assert register.possible == 0
    assert [(remark.code, remark.note) for remark in register.remarks] == [("unknown-code", "@"), ("unknown-code", "")]


def test_a_session_marked_twice_counts_once_by_its_later_row():
    register = add_up([Mark("2025-01-06", "AM", "N"), Mark("2025-01-06", "AM", "/")])
    assert (register.possible, register.missed) == (1, 0)
    assert [remark.code for remark in register.remarks] == ["two-marks"]


def test_custody_is_never_told(take, completed, register):
    marks = school_days(*[HERE] * 10, *[AWAY] * 5, *["Y5 Y5"] * 5)
    ((record, end),) = take([("a.json", register(marks))])
    assert "Y5" not in json.dumps([completed(record, event, end) for event in end.events])


def test_the_same_period_with_other_figures_replaces_the_pattern(take, register):
    first, second = [HERE] * 10 + [ILL] * 4, [HERE] * 9 + [ILL] * 5
    (_, one), (record, two) = take(
        [(f"{n}.json", register(school_days(*marks))) for n, marks in enumerate((first, second))]
    )
    assert one.events[0].about is None
    assert (two.events[0].about, two.events[0].as_) == ((record.key, "absence-pattern"), "replaces")
    assert two.events[0].data["change"] == "replaces"


def test_corrected_marks_below_the_threshold_take_the_pattern_back(take, completed, register):
    first, second = [HERE] * 10 + [AWAY] * 10, [HERE] * 20
    _, (record, end) = take([(f"{n}.json", register(school_days(*marks))) for n, marks in enumerate((first, second))])
    assert [event.about for event in end.events] == [(record.key, "*")]
    assert {event.as_ for event in end.events} == {"retracts"}
    data = completed(record, end.events[0], end)
    assert (data["event"], data["details"]) == ("retraction-made", {"reason": "untrue"})


def test_a_longer_period_replaces_the_pattern_and_a_better_one_takes_nothing_back(take, register):
    first, longer, better = [HERE] * 16 + [ILL] * 4, [HERE] * 16 + [ILL] * 6, [HERE] * 16 + [ILL] * 6 + [HERE] * 50
    files = [(f"{n}.json", register(school_days(*marks))) for n, marks in enumerate((first, longer, better))]
    (record, _), (_, second), (_, third) = take(files)
    assert (said(second), second.events[0].about) == (["absence-pattern"], (record.key, "absence-pattern"))
    assert said(third) == "below-the-threshold"


def test_the_same_marks_again_say_nothing_new(take, register):
    marks = [HERE] * 16 + [ILL] * 4
    again = register(school_days(*marks), meta={"pagination": {"next": None}})
    ends = take([("a.json", register(school_days(*marks))), ("b.json", again)])
    assert said(ends[-1][1]) == "nothing-new-to-report"


def test_a_student_who_is_not_in_the_file_is_unmappable(take, register):
    ((_, end),) = take([("a.json", register(school_days(*[AWAY] * 12), students=[]))])
    assert isinstance(end, Unmappable)
    assert end.field == "student"


def test_an_adult_pupil_is_not_reported(take, register):
    student = {"id": 7, "first_name": "Caspian", "last_name": "Fernsby", "dob": "2006-11-30"}
    ((_, end),) = take([("a.json", register(school_days(*[AWAY] * 12), students=[student]))])
    assert end == NoEvent("adult")


def test_code_ids_are_resolved_through_the_attendance_codes(samples, take):
    file = samples / "ordinary" / "wonde-2025-01-06-2025-01-31.json"
    ends = {record.key: (record, end) for record, end in take([file])}
    record, end = ends["attendance/U997401019011/2025-01-06"]
    assert said(end) == ["absence-pattern", "absent-ten-days"]
    assert record.format_version == "wonde"
    record, end = ends["attendance/H997401019012/2025-01-06"]
    assert [remark.code for remark in record.remarks] == ["code-unresolved"]
    assert record.parsed["student"]["birth_date"] == "2010-08-21"  # midnight in London, written in UTC


def exclusion(**fields):
    return {"id": "E1", "student_id": 7, "exclusion_type": "FIXD", "start_date": "2025-01-13"} | fields


@pytest.mark.parametrize(
    ("fields", "name", "details"),
    [
        ({"exclusion_type": "PERM"}, "excluded", {"from": "2025-01-13", "category": "PERM"}),
        ({"exclusion_type": "SUSP"}, "suspended", {"from": "2025-01-13", "category": "SUSP"}),
        ({"exclusion_type": "LNCH"}, "suspended", {"from": "2025-01-13", "category": "LNCH"}),
        ({"exclusion_type": "Permanent"}, "excluded", {"from": "2025-01-13", "category": "PERM"}),
        (
            {"end_date": "2025-01-15", "sessions": 6.0, "exclusion_reason": "PP", "exclusion_reason_2": "VA"},
            "suspended",
            {
                "from": "2025-01-13",
                "until": "2025-01-15",
                "half_days": 6,
                "category": "FIXD",
                "reasons": ["PP", "VA"],
            },
        ),
        ({"end_date": "2025-01-10"}, "suspended", {"from": "2025-01-13", "category": "FIXD"}),
        ({"exclusion_length": "4.5"}, "suspended", {"from": "2025-01-13", "category": "FIXD"}),
    ],
)
def test_an_exclusion_says_exactly_this(take, completed, register, fields, name, details):
    ((record, end),) = take([("a.json", register(exclusions=[exclusion(**fields)]))])
    assert said(end) == [name]
    assert completed(record, end.events[0], end)["details"] == details


@pytest.mark.parametrize(
    ("setting", "shared"), [(None, ["PP"]), (False, ["PP"]), ("yes", ["PP"]), (True, ["SM", "PP"])]
)
def test_a_sensitive_reason_stays_unless_the_school_lets_it_go(take, register, settings, setting, shared):
    settings["education"] = {} if setting is None else {"sensitive_reasons": setting}
    row = exclusion(exclusion_reason="SM", exclusion_reason_2="PP")
    ((_, end),) = take([("a.json", register(exclusions=[row]))], settings)
    assert end.events[0].data["details"]["reasons"] == shared
    assert ("reason-not-shared" in {remark.code for remark in end.remarks}) is (setting is not True)


def test_a_reason_in_words_is_left_out_with_a_remark_that_does_not_repeat_it(take, register):
    row = exclusion(exclusion_reason="Hit another pupil", comments="He said that")
    ((_, end),) = take([("a.json", register(exclusions=[row]))])
    assert "HIT" not in str(end).upper()
    assert [remark.code for remark in end.remarks] == ["unknown-code"]


def test_an_unknown_kind_of_exclusion_is_kept_for_a_person(take, register):
    ((_, end),) = take([("a.json", register(exclusions=[exclusion(exclusion_type="WARN")]))])
    assert isinstance(end, Unmappable)


def test_a_changed_exclusion_replaces_and_the_same_says_nothing(take, register):
    files = [exclusion(), exclusion(comments="seen"), exclusion(end_date="2025-01-15")]
    ends = take([(f"{n}.json", register(exclusions=[row])) for n, row in enumerate(files)])
    assert [said(end) for _, end in ends] == [["suspended"], "nothing-new-to-report", ["suspended"]]
    assert ends[-1][1].events[0].as_ == "replaces"


def test_a_deleted_exclusion_is_taken_back_for_the_child_it_was_about(take, completed, register):
    gone = json.dumps({"data": [{"id": "E1", "type": "exclusions", "deleted_at": "2025-02-03"}]}).encode()
    _, (record, end) = take([("a.json", register(exclusions=[exclusion()])), ("b.json", gone)])
    data = completed(record, end.events[0], end)
    assert data["details"] == {"reason": "removed-at-source"}
    assert data["change"] == "retracts"
    assert data["happened"]["from"] == "2025-02-03"
    assert data["child"]["identifiers"][0]["value"] == "U999200118001"
    assert end.events[0].person == "U999200118001"
    assert end.events[0].about == ("exclusion/E1", "*")


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("exclusion", NoEvent("nothing-to-retract")),
        ("attendance", NoEvent("single-mark-deleted")),
        ("students", Held("student-deleted", "deletions")),
        ("behaviours", NoEvent("deletion-of-no-concern")),
    ],
)
def test_other_deletions_retract_nothing(take, kind, end):
    raw = json.dumps({"data": [{"id": "X9", "type": kind, "deleted_at": "2025-02-03"}]}).encode()
    assert take([("a.json", raw)])[-1][1] == end


@pytest.mark.parametrize(("reason", "name"), [("PE", "excluded"), ("", "left-roll")])
def test_a_leaver_left_the_roll_or_was_excluded(take, completed, reason, name):
    row = {"id": 7, "upn": "U999200118001", "leaving_date": "2025-01-31", "leaving_reason": reason}
    raw = json.dumps({"students-leavers": {"data": [row]}}).encode()
    ((record, end),) = take([("a.json", raw)])
    assert said(end) == [name]
    completed(record, end.events[0], end)


def test_another_person_under_the_same_number_is_held(take, register):
    other = {"id": 7, "upn": "U999200118001", "first_name": "Isadora", "last_name": "Vetchling", "dob": "2012-06-18"}
    marks = school_days(*[HERE] * 10, *[AWAY] * 5)
    ends = take([("a.json", register(marks)), ("b.json", register(marks, students=[other]))])
    assert ends[-1][1] == Held("two-people-under-one-number", "UPN")


def test_rows_of_no_table_are_named_one_by_one(samples, read):
    found = read((samples / "bad" / "rows-of-no-table.json").read_bytes())
    assert found == [
        Unreadable("row-form", "data 1"),
        Unreadable("row-form", "data 2"),
        Unreadable("row-without-id", "data 3"),
    ]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"data": [], "data": []}', "json-duplicate-name"),
        (b'{"data": [}', "json-form"),
        (b'{"data": ' + b"[" * 500 + b"]" * 500 + b"}", "json-too-deep"),
        (b'{"data": [' + b"0," * 600_000 + b"0]}", "json-too-many-values"),
        (b'{"data": ["' + b"x" * 11_000_000 + b'"]}', "too-large"),
    ],
)
def test_json_beyond_the_limits_is_one_unreadable(read, raw, reason):
    assert read(raw, "a.json") == [Unreadable(reason)]


def test_the_digest_covers_the_students_own_rows(read, register):
    marks = school_days(HERE, AWAY)
    other = {"student_id": 8, "session_date": "2025-01-06", "session_name": "AM", "attendance_mark": "/"}
    rows = json.loads(register(marks))["attendance"]
    alone, beside = read(register(marks), "a.json")[0], read(register(attendance=[*rows, other]), "b.json")[0]
    assert alone.raw == beside.raw
    assert b"comment" not in json.dumps(alone.parsed).encode()
