"""The access stream: who read what, why, under which rules, and the digest of the bytes that they were answered.

A stream of its own, never in the child's. What cannot be recorded is not answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.disclosure.answer import stamp
from hub.store.record import ACCESS, Record, StaleVersion, own_note

LOG = logging.getLogger("hub.disclosure")
TOPIC = "access-recorded/v1"
SEARCH = "search-recorded/v1"
ALARM = "alarm-raised/v1"
TRIES = 20


class CannotRecord(Exception):
    """The access could not be recorded, so there is no answer."""


class AccessLog:
    """Appends to the access stream and gives it back."""

    def __init__(self, record: Record, clock: Callable[[], datetime]) -> None:
        self.record, self.clock = record, clock
        self._seq = 0
        self._lock = threading.Lock()

    def note(self, data: Mapping[str, Any], alarms: Sequence[Mapping[str, Any]] = (), topic: str = TOPIC) -> None:
        """One access record, with the alarms that it raises in one transaction. Errors: `CannotRecord`.

        When another process is faster the next place is taken.
        """
        at = stamp(self.clock())
        with self._lock:
            self._append(at, [(topic, data), *((ALARM, alarm) for alarm in alarms)])

    def note_all(self, several: Sequence[Mapping[str, Any]]) -> None:
        """Several access records in one transaction: all or none. Errors: `CannotRecord`."""
        at = stamp(self.clock())
        with self._lock:
            self._append(at, [(TOPIC, one) for one in several])

    def alarm(self, kind: str, **facts: Any) -> None:
        """Something that the partnership's officers must hear of: its kind and ids, no content. Errors: `CannotRecord`.

        It stands beside the accesses and is put before the officers with what else waits for them.
        """
        at = stamp(self.clock())
        with self._lock:
            self._append(at, [(ALARM, {"kind": kind, **facts})])

    def _append(self, at: str, notes: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        for _ in range(TRIES):
            try:
                following = enumerate(notes, self._seq + 1)
                self.record.append([own_note(ACCESS, seq, topic, at, dict(data)) for seq, (topic, data) in following])
            except StaleVersion:
                self._seq = self.record.version(ACCESS)
                continue
            except Exception as fault:  # whatever keeps it from being recorded, there is no answer
                LOG.error("access cannot be recorded: %s", type(fault).__name__)
                raise CannotRecord from fault
            self._seq += len(notes)
            return
        raise CannotRecord

    def of(self, children: Collection[str]) -> list[Mapping[str, Any]]:
        """Every recorded access to these children's records, in order, each with `at`."""
        return [
            {**fact.data, "at": fact.admitted}
            for fact in self.record.facts(ACCESS)
            if fact.name != "alarm-raised" and fact.data.get("child") in children
        ]


def opened_in(access: Mapping[str, Any]) -> set[int]:
    """The positions of the entries that one access showed."""
    return {position for line in access.get("classes", ()) for position in line["entries"]}
