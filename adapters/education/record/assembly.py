"""A register export's records: marks of one pupil over one period, an exclusion, a leaver, a deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mark:
    """One register mark: day YYYY-MM-DD, AM or PM, the code as written ("" when none was given)."""

    day: str
    session: str
    code: str


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one pupil in one file, and the period of the file."""

    start: str
    end: str
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Marks:
        """From the parsed record of `source.assembly`."""
        period = parsed.get("period", {})
        marks = (Mark(one.get("date", ""), one.get("session", ""), one.get("mark", "")) for one in parsed["marks"])
        return cls(period.get("from", ""), period.get("to", ""), tuple(marks))


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One exclusion. `kind` and `reasons` are DfE codes as written; `sessions` (half days) is text."""

    kind: str
    reasons: tuple[str, ...]
    start: str
    end: str
    sessions: str

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Exclusion:
        """From the parsed record of `source.assembly`."""
        texts = (str(parsed.get(name, "")) for name in ("start", "end", "sessions"))
        return cls(str(parsed.get("type", "")), tuple(parsed.get("reasons", ())), *texts)


@dataclass(frozen=True, slots=True)
class Leaver:
    """When a pupil left, the school's reason code, and where to, in the school's words."""

    leaving: str
    reason: str
    destination: str

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Leaver:
        """From the parsed record of `source.assembly`."""
        return cls(*(str(parsed.get(name, "")) for name in ("leaving", "reason", "destination")))
