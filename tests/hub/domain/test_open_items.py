"""Open items: what starts a clock, what lifts it, and by which edition it is judged."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.domain.clocks import CLOCKS, READ
from hub.domain.facts import Fact
from hub.domain.open_items import OpenItem, current, open_items, reads, told
from hub.rules.editions import Edition, find_edition, names

AREA = "E99000001"
COUNCIL, SCHOOL, NURSE = (f"urn:safeguarding:service:{name}" for name in ("council", "school", "nursing"))
NUMBER = itertools.count(1)


def fact(name: str, at: str, *, service: str = COUNCIL, id: str = "", shared: str = "", **members: Any) -> Fact:
    when = {"from": at, "precision": "instant" if len(at) > 10 else "day", "zone": "none"}
    data = {"happened": when, "said_by": {"service": service}, "details": {}, **members}
    return Fact(
        name=name, version=1, data=data, source="urn:safeguarding:source:one", id=id or f"e{next(NUMBER)}",
        shared=shared or at,
    )  # fmt: skip


def naming(id: str, as_: str = "answers") -> list[dict[str, str]]:
    return [{"source": "urn:safeguarding:source:one", "id": id, "as": as_}]


def items(*facts: Fact, now: str = "2026-06-30", starts: bool = True, find: Any = find_edition) -> list[OpenItem]:
    whole = [
        told(one, {**one.data, "shared": one.shared}, one.data["said_by"]["service"], starts=starts)
        for one in current(facts)
        if reads(one, one.data)
    ]
    return open_items(whole, datetime.fromisoformat(now).replace(tzinfo=UTC), AREA, find)


def rules(*facts: Fact, **how: Any) -> list[str]:
    return [one.rule for one in items(*facts, **how)]


TO_BOTH = [{"service": SCHOOL, "role": "schoolLead"}, {"service": NURSE, "role": "healthPractitioner"}]


# -- the table


def test_every_clock_has_its_rule_in_the_hubs_rules() -> None:
    assert {clock.rule for clock in CLOCKS} <= set(names())
    assert len({clock.rule for clock in CLOCKS}) == len(CLOCKS) == 12


# -- each clock, opened and lifted

MADE = fact("referral-made", "2025-12-08T15:50:00Z", id="made")
STARTED = fact("s47-started", "2026-02-13T13:00:00Z", id="s47")
PLAN = fact("conference-held", "2026-02-27", id="conference", details={"decision": "plan", "kind": "initial"})
REVIEW = fact("review-conference-held", "2026-05-22", details={"decision": "plan-continues"})
SENT = fact("file-sent", "2025-06-03T15:45:00Z", service=SCHOOL, id="sent", details={"kind": "safeguarding-file"})
CHALLENGE = fact("challenge-raised", "2025-12-12T12:00:00Z", service=NURSE, id="challenge")
ASKED = fact("contact-received", "2026-02-13", id="asked", asked="What is held?", addressed_to=TO_BOTH)
CONDITION = fact("protective-condition-set", "2026-02-14", id="condition", addressed_to=TO_BOTH)
WITHHELD = fact("decided-not-to-share", "2026-02-15", id="withheld", details={"review_on": "2026-02-22"})


@pytest.mark.parametrize(
    ("facts", "rule", "closing"),
    [
        ([MADE], "referral-decision", fact("referral-decided", "2025-12-09")),
        ([fact("referral-decided", "2025-12-09")], "referrer-informed", fact("referrer-informed", "2025-12-11")),
        ([fact("referral-decided", "2025-12-09")], "referrer-informed", fact("referrer-not-informed", "2025-12-11")),
        ([STARTED], "child-seen", fact("child-seen", "2026-02-13T14:30:00Z")),
        ([STARTED], "initial-conference", PLAN),
        ([STARTED], "initial-conference", fact("s47-concluded", "2026-02-20", details={"next_step": "none"})),
        ([PLAN], "first-review-conference", REVIEW),
        ([PLAN], "first-review-conference", fact("plan-ended", "2026-04-01")),
        ([REVIEW], "later-review-conference", fact("plan-ended", "2026-08-10")),
        ([fact("assessment-started", "2026-02-13", details={"review": "2026-03-06"})], "review-point",
         fact("assessment-completed", "2026-03-05")),
        ([WITHHELD], "review-point",
         fact("decided-not-to-share", "2026-02-22", references=naming("withheld", "follows"))),
        ([SENT], "file-receipt", fact("file-received", "2025-06-03", details={"kind": "safeguarding-file"})),
        ([CHALLENGE], "challenge-answer", fact("challenge-answered", "2025-12-15")),
        ([CHALLENGE], "challenge-answer", fact("challenge-resolved", "2025-12-15", details={"result": "overtaken"})),
        ([CONDITION], "condition-acknowledged", fact("protective-condition-ended", "2026-03-01")),
        ([STARTED], "view-of-child", fact("view-of-child-recorded", "2026-02-13T15:00:00Z")),
        ([fact("referral-made", "2026-02-12", asked="Decide today.", addressed_to=[{"service": COUNCIL}])],
         "request-reply", fact("referral-decided", "2026-02-12")),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "name", ""),
)  # fmt: skip
def test_what_is_waited_for_is_open_until_it_comes(facts: list[Fact], rule: str, closing: Fact) -> None:
    now = "2026-02-13T18:00:00" if rule == "view-of-child" else "2026-06-30"
    assert rule in rules(*facts, now=now)
    assert rule not in rules(*facts, closing, now=now)
    assert rule not in rules(closing, *facts, now=now)


@pytest.mark.parametrize(
    ("facts", "rule", "other"),
    [
        ([SENT], "file-receipt", fact("file-received", "2025-06-05", details={"kind": "main-file"})),
        ([STARTED], "child-seen", fact("child-not-seen", "2026-02-14")),
        ([STARTED], "child-seen", fact("child-seen", "2026-02-14", details={"by_qualified_social_worker": False})),
        ([STARTED], "initial-conference", fact("s47-concluded", "2026-02-20", details={"next_step": "conference"})),
        ([STARTED], "initial-conference", fact("s47-concluded", "2026-02-20")),
        ([STARTED], "view-of-child", fact("view-not-obtained", "2026-02-14", details={"reason": "not-seen"})),
        ([CHALLENGE], "challenge-answer", fact("case-closed", "2026-02-14")),
        ([MADE], "referral-decision", fact("referral-decided", "2025-12-01")),
        ([WITHHELD], "review-point", fact("decided-not-to-share", "2026-02-20", details={})),
        ([CONDITION], "condition-acknowledged",
         fact("contact-received", "2026-02-20", references=naming("condition", "about"))),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "name", ""),
)  # fmt: skip
def test_what_does_not_lift_it_leaves_it_open(facts: list[Fact], rule: str, other: Fact) -> None:
    assert rule in rules(*facts, other)


def test_an_answer_that_names_one_lifts_that_one_alone() -> None:
    second = fact("challenge-raised", "2025-12-12T13:00:00Z", id="second")
    answer = fact("challenge-answered", "2025-12-15", references=naming("second", "about"))
    assert [one.about[1] for one in items(CHALLENGE, second, answer)] == ["challenge"]


def test_an_escalated_challenge_is_one_item_and_no_silence_closes_it() -> None:
    escalated = fact("challenge-escalated", "2025-12-22", id="higher", details={"due": "2025-12-23"})
    (item,) = items(CHALLENGE, escalated)
    assert (item.about[1], item.due, item.late) == ("higher", "2025-12-23", True)


def test_everybody_who_was_asked_has_to_answer_or_the_one_who_asked_says_it_is_answered() -> None:
    one = fact("view-of-parent-recorded", "2026-02-14", service=SCHOOL, references=naming("asked"))
    other = fact("nothing-held", "2026-02-14", service=NURSE, references=naming("asked"))
    stranger = fact("nothing-held", "2026-02-14", service="urn:safeguarding:service:x", references=naming("asked"))
    asker = fact("contact-received", "2026-02-16", references=naming("asked"))
    assert rules(ASKED, one) == rules(ASKED, one, stranger) == ["request-reply"]
    assert rules(ASKED, one, other) == rules(ASKED, asker) == []


def test_who_holds_nothing_and_was_asked_alone_has_answered() -> None:
    alone = fact("contact-received", "2026-02-13", asked="What?", addressed_to=TO_BOTH[:1], by_when="2026-02-14")
    assert [one.late for one in items(alone)] == [True]
    assert rules(alone, fact("nothing-held", "2026-02-14", service=SCHOOL)) == []
    assert rules(alone, fact("nothing-held", "2026-02-14", service=NURSE)) == ["request-reply"]


def test_a_protective_condition_that_has_run_out_is_waited_for_by_nobody() -> None:
    bail = fact("protective-condition-set", "2026-02-14", details={"until": "2026-05-09"})
    assert rules(bail, now="2026-05-09T12:00:00") == ["condition-acknowledged"]
    assert rules(bail, now="2026-05-10T12:00:00") == []


def test_each_review_conference_starts_the_next_clock_and_one_plan_has_one() -> None:
    started = fact("plan-started", "2026-03-01")
    kinds = [(one.rule, one.due) for one in items(PLAN, started) if one.rule != "view-of-child"]
    assert kinds == [("first-review-conference", "2026-05-27")]
    again = fact("review-conference-held", "2026-11-20", details={"decision": "plan-continues"})
    assert [(one.since, one.due) for one in items(PLAN, REVIEW, again)] == [("2026-11-20", "2027-05-20")]


def test_a_conference_is_due_by_the_strategy_discussion_that_started_the_enquiry() -> None:
    earlier = fact("strategy-discussion-held", "2025-10-01")
    held = fact("strategy-discussion-held", "2026-02-12T09:30:00Z")
    later = fact("strategy-discussion-held", "2026-02-20")
    (item,) = [one for one in items(earlier, held, STARTED, later) if one.rule == "initial-conference"]
    assert (item.since, item.due) == ("2026-02-12T09:30:00Z", "2026-03-05")


def test_a_view_of_the_child_grows_old_while_somebody_works_with_the_family() -> None:
    view = fact("view-of-child-recorded", "2026-02-13T15:00:00Z")
    assert "view-of-child" not in rules(STARTED, view, now="2026-03-27")
    (item,) = [one for one in items(STARTED, view, now="2026-03-28") if one.rule == "view-of-child"]
    assert (item.since, item.due, item.late) == ("2026-02-13T15:00:00Z", "2026-03-27", True)


# -- judged


def test_an_item_is_judged_by_the_edition_in_force_when_its_clock_started() -> None:
    old = fact("referral-made", "2018-07-03", shared="2018-07-03")
    assert [one.edition for one in items(old)] == ["WT15"]
    assert [one.edition for one in items(fact("referral-made", "2018-07-04"))] == ["WT18"]
    assert [one.edition for one in items(MADE)] == ["WT23"]
    assert items(MADE)[0].source == "Working Together 2023, chapter 3"


def test_a_referral_counts_from_when_it_was_received_and_one_working_day_is_in_time() -> None:
    friday = fact("referral-made", "2026-02-11", shared="2026-02-13T16:00:00Z")
    (item,) = items(friday, now="2026-02-16T23:59:00")
    assert (item.since, item.due, item.late) == ("2026-02-13T16:00:00Z", "2026-02-16", False)
    assert items(friday, now="2026-02-17T00:01:00")[0].late


def test_a_local_limit_goes_before_the_national_rule_that_has_none() -> None:
    decided = fact("referral-decided", "2026-02-13")
    assert [(one.edition, one.due) for one in items(decided)] == [("2024-01", "2026-02-16")]

    def elsewhere(rule: str, on: date, area: str) -> Edition | None:
        return find_edition(rule, on, "E99000002")

    (item,) = items(decided, find=elsewhere)
    assert (item.edition, item.due, item.late) == ("WT23", "", False)


def test_where_a_rule_is_suspended_there_is_no_item_and_nobody_is_late_by_advice() -> None:
    def advice(rule: str, on: date, area: str) -> Edition | None:
        found = find_edition(rule, on, area)
        return found and Edition(found.rule, found.edition, {**found.text, "kind": "advice"})

    assert rules(MADE, find=lambda *_: None) == []
    (item,) = items(MADE, find=advice)
    assert (item.due, item.late) == ("2025-12-09", False)


def test_items_stand_by_when_they_began_and_never_by_how_late_they_are() -> None:
    found = items(STARTED, CHALLENGE, WITHHELD, now="2026-02-23")
    assert [one.since for one in found] == sorted(one.since for one in found)
    assert [one.late for one in found][:2] == [True, True]
    assert [one.late for one in found] != sorted((one.late for one in found), reverse=True)


# -- what counts for nothing


@pytest.mark.parametrize(
    "at", ["0000-05", "0000-05-01", "0001-01-01", "9999-12", "9999-12-31", "9999-12-31T23:59:59-14:00"]
)
def test_a_date_at_or_beyond_the_ends_of_the_calendar_hides_no_other_open_item(at: str) -> None:
    odd = [
        fact(name, at, asked={"text": "?"}, by_when=at, details={"until": at, "review": at, "due": at}) for name in READ
    ]
    shared = [one._replace(shared="2025-12-08T16:00:00Z") for one in odd]
    asked = fact("concern-logged", "2026-01-08T16:00:00Z", asked={"text": "?"}, id="other")
    assert "other" in {one.about[1] for one in items(*shared, asked)}


def test_what_its_source_took_back_or_replaced_counts_for_nothing() -> None:
    back = fact("retraction-made", "2025-12-09", references=naming("made", "retracts"))
    assert rules(MADE, back) == []
    newer = fact("referral-made", "2025-12-08T15:50:00Z", id="newer", references=naming("made", "replaces"))
    assert [one.about[1] for one in items(MADE, newer)] == ["newer"]


def test_a_history_source_starts_no_clock() -> None:
    assert items(MADE, STARTED, SENT, ASKED, starts=False) == []


def test_an_entry_without_details_starts_what_its_kind_alone_says() -> None:
    """As in an outline: a conference whose decision is not known starts no review; a file of no known kind counts."""
    assert rules(fact("conference-held", "2026-02-27")) == []
    assert rules(fact("decided-not-to-share", "2026-02-15")) == []
    assert rules(fact("file-sent", "2025-06-03")) == ["file-receipt"]


@pytest.mark.parametrize("order", range(6))
def test_the_order_of_arrival_changes_nothing(order: int) -> None:
    several = [MADE, fact("referral-decided", "2025-12-09", id="decided"), CHALLENGE]
    shuffled = list(itertools.permutations(several))[order]
    assert items(*shuffled) == items(*several)
