"""Reads HL7 v2 messages (2.4 in the UK ITK profile, tolerant of 2.3): any line ends, many in a file, batch wrappers.

The `hl7` library splits a message, after its line ends are made CR: given LF it silently reads one segment. A message
becomes lists: segment → field → repetition → component (a text, or a list of sub-components). It judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import hl7  # type: ignore[import-untyped]

from adapters.health.record.hl7v2 import Visit
from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import KEPT_OF_TOO_LONG, MAX_MESSAGE_BYTES, ReadFault, decode

FORMAT = "hl7v2-itk"
BLOCK = 64 * 1024
MAX_SEGMENTS = 2_000
MAX_VALUES = 100_000  # separators in one message: the library spends some 15 microseconds and 500 bytes on each
_FRAMING = b"\x0b\x1c \t\xef\xbb\xbf"  # MLLP start and end blocks, a byte order mark
_WRAPPERS = (b"FHS", b"BHS", b"BTS", b"FTS")


def sniff(path: Path, head: bytes) -> bool:
    """Does the file begin with a message header, or with the header of a batch of them?"""
    return head.lstrip(_FRAMING + b"\r\n").startswith((b"MSH", b"FHS", b"BHS"))


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """The messages of a file, in order. A message beyond 10 MB is unreadable and the next one is read."""
    for number, (raw, whole) in enumerate(_messages(stream), start=1):
        label = f"message {number}"
        if not whole:
            yield Unreadable("too-large", label, raw[:KEPT_OF_TOO_LONG])
            continue
        try:
            yield _record(raw, label)
        except ReadFault as fault:
            yield Unreadable(fault.reason, label, raw)


def parse(raw: bytes) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """One message as plain lists. ReadFault "hl7-form" when the library cannot split it."""
    text, remarks = decode(raw)
    lines = [line.strip("\x0b\x1c \t") for line in re.split(r"[\r\n]+", text)]
    lines = [line for line in lines if line]
    if not lines or not _has_separators(lines[0]):
        raise ReadFault("hl7-no-header")
    if len(lines) > MAX_SEGMENTS:
        raise ReadFault("hl7-too-many-segments")
    if sum(text.count(separator) for separator in lines[0][3:8]) > MAX_VALUES:
        raise ReadFault("hl7-too-many-values")
    try:
        message = hl7.parse("\r".join(lines) + "\r")
        return {"segments": [_segment(message, segment) for segment in message]}, remarks
    except (hl7.HL7Exception, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        raise ReadFault("hl7-form") from None


def _has_separators(header: str) -> bool:
    """MSH, a field separator and four encoding characters (a fifth from v2.7 on), all different, then the separator."""
    match = re.match(r"MSH([^\w\s])([^\w\s]{4,5})\1", header, re.ASCII)
    if match is None:
        return False
    separators = match.group(1) + match.group(2)
    return len(set(separators)) == len(separators)


def _segment(message: Any, segment: Any) -> list[Any]:
    name = str(segment[0]).strip().upper()
    start = 3 if name == "MSH" else 1  # MSH-1 and MSH-2 are the separators themselves
    fields = [_field(message, segment[i]) for i in range(start, len(segment))]
    return [name, *([[], []] if name == "MSH" else []), *fields]


def _field(message: Any, field: Any) -> list[Any]:
    repetitions = []
    for repetition in field:
        parts = [repetition] if isinstance(repetition, str) else list(repetition)
        repetitions.append([_component(message, part) for part in parts])
    return [] if repetitions == [[""]] else repetitions


def _component(message: Any, component: Any) -> Any:
    if isinstance(component, str):
        return _text(message, component)
    parts = [_text(message, str(part)) for part in component]
    return parts[0] if len(parts) == 1 else parts


def _text(message: Any, text: str) -> str:
    """The five escapes that stand for the separators; any other stays as it was written. The library's own unescape
    would log the text that it cannot read."""
    if "\\" not in text:
        return text
    component, repetition, escape, part = tuple(str(message[0][2][0])[:4])
    marks = {"F": str(message[0][1][0]), "S": component, "R": repetition, "E": escape, "T": part}
    return re.sub(r"\\([FSRET])\\", lambda match: marks[match.group(1)], text)


def _record(raw: bytes, label: str) -> NativeRecord:
    parsed, remarks = parse(raw)
    visit = Visit(parsed)
    if visit.message_type != "ADT":
        raise ReadFault("HL7 v2 message that is no ADT: not a format this adapter reads")
    if not visit.trigger:
        raise ReadFault("hl7-no-trigger")
    return NativeRecord(
        key=visit.key,
        version=visit.control_id,
        person=visit.person,
        raw=raw,
        parsed=parsed,
        format=FORMAT,
        format_version=visit.version,
        system=f"adt:{visit.facility}" if visit.facility else "adt",
        remarks=remarks,
        label=label,
        supersedes=visit.supersedes,
    )


def _messages(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """(bytes, whole?) of each message, from its MSH to the line before the next; nothing held beyond the limit."""
    lines: list[bytes] = []
    size, whole = 0, True
    for line, line_whole in _lines(stream):
        bare = line.lstrip(_FRAMING)
        if bare[:3] in _WRAPPERS:
            continue
        if bare[:3] == b"MSH" and lines:
            yield b"".join(lines).rstrip(b"\r\n\x1c"), whole
            lines, size, whole = [], 0, True
        size += len(line)
        if not line_whole or size > MAX_MESSAGE_BYTES:
            whole = False
        if bare.strip() and (whole or not lines):
            lines.append(line)
    if lines:
        yield b"".join(lines).rstrip(b"\r\n\x1c"), whole


def _lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines with their ends (LF, CR, CR LF); of one too long its beginning, with False."""
    parts: list[bytes] = []
    size, carried = 0, b""
    while block := stream.read(BLOCK):
        block = carried + block
        carried = b"\r" if block.endswith(b"\r") else b""  # a LF may follow in the next block
        for piece in block[: len(block) - len(carried)].splitlines(keepends=True):
            size += len(piece)
            if size <= MAX_MESSAGE_BYTES or not parts:
                parts.append(piece)
            if piece.endswith((b"\r", b"\n")):
                yield _line(parts, size)
                parts, size = [], 0
    if carried:
        parts.append(carried)
    if parts:
        yield _line(parts, size)


def _line(parts: list[bytes], size: int) -> tuple[bytes, bool]:
    return (b"".join(parts), True) if size <= MAX_MESSAGE_BYTES else (parts[0][:KEPT_OF_TOO_LONG], False)
