"""Attacks on the HTTP door, by what they try; row numbers are of the API checklist that the hub follows (ASVS 5.0)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from hub.api.callers import ROUTES, Caller
from hub.api.describe import document
from hub.ingest.inbox import BODY_LIMIT
from tests.attacks.doors import CHILD, GOOD, Fakes

MARKER = "Quillfeather<script>alert(1)</script>'--%0d%0aX-Evil:1"


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


class Got:
    """An answer as it went over the wire."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        start, *rest = messages
        self.status: int = start["status"]
        self.raw_headers: list[tuple[bytes, bytes]] = list(start["headers"])
        self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in self.raw_headers}
        self.body = b"".join(message.get("body", b"") for message in rest)

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["type"]).rpartition(":")[2]

    @property
    def everything(self) -> str:
        return repr(self.raw_headers) + self.body.decode()


def send(
    app: FastAPI, method: str, path: str, *, query: str = "", body: bytes = b"", chunks: Any = None,
    headers: Sequence[tuple[str, str]] = (), token: str = GOOD,
) -> Got:  # fmt: skip
    """One request, by ASGI itself: no client tidies it up."""
    parts = iter(chunks if chunks is not None else [body])
    given = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if token:
        given.append((b"authorization", f"Bearer {token}".encode("latin-1")))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "headers": given, "scheme": "https",
        "server": ("hub.example", 443), "client": ("192.0.2.1", 1), "root_path": "",
    }  # fmt: skip
    messages: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        part = next(parts, None)
        if part is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        if part == "hangs":
            await asyncio.Event().wait()
        if part == "hangs up":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": True}

    async def answered(message: Mapping[str, Any]) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, answered))
    return Got(messages)


JSON = [("Content-Type", "application/json")]
NDJSON = [("Content-Type", "application/x-ndjson")]
ENTRY = json.dumps({"event": "contact-received", "child": CHILD}).encode()
OPENING, QUERY = b'{"person":"marnie.pell"}', "/children/$person-info-query"
GOOD_CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/inbox"): {"path": "/inbox", "headers": NDJSON, "body": b"{}\n"},
    ("GET", "/inbox/head"): {"path": "/inbox/head"},
    ("GET", "/inbox/receipts"): {"path": "/inbox/receipts", "query": "after=1"},
    ("POST", "/inbox/notices/{id}/opened"): {"path": "/inbox/notices/5d41/opened", "headers": JSON, "body": OPENING},
    ("GET", "/children/{id:path}/chronology"): {"path": f"/children/{CHILD}/chronology", "query": "purpose=s47"},
    ("POST", QUERY): {"path": QUERY, "headers": JSON, "body": b'{"person":{},"reason":"s47"}'},
    ("GET", "/me/items"): {"path": "/me/items"},
    ("POST", "/me/items/{id}/opened"): {"path": "/me/items/0123456789abcdef0123/opened"},
    ("GET", "/me/open-items"): {"path": "/me/open-items", "query": "purpose=s47"},
    ("POST", "/casework"): {"path": "/casework", "headers": JSON, "body": ENTRY},
    ("POST", "/casework/identity"): {
        "path": "/casework/identity", "headers": JSON,
        "body": json.dumps({"decision": "same", "child": CHILD, "other": CHILD, "reason": "r"}).encode(),
    },
    ("POST", "/casework/quarantine/{id}"): {
        "path": "/casework/quarantine/0123456789abcdef", "headers": JSON,
        "body": b'{"decision":"release","reason":"r"}',
    },
    ("GET", "/identity/items"): {"path": "/identity/items", "query": "purpose=s47"},
    ("GET", "/identity/children/{id}"): {"path": f"/identity/children/{CHILD}", "query": "purpose=s47"},
    ("GET", "/identity/children/{id}/readers"): {"path": f"/identity/children/{CHILD}/readers", "query": "purpose=s47"},
    ("GET", "/health/live"): {"path": "/health/live"},
    ("GET", "/health/ready"): {"path": "/health/ready"},
}  # fmt: skip
ALL = [pytest.param(*key, id=f"{key[0]} {key[1]}") for key in GOOD_CALLS]
GUARDED = [pytest.param(row.method, row.path) for row in ROUTES if row.caller is not Caller.NOBODY]


def good(app: FastAPI, method: str, path: str, /, **changes: Any) -> Got:
    return send(app, method, **{**GOOD_CALLS[method, path], **changes})


# 1: every route but health needs a valid token


def test_every_route_of_the_application_stands_in_the_table_of_callers(fakes):
    served = {(method, route.path) for route in fakes.app().routes for method in route.methods}
    assert served == {(row.method, row.path) for row in ROUTES} == GOOD_CALLS.keys()


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_good_call_is_answered(fakes, method, path):
    assert good(fakes.app(), method, path).status < 300


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        [], [("Authorization", "")], [("Authorization", "Bearer")], [("Authorization", "Bearer ")],
        [("Authorization", "Basic Z29vZDpnb29k")], [("Authorization", GOOD)], [("Authorization", "Bearer other")],
        [("Authorization", f"Bearer  {GOOD}")], [("Authorization", f"Bearer {GOOD} {GOOD}")],
        [("Authorization", f"Bearer {GOOD}"), ("Authorization", f"Bearer {GOOD}")],
        [("Authorization", f"Bearer {GOOD}"), ("Authorization", "Bearer other")],
        [("X-Authorization", f"Bearer {GOOD}")], [("Cookie", f"token={GOOD}")], [("Authorization", "Bearer \xe9")],
    ],
)  # fmt: skip
def test_without_one_good_token_nothing_is_answered_and_no_door_is_asked(fakes, method, path, headers):
    call = GOOD_CALLS[method, path]
    got = good(fakes.app(), method, path, token="", headers=[*call.get("headers", ()), *headers])
    assert (got.status, got.code, got.headers["www-authenticate"]) == (401, "token", "Bearer")
    assert fakes.calls == []


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_token_in_the_query_is_no_token(fakes, method, path):
    got = good(fakes.app(), method, path, token="", query=f"access_token={GOOD}")
    assert (got.status, fakes.calls) == (401, [])


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nothing_of_the_body_is_read_before_the_caller_is_proved(fakes, method, path):
    def untouched() -> Any:
        pytest.fail("the body was read")
        yield b""

    assert good(fakes.app(), method, path, token=GOOD + "x", chunks=untouched()).status == 401


def test_while_no_keys_can_be_had_a_caller_is_told_to_try_again_and_not_that_the_token_is_bad(fakes):
    fakes.keys_away = True
    got = good(fakes.app(), "POST", "/casework")
    assert (got.status, got.code, got.headers["retry-after"]) == (503, "keys", "30")


@pytest.mark.parametrize(("method", "path"), ALL)
def test_another_method_is_refused_with_the_allowed_ones(fakes, method, path):
    for other in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST" if method == "GET" else "GET"):
        got = send(fakes.app(), other, GOOD_CALLS[method, path]["path"])
        assert (got.status, got.code, got.headers["allow"]) == (405, "method", method)


# 24: existence is not revealed


def test_hidden_absent_and_malformed_children_are_the_same_bytes(fakes):
    app = fakes.app()
    ids = ["8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02", "00000000-0000-4000-8000-000000000000"]
    ids += ["x", "../..", "", "a/b", "\x00", CHILD.upper(), f"{{{CHILD}}}", CHILD + "\n"]
    got = [send(app, "GET", f"/children/{id}/chronology", query="purpose=s47") for id in ids]
    assert {one.status for one in got} == {404}
    assert len({(one.body, tuple(one.raw_headers)) for one in got}) == 1


# 27, 28: size and time


def test_a_gigabyte_in_chunks_is_refused_at_the_limit_and_read_no_further(fakes):
    pulled = 0

    def gigabyte() -> Any:
        nonlocal pulled
        for _ in range(16 * 1024):
            pulled += 1
            yield bytes(64 * 1024)

    got = good(fakes.app(), "POST", "/inbox", chunks=gigabyte())
    assert (got.status, got.code) == (413, "large")
    assert pulled * 64 * 1024 <= BODY_LIMIT + 64 * 1024
    assert fakes.calls == []


@pytest.mark.parametrize("announced", ["99999999999", str(2**70), "9" * 5000])
def test_an_announced_flood_is_refused_unread(fakes, announced):
    def untouched() -> Any:
        pytest.fail("the body was read")
        yield b""

    got = good(
        fakes.app(), "POST", "/inbox", headers=[*NDJSON, ("Content-Length", announced)], chunks=untouched()
    )  # fmt: skip
    assert got.status == 413


def test_a_body_that_never_ends_is_given_up(fakes):
    got = good(fakes.app(body_s=0), "POST", "/inbox", chunks=[b"{", "hangs"])
    assert (got.status, got.code, fakes.calls) == (408, "slow", [])


def test_a_caller_that_hangs_up_in_the_middle_has_posted_nothing(fakes):
    for path in ("/inbox", "/casework", QUERY):
        good(fakes.app(), "POST", path, chunks=[b'{"event":', "hangs up"])
    assert fakes.calls == []


def test_a_hundred_thousand_brackets_are_refused(fakes):
    for bracket in (b"[", b'{"a":', b'{"a":['):
        got = good(fakes.app(), "POST", "/casework", body=(bracket * 100_000)[:120_000])
        assert (got.status, got.code) == (400, "body")
    assert fakes.calls == []


# 29, 30: strict JSON


POISON = [
    b'{"event":"contact-received","event":"role-held"}', b'{"event":"contact-received","n":NaN}',
    b'{"event":"contact-received","n":1.5}', b'{"event":"contact-received","n":Infinity}', b"[]", b"null", b'"x"', b"",
    b'{"event":"contact-received","n":1e3}', b'{"event":"contact-received","n":12345678901234567}', b"\xff\xfe{}",
    b'{"event":"contact-received","s":"\\ud800"}', b'\xef\xbb\xbf{"event":"contact-received"}',
    b'{"event":"contact-received"}{}', b"{'event':'contact-received'}", b'{"event":"contact-received",}',
]  # fmt: skip


@pytest.mark.parametrize("body", POISON)
def test_json_with_two_readings_or_none_is_refused(fakes, body):
    got = good(fakes.app(), "POST", "/casework", body=body)
    assert (got.status, got.code, fakes.calls) == (400, "body", [])


def test_the_corpus_of_hostile_json_never_breaks_the_door(fakes, shared_dir: Path):
    app = fakes.app()
    for path in sorted((shared_dir / "vectors" / "json_test_suite" / "test_parsing").glob("*.json")):
        got = good(app, "POST", "/casework", body=path.read_bytes())
        assert 400 <= got.status < 500, path.name
    assert fakes.calls == []


def test_a_member_that_nobody_asked_for_is_refused(fakes):
    for path in ("/casework/identity", "/casework/quarantine/{id}", QUERY):
        body = json.loads(GOOD_CALLS["POST", path]["body"]) | {"admin": True}
        assert good(fakes.app(), "POST", path, body=json.dumps(body).encode()).status == 422
    assert fakes.calls == []


# 31: repeated and unknown parameters


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_repeated_and_unknown_parameters_are_refused(fakes, method, path):
    known = GOOD_CALLS[method, path].get("query", "")
    repeated = [f"{known}&{known}"] if known else []
    for query in [*repeated, f"{known}&debug=1", f"{known}&purpose[]=s47", "x", "=", "%00=1"]:
        got = good(fakes.app(), method, path, query=query)
        assert (got.status, got.code) in ((400, "query"), (400, "purpose"))
    assert fakes.calls == []


# 32, 33, 34: errors give nothing away


def tainted() -> list[Any]:
    """A call for every place in which something can be sent, each with the marker there."""
    query = MARKER.replace("%", "%25").replace("&", "%26")
    found: list[tuple[str, str, str, dict[str, Any]]] = []
    for (method, path), call in GOOD_CALLS.items():
        headers, asked = call.get("headers", []), call.get("query", "")
        base = {"method": method, "path": path}
        found += [
            ("token", method, path, {"token": MARKER.replace("\n", "")}),
            ("parameter", method, path, {"query": f"{asked}&x={query}"}),
            ("parameter's name", method, path, {"query": f"{asked}&{query}=x"}),
            ("media type", method, path, {"headers": [("Content-Type", MARKER)], "body": b"{}"}),
            ("header", method, path, {"headers": [*headers, ("X-Request-Id", MARKER), ("If-None-Match", MARKER)]}),
            ("body", method, path, {"body": MARKER.encode()}),
            ("member's name", method, path, {"body": json.dumps({"event": "x", MARKER: 1}).encode()}),
            ("event", method, path, {"body": json.dumps({"event": MARKER, "child": 1}).encode()}),
        ]
        for name in ("role", "child", "other", "decision", "reason", "said_by", "details", "person"):
            whole = json.loads(call["body"]) if base["path"].startswith(("/casework", QUERY)) else {}
            found.append((f"member {name}", method, path, {"body": json.dumps({**whole, name: MARKER}).encode()}))
    chronology = ("GET", "/children/{id:path}/chronology")
    for name in ("purpose", "role", "as_of", "cursor"):
        asked = f"{name}={query}" if name == "purpose" else f"purpose=s47&{name}={query}"
        found.append((name, *chronology, {"query": asked}))
    found.append(("child's id", *chronology, {"path": f"/children/{MARKER}/chronology"}))
    found.append(("quarantine id", "POST", "/casework/quarantine/{id}", {"path": f"/casework/quarantine/{MARKER}"}))
    found.append(("notice id", "POST", "/inbox/notices/{id}/opened", {"path": f"/inbox/notices/{MARKER}/opened"}))
    found.append(("cursor", "GET", "/inbox/receipts", {"query": f"after={query}"}))
    found.append(("path", "GET", "/inbox/head", {"path": f"/{MARKER}"}))
    return [pytest.param(*rest, id=f"{place} of {rest[0]} {rest[1]}") for place, *rest in found]


@pytest.mark.parametrize(("method", "path", "change"), tainted())
def test_nothing_that_was_sent_comes_back_or_is_logged(fakes, caplog, method, path, change):
    caplog.set_level(logging.DEBUG)
    got = good(fakes.app(), method, path, **change)
    assert "Quillfeather" not in got.everything
    assert "X-Evil" not in got.everything
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("hub"))
    assert "Quillfeather" not in logged
    assert got.status < 500


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_unexpected_fault_ends_in_fixed_words_and_the_process_lives(fakes, caplog, method, path):
    app = fakes.app()
    fakes.fault = RuntimeError("SELECT * FROM child WHERE name='Quillfeather'")
    got = good(app, method, path)
    assert (got.status, got.code, got.headers["content-type"]) == (500, "fault", "application/problem+json")
    assert "Quillfeather" not in got.everything + caplog.text
    assert "RuntimeError at doors.py:" in caplog.text
    fakes.fault = None
    assert good(app, method, path).status < 300


def test_every_problem_is_the_same_whoever_meets_it_and_whenever(fakes):
    app = fakes.app()
    once, again = (send(app, "GET", "/nowhere", token=token) for token in (GOOD, ""))
    assert (once.status, once.body, once.raw_headers) == (404, again.body, again.raw_headers)


# 35: nothing sensitive in addresses


def test_addresses_hold_random_ids_and_codes_only():
    allowed = {"id", "purpose", "role", "as_of", "cursor", "after", "notices_after", "If-None-Match"}
    parameters = {
        parameter["name"]
        for methods in document()["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    }
    assert parameters == allowed


# 44, 45, 49: headers


def every_kind_of_answer(fakes: Fakes) -> list[Got]:
    app = fakes.app()
    got = [good(app, *key) for key in GOOD_CALLS]
    got += [good(app, *key, token="") for key in GOOD_CALLS]
    got += [send(app, "GET", "/nowhere"), send(app, "DELETE", "/inbox"), good(app, "POST", "/inbox", body=b"")]
    fakes.fault = RuntimeError("x")
    got.append(good(app, "GET", "/inbox/head"))
    return got


def test_every_answer_carries_the_security_headers_once(fakes):
    for got in every_kind_of_answer(fakes):
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in got.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert got.headers["strict-transport-security"].startswith("max-age=31536000")
        assert got.headers["cross-origin-opener-policy"] == got.headers["cross-origin-resource-policy"] == "same-origin"
        assert len(got.headers) == len(got.raw_headers)


def test_no_answer_names_the_server_or_opens_itself_to_other_origins(fakes):
    app = fakes.app()
    for got in every_kind_of_answer(fakes):
        assert not {"server", "x-powered-by", "set-cookie", "location"} & got.headers.keys()
    for key in GOOD_CALLS:
        headers = [*GOOD_CALLS[key].get("headers", ()), ("Origin", "https://attacker.example")]
        got = good(app, *key, headers=headers)
        assert not any(name.startswith("access-control-") for name in got.headers)


# 54: docs, debug and metrics are closed


@pytest.mark.parametrize(
    "path",
    [
        "/", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/metrics", "/debug", "/.env", "/.git/config",
        "/admin", "/server-status", "/inbox/", "/health", "/health/", "/casework/", "/children", "/children/",
        "//inbox",
        f"/children/{CHILD}", "/casework/quarantine/", "/static/../hub.json",
    ],
)  # fmt: skip
def test_addresses_that_are_often_left_open_are_not_there(fakes, path):
    got = send(fakes.app(), "GET", path)
    assert (got.status, got.code) in ((404, "no-page"), (404, "no-answer"), (405, "method"))
    assert fakes.calls == []
