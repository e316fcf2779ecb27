"""The application: routes from the table of callers, each with its guard; expected ends become problem documents."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from hub.api import casework, children, health, identity, inbox, me, open_items
from hub.api import query as person_query
from hub.api.auth import BadToken
from hub.api.callers import ROUTES, Caller, Handler
from hub.api.describe import document
from hub.api.doors import Doors
from hub.api.edges import Edges
from hub.api.issuer_keys import KeysAway
from hub.api.lane import Lane
from hub.api.problems import OF_FAULT, OF_STATUS, Refusal, of_fault, of_status, problem
from hub.api.reading import bearer
from hub.casework import CannotSettle, Misfit, NotYours
from hub.ingest.inbox import NotACaller

LOG = logging.getLogger("hub.api")
Identify = Callable[[Request], Awaitable[str]]


class Undeclared(Exception):
    """A route has no row in the table of callers, or a row no handler: the hub does not start."""


class HubApi(FastAPI):
    """The application; its description is ours, written by hand and published as a file."""

    def openapi(self) -> dict[str, Any]:
        """The published description."""
        return document()


def create_app(doors: Doors, *, demo: bool = False, seconds: Callable[[], float] = time.monotonic) -> FastAPI:
    """The API over the hub's doors. `demo` also serves `/openapi.json`; `seconds` is a monotonic clock."""
    lane = Lane()
    app = HubApi(
        title="Safeguarding Hub", docs_url=None, redoc_url=None, redirect_slashes=False,
        openapi_url="/openapi.json" if demo else None,
    )  # fmt: skip
    handlers = _handlers(doors, lane, seconds)
    if handlers.keys() != {(row.method, row.path) for row in ROUTES}:
        raise Undeclared
    identify = {
        Caller.NOBODY: _nobody,
        Caller.SOURCE: lambda request: _source(request, doors, lane),
        Caller.PERSON: lambda request: _person(request, doors),
    }
    for row in ROUTES:
        guarded = _guarded(handlers[row.method, row.path], identify[row.caller])
        app.add_api_route(row.path, guarded, methods=[row.method], response_model=None, response_class=Response)
    _end_in_problems(app)
    app.add_middleware(Edges, away=doors.away)
    return app


def _handlers(doors: Doors, lane: Lane, seconds: Callable[[], float]) -> Mapping[tuple[str, str], Handler]:
    return {
        ("POST", "/inbox"): inbox.post(doors, lane, seconds),
        ("GET", "/inbox/head"): inbox.get_head(doors, lane),
        ("GET", "/inbox/receipts"): inbox.get_receipts(doors, lane),
        ("POST", "/inbox/notices/{id}/opened"): inbox.post_opened(doors, lane, seconds),
        ("GET", "/children/{id:path}/chronology"): children.get_chronology(doors, lane),
        ("POST", "/children/$person-info-query"): person_query.post_query(doors, lane, seconds),
        ("GET", "/me/items"): me.get_items(doors, lane),
        ("POST", "/me/items/{id}/opened"): me.post_opened(doors, lane),
        ("GET", "/me/open-items"): open_items.get_open_items(doors, lane),
        ("POST", "/casework"): casework.post_entry(doors, lane),
        ("POST", "/casework/identity"): casework.post_identity(doors, lane),
        ("POST", "/casework/quarantine/{id}"): casework.post_quarantine(doors, lane),
        ("GET", "/identity/items"): identity.get_items(doors, lane),
        ("GET", "/identity/children/{id}"): identity.get_child(doors, lane),
        ("GET", "/identity/children/{id}/readers"): identity.get_readers(doors, lane),
        ("GET", "/health/live"): health.live(),
        ("GET", "/health/ready"): health.ready(doors),
    }


def _guarded(handler: Handler, identify: Identify) -> Callable[[Request], Awaitable[Response]]:
    """Nothing of a request but its token is read before its caller is proved."""

    async def endpoint(request: Request) -> Response:
        return await handler(request, await identify(request))

    return endpoint


async def _nobody(request: Request) -> str:
    return ""


async def _person(request: Request, doors: Doors) -> str:
    token = bearer(request)
    try:
        return doors.person_of(token)
    except BadToken as bad:
        LOG.info("token refused: %s", bad)
        raise Refusal("token") from None
    except KeysAway:
        raise Refusal("keys", headers={"Retry-After": "30"}) from None


async def _source(request: Request, doors: Doors, lane: Lane) -> str:
    token = bearer(request)
    try:
        return await lane.for_machines(doors.inbox.caller, token)
    except NotACaller:
        LOG.info("transport token refused")
        raise Refusal("token") from None


def _end_in_problems(app: FastAPI) -> None:
    async def expected(request: Request, fault: Exception) -> Response:
        return of_fault(fault)

    async def by_status(request: Request, fault: Exception) -> Response:
        if getattr(fault, "status_code", 0) == 404 and request.url.path.startswith("/children/"):
            return problem("no-answer")  # an id that no route takes is no child's either
        return of_status(getattr(fault, "status_code", 500), getattr(fault, "headers", None))

    async def invalid(request: Request, fault: Exception) -> Response:
        return problem("body")

    for kind in (Refusal, NotYours, Misfit, CannotSettle, *OF_FAULT):
        app.add_exception_handler(kind, expected)
    for status in OF_STATUS:
        app.add_exception_handler(status, by_status)
    app.add_exception_handler(RequestValidationError, invalid)
