"""What the police are called to in a family: one force exports rows, the other reports on the POLE dictionary.

Domestic abuse, vulnerable children, missing children, police protection, unborn children; later versions with a
correction, an outcome or an end, reports that are withdrawn, and records about nobody's child.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bench.area.draw import Draw
from bench.area.feeds import FORCES, Feed
from bench.area.hospital import AGAIN, again
from bench.area.people import Child, Family, Period
from bench.area.police_forms import write_report, write_rows
from bench.area.rates import get_rates
from bench.area.records import Meant, Piece, Recorded
from bench.area.schooling import school_of

CONCERNS = ("neglect", "physical-abuse", "emotional-abuse", "parents-substance-use", "self-harm", "family-in-distress")
EXPLOITED = ("sexual-exploitation", "criminal-exploitation")
ROWS_KNOW = {"neglect": "NEG", "self-harm": "SH", "sexual-exploitation": "CSE", "criminal-exploitation": "CCE"}


@dataclass(slots=True)
class Incident:
    """One incident as a force has it now. A later version is the same incident with other words."""

    feed: Feed
    kind: str
    """abuse, vulnerable, missing, protection, search, unborn."""
    ref: str
    at: datetime
    children: Sequence[Child]
    present: str = "yes"
    risk: str = "medium"
    concerns: list[str] = field(default_factory=list)
    outcome: str = ""
    closed: datetime | None = None
    recorded: datetime = datetime.min
    version: int = 1
    withdrawn: bool = False
    number: str = ""
    """What stands where an NHS number belongs."""

    @property
    def by_rows(self) -> bool:
        return self.feed is FORCES[0]

    def person(self, child: Child) -> str:
        prefix = "NM" if self.by_rows else "EM"
        return f"{prefix}{child.index:07}{'-unborn' if self.kind == 'unborn' else ''}"

    def school(self, child: Child) -> str:
        """The register number of the school that is told of domestic abuse, "" for none."""
        school = school_of(child, self.at.date())
        return school.urn if school and self.kind == "abuse" and self.by_rows else ""

    def piece(self, meant: Sequence[list[Meant]], planted: str = "") -> Piece:
        """This version in a file, with what it means for each child."""
        records = [self._record(child, one, planted) for child, one in zip(self.children, meant, strict=True)]
        body = write_rows(self) if self.by_rows else write_report(self)
        return Piece(self.feed.name, self.recorded, "rows" if self.by_rows else "reports", body, records)

    def _record(self, child: Child, meant: list[Meant], planted: str) -> Recorded:
        person = self.person(child)
        mark = hashlib.sha256("\x1f".join((self.feed.code, "child", person)).encode()).hexdigest()[:16]
        described = child.described(self.feed.name, self.at.date())
        if self.kind == "unborn":
            described = described.__class__((described.full_name[0], ""), None, frozenset(), "")
        return Recorded(f"{self.ref}#{mark}", child.id, person, meant, described, planted)


def police(family: Family, seed: int, period: Period) -> Iterator[Piece]:
    """All rows and reports of both forces about one family."""
    draw, rates = Draw(seed, "police", family.index), get_rates()
    told = _Told(family, draw, period)
    years = period.years * family.trouble
    for _ in range(draw.count(rates["domestic_abuse"] * years)):
        yield from told.abuse(draw.day(period.start, period.end))
    for _ in range(draw.count(rates["police_protection"] * years)):
        yield from told.protection(draw.day(period.start, period.end))
    for child in family.children:
        yield from told.unborn(child)
        for kind, often, since in (("vulnerable", rates["vulnerable_child"] * family.trouble, 0),
                                   ("missing", rates["missing"] * family.trouble, 10),
                                   ("search", rates["routine"], 12)):  # fmt: skip
            if span := child.lives(period, since=since):
                for _ in range(draw.count(often * (span[1] - span[0]).days / 365)):
                    yield from told.of_one(kind, child, draw.day(*span))


class _Told:
    """Incidents of one family. They are numbered, so that no two have one reference."""

    def __init__(self, family: Family, draw: Draw, period: Period) -> None:
        self.family, self.draw, self.period, self.made = family, draw, period, 0

    def abuse(self, day: date) -> Iterator[Piece]:
        one = self._begin("abuse", day, self._here(day))
        if one is None:
            return
        one.concerns, one.present, one.risk = ["domestic-abuse"], "no", self.draw.one(("standard", "medium", "high"))
        names = [_names_of_abuse(one, child) for child in one.children]
        withdrawn = not one.by_rows and self.draw.happens(get_rates()["cancelled"])
        first = one.piece([[Meant(name, day, withdrawn) for name in each] for each in names])
        yield first
        self._later(one, 5 + self.draw.below(20))
        if withdrawn:
            one.withdrawn = True
            yield one.piece([[Meant("retraction-made", day)] for _ in one.children], "retracted")
        elif self.draw.happens(get_rates()["corrected"]):
            yield self._corrected(one)
        elif self.draw.happens(0.3):
            one.outcome, one.closed = "nfa-evidential", one.recorded - timedelta(minutes=30)
            ended = one.closed.date()
            yield one.piece([[Meant("investigation-outcome", ended)] for _ in one.children])
        elif one.by_rows and self.draw.happens(get_rates()["duplicate"]):
            yield again(first, AGAIN)
        yield from self._of_an_adult(day)

    def _corrected(self, one: Incident) -> Piece:
        """The force finds out that the children heard it: in rows a fact is corrected, a report is told again."""
        one.present = "heard"
        name = "correction-made" if one.by_rows else "domestic-abuse-incident"
        return one.piece([[Meant(name, one.at.date())] for _ in one.children], "corrected")

    def protection(self, day: date) -> Iterator[Piece]:
        one = self._begin("protection", day, self._here(day)[:1])
        if one:
            one.closed = one.at + timedelta(days=2)
            one.recorded = one.closed + timedelta(hours=1)
            one.concerns = [self.draw.one(CONCERNS[:2])]
            meant = [Meant("police-protection-used", day), Meant("police-protection-ended", one.closed.date())]
            yield one.piece([meant])

    def unborn(self, child: Child) -> Iterator[Piece]:
        """A report on the mother's home that names the child who is expected; in the force of reports only."""
        day = child.born - timedelta(days=30 + self.draw.below(120))
        wanted = self.draw.happens(get_rates()["unborn_report"]) and self.period.start <= day < self.period.end
        if not wanted or child.home(day).half != 1:
            return
        one = self._begin("unborn", day, [child], crosses=False)
        if one:
            one.risk = "high"
            yield one.piece([[Meant("domestic-abuse-incident", day)]], "unborn")

    def of_one(self, kind: str, child: Child, day: date) -> Iterator[Piece]:
        one = self._begin(kind, day, [each for each in self._here(day) if each is child])
        if one is None:
            return
        if kind == "missing":
            yield from self._missing(one, day)
        elif kind == "search":
            if not one.by_rows:  # the force of rows does not export them
                yield one.piece([[]], "not-shared")
        else:
            yield self._vulnerable(one, child, day)

    def _missing(self, one: Incident, day: date) -> Iterator[Piece]:
        one.concerns = ["missing"]
        yield one.piece([[Meant("missing-reported", day)]])
        self._later(one, 1 + self.draw.below(3))
        one.outcome, one.closed = "found-safe", one.recorded - timedelta(hours=1)
        yield one.piece([[Meant("missing-ended", one.closed.date())]])

    def _vulnerable(self, one: Incident, child: Child, day: date) -> Piece:
        exploited = child.age(day) >= 11 and self.draw.happens(get_rates()["exploitation"])
        one.concerns = [self.draw.one(CONCERNS), *([self.draw.one(EXPLOITED)] if exploited else [])]
        dummy = self.draw.happens(get_rates()["dummy_number"])
        one.number = "9" * 10 if dummy else ""
        names = ["incident-attended", *(["exploitation-concern"] if exploited else [])]
        return one.piece([[Meant(name, day) for name in names]], "dummy-number" if dummy else "")

    def _of_an_adult(self, day: date) -> Iterator[Piece]:
        """A grown-up in the columns of a child: no event."""
        if not self.draw.happens(get_rates()["adult_record"] * 5):
            return
        child = self.family.children[0]
        parent = Child(
            child.index, child.family, "Magnus", child.middle, child.surnames, "M", child.born - timedelta(days=9_500),
            "", "", child.homes,
        )  # fmt: skip
        one = self._begin("missing", day, [parent])
        if one:
            one.ref += "P"
            piece = one.piece([[]], "adult")
            piece.records[0].child = ""
            yield piece

    def _begin(self, kind: str, day: date, children: list[Child], *, crosses: bool = True) -> Incident | None:
        if not children:
            return None
        self.made += 1
        half = children[0].home(day).half
        feed = FORCES[1 - half if crosses and self.draw.happens(get_rates()["crosses"]) else half]
        at = datetime.combine(day, time(8 + self.draw.below(12), self.draw.below(60)))
        ref = f"{'NMC' if feed is FORCES[0] else 'EMP'}/{day:%y}/{self.family.index:07}{self.made:02}"
        return Incident(feed, kind, ref, at, children, recorded=at + timedelta(minutes=40 + self.draw.below(60)))

    def _later(self, one: Incident, days: int) -> None:
        one.recorded += timedelta(days=days)
        one.version += 1

    def _here(self, day: date) -> list[Child]:
        return [
            child for child in self.family.children
            if child.born <= day < child.birthday(18) - timedelta(days=1) and not (child.died and child.died <= day)
            and not (child.typo_at.endswith("police") and child.age(day) >= 16)
        ]  # fmt: skip


def _names_of_abuse(one: Incident, child: Child) -> list[str]:
    return ["domestic-abuse-incident", *(["domestic-abuse-notice"] if one.school(child) else [])]
