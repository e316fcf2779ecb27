"""The faults of a run over real servers: each kind is struck at a drawn moment, healed a while later, and counted.

What is killed was started by the run. Kinds that would only wait for one another (a second broker while one is away)
are put off until the servers are whole again.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable

from schemas.topics import events_topic
from tests.live.generator import FEEDS
from tests.live.kafka_run import DOOR, HUBS, SESSION_S, TOPICS, KafkaRun

KAFKA, LEADER, POSTGRES, STOPPED = "kafka killed", "leader lost", "postgres killed", "hub stopped beyond its session"
COMMIT, LINE, HUB, ADAPTER = "cut at a commit", "cut from kafka", "hub killed", "adapter killed"
SHARES = {KAFKA: 15, LEADER: 6, POSTGRES: 16, STOPPED: 11, COMMIT: 32, LINE: 22, HUB: 110, ADAPTER: 88}
"""Of three hundred faults, how many are of each kind."""
BEYOND_SESSION_S = SESSION_S + 2.0
SPRINGS_WITHIN_S = 3.0
MOST_BYTES = 40_000
STIR_S = 2.5


def make_plan(faults: int, rng: random.Random) -> list[str]:
    """So many faults in a drawn order, with every kind among them."""
    whole = sum(SHARES.values())
    rare = [kind for kind, share in SHARES.items() if kind != HUB for _ in range(math.ceil(share * faults / whole))]
    plan = rare[:faults] + [HUB] * (faults - len(rare))
    rng.shuffle(plan)
    return plan


class Striker:
    """Strikes faults at one run, and heals."""

    def __init__(self, run: KafkaRun, rng: random.Random) -> None:
        self.run, self.rng, self.servers = run, rng, run.servers
        self.struck: Counter[str] = Counter()
        self.details: Counter[str] = Counter()
        self.amid = 0
        """Faults that struck while something that had been released was without its receipt."""
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._stopped: set[str] = set()
        self._ways: dict[str, Callable[[], str]] = {
            KAFKA: self._kill_a_node, LEADER: self._kill_a_leader, POSTGRES: self._kill_postgres,
            STOPPED: self._stop_a_hub, COMMIT: self._cut_at_a_commit, LINE: self._cut_from_kafka,
            HUB: self._kill_a_hub, ADAPTER: self._kill_an_adapter,
        }  # fmt: skip

    def strike_all(self, plan: list[str]) -> None:
        """Release the run's files bit by bit, and strike after each bit, in the order of the plan where it can be."""
        left = list(plan)
        while left:
            self.run.agencies.release((len(plan) - len(left) + 1) / len(plan))
            self._wait_for_a_moment()
            kind = next((kind for kind in left if self._is_possible(kind)), "")
            if kind:
                left.remove(kind)
                self.strike(kind)
        self.heal_all()

    def strike(self, kind: str) -> None:
        """One fault of this kind, now."""
        self.amid += not self.run.agencies.all_settled()
        self.details[f"{kind}: {self._ways[kind]()}"] += 1
        self.struck[kind] += 1

    def heal_all(self) -> None:
        """Nothing that was struck is left broken."""
        for line in (self.servers.postgres_line, *self.servers.kafka_lines.values()):
            line.disarm()
        while self._due:
            self._heal_due()
            time.sleep(0.05)
        self.servers.wait_until_whole(TOPICS)
        self.run.tend()

    # -- when

    def _is_possible(self, kind: str) -> bool:
        if kind in (KAFKA, LEADER):
            return not self.servers.heals("kafka") and self.servers.are_whole(TOPICS)
        if kind in (POSTGRES, COMMIT):
            return not self.servers.heals("postgres")
        if kind == STOPPED:
            return not self._stopped and bool(self._living(HUBS))
        if kind == ADAPTER:
            return bool(self._living(FEEDS))
        return kind == LINE or bool(self._living((DOOR, *HUBS)))

    def _wait_for_a_moment(self) -> None:
        """Until a drawn part of what waits is settled, or a drawn time has passed; meanwhile what died is started."""
        agencies, settled = self.run.agencies, self.run.agencies.settled()
        enough = settled + max(1.0, self.rng.random() * (agencies.released_events() - settled))
        ended = time.monotonic() + self.rng.uniform(0, STIR_S)
        while agencies.settled() < enough and time.monotonic() < ended:
            self.run.tend()
            self._heal_due()
            time.sleep(0.02)

    def _heal_due(self) -> None:
        now = time.monotonic()
        for when, heal in [one for one in self._due if one[0] <= now]:
            self._due.remove((when, heal))
            heal()

    def _heal_in(self, seconds: float, heal: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, heal))

    # -- ways; each says what it hit

    def _kill_a_node(self) -> str:
        return self._kill_node(self.rng.choice(list(self.servers.cluster.nodes)))

    def _kill_a_leader(self) -> str:
        """In the middle of a batch that an adapter sends: its line breaks, and the leader is gone."""
        behind = [name for name in FEEDS if self.run.agencies.is_behind(name)] or list(FEEDS)
        leader = self.servers.cluster.leader(events_topic(FEEDS[self.rng.choice(behind)].source))
        sprung = self.servers.kafka_lines[leader].cut_after(self.rng.randrange(MOST_BYTES))
        amid = self._await(sprung.is_set)
        self._kill_node(leader)
        return "in a batch" if amid else "between batches"

    def _kill_node(self, number: int) -> str:
        self.servers.cluster.kill(number)
        self.servers.heal("kafka", lambda: self.servers.cluster.restart(number))
        return f"node {number}"

    def _kill_postgres(self) -> str:
        """At any moment, or when a commit has just arrived."""
        amid = self.rng.random() < 0.5
        if amid:
            amid = self._await(self.servers.postgres_line.cut_at(b"COMMIT", delivered=True).is_set)
        self.servers.postgres.kill()
        self.servers.heal("postgres", self.servers.postgres.start)
        return "at a commit" if amid else "at any moment"

    def _stop_a_hub(self) -> str:
        name = self.rng.choice(self._living(HUBS))
        self.run.processes.pause(name)
        self._stopped.add(name)

        def resume() -> None:
            self.run.processes.resume(name)
            self._stopped.discard(name)

        self._heal_in(BEYOND_SESSION_S, resume)
        return name

    def _cut_at_a_commit(self) -> str:
        delivered = self.rng.random() < 0.5
        if self._await(self.servers.postgres_line.cut_at(b"COMMIT", delivered=delivered).is_set):
            return "its answer lost" if delivered else "it never arrived"
        self.servers.postgres_line.disarm()
        self.servers.postgres_line.cut()
        return "none came: every line"

    def _cut_from_kafka(self) -> str:
        line = self.rng.choice(list(self.servers.kafka_lines.values()))
        if self._await(line.cut_after(self.rng.randrange(MOST_BYTES)).is_set):
            return "amid what was said"
        line.disarm()
        line.cut()
        return "every line to a node"

    def _kill_a_hub(self) -> str:
        return self._kill(self._living((DOOR, *HUBS, *HUBS)))

    def _kill_an_adapter(self) -> str:
        return self._kill(self._living(FEEDS))

    def _kill(self, names: list[str]) -> str:
        name = self.rng.choice(names)
        self.run.processes.kill(name)
        return name

    def _living(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.run.processes.lives(name) and name not in self._stopped]

    def _await(self, happened: Callable[[], bool]) -> bool:
        """Has it happened before we lose patience? What died is started meanwhile."""
        ended = time.monotonic() + SPRINGS_WITHIN_S
        while not happened() and time.monotonic() < ended:
            self.run.tend()
            self._heal_due()
            time.sleep(0.005)
        return happened()
