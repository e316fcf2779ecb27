"""Who a pupil is, as either format says it. Text as written; an empty text is not stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """One pupil. `birth_date` is YYYY-MM-DD or ""; `local_id` is the supplier's own number (register exports)."""

    upn: str = ""
    uln: str = ""
    local_id: str = ""
    surname: str = ""
    forename: str = ""
    middle_names: str = ""
    preferred_surname: str = ""
    preferred_forename: str = ""
    birth_date: str = ""
    sex: str = ""
    lines: tuple[str, ...] = ()
    postcode: str = ""
    uprn: str = ""

    @classmethod
    def of_transfer_file(cls, parsed: Mapping[str, Any]) -> Pupil:
        """From a transfer file's pupil, its address beside it."""
        return cls(**_texts(parsed.get("pupil", {})), **_address(parsed.get("address", {})))

    @classmethod
    def of_register(cls, parsed: Mapping[str, Any]) -> Pupil:
        """From a register export's student."""
        student = parsed.get("student", {})
        return cls(**_texts(student), local_id=student.get("id", ""), postcode=student.get("postcode", ""))

    @property
    def forenames(self) -> frozenset[str]:
        """What the pupil may be called by, without regard to case."""
        return frozenset(name.casefold() for name in (self.forename, self.preferred_forename) if name)

    @property
    def surnames(self) -> frozenset[str]:
        """As `forenames`."""
        return frozenset(name.casefold() for name in (self.surname, self.preferred_surname) if name)


_NAMES = ("upn", "uln", "surname", "forename", "middle_names", "preferred_surname", "preferred_forename")


def _texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(fields.get(name, "")) for name in (*_NAMES, "birth_date", "sex")}


def _address(fields: Mapping[str, Any]) -> dict[str, Any]:
    lines = tuple(str(line) for line in fields.get("lines", ()))
    return {"lines": lines, "postcode": str(fields.get("postcode", "")), "uprn": str(fields.get("uprn", ""))}
