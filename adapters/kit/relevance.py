"""May this leave the agency: which rule lets an event go, or that a person chose to send it. Reads no event's content.

For now a setting decides: everything goes under the always-relevant rule, but for the formats listed under
`[relevance] held_back_formats`, which go only when a person sends them (`once DIR --by PERSON --decided DATE`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from adapters.kit.agency import Settings

ALWAYS_RELEVANT = "always-relevant"
HELD_BACK_FORMAT = "held-back-format"


@dataclass(frozen=True, slots=True)
class Sender:
    """The person who chose to send, and when they decided (a day or an RFC 3339 instant)."""

    person: str
    decided: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Stays in the agency, counted; `rule` says why."""

    rule: str


def judge_relevance(format_name: str, settings: Settings, sender: Sender | None) -> dict[str, Any] | HeldBack:
    """The `relevance` member of the events of this record, or that the record is held back."""
    if sender is None and "shared_by" in settings.get("relevance", {}):
        sender = Sender(**settings["relevance"]["shared_by"])
    if sender is not None:
        chosen = {"person": sender.person, "decided": sender.decided, "reason": sender.reason}
        return {name: value for name, value in chosen.items() if value}
    if format_name in settings.get("relevance", {}).get("held_back_formats", ()):
        return HeldBack(HELD_BACK_FORMAT)
    rule = str(settings.get("relevance", {}).get("send", ALWAYS_RELEVANT))
    return {"rule": rule, "edition": get_edition(rule)}


class RuleUnknown(Exception):
    """The settings name a rule of relevance that is not in the dated list."""


@cache
def get_edition(rule: str) -> str:
    """The edition of a rule in `schemas/rules/relevance.json`. RuleUnknown if it has none of this id."""
    text = files("schemas").joinpath("rules", "relevance.json").read_text(encoding="utf-8")
    edition = _find_edition(json.loads(text), rule)
    if edition is None:
        raise RuleUnknown(f"[relevance] send names {rule!r}, which schemas/rules/relevance.json does not have")
    return edition


def _find_edition(part: Any, rule: str) -> str | None:
    """A rule stands in the list as an object with its `id` and its own `edition`, or under the list's."""
    inside = part if isinstance(part, list) else list(part.values()) if isinstance(part, dict) else []
    for below in inside:
        found = _find_edition(below, rule)
        if found is not None:
            return found or (part.get("edition", "") if isinstance(part, dict) else "")
    if isinstance(part, dict) and (part.get("id") == rule or rule in part):
        return str(part.get("edition", ""))
    return None
