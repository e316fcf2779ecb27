"""The description of the API (OpenAPI 3.1), published as `openapi.json` beside this file.

    python -m hub.api.describe            prints it
    python -m hub.api.describe --write    writes the file; a test fails while the two differ

Examples are invented; a test holds them against the schemas here, and the real answers too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.api.callers import ROUTES, Caller, Row
from hub.api.examples import ADMITTED, CHILD, EXAMPLES
from hub.api.problems import MEDIA_TYPE, PROBLEMS, TYPE
from hub.api.shapes import NUMBER, SCHEMAS, TEXT

FILE = Path(__file__).with_name("openapi.json")
VERSION = "0.1.0"

SUMMARIES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("POST", "/inbox"): (
        "postRecords",
        "Post sealed records, one a line; signed receipts in answer",
    ),
    ("GET", "/inbox/head"): ("getHead", "The newest sequence and statement digest that the hub has of this source"),
    ("GET", "/inbox/receipts"): ("getReceipts", "This source's receipts and notices, each from a cursor on"),
    ("POST", "/inbox/notices/{id}/opened"): ("openNotice", "Somebody of this agency opens a notice; recorded"),
    ("GET", "/children/{id}/chronology"): (
        "getChronology",
        "A child's chronology for one reader, recorded",
    ),
    ("POST", "/children/$person-info-query"): (
        "queryPerson",
        "Whom to ring about a child whom somebody describes, recorded; the same words for unknown, hidden and shielded",
    ),
    ("GET", "/me/items"): ("getItems", "What waits for the person who asks, recorded"),
    ("POST", "/me/items/{id}/opened"): ("postOpened", "Record that an item of one's own list was opened"),
    ("GET", "/me/open-items"): ("getOpenItems", "What is waited for about the children of the caller's team, recorded"),
    ("POST", "/casework"): ("postEntry", "Record what a person says or decides"),
    ("POST", "/casework/identity"): ("settleIdentity", "Who is who: same, not the same, split, move"),
    ("POST", "/casework/quarantine/{id}"): (
        "settleQuarantine",
        "Try a quarantined record again, or refuse it",
    ),
    ("GET", "/identity/items"): ("getQuestions", "The questions about who is who"),
    ("GET", "/identity/children/{id}"): ("getMadeOf", "Each source's child behind a child"),
    ("GET", "/identity/children/{id}/readers"): ("getMixedReaders", "Who read here what is another child's today"),
    ("GET", "/health/live"): ("getLive", "Does the process live?"),
    ("GET", "/health/ready"): ("getReady", "Is the hub ready?"),
}

TAKES: Mapping[str, tuple[str, str]] = {
    "queryPerson": ("application/json", "Query"),
    "openNotice": ("application/json", "Opening"),
    "postEntry": ("application/json", "Entry"),
    "settleIdentity": ("application/json", "Settling"),
    "settleQuarantine": ("application/json", "Release"),
}
GIVES: Mapping[str, Mapping[int, str]] = {
    "postRecords": {200: "Receipts"},
    "getHead": {200: "Head"},
    "getReceipts": {200: "Receipts"},
    "openNotice": {200: "Opened"},
    "getChronology": {200: "Chronology"},
    "queryPerson": {200: "Ring"},
    "getItems": {200: "Items"},
    "postOpened": {200: "ItemOpened"},
    "getOpenItems": {200: "TeamItems"},
    "postEntry": {201: "Outcome", 200: "Outcome", 202: "Outcome"},
    "settleIdentity": {201: "Outcome", 200: "Outcome", 202: "Outcome"},
    "settleQuarantine": {200: "Outcome"},
    "getQuestions": {200: "Questions"},
    "getMadeOf": {200: "MadeOf"},
    "getMixedReaders": {200: "MixedReaders"},
    "getLive": {200: "Health"},
    "getReady": {200: "Health", 503: "Health"},
}
ENDS: Mapping[str, tuple[str, ...]] = {
    "postRecords": ("query", "body", "slow", "large", "media", "wait"),
    "getHead": ("query",),
    "getReceipts": ("query",),
    "openNotice": ("query", "body", "no-notice", "slow", "large", "media", "misfit", "wait"),
    "getChronology": ("query", "purpose", "cursor", "no-standing", "no-answer", "incomplete", "unrecorded"),
    "queryPerson": ("query", "body", "purpose", "slow", "large", "media", "misfit", "unrecorded"),
    "getItems": ("query", "cursor", "no-standing", "incomplete", "unrecorded"),
    "postOpened": ("query", "no-standing", "no-item", "incomplete", "unrecorded"),
    "getOpenItems": ("query", "purpose", "no-standing", "no-answer", "too-many", "incomplete", "unrecorded"),
    "postEntry": ("query", "body", "not-yours", "slow", "cannot-settle", "large", "media", "misfit"),
    "settleIdentity": (
        "query",
        "body",
        "not-yours",
        "slow",
        "cannot-settle",
        "large",
        "media",
        "misfit",
        "incomplete",
    ),
    "getQuestions": ("query", "purpose", "no-standing", "incomplete", "unrecorded"),
    "getMadeOf": ("query", "purpose", "no-standing", "no-answer", "cannot-settle", "incomplete", "unrecorded"),
    "getMixedReaders": ("query", "purpose", "no-standing", "no-answer", "cannot-settle", "incomplete", "unrecorded"),
    "settleQuarantine": ("query", "body", "not-yours", "no-record", "slow", "still-waits", "large", "media", "misfit"),
    "getLive": (),
    "getReady": (),
}
"""Problems of each operation, beside those of every guarded one."""
MEANS = {
    200: "As asked", 201: "Admitted", 202: "Kept in quarantine; `reason` says why", 503: "Not ready",
}  # fmt: skip


def document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, Any] = {}
    for row in ROUTES:
        path = row.path.replace(":path", "")
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Safeguarding Hub",
            "version": VERSION,
            "description": "What is known about a child's safety, for those who may see it. Every access is recorded.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                Caller.SOURCE.name.lower(): {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A JWT of at most 60 s by the source's transport key, for this inbox, used once",
                },
                Caller.PERSON.name.lower(): {
                    "type": "http", "scheme": "bearer", "bearerFormat": "at+jwt",
                    "description": "An access token of the partnership's issuer (RFC 9068). It says who, never what.",
                },
            },
        },
    }  # fmt: skip


def _operation(row: Row, path: str) -> dict[str, Any]:
    name, summary = SUMMARIES[row.method, path]
    return {
        "operationId": name,
        "summary": summary,
        "description": f"Who may call: {row.caller.value}.",
        "security": [] if row.caller is Caller.NOBODY else [{row.caller.name.lower(): []}],
        **({"parameters": _parameters(name)} if _parameters(name) else {}),
        **({"requestBody": _body(name)} if name in TAKES or name == "postRecords" else {}),
        "responses": _responses(name, guarded=row.caller is not Caller.NOBODY),
    }


def _parameters(name: str) -> list[dict[str, Any]]:
    match name:
        case "getChronology":
            return [
                _parameter("id", "path", "the hub's id of the child", {"type": "string", "format": "uuid"}, CHILD),
                _parameter("purpose", "query", "what for; no purpose, no answer", TEXT, "s47"),
                _parameter("role", "query", "in which role, where the reader holds several", TEXT, "schoolLead"),
                _parameter("as_of", "query", "facts as of an RFC 3339 instant, or a whole day", TEXT, "2025-12-10"),
                _parameter("cursor", "query", "`next` of the page before", TEXT, "Zm9vYmFy"),
                _parameter("If-None-Match", "header", "an ETag that is held", TEXT, '"9f1c"'),
            ]
        case "getItems":
            return [_parameter("cursor", "query", "`next` of the page before", TEXT, "5d1f0a9be34c7782c0de")]
        case "postOpened":
            return [_parameter("id", "path", "the item's id", TEXT, "5d1f0a9be34c7782c0de")]
        case "getOpenItems":
            return [
                _parameter("purpose", "query", "what for; no purpose, no answer", TEXT, "s47"),
                _parameter("role", "query", "in which role, where the reader holds several", TEXT, "schoolLead"),
                _parameter("If-None-Match", "header", "an ETag that is held", TEXT, '"9f1c"'),
            ]
        case "getQuestions" | "getMadeOf" | "getMixedReaders":
            about = _parameter("id", "path", "the hub's id of the child", {"type": "string", "format": "uuid"}, CHILD)
            return [
                *([] if name == "getQuestions" else [about]),
                _parameter("purpose", "query", "what for; no purpose, no answer", TEXT, "triage"),
                _parameter("role", "query", "in which role, where the reader holds several", TEXT, "steward"),
            ]
        case "getReceipts":
            return [
                _parameter("after", "query", "cursor; 0 from the first on", NUMBER, 17),
                _parameter("notices_after", "query", "the same of notices", NUMBER, 3),
            ]
        case "openNotice":
            return [_parameter("id", "path", "the notice's id", TEXT, "5d41402abc4b2a76b9719d911017c592")]
        case "settleQuarantine":
            return [_parameter("id", "path", "the quarantined record's id", TEXT, "0123456789abcdef")]
    return []


def _parameter(name: str, where: str, text: str, schema: Mapping[str, Any], example: Any) -> dict[str, Any]:
    needed = where == "path" or name == "purpose"
    return {"name": name, "in": where, "required": needed, "description": text, "schema": schema, "example": example}


def _body(name: str) -> dict[str, Any]:
    if name == "postRecords":
        schema = {"type": "string", "description": "at most 500 records, 256 KiB each, 4 MiB together"}
        return {"required": True, "content": {"application/x-ndjson": {"schema": schema, "example": _RECORDS}}}
    media, shape = TAKES[name]
    return {"required": True, "content": {media: {"schema": _named(shape), "example": EXAMPLES[shape]}}}


_RECORDS = '{"jws":"…","salt":"…","data":"…"}\n{"jws":"…","salt":"…","data":"…"}\n'


def _responses(name: str, *, guarded: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, shape in GIVES[name].items():
        example = {"status": "not-ok"} if status == 503 else EXAMPLES[shape]
        if status == 202:
            example = {
                **{k: v for k, v in ADMITTED.items() if k != "position"},
                "outcome": "quarantined",
                "reason": "schema",
            }
        if status == 200 and shape == "Outcome" and name != "settleQuarantine":
            example = {**ADMITTED, "outcome": "duplicate"}
        found[str(status)] = {
            "description": MEANS[status],
            "content": {"application/json": {"schema": _named(shape), "example": example}},
        }
    if name == "getChronology":
        found["200"]["headers"] = {
            "ETag": {"description": "of exactly these bytes", "schema": TEXT},
            "Link": {"description": 'the next page, rel="next" (RFC 8288)', "schema": TEXT},
        }
    if name in ("getChronology", "getOpenItems"):
        found["304"] = {"description": "What the reader holds is still the answer; the read was recorded"}
    codes = ("token", *(("keys",) if guarded else ()), *ENDS[name], "away", "busy", "fault") if guarded else ("fault",)
    for code in codes:
        _add_problem(found, code)
    return dict(sorted(found.items()))


def _add_problem(found: dict[str, Any], code: str) -> None:
    row = PROBLEMS[code]
    entry = found.setdefault(str(row.status), {"description": row.title, "content": {}})
    media = entry["content"].setdefault(MEDIA_TYPE, {"schema": _named("Problem"), "examples": {}})
    media["examples"][code] = {
        "value": {"type": TYPE + code, "title": row.title, "status": row.status, "detail": row.detail}
    }


def _named(shape: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape}"}


def text() -> str:
    """The description as it is published."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Print the description, or write its file."""
    parser = argparse.ArgumentParser(prog="python -m hub.api.describe", description="The description of the API.")
    parser.add_argument("--write", action="store_true", help="write openapi.json beside this module")
    if parser.parse_args(arguments).write:
        FILE.write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())


if __name__ == "__main__":
    main()
