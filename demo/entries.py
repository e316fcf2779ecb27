"""What people record in the story: each a small function that gives one entry for the people's door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.cast import NURSE, POLICE, SCHOOL_B, SERVICE, WORKER, Person, service

Entry = dict[str, Any]


def entry(event: str, child: str, *, summary: str = "", narrative: str = "", **members: Any) -> Entry:
    """One entry about a child, with the words that its author wrote for partners and, apart, the narrative."""
    said = {"statement": members.pop("statement", "decision"), "basis": members.pop("basis", "fact")}
    made: Entry = {"event": event, "child": child, "details": members.pop("details", {}), "said_by": said, **members}
    if summary:
        made["summary"] = {"text": summary, "made": "by-author"}
    if narrative:
        made["narrative"] = {"text": narrative}
    return made


def role_held(person: Person, since: str) -> Entry:
    """An officer registers a professional in a role."""
    details = {"person": person.id, "role": person.role, "service": person.service, "name": person.name, "from": since}
    return {"event": "role-held", "details": details}


def trained(person: Person, completed: str, until: str) -> Entry:
    """An officer notes a professional's safeguarding training."""
    details = {"person": person.id, "course": "Working together, level 3", "completed": completed, "until": until}
    return {"event": "training-recorded", "details": details}


def conflict(person: Person, child: str) -> Entry:
    """A professional is family of somebody on the record."""
    return {"event": "conflict-declared", "details": {"person": person.id, "child": child, "reason": "family"}}


def referrer(**more: Any) -> list[Mapping[str, Any]]:
    """Perpetua, who asked that the family is never told."""
    return [
        {
            "ref": "referrer",
            "group": "others",
            "incident_role": "referrer",
            "adult": True,
            "relation": ["AUNT"],
            "name": "Perpetua Mosswick",
            "may_be_named_to": [],
            **more,
        }
    ]


def participants() -> list[dict[str, str]]:
    """The four who are named in the strategy discussion."""
    named = (WORKER, SCHOOL_B, NURSE, POLICE)
    return [{"person": one.id, "role": one.role, "service": one.service} for one in named]


def agreement_scope() -> dict[str, list[str]]:
    """What the mother agreed to: early help, the school and the school nurse."""
    return {
        "services": [service("harrowmere-early-help"), service("larkbeck-primary"), service("fenwater-school-nursing")],
        "purposes": ["earlyHelp"],
    }


__all__ = ["SERVICE"]
