"""`/inbox`: where sources post sealed records and fetch their head and receipts. Admission judges, not this."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import orjson
from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import body, entry, media_type, query, word
from hub.ingest.inbox import BODY_LIMIT, RECORDS_LIMIT, TooMany
from hub.ingest.notices import NoNotice

NDJSON = "application/x-ndjson"
CURSOR_DIGITS = 18
PERSON_LIMIT = 120


def post(doors: Doors, lane: Lane, seconds: Callable[[], float] = time.monotonic) -> Handler:
    """`POST /inbox`: one sealed record a line; the receipts in answer, one row a record in order."""

    async def handle(request: Request, source: str) -> Response:
        query(request)
        media_type(request, NDJSON)
        records = lines(await body(request, BODY_LIMIT, doors.body_s))
        if not records:
            raise Refusal("body")
        if len(records) > RECORDS_LIMIT:
            raise Refusal("large")
        _spend(doors, source, len(records), seconds())
        return _json({"receipts": await lane.for_machines(doors.inbox.take, source, records)})

    return handle


def get_head(doors: Doors, lane: Lane) -> Handler:
    """`GET /inbox/head`: the newest sequence and statement digest that the hub has of this source."""

    async def handle(request: Request, source: str) -> Response:
        query(request)
        return _json(await lane.for_machines(doors.inbox.head, source))

    return handle


def get_receipts(doors: Doors, lane: Lane) -> Handler:
    """`GET /inbox/receipts?after=CURSOR&notices_after=CURSOR`: this source's receipts and notices, from a cursor on."""

    async def handle(request: Request, source: str) -> Response:
        given = query(request, ("after", "notices_after"))
        after, notices_after = _cursor(given, "after"), _cursor(given, "notices_after")
        receipts, last = await lane.for_machines(doors.inbox.receipts, source, after)
        notices, last_notice = await lane.for_machines(doors.inbox.told, source, notices_after)
        return _json({"receipts": receipts, "next": last, "notices": notices, "notices_next": last_notice})

    return handle


def post_opened(doors: Doors, lane: Lane, seconds: Callable[[], float] = time.monotonic) -> Handler:
    """`POST /inbox/notices/{id}/opened`: somebody of this source's agency opens a notice; recorded, then answered.

    It counts as one record: each writes into the record too.
    """

    async def handle(request: Request, source: str) -> Response:
        query(request)
        person = word(await entry(request, doors), "person")
        if len(person) > PERSON_LIMIT:
            raise Refusal("misfit", member="person")
        _spend(doors, source, 1, seconds())
        try:
            return _json(await lane.for_machines(doors.inbox.open_notice, source, request.path_params["id"], person))
        except NoNotice:
            raise Refusal("no-notice") from None

    return handle


def _spend(doors: Doors, source: str, records: int, seconds: float) -> None:
    try:
        doors.inbox.spend(source, records, seconds)
    except TooMany as wait:
        raise Refusal("wait", headers={"Retry-After": str(int(wait.args[0]))}) from None


def _cursor(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= CURSOR_DIGITS):
        raise Refusal("query", parameter=name)
    return int(text)


def lines(raw: bytes) -> list[bytes]:
    """The records of a body. A line that holds nothing is no record; a carriage return belongs to the line's end."""
    return [record for line in raw.split(b"\n") if (record := line.removesuffix(b"\r"))]


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
