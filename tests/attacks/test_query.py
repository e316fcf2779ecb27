"""Nobody learns by a query what they may not know: unknown, hidden and forbidden are the same bytes and headers.

Over twin hubs that differ only in what a reader may not see, for every seat of the matrix. How long an answer takes is
not measured: it leaves on the same beat whatever was looked at.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from hub.disclosure.query import NOTHING
from tests.attacks.answers import Answer, Client, parts
from tests.attacks.entries import MARK
from tests.attacks.seats import seats
from tests.attacks.twin_hubs import (
    DIFFERENCES,
    OLDER,
    YOUNGER,
    Pair,
    Twins,
    described,
    twin_hubs,
)

SEED = 20250303
UNKNOWN = {"names": [{"family": "Nobody", "given": ["Ansel"]}], "birth_date": {"date": "2011-01-01"}}


class Searches:
    """The twins with a client each, whose answers leave without the beat."""

    def __init__(self, twins: Twins, loop: asyncio.Runner) -> None:
        self.twins = twins
        self.left, self.right = Client(twins.left.hub, loop), Client(twins.right.hub, loop)


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searches]:
    count = len(seats()) * len(DIFFERENCES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hub.api.query.BEAT_S", 0.001)
        with asyncio.Runner() as loop, twin_hubs(tmp_path_factory.mktemp("searched"), count, SEED) as twins:
            yield Searches(twins, loop)


def by(client: Client, pair: Pair, asked: dict[str, Any]) -> Answer:
    return client.search(pair.seat.person, asked, pair.seat.purpose, pair.seat.role)


def test_what_a_reader_may_not_see_changes_no_byte_of_what_a_search_says(searches: Searches) -> None:
    leaks, answers = [], Counter[bool]()
    for pair in searches.twins.pairs:
        one, other = (by(client, pair, described(pair.person)) for client in (searches.left, searches.right))
        assert one.status == 200
        answers[one.body != NOTHING] += 1
        told = MARK.casefold().encode() in (one.body + other.body).lower()
        leaks += [(pair.seat.name, pair.difference, parts(one, other))] if one != other or told else []
    assert not leaks
    assert min(answers[True], answers[False]) > len(searches.twins.pairs) // 10


def test_a_name_that_only_stands_where_the_reader_may_not_look_finds_nobody(searches: Searches) -> None:
    words = (f"{MARK}name", f"{MARK}given0")
    for pair in searches.twins.pairs[: len(seats())]:
        asked = {**described(pair.person), "names": [{"family": words[0], "given": [words[1]]}]}
        assert by(searches.right, pair, asked).body == NOTHING


def test_a_child_of_whom_all_is_hidden_and_one_whom_nobody_knows_are_the_same_bytes_and_headers(
    searches: Searches,
) -> None:
    for number, seat in enumerate(seats()):
        hidden = described(f"u{number}-{number:06x}")
        answers = {
            client.search(seat.person, asked, seat.purpose, seat.role)
            for client in (searches.left, searches.right)
            for asked in (hidden, described(OLDER), UNKNOWN, {})
        }
        assert {(one.status, one.body) for one in answers} == {(200, NOTHING)}
        assert len(answers) == 1


@pytest.mark.parametrize("person", ["untrained", "relative", "nobody at all"])
def test_who_has_no_standing_gets_the_words_of_an_unknown_child(searches: Searches, person: str) -> None:
    known, client = described(YOUNGER), searches.left
    assert client.search("ottoline.brack", known, "triage", "frontDoor").body != NOTHING
    answers = {client.search(person, asked, "triage", "frontDoor") for asked in (known, UNKNOWN)}
    assert [(one.status, one.body) for one in answers] == [(200, NOTHING)]


def test_an_answer_leaves_on_the_beat_whoever_was_looked_at(
    searches: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("hub.api.query.asyncio.sleep", note)
    for asked in (described(YOUNGER), UNKNOWN):
        searches.left.search("ottoline.brack", asked, "triage", "frontDoor")
    assert len(waited) == 2
    assert all(0 < seconds <= 0.001 for seconds in waited)
