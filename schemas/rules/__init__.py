"""Dated lists that both sides read: labels, urgent kinds, relevance, attendance thresholds, calendars.

Each file is one edition: id, edition, status, area, from, source and the list. Which edition holds for a fact is looked
up by whoever asks; here stand only the lists and the one way to read a condition in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def get_list(name: str) -> Mapping[str, Any]:
    """The list `<name>.json` of this folder, e.g. "labels". KeyError where there is none. Not to be changed."""
    path = Path(__file__).parent / f"{name}.json"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        raise KeyError(name)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def holds(condition: Mapping[str, Any] | None, data: Mapping[str, Any]) -> bool:
    """Whether an event meets a condition {member: JSON pointer, in: [values]}; no condition holds always."""
    if condition is None:
        return True
    value: Any = data
    for part in condition["member"].split("/")[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return any(value == allowed and type(value) is type(allowed) for allowed in condition["in"])


def is_urgent(data: Mapping[str, Any]) -> bool:
    """Whether the front door must read this event at once: by its kind (labels) or by what it says (urgent)."""
    by_name, by_content = _urgent()
    name = str(data.get("event"))
    return name in by_name or (name in by_content and any(holds(one, data) for one in by_content[name]))


@cache
def _urgent() -> tuple[frozenset[str], Mapping[str, list[Mapping[str, Any]]]]:
    """Kinds that are urgent by name, and the conditions of those that are urgent by what they say."""
    by_content: dict[str, list[Mapping[str, Any]]] = {}
    for row in get_list("urgent")["by_content"]:
        by_content.setdefault(row["event"], []).append(row["when"])
    kinds: Mapping[str, Mapping[str, Any]] = get_list("labels")["kinds"]
    return frozenset(name for name, label in kinds.items() if label.get("urgent")), by_content


def find_always_relevant(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The entry of the always-relevant list that this event meets, or None: then somebody must have asked or chosen."""
    rows: list[dict[str, Any]] = get_list("relevance")["always"]
    return next((row for row in rows if row["event"] == data.get("event") and holds(row.get("when"), data)), None)
