"""The access stream: who read what, why, under which rules, and the digest of the bytes that they were answered.

A stream of its own, never in the child's. While the record cannot be written a local signed journal takes it, and is
brought in when it can; where that fails too, there is no answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from hub.disclosure.answer import stamp
from hub.disclosure.journal import Journal, JournalDamaged, Line
from hub.store.entries import own_note
from hub.store.record import Record, StaleVersion
from hub.store.streams import ACCESS

LOG = logging.getLogger("hub.disclosure")
TOPIC = "access-recorded/v1"
SEARCH = "search-recorded/v1"
ALARM = "alarm-raised/v1"
TRIES = 20
Note = tuple[str, Mapping[str, Any]]
"""Topic and data of what is noted."""


class CannotRecord(Exception):
    """The access could not be recorded, so there is no answer."""


class AccessLog:
    """Appends to the access stream and gives it back."""

    def __init__(self, record: Record, clock: Callable[[], datetime], journal: Journal | None = None) -> None:
        self.record, self.clock, self.journal = record, clock, journal
        self._seq = 0
        self._lock = threading.Lock()
        self._owed: set[str] = set()
        """The journal's lines that this process wrote and has not found in the record yet, by their digests."""
        self._owed_after = 0
        """The place in the stream behind which they will stand."""

    def note(self, data: Mapping[str, Any], alarms: Sequence[Mapping[str, Any]] = (), topic: str = TOPIC) -> None:
        """One access record, with the alarms that it raises in one transaction. Errors: `CannotRecord`.

        When another process is faster the next place is taken.
        """
        self._keep([(topic, data), *((ALARM, alarm) for alarm in alarms)])

    def note_all(self, several: Sequence[Mapping[str, Any]]) -> None:
        """Several access records in one transaction: all or none. Errors: `CannotRecord`."""
        self._keep([(TOPIC, one) for one in several])

    def alarm(self, kind: str, **facts: Any) -> None:
        """Something that the partnership's officers must hear of: its kind and ids, no content. Errors: `CannotRecord`.

        It stands beside the accesses and is put before the officers with what else waits for them.
        """
        self._keep([(ALARM, {"kind": kind, **facts})])

    def bring_in(self) -> None:
        """Bring what the journal holds into the record. Errors: `CannotRecord`; then it waits there still."""
        with self._lock:
            self._bring_in()

    def of(self, children: Collection[str]) -> list[Mapping[str, Any]]:
        """Every recorded access to these children's records, in order, each with `at`; the journal's too.

        What came by the journal has `journal`: the digest of its line there.
        """
        facts = (fact for fact in self.record.facts(ACCESS) if fact.name != "alarm-raised")
        waiting = (one for one in self.journal.lines() if one.topic != ALARM) if self.journal else ()
        noted = [*({"at": fact.admitted, **fact.data} for fact in facts), *map(_by_journal, waiting)]
        return [one for one in noted if one.get("child") in children]

    def _keep(self, notes: Sequence[Note]) -> None:
        at = stamp(self.clock())
        with self._lock:
            try:
                self._bring_in()
                self._append(notes, at)
            except CannotRecord as fault:
                self._note_locally(notes, at, fault)

    def _note_locally(self, notes: Sequence[Note], at: str, why: CannotRecord) -> None:
        if self.journal is None:
            raise why
        if not self._owed:
            with suppress(CannotRecord):  # it cannot be asked either: then behind the last place that we know
                self._seq = self._find_version()
            self._owed_after = self._seq
        try:
            written = self.journal.add(at, notes)
        except Exception as fault:  # whatever keeps it from being noted, there is no answer
            LOG.error("access cannot be noted in the journal either: %s", type(fault).__name__)
            raise CannotRecord from fault
        self._owed.update(written)
        LOG.warning("access noted in the journal, whose last line is now %s", written[-1])

    def _append(self, notes: Sequence[Note], at: str, before: Callable[[int], None] = lambda place: None) -> None:
        """`before` is done before each attempt, with the place in the stream that it tries."""
        for _ in range(TRIES):
            try:
                before(self._seq + 1)
                rows = enumerate(notes, self._seq + 1)
                self.record.append([own_note(ACCESS, seq, topic, at, dict(data)) for seq, (topic, data) in rows])
            except StaleVersion:
                self._seq = self._find_version()
                continue
            except Exception as fault:  # whatever keeps it from being recorded
                LOG.error("access cannot be recorded: %s", type(fault).__name__)
                raise CannotRecord from fault
            self._seq += len(notes)
            return
        raise CannotRecord

    def _find_version(self) -> int:
        try:
            return self.record.version(ACCESS)
        except Exception as fault:
            raise CannotRecord from fault

    def _bring_in(self) -> None:
        """In order and once, also where this process dies on the way. Errors: `CannotRecord`."""
        if self.journal is None:
            return
        try:
            if self.journal.holds_any():
                self.journal.bring_in(self._import)
            if self._owed:
                self._miss_what_was_cut_off()
        except JournalDamaged as fault:
            LOG.error("the journal of accesses is not what was written, from line %s on", fault.args[0])
            self._append([(ALARM, {"kind": "journal-damaged", "line": fault.args[0]})], stamp(self.clock()))
            self._owed.clear()
        except OSError as fault:
            raise CannotRecord from fault

    def _miss_what_was_cut_off(self) -> None:
        """What this process noted is in the record by now, whoever brought it in; or it was taken off the journal,
        whose lines that are left still follow each other. What a process noted that lives no more nobody misses."""
        missing = len(self._owed - self._brought_in(self._owed_after))
        if missing:
            LOG.error("accesses that were noted are missing from the journal: %s", missing)
            self._append([(ALARM, {"kind": "journal-cut", "lines": missing})], stamp(self.clock()))
        self._owed.clear()

    def _import(self, lines: Sequence[Line]) -> None:
        if self.journal is None:
            return
        begun = self.journal.attempted()
        there = self._brought_in(begun - 1) if begun else set()  # by an attempt that did not learn its end
        lines = [one for one in lines if one.digest not in there]
        if not lines:
            return
        attempt = self.journal.attempt
        self._append(
            [(one.topic, _by_journal(one)) for one in lines], stamp(self.clock()), lambda place: attempt(begun or place)
        )
        LOG.warning("accesses brought in from the journal: %s", len(lines))

    def _brought_in(self, after: int) -> set[str]:
        """The journal's lines that stand in the stream behind a place, by their digests."""
        try:
            return {
                str(fact.data["journal"]) for fact in self.record.facts(ACCESS, after=after) if "journal" in fact.data
            }
        except Exception as fault:
            raise CannotRecord from fault


def _by_journal(line: Line) -> dict[str, Any]:
    return {**line.data, "at": line.at, "journal": line.digest}


def opened_in(access: Mapping[str, Any]) -> set[int]:
    """The positions of the entries that one access showed."""
    return {position for line in access.get("classes", ()) for position in line["entries"]}
