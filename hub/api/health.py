"""`/health`: does the process live, and is it ready? Outsiders learn ok or not ok, and nothing more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from fastapi import Request, Response

from hub.api.callers import Handler
from hub.api.doors import Doors

LOG = logging.getLogger("hub.api")
OK, NOT_OK = b'{"status":"ok"}', b'{"status":"not-ok"}'


def live() -> Handler:
    """`GET /health/live`: asks nothing."""

    async def handle(request: Request, nobody: str) -> Response:
        return Response(OK, media_type="application/json")

    return handle


def ready(doors: Doors) -> Handler:
    """`GET /health/ready`: 503 while one of the checks does not hold."""

    async def handle(request: Request, nobody: str) -> Response:
        holds = await asyncio.to_thread(_all_hold, doors)
        return Response(OK if holds else NOT_OK, 200 if holds else 503, media_type="application/json")

    return handle


def _name(check: Callable[[], bool]) -> str:
    return getattr(check, "__name__", "unnamed")


def _all_hold(doors: Doors) -> bool:
    for check in doors.checks:
        try:
            holds = check()
        except Exception as fault:  # a check that fails in any way is a check that does not hold
            LOG.error("not ready: check %s, %s", _name(check), type(fault).__name__)
            return False
        if not holds:
            LOG.warning("not ready: check %s", _name(check))
            return False
    return True
