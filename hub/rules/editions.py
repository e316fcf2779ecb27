"""Look-up of a dated rule: the edition in force on the day when its clock started."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class NoEdition(LookupError):
    """No edition of this rule was in force on that day."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of one rule, as written."""

    rule: str
    edition: str
    text: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.rule}/{self.edition}"


@lru_cache(maxsize=4096)
def get_edition(rule: str, on: date) -> Edition:
    """The edition of a rule in force on a day. Errors: `NoEdition`."""
    for one in _editions(rule):
        ends = one.get("until", "9999")
        if one["status"] == "in-force" and one["from"] <= on.isoformat() < ends:
            return Edition(rule, one["edition"], one)
    raise NoEdition(f"no edition of {rule} was in force on {on}")


@cache
def _editions(rule: str) -> list[dict[str, Any]]:
    """All editions of a rule, the newest first."""
    editions: list[dict[str, Any]] = json.loads((HERE / f"{rule}.json").read_text())["editions"]
    return sorted(editions, key=lambda one: str(one["from"]), reverse=True)
