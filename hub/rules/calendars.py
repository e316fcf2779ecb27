"""How days are counted: working days, school days, calendar days, hours and months, from a moment known as it is known.

A day counts from the day after the one on which the clock started. What is known to the day, month or period only is
taken at its latest, so that nobody is late by what nobody knows. A day that no calendar covers is not counted: then
there is no due day, rather than a wrong one. Which rule holds is not decided here.
Nothing that a source wrote makes counting fail.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from schemas.rules import get_list

LONDON = ZoneInfo("Europe/London")
DAY, MONTH = len("2024-09-09"), len("2024-09")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
LONGEST = 1_000
"""Days that are looked through at most for one due day."""


@lru_cache(maxsize=4096)
def span(when: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a month, a day or a moment can mean, London's days.

    What no calendar has, as a month of the year 0000, may mean any.
    """
    try:
        at = datetime.fromisoformat(when if len(when) >= DAY else f"{when}-01")
    except ValueError:
        return FIRST, LAST
    if len(when) > DAY:
        at = at if at.tzinfo else at.replace(tzinfo=LONDON)
        return at, at
    first = at.date()
    last = first if len(when) == DAY else first.replace(day=monthrange(first.year, first.month)[1])
    return datetime.combine(first, time.min, LONDON), datetime.combine(last, time.max, LONDON)


def day_of(at: datetime) -> date:
    """The day in London; where that would lie beyond the calendar's ends, the day as it is written."""
    try:
        return at.astimezone(LONDON).date()
    except OverflowError:
        return at.date()


@lru_cache(maxsize=4096)
def due(unit: str, limit: int, since: str) -> str:
    """The last day, or for hours the moment, that is in time; "" where there is no number, or no calendar covers it."""
    last, count = span(since)[1], COUNTED.get(unit)
    try:
        if unit == "hour":
            return (last + timedelta(hours=limit)).astimezone(UTC).isoformat(timespec="seconds")
        day = count(day_of(last), limit) if count else None
    except OverflowError:  # beyond the year 9999
        return ""
    return day.isoformat() if day else ""


def is_past(due_by: str, now: datetime) -> bool:
    """Is a due day over, or a due moment gone?"""
    return bool(due_by) and span(due_by)[1] < now


def add_days(day: date, number: int) -> date:
    """So many calendar days later."""
    return day + timedelta(days=number)


def add_months(day: date, number: int) -> date:
    """The same day so many months later, or that month's last. Errors: OverflowError beyond the year 9999."""
    years, month = divmod(day.month - 1 + number, 12)
    year = day.year + years
    if year > date.max.year:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_working_days(day: date, number: int) -> date | None:
    """So many days later that are no Saturday, Sunday or bank holiday; None beyond the list of bank holidays."""
    return _add(day, number, is_working_day)


def add_school_days(day: date, number: int) -> date | None:
    """So many days of the area's terms later; None beyond its calendar."""
    return _add(day, number, is_school_day)


def is_working_day(day: date) -> bool | None:
    """None where no list of bank holidays covers the day."""
    first, last, holidays = _bank_holidays()
    return day.weekday() < 5 and day not in holidays if first <= day <= last else None


def is_school_day(day: date) -> bool | None:
    """None where the area's school calendar does not cover the day."""
    first, last, terms = _terms()
    if not first <= day <= last:
        return None
    return bool(is_working_day(day)) and any(begins <= day <= ends for begins, ends in terms)


@lru_cache(maxsize=4096)
def _add(day: date, number: int, counts: Callable[[date], bool | None]) -> date | None:
    for _ in range(LONGEST):
        day += timedelta(days=1)
        found = counts(day)
        if found is None:
            return None
        number -= found
        if number == 0:
            return day
    return None


@cache
def _bank_holidays() -> tuple[date, date, frozenset[date]]:
    held = get_list("bank-holidays")
    days = frozenset(map(date.fromisoformat, held["days"]))
    return date.fromisoformat(held["from"]), date.fromisoformat(held["until"]), days


@cache
def _terms() -> tuple[date, date, tuple[tuple[date, date], ...]]:
    held = get_list("school-calendar")
    terms = tuple((date.fromisoformat(one["from"]), date.fromisoformat(one["until"])) for one in held["terms"])
    return date.fromisoformat(held["from"]), date.fromisoformat(held["until"]), terms


COUNTED: dict[str, Callable[[date, int], date | None]] = {
    "working-day": add_working_days, "school-day": add_school_days, "calendar-day": add_days, "month": add_months,
}  # fmt: skip
