"""Families of the invented area: who their children are, where they live and when, and whose particulars go wrong.

A family is made from the seed and its place alone; nothing is remembered between families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bench.area.draw import Draw
from bench.area.naming import GIVEN, TOWNS, address, nhs_number, surname, upn
from bench.area.rates import get_rates
from bench.area.records import Described

YEAR = timedelta(days=365)
OLDEST = timedelta(days=int(17.5 * 365))
UNBORN = timedelta(days=170)
"""So long after the end a child may be expected who is known already."""
EVERY = 211
"""In families of this distance a namesake lives next door to the family before; see `namesake` in the rates."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to before the last."""

    start: date
    end: date

    @property
    def years(self) -> float:
        return (self.end - self.start).days / 365

    def of(self, since: date, until: date) -> tuple[date, date] | None:
        """The part of this period between two days, None where there is none."""
        start, end = max(self.start, since), min(self.end, until)
        return (start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Home:
    """Where a family lives from a day on; `half` of the area."""

    since: date
    line: str
    postcode: str
    half: int

    @property
    def town(self) -> str:
        return TOWNS[self.half]


@dataclass(slots=True)
class Child:
    """An invented child. Numbers are "" where nobody has one for it."""

    index: int
    family: int
    given: str
    middle: str
    surnames: list[tuple[date, str]]
    """From which day on each surname holds."""
    sex: str
    born: date
    nhs: str
    upn: str
    homes: list[Home]
    doubts: set[str] = field(default_factory=set)
    typo_at: str = ""
    """The feed that has another birth date."""
    written_born: date | None = None
    number_of_at: tuple[str, str] = ("", "")
    """(feed, the number of a brother or sister under which that feed keeps the child)."""
    died: date | None = None

    @property
    def id(self) -> str:
        return f"c{self.index:07}"

    @property
    def given_names(self) -> str:
        return f"{self.given} {self.middle}"

    def surname(self, day: date) -> str:
        return [name for since, name in self.surnames if since <= day or since == date.min][-1]

    def home(self, day: date) -> Home:
        return ([one for one in self.homes if one.since <= day] or self.homes[:1])[-1]

    def birthday(self, years: int) -> date:
        """The day on which the child is so old."""
        return self.born.replace(year=self.born.year + years, day=min(self.born.day, 28))

    def age(self, day: date) -> int:
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    def lives(self, period: Period, *, since: int = 0, until: int = 18) -> tuple[date, date] | None:
        """The part of the period in which the child is from `since` years to before `until` years old."""
        last = self.birthday(until) - timedelta(days=1)
        return period.of(self.birthday(since), min(last, self.died) if self.died else last)

    def born_as(self, feed: str) -> date:
        """The birth date that this feed has."""
        return self.written_born if self.written_born and feed == self.typo_at else self.born

    def nhs_at(self, feed: str) -> str:
        """The NHS number that this feed has."""
        return self.number_of_at[1] if feed == self.number_of_at[0] else self.nhs

    def described(self, feed: str, day: date, *, nhs: str = "", upn: str = "", since: date | None = None) -> Described:
        """As a record of this feed and day says who the child is; with `since` also the home before that day."""
        numbers = frozenset((kind, value) for kind, value in (("nhs", nhs), ("upn", upn)) if value)
        homes = {self.home(day).postcode} | ({self.home(since).postcode} if since else set())
        full = self.surname(day), self.given_names
        return Described(full, self.born_as(feed), frozenset(homes), self.sex, numbers)


@dataclass(slots=True)
class Family:
    """The children of one household, and how much happens to them: `trouble` multiplies some rates."""

    index: int
    children: list[Child]
    trouble: float


def make_families(count: int, seed: int, period: Period) -> Iterator[Family]:
    """Families until there are so many children."""
    index = made = 0
    while made < count:
        family = make_family(index, made, seed, period)
        del family.children[count - made :]
        if family.children:
            yield family
        made += len(family.children)
        index += 1


def make_family(index: int, first: int, seed: int, period: Period) -> Family:
    """One family whose eldest child has the number `first`."""
    namesake = is_namesake(index)
    draw, own = Draw(seed, "family", index - namesake), Draw(seed, "home", index)
    family_name, middle = surname(index - namesake)
    births, twins = _births(draw, period)
    homes = _homes(own, period)
    children = [
        Child(
            first + place, index, "", middle, [(date.min, family_name)], "FM"[draw.below(2)], born,
            nhs_number(first + place, seed), "", homes,
        )
        for place, born in enumerate(births)
    ]  # fmt: skip
    for sex, names in GIVEN.items():
        same = [child for child in children if child.sex == sex]
        for child, place in zip(same, draw.apart(len(names), len(same)), strict=True):
            child.given = names[place]
    if namesake or is_namesake(index + 1):
        children = children[:1]
        children[0].doubts.add("namesake")
    elif twins:
        for child in children[:2]:
            child.doubts.add("twin")
    for child in children:
        _particulars(child, children, own, seed, period)
    return Family(index, children, (0.4, 0.4, 0.4, 1.6, 5.0)[_class(own)])


def is_namesake(index: int) -> bool:
    """Does the only child of this family bear the names and the birth date of the family before?"""
    return index % EVERY == 100 and Draw("namesake", index).happens(get_rates()["namesake"] * EVERY)


def _class(draw: Draw) -> int:
    """Of a hundred families 70 are quiet, 25 are not, and with 5 there is trouble all the time."""
    place = draw.below(100)
    return 0 if place < 70 else 3 if place < 95 else 4


def _births(draw: Draw, period: Period) -> tuple[list[date], bool]:
    rates, last = get_rates(), period.end + UNBORN
    part, twins = draw.below(10_000) / 10_000, draw.happens(rates["twins"])
    one = rates["families_of_one"]
    count = 1 if part < one else 2 if part < one + rates["families_of_two"] else 3 + draw.happens(0.2)
    born = draw.day(period.start - OLDEST, last)
    births = [born, born] if twins else [born]
    while len(births) < count:
        born += timedelta(days=400 + draw.below(1400))
        if born >= last:
            break
        births.append(born)
    return births, twins


def _homes(draw: Draw, period: Period) -> list[Home]:
    half = draw.below(2)
    homes = [Home(date.min, *address(draw, half), half)]
    if draw.happens(get_rates()["move"] * period.years):
        half = 1 - half if draw.happens(0.3) else half
        homes.append(Home(draw.day(period.start, period.end), *address(draw, half), half))
    return homes


def _particulars(child: Child, children: list[Child], draw: Draw, seed: int, period: Period) -> None:
    """What is missing or wrong about the child in the agencies' systems, and whether its name changes."""
    rates = get_rates()
    child.upn = "" if draw.happens(rates["no_upn"]) else upn(child.index, seed)
    if draw.happens(rates["changed_surname"] * period.years) and (span := child.lives(period, since=1)):
        child.surnames.append((draw.day(*span), surname(child.family + 5_000_011)[0]))
    if draw.happens(rates["death"] * period.years) and (span := child.lives(period)):
        child.died = draw.day(*span)
    if draw.happens(rates["birth_date_typo"]):
        child.typo_at = draw.one(("fenwater-hospital", "westlorn-hospital", "northmarch-police", "eastmoor-police"))
        child.written_born = child.born + timedelta(days=draw.one((-365, -30, -10, 10, 30)))
    others = [one for one in children if one.nhs and one is not child and one.born != child.born]
    if others and child.nhs and draw.happens(rates["shared_number"]):
        child.number_of_at = draw.one(("fenwater-hospital", "westlorn-hospital")), others[0].nhs
