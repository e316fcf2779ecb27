"""What HTTP answers when it cannot answer: problem documents (RFC 9457), one table of statuses, fixed words.

Nothing that a caller sent ever stands in a problem: no input, no identifier of the call, no stack. Members beside the
fixed words come from closed lists of ours (the parameter, the broken rule, the member of an entry).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from fastapi import Response

from hub.casework import CannotSettle, Misfit, NotYours
from hub.disclosure import (
    RING,
    BadCursor,
    CannotBeShownComplete,
    CannotRecord,
    NoAnswer,
    NoStanding,
    NoSuchItem,
    TooManyChildren,
)

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:safeguarding:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the table."""

    status: int
    title: str
    detail: str


PROBLEMS: Final[Mapping[str, Problem]] = {
    "query": Problem(400, "Query refused", "A parameter is missing, unknown, repeated or not of its form."),
    "purpose": Problem(400, "Purpose needed", "Name one purpose from the published list: no purpose, no answer."),
    "cursor": Problem(400, "Not a cursor", "This cursor was not given to this reader for this question."),
    "body": Problem(400, "Body refused", "The body is not what this door reads; its form is published."),
    "token": Problem(401, "Token needed", "A valid token is needed, in one Authorization header."),
    "not-yours": Problem(403, "Not yours to record", "This person may not record this; `rule` names the rule."),
    "no-standing": Problem(403, "No role today", "The record gives this person no such role today."),
    "no-answer": Problem(404, "No answer", "No answer can be given here; ring the front door."),
    "no-page": Problem(404, "No such page", "The hub has no such address."),
    "no-notice": Problem(404, "No such notice", "This source was given no notice of this id."),
    "no-record": Problem(404, "No such record", "No quarantined record of this id waits with its bytes."),
    "no-item": Problem(404, "No such item", "No item of this id waits for this person."),
    "method": Problem(405, "Method not allowed", "This address takes other methods; the Allow header names them."),
    "slow": Problem(408, "Too slow", "The body did not arrive in time; send it again."),
    "cannot-settle": Problem(409, "Cannot be settled so", "These words would make a wrong record; `rule` says why."),
    "still-waits": Problem(409, "Still waits", "The same door still sets this record aside; `reason` says why."),
    "large": Problem(413, "Too large", "More bytes or records than one call may bring; send less at a time."),
    "media": Problem(415, "Other media type", "This door reads one media type only, and no content coding."),
    "too-many": Problem(422, "Too many children", "More children than one list tells of; ask as their workers."),
    "misfit": Problem(422, "Entry refused", "The entry lacks something, or holds what only the hub fills in."),
    "wait": Problem(429, "Wait", "This sender must wait; the Retry-After header says how many seconds."),
    "fault": Problem(500, "Fault", "The hub failed here. Nothing was answered; try again, or ring the front door."),
    "incomplete": Problem(503, "Cannot be shown complete", RING),
    "unrecorded": Problem(503, "No answer", "The access cannot be recorded now, so there is no answer."),
    "keys": Problem(503, "Cannot check tokens", "The issuer's keys cannot be had now; try again."),
    "away": Problem(503, "Cannot work now", "The hub cannot reach what it keeps; try again, or ring the front door."),
    "busy": Problem(503, "Busy", "Too many questions wait; try again shortly, or ring the front door."),
}

OF_FAULT: Final[Mapping[type[Exception], str]] = {
    NoAnswer: "no-answer",
    NoStanding: "no-standing",
    CannotBeShownComplete: "incomplete",
    CannotRecord: "unrecorded",
    BadCursor: "cursor",
    NoSuchItem: "no-item",
    TooManyChildren: "too-many",
}
"""Which problem each end of the door out is."""

OF_STATUS: Final[Mapping[int, str]] = {400: "body", 404: "no-page", 405: "method", 413: "large", 422: "body"}
"""Which problem stands for a status that the framework gives by itself; any other is a fault."""

MEMBERS: Final = frozenset({
    "event", "version", "partnership", "origin", "change", "references", "remarks", "happened", "learned", "recorded",
    "child", "said_by", "summary", "narrative", "childs_words", "adults_account", "people", "place", "shared_under",
    "relevance", "addressed_to", "asked", "by_when", "not_to_be_told", "told", "afterwards", "label", "incident",
    "details", "role", "decision", "other", "reason", "person", "to", "subjects", "events",
})  # fmt: skip
"""Names that a problem may name; anything else a caller may have written."""


POINTER: Final = re.compile(r"[a-z0-9_/]{1,100}", re.ASCII)


class Refusal(Exception):
    """This call ends with that problem. `more` are members from our own closed lists."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **more: str) -> None:
        super().__init__(code)
        self.code, self.headers, self.more = code, headers, more


def problem(code: str, headers: Mapping[str, str] | None = None, **more: str) -> Response:
    """The answer for one row of the table: the same bytes for the same row."""
    row = PROBLEMS[code]
    body = {"type": TYPE + code, "title": row.title, "status": row.status, "detail": row.detail, **more}
    named = {**(headers or {}), **({"WWW-Authenticate": "Bearer"} if row.status == 401 else {})}
    return Response(orjson.dumps(body), row.status, named, media_type=MEDIA_TYPE)


def of_fault(fault: Exception) -> Response:
    """The answer for an expected end that a door raised."""
    if isinstance(fault, Refusal):
        return problem(fault.code, fault.headers, **fault.more)
    if isinstance(fault, NotYours):
        return problem("not-yours", rule=_rule(fault))
    if isinstance(fault, CannotSettle):
        return problem("cannot-settle", rule=_rule(fault))
    if isinstance(fault, Misfit):
        return problem("misfit", member=_member(fault))
    return problem(OF_FAULT[type(fault)])


def of_status(status: int, headers: Mapping[str, str] | None) -> Response:
    """The answer for a status that the framework gives by itself."""
    allow = {name: value for name, value in (headers or {}).items() if name.lower() == "allow"}
    return problem(OF_STATUS.get(status, "fault"), allow)


def _member(fault: Misfit) -> str:
    """The member, or the way to it, that the door names: from a member of ours on, in names as schemas have them."""
    named = str(fault).partition(":")[0].strip("/")
    return named if named.partition("/")[0] in MEMBERS and POINTER.fullmatch(named) else "entry"


def _rule(fault: NotYours | CannotSettle) -> str:
    """Rules are words of ours in letters; anything else is not passed on."""
    named = str(fault)
    return named if named.isascii() and named.isalpha() and len(named) <= 64 else "NotYours"
