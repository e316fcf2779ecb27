"""`/children/$person-info-query`: a person and a reason in, the door's bytes out; nobody stands in an address."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from hub.api import describe
from hub.api.query import QUERY_LIMIT
from hub.disclosure import description_of
from hub.disclosure.query import NOTHING

PATH = "/children/$person-info-query"
PERSON = {"name": [{"familyName": ["Quillfeather"], "givenName": ["Wrenna"]}], "dateOfBirth": {"date": "2014-05-17"}}


def ask(world: Any, **body: Any) -> Any:
    return world.person.post(PATH, json.dumps({"person": PERSON, "reason": "triage", **body}))


def test_the_doors_bytes_come_out_as_they_are(world: Any) -> None:
    answer = ask(world, role="frontDoor")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, NOTHING, "application/json")
    assert "etag" not in answer.headers
    (search,) = world.query.asked
    assert (search.person, search.purpose, search.role) == ("fenn.okoro-dale", "triage", "frontDoor")
    assert search.asked == description_of(PERSON)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "curiosity"}, 400, "purpose"), ({"reason": ["triage"]}, 400, "purpose"),
        ({"reason": None}, 400, "purpose"), ({"person": "Wrenna"}, 422, "misfit"),
        ({"person": {"name": "Wrenna"}}, 422, "misfit"), ({"person": {"person": PERSON}}, 422, "misfit"),
        ({"role": "queen"}, 422, "misfit"),
        ({"child": "x"}, 422, "misfit"), ({"person": {"name": [{"familyName": "Q" * QUERY_LIMIT}]}}, 413, "large"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_form_is_refused_before_anybody_is_looked_for(
    world: Any, body: dict[str, Any], status: int, code: str
) -> None:
    answer = ask(world, **body)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code)
    assert world.query.asked == []


def test_real_answers_fit_the_published_shape(world: Any) -> None:
    schema = {"$ref": "#/components/schemas/Ring", "components": describe.document()["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(ask(world).json())
