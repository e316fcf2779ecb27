"""Notices when a source falls silent, and tells it once: officers, the log, whoever watches, and its agency.

Readers need no telling: each chronology says for itself when every source was last heard.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from hub.disclosure.access import ALARM
from hub.disclosure.answer import stamp
from hub.disclosure.completeness import Completeness
from hub.domain.hearing import NEVER, Hearing
from hub.store.entries import own_note
from hub.store.record import Record, StaleVersion
from hub.store.streams import ACCESS, SOURCES
from hub.store.tables import Writes

LOG = logging.getLogger("hub.silence")
SILENT = "source-silent"
LOOK_EVERY_S = 30.0
TRIES = 20


class Gauges(Protocol):
    """What an operator watches of a source."""

    def heard(self, source: str, seconds: float | None, *, silent: bool, gaps: bool) -> None:
        """Seconds since it was last heard; None: never."""


class Silences:
    """Looks at every live source now and then. Several processes may; each silence is told by one of them."""

    def __init__(
        self, record: Record, completeness: Completeness, gauges: Gauges, *, clock: Callable[[], datetime],
        telling: bool = True, seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """A clock that leaps from day to day, as a demonstration's, makes silences that nobody is to be told of."""
        self.record, self.completeness, self.gauges, self.clock = record, completeness, gauges, clock
        self.telling, self.seconds = telling, seconds
        self._look_at = 0.0

    def look_when_due(self) -> None:
        """`look`, every half a minute."""
        if self.seconds() >= self._look_at:
            self._look_at = self.seconds() + LOOK_EVERY_S
            self.look()

    def look(self) -> None:
        """Show how long ago each source was heard, and tell of those that fell silent since. Errors: as the record."""
        now = self.clock()
        for one in self.completeness.hearings():
            silent = one.falls_silent() <= now
            since = (now - datetime.fromisoformat(one.heard)).total_seconds() if one.heard else None
            self.gauges.heard(one.of.source, since, silent=silent, gaps=bool(one.missing))
            if silent and self.telling and one.told != (one.heard or NEVER):
                self._tell(one)

    def _tell(self, one: Hearing) -> None:
        """The alarm, the fact that the agency is told by, and that it was told: one transaction, whoever is first."""
        source, since = one.of.source, one.heard or NEVER
        for _ in range(TRIES):
            if one not in self.completeness.hearings():
                return  # another process told it, or it spoke meanwhile
            at, said = stamp(self.clock()), {"source": source, "last_heard": since}
            places = [(stream, self.record.version(stream) + 1) for stream in (ACCESS, SOURCES)]
            notes = ((ALARM, {"kind": SILENT, **said}), (f"{SILENT}/v1", said))
            rows = [own_note(*place, topic, at, data) for place, (topic, data) in zip(places, notes, strict=True)]
            try:
                self.record.append(rows, Writes(told=[(source, since)]))
            except StaleVersion:
                continue
            LOG.warning("source silent: source=%s last_heard=%s", source, since)
            return
        raise StaleVersion("other writers were always faster")
