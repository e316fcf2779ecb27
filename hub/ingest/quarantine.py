"""Quarantine: records that a person, a key or an upgrade must look at. Kept encrypted, counted, visible, never dropped.

A table with owners, not a dead-letter topic: bytes are encrypted under a key of their own, and a record is settled by
trying it again through the same door, or by a person's refusal.
"""

from __future__ import annotations

import builtins
import hashlib
import os
from collections.abc import Mapping

from hub.store.record import Record
from hub.store.sealing import open_bytes, seal_bytes
from hub.store.streams import SOURCES
from hub.store.tables import QuarantineRow

OPEN = "open"
DIGEST_ONLY = b""
COLUMNS = ",".join(QuarantineRow.__slots__)


class NoSuchRecord(LookupError):
    """No quarantined record of this id waits."""


class Quarantine:
    """What waits, by caller."""

    def __init__(self, record: Record, *, quota: int) -> None:
        self.record, self.quota = record, quota

    def row(
        self, raw: bytes, caller: str, reason: str, note: str, said: tuple[Mapping[str, str], bytes] | None, at: str,
        *, before: int,
    ) -> QuarantineRow:  # fmt: skip
        """A record to set aside; beyond the caller's quota only its digest is kept.

        `said` is the statement and its bytes where the signature held, so that its id stays comparable; `before` is
        how many of the caller's wait already, those of its own batch too.
        """
        statement, statement_bytes = said or ({}, b"")
        key_id, sealed, digest = "", DIGEST_ONLY, hashlib.sha256(raw)
        if before < self.quota:
            key_id, key = self.record.keys.new_event_key(SOURCES)
            sealed = seal_bytes(key, raw, digest.digest())
        return QuarantineRow(
            os.urandom(8).hex(), caller, statement.get("source", ""), statement.get("id", ""),
            statement.get("datadigest", ""), statement.get("subject", ""),
            hashlib.sha256(statement_bytes).hexdigest() if said else "", reason, note, digest.hexdigest(), at, OPEN,
            key_id, sealed,
        )  # fmt: skip

    def receipt(self, row: QuarantineRow, outcome: str, at: str) -> dict[str, object]:
        """The receipt of a quarantined record as a mapping."""
        return {
            "source": row.source or row.caller, "id": row.event, "statement": row.statement, "outcome": outcome,
            "reason": row.reason, "position": None, "at": at, "cursor": 0, "record": row.record,
        }  # fmt: skip

    def list(self, state: str = OPEN) -> builtins.list[QuarantineRow]:
        """What stands in one state, oldest first, without its bytes."""
        rows = self.record.query(f"SELECT {COLUMNS} FROM quarantine WHERE state=? ORDER BY rowid", (state,))  # noqa: S608
        return [QuarantineRow(*row) for row in rows]

    def find(self, id: str) -> QuarantineRow:
        """A waiting record without its bytes. Errors: `NoSuchRecord`."""
        rows = self.record.query(f"SELECT {COLUMNS} FROM quarantine WHERE id=? AND state=?", (id, OPEN))  # noqa: S608
        if not rows:
            raise NoSuchRecord("no record of this id waits")
        return QuarantineRow(*rows[0])

    def open(self, id: str) -> tuple[QuarantineRow, bytes]:
        """A waiting record and its bytes. Errors: `NoSuchRecord`, also when only its digest was kept."""
        row = self.find(id)
        if not row.key:
            raise NoSuchRecord("only its digest was kept, the sender must send it again")
        key = self.record.keys.event_key(SOURCES, row.key)
        return row, open_bytes(key, row.sealed, bytes.fromhex(row.record))

    def count(self, caller: str) -> int:
        """How many of a caller's records wait."""
        rows = self.record.query("SELECT COUNT(*) FROM quarantine WHERE caller=? AND state=?", (caller, OPEN))
        count: int = rows[0][0]
        return count
