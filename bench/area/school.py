"""What schools export of a family: transfer files, marks of those who are away much, suspensions and exclusions.

A transfer file is written when a child comes, leaves, or something about it changes; the first one says nothing new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bench.area.draw import Draw
from bench.area.people import Child, Family, Home, Period
from bench.area.rates import get_rates
from bench.area.records import Meant, Piece, Recorded
from bench.area.school_forms import Marks, write_deletion, write_exclusion, write_marks, write_pupil
from bench.area.schooling import Enrolment, enrolments, month_end

WEEKS, DAYS = 4, 20
WINDOWS = ((11, 3), (2, 24), (6, 2))
"""From the Monday on or after these days, four weeks of marks are exported, three times a school year."""
LATER = timedelta(days=33)
REASONS = ("PP", "PA", "VP", "VA", "BU", "DB", "DM", "TH")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the school's system says of a pupil at the end of a month."""

    child: Child
    enrolment: Enrolment
    day: date
    surname: str
    home: Home
    contact: bool
    in_care: bool
    plan: date | None
    left: bool

    @property
    def person(self) -> str:
        return self.child.upn or _digest(self.child.given, self.surname, self.child.born.isoformat())


def school(family: Family, seed: int, period: Period) -> Iterator[Piece]:
    """All that schools export of one family."""
    draw = Draw(seed, "school", family.index)
    for child in family.children:
        for one in enrolments(child):
            until = min(one.leaving, child.died or date.max)
            if span := period.of(one.entry, until):
                told = _Told(child, replace(one, leaving=until) if child.died else one, span, period, draw, family)
                yield from told.transfer_files()
                yield from told.exclusions()
                yield from told.attendance()


class _Told:
    """What one school says of one child while it is on the roll; `span` is that part of the period."""

    def __init__(
        self, child: Child, enrolment: Enrolment, span: tuple[date, date], period: Period, draw: Draw, family: Family
    ) -> None:
        self.child, self.enrolment, self.span, self.period = child, enrolment, span, period
        self.draw, self.family = draw, family
        self.years = (span[1] - span[0]).days / 365
        self.made = 0

    # -- transfer files

    def transfer_files(self) -> Iterator[Piece]:
        """One file at the end of each month in which something changed, compared with the one before."""
        one, span, child, rates = self.enrolment, self.span, self.child, get_rates()
        when = {
            word: self.draw.day(*span) if self.draw.happens(rates[rate] * self.years * often) else None
            for word, rate, often in (("contact", "contact_changed", 1.0), ("plan", "support_plan", 1.0),
                                      ("care", "looked_after", self.family.trouble))
        }  # fmt: skip
        leaves = one.leaving <= span[1] and one.leaving < self.period.end and child.died is None
        changes = [home.since for home in child.homes] + [since for since, _ in child.surnames]
        changes += [day for day in (*when.values(), one.leaving if leaves else None) if day]
        days = [day for day in changes if span[0] <= day <= span[1]]
        before: dict[str, Snapshot] = {}
        for month in sorted({month_end(day) for day in (span[0], *days)}):
            own = min(month, one.leaving - timedelta(days=1))  # after that the old school hears nothing
            now = Snapshot(
                child, one, month, child.surname(own), child.home(own), contact=_by(when["contact"], month),
                in_care=_by(when["care"], month), plan=when["plan"] if _by(when["plan"], month) else None,
                left=leaves and one.leaving <= month,
            )  # fmt: skip
            meant = list(_differences(now, before.get(now.person)))
            before[now.person] = now
            yield self._snapshot(now, meant)

    def _snapshot(self, now: Snapshot, meant: list[Meant]) -> Piece:
        described = replace(
            self.child.described(self.enrolment.school.name, now.day, upn=self.child.upn),
            full_name=(now.surname, self.child.given_names), postcodes=frozenset([now.home.postcode]),
        )  # fmt: skip
        planted = "" if meant else "nothing-new"
        record = Recorded(f"ctf/{now.person}", self.child.id, now.person, meant, described, planted)
        at = datetime.combine(now.day, time(8))
        return Piece(self.enrolment.school.name, at, "pupils", write_pupil(now), [record])

    # -- suspensions and exclusions

    def exclusions(self) -> Iterator[Piece]:
        rates, often = get_rates(), self.years * self.family.trouble
        for kind, name, rate in (("FIXD", "suspended", "suspension"), ("PERM", "excluded", "exclusion")):
            for _ in range(min(self.draw.count(rates[rate] * often), 1 if kind == "PERM" else 9)):
                yield from self._exclusion(kind, name, _weekday(self.draw.day(*self.span)))

    def _exclusion(self, kind: str, name: str, day: date) -> Iterator[Piece]:
        rates, child = get_rates(), self.child
        self.made += 1
        key = f"exclusion/E-{child.index:07}-{self.enrolment.school.stage}{self.enrolment.school.half}{self.made}"
        number = key.partition("/")[2]
        end, reason = day + timedelta(days=self.draw.below(4)), self.draw.one(REASONS)
        back = self.draw.happens(rates["cancelled"])
        corrected = kind == "FIXD" and self.draw.happens(rates["corrected"])
        row = write_exclusion(child, self._surname(day), child.home(day), number, kind, reason, day, end)
        yield self._piece("exclusions", day, row, key, [Meant(name, day, back)])
        if back:
            gone = day + LATER
            meant = [Meant("retraction-made", gone)]
            yield self._piece("exclusions", gone, write_deletion(number, gone), key, meant, "retracted")
        elif corrected:
            longer = end + timedelta(days=1)
            row = write_exclusion(child, self._surname(day), child.home(day), number, kind, reason, day, longer)
            meant = [Meant(name, day)]
            yield self._piece("exclusions", day + LATER, row, key, meant, "corrected", day)

    # -- marks

    def attendance(self) -> Iterator[Piece]:
        """Marks are exported of pupils who are away much or nearly so; everybody else's stay in the school."""
        rates = get_rates()
        for year in range(self.span[0].year - 1, self.span[1].year + 1):
            place = self.draw.below(10_000) / 10_000
            severe, much = rates["severe_absence"], rates["persistent_absence"]
            kind = "severe" if place < severe else "much" if place < much else "nearly"
            if place >= much + rates["nearly_absent"]:
                continue
            for month, day in WINDOWS:
                start = _monday(date(year + (month < 8), month, day))
                if self.span[0] <= start and start + timedelta(days=7 * WEEKS) <= self.span[1]:
                    yield from self._marks(kind, start)

    def _marks(self, kind: str, start: date) -> Iterator[Piece]:
        away = self._away(kind)
        end = start + timedelta(days=7 * WEEKS - 3)
        names = [] if kind == "nearly" else [("absence-pattern", start)]
        if len(away) >= 10 and set(away.values()) == {"O"}:
            names.append(("absent-ten-days", _school_day(start, min(away))))
        back = bool(names) and self.draw.happens(get_rates()["cancelled"])
        key = f"attendance/{self._person()}/{start}"
        marks = Marks(self.child, self._surname(end), self.child.home(end), start, end, away)
        meant = [Meant(name, day, back) for name, day in names]
        planted = "" if meant else "below-the-threshold"
        yield self._piece("marks", end, write_marks(marks), key, meant, planted)
        if back:
            again = replace(marks, away={}, surname=self._surname(end))
            gone = [Meant("retraction-made", None) for _ in names]
            yield self._piece("marks", end + LATER, write_marks(again), key, gone, "retracted", end)

    def _away(self, kind: str) -> dict[int, str]:
        """The school days missed, each with its code: O without leave, I ill."""
        if kind == "severe" and self.draw.happens(0.4):
            first = self.draw.below(DAYS - 15)
            return dict.fromkeys(range(first, first + 10 + self.draw.below(5)), "O")
        count = {"severe": 11, "much": 3, "nearly": 1}[kind] + (0 if kind == "nearly" else self.draw.below(6))
        found = self.draw.apart(DAYS, count)
        return {day: "IO"[place % 2] for place, day in enumerate(sorted(found))}

    # -- what all have in common

    def _person(self) -> str:
        return self.child.upn or _digest("student", f"A{self.child.index}")

    def _surname(self, day: date) -> str:
        return self.child.surname(day)

    def _piece(
        self, form: str, day: date, body: object, key: str, meant: list[Meant], planted: str = "",
        of: date | None = None,
    ) -> Piece:  # fmt: skip
        described = self.child.described(self.enrolment.school.name, of or day, upn=self.child.upn)
        record = Recorded(key, self.child.id, self._person(), meant, described, planted)
        return Piece(self.enrolment.school.name, datetime.combine(day, time(16)), form, body, [record])


def _differences(now: Snapshot, before: Snapshot | None) -> Iterator[Meant]:
    """What a file says that the one before did not, in the order of the school's systems."""
    if now.left and not (before and before.left):
        yield Meant("left-roll", now.enrolment.leaving)
    if before and now.contact != before.contact:
        yield Meant("household-changed", None)
    if before and now.surname != before.surname:
        yield Meant("name-changed", None)
    if before and now.home != before.home:
        yield Meant("address-changed", None)
    if now.in_care and not (before and before.in_care):
        yield Meant("looked-after-noted", None)
    if now.plan and not (before and before.plan):
        yield Meant("support-plan-noted", now.plan)


def _by(day: date | None, month: date) -> bool:
    return day is not None and day <= month


def _digest(*parts: str) -> str:
    """What the school's adapter calls a pupil without a number."""
    return "local-" + hashlib.sha256("\x1f".join(part.casefold() for part in parts).encode()).hexdigest()[:24]


def _weekday(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


def _monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def _school_day(start: date, nth: int) -> date:
    return start + timedelta(days=nth + 2 * (nth // 5))
