"""The outermost layer: security headers on every answer, and the last resort when something unexpected fails.

Headers after the OWASP secure headers project and ASVS 5.0 V3.4 and V14.3.2; a page may set its own policy, which then
stands. The last resort answers with fixed words and logs the kind of fault and its place in the code, never its text:
the text of an unexpected fault may hold anything.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hub.api.problems import problem

LOG = logging.getLogger("hub.api")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"strict-transport-security": b"max-age=31536000; includeSubDomains",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
RETRY_AFTER_S = "5"


class BrokenOff(RuntimeError):
    """An answer had begun when something failed; the connection ends here."""


class Edges:
    """Pure ASGI middleware."""

    def __init__(self, app: Application, away: tuple[type[Exception], ...] = ()) -> None:
        """`away`: what is raised while the hub cannot reach what it keeps."""
        self.app, self.away = app, away

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a call on, and see to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = list(message.get("headers", ()))
                there = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in HEADERS.items() if name not in there]
                message["headers"] = headers
            await send(message)

        try:
            await self.app(scope, receive, dressed)
        except Exception as fault:  # the last resort: whatever it was, the process lives and nothing of it gets out
            LOG.error("unexpected fault: %s at %s", type(fault).__name__, _place(fault))
            if begun:
                raise BrokenOff from None
            here = not isinstance(fault, self.away)
            answer = problem("fault") if here else problem("away", {"Retry-After": RETRY_AFTER_S})
            await answer(scope, receive, dressed)


def _place(fault: Exception) -> str:
    last = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno}"
