"""What every event of a school has in common: who the child is, how the school knows, which power it rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from adapters.kit.outcomes import Event
from adapters.kit.when import When, of_day, of_nothing

GATEWAY = "EA2002-s175"  # Education Act 2002 s175: the duty to safeguard and promote pupils' welfare

TEMPLATES = {
    "left-roll": "Left the school roll. {destination}",
    "joined-roll": "On the school roll{again}.",
    "excluded": "Permanently excluded.",
    "suspended": "Suspended.",
    "household-changed": "{adult} was {change} the school's contacts.",
    "name-changed": "The school has another name for the child.",
    "address-changed": "The school has another address for the child.",
    "looked-after-noted": "The school lists the child as looked after; since when is not stated.",
    "support-plan-noted": "The school lists an education, health and care plan.",
    "absence-pattern": "Missed {missed} of {possible} sessions{how}.",
    "absent-ten-days": "Absent without leave for {days} school days in a row.",
    "retraction-made": "The school took back an earlier entry.",
}
"""Version 1 of each; built from codes and counts only, so no name and no free text can come in."""


def day_of(text: str) -> When:
    """The day YYYY-MM-DD, or that none is known."""
    return of_day(date.fromisoformat(text)) if text else of_nothing()


def make_summary(name: str, **parts: Any) -> dict[str, str]:
    """One line for partners from the kind's template."""
    return {"text": TEMPLATES[name].format(**parts), "made": "by-template", "template": f"{name}/1"}


def make_event(
    name: str,
    happened: When,
    details: Mapping[str, Any],
    *,
    child: Mapping[str, Any],
    person: str,
    statement: str,
    settings: Mapping[str, Any],
    parts: Mapping[str, Any] | None = None,
    time: str = "",
    **others: Any,
) -> Event:
    """One event of the kind. `parts` fill its template, `time` is the source's recording instant, `others` are further
    members of the data. Members that say nothing are left out."""
    data = {
        "change": "new",
        "happened": happened.happened,
        "child": dict(child),
        "said_by": {"statement": statement, "basis": "fact"},
        "summary": make_summary(name, **(parts or {})),
        "shared_under": {"gateway": settings.get("education", {}).get("gateway", GATEWAY)},
        "details": {member: value for member, value in details.items() if value not in ("", None, [], {})},
        **{member: value for member, value in others.items() if value},
    }
    return Event(name=name, data=data, person=person, time=time or None)
