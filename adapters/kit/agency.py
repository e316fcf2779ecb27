"""What an agency's package gives the kit: its name, its formats, its defaults. Holds no knowledge of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from adapters.kit.outcomes import NativeRecord, Outcome, Unreadable

Settings = Mapping[str, Any]
Read = Callable[[Path, BinaryIO, Settings], Iterator[NativeRecord | Unreadable]]
Map = Callable[[NativeRecord, NativeRecord | None, Settings], Outcome]
Sniff = Callable[[Path, bytes], bool]

HEAD_BYTES = 4096


def _never(path: Path, head: bytes) -> bool:
    return False


@dataclass(frozen=True)
class Format:
    """One native format.

    `read(path, stream, settings)` streams records in bounded memory. `map(record, last, settings)` is pure; `last` is
    the version of the same key that was last handled, or None. `sniff(path, head)` recognises the content from the
    first 4096 bytes. `suffixes` are the second guess, lower case with the dot.
    """

    name: str
    read: Read
    map: Map
    sniff: Sniff = _never
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agency:
    """One agency's adapter: `name` ("police"), what the command calls itself, and its formats in order of trial.

    `defaults` fill what `adapter.toml` leaves out, and stand alone in `check`, which needs no home.
    `skeleton` is the agency's own part of a new `adapter.toml` (TOML text).
    """

    name: str
    formats: tuple[Format, ...]
    title: str = ""
    defaults: Settings = field(default_factory=dict)
    skeleton: str = ""


def find_format(agency: Agency, path: Path, head: bytes) -> Format | None:
    """The format of a file: by content first, then by suffix; None when no format knows it."""
    for candidate in agency.formats:
        if candidate.sniff(path, head):
            return candidate
    for candidate in agency.formats:
        if path.suffix.lower() in candidate.suffixes:
            return candidate
    return None
