"""The broker in memory does what the tests of the Kafka path need of it."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from infra.kafka.topics import PARTITIONS

DEADLINE_S = 30


@pytest.fixture
def topic(broker: str) -> Iterator[str]:
    name = f"sg.events.{uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1}})
    yield name
    admin.close()


def test_what_was_sent_idempotently_comes_back_in_order_with_its_keys_and_offsets(broker: str, topic: str) -> None:
    send(broker, topic, 50)
    found = take(broker, topic, 50)
    assert found == [(n, b"key", b"%d" % n) for n in range(50)]


def test_a_reader_may_begin_at_an_offset_of_its_own(broker: str, topic: str) -> None:
    send(broker, topic, 50)
    assert [offset for offset, _, _ in take(broker, topic, 20, begin=30)] == list(range(30, 50))


def test_a_group_of_one_is_given_the_topic(broker: str, topic: str) -> None:
    send(broker, topic, 5)
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker, group_id=topic, auto_offset_reset="earliest", session_timeout_ms=2000,
        heartbeat_interval_ms=500,
    )  # fmt: skip
    assert len(collect(consumer, 5)) == 5


def send(broker: str, topic: str, count: int) -> None:
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True)
    for n in range(count):
        producer.send(topic, key=b"key", value=b"%d" % n, partition=0)
    producer.flush(timeout=DEADLINE_S)
    producer.close()


def take(broker: str, topic: str, count: int, begin: int = 0) -> list[tuple[int, bytes, bytes]]:
    consumer = KafkaConsumer(bootstrap_servers=broker)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek(TopicPartition(topic, 0), begin)
    return collect(consumer, count)


def collect(consumer: KafkaConsumer, count: int) -> list[tuple[int, bytes, bytes]]:
    found: list[tuple[int, bytes, bytes]] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < count and time.monotonic() < deadline:
        for batch in consumer.poll(timeout_ms=200).values():
            found += [(one.offset, one.key, one.value) for one in batch]
    consumer.close()
    return found
