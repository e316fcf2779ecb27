"""`/casework`: what people record, and what stewards settle. Who may record what is the door's business."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.children import child_id
from hub.api.doors import Doors, Outcome
from hub.api.lane import Lane
from hub.api.problems import Refusal
from hub.api.reading import entry, query, word
from hub.ingest.admission import StillWaits
from hub.ingest.quarantine import NoSuchRecord

SETTLES = {"same": "identity-same", "merge": "identity-same", "not-same": "identity-not-same"}
SETTLING = (*SETTLES, "split", "move")
QUARANTINE_ID = 16
LONGEST_NAME = 200
NOTHING: Mapping[str, str] = {}
STATUS = {"admitted": 201, "duplicate": 200, "quarantined": 202}


def post_entry(doors: Doors, lane: Lane) -> Handler:
    """`POST /casework`: an event's data without what the hub fills in, plus `event`, `child`, the author's `role`."""

    async def handle(request: Request, person: str) -> Response:
        query(request)
        given = await entry(request, doors)
        role = word(given, "role", doors.roles) if "role" in given else ""
        given.pop("role", None)
        _check_form(given)
        done = await lane.for_people(doors.casework.record, person, given, role=role)
        return _told(done.id, done.source, done.receipt)

    return handle


def post_identity(doors: Doors, lane: Lane) -> Handler:
    """`POST /casework/identity`: a steward says who is who: same (merge), not the same, split, move."""

    async def handle(request: Request, person: str) -> Response:
        query(request)
        given = await entry(request, doors)
        what = word(given, "decision", SETTLING)
        if what in SETTLES:
            _only(given, "decision", "child", "other", "reason")
            child, other = (child_id(word(given, name)) for name in ("child", "other"))
            say = partial(doors.casework.settle, person, SETTLES[what], child, other, word(given, "reason"))
        elif what == "split":
            _only(given, "decision", "child", "to", "subjects", "events", "reason")
            say = partial(
                doors.casework.split, person, child_id(word(given, "child")), word(given, "reason"),
                subjects=_pairs(given, "subjects", "subject"), events=_pairs(given, "events", "id"),
                to=child_id(word(given, "to")) if "to" in given else None,
            )  # fmt: skip
        else:
            _only(given, "decision", "event", "to", "reason")
            (event,) = _pairs({"event": [given.get("event")]}, "event", "id")
            say = partial(doors.casework.move, person, event, child_id(word(given, "to")), word(given, "reason"))
        done = await lane.for_people(say)
        more = {"to_child": done.to_child, "waits_for": done.waits_for}
        return _told(done.id, done.source, done.receipt, more={name: text for name, text in more.items() if text})

    return handle


def post_quarantine(doors: Doors, lane: Lane) -> Handler:
    """`POST /casework/quarantine/{id}`: a steward has one quarantined record tried again, or refuses it."""

    async def handle(request: Request, person: str) -> Response:
        query(request)
        given = await entry(request, doors)
        _only(given, "decision", "reason")
        release = word(given, "decision", ("release", "refuse")) == "release"
        reason = word(given, "reason")
        id = request.path_params["id"]
        if not (len(id) == QUARANTINE_ID and id.isascii() and id.isalnum()):
            raise Refusal("no-record")
        try:
            receipt = await lane.for_people(
                doors.casework.settle_quarantine, person, id, release=release, reason=reason
            )
        except NoSuchRecord:
            raise Refusal("no-record") from None
        except StillWaits as waits:
            raise Refusal("still-waits", reason=_code(str(waits))) from None
        return _told(receipt.id, receipt.source, receipt, 200)

    return handle


def _check_form(given: dict[str, Any]) -> None:
    """The form of what the hub itself reads; the rest is judged by its schema at admission."""
    word(given, "event")
    if "child" in given:
        word(given, "child")
    for name, value in (("said_by", given.get("said_by", {})), ("details", given.get("details", {}))):
        if not isinstance(value, dict):
            raise Refusal("misfit", member=name)
    if not isinstance(given.get("said_by", {}).get("author", {}), dict):
        raise Refusal("misfit", member="said_by")


def _only(given: dict[str, Any], *names: str) -> None:
    if not given.keys() <= set(names):
        raise Refusal("misfit", member="entry")


def _pairs(given: dict[str, Any], name: str, second: str) -> list[dict[str, str]]:
    """A list of things that a source names: each of {source, `second`}, in texts. Errors: `Refusal`."""
    listed: list[dict[str, str]] = given.get(name, [])
    for one in listed if isinstance(listed, list) else [None]:
        if not isinstance(one, dict) or one.keys() != {"source", second} or not all(map(_is_text, one.values())):
            raise Refusal("misfit", member=name)
    return listed


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def _told(
    id: str, source: str, receipt: Outcome, status: int | None = None, *, more: Mapping[str, str] = NOTHING
) -> Response:
    said: dict[str, Any] = {"id": id, "source": source, "outcome": receipt.outcome, "reason": receipt.reason, **more}
    if receipt.position is not None:
        said["position"] = receipt.position
    return Response(orjson.dumps(said), status or STATUS[receipt.outcome], media_type="application/json")


def _code(reason: str) -> str:
    """A reason code is kebab-case; anything else is not passed on."""
    return reason if reason.replace("-", "").isalpha() and reason.isascii() and len(reason) <= 64 else "other"
