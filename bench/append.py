"""How near the limit the record's event table is: facts written through the hub's port, against the same bytes put in
by `COPY … BINARY` (PostgreSQL) and `executemany` (SQLite), same table, same keys, same durability.

*The event table alone* is a transaction in the writers' turn with the facts and nothing else, by the very calls with
which an append writes them. The *whole* transaction, as the recorder writes it for admitted records (log with its
hashes, inbox, head and receipts too), stands beside it and is not judged: no other side of it exists.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from bench.measure import (
    Figure,
    ServerClock,
    Signatures,
    a_postgres,
    as_served,
    cpu_us,
    judge,
    open_postgres,
    run,
)
from bench.rebuild import sealed
from bench.records import KINDS, Source
from hub.store.database import RecordDatabase
from hub.store.keys import WrappedKeys
from hub.store.mapper import BodyMapper
from hub.store.opening import open_databases
from hub.store.postgres import APPEND
from hub.store.recorder import stream_of
from hub.store.tables import InboxRow, ReceiptRow, Writes
from infra.postgres.server import OWNER, Server

SEED = 20240903
MADE = 1000
EVENTS = {1: 200, 100: 2_000, 1_000: 5_000}
"""Batch → events of one round of one side."""
FIGURES = (
    Figure("postgres_1000", "facts appended by 1,000, PostgreSQL, hub and server", "COPY BINARY of the same", 0.5),
    Figure("sqlite_1000", "facts appended by 1,000, SQLite", "executemany of the same", 0.7),
)
COLUMNS = "originator_id, originator_version, topic, state"
Batch = list[StoredEvent]


@dataclass
class Side:
    """One database: three ways to put a batch in, and whose CPU time counts."""

    alone: Callable[[Batch], object]
    limit: Callable[[Batch], object]
    whole: Callable[[Batch], object]
    clock: Callable[[], float]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench append", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    return run("append", lambda: measure(args.rounds), args.out)


def measure(rounds: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="append-")))
        made, signatures = make_facts(folder)
        server = opened.enter_context(a_postgres(autovacuum="off"))
        sides = {"sqlite": sqlite_side(folder, opened), "postgres": postgres_side(server, folder, opened)}
        as_served()
        measured = [one_round(sides, made, signatures) for _ in range(rounds + 1)][1:]
    return judge(FIGURES, measured, measured, state_bytes=sum(len(one.state) for one in made) // len(made))


def make_facts(folder: Path) -> tuple[Batch, Signatures]:
    """Facts as the record stores them, bodies encrypted."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    sources = [Source(name) for name in KINDS]
    raws, facts = zip(*sealed(sources, MADE, rng), strict=True)
    databases = open_databases(folder)
    mapper = BodyMapper(WrappedKeys(databases.keys, os.urandom(32)))
    stored = [mapper.to_stored_event(fact) for fact in facts]
    databases.close()
    return stored, Signatures(sources, raws)


def sqlite_side(folder: Path, opened: ExitStack) -> Side:
    """The hub's file, and another with the same table alone."""
    (folder / "hub").mkdir()
    databases = open_databases(folder / "hub")
    opened.callback(databases.close)
    recorder = databases.record.recorder()
    plain = sqlite3.connect(folder / "limit.db", isolation_level=None)
    opened.callback(plain.close)
    plain.execute("PRAGMA journal_mode=WAL")
    plain.execute("PRAGMA synchronous=FULL")
    ((table,),) = databases.record.query("SELECT sql FROM sqlite_master WHERE name='stored_events'")
    plain.execute(table)

    def limit(batch: Batch) -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany("INSERT INTO stored_events VALUES (?,?,?,?)", rows_of(batch))
        plain.execute("COMMIT")

    return Side(alone_in(databases.record), limit, lambda batch: append_whole(recorder, batch), time.process_time)


def postgres_side(server: Server, folder: Path, opened: ExitStack) -> Side:
    """The hub's database, and in it another table of the same form with the same keys."""
    databases = open_postgres(server, folder)
    opened.callback(databases.close)
    recorder = databases.record.recorder()
    plain = opened.enter_context(psycopg.connect(server.conninfo(OWNER), autocommit=True))
    plain.execute("CREATE TABLE the_limit (LIKE stored_events INCLUDING ALL)")
    plain.execute("ALTER TABLE the_limit SET (toast_tuple_target=8160)")
    databases.record.query("SELECT 1")
    clock = ServerClock(server.pid())

    def limit(batch: Batch) -> None:
        with plain.cursor() as cursor, cursor.copy(f"COPY the_limit ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["text", "int8", "text", "bytea"])
            for row in rows_of(batch):
                copy.write_row(row)

    return Side(
        alone_in(databases.record), limit, lambda batch: append_whole(recorder, batch),
        lambda: time.process_time() + clock(),
    )  # fmt: skip


def alone_in(database: RecordDatabase) -> Callable[[Batch], None]:
    """The facts alone, through the port."""

    def alone(batch: Batch) -> None:
        with database.transaction(turn=APPEND) as transaction:
            transaction.insert("stored_events", rows_of(batch))

    return alone


def append_whole(recorder: ApplicationRecorder, batch: Batch) -> None:
    """As admitted records of one source."""
    ids = [uuid4().hex for _ in batch]
    digests = [hashlib.sha256(id.encode()).hexdigest() for id in ids]
    source, at = "urn:safeguarding:source:northmarch-police:live", "2026-01-05T10:00:00.000+00:00"
    row = {"source": source, "outcome": "admitted", "reason": "", "note": "", "time": at}
    numbered = list(enumerate(zip(ids, digests, strict=True)))
    writes = Writes(
        inbox=[InboxRow(source, id, digest, digest[:32], digest, number) for number, (id, digest) in numbered],
        heads={source: (time.monotonic_ns(), digests[-1])},
        receipts=[
            ReceiptRow(source, digest, {**row, "id": id, "statement": digest}, number)
            for number, (id, digest) in numbered
        ],
    )
    recorder.insert_events(batch, writes=writes, received=[at] * len(batch))


def rows_of(batch: Batch) -> list[tuple[object, ...]]:
    """As the tables take them."""
    return [(stream_of(one), one.originator_version, one.topic, one.state) for one in batch]


def one_round(sides: dict[str, Side], made: Batch, signatures: Signatures) -> dict[str, float]:
    """CPU microseconds an event of each way in each batch size, by turns; and the ratios of limit to event table."""
    found = {"verify_us": signatures.verify_us()}
    for name, side in sides.items():
        for size, events in EVENTS.items():
            spent = dict.fromkeys(("alone", "limit", "whole"), 0.0)
            for _ in range(events // size):
                for way in spent:
                    spent[way] += cpu_us(partial(getattr(side, way), one_batch(made, size)), side.clock)
            found |= {f"{name}_{size}_{way}_us": cpu / events for way, cpu in spent.items()}
            found[f"{name}_{size}"] = spent["limit"] / spent["alone"]
    return found


def one_batch(made: Batch, size: int) -> Batch:
    """The same bytes again, each as the first fact of a child of its own."""
    return [StoredEvent(uuid4(), 1, one.topic, one.state) for one in made[:size]]


if __name__ == "__main__":
    sys.exit(main())
