"""Whom an event must be told to, beside those who come to read it: pure, one small rule a kind.

Names services, never sources or people; where nothing may be delivered it says why, and the sender is told so. It reads
only what the child's own facts say: who has it on roll, whether its location is protected, what was taken back; of each
record its last version. Who has it on roll only schools themselves say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.domain.child import PROTECTING, fold
from hub.domain.facts import EventKey, Fact, came_to_count, details_of
from hub.domain.protection import Guard, guard_against_all, spans_of
from hub.domain.versions import deciding, gone, links, newer_versions

ENCOMPASS = "domestic-abuse-notice"
UNDELIVERED = "undelivered"
A_SCHOOL, COUNCIL = "a school", "council"


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told to which services; without any, `reason` is why it goes back to its sender."""

    kind: str
    services: tuple[str, ...] = ()
    quietly: tuple[str, ...] = ()
    """Services that are told too, but where they cannot be the sender hears nothing: it would say where the child is.
    """
    reason: str = ""
    by_when: str = ""


@dataclass(frozen=True, slots=True)
class Background:
    """What telling rests on of one child, up to now: made once for whatever is told of the child at a time."""

    facts: Sequence[Fact]
    """What bears on it and still stands, each record once, in its last version, where its first was admitted."""
    gone: frozenset[EventKey]
    newer: Mapping[EventKey, EventKey]
    """Replaced event → its last version."""
    linked: Mapping[EventKey, Collection[EventKey]]
    protected: bool
    """Is the child's location protected, as far as what was recorded last?"""


def background(facts: Iterable[Fact], kind_of: Callable[[Fact], str]) -> Background:
    """Of all facts of one child, in the order in which they were admitted.

    `kind_of` gives the kind of service as which the source of a fact is registered, "" where it speaks for another.
    """
    facts = list(facts)
    without = gone(facts)
    newer = newer_versions(facts, without)
    bearing = [one for one in deciding(facts, without, newer) if one.name in BEARING]
    counting = [one for one in bearing if one.name not in SAID_BY or kind_of(one) in SAID_BY[one.name]]
    protected = _is_protected([one for one in facts if one.key not in without])
    return Background(counting, without, newer, links(facts), protected)


def asks_nobody(fact: Fact) -> bool:
    """Most events that may ask do not: then nobody need read the child's other facts."""
    return fact.name in ASKING and not fact.data.get("asked")


def tell(fact: Fact, of: Background) -> Telling | None:
    """What this event has to be told of; None: nothing. Of one that replaces another it is the same again."""
    if fact.key in of.gone or fact.data.get("change") == "retracts":
        return None
    return RULES[fact.name](fact, of)


def _encompass(fact: Fact, of: Background) -> Telling | None:
    """To the setting that the police record names (Victims and Prisoners Act 2024; Operation Encompass)."""
    if of.protected:  # before anything that depends on where the child is
        return Telling(UNDELIVERED, reason="protected")
    details = details_of(fact)
    return Telling(ENCOMPASS, addressees(fact), by_when=details.get("notify_before", ""))


def _incident(fact: Fact, of: Background) -> Telling | None:
    """Where the police record names no setting: to the one school that has the child on roll today."""
    if any(one.name == ENCOMPASS and _same_incident(one, fact) for one in of.facts):
        return None
    if of.protected:
        return Telling(UNDELIVERED, reason="protected")
    if _is_open(of.facts, *HOME_EDUCATION):
        return Telling(UNDELIVERED, reason="home-educated")
    schools = find_schools(of.facts)
    return Telling(ENCOMPASS, schools) if len(schools) == 1 else Telling(UNDELIVERED, reason="ambiguous")


def _condition(kind: str) -> Callable[[Fact, Background], Telling | None]:
    def condition(fact: Fact, of: Background) -> Telling | None:
        """To whoever has the child on roll, and whom the sender names: they must know who may not come near."""
        return _if_any(kind, fact, of, addressees(fact), find_schools(of.facts))

    return condition


def _withdrawn(fact: Fact, of: Background) -> Telling | None:
    """To the services that the agreement named."""
    meant = fact.data.get("details", {}).get("agreement")
    scope: list[str] = []
    for one in of.facts:
        if one.name == AGREED and (meant is None or one.key == _last((meant["source"], meant["id"]), of)):
            scope = one.data.get("details", {}).get("scope", {}).get("services", [])
    return _if_any("agreement-withdrawn", fact, of, (), tuple(scope))


def _asked(fact: Fact, of: Background) -> Telling | None:
    """A question that is addressed to a service asks what it knows about this child."""
    return _if_any("history-asked", fact, of, addressees(fact)) if fact.data.get("asked") else None


def _if_any(
    kind: str, fact: Fact, of: Background, named: tuple[str, ...], known: tuple[str, ...] = ()
) -> Telling | None:
    """Nobody is told what their own service said. Whom the sender `named` it may learn of; not, while the child's
    location is protected, whom the hub knows to be near the child."""
    own = fact.data["said_by"]["service"]
    others = tuple(dict.fromkeys(one for one in (named if of.protected else known + named) if one != own))
    quietly = tuple(one for one in known if of.protected and one not in (own, *others))
    return Telling(kind, others, quietly, by_when=fact.data.get("by_when", "")) if others or quietly else None


def _last(key: EventKey, of: Background) -> EventKey:
    return of.newer.get(key, key)


def addressees(fact: Fact) -> tuple[str, ...]:
    """The services that an event is addressed to."""
    return tuple(one["service"] for one in fact.data.get("addressed_to", ()) if "service" in one)


def _is_protected(facts: Sequence[Fact]) -> bool:
    guard = _guard(facts)
    return guard is not None and guard.everything


def open_to_all(facts: Sequence[Fact]) -> list[Fact]:
    """What does not tell of a time in which the child's location was protected."""
    guard = _guard(facts)
    return [one for one in facts if guard is None or not guard.covers(spans_of(one))]


def _guard(facts: Sequence[Fact]) -> Guard | None:
    if not any(fact.name in PROTECTING for fact in facts):
        return None
    protections = fold(facts).protections
    return guard_against_all(protections, max(map(came_to_count, facts))) if protections else None


def find_schools(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The schools that have the child on roll, by what they themselves said last. Of what counts in a background."""
    on_roll: dict[str, bool] = {}
    for one in facts:
        if one.name in ROLL:
            on_roll[one.data["said_by"]["service"]] = ROLL[one.name]
    return tuple(service for service, there in on_roll.items() if there)


def _is_open(facts: Iterable[Fact], begins: str, ends: str) -> bool:
    open_now = False
    for one in facts:
        open_now = one.name == begins or (open_now and one.name != ends)
    return open_now


def _same_incident(one: Fact, other: Fact) -> bool:
    group = other.data.get("incident")
    return one.source == other.source and group is not None and one.data.get("incident") == group


ON_ROLL = ("joined-roll", "absence-pattern", "absent-ten-days", "part-time-timetable", "suspended")
OFF_ROLL = ("left-roll", "excluded", "missing-education")
ROLL = {**dict.fromkeys(ON_ROLL, True), **dict.fromkeys(OFF_ROLL, False)}
"""What a school says of a child it has, or has no more."""
HOME_EDUCATION = ("home-education-began", "home-education-ended")
SAID_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(ROLL, (A_SCHOOL,)), **dict.fromkeys(HOME_EDUCATION, (A_SCHOOL, COUNCIL)),
}  # fmt: skip
"""Kind → the kinds of service whose word it is: anybody else's silences no school."""
AGREED = "agreement-given"
BEARING = frozenset({ENCOMPASS, AGREED, *ROLL, *HOME_EDUCATION})
"""Kinds that a rule looks for among what is known of a child."""
ASKING = (
    "advice-sought", "assessment-started", "contact-received", "early-help-offered", "referral-made", "s47-started",
    "strategy-discussion-called",
)  # fmt: skip
RULES: Mapping[str, Callable[[Fact, Background], Telling | None]] = {
    ENCOMPASS: _encompass,
    "domestic-abuse-incident": _incident,
    "protective-condition-set": _condition("condition-started"),
    "protective-condition-ended": _condition("condition-ended"),
    "agreement-withdrawn": _withdrawn,
    **dict.fromkeys(ASKING, _asked),
}
"""Event → its rule. Of other kinds nobody is told; they wait to be read."""
