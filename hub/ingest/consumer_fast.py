"""The feed and the outlet over confluent-kafka: optional, faster, and its only home in the hub.

Rebalances are told within `poll`, on the caller's thread. This client does not say when a topic was made anew, so it is
asked from time to time, and whether the brokers answer is learned by the same question.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from uuid import UUID

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from hub.ingest.feed import (
    FETCH_BYTES,
    FETCHED_BYTES,
    RECORD_CEILING,
    Away,
    Brokers,
    NoSuchTopic,
    Part,
    Polled,
    Raw,
    Stand,
)

PATTERN = r"^sg\.events\..*"
ASK_EVERY_S = 10
ANSWER_S = 5
HALF = 2**64
NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.TOPIC_AUTHORIZATION_FAILED)
LOST = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION)


class FastFeed:
    """See `Feed`."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._client: Any = None
        self._admin: Any = None
        self._began: set[Part] = set()
        self._ended: set[Part] = set()
        self._stood: dict[Part, str] = {}
        self._ids: dict[Part, str] = {}
        """Parts that are read → the id that their topic had when their place was sought."""
        self._asked: dict[str, Future[Any]] = {}
        self._asked_at = 0.0
        self._heard = 0.0
        self._joined = False

    def poll(self, seconds: float, most: int) -> Polled:
        """See `Feed`."""
        client = self._opened()
        self._ask_about_topics()
        try:
            found = client.consume(1, seconds)
            if found and most > 1:
                found += client.consume(most - 1, 0)
        except (KafkaException, RuntimeError) as fault:
            raise Away(_name(fault)) from fault
        polled = Polled()
        for one in found:
            part = Part(one.topic() or "", one.partition())
            if (error := one.error()) is None:
                polled.records.setdefault(part, []).append(Raw(one.offset(), one.value() or b""))
            elif error.code() in LOST:
                self._began.add(part)
            elif error.fatal():
                raise Away(error.name())
        polled.began, polled.ended = self._began, self._ended
        self._began, self._ended = set(), set()
        return polled

    def stand(self, part: Part) -> Stand:
        """See `Feed`."""
        client = self._opened()
        try:
            asked = self._admin.describe_topics(TopicCollection([part.topic]), request_timeout=ANSWER_S)
            topic_id = _hex(asked[part.topic].result(2 * ANSWER_S).topic_id)
            first, end = client.get_watermark_offsets(TopicPartition(*part), timeout=ANSWER_S)
        except (KafkaException, TimeoutError) as fault:
            raise Away(_name(fault)) from fault
        self._heard = time.monotonic()
        self._stood[part] = topic_id
        return Stand(topic_id, first, end)

    def seek(self, part: Part, offset: int) -> None:
        """See `Feed`."""
        client = self._opened()
        if TopicPartition(*part) not in client.assignment():
            return
        try:
            client.seek(TopicPartition(*part, offset))
            client.resume([TopicPartition(*part)])
        except KafkaException as fault:  # its fetching has not begun yet
            raise Away(_name(fault)) from fault
        self._ids[part] = self._stood.get(part, "")

    def pause(self, part: Part) -> None:
        """See `Feed`."""
        self._ids.pop(part, None)
        if self._client is not None:
            with suppress(KafkaException):
                self._client.pause([TopicPartition(*part)])

    def end(self, part: Part) -> int | None:
        """See `Feed`."""
        if self._client is None:
            return None
        with suppress(KafkaException):
            _, end = self._client.get_watermark_offsets(TopicPartition(*part), cached=True)
            return int(end) if end >= 0 else None
        return None

    def show(self, offsets: Mapping[Part, int]) -> None:
        """See `Feed`."""
        if self._client is not None and offsets and self._joined:
            with suppress(KafkaException):
                self._client.commit(offsets=[TopicPartition(*part, at) for part, at in offsets.items()])

    def joined(self) -> bool:
        """See `Feed`."""
        return self._joined

    def heard(self) -> float:
        """See `Feed`."""
        return self._heard

    def reset(self) -> None:
        """See `Feed`."""
        self.close()

    def close(self) -> None:
        """See `Feed`."""
        client, self._client, self._admin, self._joined = self._client, None, None, False
        self._ids.clear()
        self._asked.clear()
        if client is not None:
            with suppress(KafkaException, RuntimeError):
                client.close()
        self._began, self._ended = set(), set()

    def _opened(self) -> Any:
        if self._client is None:
            brokers = self._brokers
            self._admin = AdminClient(_security(brokers))
            self._client = Consumer(
                _security(brokers)
                | {
                    "group.id": brokers.group, "enable.auto.commit": False, "auto.offset.reset": "error",
                    "allow.auto.create.topics": False, "partition.assignment.strategy": "roundrobin",
                    "session.timeout.ms": brokers.session_s * 1000,
                    "heartbeat.interval.ms": brokers.session_s * 1000 // 4, "max.poll.interval.ms": 120_000,
                    "topic.metadata.refresh.interval.ms": ASK_EVERY_S * 1000, "fetch.wait.max.ms": 250,
                    "fetch.message.max.bytes": FETCH_BYTES, "fetch.max.bytes": FETCHED_BYTES,
                    "isolation.level": "read_committed",
                }
            )  # fmt: skip
            self._client.subscribe([PATTERN], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        return self._client

    def _assigned(self, client: Any, parts: list[TopicPartition]) -> None:
        """Silent, with a place of its own, so that the client asks nobody where to begin."""
        client.assign([TopicPartition(one.topic, one.partition, 0) for one in parts])
        if parts:
            client.pause(parts)
        self._began |= {Part(one.topic, one.partition) for one in parts}
        self._joined = True
        self._heard = time.monotonic()

    def _revoked(self, client: Any, parts: list[TopicPartition]) -> None:
        gone = {Part(one.topic, one.partition) for one in parts}
        self._ended |= gone
        self._began -= gone
        self._joined = False

    def _ask_about_topics(self) -> None:
        """Take the answers that have come, and ask again when it is time: nothing here waits."""
        for topic, asked in list(self._asked.items()):
            if asked.done():
                del self._asked[topic]
                if asked.exception() is None:
                    self._heard = time.monotonic()
                    if topic:
                        self._compare(topic, _hex(asked.result().topic_id))
        if not self._asked and time.monotonic() - self._asked_at > ASK_EVERY_S:
            self._asked_at = time.monotonic()
            topics = sorted({part.topic for part in self._ids})
            self._asked = {"": self._admin.describe_cluster(request_timeout=ANSWER_S)}
            if topics:
                self._asked |= self._admin.describe_topics(TopicCollection(topics), request_timeout=ANSWER_S)

    def _compare(self, topic: str, topic_id: str) -> None:
        for part, held in self._ids.items():
            if part.topic == topic:
                if held not in ("", topic_id):
                    self._began.add(part)
                self._ids[part] = topic_id


class FastOutlet:
    """See `Outlet`, and why it is not idempotent in `KafkaOutlet`."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._client: Any = None

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """See `Outlet`."""
        if self._client is None:
            self._client = Producer(
                _security(self._brokers)
                | {
                    "enable.idempotence": False, "max.in.flight": 1, "acks": "all", "allow.auto.create.topics": False,
                    "message.timeout.ms": 2 * ANSWER_S * 1000, "message.max.bytes": RECORD_CEILING,
                    "partitioner": "murmur2_random", "linger.ms": 0,
                }
            )  # fmt: skip
        ends: list[KafkaError | None] = []
        self._client.produce(topic, value=value, key=key, on_delivery=lambda error, _: ends.append(error))
        self._client.flush(3 * ANSWER_S)
        error = ends[0] if ends else KafkaError(KafkaError._TIMED_OUT)
        if error is not None and error.code() in NO_TOPIC:
            raise NoSuchTopic(topic)
        if error is not None:
            self.close()
            raise Away(error.name())

    def close(self) -> None:
        """See `Outlet`. What could not be delivered is given up: its receipts are sent again by who comes next."""
        client, self._client = self._client, None
        if client is not None:
            client.purge()
            client.flush(0)


def _security(brokers: Brokers) -> dict[str, Any]:
    found: dict[str, Any] = {
        "bootstrap.servers": brokers.servers, "client.id": "safeguarding-hub", "log_level": 3,
        "reconnect.backoff.max.ms": 2000,
    }  # fmt: skip
    if brokers.ca is None:
        return found
    return found | {
        "security.protocol": "SASL_SSL", "ssl.ca.location": str(brokers.ca), "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": brokers.user, "sasl.password": brokers.password,
    }  # fmt: skip


def _hex(topic_id: Any) -> str:
    """Another client's spelling of the same id, so that changing the client begins no new generation."""
    high, low = topic_id.get_most_significant_bits(), topic_id.get_least_significant_bits()
    return UUID(int=(high % HALF) * HALF + low % HALF).hex


def _name(fault: BaseException) -> str:
    error = fault.args[0] if fault.args else None
    return error.name() if isinstance(error, KafkaError) else type(fault).__name__
