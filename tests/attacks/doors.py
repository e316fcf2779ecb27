"""All doors of the hub in one, for attacks on the way to them: each counts who came, and fails when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from hub.api.app import create_app
from hub.api.auth import BadToken
from hub.api.doors import Doors
from hub.api.issuer_keys import KeysAway
from hub.casework import Recorded
from hub.disclosure import Answer, Ask, NoAnswer, Search, TeamAsk
from hub.ingest.inbox import NotACaller
from schemas.envelope import Receipt
from schemas.strict import strict_json

CHILD = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"
GOOD = "good"
RECEIPT = Receipt("urn:s", "e1", "", "admitted", "", 1, "2025-03-03T12:00:00Z", 1, "")


class Fakes:
    """All doors at once; each counts, and fails when it is told to."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.fault: Exception | None = None
        self.keys_away = False

    def _called(self, *what: Any) -> None:
        self.calls.append(what)
        if self.fault:
            raise self.fault

    def person_of(self, token: str) -> str:
        if self.keys_away:
            raise KeysAway
        if token != GOOD:
            raise BadToken("form")
        return "fenn"

    def caller(self, token: str) -> str:
        if token != GOOD:
            raise NotACaller(token)
        return "urn:s"

    def spend(self, source: str, records: int, seconds: float) -> None:
        """Nobody waits here."""

    def take(self, source: str, records: Sequence[bytes]) -> str:
        self._called("take", len(records))
        return "receipts"

    def head(self, source: str) -> Mapping[str, object]:
        self._called("head")
        return {"source": source, "sequence": 0, "digest": ""}

    def receipts(self, source: str, after: int) -> tuple[str, int]:
        self._called("receipts")
        return "receipts", after

    told = receipts

    def open_notice(self, source: str, notice_id: str, person: str) -> Mapping[str, str]:
        return self.open(person, notice_id)

    def chronology(self, ask: Ask) -> Answer:
        self._called("chronology", ask)
        if str(ask.child) != CHILD:
            raise NoAnswer
        return Answer(b"{}", "0" * 64)

    def answer(self, search: Search) -> bytes:
        self._called("query", search)
        return b"{}"

    def list(self, person: str, cursor: str = "") -> bytes:
        self._called("list")
        return b'{"items":[]}'

    def open(self, person: str, id: str) -> Mapping[str, str]:
        self._called("open")
        return {"id": id, "opened": ""}

    def open_items(self, ask: TeamAsk) -> Answer:
        self._called("open_items", ask)
        return Answer(b"{}", "0" * 64)

    def record(self, person: str, entry: Mapping[str, Any], *, role: str = "") -> Recorded:
        self._called("record", entry)
        return Recorded(RECEIPT, "e1", "urn:s")

    def settle(self, person: str, what: str, child: UUID, other: UUID, reason: str) -> Recorded:
        return self.record(person, {"settled": what})

    @property
    def review(self) -> Any:
        listed = dict.fromkeys(("items", "readers"), lambda *_: self._called("review") or [])
        return SimpleNamespace(**listed, show=lambda *_: self._called("show") or {"child": CHILD})

    def settle_quarantine(self, person: str, id: str, *, release: bool, reason: str) -> Receipt:
        self._called("settle_quarantine")
        return RECEIPT

    def app(self, **more: Any) -> FastAPI:
        doors = Doors(
            inbox=self, disclosure=self, query=self, items=self, teams=self, casework=self,
            person_of=self.person_of, strict_json=strict_json, purposes=("s47",), roles=("frontDoor",), **more,
        )  # fmt: skip
        return create_app(doors)
