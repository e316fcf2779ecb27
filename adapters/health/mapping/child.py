"""The child as the source describes them, built only from what may leave: a part no rule names does not go out.

Shared by both formats. Knows neither; takes texts and gives the canonical `child`, with remarks for what was dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapters.kit.identifiers import NHS_NUMBER, is_live, keep_identifier
from adapters.kit.outcomes import Remark

ADULT_AT = 18
MAX_POSTCODE = 12  # what is longer is no postcode
SEXES = {"male": "1", "m": "1", "1": "1", "female": "2", "f": "2", "2": "2", "other": "9", "o": "9", "9": "9"}
BIRTH_DATE_DROPPED = "The birth date is no date and was left out."

Data = dict[str, Any]


@dataclass
class Description:
    """The child while being described: the canonical part, what was odd, and how old by the birth date as written."""

    child: Data = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    birth_year: int | None = None

    def is_somebody(self) -> bool:
        """Does an identifier or a name remain?"""
        return bool(self.child.get("identifiers") or self.child.get("names"))

    def is_adult_on(self, day: str) -> bool:
        """18 or older on this day (YYYY-MM-DD or longer; YYYY-MM counts as its first day). A year alone decides only
        when it leaves no doubt: 19 calendar years or more."""
        on = _find_date(day[:10] if len(day) >= 10 else f"{day[:7]}-01")
        born = _find_date(self.child.get("birth_date", {}).get("date", ""))
        if on is None:
            return False
        if born is not None and self.child["birth_date"].get("accuracy", "AAA") == "AAA":
            return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) >= ADULT_AT
        return self.birth_year is not None and on.year - self.birth_year > ADULT_AT

    def has_age(self) -> bool:
        return self.birth_year is not None


def without_empty(members: Mapping[str, Any]) -> Data:
    """The members that hold something. `False` and 0 hold something."""
    return {name: value for name, value in members.items() if value not in ("", None, [], {}, ())}


def add_nhs_number(to: Description, value: str, settings: Mapping[str, Any], at: str, verified: bool | None) -> None:
    kept, remark = keep_identifier(NHS_NUMBER, value, live=is_live(settings), field=at, verified=verified)
    _add_identifier(to, kept, remark)


def add_local_number(to: Description, value: str, settings: Mapping[str, Any], kind: str) -> None:
    """A number of this service's own: `urn:local:<service>:<kind>`."""
    urn = str(settings.get("service", {}).get("urn", "")) or "urn:safeguarding:service:unnamed"
    system = f"urn:local:{urn.rsplit(':', 1)[-1]}:{kind}"
    kept, remark = keep_identifier(system, re.sub(r"\s", "", value), live=False, field="")
    _add_identifier(to, kept, remark)


def _add_identifier(to: Description, kept: Data | None, remark: Remark | None) -> None:
    if kept is not None and kept not in to.child.setdefault("identifiers", []):
        to.child["identifiers"].append(kept)
    if remark is not None:
        to.remarks.append(remark)


def add_name(to: Description, name: Mapping[str, Any]) -> None:
    """{family, given: [..], use, from, until}; titles and suffixes are not taken (real feeds put `Mr` on a child)."""
    kept = without_empty(name)
    if ("family" in kept or "given" in kept) and kept not in to.child.setdefault("names", []):
        to.child["names"].append(kept)


def add_address(to: Description, address: Mapping[str, Any]) -> None:
    kept = without_empty(address)
    if len(kept.get("postcode", "")) > MAX_POSTCODE:
        del kept["postcode"]
    if "lines" in kept or "postcode" in kept:
        to.child.setdefault("address", []).append(kept)


def set_sex(to: Description, code: str) -> None:
    if code:
        to.child["sex"] = SEXES.get(code.casefold(), "X")


def set_birth_date(to: Description, written: str, at: str) -> None:
    """YYYY-MM-DD or YYYYMMDD with or without a time behind it; a month or a year as accurate as it is. What is no date
    (a thirteenth month) is dropped with a remark; its year still tells a child from an adult."""
    if not written:
        return
    match = re.match(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?!\d)|(\d{4})(\d{2})(\d{2})\d+", written, re.ASCII)
    year, month, day = (match.group(1) or match.group(4), match.group(2) or match.group(5), match.group(3)
                        or match.group(6)) if match else ("", "", "")  # fmt: skip
    if match and 1850 <= int(year) <= 2200:
        to.birth_year = int(year)
    found = _find_date(f"{year}-{month or '01'}-{day or '01'}") if to.birth_year else None
    if found is None:
        to.remarks.append(Remark("birth-date-invalid", at, BIRTH_DATE_DROPPED))
        return
    accuracy = "AAA" if day else "UAA" if month else "UUA"
    to.child["birth_date"] = {"date": found.isoformat(), "accuracy": accuracy}


def tidy_up(to: Description) -> Data:
    """The canonical `child`, without empty members."""
    return without_empty(to.child)


def read_day(text: str) -> str:
    """The day of a date or time as written, "" when it is not a whole date that exists."""
    return text[:10] if len(text) >= 10 and _find_date(text[:10]) else ""


def plain(name: str) -> str:
    """A name for comparing: case, spaces, hyphens and apostrophes apart, it is the same name."""
    return re.sub(r"[\s\-'’.]", "", name).casefold()


def _find_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
