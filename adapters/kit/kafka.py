"""Carries sealed records to the hub by Kafka and brings its receipts back from a topic. Keeps nothing, retries nothing.

A source has two topics of one partition: it writes its records to one and reads the hub's signed receipts from the
other. What the broker has acknowledged is on its way, no more: only a receipt under the hub's pinned key settles a row.
The receipts topic is read without a group, from the place that the outbox remembers with the receipts themselves.

Where the hub stands is asked at its door over HTTPS if its address is given. Else the newest message in the receipts
topic says it, as of when it was written: a head that lags (`rejoining.py` knows what that can tell and what it cannot).
An empty topic says nothing, and nothing is concluded from it.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    RetriableError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
)
from kafka.net.compat import KafkaNetClient

from adapters.kit.broker import Broker
from adapters.kit.delivery import Distrusted, HubHead, Said, Undelivered
from adapters.kit.knocking import HungUp, knock
from adapters.kit.outbox import Head
from schemas.envelope import KeyEntry, Receipt, Refused, SourceHead, statement_bytes_of
from schemas.notices import open_answers
from schemas.topics import events_topic, receipts_topic

ASK_EVERY_S = 0.25
ACKNOWLEDGED_WITHIN_S = 30
CONNECTED_WITHIN_S = 15
ANSWERED_WITHIN_S = 15
CLOSED_WITHIN_S = 5
MOST_MESSAGES = 50
"""Messages of receipts taken in at once; each is at most 1 MiB, by the limit of its reader."""

PRODUCER = {
    "acks": "all",
    "enable_idempotence": True,
    "batch_size": 256 * 1024,
    "linger_ms": 5,
    "delivery_timeout_ms": ACKNOWLEDGED_WITHIN_S * 1000,
    "request_timeout_ms": ACKNOWLEDGED_WITHIN_S * 500,
    "max_block_ms": ANSWERED_WITHIN_S * 1000,
}
CONSUMER = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",  # where our place is gone, by retention or because the topic lost its end
    "request_timeout_ms": ANSWERED_WITHIN_S * 1000,
    "fetch_max_bytes": 8 * 1024 * 1024,
    "max_partition_fetch_bytes": 2 * 1024 * 1024,
}


WORDS: tuple[tuple[type[Exception], str], ...] = (
    (SaslAuthenticationFailedError, "the broker does not take this user and password"),
    (AuthorizationError, "the broker does not let this user use the topic {topic}"),
    (UnknownTopicOrPartitionError, "the broker shows this user no topic {topic}: its operator makes it"),
    (NotEnoughReplicasError, "the broker has too few copies in step to keep it safely"),
    (NotEnoughReplicasAfterAppendError, "the broker has too few copies in step to keep it safely"),
    (RetriableError, "the broker did not answer in time"),
    (ssl.SSLCertVerificationError, "the broker's certificate is not by the pinned authority, or for another name"),
    (HungUp, "the broker hangs up on us without a word: it is starting, or user and password are not right"),
    (OSError, "the broker cannot be reached ({kind})"),
)

# At its finest this library's log quotes keys and values, and what matters of it is said in Undelivered.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Lane:
    """A source's way through a broker, and the hub that answers at its end."""

    broker: Broker
    source: str
    hub: str
    receipt_key: KeyEntry


class Place(NamedTuple):
    """How far the receipts topic was read: which topic (one made again under the same name has another id), and the
    offset that comes next."""

    topic_id: str
    next: int

    @classmethod
    def read(cls, cursor: str) -> Place | None:
        """The place that a cursor names; None for one that is not ours."""
        topic_id, at, following = cursor.rpartition("@")
        return cls(topic_id, int(following)) if at and following.isascii() and following.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.topic_id}@{self.next}"


@dataclass(frozen=True)
class Client:
    """What the library gives, and what it lacks: `knock` raises why the broker cannot be reached or lets nobody in."""

    make_producer: Callable[..., Any] = KafkaProducer
    make_consumer: Callable[..., Any] = KafkaConsumer
    knock: Callable[[Broker, dict[str, Any]], None] = knock


class KafkaCarrier:
    """One source's two topics. `ask_head` is the hub's door, where it can be asked; `client` is given by tests.

    Connections are made when they are first needed. After any fault they are dropped, with all that waited in them:
    what was not acknowledged is still in the outbox.
    """

    ask_every_s = ASK_EVERY_S
    hub_ahead_s = None

    def __init__(
        self,
        lane: Lane,
        ask_head: Callable[[], HubHead | None] | None = None,
        client: Client | None = None,
    ) -> None:
        self._lane = lane
        self._ask_head = ask_head
        self._client = client or Client()
        self._events, self._receipts = events_topic(lane.source), receipts_topic(lane.source)
        self._partition = TopicPartition(self._receipts, 0)
        self._context = ssl.create_default_context(cafile=str(lane.broker.ca)) if lane.broker.ca else None
        self._producer: Any = None
        self._consumer: Any = None
        self._reads_at = -1

    def send(self, records: Sequence[bytes]) -> list[Receipt]:
        """Returns when the broker has acknowledged every record; receipts come later."""
        keyed = [(_read_subject(record), record) for record in records]
        with self._in_our_words(self._events):
            if self._producer is None:
                self._producer = self._connect(self._client.make_producer, PRODUCER)
            sent = [self._producer.send(self._events, value, key, partition=0) for key, value in keyed]
            for one in sent:
                one.get(timeout=ACKNOWLEDGED_WITHIN_S + CLOSED_WITHIN_S)
        return []

    def get_receipts(self, after: str, wait_s: float) -> tuple[list[Said], str]:
        """What the receipts topic holds after this place."""
        with self._in_our_words(self._receipts):
            consumer = self._get_consumer()
            topic_id, place = self._find_topic_id(), Place.read(after)
            if place is None or place.topic_id != topic_id:
                place = Place(topic_id, consumer.beginning_offsets([self._partition])[self._partition])
            more = place.next < consumer.end_offsets([self._partition])[self._partition]
            values, following = self._read(place.next, ANSWERED_WITHIN_S if more else wait_s)
            if self._find_topic_id() != topic_id:  # made again while it was read: these offsets are another topic's
                return [], ""
        said = [one for value in values for one in self._open(value)[0]]
        return said, str(Place(topic_id, following))

    def get_head(self) -> HubHead | None:
        """The hub's own word at its door; where that is closed, the newest message's in the topic."""
        if self._ask_head is not None:
            with suppress(Undelivered):
                return self._ask_head()
        with self._in_our_words(self._receipts):
            consumer = self._get_consumer()
            end: int = consumer.end_offsets([self._partition])[self._partition]
            if end <= consumer.beginning_offsets([self._partition])[self._partition]:
                return None
            values, _ = self._read(end - 1, ANSWERED_WITHIN_S)
        if not values:
            raise Undelivered("the newest receipts could not be read in time")
        head = self._open(values[-1])[1]
        return None if head is None else HubHead(Head(head.sequence, head.digest), lags=True)

    def get_restored_place(self) -> str:
        """The end of the receipts topic: it still holds what the hub said of records that it has lost."""
        with self._in_our_words(self._receipts):
            end = self._get_consumer().end_offsets([self._partition])[self._partition]
            return str(Place(self._find_topic_id(), end))

    def close(self) -> None:
        """Ends the connections and forgets what waits in them."""
        producer, consumer, self._producer, self._consumer = self._producer, self._consumer, None, None
        if consumer is not None:
            with suppress(KafkaError, OSError, RuntimeError):
                consumer.close(timeout_ms=CLOSED_WITHIN_S * 1000)
        if producer is not None:
            try:
                producer.close(timeout=CLOSED_WITHIN_S)
            except KafkaError:  # it waits in vain for what it holds, and would then run on for ever
                producer._sender.force_close()

    def _get_consumer(self) -> Any:
        if self._consumer is None:
            self._consumer = self._connect(self._client.make_consumer, CONSUMER)
            self._reads_at = -1
            if not self._consumer.partitions_for_topic(self._receipts):
                raise UnknownTopicOrPartitionError
            self._consumer.assign([self._partition])
        return self._consumer

    def _find_topic_id(self) -> str:
        """The library shows it nowhere else. "" where a broker has none."""
        return str(self._consumer._client.cluster.topic_id(self._receipts) or "")

    def _read(self, start: int, wait_s: float) -> tuple[list[bytes], int]:
        """Some messages' values from this offset on, and the offset after them."""
        if self._reads_at != start:
            self._consumer.seek(self._partition, start)
        found = self._consumer.poll(timeout_ms=int(wait_s * 1000), max_records=MOST_MESSAGES).get(self._partition, [])
        self._reads_at = found[-1].offset + 1 if found else start
        return [message.value or b"" for message in found], self._reads_at

    def _open(self, value: bytes) -> tuple[Sequence[Said], SourceHead | None]:
        lane = self._lane
        try:
            said, head = open_answers(value.decode("latin-1"), lane.receipt_key, hub=lane.hub, source=lane.source)
        except Refused as refused:
            raise Distrusted(f"the receipts are not the pinned hub's ({refused.step}: {refused.why})") from None
        if head is not None and head.source != lane.source:
            raise Distrusted("the receipts are another source's")
        return said, head

    def _connect(self, make: Callable[..., Any], settings: dict[str, Any]) -> Any:
        """A producer or consumer. One that cannot be made would leave its thread and sockets behind."""
        self._client.knock(self._lane.broker, self._security())
        begun: list[Any] = []

        def begin(**given: Any) -> Any:
            begun.append(KafkaNetClient(**given))
            return begun[0]

        try:
            return make(
                **settings,
                **self._security(),
                bootstrap_servers=list(self._lane.broker.servers),
                bootstrap_timeout_ms=CONNECTED_WITHIN_S * 1000,
                client_id="safeguarding-adapter",
                allow_auto_create_topics=False,
                metrics_enabled=False,
                kafka_client=begin,
            )
        except BaseException:
            for one in begun:
                one.close()
            raise

    def _security(self) -> dict[str, Any]:
        if self._context is None:
            return {"security_protocol": "PLAINTEXT"}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": self._context,
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self._lane.broker.user,
            "sasl_plain_password": self._lane.broker.password,
        }

    @contextmanager
    def _in_our_words(self, topic: str) -> Iterator[None]:
        try:
            yield
        except (KafkaError, OSError, ValueError, RuntimeError) as fault:
            self.close()
            raise Undelivered(self._say_why(fault, topic)) from None
        except BaseException:
            self.close()
            raise

    def _say_why(self, fault: Exception, topic: str) -> str:
        for one, words in WORDS:
            if isinstance(fault, one):
                return words.format(topic=topic, kind=type(fault).__name__)
        return f"the broker cannot be used ({type(fault).__name__})"


def _read_subject(record: bytes) -> bytes:
    """The pseudonym in a statement: the record's key."""
    return str(json.loads(statement_bytes_of(record))["subject"]).encode("ascii")
