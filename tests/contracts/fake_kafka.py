"""Brokers in memory that pass the contract of the ports: topics can be made anew, cut short, aged, and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from hub.ingest.feed import Away, NoSuchTopic, Part, Polled, Raw, Stand
from schemas.topics import EVENTS


@dataclass
class Topic:
    """One partition: what was thrown away is None."""

    id: str = field(default_factory=lambda: uuid4().hex)
    log: list[bytes] = field(default_factory=list)
    first: int = 0


class FakeKafka:
    """The brokers, and the one group of feeds."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.away = False
        self.members: list[FakeFeed] = []
        self.shown: dict[Part, int] = {}

    def create(self, topic: str) -> None:
        self.topics[topic] = Topic()
        self.rebalance()

    def delete(self, topic: str) -> None:
        del self.topics[topic]
        self.rebalance()

    def remake(self, topic: str) -> None:
        """Deleted and made again before anybody looked."""
        self.topics[topic] = Topic()
        for member in self.members:
            if Part(topic, 0) in member.held:
                member.began.add(Part(topic, 0))

    def write(self, topic: str, *values: bytes) -> None:
        if self.away:
            raise Away("down")
        if topic not in self.topics:
            raise NoSuchTopic(topic)
        self.topics[topic].log.extend(values)

    def rebalance(self) -> None:
        """Topics in turn to the members, as the real group does it: all is taken away, then given."""
        parts = sorted(Part(name, 0) for name in self.topics if name.startswith(EVENTS))
        for member in self.members:
            member.take_away()
        for number, part in enumerate(parts):
            if self.members:
                self.members[number % len(self.members)].give(part)


class FakeFeed:
    """See `hub.ingest.feed.Feed`."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka = kafka
        self.held: dict[Part, int | None] = {}
        """Part → what is read next; None: silent."""
        self.began: set[Part] = set()
        self.ended: set[Part] = set()
        self.polls = count()

    def poll(self, seconds: float, most: int) -> Polled:
        next(self.polls)
        if self not in self.kafka.members:
            self.kafka.members.append(self)
            self.kafka.rebalance()
        if self.kafka.away:
            raise Away("down")
        polled, left = Polled(self.began, self.ended), most
        self.began, self.ended = set(), set()
        for part, at in self.held.items():
            topic = self.kafka.topics[part.topic]
            if at is None or part in polled.began:
                continue
            if not topic.first <= at <= len(topic.log):
                polled.began.add(part)
                continue
            if values := topic.log[at : at + left]:
                polled.records[part] = [Raw(at + number, value) for number, value in enumerate(values)]
                self.held[part] = at + len(values)
                left -= len(values)
        return polled

    def stand(self, part: Part) -> Stand:
        if self.kafka.away or part.topic not in self.kafka.topics:
            raise Away("down")
        topic = self.kafka.topics[part.topic]
        return Stand(topic.id, topic.first, len(topic.log))

    def seek(self, part: Part, offset: int) -> None:
        if part in self.held:
            self.held[part] = offset

    def pause(self, part: Part) -> None:
        if part in self.held:
            self.held[part] = None

    def end(self, part: Part) -> int | None:
        return len(self.kafka.topics[part.topic].log) if part in self.held else None

    def show(self, offsets: Mapping[Part, int]) -> None:
        self.kafka.shown.update(offsets)

    def joined(self) -> bool:
        return self in self.kafka.members

    def heard(self) -> float:
        return float("-inf") if self.kafka.away else float("inf")

    def reset(self) -> None:
        self.close()

    def close(self) -> None:
        if self in self.kafka.members:
            self.kafka.members.remove(self)
            self.held.clear()
            self.began, self.ended = set(), set()
            self.kafka.rebalance()

    def give(self, part: Part) -> None:
        self.held[part] = None
        self.began.add(part)

    def take_away(self) -> None:
        self.ended |= set(self.held)
        self.began.clear()
        self.held.clear()


class FakeOutlet:
    """See `hub.ingest.feed.Outlet`."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka = kafka

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        self.kafka.write(topic, value)

    def close(self) -> None:
        """Nothing is held."""
