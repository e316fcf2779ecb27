"""The shapes of the API's bodies as JSON schemas; `examples.py` has an invented example of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.api import shapes_identity as identity
from hub.api.problems import PROBLEMS, TYPE

TEXT: Mapping[str, Any] = {"type": "string"}
NUMBER: Mapping[str, Any] = {"type": "integer", "minimum": 0}
PERSON_MEMBERS = ("identifier", "name", "dateOfBirth", "identifiers", "names", "birth_date", "address")


SCHEMAS: dict[str, Any] = {
    "Problem": {
        "description": "RFC 9457. Nothing that was sent stands in it.",
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"enum": [TYPE + code for code in PROBLEMS]},
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "parameter": {"enum": ["role", "as_of", "after", "notices_after"]},
            "media_type": {"enum": ["application/x-ndjson", "application/json"]},
            "member": TEXT,
            "rule": TEXT,
            "reason": TEXT,
        },
        "additionalProperties": False,
    },
    "Receipts": {
        "type": "object",
        "required": ["receipts"],
        "properties": {
            "receipts": {
                "type": "string",
                "description": "JWS compact, typ sg-receipts+jws, one row a record",
            },
            "next": {**NUMBER, "description": "cursor to ask after next"},
            "notices": {"type": "string", "description": "JWS compact, typ sg-notices+jws"},
            "notices_next": {**NUMBER, "description": "cursor of notices to ask after next"},
        },
        "additionalProperties": False,
    },
    "Opening": {
        "type": "object",
        "required": ["person"],
        "properties": {"person": {"type": "string", "minLength": 1, "maxLength": 120}},
        "additionalProperties": False,
    },
    "Opened": {
        "description": "Whom the notice is about, where the source has no pseudonym for the child or the law says so.",
        "type": "object",
        "required": ["id", "kind", "opened"],
        "properties": {
            "id": TEXT,
            "kind": TEXT,
            "opened": {"type": "string", "format": "date-time"},
            "child": {"type": "object"},
        },
        "additionalProperties": False,
    },
    "Head": {
        "type": "object",
        "required": ["source", "sequence", "digest"],
        "properties": {"source": TEXT, "sequence": NUMBER, "digest": TEXT},
        "additionalProperties": False,
    },
    "Chronology": {
        "description": "Only what this reader may see for this purpose; counts, order and pages are of that alone.",
        "type": "object",
        "required": ["child", "purpose", "role", "whole_until", "notice", "sources", "entries", "held_elsewhere"],
        "properties": {
            "child": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "name": TEXT,
                    "also_known_as": {"type": "array", "items": TEXT},
                    "names": {"type": "array", "items": {"type": "object"}},
                    "birth_date": TEXT,
                    "birth_date_accuracy": TEXT,
                    "identifiers": {"type": "array", "items": {"type": "object", "required": ["system", "value"]}},
                },
            },
            "purpose": TEXT,
            "role": TEXT,
            "as_of": {"type": "string", "format": "date-time"},
            "whole_until": {"type": "string", "format": "date-time"},
            "notice": TEXT,
            "banners": {
                "type": "array",
                "description": "decisions that stand over the whole chronology, a fixed sentence each",
                "items": {
                    "type": "object",
                    "required": ["event", "says"],
                    "additionalProperties": False,
                    "properties": {"event": TEXT, "says": TEXT},
                },
            },
            "sources": {
                "type": "array",
                "description": "what is known of every live source: the same for every child and reader",
                "items": {
                    "type": "object",
                    "required": ["service", "last_heard", "gaps", "waiting", "silent"],
                    "properties": {
                        "service": TEXT,
                        "name": TEXT,
                        "last_heard": {"type": "string", "description": "its last heartbeat, RFC 3339, or `never`"},
                        "gaps": {"type": "boolean", "description": "records of it that never came are known of"},
                        "waiting": {"type": "boolean", "description": "records of it wait in quarantine"},
                        "silent": {"type": "boolean", "description": "against its own rhythm"},
                    },
                    "additionalProperties": False,
                },
            },
            "entries": {"type": "array", "items": {"type": "object", "required": ["ref"]}},
            "held_elsewhere": {"type": "array", "items": {"type": "object"}},
            "open_items": {"type": "array", "items": {"$ref": "#/components/schemas/OpenItem"}},
            "next": TEXT,
        },
    },
    "Query": {
        "description": "MAIS person-info query: a person as PUB01 or an event's `child` has it, and what for.",
        "type": "object",
        "required": ["person", "reason"],
        "properties": {
            "person": {
                "type": "object",
                "properties": {
                    **{name: {"type": ["object", "array"]} for name in PERSON_MEMBERS},
                    "sexCode": TEXT,
                    "sex": TEXT,
                },
            },
            "reason": {"type": "string", "description": "a purpose; no purpose, no answer"},
            "role": {"type": "string", "description": "in which role, where the asker holds several"},
        },
        "additionalProperties": False,
    },
    "Ring": {
        "description": "Services to ring that this reader may know of, or the one sentence for everything else.",
        "oneOf": [
            {
                "type": "object",
                "required": ["ring", "notice"],
                "properties": {
                    "ring": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["service", "contact"],
                            "properties": {"service": TEXT, "kind": TEXT, "contact": {"type": "object"}},
                            "additionalProperties": False,
                        },
                    },
                    "notice": TEXT,
                },
                "additionalProperties": False,
            },
            {
                "type": "object",
                "required": ["says"],
                "properties": {"says": {"const": "nothing can be said here, ring the front door"}},
                "additionalProperties": False,
            },
        ],
    },
    "Items": {
        "description": "What waits for this person: the urgent first, then the oldest. Nothing personal of a child.",
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "kind", "at", "urgent", "says"],
                    "properties": {
                        "id": TEXT,
                        "kind": {"type": "string", "description": "a code; alarms to officers have kinds of their own"},
                        "at": {
                            "type": "string",
                            "description": "a moment; a day where only an outline shows",
                        },
                        "urgent": {"type": "boolean"},
                        "says": {"type": "string", "description": "a fixed sentence for the kind"},
                        "child": {"type": "string", "format": "uuid"},
                        "ref": {"type": "string", "description": "the entry's, as in this person's chronologies"},
                        "by_when": TEXT,
                        "overdue": {"type": "boolean"},
                        "opened": {"type": "string", "format": "date-time"},
                        "source": {"type": "string", "description": "of a quarantined record"},
                        "reason": {"type": "string", "description": "why that record waits, a code"},
                        "ring": {"type": "object", "description": "its sender's duty contact"},
                        "records": {"type": "integer", "description": "for how many quarantined records it stands"},
                        "newest": {
                            "type": "string",
                            "format": "date-time",
                            "description": "when the last of them came",
                        },
                        "about": {"type": "object", "description": "ids that an alarm names to officers"},
                    },
                    "additionalProperties": False,
                },
            },
            "next": {"type": "string", "description": "cursor of the next page"},
        },
        "additionalProperties": False,
    },
    "ItemOpened": {
        "type": "object",
        "required": ["id", "opened"],
        "properties": {"id": TEXT, "opened": {"type": "string", "format": "date-time"}},
        "additionalProperties": False,
    },
    "OpenItem": {
        "description": "What somebody waits for, by the entries that this reader sees. In no order of lateness.",
        "type": "object",
        "required": ["rule", "edition", "source", "what", "since", "late", "about"],
        "properties": {
            "rule": TEXT,
            "edition": {"type": "string", "description": "the one in force when its clock started"},
            "source": TEXT,
            "what": TEXT,
            "since": {"type": "string", "description": "when its clock started, as exactly as this reader sees it"},
            "due": {"type": "string", "description": "the last day, or moment, in time; absent without a number"},
            "late": {"type": "boolean", "description": "a remark, never a refusal"},
            "about": {"type": "string", "description": "`ref` of the entry that started it"},
        },
        "additionalProperties": False,
    },
    "TeamItems": {
        "description": "For each child of the team, as for its chronology; children in an order that tells nothing.",
        "type": "object",
        "required": ["team", "purpose", "role", "notice", "children", "whole_until"],
        "properties": {
            "team": {"type": "string", "description": "the caller's own service"},
            "purpose": TEXT,
            "role": TEXT,
            "notice": TEXT,
            "children": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["child", "open_items"],
                    "properties": {
                        "child": {"type": "object", "required": ["id"], "properties": {"id": TEXT, "name": TEXT}},
                        "open_items": {"type": "array", "items": {"$ref": "#/components/schemas/OpenItem"}},
                    },
                },
            },
            "whole_until": {"type": "string", "format": "date-time"},
        },
    },
    "Entry": {
        "description": "An event's data without what the hub fills in (version, partnership, origin).",
        "type": "object",
        "required": ["event"],
        "properties": {
            "event": {"type": "string", "description": "a kind of the catalogue"},
            "child": {"type": "string", "format": "uuid"},
            "role": {"type": "string", "description": "in which role the author acts, where they hold several"},
            "said_by": {"type": "object"},
            "details": {"type": "object"},
        },
    },
    "Release": {
        "type": "object",
        "required": ["decision", "reason"],
        "properties": {"decision": {"enum": ["release", "refuse"]}, "reason": TEXT},
        "additionalProperties": False,
    },
    "Outcome": {
        "type": "object",
        "required": ["id", "source", "outcome", "reason"],
        "properties": {
            "id": TEXT,
            "source": TEXT,
            "outcome": {"enum": ["admitted", "duplicate", "quarantined", "refused"]},
            "reason": {"type": "string", "description": "a code, empty where there is none"},
            "position": {**NUMBER, "description": "of the entry in the log"},
            "to_child": {"type": "string", "format": "uuid", "description": "to whom a split or a move went"},
            "waits_for": {"enum": ["another-steward"], "description": "it counts once this person says so too"},
        },
        "additionalProperties": False,
    },
    **identity.SCHEMAS,
    "Health": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"enum": ["ok", "not-ok"]}},
        "additionalProperties": False,
    },
}
