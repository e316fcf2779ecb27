"""What a Kafka client costs the hub per record, over TLS with Apache Kafka, against one bare Ed25519 verification.

Each client sits behind the hub's own port (`hub/ingest/feed.py`) and reads the same sealed records of one topic from
its beginning, as `hub consume` does: batch by batch, values handed on, nothing looked at. CPU time of the whole
process, the clients' own threads among it; the broker's is another process's.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from kafka import KafkaProducer

from bench.measure import Figure, Signatures, as_served, cpu_us, judge, run
from bench.records import KINDS, Source, event
from bench.stage import BenchFault
from hub.ingest.consumer import BATCH_RECORDS
from hub.ingest.consumer_fast import FastFeed
from hub.ingest.consumer_kafka import KafkaFeed
from hub.ingest.feed import Away, Brokers, Feed, Part, Polled
from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.kafka.topics import HUB, OPERATOR
from schemas.topics import events_topic

SEED = 20240903
WAITS_S = 60
SIGNATURES = 1000
T = TypeVar("T")
CLIENTS: dict[str, Callable[[Brokers], Feed]] = {"kafka_python": KafkaFeed, "confluent": FastFeed}
FIGURES = (
    Figure("kafka_python", "a record read by kafka-python", "one bare verification", 0.35, least=False),
    Figure("confluent", "a record read by confluent-kafka", "one bare verification", 0.10, least=False),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench consume", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--records", type=int, default=10_000, help="records in the topic (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    return run("consume", lambda: measure(args.records, args.rounds), args.out)


def measure(records: int, rounds: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    source = Source(next(iter(KINDS)))
    raws = make_records(source, records)
    signatures = Signatures([source], raws[:SIGNATURES])
    measured: list[dict[str, float]] = [{} for _ in range(rounds)]
    with tempfile.TemporaryDirectory(prefix="consume-") as folder, Cluster(Path(folder) / "kafka") as cluster:
        publish(cluster, source, raws)
        as_served()
        for name in CLIENTS:
            with reading(name, cluster) as (feed, part):
                read(feed, part, records)
                for found in measured:
                    verify = signatures.verify_us()
                    found[f"{name}_us"] = cpu_us(partial(read, feed, part, records)) / records
                    found[f"{name}_verify_us"] = (verify + signatures.verify_us()) / 2
    ratios = [{name: one[f"{name}_us"] / one[f"{name}_verify_us"] for name in CLIENTS} for one in measured]
    return judge(FIGURES, ratios, measured, records={"count": records, "bytes": sum(map(len, raws)) // records})


def make_records(source: Source, count: int) -> list[bytes]:
    """Sealed records of one source, about ever other children."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    return [source.seal(event(rng.choice(KINDS[source.name]), number, rng), number) for number in range(count)]


def publish(cluster: Cluster, source: Source, raws: Sequence[bytes]) -> None:
    """Put the records on their topic, as the operator: an agency's quota would make this long."""
    cluster.add_agency(source.urn)
    secret = cluster.password_file(OPERATOR).read_text()
    producer = KafkaProducer(
        bootstrap_servers=cluster.bootstrap.split(","), acks="all", linger_ms=20,
        **security(cluster.ca, OPERATOR, secret),
    )  # fmt: skip
    for raw in raws:
        producer.send(events_topic(source.urn), value=raw)
    producer.flush(WAITS_S)
    producer.close()


@contextmanager
def reading(name: str, cluster: Cluster) -> Iterator[tuple[Feed, Part]]:
    """A member of the hub's group to which the topic was given. Errors: `BenchFault`."""
    password = cluster.password_file(HUB).read_text()
    feed = CLIENTS[name](Brokers(cluster.bootstrap, HUB, HUB, password, cluster.ca))
    try:
        yield feed, next(iter(polled(feed, lambda one: one.began)))
    finally:
        feed.close()


def polled(feed: Feed, wanted: Callable[[Polled], T]) -> T:
    """Poll until something of what is wanted comes. Errors: `BenchFault`."""
    ended = time.monotonic() + WAITS_S
    while time.monotonic() < ended:
        with suppress(Away):
            if found := wanted(feed.poll(1.0, BATCH_RECORDS)):
                return found
    raise BenchFault("Kafka gave nothing")


def read(feed: Feed, part: Part, count: int) -> None:
    """Every record from the first on. Errors: `BenchFault`."""
    while True:
        try:
            feed.seek(part, 0)
            break
        except Away:  # fetching has not begun yet
            feed.poll(0.1, BATCH_RECORDS)
    left = count
    while left:
        left -= len(polled(feed, lambda one: one.records.get(part)) or ())
    feed.pause(part)


if __name__ == "__main__":
    sys.exit(main())
