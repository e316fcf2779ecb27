"""What comes by a topic is not what an adapter would send: repeated, out of order, replayed, poisoned, or made anew.

Whoever writes there holds that agency's own user and keys. The judge reads everything afterwards; every message, poison
too, has exactly one answer.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.live.collecting import Collector
from tests.live.evidence import read_evidence
from tests.live.generator import FEEDS, make_area
from tests.live.kafka_run import HUBS
from tests.live.mischief import Mischief, among, shuffled_with_repeats
from tests.live.soak import FINAL_WITHIN_S
from tests.live.test_faults import AREA, SEED, START_S, Make, Say, judged, work_a_while
from tests.live.test_faults import say as say

pytestmark = pytest.mark.live


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)  # noqa: S311


def test_records_arrive_in_no_order_repeated_and_replayed(a_run: Make, say: Say, rng: random.Random) -> None:
    """Then the adapter, who knows nothing of it, sends everything once more in its order."""
    run = a_run(make_area(AREA, SEED, files=2))
    run.agencies.release(1)
    for name in FEEDS:
        publisher = Mischief(run, name)
        publisher.seal_only()
        records = publisher.sealed()
        publisher.publish(shuffled_with_repeats(records, rng))
    run.settle(START_S)
    for name in FEEDS:
        records = Mischief(run, name).sealed()[::-1]
        Mischief(run, name).publish(records)
        say(replayed=len(records))
    run.settle(FINAL_WITHIN_S)
    judged(run, say, shuffled=[feed.source for feed in FEEDS.values()])


def test_poison_between_good_records_waits_in_quarantine_and_stops_nothing(
    a_run: Make, say: Say, rng: random.Random
) -> None:
    run = a_run(make_area(AREA, SEED, files=2))
    run.agencies.release(1)
    publishers = {name: Mischief(run, name) for name in FEEDS}
    for publisher in publishers.values():
        publisher.seal_only()
    stolen = {name: publishers[other].sealed()[0] for name, other in zip(FEEDS, [*FEEDS][::-1], strict=True)}
    poisoned = Counter[str]()
    for name, publisher in publishers.items():
        poison = publisher.poison(stolen[name])
        poisoned.update(poison.keys())
        publisher.publish(among(publisher.sealed(), list(poison.values()), rng))
    run.settle(START_S)
    evidence = read_evidence(judged(run, say))
    waits = Counter(one.reason for one in evidence.answers if one.outcome == "quarantined")
    say(poison=dict(poisoned), reasons=dict(waits))
    assert waits.total() == poisoned.total()
    assert waits["fault"] == 0, "each has a reason of its own"


@pytest.mark.parametrize("beyond", [1, 50])
def test_a_topic_is_made_anew_and_grows_beyond_the_stored_offset_before_the_hub_returns(
    a_run: Make, say: Say, beyond: int
) -> None:
    """What the hub had not read is gone; what comes after that offset is not what it thinks."""
    run = a_run(make_area(AREA, SEED, files=2))
    collector = Collector(run)
    run.agencies.release(0.5)
    while not all(run.agencies.settled([name]) for name in FEEDS):
        work_a_while(run, part=0.1)
    for name in HUBS:
        run.processes.kill(name)
        run.held.add(name)
    run.processes.end(*FEEDS)
    for name, feed in FEEDS.items():
        ends = collector.note(feed.source, kept=False)
        run.servers.cluster.delete_topic(feed.source)
        run.servers.cluster.create_topic(feed.source)
        records = Mischief(run, name).sealed()
        again = [records[at % len(records)] for at in range(ends + beyond)]
        Mischief(run, name).publish(again)
        say(feed=name, stored_at_most=ends, grown_to=len(again))
    run.held.clear()
    run.agencies.release(1)
    run.settle(FINAL_WITHIN_S)
    judged(run, say, collector, shuffled=[feed.source for feed in FEEDS.values()])
