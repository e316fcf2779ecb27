"""The embedded default: SQLite files, write-ahead logged. One writes at a time, in whichever process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from zlib import crc32

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from hub.store.database import Transaction
from hub.store.recorder import write
from hub.store.tables import SCHEMA, Writes, columns_of

WAITS_S = 30
"""How long a writer waits for another one."""
TAKE_TURN = "DELETE FROM source_head WHERE 0"
"""Changes nothing, and is a write: whatever is read after it cannot be another writer's too."""

OF_ONE_NUMBERING = "SELECT 1 FROM pragma_table_info('notice') WHERE name='caller' AND pk=0"
"""Finds a table of notices from when all agencies' were numbered together."""
COPIED = ("INSERT INTO notice SELECT * FROM notice_before", "DROP TABLE notice_before")


class SqliteTransaction:
    """See `Transaction`: over one cursor."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self._cursor.row_factory = None  # tuples: nobody asks for a column by its name, as the library does

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """See `Transaction`."""
        return self._cursor.execute(*_listed(statement, parameters)).fetchall()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """See `Transaction`."""
        return self._cursor.execute(*_listed(statement, parameters)).rowcount

    def insert(self, table: str, rows: Iterable[Sequence[Any]], *, unless_there: bool = False) -> None:
        """See `Transaction`."""
        marks = ",".join("?" * len(columns_of(table)))
        otherwise = " ON CONFLICT DO NOTHING" if unless_there else ""
        try:
            self._cursor.executemany(f"INSERT INTO {table} VALUES ({marks}){otherwise}", rows)  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise IntegrityError(table) from error


class SqliteFile:
    """See `Database`: one file under one connection, for the key store and the view."""

    def __init__(self, path: Path, schema: Sequence[str], *, disposable: bool = False) -> None:
        """What is `disposable` begins anew when its schema is another, and may lose its last commits with the power."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=WAITS_S)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'NORMAL' if disposable else 'FULL'}")
        with self.transaction():
            if disposable:
                self._drop_unless(crc32("".join(schema).encode()) & 0x7FFFFFFF)
            for statement in schema:
                self._db.execute(statement)

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        with self._lock:  # one connection: a reader must not see the rows of a transaction under way
            return self._db.execute(*_listed(statement, parameters)).fetchall()

    @contextmanager
    def transaction(self, *, turn: str = "", durable: bool = True) -> Iterator[Transaction]:
        """See `Database`: every writer waits for its turn, whatever it is called."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._db.cursor())
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def turn(self, name: str) -> AbstractContextManager[None]:
        """See `Database`: one process serves a file."""
        return nullcontext()

    def close(self) -> None:
        """See `Database`."""
        self._db.close()

    def _drop_unless(self, form: int) -> None:
        """Drop every table when the file was made for another form of them."""
        if self._db.execute("PRAGMA user_version").fetchone()[0] == form:
            return
        for (table,) in self._db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            self._db.execute(f"DROP TABLE {table}")
        self._db.execute(f"PRAGMA user_version={form}")


class SqliteRecord:
    """See `RecordDatabase`: the record's file under the library's own connections."""

    def __init__(self, path: Path | str) -> None:
        self._datastore = SQLiteDatastore(str(path), lock_timeout=WAITS_S)

    def recorder(self) -> ApplicationRecorder:
        """See `RecordDatabase`; makes the tables where they are missing."""
        recorder = SqliteRecorder(self._datastore)
        if self.query(OF_ONE_NUMBERING):
            with self.transaction() as transaction:
                for statement in ("ALTER TABLE notice RENAME TO notice_before", *SCHEMA, *COPIED):
                    transaction.execute(statement)
        recorder.create_table()
        return recorder

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        with self._datastore.transaction(commit=False) as c:
            return SqliteTransaction(c.sqlite_cursor).query(statement, parameters)

    @contextmanager
    def transaction(self, *, turn: str = "", durable: bool = True) -> Iterator[Transaction]:
        """See `Database`: every writer waits for its turn, whatever it is called."""
        with self._datastore.transaction(commit=True) as c:
            c.execute(TAKE_TURN)
            yield SqliteTransaction(c.sqlite_cursor)

    def turn(self, name: str) -> AbstractContextManager[None]:
        """See `Database`: one process serves a file."""
        return nullcontext()

    def close(self) -> None:
        """See `Database`."""
        self._datastore.close()


class SqliteRecorder(SQLiteApplicationRecorder):
    """The library's recorder with the hub's rows in the transaction of the facts."""

    def construct_create_table_statements(self) -> list[str]:
        """The library's table and the hub's."""
        return [*super().construct_create_table_statements(), *SCHEMA]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        writes = kwargs.get("writes") or Writes()
        c.execute(TAKE_TURN)
        write(SqliteTransaction(c.sqlite_cursor), stored_events, kwargs.get("received") or (), writes)
        return None  # the position in the log is their order, and the library's own numbering is asked by nobody


def _listed(statement: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """A mark for each value of the lists that stand for `IN ??` and `VALUES ??`."""
    if "??" not in statement:
        return statement, parameters
    values: list[Any] = []
    for one in parameters:
        if isinstance(one, list):
            marks = ",".join("?" * len(one))
            rows = statement.partition("??")[0].endswith("VALUES ")
            statement = statement.replace("??", f"({marks.replace(',', '),(')})" if rows else f"({marks})", 1)
            values += one
        else:
            values.append(one)
    return statement, values
