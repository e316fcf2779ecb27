"""The feed and the outlet over kafka-python: the default client, and its only home in the hub.

Its consumer runs an event loop in a thread of its own, where rebalances are told: there a part is only silenced and put
on a list, the next poll hands it on. What is not public of the client is touched in `stand`, `_unreadable`, `_topic_id`
and `heard` alone.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from kafka import (
    ConsumerRebalanceListener,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka import errors as faults
from kafka.coordinator.assignors.roundrobin import (
    RoundRobinPartitionAssignor,
)
from kafka.net.compat import KafkaNetClient

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

PATTERN = r"^sg\.events\."
"""Every source's topic, registered or not: what a stranger sends waits in the hub's quarantine, not in a topic that
forgets after days."""
METADATA_S = 10
"""How soon a new topic, or one that was made anew, is seen."""
ANSWER_S = 5
"""How long one question to the brokers may take."""
LOST = (faults.OffsetOutOfRangeError, faults.LogTruncationError)
"""A part does not go on where it was left."""
UNREADABLE = (faults.CorruptRecordError, faults.UnsupportedCodecError)
"""What one sender can write that this client cannot read: a codec that is not installed, a header in no UTF-8."""
T = TypeVar("T")
TLS_RECORD = 16 * 1024
"""Bytes that TLS carries in one record at most (RFC 8446 section 5.1)."""


class KafkaFeed(ConsumerRebalanceListener):  # type: ignore[misc]
    """See `Feed`. The client is made by the first poll, so that brokers may be away when the process starts."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._client: KafkaConsumer | None = None
        self._lock = threading.Lock()
        self._began: set[Part] = set()
        self._ended: set[Part] = set()
        self._ids: dict[Part, str] = {}
        """Parts that are read → the id that their topic had when they were sought."""
        self._joined = False

    def poll(self, seconds: float, most: int) -> Polled:
        """See `Feed`."""
        client, unreadable = self._opened(), {}
        try:
            found = client.poll(timeout_ms=round(seconds * 1000), max_records=most)
        except LOST as fault:
            found = {}
            lost = fault.divergent_offsets if isinstance(fault, faults.LogTruncationError) else fault.args[0]
            self._interrupt(Part(*part) for part in lost)
        except faults.NoOffsetForPartitionError:
            found = {}  # assigned this moment: it is on the list, and its place will be sought
        except UNREADABLE as fault:
            found, unreadable = {}, self._unreadable(fault)
        except faults.KafkaError as fault:
            raise Away(type(fault).__name__) from fault
        self._interrupt(part for part, held in self._ids.items() if self._topic_id(part.topic) not in ("", held))
        with self._lock:
            polled = Polled(self._began, self._ended, unreadable=unreadable)
            self._began, self._ended = set(), set()
        for part, records in found.items():
            polled.records[Part(*part)] = [Raw(one.offset, one.value or b"") for one in records]
        return polled

    def stand(self, part: Part) -> Stand:
        """See `Feed`."""
        client, at = self._opened(), TopicPartition(*part)
        fresh = client._cluster.request_update()
        self._asked(lambda: client._net.run(client._manager.wait_for, fresh, ANSWER_S * 1000))
        if not client._cluster.partitions_for_topic(part.topic):
            raise Away("no-topic")
        first = self._asked(lambda: client.beginning_offsets([at], timeout_ms=ANSWER_S * 1000))[at]
        end = self._asked(lambda: client.end_offsets([at], timeout_ms=ANSWER_S * 1000))[at]
        return Stand(self._topic_id(part.topic), first, end)

    def seek(self, part: Part, offset: int) -> None:
        """See `Feed`."""
        client, at = self._opened(), TopicPartition(*part)
        with suppress(ValueError, KeyError):  # it was taken away this moment; the next poll will say so
            client.seek(at, offset)
            client.resume(at)
            self._ids[part] = self._topic_id(part.topic)

    def pause(self, part: Part) -> None:
        """See `Feed`."""
        self._ids.pop(part, None)
        if self._client is not None:
            with suppress(KeyError):
                self._client.pause(TopicPartition(*part))

    def end(self, part: Part) -> int | None:
        """See `Feed`."""
        if self._client is None:
            return None
        try:
            found: int | None = self._client.highwater(TopicPartition(*part))
        except (faults.IllegalStateError, KeyError):
            return None
        return found

    def show(self, offsets: Mapping[Part, int]) -> None:
        """See `Feed`."""
        if self._client is not None and offsets and self._joined:
            shown = {TopicPartition(*part): OffsetAndMetadata(at, "", -1) for part, at in offsets.items()}
            with suppress(faults.KafkaError):
                self._client.commit_async(shown)

    def joined(self) -> bool:
        """See `Feed`."""
        return self._joined

    def heard(self) -> float:
        """See `Feed`. The client asks for metadata every few seconds."""
        client = self._client
        return client._cluster._last_successful_refresh_ms / 1000 if client is not None else 0.0

    def reset(self) -> None:
        """See `Feed`."""
        self.close()

    def close(self) -> None:
        """See `Feed`."""
        client, self._client, self._joined = self._client, None, False
        self._ids.clear()
        if client is not None:
            with suppress(faults.KafkaError):
                client.close(autocommit=False, timeout_ms=ANSWER_S * 1000)
        with self._lock:
            self._began, self._ended = set(), set()

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """On the client's thread: these parts may be another's next."""
        self._joined = False
        with self._lock:
            gone = {Part(*part) for part in revoked}
            self._ended |= gone
            self._began -= gone

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """On the client's thread: silent, with a place of its own, so that the client asks nobody where to begin."""
        client = self._client
        for part in assigned:
            if client is not None:
                client.pause(part)
                client.seek(part, 0)
        self._interrupt(Part(*part) for part in assigned)
        self._joined = True

    def _interrupt(self, parts: Any) -> None:
        with self._lock:
            self._began.update(parts)

    def _unreadable(self, fault: Exception) -> dict[Part, str]:
        """The part that the client was about to read. Errors: `Away` where it does not say."""
        read = self._client._fetcher._next_partition_records if self._client is not None else None
        if read is None:
            raise Away(type(fault).__name__) from fault
        return {Part(*read.topic_partition): type(fault).__name__}

    def _topic_id(self, topic: str) -> str:
        client = self._client
        found = client._cluster.topic_id(topic) if client is not None else None
        return found.hex if found is not None else ""

    def _opened(self) -> KafkaConsumer:
        if self._client is None:
            brokers = self._brokers
            client = self._asked(
                lambda: _made(
                    KafkaConsumer, **_security(brokers), group_id=brokers.group, enable_auto_commit=False,
                    auto_offset_reset="none", allow_auto_create_topics=False,
                    partition_assignment_strategy=[RoundRobinPartitionAssignor],
                    session_timeout_ms=brokers.session_s * 1000, heartbeat_interval_ms=brokers.session_s * 1000 // 4,
                    max_poll_interval_ms=120_000, metadata_max_age_ms=METADATA_S * 1000,
                    max_partition_fetch_bytes=FETCH_BYTES, fetch_max_bytes=FETCHED_BYTES, fetch_max_wait_ms=250,
                    isolation_level="read_committed",
                    reconnect_backoff_max_ms=2000, bootstrap_timeout_ms=ANSWER_S * 1000, metrics_enabled=False,
                )
            )  # fmt: skip
            self._client = client
            client.subscribe(pattern=PATTERN, listener=self)
        return self._client

    def _asked(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except faults.KafkaError as fault:
            raise Away(type(fault).__name__) from fault


class KafkaOutlet:
    """See `Outlet`. On every replica that must have a message before `send` returns; nobody waits beside it.

    Not idempotent in Kafka's sense, on purpose: brokers that lost all they had give producers' numbers a second time,
    and then acknowledge one process's receipts as repeats of another's, without keeping them. A receipt that is
    published twice has the same cursor.
    """

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._client: KafkaProducer | None = None

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """See `Outlet`."""
        try:
            if self._client is None:
                self._client = _made(
                    KafkaProducer, **_security(self._brokers), acks="all", enable_idempotence=False,
                    max_in_flight_requests_per_connection=1,
                    allow_auto_create_topics=False, max_block_ms=ANSWER_S * 1000, request_timeout_ms=ANSWER_S * 1000,
                    delivery_timeout_ms=2 * ANSWER_S * 1000, max_request_size=RECORD_CEILING,
                    bootstrap_timeout_ms=ANSWER_S * 1000, reconnect_backoff_max_ms=2000, metrics_enabled=False,
                )  # fmt: skip
            self._client.send(topic, value=value, key=key).get(timeout=3 * ANSWER_S)
        except (faults.UnknownTopicOrPartitionError, faults.TopicAuthorizationFailedError) as fault:
            raise NoSuchTopic(topic) from fault
        except faults.KafkaError as fault:
            self.close()  # what it still holds must not go out later, after what is sent next
            raise Away(type(fault).__name__) from fault

    def close(self) -> None:
        """See `Outlet`."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(faults.KafkaError):
                client.close(timeout=ANSWER_S)


def _made(kind: Any, **settings: Any) -> Any:
    """A client; where its making fails, the thread that it had begun is ended."""
    nets: list[KafkaNetClient] = []

    def net(**more: Any) -> KafkaNetClient:
        nets.append(KafkaNetClient(**more))
        return nets[-1]

    try:
        return kind(kafka_client=net, **settings)
    except BaseException:
        for one in nets:
            one.close()
        raise


def _security(brokers: Brokers) -> dict[str, Any]:
    """TLS by our certificate authority and SCRAM, or nothing of the kind to a test broker on loopback."""
    found: dict[str, Any] = {"bootstrap_servers": brokers.names, "client_id": "safeguarding-hub"}
    if brokers.ca is None:
        return found
    return found | {
        "security_protocol": "SASL_SSL", "ssl_context": _tls(str(brokers.ca)), "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": brokers.user, "sasl_plain_password": brokers.password,
    }  # fmt: skip


def _tls(ca: str) -> ssl.SSLContext:
    """As the client would make it: the brokers' certificates and names are verified, TLS 1.2 at least."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca)
    context.sslsocket_class = _WholeRecords
    return context


class _WholeRecords(ssl.SSLSocket):
    """Gives what a TLS record holds at once. The client asks for 4 KB at a time and joins what it gets; each time lets
    the other threads in. It makes a socket's text for an error at each of its waits, too, and throws it away.
    """

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """At most a record, whatever less was asked for."""
        return super().recv(max(buflen, TLS_RECORD), flags)

    def __repr__(self) -> str:
        return "<a broker's socket>"
