"""The API over doors that answer by heart, and a client that speaks ASGI to it without a network."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from hub.api.app import create_app
from hub.api.auth import BadToken
from hub.api.doors import Doors
from hub.casework import Misfit, NotYours, Recorded
from hub.disclosure import Answer, Ask, NoAnswer, NoSuchItem, Search, TeamAsk
from hub.disclosure.query import NOTHING
from hub.ingest.inbox import NotACaller, TooMany
from hub.ingest.notices import NoNotice
from schemas.envelope import Receipt
from schemas.strict import strict_json

CHILD = UUID("3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01")
HIDDEN = UUID("8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02")
PERSON, SOURCE = "fenn.okoro-dale", "urn:safeguarding:source:northmarch:live"
BODY = b'{"child":{"id":"3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"},"entries":[]}'
ITEM = "0123456789abcdef0123"
ITEMS = (
    b'{"items":[{"id":"0123456789abcdef0123","kind":"urgent","at":"2025-03-03T12:00:00.000+00:00","urgent":true,'
    b'"says":"This is urgent: you must decide what happens next."}]}'
)
PERSON_TOKEN, SOURCE_TOKEN = "a-persons", "a-sources"
TEAM = b'{"team":"urn:safeguarding:service:harrowmere-front-door","children":[]}'
PURPOSES = ("s47", "triage")
ROLES = ("frontDoor", "schoolLead")


def receipt(outcome: str = "admitted", reason: str = "", position: int | None = 7) -> Receipt:
    return Receipt(SOURCE, "e1", "ab" * 32, outcome, reason, position, "2025-03-03T12:00:00.000+00:00", 3, "cd" * 32)


NOTICE = "5d41402abc4b2a76b9719d911017c592"


@dataclass
class FakeInbox:
    """Knows one caller; takes what it is given."""

    taken: list[tuple[str, list[bytes]]] = field(default_factory=list)
    wait_s: int = 0
    spent: list[int] = field(default_factory=list)
    openings: list[str] = field(default_factory=list)

    def caller(self, token: str) -> str:
        if token != SOURCE_TOKEN:
            raise NotACaller("unknown")
        return SOURCE

    def spend(self, source: str, records: int, seconds: float) -> None:
        if self.wait_s:
            raise TooMany(self.wait_s)
        self.spent.append(records)

    def take(self, source: str, records: Sequence[bytes]) -> str:
        self.taken.append((source, list(records)))
        return "a.signed.receipt"

    def head(self, source: str) -> Mapping[str, object]:
        return {"source": source, "sequence": 3, "digest": "ab" * 32}

    def receipts(self, source: str, after: int) -> tuple[str, int]:
        return "a.signed.receipt", after + 1

    def told(self, source: str, after: int) -> tuple[str, int]:
        return "a.signed.notice", after

    def open_notice(self, source: str, notice_id: str, person: str) -> Mapping[str, object]:
        if notice_id != NOTICE:
            raise NoNotice
        self.openings.append(notice_id)
        return {"id": notice_id, "kind": "history-asked", "opened": "2025-03-03T12:00:00.000+00:00"}


@dataclass
class FakeDisclosure:
    """Answers for one child; every other is no answer."""

    asked: list[Ask | TeamAsk] = field(default_factory=list)
    fault: Exception | None = None
    next: str = ""

    def chronology(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if self.fault:
            raise self.fault
        if ask.child != CHILD:
            raise NoAnswer
        return Answer(BODY, hashlib.sha256(BODY).hexdigest(), self.next)

    def open_items(self, ask: TeamAsk) -> Answer:
        self.asked.append(ask)
        if self.fault:
            raise self.fault
        return Answer(TEAM, hashlib.sha256(TEAM).hexdigest())


@dataclass
class FakeQuery:
    """Knows nobody."""

    asked: list[Search] = field(default_factory=list)

    def answer(self, search: Search) -> bytes:
        self.asked.append(search)
        return NOTHING


@dataclass
class FakeItems:
    """Lists one item, and knows no other."""

    opened: list[tuple[str, str]] = field(default_factory=list)
    fault: Exception | None = None

    def list(self, person: str, cursor: str = "") -> bytes:
        if self.fault:
            raise self.fault
        return ITEMS

    def open(self, person: str, id: str) -> Mapping[str, str]:
        if id != ITEM:
            raise NoSuchItem
        self.opened.append((person, id))
        return {"id": id, "opened": "2025-03-03T12:00:00.000+00:00"}


@dataclass
class FakeCasework:
    """Records what it is given, unless it is told to fail."""

    recorded: list[Any] = field(default_factory=list)
    fault: Exception | None = None
    gives: Receipt = field(default_factory=receipt)

    def record(self, person: str, entry: Mapping[str, Any], *, role: str = "") -> Recorded:
        self._fail()
        if entry["event"] == "no-such-kind":
            raise Misfit("event")
        if entry["event"] == "role-held":
            raise NotYours("OnlyOfficersRegisterStaff")
        self.recorded.append((person, dict(entry), role))
        return Recorded(self.gives, "e1", "urn:safeguarding:source:people:front-door")

    def settle(self, person: str, what: str, child: UUID, other: UUID, reason: str) -> Recorded:
        self._fail()
        self.recorded.append((person, what, child, other, reason))
        return Recorded(self.gives, "e2", "urn:safeguarding:source:people:stewards")

    def settle_quarantine(self, person: str, id: str, *, release: bool, reason: str) -> Receipt:
        self._fail()
        self.recorded.append((person, id, release, reason))
        return self.gives

    def _fail(self) -> None:
        if self.fault:
            raise self.fault


def person_of(token: str) -> str:
    if token != PERSON_TOKEN:
        raise BadToken("unknown")
    return PERSON


@dataclass
class Client:
    """Calls an application as a person, a source or nobody."""

    app: FastAPI
    token: str = ""

    def call(self, method: str, path: str, headers: Any = None, content: Any = b"", json: str = "") -> httpx.Response:
        sent = list((headers or {}).items()) if isinstance(headers, Mapping | None) else list(headers)
        if self.token:
            sent.append(("Authorization", f"Bearer {self.token}"))
        if json:
            sent.append(("Content-Type", "application/json"))
        return asyncio.run(self._call(method, path, sent, json.encode() if json else content))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, json: str) -> httpx.Response:
        return self.call("POST", path, json=json)

    def records(self, content: Any, media: str = "application/x-ndjson") -> httpx.Response:
        return self.call("POST", "/inbox", {"Content-Type": media}, content)

    async def _call(self, method: str, path: str, headers: Any, content: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://hub.example") as client:
            return await client.request(method, path, headers=headers, content=content)


class StoreAway(Exception):
    """What a store raises that cannot be reached."""


@dataclass
class World:
    """The fakes behind one application, and its callers."""

    inbox: FakeInbox = field(default_factory=FakeInbox)
    disclosure: FakeDisclosure = field(default_factory=FakeDisclosure)
    query: FakeQuery = field(default_factory=FakeQuery)
    items: FakeItems = field(default_factory=FakeItems)
    casework: FakeCasework = field(default_factory=FakeCasework)
    checks: list[Callable[[], bool]] = field(default_factory=list)
    body_s: float = 30
    demo: bool = False

    def app(self) -> FastAPI:
        doors = Doors(
            inbox=self.inbox, disclosure=self.disclosure, query=self.query, items=self.items, teams=self.disclosure,
            casework=self.casework, person_of=person_of, strict_json=strict_json, purposes=PURPOSES, roles=ROLES,
            away=(StoreAway,), checks=self.checks, body_s=self.body_s,
        )  # fmt: skip
        return create_app(doors, demo=self.demo, seconds=lambda: 0.0)

    @property
    def person(self) -> Client:
        return Client(self.app(), PERSON_TOKEN)

    @property
    def source(self) -> Client:
        return Client(self.app(), SOURCE_TOKEN)

    @property
    def nobody(self) -> Client:
        return Client(self.app())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def problem() -> Callable[[httpx.Response], tuple[int, str]]:
    """(status, code) of a problem document, after checking that it is one."""

    def read(answer: httpx.Response) -> tuple[int, str]:
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()
        assert found["status"] == answer.status_code
        return answer.status_code, found["type"].removeprefix("urn:safeguarding:problem:")

    return read
