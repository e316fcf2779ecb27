"""An invented example of each of the API's bodies; a test holds them against `shapes.py` and the real answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.api import shapes_identity as identity

CHILD = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"
OTHER = "8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02"
SOURCE = "urn:safeguarding:source:larkbeck-primary"
KEPT = "urn:safeguarding:source:people:harrowmere-front-door"
DIGEST = "2c065c50212b063c1fd537a6713d12ed686e36b06177f7302d431240d39cbe3c"

RECEIPTS = "eyJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiIsInR5cCI6InNnLXJlY2VpcHRzK2p3cyJ9.eyJhdCI6Ii4uLiJ9.c2lnbmF0dXJl"
ADMITTED = {
    "id": "b0f1e2d3c4a596877869504132231405",
    "source": KEPT,
    "outcome": "admitted",
    "reason": "",
    "position": 4711,
}
OPEN_ITEM = {
    "rule": "file-receipt",
    "edition": "KCSIE22",
    "source": "Keeping children safe in education, part two, child protection file",
    "what": "A child's safeguarding file was sent, and nobody said that they have it",
    "since": "2025-06-03",
    "due": "2025-06-10",
    "late": True,
    "about": "9f1c2b7a5d3e4f60718a",
}
EXAMPLES: Mapping[str, Any] = {
    "Receipts": {"receipts": RECEIPTS},
    "Opening": {"person": "marnie.pell"},
    "Opened": {
        "id": "5d41402abc4b2a76b9719d911017c592",
        "kind": "domestic-abuse-notice",
        "opened": "2024-10-04T07:52:00.000+00:00",
        "child": {"names": [{"use": "usual", "family": "Quillfeather", "given": ["Wrenna"]}]},
    },
    "Head": {"source": SOURCE, "sequence": 42, "digest": DIGEST},
    "Chronology": {
        "child": {"id": CHILD, "name": "Wrenna Quillfeather", "also_known_as": [], "birth_date": "2014-05-17"},
        "purpose": "s47",
        "role": "allocatedSocialWorker",
        "whole_until": "2026-02-16T09:00:00.000+00:00",
        "notice": "Other information may exist that is not shown here.",
        "sources": [
            {
                "service": "urn:safeguarding:service:northmarch-police",
                "name": "Northmarch Constabulary, public protection",
                "last_heard": "2026-02-16T08:57:00.000+00:00",
                "gaps": False,
                "waiting": False,
                "silent": False,
            }
        ],
        "entries": [
            {
                "ref": "9f1c2b7a5d3e4f60718a",
                "kind": "immunisation-not-given",
                "title": "Immunisation not given",
                "happened": {"from": "2025-03-18", "precision": "day", "zone": "none"},
            }
        ],
        "held_elsewhere": [{"agency": "a hospital", "ring": {"phone": "01632 960201"}}],
        "open_items": [OPEN_ITEM],
    },
    "Query": {
        "person": {
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9991204318"}],
            "name": [{"familyName": ["Quillfeather"], "givenName": ["Wrenna"]}],
            "dateOfBirth": {"date": "2014-05-17"},
        },
        "reason": "triage",
    },
    "Ring": {
        "ring": [
            {
                "service": "Fenwater NHS Trust, school nursing",
                "kind": "community health",
                "contact": {"role": "duty desk", "phone": "01632 960128"},
            },
        ],
        "notice": "Other information may exist that is not shown here.",
    },
    "Items": {
        "items": [
            {
                "id": "5d1f0a9be34c7782c0de",
                "kind": "addressed",
                "at": "2026-02-12T11:20:00.000+00:00",
                "urgent": True,
                "says": "This was addressed to you or to your team.",
                "child": CHILD,
                "ref": "9f1c2b7a5d3e4f60718a",
                "by_when": "2026-02-12T17:00:00+00:00",
                "overdue": False,
            }
        ]
    },
    "ItemOpened": {"id": "5d1f0a9be34c7782c0de", "opened": "2026-02-12T11:24:00.000+00:00"},
    "TeamItems": {
        "team": "urn:safeguarding:service:tarnwhistle-academy",
        "purpose": "educationSupport",
        "role": "schoolLead",
        "notice": "Other information may exist that is not shown here.",
        "children": [{"child": {"id": CHILD, "name": "Wrenna Quillfeather"}, "open_items": [OPEN_ITEM]}],
        "whole_until": "2026-02-16T09:00:00.000+00:00",
    },
    "Entry": {
        "event": "contact-received",
        "child": CHILD,
        "role": "frontDoor",
        "summary": {"text": "A relative rang about the children.", "made": "by-author"},
        "details": {},
    },
    "Settling": {"decision": "not-same", "child": CHILD, "other": OTHER, "reason": "Given names contradict"},
    **identity.EXAMPLES,
    "Release": {"decision": "release", "reason": "Sender confirmed by telephone"},
    "Outcome": ADMITTED,
    "Health": {"status": "ok"},
}
