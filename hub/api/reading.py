"""Reads what a caller sent, strictly: one token, one value a parameter, a body counted while it is read.

Says which parameter or rule was broken, never what was sent.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import Request

from hub.api.doors import Doors
from hub.api.problems import Refusal

LONDON = ZoneInfo("Europe/London")
ENTRY_LIMIT = 128 * 1024
"""Bytes of one person's entry: sealed and encoded it must still fit a record of 256 KiB."""
PARAMETERS_LIMIT = 16

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9._~+/=-]+)")


def bearer(request: Request) -> str:
    """The one bearer token (RFC 6750 section 2.1). Never from the body or the query."""
    given = request.headers.getlist("authorization")
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise Refusal("token")
    return found[1]


def query(request: Request, allowed: Collection[str] = ()) -> dict[str, str]:
    """The parameters, each at most once and none but the allowed."""
    raw = request.scope.get("query_string", b"")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_LIMIT)
    except ValueError:
        raise Refusal("query") from None
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= set(allowed):
        raise Refusal("query")
    return found


def moment(text: str, parameter: str) -> datetime:
    """An RFC 3339 instant, or a day: then its last moment in London, so that the day is included."""
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, LONDON).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refusal("query", parameter=parameter)


def media_type(request: Request, wanted: str) -> None:
    """Refuse any other media type than this one, and every content coding."""
    given = request.headers.getlist("content-type")
    named = given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""
    if named != wanted or "content-encoding" in request.headers:
        raise Refusal("media", headers={"Accept-Post": wanted}, media_type=wanted)


async def body(request: Request, limit: int, seconds: float) -> bytes:
    """The body, counted while it arrives: more than `limit` bytes are refused before they are read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise Refusal("large")
    parts: list[bytes] = []
    count = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await request.receive()
                if message["type"] != "http.request":
                    raise Refusal("body")  # the caller hung up
                part = message.get("body", b"")
                count += len(part)
                if count > limit:
                    raise Refusal("large")
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refusal("slow") from None


async def entry(request: Request, doors: Doors, limit: int = ENTRY_LIMIT) -> dict[str, Any]:
    """The body as one strict JSON object of at most so many bytes."""
    media_type(request, "application/json")
    raw = await body(request, limit, doors.body_s)
    try:
        return doors.strict_json(raw, limit)
    except ValueError:
        raise Refusal("body") from None


def word(given: Mapping[str, Any], name: str, allowed: Collection[str] | None = None) -> str:
    """A text member that must be there, from a closed list where there is one."""
    value = given.get(name)
    if not isinstance(value, str) or not value or (allowed is not None and value not in allowed):
        raise Refusal("misfit", member=name)
    return value
