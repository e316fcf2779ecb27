"""The agency's folder of files: which are there, are they whole, what records are in them. Moves and deletes none."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from adapters.kit.agency import HEAD_BYTES, Agency, Format, Settings, find_format
from adapters.kit.events import canonical
from adapters.kit.outcomes import NativeRecord, Unreadable
from adapters.kit.reading import ReadFault

UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload")
_BLOCK = 1024 * 1024

Look = tuple[int, int]
"""Size and time of last change, by which a file that is still being written shows itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record, or bytes that are none, with the format that read it."""

    what: NativeRecord | Unreadable
    format: Format | None


def list_files(folder: Path) -> list[Path]:
    """The folder's own files in order of name; no hidden ones, no links, none that say they are unfinished."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.is_file(follow_symlinks=False)
            and not entry.name.startswith(".")
            and not entry.name.lower().endswith(UNFINISHED)
        ]
    return [folder / name for name in sorted(names)]


def look_at(path: Path) -> Look:
    """How the file looks now."""
    seen = path.stat(follow_symlinks=False)
    return seen.st_size, seen.st_mtime_ns


def open_file(path: Path) -> BufferedReader:
    """Opens a regular file and nothing else: no link, no pipe that never ends. OSError otherwise."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"not a regular file: {path.name}")
    return os.fdopen(handle, "rb")


def digest_file(path: Path) -> str:
    """Hex SHA-256 of all its bytes."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_records(agency: Agency, path: Path, settings: Settings) -> Iterator[Found]:
    """Every record of a file, in its order. A reader that fails ends the file with one Unreadable, never an error."""
    with open_file(path) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        format = None
        try:
            format = find_format(agency, path, head)
            if format is None:
                raise ReadFault("format-unknown")
            for record in format.read(path, file, settings):
                yield Found(_sound(record), format)
        except ReadFault as fault:
            yield Found(Unreadable(fault.reason, "file", head), format)
        except Exception as fault:  # the loop over files: a reader's own mistake is one unreadable file
            yield Found(Unreadable(f"reader-failed-{type(fault).__name__}", "file", head), format)


def _sound(what: NativeRecord | Unreadable) -> NativeRecord | Unreadable:
    """A record has a key, texts where texts belong, and content that JSON can hold; else it is none."""
    if isinstance(what, Unreadable):
        return what
    texts = (what.key, what.version, what.person, what.format, what.format_version, what.system, what.supersedes)
    try:
        if what.key and all(isinstance(text, str) for text in texts):
            canonical([texts, what.parsed])
            return what
    except (TypeError, ValueError, RecursionError):
        pass
    return Unreadable("no-record", what.label, what.raw)
