"""The outbox: one SQLite file, one process at a time, one transaction for all that belongs together.

Holds the sealed records with their state and the head of the source; what is remembered of the native side lies in the
same file and the same transactions (`memory.py`). Decides nothing, sends nothing.

States of a row: `pending` (to be sent), `sent` (no receipt yet), `admitted` and `duplicate` (cleared), `refused`
(quarantined or refused by the hub: kept, shown, not sent again).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kit.keeping import Keeping
from adapters.kit.memory import MEMORY_TABLES, NEW_IN_MEMORY, Memory
from adapters.kit.noticing import Noticing
from schemas.envelope import Receipt

SHAPE = 4
BEAT = "heartbeat"
"""What stands for an event's name in a heartbeat's row."""
UNSETTLED = "state IN ('pending', 'sent')"
NOT_OUR_MISTAKE = (
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PERM,
)  # fmt: skip
"""SQLite's primary codes, beside the full disk, for a file that does not take what is written."""

OWN_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE sealed (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, statement TEXT NOT NULL, record_sha256 TEXT NOT NULL,
    record BLOB, plain BLOB, size INTEGER NOT NULL, event TEXT NOT NULL, sealed_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', outcome TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    position INTEGER, cursor INTEGER NOT NULL DEFAULT 0, settled_at TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sealed_by_state ON sealed (state, sequence);
CREATE INDEX sealed_by_sequence ON sealed (sequence);
CREATE INDEX sealed_by_record ON sealed (record_sha256);
CREATE TABLE gap (at TEXT NOT NULL, own_sequence INTEGER NOT NULL, hub_sequence INTEGER NOT NULL);
"""


class OutboxLocked(Exception):
    """Another process works with this outbox. One source has one outbox and one process."""


class OutboxUnwritable(Exception):
    """The outbox's file cannot take what was to be written. All of that was left undone; nothing is lost."""


class OutboxForeign(Exception):
    """This file is not an outbox of this shape, or belongs to another source."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a source stands: the sequence of its last statement and that statement's digest (base64url); 0 and ""
    before the first."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """A sealed record on its way. Digests are hex SHA-256 of the statement's and of the record's bytes. `plain` is
    salt ‖ data of a version 2 record, which only the hub can open."""

    id: str
    sequence: int
    statement: str
    record_sha256: str
    record: bytes
    plain: bytes | None = None


class Outbox:
    """Open with `open_outbox`. Every writing method belongs inside `transaction()`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.memory = Memory(connection)
        self.keeping = Keeping(connection)
        self.noticing = Noticing(connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it, on disk when it ends. OutboxUnwritable when the file does not take it."""
        with _told_in_words():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise

    # -- the source's head

    def get_head(self) -> Head:
        """Our own head."""
        return Head(int(self.get_meta("head_sequence", 0)), str(self.get_meta("head_digest", "")))

    def move_head(self, head: Head) -> None:
        """The next seal goes on from here."""
        self.set_meta("head_sequence", head.sequence)
        self.set_meta("head_digest", head.digest)

    def record_gap(self, at: str, own: Head, hub: Head) -> None:
        """That what lies between our memory and the hub's head is not known to us any more."""
        self._db.execute("INSERT INTO gap VALUES (?, ?, ?)", (at, own.sequence, hub.sequence))

    def get_meta(self, name: str, default: Any) -> Any:
        """A remembered value by its name."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if found is None else found[0]

    def set_meta(self, name: str, value: Any) -> None:
        """Remembers a value under a name."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # -- sealed records

    def has_sealed(self, event_id: str) -> bool:
        """Was an event of this id ever sealed here? Then it never is again."""
        return self._db.execute("SELECT 1 FROM sealed WHERE id = ?", (event_id,)).fetchone() is not None

    def add_sealed(self, row: Row, event: str, at: str) -> None:
        """A new row to be sent."""
        self._db.execute(
            "INSERT INTO sealed (id, sequence, statement, record_sha256, record, plain, size, event, sealed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row.id, row.sequence, row.statement, row.record_sha256, row.record, row.plain, len(row.record), event, at),
        )

    def add_heartbeat(self, row: Row, at: str) -> None:
        """A new row to be sent that is no event of any record."""
        self.add_sealed(row, BEAT, at)
        self.set_meta("heartbeat_id", row.id)
        self.set_meta("heartbeat_at", at)

    def has_waiting_heartbeat(self, since: str) -> bool:
        """Is the last heartbeat without a receipt, or, if sealed later than this, in quarantine at the hub?"""
        waits = f"({UNSETTLED} OR (outcome = 'quarantined' AND sealed_at > ?))"
        given = self.get_meta("heartbeat_id", ""), since
        return self._db.execute(f"SELECT 1 FROM sealed WHERE id = ? AND {waits}", given).fetchone() is not None  # noqa: S608

    def replace_sealed(self, row: Row, at: str) -> None:
        """The same event sealed again under another sequence, to be sent."""
        self.replace_record(row)
        self._db.execute(
            "UPDATE sealed SET sequence = ?, statement = ?, sealed_at = ?, state = 'pending' WHERE id = ?",
            (row.sequence, row.statement, at, row.id),
        )

    def replace_record(self, row: Row) -> None:
        """The same statement in other bytes."""
        self._db.execute(
            "UPDATE sealed SET record = ?, record_sha256 = ?, size = ?, plain = ? WHERE id = ?",
            (row.record, row.record_sha256, len(row.record), row.plain, row.id),
        )

    def find_pending(self, most_records: int, most_bytes: int) -> list[Row]:
        """The next batch to send, in sequence: at most so many records and bytes, at least one if there is one."""
        batch: list[Row] = []
        size = 0
        cursor = self._db.execute(
            "SELECT id, sequence, statement, record_sha256, record FROM sealed WHERE state = 'pending'"
            " ORDER BY sequence LIMIT ?",
            (most_records,),
        )
        for found in cursor:
            row = Row(*found)
            size += len(row.record) + 1
            if batch and size > most_bytes:
                break
            batch.append(row)
        cursor.close()
        return batch

    def has_unsettled(self) -> bool:
        """Is any row still without a receipt?"""
        return self._db.execute(f"SELECT 1 FROM sealed WHERE {UNSETTLED} LIMIT 1").fetchone() is not None  # noqa: S608

    def find_unsettled_ids(self) -> list[str]:
        """The ids of every row without a receipt, in sequence."""
        found = self._db.execute(f"SELECT id FROM sealed WHERE {UNSETTLED} ORDER BY sequence")  # noqa: S608
        return [row[0] for row in found]

    def find_unhidden_ids(self) -> list[str]:
        """The ids of rows without a receipt whose record is version 1."""
        found = self._db.execute(f"SELECT id FROM sealed WHERE {UNSETTLED} AND plain IS NULL")  # noqa: S608
        return [row[0] for row in found]

    def get_row(self, event_id: str) -> Row:
        """A row whose bytes are still held."""
        question = "SELECT id, sequence, statement, record_sha256, record, plain FROM sealed WHERE id = ?"
        return Row(*self._db.execute(question, (event_id,)).fetchone())

    def mark_sent(self, ids: Sequence[str]) -> None:
        """They are on the wire; nothing is known of them until a receipt comes."""
        self._db.executemany("UPDATE sealed SET state = 'sent' WHERE id = ? AND state = 'pending'", [(i,) for i in ids])

    def mark_pending(self, ids: Sequence[str] | None = None) -> int:
        """Rows without a receipt are to be sent again: these, or all of them. Gives how many."""
        if ids is None:
            return self._db.execute("UPDATE sealed SET state = 'pending' WHERE state = 'sent'").rowcount
        return sum(
            self._db.execute("UPDATE sealed SET state = 'pending' WHERE id = ? AND state = 'sent'", (i,)).rowcount
            for i in ids
        )

    def mark_pending_between(self, first: int, last: int) -> None:
        """Rows of these sequences that have no receipt are to be sent again."""
        self._db.execute(
            "UPDATE sealed SET state = 'pending' WHERE state = 'sent' AND sequence BETWEEN ? AND ?", (first, last)
        )

    def send_again_after(self, sequence: int) -> int:
        """Rows that the hub once settled and, its head being behind them, no longer holds. Gives how many."""
        return self._db.execute(
            "UPDATE sealed SET state = 'pending', cursor = 0 WHERE sequence > ? AND record IS NOT NULL"
            " AND state IN ('admitted', 'duplicate')",
            (sequence,),
        ).rowcount

    def apply_receipt(self, receipt: Receipt, source: str) -> int | None:
        """Settles the row that this receipt is about and gives its sequence. None when it is about none of ours, byte
        for byte, or says nothing new."""
        found = self._db.execute(
            "SELECT id, sequence, statement, record_sha256, cursor, state FROM sealed"
            " WHERE id = ? OR record_sha256 = ?",
            (receipt.id, receipt.record),
        ).fetchall()
        for own_id, sequence, statement, record_sha256, cursor, state in found:
            if receipt.answers(source=source, id=own_id, statement=statement, record=record_sha256):
                if state not in ("pending", "sent") and receipt.cursor <= cursor:
                    return None
                self._settle(own_id, receipt)
                return int(sequence)
        return None

    def _settle(self, own_id: str, receipt: Receipt) -> None:
        state = receipt.outcome if receipt.settles else "refused"
        self._db.execute(
            "UPDATE sealed SET state = ?, outcome = ?, reason = ?, position = ?, cursor = ?, settled_at = ?"
            " WHERE id = ?",
            (state, receipt.outcome, receipt.reason, receipt.position, receipt.cursor, receipt.at, own_id),
        )

    def find_statements(self, sequence: int) -> set[str]:
        """Hex digests of our statements at this sequence: one, none where we hold none, two where a sequence forked."""
        return {row[0] for row in self._db.execute("SELECT statement FROM sealed WHERE sequence = ?", (sequence,))}

    def forget_sent(self, before: str) -> int:
        """Drops the bytes of cleared rows settled before this time; their ids stay for ever. Gives how many.

        Of heartbeats, which are never read a second time, nothing stays.
        """
        self._db.execute(
            "DELETE FROM sealed WHERE event = ? AND settled_at < ? AND state IN ('admitted', 'duplicate')",
            (BEAT, before),
        )
        return self._db.execute(
            "UPDATE sealed SET record = NULL, plain = NULL WHERE record IS NOT NULL AND settled_at < ?"
            " AND state IN ('admitted', 'duplicate')",
            (before,),
        ).rowcount

    # -- for people

    def select(self, question: str, *given: Any) -> list[tuple[Any, ...]]:
        """Rows for `status`."""
        return self._db.execute(question, given).fetchall()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def make_row(event_id: str, sequence: int, statement_bytes: bytes, record: bytes) -> Row:
    """A row with its digests."""
    statement, whole = (hashlib.sha256(part).hexdigest() for part in (statement_bytes, record))
    return Row(event_id, sequence, statement, whole, record)


@contextmanager
def open_outbox(path: Path, source: str, *, read_only: bool = False, beside: bool = False) -> Iterator[Outbox]:
    """The outbox of a source, made if there is none. To write it is locked: OutboxLocked if another process has it.

    `read_only` takes no lock and makes nothing; FileNotFoundError if there is none. So does `beside`, for a person who
    writes what no line of reading and sending rests on (that a notice was opened) while one runs.
    """
    if read_only or beside:
        if not path.exists():
            raise FileNotFoundError(path)
        outbox = Outbox(_connect(f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"))
        _check_owner(outbox, source)
        yield outbox
        outbox.close()
        return
    with _locked(path.with_suffix(".lock")):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = _connect(path.absolute().as_uri())
        with _told_in_words():
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        outbox = Outbox(connection)
        try:
            _make_tables(connection, outbox, source)
            _check_owner(outbox, source)
            yield outbox
        finally:
            outbox.close()


@contextmanager
def _told_in_words() -> Iterator[None]:
    """A full disk or a file that cannot be written becomes OutboxUnwritable; our own mistakes stay what they are."""
    try:
        yield
    except sqlite3.OperationalError as fault:
        code = fault.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_FULL:
            why = "the disk is full: outbox.db cannot take more. Nothing is lost; make room, and it goes on"
        elif code in NOT_OUR_MISTAKE:
            why = f"outbox.db cannot be written ({fault.sqlite_errorname}). Nothing is lost"
        else:
            raise
        raise OutboxUnwritable(why) from None


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=10)
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _make_tables(connection: sqlite3.Connection, outbox: Outbox, source: str) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        _upgrade(connection, outbox)
        return
    with outbox.transaction():
        for statement in (OWN_TABLES + MEMORY_TABLES).split(";\n"):
            connection.execute(statement)
        outbox.set_meta("shape", SHAPE)
        outbox.set_meta("source", source)


def _upgrade(connection: sqlite3.Connection, outbox: Outbox) -> None:
    """An outbox of the shape before this one gets what is new; what it holds stays."""
    with suppress(sqlite3.DatabaseError):  # one that is damaged, or none: whoever looks next says so
        if outbox.get_meta("shape", 0) == SHAPE - 1:
            with outbox.transaction():
                for statement in NEW_IN_MEMORY:
                    connection.execute(statement)
                outbox.set_meta("shape", SHAPE)


def _check_owner(outbox: Outbox, source: str) -> None:
    try:
        shape, owner = outbox.get_meta("shape", 0), outbox.get_meta("source", "")
    except sqlite3.DatabaseError:
        raise OutboxForeign("outbox.db is damaged or no outbox: restore it from the backup") from None
    if shape != SHAPE:
        raise OutboxForeign("outbox.db was made by another version of this adapter")
    if owner != source:
        raise OutboxForeign(f"outbox.db belongs to {owner}, adapter.toml names {source}: one source has one outbox")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutboxLocked(f"another process works with {path.parent}") from None
        yield
    finally:
        os.close(handle)
