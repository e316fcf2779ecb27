"""What waits for a person: for whom, what of it they are told, and that nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, NoAnswer, NoStanding
from tests.hub.conftest import WRENNA, only_child
from tests.hub.disclosure.conftest import (
    FRONT_DOOR,
    NHS,
    POLICE,
    SCHOOL,
    allocate,
    ask_for,
    kinds,
    said,
    taken_back,
)

# -- addressed


def test_what_is_addressed_to_a_role_of_a_service_is_listed_for_whoever_holds_it_and_for_nobody_else(
    hub: Hub, police: Any, listed: Any, lead: str, front_door: str, staff: Callable[..., str]
) -> None:
    other = staff("marnie", "schoolLead", "larkbeck-primary")
    to = {"service": SCHOOL, "role": "schoolLead"}
    hub.admission.admit([police.seal(child=WRENNA, **ask_for(to, by_when="2025-03-04"))], police.source)
    (item,) = listed(lead)
    assert (item["kind"], item["by_when"], item["overdue"]) == ("addressed", "2025-03-04", False)
    assert item["child"] == str(only_child(hub))
    assert listed(other) == listed(front_door) == []


def test_what_is_addressed_to_a_person_by_name_is_for_no_colleague(
    hub: Hub, police: Any, listed: Any, lead: str, staff: Callable[..., str]
) -> None:
    colleague = staff("hesper", "schoolLead", "tarnwhistle-academy")
    hub.admission.admit([police.seal(child=WRENNA, **ask_for({"service": SCHOOL, "person": lead}))], police.source)
    assert kinds(listed(lead)) == ["addressed"]
    assert listed(colleague) == []


def test_a_wrong_addressee_whom_the_next_version_names_no_more_reads_no_version(
    hub: Hub, police: Any, listed: Any, lead: str, staff: Callable[..., str]
) -> None:
    front_door, to_both = staff("ottoline", "frontDoor"), [{"service": SCHOOL}, {"service": FRONT_DOOR}]
    ask = Ask(person=lead, child=UUID(int=0), purpose="directCare")
    hub.admission.admit([police.seal(child=WRENNA, id="v1", addressed_to=to_both)], police.source)
    ask = replace(ask, child=only_child(hub))
    assert json.loads(hub.disclosure.chronology(ask).body)["entries"]
    anew = {"change": "replaces", "references": [{"source": police.source, "id": "v1", "as": "replaces"}]}
    hub.admission.admit([police.seal(child=WRENNA, id="v2", addressed_to=to_both[1:], **anew)], police.source)
    for as_of in (None, hub.clock()):
        with pytest.raises(NoAnswer):
            hub.disclosure.chronology(replace(ask, as_of=as_of))
    assert listed(lead) == []
    assert "addressed" in kinds(listed(front_door)), "who is named still reads them"


def test_its_ref_is_the_entrys_own_in_that_readers_chronology(hub: Hub, police: Any, listed: Any, lead: str) -> None:
    hub.admission.admit([police.seal(child=WRENNA, **ask_for({"service": SCHOOL}))], police.source)
    (item,) = listed(lead)
    ask = Ask(person=lead, child=UUID(item["child"]), purpose="educationSupport")
    (entry,) = json.loads(hub.disclosure.chronology(ask).body)["entries"]
    assert (entry["ref"], entry["shown"]) == (item["ref"], "full")


def test_what_was_asked_is_overdue_once_its_time_has_passed_and_gone_once_the_addressee_replied(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str, clock: Any
) -> None:
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    asked = police.seal(child=WRENNA, id="asked", **ask_for(to, by_when="2025-03-03T17:00:00Z"))
    hub.admission.admit([asked], police.source)
    assert [one["overdue"] for one in listed(front_door)] == [False]
    clock.forward(hours=6)
    assert [one["overdue"] for one in listed(front_door)] == [True]
    own = [{"source": police.source, "id": "asked", "as": "follows"}]
    hub.admission.admit([police.seal(child=WRENNA, references=own)], police.source)
    assert [one["overdue"] for one in listed(front_door)] == [True], "its sender's next word is no reply"
    reply = [{"source": police.source, "id": "asked", "as": "answers"}]
    sealed = council.seal("referral-decided", child=WRENNA, references=reply, said_by=said(FRONT_DOOR))
    hub.admission.admit([sealed], council.source)
    assert listed(front_door) == []


def test_an_addressee_who_does_not_exist_is_put_before_the_front_door_and_the_senders_service(
    hub: Hub, police: Any, listed: Any, front_door: str, lead: str, staff: Callable[..., str]
) -> None:
    officer = staff("rufus", "policeProtection", "northmarch-police")
    nobody = {"service": "urn:safeguarding:service:a-school-that-closed", "role": "schoolLead"}
    (receipt,) = hub.admission.admit(
        [police.seal(child=WRENNA, said_by=said(POLICE), **ask_for(nobody))], police.source
    )
    assert receipt.outcome == "admitted"
    assert kinds(listed(front_door)) == kinds(listed(officer)) == ["addressee-unknown"]
    assert "child" not in listed(officer)[0]
    assert listed(lead) == []
    staff("marnie", "schoolLead", "a-school-that-closed")
    assert listed(front_door) == listed(officer) == []


def test_a_person_who_has_left_is_no_addressee(hub: Hub, police: Any, listed: Any, lead: str, front_door: str) -> None:
    hub.admission.admit([police.seal(child=WRENNA, **ask_for({"service": SCHOOL, "person": lead}))], police.source)
    assert listed(front_door) == []
    ended = {"person": lead, "role": "schoolLead", "service": SCHOOL}
    hub.casework.record("ada", {"event": "role-ended", "details": ended})
    assert kinds(listed(front_door)) == ["addressee-unknown"]
    with pytest.raises(NoStanding):
        listed(lead)


# -- urgent


def test_what_is_urgent_is_listed_for_the_front_door_and_for_the_childs_own_worker_and_manager(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str, lead: str, staff: Callable[..., str]
) -> None:
    fenn, manager = staff("fenn", "allocatedSocialWorker"), staff("maud", "teamManager")
    stranger = staff("ilse", "allocatedSocialWorker")
    allocate(hub, council, fenn)
    allocate(hub, council, manager, "teamManager")
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA), police.seal(child=WRENNA)], police.source)
    for person in (front_door, fenn, manager):
        (item,) = listed(person)
        assert (item["kind"], item["urgent"], item["child"]) == ("urgent", True, str(only_child(hub))), person
    assert listed(stranger) == listed(lead) == []


def test_an_urgent_entry_that_is_addressed_to_the_reader_is_listed_once(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA, **ask_for(to))], police.source)
    (item,) = listed(front_door)
    assert (item["kind"], item["urgent"]) == ("addressed", True)


def test_an_urgent_request_is_gone_once_the_front_door_replied(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str
) -> None:
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA, id="asked", **ask_for(to))], police.source)
    reply = [{"source": police.source, "id": "asked", "as": "answers"}]
    sealed = council.seal("referral-decided", child=WRENNA, references=reply, said_by=said(FRONT_DOOR))
    hub.admission.admit([sealed], council.source)
    assert listed(front_door) == []


def test_an_urgent_record_of_a_doubtful_child_is_listed_with_its_question(
    hub: Hub, register: Callable[..., Any], listed: Any, front_door: str, staff: Callable[..., str]
) -> None:
    police, school = register("northmarch"), register("larkbeck")
    steward = staff("bram", "steward")
    number = {"identifiers": [{"system": NHS, "value": "9991204318"}]}
    hub.admission.admit([police.seal(child=WRENNA | number)], police.source)
    doubtful = {**WRENNA, **number, "names": [{"family": "Quillfeather", "given": ["Tobin"]}]}
    hub.admission.admit([school.seal("disclosure-by-child", child=doubtful)], school.source)
    assert sorted(kinds(listed(front_door))) == ["identity-unsure", "urgent"]
    (question,) = listed(steward)
    assert (question["kind"], question["urgent"]) == ("identity-unsure", True)
    older, _ = hub.register().children()
    hub.casework.settle(steward, "identity-not-same", UUID(question["child"]), older, "they are brothers")
    assert listed(steward) == []
    assert kinds(listed(front_door)) == ["urgent"]


def test_an_urgent_record_in_quarantine_shows_its_sender_reason_and_whom_to_ring_and_nothing_else(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    contact = {"name": "Duty desk", "phone": "01632 960112"}
    sealed = police.seal("disclosure-by-child", child=WRENNA, said_by=said(POLICE, contact=contact), details={"no": 1})
    (receipt,) = hub.admission.admit(
        [
            sealed,
        ],
        police.source,
    )
    assert receipt.reason == "schema"
    (item,) = listed(front_door)
    id = item.pop("id")
    assert item == {
        "kind": "quarantined-urgent", "at": "2025-03-03T12:00:00.000+00:00", "urgent": True,
        "says": "An urgent record waits and cannot be read yet. Ring the sender.", "source": police.source,
        "reason": "schema", "ring": contact,
    }  # fmt: skip
    hub.items.open(front_door, id)
    assert "opened" in listed(front_door)[0], "opened, it stands until somebody has settled it"


def test_a_quarantined_record_that_is_not_urgent_is_no_ones_item(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal(child=WRENNA, details={"no": 1})], police.source)
    assert listed(front_door) == []


def test_under_no_good_signature_the_bytes_claim_decides_and_nobody_is_rung_on_their_word(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    forger = type(police)(police.source)
    contact = {"name": "A voice", "phone": "01632 960999"}
    forged = forger.seal("disclosure-by-child", child=WRENNA, said_by=said(POLICE, contact=contact))
    hub.admission.admit([forged], police.source)
    (item,) = listed(front_door)
    assert (item["urgent"], item["reason"]) == (True, "key")
    assert "ring" not in item


def test_what_cannot_be_read_at_all_may_be_urgent_and_is_one_line_for_a_sender_and_reason(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([b"{", b"[", b"]"], police.source)
    (item,) = listed(front_door)
    assert (item["kind"], item["urgent"], item["source"]) == ("quarantined-urgent", False, police.source)


def test_attack_burying_the_urgent_list_under_malformed_urgent_records_of_one_sender(
    hub: Hub, clock: Any, police: Any, register: Callable[..., Any], listed: Any, front_door: str
) -> None:
    school, desk = register("larkbeck"), {"name": "Duty desk", "phone": "01632 960112"}
    malformed = [
        police.seal("disclosure-by-child", said_by=said(POLICE, contact=desk), id=f"m{n}", details={"no": 1})
        for n in range(40)
    ]
    hub.admission.admit(malformed[:39], police.source)
    clock.forward(hours=1)
    hub.admission.admit([school.seal("disclosure-by-child", child=WRENNA)], school.source)
    *alone, rest, real = sorted(listed(front_door), key=lambda one: (one["kind"] == "urgent", "records" in one))
    assert (len(alone), rest["records"], rest["ring"], real["kind"]) == (5, 34, desk, "urgent")
    hub.items.open(front_door, rest["id"])
    hub.admission.admit(malformed[39:], police.source)
    (rest,) = (one for one in listed(front_door) if "records" in one)
    assert (rest["records"], rest["newest"], "opened" in rest) == (35, "2025-03-03T13:00:00.000+00:00", False)
    assert len(hub.admission.quarantine.list()) == 40, "each waits by itself"


# -- told of later


def test_whoever_read_a_removed_entry_is_told_that_it_was_and_never_again_what(
    hub: Hub, listed: Any, front_door: str, read_then_removed: Callable[..., None], staff: Callable[..., str]
) -> None:
    newcomer = staff("ilse", "frontDoor")
    read_then_removed()
    (item,) = listed(front_door)
    assert (item["kind"], item["child"]) == ("entry-removed", str(only_child(hub)))
    assert "ref" not in item
    assert listed(newcomer) == []


def test_whoever_saw_only_its_card_is_told_of_a_removal_and_of_no_correction(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    closely = {"label": {"level": "V"}}
    hub.admission.admit([police.seal(child=WRENNA, id="wrong", **closely), police.seal(child=WRENNA)], police.source)
    hub.disclosure.chronology(Ask(person=front_door, child=only_child(hub), purpose="triage"))
    hub.admission.admit([taken_back(police, "correction-made", "corrects")], police.source)
    assert listed(front_door) == []
    hub.admission.admit([taken_back(police)], police.source)
    assert kinds(listed(front_door)) == ["entry-removed"]


def test_attack_swelling_the_lists_with_many_retractions_of_one_record_of_many_versions(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    def refers(numbers: list[int], as_: str) -> dict[str, Any]:
        return {"change": as_, "references": [{"source": police.source, "id": f"v{n}", "as": as_} for n in numbers]}

    versions = [police.seal(child=WRENNA, id=f"v{n}", **refers([n - 1], "replaces") if n else {}) for n in range(30)]
    hub.admission.admit([*versions, police.seal(child=WRENNA)], police.source)
    hub.disclosure.chronology(Ask(person=front_door, child=only_child(hub), purpose="triage"))
    before = len(hub.item_rows.of_kinds("entry-removed", "entry-corrected", "taken-back"))
    away = {"details": {"reason": "wrong-child"}}
    for start in range(30):
        again = {**refers([(start + n) % 30 for n in range(20)], "retracts"), **away}
        receipts = hub.admission.admit([police.seal("retraction-made", child=WRENNA, **again)], police.source)
        assert receipts[0].outcome == "admitted"
    assert kinds(listed(front_door)) == ["entry-removed"]
    rows = hub.item_rows.of_kinds("entry-removed")
    assert sorted(row.target for row in rows) == sorted({row.target for row in rows}), "no version is removed twice"
    assert (before, len(rows)) == (0, 30)


def test_what_was_removed_before_anybody_read_it_is_told_to_nobody(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal(child=WRENNA, id="wrong"), police.seal(child=WRENNA)], police.source)
    hub.admission.admit([taken_back(police)], police.source)
    hub.disclosure.chronology(Ask(person=front_door, child=only_child(hub), purpose="triage"))
    assert listed(front_door) == []


def test_whoever_would_find_nothing_there_now_is_told_without_the_childs_id(
    hub: Hub, police: Any, listed: Any, lead: str
) -> None:
    to = {"addressed_to": [{"service": SCHOOL}]}
    hub.admission.admit([police.seal(child=WRENNA, id="wrong", **to), police.seal(child=WRENNA)], police.source)
    hub.disclosure.chronology(Ask(person=lead, child=only_child(hub), purpose="educationSupport"))
    hub.admission.admit([taken_back(police)], police.source)
    (item,) = listed(lead)
    assert (item["kind"], item.get("child")) == ("entry-removed", None)


def test_whoever_read_what_was_corrected_is_led_to_the_correction(
    hub: Hub, listed: Any, front_door: str, read_then_removed: Callable[..., None], staff: Callable[..., str]
) -> None:
    newcomer = staff("ilse", "frontDoor")
    read_then_removed("correction-made", "corrects")
    (item,) = listed(front_door)
    assert item["kind"] == "entry-corrected"
    assert item["at"] == "2025-03-03", "of an outline no hour is told"
    assert "ref" in item
    assert listed(newcomer) == []


def test_a_correction_that_the_earlier_reader_may_not_see_is_not_told(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal(child=WRENNA, id="wrong"), police.seal(child=WRENNA)], police.source)
    hub.disclosure.chronology(Ask(person=front_door, child=only_child(hub), purpose="triage"))
    references = [{"source": police.source, "id": "wrong", "as": "corrects"}]
    hidden = police.seal("correction-made", child=WRENNA, references=references, label={"handling": ["privileged"]})
    hub.admission.admit([hidden], police.source)
    assert listed(front_door) == []


def test_a_withdrawal_is_put_before_the_front_door_and_the_lead_professional(
    hub: Hub, council: Any, listed: Any, front_door: str, lead: str, staff: Callable[..., str]
) -> None:
    other = staff("hesper", "schoolLead", "tarnwhistle-academy")
    details = {"person": lead, "service": SCHOOL}
    for sealed in (
        council.seal("lead-professional-named", child=WRENNA, details=details, said_by=said(FRONT_DOOR)),
        council.seal("agreement-withdrawn", child=WRENNA, said_by=said(FRONT_DOOR)),
    ):
        (receipt,) = hub.admission.admit([sealed], council.source)
        assert receipt.outcome == "admitted", receipt
    assert kinds(listed(front_door)) == kinds(listed(lead)) == ["agreement-withdrawn"]
    assert listed(other) == []


def test_a_protective_condition_is_told_to_the_childs_worker_and_to_the_lead_of_the_school_on_roll(
    hub: Hub, police: Any, council: Any, school: Any, listed: Any, lead: str, staff: Callable[..., str], clock: Any
) -> None:
    fenn, other = staff("fenn", "allocatedSocialWorker"), staff("marnie", "schoolLead", "larkbeck-primary")
    allocate(hub, council, fenn)
    on_roll = school.seal("involvement-started", child=WRENNA, details={"service": SCHOOL}, said_by=said(SCHOOL))
    hub.admission.admit([on_roll], school.source)
    hub.admission.admit([police.seal("protective-condition-set", child=WRENNA)], police.source)
    assert kinds(listed(fenn)) == kinds(listed(lead)) == ["condition-started"]
    clock.forward(days=1)
    hub.admission.admit(
        [police.seal("protective-condition-ended", child=WRENNA, shared="2025-03-04T09:00:00Z")], police.source
    )
    assert kinds(listed(fenn)) == kinds(listed(lead)) == ["condition-started", "condition-ended"]
    assert listed(other) == []


def test_an_alarm_is_for_officers_who_may_hold_no_role_and_names_no_child(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal(child=WRENNA)], police.source)
    hub.disclosure.log.alarm("conflict-attempt", reader="hesper.vane", child=str(only_child(hub)))
    (item,) = listed("ada")
    assert (item["kind"], item["about"]) == ("conflict-attempt", {"reader": "hesper.vane"})
    assert str(only_child(hub)) not in json.dumps(item)
    assert listed(front_door) == []


def test_a_condition_that_its_sender_holds_closely_is_told_to_nobody_who_may_not_read_it(
    hub: Hub, police: Any, school: Any, listed: Any, lead: str
) -> None:
    on_roll = school.seal("involvement-started", child=WRENNA, details={"service": SCHOOL}, said_by=said(SCHOOL))
    hub.admission.admit([on_roll], school.source)
    for label in ({"level": "R"}, {"handling": ["protectedSource"]}):
        (receipt,) = hub.admission.admit(
            [police.seal("protective-condition-set", child=WRENNA, label=label)], police.source
        )
        assert receipt.outcome == "admitted"
    assert listed(lead) == []
