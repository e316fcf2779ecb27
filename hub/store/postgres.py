"""PostgreSQL behind the port: transactions in turns, and the library's recorder with facts written as columns.

Rows go as a binary copy or as one array a column: the library's own array of composites costs five times as much and
can stall for ever in a pipeline when a batch is large. Nothing here makes a table; `migrate` does, as another role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.rows import DictRow, tuple_row

from hub.store.arrays import packed
from hub.store.connections import Connections
from hub.store.database import Transaction
from hub.store.recorder import write
from hub.store.tables import Writes, columns_of

APPEND = "append"
"""The turn of whoever appends to the record: places in the log and cursors of receipts follow the order of commits."""
TURNS = {
    APPEND: 7_340_001, "follow": 7_340_002, "migrate": 7_340_003, "decide": 7_340_004, "tell": 7_340_005,
    "items": 7_340_006, "concerned": 7_340_007, "telling": 7_340_008,
}  # fmt: skip
"""Turn → the advisory lock that stands for it. A table lock would need rights over the facts that nobody has."""
TYPES = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}
MOST = 2**62
COPIED = 50
"""So many rows go as a copy, which costs two journeys more and less for each row."""


class ServerNotReached(OperationalError):
    """Nothing listens where the setting says."""


class PasswordRefused(OperationalError):
    """The server does not take the role's password, or the passfile has none for it."""


class NoSuchDatabase(OperationalError):
    """The server has no database of that name."""


NOT_CONNECTED: dict[str, type[OperationalError]] = {
    "Connection refused": ServerNotReached,
    "password authentication failed": PasswordRefused,
    "no password supplied": PasswordRefused,
    "does not exist": NoSuchDatabase,
}
"""What libpq says while it connects → the name under which an operator meets it; the words themselves stay here."""


class PostgresTransaction:
    """See `Transaction`: over one cursor."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """See `Transaction`."""
        return self._cursor.execute(_translated(statement), packed(parameters), binary=True).fetchall()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """See `Transaction`."""
        return self._cursor.execute(_translated(statement), packed(parameters)).rowcount

    def insert(self, table: str, rows: Iterable[Sequence[Any]], *, unless_there: bool = False) -> None:
        """See `Transaction`: many rows as a binary copy, few as one statement with one array a column."""
        waiting = iter(rows)
        given = list(waiting if unless_there else islice(waiting, COPIED))
        if len(given) == COPIED and not unless_there:
            statement, types = _copying(table)
            with self._cursor.copy(statement) as copy:
                copy.set_types(types)
                for row in chain(given, waiting):
                    copy.write_row(row)
        elif given:
            arrays = [list(column) for column in zip(*given, strict=True)]
            self._cursor.execute(_insertion(table, unless_there), packed(arrays))


class PostgresDatabase:
    """See `RecordDatabase`. It connects when it is first asked, and again after the server was away."""

    def __init__(self, conninfo: str) -> None:
        """`conninfo` is libpq's, without a password: that stands in a `passfile`. Errors: `BadConninfo`."""
        self._datastore = PooledDatastore(Connections(conninfo))

    def recorder(self) -> ApplicationRecorder:
        """See `RecordDatabase`."""
        return PostgresRecorder(self, self._datastore)

    def table_of_facts(self) -> list[str]:
        """How the library makes its table and its index; its composite type and functions have no use here."""
        made = PostgresRecorder(self, self._datastore).sql_create_statements
        texts = [statement.as_string() for statement in made]
        return [text for text in texts if re.match("CREATE (TABLE|UNIQUE INDEX)", text)]

    def close(self) -> None:
        """See `Database`."""
        self._datastore.close()

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """See `Database`."""
        with self._cursor() as cursor:
            return PostgresTransaction(cursor).query(statement, parameters)

    @contextmanager
    def transaction(self, *, turn: str = "", durable: bool = True) -> Iterator[Transaction]:
        """See `Database`."""
        begin = ["BEGIN"]
        if turn:
            begin.append(f"SELECT pg_advisory_xact_lock({TURNS[turn]})")
        if not durable:
            begin.append("SET LOCAL synchronous_commit=off")
        with self._cursor() as cursor:
            cursor.execute("; ".join(begin))
            try:
                yield PostgresTransaction(cursor)
            except BaseException:
                _give_up(cursor.connection)
                raise
            if cursor.execute("COMMIT").statusmessage != "COMMIT":
                raise OperationalError("the server rolled back instead")

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """See `Database`. Whoever stands still in it loses it after five seconds."""
        with self._cursor() as cursor:
            cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({TURNS[name]})")
            try:
                yield
            finally:
                _give_up(cursor.connection)

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        with self._datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            yield cursor


class PooledDatastore(PostgresDatastore):
    """The library's datastore over our connections, and silent about values."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        super().__init__(dbname="", host="", port="", user="", password="", originator_id_type="text")

    def close(self) -> None:
        """Close every connection."""
        self.connections.close()

    def register_type_adapters(self) -> None:
        """None: facts are no composites here, and so a record is opened without asking the server."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection of the pool. The server's words about a fault may hold values, so only its kind goes on."""
        try:
            with self.connections.connection() as connection:
                yield connection
        except psycopg.Error as fault:
            raise _fault_of(fault) from None


class PostgresRecorder(PostgresApplicationRecorder):
    """The library's recorder with the hub's rows in the transaction of the facts, and streams as 32 hex digits."""

    def __init__(self, database: PostgresDatabase, datastore: PooledDatastore) -> None:
        self._database = database
        super().__init__(datastore)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Facts and rows in one transaction, always in the writers' turn: a receipt has a cursor too.

        Nothing is tried again here: when the answer to a commit was lost, whoever called decides again, and meets what
        was written at the primary keys.
        """
        writes = kwargs.get("writes") or Writes()
        with self._database.transaction(turn=APPEND) as transaction:
            write(transaction, stored_events, kwargs.get("received") or (), writes)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The library's, with the order and limits that the record asks for."""
        stream = originator_id.hex if isinstance(originator_id, UUID) else originator_id
        order = "DESC" if desc else "ASC"
        rows = self._database.query(
            "SELECT originator_version, topic, state FROM stored_events WHERE originator_id=? AND originator_version>?"  # noqa: S608
            f" AND originator_version<=? ORDER BY originator_version {order} LIMIT ?",
            (stream, gt or 0, MOST if lte is None else lte, MOST if limit is None else limit),
        )
        return [StoredEvent(UUID(stream), *row) for row in rows]


def _give_up(connection: psycopg.Connection[Any]) -> None:
    """Roll back; a connection that cannot is closed, and the server rolls back by itself."""
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def _fault_of(fault: psycopg.Error) -> PersistenceError:
    """The library's name for a fault. Errors carry no personal data: a violated key's values stay here."""
    said = f"{type(fault).__name__} {fault.sqlstate or ''}".strip()
    if isinstance(fault, psycopg.IntegrityError):
        return IntegrityError(f"{said} {fault.diag.constraint_name or ''}".strip())
    if isinstance(fault, (psycopg.OperationalError, psycopg.InterfaceError)):
        kind = next((kind for words, kind in NOT_CONNECTED.items() if words in str(fault)), None)
        return kind(kind.__name__) if kind else OperationalError(said)
    other = DataError if isinstance(fault, psycopg.DataError) else DatabaseError
    return other(f"{said} {fault.diag.message_primary or ''}".strip())


@lru_cache(maxsize=256)
def _translated(statement: str) -> str:
    return statement.replace("IN ??", "= ANY(%b)").replace("VALUES ??", "SELECT unnest(%b)").replace("?", "%s")


@lru_cache(maxsize=64)
def _insertion(table: str, unless_there: bool) -> str:
    columns = columns_of(table)
    arrays = ",".join(f"%b::{TYPES[kind]}[]" for _, kind in columns)
    names = ",".join(f'"{name}"' for name, _ in columns)
    otherwise = " ON CONFLICT DO NOTHING" if unless_there else ""
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){otherwise}"  # noqa: S608


@lru_cache(maxsize=64)
def _copying(table: str) -> tuple[str, list[str]]:
    columns = columns_of(table)
    names = ",".join(f'"{name}"' for name, _ in columns)
    return f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)", [TYPES[kind] for _, kind in columns]
