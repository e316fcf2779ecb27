"""From a file to the outbox: every record read, judged, sealed or kept, each once. Sends nothing.

What belongs to a batch of records (sealed rows, head, snapshots, ids, what was kept, the file's end) is one
transaction: a process that dies leaves whole batches, and reading again goes on where they end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.kit.agency import Agency, Format
from adapters.kit.broker import make_sealer
from adapters.kit.clock import Clock
from adapters.kit.events import Ready, get_version, make_name
from adapters.kit.files import Found, Look, digest_file, look_at, read_records
from adapters.kit.home import Home
from adapters.kit.judging import (
    EVENTS,
    MOVES_THE_SNAPSHOT,
    NEEDS_A_PERSON,
    NO_EVENT,
    UNMAPPABLE,
    UNREADABLE,
    Judge,
    Judged,
)
from adapters.kit.keeping import Kept
from adapters.kit.memory import Handled
from adapters.kit.outbox import Head, Outbox, Row
from adapters.kit.outcomes import NativeRecord, Unreadable
from adapters.kit.placing import Standing
from adapters.kit.progress import Progress
from adapters.kit.relevance import Sender
from adapters.kit.when import rfc3339
from schemas.envelope import CannotSeal

BATCH_RECORDS = 200
SETTLED = (EVENTS, NO_EVENT)
KNOWN = "known"
NAME_DIGITS = 12
"""Of the name by which a held-back record is sent: it says nothing of what it stands for."""


class FileChanged(Exception):
    """The file was still being written; it is left for the next time."""


@dataclass
class Tally:
    """How many records ended how, and how many events were sealed. `known` records had been handled before."""

    ends: Counter[str] = field(default_factory=Counter)
    sealed: int = 0

    @property
    def needs_a_person(self) -> int:
        return sum(self.ends[end] for end in NEEDS_A_PERSON)


@dataclass
class Intake:
    """Takes files into one outbox. `sender` is the person who chose to send them, if one did; `again` reads also files
    and held-back, held and unmappable records that were handled before."""

    agency: Agency
    home: Home
    outbox: Outbox
    clock: Clock
    progress: Progress
    sender: Sender | None = None
    again: bool = False
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        memory = self.outbox.memory
        self._judge = Judge(self.home.settings, self.home.secrets, memory, self.sender)
        self._sealer = make_sealer(self.home)

    def take_file(self, path: Path) -> bool:
        """Reads a file to its end, if its bytes were not read before. False if they were.

        Raises FileChanged if it is still growing, OSError if it cannot be opened.
        """
        look = look_at(path)
        digest = digest_file(path)
        if self.outbox.memory.has_file(digest) and not self.again:
            return False
        found = read_records(self.agency, path, self.home.settings)
        count = 0
        while True:
            with self.outbox.transaction():
                if not count:
                    self.outbox.memory.forget_unreadable(digest)
                taken = self._take_batch(found, digest, count)
                count += taken
                if taken < BATCH_RECORDS:
                    self._end_file(path, look, digest, count)
                    return True

    def _end_file(self, path: Path, look: Look, digest: str, count: int) -> None:
        if look_at(path) != look:
            raise FileChanged(path.name)
        self.outbox.memory.add_file(digest, path.name, count, self._now())
        self.progress.say_file(path.name, count)

    def _take_batch(self, found: Iterator[Found], digest: str, before: int) -> int:
        taken = 0
        for one in found:
            taken += 1
            end = self._take(one, digest, before + taken)
            self.tally.ends[end] += 1
            self.progress.count(self.tally.ends.total(), self.tally.sealed)
            if taken == BATCH_RECORDS:
                break
        return taken

    def _take(self, one: Found, digest: str, place: int) -> str:
        if isinstance(one.what, Unreadable) or one.format is None:
            return self._keep_unreadable(one.what, digest, place)
        return self._take_record(one.what, one.format, digest)

    def _keep_unreadable(self, what: NativeRecord | Unreadable, digest: str, place: int) -> str:
        if isinstance(what, Unreadable):
            self.outbox.memory.add_unreadable(digest, place, what, self._now())
        return UNREADABLE

    def _take_record(self, record: NativeRecord, format: Format, digest: str) -> str:
        version = get_version(record)
        handled = self.outbox.memory.find_handled(record.system, record.key, version)
        if handled is not None and (handled.outcome in SETTLED or not (self.again or self.sender)):
            return KNOWN
        return self._judge_and_keep(self._judge, record, format, handled, digest)

    def take_chosen(self) -> int:
        """Judges again what people chose to send. Gives how many records left."""
        with self.outbox.transaction():
            chosen = self.outbox.keeping.take_chosen()
            return sum(self._take_kept(self.outbox.keeping.find_named(name), by) for name, by in chosen)

    def take_history(self) -> int:
        """Judges again what is kept of the children about whom the hub asked. Gives how many records left."""
        with self.outbox.transaction():
            return sum(self._take_history_of(subject) for subject in self.outbox.noticing.find_history_asked())

    def _take_history_of(self, subject: str) -> int:
        self.outbox.noticing.end_history(subject)
        return self._take_kept(self.outbox.keeping.find_about(subject), self.sender)

    def _take_kept(self, found: Sequence[Kept], by: Sender | None) -> int:
        """What is still held back stays where it is."""
        judge, left = replace(self._judge, sender=by), 0
        for one in found:
            format = next((each for each in self.agency.formats if each.name == one.format), None)
            if format is not None:  # else an agency that reads this format no more
                end = self._judge_and_keep(judge, one.record, format, one.handled, one.file)
                self.tally.ends[end] += 1
                left += end == EVENTS
        return left

    def _judge_and_keep(
        self, judge: Judge, record: NativeRecord, format: Format, handled: Handled | None, digest: str
    ) -> str:
        version = get_version(record)
        last, before = self._find_last(record, handled)
        judged = judge.judge(format, record, last)
        judged = self._seal_all(record, judged)
        if handled is None:  # judged for the first time: every other version of these records is an earlier one
            for key in judged.takes_back:
                self.outbox.memory.settle_held_back(record.system, key)
        self._remember(record, version, judged, before, {"file": digest, "format": format.name})
        return judged.outcome

    def _find_last(self, record: NativeRecord, handled: Handled | None) -> tuple[NativeRecord | None, str | None]:
        """The version to compare with: for a record judged again, the one it was compared with the first time."""
        memory = self.outbox.memory
        last = memory.find_last(record.system, record.key)
        if handled is not None:
            last = memory.find_version(record.system, record.key, handled.before) if handled.before else None
        before = None if last is None else last.version
        if last is None and record.supersedes:
            last = memory.find_last(record.system, record.supersedes)
        return last, before

    def _seal_all(self, record: NativeRecord, judged: Judged) -> Judged:
        """All events of the record sealed, or none: what no door would open is unmappable."""
        head, at = self.outbox.get_head(), self.clock()
        rows: list[tuple[Ready, Row]] = []
        for ready in judged.ready:
            if self.outbox.has_sealed(ready.id):
                continue
            try:
                row, head = self._sealer.seal(ready, head, at)
            except CannotSeal as fault:
                return Judged(UNMAPPABLE, reason=f"It cannot be sealed: {fault}.", remarks=judged.remarks)
            rows.append((ready, row))
        self._write_rows(record, rows, head)
        for ready in judged.ready:
            published = Standing(ready.id, ready.name, ready.target, ready.as_)
            self.outbox.memory.add_published(record, ready.subject, published)
        return judged

    def _write_rows(self, record: NativeRecord, rows: list[tuple[Ready, Row]], head: Head) -> None:
        now = self._now()
        for ready, row in rows:
            self.outbox.add_sealed(row, ready.name, now)
            self.outbox.memory.add_person(ready.subject, record.system, now)
        self.outbox.move_head(head)
        self.tally.sealed += len(rows)

    def _remember(
        self,
        record: NativeRecord,
        version: str,
        judged: Judged,
        before: str | None,
        came: Mapping[str, str],
    ) -> None:
        memory = self.outbox.memory
        newest = memory.find_last(record.system, record.key)
        end = {"outcome": judged.outcome, "reason": judged.reason, "field": judged.field, "before": before}
        memory.add_handled(record, version, {**end, **came, "at": self._now()})
        if judged.held:
            secret = self.home.secrets.agency
            name = make_name(secret, "held-back", record.system, record.key, version)[:NAME_DIGITS]
            memory.add_held_about(record, version, {subject for _, subject in judged.held}, name)
        if judged.outcome in MOVES_THE_SNAPSHOT and (newest.version if newest else None) == before:
            memory.add_snapshot(record, version)

    def _now(self) -> str:
        return rfc3339(self.clock())
