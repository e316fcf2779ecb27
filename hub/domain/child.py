"""A child as the record knows it: the fold over what was recorded, kept thin.

`receive` says what to record when an agency reports something; it may remark, it never refuses. `evolve` applies one
recorded fact. Both are pure. The chronology itself is a projection; here stands only what decisions need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from hub.domain import involvement, protection, thresholds, versions
from hub.domain.drafts import drafts, frozen, set_in, without
from hub.domain.facts import EventKey, Fact, Remark, details_of
from hub.domain.protection import Protection
from hub.domain.thresholds import Participant
from hub.rules.calendars import span


@dataclass(frozen=True, slots=True)
class Agreement:
    """A family's agreement (or refusal) and what it covers."""

    state: str
    kind: str
    by: str
    scope: frozenset[str]
    until: str = ""

    def state_at(self, now: datetime) -> str:
        """given, refused, withdrawn or, once `until` has passed, expired."""
        if self.state == "given" and self.until and self.until < now.date().isoformat():
            return "expired"
        return self.state


def _frozen() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """What decisions about this child's record rest on."""

    version: int = 0
    threshold: str = "none"
    """The strongest of the thresholds that stand open."""
    threshold_event: EventKey | None = None
    open_thresholds: Mapping[str, EventKey] = field(default_factory=_frozen)
    """Each threshold that stands, with the event that opened it: an enquiry may end while a plan goes on."""
    workers: Mapping[str, str] = field(default_factory=_frozen)
    worker_events: Mapping[str, EventKey] = field(default_factory=_frozen)
    worker_ends: Mapping[str, str] = field(default_factory=_frozen)
    """Worker → last day or moment of the allocation, where one was named."""
    participants: tuple[Participant, ...] = ()
    participants_event: EventKey | None = None
    involved: Mapping[str, EventKey] = field(default_factory=_frozen)
    formerly: frozenset[str] = frozenset()
    """Services that worked with the child and no longer do: what they contributed stays their own."""
    agreements: Mapping[EventKey, Agreement] = field(default_factory=_frozen)
    conflicts: frozenset[str] = frozenset()
    retracted: frozenset[EventKey] = frozenset()
    corrected: Mapping[EventKey, EventKey] = field(default_factory=_frozen)
    newer: Mapping[EventKey, EventKey] = field(default_factory=_frozen)
    """Replaced event → its last version: what named the one means the other."""
    addressed: Mapping[EventKey, tuple[tuple[str, str, str], ...]] = field(default_factory=_frozen)
    """Replaced event → whom its last version is addressed to: nobody else reads the earlier ones as their addressee."""
    protections: tuple[Protection, ...] = ()
    """Times in which the child's whereabouts are, or were, protected."""


NOTHING_YET = Child()
"""Nothing was recorded, or nobody needs to know what was."""
ENDING_AGREEMENTS = frozenset({"agreement-withdrawn", "agreement-expired"})
REMARKED = ENDING_AGREEMENTS | involvement.BEGINNING | involvement.ENDING | {protection.ENDED}
"""Kinds on which `receive` may have something to say: every other is recorded as it came."""


def rests_on_child(reported: Fact) -> bool:
    """Does what `receive` makes of this fact rest on the child so far? Where not, nobody needs to fold the child."""
    for_another = reported.name in involvement.ENDING and involvement.is_for_another(reported)
    return for_another or reported.name in ENDING_AGREEMENTS or reported.name == protection.ENDED


def standing_at(child: Child, now: datetime) -> Child:
    """The child without allocations whose named end has passed."""
    ended = {person for person, until in child.worker_ends.items() if until and _is_past(until, now)}
    if not ended:
        return child
    workers = {person: role for person, role in child.workers.items() if person not in ended}
    return replace(child, workers=MappingProxyType(workers))


def _is_past(until: str, now: datetime) -> bool:
    """A day counts to its end."""
    return until < now.date().isoformat() if len(until) == 10 else span(until)[1] < now


def receive(child: Child, reported: Fact) -> list[Fact]:
    """What an agency reports has happened. We may remark on it; we do not refuse it."""
    code = _in_vain(child, reported)
    return [reported._replace(remarks=(*reported.remarks, Remark(code)))] if code else [reported]


def _in_vain(child: Child, reported: Fact) -> str:
    """The remark on what would begin or end something and does not; "" where there is none."""
    if reported.name in ENDING_AGREEMENTS and not _agreement_meant(child, reported):
        return "nothing-to-withdraw"
    if reported.name == protection.ENDED and not protection.lifted_by(child.protections, reported):
        return "nothing-to-lift"
    if reported.name in involvement.ENDING and not involvement.may_end(child.involved, reported):
        return "nothing-to-end"
    if reported.name in involvement.BEGINNING and involvement.is_for_another(reported):
        return "not-own-service"
    return ""


def evolve(child: Child, fact: Fact) -> Child:
    """The child after this fact."""
    return replace(_changed(child, fact), version=fact.seq or child.version + 1)


def _changed(child: Child, fact: Fact) -> Child:
    if change := CHANGES.get(fact.name):
        child = change(child, fact)
    return _referred(child, fact) if fact.data.get("references") else child


def is_standing(fact: Fact) -> bool:
    """Does this fact change what decisions rest on? The others stand in the chronology only."""
    return fact.name in CHANGES or any(one["as"] in REFERRING for one in fact.data.get("references", ()))


def fold(facts: Iterable[Fact], child: Child | None = None) -> Child:
    """The child that these facts, in order of the log, add up to. What its source took back decides nothing.

    Of several versions of one record the last decides, in whatever order they came.
    """
    facts = list(facts)
    gone = versions.gone(facts)
    newer = versions.newer_versions(facts, gone)
    child = child or NOTHING_YET
    child = replace(child, **drafts(child))
    version, corrected = child.version, dict(child.corrected)
    for fact in facts:
        version = fact.seq or version + 1
        corrected.update(_corrections(fact))
    child = replace(
        child, retracted=child.retracted | gone, newer=MappingProxyType({**child.newer, **newer}),
        corrected=MappingProxyType(corrected),
    )  # fmt: skip
    for fact in versions.deciding(facts, gone, newer, PROTECTING):
        change = CHANGES.get(fact.name)
        child = change(child, fact) if change else child
    addressed = {**child.addressed, **versions.addressed_now(facts, newer)}
    child = replace(child, addressed=MappingProxyType(addressed)) if addressed else child
    return under_every_version(replace(child, version=version, **frozen(child)))


def under_every_version(child: Child) -> Child:
    """With each agreement under the keys of its earlier versions too."""
    known = {old: child.agreements[new] for old, new in child.newer.items() if new in child.agreements}
    return replace(child, agreements=MappingProxyType({**child.agreements, **known})) if known else child


def is_gone(child: Child, fact: Fact) -> bool:
    """Retracted entries are gone for every reader, and so is the word that a wrong child's entry was retracted."""
    return fact.key in child.retracted or (
        fact.name == "retraction-made" and fact.data.get("details", {}).get("reason") == "wrong-child"
    )


def _allocated(child: Child, fact: Fact) -> Child:
    details = details_of(fact)
    person, role = details.get("person", ""), details.get("role", "allocatedSocialWorker")
    return replace(
        child, workers=set_in(child.workers, person, role), worker_events=set_in(child.worker_events, person, fact.key),
        worker_ends=set_in(child.worker_ends, person, details.get("until", "")),
    )  # fmt: skip


def _deallocated(child: Child, fact: Fact) -> Child:
    person = details_of(fact).get("person", "")
    return replace(child, workers=without(child.workers, person))


def _involved(child: Child, fact: Fact) -> Child:
    if involvement.is_for_another(fact):
        return child
    return replace(child, involved=set_in(child.involved, involvement.service_of(fact), fact.key))


def _no_longer_involved(child: Child, fact: Fact) -> Child:
    if not involvement.may_end(child.involved, fact):
        return child
    service = involvement.service_of(fact)
    return replace(child, involved=without(child.involved, service), formerly=child.formerly | {service})


def _agreed(state: str) -> Callable[[Child, Fact], Child]:
    def agree(child: Child, fact: Fact) -> Child:
        details = details_of(fact)
        agreement = Agreement(
            state, details.get("kind", "engage"), details.get("by", ""),
            frozenset(details.get("scope", {}).get("services", ())), details.get("until", ""),
        )  # fmt: skip
        return replace(child, agreements=set_in(child.agreements, fact.key, agreement))

    return agree


def _agreement_ended(state: str) -> Callable[[Child, Fact], Child]:
    def end(child: Child, fact: Fact) -> Child:
        agreements = child.agreements
        for key in _agreement_meant(child, fact):
            agreements = set_in(agreements, key, replace(agreements[key], state=state))
        return replace(child, agreements=agreements)

    return end


def _agreement_meant(child: Child, fact: Fact) -> list[EventKey]:
    """The agreement that a withdrawal names; where it names none, every open one of the same kind."""
    details = details_of(fact)
    named = details.get("agreement")
    if named:
        key = (named["source"], named["id"])
        key = child.newer.get(key, key)
        meant = child.agreements.get(key)
        return [key] if meant is not None and meant.state == "given" else []
    kind = details.get("kind", "engage")
    return [
        key for key, one in child.agreements.items()
        if one.kind == kind and one.state == "given" and key not in child.newer
    ]  # fmt: skip


def _referred(child: Child, fact: Fact) -> Child:
    """A source corrects, replaces or retracts only its own events; anybody else's word stands beside the entry."""
    retracted = child.retracted.union(versions.taken_back(fact))
    return replace(child, retracted=retracted, corrected=MappingProxyType({**child.corrected, **_corrections(fact)}))


def _corrections(fact: Fact) -> dict[EventKey, EventKey]:
    return dict.fromkeys(versions.own_targets(fact, CORRECTING), fact.key)


def _conflict(child: Child, fact: Fact) -> Child:
    return replace(child, conflicts=child.conflicts | {details_of(fact).get("person", "")})


def _location_protected(child: Child, fact: Fact) -> Child:
    return replace(child, protections=protection.protected(child.protections, fact))


def _protection_ended(child: Child, fact: Fact) -> Child:
    return replace(child, protections=protection.ended(child.protections, fact))


def _adopted(child: Child, fact: Fact) -> Child:
    """An adoption is sealed as a protected location is."""
    return _location_protected(child, fact) if protection.is_adoption(fact.name, details_of(fact)) else child


CHANGES: Mapping[str, Callable[[Child, Fact], Child]] = {
    "cin-plan-started": thresholds.opens("s17"),
    "cin-plan-ended": thresholds.closes("s17"),
    "s47-started": thresholds.opens("s47"),
    "s47-concluded": thresholds.s47_concluded,
    "plan-started": thresholds.opens("cpPlan", ends=frozenset({"s47"})),
    "plan-ended": thresholds.closes("cpPlan"),
    "threshold-stepped-down": thresholds.stepped_down,
    "strategy-discussion-called": thresholds.discussion_called,
    "worker-allocated": _allocated,
    "worker-deallocated": _deallocated,
    "involvement-started": _involved,
    "involvement-ended": _no_longer_involved,
    "joined-roll": _involved,
    "left-roll": _no_longer_involved,
    "agreement-given": _agreed("given"),
    "agreement-refused": _agreed("refused"),
    "agreement-withdrawn": _agreement_ended("withdrawn"),
    "agreement-expired": _agreement_ended("expired"),
    "conflict-declared": _conflict,
    protection.PROTECTED: _location_protected,
    protection.ENDED: _protection_ended,
    "name-changed": _adopted,
    "looked-after-ended": _adopted,
    "court-order-made": _adopted,
}
"""What each kind of fact changes. A kind that is not listed stands in the chronology and changes no decision."""

PROTECTING = protection.SEALED | {protection.PROTECTED, protection.ENDED}
"""A protection that replaces another keeps its beginning."""

CORRECTING = frozenset({"corrects", "replaces"})
REFERRING = CORRECTING | {"retracts"}
"""References by which a later event changes how an earlier one of the same source reads."""

DECIDING = frozenset(CHANGES) & {
    "cin-plan-started", "cin-plan-ended", "s47-started", "s47-concluded", "plan-started", "plan-ended",
    "threshold-stepped-down", "strategy-discussion-called", "worker-allocated", "worker-deallocated",
}  # fmt: skip
"""Decisions of children's social care that open or close the record to others: never a word for oneself."""
