"""An export says what the reader's answer says, in the shapes of the standards, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.__main__ import main
from hub.bootstrap import Hub
from hub.disclosure import Ask
from hub.export import CHILD, ENTRY, NO_EPISODE, NO_START, NotEnough, to_jsonld
from schemas.catalogue import KINDS
from schemas.mais import check_document

NHS = "https://fhir.nhs.uk/Id/nhs-number"
UPN = "urn:gov:dfe:upn"
WRENNA = {
    "identifiers": [{"system": NHS, "value": "9991204318"}, {"system": UPN, "value": "U999200118001"}],
    "names": [{"family": "QUILLFEATHER", "given": ["WRENNA"], "use": "official"}],
    "birth_date": {"date": "2014-05-17", "accuracy": "AAE"},
    "address": [{"postcode": "ZZ99 4QF"}],
}
HIDES = ("location-protected", "location-protection-ended", "identity-merged", "retraction-made", "agreement-withdrawn")
MANY = sorted(name for name, kind in KINDS.items() if kind.about == "child" and name not in HIDES)
READERS = [
    ("ottoline", "frontDoor", "triage"),
    ("ottoline", "frontDoor", "s47"),
    ("fenn", "allocatedSocialWorker", "s47"),
]


# --- from a real hub --------------------------------------------------------------------------------------------------


@pytest.fixture
def answers(hub: Hub, police: Any, staff: Callable[..., str]) -> Callable[..., Any]:
    """Admits events, gives the child two readers, and answers one of them."""
    staff("ottoline", "frontDoor")
    staff("fenn", "allocatedSocialWorker")
    staff("mira", "teamManager")

    def answer(*events: bytes, reader: tuple[str, str, str]) -> Any:
        hub.admission.admit(list(events), police.source)
        (child,) = hub.register().children()
        allocate(hub, child)
        person, role, purpose = reader
        return json.loads(
            hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose, role=role, page=10_000)).body
        )

    return answer


def allocate(hub: Hub, child: UUID) -> None:
    for event, details in (
        ("s47-started", {}),
        ("worker-allocated", {"person": "fenn", "role": "allocatedSocialWorker"}),
    ):
        hub.casework.record("mira", {"event": event, "child": str(child), "details": details})


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "-".join(reader[1:]))
def test_what_a_reader_sees_of_every_kind_makes_a_document_that_fits(
    answers: Callable[..., Any], police: Any, reader: tuple[str, str, str]
) -> None:
    answer = answers(*(police.seal(kind, child=WRENNA) for kind in MANY), reader=reader)
    document = to_jsonld(answer)
    assert check_document(document) == []
    seen = {entry["event"] for entry in answer["entries"]}
    assert len(seen) > 40
    expected = {KINDS[event].mais for event in seen if KINDS[event].mais_object in ("LifeEvent", "ServiceEpisode")}
    assert {node["type"][0] for node in document["@graph"][1:]} == expected - left_out_codes(answer, document)


def left_out_codes(answer: Any, document: Any) -> set[str]:
    left_out = {each["identifier"]["value"] for each in document.get("x-left-out", ())}
    codes = {KINDS[each["event"]].mais for each in answer["entries"] if each["ref"] in left_out}
    return codes - {node["type"][0] for node in document["@graph"][1:]}


def test_every_word_of_a_document_stands_in_the_answer(answers: Callable[..., Any], police: Any) -> None:
    """But the words of the shapes: nothing comes from anywhere else than from what the reader is shown."""
    for reader in READERS[:1] + READERS[2:]:
        answer = answers(*(police.seal(kind, child=WRENNA) for kind in MANY[::4]), reader=reader)
        said = set(texts(answer)) | {text[:7] for text in texts(answer)} | {text[:10] for text in texts(answer)}
        ours = {"SBJ", "not stated", "urn:safeguarding:service", "urn:safeguarding:service-kind", CHILD, ENTRY}
        ours |= {NO_START, NO_EPISODE, "day", "month", "on a day that is not known"}
        document = {key: value for key, value in to_jsonld(answer).items() if key != "@context"}
        for place, text in placed(document):
            known = text in said or text in ours or text[:10] in said or text[:7] in said
            shape = place in ("@type", "type")
            assert known or shape or all(part in said for part in text.split(", ")), (place, text)


def texts(value: Any) -> Iterator[str]:
    return (text for _, text in placed(value))


def placed(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from placed(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from placed(inner, place)
    elif isinstance(value, str):
        yield place, value


def test_the_childs_numbers_go_along_where_an_entry_that_carries_them_is_shown_in_full(
    answers: Callable[..., Any], police: Any
) -> None:
    seal = police.seal("domestic-abuse-incident", child=WRENNA)
    shown = to_jsonld(answers(seal, reader=READERS[2]))["@graph"][0]
    assert [each["system"] for each in shown["identifier"]] == [CHILD, NHS, UPN]
    outlined = to_jsonld(answers(seal, reader=READERS[0]))["@graph"][0]
    assert [each["system"] for each in outlined["identifier"]] == [CHILD]


def test_a_name_in_capitals_and_a_birth_date_with_its_accuracy_are_written_as_the_header_shows_them(
    answers: Callable[..., Any], police: Any
) -> None:
    married = WRENNA | {"names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "old"},
                                  {"family": "Mosswick", "given": ["Wrenna", "May"], "use": "usual"}]}  # fmt: skip
    later = police.seal("concern-logged", child=married, shared="2025-03-03T11:59:30Z")
    again = police.seal("concern-logged", child=WRENNA, shared="2025-03-03T11:59:40Z")
    answer = answers(police.seal("concern-logged", child=WRENNA), later, again, reader=READERS[2])
    person = to_jsonld(answer)["@graph"][0]
    assert [(each["familyName"], each["givenName"], each["use"]) for each in person["name"]] == [
        (["Mosswick"], ["Wrenna", "May"], "usual"),
        (["Quillfeather"], ["Wrenna"], "old"),
    ]
    assert [" ".join([*each["given"], each["family"]]) for each in answer["child"]["names"]] == [
        answer["child"]["name"],
        *answer["child"]["also_known_as"],
    ]
    assert person["dateOfBirth"] == {"@type": "PartialDate", "date": "2014-05-17", "accuracyIndicator": "AAE"}


def test_where_an_address_is_confidential_neither_place_nor_number_is_in_the_document(
    answers: Callable[..., Any], police: Any
) -> None:
    confidential = {"label": {"handling": ["confidentialAddress"]}, "child": WRENNA}
    hidden = [police.seal("missing-reported", **confidential), police.seal("emergency-attendance", **confidential)]
    document = to_jsonld(answers(*hidden, reader=READERS[2]))
    assert check_document(document) == []
    assert [each["system"] for each in document["@graph"][0]["identifier"]] == [CHILD]
    assert {node["type"][0] for node in document["@graph"][1:]} >= {"missing-person", "ae-attendance"}
    assert all(node.get("location", ["not stated"]) == ["not stated"] for node in document["@graph"][1:])


def test_an_auditor_gets_source_and_event_id_as_identifiers(
    hub: Hub, answers: Callable[..., Any], police: Any, staff: Callable[..., str]
) -> None:
    staff("isla", "caseAuditor", "partnership-assurance")
    answer = answers(
        police.seal("emergency-attendance", child=WRENNA, id="e1"), reader=("isla", "caseAuditor", "audit")
    )
    document = to_jsonld(answer)
    assert check_document(document) == []
    (event,) = [node for node in document["@graph"] if node.get("type") == ["ae-attendance"]]
    assert event["identifier"] == [{"@type": "Identifier", "system": police.source, "value": "e1"}]


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def export(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    (tmp_path / "clock").write_text(hub.clock().isoformat())
    monkeypatch.setenv("HUB_HOME", str(hub.settings.home))
    monkeypatch.setenv("HUB_DEMO", "1")
    monkeypatch.setenv("HUB_DEMO_CLOCK", str(tmp_path / "clock"))

    def run(person: str, purpose: str) -> tuple[int, str, str]:
        (child,) = hub.register().children()
        capsys.readouterr()
        code = main(["export", "--child", str(child), "--format", "jsonld", "--as", person, "--purpose", purpose])
        got = capsys.readouterr()
        return code, got.out, got.err

    return run


def test_the_command_prints_the_document_and_the_reading_is_recorded(
    hub: Hub, police: Any, staff: Callable[..., str], export: Callable[..., tuple[int, str, str]]
) -> None:
    hub.admission.admit([police.seal(child=WRENNA)], police.source)
    code, printed, _ = export(staff("ottoline", "frontDoor"), "triage")
    assert code == 0
    assert check_document(json.loads(printed)) == []
    (child,) = hub.register().children()
    assert [access["outcome"] for access in hub.disclosure.accesses(child)] == ["answered"]


def test_where_only_existence_is_shown_the_command_ends_with_1_and_says_why(
    hub: Hub, police: Any, staff: Callable[..., str], export: Callable[..., tuple[int, str, str]]
) -> None:
    hub.admission.admit([police.seal(child=WRENNA, label={"level": "V"})], police.source)
    code, printed, words = export(staff("ottoline", "frontDoor"), "triage")
    assert (code, printed) == (1, "")
    assert "a family name and a given name" in words
    assert "quillfeather" not in words.lower()


# --- from answers written here ----------------------------------------------------------------------------------------

HEADER = {"id": "f3b36e61-82d8-45ce-9acc-78a408165f74", "names": [{"family": "Quillfeather", "given": ["Wrenna"]}]}
SOURCE = {
    "service": "urn:safeguarding:service:harrowmere-children",
    "kind": "council",
    "ring": {"role": "the front door"},
}


def entry(event: str, begins: str = "", ends: str = "", **more: Any) -> dict[str, Any]:
    happened = {**({"from": begins} if begins else {}), **({"to": ends} if ends else {})}
    return {"ref": f"r-{event}-{begins}", "shown": "full", "event": event, "happened": happened, "source": SOURCE,
            "place": {"withheld": "place"}, **more}  # fmt: skip


def exported(*entries: dict[str, Any], **more: Any) -> Any:
    document = to_jsonld({"child": HEADER, "entries": list(entries), "notice": "Other information may exist.", **more})
    assert check_document(document) == []
    return document


def times(*entries: dict[str, Any]) -> list[Any]:
    return [node.get("timeInformation", [None])[0] for node in exported(*entries)["@graph"][1:]]


def test_an_instant_is_written_as_it_is_and_a_day_or_month_says_that_it_is_no_more() -> None:
    assert times(entry("concern-logged", "2025-03-03T10:00:00+00:00")) == [
        {"@type": "TimeInformation", "startDateTime": "2025-03-03T10:00:00+00:00"}
    ]
    assert times(entry("concern-logged", "2025-03-03"), entry("concern-logged", "2025-03")) == [
        {"@type": "TimeInformation", "startDateTime": "2025-03-03T00:00:00", "x-precision": "day"},
        {"@type": "TimeInformation", "startDateTime": "2025-03-01T00:00:00", "x-precision": "month"},
    ]


@pytest.mark.parametrize(
    ("ends", "last"),
    [("2025-02", "2025-02-28"), ("2024-02", "2024-02-29"), ("2100-02", "2100-02-28"), ("2025-12", "2025-12-31"),
     ("9999-12", "9999-12-31"), ("2025-04-30", "2025-04-30")],
)  # fmt: skip
def test_an_end_is_the_last_moment_of_its_day_or_month(ends: str, last: str) -> None:
    (time,) = times(entry("absence-pattern", "2024-01", ends))
    assert time["endDateTime"] == f"{last}T23:59:59"
    assert time["x-end-precision"] == ("month" if len(ends) == 7 else "day")


@pytest.mark.parametrize("ends", ["", "2025-03-03"])
def test_a_life_event_on_an_unknown_day_has_no_time_and_no_invented_one(ends: str) -> None:
    assert times(entry("concern-logged", "", ends)) == [None]


def test_what_ends_an_episode_ends_the_last_one_of_its_code_that_had_begun() -> None:
    document = exported(
        entry("plan-started", "2024-01-10"), entry("plan-ended", "2024-06-01"), entry("plan-started", "2025-01-10"),
        entry("s47-started", "2025-01-02"), entry("plan-ended", "2025-03-01T10:00:00Z"),
    )  # fmt: skip
    assert [(node["type"], node["timeInformation"][0].get("endDateTime")) for node in document["@graph"][1:]] == [
        (["cp-plan"], "2024-06-01T23:59:59"),
        (["cp-plan"], "2025-03-01T10:00:00Z"),
        (["section-47"], None),
    ]
    assert "x-left-out" not in document


def test_the_order_of_the_answer_does_not_part_an_episode_from_its_end() -> None:
    document = exported(entry("s47-concluded", "2025-03"), entry("s47-started", "2025-03-03"))
    assert document["@graph"][1]["timeInformation"][0]["endDateTime"] == "2025-03-31T23:59:59"


def test_an_episode_that_ended_on_an_unknown_day_is_not_left_open() -> None:
    document = exported(entry("plan-started", "2024-01-10"), entry("plan-ended"))
    assert document["@graph"][1]["timeInformation"][0]["x-ended"] == "on a day that is not known"


def test_what_happens_in_an_episode_is_a_finding_of_it() -> None:
    summary = {"text": "Plan for neglect.", "made": "by-author"}
    document = exported(entry("plan-started", "2024-01-10", summary=summary), entry("plan-changed", "2024-05-02"))
    assert document["@graph"][1]["finding"] == [
        {"@type": "Finding", "text": ["Plan for neglect."]},
        {"@type": "Finding", "observation": [
            {"@type": "Observation", "type": "plan-changed", "startDate": "2024-05-02T00:00:00", "x-precision": "day"}
        ]},
    ]  # fmt: skip


def test_what_a_reader_sees_and_the_shapes_cannot_hold_is_listed_with_the_reason() -> None:
    document = exported(entry("plan-started"), entry("plan-ended", "2023-01-01"), entry("plan-changed", "2025-01-01"))
    assert len(document["@graph"]) == 1
    assert [(each["identifier"]["value"], each["why"]) for each in document["x-left-out"]] == [
        ("r-plan-started-", NO_START),
        ("r-plan-ended-2023-01-01", NO_EPISODE),
        ("r-plan-changed-2025-01-01", NO_EPISODE),
    ]


def test_an_outcome_of_the_standards_list_goes_along_and_another_does_not() -> None:
    for outcome, said in (("NFA-moved", "NFA-moved"), ("all is well", None)):
        document = exported(
            entry("plan-started", "2024-01-10"), entry("plan-ended", "2024-06-01", afterwards={"outcome": outcome})
        )
        assert document["@graph"][1].get("outcome") == said


def test_a_place_is_written_as_far_as_it_is_shown() -> None:
    place = {"kind": "school", "precision": "postcode", "name": "Larkbeck Primary", "postcode": "ZZ99 4QF"}
    document = exported(
        entry("concern-logged", place=place), entry("concern-logged"), entry("plan-started", "2024-01-10"),
        entry("concern-logged", place={"local_authority": "Harrowmere"}),
    )  # fmt: skip
    assert [node.get("location") for node in document["@graph"][1:]] == [
        ["Larkbeck Primary, ZZ99 4QF"], None, ["Harrowmere"], ["not stated"],
    ]  # fmt: skip


def test_a_service_that_is_shown_only_as_a_kind_is_written_only_as_a_kind() -> None:
    hidden = {"kind": "a hospital", "ring": {"role": "the front door"}}
    document = exported(entry("admission", source=hidden), entry("plan-started", "2024-01-10", source=hidden))
    life, episode = document["@graph"][1:]
    assert "relatedService" not in life
    assert episode["relatedService"][0]["value"] == "a hospital"
    assert episode["relatedService"][0]["system"] == "urn:safeguarding:service-kind"


def test_marks_of_an_entry_go_along() -> None:
    assert exported(entry("concern-logged", marks=["corrected"]))["@graph"][1]["x-marks"] == ["corrected"]


@pytest.mark.parametrize("event", sorted(n for n, k in KINDS.items() if k.mais_object in ("none", "Person")))
def test_a_kind_without_an_object_of_its_own_leaves_nothing(event: str) -> None:
    document = exported(entry(event, "2025-01-01"))
    assert len(document["@graph"]) == 1
    assert "x-left-out" not in document


def test_what_an_auditor_gets_of_the_structure_alone_leaves_nothing() -> None:
    structure = {"ref": "r", "shown": "structure", "source": "urn:x", "id": "e1", "position": 4, "datadigest": "0"}
    assert len(exported(structure)["@graph"]) == 1


def test_the_notice_and_the_cards_of_the_answer_go_along_outside_the_graph() -> None:
    cards = [{"agency": "another agency", "ring": {"role": "the front door"}}]
    document = exported(held_elsewhere=cards, whole_until="2025-03-03T12:00:00.000+00:00")
    assert document["x-notice"] == "Other information may exist."
    assert document["x-held-elsewhere"] == cards
    assert document["x-whole-until"] == "2025-03-03T12:00:00.000+00:00"


@pytest.mark.parametrize("names", [[], [{"family": "Quillfeather"}], [{"given": ["Wrenna"]}]])
def test_without_a_family_and_a_given_name_there_is_no_document(names: list[Any]) -> None:
    with pytest.raises(NotEnough, match="family name and a given name"):
        to_jsonld({"child": {"id": "x", "names": names}, "entries": []})


def test_one_page_of_several_is_not_exported_as_if_it_were_the_whole() -> None:
    with pytest.raises(NotEnough, match="one page"):
        exported(next="cursor")


def test_the_answer_is_left_as_it_was() -> None:
    answer = {"child": HEADER, "entries": [entry("plan-started", "2024-01-10"), entry("plan-ended", "2024-06-01")]}
    before = copy.deepcopy(answer)
    assert to_jsonld(answer) == to_jsonld(answer)
    assert answer == before
