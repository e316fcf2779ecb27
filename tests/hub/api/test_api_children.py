"""`/children/{id}/chronology`: the door's bytes as they are, purpose first, and one and the same "no answer"."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.disclosure import RING, BadCursor, CannotBeShownComplete, CannotRecord, NoStanding
from tests.hub.api.conftest import StoreAway

CHILD = "3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"
BODY = b'{"child":{"id":"3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"},"entries":[]}'
ETAG = f'"{hashlib.sha256(BODY).hexdigest()}"'
PATH = f"/children/{CHILD}/chronology"


def test_the_answer_is_the_doors_bytes_with_their_digest_as_etag(world):
    answer = world.person.get(f"{PATH}?purpose=s47")
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == "no-store"
    assert "link" not in answer.headers


def test_who_asks_is_the_tokens_person_and_the_rest_is_the_question(world):
    world.person.get(f"{PATH}?purpose=s47&role=frontDoor&as_of=2025-03-01T10:00:00Z&cursor=abc")
    (ask,) = world.disclosure.asked
    assert (ask.person, ask.child, ask.purpose, ask.role) == ("fenn.okoro-dale", UUID(CHILD), "s47", "frontDoor")
    assert (ask.as_of, ask.cursor, ask.page) == (datetime(2025, 3, 1, 10, tzinfo=UTC), "abc", 50)


@pytest.mark.parametrize("query", ["", "?purpose=", "?purpose=curiosity", "?purpose=S47", "?role=frontDoor"])
def test_without_a_purpose_from_the_list_nothing_is_asked(world, problem, query):
    assert problem(world.person.get(PATH + query)) == (400, "purpose")
    assert world.disclosure.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "purpose=s47&purpose=s47", "purpose=s47&purpose=triage", "purpose=s47&admin=true", "purpose=s47&role=steward",
        "purpose=s47&as_of=yesterday", "purpose=s47&as_of=2025-02-30", "purpose=s47&as_of=2025-03-01T10:00:00",
        "purpose=s47&as_of=2025-03-01T10:00:00+00:00", "purpose=s47&as_of=0001-01-01T00:00:00%2B14:00",
        "purpose=s47&as_of=2025-W10-1", "purpose=s47&" + "&".join(f"p{n}=1" for n in range(40)), "purpose=%FF",
    ],
)  # fmt: skip
def test_a_repeated_unknown_or_malformed_parameter_is_refused(world, problem, query):
    assert problem(world.person.get(f"{PATH}?{query}")) == (400, "query")
    assert world.disclosure.asked == []


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2025-03-01", datetime(2025, 3, 1, 23, 59, 59, 999999, UTC)),
        ("2025-07-01", datetime(2025, 7, 1, 22, 59, 59, 999999, UTC)),
        ("2025-03-01T10:00:00.250%2B01:00", datetime(2025, 3, 1, 9, 0, 0, 250000, UTC)),
    ],
)
def test_a_day_is_included_whole_in_london_and_an_instant_is_exact(world, text, means):
    world.person.get(f"{PATH}?purpose=s47&as_of={text}")
    assert world.disclosure.asked[0].as_of == means


def test_the_next_page_is_linked_with_the_same_question(world):
    world.disclosure.next = "Zm9v-YmFy_"
    answer = world.person.get(f"{PATH}?purpose=s47&role=frontDoor&as_of=2025-03-01")
    assert answer.headers["link"] == (
        f'<{PATH}?purpose=s47&role=frontDoor&as_of=2025-03-01T23%3A59%3A59.999999Z&cursor=Zm9v-YmFy_>; rel="next"'
    )


def test_a_linked_page_asks_as_of_the_same_moment(world):
    world.disclosure.next = "Zm9v"
    client = world.person
    first = client.get(f"{PATH}?purpose=s47&as_of=2025-07-01")
    client.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    assert world.disclosure.asked[0].as_of == world.disclosure.asked[1].as_of


@pytest.mark.parametrize("held", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', "*"])
def test_what_is_held_already_is_not_sent_again_and_the_read_is_recorded(world, held):
    answer = world.person.get(f"{PATH}?purpose=s47", If_None_Match=held)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", ETAG)
    assert len(world.disclosure.asked) == 1


def test_another_etag_gets_the_answer(world):
    assert world.person.get(f"{PATH}?purpose=s47", If_None_Match='"0"').content == BODY


NOT_HERE = [
    "8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02", "00000000-0000-0000-0000-000000000000", "wrenna", "1", "..%2f..%2fetc",
    CHILD.upper(), "%7B" + CHILD + "%7D", CHILD.replace("-", ""), "urn:uuid:" + CHILD, CHILD + "%00", "a/b/c", "%F0%9F",
    "", "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("id", NOT_HERE)
def test_hidden_absent_and_malformed_ids_get_the_same_bytes_and_headers(world, problem, id):
    answer = world.person.get(f"/children/{id}/chronology?purpose=s47")
    known = world.person.get("/children/8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02/chronology?purpose=s47")
    assert problem(answer) == (404, "no-answer")
    assert (answer.content, answer.headers.raw) == (known.content, known.headers.raw)
    assert answer.json()["detail"] == "No answer can be given here; ring the front door."


@pytest.mark.parametrize("id", NOT_HERE)
def test_every_attempt_reaches_the_door_that_records_it(world, id):
    world.person.get(f"/children/{id}/chronology?purpose=s47")
    assert len(world.disclosure.asked) == 1


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        (NoStanding(), (403, "no-standing")), (CannotBeShownComplete(), (503, "incomplete")),
        (CannotRecord(), (503, "unrecorded")), (BadCursor("x"), (400, "cursor")),
    ],
)  # fmt: skip
def test_each_end_of_the_door_out_has_its_problem(world, problem, fault, ends):
    world.disclosure.fault = fault
    assert problem(world.person.get(f"{PATH}?purpose=s47")) == ends


def test_a_store_that_is_away_is_no_fault_of_the_caller_nor_for_long(world, problem):
    world.disclosure.fault = StoreAway("server said: row of a child")
    answer = world.person.get(f"{PATH}?purpose=s47")
    assert problem(answer) == (503, "away")
    assert answer.headers["retry-after"] == "5"
    assert "row" not in answer.text


def test_what_cannot_be_shown_complete_says_so_in_the_fixed_words(world):
    world.disclosure.fault = CannotBeShownComplete()
    assert world.person.get(f"{PATH}?purpose=s47").json()["detail"] == RING


def test_a_cursor_beyond_all_measure_never_reaches_the_door(world, problem):
    assert problem(world.person.get(f"{PATH}?purpose=s47&cursor={'x' * 513}")) == (400, "cursor")
    assert world.disclosure.asked == []


def test_a_question_is_refused_at_once_when_too_many_wait():
    from hub.api.lane import WAITING_LIMIT, Lane
    from hub.api.problems import Refusal

    async def flood() -> list[object]:
        lane = Lane()
        calls = [lane.for_people(lambda: None) for _ in range(WAITING_LIMIT + 1)]
        ends = await asyncio.gather(*calls, return_exceptions=True)
        lane.close()
        return ends

    ends = asyncio.run(flood())
    assert [type(end) for end in ends].count(Refusal) == 1


def test_people_never_wait_behind_more_than_one_batch_of_machines():
    from hub.api.lane import Lane

    done: list[str] = []

    async def crowd() -> None:
        lane = Lane()
        machines = [lane.for_machines(done.append, f"batch {number}") for number in range(4)]
        tasks = [asyncio.ensure_future(one) for one in machines]
        await asyncio.sleep(0)
        await asyncio.gather(lane.for_people(done.append, "person"), *tasks)
        lane.close()

    asyncio.run(crowd())
    assert done.index("person") <= 1
