"""A partnership over real servers: two hubs that consume, one that serves, four adapters, all processes of their own.

Whatever dies is started again by `tend`, as an operator's service manager would. Judges nothing.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from infra.postgres.server import OWNER, RUNNING
from schemas.topics import events_topic
from tests.live.agencies import Agencies
from tests.live.generator import FEEDS, Area
from tests.live.killing import add_people, make_stage, wait_for_door
from tests.live.processes import Processes
from tests.live.servers import Servers
from tests.live.topics import Topics

DOOR = "door"
HUBS = ("hub-1", "hub-2")
"""What has neither this name nor a feed's is one more hub that consumes."""
WATCHING = ("tarnwhistle", "fenwater")
"""Feeds whose adapters watch their folders (`run`); the others read and end (`once`), and are started when behind."""
SESSION_S = 6
"""The least that Apache Kafka lets a group's member be silent, by default."""
SEND_AGAIN_S = 10
PACE_S = 0.05
TOPICS = [events_topic(feed.source) for feed in FEEDS.values()]


class KafkaRun:
    """One run in a folder, with databases and topics of its own."""

    def __init__(self, folder: Path, servers: Servers, area: Area, rng: random.Random) -> None:
        self.folder, self.servers, self.area, self.rng = folder, servers, area, rng
        self.stage = make_stage(folder)
        self._databases = [f"hub_{uuid4().hex}", f"keys_{uuid4().hex}"]
        self.stage.environment |= self._settings(RUNNING)
        self.agencies = Agencies(folder, area)
        self.processes = Processes(folder, self.stage.environment)
        self.held: set[str] = set()
        """Names of processes that are not to be started for now."""

    def set_up(self) -> None:
        """Fresh databases and topics, a hub, its feeds with their keys, and two people."""
        self.servers.make_databases(*self._databases)
        migrate = [sys.executable, "-m", "hub", "migrate"]
        environment = self.stage.environment | self._settings(OWNER)
        subprocess.run(migrate, env=environment, check=True, capture_output=True)  # noqa: S603
        for feed in FEEDS.values():
            self.servers.cluster.delete_topic(feed.source)
            self.servers.cluster.add_agency(feed.source)
        self.stage.build()
        for name in FEEDS:
            self._connect(name)
        self.stage.start()
        add_people(self.stage)
        self.stage.stop()

    def tend(self, names: Iterable[str] = (DOOR, *HUBS, *FEEDS)) -> None:
        """Start those of these that do not run and have something to do."""
        for name in names:
            if self.processes.lives(name) or name in self.held:
                continue
            if name == DOOR:
                self.processes.start(name, "-m", "hub", "serve")
            elif name not in FEEDS:
                self.processes.start(name, "-m", "hub", "consume")
            elif name in WATCHING:
                self.processes.start(name, *self.agencies.command(name, "run"))
            elif self.agencies.is_behind(name):
                self.processes.start(name, *self.agencies.command(name, "once"))

    def wait_for_door(self) -> None:
        """Until `hub serve` is ready, for whoever reads."""
        wait_for_door(self.stage, self.processes, DOOR)

    def settle(self, within_s: float) -> float:
        """Tend until everything that was released has its receipt, and every message its answer; gives how long it
        took. Fails after `within_s`."""
        began = time.monotonic()
        while not (self.agencies.all_settled() and self.is_read()):
            took = time.monotonic() - began
            assert took < within_s, f"after {took:.0f} s without a fault: {self.outstanding()}"
            self.tend()
            time.sleep(PACE_S)
        return time.monotonic() - began

    def is_read(self) -> bool:
        """Has the hub read every topic to its end, and published every answer? It is asked so that nobody judges too
        soon; the judge does not take its word."""
        with psycopg.connect(self.servers.postgres.conninfo(RUNNING, self._databases[0])) as db:
            read = {(row[0], row[1]): row[2] for row in db.execute("SELECT topic, topic_id, next FROM consumed")}
            unpublished = db.execute(
                "SELECT 1 FROM receipt r WHERE caller = ANY(%s) AND cursor >"
                " (SELECT COALESCE(MAX(cursor), 0) FROM relayed l WHERE l.caller = r.caller) LIMIT 1",
                ([feed.source for feed in FEEDS.values()],),
            ).fetchone()
        if unpublished:
            return False
        with Topics(self.servers.cluster) as topics, self.servers.cluster.operator() as operator:
            ends = {(topic, UUID(operator.topic_id(topic)).hex): topics.end(topic) for topic in TOPICS}
        return all(read.get(topic, 0) >= end for topic, end in ends.items())

    def outstanding(self) -> dict[str, int]:
        """How many released events of each feed have no receipt yet."""
        counts = {name: self.agencies.released_events([name]) - self.agencies.settled([name]) for name in FEEDS}
        return {name: count for name, count in counts.items() if count}

    def close(self) -> None:
        """End what was started here and still runs."""
        self.processes.end()

    def receipt_key(self) -> dict[str, str]:
        """The hub's public receipt key, as the agencies pinned it."""
        found: dict[str, str] = json.loads((self.folder / "hub-receipt.jwk").read_text())
        return found

    # -- making

    def _settings(self, role: str) -> dict[str, str]:
        cluster = self.servers.cluster
        record, keys = (self.servers.conninfo(role, name) for name in self._databases)
        return {
            "HUB_DATABASE": record, "HUB_KEYS_DATABASE": keys, "HUB_KAFKA": cluster.bootstrap,
            "HUB_KAFKA_CA": str(cluster.ca), "HUB_KAFKA_PASSWORD_FILE": str(cluster.password_file("hub")),
            "HUB_KAFKA_SESSION_S": str(SESSION_S),
        }  # fmt: skip

    def _connect(self, name: str) -> None:
        """What an agency's operator does to publish by Kafka."""
        cluster, home = self.servers.cluster, self.folder / name
        agency = cluster.add_agency(FEEDS[name].source)
        shutil.copy(cluster.ca, home / "kafka-ca.pem")
        shutil.copy(agency.password_file, home / "kafka.password")
        sealing = json.loads(self.stage.hub("keys", "show"))["sealing"]
        (home / "hub-sealing.jwk").write_text(json.dumps(sealing))
        path = home / "adapter.toml"
        settings = path.read_text().replace("servers = []", f"servers = {json.dumps(cluster.bootstrap.split(','))}")
        path.write_text(settings.replace("# send_again_after_s = 60", f"send_again_after_s = {SEND_AGAIN_S}"))
