"""Carries sealed records to the hub's HTTPS inbox and brings its receipts back. Keeps nothing, retries nothing.

The caller is proved by a token of the transport key for every call; the answer by the hub's pinned receipt key. Without
that signature nothing that comes back counts, TLS or not.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from adapters.kit.clock import Clock
from adapters.kit.delivery import Distrusted, HubHead, Said, Undelivered
from adapters.kit.outbox import Head
from schemas.envelope import KeyEntry, Receipt, Refused, SigningKey, open_receipts, transport_token
from schemas.notices import Notice, open_notices

NDJSON, JSON = "application/x-ndjson", "application/json"
TIMEOUT_S = 30.0
ASK_EVERY_S = 60.0
MOST_ANSWER_BYTES = 4 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")
WORDS = {
    401: "the hub does not know this transport key, or our clocks differ by more than a minute",
    403: "the hub does not let this source in",
    404: "there is no inbox at this address",
    413: "the batch is too large for the hub",
    415: "the hub does not read this form",
    429: "the hub asks us to wait",
}


@dataclass(frozen=True)
class Door:
    """Where the inbox is and how both sides are known. A demonstration's clock is not compared with the hub's."""

    url: str
    audience: str
    hub: str
    source: str
    transport_key: SigningKey
    receipt_key: KeyEntry
    measure_clock: bool = True


class HttpCarrier:
    """Carries over HTTPS; plain HTTP only to this machine itself. `transport` is given by tests.

    A cursor is the number of the last receipt; receipts come back with the records, so it asks seldom and never waits.
    """

    ask_every_s = ASK_EVERY_S

    def __init__(self, door: Door, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        address = urlsplit(door.url)
        at_home = address.hostname in LOOPBACK
        if address.scheme != "https" and not (address.scheme == "http" and at_home):
            raise ValueError("[hub] url must begin with https:// (http:// only for this machine itself)")
        self._door = door
        self._clock = clock
        self._ahead: float | None = None
        self._client = httpx.Client(
            base_url=door.url.rstrip("/"), timeout=TIMEOUT_S, trust_env=not at_home, transport=transport
        )

    @property
    def hub_ahead_s(self) -> float | None:
        """By the Date header of the last answer."""
        return self._ahead

    def send(self, records: Sequence[bytes]) -> list[Receipt]:
        """POST /inbox: one record a line; a receipt for each comes back in the answer."""
        answer = self._call("POST", "/inbox", content=b"\n".join(records) + b"\n", headers={"Content-Type": NDJSON})
        return self._open(answer)

    def get_head(self) -> HubHead:
        """GET /inbox/head."""
        answer = self._call("GET", "/inbox/head")
        sequence, digest, source = answer.get("sequence"), answer.get("digest"), answer.get("source")
        if type(sequence) is not int or sequence < 0 or not isinstance(digest, str) or source != self._door.source:
            raise Undelivered("the hub's answer about its head has another form")
        return HubHead(Head(sequence, digest))

    def get_receipts(self, after: str, wait_s: float) -> tuple[list[Said], str]:
        """GET /inbox/receipts?after=CURSOR&notices_after=CURSOR. Our cursor holds both."""
        known, known_notice = _read_cursor(after)
        answer = self._call("GET", "/inbox/receipts", params={"after": known, "notices_after": known_notice})
        following, following_notice = answer.get("next"), answer.get("notices_next", known_notice)
        if type(following) is not int or following < known:
            raise Undelivered("the hub's answer with receipts has another form")
        if type(following_notice) is not int or following_notice < known_notice:
            raise Undelivered("the hub's answer with notices has another form")
        return [*self._open(answer), *self._open_notices(answer)], f"{following}.{following_notice}"

    def open_notice(self, notice_id: str, person: str) -> dict[str, Any]:
        """POST /inbox/notices/ID/opened: the opening is recorded there, and answered with whom the notice is about."""
        body = json.dumps({"person": person}).encode()
        return self._call("POST", f"/inbox/notices/{notice_id}/opened", content=body, headers={"Content-Type": JSON})

    def get_restored_place(self) -> str:
        """The beginning: what the hub gives at its door, it holds."""
        return ""

    def _open(self, answer: dict[str, Any]) -> list[Receipt]:
        try:
            return open_receipts(str(answer.get("receipts", "")), self._door.receipt_key, hub=self._door.hub)
        except Refused as refused:
            raise Distrusted(f"the receipts are not the pinned hub's ({refused.step}: {refused.why})") from None

    def _open_notices(self, answer: dict[str, Any]) -> list[Notice]:
        if "notices" not in answer:  # a hub of a version before notices
            return []
        door = self._door
        try:
            return open_notices(str(answer["notices"]), door.receipt_key, hub=door.hub, source=door.source)[0]
        except Refused as refused:
            raise Distrusted(f"the notices are not the pinned hub's ({refused.step}: {refused.why})") from None

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        token = transport_token(
            self._door.transport_key,
            source=self._door.source,
            audience=self._door.audience,
            now=self._clock(),
            jti=secrets.token_hex(16),
        )
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **more.pop("headers", {})}
        try:
            with self._client.stream(method, path, headers=headers, **more) as answer:
                body = _read_bounded(answer)
        except httpx.HTTPError as fault:
            raise Undelivered(f"the hub cannot be reached ({type(fault).__name__})") from None
        if self._door.measure_clock:
            self._ahead = _measure_clock(answer.headers.get("Date"), self._clock)
        if answer.status_code != 200:
            raise _undelivered(answer)
        return _read_object(body)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


def _read_cursor(text: str) -> tuple[int, int]:
    """(cursor of receipts, cursor of notices); the beginning for one that is not ours."""
    receipts, _, notices = text.partition(".")
    if not all(part.isascii() and part.isdecimal() for part in (receipts, notices or "0")):
        return 0, 0
    return int(receipts), int(notices or 0)


def _read_bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MOST_ANSWER_BYTES:
            raise Undelivered("the hub's answer is too large")
    return bytes(body)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Undelivered("the hub's answer is no JSON object")
    return answer


def _undelivered(answer: httpx.Response) -> Undelivered:
    status = answer.status_code
    why = WORDS.get(status, "the hub has a fault" if status >= 500 else "the hub did not take it")
    return Undelivered(f"{why} ({status})", _read_retry_after(answer), too_large=status == 413)


def _read_retry_after(answer: httpx.Response) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date, which counts from the hub's own Date."""
    given = answer.headers.get("Retry-After", "")
    if given.isdecimal():
        return float(given[:9])
    until, now = _read_date(given), _read_date(answer.headers.get("Date"))
    return (until - now).total_seconds() if until and now else None


def _measure_clock(date: str | None, clock: Clock) -> float | None:
    hub = _read_date(date)
    return None if hub is None else (hub - clock()).total_seconds()


def _read_date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo is not None else None
