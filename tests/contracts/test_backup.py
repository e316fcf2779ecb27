"""Backup and point-in-time restore, rehearsed: what was recorded by the moment is whole again, what came after is gone.

The server's own `pg_basebackup` and log archive are used, as `infra/README.md` describes for a real one.
"""

from __future__ import annotations

import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from hub.projections.chronology import Chronology
from hub.store.entries import own_note
from hub.store.keys import WrappedKeys
from hub.store.opening import open_databases
from hub.store.record import Record
from infra.postgres.server import ADMIN, RUNNING, Server
from schemas.log import Tree, leaf_hash
from tests.stores import a_server, make_template

AT = "2025-03-03T12:00:00.000+00:00"
ARCHIVE = "test ! -f ../archive/%f && cp %p ../archive/%f.part && mv ../archive/%f.part ../archive/%f"
"""A file has its name once it is whole: who stops the server meanwhile leaves no half of one behind."""
ARCHIVING = {"archive_mode": "on", "archive_command": ARCHIVE}
REPLAYING = {"restore_command": "cp ../archive/%f %p", "recovery_target_action": "promote"}
LONGEST_S = 60


def opened(server: Server) -> tuple[Record, Chronology]:
    databases = open_databases(Path(), server.conninfo(RUNNING), server.conninfo(RUNNING, "hub_keys"))
    record = Record(databases.record, WrappedKeys(databases.keys, b"r" * 32))
    return record, Chronology(databases.view, record)


def tell(record: Record, view: Chronology, child: UUID, count: int) -> None:
    data = {"child": {}, "words": "seen"}
    for _ in range(count):
        record.append([own_note(child, record.version(child) + 1, "concern-logged/v1", AT, data)])
    view.catch_up()


def root(record: Record) -> bytes:
    leaves = record.query("SELECT leaf FROM log ORDER BY position")
    return Tree([leaf_hash(row[0]) for row in leaves]).root()


def test_a_server_restored_to_a_moment_holds_all_of_it_and_opens_it_and_goes_on() -> None:
    with a_server(**ARCHIVING) as server:
        archive, copy = server.folder / "archive", server.folder / "copy"
        archive.mkdir()
        server.own(archive)
        make_template(server)
        (record, view), child = opened(server), uuid4()
        tell(record, view, child, 10)
        server.copy(copy)
        tell(record, view, child, 10)
        wanted = root(record)
        with psycopg.connect(server.conninfo(ADMIN, "hub"), autocommit=True) as admin:
            admin.execute("SELECT pg_create_restore_point('before-the-mistake')")
            tell(record, view, child, 5)
            finished = admin.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        record.close()
        await_file(archive / str(finished and finished[0]))

        server.restore(copy, {**REPLAYING, "recovery_target_name": "before-the-mistake"})
        await_promotion(server)
        record, view = opened(server)
        assert record.position() == 20
        assert root(record) == wanted
        assert [fact.data["words"] for fact in record.facts(child)] == ["seen"] * 20
        assert view.catch_up() == 20
        tell(record, view, child, 1)
        assert [row.fact.seq for row in view.rows([child])] == list(range(1, 22))
        record.close()


def await_file(path: Path) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not path.exists():
        assert time.monotonic() < deadline, "the log was not archived"
        time.sleep(0.05)


def await_promotion(server: Server) -> None:
    """A server that replays its log answers, and takes no writes yet."""
    deadline = time.monotonic() + LONGEST_S
    with psycopg.connect(server.conninfo(ADMIN, "hub"), autocommit=True) as admin:
        while admin.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < deadline, "the log was not replayed"
            time.sleep(0.05)
