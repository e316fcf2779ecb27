"""Makes the tables in PostgreSQL and says who may do what with them: as their owner, never as whoever runs the hub.

Run again it changes nothing; two at once follow one another. The running role gets no more than the hub does: nothing
that was recorded can be altered or deleted by it, and it can make no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from eventsourcing.persistence import OperationalError, PersistenceError
from psycopg.sql import Identifier

from hub.store.database import Database, Transaction
from hub.store.postgres import TYPES, PostgresDatabase
from hub.store.tables import KEYS_SCHEMA, SCHEMA, VIEW_SCHEMA

RIGHTS: Mapping[str, str] = {
    "stored_events": "SELECT, INSERT", "log": "SELECT, INSERT", "inbox": "SELECT, INSERT",
    "receipt": "SELECT, INSERT", "identity_index": "SELECT, INSERT", "source_head": "SELECT, INSERT, UPDATE",
    "hearing": "SELECT, INSERT, UPDATE",
    "consumed": "SELECT, INSERT, UPDATE", "relayed": "SELECT, INSERT, UPDATE",
    "quarantine": "SELECT, INSERT, UPDATE (state)", "notice": "SELECT, INSERT",
    "noticed": "SELECT, INSERT, UPDATE", "notice_waits": "SELECT, INSERT, DELETE",
    "token_once": "SELECT, INSERT, DELETE", "progress": "SELECT, INSERT, UPDATE, DELETE",
    "entry": "SELECT, INSERT, UPDATE, DELETE", "item_progress": "SELECT, INSERT, UPDATE, DELETE",
    "item": "SELECT, INSERT, DELETE", "item_read": "SELECT, INSERT, DELETE",
    "item_opened": "SELECT, INSERT, DELETE", "concerned_build": "SELECT, INSERT, UPDATE, DELETE",
    "concerned": "SELECT, INSERT, DELETE",
}  # fmt: skip
"""Table of the record's database → what the running role may do there."""
KEYS_RIGHTS: Mapping[str, str] = {"stream_key": "SELECT, INSERT", "event_key": "SELECT, INSERT"}
TYPE = re.compile(r"\b(TEXT|INTEGER|BLOB)\b")


SETTINGS = "HUB_DATABASE and HUB_KEYS_DATABASE"


class TablesMissing(Exception):
    """A database has not been made ready; the message says how."""


class CannotMigrate(Exception):
    """The tables cannot be made; the message says what to do."""


def migrate(database: PostgresDatabase, keys: PostgresDatabase, role: str) -> None:
    """Make or complete the tables of both databases, and give `role` its rights. Errors: `CannotMigrate`."""
    try:
        with database.transaction(turn="migrate") as owner:
            _find_role(owner, role)
            _make(owner, [*database.table_of_facts(), *map(_in_postgres, (*SCHEMA, *VIEW_SCHEMA)), *OWN])
            if not owner.query(EACH_ITS_NUMBERS):
                _make(owner, RENUMBERED)
            _grant(owner, RIGHTS, role)
        with keys.transaction(turn="migrate") as owner:
            _make(owner, map(_in_postgres, KEYS_SCHEMA))
            _grant(owner, KEYS_RIGHTS, role)
    except OperationalError as fault:
        words = f"see to the server and to what {SETTINGS} say"
        raise CannotMigrate(f"the tables cannot be made ({fault}); {words}") from fault
    except PersistenceError as fault:
        raise CannotMigrate(f"the tables cannot be made ({fault}); connect as the owner of both databases") from fault


def refuse_without_tables(database: Database, keys: Database) -> None:
    """Whoever starts a hub learns at once that its databases are not ready. Errors: `TablesMissing`."""
    for name, one, wanted in (("HUB_DATABASE", database, RIGHTS), ("HUB_KEYS_DATABASE", keys, KEYS_RIGHTS)):
        there = one.query("SELECT table_name FROM information_schema.tables WHERE table_schema='public'")
        missing = sorted(wanted.keys() - {row[0] for row in there})
        if missing:
            raise TablesMissing(
                f"{name}: no table {missing[0]} there, or no right to it; run `hub migrate` as the databases' owner"
            )
    if not database.query(EACH_ITS_NUMBERS):
        raise TablesMissing("HUB_DATABASE: its tables are an older hub's; run `hub migrate` as the databases' owner")


OWN = (
    "ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS rowid bigint GENERATED ALWAYS AS IDENTITY",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "ALTER TABLE stored_events SET (toast_tuple_target=8160)",
    "ALTER TABLE entry SET (toast_tuple_target=8160)",
)
"""Rows come back in the order in which they came, as in SQLite. Sealed bytes of a few kilobytes stay in their row: to
put them aside, and to try to compress what is encrypted, costs more than to keep them."""
EACH_ITS_NUMBERS = (
    "SELECT 1 FROM pg_constraint WHERE conrelid='notice'::regclass AND contype='p' AND array_length(conkey, 1)=2"
)
"""Finds nothing where the notices of all agencies were still numbered together."""
RENUMBERED = (
    "ALTER TABLE notice DROP CONSTRAINT notice_pkey, ADD PRIMARY KEY (caller, cursor)",
    "DROP INDEX IF EXISTS notice_after",
)


def _make(owner: Transaction, statements: Iterable[str]) -> None:
    for statement in statements:
        owner.execute(statement)


def _in_postgres(statement: str) -> str:
    """A declaration in PostgreSQL's words."""
    plain = statement.replace(" WITHOUT ROWID", "").replace(" AUTOINCREMENT", "")
    return TYPE.sub(lambda kind: TYPES[kind[1]], plain)


def _find_role(owner: Transaction, role: str) -> None:
    if not owner.query("SELECT 1 FROM pg_roles WHERE rolname=?", (role,)):
        raise CannotMigrate(f"there is no role {role}; make it first, or name yours: hub migrate --role NAME")


def _grant(owner: Transaction, rights: Mapping[str, str], role: str) -> None:
    name = Identifier(role).as_string()
    owner.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
    for table, may in rights.items():
        owner.execute(f"REVOKE ALL ON {table} FROM {name}")
        owner.execute(f"GRANT {may} ON {table} TO {name}")
    for (sequence,) in owner.query("SELECT sequencename FROM pg_sequences WHERE schemaname='public'"):
        owner.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {name}")
