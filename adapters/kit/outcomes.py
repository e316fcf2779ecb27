"""The words between an agency's reader, its mapping and the kit.

A reader gives `NativeRecord` or `Unreadable`; a mapping gives an `Outcome`. Nothing here knows what a record is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVERYTHING = "*"
"""In place of an event's name, where a record as a whole is taken back."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd that did not stop the event. `code` is kebab-case; `note` is a fixed sentence or a native code,
    never a native value that tells who somebody is."""

    code: str
    field: str = ""
    note: str = ""

    def as_data(self) -> dict[str, str]:
        """The remark as the canonical event carries it (empty members left out)."""
        parts = {"code": self.code, "field": self.field, "note": self.note}
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, slots=True)
class NativeRecord:
    """One record of the agency's own system, parsed, not judged.

    `key` is the system's own record id, the same for every version of it. `version` is the format's own version, or ""
    and the kit uses a digest of `parsed`. `person` is the system's own id of the child. `raw` is this record's own
    bytes, never the whole file's unless the file is the record. `parsed` holds only dict, list, str, int and bool.
    `supersedes` names the key whose last version the mapping wants to see when this record's own key has none (an
    HL7 A40 under a new number). `label` says where in the file it stood ("row 3").
    """

    key: str
    version: str
    person: str
    raw: bytes
    parsed: Mapping[str, Any]
    format: str
    format_version: str
    system: str
    remarks: tuple[Remark, ...] = ()
    label: str = ""
    supersedes: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that could not be read as a record. Kept and counted. `raw` may be the beginning only."""

    reason: str
    label: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Event:
    """One canonical event before the kit completes it.

    `data` has no event, version, partnership, origin or relevance, and `said_by` only where it differs from the
    agency's settings (it is merged over them). `person` is the local person id for the subject. `time` is when the
    source system recorded it (RFC 3339), None where it has no such time. `about` names an earlier event of this source
    by (native key, event name): the newest of that name about the same `person` that was not taken back, so an
    incident's own event and never a correction of it. The kit turns it into a reference {source, id, as}, with `as_`
    one of retracts, replaces, corrects, follows ... With `retracts` it is every standing event of that name with what
    it replaced and what was said about it since, or with EVERYTHING all that stands of the record about this person;
    the kit makes one retraction for each.
    """

    name: str
    data: dict[str, Any]
    person: str
    time: str | None = None
    about: tuple[str, str] | None = None
    as_: str = ""


@dataclass(frozen=True, slots=True)
class Events:
    """The record means these events. `remarks` join those of the record in every one of them."""

    events: tuple[Event, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class NoEvent:
    """Read and understood, and nothing in it is to be shared. `reason` is a kebab-case code."""

    reason: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A person must look before anything leaves (an identity conflict, an adult with a child's flag).

    `meanwhile` goes out all the same: the retraction of what stands under a wrong child does not wait for a person.
    """

    reason: str
    field: str = ""
    remarks: tuple[Remark, ...] = ()
    meanwhile: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmappable:
    """The mapping does not know what this means. `field` is where, `why` a code or fixed sentence; `meanwhile` as for
    `Held`."""

    field: str
    why: str
    remarks: tuple[Remark, ...] = ()
    meanwhile: tuple[Event, ...] = ()


Outcome = Events | NoEvent | Held | Unmappable
