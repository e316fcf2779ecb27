"""A source that falls silent is told of once: to officers, log and whoever watches; never by the leaps of a demo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure.silence import Silences
from hub.store.record import StaleVersion
from hub.store.streams import ACCESS, SOURCES
from schemas.envelope import HEARTBEAT


def beat(hub: Hub, agency: Any, clock: Any) -> None:
    raw = agency.seal({"every_s": 300, "outstanding": 0}, type=HEARTBEAT, shared=clock.now.isoformat())
    hub.admission.admit([raw], agency.source)


def alarms(hub: Hub) -> list[Mapping[str, Any]]:
    return [fact.data for fact in hub.record.facts(ACCESS) if fact.name == "alarm-raised"]


def told(hub: Hub) -> list[Mapping[str, Any]]:
    return [fact.data for fact in hub.record.facts(SOURCES) if fact.name == "source-silent"]


def test_a_feed_that_stops_without_any_error_is_told_of_once_and_again_when_it_stops_again(
    hub: Hub, police: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    beat(hub, police, clock)
    clock.forward(minutes=14)
    hub.silences.look()
    assert alarms(hub) == []
    clock.forward(days=3)
    for _ in range(3):
        hub.silences.look()
    first = {"source": police.source, "last_heard": "2025-03-03T12:00:00.000+00:00"}
    assert (alarms(hub), told(hub)) == ([{"kind": "source-silent", **first}], [first])
    assert [record.getMessage() for record in caplog.records if record.name == "hub.silence"] == [
        f"source silent: source={police.source} last_heard=2025-03-03T12:00:00.000+00:00"
    ]
    beat(hub, police, clock)
    hub.silences.look()
    clock.forward(hours=1)
    hub.silences.look()
    assert len(alarms(hub)) == len(told(hub)) == 2


def test_one_that_was_registered_and_never_heard_is_told_of_too(hub: Hub, police: Any, clock: Any) -> None:
    hub.silences.look()
    clock.forward(hours=1)
    hub.silences.look()
    hub.silences.look()
    assert told(hub) == [{"source": police.source, "last_heard": "never"}]


def test_of_two_processes_one_tells(open_hub: Callable[..., Hub], hub: Hub, police: Any, clock: Any) -> None:
    other = open_hub()
    other.admission.catch_up()
    clock.forward(hours=1)
    for one in (hub, other, hub):
        one.silences.look()
    assert len(alarms(hub)) == 1


def test_two_that_notice_it_at_the_same_moment_tell_it_once(
    open_hub: Callable[..., Hub], hub: Hub, police: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_hub()
    other.admission.catch_up()
    clock.forward(hours=1)
    append = hub.record.append

    def slower(*given: Any) -> None:
        monkeypatch.setattr(hub.record, "append", append)
        other.silences.look()
        append(*given)

    monkeypatch.setattr(hub.record, "append", slower)
    hub.silences.look()
    assert len(alarms(hub)) == len(told(hub)) == 1


def test_while_nothing_can_be_recorded_the_silence_waits_to_be_told(
    hub: Hub, police: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.forward(hours=1)
    with monkeypatch.context() as fault:
        fault.setattr(hub.record, "append", lambda *_: (_ for _ in ()).throw(StaleVersion()))
        with pytest.raises(StaleVersion):
            hub.silences.look()
    hub.silences.look()
    assert len(alarms(hub)) == 1


def test_a_demos_clock_that_leaps_makes_no_alarms_and_readers_see_it_all_the_same(
    hub: Hub, police: Any, clock: Any
) -> None:
    standing = Silences(hub.record, hub.completeness, hub.watch, clock=clock, telling=False)
    clock.forward(days=300)
    standing.look()
    assert alarms(hub) == []
    assert b'"silent":true' in hub.completeness.said(clock.now).sources


def test_whoever_watches_sees_how_long_ago_each_source_was_heard(hub: Hub, police: Any, clock: Any) -> None:
    beat(hub, police, clock)
    clock.forward(minutes=16)
    hub.silences.look()
    text = hub.watch.text().decode()
    assert f'hub_source_heard_seconds{{source="{police.source}"}} 960.0' in text
    assert f'hub_source_silent{{source="{police.source}"}} 1.0' in text


def test_it_looks_every_half_a_minute(hub: Hub, police: Any, clock: Any) -> None:
    now, looks = [0.0], []
    often = Silences(hub.record, hub.completeness, hub.watch, clock=clock, seconds=lambda: now[0])
    often.look = lambda: looks.append(now[0])  # type: ignore[method-assign]
    for now[0] in (0.0, 10.0, 29.0, 30.0, 59.0, 61.0):
        often.look_when_due()
    assert looks == [0.0, 30.0, 61.0]


def test_its_agency_finds_a_notice_of_it_beside_its_receipts(hub: Hub, police: Any, clock: Any) -> None:
    clock.forward(hours=1)
    hub.silences.look()
    hub.notices.follow()
    (notice,) = hub.notices.after(police.source, 0)
    assert (notice.kind, notice.subject, notice.about) == ("source-silent", "", "")
    assert hub.notices.open(police.source, notice.id, "rufus")["kind"] == "source-silent"
