"""Times as they were given: never a day, an hour or a zone that the source did not state."""

from datetime import date, datetime

import pytest

from adapters.kit.when import of_clock, of_day, of_month, of_nothing, of_period, read_iso


def test_a_time_without_a_zone_is_london_time():
    assert of_clock(datetime(2024, 7, 1, 10, 0)).happened == {
        "from": "2024-07-01T10:00:00+01:00",
        "precision": "instant",
        "zone": "assumed-london",
    }
    assert of_clock(datetime(2024, 1, 1, 10, 0)).happened["from"] == "2024-01-01T10:00:00Z"


def test_of_the_hour_that_comes_twice_the_earlier_is_taken_with_a_remark():
    when = of_clock(datetime(2024, 10, 27, 1, 30), "row 3")
    assert when.happened["from"] == "2024-10-27T01:30:00+01:00"
    assert [(remark.code, remark.field) for remark in when.remarks] == [("time-ambiguous", "row 3")]


def test_the_hour_that_never_was_is_remarked():
    when = of_clock(datetime(2024, 3, 31, 1, 30))
    assert when.happened["from"] == "2024-03-31T01:30:00Z"
    assert [remark.code for remark in when.remarks] == ["time-nonexistent"]


@pytest.mark.parametrize(
    ("text", "happened"),
    [
        ("2024-10-03", {"from": "2024-10-03", "precision": "day", "zone": "none"}),
        ("2024-10", {"from": "2024-10", "precision": "month", "zone": "none"}),
        ("2024", {"from": "2024-01-01", "to": "2024-12-31", "precision": "period", "zone": "none"}),
        ("", {"precision": "unknown", "zone": "none"}),
        ("2024-10-03T08:00Z", {"from": "2024-10-03T08:00:00Z", "precision": "instant", "zone": "source"}),
        ("2024-10-03 08:00:05+0130", {"from": "2024-10-03T08:00:05+01:30", "precision": "instant", "zone": "source"}),
        ("2024-10-03T08:00:05.5Z", {"from": "2024-10-03T08:00:05.500000Z", "precision": "instant", "zone": "source"}),
        (
            "2024-10-03T08:00:05.1234567-03:00",
            {"from": "2024-10-03T08:00:05.123456-03:00", "precision": "instant", "zone": "source"},
        ),
    ],
)
def test_the_precision_is_the_one_that_was_given(text, happened):
    assert read_iso(text).happened == happened
    assert read_iso(text).remarks == ()


def test_an_impossible_offset_leaves_the_clock_time_as_london_time():
    when = read_iso("2017-05-01T10:00:00+58:00", "timestamp")
    assert when.happened == {"from": "2017-05-01T10:00:00+01:00", "precision": "instant", "zone": "assumed-london"}
    assert [remark.code for remark in when.remarks] == ["zone-invalid"]


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-13", "yesterday", "0000-01-01", "2024-10-03T25:00", "２０２４-10-03"]
)
def test_what_cannot_be_a_time_is_unknown_with_a_remark(text):
    when = read_iso(text, "when")
    assert when.happened == {"precision": "unknown", "zone": "none"}
    assert [remark.code for remark in when.remarks] == ["date-invalid"]


def test_a_period_keeps_both_ends_as_they_are_and_may_still_be_open():
    start, end = of_month(2025, 9), of_day(date(2025, 10, 2))
    assert of_period(start, end).happened == {
        "from": "2025-09",
        "to": "2025-10-02",
        "precision": "period",
        "zone": "none",
    }
    assert "to" not in of_period(start).happened
    assert of_period(of_nothing()).happened["precision"] == "unknown"


def test_only_instants_and_days_can_be_when_something_was_learned():
    assert of_day(date(2024, 10, 3)).first == "2024-10-03"
    assert of_day(date(2024, 10, 3)).instant is None
    assert of_month(2024, 10).first is None
