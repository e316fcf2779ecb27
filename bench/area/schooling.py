"""At which school a child is, and from when until when. Knows no file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bench.area.feeds import SCHOOLS, School
from bench.area.people import Child

PRIMARY_YEARS, SCHOOL_YEARS = 7, 12


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A child on the roll of a school, from the entry to the leaving day."""

    school: School
    entry: date
    leaving: date
    moved: bool = False
    """Left because the family moved."""


def first_day(child: Child) -> date:
    """The first school day: in September after the fourth birthday."""
    before_september = (child.born.month, child.born.day) < (9, 1)
    return date(child.born.year + (4 if before_september else 5), 9, 3)


def enrolments(child: Child) -> list[Enrolment]:
    """Every school of the child in order: another one with the stage, and where the family moves to the other half."""
    first = first_day(child)
    found: list[Enrolment] = []
    for stage, since, until in ((0, 0, PRIMARY_YEARS), (1, PRIMARY_YEARS, SCHOOL_YEARS)):
        start, end = first.replace(year=first.year + since), date(first.year + until, 7, 20)
        for place, home in enumerate(child.homes):
            later = child.homes[place + 1].since if place + 1 < len(child.homes) else date.max
            entry, leaving = max(start, home.since), min(end, later)
            if entry >= leaving:
                continue
            school = next(one for one in SCHOOLS if one.half == home.half and one.stage == stage)
            if found and found[-1].school is school:
                found[-1] = Enrolment(school, found[-1].entry, leaving, leaving == later)
            else:
                found.append(Enrolment(school, entry, leaving, leaving == later))
    return found


def school_of(child: Child, day: date) -> School | None:
    """The school on that day, if any."""
    return next((one.school for one in enrolments(child) if one.entry <= day < one.leaving), None)


def month_end(day: date) -> date:
    """The last day of that month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
