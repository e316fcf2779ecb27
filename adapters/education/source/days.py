"""Days and keys as schools' systems write them, for both formats. Invents no day and reads no clock."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Any

from adapters.kit.identifiers import tidy_number, upn_ok
from adapters.kit.outcomes import Remark
from adapters.kit.when import LONDON, read_iso

BRITISH_DATE = "Written day/month/year instead of year-month-day."
NO_SUCH_DATE = "The date cannot be read or does not exist; it was left out."

_BRITISH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\D.*)?", re.ASCII | re.DOTALL)
_DAY_FIRST = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)


def read_day(text: str, field: str) -> tuple[str, Remark | None]:
    """A day as YYYY-MM-DD, or "" when nothing usable is written; a time of day behind it is left out.

    dd/mm/yyyy is read with the remark `date-form`. A day that does not exist is "" with `date-invalid`.
    """
    text = text.strip()
    if not text:
        return "", None
    if match := _BRITISH.fullmatch(text):
        day, month, year = match.groups()
        text, odd = f"{year}-{int(month):02}-{int(day):02}", Remark("date-form", field, BRITISH_DATE)
    elif match := _DAY_FIRST.fullmatch(text):
        text, odd = match[1], None
    else:
        return "", Remark("date-invalid", field, NO_SUCH_DATE)
    try:
        return date.fromisoformat(text).isoformat(), odd
    except ValueError:
        return "", Remark("date-invalid", field, NO_SUCH_DATE)


def read_zoned_day(value: Any, field: str) -> tuple[str, Remark | None]:
    """As `read_day`, also for {"date": "2014-05-16 23:00:00.000000", "timezone": "UTC"}: the day it is in London.

    Midnight in summer written in UTC falls on the day before; taken as written it would move a session.
    """
    zone = ""
    if isinstance(value, dict):
        value, zone = value.get("date"), str(value.get("timezone") or "")
    text = str(value).strip() if isinstance(value, str | int) else ""
    when = read_iso(text)
    if when.happened["precision"] == "instant":
        at = datetime.fromisoformat(when.happened["from"])
        if when.happened["zone"] == "source":
            return at.astimezone(LONDON).date().isoformat(), None
        if zone.upper() in ("UTC", "Z", "+00:00"):
            return at.replace(tzinfo=UTC).astimezone(LONDON).date().isoformat(), None
    return read_day(text, field)


def find_upn(text: str) -> str:
    """The pupil number in its usual writing when its check letter is right, else ""."""
    upn = tidy_number(text).upper()
    return upn if upn_ok(upn) else ""


def local_key(*parts: str) -> str:
    """A stable key for a pupil without a usable number: a digest, so that the key itself says no name."""
    joined = "\x1f".join(part.strip().casefold() for part in parts)
    return "local-" + hashlib.sha256(joined.encode()).hexdigest()[:24]
