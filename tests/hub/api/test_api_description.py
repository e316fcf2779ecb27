"""The published description: equal to the code, its examples true to its schemas, and real answers too."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from hub.api import describe
from hub.api.callers import ROUTES
from hub.api.problems import PROBLEMS

DOCUMENT = describe.document()
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
]


def validator(schema: Any) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_the_published_file_is_what_the_code_describes():
    assert describe.FILE.read_text("utf-8") == describe.text(), "run: python -m hub.api.describe --write"


def test_every_route_is_described_and_nothing_else():
    described = {(m.upper(), path) for path, methods in DOCUMENT["paths"].items() for m in methods}
    assert described == {(row.method, row.path.replace(":path", "")) for row in ROUTES}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_examples_that_fit_their_schemas(operation):
    bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    for content in [*bodies, *(answer.get("content", {}) for answer in operation["responses"].values())]:
        for media in content.values():
            for example in [one["value"] for one in media.get("examples", {}).values()] or [media["example"]]:
                validator(media["schema"]).validate(example)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_who_may_call_it_and_how_it_can_fail(operation):
    assert operation["description"].startswith("Who may call: ")
    assert "500" in operation["responses"]
    assert ("401" in operation["responses"]) == bool(operation["security"])


def test_every_problem_that_a_caller_can_meet_is_described():
    told = {
        code
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert told == PROBLEMS.keys() - {"no-page", "method"}


def test_real_answers_fit_the_published_schemas(world):
    entry = json.dumps({"event": "contact-received", "child": "x"})
    for shape, answer in (
        ("Receipts", world.source.records(b"{}\n")), ("Receipts", world.source.get("/inbox/receipts")),
        ("Head", world.source.get("/inbox/head")), ("Outcome", world.person.post("/casework", entry)),
        ("Health", world.nobody.get("/health/ready")), ("Problem", world.nobody.get("/inbox/head")),
        ("Problem", world.person.get("/children/x/chronology?purpose=s47")),
        ("Problem", world.source.records(b"", "text/plain")), ("Problem", world.person.post("/casework", "{}")),
    ):  # fmt: skip
        validator({"$ref": f"#/components/schemas/{shape}"}).validate(answer.json())


def test_the_description_is_served_in_a_demo_only(world):
    assert world.nobody.get("/openapi.json").status_code == 404
    world.demo = True
    assert world.nobody.get("/openapi.json").json() == json.loads(describe.text())
