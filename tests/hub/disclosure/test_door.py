"""Readers get what is allowed, recorded before it is answered, and never a shorter list that looks whole."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, BadCursor, CannotBeShownComplete, CannotRecord, NoAnswer, NoStanding
from hub.store.keys import KeyAway
from tests.stores import Store


def read(hub: Hub, person: str, purpose: str = "triage", **more: Any) -> dict[str, Any]:
    (child, *_) = hub.register().children()
    answer = hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose, **more))
    body: dict[str, Any] = json.loads(answer.body)
    return body


def accesses(hub: Hub) -> list[Any]:
    return [one for child in hub.register().children() for one in hub.disclosure.accesses(child)]


@pytest.fixture
def front_door(staff: Callable[..., str]) -> str:
    return staff("ottoline", "frontDoor")


def test_the_front_door_reads_an_outline_of_what_the_police_shared(hub: Hub, police: Any, front_door: str) -> None:
    hub.admission.admit([police.seal()], police.source)
    body = read(hub, front_door)
    assert [entry["shown"] for entry in body["entries"]] == ["outline"]
    assert body["notice"] == "Other information may exist that is not shown here."


def test_the_access_is_recorded_with_reader_purpose_rules_and_the_digest_of_the_answer(
    hub: Hub, police: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal()], police.source)
    read(hub, front_door)
    (access,) = accesses(hub)
    assert (access["reader"], access["role"], access["purpose"]) == (front_door, "frontDoor", "triage")
    assert access["classes"][0]["permits"]
    assert len(access["answer"]) == 64


def test_a_person_without_a_role_today_gets_no_answer_and_the_attempt_is_recorded(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal()], police.source)
    with pytest.raises(NoStanding):
        read(hub, "nobody")
    assert [access["outcome"] for access in accesses(hub)] == ["no-standing"]


def test_an_unknown_child_and_a_hidden_one_end_alike(hub: Hub, police: Any, staff: Callable[..., str]) -> None:
    hub.admission.admit([police.seal("intelligence-held")], police.source)
    lead = staff("juno", "schoolLead", "tarnwhistle-academy")
    with pytest.raises(NoAnswer):
        read(hub, lead, "educationSupport")
    with pytest.raises(NoAnswer):
        hub.disclosure.chronology(Ask(person=lead, child=uuid.uuid4(), purpose="educationSupport"))


def test_if_the_access_cannot_be_recorded_there_is_no_answer(
    hub: Hub, police: Any, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal()], police.source)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    read(hub, front_door)
    monkeypatch.setattr(hub.record, "append", fail)
    monkeypatch.setattr(hub.journal, "add", fail)
    with pytest.raises(CannotRecord):
        read(hub, front_door)


def test_a_missing_key_refuses_the_whole_answer_visibly(
    hub: Hub, police: Any, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal(), police.seal()], police.source)
    read(hub, front_door)

    def away(*_: Any, **__: Any) -> None:
        raise KeyAway("key store away")

    monkeypatch.setattr(hub.view, "rows", away)
    with pytest.raises(CannotBeShownComplete):
        read(hub, front_door)
    assert accesses(hub)[-1]["outcome"] == "incomplete"


def test_pages_follow_the_cursor_and_lose_nothing(hub: Hub, police: Any, front_door: str) -> None:
    hub.admission.admit([police.seal() for _ in range(5)], police.source)
    whole = read(hub, front_door)["entries"]
    assert len(whole) == 5
    first = read(hub, front_door, page=2)
    second = read(hub, front_door, page=2, cursor=first["next"])
    third = read(hub, front_door, page=2, cursor=second["next"])
    assert first["entries"] + second["entries"] + third["entries"] == whole
    assert "next" not in third
    assert len(first["next"]) == len(second["next"])


def test_a_cursor_is_bound_to_its_reader_and_question(hub: Hub, police: Any, front_door: str, staff: Any) -> None:
    hub.admission.admit([police.seal() for _ in range(3)], police.source)
    cursor = read(hub, front_door, page=1)["next"]
    other = staff("second", "frontDoor")
    with pytest.raises(BadCursor):
        read(hub, other, page=1, cursor=cursor)
    with pytest.raises(BadCursor):
        read(hub, front_door, page=1, cursor="x" * len(cursor))


def test_as_of_moves_the_facts(hub: Hub, police: Any, front_door: str, clock: Any) -> None:
    hub.admission.admit([police.seal()], police.source)
    before = clock.now
    clock.forward(days=10)
    hub.admission.admit([police.seal()], police.source)
    assert len(read(hub, front_door)["entries"]) == 2
    assert len(read(hub, front_door, as_of=before + timedelta(days=1))["entries"]) == 1


def test_as_of_never_moves_the_entitlement(hub: Hub, police: Any, front_door: str, clock: Any) -> None:
    hub.admission.admit([police.seal()], police.source)
    then = clock.now
    clock.forward(days=10)
    details = {
        "person": front_door, "role": "frontDoor", "service": "urn:safeguarding:service:harrowmere-childrens-services",
        "until": "2025-03-12",
    }  # fmt: skip
    hub.casework.record("ada", {"event": "role-ended", "details": details})
    with pytest.raises(NoStanding):
        read(hub, front_door, as_of=then)


def test_a_retracted_entry_is_gone_for_readers_and_stands_as_structure_for_the_auditor(
    hub: Hub, police: Any, front_door: str, staff: Any
) -> None:
    hub.admission.admit([police.seal(id="e1"), police.seal(id="e2")], police.source)
    details = {"reason": "wrong-child"}
    references = [{"source": police.source, "id": "e1", "as": "retracts"}]
    hub.admission.admit([police.seal("retraction-made", details=details, references=references)], police.source)
    assert len(read(hub, front_door)["entries"]) == 1
    auditor = staff("isla", "caseAuditor", "partnership-assurance")
    entries = read(hub, auditor, "audit")["entries"]
    assert [entry["shown"] for entry in entries] == ["structure", "outline", "structure"]
    assert "summary" not in entries[0]


def test_nobody_retracts_another_sources_event(hub: Hub, register: Any, front_door: str) -> None:
    police, school = register("northmarch"), register("larkbeck")
    hub.admission.admit([police.seal(id="e1")], police.source)
    references = [{"source": police.source, "id": "e1", "as": "retracts"}]
    retraction = school.seal("retraction-made", details={"reason": "untrue"}, references=references)
    hub.admission.admit([retraction], school.source)
    assert "domestic-abuse-incident" in [entry["event"] for entry in read(hub, front_door)["entries"]]


def test_a_corrected_entry_is_marked_where_the_correction_is_seen(hub: Hub, police: Any, front_door: str) -> None:
    hub.admission.admit([police.seal(id="e1")], police.source)
    references = [{"source": police.source, "id": "e1", "as": "corrects"}]
    hub.admission.admit([police.seal("correction-made", references=references)], police.source)
    marks = {entry["event"]: entry.get("marks", []) for entry in read(hub, front_door)["entries"]}
    assert "corrected" in marks["domestic-abuse-incident"]
    assert "corrected" not in marks["correction-made"]


def test_the_auditor_sees_entries_in_the_order_of_admission_with_their_digests(
    hub: Hub, police: Any, staff: Any
) -> None:
    hub.admission.admit([police.seal(id=f"e{n}") for n in range(3)], police.source)
    auditor = staff("isla", "caseAuditor", "partnership-assurance")
    entries = read(hub, auditor, "audit")["entries"]
    assert [entry["id"] for entry in entries] == ["e0", "e1", "e2"]
    assert all(entry["datadigest"] and entry["source"] == police.source for entry in entries)


def test_one_childs_missing_key_leaves_every_other_child_readable_and_heals(
    hub: Hub, police: Any, front_door: str, own_store: Store
) -> None:
    hub.admission.admit([police.seal(person="p1")], police.source)
    other = {"names": [{"family": "Testerby", "given": ["Bramble"]}], "birth_date": {"date": "2016-02-29"}}
    hub.admission.admit([police.seal(person="p2", child=other)], police.source)
    lost, whole = hub.register().children()
    tampering = own_store.owner().keys
    with tampering.transaction() as keys:
        held = keys.query("SELECT * FROM event_key WHERE stream=?", (lost.hex,))
        keys.execute("DELETE FROM event_key WHERE stream=?", (lost.hex,))
    hub.disclosure.chronology(Ask(person=front_door, child=whole, purpose="triage"))
    with pytest.raises(CannotBeShownComplete):
        hub.disclosure.chronology(Ask(person=front_door, child=lost, purpose="triage"))
    with tampering.transaction() as keys:
        keys.insert("event_key", held)
    assert hub.disclosure.chronology(Ask(person=front_door, child=lost, purpose="triage")).body
