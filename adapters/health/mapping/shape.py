"""The parts of a canonical event that every mapping of this agency writes alike: words, service, label, references.

Pure. Makes sentences from codes only; a free text of a native record is never quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.health.mapping.child import Data, Description, tidy_up, without_empty
from adapters.kit.outcomes import Event, Remark
from adapters.kit.when import When, is_after
from schemas.catalogue import find_kind

Settings = Mapping[str, Any]

GATEWAY = "CA2004-s11"  # Children Act 2004 section 11: health bodies' duty to safeguard; [sharing] gateway overrides
SUMMARY_LIMIT = 280
FUTURE = Remark("future-dated", "", "It is dated after the time at which it was recorded.")
TAKEN_BACK = {
    "wrong-child": "An entry was taken back: it belongs to another child.",
    "removed-at-source": "An entry was taken back: it was removed where it was recorded.",
}


@dataclass(frozen=True)
class Draft:
    """One event before the child and the times of its record are put to it. `happened` None: when it was recorded."""

    name: str
    happened: When | None
    details: Data
    summary: str = ""
    statement: str = "seen"
    said_by: Data = field(default_factory=dict)
    people: tuple[Data, ...] = ()
    place: Data = field(default_factory=dict)
    addressed_to: tuple[Data, ...] = ()
    learned: str | None = None
    label: Data = field(default_factory=dict)
    change: str = "new"
    about: tuple[str, str] | None = None
    as_: str = ""


@dataclass(frozen=True)
class Frame:
    """What all events of one record share. `person` is the local id; `protected` asks for the confidential marker."""

    child: Description
    person: str
    recorded: When
    settings: Settings
    protected: bool = False


def to_event(draft: Draft, frame: Frame) -> Event:
    """The canonical event, but for what the kit adds."""
    handling = {"handling": ["confidentialAddress"]} if frame.protected else {}
    data = {
        "change": draft.change,
        "happened": (draft.happened or frame.recorded).happened,
        "learned": draft.learned,
        "recorded": frame.recorded.first,
        "child": _bare_child(frame.child) if draft.as_ == "retracts" else tidy_up(frame.child),
        "said_by": {"statement": draft.statement, "basis": "fact", **draft.said_by},
        "summary": summary(draft),
        "people": list(draft.people),
        "place": draft.place,
        "addressed_to": list(draft.addressed_to),
        "shared_under": {"gateway": frame.settings.get("sharing", {}).get("gateway", GATEWAY)},
        "label": {**draft.label, **handling},
    }
    data = without_empty(data) | {"details": without_empty(draft.details)}
    return Event(draft.name, data, frame.person, frame.recorded.instant, draft.about, draft.as_)


def _bare_child(described: Description) -> Data:
    """For what is taken back: the numbers, or without any the names, and the birth date. The description may be half
    another child's."""
    child = tidy_up(described)
    named = "identifiers" if "identifiers" in child else "names"
    return {part: child[part] for part in (named, "birth_date") if part in child}


def summary(draft: Draft) -> Data:
    """Words made from codes, marked with the template that made them."""
    if not draft.summary:
        return {}
    text = draft.summary if len(draft.summary) <= SUMMARY_LIMIT else draft.summary[: SUMMARY_LIMIT - 1] + "…"
    return {"text": text, "made": "by-template", "template": f"{draft.name}/1"}


def retraction(about: tuple[str, str], reason: str) -> Draft:
    """Earlier events of this source are taken back: (native key, name of the event or EVERYTHING). Who read them learns
    that, and the class of the reason; how closely it is held, the kit takes from what is taken back."""
    return Draft(
        name="retraction-made",
        happened=None,
        details={"reason": reason},
        summary=TAKEN_BACK[reason],
        statement="decision",
        change="retracts",
        about=about,
        as_="retracts",
    )


def future_dated(drafts: Iterable[Draft], recorded: When) -> list[Remark]:
    """A remark where something is said to have happened after it was recorded; it goes out all the same."""
    days = [str(draft.happened.happened.get("from", "")) for draft in drafts if draft.happened]
    return [FUTURE] if any(is_after(day, recorded.first or "") for day in days) else []


def label_of(name: str) -> Data:
    """Category and floor of the event that a correction is about: it may not be seen more widely."""
    kind = find_kind(name)
    return {"category": kind.category, "level": kind.floor} if kind is not None else {}


def find_service(settings: Settings, *codes: str) -> Data:
    """The service that speaks, where it is not the adapter's own: `[services]` maps a SNOMED or ODS code to a table
    {urn, name, kind} (or to a URN alone). The first code that is listed decides; none listed gives nothing."""
    listed = settings.get("services", {})
    for code in codes:
        found = listed.get(code) if code else None
        if isinstance(found, str):
            return {"service": found}
        if isinstance(found, Mapping):
            names = {"service": "urn", "service_name": "name", "service_kind": "kind"}
            return without_empty({ours: found.get(theirs, "") for ours, theirs in names.items()})
    return {}


def find_addressees(settings: Settings, codes: Iterable[str]) -> tuple[Data, ...]:
    """Whom the record names for a copy: `[addressees]` maps the system's own code to a table {service, role}."""
    listed = settings.get("addressees", {})
    found = [listed[code] for code in codes if isinstance(listed.get(code), Mapping)]
    return tuple(without_empty({part: to.get(part, "") for part in ("service", "role")}) for to in found)


def same_content(one: Event, other: Event) -> bool:
    """Would a reader see no difference but the time of recording?"""
    apart = ("recorded", "learned", "change", "references")
    return one.name == other.name and _but(one.data, apart) == _but(other.data, apart)


def _but(data: Data, apart: tuple[str, ...]) -> Data:
    return {name: value for name, value in data.items() if name not in apart}
