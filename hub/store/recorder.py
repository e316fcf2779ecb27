"""What one append writes, in whichever database: the hub's own rows in the same transaction as the facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson
from eventsourcing.persistence import IntegrityError, StoredEvent

from hub.domain import hearing
from hub.store.database import Transaction
from hub.store.tables import HeardRow, Numbers, Offset, ReceiptRow, Writes
from schemas.log import leaf_hash

EventRow = tuple[str, int, str, bytes]
"""A row of the library's table: stream (32 hex digits), sequence number, contract, stored state."""
LAST_LEAVES = (
    "WITH wanted (stream) AS (VALUES ??) SELECT l.stream, l.seq, l.hash FROM wanted w JOIN log l"
    " ON l.stream=w.stream AND l.seq=(SELECT MAX(m.seq) FROM log m WHERE m.stream=w.stream)"
)


def write(
    transaction: Transaction, stored_events: Sequence[StoredEvent], received: Sequence[str], writes: Writes
) -> None:
    """Facts, log rows, inbox rows, heads, receipts, quarantine and index rows: all or nothing.

    Whoever calls holds the writers' turn, so that places in the log and receipts' cursors follow the order of commits.
    Errors: `IntegrityError` when a stream or the inbox moved since it was read.
    """
    for source, head in writes.heads.items():
        transaction.execute(
            "INSERT INTO source_head VALUES (?,?,?) ON CONFLICT (source) DO UPDATE SET sequence=excluded.sequence,"
            " digest=excluded.digest WHERE excluded.sequence > source_head.sequence",
            (source, *head),
        )
    events = [(stream_of(one), one.originator_version, one.topic, one.state) for one in stored_events]
    transaction.insert("stored_events", events)
    first = _append_log(transaction, events, received)
    _write_rows(transaction, writes, first)


def _append_log(transaction: Transaction, events: Sequence[EventRow], received: Sequence[str]) -> int:
    ((last,),) = transaction.query("SELECT COALESCE(MAX(position), 0) FROM log")
    hashes = _hashes_before(transaction, events)
    rows = []
    for position, ((stream, seq, _, state), at) in enumerate(zip(events, received, strict=True), last + 1):
        leaf = _leaf(stream, seq, state, hashes.get(stream, b""), at)
        hashes[stream] = digest = leaf_hash(leaf)
        rows.append((position, stream, seq, leaf, digest))
    transaction.insert("log", rows)
    return int(last) + 1


def _hashes_before(transaction: Transaction, events: Iterable[EventRow]) -> dict[str, bytes]:
    """The hash of each stream's last leaf before these events. Errors: `IntegrityError` when that is another."""
    begun: dict[str, int] = {}
    for stream, seq, _, _ in events:
        begun.setdefault(stream, seq)
    wanted = [stream for stream, seq in begun.items() if seq > 1]
    found = {}
    for stream, seq, digest in transaction.query(LAST_LEAVES, (wanted,)) if wanted else ():
        if seq == begun[stream] - 1:
            found[stream] = digest
    if len(found) < len(wanted):
        raise IntegrityError("a stream's last entry is not at the place before")
    return found


def _write_rows(transaction: Transaction, writes: Writes, first: int) -> None:
    """What belongs to the facts; `first` is the place in the log of the first of them."""
    transaction.insert(
        "inbox",
        [
            (r.source, r.id, r.datadigest, r.subject, r.statement, first + r.fact if r.fact >= 0 else 0)
            for r in writes.inbox
        ],
    )
    _write_receipts(transaction, writes.receipts, first)
    transaction.insert(
        "quarantine",
        [
            (
                q.id, q.caller, q.source, q.event, q.datadigest, q.subject, q.statement, q.reason, q.note,
                q.record, q.at, q.state, q.key, q.sealed,
            )
            for q in writes.quarantine
        ],
    )  # fmt: skip
    for id, state in writes.settled:
        if not transaction.execute("UPDATE quarantine SET state=? WHERE id=? AND state='open'", (state, id)):
            raise IntegrityError("somebody else settled what waited")
    transaction.insert("identity_index", writes.index, unless_there=True)
    for heard in writes.heard.values():
        _hear(transaction, heard)
    for numbers in writes.numbers:
        _count(transaction, numbers)
    for told in writes.told:
        _tell(transaction, *told)
    for offset in writes.offsets:
        _move(transaction, offset)


def _write_receipts(transaction: Transaction, receipts: Sequence[ReceiptRow], first: int) -> None:
    """Cursors go on from the last: a source that asks for what came after one misses none."""
    if not receipts:
        return
    ((last,),) = transaction.query("SELECT COALESCE(MAX(cursor), 0) FROM receipt")
    rows = []
    for cursor, receipt in enumerate(receipts, last + 1):
        if receipt.fact >= 0:
            receipt.row["position"] = first + receipt.fact
        receipt.row["cursor"] = cursor
        rows.append((cursor, receipt.caller, receipt.record, orjson.dumps(receipt.row)))
    transaction.insert("receipt", rows)


def _hear(transaction: Transaction, row: HeardRow) -> None:
    """Only forward: what a source said before its newest heartbeat is no news."""
    transaction.execute(
        "INSERT INTO hearing VALUES (?,?,?,?,?,?,'[]','') ON CONFLICT (source) DO UPDATE SET"
        " sequence=excluded.sequence, heard=excluded.heard, every_s=excluded.every_s,"
        " outstanding=excluded.outstanding, remarks=excluded.remarks WHERE excluded.sequence > hearing.sequence",
        (row.source, row.sequence, row.heard, row.every_s, row.outstanding, row.remarks),
    )


def _tell(transaction: Transaction, source: str, heard: str) -> None:
    """Each silence once, whoever notices it."""
    told = transaction.query(
        "INSERT INTO hearing VALUES (?,0,'',0,0,'','[]',?) ON CONFLICT (source) DO UPDATE SET told=excluded.told"
        " WHERE hearing.told <> excluded.told RETURNING 1",
        (source, heard),
    )
    if not told:
        raise IntegrityError(f"the silence of {source} was told already")


def _count(transaction: Transaction, numbers: Numbers) -> None:
    """What is missing is read and written in one turn, or two writers would forget each other's."""
    rows = transaction.query("SELECT missing FROM hearing WHERE source=?", (numbers.source,))
    before = [(first, last) for first, last in orjson.loads(rows[0][0])] if rows else []
    after = (
        hearing.filled(before, numbers.first) if numbers.came else hearing.opened(before, numbers.first, numbers.last)
    )
    transaction.execute(
        "INSERT INTO hearing VALUES (?,0,'',0,0,'',?,'') ON CONFLICT (source) DO UPDATE SET missing=excluded.missing",
        (numbers.source, orjson.dumps(after).decode()),
    )


def _move(transaction: Transaction, to: Offset) -> None:
    """The fence against a second reader: on from what is held within a generation, or to the next generation."""
    moved = transaction.query(
        "INSERT INTO consumed VALUES (?,?,?,?,?) ON CONFLICT (topic, part) DO UPDATE SET"
        " topic_id=excluded.topic_id, next=excluded.next, generation=excluded.generation"
        " WHERE excluded.generation = consumed.generation + 1 OR (excluded.generation = consumed.generation"
        " AND excluded.topic_id = consumed.topic_id AND consumed.next = ? AND excluded.next > consumed.next)"
        " RETURNING 1",
        (to.topic, to.part, to.topic_id, to.next, to.generation, to.since),
    )
    if not moved:
        raise IntegrityError(f"{to.topic} is read by somebody else")


def _leaf(stream: str, seq: int, state: bytes, prev: bytes, received: str) -> bytes:
    """The log's leaf, kept verbatim: nothing personal in it, and nothing that erasure would have to change.

    The kind stays coarse, because a telling name beside a stream would outlive the body.
    """
    head, _, body = state.partition(b"\n")
    return orjson.dumps(
        {
            "v": 1,
            "kind": "event",
            "stream": stream,
            "seq": seq,
            "prev": prev.hex(),
            "received": received,
            "head": hashlib.sha256(head).hexdigest(),
            "body": hashlib.sha256(body).hexdigest(),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def stream_of(stored: StoredEvent) -> str:
    """A stored event's stream as the tables hold it: 32 hex digits."""
    stream = stored.originator_id
    return stream.hex if isinstance(stream, UUID) else stream
