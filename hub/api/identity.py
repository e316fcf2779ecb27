"""`/identity`: the questions about who is who, what a child is made of, and who read what was another child's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.children import child_id
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import query


def get_items(doors: Doors, lane: Lane) -> Handler:
    """`GET /identity/items?purpose=…&role=…`: the open questions, the urgent first."""

    async def handle(request: Request, person: str) -> Response:
        purpose, role = _for(request, doors)
        return _json({"items": await lane.for_people(doors.casework.review.items, person, role, purpose)})

    return handle


def get_child(doors: Doors, lane: Lane) -> Handler:
    """`GET /identity/children/{id}?purpose=…&role=…`: each source's child behind it; nothing that happened."""

    async def handle(request: Request, person: str) -> Response:
        purpose, role = _for(request, doors)
        child = child_id(request.path_params["id"])
        return _json(await lane.for_people(doors.casework.review.show, person, role, purpose, child))

    return handle


def get_readers(doors: Doors, lane: Lane) -> Handler:
    """`GET /identity/children/{id}/readers?purpose=…&role=…`: who read here what is another child's today."""

    async def handle(request: Request, person: str) -> Response:
        purpose, role = _for(request, doors)
        child = child_id(request.path_params["id"])
        return _json({"readers": await lane.for_people(doors.casework.review.readers, person, role, purpose, child)})

    return handle


def _for(request: Request, doors: Doors) -> tuple[str, str]:
    given = query(request, ("purpose", "role"))
    if given.get("purpose") not in doors.purposes:
        raise Refusal("purpose")
    if "role" in given and given["role"] not in doors.roles:
        raise Refusal("query", parameter="role")
    return given["purpose"], given.get("role", "")


def _json(answer: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
