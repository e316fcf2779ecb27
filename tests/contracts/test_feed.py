"""What every Kafka client behind the hub's ports does: one suite over the fake and over each library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from hub.ingest.feed import Away, Brokers, Feed, Outlet, Part, Polled, Raw
from tests.contracts.fake_kafka import FakeFeed, FakeKafka, FakeOutlet

DEADLINE_S = 40
CLIENTS = ("fake", "kafka-python", "confluent")


@dataclass
class Bench:
    """Brokers with one kind of client, and a prefix of its own so that tests on one broker do not meet."""

    make_feed: Callable[[], Feed]
    outlet: Outlet
    create: Callable[[str], None]
    delete: Callable[[str], None]
    topic: str
    tells_out_of_range: bool = True
    """The broker in memory answers with nothing where Kafka says that no such offset is there."""
    dies_of_deletion: bool = False
    feeds: list[Feed] = field(default_factory=list)

    def feed(self) -> Feed:
        self.feeds.append(self.make_feed())
        return self.feeds[-1]

    @property
    def part(self) -> Part:
        return Part(self.topic, 0)

    def write(self, *values: bytes) -> None:
        for value in values:  # one batch each, so that the broker in memory reports the right end
            self.outlet.send(self.topic, b"key", value)


@pytest.fixture(params=CLIENTS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    topic = f"sg.events.contract.{uuid4().hex}"
    if request.param == "fake":
        kafka = FakeKafka()
        made = Bench(lambda: FakeFeed(kafka), FakeOutlet(kafka), kafka.create, kafka.delete, topic)
    else:
        made = _real(request.param, request.getfixturevalue("broker"), topic)
    made.create(topic)
    yield made
    for feed in made.feeds:
        feed.close()
    made.outlet.close()
    made.delete(topic)


def _real(client: str, address: str, topic: str) -> Bench:
    kinds: Any
    if client == "confluent":
        fast = pytest.importorskip("hub.ingest.consumer_fast", reason="confluent-kafka is not installed")
        kinds = fast.FastFeed, fast.FastOutlet
    else:
        from hub.ingest.consumer_kafka import KafkaFeed, KafkaOutlet

        kinds = KafkaFeed, KafkaOutlet
    brokers = Brokers(address, group=topic, session_s=2)
    admin = KafkaAdminClient(bootstrap_servers=address)
    return Bench(
        lambda: kinds[0](brokers), kinds[1](brokers), lambda name: admin.create_topics([NewTopic(name, 1, 1)]),
        lambda name: admin.delete_topics([name]), topic, tells_out_of_range=False,
        dies_of_deletion=client == "confluent",
    )  # fmt: skip


def until(feed: Feed, arrived: Callable[[Polled], bool], most: int = 100) -> Polled:
    """Poll until it has happened; every poll's news in one."""
    seen, deadline = Polled(), time.monotonic() + DEADLINE_S
    while not arrived(seen):
        assert time.monotonic() < deadline, "it did not happen in time"
        polled = feed.poll(0.2, most)
        seen.began = (seen.began - polled.ended) | polled.began
        seen.ended |= polled.ended
        for part, records in polled.records.items():
            assert len(records) <= most
            seen.records.setdefault(part, []).extend(records)
    return seen


def sought(feed: Feed, part: Part, offset: int) -> None:
    """Placed, as soon as the client can."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            return feed.seek(part, offset)
        except Away:
            feed.poll(0.1, 1)
    raise AssertionError("it could not be sought")


def values(polled: Polled, part: Part) -> list[bytes]:
    return [record.value for record in polled.records.get(part, [])]


def test_a_part_that_is_assigned_is_told_and_silent_until_it_is_sought(bench: Bench) -> None:
    bench.write(b"one", b"two")
    feed = bench.feed()
    seen = until(feed, lambda seen: bench.part in seen.began)
    assert feed.joined()
    assert not values(seen, bench.part)
    assert not feed.poll(0.5, 100).records


def test_records_come_in_order_from_where_it_was_sought(bench: Bench) -> None:
    bench.write(b"one", b"two", b"three")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 1)
    seen = until(feed, lambda seen: len(values(seen, bench.part)) == 2)
    assert seen.records[bench.part] == [Raw(1, b"two"), Raw(2, b"three")]
    assert feed.end(bench.part) == 3


def test_no_more_records_come_at_once_than_were_asked_for(bench: Bench) -> None:
    bench.write(b"one", b"two", b"three")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 0)
    seen = until(feed, lambda seen: len(values(seen, bench.part)) == 3, most=1)
    assert values(seen, bench.part) == [b"one", b"two", b"three"]


def test_the_brokers_say_what_they_hold_and_a_topic_made_again_has_another_id(bench: Bench) -> None:
    bench.write(b"one", b"two")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    first = feed.stand(bench.part)
    assert (first.first, first.end) == (0, 2)
    bench.delete(bench.topic)
    bench.create(bench.topic)
    bench.write(b"three")
    again = feed.stand(bench.part)
    assert (again.first, again.end) == (0, 1)
    assert first.topic_id != again.topic_id
    assert first.topic_id


def test_a_part_that_is_paused_is_silent_and_can_be_read_again_from_before(bench: Bench) -> None:
    bench.write(b"one")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 0)
    until(feed, lambda seen: values(seen, bench.part) == [b"one"])
    feed.pause(bench.part)
    bench.write(b"two")
    assert not feed.poll(0.5, 100).records
    sought(feed, bench.part, 0)
    until(feed, lambda seen: values(seen, bench.part) == [b"one", b"two"])


def test_a_part_that_lies_beyond_the_end_is_told_to_begin_again(bench: Bench) -> None:
    if not bench.tells_out_of_range:
        pytest.skip("this broker does not say it; the live suite asks Kafka")
    bench.write(b"one")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 50)
    until(feed, lambda seen: bench.part in seen.began)


def test_a_part_whose_topic_is_made_again_while_it_is_read_is_told_to_begin_again(bench: Bench) -> None:
    if bench.dies_of_deletion:
        pytest.skip("confluent-kafka 2.16 dies in its C code when this broker deletes what it reads; not so with Kafka")
    bench.write(b"one", b"two")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    feed.stand(bench.part)
    sought(feed, bench.part, 0)
    until(feed, lambda seen: len(values(seen, bench.part)) == 2)
    bench.delete(bench.topic)
    bench.create(bench.topic)
    bench.write(b"three")
    until(feed, lambda seen: bench.part in seen.began)


def test_who_leaves_gives_its_parts_to_who_stays(bench: Bench) -> None:
    leaving, staying = bench.feed(), bench.feed()
    until(leaving, lambda seen: bench.part in seen.began)
    leaving.close()
    assert not leaving.joined()
    until(staying, lambda seen: bench.part in seen.began)


def test_a_feed_that_was_reset_joins_anew_with_its_next_poll(bench: Bench) -> None:
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    feed.reset()
    assert not feed.joined()
    until(feed, lambda seen: bench.part in seen.began)
    assert feed.joined()


def test_what_is_shown_changes_no_place(bench: Bench) -> None:
    bench.write(b"one", b"two")
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 0)
    until(feed, lambda seen: len(values(seen, bench.part)) == 2)
    feed.show({bench.part: 2})
    sought(feed, bench.part, 0)
    until(feed, lambda seen: values(seen, bench.part)[-2:] == [b"one", b"two"])


def test_seeking_and_pausing_what_is_not_ours_does_nothing(bench: Bench) -> None:
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    stranger = Part("sg.events.nobody", 0)
    feed.seek(stranger, 0)
    feed.pause(stranger)
    assert feed.end(stranger) is None


class NoText(str):
    """A header's name that no UTF-8 reads; Kafka keeps it."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"


@pytest.mark.parametrize("bench", ["kafka-python"], indirect=True)
def test_what_one_topic_holds_that_cannot_be_read_is_told_of_that_topic_alone(bench: Bench, broker: str) -> None:
    feed = bench.feed()
    until(feed, lambda seen: bench.part in seen.began)
    sought(feed, bench.part, 0)
    bench.write(b"good")
    producer = KafkaProducer(bootstrap_servers=broker)
    producer.send(bench.topic, b"bad", headers=[(NoText("h"), b"v")]).get(20)
    producer.close()
    read, deadline = [], time.monotonic() + DEADLINE_S
    while not (polled := feed.poll(0.2, 100)).unreadable:
        read += values(polled, bench.part)
        assert time.monotonic() < deadline, "it was not told"
    assert (read, set(polled.unreadable)) == ([b"good"], {bench.part})
