"""Admission: every record ends as admitted, duplicate or quarantined, and its sender is told which.

The order is the order of trust: the envelope, whose it is, whether it was seen, its form, which child. Refusal is for
trust, form or identity, never for meaning: a record that arrives late, early or out of order gets a remark. Facts,
inbox row, log row, source's head and receipt are one transaction; when another writer was faster everything is decided
again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from hub.domain import child as domain
from hub.domain.facts import Remark
from hub.domain.versions import taken_back
from hub.identity.assigning import assigned_to
from hub.ingest.batch import OTHER_CONTENT, Batch
from hub.ingest.hearing import AHEAD, News, follow, hear
from hub.ingest.keyring import Keyring, Sender, fold
from hub.ingest.misfit import FAULT, Waits, find_misfit
from hub.ingest.quarantine import Quarantine
from hub.ingest.resolve import Resolver, UnknownChild
from hub.ingest.sent import (
    Sent,
    contract,
    inbox_row,
    open_record,
    receipt_row,
    repeated,
    reported_fact,
    said_in,
    topic,
)
from hub.store.database import STORE_FAULTS
from hub.store.keys import KeyAway
from hub.store.mapper import Recorded
from hub.store.record import Record, StaleVersion
from hub.store.streams import IDENTITY, REGISTRY, SOURCES, staff_stream
from hub.store.tables import Offset, ReceiptRow
from hub.store.upcasters import upcast
from hub.watch import Watch
from schemas.catalogue import KINDS
from schemas.envelope import (
    HEARTBEAT,
    REPORT,
    Opened,
    Receipt,
    Refused,
    SealingKey,
)

LOG = logging.getLogger("hub.ingest")
TRIES = 20
FAULTY_AT_ONCE = 8
"""Each record that we stumble over has its batch decided again; after more than so many, one from Kafka is halved."""
VERSIONS_IN_MEMORY = 50_000


class Admission:
    """The one way into the record. Safe for several threads; other processes are met at the primary keys."""

    def __init__(
        self, record: Record, *, partnership: str, index_key: bytes, clock: Callable[[], datetime],
        clock_ahead_s: int = 60, quarantine_quota: int = 10_000, unseal: SealingKey | None = None,
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        self.record, self.partnership, self.clock, self.unseal = record, partnership, clock, unseal
        self.watch = watch or Watch()
        self.clock_ahead_s = clock_ahead_s
        self.keyring = Keyring()
        self.resolver = Resolver(record, index_key)
        self.quarantine = Quarantine(record, quota=quarantine_quota)
        self._versions: dict[UUID, int] = {}
        """Last sequence numbers of streams, as of this position in the log."""
        self._seen = 0
        self.commits = 0
        """How often this process committed something through this door."""
        self._lock = threading.RLock()

    def admit(self, records: Sequence[bytes], caller: str, offset: Offset | None = None) -> list[Receipt]:
        """Judge records in order and commit them; one receipt a record. `caller` is the source that sends them.

        `offset` is how far the caller's topic is read with these records; it is committed with them, and every one of
        them gets a new row of receipt, because nobody is there to be told at once. Errors: `OtherReader` where another
        process has read it further, and whatever it was where we stumble over too many of them: then nothing of this
        batch is written.
        """
        with self._lock:
            faulty: set[str] = set()
            opened = self._open_all(records)  # before its turn: what is dear is done by every process at once

            def judge(batch: Batch) -> list[ReceiptRow]:
                nonlocal opened
                if offset is not None:
                    self._claim(batch, offset)
                if opened[0] != self.keyring.seq:  # deciding again need not verify again
                    opened = self._open_all(records)
                return self._judge(batch, opened[1], caller, faulty)

            return self._retried(judge, caller)

    def set_aside(self, raw: bytes, caller: str, offset: Offset) -> Receipt:
        """Keep a record that can be neither admitted nor judged, and read on after it. Errors: `OtherReader`."""
        with self._lock:
            sent = Sent(raw, hashlib.sha256(raw).hexdigest(), Refused(FAULT.reason, FAULT.note))

            def keep(batch: Batch) -> list[ReceiptRow]:
                self._claim(batch, offset)
                return [self._set_aside(batch, sent, caller, FAULT, "")]

            return self._retried(keep, caller)[0]

    def restart(self, caller: str, offset: Offset, why: str) -> None:
        """Note that a caller's topic is read from its beginning as a new generation. Errors: `OtherReader`."""
        with self._lock:

            def note(batch: Batch) -> list[ReceiptRow]:
                self._claim(batch, offset)
                place = {"topic_id": offset.topic_id, "generation": offset.generation, "next": offset.next}
                batch.note(SOURCES, "feed-restarted/v1", {"source": caller, "why": why, **place})
                return []

            self._retried(note, caller)

    def _claim(self, batch: Batch, offset: Offset) -> None:
        """The transaction has the last word; asking before saves deciding a batch twenty times for nothing."""
        held = self.record.offset(offset.topic, offset.part)
        if held is not None and not offset.follows(held):
            raise OtherReader(offset.topic)
        batch.writes.offsets.append(offset)

    def admit_again(self, quarantine_id: str) -> Receipt:
        """Try a quarantined record once more through the same door; the receipt supersedes its first one."""
        with self._lock:
            caller = self.quarantine.find(quarantine_id).caller

            def again(batch: Batch) -> list[ReceiptRow]:
                _, raw = self.quarantine.open(quarantine_id)  # as it waits now
                return [self._one(batch, self._open_all([raw])[1][0], caller, quarantine_id)]

            return self._retried(again, caller)[0]

    def try_waiting(self, reason: str, caller: str = "") -> list[Receipt]:
        """Try again what waits for this reason, in the order in which it came: after an upgrade, or with a new key."""
        receipts = []
        for row in self.quarantine.list():
            if row.reason != reason or caller not in ("", row.caller) or not row.key:
                continue
            try:
                receipts.append(self.admit_again(row.id))
            except StillWaits:
                continue
        return receipts

    def refuse(self, quarantine_id: str, by: str) -> Receipt:
        """A person has looked: this record is never to be admitted."""
        with self._lock:
            caller = self.quarantine.find(quarantine_id).caller

            def settle(batch: Batch) -> list[ReceiptRow]:
                waiting = self.quarantine.find(quarantine_id)
                batch.settle(waiting.id, "refused")
                batch.note(SOURCES, "quarantine-settled/v1", {"id": quarantine_id, "state": "refused", "by": by})
                refused = self.quarantine.receipt(waiting, "refused", batch.at)
                return [batch.answer(ReceiptRow(caller, waiting.record, refused))]

            return self._retried(settle, caller)[0]

    def catch_up(self) -> None:
        """Follow what other processes registered or settled."""
        with self._lock:
            fold(self.record.facts(REGISTRY, after=self.keyring.seq), self.keyring)
            self.resolver.catch_up()

    def _retried(self, decide: Callable[[Batch], list[ReceiptRow]], caller: str) -> list[Receipt]:
        tries = 0
        while tries < TRIES:
            try:
                with self.record.database.turn("decide"):  # or two processes would decide most of their batches twice
                    answers = self._decided(decide)
            except StaleVersion:
                self.watch.retried()
                tries += 1
                self._forget()
                continue
            except _Again:
                self._forget()
                continue
            except BaseException:
                self._forget()
                raise
            receipts = [Receipt(**answer.row) for answer in answers]  # type: ignore[arg-type]
            self.watch.answered(caller, [(receipt.outcome, receipt.reason) for receipt in receipts])
            return receipts
        raise StaleVersion("other writers were always faster")

    def _decided(self, decide: Callable[[Batch], list[ReceiptRow]]) -> list[ReceiptRow]:
        """Decide on what is recorded now, and record it. Errors: `StaleVersion`."""
        self.catch_up()
        self._catch_up_with_versions()
        self._versions |= {IDENTITY: self.resolver.register.seq, REGISTRY: self.keyring.seq}  # as far as was decided on
        batch = Batch(self.record, self.clock(), self._versions)
        answers = decide(batch)
        began = time.perf_counter()
        self.record.append(batch.facts, batch.writes)
        self.commits += 1
        self.watch.appended(len(answers), time.perf_counter() - began)
        firsts = (row.row["position"] - row.fact for row in batch.writes.receipts if row.fact >= 0)  # type: ignore[operator]
        if next(firsts, 0) == self._seen + 1:
            self._seen += len(batch.facts)
        return answers

    def _catch_up_with_versions(self) -> None:
        """The last sequence numbers that we hold follow what other processes appended."""
        if not self._versions or len(self._versions) > VERSIONS_IN_MEMORY:
            self._versions.clear()
            self.resolver.clear()
            self._seen = self.record.position()
            return
        appended = "SELECT stream, MAX(seq), MAX(position) FROM log WHERE position>? GROUP BY stream"
        for stream, seq, position in self.record.query(appended, (self._seen,)):
            self._seen = max(self._seen, position)
            written = UUID(stream)
            self.resolver.appended(written)
            self._versions[written] = seq

    def _forget(self) -> None:
        self.resolver.forget()
        self._versions.clear()

    def _judge(self, batch: Batch, sent: Sequence[Sent], caller: str, faulty: set[str]) -> list[ReceiptRow]:
        batch.look_up(caller, [one.digest for one in sent], [one.id for one in sent if one.id])
        opened = (one.opened for one in sent)
        self.resolver.prepare(batch, (one for one in opened if isinstance(one, Opened)))
        return [self._isolated(batch, one, caller, faulty) for one in sent]

    def _isolated(self, batch: Batch, sent: Sent, caller: str, faulty: set[str]) -> ReceiptRow:
        """One record that we stumble over stops no other: the batch is decided again with that one set aside."""
        if sent.digest in faulty:
            return self._set_aside(batch, sent, caller, FAULT, "")
        try:
            return self._one(batch, sent, caller)
        except (StaleVersion, KeyAway, *STORE_FAULTS):
            raise
        except Exception as fault:  # one of the two loops that must not die
            LOG.error("a record could not be judged: source=%s fault=%s", caller, type(fault).__name__)
            faulty.add(sent.digest)
            if len(faulty) > FAULTY_AT_ONCE and batch.writes.offsets:
                raise
            raise _Again from fault

    def _open_all(self, records: Sequence[bytes]) -> tuple[int, list[Sent]]:
        """(state of the keyring, what each envelope says by it)."""
        return self.keyring.seq, [open_record(raw, self.keyring.event_key, self.unseal) for raw in records]

    def _one(self, batch: Batch, sent: Sent, caller: str, again: str = "") -> ReceiptRow:
        if not again and (earlier := batch.answered.get(sent.digest)):
            same = repeated(earlier, batch.at)  # the very same bytes: the same answer
            return batch.answer(same) if batch.writes.offsets else same
        opened = sent.opened
        if isinstance(opened, Refused):
            if opened.statement and opened.statement_bytes and opened.statement["source"] == caller:
                follow(batch, opened.statement, hashlib.sha256(opened.statement_bytes).hexdigest())
            return self._set_aside(batch, sent, caller, Waits(opened.step, opened.why), again)
        if opened.statement["source"] != caller:
            return self._set_aside(batch, sent, caller, Waits("not-callers-source"), again)
        return self._opened(batch, sent, opened, caller, again)

    def _opened(self, batch: Batch, sent: Sent, opened: Opened, caller: str, again: str) -> ReceiptRow:
        statement = opened.statement
        remarks = follow(batch, statement, opened.statement_sha256)
        if batch.contradicts(statement, again):
            LOG.error("same id with other content: source=%s id=%s", statement["source"], statement["id"])
            return self._set_aside(batch, sent, caller, Waits(OTHER_CONTENT), again)
        if batch.admitted(statement):  # what only waits is no duplicate: these bytes may be the ones that are whole
            batch.settle(again, "duplicate")
            return batch.answer(ReceiptRow(caller, sent.digest, receipt_row(sent, opened, "duplicate", batch.at)))
        sender = self.keyring.senders[caller]
        waits = self._retired(opened) or sent.form or find_misfit(opened, sender, self.keyring, self.partnership)
        if waits:
            return self._set_aside(batch, sent, caller, waits, again)
        if not sender.history:
            remarks += [*self._clock(batch, statement), *sent.late]
        if statement["type"] == HEARTBEAT and (news := hear(batch, opened, remarks)) is not News.CHANGE:
            batch.settle(again, news)
            row = ReceiptRow(caller, sent.digest, receipt_row(sent, opened, news, batch.at))
            return batch.answer(row) if batch.writes.offsets else row
        try:
            stream = self._stream(batch, opened, sender)
        except UnknownChild:
            return self._set_aside(batch, sent, caller, Waits("unknown-child"), again)
        index = self._record(batch, opened, stream, remarks)
        batch.remember(inbox_row(opened, index))
        batch.settle(again, "admitted")
        return batch.answer(ReceiptRow(caller, sent.digest, receipt_row(sent, opened, "admitted", batch.at), index))

    def _retired(self, opened: Opened) -> Waits | None:
        last = self.keyring.retired.get(opened.kid)
        late = last is not None and int(opened.statement["sequence"]) > last
        return Waits("key-retired", f"signs up to sequence {last}") if late else None

    def _clock(self, batch: Batch, statement: dict[str, str]) -> list[Remark]:
        ahead = (datetime.fromisoformat(statement["recordedtime"]) - batch.now).total_seconds()
        return [Remark(AHEAD, f"by {round(ahead)} s")] if ahead > self.clock_ahead_s else []

    def _stream(self, batch: Batch, opened: Opened, sender: Sender) -> UUID:
        if opened.statement["type"] != REPORT:
            return SOURCES
        _, _, data = upcast(*contract(opened), opened.data)
        kind = KINDS[data["event"]]
        if kind.about == "staff":
            return staff_stream(data["details"]["person"])
        if kind.about == "service":
            return IDENTITY if kind.name.startswith("identity-") else SOURCES
        return self.resolver.child(batch, opened.statement, data, kept=sender.kept)

    def _record(self, batch: Batch, opened: Opened, stream: UUID, remarks: list[Remark]) -> int:
        """What the domain makes of it, as rows; gives the index of the reported fact itself."""
        if contract(opened)[0] not in domain.REMARKED and stream != IDENTITY and not opened.data.get("references"):
            self._add(batch, opened, stream, remarks)  # as most are: nobody asks what it changes
            return len(batch.facts) - 1
        reported = reported_fact(opened, stream, tuple(remarks), batch.at)
        child = self._child(batch, stream) if domain.rests_on_child(reported) else domain.NOTHING_YET
        for fact in domain.receive(child, reported):
            seq = self._add(batch, opened, stream, fact.remarks)
            if stream == IDENTITY:
                self.resolver.settled(fact._replace(seq=seq))
        if taken_back(reported):
            self.resolver.unlearn(stream)
        return len(batch.facts) - 1

    def _add(self, batch: Batch, opened: Opened, stream: UUID, remarks: Iterable[Remark]) -> int:
        """One row, with what was sent as it was sent; gives its sequence number."""
        seq = batch.next_seq(stream)
        notes = [{"code": remark.code, "note": remark.note} for remark in remarks]
        batch.add(Recorded(stream, seq, topic(opened), batch.at, opened.jws, opened.salt, opened.data_bytes, notes))
        self.resolver.recorded(stream)
        return seq

    def _child(self, batch: Batch, stream: UUID) -> domain.Child:
        """The child so far, whichever of its ids an event came under, with what this batch already adds."""
        theirs = assigned_to(self.resolver.register, stream)
        if len(theirs.streams) == len(theirs.members):  # no split and no move: what stands there is the child's
            return batch.child(theirs.streams)
        standing = filter(domain.is_standing, theirs.read(batch.facts_of))
        return domain.fold(sorted(standing, key=lambda fact: fact.admitted))

    def _set_aside(self, batch: Batch, sent: Sent, caller: str, waits: Waits, again: str) -> ReceiptRow:
        if again:
            raise StillWaits(waits.reason)
        said = said_in(sent.opened) if waits.reason != "not-callers-source" else None
        if batch.waited is None:
            batch.waited = self.quarantine.count(caller)
        before = batch.waited + len(batch.writes.quarantine)
        row = self.quarantine.row(sent.raw, caller, waits.reason, waits.note, said, batch.at, before=before)
        batch.set_aside(row)
        batch.note(SOURCES, "record-quarantined/v1", {"id": row.id, "record": row.record, "reason": row.reason})
        LOG.warning("quarantined: caller=%s reason=%s id=%s", caller, waits.reason, row.id)
        return batch.answer(ReceiptRow(caller, row.record, self.quarantine.receipt(row, "quarantined", batch.at)))


class _Again(Exception):
    """Decide the batch again: one record of it is known to be faulty now."""


class OtherReader(Exception):
    """Another process reads this topic, and is further; the argument is the topic."""


class StillWaits(Exception):
    """The record was tried again and the same door still sets it aside; the argument is the reason code."""
