"""Two hubs that differ only in what a reader may not see answer that reader byte for byte alike.

Status, body and every header but Date, over all pages, as of an earlier day, and when asked again with an ETag. What is
hidden comes from the reviewed matrix, handling markers and agreements, never from asking the hub. How long an answer
takes is not measured here.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.attacks.answers import Answer, Ask, Client, Question, differences, parts, question
from tests.attacks.entries import MARK
from tests.attacks.naive_answers import NAIVE, Naive
from tests.attacks.seats import seats
from tests.attacks.twin_hubs import BETWEEN, Pair, Twin, Twins, twin_hubs

PAIRS = int(os.environ.get("PAIRS", "2000" if os.environ.get("LONG") == "1" else "256"))
"""Every seat meets every difference twice; in the long counts, more than fifteen times."""
SAYS = {"count": {"count"}, "page": {"page", "entries"}, "order": {"order"}, "etag": {"etag"}}
"""What each naive projector gives away, in the words of the comparison: an entry that moves to another page is both."""
SEED = int(os.environ.get("SEED", "20250303"))


class Readings:
    """The twins with a client each."""

    def __init__(self, twins: Twins, loop: asyncio.Runner) -> None:
        self.twins = twins
        self.left, self.right = Client(twins.left.hub, loop), Client(twins.right.hub, loop)

    def first(self, pair: Pair) -> Question:
        assert pair.child is not None
        return question(pair.seat.person, pair.child, pair.seat.purpose, pair.seat.role)


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readings]:
    with asyncio.Runner() as loop, twin_hubs(tmp_path_factory.mktemp("twins"), PAIRS, SEED) as twins:
        yield Readings(twins, loop)


def told(leaks: list[tuple[Pair, set[str]]]) -> str:
    """Which parts gave it away, for which seats and differences; the seed makes it again."""
    counted = Counter((pair.seat.name, pair.difference, *sorted(found)) for pair, found in leaks)
    return f"seed {SEED}: " + "; ".join(f"{' '.join(words)} x{count}" for words, count in counted.most_common(12))


def test_what_a_reader_may_not_see_changes_no_byte_of_any_page_and_stands_on_none(readings: Readings) -> None:
    leaks = []
    for pair in readings.twins.pairs:
        told_words: list[str] = []
        left, right = (_watching(client.ask, told_words) for client in (readings.left, readings.right))
        found = differences(readings.first(pair), left, right) | set(told_words)
        leaks += [(pair, found)] if found else []
    assert not leaks, told(leaks)


def _watching(ask: Ask, told_words: list[str]) -> Ask:
    """The same asking; an answer that holds a hidden word is noted."""

    def watched(asked: Question) -> Answer:
        answer = ask(asked)
        if MARK.casefold().encode() in answer.body.lower():
            told_words.append("a hidden word")
        return answer

    return watched


def test_an_answer_as_of_an_earlier_day_and_an_answer_asked_again_are_alike_too(readings: Readings) -> None:
    leaks = []
    for pair in readings.twins.pairs:
        first = readings.first(pair)
        earlier = first.also(as_of=BETWEEN)
        before = readings.left.ask(earlier)
        found = parts(before, readings.right.ask(earlier))
        etag = before.header("etag")
        again = Question(first.person, first.child, earlier.query, (("if-none-match", etag or '"none"'),))
        one, other = readings.left.ask(again), readings.right.ask(again)
        found |= parts(one, other) | ({"not a 304"} if etag and one.status != 304 else set())
        leaks += [(pair, found)] if found else []
    assert not leaks, told(leaks)


def test_the_twins_do_differ_for_every_pair_and_most_readers_see_something(readings: Readings) -> None:
    def held(rows: list[object]) -> list[tuple[object, ...]]:
        return [(r.fact.source, r.fact.id, r.fact.datadigest, r.fact.shared) for r in rows]  # type: ignore[attr-defined]

    statuses: Counter[tuple[str, int]] = Counter()
    for pair in readings.twins.pairs:
        assert pair.child is not None
        left, right = (held(twin.rows(pair.child)) for twin in (readings.twins.left, readings.twins.right))
        assert left != right or not pair.seat.of("FMmE"), (pair.seat.name, pair.difference)
        statuses[pair.seat.name, readings.left.ask(readings.first(pair)).status] += 1
    for seat in seats():
        want = 200 if seat.of("FMmE") else 404
        assert set(statuses) & {(seat.name, s) for s in (200, 404)} == {(seat.name, want)}, statuses


def test_a_child_of_whom_all_is_hidden_and_a_child_who_does_not_exist_are_the_same_bytes(readings: Readings) -> None:
    leaks = []
    for seat in seats():
        for child in (*readings.twins.unshared, uuid.UUID(int=7)):
            first = question(seat.person, child, seat.purpose, seat.role)
            for asked in (first, first.also(as_of=BETWEEN), first.also(cursor="x" * 40)):
                one, other = readings.left.ask(asked), readings.right.ask(asked)
                assert one.status == 404
                leaks += [(seat.name, parts(one, other))] if one != other else []
    assert not leaks


@pytest.mark.parametrize(
    ("person", "role"), [("untrained", "frontDoor"), ("stranger", "schoolLead"), ("relative", "frontDoor")]
)
def test_who_has_no_standing_with_a_child_gets_the_answer_of_an_unknown_child(
    readings: Readings, person: str, role: str
) -> None:
    purpose = {"frontDoor": "triage", "schoolLead": "educationSupport"}[role]
    unknown = readings.left.ask(question(person, uuid.UUID(int=7), purpose, role))
    assert unknown.status == 404
    for pair in readings.twins.pairs[:32]:
        first = question(person, str(pair.child), purpose, role)
        assert readings.left.ask(first) == readings.right.ask(first) == unknown


def test_the_list_of_what_waits_for_a_reader_depends_on_nothing_that_is_hidden(readings: Readings) -> None:
    for person in sorted({seat.person for seat in seats()}):
        children = {str(pair.child) for pair in readings.twins.pairs if pair.seat.person == person}
        left, right = (_items(twin, person) for twin in (readings.twins.left, readings.twins.right))
        assert MARK.casefold() not in str(left).lower()
        about = [[one for one in each if one.get("child") in children] for each in (left, right)]
        assert about[0] == about[1], person


def _items(twin: Twin, person: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = json.loads(twin.hub.items.list(person, cursor))
        found, cursor = found + page["items"], page.get("next", "")
        if not cursor:
            return found


def test_that_a_child_is_also_somebody_who_is_hidden_does_not_show(readings: Readings) -> None:
    twins = readings.twins
    first = question("ottoline.brack", twins.known, "triage", "frontDoor")
    assert readings.left.ask(question("ottoline.brack", twins.sealed_off, "triage", "frontDoor")).status == 404
    assert differences(first, readings.left.ask, readings.right.ask) == set()
    steward = ("bram.tolley", "identity-same", twins.known, twins.sealed_off)
    assert twins.right.hub.casework.settle(*steward, "the same child").receipt.outcome == "admitted"
    assert len(twins.right.rows(twins.known)) == len(twins.left.rows(twins.known)) + 1
    assert differences(first, readings.left.ask, readings.right.ask) == set()


@pytest.mark.parametrize("gives_away", NAIVE)
def test_a_naive_projector_is_caught_by_what_it_gives_away_and_by_nothing_else(
    readings: Readings, gives_away: str
) -> None:
    left = NAIVE[gives_away](Naive(readings.twins.left, readings.left))
    right = NAIVE[gives_away](Naive(readings.twins.right, readings.right))
    wanted = "order" if gives_away == "order" else "added"
    pairs = [pair for pair in readings.twins.pairs if pair.difference == wanted and pair.seat.of("FMm")]
    pairs = [pair for pair in pairs if not pair.seat.is_auditor][:24]
    caught = [differences(readings.first(pair), left, right) for pair in pairs]
    assert sum(map(bool, caught)) >= max(1, len(pairs) // 2)
    assert set.union(*caught) <= SAYS[gives_away]
    assert gives_away in set.union(*caught)
