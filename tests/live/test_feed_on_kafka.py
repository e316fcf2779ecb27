"""The contract of the ports again, for each client library over TLS with Apache Kafka and the hub's own grants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from hub.ingest.consumer_fast import FastFeed, FastOutlet
from hub.ingest.consumer_kafka import KafkaFeed, KafkaOutlet
from hub.ingest.feed import Brokers
from infra.kafka.cluster import Cluster
from infra.kafka.topics import HUB
from schemas.topics import events_topic
from tests.contracts.test_feed import *  # noqa: F403
from tests.contracts.test_feed import Bench

# Kafka stores what it is sent unpacked, so that nothing unreadable comes to lie there: the broker in memory is asked.
del globals()["test_what_one_topic_holds_that_cannot_be_read_is_told_of_that_topic_alone"]

pytestmark = pytest.mark.live
SESSION_S = 6
"""The least that Kafka allows a member."""


@pytest.fixture(params=["kafka-python", "confluent"])
def bench(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Bench]:
    kinds: dict[str, Any] = {"kafka-python": (KafkaFeed, KafkaOutlet), "confluent": (FastFeed, FastOutlet)}
    make_feed, make_outlet = kinds[request.param]
    source = f"urn:safeguarding:source:contract:{uuid4().hex}"
    agency = cluster.add_agency(source)

    def as_user(user: str) -> Brokers:
        password = cluster.password_file(user).read_text()
        return Brokers(cluster.bootstrap, HUB, user, password, cluster.ca, SESSION_S)

    made = Bench(
        lambda: make_feed(as_user(HUB)), make_outlet(as_user(agency.user)), lambda _: cluster.create_topic(source),
        lambda _: cluster.delete_topic(source), events_topic(source),
    )  # fmt: skip
    yield made
    for feed in made.feeds:
        feed.close()
    made.outlet.close()
    cluster.delete_topic(source)
