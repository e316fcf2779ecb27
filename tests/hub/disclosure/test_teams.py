"""A team's open items: for each child what its chronology would show this reader, recorded, and never cut short."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.disclosure import (
    Ask,
    CannotBeShownComplete,
    CannotRecord,
    NoAnswer,
    NoStanding,
    TeamAsk,
    TooManyChildren,
    teams,
)
from hub.store.streams import ACCESS
from tests.hub.conftest import WRENNA
from tests.stores import Store

S = "urn:safeguarding:service:"
COUNCIL, LARKBECK, TARNWHISTLE = S + "harrowmere-childrens-services", S + "larkbeck", S + "tarnwhistle-academy"
TOBIN = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}, "sex": "1"}


def listed(hub: Hub, person: str, purpose: str = "triage", **more: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(hub.teams.open_items(TeamAsk(person=person, purpose=purpose, **more)).body)
    return body


def rules(body: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(one["child"]["id"], [item["rule"] for item in one["open_items"]]) for one in body["children"]]


@pytest.fixture
def children(hub: Hub, police: Any) -> tuple[UUID, UUID]:
    plain: dict[str, Any] = dict.fromkeys(("asked", "by_when", "addressed_to"))
    hub.admission.admit([police.seal(child=WRENNA, person="w", **plain)], police.source)
    hub.admission.admit([police.seal(child=TOBIN, person="t", **plain)], police.source)
    one, other = hub.register().children()
    return one, other


@pytest.fixture
def front_door(staff: Callable[..., str]) -> str:
    return staff("ottoline", "frontDoor")


@pytest.fixture
def note(hub: Hub) -> Callable[..., str]:
    def one(person: str, event: str, child: UUID, **members: Any) -> str:
        done = hub.casework.record(person, {"event": event, "child": str(child), "details": {}, **members})
        assert done.receipt.outcome == "admitted"
        return done.id

    return one


def test_the_front_door_lists_what_waits_of_its_children_as_their_chronologies_say_it(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str]
) -> None:
    assert listed(hub, front_door)["children"] == []
    for child in children:
        note(front_door, "referral-made", child, details={"concern": "neglect"})
    note(front_door, "referral-decided", children[1], details={"decision": "nfa"})
    body = listed(hub, front_door)
    assert sorted(rules(body)) == sorted([(str(children[0]), ["referral-decision"]),
                                          (str(children[1]), ["referrer-informed"])])  # fmt: skip
    assert body["team"] == COUNCIL
    assert body["notice"] == "Other information may exist that is not shown here."
    assert [one["child"]["id"] for one in body["children"]] == sorted(map(str, children))
    for one in body["children"]:
        ask = Ask(person=front_door, child=UUID(one["child"]["id"]), purpose="triage")
        chronology = json.loads(hub.disclosure.chronology(ask).body)
        assert one["open_items"] == chronology["open_items"]
        assert one["child"].keys() == {"id", "name"}
        assert one["child"]["name"] == chronology["child"]["name"]


def test_both_schools_list_a_file_that_nobody_received(
    hub: Hub, children: tuple[UUID, UUID], note: Callable[..., str], staff: Callable[..., str], clock: Any
) -> None:
    leaving, joining = staff("marnie", "schoolLead", "larkbeck"), staff("juno", "schoolLead", "tarnwhistle-academy")
    note(leaving, "involvement-started", children[0])
    note(leaving, "file-sent", children[0], details={"kind": "safeguarding-file", "to_service": TARNWHISTLE})
    assert rules(listed(hub, leaving, "educationSupport")) == [(str(children[0]), ["file-receipt"])]
    assert rules(listed(hub, joining, "educationSupport")) == []
    note(joining, "involvement-started", children[0])
    clock.forward(days=8)
    for lead in (leaving, joining):
        (one,) = listed(hub, lead, "educationSupport")["children"]
        assert [(item["due"], item["late"]) for item in one["open_items"]] == [("2025-03-10", True)]
    note(joining, "file-received", children[0], details={"kind": "safeguarding-file", "from_service": LARKBECK})
    assert rules(listed(hub, joining, "educationSupport")) == []


def test_an_allocated_worker_lists_their_own_children_only(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str], staff: Callable[..., str]
) -> None:
    worker = staff("fenn", "allocatedSocialWorker")
    for child in children:
        note(front_door, "s47-started", child)
    assert rules(listed(hub, worker, "s47")) == []
    note(front_door, "worker-allocated", children[0], details={"person": worker, "role": "allocatedSocialWorker"})
    found = rules(listed(hub, worker, "s47"))
    assert found == [(str(children[0]), ["child-seen", "initial-conference", "view-of-child"])]


def test_another_team_and_another_role_get_nothing_and_the_attempt_is_recorded(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, staff: Callable[..., str]
) -> None:
    lead, nurse = staff("juno", "schoolLead", "tarnwhistle-academy"), staff("marit", "healthPractitioner", "nursing")
    with pytest.raises(NoAnswer):
        listed(hub, lead, "educationSupport", team=COUNCIL)
    with pytest.raises(NoAnswer):
        listed(hub, lead, "educationSupport", team=S + "nowhere")
    with pytest.raises(NoStanding):
        listed(hub, nurse, "s47")
    with pytest.raises(NoStanding):
        listed(hub, "nobody", "s47")
    notes = [fact.data for fact in hub.record.facts(ACCESS) if fact.data["kind"] == "open-items"]
    assert [(one["reader"], one["outcome"]) for one in notes] == [
        ("juno", "no-answer"), ("juno", "no-answer"), ("marit", "no-standing"), ("nobody", "no-standing"),
    ]  # fmt: skip


def test_the_list_is_on_record_with_every_child_and_entry_that_it_tells_of(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str]
) -> None:
    note(front_door, "referral-made", children[0], details={"concern": "neglect"})
    answer = hub.teams.open_items(TeamAsk(person=front_door, purpose="triage"))
    (access,) = [one for one in hub.disclosure.accesses(children[0]) if one["kind"] == "open-items"]
    assert (access["reader"], access["outcome"], access["answer"]) == (front_door, "answered", answer.sha256)
    assert [len(line["entries"]) for line in access["classes"]] == [1]
    assert [one for one in hub.disclosure.accesses(children[1]) if one["kind"] == "open-items"] == []


def test_what_cannot_be_recorded_is_not_answered(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(hub, front_door)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(hub.record, "append", fail)
    monkeypatch.setattr("hub.disclosure.journal.os.pwrite", fail)  # nor does the journal take it
    with pytest.raises(CannotRecord):
        listed(hub, front_door)


def test_one_childs_missing_key_refuses_the_whole_list_and_it_heals(
    hub: Hub, police: Any, children: tuple[UUID, UUID], front_door: str, own_store: Store
) -> None:
    to_us: dict[str, Any] = {"addressed_to": [{"service": COUNCIL, "role": "frontDoor"}], "asked": "Decide today."}
    referrals = [police.seal("referral-made", child=one, person=p, **to_us) for one, p in ((WRENNA, "w"), (TOBIN, "t"))]
    hub.admission.admit(referrals, police.source)
    tampering = own_store.owner().keys
    with tampering.transaction() as keys:
        held = keys.query("SELECT * FROM event_key WHERE stream=?", (children[0].hex,))
        keys.execute("DELETE FROM event_key WHERE stream=?", (children[0].hex,))
    with pytest.raises(CannotBeShownComplete):
        listed(hub, front_door)
    with tampering.transaction() as keys:
        keys.insert("event_key", held)
    assert len(listed(hub, front_door)["children"]) == 2


def test_more_children_than_a_list_tells_of_are_refused_visibly(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for child in children:
        note(front_door, "referral-made", child, details={"concern": "neglect"})
    monkeypatch.setattr(teams, "MOST_CHILDREN", 1)
    with pytest.raises(TooManyChildren):
        listed(hub, front_door)


def test_attack_closing_a_schools_list_with_children_whom_its_lead_may_not_see(
    hub: Hub, police: Any, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = staff("dunstan", "schoolLead", "larkbeck")
    before = listed(hub, lead, "educationSupport")
    to_another_role: dict[str, Any] = {"addressed_to": [{"service": LARKBECK, "role": "camhs"}], "asked": "Come."}
    monkeypatch.setattr(teams, "MOST_CHILDREN", 1)
    for n in range(3):
        born = {"names": [{"family": f"Mosswick{n}", "given": ["Ida"]}], "birth_date": {"date": "2012-01-01"}}
        referral = police.seal("referral-made", child=born, person=f"r{n}", **to_another_role)
        assert hub.admission.admit([referral], police.source)[0].outcome == "admitted"
    after = listed(hub, lead, "educationSupport")
    assert (after["children"], before["children"]) == ([], [])


def test_a_child_whom_a_steward_joined_is_one_child_of_the_list(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str], staff: Callable[..., str]
) -> None:
    note(front_door, "involvement-started", children[0])
    note(front_door, "s47-started", children[1])
    for steward in ("bram", "juno"):  # two, because each has a chronology of its own
        hub.casework.settle(staff(steward, "steward", "stewards"), "identity-same", *children, "one child")
    assert [one for one, _ in rules(listed(hub, front_door, "s47"))] == [str(children[0])]


def test_a_declared_conflict_takes_the_child_off_the_list(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str]
) -> None:
    note(front_door, "referral-made", children[0], details={"concern": "neglect"})
    assert len(listed(hub, front_door)["children"]) == 1
    conflict = {"person": front_door, "child": str(children[0]), "reason": "family"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": conflict})
    assert listed(hub, front_door)["children"] == []


def test_rebuilt_from_zero_it_is_what_it_was_and_names_nobody(
    hub: Hub, children: tuple[UUID, UUID], front_door: str, note: Callable[..., str]
) -> None:
    for child in children:
        note(front_door, "referral-made", child, details={"concern": "neglect"})
    before = listed(hub, front_door)["children"]
    rows = "SELECT token, home FROM concerned ORDER BY token, home"
    held = hub.databases.view.query(rows)
    assert hub.concerned.rebuild() == hub.record.position()
    assert hub.databases.view.query(rows) == held != []
    assert listed(hub, front_door)["children"] == before
    assert hub.databases.view.query("SELECT COUNT(*) FROM concerned_build") == [(1,)]
    assert b"harrowmere" not in b"".join(bytes(token) for token, _ in held)
