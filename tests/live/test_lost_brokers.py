"""Brokers that lost everything begin to count producers anew, while processes that they counted before still live."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.ingest.consumer_fast import FastOutlet
from hub.ingest.consumer_kafka import KafkaOutlet
from hub.ingest.feed import Away, Brokers, NoSuchTopic, Outlet
from infra.kafka.cluster import Cluster
from infra.kafka.topics import HUB
from schemas.topics import receipts_topic
from tests.live.topics import Topics

pytestmark = pytest.mark.live

SOURCE = "urn:safeguarding:source:lost:live"
TOPIC = receipts_topic(SOURCE)
SENT_WITHIN_S = 60
Make = Callable[[Brokers], Outlet]


@pytest.mark.parametrize("make", [KafkaOutlet, FastOutlet])
def test_receipts_of_one_process_are_not_taken_for_repeats_of_anothers(tmp_path: Path, make: Any) -> None:
    with Cluster(tmp_path / "kafka") as cluster:
        before, after = outlet(cluster, make), None
        try:
            cluster.add_agency(SOURCE)
            send(before, b"lost")
            cluster.kill(1)
            cluster.wipe(1)
            cluster.restart(1)
            cluster.add_agency(SOURCE)
            after = outlet(cluster, make)
            for number in range(3):
                send(after, b"by whom came after %d" % number)
                send(before, b"by whom was here before %d" % number)
            with Topics(cluster) as topics:
                kept = {value for _, value in topics.read(TOPIC)}
        finally:
            before.close()
            if after:
                after.close()
    who = (b"by whom came after %d", b"by whom was here before %d")
    assert kept == {words % number for words in who for number in range(3)}


def outlet(cluster: Cluster, make: Make) -> Outlet:
    return make(Brokers(cluster.bootstrap, HUB, HUB, cluster.password_file(HUB).read_text(), cluster.ca, 6))


def send(to: Outlet, value: bytes) -> None:
    """As the relay does: again until the brokers have it."""
    ended = time.monotonic() + SENT_WITHIN_S
    while True:
        try:
            return to.send(TOPIC, SOURCE.encode(), value)
        except (Away, NoSuchTopic):
            assert time.monotonic() < ended
            time.sleep(0.1)
