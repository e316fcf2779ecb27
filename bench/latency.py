"""How long a record takes from Kafka's word that it has it until somebody who reads the child's chronology sees it.

Real servers: Apache Kafka over TLS, PostgreSQL, and `hub consume` in a process of its own. Agencies' topics get records
at a steady pace, one at a time; the clock of a record starts when its producer hears that the brokers have it. A reader
in this process does what every reading of the hub does, again and again: it brings the view up to the record and opens
the rows of the children of whom something new was admitted. The clock stops when the row with that very event is open.
Wall time; both clocks are this process's. The rules of disclosure are not part of it (`spine`: some milliseconds).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from kafka import KafkaProducer

from bench.measure import Figure, a_postgres, as_served, judge, run
from bench.records import KINDS, PARTNERSHIP, Source, make_batches
from bench.stage import OFFICER, BenchFault
from hub import bootstrap
from hub.bootstrap import Hub
from hub.settings import Settings
from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.kafka.topics import HUB, OPERATOR
from infra.postgres.server import RUNNING, Server
from schemas.envelope import statement_bytes_of
from schemas.topics import events_topic

SEED = 20240903
A_SECOND = 25
FIRST = 50
"""Records that are sent and seen before the clocks count: the process has begun, connections are made."""
LOOK_EVERY_S = 0.005
WAITS_S = 120.0
FIGURES = (Figure("p99_ms", "accepted by Kafka until visible in the chronology, p99", "100 ms", 100, least=False),)
Sent = dict[str, float]
"""Event id → when the brokers had it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench latency", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=40, help="how long records are sent (default %(default)s)")
    parser.add_argument("--rate", type=int, default=A_SECOND, help="records a second (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    return run("latency", lambda: measure(args.seconds, args.rate), args.out)


def measure(seconds: int, rate: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    sources = [Source(name) for name in KINDS]
    records = in_turn(sources, seconds * rate + FIRST)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="latency-")))
        server = opened.enter_context(a_postgres())
        cluster = opened.enter_context(Cluster(folder / "kafka"))
        settings = make_hub(folder / "hub", server, sources)
        for source in sources:
            cluster.add_agency(source.urn)
        opened.enter_context(consuming(settings, cluster, folder / "hub.log"))
        hub = bootstrap.open_hub(settings)
        opened.callback(hub.close)
        watch(hub, cluster, records[:FIRST], rate)
        as_served()
        waited, late = watch(hub, cluster, records[FIRST:], rate)
    found = {f"p{part}_ms": at(waited, part) for part in (50, 95, 99, 100)} | {"woken_late_p99_ms": at(late, 99)}
    return judge(FIGURES, [found], [found], records={"count": len(waited), "a_second": rate})


def at(times: Sequence[float], part: int) -> float:
    """What so many of a hundred stay below."""
    return times[min(len(times) - 1, len(times) * part // 100)]


def in_turn(sources: Sequence[Source], count: int) -> list[tuple[Source, str, bytes]]:
    """(source, event id, sealed record), the sources by turns."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    raws = [(source, raw) for source, batch in make_batches(sources, count, 10, rng) for raw in batch]
    return [(source, json.loads(statement_bytes_of(raw))["id"], raw) for source, raw in raws]


def make_hub(home: Path, server: Server, sources: Sequence[Source]) -> Settings:
    """A hub over PostgreSQL that knows these sources."""
    keys = server.conninfo(RUNNING, "hub_keys")
    settings = Settings(home=home, demo=True, database=server.conninfo(RUNNING), keys_database=keys)
    bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=[OFFICER])
    hub = bootstrap.open_hub(settings)
    for source in sources:
        hub.registration.add(source.request(hub.charter.hub), {OFFICER: hub.officer_key(OFFICER)})
    hub.close()
    return settings


@contextmanager
def consuming(settings: Settings, cluster: Cluster, log: Path) -> Iterator[None]:
    """`hub consume` in a process of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment = plain | {
        "HUB_HOME": str(settings.home), "HUB_DEMO": "1", "HUB_DATABASE": settings.database,
        "HUB_KEYS_DATABASE": settings.keys_database, "HUB_KAFKA": cluster.bootstrap, "HUB_KAFKA_CA": str(cluster.ca),
        "HUB_KAFKA_PASSWORD_FILE": str(cluster.password_file(HUB)),
    }  # fmt: skip
    with log.open("ab") as said:
        process = subprocess.Popen([sys.executable, "-m", "hub", "consume"], env=environment, stdout=said, stderr=said)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def watch(
    hub: Hub, cluster: Cluster, records: Sequence[tuple[Source, str, bytes]], rate: int
) -> tuple[list[float], list[float]]:
    """Send and read at once; gives how long each record took and how late the reader woke, both sorted, ms."""
    accepted: Sent = {}
    last = hub.record.position()
    sender = threading.Thread(target=send, args=(cluster, records, rate, accepted), name="sender")
    sender.start()
    late: list[float] = []
    seen = read(hub, last, len(records), late)
    sender.join()
    waited = [max(0.0, seen[id] - accepted[id]) for _, id, _ in records]
    return sorted(1000 * one for one in waited), sorted(1000 * one for one in late)


def send(cluster: Cluster, records: Sequence[tuple[Source, str, bytes]], rate: int, accepted: Sent) -> None:
    """One record after the other, as an operator who may write every topic; no record waits for another."""
    secret = cluster.password_file(OPERATOR).read_text()
    producer = KafkaProducer(
        bootstrap_servers=cluster.bootstrap.split(","), acks="all", **security(cluster.ca, OPERATOR, secret)
    )
    began = time.monotonic()
    for number, (source, id, raw) in enumerate(records):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        sent = producer.send(events_topic(source.urn), value=raw)
        sent.add_callback(lambda _, id=id: accepted.setdefault(id, time.monotonic()))
    producer.flush(WAITS_S)
    producer.close()


def read(hub: Hub, last: int, count: int, late: list[float]) -> Sent:
    """Event id → when a reader first had it before them. Errors: `BenchFault` when not all of them come.

    `late` gets how much later than it wanted the reader woke each time: what a busy machine does to every process.
    """
    seen: Sent = {}
    heard = time.monotonic()
    while len(seen) < count:
        hub.view.catch_up()
        for position, id, stream in hub.record.query(
            "SELECT i.position, i.id, l.stream FROM log l JOIN inbox i ON i.position=l.position"
            " WHERE l.position>? AND l.position<=? ORDER BY l.position",
            (last, hub.view.position()),
        ):
            if id not in {row.fact.id for row in hub.view.rows([UUID(stream)])}:
                raise BenchFault("a record is admitted and followed, and not in the chronology")
            last, heard = position, time.monotonic()
            seen[id] = heard
        if time.monotonic() - heard > WAITS_S:
            raise BenchFault(f"{len(seen)} of {count} records came; the hub's words are in its log")
        began = time.monotonic()
        time.sleep(LOOK_EVERY_S)
        late.append(time.monotonic() - began - LOOK_EVERY_S)
    return seen


if __name__ == "__main__":
    sys.exit(main())
