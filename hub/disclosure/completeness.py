"""What is known of a chronology's completeness: when each live source was last heard, and what of it is not here.

The same for every child and every reader: it says nothing about a child, so it depends on none. The sources that the
hub keeps for people are not named, because they are always heard; nor are those of history, which raise no alarm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from hub.domain.hearing import NEVER, Hearing, LiveSource
from hub.store.record import Record

FOR_EVER = datetime.max.replace(tzinfo=UTC)

LONGEST_S = 1.0
"""How old may be what another process wrote meanwhile; what this one wrote is never older than its commit."""


@dataclass(frozen=True, slots=True)
class Said:
    """The rows of every chronology, written once for many readers."""

    sources: bytes
    """JSON: a row a source."""
    warnings: bytes
    """JSON: of these rows all that a reader must be told anew, which is all but when each was last heard."""


@dataclass(frozen=True, slots=True)
class _Kept:
    said: Said
    version: int
    read_s: float
    since: datetime
    until: datetime
    """When the first of those who are heard will count as silent."""


class Completeness:
    """What the record knows of its sources. One per process."""

    def __init__(
        self, record: Record, live: Callable[[], Sequence[LiveSource]], *, version: Callable[[], int],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`version` grows with whatever this process writes; `seconds` is a monotonic clock."""
        self.record, self.live, self.version, self.seconds = record, live, version, seconds
        self._kept: _Kept | None = None

    def said(self, now: datetime) -> Said:
        """What stands on every chronology now."""
        version, seconds, kept = self.version(), self.seconds(), self._kept
        fresh = kept is not None and kept.version == version and seconds - kept.read_s < LONGEST_S
        if kept is None or not fresh or not kept.since <= now < kept.until:
            hearings = self.hearings()
            said, changes = _said(hearings, now), (one.falls_silent() for one in hearings)
            until = min((at for at in changes if at > now), default=FOR_EVER)
            kept = self._kept = _Kept(said, version, seconds, now, until)
        return kept.said

    def hearings(self) -> list[Hearing]:
        """Every live source in the order of their names, in one question to the record."""
        live = {one.source: one for one in self.live()}
        if not live:
            return []
        rows = self.record.query(
            f"WITH live (source) AS (VALUES {','.join(['(?)'] * len(live))})"  # noqa: S608
            " SELECT live.source, h.heard, h.every_s, h.outstanding, h.remarks, h.missing, h.told,"
            " EXISTS(SELECT 1 FROM quarantine q WHERE q.caller=live.source AND q.state='open')"
            " FROM live LEFT JOIN hearing h ON h.source=live.source ORDER BY live.source",
            list(live),
        )
        return [_hearing(live[source], *known) for source, *known in rows]


def _said(hearings: Sequence[Hearing], now: datetime) -> Said:
    rows = [
        {
            "service": one.of.service,
            **({"name": one.of.name} if one.of.name else {}),
            "last_heard": one.heard or NEVER,
            "gaps": bool(one.missing),
            "waiting": one.waiting,
            "silent": one.falls_silent() <= now,
        }
        for one in hearings
    ]
    lasting = [{name: value for name, value in row.items() if name != "last_heard"} for row in rows]
    return Said(orjson.dumps(rows), orjson.dumps(lasting))


def _hearing(
    of: LiveSource, heard: str | None, every_s: int | None, outstanding: int | None, remarks: str | None,
    missing: str | None, told: str | None, waiting: int | bool,
) -> Hearing:  # fmt: skip
    holes = tuple((first, last) for first, last in orjson.loads(missing or "[]"))
    return Hearing(of, heard or "", every_s or 0, outstanding or 0, remarks or "", holes, bool(waiting), told or "")
