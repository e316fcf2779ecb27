"""A protected location: who set it, who may lift it, who may know, and which entries it covers for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import protection
from hub.domain.child import Child, fold, receive
from hub.domain.facts import EventKey, Fact
from hub.domain.protection import Guard, Protection, guard_against, spans_of
from hub.domain.staff import Reader

S = "urn:safeguarding:service:"
COUNCIL, SCHOOL = "urn:safeguarding:source:people:council", "urn:safeguarding:source:people:school"
FEED = "urn:safeguarding:source:northmarch:live"
FLED = datetime(2025, 5, 14, 9, 30, tzinfo=UTC)
BACK = datetime(2025, 7, 28, 9, 0, tzinfo=UTC)
LATER = BACK + timedelta(days=200)


def event(name: str, at: datetime, /, *, source: str = COUNCIL, id: str = "", **members: Any) -> Fact:
    service = members.pop("service", source.rsplit(":", 1)[-1])
    author = {"person": members.pop("person", "ottoline"), "role": members.pop("role", "frontDoor")}
    data = {
        "event": name, "details": members.pop("details", {}), "said_by": {"service": S + service, "author": author},
        "happened": members.pop("happened", {"from": at.isoformat(), "precision": "instant", "zone": "source"}),
        **members,
    }  # fmt: skip
    stamp = at.isoformat()
    return Fact(name=name, version=1, data=data, source=source, id=id or name, shared=stamp, admitted=stamp)


def reader(person: str = "juno", role: str = "schoolLead", service: str = "school") -> Reader:
    return Reader(person=person, role=role, service=S + service)


def guard(child: Child, now: datetime, who: Reader | None = None) -> Guard | None:
    return guard_against(child.protections, who or reader(), now)


def covered(child: Child, entry: Fact, now: datetime = LATER, who: Reader | None = None) -> bool:
    found = guard(child, now, who)
    return found is not None and found.covers(spans_of(entry))


SET = event("location-protected", FLED)
LIFTED = event("location-protection-ended", BACK)


def seen(at: datetime, shared: datetime | None = None, **happened: Any) -> Fact:
    """An entry of another agency: it happened then, and was shared then or later."""
    words = {"from": at.isoformat(), "precision": "instant", "zone": "source"} | happened
    return event("child-seen", shared or at, source=FEED, happened={k: v for k, v in words.items() if v})


def day(at: datetime) -> dict[str, Any]:
    return {"from": at.date().isoformat(), "precision": "day"}


# --- what it covers ---------------------------------------------------------------------------------------------------


def test_a_child_without_a_protection_has_nothing_to_guard() -> None:
    assert guard(fold([seen(FLED)]), LATER) is None


@pytest.mark.parametrize("days", [-200, -1, 1, 30, 300])
def test_while_it_is_open_every_entry_is_covered_whenever_it_was_recorded(days: int) -> None:
    assert covered(fold([SET]), seen(FLED + timedelta(days=days)))


@pytest.mark.parametrize(
    ("entry", "stays"),
    [
        (seen(FLED - timedelta(days=1)), False),
        (seen(FLED + timedelta(seconds=1)), True),
        (seen(BACK - timedelta(seconds=1)), True),
        (seen(BACK + timedelta(seconds=1)), False),
        (seen(FLED + timedelta(days=60), shared=BACK + timedelta(days=140)), True),
        (seen(FLED - timedelta(days=9), shared=FLED + timedelta(days=9)), True),
        (seen(FLED, **day(FLED)), True),
        (seen(BACK, shared=BACK + timedelta(hours=7), **day(BACK)), False),
        (seen(BACK, shared=BACK + timedelta(days=7), **day(BACK - timedelta(days=1))), True),
        (seen(BACK, shared=LATER, **{"from": "2025-07", "precision": "month"}), True),
        (seen(BACK, shared=LATER, **{"from": "2025-08", "precision": "month"}), False),
        (seen(BACK, shared=LATER, **{"from": "2025-01", "to": "2025-05-20", "precision": "period"}), True),
        (seen(BACK, shared=LATER, **{"from": "2025-01-01", "precision": "period"}), True),
        (seen(BACK, shared=LATER, **{"from": "", "to": "2025-03-01", "precision": "period"}), False),
        (seen(BACK, shared=LATER, **{"from": "", "precision": "unknown"}), True),
        (seen(FLED, shared=FLED - timedelta(days=1), **{"from": "", "precision": "unknown"}), False),
    ],
    ids=[
        "before", "a second after it began", "a second before it ended", "after it ended", "happened in between",
        "shared in between", "on the day it began", "on the day it ended, shared after", "on the day before",
        "in a month that it touches", "in a month after it", "a period that reaches into it", "a period still going on",
        "a period that was over", "nobody knows when, shared after", "nobody knows when, shared before",
    ],
)  # fmt: skip
def test_after_it_ended_what_happened_or_was_shared_in_between_stays_covered_for_ever(entry: Fact, stays: bool) -> None:
    assert covered(fold([SET, LIFTED]), entry) is stays


@pytest.mark.parametrize("member", ["learned", "recorded"])
def test_what_a_source_learned_or_recorded_in_between_is_covered_too(member: str) -> None:
    entry = event("child-seen", LATER, source=FEED, **{member: (FLED + timedelta(days=3)).date().isoformat()})
    assert covered(fold([SET, LIFTED]), entry)


def test_what_nobody_can_date_is_covered_unless_its_source_says_when_it_learned_of_it() -> None:
    undated = {"precision": "unknown", "zone": "none"}
    assert covered(fold([SET, LIFTED]), event("household-changed", LATER, source=FEED, happened=undated))
    told = {"happened": undated, "learned": LATER.isoformat()}
    assert not covered(fold([SET, LIFTED]), event("household-changed", LATER, source=FEED, **told))


def test_a_protection_that_was_recorded_late_counts_from_the_day_it_names() -> None:
    late = event("location-protected", FLED, details={"from": "2025-05-12"})
    assert covered(fold([late, LIFTED]), seen(datetime(2025, 5, 12, 8, tzinfo=UTC)))


def test_an_end_that_names_an_earlier_day_uncovers_nothing_that_was_recorded_under_the_protection() -> None:
    backdated = event("location-protection-ended", BACK, details={"until": "2025-05-15"})
    assert covered(fold([SET, backdated]), seen(FLED + timedelta(days=30)))


def test_a_protection_with_a_named_end_stops_covering_what_comes_after_it() -> None:
    timed = event("location-protected", FLED, details={"until": "2025-07-01"})
    assert covered(fold([timed]), seen(datetime(2025, 6, 30, 12, tzinfo=UTC)))
    assert not covered(fold([timed]), seen(datetime(2025, 7, 3, 12, tzinfo=UTC)))


def test_two_protections_are_ended_each_by_whom_it_concerns() -> None:
    by_school = event("location-protected", FLED, source=SCHOOL, id="s", role="schoolLead", person="juno")
    ended = event("location-protection-ended", BACK, source=SCHOOL, role="schoolLead", person="juno")
    child = fold([SET, by_school, ended])
    assert [one.until is None for one in child.protections] == [True, False]


@given(st.text(alphabet="0123456789-", max_size=0) | st.dates().map(str) | st.dates().map(lambda on: str(on)[:7]))
def test_no_day_or_month_is_too_early_or_too_late_to_be_compared(text: str) -> None:
    happened: dict[str, Any] = {"from": text, "precision": "day" if text else "unknown"}
    entry = seen(LATER, **happened)
    assert covered(fold([SET, LIFTED]), entry) in (True, False)


IMPOSSIBLE = ["0000-05", "0000-05-01", "0000-05-01T00:00:00Z"]


@pytest.mark.parametrize("text", [*IMPOSSIBLE, "9999-12", "9999-12-31", "9999-12-31T23:59:59-14:00"])
def test_a_protection_or_adoption_dated_where_no_calendar_reaches_still_covers_and_stops_no_reading(text: str) -> None:
    dated = {"from": text, "precision": "day"}
    adopted = event("looked-after-ended", FLED, source=FEED, happened=dated, details={"next": "adopted"})
    assert covered(fold([adopted]), seen(LATER))
    assert covered(fold([event("location-protected", FLED, details={"from": text})]), seen(LATER))
    until = fold([SET, event("location-protection-ended", BACK, details={"until": text})])
    assert covered(until, seen(BACK - timedelta(seconds=1)))


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_an_entry_dated_where_no_calendar_reaches_is_covered_for_ever(text: str) -> None:
    entry = seen(LATER, **{"from": text, "precision": "day"})
    assert covered(fold([SET, LIFTED]), entry)


# --- who may know -----------------------------------------------------------------------------------------------------

NAMED = {"may_know": [{"service": S + "nursing"}, {"service": S + "school", "role": "schoolLead"},
                      {"service": S + "council", "person": "fenn"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("who", "knows"),
    [
        (reader("marit", "healthPractitioner", "nursing"), True),
        (reader("juno", "schoolLead", "school"), True),
        (reader("clerk", "housing", "school"), False),
        (reader("fenn", "allocatedSocialWorker", "elsewhere"), True),
        (reader("ottoline", "frontDoor", "council"), True),
        (reader("another", "frontDoor", "council"), True),
        (reader("third", "allocatedSocialWorker", "council"), False),
        (reader("isla", "caseAuditor", "assurance"), False),
    ],
    ids=["a service", "a service and role", "another role there", "a person", "who set it", "in the role that set it",
         "another role of that service", "the auditor"],
)  # fmt: skip
def test_only_who_is_named_and_who_set_it_may_know(who: Reader, knows: bool) -> None:
    child = fold([event("location-protected", FLED, details=NAMED)])
    assert (guard(child, LATER, who) is None) is knows


def test_whoever_is_named_in_one_of_two_protections_only_does_not_know() -> None:
    both = [event("location-protected", FLED, details=NAMED), event("location-protected", FLED, id="two")]
    assert guard(fold(both), LATER, reader()) is not None


def test_a_protection_that_replaces_another_changes_who_may_know_and_keeps_its_beginning() -> None:
    references = [{"source": COUNCIL, "id": "location-protected", "as": "replaces"}]
    wider = event("location-protected", BACK, id="wider", details=NAMED, references=references)
    (one,) = fold([SET, wider]).protections
    assert one.since == FLED
    assert one.names(reader())
    assert guard(fold([SET, wider]), LATER) is None


# --- who may lift it --------------------------------------------------------------------------------------------------


def is_open(child: Child) -> bool:
    return any(one.is_open(LATER) for one in child.protections)


@pytest.mark.parametrize(
    ("ended", "lifts"),
    [
        (event("location-protection-ended", BACK), True),
        (event("location-protection-ended", BACK, source=SCHOOL, role="conferenceChair"), True),
        (event("location-protection-ended", BACK, source=SCHOOL, role="schoolLead"), False),
        (event("location-protection-ended", BACK, source=FEED, service="council"), False),
        (event("location-protection-ended", BACK, source=FEED, role="frontDoor"), False),
    ],
    ids=["its own service", "who decides, at the people's door", "another service", "an agency in its name",
         "an agency that claims a role"],
)  # fmt: skip
def test_only_who_set_it_or_who_decides_lifts_it_and_anybody_elses_word_is_remarked(ended: Fact, lifts: bool) -> None:
    (fact,) = receive(fold([SET]), ended)
    assert [one.code for one in fact.remarks] == ([] if lifts else ["nothing-to-lift"])
    assert is_open(fold([SET, fact])) is not lifts


def test_an_agency_lifts_what_its_own_source_set() -> None:
    child = fold([event("location-protected", FLED, source=FEED)])
    assert not is_open(fold([event("location-protection-ended", BACK, source=FEED)], child))


def test_a_protection_that_its_source_took_back_never_was() -> None:
    references = [{"source": COUNCIL, "id": "location-protected", "as": "retracts"}]
    assert fold([SET, event("retraction-made", BACK, references=references)]).protections == ()


# --- adoption ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("name-changed", {"reason": "adoption"}), ("looked-after-ended", {"next": "adopted"}),
        ("court-order-made", {"kind": "adoption"}), ("location-protected", {"reason": "adoption"}),
    ],
)  # fmt: skip
def test_an_adoption_is_sealed_as_a_protected_location_is_and_its_new_name_too(name: str, details: Any) -> None:
    child = fold([event(name, FLED, source=FEED, details=details)])
    found = guard(child, LATER)
    assert found is not None
    assert found.everything
    assert found.covers_name(spans_of(seen(FLED + timedelta(days=9))))
    assert not found.covers_name(spans_of(seen(FLED - timedelta(days=9))))


@pytest.mark.parametrize(
    ("name", "details"),
    [("name-changed", {"reason": "marriage"}), ("looked-after-ended", {"next": "parents"}), ("court-order-made", {})],
)
def test_another_change_of_name_or_end_of_care_is_no_adoption(name: str, details: Any) -> None:
    assert fold([event(name, FLED, source=FEED, details=details)]).protections == ()


def test_a_flight_hides_no_name() -> None:
    found = guard(fold([SET]), LATER)
    assert found is not None
    assert not found.covers_name(spans_of(seen(FLED + timedelta(days=9))))


def test_attack_hundreds_of_protections_are_ended_hundreds_of_times_and_none_is_compared_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []
    equal = Protection.__eq__

    def counted(one: Protection, other: object) -> bool:
        compared.append(1)
        return equal(one, other)

    monkeypatch.setattr(Protection, "__eq__", counted)
    many = [event("location-protected", FLED, id=f"p{n}") for n in range(300)]
    ends = [event("location-protection-ended", BACK, id=f"e{n}", details={"until": "2030-01-01"}) for n in range(50)]
    child = fold([*many, *ends])
    assert not compared
    assert (len(child.protections), sum(one.until is None for one in child.protections)) == (300, 0)


def test_attack_a_protection_refers_to_hundreds_of_events_and_they_are_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[Fact] = []
    replaced_by = protection.replaced_by

    def counted(fact: Fact) -> set[EventKey]:
        read.append(fact)
        return replaced_by(fact)

    monkeypatch.setattr(protection, "replaced_by", counted)
    fold(event("location-protected", FLED, id=f"p{n}") for n in range(300))
    assert len(read) == 300
