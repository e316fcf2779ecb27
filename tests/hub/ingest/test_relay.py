"""What the record has for a source goes out on its topic: signed, in order, at least once, and no other's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from hub.bootstrap import Hub
from hub.ingest.relay import REST_S, Relay
from hub.notifying import keep_telling
from schemas.envelope import KeyEntry, Receipt, SigningKey, open_receipts_head
from schemas.notices import Notice, open_answers
from schemas.topics import receipts_topic
from tests.contracts.fake_kafka import FakeKafka, FakeOutlet


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kafka(police: Any) -> FakeKafka:
    kafka = FakeKafka()
    kafka.create(receipts_topic(police.source))
    return kafka


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def relay(hub: Hub, kafka: FakeKafka, seconds: Seconds) -> Relay:
    return Relay(hub.inbox, FakeOutlet(kafka), hub.watch, clock=hub.clock, seconds=seconds)


def pinned(hub: Hub) -> KeyEntry:
    return KeyEntry.from_jwk(hub.receipt_key.public_jwk(), source=hub.charter.hub, purpose="receipt")


def received(hub: Hub, kafka: FakeKafka, source: str) -> list[Receipt]:
    messages = kafka.topics[receipts_topic(source)].log
    opened = [open_answers(one.decode(), pinned(hub), hub=hub.charter.hub, source=source)[0] for one in messages]
    return [row for said in opened for row in said if isinstance(row, Receipt)]


def test_receipts_arrive_and_open_with_the_pinned_key_and_tell_how_far_the_hub_has_heard(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any
) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1"), b"bad"], police.source)
    relay.turn()
    assert [row.outcome for row in received(hub, kafka, police.source)] == ["admitted", "quarantined"]
    message = kafka.topics[receipts_topic(police.source)].log[0]
    _, head = open_receipts_head(message.decode(), pinned(hub))
    assert head is not None
    assert (head.source, head.sequence, head.digest) == (police.source, 1, police.digest)


def test_notices_go_out_on_the_same_topic_each_once_and_tell_the_head_too(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any
) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1")], police.source)  # a domestic abuse incident, the child on no known roll
    relay.turn()
    hub.notices.follow()
    relay.turn()
    relay.turn()
    messages = kafka.topics[receipts_topic(police.source)].log
    said = [open_answers(one.decode(), pinned(hub), hub=hub.charter.hub, source=police.source) for one in messages]
    assert [one.kind for batch, _ in said for one in batch if isinstance(one, Notice)] == ["undelivered"]
    assert [head.sequence for _, head in said if head] == [1, 1]


def test_no_receipt_waits_for_notices_to_be_written(hub: Hub, relay: Relay, kafka: FakeKafka, police: Any) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1")], police.source)
    with hub.notices._lock:  # somebody reads a child of thousands of events
        relay.turn()
    assert [row.id for row in received(hub, kafka, police.source)] == ["e1"]


def test_a_notice_that_cannot_be_written_is_said_and_tried_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []

    def wait(seconds: float) -> bool:
        tries.append(seconds)
        return len(tries) > 2

    monkeypatch.setattr(hub.notices, "follow", _stumble)
    keep_telling(hub, wait)
    assert len(tries) == 3
    assert b'="ValueError"} 2.0' in hub.watch.text()


def test_each_receipt_goes_out_once_while_all_is_well(hub: Hub, relay: Relay, kafka: FakeKafka, police: Any) -> None:
    relay.hold(police.source)
    for number in range(3):
        hub.admission.admit([police.seal(id=f"e{number}")], police.source)
        relay.turn()
        relay.turn()
    assert [row.id for row in received(hub, kafka, police.source)] == ["e0", "e1", "e2"]


def test_many_receipts_go_out_in_pages_each_signed_once(hub: Hub, relay: Relay, kafka: FakeKafka, police: Any) -> None:
    hub.admission.admit([b"bad %d" % number for number in range(501)], police.source)
    relay.hold(police.source)
    relay.turn()
    assert len(kafka.topics[receipts_topic(police.source)].log) == 2
    assert len(received(hub, kafka, police.source)) == 501


def test_a_process_that_died_after_it_sent_is_followed_by_the_same_receipts_again(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1")], police.source)
    with monkeypatch.context() as dying:
        dying.setattr(hub.record, "relay", _gone)
        relay.turn()
    other = Relay(hub.inbox, FakeOutlet(kafka), hub.watch, clock=hub.clock)
    other.hold(police.source)
    other.turn()
    assert [row.id for row in received(hub, kafka, police.source)] == ["e1", "e1"]


def test_brokers_that_are_away_lose_no_receipt_and_the_wait_is_measured(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any, seconds: Seconds, clock: Any
) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1")], police.source)
    clock.forward(minutes=5)
    kafka.away = True
    relay.turn()
    assert f'outstanding_seconds{{source="{police.source}"}} 300.0'.encode() in hub.watch.text()
    kafka.away = False
    seconds.now += REST_S
    relay.turn()
    assert [row.id for row in received(hub, kafka, police.source)] == ["e1"]
    assert f'outstanding_seconds{{source="{police.source}"}} 0.0'.encode() in hub.watch.text()


def test_a_source_without_a_topic_of_receipts_holds_back_no_other(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any, register: Callable[..., Any]
) -> None:
    other = register("other", service={"urn": "urn:safeguarding:service:o", "name": "O", "kind": "police"})
    relay.hold(other.source)
    relay.hold(police.source)
    hub.admission.admit([other.seal(id="o1")], other.source)
    hub.admission.admit([police.seal(id="e1")], police.source)
    relay.turn()
    assert [row.id for row in received(hub, kafka, police.source)] == ["e1"]


def test_only_who_holds_a_source_answers_it(hub: Hub, relay: Relay, kafka: FakeKafka, police: Any) -> None:
    hub.admission.admit([police.seal(id="e1")], police.source)
    relay.turn()
    relay.hold(police.source)
    relay.release(police.source)
    relay.turn()
    assert not received(hub, kafka, police.source)


def test_what_another_process_settles_supersedes_the_first_receipt(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any, open_hub: Callable[..., Hub]
) -> None:
    relay.hold(police.source)
    hub.admission.admit([police.seal(id="e1", key=SigningKey.generate())], police.source)
    relay.turn()
    command_line = open_hub()
    (waiting,) = command_line.admission.quarantine.list()
    command_line.admission.refuse(waiting.id, "ada")
    relay.turn()
    first, second = received(hub, kafka, police.source)
    assert (first.outcome, second.outcome) == ("quarantined", "refused")
    assert first.record == second.record
    assert first.cursor < second.cursor


def test_a_record_that_is_released_is_answered_once_more_as_admitted(
    hub: Hub, relay: Relay, kafka: FakeKafka, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.hold(police.source)
    with monkeypatch.context() as stumbling:
        stumbling.setattr(hub.admission, "_stream", _stumble)
        hub.admission.admit([police.seal(id="e1")], police.source)
    relay.turn()
    (waiting,) = hub.admission.quarantine.list()
    hub.admission.admit_again(waiting.id)
    relay.turn()
    first, second = received(hub, kafka, police.source)
    assert [(first.id, first.reason), (second.id, second.outcome)] == [("e1", "fault"), ("e1", "admitted")]
    assert first.statement == second.statement


def test_attack_a_receipt_by_another_key_does_not_open(hub: Hub, relay: Relay, kafka: FakeKafka, police: Any) -> None:
    relay.hold(police.source)
    hub.inbox.key = SigningKey.generate()
    hub.admission.admit([police.seal(id="e1")], police.source)
    relay.turn()
    with pytest.raises(Exception, match="not the pinned receipt key"):
        received(hub, kafka, police.source)


def test_the_cursor_never_goes_back(hub: Hub, police: Any) -> None:
    hub.record.relay(police.source, 7)
    hub.record.relay(police.source, 3)
    assert hub.record.relayed(police.source) == 7


def _gone(*_: Any) -> None:
    raise OperationalError("gone")


def _stumble(*_: Any, **__: Any) -> None:
    raise ValueError("a mistake of ours")
