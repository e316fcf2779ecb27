"""Look-up of a dated rule: the edition in force, for an area, on the day when its clock started.

A local edition goes before the one that holds everywhere. Where an area has suspended a rule, none holds there. Drafts
never hold. What a file of rules must be is `loading`'s; how days are counted is `calendars`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hub.rules.loading import EVERYWHERE, SUSPENDED, BrokenRule, check_rule, has_begun

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

    @property
    def unit(self) -> str:
        """working-day, school-day, calendar-day, hour or month; "" where the rule has no number."""
        return str(self.text.get("unit", ""))

    @property
    def limit(self) -> int:
        """How many of them; 0 where the rule has no number."""
        return int(self.text.get("limit", 0))

    @property
    def kind(self) -> str:
        """law, statutory-guidance, local or advice; nobody is late by advice."""
        return str(self.text["kind"])

    @property
    def source(self) -> str:
        """Where it stands: document and paragraph."""
        return f"{self.text['source']}, {self.text['paragraph']}"


@lru_cache(maxsize=4096)
def find_edition(rule: str, on: date, area: str = EVERYWHERE) -> Edition | None:
    """The edition of a rule in force in an area on a day; None where none is, or where the area has suspended it."""
    editions = get_rule(rule)["editions"]
    for place in dict.fromkeys((area, EVERYWHERE)):
        for one in editions:
            if one["area"] == place and has_begun(one) and one["from"] <= on.isoformat() < one.get("until", "9999"):
                return None if one["status"] == SUSPENDED else Edition(rule, one["edition"], one)
    return None


def get_edition(rule: str, on: date, area: str = EVERYWHERE) -> Edition:
    """The same where there must be one. Errors: `NoEdition`."""
    found = find_edition(rule, on, area)
    if found is None:
        raise NoEdition(f"no edition of {rule} was in force on {on}")
    return found


@cache
def get_rule(rule: str) -> dict[str, Any]:
    """One rule with all its editions, checked. Errors: `BrokenRule`; KeyError where there is no such rule."""
    if rule not in names():
        raise KeyError(rule)
    return check_rule((HERE / f"{rule}.json").read_bytes(), rule)


@cache
def names() -> tuple[str, ...]:
    """Every rule of the hub."""
    return tuple(sorted(file.stem for file in HERE.glob("*.json")))


def check_all() -> None:
    """Read every rule of the hub, so that a broken one is refused when the hub starts. Errors: `BrokenRule`."""
    for rule in names():
        get_rule(rule)


__all__ = ["BrokenRule", "Edition", "NoEdition", "check_all", "find_edition", "get_edition", "get_rule", "names"]
