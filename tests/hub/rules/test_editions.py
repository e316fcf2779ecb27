"""Rules with dates: which edition holds where and when, how its days are counted, and what a broken file is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.rules import editions
from hub.rules.calendars import add_months, day_of, due, is_past, is_working_day, span
from hub.rules.editions import BrokenRule, NoEdition, find_edition, get_edition, get_rule, names
from hub.rules.loading import OverlappingEditions, check_rule

AREA, OTHER = "E99000001", "E99000002"
OLD: dict[str, Any] = {
    "edition": "old", "status": "in-force", "area": "*", "from": "2010-04-01", "until": "2013-04-15",
    "kind": "statutory-guidance", "clock_starts_at": "referral-made", "unit": "working-day", "limit": 7,
    "source": "Guidance 2010", "paragraph": "1.2",
}  # fmt: skip
NEW = {**OLD, "edition": "new", "from": "2013-04-15", "until": "2099-01-01", "limit": 45}
PILOT = {
    **OLD, "edition": "pilot", "status": "suspended", "area": AREA, "from": "2011-03-01", "until": "2013-04-15",
}  # fmt: skip
LOCAL = {**NEW, "edition": "local", "area": AREA, "from": "2020-01-01", "kind": "local", "limit": 30}
DRAFT = {**NEW, "edition": "draft", "status": "draft", "from": "2012-06-12"}


def written(*several: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"id": "assessment", "title": "Assessed in time", "editions": several, **more}).encode()


@pytest.fixture
def assessment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    rule = check_rule(written(DRAFT, OLD, NEW, PILOT, LOCAL))
    monkeypatch.setattr(editions, "get_rule", lambda name: rule)
    find_edition.cache_clear()
    yield
    find_edition.cache_clear()


def held(on: str, area: str = OTHER) -> str:
    found = find_edition("assessment", date.fromisoformat(on), area)
    return found.edition if found else ""


# -- which edition


@pytest.mark.usefixtures("assessment")
def test_the_edition_in_force_on_the_day_holds_and_a_superseded_one_only_for_its_own_days() -> None:
    assert [held("2013-04-14"), held("2013-04-15"), held("2010-03-31"), held("2099-01-01")] == ["old", "new", "", ""]


@pytest.mark.usefixtures("assessment")
def test_a_draft_never_holds() -> None:
    assert held("2012-12-01") == "old"


@pytest.mark.usefixtures("assessment")
def test_a_local_edition_goes_before_the_one_for_everywhere_and_only_in_its_area() -> None:
    assert [held("2024-09-09", AREA), held("2024-09-09", OTHER), held("2019-12-31", AREA)] == ["local", "new", "new"]


@pytest.mark.usefixtures("assessment")
def test_where_an_area_has_suspended_a_rule_none_holds_there_and_elsewhere_it_does() -> None:
    assert [held("2012-12-01", AREA), held("2012-12-01", OTHER), held("2013-04-15", AREA)] == ["", "old", "new"]
    with pytest.raises(NoEdition):
        get_edition("assessment", date(2012, 12, 1), AREA)


def test_every_rule_of_the_hub_can_be_read_and_names_its_source() -> None:
    editions.check_all()
    for name in names():
        for one in get_rule(name)["editions"]:
            assert one["source"], name
            assert one["paragraph"], name


# -- broken files


@pytest.mark.parametrize(
    "several",
    [
        (OLD, {**NEW, "from": "2013-04-14"}),
        ({**NEW, "until": "2098-01-01"}, {**NEW, "edition": "later", "from": "2097-12-31"}),
        ({name: text for name, text in OLD.items() if name != "until"}, NEW),
        (LOCAL, {**PILOT, "from": "2024-01-01", "until": "2025-01-01"}),
    ],
    ids=["by a day", "at the end", "never ends", "suspended while in force"],
)
def test_editions_of_one_rule_and_area_that_overlap_are_refused_by_name(several: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(OverlappingEditions, match=r"overlap from .*OverlappingEditions"):
        check_rule(written(*several))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "valid"}, "status is none of"),
        ({"kind": "habit"}, "kind is none of"),
        ({"area": "Harrowmere"}, "area is neither"),
        ({"from": "2010-02-30"}, "from is no day"),
        ({"until": "soon"}, "until is no day"),
        ({"until": "2010-04-01"}, "ends before"),
        ({"unit": "fortnight"}, "unit and limit"),
        ({"limit": None}, "unit and limit"),
        ({"limit": 0}, "whole number"),
        ({"limit": True}, "whole number"),
        ({"source": ""}, "source is missing"),
        ({"untill": "2013-04-15"}, "a member that nobody reads, nearly until: 'untill'"),
        ({"Area": "*"}, "nearly area"),
        ({"paragraphs": "1"}, "nearly paragraph"),
    ],
)
def test_a_broken_edition_is_refused_and_told_why(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BrokenRule, match=said):
        check_rule(written({**OLD, **change}))


def test_a_rule_may_say_more_in_members_of_its_own() -> None:
    assert check_rule(written({**OLD, "searches_a_day": 20, "national_systems": [], "rules": {}}))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b'{"id": "a", "id": "b", "title": "", "editions": []}', written(), written(OLD, id="Other Name"),
        written(OLD, more=1), written(OLD, {**OLD, "from": "2013-04-15", "until": "2014-01-01"}), written("edition"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_file_that_is_no_rule_is_refused(raw: bytes) -> None:
    with pytest.raises(BrokenRule):
        check_rule(raw)


# -- how days are counted


@pytest.mark.parametrize(
    ("unit", "limit", "since", "last"),
    [
        ("working-day", 1, "2025-12-24T09:00:00Z", "2025-12-29"),
        ("working-day", 1, "2026-02-13T10:20:00Z", "2026-02-16"),
        ("working-day", 15, "2026-02-13T13:00:00Z", "2026-03-06"),
        ("working-day", 1, "2025-06-10T23:30:00Z", "2025-06-12"),
        ("school-day", 5, "2025-06-03T15:45:00Z", "2025-06-10"),
        ("school-day", 5, "2025-07-21", "2025-09-05"),
        ("calendar-day", 42, "2026-02-13", "2026-03-27"),
        ("month", 3, "2024-11-30", "2025-02-28"),
        ("month", 6, "2026-08-31", "2027-02-28"),
        ("month", 3, "2026-02", "2026-05-28"),
        ("hour", 72, "2026-02-13T10:00:00Z", "2026-02-16T10:00:00+00:00"),
        ("hour", 1, "2026-07-01", "2026-07-01T23:59:59+00:00"),
        ("", 0, "2026-02-13", ""),
    ],
)  # fmt: skip
def test_a_due_day_is_counted_from_the_day_after_and_from_the_latest_that_is_known(
    unit: str, limit: int, since: str, last: str
) -> None:
    assert due(unit, limit, since) == last


def test_where_no_calendar_covers_a_day_there_is_no_due_day_rather_than_a_wrong_one() -> None:
    assert due("working-day", 15, "2027-12-30") == ""
    assert due("working-day", 1, "2019-05-01") == ""
    assert due("school-day", 5, "2026-07-17") == ""
    assert is_working_day(date(2019, 5, 1)) is None


AT_THE_ENDS = [
    "0000-05", "0000-05-01", "0000-05-01T00:00:00Z", "0001-01", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12",
    "9999-12-31", "9999-12-31T23:59:59-14:00",
]  # fmt: skip


@pytest.mark.parametrize("when", AT_THE_ENDS)
@pytest.mark.parametrize("unit", ["hour", "working-day", "school-day", "calendar-day", "month", ""])
def test_a_date_at_or_beyond_the_ends_of_the_calendar_is_counted_without_error(when: str, unit: str) -> None:
    first, last = span(when)
    assert first <= last
    assert day_of(first) <= day_of(last)
    is_past(due(unit, 72, when), last)


def test_where_the_calendar_ends_before_the_due_day_there_is_none_and_no_month_means_any_moment() -> None:
    assert due("month", 1, "9999-12") == due("calendar-day", 1, "9999-12-31") == due("hour", 1, "9999-12-31") == ""
    assert span("9999-12")[1].date() == date(9999, 12, 31)
    assert span("0000-05") == (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def test_a_due_day_is_past_when_it_is_over_in_london() -> None:
    assert not is_past("2025-06-10", datetime(2025, 6, 10, 22, 59, tzinfo=UTC))
    assert is_past("2025-06-10", datetime(2025, 6, 10, 23, 0, tzinfo=UTC))
    assert not is_past("", datetime(2025, 6, 10, tzinfo=UTC))


def test_a_month_that_is_known_means_all_its_days() -> None:
    first, last = span("2024-02")
    assert (first.date(), last.date()) == (date(2024, 2, 1), date(2024, 2, 29))
    assert add_months(date(2025, 12, 31), 2) == date(2026, 2, 28)
