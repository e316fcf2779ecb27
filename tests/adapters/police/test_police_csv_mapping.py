"""What a row means: a table of forms, then what is different when it comes again, then what is not an event."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable
from adapters.police.mapping.rows import map_record

DA = {"incident_type": "DA", "relationship_to_child": "father"}


def first(outcomes: list[Any], place: int = 0) -> dict[str, Any]:
    return outcomes[0].events[place].data


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"incident_type": "PPN"}, ["incident-attended"]),
        ({"incident_type": "VC"}, ["incident-attended"]),
        ({"incident_type": "DA"}, ["domestic-abuse-incident"]),
        ({"incident_type": "DA", "school_urn": "999102"}, ["domestic-abuse-incident", "domestic-abuse-notice"]),
        ({"incident_type": "PPN", "school_urn": "999102"}, ["incident-attended"]),
        ({"incident_type": "MISPER"}, ["missing-reported"]),
        ({"incident_type": "MISPER", "closed_at": "2025-03-05T02:00"}, ["missing-reported", "missing-ended"]),
        ({"incident_type": "MISPER", "outcome": "found-safe"}, ["missing-reported", "missing-ended"]),
        ({"incident_type": "POWERS46"}, ["police-protection-used"]),
        (
            {"incident_type": "POWERS46", "closed_at": "2025-03-06T10:00"},
            ["police-protection-used", "police-protection-ended"],
        ),
        ({"concern_codes": "criminal-exploitation"}, ["incident-attended", "exploitation-concern"]),
        ({"incident_type": "DA", "closed_at": "2025-03-06", "outcome": "charged"}, ["domestic-abuse-incident"]),
        ({"incident_type": "FORM 78"}, ["incident-attended"]),
    ],
)
def test_a_row_seen_for_the_first_time(adapter: Any, rows: Any, names: Any, change: Any, expected: Any) -> None:
    assert names(adapter.take(rows(change), "x.csv")) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ["NoEvent: unchanged"]),
        ({}, {"children_present": "no"}, ["correction-made"]),
        ({}, {"risk_level": "high", "incident_opened_at": "2025-03-04T18:00"}, ["correction-made", "correction-made"]),
        ({}, {"concern_codes": "neglect"}, ["correction-made"]),
        ({}, {"concern_codes": "sexual-exploitation"}, ["exploitation-concern"]),
        ({"relationship_to_child": "mother"}, {"relationship_to_child": "father"}, ["correction-made"]),
        (DA, {**DA, "repeat_victim": "Y"}, ["correction-made"]),
        (DA, {**DA, "children_present": "heard"}, ["correction-made"]),
        ({}, {"outcome": "charged"}, ["investigation-outcome"]),
        ({}, {"closed_at": "2025-04-01"}, ["investigation-outcome"]),
        ({}, {"closed_at": "2025-04-01", "outcome": "nfa-evidential"}, ["investigation-outcome"]),
        ({"outcome": "charged"}, {"outcome": "nfa-evidential"}, ["investigation-outcome"]),
        ({"outcome": "charged"}, {"outcome": ""}, ["NoEvent: unchanged"]),
        ({}, {"outcome": "charged", "risk_level": "high"}, ["correction-made", "investigation-outcome"]),
        ({"incident_type": "MISPER"}, {"incident_type": "MISPER", "closed_at": "2025-03-05"}, ["missing-ended"]),
        (
            {"incident_type": "MISPER", "outcome": "found-safe"},
            {"incident_type": "MISPER", "outcome": "found-harmed"},
            ["missing-ended"],
        ),
        (
            {"incident_type": "POWERS46"},
            {"incident_type": "POWERS46", "closed_at": "2025-03-05"},
            ["police-protection-ended"],
        ),
        (DA, {**DA, "school_urn": "999101"}, ["domestic-abuse-notice"]),
        ({**DA, "school_urn": "999101"}, {**DA, "school_urn": "999102"}, ["domestic-abuse-notice"]),
        ({**DA, "school_urn": "999101"}, {**DA, "school_urn": "999101", "risk_level": "high"}, ["correction-made"]),
        ({}, DA, ["domestic-abuse-incident"]),
        ({}, {"child_dob": "2013-04-02"}, ["incident-attended"]),
        ({}, {"share_limits": "harm-if-known"}, ["incident-attended"]),
        ({}, {"referral_or_information": "referral"}, ["incident-attended"]),
    ],
)
def test_a_row_seen_again_says_only_what_is_different(
    adapter: Any, rows: Any, names: Any, before: Any, after: Any, expected: Any
) -> None:
    adapter.take(rows(before), "1.csv")
    assert names(adapter.take(rows({**after, "submitted_at": "2025-04-02T09:00"}), "2.csv")) == expected


def test_a_changed_child_replaces_the_event_and_a_correction_corrects_it(adapter: Any, rows: Any) -> None:
    adapter.take(rows({}), "1.csv")
    (replaced,) = adapter.take(rows({"child_dob": "2013-04-02", "submitted_at": "2025-03-05T09:00"}), "2.csv")[0].events
    assert (replaced.data["change"], replaced.as_) == ("replaces", "replaces")
    changed = {"child_dob": "2013-04-02", "submitted_at": "2025-03-06T09:00", "risk_level": "high"}
    (corrected,) = adapter.take(rows(changed), "3.csv")[0].events
    assert (corrected.data["change"], corrected.as_) == ("new", "corrects")
    assert corrected.data["details"]["field"] == "/details/risk"
    assert (corrected.data["details"]["old"], corrected.data["details"]["new"]) == ("medium", "high")


def test_a_row_that_was_heard_by_the_children_corrects_what_they_heard_when_their_presence_stood(
    adapter: Any, rows: Any
) -> None:
    adapter.take(rows(DA), "1.csv")
    again = rows({**DA, "children_present": "heard", "submitted_at": "2025-03-05T09:00"})
    (event,) = adapter.take(again, "2.csv")[0].events
    assert event.data["details"]["field"] == "/details/saw_or_heard"


def test_an_older_version_that_comes_late_is_for_a_person(adapter: Any, rows: Any) -> None:
    adapter.take(rows({}), "1.csv")
    (outcome,) = adapter.take(rows({"submitted_at": "2025-03-01T09:00", "risk_level": "high"}), "2.csv")
    assert outcome == Held("older-version", "submitted_at", outcome.remarks)


def test_another_child_under_the_same_reference_is_for_a_person(adapter: Any, rows: Any) -> None:
    adapter.take(rows({}), "1.csv")
    other = {"child_given_name": "Corin", "child_dob": "2010-11-30", "submitted_at": "2025-03-05T09:00"}
    (outcome,) = adapter.take(rows(other), "2.csv")
    assert outcome == Held("two-people", "child_ref", outcome.remarks)


def test_a_child_who_turns_out_to_be_an_adult_is_for_a_person(adapter: Any, rows: Any) -> None:
    adapter.take(rows({}), "1.csv")
    (outcome,) = adapter.take(rows({"child_dob": "1983-02-04", "submitted_at": "2025-03-05T09:00"}), "2.csv")
    assert outcome == Held("no-longer-a-child", "child_dob", outcome.remarks)


def test_an_adult_is_no_event(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"child_dob": "1986-04-26"}), "x.csv")
    assert isinstance(outcome, NoEvent)
    assert outcome.reason == "adult"


@pytest.mark.parametrize(("born", "adult"), [("2007-03-04", True), ("2007-03-05", False), ("", False)])
def test_eighteen_is_counted_on_the_day_it_happened(adapter: Any, rows: Any, born: str, adult: bool) -> None:
    (outcome,) = adapter.take(rows({"child_dob": born}), "x.csv")
    assert isinstance(outcome, NoEvent) is adult


def test_a_birth_year_alone_is_read_in_the_childs_favour(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"child_dob": "2007"}), "x.csv")
    assert outcome.events[0].data["child"]["birth_date"] == {"date": "2007-01-01", "accuracy": "UUA"}


def test_a_child_without_name_and_number_cannot_be_mapped(adapter: Any, rows: Any) -> None:
    nameless = {"child_given_name": "", "child_family_name": "*DUMMY*"}
    (outcome,) = adapter.take(rows(nameless), "x.csv")
    assert isinstance(outcome, Unmappable)
    assert outcome.field == "child"
    (outcome,) = adapter.take(rows({**nameless, "child_nhs_number": "999 204 4187"}), "y.csv")
    assert outcome.events[0].data["child"]["identifiers"][0]["value"] == "9992044187"


def test_a_dummy_number_is_left_out_and_the_event_goes_out(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"child_nhs_number": "3333333333"}), "x.csv")
    assert "identifiers" not in outcome.events[0].data["child"]
    assert [remark.code for remark in outcome.remarks] == ["identifier-dropped"]


def test_what_is_dated_after_it_was_recorded_goes_out_with_a_remark(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"incident_opened_at": "2031-01-01T10:00"}), "x.csv")
    assert [remark.code for remark in outcome.remarks] == ["future-dated"]


def test_a_code_on_no_list_is_other_with_a_remark_and_the_event_goes_out(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"concern_codes": "ZX9;neglect", "risk_level": "purple"}), "x.csv")
    details = outcome.events[0].data["details"]
    assert details["concerns"] == ["other", "neglect"]
    assert "risk" not in details
    assert [(r.code, r.field) for r in outcome.remarks] == [
        ("unknown-code", "risk_level"),
        ("unknown-code", "concern_codes"),
    ]


def test_a_sentence_in_a_code_column_is_not_repeated_in_a_remark(adapter: Any, rows: Any) -> None:
    (outcome,) = adapter.take(rows({"concern_codes": "Isolde hit him with a pan again"}), "x.csv")
    assert "Isolde" not in repr(outcome)


def test_no_concern_code_at_all_is_no_concern(adapter: Any, rows: Any) -> None:
    assert "concerns" not in first(adapter.take(rows({}), "x.csv"))["details"]


def test_limits_on_sharing_become_handling_markers_and_an_unknown_one_the_strictest(adapter: Any, rows: Any) -> None:
    limits = "Originator control;protected-source;not on a Tuesday"
    outcomes = adapter.take(rows({"share_limits": limits}), "x.csv")
    assert first(outcomes)["label"] == {"handling": ["originatorControl", "protectedSource"]}
    assert [remark.code for remark in outcomes[0].remarks] == ["unknown-code"]


def test_a_confidential_address_never_leaves(adapter: Any, rows: Any) -> None:
    outcomes = adapter.take(rows({"share_limits": "confidential-address", "child_uprn": "10000001"}), "x.csv")
    assert first(outcomes)["child"]["address"] == [{"use": "home", "protected": True}]
    assert "Plover" not in repr(outcomes)


def test_a_referral_asks_the_front_door_to_decide(adapter: Any, rows: Any) -> None:
    data = first(adapter.take(rows({"referral_or_information": "referral"}), "x.csv"))
    door = adapter.settings["police"]["front_door"]
    assert data["addressed_to"] == [{"service": door, "role": "frontDoor"}]
    assert data["asked"]


@pytest.mark.parametrize(
    ("school", "settings", "service"),
    [
        ("999101", {"schools": {"999101": "urn:safeguarding:service:a-school"}}, "a-school"),
        ("123456", {}, "school-urn-123456"),
    ],
)
def test_a_school_is_found_by_settings_else_by_its_number(
    make_adapter: Any, rows: Any, school: str, settings: Any, service: str
) -> None:
    adapter = make_adapter()
    adapter.settings["police"].update(settings)
    data = first(adapter.take(rows({"incident_type": "DA", "school_urn": school}), "x.csv"), 1)
    assert data["addressed_to"] == [{"service": f"urn:safeguarding:service:{service}", "role": "schoolLead"}]


def test_a_time_without_zone_is_london_time(adapter: Any, rows: Any) -> None:
    summer = {"incident_opened_at": "2025-07-01T19:30", "submitted_at": "2025-07-01T23:59"}
    happened = first(adapter.take(rows(summer), "x.csv"))["happened"]
    assert happened == {"from": "2025-07-01T19:30:00+01:00", "precision": "instant", "zone": "assumed-london"}


def test_a_day_stays_a_day(adapter: Any, rows: Any) -> None:
    happened = first(adapter.take(rows({"incident_opened_at": "2025-03-04"}), "x.csv"))["happened"]
    assert happened == {"from": "2025-03-04", "precision": "day", "zone": "none"}


def test_two_children_of_one_incident_are_linked_and_each_is_the_others_other_child(adapter: Any, rows: Any) -> None:
    sister = {"child_ref": "NM2", "child_given_name": "Maribel", "child_sex": "F", "child_dob": "2017-08-19"}
    one, two = adapter.take(rows({}, sister), "x.csv")
    assert one.events[0].data["incident"] == two.events[0].data["incident"]
    assert "Maribel" not in repr(one)
    assert "Ansel" not in repr(two)
    assert [person["incident_role"] for person in one.events[0].data["people"]] == ["other-child"]


def test_a_sibling_that_joins_or_leaves_the_export_is_no_difference(adapter: Any, rows: Any, names: Any) -> None:
    sister = {"child_ref": "NM2", "child_given_name": "Maribel", "child_dob": "2017-08-19"}
    adapter.take(rows({}, sister), "1.csv")
    assert names(adapter.take(rows({"submitted_at": "2025-03-05T09:00"}), "2.csv")) == ["NoEvent: unchanged"]


def test_the_suspect_is_a_reference_a_part_and_a_relation(adapter: Any, rows: Any) -> None:
    (suspect,) = first(adapter.take(rows(DA), "x.csv"))["people"]
    assert set(suspect) == {"ref", "group", "relation", "incident_role", "s38"}
    assert (suspect["group"], suspect["relation"], suspect["incident_role"]) == ("others", ["FTH"], "suspect")


def test_mapping_changes_nothing_and_gives_the_same_twice(adapter: Any, rows: Any) -> None:
    (record,) = adapter.read(rows({**DA, "school_urn": "999101"}), "x.csv")
    before, settings = copy.deepcopy(record), copy.deepcopy(adapter.settings)
    assert map_record(record, None, adapter.settings) == map_record(record, None, adapter.settings)
    assert (record, adapter.settings) == (before, settings)


def test_nothing_found_is_said_as_such(adapter: Any, rows: Any) -> None:
    data = first(adapter.take(rows({"outcome": "nothing-found"}), "x.csv"))
    assert data["said_by"]["statement"] == "nothing-found"


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("charged", "charged", None),
        ("nfa-evidential", "no-further-action", "evidential"),
        ("nfa-no-offence", "no-further-action", "no-crime"),
        ("something else", "other", None),
    ],
)
def test_no_further_action_always_has_its_reason_class(
    adapter: Any, rows: Any, code: str, outcome: str, reason: str | None
) -> None:
    adapter.take(rows({}), "1.csv")
    (event,) = adapter.take(rows({"outcome": code, "submitted_at": "2025-05-01T09:00"}), "2.csv")[0].events
    assert (event.data["details"]["outcome"], event.data["details"].get("reason_class")) == (outcome, reason)


def test_the_conformance_rows_of_northmarch_give_one_of_each_form(adapter: Any, police_dir: Any, names: Any) -> None:
    raw = (police_dir / "columns" / "northmarch.conformance.csv").read_bytes()
    outcomes = adapter.take(raw, "northmarch.conformance.csv")
    assert [names([outcome]) for outcome in outcomes] == [
        ["incident-attended"],
        ["incident-attended"],
        ["missing-reported", "exploitation-concern", "missing-ended"],
        ["domestic-abuse-incident", "domestic-abuse-notice"],
        ["police-protection-used"],
    ]
    assert all(isinstance(outcome, Events) and not outcome.remarks for outcome in outcomes)


@pytest.mark.parametrize("placeholder", ["-", "?", " . ", "***"])
def test_a_mark_in_place_of_a_name_is_no_name(adapter: Any, rows: Any, placeholder: str) -> None:
    (outcome,) = adapter.take(rows({"child_given_name": placeholder, "child_family_name": placeholder}), "x.csv")
    assert isinstance(outcome, Unmappable)
    (outcome,) = adapter.take(rows({"child_given_name": placeholder}), "y.csv")
    assert outcome.events[0].data["child"]["names"] == [{"family": "Brightwater", "use": "usual"}]


def test_a_text_longer_than_the_record_takes_is_cut_with_a_remark(adapter: Any, rows: Any) -> None:
    long = {"child_family_name": "x" * 300, "child_address1": "y" * 300, "incident_ref": "z" * 400}
    (outcome,) = adapter.take(rows(long), "x.csv")
    assert [remark.code for remark in outcome.remarks] == ["text-shortened", "text-shortened"]
