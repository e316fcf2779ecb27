"""`/me/open-items`: what is waited for about the children of the caller's own team. The bytes are the door's."""

from __future__ import annotations

from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.children import unchanged
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import query
from hub.disclosure import TeamAsk


def get_open_items(doors: Doors, lane: Lane) -> Handler:
    """`GET /me/open-items?purpose=…&role=…`."""

    async def handle(request: Request, person: str) -> Response:
        given = query(request, ("purpose", "role"))
        if given.get("purpose") not in doors.purposes:
            raise Refusal("purpose")
        if "role" in given and given["role"] not in doors.roles:
            raise Refusal("query", parameter="role")
        ask = TeamAsk(person=person, purpose=given["purpose"], role=given.get("role", ""))
        answer = await lane.for_people(doors.teams.open_items, ask)
        headers = {"ETag": f'"{answer.etag}"'}
        if unchanged(request.headers.getlist("if-none-match"), answer.etag):
            return Response(status_code=304, headers=headers)
        return Response(answer.body, headers=headers, media_type="application/json")

    return handle
