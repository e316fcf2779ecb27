"""Bytes of files from outside, read within limits: whole files, lines, text, JSON. Knows no agency's format.

Everything that cannot be read raises `ReadFault` with a reason code that holds nothing of the content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from adapters.kit.outcomes import Remark

MAX_MESSAGE_BYTES = 10 * 1024 * 1024
MAX_LEVELS = 200
MAX_VALUES = 500_000
KEPT_OF_TOO_LONG = 1024
_BLOCK = 64 * 1024

ENCODING_GUESSED = Remark("encoding-guessed", "", "Not UTF-8; read as Windows-1252.")


class ReadFault(Exception):
    """These bytes cannot be read. `reason` is a kebab-case code; it never quotes the bytes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `too_long` lines keep their first 1024 bytes only; `number` counts from 1."""

    number: int
    raw: bytes
    too_long: bool = False


def read_whole(stream: BinaryIO, limit: int = MAX_MESSAGE_BYTES) -> bytes:
    """All bytes of a stream of at most `limit`; ReadFault("too-large") beyond."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (block := stream.read(min(_BLOCK, left))):
        parts.append(block)
        left -= len(block)
    if left <= 0:
        raise ReadFault("too-large")
    return b"".join(parts)


def read_lines(stream: BinaryIO, limit: int = MAX_MESSAGE_BYTES) -> Iterator[Line]:
    """The lines of a stream, ended by LF or CR LF, none ever held beyond `limit` bytes."""
    number = 0
    while raw := stream.readline(limit + 2):
        number += 1
        if raw.endswith(b"\n"):
            raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
            if len(raw) <= limit:
                yield Line(number, raw)
                continue
        elif len(raw) <= limit:  # the last line of a file may have no end
            yield Line(number, raw)
            continue
        else:
            _skip_line(stream)
        yield Line(number, raw[:KEPT_OF_TOO_LONG], too_long=True)


def _skip_line(stream: BinaryIO) -> None:
    while (block := stream.readline(_BLOCK)) and not block.endswith(b"\n"):
        pass


def decode(raw: bytes) -> tuple[str, tuple[Remark, ...]]:
    """Text as UTF-8 (a byte order mark is taken off), else as Windows-1252 with the remark `encoding-guessed`.

    ReadFault("encoding") when it is neither: five bytes mean nothing in Windows-1252.
    """
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), (ENCODING_GUESSED,)
    except UnicodeDecodeError:
        raise ReadFault("encoding") from None


def strict_json(text: str) -> Any:
    """A native JSON text as dict, list, str, int, bool, None. A number with a fraction or exponent stays its text.

    ReadFault "json-form", "json-duplicate-name", "json-too-deep" (200 levels), "json-too-many-values",
    "json-surrogate".
    """
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise ReadFault("json-too-many-values")
    try:
        parsed = json.loads(text, object_pairs_hook=_without_doubles, parse_float=str, parse_constant=_refuse_constant)
    except RecursionError:
        raise ReadFault("json-too-deep") from None
    except ValueError:  # also an integer of thousands of digits
        raise ReadFault("json-form") from None
    _check_levels(parsed)
    return parsed


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ReadFault("json-duplicate-name")
    return members


def _refuse_constant(name: str) -> Any:
    raise ReadFault("json-form")


def _check_levels(parsed: Any) -> None:
    level: list[Any] = [parsed]
    for depth in range(1, MAX_LEVELS + 2):
        _check_texts(value for value in level if isinstance(value, str))
        holders = [value for value in level if isinstance(value, dict | list)]
        if not holders:
            return
        if depth > MAX_LEVELS:
            raise ReadFault("json-too-deep")
        level = []
        for holder in holders:
            if isinstance(holder, dict):
                _check_texts(holder)
                level.extend(holder.values())
            else:
                level.extend(holder)


def _check_texts(texts: Iterable[str]) -> None:
    for text in texts:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ReadFault("json-surrogate") from None
