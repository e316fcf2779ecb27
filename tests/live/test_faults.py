"""Servers die, lines break and disks fill while real processes work, and nothing is lost, doubled or left unanswered.

The judge, a program of its own, reads topics, outboxes and chronologies afterwards. `SEED` repeats the drawn moments.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from schemas.topics import receipts_topic
from tests.live.collecting import Collector
from tests.live.evidence import read_evidence
from tests.live.faults import COMMIT, KAFKA, LEADER, LINE, POSTGRES, STOPPED, make_plan
from tests.live.generator import FEEDS, Area, make_area
from tests.live.kafka_run import HUBS, TOPICS, KafkaRun
from tests.live.servers import Servers
from tests.live.soak import FINAL_WITHIN_S, judge, soak
from tests.live.topics import Topics

pytestmark = pytest.mark.live

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
START_S = 120.0
AREA = 300
ROUNDS = 5
RACE_S = 600
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
del sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""A program that runs another, whose files cannot grow beyond so many bytes."""
Make = Callable[[Area], KafkaRun]
Say = Callable[..., None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Say:
    """Counts for whoever reads the test's output."""

    def print_it(**counts: object) -> None:
        with capsys.disabled():
            print(json.dumps({request.node.name: {"seed": SEED, **counts}}))

    return print_it


def judged(run: KafkaRun, say: Say, collector: Collector | None = None, shuffled: list[str] | None = None) -> Path:
    """What is left of the run is collected and judged: without a fault. Gives the evidence."""
    run.close()
    evidence = (collector or Collector(run)).write(run.folder / "evidence", shuffled or [])
    verdict = judge(evidence)
    say(**verdict["judged"])
    assert verdict["faults_found"] == []
    assert verdict["judged"]["sealed"] == sum(kinds.total() for kinds in run.area.meant().values())
    return evidence


def test_thirty_faults_of_every_kind_in_one_run(tmp_path: Path, servers: Servers, say: Say) -> None:
    """The short version of `make soak`."""
    done = soak(tmp_path, servers, 30, SEED)
    say(**done)
    assert done["faults_found"] == []
    assert sum(done["faults"].values()) == 30
    assert done["amid_work"] >= 20


def test_a_plan_has_so_many_faults_and_at_full_length_the_wanted_number_of_each_kind() -> None:
    counts = Counter(make_plan(300, random.Random(SEED)))  # noqa: S311
    assert counts.total() == 300
    assert counts[KAFKA] >= 15
    assert counts[LEADER] >= 5
    assert counts[POSTGRES] >= 15
    assert counts[STOPPED] >= 10
    assert counts[COMMIT] + counts[LINE] >= 50
    assert Counter(make_plan(30, random.Random(SEED))).keys() == counts.keys()  # noqa: S311


def test_hubs_join_and_leave_all_the_time(a_run: Make, say: Say) -> None:
    run, rng, done = a_run(make_area(2 * AREA, SEED, files=ROUNDS)), random.Random(SEED), Counter[str]()  # noqa: S311
    comers = [*HUBS, "hub-3", "hub-4"]
    for number in range(4 * ROUNDS):
        run.agencies.release((number + 1) / (4 * ROUNDS))
        run.tend([*FEEDS, rng.choice(comers)])
        time.sleep(rng.uniform(0, 1))  # a rebalance takes about a second: some are interrupted
        here = [name for name in comers if run.processes.lives(name)]
        if rng.random() < 0.7:
            leaves = rng.choice(here)
            way = rng.choice(["left", "died"])
            run.processes.end(leaves) if way == "left" else run.processes.kill(leaves)
            done[way] += 1
        done["joined"] += 1
    run.settle(FINAL_WITHIN_S)
    say(**done)
    judged(run, say)


def test_postgres_is_restarted_in_the_middle_of_a_batch(a_run: Make, servers: Servers, say: Say) -> None:
    run, done = a_run(make_area(AREA, SEED, files=ROUNDS)), Counter[str]()
    for number in range(ROUNDS):
        run.agencies.release((number + 1) / ROUNDS)
        mode = ("fast", "immediate")[number % 2]
        sprung = servers.postgres_line.cut_at(b"COMMIT", delivered=number % 2 == 0)
        while not sprung.is_set():
            run.tend()
            time.sleep(0.01)
        servers.postgres.stop(mode)
        servers.postgres.start()
        done[mode] += 1
    run.settle(START_S)
    say(**done)
    judged(run, say)


def test_a_broker_that_loses_its_data_folder_gets_it_back_from_the_others(
    a_run: Make, servers: Servers, say: Say
) -> None:
    run = a_run(make_area(AREA, SEED, files=3))
    for number in servers.cluster.nodes:
        run.agencies.release(number / 3)
        work_a_while(run)
        servers.cluster.kill(number)
        servers.cluster.wipe(number)
        servers.heal("kafka", lambda number=number: servers.cluster.restart(number))  # type: ignore[misc]
        while servers.heals("kafka"):
            run.tend()
            time.sleep(0.05)
        servers.wait_until_whole(TOPICS)
    run.settle(FINAL_WITHIN_S)
    say(wiped=len(servers.cluster.nodes))
    judged(run, say)


def test_the_only_broker_loses_its_data_folder_and_the_outboxes_send_again(tmp_path: Path, say: Say) -> None:
    """Every topic is gone with what the hub had not read and agencies had not heard."""
    with Servers(tmp_path / "servers", nodes=1) as servers:
        run = KafkaRun(tmp_path, servers, make_area(AREA, SEED, files=2), random.Random(SEED))  # noqa: S311
        try:
            run.set_up()
            collector = Collector(run)
            run.agencies.release(0.5)
            work_a_while(run)
            _freeze(run, collector)
            servers.cluster.kill(1)
            servers.cluster.wipe(1)
            servers.cluster.restart(1)
            for feed in FEEDS.values():
                servers.cluster.add_agency(feed.source)
            for name in run.processes.running():
                run.processes.resume(name)
            run.agencies.release(1)
            took = run.settle(FINAL_WITHIN_S)
            say(settled_after_s=round(took, 1))
            judged(run, say, collector)
        finally:
            run.close()


def test_the_disk_of_an_outbox_is_full(a_run: Make, say: Say) -> None:
    """A limit on the size of files stands for the disk: what is written beyond it fails in the same way."""
    run, done = a_run(make_area(2 * AREA, SEED, files=6)), Counter[str]()
    run.agencies.release(1)
    for limit_kb in (256, 512, 768):
        for name in FEEDS:
            words = run.agencies.command(name, "once", "--patience", "5")
            run.tend(HUBS)
            run.processes.run(name, "-c", LIMITED, str(limit_kb * 1024), *words[1:])
            done["stopped by the limit"] += "outbox.db" in run.processes.last_words(name)
            done["sealed a part"] += 0 < run.agencies.sealed([name]) < run.agencies.released_events([name])
    say(**done)
    assert done["stopped by the limit"] >= 4
    assert done["sealed a part"] >= 2
    run.settle(START_S)
    judged(run, say)


def test_hubs_race_on_one_child_of_ten_thousand_events(a_run: Make, say: Say) -> None:
    """Police and hospital report the same child on topics of their own, which two hubs read, and both append to it."""
    area = make_area(14_300, SEED, files=10, children=1)
    area.files |= {"larkbeck": [], "tarnwhistle": []}
    run = a_run(area)
    run.agencies.release(1)
    run.tend([*HUBS, "hub-3"])
    took = run.settle(RACE_S)
    evidence = read_evidence(judged(run, say))
    largest, entries = Counter(one.child for one in evidence.shown).most_common(1)[0]
    sources = [one.source for one in evidence.shown if one.child == largest]
    turns = sum(one != other for one, other in pairwise(sources))
    say(entries=entries, turns=turns, settled_after_s=round(took))
    assert entries >= 10_000
    assert len(set(sources)) == 2
    assert turns >= 4, "one was done before the other began: nobody raced"


def work_a_while(run: KafkaRun, part: float = 0.5) -> None:
    """Until this part of what waits has its receipt."""
    enough = run.agencies.settled() + part * (run.agencies.released_events() - run.agencies.settled())
    ended = time.monotonic() + START_S
    while run.agencies.settled() < enough:
        assert time.monotonic() < ended, run.outstanding()
        run.tend()
        time.sleep(0.01)


def _freeze(run: KafkaRun, collector: Collector) -> None:
    """Everybody stands still in the middle of what they do, and what is about to be lost is noted."""
    for name in run.processes.running():
        run.processes.pause(name)
    ends: list[int] = []
    while ends != (ends := _ends(run)):
        time.sleep(1)  # what was on the wire still arrives
    for feed in FEEDS.values():
        collector.note(feed.source, kept=False)


def _ends(run: KafkaRun) -> list[int]:
    with Topics(run.servers.cluster) as topics:
        return [topics.end(topic) for topic in (*TOPICS, *map(receipts_topic, run.area.meant()))]
