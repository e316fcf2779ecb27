"""The `hub` command: JSON lines on stdout, words on stderr, exit codes, never a traceback; readings are recorded."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.__main__ import NO_ANSWER, main
from hub.bootstrap import Hub
from hub.disclosure import RING, AccessLog, CannotRecord
from hub.store.keys import KeyAway, WrappedKeys
from hub.store.streams import ACCESS
from schemas.envelope import SigningKey
from tests.hub.conftest import Said

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
TWIN = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}


@pytest.fixture
def child(hub: Hub, police: Any) -> UUID:
    hub.admission.admit([police.seal(id="e1")], police.source)
    return hub.register().children()[0]


def accesses(hub: Hub) -> list[tuple[str, str]]:
    """(kind, outcome) of every recorded access."""
    return [(fact.data["kind"], fact.data.get("outcome", "")) for fact in hub.record.facts(ACCESS)]


# --- init and misuse --------------------------------------------------------------------------------------------------


def init(*more: str) -> int:
    return main(["init", "--partnership", PARTNERSHIP, "--area", "E99000001", *more])


def test_init_makes_a_hub_and_a_second_one_is_misuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "hub"))
    assert init("--officer", "ada", "--officer", "quill") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["partnership"], set(said["fingerprints"])) == (PARTNERSHIP, {"ada", "quill", "hub receipts"})
    assert init("--officer", "eve", "--officer", "mallory") == 2
    got = capsys.readouterr()
    assert (got.out, "nothing was changed" in got.err) == ("", True)


@pytest.mark.parametrize("officers", [[], ["ada"], ["ada", "ada"], ["ada", "../quill"], ["ada", ""]])
def test_outside_demo_mode_a_hub_begins_with_two_officers_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, officers: list[str]
) -> None:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "hub"))
    assert init(*(word for name in officers for word in ("--officer", name))) == 2
    assert not (tmp_path / "hub").exists()


def test_without_a_hub_every_command_is_misuse_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "hub"))
    assert main(["keys", "list"]) == 2
    assert "hub init" in capsys.readouterr().err
    assert not (tmp_path / "hub").exists()


def test_an_unknown_setting_is_misuse(say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_QUARANTINE_QOUTA", "1")
    said = say("keys", "list")
    assert (said.code, said.lines) == (2, [])
    assert "HUB_QUARANTINE_QOUTA" in said.words


def test_another_home_may_be_named(say: Callable[..., Said], hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_HOME", "/nowhere")
    assert say("--home", hub.settings.home, "keys", "list").code == 0


# --- record -----------------------------------------------------------------------------------------------------------


def test_a_person_records_an_entry(
    say: Callable[..., Said], child: UUID, staff: Callable[..., str], written: Callable[[Any], Path]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    said = say("record", written({"event": "child-seen", "child": str(child), "details": {}}), "--as", "fenn")
    assert said.code == 0
    assert (said.line["event"], said.line["outcome"], said.line["position"] > 0) == ("child-seen", "admitted", True)


def test_what_may_not_or_cannot_be_recorded_ends_with_1_and_the_broken_rule(
    say: Callable[..., Said], child: UUID, staff: Callable[..., str], written: Callable[[Any], Path]
) -> None:
    entry = {"event": "child-seen", "child": str(child), "details": {}}
    said = say("record", written(entry), "--as", "nobody")
    assert (said.code, said.lines, "NoRoleHeldToday" in said.words) == (1, [], True)
    staff("fenn", "allocatedSocialWorker")
    assert "Misfit: said_by" in say("record", written({**entry, "said_by": []}), "--as", "fenn").words
    said = say("record", written({**entry, "child": str(uuid.uuid4())}), "--as", "fenn")
    assert (said.code, said.line["reason"]) == (1, "unknown-child")


@pytest.mark.parametrize("content", ["not json", '{"event": 1, "event": 2}', "[]", '{"n": 1.5}', ""])
def test_a_file_that_is_no_strict_json_object_is_misuse(
    say: Callable[..., Said], written: Callable[[Any], Path], content: str
) -> None:
    said = say("record", written(content), "--as", "fenn")
    assert (said.code, said.lines) == (2, [])


def test_a_file_that_is_not_there_is_misuse(say: Callable[..., Said]) -> None:
    assert say("record", "/no/such/file.json", "--as", "fenn").code == 2


# --- chronology -------------------------------------------------------------------------------------------------------


def read(say: Callable[..., Said], child: object, person: str = "ottoline", *more: object) -> Said:
    return say("chronology", child, "--as", person, "--purpose", "triage", *more)


def test_a_reader_reads_and_the_reading_is_recorded(
    say: Callable[..., Said], hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    said = read(say, child)
    assert (said.code, [entry["event"] for entry in said.line["entries"]]) == (0, ["domestic-abuse-incident"])
    assert accesses(hub) == [("read", "answered")]


def test_it_is_recorded_before_it_is_answered(
    say: Callable[..., Said], child: UUID, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff("ottoline", "frontDoor")
    staff("bram", "steward")

    def full(*_: Any) -> None:
        raise CannotRecord

    monkeypatch.setattr(AccessLog, "note", full)
    lists = [("identity", "list"), ("quarantine", "list"), ("quarantine", "show", "x")]
    ends = [read(say, child), *(say(*one, "--as", "bram", "--purpose", "triage") for one in lists)]
    assert [(said.code, said.lines) for said in ends] == [(3, [])] * 4
    assert all(RING in said.words for said in ends)


@pytest.mark.parametrize("child_id", ["a599a44c-713b-47a1-a10f-0ef7baf5712d", "wrenna", ""])
def test_an_unknown_child_a_hidden_one_and_no_id_at_all_end_alike(
    say: Callable[..., Said], hub: Hub, police: Any, staff: Callable[..., str], child_id: str
) -> None:
    hub.admission.admit([police.seal("intelligence-held")], police.source)
    staff("juno", "schoolLead", "tarnwhistle-academy")
    hidden, unknown = read(say, hub.register().children()[0], "juno"), read(say, child_id, "juno")
    assert hidden == unknown == Said(1, [], f"hub: {NO_ANSWER}\n")


def test_somebody_without_a_role_is_told_so_and_the_attempt_is_recorded(
    say: Callable[..., Said], hub: Hub, child: UUID
) -> None:
    said = read(say, child, "nobody")
    assert (said.code, said.lines) == (1, [])
    assert accesses(hub) == [("read", "no-standing")]


def test_what_cannot_be_shown_complete_is_not_shown(
    say: Callable[..., Said], hub: Hub, child: UUID, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff("ottoline", "frontDoor")
    read(say, child)

    def away(*_: Any) -> None:
        raise KeyAway("key store away")

    monkeypatch.setattr(WrappedKeys, "derived_key", away)
    said = read(say, child)
    assert (said.code, said.lines, RING in said.words) == (3, [], True)
    assert accesses(hub)[-1] == ("read", "incomplete")


def test_pages_one_line_each(
    say: Callable[..., Said],
    hub: Hub,
    police: Any,
    child: UUID,
    staff: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff("ottoline", "frontDoor")
    hub.admission.admit([police.seal() for _ in range(2)], police.source)
    monkeypatch.setenv("HUB_PAGE_SIZE", "2")
    whole = read(say, child, "ottoline", "--all")
    assert [len(line["entries"]) for line in whole.lines] == [2, 1]
    first = read(say, child)
    assert read(say, child, "ottoline", "--cursor", first.line["next"]).line["entries"] == whole.lines[1]["entries"]
    assert read(say, child, "ottoline", "--cursor", "x").code == 2


def test_as_of_takes_a_day_or_a_moment_with_its_zone(
    say: Callable[..., Said], child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    assert read(say, child, "ottoline", "--as-of", "2025-03-03").code == 0
    assert read(say, child, "ottoline", "--as-of", "2025-03-03T12:00:00+00:00").code == 0
    assert read(say, child, "ottoline", "--as-of", "2025-03-02").words == f"hub: {NO_ANSWER}\n"
    for wrong in ("2025-03-03T12:00:00", "yesterday", "2025-02-30"):
        assert read(say, child, "ottoline", "--as-of", wrong).code == 2


# --- identity, quarantine ---------------------------------------------------------------------------------------------


def test_a_steward_lists_the_questions_and_settles_them(
    say: Callable[..., Said], hub: Hub, police: Any, child: UUID, staff: Callable[..., str]
) -> None:
    hub.admission.admit([police.seal(child=TWIN, person="p2")], police.source)
    hub.admission.admit([police.seal(child={**TWIN, "sex": "1"}, person="p3")], police.source)
    _, twin, doubtful = hub.register().children()
    staff("bram", "steward")
    (item,) = say("identity", "list", "--as", "bram", "--purpose", "triage").lines
    assert (item["child"], item["candidates"], item["agrees"]) == (
        str(doubtful),
        [str(twin)],
        ["birth date", "given name"],
    )
    all_ = say("identity", "list", "--all", "--as", "bram", "--purpose", "triage").lines
    assert [line["child"] for line in all_] == [str(child), str(twin), str(doubtful)]
    same = say("identity", "same", doubtful, twin, "--reason", "confirmed", "--as", "bram")
    assert (same.code, same.line["event"], same.line["outcome"]) == (0, "identity-same", "admitted")
    assert len(say("identity", "list", "--all", "--as", "bram", "--purpose", "triage").lines) == 2
    assert say("identity", "not-same", doubtful, twin, "--reason", "cousins", "--as", "bram").code == 0
    assert len(say("identity", "list", "--all", "--as", "bram", "--purpose", "triage").lines) == 3
    assert say("identity", "same", child, uuid.uuid4(), "--reason", "x", "--as", "bram").code == 1


def test_a_steward_splits_and_moves_by_what_is_shown_and_undoes_it(
    say: Callable[..., Said], hub: Hub, police: Any, child: UUID, staff: Callable[..., str]
) -> None:
    staff("bram", "steward")
    (made,) = say("identity", "show", child, "--as", "bram", "--purpose", "triage").line["subjects"]
    subject, why = (made["source"], made["subject"]), ("--reason", "two children", "--as", "bram")
    new = say("identity", "split", child, "--subject", *subject, *why).line["to_child"]
    assert say("identity", "split", new, "--subject", *subject, "--to", child, *why).code == 0
    hub.admission.admit([police.seal(child=TWIN, person="p2")], police.source)
    event, twin = (made["source"], made["events"][0]["id"]), hub.register().children()[-1]
    assert say("identity", "move", *event, "--to", twin, *why).line["to_child"] == str(twin)
    assert "[CannotSettle: SameChild]" in say("identity", "move", *event, "--to", twin, *why).words


NOBODY = str(UUID(int=7))
LISTS = [
    ("identity", "list"), ("identity", "list", "--all"), ("identity", "show", NOBODY), ("identity", "readers", NOBODY),
    ("quarantine", "list"), ("quarantine", "show", "x"),
]  # fmt: skip


@pytest.mark.parametrize("what", LISTS)
def test_lists_are_for_those_whose_work_they_are_and_every_try_is_recorded(
    say: Callable[..., Said], hub: Hub, child: UUID, staff: Callable[..., str], what: tuple[str, ...]
) -> None:
    staff("juno", "schoolLead", "tarnwhistle-academy")
    for person in ("juno", "nobody"):
        said = say(*what, "--as", person, "--purpose", "triage")
        assert (said.code, said.lines) == (1, [])
    assert accesses(hub) == [(f"{what[0]}-{what[1]}", "no-standing")] * 2


def test_the_front_door_sees_the_questions(say: Callable[..., Said], staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    assert say("identity", "list", "--as", "ottoline", "--purpose", "triage").code == 0
    assert say("quarantine", "list", "--as", "ottoline", "--purpose", "triage").code == 1


@pytest.fixture
def waiting(hub: Hub, police: Any) -> str:
    hub.admission.admit([police.seal(id="q1", key=SigningKey.generate())], police.source)
    (row,) = hub.admission.quarantine.list()
    return row.id


def test_what_waits_is_listed_shown_and_refused(
    say: Callable[..., Said], hub: Hub, waiting: str, staff: Callable[..., str]
) -> None:
    staff("bram", "steward")
    listed = say("quarantine", "list", "--as", "bram", "--purpose", "triage").line
    assert (listed["id"], listed["reason"]) == (waiting, "key")
    shown = say("quarantine", "show", waiting, "--as", "bram", "--purpose", "triage").line
    assert shown["bytes"] > 0
    assert "Quillfeather" not in json.dumps(shown)
    refused = say("quarantine", "refuse", waiting, "--reason", "stolen laptop", "--as", "bram")
    assert (refused.code, refused.line["outcome"]) == (0, "refused")
    assert say("quarantine", "list", "--as", "bram", "--purpose", "triage").lines == []
    assert say("quarantine", "list", "--state", "refused", "--as", "bram", "--purpose", "triage").line["id"] == waiting
    again = say("quarantine", "refuse", waiting, "--reason", "twice", "--as", "bram")
    assert (again.code, "NoSuchRecord" in again.words) == (1, True)
    assert [kind for kind, _ in accesses(hub)] == ["quarantine-list", "quarantine-show", *["quarantine-list"] * 2]


def test_a_release_that_the_same_door_still_sets_aside_says_so(
    say: Callable[..., Said], hub: Hub, waiting: str, staff: Callable[..., str]
) -> None:
    staff("bram", "steward")
    said = say("quarantine", "release", waiting, "--reason", "looks fine", "--as", "bram")
    assert (said.code, said.lines, "StillWaits: key" in said.words) == (1, [], True)
    assert len(hub.admission.quarantine.list()) == 1


# --- replay -----------------------------------------------------------------------------------------------------------


def test_an_auditor_replays_what_a_reader_could_see_and_opened(
    say: Callable[..., Said], hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    staff("isla", "caseAuditor", "partnership-assurance")
    read(say, child)
    asked = (
        "replay",
        child,
        "--reader",
        "ottoline",
        "--reader-purpose",
        "triage",
        "--as",
        "isla",
        "--purpose",
        "audit",
    )
    said = say(*asked, "--at", "2025-03-03")
    assert [(one["event"], bool(one["opened"])) for one in said.line["could_see"]] == [
        ("domestic-abuse-incident", True)
    ]
    assert [one["purpose"] for one in said.line["reads"]] == ["triage"]
    assert say(*asked, "--at", "2025-03-02").line["could_see"] == []
    assert say(*asked, "--at", "").code == 2
    assert [kind for kind, _ in accesses(hub)] == ["read", "replay", "replay"]


def test_nobody_else_replays_and_the_attempt_is_recorded(
    say: Callable[..., Said], hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    asked = ("replay", child, "--reader", "juno", "--reader-purpose", "s47", "--at", "2025-03-03")
    said = say(*asked, "--as", "ottoline", "--purpose", "audit")
    assert (said.code, said.lines) == (1, [])
    assert accesses(hub) == [("replay", "no-standing")]


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_added_listed_retired_and_revoked(
    say: Callable[..., Said], hub: Hub, police: Any, written: Callable[[Any], Path]
) -> None:
    police.source = "urn:safeguarding:source:larkbeck:live"
    police.key, police.transport = SigningKey.generate(), SigningKey.generate()
    added = say("keys", "add", written(police.request(hub.charter.hub)), "--as", "ada", "--as", "quill")
    assert (added.code, added.line) == (0, {"source": police.source, "admitted_from_quarantine": 0})
    assert police.key.kid in [key["kid"] for key in say("keys", "list").lines]
    assert say("keys", "retire", police.key.kid, "--last-sequence", 7, "--as", "ada").code == 0
    assert say("keys", "revoke", police.transport.kid, "--reason", "stolen", "--as", "ada").code == 0
    left = [key["kid"] for key in say("keys", "list").lines]
    assert not {police.key.kid, police.transport.kid} & set(left)
    assert say("keys", "receipt").line["kid"] == hub.receipt_key.kid


def test_an_officer_may_bring_their_own_key_file(
    say: Callable[..., Said], hub: Hub, tmp_path: Path, police: Any
) -> None:
    kept = hub.settings.home / "officers" / "ada.pem"
    own = kept.rename(tmp_path / "my-own.pem")
    assert say("keys", "revoke", police.key.kid, "--reason", "stolen", "--as", own).code == 0
    assert say("keys", "revoke", police.key.kid, "--reason", "stolen", "--as", "ada").code == 2
    own.write_bytes(SigningKey.generate().to_pem())
    said = say("keys", "revoke", police.key.kid, "--reason", "stolen", "--as", own)
    assert (said.code, "NotARegisteredOfficer" in said.words) == (1, True)


@pytest.mark.parametrize(
    "request_", [{}, {"source": "s"}, {"source": "s", "event": 1}, {"source": "s", "event": {"proof": 1, "jwk": 1}}]
)
def test_a_request_that_is_none_is_answered_without_a_traceback(
    say: Callable[..., Said], hub: Hub, written: Callable[[Any], Path], request_: Any
) -> None:
    before = hub.record.position()
    said = say("keys", "add", written(request_), "--as", "ada")
    assert (said.code in (1, 2), said.lines, hub.record.position()) == (True, [], before)


def test_a_mistyped_key_name_is_a_fault_and_not_a_silent_success(say: Callable[..., Said]) -> None:
    for command in (("retire", "kid", "--last-sequence", 1), ("revoke", "kid", "--reason", "stolen")):
        said = say("keys", *command, "--as", "ada")
        assert (said.code, said.lines, "NoSuchKey" in said.words) == (1, [], True)


def test_adding_keys_says_what_is_approved(
    say: Callable[..., Said], hub: Hub, police: Any, written: Callable[[Any], Path]
) -> None:
    police.source = "urn:safeguarding:source:larkbeck:live"
    police.key, police.transport = SigningKey.generate(), SigningKey.generate()
    request = police.request(hub.charter.hub)
    words = say("keys", "add", written(request), "--as", "ada", "--as", "quill").words
    told = ("ada and quill", police.source, request["service"]["urn"], police.key.kid, police.transport.kid)
    assert all(one in words for one in told)


def test_a_request_with_an_unknown_kind_of_service_is_misuse_and_lists_the_kinds(
    say: Callable[..., Said], hub: Hub, police: Any, written: Callable[[Any], Path]
) -> None:
    request = police.request(hub.charter.hub)
    request["service"]["kind"] = "constabulary"
    said = say("keys", "add", written(request), "--as", "ada")
    assert (said.code, said.lines, "a GP practice" in said.words) == (2, [], True)


def test_the_hub_keeps_its_own_keys(say: Callable[..., Said], hub: Hub) -> None:
    said = say("keys", "revoke", hub.receipt_key.kid, "--reason", "stolen", "--as", "ada")
    assert (said.code, said.lines, "TheHubsOwnKey" in said.words) == (1, [], True)
    assert "lock its own door" in said.words


def test_rebuilding_the_views_says_how_far_they_reach(say: Callable[..., Said], hub: Hub, child: UUID) -> None:
    position = hub.record.position()
    views = ("chronology", "items", "open-items")
    assert say("rebuild").lines == [{"view": view, "position": position} for view in views]
