"""Given what was recorded, when something is reported, then this is recorded, and this is what decisions rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.child import CHANGES, REMARKED, Agreement, Child, evolve, fold, is_standing, receive, rests_on_child
from hub.domain.facts import EventKey, Fact, Remark
from hub.domain.versions import taken_back

COUNCIL, SCHOOL = "urn:safeguarding:source:people:council", "urn:safeguarding:source:people:school"
S = "urn:safeguarding:service:"
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def event(
    name: str, id: str = "", /, *, source: str = COUNCIL, at: datetime = NOON, references: Any = None, **details: Any
) -> Fact:
    """A reported fact; its id is its name where none is given."""
    data = {"event": name, "details": details, "said_by": {"service": S + "council"}}
    if references:
        data["references"] = [{"source": of, "id": one, "as": as_} for of, one, as_ in references]
    return Fact(name=name, version=1, data=data, source=source, id=id or name, shared=at.isoformat())


@dataclass(frozen=True)
class Given:
    """A child to whom these things happened."""

    child: Child

    def when(self, reported: Fact) -> Then:
        facts = receive(self.child, reported)
        return Then(reported, facts, fold(facts, self.child))


@dataclass(frozen=True)
class Then:
    """What was recorded, and the child after it."""

    reported: Fact
    facts: list[Fact]
    child: Child

    def then_recorded(self, *remarks: str) -> Then:
        (fact,) = self.facts
        assert fact._replace(remarks=()) == self.reported._replace(remarks=())
        assert [remark.code for remark in fact.remarks] == list(remarks)
        return self


def given_that(*facts: Fact) -> Given:
    return Given(fold(facts))


# --- thresholds -------------------------------------------------------------------------------------------------------

THRESHOLDS: dict[str, tuple[list[Fact], str, str]] = {
    "nothing yet": ([], "none", ""),
    "child in need": ([event("cin-plan-started")], "s17", "cin-plan-started"),
    "child in need ends": ([event("cin-plan-started"), event("cin-plan-ended")], "none", "cin-plan-ended"),
    "enquiry": ([event("s47-started")], "s47", "s47-started"),
    "enquiry during a child in need plan": ([event("s47-started"), event("cin-plan-started")], "s47", "s47-started"),
    "enquiry ends, nothing follows": ([event("s47-started"), event("s47-concluded")], "none", "s47-concluded"),
    "enquiry ends, a conference follows": (
        [event("s47-started"), event("s47-concluded", next_step="conference")], "cpPlan", "s47-concluded",
    ),
    "a plan follows the enquiry": ([event("s47-started"), event("plan-started")], "cpPlan", "plan-started"),
    "a new enquiry while the plan goes on": ([event("plan-started"), event("s47-started")], "s47", "s47-started"),
    "that enquiry ends and the plan goes on": (
        [event("plan-started"), event("s47-started"), event("s47-concluded", next_step="none")],
        "cpPlan", "plan-started",
    ),
    "the plan ends while an enquiry is open": (
        [event("plan-started"), event("s47-started"), event("plan-ended")], "s47", "s47-started",
    ),
    "plan ends": ([event("plan-started"), event("plan-ended")], "none", "plan-ended"),
    "stepped down to child in need": (
        [event("plan-started"), event("threshold-stepped-down", to="s17")], "s17", "threshold-stepped-down",
    ),
    "stepped down to early help": (
        [event("s47-started"), event("threshold-stepped-down", to="early-help")], "none", "threshold-stepped-down",
    ),
    "a step down leaves what is weaker": (
        [event("cin-plan-started"), event("s47-started"), event("threshold-stepped-down", to="cp-plan"),
         event("plan-ended")],
        "s17", "cin-plan-started",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("happened", "threshold", "by"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_thresholds_open_and_close(happened: list[Fact], threshold: str, by: str) -> None:
    child = fold(happened)
    assert child.threshold == threshold
    assert child.threshold_event == ((COUNCIL, by) if by else None)


def test_an_enquiry_that_its_source_took_back_opened_nothing() -> None:
    retraction = event("retraction-made", references=[(COUNCIL, "s47-started", "retracts")], reason="wrong-child")
    assert fold([event("s47-started"), retraction]).threshold == "none"


def test_another_sources_retraction_closes_no_enquiry() -> None:
    retraction = event("retraction-made", source=SCHOOL, references=[(COUNCIL, "s47-started", "retracts")])
    assert fold([event("s47-started"), retraction]).threshold == "s47"


# --- strategy discussions ---------------------------------------------------------------------------------------------

FENN = {"person": "fenn", "service": S + "council", "role": "allocatedSocialWorker"}
LEAD = {"service": S + "school", "role": "schoolLead"}
CALLED = event("strategy-discussion-called", participants=[FENN, LEAD])


def names(child: Child) -> list[tuple[str, str]]:
    return [(one.person, one.role) for one in child.participants]


def test_a_called_strategy_discussion_names_its_participants_for_72_hours() -> None:
    child = fold([CALLED])
    assert names(child) == [("fenn", "allocatedSocialWorker"), ("", "schoolLead")]
    assert child.participants_event == CALLED.key
    (until,) = {one.until for one in child.participants}
    assert datetime.fromisoformat(until) - NOON == timedelta(hours=72)


@pytest.mark.parametrize(
    "end", [event("s47-concluded"), event("threshold-stepped-down", to="s17")], ids=lambda fact: fact.name
)
def test_what_a_discussion_opened_is_closed_with_the_enquiry(end: Fact) -> None:
    child = fold([CALLED, event("s47-started"), end])
    assert child.participants == ()
    assert child.participants_event is None


def test_a_child_in_need_plan_that_ends_closes_no_discussion() -> None:
    assert names(fold([event("cin-plan-started"), CALLED, event("cin-plan-ended")])) == names(fold([CALLED]))


def test_an_enquiry_a_year_later_names_nobody_from_an_old_discussion() -> None:
    later = NOON + timedelta(days=365)
    assert fold([CALLED, event("s47-started", at=later)]).participants == ()
    assert names(fold([CALLED, event("s47-started", at=NOON + timedelta(hours=2))])) == names(fold([CALLED]))


def test_participants_stay_named_from_the_enquiry_into_the_plan() -> None:
    weeks = NOON + timedelta(days=20)
    assert names(fold([CALLED, event("s47-started"), event("plan-started", at=weeks)])) == names(fold([CALLED]))


# --- agreements -------------------------------------------------------------------------------------------------------

SCOPE = {"services": [S + "early-help", S + "school"]}
GIVEN = event("agreement-given", "a1", source=SCHOOL, kind="engage", by="mother", scope=SCOPE, until="2025-06-30")
REFUSED = event("agreement-refused", "r1", source=SCHOOL, kind="engage", by="mother")
A1, R1 = (SCHOOL, "a1"), (SCHOOL, "r1")


def names_it(key: EventKey) -> dict[str, Any]:
    return {"agreement": {"source": key[0], "id": key[1]}, "by": "mother"}


def test_an_agreement_holds_what_it_covers_and_until_when() -> None:
    agreement = fold([GIVEN]).agreements[A1]
    assert agreement == Agreement("given", "engage", "mother", frozenset(SCOPE["services"]), "2025-06-30")


def test_an_agreement_expires_by_its_date() -> None:
    agreement = fold([GIVEN]).agreements[A1]
    assert agreement.state_at(datetime(2025, 6, 30, 23, 59, tzinfo=UTC)) == "given"
    assert agreement.state_at(datetime(2025, 7, 1, tzinfo=UTC)) == "expired"


def test_an_agreement_without_an_end_does_not_expire() -> None:
    open_ended = fold([event("agreement-given", "a1", kind="engage", by="mother", scope=SCOPE)])
    assert open_ended.agreements[COUNCIL, "a1"].state_at(datetime(2099, 1, 1, tzinfo=UTC)) == "given"


def test_whoever_hears_a_withdrawal_records_it_and_it_ends_the_agreement_it_names() -> None:
    then = given_that(GIVEN).when(event("agreement-withdrawn", **names_it(A1))).then_recorded()
    assert then.child.agreements[A1].state == "withdrawn"
    assert then.child.agreements[A1].state_at(datetime(2099, 1, 1, tzinfo=UTC)) == "withdrawn"


def test_a_withdrawal_that_names_no_agreement_ends_every_open_one_of_its_kind() -> None:
    confided = event("agreement-given", "c1", source=SCHOOL, kind="confide", by="child", scope=SCOPE)
    then = given_that(GIVEN, confided).when(event("agreement-withdrawn", by="mother")).then_recorded()
    assert {key: one.state for key, one in then.child.agreements.items()} == {A1: "withdrawn", (SCHOOL, "c1"): "given"}


@pytest.mark.parametrize(
    ("before", "details"),
    [
        ([], {"by": "mother"}),
        ([], names_it(A1)),
        ([REFUSED], {"by": "mother"}),
        ([REFUSED], names_it(R1)),
        ([GIVEN], names_it((SCHOOL, "another"))),
        ([GIVEN, event("agreement-withdrawn", "w1", **names_it(A1))], names_it(A1)),
    ],
    ids=["nothing", "named, never given", "refused", "named, refused", "another", "withdrawn before"],
)
def test_a_withdrawal_of_what_was_never_given_is_recorded_with_a_remark(
    before: list[Fact], details: dict[str, Any]
) -> None:
    then = given_that(*before).when(event("agreement-withdrawn", "w2", **details)).then_recorded("nothing-to-withdraw")
    assert {key: one.state for key, one in then.child.agreements.items()} == {
        key: one.state for key, one in fold(before).agreements.items()
    }


def test_a_remark_made_at_the_door_stays_beside_the_domains_own() -> None:
    late = event("agreement-withdrawn", by="mother")._replace(remarks=(Remark("late"),))
    given_that().when(late).then_recorded("late", "nothing-to-withdraw")


def test_an_agreement_recorded_as_expired_reads_as_expired() -> None:
    then = given_that(GIVEN).when(event("agreement-expired", **names_it(A1))).then_recorded()
    assert then.child.agreements[A1].state == "expired"


# --- workers, services ------------------------------------------------------------------------------------------------


def test_a_worker_is_allocated_in_a_role_until_deallocated() -> None:
    child = fold([event("worker-allocated", person="fenn", role="allocatedSocialWorker")])
    assert dict(child.workers) == {"fenn": "allocatedSocialWorker"}
    assert child.worker_events["fenn"] == (COUNCIL, "worker-allocated")
    assert dict(evolve(child, event("worker-deallocated", person="fenn")).workers) == {}


@pytest.mark.parametrize(
    ("begins", "ends"), [("involvement-started", "involvement-ended"), ("joined-roll", "left-roll")]
)
def test_a_service_works_with_the_child_from_one_event_to_another(begins: str, ends: str) -> None:
    child = fold([event(begins, service=S + "school")])
    assert list(child.involved) == [S + "school"]
    assert list(evolve(child, event(ends, service=S + "school")).involved) == []


def test_a_service_that_names_no_other_speaks_for_itself() -> None:
    assert list(fold([event("involvement-started")]).involved) == [S + "council"]


FEED, CLUB = "urn:safeguarding:source:school:live", "urn:safeguarding:source:club:live"
ONE_FOR_ANOTHER = [("involvement-started", "involvement-ended"), ("joined-roll", "left-roll")]


def said(name: str, by: str, of: str = "school", *, source: str = CLUB, **more: Any) -> Fact:
    """What one service says of the work of one."""
    fact = event(name, source=source, service=S + of, **more)
    return fact._replace(data={**fact.data, "said_by": {"service": S + by}})


@pytest.mark.parametrize(("begins", "ends"), ONE_FOR_ANOTHER)
def test_attack_one_agency_ends_the_involvement_of_another(begins: str, ends: str) -> None:
    begun = fold([said(begins, "school", source=FEED)])
    assert rests_on_child(said(ends, "club"))
    then = Given(begun).when(said(ends, "club")).then_recorded("nothing-to-end")
    assert (then.child.involved, then.child.formerly) == (begun.involved, frozenset())


@pytest.mark.parametrize(("begins", "ends"), ONE_FOR_ANOTHER)
def test_attack_one_agency_involves_another_that_nobody_asked(begins: str, ends: str) -> None:
    then = given_that().when(said(begins, "club")).then_recorded("not-own-service")
    assert not then.child.involved
    own = said(begins, "school", source=FEED)
    assert fold([own, said(begins, "club")]).involved[S + "school"] == own.key  # nor takes it over, to end it


def test_attack_a_person_of_one_agency_ends_through_its_feed_what_the_people_began() -> None:
    begun = fold([said("involvement-started", "council", source=COUNCIL)])
    assert Given(begun).when(said("involvement-ended", "club")).then_recorded("nothing-to-end").child.involved


@pytest.mark.parametrize(
    ("by", "source"), [("school", FEED), ("school", CLUB), ("council", COUNCIL), ("trust", FEED)],
    ids=["itself", "itself by another feed", "the people's door", "the source that began it"],
)  # fmt: skip
def test_an_involvement_is_ended_by_the_service_the_people_and_who_began_it(by: str, source: str) -> None:
    begun = fold([said("involvement-started", "school", source=FEED)])
    then = Given(begun).when(said("involvement-ended", by, source=source)).then_recorded()
    assert (then.child.involved, then.child.formerly) == ({}, {S + "school"})


# --- references -------------------------------------------------------------------------------------------------------


def test_a_source_retracts_and_corrects_its_own_events() -> None:
    child = fold(
        [
            event("retraction-made", references=[(COUNCIL, "e1", "retracts")]),
            event("correction-made", references=[(COUNCIL, "e2", "corrects")]),
            event("injury-observed", "e4", references=[(COUNCIL, "e3", "replaces")]),
        ]
    )
    assert child.retracted == {(COUNCIL, "e1")}
    assert dict(child.corrected) == {(COUNCIL, "e2"): (COUNCIL, "correction-made"), (COUNCIL, "e3"): (COUNCIL, "e4")}


@pytest.mark.parametrize("as_", ["retracts", "corrects", "replaces"])
def test_nobody_changes_how_another_sources_event_reads(as_: str) -> None:
    fact = event("retraction-made", source=SCHOOL, references=[(COUNCIL, "e1", as_)])
    child = fold([fact])
    assert (child.retracted, dict(child.corrected), taken_back(fact)) == (frozenset(), {}, [])


@pytest.mark.parametrize("as_", ["answers", "follows", "about", "under"])
def test_other_references_change_nothing(as_: str) -> None:
    fact = event("referral-decided", references=[(COUNCIL, "e1", as_)])
    assert fold([fact]) == Child(version=1)
    assert not is_standing(fact)


# --- laws -------------------------------------------------------------------------------------------------------------

ANY_NAME = st.sampled_from([*sorted(CHANGES), "emergency-attendance", "retraction-made", "correction-made"])
DETAILS: dict[str, Callable[[], dict[str, Any]]] = {
    "strategy-discussion-called": lambda: {"participants": [FENN]},
    "agreement-given": lambda: {"kind": "engage", "by": "mother", "scope": SCOPE},
    "worker-allocated": lambda: {"person": "fenn", "role": "allocatedSocialWorker"},
}


def any_event(name: str, id: str, own: bool) -> Fact:
    retracts = [(COUNCIL if own else SCHOOL, "e1", "retracts")] if name == "retraction-made" else None
    return event(name, id, references=retracts, **DETAILS.get(name, dict)())


STORY = st.lists(
    st.builds(any_event, ANY_NAME, st.sampled_from([f"e{n}" for n in range(1, 13)]), st.booleans()),
    max_size=12,
    unique_by=lambda fact: fact.key,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(STORY)
def test_a_reported_fact_is_never_refused_and_only_ever_remarked(story: list[Fact]) -> None:
    child = Child()
    for reported in story:
        (recorded,) = receive(child, reported)
        assert recorded._replace(remarks=()) == reported
        assert recorded == reported or reported.name in REMARKED
        child = evolve(child, recorded)
    assert child.version == len(story)


@settings(max_examples=100, deadline=None)
@given(STORY)
def test_what_changes_no_decision_may_be_left_out(story: list[Fact]) -> None:
    without = [fact for fact in story if is_standing(fact)]
    assert replace(fold(story), version=0) == replace(fold(without), version=0)


@settings(max_examples=100, deadline=None)
@given(STORY)
def test_the_threshold_in_force_is_the_strongest_that_stands(story: list[Fact]) -> None:
    child = fold(story)
    assert (child.threshold == "none") == (not child.open_thresholds)
    assert child.threshold == "none" or child.open_thresholds[child.threshold] == child.threshold_event
