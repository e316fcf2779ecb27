"""`/casework`: what people record, in one strict form; the rule that was broken is named, what was sent never is."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from hub.casework import Misfit, NotYours
from hub.ingest.admission import StillWaits
from hub.ingest.quarantine import NoSuchRecord

CHILD, OTHER = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01", "8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02"
ENTRY = {"event": "contact-received", "child": CHILD, "details": {}}


def test_an_entry_is_recorded_as_the_tokens_person_in_the_named_role(world):
    answer = world.person.post("/casework", json.dumps({**ENTRY, "role": "frontDoor"}))
    assert answer.status_code == 201
    assert answer.json() == {
        "id": "e1", "source": "urn:safeguarding:source:people:front-door", "outcome": "admitted", "reason": "",
        "position": 7,
    }  # fmt: skip
    assert world.casework.recorded == [("fenn.okoro-dale", ENTRY, "frontDoor")]


@pytest.mark.parametrize(("outcome", "status"), [("admitted", 201), ("duplicate", 200), ("quarantined", 202)])
def test_the_status_says_what_became_of_it(world, outcome, status):
    world.casework.gives = replace(world.casework.gives, outcome=outcome, reason="schema", position=None)
    answer = world.person.post("/casework", json.dumps(ENTRY))
    assert (answer.status_code, answer.json()["reason"]) == (status, "schema")
    assert "position" not in answer.json()


def test_a_broken_rule_is_named(world, problem):
    answer = world.person.post("/casework", json.dumps({"event": "role-held"}))
    assert problem(answer) == (403, "not-yours")
    assert answer.json()["rule"] == "OnlyOfficersRegisterStaff"


@pytest.mark.parametrize(
    ("entry", "member"),
    [
        ({"event": "no-such-kind"}, "event"), ({}, "event"), ({"event": 1}, "event"), ({"event": ""}, "event"),
        ({**ENTRY, "child": 7}, "child"), ({**ENTRY, "role": "queen"}, "role"), ({**ENTRY, "role": {}}, "role"),
        ({**ENTRY, "said_by": "me"}, "said_by"), ({**ENTRY, "said_by": {"author": []}}, "said_by"),
        ({**ENTRY, "details": []}, "details"),
    ],
)  # fmt: skip
def test_a_misfit_names_the_member_only(world, problem, entry, member):
    answer = world.person.post("/casework", json.dumps(entry))
    assert problem(answer) == (422, "misfit")
    assert answer.json()["member"] == member
    assert world.casework.recorded == []


@pytest.mark.parametrize(
    ("named", "member"),
    [
        ("details", "details"), ("/details/source_code: is missing", "details/source_code"),
        ("/told/0/who: is of Wrenna", "told/0/who"), ("/details/Quillfeather: is not known", "entry"),
        ("/: x", "entry"), ("/wrenna/0: x", "entry"), ("", "entry"), ("details/" + "x" * 100, "entry"),
    ],
)  # fmt: skip
def test_of_a_path_its_members_are_named_where_they_are_ours(world, named, member):
    world.casework.fault = Misfit(named)
    answer = world.person.post("/casework", json.dumps(ENTRY))
    assert answer.json()["member"] == member
    assert "renna" not in answer.text


def test_a_member_that_is_not_on_the_list_is_not_named(world):
    world.casework.fault = Misfit("details/Quillfeather")
    assert world.person.post("/casework", json.dumps(ENTRY)).json()["member"] == "entry"


def test_a_rule_that_is_no_word_of_ours_is_not_named(world):
    world.casework.fault = NotYours("of Wrenna Quillfeather, 12")
    assert world.person.post("/casework", json.dumps(ENTRY)).json()["rule"] == "NotYours"


def test_an_entry_of_another_media_type_is_refused(world, problem):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert problem(world.person.call("POST", "/casework", form, b"event=contact-received")) == (415, "media")


def test_an_entry_beyond_the_limit_is_refused_before_it_is_read(world, problem):
    assert problem(world.person.post("/casework", '{"event":"' + "x" * 200_000 + '"}')) == (413, "large")


def test_a_steward_settles_who_is_who(world):
    entry = {"decision": "not-same", "child": CHILD, "other": OTHER, "reason": "given names contradict"}
    assert world.person.post("/casework/identity", json.dumps(entry)).status_code == 201
    assert world.casework.recorded == [
        ("fenn.okoro-dale", "identity-not-same", UUID(CHILD), UUID(OTHER), "given names contradict")
    ]


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"decision": "maybe"}, "decision"), ({"decision": None}, "decision"), ({"child": 1}, "child"),
        ({"reason": ""}, "reason"), ({"admin": True}, "entry"),
    ],
)  # fmt: skip
def test_a_settling_in_another_form_is_refused(world, problem, change, member):
    entry = {"decision": "same", "child": CHILD, "other": OTHER, "reason": "r", **change}
    answer = world.person.post("/casework/identity", json.dumps(entry))
    assert (problem(answer), answer.json()["member"]) == ((422, "misfit"), member)
    assert world.casework.recorded == []


def test_a_steward_releases_or_refuses_a_quarantined_record(world):
    for decision, release in (("release", True), ("refuse", False)):
        entry = json.dumps({"decision": decision, "reason": "asked the sender"})
        assert world.person.post("/casework/quarantine/0123456789abcdef", entry).status_code == 200
        assert world.casework.recorded.pop() == ("fenn.okoro-dale", "0123456789abcdef", release, "asked the sender")


@pytest.mark.parametrize("id", ["x", "0123456789abcde%2f", "0123456789abcdef0", "%00" * 16])
def test_an_id_of_another_form_is_no_record(world, problem, id):
    entry = json.dumps({"decision": "release", "reason": "r"})
    assert problem(world.person.post(f"/casework/quarantine/{id}", entry))[0] == 404
    assert world.casework.recorded == []


def test_a_record_that_does_not_wait_and_one_that_waits_still_are_told_apart(world, problem):
    entry = json.dumps({"decision": "release", "reason": "r"})
    world.casework.fault = NoSuchRecord("0123456789abcdef")
    assert problem(world.person.post("/casework/quarantine/0123456789abcdef", entry)) == (404, "no-record")
    world.casework.fault = StillWaits("key-retired")
    answer = world.person.post("/casework/quarantine/0123456789abcdef", entry)
    assert (problem(answer), answer.json()["reason"]) == ((409, "still-waits"), "key-retired")
