"""What a professional is, comes from staff events and today's date, never from a claim."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.facts import Fact
from hub.domain.standing import EVERY_CHILD, find_contradiction, fold

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
S = "urn:safeguarding:service:"
CHILD = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"


def event(name: str, admitted: str = "2025-01-01T09:00:00.000+00:00", /, **details: Any) -> Fact:
    return Fact(name=name, version=1, data={"details": {"person": "marit", **details}}, admitted=admitted)


def held(role: str = "healthPractitioner", service: str = "school-nursing", **period: str) -> Fact:
    return event("role-held", role=role, service=S + service, **{name.rstrip("_"): day for name, day in period.items()})


def ended(role: str = "healthPractitioner", service: str = "school-nursing", **period: str) -> Fact:
    return event("role-ended", "2025-03-03T12:00:00.000+00:00", role=role, service=S + service, **period)


def test_a_person_of_whom_nothing_is_recorded_is_no_reader() -> None:
    assert fold("marit", []).reader(NOON) is None


def test_a_role_at_a_service_makes_a_reader() -> None:
    reader = fold("marit", [held(from_="2024-01-01")]).reader(NOON)
    assert reader is not None
    assert (reader.person, reader.role, reader.service) == ("marit", "healthPractitioner", S + "school-nursing")
    assert (reader.agency_sector, reader.registered, reader.trained) == ("health", True, False)


PERIODS = {
    "begins today": ({"from_": "2025-03-03"}, True),
    "begins tomorrow": ({"from_": "2025-03-04"}, False),
    "began at noon": ({"from_": "2025-03-03T12:00:00Z"}, True),
    "begins in an hour": ({"from_": "2025-03-03T13:00:00Z"}, False),
    "began in another zone": ({"from_": "2025-03-03T12:30:00+01:00"}, True),
    "its last day is today": ({"until": "2025-03-03"}, True),
    "its last day was yesterday": ({"until": "2025-03-02"}, False),
    "ended an hour ago": ({"until": "2025-03-03T11:00:00Z"}, False),
    "ends in an hour": ({"until": "2025-03-03T13:00:00Z"}, True),
    "begins when it was recorded": ({}, True),
}


@pytest.mark.parametrize(("period", "counts"), PERIODS.values(), ids=PERIODS)
def test_a_role_counts_within_its_period(period: dict[str, str], counts: bool) -> None:
    assert (fold("marit", [held(**period)]).reader(NOON) is not None) == counts


def test_a_role_that_ended_without_a_date_ended_when_it_was_recorded() -> None:
    assert fold("marit", [held(), ended()]).reader(NOON) is None


@pytest.mark.parametrize(
    ("until", "counts"), [("2025-03-02", False), ("2025-03-03", True), ("2025-03-03T11:00:00Z", False)]
)
def test_a_role_ends_with_the_day_or_moment_named(until: str, counts: bool) -> None:
    assert (fold("marit", [held(), ended(until=until)]).reader(NOON) is not None) == counts


def test_a_role_or_conflict_until_the_last_day_of_the_calendar_counts_can_be_ended_and_stops_no_reading() -> None:
    forever = {"from": "2025-01-01", "until": "9999-12-31"}
    role = {"person": "p", "role": "healthPractitioner", "service": S + "school-nursing"}
    holding = fold("p", [held(**forever), event("conflict-declared", child=CHILD, until="9999-12-31")])
    assert holding.reader(NOON) is not None
    assert holding.conflicts(NOON) == {CHILD}
    assert find_contradiction(holding, "role-held", {**role, **forever}, NOON) == "RoleHeldAlready"
    assert find_contradiction(holding, "role-ended", role, NOON) == ""
    assert find_contradiction(holding, "role-ended", {**role, "until": "9999-12-31"}, NOON) == "RoleNotHeld"
    assert fold("p", [held(**forever), ended(until="2025-02-01")]).reader(NOON) is None
    assert fold("p", [held(**forever), ended(until="9999-12-31")]).reader(NOON) is not None


def test_an_end_is_never_put_off() -> None:
    assert fold("marit", [held(until="2025-02-01"), ended(until="2026-01-01")]).reader(NOON) is None


def test_only_the_role_at_the_service_named_ends() -> None:
    elsewhere = held(service="walk-in-centre")
    reader = fold("marit", [held(), elsewhere, ended()]).reader(NOON)
    assert reader is not None
    assert reader.service == S + "walk-in-centre"


def test_a_role_may_be_held_again() -> None:
    assert fold("marit", [held(), ended(), held(from_="2025-03-03")]).reader(NOON) is not None


def test_with_two_roles_the_first_speaks_unless_one_is_named() -> None:
    standing = fold("marit", [held(), held("namedHealth")])
    assert [found.role for role in ("", "namedHealth") if (found := standing.reader(NOON, role))] == [
        "healthPractitioner", "namedHealth",
    ]  # fmt: skip
    assert standing.reader(NOON, "frontDoor") is None
    found = standing.reader(NOON)
    assert found is not None
    assert found.roles == {"healthPractitioner", "namedHealth"}


def test_training_counts_to_its_last_day() -> None:
    for until, counts in (("2025-03-02", False), ("2025-03-03", True), ("2027-01-01", True)):
        reader = fold("marit", [held(), event("training-recorded", until=until)]).reader(NOON)
        assert reader is not None
        assert reader.trained == counts


def test_an_older_training_recorded_later_shortens_nothing() -> None:
    courses = [event("training-recorded", until="2027-01-01"), event("training-recorded", until="2024-01-01")]
    assert fold("marit", courses).trained_until == "2027-01-01"


def test_a_conflict_counts_from_its_declaration_to_its_end() -> None:
    standing = fold("marit", [held(), event("conflict-declared", child=CHILD)])
    reader = standing.reader(NOON)
    assert reader is not None
    assert reader.conflicts == {CHILD}
    assert (
        fold("marit", [event("conflict-declared", child=CHILD), event("conflict-ended", child=CHILD)]).conflicts(NOON)
        == set()
    )


def test_a_conflict_without_a_child_is_one_with_every_child() -> None:
    assert fold("marit", [event("conflict-declared")]).conflicts(NOON) == {EVERY_CHILD}
