"""`/children/{id}/chronology`: one child's chronology for one reader. The bytes are the door's; nothing is added here.

An id that no child has, one that is not for this reader and one that is no id at all go the same way and end in the
same bytes.
"""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.doors import Doors
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import moment, query
from hub.disclosure import Answer, Ask

NOBODY = UUID(int=0)
"""The id that no child has: what is malformed is asked for under it, so that the attempt is recorded like any other."""
CURSOR_LIMIT = 512


def get_chronology(doors: Doors, lane: Lane) -> Handler:
    """`GET /children/{id}/chronology?purpose=…&role=…&as_of=…&cursor=…`."""

    async def handle(request: Request, person: str) -> Response:
        ask = _ask(request, person, doors)
        answer = await lane.for_people(doors.disclosure.chronology, ask)
        headers = {"ETag": f'"{answer.etag}"', **_link(ask, answer)}
        if unchanged(request.headers.getlist("if-none-match"), answer.etag):
            return Response(status_code=304, headers=headers)
        return Response(answer.body, headers=headers, media_type="application/json")

    return handle


def child_id(text: str) -> UUID:
    """The id in its one spelling; anything else is nobody's."""
    try:
        found = UUID(text)
    except ValueError:
        return NOBODY
    return found if str(found) == text else NOBODY


def _ask(request: Request, person: str, doors: Doors) -> Ask:
    given = query(request, ("purpose", "role", "as_of", "cursor"))
    if given.get("purpose") not in doors.purposes:
        raise Refusal("purpose")
    if "role" in given and given["role"] not in doors.roles:
        raise Refusal("query", parameter="role")
    if len(given.get("cursor", "")) > CURSOR_LIMIT or not given.get("cursor", "").isascii():
        raise Refusal("cursor")
    return Ask(
        person=person, child=child_id(request.path_params["id"]), purpose=given["purpose"],
        role=given.get("role", ""), as_of=moment(given["as_of"], "as_of") if "as_of" in given else None,
        cursor=given.get("cursor", ""), page=doors.page_size,
    )  # fmt: skip


def _link(ask: Ask, answer: Answer) -> dict[str, str]:
    """The next page (RFC 8288), as `next` in the body says it."""
    if not answer.next:
        return {}
    parameters = {
        "purpose": ask.purpose,
        **({"role": ask.role} if ask.role else {}),
        **({"as_of": ask.as_of.isoformat().replace("+00:00", "Z")} if ask.as_of else {}),
        "cursor": answer.next,
    }
    return {"Link": f'</children/{ask.child}/chronology?{urlencode(parameters)}>; rel="next"'}


def unchanged(given: list[str], etag: str) -> bool:
    """RFC 9110 section 13.1.2: compared weakly; the read was recorded all the same."""
    held = [one.strip().removeprefix("W/") for line in given for one in line.split(",")]
    return f'"{etag}"' in held or held == ["*"]
