"""`/children/$person-info-query`: whom to ring about a child whom somebody describes (MAIS). The bytes are the door's.

A POST, so that nothing about anybody stands in an address. Answers leave on a beat, so that how long one took does not
say whether there was anybody to look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import entry, query, word
from hub.disclosure import NotAPerson, Search, description_of

QUERY_LIMIT = 8 * 1024
"""Bytes of one question."""
BEAT_S = 0.5
"""Long enough for a child with a thousand entries that were not opened before."""


def post_query(doors: Doors, lane: Lane, seconds: Callable[[], float]) -> Handler:
    """`POST /children/$person-info-query`: a person in PUB01's words or ours, a reason, a role where several."""

    async def handle(request: Request, person: str) -> Response:
        begun = seconds()
        query(request)
        search = await _search(request, person, doors)
        answer = await lane.for_people(doors.query.answer, search)
        await asyncio.sleep(BEAT_S - (seconds() - begun) % BEAT_S)
        return Response(answer, media_type="application/json")

    return handle


async def _search(request: Request, person: str, doors: Doors) -> Search:
    given = await entry(request, doors, QUERY_LIMIT)
    if not given.keys() <= {"person", "reason", "role"}:
        raise Refusal("misfit", member="entry")
    asked = given.get("person")
    if not isinstance(asked, dict):
        raise Refusal("misfit", member="person")
    reason = given.get("reason")
    if not isinstance(reason, str) or reason not in doors.purposes:
        raise Refusal("purpose")
    role = word(given, "role", doors.roles) if "role" in given else ""
    try:
        return Search(person=person, asked=description_of(asked), purpose=reason, role=role)
    except NotAPerson:
        raise Refusal("misfit", member="person") from None
