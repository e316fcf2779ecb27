"""An ADT message as a person reads it: where each thing stands in HL7 v2.4 (UK ITK profile). Finds; does not judge.

Positions: HL7 v2.4 chapter 3; Z segments: NHS ITK HL7 v2 ADT. Unknown, missing and the explicit null `""` are "".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from adapters.kit.identifiers import tidy_number

UNKNOWN = {"", '""', "none", "null", "*dummy*"}
NHS_TYPES = {"NHSNMBR", "NH"}
NHS_AUTHORITIES = {"NHS", "NHSNBR"}
MERGES = {"A34", "A40"}
DISCHARGES = {"A03", "A13"}
DISCHARGED = ":discharge"
"""What a visit's key ends with where its discharge is meant."""


class Visit:
    """One ADT message, read only."""

    def __init__(self, parsed: Mapping[str, Any]) -> None:
        self.segments: list[list[Any]] = [list(s) for s in parsed.get("segments", ())]

    def all_of(self, name: str) -> list[list[Any]]:
        return [s for s in self.segments if s and s[0] == name]

    def repetitions(self, name: str, field: int) -> list[list[Any]]:
        """The repetitions of a field of the first such segment."""
        found = self.all_of(name)
        return repetitions(found[0], field) if found else []

    def text(self, name: str, field: int, component: int = 1) -> str:
        """One component of a field of the first such segment, "" when unknown."""
        found = self.all_of(name)
        return text(found[0], field, component) if found else ""

    @property
    def message_type(self) -> str:
        return self.text("MSH", 9).upper()

    @property
    def trigger(self) -> str:
        """MSH-9.2; EVN-1 is often empty in v2.4."""
        return (self.text("MSH", 9, 2) or self.text("EVN", 1)).upper()

    @property
    def control_id(self) -> str:
        return self.text("MSH", 10)

    @property
    def version(self) -> str:
        return self.text("MSH", 12)

    @property
    def facility(self) -> str:
        return self.text("MSH", 4)

    @property
    def visit_id(self) -> str:
        return self.text("PV1", 19)

    @property
    def prior_visit_id(self) -> str:
        """MRG-5: the visit that stood under the number merged away."""
        return self.text("MRG", 5)

    @property
    def key(self) -> str:
        """The visit through all its messages, its end apart; a message about no visit is its own record."""
        if self.trigger in MERGES:
            return f"merge:{self.control_id}"
        if not self.visit_id:
            return f"message:{self.control_id}"
        return f"visit:{self.visit_id}" + (DISCHARGED if self.trigger in DISCHARGES else "")

    @property
    def supersedes(self) -> str:
        """The visit that a discharge ends, or that a merge names."""
        visit = {**dict.fromkeys(MERGES, self.prior_visit_id), **dict.fromkeys(DISCHARGES, self.visit_id)}.get(
            self.trigger
        )
        return f"visit:{visit}" if visit else ""

    @cached_property
    def nhs_numbers(self) -> list[str]:
        """As written, without spaces: assigned by the NHS, or of the type NHS number."""
        return [number for number, is_nhs in self._numbers if is_nhs]

    @cached_property
    def local_numbers(self) -> list[str]:
        return [number for number, is_nhs in self._numbers if not is_nhs]

    @cached_property
    def _numbers(self) -> list[tuple[str, bool]]:
        return numbers(self.repetitions("PID", 3)) or numbers(self.repetitions("PID", 2))

    @cached_property
    def merged_away(self) -> list[tuple[str, bool]]:
        """MRG-1: (number, is it an NHS number) of whom the record was before."""
        return numbers(self.repetitions("MRG", 1)) or numbers(self.repetitions("MRG", 4))

    @property
    def person(self) -> str:
        """The hospital's own number, else the NHS number as written, else the record itself."""
        return next(iter([*self.local_numbers, *self.nhs_numbers, self.key]))

    @property
    def location_hidden(self) -> bool:
        """ZU8-4: 1 hidden locally, 2 hidden nationally. Anything that is not a plain 0 or empty counts as hidden."""
        return self.text("ZU8", 4) not in ("", "0")


def numbers(found: list[list[Any]]) -> list[tuple[str, bool]]:
    """(number, is it an NHS number) of CX repetitions: CX.4 assigning authority, CX.5 type."""
    read = []
    for repetition in found:
        number = component(repetition, 1)
        authority, kind = component(repetition, 4).upper(), component(repetition, 5).upper()
        if number:
            is_nhs = kind in NHS_TYPES or (authority in NHS_AUTHORITIES and kind in ("", "NHS"))
            read.append((tidy_number(number) if is_nhs else number, is_nhs))
    return read


def repetitions(segment: list[Any], field: int) -> list[list[Any]]:
    found = segment[field] if field < len(segment) else []
    return [r for r in found if isinstance(r, list)] if isinstance(found, list) else []


def text(segment: list[Any], field: int, number: int = 1) -> str:
    """A component of the field's first repetition."""
    found = repetitions(segment, field)
    return component(found[0], number) if found else ""


def component(repetition: list[Any], number: int) -> str:
    """A component (the first sub-component where it has several), "" when it is unknown."""
    found = repetition[number - 1] if number <= len(repetition) else ""
    found = found[0] if isinstance(found, list) and found else found
    plain = found.strip() if isinstance(found, str) else ""
    return "" if plain.casefold() in UNKNOWN else plain
