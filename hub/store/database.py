"""The port to a database: what record, key store and view need of one, and no more.

Statements are portable SQL (`ON CONFLICT` and `RETURNING` are known to both databases) and speak to the port with three
marks: `?` for a value, `IN ??` for a list of values and `VALUES ??` for a list as a table of one column. Tables are
declared once, in SQLite's words, and PostgreSQL reads the same declarations. Statements are ours; values are always
bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from eventsourcing.persistence import (
    ApplicationRecorder,
    DataError,
    InterfaceError,
    OperationalError,
    PersistenceError,
)

STORE_FAULTS = (PersistenceError, sqlite3.Error, OSError)
"""What goes wrong with the store itself, and not with a record: the call fails, nothing is set aside."""
STORE_AWAY = (OperationalError, InterfaceError, sqlite3.OperationalError)
"""Those of them that pass by when the store is there again."""
NOT_STORABLE = (DataError,)
"""Those of them that a value brought about, and that the same value brings about again."""


class Transaction(Protocol):
    """All or nothing: what happens between its beginning and its commit."""

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows that a statement gives, as tuples."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Carry out a statement; gives how many rows it changed."""

    def insert(self, table: str, rows: Iterable[Sequence[Any]], *, unless_there: bool = False) -> None:
        """Add rows at once, each with every column in the order of the declaration.

        Errors: `IntegrityError` for a row whose key is there, unless such rows are to be left as they are.
        """


class Database(Protocol):
    """One database. Safe between threads. Errors: `STORE_FAULTS`."""

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Read; gives rows as tuples."""

    def transaction(self, *, turn: str = "", durable: bool = True) -> AbstractContextManager[Transaction]:
        """Write. Those who name the same turn follow one another, in whichever process; others may overlap.

        What is not `durable` may be lost when the machine loses its power, never a part of it.
        """

    def turn(self, name: str) -> AbstractContextManager[None]:
        """Wait until no other process is in a turn of this name.

        A courtesy that saves work thrown away: nothing may rest on it, and it can be lost while it is held.
        """

    def close(self) -> None:
        """Let go of whatever was opened."""


class RecordDatabase(Database, Protocol):
    """The database of the record: it gives the library's recorder too."""

    def recorder(self) -> ApplicationRecorder:
        """The library's recorder, with the hub's rows in the transaction of the facts."""
