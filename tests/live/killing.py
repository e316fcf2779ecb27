"""Runs a hub and four adapters as processes and kills one of them again and again, at moments drawn from a seed.

SIGKILL goes to processes that were started here and to no other. What is killed is started again: the hub on the same
port, an adapter over the same outbox. Judges nothing.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from demo.stage import OFFICERS, Feed, Stage, StageFault
from tests.live.agencies import Agencies
from tests.live.evidence import Sealed, Shown, read_entries, read_outbox
from tests.live.generator import FEEDS, Area
from tests.live.processes import Processes

PARTNERSHIP, GSS = "urn:safeguarding:partnership:harrowmere-westlorn", "E99000001"
NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)
ASSURANCE = "urn:safeguarding:service:partnership-assurance"
AUDITOR, STEWARD = "isla.quint", "bram.tolley"
WATCHING = "tarnwhistle"
"""The feed whose adapter watches its folder (`run`); the others read it and end (`once`)."""
HUB = "hub"
READY_S, STIR_S, END_S = 30.0, 3.0, 240.0
PACE_S = 0.02
"""Between two looks at what others do; each costs a core milliseconds, which those who work then lack."""


def make_stage(folder: Path, feeds: Mapping[str, Feed] = FEEDS) -> Stage:
    """A stage for the feeds of a run, its clock standing."""
    services = {feed.service["urn"]: {k: feed.service[k] for k in ("name", "kind")} for feed in feeds.values()}
    stage = Stage(folder, PARTNERSHIP, GSS, services, feeds)
    stage.environment |= {"HUB_PAGE_SIZE": "5000", "HUB_INBOX_RECORDS_A_MINUTE": "1000000"}
    stage.set_clock(NOW)
    return stage


def add_people(stage: Stage) -> None:
    """Who reads everything, and who lists every child. The hub must serve."""
    for person, role in ((AUDITOR, "caseAuditor"), (STEWARD, "steward")):
        held = {"person": person, "role": role, "service": ASSURANCE, "from": "2025-01-01"}
        stage.record(OFFICERS[0], {"event": "role-held", "details": held})
        course = {"person": person, "completed": "2025-01-01", "until": "2030-01-01"}
        stage.record(OFFICERS[0], {"event": "training-recorded", "details": course})


def read_chronologies(stage: Stage) -> dict[str, list[dict[str, object]]]:
    """Every child's chronology, read over HTTP by the auditor. The hub must serve."""
    words = ("identity", "list", "--all", "--as", STEWARD, "--purpose", "triage")
    return {one["child"]: _read_one(stage, one["child"]) for one in stage.hub_lines(*words)}


def _read_one(stage: Stage, child: str) -> list[dict[str, object]]:
    """A child whom the hub lists and cannot show has lost what it had: nothing is shown."""
    try:
        found: list[dict[str, object]] = stage.read(AUDITOR, child, "audit")["entries"]
    except StageFault as fault:
        if ": 404 " not in str(fault):
            raise
        return []
    return found


def wait_for_door(stage: Stage, processes: Processes, name: str) -> None:
    """Until `hub serve` says that it is ready."""
    ended = time.monotonic() + READY_S
    with httpx.Client(base_url=stage.url, timeout=2) as client:
        while time.monotonic() < ended:
            with suppress(httpx.HTTPError):
                if client.get("/health/ready").status_code == 200:
                    return
            assert processes.lives(name), f"the hub ended by itself: {processes.last_words(name)}"
            time.sleep(PACE_S)
    raise AssertionError("the hub did not become ready")


@dataclass
class Run:
    """One run: a stage, its processes, and what was killed when."""

    folder: Path
    area: Area
    rng: random.Random
    amid: int = 0
    """Kills after which something that the files mean was still without its receipt."""

    def __post_init__(self) -> None:
        self.stage = make_stage(self.folder)
        self.agencies = Agencies(self.folder, self.area)
        self.processes = Processes(self.folder, self.stage.environment)

    def set_up(self) -> None:
        """A hub, its feeds, and two people."""
        self.stage.build()
        self.stage.start()
        add_people(self.stage)
        self.stage.stop()

    def kill_again_and_again(self, kills: int) -> None:
        """Release the files bit by bit, and after each bit kill the hub or an adapter while they work."""
        for number in range(kills):
            self.agencies.release((number + 1) / kills)
            self._start_all(wait=self.rng.random() < 0.8)
            self._wait_for_a_moment()
            self._kill(HUB if self.rng.random() < 0.5 else self.rng.choice(sorted(FEEDS)))

    def end(self) -> None:
        """Let everything come to its end without another kill."""
        self.agencies.release(1)
        self._start_all(wait=True)
        ended = time.monotonic() + END_S
        while not self.agencies.all_settled() and time.monotonic() < ended:
            self._start_all(wait=False)
            time.sleep(0.2)
        self.close()

    def close(self) -> None:
        """End what was started here and still runs."""
        self.processes.end()

    def sealed(self) -> list[Sealed]:
        """Every outbox, as it lies on the disk."""
        return [one for name in FEEDS for one in read_outbox(self.agencies.outbox(name))]

    def shown(self) -> list[Shown]:
        """Every child's chronology, as the auditor reads it."""
        self.stage.start()
        try:
            read = read_chronologies(self.stage)
        finally:
            self.stage.stop()
        return [one for child, entries in read.items() for one in read_entries(child, entries)]

    def _start_all(self, *, wait: bool) -> None:
        if not self.processes.lives(HUB):
            self.processes.start(HUB, "-m", "hub", "serve")
        if wait:
            wait_for_door(self.stage, self.processes, HUB)
        for name in FEEDS:
            if not self.processes.lives(name) and (name == WATCHING or self.agencies.is_behind(name)):
                self.processes.start(name, *self.agencies.command(name, "run" if name == WATCHING else "once"))

    def _wait_for_a_moment(self) -> None:
        """Mostly until a drawn part of what waits is settled, however fast the machine is; else any moment."""
        if self.rng.random() < 0.8:
            settled = self.agencies.settled()
            enough = settled + self.rng.random() * (self.agencies.released_events() - settled)
            ended = time.monotonic() + STIR_S
            while self.agencies.settled() < enough and time.monotonic() < ended:
                time.sleep(PACE_S)
        else:
            time.sleep(self.rng.uniform(0, 1.5))

    def _kill(self, name: str) -> None:
        """SIGKILL. Where that adapter has ended already, the hub is killed instead."""
        self.processes.kill(name if self.processes.lives(name) else HUB)
        self.amid += not self.agencies.all_settled()


def as_words(run: Run, seed: int) -> str:
    """What was done, for whoever reads the test's output."""
    return json.dumps({"seed": seed, "killed": dict(sorted(run.processes.killed.items())), "amid_work": run.amid})
