"""What rules may know of a reader: resolved from what is recorded, each with its evidence, never from a claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.child import Child
from hub.domain.staff import Reader
from hub.domain.thresholds import Participant
from hub.policy.facts import reading

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
S = "urn:safeguarding:service:"
NURSE = Reader(
    person="marit-sole", role="healthPractitioner", service=S + "fenwater-school-nursing", trained=True,
    roles=frozenset({"healthPractitioner"}),
)  # fmt: skip
CALLED = ("urn:safeguarding:source:harrowmere", "27")


def named(since: datetime, hours: int = 72, **who: str) -> Participant:
    full = {"person": "", "service": "", "role": "", **who}
    return Participant(**full, since=since.isoformat(), until=(since + timedelta(hours=hours)).isoformat())


def test_a_worker_allocated_in_this_role_is_allocated_and_the_event_proves_it() -> None:
    child = Child(workers={"marit-sole": "healthPractitioner"}, worker_events={"marit-sole": ("s", "1")})
    found = reading(NURSE, "directCare", child, NOW)
    assert found.involvement == "allocated"
    assert dict(found.evidence)["involvement"] == ("s", "1")


def test_a_worker_allocated_in_another_role_is_of_the_team() -> None:
    child = Child(workers={"marit-sole": "allocatedSocialWorker"})
    assert reading(NURSE, "directCare", child, NOW).involvement == "team"


def test_a_service_that_works_with_the_child_makes_its_workers_the_team() -> None:
    child = Child(involved={NURSE.service: ("s", "9")})
    found = reading(NURSE, "directCare", child, NOW)
    assert found.involvement == "team"
    assert dict(found.evidence)["involvement"] == ("s", "9")


def test_without_a_recorded_relationship_there_is_none() -> None:
    assert reading(NURSE, "s47", Child(), NOW).involvement == "none"


@pytest.mark.parametrize(
    ("since", "threshold", "open_"),
    [
        (NOW - timedelta(hours=71), "none", True),
        (NOW - timedelta(hours=72), "none", False),
        (NOW - timedelta(days=20), "s47", True),
        (NOW - timedelta(days=20), "cpPlan", True),
        (NOW - timedelta(days=20), "s17", False),
        (NOW + timedelta(hours=1), "s47", False),
    ],
)
def test_a_strategy_discussion_opens_for_72_hours_or_while_a_threshold_is_recorded(
    since: datetime, threshold: str, open_: bool
) -> None:
    participant = named(since, service=NURSE.service, role=NURSE.role)
    child = Child(threshold=threshold, participants=(participant,), participants_event=CALLED)
    found = reading(NURSE, "s47", child, NOW)
    assert found.participant is open_
    assert found.involvement == ("team" if open_ else "none")
    assert dict(found.evidence)["participant"] == (CALLED if open_ else None)


@pytest.mark.parametrize(
    ("who", "is_named"),
    [
        ({"person": "marit-sole"}, True),
        ({"person": "somebody-else", "service": NURSE.service}, False),
        ({"service": NURSE.service, "role": "healthPractitioner"}, True),
        ({"service": NURSE.service, "role": "schoolLead"}, False),
        ({"service": S + "fenwater-emergency", "role": "healthPractitioner"}, False),
    ],
)
def test_a_strategy_discussion_names_a_person_or_a_role_of_a_service(who: dict[str, str], is_named: bool) -> None:
    child = Child(participants=(named(NOW, **who),))
    assert reading(NURSE, "s47", child, NOW).participant is is_named


def test_a_conflict_counts_from_either_side() -> None:
    assert reading(NURSE, "s47", Child(conflicts=frozenset({"marit-sole"})), NOW).conflict
    related = replace(NURSE, conflicts=frozenset({"child-1"}))
    assert reading(related, "s47", Child(), NOW, child_id="child-1").conflict
    assert not reading(related, "s47", Child(), NOW, child_id="child-2").conflict


def test_a_role_that_was_never_given_is_not_registered() -> None:
    assert reading(NURSE, "s47", Child(), NOW).registered
    assert not reading(replace(NURSE, role="frontDoor"), "s47", Child(), NOW).registered


def test_only_the_front_door_and_the_allocated_worker_are_answerable() -> None:
    worker = replace(NURSE, role="allocatedSocialWorker", roles=frozenset({"allocatedSocialWorker", "frontDoor"}))
    allocated = Child(workers={"marit-sole": "allocatedSocialWorker"})
    assert reading(worker, "s47", allocated, NOW).answerable
    assert not reading(worker, "s47", Child(), NOW).answerable
    assert reading(replace(worker, role="frontDoor"), "triage", Child(), NOW).answerable
    assert not reading(NURSE, "s47", Child(workers={"marit-sole": "healthPractitioner"}), NOW).answerable


def test_evidence_is_for_the_record_and_does_not_part_two_equal_readings() -> None:
    one = reading(NURSE, "s47", Child(involved={NURSE.service: ("s", "9")}), NOW)
    other = reading(NURSE, "s47", Child(involved={NURSE.service: ("s", "10")}), NOW)
    assert one == other
    assert one.profile == other.profile
