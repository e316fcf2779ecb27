"""Receipts and notices on their way out by Kafka: what the record has for a source, after what was already published.

Receipts are rows that were committed with the facts, so nothing can be answered that did not happen, and nothing that
happened stays unanswered: the cursor is stored after the brokers' word, a crash between sends a batch twice. Whoever
holds a source's topic of events answers it. Which answer a record gets is admission's affair, whatever door it came
through: a release on the command line goes out here too. Notices are rows that others write: a whole child is read for
them, and no receipt waits for that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import orjson

from hub.ingest.feed import Away, NoSuchTopic, Outlet
from hub.ingest.inbox import Inbox
from hub.store.database import STORE_FAULTS
from hub.watch import Watch
from schemas.topics import receipts_topic

LOG = logging.getLogger("hub.ingest.relay")
NOTICES = "notices to "
"""Before a source's name, where the record keeps how far its notices were published."""
LOOK_EVERY_S = 1.0
"""How often it looks for receipts that other doors and processes wrote."""
REST_S = 5.0
"""How long a source rests whose receipts could not be published."""


class Relay:
    """Publishes receipts in a thread of its own, woken by the consumer."""

    def __init__(
        self, inbox: Inbox, outlet: Outlet, watch: Watch, *, clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.inbox, self.record, self.outlet, self.watch, self.clock = inbox, inbox.record, outlet, watch, clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._held: set[str] = set()
        self._due: set[str] = set()
        self._to_tell: set[str] = set()
        """Sources for which there may be notices."""
        self._rests: dict[str, float] = {}
        self._newest: int | None = None
        """Cursor of the newest receipt of all that was looked at."""
        self._notices = -1
        """How many notices there were."""

    def hold(self, source: str) -> None:
        """This process answers this source from now on."""
        with self._lock:
            self._held.add(source)
            self._due.add(source)
            self._to_tell.add(source)
        self._woken.set()

    def release(self, source: str) -> None:
        """Another process may answer this source."""
        with self._lock:
            self._held.discard(source)
            self._rests.pop(source, None)

    def wake(self, source: str) -> None:
        """There are new receipts for this source."""
        with self._lock:
            self._due.add(source)
        self._woken.set()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Publish until told to stop; what is due then goes out once more."""
        while not stopping():
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()
            self.turn()
        self.turn()
        self.outlet.close()

    def turn(self) -> None:
        """One round over the sources that have something new. A fault makes its source rest, and is tried again."""
        try:
            self._look()
        except Exception as fault:  # one of the loops that must not die
            self._fault(fault)
        for source in self._take_due():
            try:
                self._publish(source)
            except Exception as fault:  # as above: one source's trouble is no other's
                self._fault(fault, source)
                self._rest(source)

    def _look(self) -> None:
        """Whoever wrote them: whom new receipts are for; and new notices may be for any source that we hold."""
        if self._newest is None:  # whoever is held is due already
            self._newest = self.record.query("SELECT COALESCE(MAX(cursor), 0) FROM receipt")[0][0]
        since = "SELECT caller, MAX(cursor) FROM receipt WHERE cursor>? GROUP BY caller"
        rows = self.record.query(since, (self._newest,))
        notices = self.inbox.notices.count()
        with self._lock:
            self._due |= self._held.intersection(caller for caller, _ in rows)
            if notices != self._notices:
                self._to_tell |= self._held
                self._due |= self._held
        self._newest = max((cursor for _, cursor in rows), default=self._newest)
        self._notices = notices

    def _take_due(self) -> list[str]:
        now = self._seconds()
        with self._lock:
            due = [one for one in self._due & self._held if self._rests.get(one, 0.0) <= now]
            self._due = {one for one in self._due & self._held if one not in due}
        return due

    def _publish(self, source: str) -> None:
        cursor = self.record.relayed(source)
        while receipts := self.inbox.after(source, cursor):
            oldest: str = orjson.loads(receipts[0].row)["at"]
            age = (self.clock() - datetime.fromisoformat(oldest)).total_seconds()
            self.watch.outstanding(source, max(0.0, age))
            self.outlet.send(receipts_topic(source), source.encode(), self.inbox.sign(receipts, source).encode())
            cursor = receipts[-1].cursor
            self.record.relay(source, cursor)
            self.watch.relayed(source, len(receipts))
        if source in self._to_tell:
            self._publish_notices(source)
        self.watch.outstanding(source, 0.0)

    def _publish_notices(self, source: str) -> None:
        with self._lock:
            self._to_tell.discard(source)  # what is written from now on is for the next time
        mark = NOTICES + source
        cursor = self.record.relayed(mark)
        while notices := self.inbox.notices.after(source, cursor):
            signed = self.inbox.sign_notices(notices, source, on_topic=True)
            self.outlet.send(receipts_topic(source), source.encode(), signed.encode())
            cursor = notices[-1].cursor
            self.record.relay(mark, cursor)

    def _rest(self, source: str) -> None:
        with self._lock:
            self._rests[source] = self._seconds() + REST_S
            self._due.add(source)
            self._to_tell.add(source)

    def _fault(self, fault: Exception, source: str = "") -> None:
        kind = type(fault).__name__
        level = logging.WARNING if isinstance(fault, (Away, NoSuchTopic, *STORE_FAULTS)) else logging.ERROR
        LOG.log(level, "receipts wait: source=%s fault=%s", source or "(all)", kind)
        self.watch.fault(kind)
