"""Common Transfer File XML, versions 15 to 25: one native record a pupil, streamed in bounded memory.

Elements are found by local name without regard to case, anywhere under the pupil, because the tools in the field place
them differently; which shape was found is recorded. Assessment results are never read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from lxml import etree

from adapters.education.source.ctf_pupil import (
    MAX_TEXT,
    Pairs,
    PupilElements,
    local_name,
    parse_file,
    parse_pupil,
    parse_school_of,
    parse_shape,
    text_of,
)
from adapters.education.source.days import find_upn, local_key
from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import ENCODING_GUESSED, MAX_LEVELS, MAX_MESSAGE_BYTES, ReadFault

SYSTEM = "school-mis"  # one for both formats: the same pupil keeps one pseudonym whichever file speaks of them
MAX_ELEMENTS = 50_000  # inside one pupil; the longest real record has some hundreds
MAX_HEADER = 200
FORMAT = "ctf"

_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)""")


def sniff(path: Path, head: bytes) -> bool:
    """Does this look like a transfer file: XML that names a CTfile, a pupil, or their data?"""
    text = head.replace(b"\x00", b"").lower()  # also the two-byte encodings
    start = text.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1]
    return start == b"<" and any(word in text for word in (b"ctfile", b"ctfpupildata", b"ctfversion", b"<pupil"))


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """One record a Pupil element. Pupils before a fault are given; the rest of the file is one Unreadable."""
    found = 0
    try:
        for record in _Reader(path, stream).records():
            found += 1
            yield record
    except ReadFault as fault:
        yield Unreadable(fault.reason, f"after pupil {found}")
    except (etree.LxmlError, LookupError, ValueError):
        yield Unreadable("xml-form", f"after pupil {found}")
    else:
        if not found:
            yield Unreadable("no-pupil")


class _Guarded:
    """The file as the parser may have it: no DOCTYPE anywhere, no record beyond the limit."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._tail = b""
        self.since_pupil = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(min(size, 32_768) if size > 0 else 32_768)
        self.since_pupil += len(block)
        if self.since_pupil > MAX_MESSAGE_BYTES:
            raise ReadFault("too-large")
        window = (self._tail + block).replace(b"\x00", b"")
        if b"<!DOCTYPE" in window:
            raise ReadFault("xml-doctype")  # before parsing: entities inside attributes would be expanded by then
        self._tail = block[-32:]
        return block


class _Reader:
    """One walk through one file. Keeps the open pupil and the header, and nothing of the pupils before."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        encoding, self.remarks = _find_encoding(stream)
        self.guarded = _Guarded(stream)
        self.walk = etree.iterparse(
            cast(Any, self.guarded), events=("start", "end"), encoding=encoding, resolve_entities=False,
            no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        self.header: Pairs = {}
        self.depth = self.inside = self.elements = self.count = 0
        self.wrapper = ""

    def records(self) -> Iterator[NativeRecord]:
        for what, element in self.walk:
            if what == "start":
                self._open(element)
            elif done := self._close(element):
                yield done

    def _open(self, element: etree._Element) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth == 1:
            if cast(Any, element.getroottree().docinfo).doctype:
                raise ReadFault("xml-doctype")
            self.header["", "root"] = local_name(element)
            self.header["", "version"] = str(element.get("version", ""))[:MAX_TEXT]
        if self.depth > MAX_LEVELS:
            raise ReadFault("xml-too-deep")
        if self.elements > MAX_ELEMENTS:
            raise ReadFault("xml-too-many-nodes")
        if not self.inside and self.depth > 1 and local_name(element) == "pupil":
            self.inside, self.elements = self.depth, 0
            parent = element.getparent()
            self.wrapper = "" if parent is None else local_name(parent)

    def _close(self, element: etree._Element) -> NativeRecord | None:
        self.depth -= 1
        done: NativeRecord | None = None
        if self.inside:
            if self.depth >= self.inside:
                return None
            self.inside = self.elements = self.guarded.since_pupil = 0
            self.count += 1
            done = self._record(element)
        elif len(element) == 0 and len(self.header) < MAX_HEADER:
            parent = element.getparent()
            above = "" if parent is None else local_name(parent)
            self.header.setdefault((above, local_name(element)), text_of(element))
        _forget(element)
        return done

    def _record(self, element: etree._Element) -> NativeRecord:
        raw: bytes = etree.tostring(element, method="c14n", with_tail=False)
        pupil = PupilElements(element)
        odd: list[Remark] = list(self.remarks)
        parsed = parse_pupil(pupil, odd) | {"file": parse_file(self.header, odd)}
        parsed["source_school"] = parse_school_of(self.header, "source", self.path, odd)
        parsed["dest_school"] = parse_school_of(self.header, "dest", None, odd)
        parsed["shape"] = parse_shape(element, pupil, self.header, self.wrapper, odd)
        one = parsed["pupil"]
        upn, former = find_upn(one.get("upn", "")), find_upn(one.get("former_upn", ""))
        person = upn or local_key(one.get("forename", ""), one.get("surname", ""), one.get("birth_date", ""))
        return NativeRecord(
            key=f"ctf/{person}",
            version="",
            person=person,
            raw=raw,
            parsed=parsed,
            format=FORMAT,
            format_version=parsed["file"].get("ctf_version", ""),
            system=SYSTEM,
            remarks=tuple(dict.fromkeys(odd)),
            label=f"pupil {self.count}",
            supersedes=f"ctf/{former}" if former and former != upn else "",
        )


def _find_encoding(stream: BinaryIO) -> tuple[str | None, tuple[Remark, ...]]:
    """None lets the file's own declaration rule. A file that says or implies UTF-8 and is not is Windows-1252."""
    if not stream.seekable():
        return None, ()
    start = stream.tell()
    head = stream.read(200)
    declared = _DECLARED.search(head)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or (declared and declared[1].lower() not in (b"utf-8", b"utf8")):
        stream.seek(start)
        return None, ()
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
        while block := stream.read(65_536):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252", (ENCODING_GUESSED,)
    finally:
        stream.seek(start)
    return None, ()


def _forget(element: etree._Element) -> None:
    """Free what was read: the element's content and what stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
