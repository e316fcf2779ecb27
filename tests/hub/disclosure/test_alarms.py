"""Officers hear of attempts that a declared conflict stopped, and whoever attempts cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, CannotRecord, NoAnswer
from hub.disclosure.access import ALARM
from hub.store.streams import ACCESS
from tests.hub.conftest import only_child


@pytest.fixture
def child(hub: Hub, police: Any) -> UUID:
    hub.admission.admit([police.seal()], police.source)
    return only_child(hub)


@pytest.fixture
def relative(hub: Hub, staff: Callable[..., str], child: UUID) -> str:
    staff("hesper", "frontDoor")
    details = {"person": "hesper", "child": str(child), "reason": "family"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": details})
    return "hesper"


def attempt(hub: Hub, person: str, child: UUID) -> None:
    with pytest.raises(NoAnswer):
        hub.disclosure.chronology(Ask(person=person, child=child, purpose="triage"))


def alarms(hub: Hub) -> list[dict[str, Any]]:
    return [dict(fact.data) for fact in hub.record.facts(ACCESS, topics=[ALARM])]


def test_an_attempt_that_a_declared_conflict_stopped_raises_an_alarm(hub: Hub, relative: str, child: UUID) -> None:
    attempt(hub, relative, child)
    assert alarms(hub) == [{"kind": "conflict-attempt", "reader": "hesper", "child": str(child)}]


def test_the_same_attempt_again_raises_one_alarm_a_day(
    open_hub: Callable[..., Hub], hub: Hub, relative: str, child: UUID, clock: Any
) -> None:
    for process in (hub, hub, open_hub()):
        attempt(process, relative, child)
    assert len(alarms(hub)) == 1
    clock.forward(days=1)
    attempt(hub, relative, child)
    attempt(hub, relative, child)
    assert len(alarms(hub)) == 2


def test_a_child_whom_nobody_knows_and_a_reader_without_a_conflict_raise_none(
    hub: Hub, relative: str, child: UUID, staff: Callable[..., str]
) -> None:
    attempt(hub, relative, UUID(int=7))
    attempt(hub, staff("juno", "schoolLead"), child)
    assert alarms(hub) == []


def test_under_the_childs_other_id_it_is_the_same_alarm(
    hub: Hub, police: Any, relative: str, child: UUID, staff: Callable[..., str]
) -> None:
    twin = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}
    hub.admission.admit([police.seal(child=twin, person="p2")], police.source)
    other = hub.register().children()[1]
    hub.casework.settle(staff("bram", "steward"), "identity-same", child, other, "confirmed")
    attempt(hub, relative, other)
    attempt(hub, relative, child)
    assert [alarm["child"] for alarm in alarms(hub)] == [str(child)]


def test_an_auditor_in_conflict_replays_nothing_and_raises_the_alarm_too(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("isla", "caseAuditor", "partnership-assurance")
    details = {"person": "isla", "child": str(child), "reason": "neighbour"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": details})
    with pytest.raises(NoAnswer):
        hub.disclosure.allow("replay", "isla", "", "audit", child=str(child))
    assert [alarm["reader"] for alarm in alarms(hub)] == ["isla"]


def test_the_alarm_and_the_attempt_are_recorded_together_or_there_is_no_answer(
    hub: Hub, relative: str, child: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt(hub, relative, UUID(int=7))
    before = hub.record.version(ACCESS)
    written: list[int] = []

    def fail(facts: Any, *_: Any) -> None:
        written.append(len(facts))
        raise OSError("disk full")

    monkeypatch.setattr(hub.record, "append", fail)
    monkeypatch.setattr(hub.disclosure.log, "journal", None)
    with pytest.raises(CannotRecord):
        hub.disclosure.chronology(Ask(person=relative, child=child, purpose="triage"))
    assert written == [2]
    assert hub.record.version(ACCESS) == before
