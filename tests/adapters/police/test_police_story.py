"""The police's part of the demo story, from their own files: exactly these events, and nobody named who must not be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.kit.outcomes import Events, Unreadable

WRENNA, TOBIN = "NM774101", "NM774102"
STORY = {
    "d024-northmarch.csv": [
        (WRENNA, "domestic-abuse-incident"),
        (WRENNA, "domestic-abuse-notice"),
        (TOBIN, "domestic-abuse-incident"),
        (TOBIN, "domestic-abuse-notice"),
    ],
    "d033-northmarch.csv": [(WRENNA, "correction-made"), (TOBIN, "correction-made")],
    "d165-pole.json": [(WRENNA, "incident-attended"), (TOBIN, "incident-attended")],
    "d522-pole.json": [(WRENNA, "intelligence-held"), (TOBIN, "intelligence-held")],
    "d523-pole.json": [
        (WRENNA, "arrest-or-custody"),
        (TOBIN, "arrest-or-custody"),
        (WRENNA, "protective-condition-set"),
        (TOBIN, "protective-condition-set"),
    ],
    "d560-pole.json": [
        (WRENNA, "investigation-outcome"),
        (TOBIN, "investigation-outcome"),
        (WRENNA, "protective-condition-ended"),
        (TOBIN, "protective-condition-ended"),
    ],
}


@pytest.fixture
def told(adapter: Any, police_dir: Any) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Day by day (person, event, data as sealed)."""
    days: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for name in STORY:
        raw = (police_dir / "samples" / "story" / name).read_bytes()
        days[name] = []
        for record in adapter.read(raw, name):
            assert not isinstance(record, Unreadable), record
            outcome = adapter.map(record)
            assert isinstance(outcome, Events), outcome
            ready = adapter.complete(record, outcome)
            days[name] += [(record.person, one.name, json.loads(one.data)) for one in ready]
    return days


@pytest.mark.parametrize("name", STORY)
def test_each_day_of_the_story_gives_exactly_its_events(told: Any, name: str) -> None:
    assert [(person, event) for person, event, _ in told[name]] == STORY[name]


def test_there_are_no_other_story_files(police_dir: Any) -> None:
    assert {path.name for path in (police_dir / "samples" / "story").iterdir()} == set(STORY)


def test_the_first_incident_names_only_its_own_child_and_links_both(told: Any) -> None:
    (_, _, wrenna), _, (_, _, tobin), _ = told["d024-northmarch.csv"]
    assert "Tobin" not in json.dumps(wrenna)
    assert "Wrenna" not in json.dumps(tobin)
    assert wrenna["incident"] == tobin["incident"]
    others = [person for person in wrenna["people"] if person.get("incident_role") == "other-child"]
    assert [set(other) for other in others] == [{"ref", "group", "incident_role", "adult"}]
    assert wrenna["details"]["children_present"] == "no"
    assert "identifiers" not in wrenna["child"]
    assert wrenna["child"]["address"][0]["postcode"] == "ZZ1 4QF"


def test_the_school_is_told_two_facts_and_nothing_else(told: Any) -> None:
    notice = told["d024-northmarch.csv"][1][2]
    assert notice["addressed_to"] == [{"service": "urn:safeguarding:service:larkbeck-primary", "role": "schoolLead"}]
    assert notice["shared_under"] == {"gateway": "VPA2024-encompass"}
    assert notice["child"] == {"names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "usual"}]}
    assert notice["details"] == {}
    assert not {"people", "place", "narrative", "afterwards"} & set(notice)


def test_the_corrected_fact_keeps_old_and_new_and_says_what_it_corrects(told: Any) -> None:
    correction = told["d033-northmarch.csv"][0][2]
    assert correction["details"]["field"] == "/details/children_present"
    assert (correction["details"]["old"], correction["details"]["new"]) == ("no", "yes")
    assert "heard it" in correction["details"]["why"]
    assert [reference["as"] for reference in correction["references"]] == ["corrects"]
    assert correction["label"] == {"category": "domesticAbuse", "level": "R"}


def test_a_false_alarm_is_a_statement_that_nothing_was_found(told: Any) -> None:
    for _, _, attended in told["d165-pole.json"]:
        assert attended["said_by"]["statement"] == "nothing-found"
        assert {person["group"] for person in attended["people"]} == {"family", "others"}


def test_intelligence_says_nothing_of_what_is_known_or_of_whom(told: Any) -> None:
    for _, _, held in told["d522-pole.json"]:
        assert held["details"] == {}
        assert not {"people", "place", "summary", "narrative", "addressed_to", "told", "asked"} & set(held)
        assert set(held["label"]["handling"]) == {"protectedSource", "originatorControl"}


def test_the_arrest_is_an_adults_and_under_live_investigation(told: Any) -> None:
    arrest = told["d523-pole.json"][0][2]
    assert arrest["details"]["arrested"] == "adult"
    assert arrest["label"]["handling"] == ["liveInvestigation"]
    assert "addressed_to" not in arrest
    assert arrest["not_to_be_told"] == ["mothers-partner"]


def test_the_condition_reaches_the_gate_the_nurse_and_the_social_worker_by_name(told: Any) -> None:
    condition = told["d523-pole.json"][2][2]
    assert [(to["service"].rpartition(":")[2], to["role"]) for to in condition["addressed_to"]] == [
        ("tarnwhistle-academy", "schoolLead"),
        ("fenwater-school-nursing", "healthPractitioner"),
        ("harrowmere-childrens-services", "allocatedSocialWorker"),
    ]
    assert condition["details"]["conditions"] == ["no-contact", "not-near-home", "not-near-school", "not-to-collect"]
    (bound,) = condition["people"]
    assert bound["name"] == "Dorrick Vane"
    assert bound["may_be_named_to"] == ["schoolLead", "healthPractitioner", "allocatedSocialWorker"]
    assert bound["ref"] == condition["details"]["person_ref"]


def test_no_further_action_carries_its_reason_and_follows_the_arrest(told: Any) -> None:
    outcome, ended = told["d560-pole.json"][0][2], told["d560-pole.json"][2][2]
    assert outcome["details"]["outcome"] == "no-further-action"
    assert outcome["details"]["reason_class"] == "evidential"
    assert outcome["afterwards"]["reason_class"] == "evidential"
    assert [reference["as"] for reference in outcome["references"]] == ["follows"]
    assert outcome["incident"] == told["d523-pole.json"][0][2]["incident"]
    assert ended["details"]["reason"] == "investigation-ended"
    assert ended["addressed_to"] == told["d523-pole.json"][2][2]["addressed_to"]


def test_no_other_person_is_named_anywhere_but_in_the_protective_condition(told: Any) -> None:
    for name, events in told.items():
        for _, event, data in events:
            written = json.dumps(data)
            assert "Isolde" not in written, (name, event)
            assert ("Vane" in written) == event.startswith("protective-condition"), (name, event)
            assert "NM8802" not in written, "a nominal reference left the force"
            assert "NM77410" not in written, "a nominal reference left the force"


def test_reading_the_story_twice_gives_the_same_bytes(make_adapter: Any, police_dir: Any) -> None:
    def sealed() -> list[bytes]:
        adapter, found = make_adapter(), []
        for name in STORY:
            for record in adapter.read((police_dir / "samples" / "story" / name).read_bytes(), name):
                found += [one.data for one in adapter.complete(record, adapter.map(record))]
        return found

    assert sealed() == sealed()
