"""Questions at the command line: whom to ring, who holds which role, who is who; and what is no question."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.__main__ import NO_ANSWER, main
from hub.bootstrap import Hub
from hub.commands_identity import NO_SUCH_CHILD
from hub.disclosure import description_of
from hub.identity.matching import Description
from tests.hub.conftest import Said, only_child
from tests.hub.test_commands import TWIN, accesses


def test_a_query_says_whom_to_ring_or_one_sentence_and_ends_well_either_way(say, hub, police, staff, written):
    person = {**TWIN, "address": [{"postcode": "ZZ1 4QF"}]}
    hub.admission.admit([police.seal(child=person)], police.source)
    asked = ("query", written(person), "--as", staff("ottoline", "frontDoor"), "--purpose", "triage")
    found, nothing = say(*asked), say(*asked, "--role", "schoolLead")
    assert (found.code, nothing.code) == (0, 0)
    assert found.line["ring"]
    assert nothing.line == {"says": "nothing can be said here, ring the front door"}
    assert accesses(hub) == [("query", "answered"), ("query", "no-standing")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"name": "Tobin"}, "the person cannot be read: see name; `hub query --help` shows the form"),
        (
            {"person": TWIN, "reason": "triage"},
            "the person cannot be read: see person; `hub query --help` shows the form",
        ),
        ({**TWIN, "postcode": "ZZ1 4QF"}, "the person cannot be read: see person; `hub query --help` shows the form"),
        ({}, "the file describes nobody; `hub query --help` shows the form"),
        ({"names": []}, "the file describes nobody; `hub query --help` shows the form"),
        ([TWIN], "not a JSON object"),
        ("Tobin Quillfeather", "not JSON"),
    ],
)
def test_a_file_that_describes_nobody_is_misuse_and_never_taken_for_a_child_whom_nobody_knows(
    say, hub, staff, written, content, words
):
    asked = say("query", written(content), "--as", staff("ottoline", "frontDoor"), "--purpose", "triage")
    assert (asked.code, asked.lines, asked.words) == (2, [], f"hub: {words}\n")
    assert accesses(hub) == []


def test_the_help_of_a_query_shows_a_person_that_is_read(say, capsys):
    main(["query", "--help"])
    shown = capsys.readouterr().out
    assert description_of(json.loads(shown[shown.index("FILE is {") + 8 :])) != Description()


def test_officers_list_and_show_staff_and_nobody_else_does(say, hub, staff):
    staff("ottoline", "frontDoor")
    listed = say("staff", "list", "--as", "ada", "--purpose", "audit")
    assert [line["person"] for line in listed.lines] == ["ottoline"]
    assert say("staff", "show", "ottoline", "--as", "ada", "--purpose", "audit").line == listed.line
    refused = say("staff", "list", "--as", "ottoline", "--purpose", "audit")
    assert (refused.code, refused.lines) == (1, [])


def test_a_mistyped_professional_is_nobody_and_not_somebody_without_roles(say, hub, police, staff):
    staff("isla", "caseAuditor")
    hub.admission.admit([police.seal(id="e1")], police.source)
    of = ("--reader", "jumo", "--reader-purpose", "s47", "--at", "2024-10-05", "--as", "isla", "--purpose", "audit")
    for said in (
        say("staff", "show", "isle", "--as", "ada", "--purpose", "audit"),
        say("replay", only_child(hub), *of),
    ):
        assert said == Said(1, [], "hub: nobody of this id was ever registered\n")


@pytest.mark.parametrize("at", ["2091-01-01", "2091-01-01T00:00:00Z"])
def test_a_day_that_has_not_come_is_misuse(say, hub, police, staff, at):
    staff("isla", "caseAuditor")
    hub.admission.admit([police.seal(id="e1")], police.source)
    child, by = only_child(hub), ("--as", "isla", "--purpose", "audit")
    read = say("chronology", child, *by, "--as-of", at)
    replayed = say("replay", child, "--reader", "isla", "--reader-purpose", "audit", "--at", at, *by)
    assert [read, replayed] == [Said(2, [], "hub: that day or moment has not come yet\n")] * 2


@pytest.mark.parametrize("verb", ["show", "readers"])
def test_a_mistyped_child_and_one_about_whom_the_steward_declared_a_conflict_are_refused_in_the_same_words(
    say: Callable[..., Said], hub: Hub, police: Any, staff: Callable[..., str], verb: str
) -> None:
    staff("bram", "steward")
    hub.admission.admit([police.seal(id="e1")], police.source)
    child = only_child(hub)
    hub.casework.record("ada", {"event": "conflict-declared", "details": {"person": "bram", "child": str(child)}})
    said = [
        say("identity", verb, one, "--as", "bram", "--purpose", "triage") for one in (child, uuid.uuid4(), "wrenna")
    ]
    assert said == [Said(1, [], f"hub: {NO_SUCH_CHILD}\n")] * 3
    tried = [one for one in accesses(hub) if one[0] != "conflict-attempt"]
    assert tried == [(f"identity-{verb}", "no-answer")] * 2


def test_a_replay_of_a_child_who_is_not_there_is_refused(say: Callable[..., Said], staff: Callable[..., str]) -> None:
    staff("isla", "caseAuditor")
    of = ("--reader", "juno", "--reader-purpose", "s47", "--at", "2025-03-03", "--as", "isla", "--purpose", "audit")
    said = say("replay", UUID(int=7), *of)
    assert (said.code, said.lines, said.words) == (1, [], f"hub: {NO_ANSWER}\n")
