"""Processes decide in turns, so that nothing is decided twice; and without the turns they are right all the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import pytest

from bench.records import PARTNERSHIP, Source, event, make_batches
from hub import bootstrap
from hub.bootstrap import Hub
from hub.identity.register import ASSIGNED
from hub.settings import Settings
from hub.store.postgres import PostgresDatabase
from tests.stores import Store

RECORDS, SIZE = 160, 10


@pytest.fixture
def hubs(store: Store) -> Iterator[Callable[[], Hub]]:
    """Opens the one hub of a test; called again it is another process's."""
    settings = Settings(home=store.home, demo=True, **store.settings())
    bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=["ada"])
    opened: list[Hub] = []

    def one() -> Hub:
        opened.append(bootstrap.open_hub(settings))
        return opened[-1]

    yield one
    for hub in opened:
        hub.close()


@pytest.fixture
def two(hubs: Callable[[], Hub]) -> tuple[Hub, Hub, list[tuple[Source, list[bytes]]]]:
    """Two processes over one record, and batches of two sources about the same children."""
    first, sources = hubs(), [Source("northmarch-police"), Source("fenwater-hospital")]
    for source in sources:
        first.registration.add(source.request(first.charter.hub), {"ada": first.officer_key("ada")})
    return first, hubs(), make_batches(sources, RECORDS, SIZE, random.Random(5))  # noqa: S311


def retries(*hubs: Hub) -> float:
    return sum(hub.watch.registry.get_sample_value("hub_append_retries_total") or 0 for hub in hubs)


def assert_all_is_there_once(hub: Hub) -> None:
    admitted = hub.record.query("SELECT COUNT(*), COUNT(DISTINCT position) FROM inbox")[0]
    assert tuple(admitted) == (RECORDS, RECORDS)
    positions = [row[0] for row in hub.record.query("SELECT position FROM log ORDER BY position")]
    assert positions == list(range(1, len(positions) + 1))
    streams = hub.record.query("SELECT stream, COUNT(*), MAX(seq) FROM log GROUP BY stream")
    assert all(count == last for _, count, last in streams)
    assigned = Counter(
        (fact.data["source"], fact.data["subject"]) for fact in hub.record.since(0) if fact.name == ASSIGNED
    )
    assert set(assigned.values()) == {1}
    assert len(hub.register().children()) == RECORDS // 10


def test_two_processes_that_take_turns_decide_nothing_twice(
    two: tuple[Hub, Hub, list[tuple[Source, list[bytes]]]],
) -> None:
    *both, batches = two
    for number, (source, batch) in enumerate(batches):
        both[number % 2].admission.admit(batch, source.urn)
    assert retries(*both) == 0
    assert_all_is_there_once(both[0])


@pytest.mark.parametrize("courteous", [True, False])
def test_two_processes_at_once_admit_each_record_once_with_or_without_turns(
    two: tuple[Hub, Hub, list[tuple[Source, list[bytes]]]], courteous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_turn(self: PostgresDatabase, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    if not courteous:
        monkeypatch.setattr(PostgresDatabase, "turn", no_turn)
    *both, batches = two

    def send(hub: Hub, source: str) -> None:
        for one, batch in batches:
            if one.urn == source:
                hub.admission.admit(batch, source)

    with ThreadPoolExecutor(2) as pool:
        sources = dict.fromkeys(source.urn for source, _ in batches)
        for done in [pool.submit(send, hub, source) for hub, source in zip(both, sources, strict=True)]:
            done.result()
    assert_all_is_there_once(both[0])


def test_records_are_opened_before_the_turn_and_again_where_a_key_came_meanwhile(
    two: tuple[Hub, Hub, list[tuple[Source, list[bytes]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, batches = two
    late = Source("larkbeck-primary")
    opened: list[int] = []
    open_all = second.admission._open_all
    monkeypatch.setattr(second.admission, "_open_all", lambda raws: (opened.append(len(raws)), open_all(raws))[1])
    source, batch = batches[0]
    second.admission.admit(batch[:1], source.urn)
    opened.clear()
    second.admission.admit(batch[1:3], source.urn)
    assert opened == [2]
    first.registration.add(late.request(first.charter.hub), {"ada": first.officer_key("ada")})
    told = event("concern-logged", 1, random.Random(6))  # noqa: S311
    receipts = second.admission.admit([late.seal(told, 1)], late.urn)
    assert (opened, receipts[0].outcome) == ([2, 1, 1], "admitted")
