"""From Kafka to the committed record, against opening and checking the same records: how much of the limit is reached.

Real servers on loopback: Apache Kafka over TLS, PostgreSQL. `hub consume` runs as always, kept to one core; its CPU
time counts, all threads, while it works through topics that were filled before. By turns with it, a tenth of a second
each and on the same core, this process verifies the same signatures and opens and checks the same records: a neighbour
of the machine slows a core for a moment, and then both. Rounds end with a commit; the medians of their ratios count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from bench.records import KINDS, PARTNERSHIP, Source, make_batches
from bench.spine import SEED, machine
from bench.stage import OFFICER, READY_S, BenchFault
from hub import bootstrap
from hub.settings import Settings
from hub.store.opening import make_ready, open_databases
from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.postgres.server import OWNER, RUNNING, Server
from schemas.check import check_event
from schemas.compact import split
from schemas.envelope import EVENT_TYP, KeyEntry, SealingKey, open_envelope
from schemas.topics import events_topic

RESULTS = Path(__file__).parent / "results" / "ingest.json"
BATCH = 500
SAMPLE = 500
SLICE_S = 0.1
OPEN_REACH = 0.60
TWO, TWO_REACH = "postgresql, two processes", 1.6
"""By CPU time, in units of the opening that was measured by turns with each: what two processes, each on a core of its
own, get done of what one does. Kafka and PostgreSQL need cores as well, so that seconds would measure how many this
machine has."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in. `reach` is wanted of the rate of opening and checking; 0: printed, not judged."""

    name: str
    database: str
    client: str
    version: int
    reach: float
    processes: int = 1


VARIANTS = (
    Variant("postgresql", "postgresql", "kafka-python", 1, 0.55),
    Variant("postgresql, faster client", "postgresql", "confluent", 1, 0.65),
    Variant("sqlite", "sqlite", "kafka-python", 1, 0.45),
    Variant("postgresql, version 2", "postgresql", "kafka-python", 2, 0.0),
    Variant(TWO, "postgresql", "kafka-python", 1, 0.0, processes=2),
)


@dataclass
class Line:
    """Servers, a hub's home and filled topics in one folder."""

    folder: Path
    variant: Variant
    cluster: Cluster
    server: Server | None
    settings: Settings = field(init=False)
    sealing: SealingKey | None = None
    sources: list[Source] = field(default_factory=lambda: [Source(name) for name in KINDS])
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        where: dict[str, Any] = {}
        if self.server is not None:
            where = {
                "database": self.server.conninfo(RUNNING), "keys_database": self.server.conninfo(RUNNING, "hub_keys"),
            }  # fmt: skip
        self.settings = Settings(
            home=self.folder / "hub", demo=True, **where, kafka=self.cluster.bootstrap, kafka_ca=self.cluster.ca,
            kafka_password_file=self.cluster.password_file("hub"), kafka_client=self.variant.client,
        )  # fmt: skip

    def build(self, records: int) -> None:
        """Make the hub, register the sources, and fill their topics."""
        if self.server is not None:
            make_ready(self.server.conninfo(OWNER), self.server.conninfo(OWNER, "hub_keys"), RUNNING)
        bootstrap.init(self.settings, partnership=PARTNERSHIP, area="E99000001", officers=[OFFICER])
        hub = bootstrap.open_hub(self.settings)
        for source in self.sources:
            hub.registration.add(source.request(hub.charter.hub), {OFFICER: hub.officer_key(OFFICER)})
            self.cluster.add_agency(source.urn)
        self.sealing = hub.sealing_key
        hub.close()
        to = self.sealing.public if self.sealing and self.variant.version == 2 else None
        batches = make_batches(self.sources, records, BATCH, random.Random(SEED), to)  # noqa: S311
        self.sent = [raw for _, batch in batches for raw in batch]
        for source in self.sources:
            self._publish(source, [raw for one, batch in batches if one is source for raw in batch])

    def _publish(self, source: Source, records: Sequence[bytes]) -> None:
        with self.cluster.operator() as operator:
            agency = operator.add_agency(source.urn)
        producer = KafkaProducer(
            bootstrap_servers=self.cluster.bootstrap.split(","), batch_size=128 * 1024, linger_ms=20,
            **security(self.cluster.ca, agency.user, agency.password_file.read_text()),
        )  # fmt: skip
        for raw in records:
            producer.send(events_topic(source.urn), value=raw)
        producer.flush(timeout=120)
        producer.close()

    @contextmanager
    def consuming(self, cores: Sequence[int]) -> Iterator[Consuming]:
        """A `hub consume` on each of these cores."""
        names = ("home", "database", "keys_database", "kafka", "kafka_ca", "kafka_password_file", "kafka_client")
        given = {f"HUB_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        environment = plain | {"HUB_DEMO": "1"} | {name: value for name, value in given.items() if value}
        command = [sys.executable, "-m", "hub", "consume"]
        with (self.folder / "consume.log").open("ab") as log:
            hubs = Consuming([subprocess.Popen(command, env=environment, stderr=log) for _ in cores])  # noqa: S603
        try:
            yield hubs
        finally:
            hubs.end()


@dataclass
class Consuming:
    """One `hub consume` or more, each kept to a core of its own."""

    processes: Sequence[subprocess.Popen[bytes]]

    def __post_init__(self) -> None:
        for core, process in enumerate(self.processes):
            os.sched_setaffinity(process.pid, {core})

    def cpu_s(self) -> float:
        """CPU seconds used until now, user and system, all threads (Linux)."""
        return sum(time.clock_gettime((~process.pid << 3) | 2) for process in self.processes)

    @contextmanager
    def held(self, turn: int) -> Iterator[None]:
        """Nothing happens there, and this process is on one of their cores, by turns."""
        cores = os.sched_getaffinity(0)
        try:
            self._tell(signal.SIGSTOP)
            os.sched_setaffinity(0, {turn % len(self.processes)})
            yield
        finally:
            os.sched_setaffinity(0, cores)
            self._tell(signal.SIGCONT)

    def end(self) -> None:
        """End them and wait."""
        self._tell(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)

    def wait(self, consumed: Callable[[], int], until: int, most_s: float = inf) -> bool:
        """Wait until so many records are consumed, or some time. Were they? Errors: `BenchFault`."""
        now = begun = moved = time.monotonic()
        last = consumed()
        while last < until:
            if any(one.poll() is not None for one in self.processes) or now - moved > READY_S:
                raise BenchFault("the hub stopped consuming; its words are in consume.log")
            if now - begun > most_s:
                return False
            time.sleep(0.005)
            now, before, last = time.monotonic(), last, consumed()
            moved = now if last > before else moved
        return True

    def _tell(self, what: signal.Signals) -> None:
        for process in self.processes:
            process.send_signal(what)


def measure(folder: Path, variant: Variant, records: int, rounds: int) -> dict[str, Any]:
    """One way in, in rounds. Errors: `BenchFault`."""
    folder.mkdir()
    folder.chmod(0o755)  # PostgreSQL's user passes through
    with Cluster(folder / "kafka") as cluster, _postgres(folder, variant) as server:
        line = Line(folder, variant, cluster, server)
        line.build(records)
        databases = open_databases(line.settings.home, line.settings.database, line.settings.keys_database)

        def consumed() -> int:
            return int(databases.record.query("SELECT COALESCE(SUM(next), 0) FROM consumed")[0][0])

        warm = records // 10
        with line.consuming(range(variant.processes)) as hubs:
            hubs.wait(consumed, warm)
            whole = one_stretch(hubs, consumed, 2 * warm)
            ends = [2 * warm + (records - 2 * warm) * number // rounds for number in range(1, rounds + 1)]
            found = [one_round(line, hubs, consumed, number, end) for number, end in enumerate(ends)]
        admitted = databases.record.query("SELECT COUNT(*) FROM inbox")[0][0]
        databases.close()
        if admitted != records:
            raise BenchFault(f"{admitted} of {records} records admitted; words are in consume.log")
    return summary(variant, found) | {"in_one_stretch_us": round(whole, 1)}


def one_stretch(hubs: Consuming, consumed: Callable[[], int], until: int) -> float:
    """CPU microseconds a record of hubs that nobody holds: whether being held makes a difference. Not judged."""
    begun, spent = consumed(), hubs.cpu_s()
    hubs.wait(consumed, until)
    return (hubs.cpu_s() - spent) / max(1, consumed() - begun) * 1e6


def one_round(line: Line, hubs: Consuming, consumed: Callable[[], int], number: int, until: int) -> dict[str, float]:
    """CPU microseconds a record: of hubs and database from one commit to another, of opening by turns with them."""
    keys = {source.key.kid: source.key.entry(source=source.urn) for source in line.sources}
    opened: list[dict[str, float]] = []
    begun, spent, served = consumed(), hubs.cpu_s(), _server_cpu(line.server)
    while not hubs.wait(consumed, until, SLICE_S) or not opened:
        if len(opened) * SLICE_S > READY_S:
            raise BenchFault("the hub consumes too slowly; its words are in consume.log")
        with hubs.held(len(opened)):
            start, step = number + 7 * len(opened), len(line.sent) // SAMPLE  # of every source, each time others
            sample = line.sent[start % step :: step]
            opened.append(opening(sample, keys, line.sealing))
    done = max(1, consumed() - begun)
    sides = {"ingest": hubs.cpu_s() - spent, "server": _server_cpu(line.server) - served}
    limits = {side: statistics.mean(one[side] for one in opened) for side in opened[0]}
    return limits | {side: seconds / done * 1e6 for side, seconds in sides.items()}


def opening(sample: Sequence[bytes], keys: dict[str, KeyEntry], unseal: SealingKey | None) -> dict[str, float]:
    """CPU microseconds a record: bare verification, and opening with the check."""
    signed = []
    for raw in sample:
        parts = split(json.loads(raw)["jws"], EVENT_TYP)
        signed.append((keys[parts.kid].verify, parts.signature, parts.signing_input))
    open_one = partial(open_envelope, registry=keys.get, unseal=unseal)
    begun = time.process_time()
    for verify, signature, message in signed:
        verify(signature, message)
    verified = time.process_time()
    for raw in sample:
        check_event(open_one(raw).data, strict=True)
    opened = time.process_time()
    return {"verify": (verified - begun) / len(sample) * 1e6, "open": (opened - verified) / len(sample) * 1e6}


def summary(variant: Variant, found: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Medians over the rounds."""
    ratio = statistics.median(one["open"] / one["ingest"] for one in found)
    limit = statistics.median(one["verify"] / one["open"] for one in found)
    of_all = statistics.median(one["verify"] / one["ingest"] for one in found)
    return {
        "variant": variant.name, "reach": variant.reach, "of_opening": round(ratio, 4),
        "of_verification": round(of_all, 4), "wanted_of_verification": round(variant.reach * OPEN_REACH, 4),
        "rounds": [round(one["open"] / one["ingest"], 4) for one in found],
        "opening_of_verification": round(limit, 4), "reached": ratio >= variant.reach,
        "cpu_us": {side: round(statistics.median(one[side] for one in found), 1) for side in found[0]},
    }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench ingest", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=[one.name for one in VARIANTS])
    args = parser.parse_args(argv)
    found = []
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's user passes through
        for number, variant in enumerate(one for one in VARIANTS if args.only in (None, one.name)):
            found.append(measure(Path(folder) / str(number), variant, args.records, args.rounds))
            sys.stderr.write(words(found[-1]) + "\n")
    one, two = ([each for each in found if each["variant"] == name] for name in (VARIANTS[0].name, TWO))
    if one and two:
        two[0]["times_one"] = round(2 * two[0]["of_opening"] / one[0]["of_opening"], 4)
        two[0]["reached"] = two[0]["times_one"] >= TWO_REACH
        sys.stderr.write(f"two processes get {two[0]['times_one']:.2f} times done what one does (reach {TWO_REACH})\n")
    result = {"measured": datetime.now(UTC).isoformat(timespec="seconds"), "ingest": found, "machine": machine()}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    first = found[0]["opening_of_verification"] >= OPEN_REACH
    return 0 if first and all(one["reached"] for one in found) else 1


def words(one: dict[str, Any]) -> str:
    """One variant for people."""
    cpu, held = one["cpu_us"], "reached" if one["reached"] else "BELOW"
    judged = f"reach {one['reach']:.0%}, {held}" if one["reach"] else "not judged"
    spent = ", ".join(f"{side} {cpu[side]:.0f}" for side in ("verify", "open", "ingest", "server"))
    limit, of_all = one["opening_of_verification"], one["of_verification"]
    said = f"{one['of_opening']:6.1%} of opening ({judged}), which is {limit:.1%} of verification: {of_all:.1%} of that"
    return f"{one['variant']:26s} {said}; us a record: {spent}"


@contextmanager
def _postgres(folder: Path, variant: Variant) -> Iterator[Server | None]:
    if variant.database != "postgresql":
        yield None
        return
    server = Server(folder / "postgres")
    server.up()
    try:
        yield server
    finally:
        server.stop()


def _server_cpu(server: Server | None) -> float:
    """CPU seconds of the database's processes that live now."""
    if server is None:
        return 0.0
    parent, ticks = str(server.pid()), 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
