"""A transfer file's record as the school's snapshot of one pupil on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.education.record.pupil import Pupil


@dataclass(frozen=True, slots=True)
class Contact:
    """An adult listed for the pupil. `relation` is the school's code; None where the file does not say."""

    forename: str
    surname: str
    relation: str
    responsibility: bool | None
    same_address: bool | None

    @property
    def who(self) -> tuple[str, str, str]:
        """By which two files mean the same entry."""
        return self.forename.casefold(), self.surname.casefold(), self.relation


@dataclass(frozen=True, slots=True)
class School:
    """One entry of the school history; days as YYYY-MM-DD or ""."""

    lea: str
    estab: str
    urn: str
    name: str
    entry: str
    leaving: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one file says about one pupil. `day` is the file's, `instant` RFC 3339 where it gave a time.

    `says_contacts` tells an empty list of contacts from a file that leaves them out.
    """

    pupil: Pupil
    day: str
    instant: str
    partial: bool
    contacts: tuple[Contact, ...]
    says_contacts: bool
    in_care: str
    authority: str
    support: tuple[tuple[str, str], ...]
    own: School | None
    destination: School | None

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Snapshot:
        """From the parsed record of `source.ctf`."""
        file, care = parsed.get("file", {}), parsed.get("looked_after", {})
        schools = tuple(_school(fields) for fields in parsed.get("schools", ()))
        return cls(
            pupil=Pupil.of_transfer_file(parsed),
            day=file.get("date", ""),
            instant=file.get("instant", ""),
            partial=file.get("qualifier") == "partial",
            contacts=tuple(_contact(fields) for fields in parsed.get("contacts", ())),
            says_contacts=parsed.get("says_contacts", "") == "yes",
            in_care=care.get("in_care", ""),
            authority=care.get("authority", ""),
            support=tuple((one.get("provision", ""), one.get("start", "")) for one in parsed.get("support", ())),
            own=_own(schools, _school(parsed.get("source_school", {}))),
            destination=_stated(_school(parsed.get("dest_school", {}))),
        )


def _contact(fields: Mapping[str, str]) -> Contact:
    said = {"yes": True, "no": False}
    return Contact(
        fields.get("forename", ""),
        fields.get("surname", ""),
        fields.get("relation", ""),
        said.get(fields.get("responsibility", "")),
        said.get(fields.get("same_address", "")),
    )


def _school(fields: Mapping[str, str]) -> School:
    return School(*(fields.get(name, "") for name in ("lea", "estab", "urn", "name", "entry", "leaving", "reason")))


def _own(schools: tuple[School, ...], source: School) -> School | None:
    """The entry of the school whose file this is; where the file does not name itself, the last one entered."""
    stated = source.lea or source.estab or source.urn
    mine = [one for one in schools if not stated or _same(one, source)]
    return max(mine, key=lambda one: one.entry, default=None)


def _same(one: School, other: School) -> bool:
    if one.urn and other.urn:
        return one.urn == other.urn
    return bool(one.estab) and (one.lea, one.estab) == (other.lea, other.estab)


def _stated(school: School) -> School | None:
    """None when no school is named: X says that the next one is not known, M not maintained, L the authority itself."""
    named = school.estab.strip("XMLxml") and school.lea.upper() not in ("XXX", "MMM")
    return school if named or school.urn or school.name else None
