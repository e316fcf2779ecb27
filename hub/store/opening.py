"""Which databases a hub has: SQLite files in its home folder, or PostgreSQL where its settings name one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.store.database import Database, RecordDatabase
from hub.store.sqlite import SqliteFile, SqliteRecord
from hub.store.tables import KEYS_SCHEMA, VIEW_SCHEMA

if TYPE_CHECKING:
    from hub.store.postgres import PostgresDatabase


class BadDatabase(Exception):
    """A database cannot be used as it is; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Databases:
    """The record's, the key store's and the view's; the first and the last may be one."""

    record: RecordDatabase
    keys: Database
    view: Database

    def close(self) -> None:
        """Let go of all of them."""
        for one in (self.view, self.record, self.keys):
            one.close()


def open_databases(home: Path, database: str = "", keys_database: str = "") -> Databases:
    """The two connection strings are empty where the hub lives in files. Errors: `BadDatabase`."""
    if not database:
        return Databases(
            SqliteRecord(home / "record.db"),
            SqliteFile(home / "keys.db", KEYS_SCHEMA),
            SqliteFile(home / "views.db", VIEW_SCHEMA, disposable=True),
        )
    record, keys = postgres("HUB_DATABASE", database), postgres("HUB_KEYS_DATABASE", keys_database)
    return Databases(record, keys, record)


def postgres(name: str, conninfo: str) -> PostgresDatabase:
    """A PostgreSQL database; `name` is the setting that gives it. Errors: `BadDatabase`."""
    try:  # the embedded default runs without these libraries
        from hub.store.connections import BadConninfo
        from hub.store.postgres import PostgresDatabase
    except ImportError as missing:
        raise BadDatabase(
            f"{name} needs what is not installed: pip install safeguarding-hub[hub,postgres]"
        ) from missing
    try:
        return PostgresDatabase(conninfo)
    except BadConninfo as bad:
        raise BadDatabase(f"{name} cannot be used: {bad}") from bad


def make_ready(database: str, keys_database: str, role: str) -> None:
    """Make the tables in PostgreSQL as their owner, for `role` to run the hub with. Errors: `BadDatabase`."""
    record, keys = postgres("HUB_DATABASE", database), postgres("HUB_KEYS_DATABASE", keys_database)
    from hub.store.migrate import CannotMigrate, migrate

    try:
        migrate(record, keys, role)
    except CannotMigrate as fault:
        raise BadDatabase(str(fault)) from fault
    finally:
        record.close()
        keys.close()


def refuse_unready(databases: Databases) -> None:
    """Whoever starts learns at once what is missing; SQLite makes it as it is opened. Errors: `BadDatabase`."""
    if databases.view is not databases.record:
        return
    from hub.store.migrate import TablesMissing, refuse_without_tables

    try:
        refuse_without_tables(databases.record, databases.keys)
    except TablesMissing as missing:
        raise BadDatabase(str(missing)) from missing
