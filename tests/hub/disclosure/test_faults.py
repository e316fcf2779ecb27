"""Whatever fails, the answer says so and is never a shorter list that looks whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, CannotBeShownComplete
from hub.policy.decide import PolicyFault
from hub.store.keys import KeyAway
from schemas.envelope import HEARTBEAT

ENTRIES = 3


@pytest.fixture
def read(hub: Hub, police: Any, staff: Callable[..., str]) -> Callable[[], dict[str, Any]]:
    """Reads a child of three entries, one of them of another label, as the front door."""
    sealed = [police.seal(), police.seal(), police.seal("incident-attended")]
    hub.admission.admit(sealed, police.source)
    (child,) = hub.register().children()
    ask = Ask(person=staff("ottoline", "frontDoor"), child=child, purpose="triage")

    def whole() -> dict[str, Any]:
        body: dict[str, Any] = json.loads(hub.disclosure.chronology(ask).body)
        return body

    assert len(whole()["entries"]) == ENTRIES
    return whole


def outcomes(hub: Hub) -> list[str]:
    (child,) = hub.register().children()
    return [one["outcome"] for one in hub.disclosure.accesses(child)]


def test_an_engine_that_fails_on_one_label_refuses_the_whole_answer(
    hub: Hub, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = hub.disclosure.policy.decide

    def fails_on_one(reading: Any, labels: Any) -> Any:
        decided = decide(reading, labels)
        if len(decided) > 1:
            raise PolicyFault("one label could not be decided")
        return decided

    monkeypatch.setattr(hub.disclosure.policy, "decide", fails_on_one)
    with pytest.raises(CannotBeShownComplete):
        read()
    assert outcomes(hub)[-1] == "incomplete"


@pytest.mark.parametrize("kept_open", [True, False])
def test_a_key_store_that_is_away_refuses_the_whole_answer(
    hub: Hub, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, kept_open: bool
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise KeyAway("the key store does not answer")

    if not kept_open:
        hub.view._kept.clear()
    for name in ("derived_key", "event_keys", "stream_keys", "event_key"):
        monkeypatch.setattr(hub.record.keys, name, away)
    with pytest.raises(CannotBeShownComplete):
        read()


def test_a_view_that_cannot_follow_refuses_the_whole_answer_instead_of_what_it_had(
    hub: Hub, police: Any, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal()], police.source)

    def locked(*_: Any, **__: Any) -> Any:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    with monkeypatch.context() as fault:
        fault.setattr(hub.view.database, "transaction", locked)
        with pytest.raises(CannotBeShownComplete):
            read()
    assert len(read()["entries"]) == ENTRIES + 1


def test_a_source_that_fell_silent_stands_as_silent_beside_everything_that_is_there(
    hub: Hub, police: Any, read: Callable[[], Any], clock: Any
) -> None:
    beat = police.seal({"every_s": 300}, type=HEARTBEAT, shared=clock.now.isoformat())
    hub.admission.admit([beat], police.source)
    assert [one["silent"] for one in read()["sources"]] == [False]
    clock.forward(days=3)
    (source,) = read()["sources"]
    assert (source["silent"], source["last_heard"]) == (True, "2025-03-03T12:00:00.000+00:00")
    assert len(read()["entries"]) == ENTRIES


def test_a_record_that_cannot_be_written_answers_whole_by_the_journal(
    hub: Hub, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(hub.record, "append", full)
    assert len(read()["entries"]) == ENTRIES
    assert hub.journal.holds_any()


def test_a_record_that_is_away_altogether_refuses_and_the_attempt_is_noted(
    hub: Hub, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as fault:
        fault.setattr(hub.record, "query", away)
        fault.setattr(hub.record, "append", away)
        with pytest.raises(CannotBeShownComplete):
            read()
    assert outcomes(hub)[-1] == "incomplete"


def test_completeness_that_cannot_be_known_refuses_the_whole_answer(
    hub: Hub, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(hub.completeness, "hearings", away)
    monkeypatch.setattr(hub.completeness, "version", lambda: -1)
    with pytest.raises(CannotBeShownComplete):
        read()
