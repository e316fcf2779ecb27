"""The description of the topics (AsyncAPI 3.0), published as `schemas/asyncapi.json`, from an agency's point of view.

    python -m infra.kafka.asyncapi            prints it
    python -m infra.kafka.asyncapi --write    writes the file; a test fails while the two differ

It holds what is on the wire. What stands inside a record is named by the stable paths of the JSON Schemas.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from infra.kafka.topics import PARTITIONS, RETENTION_MS, SETTINGS
from schemas.catalogue import KINDS, ROOT, find_schema, name_schema, versions_of
from schemas.compact import HEADER_LIMIT
from schemas.envelope import EVENT_TYP, RECORD_LIMIT
from schemas.notices import NOTICES_TYP
from schemas.receipts import RECEIPTS_LIMIT, RECEIPTS_TYP
from schemas.statement import TYPES
from schemas.topics import EVENTS, FOREIGN, OURS, RECEIPTS

FILE = ROOT / "asyncapi.json"
VERSION = "0.1.0"
BINDING = "0.5.0"
RECORDS = ["recordVersion2", "recordVersion1"]
BASE64URL = "[A-Za-z0-9_-]"
JWS = f"^{BASE64URL}+\\.{BASE64URL}+\\.{BASE64URL}*$"


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:safeguarding:topics",
        "info": {
            "title": "Safeguarding Hub: topics",
            "version": VERSION,
            "description": (
                "How an agency's system publishes sealed records to a partnership's hub over Apache Kafka, and reads "
                "the hub's signed receipts. Each source has two topics of its own, made by the operator; its user may "
                "write the one and read the other, and nothing else."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"partnership": _server()},
        "channels": {"events": _events(), "receipts": _receipts()},
        "operations": {
            "publishRecord": _operation("send", "events", RECORDS, "Publish a sealed record"),
            "readReceipts": _operation(
                "receive", "receipts", ["receipts", "notices"], "Read the hub's receipts and notices, without a group"
            ),
        },
        "components": {
            "messages": {
                "recordVersion2": _record("2, its data sealed to the hub; the default here", "recordVersion2"),
                "recordVersion1": _record("1, its data readable on the broker", "recordVersion1"),
                "receipts": _answer("Receipts of one batch, signed by the hub", "receipts"),
                "notices": _answer("What the source's agency must be told, signed by the hub", "notices"),
            },
            "schemas": _schemas(),
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "Over TLS. The user is the slug."}},
        },
        "x-event-schemas": _event_schemas(),
    }  # fmt: skip


def text() -> str:
    """The description as it is published."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": "kafka-secure",
        "description": "A partnership's Apache Kafka. There is no listener without TLS.",
        "variables": {"host": {"default": "localhost"}, "port": {"default": "9092"}},
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    }


def _events() -> dict[str, Any]:
    return _channel(EVENTS, "A source's sealed records, in the order of its sequence.", RECORDS)


def _receipts() -> dict[str, Any]:
    words = "What the hub says to the source, signed: what it did with its records, and what its agency must be told."
    return _channel(RECEIPTS, words, ["receipts", "notices"])


def _channel(prefix: str, words: str, messages: list[str]) -> dict[str, Any]:
    kafka = {
        "partitions": PARTITIONS,
        "topicConfiguration": {
            "cleanup.policy": [SETTINGS["cleanup.policy"]],
            "retention.ms": RETENTION_MS,
            "max.message.bytes": int(SETTINGS["max.message.bytes"]),
        },
        "bindingVersion": BINDING,
    }
    slug = (
        f"The source's URN without `{OURS}` (of another URN: `{FOREIGN}` and what follows `urn:`), `:` written `.`, "
        "and every byte that is no small letter, digit or hyphen written `_` and two hex digits."
    )
    return {
        "address": prefix + "{slug}",
        "description": words,
        "parameters": {"slug": {"description": slug, "examples": ["police.northmarch"]}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": kafka},
    }


def _operation(action: str, channel: str, messages: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _record(words: str, schema: str) -> dict[str, Any]:
    key = {
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
        "description": "The statement's subject: the child's pseudonym.",
    }
    return {
        "title": f"A sealed record, version {words}",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
        "x-statement-types": sorted(TYPES),
    }  # fmt: skip


def _event_schemas() -> dict[str, Any]:
    """What stands inside a record: each schema's `$id`, and its stable path beside this file."""
    names = [name_schema(kind, version) for kind in KINDS for version in versions_of(kind)]
    return {name: find_schema(name) for name in names}


def _answer(title: str, schema: str) -> dict[str, Any]:
    key = {"type": "string", "description": "The source's URN."}
    return {
        "title": title,
        "contentType": "application/jose",
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }


def _schemas() -> dict[str, Any]:
    jws = {"type": "string", "pattern": JWS, "description": f"A compact JWS, `typ` {EVENT_TYP}, over the statement."}
    salt = {"type": "string", "pattern": f"^{BASE64URL}{{43}}$"}
    data = {"type": "string", "pattern": f"^{BASE64URL}+$", "description": "The event, JSON in base64url."}
    sealed = data | {"description": "Salt and event together, HPKE to the hub's sealing key, in base64url."}
    return {
        "recordVersion1": _object(jws=jws, salt=salt, data=data),
        "recordVersion2": _object(jws=jws, sealed=sealed),
        "receipts": _signed(RECEIPTS_TYP),
        "notices": _signed(NOTICES_TYP),
    }


def _signed(typ: str) -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": JWS,
        "maxLength": RECEIPTS_LIMIT,
        "description": f"A compact JWS, `typ` {typ}, its header at most {HEADER_LIMIT} bytes.",
    }


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"At most {RECORD_LIMIT} bytes.",
        "additionalProperties": False,
        "required": list(members),
        "properties": members,
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the description, or write its file."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.kafka.asyncapi", description="The description of the topics."
    )
    parser.add_argument("--write", action="store_true", help="write schemas/asyncapi.json")
    if parser.parse_args(arguments).write:
        FILE.write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())


if __name__ == "__main__":
    main()
