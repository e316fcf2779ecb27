"""The library's SQLite recorder with the hub's own rows written in the same transaction as the facts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteApplicationRecorder, SQLiteCursor

from hub.store.tables import SCHEMA, Offset, ReceiptRow, Writes
from schemas.log import leaf_hash


class RecordRecorder(SQLiteApplicationRecorder):
    """Facts, log rows, inbox rows, heads, receipts, quarantine and index rows: all or nothing."""

    def construct_create_table_statements(self) -> list[str]:
        """The library's table and the hub's."""
        return [*super().construct_create_table_statements(), *SCHEMA]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        writes: Writes = kwargs.get("writes") or Writes()
        # The first statement writes, so that the position read next cannot be another writer's too.
        for source, head in writes.heads.items():
            c.execute(
                "INSERT INTO source_head VALUES (?,?,?) ON CONFLICT (source) DO UPDATE SET sequence=excluded.sequence,"
                " digest=excluded.digest WHERE excluded.sequence > sequence",
                (source, *head),
            )
        # All at once: the position in the log is their order, and the library's own numbering is asked by nobody.
        SQLiteAggregateRecorder._insert_events(self, c, stored_events)
        first = self._append_log(c, stored_events, kwargs.get("received") or ())
        self._write(c, writes, first)
        for offset in writes.offsets:
            self._move(c, offset)
        return None

    def _append_log(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], received: Sequence[str]) -> int:
        c.execute("SELECT COALESCE(MAX(position), 0) FROM log")
        first: int = c.fetchone()[0] + 1
        previous: dict[str, bytes] = {}
        rows = []
        for position, (stored, at) in enumerate(zip(stored_events, received, strict=True), first):
            stream = _hex(stored.originator_id)
            prev = previous.get(stream)
            if prev is None and stored.originator_version > 1:
                c.execute("SELECT hash FROM log WHERE stream=? AND seq=?", (stream, stored.originator_version - 1))
                prev = c.fetchone()[0]
            leaf = _leaf(stored, stream, prev or b"", at)
            previous[stream] = digest = leaf_hash(leaf)
            rows.append((position, stream, stored.originator_version, leaf, digest))
        c.executemany("INSERT INTO log VALUES (?,?,?,?,?)", rows)
        return first

    def _write(self, c: SQLiteCursor, writes: Writes, first: int) -> None:
        c.executemany(
            "INSERT INTO inbox VALUES (?,?,?,?,?,?)",
            [
                (r.source, r.id, r.datadigest, r.subject, r.statement, first + r.fact if r.fact >= 0 else 0)
                for r in writes.inbox
            ],
        )
        self._write_receipts(c, writes.receipts, first)
        c.executemany(
            "INSERT INTO quarantine VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    q.id, q.caller, q.source, q.event, q.datadigest, q.subject, q.statement, q.reason, q.note,
                    q.record, q.at, q.state, q.key, q.sealed,
                )
                for q in writes.quarantine
            ],
        )  # fmt: skip
        c.executemany("UPDATE quarantine SET state=? WHERE id=?", [(state, id) for id, state in writes.settled])
        c.executemany("INSERT OR IGNORE INTO identity_index VALUES (?,?)", writes.index)

    def _write_receipts(self, c: SQLiteCursor, receipts: Sequence[ReceiptRow], first: int) -> None:
        """Cursors go on from the last that was ever given, as the table's own numbering would."""
        c.execute("SELECT seq FROM sqlite_sequence WHERE name='receipt'")
        given = c.fetchone()
        rows = []
        for cursor, receipt in enumerate(receipts, (given[0] if given else 0) + 1):
            if receipt.fact >= 0:
                receipt.row["position"] = first + receipt.fact
            rows.append((cursor, receipt.caller, receipt.record, orjson.dumps(receipt.row)))
            receipt.row["cursor"] = cursor
        c.executemany("INSERT INTO receipt VALUES (?,?,?,?)", rows)

    def _move(self, c: SQLiteCursor, to: Offset) -> None:
        """The fence against a second reader: only forward within a generation, or to the next generation."""
        c.execute(
            "INSERT INTO consumed VALUES (?,?,?,?,?) ON CONFLICT (topic, part) DO UPDATE SET"
            " topic_id=excluded.topic_id, next=excluded.next, generation=excluded.generation"
            " WHERE excluded.generation = consumed.generation + 1 OR (excluded.generation = consumed.generation"
            " AND excluded.topic_id = consumed.topic_id AND excluded.next > consumed.next) RETURNING 1",
            (to.topic, to.part, to.topic_id, to.next, to.generation),
        )
        if c.fetchone() is None:
            raise IntegrityError(f"{to.topic} is read by somebody else")


def _leaf(stored: StoredEvent, stream: str, prev: bytes, received: str) -> bytes:
    """The log's leaf, kept verbatim: nothing personal in it, and nothing that erasure would have to change.

    The kind stays coarse, because a telling name beside a stream would outlive the body.
    """
    head, _, body = stored.state.partition(b"\n")
    return orjson.dumps(
        {
            "v": 1,
            "kind": "event",
            "stream": stream,
            "seq": stored.originator_version,
            "prev": prev.hex(),
            "received": received,
            "head": hashlib.sha256(head).hexdigest(),
            "body": hashlib.sha256(body).hexdigest(),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def _hex(stream: UUID | str) -> str:
    return stream.hex if isinstance(stream, UUID) else stream
