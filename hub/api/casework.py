"""`/casework`: what people record, and what stewards settle. Who may record what is the door's business."""

from __future__ import annotations

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

SETTLES = {"same": "identity-same", "not-same": "identity-not-same"}
QUARANTINE_ID = 16
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
    """`POST /casework/identity`: a steward says that two of the hub's children are the same child, or are not."""

    async def handle(request: Request, person: str) -> Response:
        query(request)
        given = await entry(request, doors)
        _only(given, "decision", "child", "other", "reason")
        what = SETTLES[word(given, "decision", SETTLES)]
        child, other = (child_id(word(given, name)) for name in ("child", "other"))
        done = await lane.for_people(doors.casework.settle, person, what, child, other, word(given, "reason"))
        return _told(done.id, done.source, done.receipt)

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


def _told(id: str, source: str, receipt: Outcome, status: int | None = None) -> Response:
    said: dict[str, Any] = {"id": id, "source": source, "outcome": receipt.outcome, "reason": receipt.reason}
    if receipt.position is not None:
        said["position"] = receipt.position
    return Response(orjson.dumps(said), status or STATUS[receipt.outcome], media_type="application/json")


def _code(reason: str) -> str:
    """A reason code is kebab-case; anything else is not passed on."""
    return reason if reason.replace("-", "").isalpha() and reason.isascii() and len(reason) <= 64 else "other"
