"""The label of an entry: all that a rule may know about it, in closed words.

`label_inputs` reads from an event what its label rests on; `label_for` turns that into the label which one reader's
rules see, now. Both are pure. Nothing here decides: dates, ids and free text end here; rules see the label only.
The sender may raise a label and never lower it below the kind's floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hub.domain.child import Agreement, Child
from hub.domain.facts import EventKey
from hub.domain.protection import SEALED, is_adoption
from hub.domain.staff import Reader
from hub.domain.thresholds import Participant
from hub.domain.versions import addressees_of

RESOLVER: Final = "label/2"
"""Name and version of what is decided here; part of the policy digest, because a change here changes answers."""

LEVELS: Final[Mapping[str, int]] = {"N": 1, "R": 2, "V": 3}
"""Normal, restricted, very restricted."""

CARE: Final[Mapping[str, int]] = {
    "involvement": 0, "education": 0, "health": 0, "police": 0, "domesticAbuse": 0, "socialCare": 0, "voice": 0,
    "housing": 0, "legal": 1, "adult": 1, "mentalHealth": 1, "substance": 1, "sexualHealth": 2, "intelligence": 3,
}  # fmt: skip
"""How closely a category is held. A sender may move an entry only into one that is held more closely."""

AGREEMENT_EVENTS: Final = frozenset(
    {"agreement-sought", "agreement-given", "agreement-refused", "agreement-withdrawn", "agreement-expired"}
)
BANNERS: Final = frozenset({"location-protected", "decided-not-to-share"})
"""Decisions that whoever works with the child must know of, though few may read them."""
AGREEMENT_STATES: Final = frozenset({"given", "refused", "withdrawn", "expired"})


class LabelInputs(NamedTuple):
    """What an event's label rests on, whoever reads it. A tuple, because each of thousands of entries has one and those
    that rest on the same have the same label."""

    event: str
    category: str
    level: str
    """N, R or V; never below the kind's floor."""
    handling: frozenset[str]
    urgent: bool = False
    delivery: bool = False
    nothing_found: bool = False
    agreement: EventKey | None = None
    """The agreement under which it was shared; None where a power or duty carried it."""
    service: str = ""
    author_service: str = ""
    author_person: str = ""
    addressed: tuple[tuple[str, str, str], ...] = ()
    """(service, role, person), each "" where the sender left it open."""
    about: tuple[EventKey, ...] = ()
    """An agreement's own event: the agreements it may be about."""
    agreement_kind: str = ""
    scope: frozenset[str] = frozenset()
    """Services that an agreement's own event names itself."""


class Label(NamedTuple):
    """What the rules see of an entry, for one reader, now. A tuple, because thousands are hashed for each answer."""

    category: str
    level: int
    handling: frozenset[str] = frozenset()
    agreement: str = "notRelied"
    """State of the agreement under which it was shared: notRelied, given, refused, withdrawn, expired, unknown."""
    own: bool = False
    """The reader's own service contributed it, and the reader wrote it or works with this child."""
    addressed: bool = False
    urgent: bool = False
    delivery: bool = False
    nothing_found: bool = False
    in_scope: bool = False
    """The agreement concerned names the reader's service."""
    agreement_event: bool = False
    """It is an agreement's own event: sought, given, refused, withdrawn, expired."""
    located: bool = False
    """It would tell where the child is or was while that was protected, and the reader is not named to know."""
    banner: bool = False
    """A decision that stands over the whole chronology."""


def label_inputs(
    data: Mapping[str, Any],
    kind: Mapping[str, Any],
    key: EventKey | None = None,
    *,
    target: LabelInputs | None = None,
) -> LabelInputs:
    """What the label of this event rests on.

    `data` is the canonical event, `kind` what the label rules say of its kind (category, floor, handling, urgent,
    delivery, and where they say so floor_when_nothing_found and as_target), `key` the event's own (source, id), which
    an agreement's first event needs to be found by its scope. `target` is what the event referred to rests on: a kind
    marked `as_target` (a correction, a retraction) is held as closely as that; where the target is not known, it is
    held most closely.
    """
    inputs = _inputs(data, kind)
    if inputs.event in AGREEMENT_EVENTS:
        inputs = _of_agreement(inputs, data, key)
    return _as_target(inputs, target) if kind.get("as_target") else inputs


def _inputs(data: Mapping[str, Any], kind: Mapping[str, Any]) -> LabelInputs:
    said: Mapping[str, Any] = data["said_by"]
    author: Mapping[str, Any] = said.get("author") or {}
    nothing_found = said.get("statement") == "nothing-found"
    category, level = kind["category"], (nothing_found and kind.get("floor_when_nothing_found")) or kind["floor"]
    wish: Mapping[str, Any] = data.get("label") or {}
    if wish:
        category = _closer(category, wish.get("category"))
        level = max(level, wish.get("level", level), key=LEVELS.__getitem__)
    shared = (data.get("shared_under") or {}).get("agreement")
    return LabelInputs(
        data["event"],
        category,
        level,
        _handling(data, kind, wish),
        bool(kind.get("urgent")),
        bool(kind.get("delivery")),
        nothing_found,
        (shared["source"], shared["id"]) if shared else None,
        said.get("service", ""),
        author.get("service", ""),
        author.get("person", ""),
        addressees_of(data),
    )


def label_for(inputs: LabelInputs, reader: Reader, child: Child, now: datetime, *, located: bool = False) -> Label:
    """The label of an entry as this reader's rules see it now. `now` is today, also for an answer as of an earlier day:
    `as_of` moves the facts, never the entitlement. `located`: the child's protection covers it against this reader."""
    return Label(
        inputs.category,
        LEVELS[inputs.level],
        inputs.handling,
        _agreement_state(inputs, child, now),
        _is_own(inputs, reader, child),
        _is_addressed(inputs, reader),
        inputs.urgent,
        inputs.delivery,
        inputs.nothing_found,
        _is_in_scope(inputs, reader, child),
        inputs.event in AGREEMENT_EVENTS,
        located,
        inputs.event in BANNERS,
    )


def is_named(participant: Participant, reader: Reader) -> bool:
    """The strategy discussion names this reader: by person, or else by service and role."""
    if participant.person:
        return participant.person == reader.person
    return participant.service == reader.service and participant.role in ("", reader.role)


def _as_target(inputs: LabelInputs, target: LabelInputs | None) -> LabelInputs:
    if target is None:
        return inputs._replace(level="V")
    return inputs._replace(
        category=_closer(target.category, inputs.category),
        level=max(inputs.level, target.level, key=LEVELS.__getitem__),
        handling=inputs.handling | target.handling,
        agreement=inputs.agreement or target.agreement,
        nothing_found=inputs.nothing_found or target.nothing_found,
        delivery=inputs.delivery or target.delivery,
    )


def _closer(floor: str, wished: str | None) -> str:
    """The kind's category, unless the sender wishes one that is held more closely."""
    return wished if wished and CARE[wished] > CARE[floor] else floor


def _handling(data: Mapping[str, Any], kind: Mapping[str, Any], wish: Mapping[str, Any]) -> frozenset[str]:
    """The kind's markers and the sender's together; a place that the source hides is a confidential address, and what
    says that the child was adopted is sealed."""
    markers = frozenset(kind.get("handling") or ())
    if data["event"] in SEALED and is_adoption(data["event"], data.get("details") or {}):
        markers |= {"adoption"}
    if wish:
        markers |= frozenset(wish.get("handling") or ())
    for place in (data.get("place") or {}, *((data.get("child") or {}).get("address") or ())):
        if place.get("protected"):
            return markers | {"confidentialAddress"}
    return markers


def _of_agreement(inputs: LabelInputs, data: Mapping[str, Any], key: EventKey | None) -> LabelInputs:
    details: Mapping[str, Any] = data.get("details") or {}
    named = [details["agreement"]] if "agreement" in details else []
    about = [(one["source"], one["id"]) for one in (*named, *(data.get("references") or ()))]
    return inputs._replace(
        about=tuple(about + ([key] if key else [])),
        agreement_kind=details.get("kind", "engage"),
        scope=frozenset((details.get("scope") or {}).get("services") or ()),
    )


def _agreement_state(inputs: LabelInputs, child: Child, now: datetime) -> str:
    if inputs.agreement is None:
        return "notRelied"
    if inputs.agreement in child.retracted:
        return "withdrawn"  # an agreement that was never given carries no more than one that was taken back
    agreement = child.agreements.get(inputs.agreement)
    state = agreement.state_at(now) if agreement else "unknown"
    return state if state in AGREEMENT_STATES else "unknown"


def _is_own(inputs: LabelInputs, reader: Reader, child: Child) -> bool:
    """The same contributing service, and author, team or relationship with this child (access ruling 1)."""
    if not reader.service or reader.service not in (inputs.service, inputs.author_service):
        return False
    return bool(
        (inputs.author_person and inputs.author_person == reader.person)
        or reader.person in child.workers
        or reader.service in child.involved
        or reader.service in child.formerly
        or any(is_named(one, reader) for one in child.participants)
    )


def _is_addressed(inputs: LabelInputs, reader: Reader) -> bool:
    """A person is addressed by name; else a service for one of its roles (access ruling 2)."""
    return any(
        person == reader.person if person else service == reader.service and role in ("", reader.role)
        for service, role, person in inputs.addressed
    )


def _is_in_scope(inputs: LabelInputs, reader: Reader, child: Child) -> bool:
    """The agreement under which it was shared, or whose own event it is, names the reader's service."""
    if inputs.agreement is None and inputs.event not in AGREEMENT_EVENTS:
        return False
    return reader.service in inputs.scope or any(
        reader.service in agreement.scope for agreement in _agreements_meant(inputs, child)
    )


def _agreements_meant(inputs: LabelInputs, child: Child) -> list[Agreement]:
    """Those that are named; a withdrawal that names none means every one of its kind, as the fold takes it."""
    if inputs.event not in AGREEMENT_EVENTS:
        found = child.agreements.get(inputs.agreement) if inputs.agreement else None
        return [found] if found else []
    named = [child.agreements[key] for key in inputs.about if key in child.agreements]
    return named or [one for one in child.agreements.values() if one.kind == inputs.agreement_kind]
