"""Which events start a clock, and what lifts it: the table of open items, one row a rule. Pure.

A row says what somebody waits for. Its number, and whether it has one at all, is the rule's (`hub.rules`); what counts
as closing is here. Where the reader cannot tell whether an event closes, it does not: an item too many is looked at,
one too few is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from hub.domain.facts import EventKey

ASKED = "*asked"
"""Any event that asks an addressee for something."""


class Entry(NamedTuple):
    """What clocks read of one entry, as far as whoever asks may know it."""

    key: EventKey
    event: str
    happened: str
    """When it happened: a moment, a day or a month, as it is known."""
    first: datetime
    """The first moment at which it can have happened."""
    last: datetime
    """The last one."""
    received: str
    """When it was shared: a moment, or a day."""
    service: str
    """Who says so; "" where that is not known."""
    details: Mapping[str, Any]
    by_when: str
    """By when an answer is asked for; "" where no day is named."""
    asked: bool
    addressed: frozenset[str]
    """Services."""
    named: frozenset[EventKey]
    """What it answers, follows or is about."""
    answers: frozenset[EventKey]
    """What it answers or follows."""
    starts: bool
    """Does it start clocks? What a history source tells does not."""


Opens = Callable[[Entry], bool]
Closes = Callable[[Entry, Entry], bool]
"""(later entry, the one that opened)."""


def _always(entry: Entry) -> bool:
    return True


def _ever(closing: Entry, opened: Entry) -> bool:
    return True


def _detail(name: str, *values: Any) -> Opens:
    return lambda entry: entry.details.get(name) in values


def _of_detail(name: str, *values: Any) -> Closes:
    return lambda closing, opened: closing.details.get(name) in values


def _not_of_detail(name: str, *values: Any) -> Closes:
    return lambda closing, opened: closing.details.get(name) not in values


def _of(*events: str) -> Closes:
    """Only what one of these opened."""
    return lambda closing, opened: opened.event in events


def _stated(*names: str) -> Callable[[Entry], str]:
    """The day that the entry itself names."""
    return lambda entry: next((str(entry.details[name]) for name in names if name in entry.details), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """One thing that somebody waits for."""

    rule: str
    what: str
    opens: Mapping[str, Opens]
    closes: Mapping[str, Closes] = field(default_factory=dict)
    stated: Callable[[Entry], str] = lambda entry: ""
    """The due day that the entry names; it goes before the rule's."""
    needs_day: bool = False
    """It runs only where the entry names a day."""
    received: bool = False
    """It starts when the entry was shared, not when it happened."""
    since: str = ""
    """It starts with the last event of this kind before the one that opens, where there is one."""
    single: bool = False
    """It runs once at a time: what opens it again while it runs changes nothing."""
    renewed: str = ""
    """This event begins it anew; then it shows only when it is late."""
    lapses: Callable[[Entry], str] = lambda entry: ""
    """The day or moment after which nobody waits any more."""
    answered: bool = False
    """An answer that names what opened it ends it: each addressee's for themselves, the asker's for all."""


ENDS = {"threshold-stepped-down": _ever, "case-closed": _ever}
"""What ends the work with a family."""
PLAN_ENDS = {"plan-ended": _ever, **ENDS}
FILES = ("safeguarding-file", "not-stated", None)

CLOCKS: tuple[Clock, ...] = (
    Clock(
        rule="referral-decision", what="A referral waits for a decision", received=True,
        opens={"referral-made": _always}, closes={"referral-decided": _ever, "case-closed": _ever},
    ),
    Clock(
        rule="referrer-informed", what="Whoever referred was not told of the decision",
        opens={"referral-decided": _always}, closes={"referrer-informed": _ever, "referrer-not-informed": _ever},
    ),
    Clock(
        rule="child-seen", what="The child was not seen by a qualified social worker since the enquiry began",
        opens={"s47-started": _always}, single=True,
        closes={"child-seen": _not_of_detail("by_qualified_social_worker", False), **ENDS},
    ),
    Clock(
        rule="initial-conference", what="An enquiry waits for its conference", opens={"s47-started": _always},
        since="strategy-discussion-held", single=True,
        closes={
            "conference-held": _ever, "plan-started": _ever,
            "s47-concluded": _not_of_detail("next_step", "conference", "not-stated", None),
            **ENDS,
        },
    ),
    Clock(
        rule="first-review-conference", what="The first review of a child protection plan is to come", single=True,
        opens={
            "conference-held": lambda entry: entry.details.get("decision") == "plan"
            and entry.details.get("kind") != "review",
            "plan-started": _always,
        },
        closes={"review-conference-held": _ever, "conference-held": _of_detail("kind", "review"), **PLAN_ENDS},
    ),
    Clock(
        rule="later-review-conference", what="The next review of a child protection plan is to come",
        opens={
            "review-conference-held": lambda entry: entry.details.get("decision") not in ("plan-ends", "no-plan"),
            "conference-held": _detail("kind", "review"),
        },
        closes={"review-conference-held": _ever, "conference-held": _of_detail("kind", "review"), **PLAN_ENDS},
    ),
    Clock(
        rule="review-point", what="A review point that a practitioner set", stated=_stated("review", "review_on"),
        needs_day=True, answered=True,
        opens=dict.fromkeys(
            ("assessment-started", "cin-plan-started", "part-time-timetable", "capacity-assessed",
             "decided-not-to-share"), _always,
        ),
        closes={
            "assessment-started": _of("assessment-started"), "assessment-completed": _of("assessment-started"),
            "cin-plan-started": _of("cin-plan-started"), "cin-plan-ended": _of("cin-plan-started"),
            "part-time-timetable": _of("part-time-timetable"), "left-roll": _of("part-time-timetable"),
            "case-closed": _of("assessment-started", "cin-plan-started"),
        },
    ),
    Clock(
        rule="file-receipt", what="A child's safeguarding file was sent, and nobody said that they have it",
        opens={"file-sent": _detail("kind", *FILES)}, closes={"file-received": _of_detail("kind", *FILES)},
    ),
    Clock(
        rule="request-reply", what="Somebody was asked and has not answered", received=True, answered=True,
        stated=lambda entry: entry.by_when, opens={ASKED: _always},
        closes={
            "referral-decided": _of("referral-made"),
            "nothing-held": lambda closing, opened: opened.addressed == {closing.service},
        },
    ),
    Clock(
        rule="challenge-answer", what="A professional challenge has no answer", stated=_stated("due"),
        opens={"challenge-raised": _always, "challenge-escalated": _always},
        closes={"challenge-answered": _ever, "challenge-resolved": _ever, "challenge-escalated": _ever},
    ),
    Clock(
        rule="condition-acknowledged", what="Nobody said that they know of a protective condition", answered=True,
        lapses=_stated("until"),
        opens={"protective-condition-set": _always}, closes={"protective-condition-ended": _ever},
    ),
    Clock(
        rule="view-of-child", what="The child's own view is not recorded", single=True,
        renewed="view-of-child-recorded",
        opens=dict.fromkeys(("s47-started", "plan-started", "cin-plan-started", "assessment-started"), _always),
        closes={
            "s47-concluded": _of("s47-started"), "plan-ended": _of("plan-started"),
            "cin-plan-ended": _of("cin-plan-started"), "assessment-completed": _of("assessment-started"), **ENDS,
        },
    ),
)  # fmt: skip

OPENING: frozenset[str] = frozenset(name for clock in CLOCKS for name in clock.opens) - {ASKED}
"""Kinds that may start a clock, beside whatever asks for something."""
READ: frozenset[str] = OPENING.union(
    *(clock.closes for clock in CLOCKS), *({clock.since, clock.renewed} - {""} for clock in CLOCKS)
)
"""Kinds that clocks read at all, beside what answers."""
RELATING: frozenset[str] = READ | {
    "worker-allocated", "involvement-started", "joined-roll", "left-roll", "strategy-discussion-called",
}  # fmt: skip
"""Kinds that say who has to do with a child."""


def names_in(service: str, data: Mapping[str, Any]) -> Iterator[str]:
    """Services and people whom an entry of such a kind concerns: `service` says it, the others stand in `data`."""
    details = data.get("details", {})
    named = (details.get(name) for name in ("service", "to_service", "person"))
    parts = [*data.get("addressed_to", ()), *details.get("participants", ())]
    for one in (service, *named, *(part.get(name) for part in parts for name in ("service", "person"))):
        if isinstance(one, str) and one:
            yield one
