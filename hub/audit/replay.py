"""Replay: what one reader could see of a child at a moment, and what they had opened by then.

Judged by the entitlement of that moment; the replay itself is recorded by whoever asks for it. It assembles what the
record and the access stream say and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from hub.domain.facts import Fact


class Entry(Protocol):
    """A chronology entry as the view gives it."""

    @property
    def position(self) -> int:
        """Its place in the log."""

    @property
    def fact(self) -> Fact:
        """What was recorded."""


def replay(
    could_see: Sequence[tuple[Entry, str]], accesses: Iterable[Mapping[str, Any]], reader: str, at: datetime
) -> dict[str, Any]:
    """What could be seen at `at`, entry by entry, with when it was first opened, or never."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
    reads = [
        read for read in accesses
        if read.get("reader") == reader and read["kind"] == "read" and read["outcome"] == "answered"
        and read["at"] <= moment
    ]  # fmt: skip
    opened: dict[int, str] = {}
    for read in reads:
        for line in read["classes"]:
            for position in line["entries"]:
                opened.setdefault(position, read["at"])
    return {
        "reader": reader,
        "at": moment,
        "could_see": [
            {
                "position": entry.position, "event": entry.fact.name, "shown": shown,
                "happened": entry.fact.data.get("happened", {}), "shared": entry.fact.shared,
                "source": entry.fact.source, "id": entry.fact.id, "opened": opened.get(entry.position, ""),
            }
            for entry, shown in could_see
        ],
        "reads": [{"at": read["at"], "purpose": read["purpose"], "role": read["role"]} for read in reads],
    }  # fmt: skip
