"""Attendance marks: what a period of them adds up to. Pure.

What each code counts as is the shared list `attendance` (DfE CBDS CS066; School Attendance (Pupil Registration)
(England) Regulations 2024). No mark leaves the school: a session in custody (Y5) is one the pupil could not attend,
like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.education.record.assembly import Mark
from adapters.kit.outcomes import Remark
from schemas.catalogue import get_codes

PRESENT, AUTHORISED, UNAUTHORISED = "present", "authorised", "unauthorised"  # all else is no possible session
UNMARKED = ("", "-")


@dataclass(frozen=True, slots=True)
class Day:
    """One school day: sessions possible, missed, and missed without leave."""

    day: str
    possible: int
    missed: int
    unauthorised: int


@dataclass(frozen=True, slots=True)
class Register:
    """What the marks of one pupil add up to. `days` are those with a possible session, in order."""

    days: tuple[Day, ...]
    remarks: tuple[Remark, ...]

    @property
    def possible(self) -> int:
        return sum(day.possible for day in self.days)

    @property
    def missed(self) -> int:
        return sum(day.missed for day in self.days)

    @property
    def unauthorised(self) -> int:
        return sum(day.unauthorised for day in self.days)


def add_up(marks: Iterable[Mark]) -> Register:
    """Every session counted once, by its later row; an unknown code counts as nothing, with a remark."""
    remarks: list[Remark] = []
    sessions: dict[tuple[str, str], str] = {}
    for mark in marks:
        if sessions.get((mark.day, mark.session), mark.code) != mark.code:
            remarks.append(
                Remark("two-marks", "attendance", "A session had two different marks; the later row counts.")
            )
        sessions[mark.day, mark.session] = mark.code
    found: dict[str, list[str]] = {}
    for (day, _), code in sorted(sessions.items()):
        meaning = _meaning(code, day, remarks)
        if meaning in (PRESENT, AUTHORISED, UNAUTHORISED):
            found.setdefault(day, []).append(meaning)
    days = (
        Day(day, len(kinds), len(kinds) - kinds.count(PRESENT), kinds.count(UNAUTHORISED))
        for day, kinds in found.items()
    )
    return Register(tuple(days), tuple(dict.fromkeys(remarks)))


def _meaning(code: str, day: str, remarks: list[Remark]) -> str:
    entry = get_codes("attendance").get(code.upper())
    if entry is not None:
        if "until" in entry and day > entry["until"]:
            remarks.append(Remark("old-code", "attendance", code.upper()))
        return str(entry["counts_as"])
    if code in UNMARKED:
        remarks.append(Remark("session-unmarked", "attendance", "A session without a mark was not counted."))
    else:
        note = code if len(code) <= 2 and code.isascii() and code.isprintable() else ""
        remarks.append(Remark("unknown-code", "attendance", note))
    return ""


def find_longest_unauthorised(days: tuple[Day, ...]) -> tuple[Day, ...]:
    """The longest run of school days missed whole without leave; the last one of equal length."""
    best: tuple[Day, ...] = ()
    run: tuple[Day, ...] = ()
    for day in days:
        run = (*run, day) if day.unauthorised == day.possible else ()
        best = run if run and len(run) >= len(best) else best
    return best


def stopped_suddenly(days: tuple[Day, ...], stop_days: int, usual_percent: int) -> bool:
    """Missed whole on the last `stop_days` school days or more, and before that, as long at least, usual attendance.

    Usual: fewer sessions were missed than `usual_percent` of those possible.
    """
    tail = 0
    while tail < len(days) and days[-1 - tail].missed == days[-1 - tail].possible:
        tail += 1
    before = days[: len(days) - tail]
    missed, possible = sum(day.missed for day in before), sum(day.possible for day in before)
    return tail >= stop_days <= len(before) and missed * 100 < usual_percent * possible
