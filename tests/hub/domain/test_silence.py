"""When a source is silent, and which of its numbers are missing: pure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from hub.domain.hearing import MOST_HOLES, Hearing, LiveSource, Range, filled, is_missing, opened, patience

SCHOOL = LiveSource("urn:safeguarding:source:larkbeck:live", "urn:safeguarding:service:larkbeck", "Larkbeck", "")
NOON = "2025-03-03T12:00:00.000+00:00"


def after(**by: int) -> datetime:
    return datetime.fromisoformat(NOON) + timedelta(**by)


def test_a_source_is_silent_when_it_has_missed_three_of_its_own_heartbeats() -> None:
    assert Hearing(SCHOOL, NOON, every_s=300).falls_silent() == after(minutes=15)
    assert Hearing(SCHOOL, NOON, every_s=86_400).falls_silent() == after(days=3)


def test_one_that_states_no_rhythm_is_measured_by_the_rules_own() -> None:
    assert patience(NOON, 0) == after(minutes=45)


def test_one_that_was_never_heard_is_measured_from_its_registration() -> None:
    registered = LiveSource(SCHOOL.source, SCHOOL.service, SCHOOL.name, since=NOON)
    assert Hearing(registered).falls_silent() == after(minutes=45)


@pytest.mark.parametrize(
    "claimed", ["1970-01-01T00:00:00+00:00", "1999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"]
)
def test_a_heartbeat_dated_before_every_rule_makes_its_source_silent_and_breaks_nothing(claimed: str) -> None:
    said = datetime.fromisoformat(claimed)
    assert Hearing(SCHOOL, claimed, every_s=300).falls_silent() == said + timedelta(minutes=15)


def test_numbers_that_came_after_all_leave_exactly_the_others_missing() -> None:
    rng = random.Random(1)  # noqa: S311
    for _ in range(200):
        missing: tuple[Range, ...] = ()
        wanted: set[int] = set()
        head = 0
        for _ in range(20):
            first, last = head + 1, head + rng.randrange(1, 6)
            missing, head = opened(missing, first, last), last + 1
            wanted |= set(range(first, last + 1))
            came = rng.randrange(1, head + 1)
            missing = filled(missing, came)
            wanted.discard(came)
        assert {number for number in range(head + 2) if is_missing(missing, number)} == wanted


def test_of_too_many_holes_more_are_taken_for_missing_never_fewer() -> None:
    missing: tuple[Range, ...] = ()
    for number in range(1, 3 * MOST_HOLES, 2):
        missing = opened(missing, number, number)
    assert len(missing) == MOST_HOLES
    assert all(is_missing(missing, number) for number in range(1, 3 * MOST_HOLES, 2))
