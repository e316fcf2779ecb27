"""Readers of the non-interference suite: who they are, what they may see by the reviewed matrix, and what is hidden.

The matrix page is the judge here, not the rules: a cell that it calls hidden is hidden. Builds no hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MATRIX = Path(__file__).parents[2] / "hub" / "policy" / "matrix.md"
PRACTITIONERS_HOME = "urn:safeguarding:service:reader-"
VISIBLE, HIDDEN = "FMm", "·"
Cell = tuple[str, str]
"""(category, level N, R or V)."""

PEOPLE = {
    "frontDoor": "ottoline.brack", "allocatedSocialWorker": "fenn.okoro-dale", "schoolLead": "juno.farrow",
    "healthPractitioner": "marit.sole", "policeProtection": "rufus.crane", "caseAuditor": "isla.quint",
    "steward": "bram.tolley", "housing": "hesper.vane",
}  # fmt: skip
THRESHOLDS = {"s47": "s47-started", "cpPlan": "plan-started"}
WITHOUT_RULES = ("housing", "s17")


@dataclass(frozen=True)
class Seat:
    """One role and purpose, with the letter of each cell of the matrix and the facets of visible entries."""

    role: str
    purpose: str
    cells: Mapping[Cell, str] = field(default_factory=dict)
    facets: Mapping[str, str] = field(default_factory=dict)
    """family, others, place → "all", "–", or "all but" a category."""

    @property
    def name(self) -> str:
        return f"{self.role}-{self.purpose}"

    @property
    def person(self) -> str:
        return PEOPLE[self.role]

    @property
    def service(self) -> str:
        return PRACTITIONERS_HOME + self.role.lower()

    @property
    def is_auditor(self) -> bool:
        return self.role == "caseAuditor"

    @property
    def is_practitioner(self) -> bool:
        return self.role not in ("caseAuditor", "steward")

    @property
    def is_answerable(self) -> bool:
        return self.role in ("frontDoor", "allocatedSocialWorker")

    @property
    def below_threshold(self) -> bool:
        return self.is_practitioner and self.purpose not in THRESHOLDS

    @property
    def threshold(self) -> str:
        """The kind of event that opens the threshold that this purpose needs; "" for none."""
        return THRESHOLDS.get(self.purpose, "")

    def of(self, letters: str) -> list[Cell]:
        """The cells with one of these letters."""
        return [cell for cell, letter in self.cells.items() if letter in letters]

    def may_see(self, facet: str, category: str) -> bool:
        """Does an entry of this category show this facet?"""
        said = self.facets.get(facet, "–")
        return said == "all" or (said.startswith("all but") and category not in said)


@cache
def seats() -> tuple[Seat, ...]:
    """Every role and purpose that has rules, and one that has none."""
    text = MATRIX.read_text()
    cells, facets = (_table(text, f"| role / purpose | {first}") for first in ("involvement", "family"))
    found = []
    for name, row in cells.items():
        role, purpose = name.split(" / ")
        letters = {(category, level): cell[n] for category, cell in row.items() for n, level in enumerate("NRV")}
        found.append(Seat(role, purpose, letters, facets[name]))
    role, purpose = WITHOUT_RULES
    return (*found, Seat(role, purpose, dict.fromkeys(found[0].cells, HIDDEN)))


def _table(text: str, heading: str) -> dict[str, dict[str, str]]:
    lines = text[text.index(heading) :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in re.split(r"\s*\|\s*", line.strip("|"))] for line in lines]
    columns = rows[0][1:]
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows[2:]}
