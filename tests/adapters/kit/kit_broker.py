"""A broker without a network: topics with ids and offsets, and stand-ins for the client's producer and consumer.

The fake hub reads what was published whenever somebody looks at its receipts: it answers later, never at once.
"""

import threading
import uuid
from types import SimpleNamespace

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from kit_toy import HUB, SOURCE

from adapters.kit.broker import Broker
from adapters.kit.kafka import Client, KafkaCarrier, Lane
from schemas.envelope import SigningKey, SourceHead, sign_receipts
from schemas.topics import events_topic, receipts_topic

EVENTS, RECEIPTS = events_topic(SOURCE), receipts_topic(SOURCE)
AT = "2024-10-03T12:00:01Z"


class FakeTopic:
    def __init__(self):
        self.id = uuid.uuid4()
        self.first = 0
        self.values = []

    @property
    def end(self):
        return self.first + len(self.values)


class FakeBroker:
    def __init__(self, hub):
        self.hub = hub
        self.topics = {EVENTS: FakeTopic(), RECEIPTS: FakeTopic()}
        self.keys = []
        self.heard = 0  # how far the hub has read
        self.told = 0  # how many of its receipts the hub has published
        self.noticed = 0  # and of its notices
        self.answers = True
        self.refuses = None
        self.made = []
        self.at_the_door = None

    def make_carrier(self, ask_head=None):
        lane = Lane(Broker(("127.0.0.1:1",), None, "", ""), SOURCE, HUB, self.hub.receipt_entry)
        return KafkaCarrier(lane, ask_head, Client(self.make(Producer), self.make(Consumer), self.knock))

    def knock(self, broker, security):
        if self.is_away():
            raise ConnectionRefusedError

    def is_away(self):
        return self.hub._fails("down") or self.hub._fails("no-connection")

    def make(self, kind):
        def make(**settings):
            self.check()
            self.made.append(kind(self, settings))
            return self.made[-1]

        return make

    def check(self, topic=None):
        if self.refuses:
            raise self.refuses
        if self.is_away():
            raise KafkaTimeoutError("Unable to bootstrap")
        if topic is not None and topic not in self.topics:
            raise UnknownTopicOrPartitionError

    # -- what the hub does

    def work(self):
        """The hub reads on and publishes what it has to say."""
        if not self.answers or self.topics.keys() != {EVENTS, RECEIPTS}:
            return
        hub, found = self.hub, self.topics[EVENTS].values[self.heard :]
        self.publish(hub.receipts[self.told :])  # releases
        while found:
            batch, found = found[:500], found[500:]
            self.heard += len(batch)
            self.publish(hub.take(batch))
        self.told = len(hub.receipts)
        if new := hub.notices[self.noticed :]:
            self.noticed = len(hub.notices)
            head = SourceHead(SOURCE, hub.head.sequence, hub.head.digest)
            self.topics[RECEIPTS].values.append(hub.sign_notices(new, head).encode())
        if hub.head.sequence and hub.head != self.at_the_door:
            self.publish([], always=True)

    def publish(self, receipts, always=False):
        if not receipts and not always:
            return
        key = SigningKey.generate() if self.hub._fails("other-key") else self.hub.key
        self.at_the_door = self.hub.head
        head = SourceHead(SOURCE, self.hub.head.sequence, self.hub.head.digest)
        self.topics[RECEIPTS].values.append(sign_receipts(receipts, key, hub=HUB, at=AT, head=head).encode())

    def make_again(self, *names):
        """The operator removes topics and makes them again; the hub begins with the new ones at 0."""
        for name in names or (EVENTS, RECEIPTS):
            self.topics[name] = FakeTopic()
        self.heard = min(self.heard, self.topics[EVENTS].end)


class Producer:
    def __init__(self, broker, settings):
        self.broker, self.settings, self.closed = broker, settings, False

    def send(self, topic, value, key, partition):
        self.broker.check(topic)
        assert partition == 0
        assert not self.closed
        self.broker.topics[topic].values.append(value)
        self.broker.keys.append(key)
        return self

    def get(self, timeout):
        if self.broker.hub._fails("answer-lost"):
            raise KafkaTimeoutError("Expiring")

    def close(self, timeout):
        self.closed = True


class Consumer:
    def __init__(self, broker, settings):
        self.broker, self.settings, self.closed = broker, settings, False
        self.at = None
        self._client = SimpleNamespace(cluster=SimpleNamespace(topic_id=lambda name: broker.topics[name].id))

    def partitions_for_topic(self, name):
        return {0} if name in self.broker.topics else set()

    def assign(self, partitions):
        assert partitions == [TopicPartition(RECEIPTS, 0)]

    def beginning_offsets(self, partitions):
        return {one: self.broker.topics[one.topic].first for one in partitions}

    def end_offsets(self, partitions):
        self.broker.check(RECEIPTS)
        self.broker.work()
        return {one: self.broker.topics[one.topic].end for one in partitions}

    def seek(self, partition, offset):
        self.at = offset

    def poll(self, timeout_ms, max_records):
        topic = self.broker.topics[RECEIPTS]
        if not topic.first <= self.at <= topic.end:
            assert self.settings["auto_offset_reset"] == "earliest"
            self.at = topic.first
        start = self.at - topic.first
        values = topic.values[start : start + max_records]
        found = [SimpleNamespace(offset=self.at + n, value=value) for n, value in enumerate(values)]
        self.at += len(found)
        return {TopicPartition(RECEIPTS, 0): found} if found else {}

    def close(self, timeout_ms):
        self.closed = True


WRONG_PASSWORD = SaslAuthenticationFailedError("toy-clinic")
NOT_ALLOWED = TopicAuthorizationFailedError({EVENTS})


class HubOnKafka:
    """The fake hub behind a real broker: a thread that reads the events topic and answers on the receipts topic."""

    def __init__(self, hub, **connection):
        self.hub, self.connection = hub, connection
        self.answers = True
        self.stopped = False
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *fault):
        self.stopped = True
        self.thread.join(20)

    def work(self):
        consumer = KafkaConsumer(**self.connection, auto_offset_reset="earliest")
        producer = KafkaProducer(**self.connection, acks="all")
        consumer.assign([TopicPartition(EVENTS, 0)])
        while not self.stopped:
            found = consumer.poll(timeout_ms=50).get(TopicPartition(EVENTS, 0), [])
            if found and self.answers:
                receipts = self.hub.take([record.value for record in found])
                head = SourceHead(SOURCE, self.hub.head.sequence, self.hub.head.digest)
                jws = sign_receipts(receipts, self.hub.key, hub=HUB, at=AT, head=head)
                producer.send(RECEIPTS, jws.encode(), SOURCE.encode(), partition=0).get(timeout=20)
        consumer.close()
        producer.close(timeout=1)
