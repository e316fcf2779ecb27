"""The native files of one family's story become exactly these events, no more, no less."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kit.outcomes import Events

NHS = "https://fhir.nhs.uk/Id/nhs-number"
WRENNA, TOBIN = "9991204318", "9993189022"


def story(samples: Any, name: str) -> Any:
    (found,) = (samples / "story").rglob(f"{name}*")
    return found


def numbers(event: Any) -> list[str]:
    return [i["value"] for i in event.data["child"]["identifiers"] if i["system"] == NHS]


@pytest.mark.parametrize(
    ("file", "names", "happened", "time"),
    [
        ("d039", ["emergency-attendance"], "2024-10-18T16:12:00+01:00", "2024-10-18T16:21:00+01:00"),
        ("d094", ["involvement-started"], "2024-12-12T09:30:00Z", "2024-12-12T14:20:05Z"),
        ("d190", ["immunisation-not-given"], "2025-03-18T10:15:00Z", "2025-03-18T16:02:44Z"),
        ("d214", ["was-not-brought"], "2025-04-11T10:30:00+01:00", "2025-04-11T11:05:00+01:00"),
        ("d252-1", ["name-changed"], "2025-05-19", "2025-05-19T11:40:00+01:00"),
        ("d252-2", ["registration-changed"], "2025-05-19", "2025-05-19T11:52:00+01:00"),
        ("d276", ["emergency-attendance"], "2025-06-12T17:05:00+01:00", "2025-06-12T17:13:00+01:00"),
        ("d470", ["emergency-attendance", "injury-observed"], "2025-07-15T18:15:00+01:00", "2025-07-15T18:40:00+01:00"),
    ],
)
def test_each_story_file_becomes_exactly_its_events_of_wrenna(
    outcomes: Any, samples: Any, file: str, names: list[str], happened: str, time: str
) -> None:
    (outcome,) = outcomes(story(samples, file))
    assert isinstance(outcome, Events)
    assert [e.name for e in outcome.events] == names
    for event in outcome.events:
        assert numbers(event) == [WRENNA]
        assert event.data["happened"]["from"] == happened
        assert event.time == time
        assert event.data["change"] == "new"


def test_a_male_carer_brought_wrenna_and_is_not_named(outcomes: Any, samples: Any) -> None:
    ((event,),) = [o.events for o in outcomes(story(samples, "d039"))]
    assert event.data["people"] == [
        {
            "ref": "nk1-2",
            "group": "family",
            "relation": ["CAREGIVER"],
            "incident_role": "brought-child",
            "description": "carer, male",
        }
    ]
    assert event.data["details"]["brought_by"] == "carer"
    assert event.data["details"]["complaint"] == "Unspecified injury of wrist and hand"
    assert event.data["details"]["injury"] is True
    assert event.data["child"]["address"][0]["postcode"] == "ZZ1 4QF"
    assert "Isolde" not in str(event.data)


def test_the_school_nurse_speaks_for_her_own_service_and_can_be_rung(outcomes: Any, samples: Any) -> None:
    ((event,),) = [o.events for o in outcomes(story(samples, "d094"))]
    assert event.data["said_by"]["service"] == "urn:safeguarding:service:fenwater-school-nursing"
    assert event.data["said_by"]["contact"]["name"] == "Marit Sole"
    assert event.data["said_by"]["contact"]["phone"] == "01632 960210"
    assert event.data["details"]["kind"] == "school-nursing"


def test_the_second_missed_appointment_is_counted(outcomes: Any, samples: Any) -> None:
    ((event,),) = [o.events for o in outcomes(story(samples, "d214"))]
    assert event.data["details"] == {
        "appointment": "2025-04-11T10:30:00+01:00",
        "appointment_for": "Unspecified injury of wrist and hand",
        "times_in_12_months": 2,
    }


@pytest.mark.parametrize("file", ["d252-1", "d252-2"])
def test_a_restricted_record_gives_neither_address_nor_practice(outcomes: Any, samples: Any, file: str) -> None:
    (outcome,) = outcomes(story(samples, file))
    (event,) = outcome.events
    assert "address" not in event.data["child"]
    assert event.data["label"]["handling"] == ["confidentialAddress"]
    for secret in ("ZZ8", "ZZ1", "Alder", "ALDER", "Kestrel", "01632", "ZZG"):
        assert secret not in str(event.data)
    assert "location-hidden" in {r.code for r in outcome.remarks}


def test_both_names_stand_in_the_change_of_name(outcomes: Any, samples: Any) -> None:
    ((event,),) = [o.events for o in outcomes(story(samples, "d252-1"))]
    assert event.data["details"] == {
        "from_family": "Quillfeather",
        "from_given": ["Wrenna"],
        "to_family": "Mosswick",
        "to_given": ["Wrenna"],
    }
    assert {n["family"] for n in event.data["child"]["names"]} == {"Quillfeather", "Mosswick"}


def test_of_westlorns_visits_only_the_one_under_the_wrong_number_was_copied_to_the_school_nurse(
    outcomes: Any, samples: Any
) -> None:
    told = outcomes(*(story(samples, day) for day in ("d276", "d290", "d470")))
    named = [[to["role"] for to in event.data.get("addressed_to", ())] for one in told for event in one.events]
    assert named == [["healthPractitioner"], [], [], [], []]


def test_the_visit_under_the_wrong_number_is_taken_back_and_told_again(outcomes: Any, samples: Any) -> None:
    first, second = outcomes(story(samples, "d276"), story(samples, "d290"))
    again, taken_back = second.events
    assert (again.name, numbers(again), again.person) == ("emergency-attendance", [TOBIN], "WI-70002")
    assert (taken_back.name, numbers(taken_back), taken_back.person) == ("retraction-made", [WRENNA], "WI-70001")
    assert taken_back.about == ("visit:WV-9001", "*")
    assert taken_back.as_ == "retracts"
    assert taken_back.person == first.events[0].person
    assert taken_back.data["details"] == {"reason": "wrong-child"}
    assert taken_back.time == "2025-06-26T09:30:00+01:00"


def test_a_retraction_says_nothing_of_the_other_child(outcomes: Any, samples: Any) -> None:
    _, second = outcomes(story(samples, "d276"), story(samples, "d290"))
    taken_back = second.events[1]
    for others in ("Tobin", TOBIN, "Asthma", "2016", "Alder", "WI-70002"):
        assert others not in str(taken_back.data)


def test_fingertip_bruising_is_told_as_it_was_coded(outcomes: Any, samples: Any) -> None:
    ((_, injury),) = [o.events for o in outcomes(story(samples, "d470"))]
    assert injury.data["details"]["injuries"] == [
        {"kind": "bruise", "site": "upper-arm", "words": "ICD-10 S40.0", "pattern": "fingertip"}
    ]
    assert injury.data["summary"]["text"] == "An injury was recorded: fingertip bruise, upper arm."
    assert injury.data["learned"] == "2025-07-15T18:15:00+01:00"
