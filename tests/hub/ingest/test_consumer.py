"""Each record's effect once, whoever dies when: topics are placed by the record, and nothing is skipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from eventsourcing.persistence import DataError, OperationalError

from hub.bootstrap import Hub
from hub.ingest.consumer import BATCH_BYTES, Consumer, find_place
from hub.ingest.feed import Part, Raw, Stand
from hub.store.keys import KeyAway
from hub.store.streams import SOURCES
from hub.store.tables import Offset
from schemas.envelope import SigningKey
from schemas.topics import events_topic
from tests.contracts.fake_kafka import FakeFeed, FakeKafka


@dataclass
class Seconds:
    """A monotonic clock that moves by itself a little, and by sleeping."""

    now: float = 100.0

    def __call__(self) -> float:
        self.now += 0.002
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Answers:
    """What the consumer tells the relay."""

    held: set[str] = field(default_factory=set)
    woken: list[str] = field(default_factory=list)

    def hold(self, source: str) -> None:
        self.held.add(source)

    def release(self, source: str) -> None:
        self.held.discard(source)

    def wake(self, source: str) -> None:
        self.woken.append(source)


@dataclass
class Process:
    """One `hub consume`."""

    hub: Hub
    consumer: Consumer
    feed: FakeFeed
    seconds: Seconds
    answers: Answers

    def turn(self, times: int = 4) -> None:
        for _ in range(times):
            self.seconds.now += 10  # whatever waited is due
            self.consumer.turn()


@pytest.fixture
def kafka(police: Any) -> FakeKafka:
    kafka = FakeKafka()
    kafka.create(events_topic(police.source))
    return kafka


@pytest.fixture
def start(kafka: FakeKafka, open_hub: Callable[..., Hub]) -> Callable[[], Process]:
    """Another process of the same hub."""

    def one() -> Process:
        hub, feed, seconds, answers = open_hub(), FakeFeed(kafka), Seconds(), Answers()
        consumer = Consumer(
            feed, hub.admission, answers, hub.watch, seconds=seconds, sleep=seconds.sleep, jitter=lambda low, high: high
        )
        return Process(hub, consumer, feed, seconds, answers)

    return one


@pytest.fixture
def process(start: Callable[[], Process]) -> Process:
    return start()


def topic_of(agency: Any) -> str:
    return events_topic(agency.source)


def entries(hub: Hub) -> list[str]:
    """Every event id in every child's stream, as often as it is there."""
    return [fact.id for child in hub.register().children() for fact in hub.record.facts(child)]


def ends(hub: Hub, source: str) -> list[tuple[str, str]]:
    rows = [json.loads(one.row) for one in hub.inbox.after(source, 0)]
    return [(row["outcome"], row["reason"]) for row in rows]


def restarts(hub: Hub) -> list[str]:
    return [fact.data["why"] for fact in hub.record.facts(SOURCES) if fact.name == "feed-restarted"]


def test_what_a_source_publishes_is_admitted_with_its_offset_and_the_relay_is_woken(
    process: Process, kafka: FakeKafka, police: Any
) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"), police.seal(id="e2"))
    process.turn()
    assert entries(process.hub) == ["e1", "e2"]
    held = process.hub.record.offset(topic_of(police))
    assert held is not None
    assert (held.next, held.generation, held.topic_id) == (2, 1, kafka.topics[topic_of(police)].id)
    assert process.answers.held == {police.source}
    assert process.answers.woken == [police.source]
    assert kafka.shown == {Part(topic_of(police), 0): 2}
    assert process.consumer.ready()
    assert process.consumer.lively()


def test_a_process_that_died_before_it_showed_its_offset_is_followed_without_a_repeat(
    start: Callable[[], Process], kafka: FakeKafka, police: Any
) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"))
    first = start()
    first.consumer.turn()
    first.consumer.turn()
    assert not kafka.shown
    kafka.members.remove(first.feed)  # it died
    kafka.write(topic_of(police), police.seal(id="e2"))
    second = start()
    second.turn()
    assert entries(second.hub) == ["e1", "e2"]
    assert ends(second.hub, police.source) == [("admitted", ""), ("admitted", "")]


def test_what_the_group_committed_decides_nothing(start: Callable[[], Process], kafka: FakeKafka, police: Any) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"))
    kafka.shown[Part(topic_of(police), 0)] = 1  # as after a restore of the database from its backup
    process = start()
    process.turn()
    assert entries(process.hub) == ["e1"]


def test_a_topic_made_again_is_read_from_its_beginning_as_a_new_generation(
    start: Callable[[], Process], kafka: FakeKafka, police: Any
) -> None:
    one, two, three = police.seal(id="e1"), police.seal(id="e2"), police.seal(id="e3")
    kafka.write(topic_of(police), one, two)
    first = start()
    first.turn()
    first.feed.close()
    kafka.remake(topic_of(police))
    kafka.write(topic_of(police), one, two, three, police.seal(id="e4"))  # grown beyond what was read of the old one
    second = start()
    second.turn()
    assert entries(second.hub) == ["e1", "e2", "e3", "e4"]
    assert restarts(second.hub) == ["recreated"]
    held = second.hub.record.offset(topic_of(police))
    assert held is not None
    assert (held.generation, held.next) == (2, 4)


def test_a_topic_made_again_while_it_is_read_loses_and_doubles_nothing(
    process: Process, kafka: FakeKafka, police: Any
) -> None:
    one = police.seal(id="e1")
    kafka.write(topic_of(police), one)
    process.turn()
    kafka.remake(topic_of(police))
    kafka.write(topic_of(police), one, police.seal(id="e2"))
    process.turn()
    assert entries(process.hub) == ["e1", "e2"]


def test_a_topic_that_brokers_cut_short_is_read_again(process: Process, kafka: FakeKafka, police: Any) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"), police.seal(id="e2"))
    process.turn()
    del kafka.topics[topic_of(police)].log[1:]
    process.turn()
    kafka.write(topic_of(police), police.seal(id="e3"))
    process.turn()
    assert entries(process.hub) == ["e1", "e2", "e3"]
    assert restarts(process.hub) == ["cut-short"]


def test_records_that_a_topic_threw_away_unread_are_said_counted_and_noted(
    process: Process, kafka: FakeKafka, police: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"), police.seal(id="e2"))
    kafka.topics[topic_of(police)].first = 1
    process.turn()
    assert entries(process.hub) == ["e2"]
    assert restarts(process.hub) == ["retention"]
    assert b'hub_feed_restarts_total{source="urn:safeguarding:source:northmarch:live",why="retention"} 1.0' in (
        process.hub.watch.text()
    )
    assert "why=retention" in caplog.text


def test_a_store_that_is_away_skips_nothing_and_the_group_is_kept(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.turn()
    kafka.write(topic_of(police), police.seal(id="e1"))
    append = process.hub.record.append
    with monkeypatch.context() as away:
        away.setattr(process.hub.record, "append", _raise(OperationalError("gone")))
        process.turn(9)
        assert not process.consumer.ready()
        assert process.feed in kafka.members
    assert process.hub.record.append == append
    process.turn()
    assert entries(process.hub) == ["e1"]
    assert process.consumer.ready()


def test_a_store_that_is_away_already_when_a_topic_begins_is_waited_for(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"))
    with monkeypatch.context() as away:
        away.setattr(process.hub.record, "offset", _raise(OperationalError("gone")))
        process.turn(9)
    process.turn()
    assert entries(process.hub) == ["e1"]


def test_brokers_that_are_away_are_waited_for_and_joined_again(process: Process, kafka: FakeKafka, police: Any) -> None:
    process.turn()
    kafka.write(topic_of(police), police.seal(id="e1"))
    kafka.away = True
    process.turn(5)
    assert not process.consumer.ready()
    assert not process.answers.held
    kafka.away = False
    process.turn()
    assert entries(process.hub) == ["e1"]


def test_a_poison_record_between_good_ones_stops_no_other(process: Process, kafka: FakeKafka, police: Any) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"), b"\x00\xff poison", b"", police.seal(id="e2"))
    process.turn()
    assert entries(process.hub) == ["e1", "e2"]
    assert [end for end, _ in ends(process.hub, police.source)] == [
        "admitted",
        "quarantined",
        "quarantined",
        "admitted",
    ]


@pytest.mark.parametrize("fault", [DataError("value"), KeyAway("no key"), OverflowError("too large")])
def test_a_record_that_the_store_cannot_take_is_found_among_many_and_set_aside(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    append = process.hub.record.append

    def refuse_e3(facts: Any, writes: Any = None) -> None:
        if any(row.id == "e3" for row in writes.inbox):
            raise fault
        append(facts, writes)

    monkeypatch.setattr(process.hub.record, "append", refuse_e3)
    kafka.write(topic_of(police), *(police.seal(id=f"e{number}") for number in range(1, 8)))
    process.turn()
    assert sorted(entries(process.hub)) == ["e1", "e2", "e4", "e5", "e6", "e7"]
    assert ends(process.hub, police.source).count(("quarantined", "fault")) == 1
    (waiting,) = process.hub.admission.quarantine.list()
    _, raw = process.hub.admission.quarantine.open(waiting.id)
    monkeypatch.undo()
    process.hub.admission.try_waiting("fault")
    assert sorted(entries(process.hub)) == [f"e{number}" for number in range(1, 8)]
    assert raw in kafka.topics[topic_of(police)].log


def test_a_fault_of_the_hub_that_stays_loses_no_record(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.write(topic_of(police), police.seal(id="e1"))
    with monkeypatch.context() as broken:
        broken.setattr(process.hub.record, "append", _raise(RuntimeError("a mistake of ours")))
        process.turn(9)
        assert not process.consumer.ready()
    process.turn()
    assert entries(process.hub) == ["e1"]


def test_two_processes_share_the_topics_and_take_over_from_who_dies(
    start: Callable[[], Process], kafka: FakeKafka, police: Any, register: Callable[..., Any]
) -> None:
    other = register("other", service={"urn": "urn:safeguarding:service:o", "name": "O", "kind": "police"})
    kafka.create(topic_of(other))
    one, two = start(), start()
    one.turn()
    two.turn()
    one.turn()
    assert one.answers.held | two.answers.held == {police.source, other.source}
    assert not one.answers.held & two.answers.held
    kafka.write(topic_of(police), police.seal(id="p1"))
    kafka.write(topic_of(other), other.seal(id="o1"))
    one.turn()
    two.turn()
    two.feed.close()
    kafka.write(topic_of(police), police.seal(id="p2"))
    kafka.write(topic_of(other), other.seal(id="o2"))
    one.turn()
    assert sorted(entries(one.hub)) == ["o1", "o2", "p1", "p2"]
    assert one.answers.held == {police.source, other.source}


def test_a_reader_that_does_not_know_that_it_was_replaced_writes_nothing(
    start: Callable[[], Process], kafka: FakeKafka, police: Any
) -> None:
    sleeper, other = start(), start()
    sleeper.turn()
    part = Part(topic_of(police), 0)
    kafka.write(topic_of(police), police.seal(id="e1"))
    other.feed.held[part], other.consumer._reading[part] = 0, sleeper.consumer._reading[part]
    other.consumer._take(part, [Raw(0, kafka.topics[part.topic].log[0])])
    position = other.hub.record.position()
    sleeper.turn()  # it wakes, and still believes that the part is its own
    assert sleeper.hub.record.position() == position
    kafka.write(topic_of(police), police.seal(id="e2"))
    sleeper.turn()
    assert entries(sleeper.hub) == ["e1", "e2"]


def test_a_reader_that_was_replaced_and_read_further_answers_no_record_a_second_time(
    start: Callable[[], Process], kafka: FakeKafka, police: Any
) -> None:
    sleeper, other = start(), start()
    sleeper.turn()
    part = Part(topic_of(police), 0)
    kafka.write(part.topic, police.seal(id="e1"))
    other.consumer._reading[part] = sleeper.consumer._reading[part]
    other.consumer._take(part, [Raw(0, kafka.topics[part.topic].log[0])])
    kafka.write(part.topic, police.seal(id="e2"))
    sleeper.turn()
    assert ends(other.hub, police.source) == [("admitted", "")] * 2
    assert entries(other.hub) == ["e1", "e2"]


def test_a_source_registered_later_is_read_without_a_restart(
    process: Process, kafka: FakeKafka, register: Callable[..., Any]
) -> None:
    process.turn()
    late = register("late", service={"urn": "urn:safeguarding:service:l", "name": "L", "kind": "police"})
    kafka.create(topic_of(late))
    kafka.write(topic_of(late), late.seal(id="e1"))
    process.turn()
    assert entries(process.hub) == ["e1"]


def test_what_a_stranger_publishes_waits_under_its_name_and_is_admitted_once_it_is_registered(
    process: Process, kafka: FakeKafka, police: Any, hub: Hub
) -> None:
    stranger = type(police)("urn:safeguarding:source:stranger:live")
    kafka.create(topic_of(stranger))
    kafka.write(topic_of(stranger), stranger.seal(id="e1"))
    process.turn()
    assert ends(process.hub, stranger.source) == [("quarantined", "key")]
    hub.registration.add(stranger.request(hub.charter.hub), {"ada": hub.officer_key("ada")})
    assert ends(process.hub, stranger.source)[-1] == ("admitted", "")


def test_attack_a_record_of_another_source_in_ones_own_topic_is_set_aside(
    process: Process, kafka: FakeKafka, police: Any, register: Callable[..., Any]
) -> None:
    other = register("other", service={"urn": "urn:safeguarding:service:o", "name": "O", "kind": "police"})
    kafka.write(topic_of(police), other.seal(id="stolen"))
    process.turn()
    assert ends(process.hub, police.source) == [("quarantined", "not-callers-source")]
    assert not entries(process.hub)
    assert not process.hub.inbox.after(other.source, 0)


def test_attack_a_forged_record_in_ones_topic_moves_no_head(process: Process, kafka: FakeKafka, police: Any) -> None:
    kafka.write(topic_of(police), police.seal(key=SigningKey.generate()))
    process.turn()
    assert ends(process.hub, police.source) == [("quarantined", "key")]
    assert process.hub.inbox.head(police.source)["sequence"] == 0


def test_attack_a_message_larger_than_any_record_is_set_aside_and_the_next_is_admitted(
    process: Process, kafka: FakeKafka, police: Any
) -> None:
    kafka.write(topic_of(police), b"x" * (1024 * 1024), police.seal(id="e1"))
    process.turn()
    assert ends(process.hub, police.source) == [("quarantined", "size"), ("admitted", "")]


def test_every_record_that_is_sent_again_is_answered_again(process: Process, kafka: FakeKafka, police: Any) -> None:
    one, bad = police.seal(id="e1"), b"bad"
    kafka.write(topic_of(police), one, bad)
    process.turn()
    kafka.write(topic_of(police), one, one, bad)
    process.turn()
    assert [end for end, _ in ends(process.hub, police.source)] == [
        "admitted", "quarantined", "duplicate", "duplicate", "quarantined",
    ]  # fmt: skip
    assert len({receipt.cursor for receipt in process.hub.inbox.after(police.source, 0)}) == 5
    assert entries(process.hub) == ["e1"]


@pytest.mark.parametrize(
    ("held", "stand", "place", "why"),
    [
        (None, Stand("a", 0, 5), Offset("t", "a", 0), ""),
        (None, Stand("a", 3, 5), Offset("t", "a", 3), "retention"),
        (Offset("t", "a", 5), Stand("a", 0, 5), Offset("t", "a", 5), ""),
        (Offset("t", "a", 5), Stand("a", 5, 5), Offset("t", "a", 5), ""),
        (Offset("t", "a", 5), Stand("b", 0, 9), Offset("t", "b", 0, 2), "recreated"),
        (Offset("t", "a", 5), Stand("a", 0, 4), Offset("t", "a", 0, 2), "cut-short"),
        (Offset("t", "a", 5, 3), Stand("a", 6, 9), Offset("t", "a", 6, 4), "retention"),
    ],
)
def test_where_to_read_on_is_the_record_against_what_the_brokers_hold(
    held: Offset | None, stand: Stand, place: Offset, why: str
) -> None:
    assert find_place(Part("t", 0), held, stand) == (place, why)


def test_batches_are_cut_by_number_and_by_size(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    admit = process.hub.admission.admit
    monkeypatch.setattr(
        process.hub.admission, "admit", lambda records, *more: (sizes.append(len(records)), admit(records, *more))[1]
    )
    most = BATCH_BYTES * 2 // 3
    kafka.write(topic_of(police), b"x" * most, b"y" * most, b"z")
    process.turn()
    assert sizes == [1, 2]
    monkeypatch.setattr("hub.ingest.consumer.BATCH_RECORDS", 3)
    kafka.write(topic_of(police), *(b"%d" % number for number in range(5)))
    process.turn()
    assert sizes == [1, 2, 3, 2]


def test_attack_many_records_that_the_hub_stumbles_over_are_set_aside_by_halves_and_not_each_by_the_whole_batch(
    process: Process, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission, made = process.hub.admission, 0
    row = admission.quarantine.row

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal made
        made += 1
        return row(*given, **named)

    monkeypatch.setattr(admission, "_stream", _raise(RuntimeError("a bug")))
    monkeypatch.setattr(admission.quarantine, "row", counted)
    kafka.write(topic_of(police), *(police.seal() for _ in range(100)))
    process.turn()
    assert ends(process.hub, police.source) == [("quarantined", "fault")] * 100
    assert made < 1_000  # each by the whole batch would be five thousand


def _raise(fault: Exception) -> Callable[..., Any]:
    def always(*_: Any, **__: Any) -> Any:
        raise fault

    return always


def test_a_message_that_the_client_cannot_read_stops_its_own_topic_alone(
    process: Process, kafka: FakeKafka, police: Any, register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    school = register(name="northmarch-school")
    kafka.create(topic_of(school))
    poll, bad = process.feed.poll, Part(topic_of(school), 0)

    def poll_over_it(seconds: float, most: int) -> Any:
        polled = poll(seconds, most)
        if process.feed.held.get(bad) == 1:
            polled.unreadable[bad] = "UnsupportedCodecError"
        return polled

    monkeypatch.setattr(process.feed, "poll", poll_over_it)
    kafka.write(topic_of(school), school.seal(id="s1"))
    kafka.write(topic_of(police), police.seal(id="e1"))
    process.turn(9)
    kafka.write(topic_of(police), police.seal(id="e2"))
    process.turn()
    assert sorted(entries(process.hub)) == ["e1", "e2", "s1"]
    assert process.feed in kafka.members
    assert b'hub_feed_faults_total{fault="Away:UnsupportedCodecError"}' in process.hub.watch.text()
