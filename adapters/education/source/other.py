"""Files a school may drop into the folder that belong to no format read here: named plainly, never guessed at.

Reads no content beyond the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from adapters.kit.agency import HEAD_BYTES
from adapters.kit.outcomes import NativeRecord, NoEvent, Outcome, Unreadable

_CENSUS = (b"pupilonrolltableid", b"schoolcensustableid", b"termlyexclusions", b"termlysession")
_COUNTS = (b"yearlyEducationAttendances", b"educationSettingName", b"educationActiveStatusesAndPlans")


def sniff(path: Path, head: bytes) -> bool:
    """Anything at all: this stands last in the list."""
    return True


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """Exactly one Unreadable that says what the file seems to be."""
    head = stream.read(HEAD_BYTES)
    if any(word in head.partition(b"\n")[0].lower() for word in _CENSUS):
        yield Unreadable("school census table: not a format this adapter reads")
    elif any(word in head for word in _COUNTS):
        yield Unreadable("yearly counts without dates: not a format this adapter reads")
    elif not head.strip():
        yield Unreadable("empty file")
    else:
        yield Unreadable("neither a transfer file nor a register export")


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Mapping[str, Any]) -> Outcome:
    """Never asked: `read` gives no records."""
    return NoEvent("not-a-record")
