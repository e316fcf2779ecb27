"""The shapes of what stewards say and see, each with an invented example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHILD = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"
OTHER = "8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02"
SOURCE = "urn:safeguarding:source:larkbeck-primary"
SUBJECT = "2c065c50212b063c1fd537a6713d12ed"

TEXT: Mapping[str, Any] = {"type": "string"}


def _pair(*names: str) -> dict[str, Any]:
    """What a source names: two texts and nothing else."""
    properties = dict.fromkeys(names, TEXT)
    return {"type": "object", "required": [*names], "properties": properties, "additionalProperties": False}


SCHEMAS: dict[str, Any] = {
    "Settling": {
        "description": "same (merge) and not-same name two children; split names what goes; move names one event.",
        "type": "object",
        "required": ["decision", "reason"],
        "properties": {
            "decision": {"enum": ["same", "merge", "not-same", "split", "move"]},
            "child": {"type": "string", "format": "uuid"},
            "other": {"type": "string", "format": "uuid"},
            "to": {"type": "string", "format": "uuid", "description": "whose it is; of a split a new child if absent"},
            "subjects": {"type": "array", "items": _pair("source", "subject")},
            "events": {"type": "array", "items": _pair("source", "id")},
            "event": _pair("source", "id"),
            "reason": TEXT,
        },
        "additionalProperties": False,
    },
    "Questions": {
        "description": "What waits for a steward, the urgent first. Descriptions are for stewards only. So is "
        "`more`: how many children beside the candidates were found under the same words.",
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["kind", "child", "candidates"],
                    "properties": {"more": {"type": "integer", "minimum": 1}},
                },
            },
        },
        "additionalProperties": False,
    },
    "MadeOf": {
        "description": "Each source's child behind a child, by its descriptions; nothing that happened.",
        "type": "object",
        "required": ["child", "ids", "joined", "subjects"],
        "properties": {
            "child": {"type": "string", "format": "uuid"},
            "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
            "joined": {
                "type": "array",
                "description": "the pairs that were said to be the same",
                "items": {"type": "array"},
            },
            "subjects": {"type": "array", "items": {"type": "object", "required": ["source", "subject", "events"]}},
        },
        "additionalProperties": False,
    },
    "MixedReaders": {
        "type": "object",
        "required": ["readers"],
        "properties": {
            "readers": {"type": "array", "items": {"type": "object", "required": ["reader", "under", "belongs_to"]}},
        },
        "additionalProperties": False,
    },
}

EXAMPLES: Mapping[str, Any] = {
    "Questions": {
        "items": [
            {
                "kind": "unsure",
                "child": OTHER,
                "candidates": [CHILD],
                "agrees": ["number", "birth date"],
                "contradicts": ["given name"],
                "urgent": True,
                "opened": "2025-06-12T08:00:00.000+00:00",
                "names": ["Tobin Quillfeather"],
                "birth_dates": ["2014-05-17"],
                "sexes": ["1"],
                "entries": 1,
                "compared": [
                    {
                        "child": CHILD,
                        "names": ["Wrenna Quillfeather"],
                        "birth_dates": ["2014-05-17"],
                        "sexes": ["2"],
                        "entries": 14,
                        "agrees": ["number", "birth date"],
                        "contradicts": ["given name", "sex"],
                    }
                ],
            }
        ]
    },
    "MadeOf": {
        "child": CHILD,
        "ids": [CHILD],
        "joined": [],
        "subjects": [
            {
                "source": SOURCE,
                "subject": SUBJECT,
                "names": ["Wrenna Quillfeather"],
                "birth_dates": ["2014-05-17"],
                "sexes": ["2"],
                "entries": 1,
                "events": [{"id": "b0f1e2d3", "shared": "2025-06-12T07:59:00Z", "moved": False}],
            }
        ],
    },
    "MixedReaders": {
        "readers": [
            {
                "reader": "marit.sole",
                "role": "healthPractitioner",
                "read": "2025-06-16T15:30:00.000+00:00",
                "under": CHILD,
                "source": SOURCE,
                "id": "b0f1e2d3",
                "belongs_to": OTHER,
                "since": "2025-06-26T09:00:00.000+00:00",
            }
        ]
    },
}
