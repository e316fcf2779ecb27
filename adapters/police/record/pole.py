"""A report of the JSON profile `pole-json/1` as the mapping sees it. Tolerant: what is not there is empty.

Entity and field names follow the NPCC Minimum POLE Data Standards Dictionary v1.1; the published schema with the
dictionary's numbers is `../profile/pole-v1.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = "pole-json/1"
FORMAT_VERSION = "NPCC-POLE-1.1"

# What a report is about: entity of the dictionary, or x- where it has none.
CRIME, INCIDENT, CUSTODY, SAFEGUARDING = "E_001", "E_002", "E_003", "E_005"
VULNERABLE_CHILD, UNBORN_CHILD, MISSING_PERSON = "P_009", "P_011", "P_014"
SUSPECT, VICTIM = "P_002", "P_004"
PROTECTION, CONDITION, INTELLIGENCE, OFFENDER = (
    "x-police-protection", "x-protective-condition", "x-intelligence", "x-offender-management",
)  # fmt: skip
CHILD_ENTITIES = frozenset({VULNERABLE_CHILD, UNBORN_CHILD, MISSING_PERSON})
# Entities that are read and of which nothing is shared.
NOT_SHARED = {"E_004": "stop-and-search-not-shared", "E_006": "anti-social-behaviour-not-shared"}
UNKNOWN = frozenset({"", "null", "none", "*dummy*"})


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the report. Wrong kinds of value read as not there, never as an error."""

    members: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.members.get(name, "")
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return ""
        return str(value).strip()

    def flag(self, name: str) -> bool | None:
        value = self.members.get(name)
        return value if isinstance(value, bool) else None

    def number(self, name: str) -> int | None:
        value = self.members.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def part(self, name: str) -> Part:
        value = self.members.get(name)
        return Part(value if isinstance(value, dict) else {})

    def parts(self, name: str) -> list[Part]:
        value = self.members.get(name)
        return [Part(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def texts(self, name: str) -> list[str]:
        value = self.members.get(name)
        items = value if isinstance(value, list) else []
        return [item.strip() for item in items if isinstance(item, str) and item.strip()]

    def __bool__(self) -> bool:
        return bool(self.members)


@dataclass(frozen=True, slots=True)
class Report(Part):
    """One report as it concerns one child. `child` is that child's reference, "" where the report names no child."""

    child: str = ""

    @property
    def entity(self) -> str:
        return self.text("entity")

    @property
    def people(self) -> list[Part]:
        return self.parts("people")

    def person(self, ref: str) -> Part:
        return next((person for person in self.people if person.text("person_ref") == ref), Part({}))

    @property
    def subject(self) -> Part:
        return self.person(self.child)


def child_refs(report: Part) -> list[str]:
    """References of the children that a report is about, each once, in the order of the report."""
    refs = (person.text("person_ref") for person in report.parts("people") if person.text("entity") in CHILD_ENTITIES)
    return list(dict.fromkeys(ref for ref in refs if ref))


def without_unknowns(value: Any) -> Any:
    """The same JSON without what says nothing: null, "", "None", "*DUMMY*", and objects and lists left empty."""
    if isinstance(value, dict):
        kept = {name: without_unknowns(member) for name, member in value.items()}
        return {name: member for name, member in kept.items() if member is not None}
    if isinstance(value, list):
        return [member for member in map(without_unknowns, value) if member is not None]
    if value is None or (isinstance(value, str) and value.strip().casefold() in UNKNOWN):
        return None
    return value
