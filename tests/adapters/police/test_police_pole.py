"""Reports of the JSON profile: how files are read, what each entity becomes, and what a later version says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable, Unreadable
from adapters.police.mapping.pole import map_record

ADULT = {"person_ref": "A1", "entity": "P_002", "given_name": "Dorrick", "surname": "Vane", "adult": True}
LINK = {"person_ref": "A1", "reason": "mothers-partner"}
CONDITION = {"kind": "bail-condition", "terms": ["not-to-collect"], "against": "A1", "from": "2025-03-04"}


def data(outcomes: list[Any], place: int = 0) -> dict[str, Any]:
    return outcomes[0].events[place].data


# -- files


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"[]", "not a format this adapter reads (JSON whose top is not an object)"),
        (b"{}", 'not a format this adapter reads (JSON without "format": "pole-json/1")'),
        (b'{"format": "pole-json/2"}', "not a format this adapter reads (JSON of another format or version than"),
        (b'{"format": 1}', "not a format this adapter reads (JSON of another format or version than"),
        (b"{", "not a format this adapter reads (not JSON)"),
        (b"\x81", "not a format this adapter reads (neither UTF-8 nor Windows-1252)"),
        (b"<a/>", "not a format this adapter reads (XML)"),
        (b'{"format": "pole-json/1", "format": "pole-json/1"}', "a JSON object has the same name twice"),
        (b'{"format": "pole-json/1"}', 'the profile asks for either "report" or "reports"'),
        (b'{"format": "pole-json/1", "report": {}, "reports": []}', "the profile asks for either"),
        (b'{"format": "pole-json/1", "report": 1}', '"report" is not an object'),
        (b'{"format": "pole-json/1", "reports": []}', '"reports" is not a list of reports'),
        (b'{"format": "pole-json/1", "report": {"a": "\\ud800"}}', "the JSON holds half a character"),
        (b'{"format": "pole-json/1", "report": {"a": NaN}}', "not a format this adapter reads (not JSON)"),
        (b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}", "the JSON is nested more than 200 levels deep"),
        (b'{"a": ' + b"[" * 100_000, "the JSON is nested more than 200 levels deep"),
        (b'{"a": "' + b"x" * (10 * 1024 * 1024) + b'"}', "the file is larger than 10 MB"),
    ],
)
def test_a_file_that_is_not_the_profile_is_said_so(adapter: Any, raw: bytes, reason: str) -> None:
    (outcome,) = adapter.take(raw, "x.json")
    assert isinstance(outcome, Unreadable)
    assert outcome.reason.startswith(reason)


def test_a_report_that_is_none_spoils_itself_alone(adapter: Any, report: Any) -> None:
    batch = json.loads(report({}, {}))
    batch["reports"][0:0] = [17, {"entity": "E_002"}]
    outcomes = adapter.take(json.dumps(batch).encode(), "x.json")
    assert [type(outcome).__name__ for outcome in outcomes] == ["Unreadable", "Unreadable", "Events", "NoEvent"]


def test_each_report_of_a_batch_holds_its_own_bytes(adapter: Any, report: Any) -> None:
    raw = report({}, {"report_ref": "R2", "author_role": '] } " sergeant'})
    for record in adapter.read(raw, "x.json"):
        own = json.loads(record.raw)
        assert own["report_ref"] == record.parsed["report_ref"]
        assert record.raw in raw


def test_each_child_of_a_report_is_a_record_of_its_own(adapter: Any, report: Any, child: Any) -> None:
    sister = {**child, "person_ref": "NM2", "given_name": "Maribel", "date_of_birth": "2017-08-19"}
    one, two = adapter.take(report({"people": [child, sister]}), "x.json")
    assert "Maribel" not in repr(one)
    assert "Ansel" not in repr(two)
    assert one.events[0].data["incident"] == two.events[0].data["incident"]


def test_null_and_its_disguises_are_nothing(adapter: Any, report: Any, child: Any) -> None:
    nothing = {"people": [{**child, "surname": None, "known_as": "None", "gender": "*DUMMY*"}], "risk_level": ""}
    found = data(adapter.take(report(nothing), "x.json"))["child"]
    assert found["names"] == [{"given": ["Ansel"], "use": "usual"}]
    assert "sex" not in found


# -- what it becomes


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"entity": "E_002"}, ["incident-attended"]),
        ({"entity": "E_005"}, ["incident-attended"]),
        ({"entity": "P_009"}, ["incident-attended"]),
        ({"entity": "E_005", "domestic_abuse": True}, ["domestic-abuse-incident"]),
        ({"entity": "E_005", "concern_codes": ["radicalisation"]}, ["incident-attended", "exploitation-concern"]),
        ({"entity": "P_014"}, ["missing-reported"]),
        ({"entity": "P_014", "missing": {"found_at": "2025-03-05T01:00Z"}}, ["missing-reported", "missing-ended"]),
        ({"entity": "E_003", "custody": {"child_role": "suspect"}}, ["arrest-or-custody"]),
        ({"entity": "E_001", "outcome": "charged"}, ["investigation-outcome"]),
        ({"entity": "E_001"}, ["NoEvent: no-outcome-yet"]),
        ({"entity": "x-police-protection"}, ["police-protection-used"]),
        (
            {"entity": "x-police-protection", "protection": {"ended_at": "2025-03-06"}},
            ["police-protection-used", "police-protection-ended"],
        ),
        ({"entity": "x-protective-condition", "condition": CONDITION}, ["protective-condition-set"]),
        ({"entity": "x-protective-condition"}, ["protective-condition-set"]),
        ({"entity": "x-offender-management", "offender": {"change": "released"}}, ["offender-management-change"]),
        ({"entity": "x-intelligence"}, ["intelligence-held"]),
        ({"entity": "E_004"}, ["NoEvent: stop-and-search-not-shared"]),
        ({"entity": "E_006"}, ["NoEvent: anti-social-behaviour-not-shared"]),
        ({"entity": "E_099"}, ["Held: entity-unknown"]),
        ({"entity": ""}, ["Held: entity-unknown"]),
        ({"people": [ADULT]}, ["NoEvent: adult"]),
        ({"people": []}, ["NoEvent: no-child"]),
        ({"status": "withdrawn"}, ["NoEvent: withdrawn-before-shared"]),
    ],
)
def test_an_entity_becomes_its_event(adapter: Any, report: Any, names: Any, change: Any, expected: list[str]) -> None:
    assert names(adapter.take(report(change), "x.json")) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ["NoEvent: unchanged"]),
        ({}, {"outcome": "nfa-evidential"}, ["investigation-outcome"]),
        ({}, {"child_seen": True}, ["incident-attended"]),
        ({}, {"status": "withdrawn", "withdrawal_reason": "wrong-child"}, ["retraction-made"]),
        ({}, {"concern_codes": ["radicalisation"]}, ["exploitation-concern"]),
        ({"entity": "P_014"}, {"entity": "P_014", "missing": {"found_at": "2025-03-05T01:00Z"}}, ["missing-ended"]),
        (
            {"entity": "x-protective-condition", "condition": CONDITION},
            {"entity": "x-protective-condition", "condition": {**CONDITION, "ended_at": "2025-04-01"}},
            ["protective-condition-ended"],
        ),
        ({"entity": "E_001"}, {"entity": "E_001", "outcome": "charged"}, ["investigation-outcome"]),
        (
            {"entity": "E_001", "outcome": "charged"},
            {"entity": "E_001", "outcome": "convicted"},
            ["investigation-outcome"],
        ),
        ({"entity": "x-intelligence"}, {"entity": "x-intelligence", "links": [LINK]}, ["NoEvent: unchanged"]),
        ({"status": "withdrawn"}, {}, ["incident-attended"]),
        ({}, {"people": [ADULT]}, ["NoEvent: adult"]),
    ],
)
def test_a_later_version_says_only_what_is_different(
    adapter: Any, report: Any, names: Any, before: Any, after: Any, expected: list[str]
) -> None:
    adapter.take(report(before), "1.json")
    later = {**after, "report_version": "2", "recorded_at": "2025-04-02T09:00:00Z"}
    assert names(adapter.take(report(later), "2.json")) == expected


def test_a_changed_report_replaces_and_a_withdrawn_one_takes_back(adapter: Any, report: Any) -> None:
    adapter.take(report({}), "1.json")
    (again,) = adapter.take(report({"child_seen": True, "report_version": "2"}), "2.json")[0].events
    assert (again.data["change"], again.as_) == ("replaces", "replaces")
    (back,) = adapter.take(report({"status": "withdrawn", "report_version": "3"}), "3.json")[0].events
    assert (back.data["change"], back.as_, back.data["details"]) == ("retracts", "retracts", {"reason": "not-stated"})


def test_an_older_version_that_comes_late_is_for_a_person(adapter: Any, report: Any) -> None:
    adapter.take(report({}), "1.json")
    (outcome,) = adapter.take(report({"recorded_at": "2025-03-01T00:00Z", "child_seen": True}), "2.json")
    assert isinstance(outcome, Held)
    assert outcome.reason == "older-version"


def test_two_people_under_one_reference_are_for_a_person(adapter: Any, report: Any, child: Any) -> None:
    (outcome,) = adapter.take(report({"people": [child, {**child, "date_of_birth": "2010-11-30"}]}), "x.json")
    assert outcome == Held("two-people", "people")
    adapter.take(report({"report_ref": "R2"}), "1.json")
    other = {**child, "given_name": "Corin", "date_of_birth": "2010-11-30"}
    (outcome,) = adapter.take(report({"report_ref": "R2", "people": [other], "report_version": "2"}), "2.json")
    assert outcome.reason == "two-people"


def test_an_adult_flagged_as_a_vulnerable_child_is_for_a_person(adapter: Any, report: Any, child: Any) -> None:
    grown = {**child, "date_of_birth": "1986-04-26"}
    (outcome,) = adapter.take(report({"people": [grown]}), "x.json")
    assert isinstance(outcome, Held)
    missing = {"entity": "P_014", "report_ref": "R2", "people": [{**grown, "entity": "P_014"}]}
    (outcome,) = adapter.take(report(missing), "y.json")
    assert outcome == NoEvent("adult", outcome.remarks)


def test_a_child_without_name_and_number_cannot_be_mapped(adapter: Any, report: Any) -> None:
    (outcome,) = adapter.take(report({"people": [{"person_ref": "NM1", "entity": "P_009", "age": 9}]}), "x.json")
    assert isinstance(outcome, Unmappable)


def test_an_unborn_child_has_an_expected_day_and_no_birth_date(adapter: Any, report: Any) -> None:
    unborn = {"person_ref": "U1", "entity": "P_011", "surname": "Fallowfield", "expected_date": "2025-09-20"}
    found = data(adapter.take(report({"people": [unborn]}), "x.json"))["child"]
    assert found["unborn"] == {"expected": "2025-09-20"}
    assert "birth_date" not in found


def test_other_people_are_references_parts_relations_and_groups(adapter: Any, report: Any, child: Any) -> None:
    neighbour = {"person_ref": "N1", "entity": "x-person", "given_name": "Perpetua", "surname": "Mosswick"}
    friend = {"person_ref": "F1", "entity": "x-person", "given_name": "Corin", "adult": False}
    links = [LINK, {"person_ref": "A1", "reason": "known suspect"}, {"person_ref": "N1", "reason": "person reporting"}]
    change = {"people": [child, ADULT, neighbour, friend], "links": links, "domestic_abuse": True, "entity": "E_005"}
    people = data(adapter.take(report(change), "x.json"))["people"]
    assert [(person["group"], person.get("incident_role")) for person in people] == [
        ("others", "suspect"),
        ("others", "reporter"),
        ("others", "other-child"),
    ]
    written = json.dumps(people)
    assert not [name for name in ("Dorrick", "Vane", "Perpetua", "Corin", "A1", "N1") if f'"{name}' in written]


def test_a_relation_to_another_child_is_not_a_relation_to_this_one(adapter: Any, report: Any, child: Any) -> None:
    sister = {**child, "person_ref": "NM2", "given_name": "Maribel"}
    links = [{"person_ref": "A1", "reason": "father", "to": "NM2"}]
    one, two = adapter.take(report({"people": [child, sister, ADULT], "links": links}), "x.json")
    assert "relation" not in one.events[0].data["people"][0]
    assert two.events[0].data["people"][0]["relation"] == ["FTH"]


@pytest.mark.parametrize("listed", [[], ["schoolLead"], ["everybody"]])
def test_whom_a_condition_binds_is_named_only_to_roles_that_the_report_lists(
    adapter: Any, report: Any, child: Any, listed: list[str]
) -> None:
    links = [{**LINK, "may_be_named_to": listed}]
    change = {"entity": "x-protective-condition", "condition": CONDITION, "people": [child, ADULT], "links": links}
    (bound,) = data(adapter.take(report(change), "x.json"))["people"]
    assert bound.get("name") == ("Dorrick Vane" if listed == ["schoolLead"] else None)
    attended = data(adapter.take(report({**change, "entity": "E_002", "report_ref": "R2"}), "y.json"))
    assert "name" not in attended["people"][0]


def test_the_arrest_of_a_child_and_of_an_adult_are_told_apart(adapter: Any, report: Any, child: Any) -> None:
    of_child = {"entity": "E_003", "custody": {"child_role": "suspect", "arrested_at": "2025-03-04T20:00Z"}}
    assert data(adapter.take(report(of_child), "x.json"))["details"] == {
        "arrested": "child",
        "child_role": "suspect",
        "custody": {"from": "2025-03-04T20:00:00Z"},
    }
    of_adult = {"entity": "E_003", "report_ref": "R2", "people": [child, ADULT], "links": [LINK]}
    found = data(adapter.take(report(of_adult), "y.json"))
    assert found["details"]["arrested"] == "adult"
    assert found["details"]["person_ref"] == found["people"][0]["ref"]


def test_an_outcome_of_what_was_never_read_here_goes_out_with_a_remark(adapter: Any, report: Any) -> None:
    change = {"entity": "E_001", "outcome": "nfa-evidential", "about_report": "never seen"}
    (outcome,) = adapter.take(report(change), "x.json")
    assert outcome.events[0].about is None
    assert [remark.code for remark in outcome.remarks] == ["previous-version-unknown"]


def test_an_outcome_follows_an_incident_that_came_as_a_csv_row(adapter: Any, report: Any, rows: Any) -> None:
    adapter.take(rows({"incident_type": "DA"}), "x.csv")
    change = {"entity": "E_001", "outcome": "charged", "about_report": "NMC/1", "incident_ref": "NMC/1"}
    (outcome,) = adapter.take(report(change), "y.json")
    assert outcome.events[0].as_ == "follows"
    assert outcome.events[0].about == (next(iter(adapter.last)), "domestic-abuse-incident")


def test_addressees_that_are_no_service_are_left_out_with_a_remark(adapter: Any, report: Any) -> None:
    to = [{"service": "The school"}, {"service": "urn:safeguarding:service:a-school", "role": "headTeacher"}]
    (outcome,) = adapter.take(report({"addressed_to": to}), "x.json")
    assert outcome.events[0].data["addressed_to"] == [{"service": "urn:safeguarding:service:a-school"}]
    assert [remark.code for remark in outcome.remarks] == ["addressee-unknown", "unknown-code"]


def test_codes_on_no_list_never_stop_an_event(adapter: Any, report: Any, child: Any) -> None:
    odd = "something odd"
    parts: dict[str, Any] = {
        "P_014": {"missing": {"found_at": "2025-03-05", "found_by": odd, "harm": odd, "missing_from": odd}},
        "E_003": {"custody": {"child_role": odd, "released_on": odd}},
        "x-police-protection": {"protection": {"kept_at": odd, "next_step": odd, "ended_at": "2025-03-06"}},
        "x-protective-condition": {"condition": {**CONDITION, "kind": odd, "terms": [odd], "ended_at": "2025-03-06",
                                                 "ended_reason": odd}},
        "x-offender-management": {"offender": {"change": odd}},
        "E_001": {"outcome": odd},
        "E_005": {"risk_level": odd, "any_children_present": odd, "statement": odd, "basis": odd, "outcome": odd,
                  "location": {"kind": odd}, "concern_codes": [odd], "share_limits": [odd]},
    }  # fmt: skip
    for entity, part in parts.items():
        (outcome,) = adapter.take(report({"entity": entity, "report_ref": entity, **part}), "x.json")
        assert isinstance(outcome, Events), (entity, outcome)
        assert "unknown-code" in {remark.code for remark in outcome.remarks}, entity


def test_a_confidential_address_leaves_neither_as_home_nor_as_place(adapter: Any, report: Any) -> None:
    change = {"share_limits": ["confidential-address"], "location": {"kind": "home", "line1": "2 Plover Close"}}
    outcomes = adapter.take(report(change), "x.json")
    assert "Plover" not in repr(outcomes)
    assert data(outcomes)["place"] == {"kind": "home", "precision": "none", "protected": True}


def test_words_for_partners_are_the_officers_own_where_there_are_some(adapter: Any, report: Any) -> None:
    found = data(adapter.take(report({"summary": "Attended after a call; all well."}), "x.json"))
    assert found["summary"] == {"text": "Attended after a call; all well.", "made": "by-author"}


def test_telephone_and_mail_are_read_by_nobody(adapter: Any, report: Any, child: Any) -> None:
    reached = {**child, "telephone": "01632 960123", "email": "ansel@example.test", "guardian_names": ["Zora"]}
    outcomes = adapter.take(report({"people": [reached]}), "x.json")
    assert not [secret for secret in ("960123", "example.test", "Zora") if secret in repr(outcomes)]


def test_mapping_changes_nothing_and_gives_the_same_twice(adapter: Any, report: Any) -> None:
    (record,) = adapter.read(report({"entity": "x-protective-condition", "condition": CONDITION}), "x.json")
    before, settings = copy.deepcopy(record), copy.deepcopy(adapter.settings)
    assert map_record(record, None, adapter.settings) == map_record(record, None, adapter.settings)
    assert (record, adapter.settings) == (before, settings)
