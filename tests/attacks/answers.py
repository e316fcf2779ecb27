"""Asks both of two hubs the same questions over the API and names every part in which their answers differ.

Speaks ASGI to the real application. Knows nothing of what is hidden: a part that differs is a leak, whatever it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from hub import serving
from hub.api.demo_issuer import demo_issuer
from hub.bootstrap import Hub

PAGES_AT_MOST = 50
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What came back, but for the header `Date`."""

    status: int
    headers: Headers
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        return json.loads(self.body) if self.body else {}

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    def with_headers(self, **new: str) -> Answer:
        """The same answer with other values of these headers."""
        return Answer(self.status, tuple((name, new.get(name, value)) for name, value in self.headers), self.body)


@dataclass(frozen=True)
class Question:
    """Who reads which child what for; `headers` as HTTP has them."""

    person: str
    child: str
    query: tuple[tuple[str, str], ...]
    headers: Headers = ()

    def also(self, **query: str) -> Question:
        return Question(self.person, self.child, (*self.query, *query.items()), self.headers)


Ask = Callable[[Question], Answer]


class Client:
    """One hub's API in this process."""

    def __init__(self, hub: Hub, loop: asyncio.Runner) -> None:
        self.hub, self.loop, self.app = hub, loop, serving.build(hub)
        self.issuer = demo_issuer(hub.settings.home, hub.clock)
        self._tokens: dict[str, str] = {}

    def ask(self, question: Question) -> Answer:
        """One GET of a chronology."""
        headers = [*self._proof(question.person), *question.headers]
        return self.loop.run(self._call("GET", f"/children/{question.child}/chronology", question.query, headers))

    def search(self, person: str, asked: dict[str, Any], reason: str, role: str) -> Answer:
        """One query about somebody who is described."""
        headers = [*self._proof(person), ("content-type", "application/json")]
        body = json.dumps({"person": asked, "reason": reason, "role": role}).encode()
        return self.loop.run(self._call("POST", "/children/$person-info-query", (), headers, body))

    def items(self, person: str) -> Answer:
        """What waits for somebody."""
        return self.loop.run(self._call("GET", "/me/items", (), self._proof(person)))

    def _proof(self, person: str) -> list[tuple[str, str]]:
        token = self._tokens.get(person) or self.issuer.token(person, self.hub.settings.audience)
        self._tokens[person] = token
        return [("host", "hub.example"), ("authorization", f"Bearer {token}")]

    async def _call(
        self, method: str, path: str, query: Any, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": urlencode(query).encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": ("127.0.0.1", 1), "server": ("hub.example", 443),
        }  # fmt: skip
        got: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            got.append(message)

        await self.app(scope, receive, send)
        start = got[0]
        named = tuple((n.decode().lower(), v.decode()) for n, v in start["headers"] if n.lower() != b"date")
        return Answer(start["status"], named, b"".join(one.get("body", b"") for one in got[1:]))


def question(person: str, child: UUID | str, purpose: str, role: str) -> Question:
    """The first page of a chronology."""
    return Question(person, str(child), (("purpose", purpose), ("role", role)))


def differences(first: Question, left: Ask, right: Ask) -> set[str]:
    """The parts in which two hubs answer one question, page after page, differently; none where all bytes are equal.

    count: a number in the body; entries: which entries, or what stands in them; order: the same entries in another
    order; page: where a page ends; and status, body (the rest), or a header by its name.
    """
    found: set[str] = set()
    asked = first
    for _ in range(PAGES_AT_MOST):
        one, other = left(asked), right(asked)
        found |= parts(one, other)
        cursor = one.said.get("next") if one.status == 200 else None
        if not cursor:
            return found
        asked = first.also(cursor=cursor)
    raise AssertionError("a chronology without an end")


def parts(one: Answer, other: Answer) -> set[str]:
    """What differs between two answers to the same call."""
    if one == other:
        return set()
    found = {"status"} if one.status != other.status else set()
    ours, theirs = dict(one.headers), dict(other.headers)
    found |= {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    if one.headers != other.headers and not found:
        found.add("headers")
    if one.body != other.body:
        found |= _body_parts(one.said, other.said)
    return found


def _body_parts(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    ours, theirs = one.get("entries", []), other.get("entries", [])
    found = set()
    if ours != theirs:
        found.add("page" if len(ours) != len(theirs) else "order" if _same_set(ours, theirs) else "entries")
    if ("next" in one) != ("next" in other):
        found.add("page")
    for name in (one.keys() | other.keys()) - {"entries", "next"}:
        if one.get(name) != other.get(name):
            found.add("count" if isinstance(one.get(name, other.get(name)), int) else name)
    return found or {"body"}


def _same_set(ours: list[Any], theirs: list[Any]) -> bool:
    return sorted(map(_text, ours)) == sorted(map(_text, theirs))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
