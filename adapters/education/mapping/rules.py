"""The dated thresholds and code lists that a school's mapping reads from the shared language. Holds no number."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.catalogue import get_codes
from schemas.rules import get_list

RELATION_ALSO = {"PAM": "MOT", "PAF": "FAT", "SWR": "SOC", "TCH": "TEA"}
"""Codes that older transfer files write for what the shared list has under another code."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Who an adult is to the child: code of the shared list (or ""), HL7 v3 role or words, a phrase for a summary."""

    code: str
    role: str
    words: str
    known: bool


def find_relation(written: str) -> Relation:
    """What a school's relationship code means; unknown ones are "other"."""
    entry = get_codes("relationships-ctf").get(RELATION_ALSO.get(written, written))
    if entry is None:
        return Relation("", "other", "An adult", known=False)
    title = entry["title"].lower()
    words = f"{'An' if title[0] in 'aeiou' else 'A'} {title}"
    return Relation(entry["code"], entry.get("v3", title), words if title != "unknown" else "An adult", known=True)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on absence is reported; days are school days. `since` is the first day for which the edition holds."""

    since: str
    persistent_percent: int
    severe_percent: int
    days_in_a_row: int
    stop_days: int
    fewest_sessions: int


def find_thresholds() -> Thresholds:
    """The partnership's attendance thresholds (Working together to improve school attendance; local ones marked so)."""
    listed = get_list("attendance")
    limit = {row["id"]: int(row["limit"]) for row in listed["thresholds"]}
    return Thresholds(
        since=str(listed["from"]),
        persistent_percent=limit["persistent"],
        severe_percent=limit["severe"],
        days_in_a_row=limit["ten-days"],
        stop_days=limit["sudden-stop"],
        fewest_sessions=limit["too-few-sessions"],
    )
