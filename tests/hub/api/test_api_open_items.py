"""`/me/open-items` over HTTP: the door's bytes, for a purpose, and its ends as problem documents."""

from __future__ import annotations

import pytest

from hub.disclosure import CannotBeShownComplete, CannotRecord, NoAnswer, NoStanding, TeamAsk, TooManyChildren


def test_the_doors_bytes_come_back_as_they_are_with_their_etag(world):
    got = world.person.get("/me/open-items?purpose=s47&role=schoolLead")
    assert (got.status_code, got.json()["team"]) == (200, "urn:safeguarding:service:harrowmere-front-door")
    assert world.disclosure.asked == [TeamAsk(person="fenn.okoro-dale", purpose="s47", role="schoolLead")]
    again = world.person.get("/me/open-items?purpose=s47", If_None_Match=got.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert len(world.disclosure.asked) == 2


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "purpose"), ("?purpose=curiosity", "purpose"), ("?purpose=s47&role=king", "query"),
        ("?purpose=s47&team=x", "query"), ("?purpose=s47&purpose=s47", "query"),
    ],
)  # fmt: skip
def test_without_a_purpose_or_with_another_parameter_there_is_no_answer(world, problem, query, code):
    assert problem(world.person.get(f"/me/open-items{query}")) == (400, code)
    assert world.disclosure.asked == []


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (NoStanding(), (403, "no-standing")), (NoAnswer(), (404, "no-answer")), (TooManyChildren(), (422, "too-many")),
        (CannotBeShownComplete(), (503, "incomplete")), (CannotRecord(), (503, "unrecorded")),
    ],
)  # fmt: skip
def test_each_end_of_the_door_is_its_problem(world, problem, fault, end):
    world.disclosure.fault = fault
    assert problem(world.person.get("/me/open-items?purpose=s47")) == end
