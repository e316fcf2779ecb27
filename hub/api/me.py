"""`/me/items`: what waits for the person who asks. The bytes are the door's; nothing is added here."""

from __future__ import annotations

import orjson
from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import query

ID_LENGTH = 20


def get_items(doors: Doors, lane: Lane) -> Handler:
    """`GET /me/items?cursor=…`."""

    async def handle(request: Request, person: str) -> Response:
        cursor = query(request, ("cursor",)).get("cursor", "")
        if cursor and not _is_id(cursor):
            raise Refusal("cursor")
        return Response(await lane.for_people(doors.items.list, person, cursor), media_type="application/json")

    return handle


def post_opened(doors: Doors, lane: Lane) -> Handler:
    """`POST /me/items/{id}/opened`: the opening is recorded; a body says nothing and is not read."""

    async def handle(request: Request, person: str) -> Response:
        query(request)
        id = request.path_params["id"]
        if not _is_id(id):
            raise Refusal("no-item")
        opened = await lane.for_people(doors.items.open, person, id)
        return Response(orjson.dumps(opened), media_type="application/json")

    return handle


def _is_id(text: str) -> bool:
    return len(text) == ID_LENGTH and text.isascii() and text.isalnum()
