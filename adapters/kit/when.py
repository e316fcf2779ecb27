"""Times as agencies write them, without ever inventing a day or an hour. Reads no clock.

A time without a zone is Europe/London; in the hour that happens twice it is the earlier, with a remark. The precision
stated is the precision that was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.outcomes import Remark

LONDON = ZoneInfo("Europe/London")
AMBIGUOUS_HOUR = "This hour happened twice that night; the earlier is taken."
NO_SUCH_HOUR = "The clocks skipped this hour; it is read as if they had not yet changed."
BAD_OFFSET = "The offset from UTC is impossible; the clock time is read as London time."

_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s?(Z|z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class When:
    """`happened` as the canonical event carries it, and what was odd. `instant` is RFC 3339 where one was given."""

    happened: dict[str, Any]
    remarks: tuple[Remark, ...] = ()

    @property
    def instant(self) -> str | None:
        return self.happened["from"] if self.happened["precision"] == "instant" else None

    @property
    def first(self) -> str | None:
        """The instant, or the day: what `learned` and `recorded` take. None for a month, a period or nothing."""
        return self.happened["from"] if self.happened["precision"] in ("instant", "day") else None


def is_after(one: str, other: str) -> bool:
    """Is `one` later than `other`? Both RFC 3339 instants or days; what cannot be compared is not later."""
    if not one or not other:
        return False
    if len(one) <= 10 or len(other) <= 10:
        return one[:10] > other[:10]
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def rfc3339(at: datetime) -> str:
    """An aware time as RFC 3339 with its own offset; fractions only where there are some; UTC as Z."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def of_instant(at: datetime) -> When:
    """A time whose zone the source gave."""
    return When({"from": rfc3339(at), "precision": "instant", "zone": "source"})


def of_clock(naive: datetime, field: str = "") -> When:
    """A time without a zone: Europe/London. The earlier of an ambiguous hour, with the remark `time-ambiguous`."""
    early, late = (naive.replace(tzinfo=LONDON, fold=fold) for fold in (0, 1))
    remarks: tuple[Remark, ...] = ()
    if early.utcoffset() != late.utcoffset():
        exists = early.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) == naive
        code, note = ("time-ambiguous", AMBIGUOUS_HOUR) if exists else ("time-nonexistent", NO_SUCH_HOUR)
        remarks = (Remark(code, field, note),)
    return When({"from": rfc3339(early), "precision": "instant", "zone": "assumed-london"}, remarks)


def of_day(day: date) -> When:
    """A day, no more."""
    return When({"from": day.isoformat(), "precision": "day", "zone": "none"})


def of_month(year: int, month: int) -> When:
    """A month, no more."""
    return When({"from": f"{date(year, month, 1):%Y-%m}", "precision": "month", "zone": "none"})


def of_period(start: When, end: When | None = None) -> When:
    """From one time to another, each as precise as it was given; without `end` it is still going on."""
    if "from" not in start.happened:
        return of_nothing(*start.remarks)
    happened = {"from": start.happened["from"], "precision": "period", "zone": start.happened["zone"]}
    if end is not None and "from" in end.happened:
        happened["to"] = end.happened["from"]
    return When(happened, start.remarks + (end.remarks if end else ()))


def of_nothing(*remarks: Remark) -> When:
    """No time was given."""
    return When({"precision": "unknown", "zone": "none"}, remarks)


def read_iso(text: str, field: str = "") -> When:
    """ISO 8601 as systems write it: a year and month, a day, or a time with or without seconds, fractions and zone.

    A year alone is a period of that year. Fractions beyond microseconds are cut. What cannot be a time is unknown,
    with the remark `date-invalid`.
    """
    text = text.strip()
    if not text:
        return of_nothing()
    match = _ISO.fullmatch(text)
    if match is None:
        return of_nothing(Remark("date-invalid", field))
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        if month is None:
            return of_period(of_day(date(int(year), 1, 1)), of_day(date(int(year), 12, 31)))
        if day is None:
            return of_month(int(year), int(month))
        if hour is None:
            return of_day(date(int(year), int(month), int(day)))
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        naive = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro)
        return of_clock(naive, field) if zone is None else _in_zone(naive, zone, field)
    except (ValueError, OverflowError):
        return of_nothing(Remark("date-invalid", field))


def _in_zone(naive: datetime, zone: str, field: str) -> When:
    if zone in "Zz":
        return of_instant(naive.replace(tzinfo=UTC))
    digits = zone.replace(":", "")
    hours, minutes = int(digits[1:3]), int(digits[3:5])
    if hours > 14 or minutes > 59:  # no place on earth is further than 14 hours from UTC
        assumed = of_clock(naive, field)
        return When(assumed.happened, (*assumed.remarks, Remark("zone-invalid", field, BAD_OFFSET)))
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    return of_instant(naive.replace(tzinfo=timezone(offset)))
