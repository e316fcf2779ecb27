"""How fast the chronology view is rebuilt from zero, decryption on, and how long one child of 1,000 events takes.

Both over SQLite and PostgreSQL, against the bare verification of the same events' signatures. A rebuild is `rebuild` of
the view as it is: every fact opened, what has a narrative cut and sealed under its child's keys, a row written, the
build before it swept away. A child is `Record.child`: every fact opened and folded, no snapshot. The hub's own CPU
time counts, as in `ingest`, all threads; with PostgreSQL the server's, and what the clock says, is printed beside.
This process keeps to one core, as `ingest` keeps the hub. Signatures are verified between the batches of a rebuild and
between loads: a neighbour of the machine slows both alike.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from bench.measure import (
    ASSUMED,
    Figure,
    ServerClock,
    Signatures,
    a_postgres,
    as_served,
    judge,
    open_postgres,
    run,
)
from bench.records import EVENTS_A_CHILD, KINDS, Source, event
from bench.stage import BenchFault
from hub.projections.chronology import Chronology
from hub.store.entries import Stored
from hub.store.keys import WrappedKeys
from hub.store.mapper import Recorded
from hub.store.opening import Databases, open_databases, postgres
from hub.store.record import Record
from infra.postgres.server import DATABASES, OWNER, Server
from schemas.envelope import open_envelope

SEED = 20240903
BATCH = 500
LONG = 1000
"""Events of the one long child."""
LOADS = 5
"""How often that child is loaded in a round; their mean counts."""
SIGNATURES = 50
"""Verified at a time: about a third of the time that a batch of a rebuild takes."""
FIGURES = (
    Figure("postgres", "rebuilt events, PostgreSQL", "bare verifications", 40_000 / ASSUMED),
    Figure("sqlite", "rebuilt events, SQLite", "bare verifications", 12_000 / ASSUMED),
    Figure("child_postgres", f"a child of {LONG} events, PostgreSQL", "one bare verification", 120, least=False),
    Figure("child_sqlite", f"a child of {LONG} events, SQLite", "one bare verification", 120, least=False),
)


@dataclass
class Beside:
    """Verifications between the pieces of what is measured, and what they took: seconds of CPU, and by the clock."""

    signatures: Signatures
    count: int = 0
    own: float = 0.0
    clock: float = 0.0

    def verify(self) -> None:
        """Some of them."""
        began, own = time.perf_counter(), time.process_time()
        self.signatures.verify()
        self.own += time.process_time() - own
        self.clock += time.perf_counter() - began
        self.count += len(self.signatures)


@dataclass
class Store:
    """One hub's record and view."""

    record: Record
    view: Chronology
    server: ServerClock | None = None

    def spent(self, work: Callable[[Beside], object], signatures: Signatures) -> dict[str, float]:
        """Microseconds of this work without what it does `Beside`: CPU of this process, of it and the server
        where there is one, and by the clock; and of one verification beside it, CPU and by the clock.
        """
        beside = Beside(signatures)
        served, began, own = self.server() if self.server else 0.0, time.perf_counter(), time.process_time()
        work(beside)
        hub, clock = time.process_time() - own - beside.own, time.perf_counter() - began - beside.clock
        seconds = {
            "hub": hub, "all": hub + (self.server() - served if self.server else 0.0), "clock": clock,
            "verify": beside.own / beside.count, "verify_clock": beside.clock / beside.count,
        }  # fmt: skip
        return {name: one * 1e6 for name, one in seconds.items()}

    def rebuild(self, beside: Beside) -> None:
        """The view, with verifications before each batch that it asks for."""
        stored = self.record.stored

        def asked(*args: Any) -> list[Stored]:
            beside.verify()
            return stored(*args)

        with patch.object(self.record, "stored", asked):
            self.view.rebuild()

    def load(self, stream: UUID, beside: Beside) -> None:
        """One child, several times, with verifications between. Errors: `BenchFault`."""
        for _ in range(LOADS):
            beside.verify()
            if self.record.child(stream).version != LONG:
                raise BenchFault("the child was not loaded whole")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench rebuild", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="events of the rebuilt view (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    return run("rebuild", lambda: measure(args.events, args.rounds), args.out)


def measure(events: int, rounds: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    sources = [Source(name) for name in KINDS]
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="rebuild-")))
        server = opened.enter_context(a_postgres())
        stores = {"sqlite": open_store(open_databases(home)), "postgres": open_store(open_postgres(server, home))}
        for store in stores.values():
            opened.callback(store.record.close)
        raws, long = fill(list(stores.values()), sources, events, rng)
        analyse(server)
        stores["postgres"].server = ServerClock(server.pid())
        signatures = Signatures(sources, raws[:SIGNATURES])
        as_served()
        opened.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, {0})
        measured = [one_round(stores, signatures, len(raws), long) for _ in range(rounds + 1)][1:]
    return judge(FIGURES, [ratios(one) for one in measured], measured, events=len(raws))


def analyse(server: Server) -> None:
    """What the server does by itself a minute after so much was written: look at what its tables hold."""
    for name in DATABASES:
        owner = postgres(name, server.conninfo(OWNER, name))
        with owner.transaction() as transaction:
            transaction.execute("ANALYZE")
        owner.close()


def open_store(databases: Databases) -> Store:
    """A record and its view."""
    record = Record(databases.record, WrappedKeys(databases.keys, os.urandom(32)))
    return Store(record, Chronology(databases.view, record))


def fill(
    stores: Sequence[Store], sources: Sequence[Source], events: int, rng: random.Random
) -> tuple[list[bytes], UUID]:
    """The same sealed events into every record, ten a child from two sources, and one child of a thousand."""
    long = uuid4()
    raws: list[bytes] = []
    batch: list[Recorded] = []
    for raw, fact in [*sealed(sources, events, rng), *about(long, 0, LONG, sources, rng)]:
        raws.append(raw)
        batch.append(fact)
        if len(batch) == BATCH:
            for store in stores:
                store.record.append(batch)
            batch = []
    for store in stores:
        store.record.append(batch)
    return raws, long


def sealed(sources: Sequence[Source], events: int, rng: random.Random) -> Iterator[tuple[bytes, Recorded]]:
    """Events of many children, as they lie in a log: fifty children's mixed."""
    for first in range(0, events // EVENTS_A_CHILD, 50):
        children = range(first, min(first + 50, events // EVENTS_A_CHILD))
        mixed = [about(uuid4(), child + 1, EVENTS_A_CHILD, rng.sample(sources, 2), rng) for child in children]
        for _ in range(EVENTS_A_CHILD):
            yield from (next(one) for one in mixed)


def about(
    stream: UUID, child: int, count: int, sources: Sequence[Source], rng: random.Random
) -> Iterator[tuple[bytes, Recorded]]:
    """Sealed records of one child in turn by these sources, and each as the record keeps it."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    keys = {source.key.kid: source.key.entry(source=source.urn) for source in sources}
    for seq in range(1, count + 1):
        source = sources[seq % len(sources)]
        raw = source.seal(event(rng.choice(KINDS[source.name]), child, rng), child)
        one = open_envelope(raw, keys.get)
        topic = f"{one.data['event']}/v{one.data['version']}"
        yield raw, Recorded(stream, seq, topic, at, one.jws, one.salt, one.data_bytes)


def one_round(stores: dict[str, Store], signatures: Signatures, events: int, long: UUID) -> dict[str, float]:
    """Microseconds: an event rebuilt, a child loaded, a verification beside each: the hub's own CPU time, `all` with
    the server's, and by the `clock`. `…_events…`, events in a verification's time, are judged by the hub's own.
    """
    found = {}
    for name, store in stores.items():
        loaded = store.spent(partial(store.load, long), signatures)  # before the server still writes what was rebuilt
        rebuilt = store.spent(store.rebuild, signatures)
        ((count,),) = store.view.database.query("SELECT COUNT(*) FROM entry")
        if count != events:
            raise BenchFault(f"{count} of {events} events stand in the rebuilt view")
        for kind in ("hub", "all", "clock"):
            found[f"child_{name}_{kind}_us"] = loaded[kind] / LOADS
            found[f"rebuild_{name}_{kind}_us"] = rebuilt[kind] / events
        found[f"rebuild_{name}_a_second"] = 1e6 / found[f"rebuild_{name}_clock_us"]
        found[f"verify_{name}_us"] = rebuilt["verify"]
        found[f"{name}_events"] = rebuilt["verify"] / found[f"rebuild_{name}_hub_us"]
        found[f"{name}_events_all"] = rebuilt["verify"] / found[f"rebuild_{name}_all_us"]
        found[f"{name}_events_clock"] = rebuilt["verify_clock"] / found[f"rebuild_{name}_clock_us"]
        found[f"{name}_child"] = found[f"child_{name}_hub_us"] / loaded["verify"]
    return found


def ratios(one: dict[str, float]) -> dict[str, float]:
    """Rebuilds as rate against rate, a child in verifications."""
    rates = {name: one[f"{name}_events"] for name in ("sqlite", "postgres")}
    return rates | {f"child_{name}": one[f"{name}_child"] for name in ("sqlite", "postgres")}


if __name__ == "__main__":
    sys.exit(main())
