"""Runs a hub and four adapters as processes and kills one of them again and again, at moments drawn from a seed.

SIGKILL goes to processes that were started here and to no other. What is killed is started again: the hub on the same
port, an adapter over the same outbox. Judges nothing.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from demo.stage import OFFICERS, Stage
from tests.live.generator import FEEDS, Area
from tests.live.judge import Sealed, Shown, read_entries, read_outbox

PARTNERSHIP, GSS = "urn:safeguarding:partnership:harrowmere-westlorn", "E99000001"
NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)
ASSURANCE = "urn:safeguarding:service:partnership-assurance"
AUDITOR, STEWARD = "isla.quint", "bram.tolley"
WATCHING = "tarnwhistle"
"""The feed whose adapter watches its folder (`run`); the others read it and end (`once`)."""
HUB = "hub"
READY_S, STIR_S, END_S = 30.0, 3.0, 240.0


@dataclass
class Run:
    """One run: a stage, its processes, and what was killed when."""

    folder: Path
    area: Area
    rng: random.Random
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    amid: int = 0
    """Kills after which something that the files mean was still without its receipt."""

    def __post_init__(self) -> None:
        services = {feed.service["urn"]: {k: feed.service[k] for k in ("name", "kind")} for feed in FEEDS.values()}
        self.stage = Stage(self.folder, PARTNERSHIP, GSS, services, FEEDS)
        self.stage.environment |= {"HUB_PAGE_SIZE": "500", "HUB_INBOX_RECORDS_A_MINUTE": "1000000"}
        self.stage.set_clock(NOW)
        self._released = dict.fromkeys(self.area.files, 0)

    def set_up(self) -> None:
        """A hub, its feeds, and two people: who reads everything, and who lists every child."""
        self.stage.build()
        self.stage.start()
        for person, role in ((AUDITOR, "caseAuditor"), (STEWARD, "steward")):
            held = {"person": person, "role": role, "service": ASSURANCE, "from": "2025-01-01"}
            self.stage.record(OFFICERS[0], {"event": "role-held", "details": held})
            course = {"person": person, "completed": "2025-01-01", "until": "2030-01-01"}
            self.stage.record(OFFICERS[0], {"event": "training-recorded", "details": course})
        self.stage.stop()

    def kill_again_and_again(self, kills: int) -> None:
        """Release the files bit by bit, and after each bit kill the hub or an adapter while they work."""
        for number in range(kills):
            self._release((number + 1) / kills)
            self._start_all(wait=self.rng.random() < 0.8)
            self._wait_for_a_moment()
            self._kill(HUB if self.rng.random() < 0.5 else self.rng.choice(sorted(FEEDS)))

    def end(self) -> None:
        """Let everything come to its end without another kill."""
        self._release(1)
        self._start_all(wait=True)
        ended = time.monotonic() + END_S
        while not self._all_settled() and time.monotonic() < ended:
            self._start_all(wait=False)
            time.sleep(0.2)
        self.close()

    def close(self) -> None:
        """End what was started here and still runs."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def sealed(self) -> list[Sealed]:
        """Every outbox, as it lies on the disk."""
        return [one for name in FEEDS for one in read_outbox(self._outbox(name))]

    def shown(self) -> list[Shown]:
        """Every child's chronology, read over HTTP by the auditor."""
        self.stage.start()
        try:
            words = ("identity", "list", "--all", "--as", STEWARD, "--purpose", "triage")
            children = [one["child"] for one in self.stage.hub_lines(*words)]
            read = ((child, self.stage.read(AUDITOR, child, "audit")["entries"]) for child in children)
            return [one for child, entries in read for one in read_entries(child, entries)]
        finally:
            self.stage.stop()

    # -- processes

    def _start_all(self, *, wait: bool) -> None:
        if not self._lives(HUB):
            self._start(HUB, ["-m", "hub", "serve"])
        if wait:
            self._wait_for_the_hub()
        for name in FEEDS:
            if not self._lives(name) and (name == WATCHING or self._is_behind(name)):
                verb = "run" if name == WATCHING else "once"
                module = f"adapters.{FEEDS[name].agency}"
                self._start(name, ["-m", module, "--home", str(self.folder / name), verb, str(self._folder(name))])

    def _start(self, name: str, words: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603
                [sys.executable, *words], env=self.stage.environment, stdout=log, stderr=log
            )

    def _lives(self, name: str) -> bool:
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def _wait_for_the_hub(self) -> None:
        ended = time.monotonic() + READY_S
        while time.monotonic() < ended:
            try:
                if httpx.get(f"{self.stage.url}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert self._lives(HUB), f"the hub ended by itself: {self._last_words(HUB)}"
            time.sleep(0.02)
        raise AssertionError("the hub did not become ready")

    def _wait_for_a_moment(self) -> None:
        """Mostly until a drawn part of what waits is settled, however fast the machine is; else any moment."""
        if self.rng.random() < 0.8:
            settled = self._settled()
            enough = settled + self.rng.random() * (self._released_events() - settled)
            ended = time.monotonic() + STIR_S
            while self._settled() < enough and time.monotonic() < ended:
                time.sleep(0.005)
        else:
            time.sleep(self.rng.uniform(0, 1.5))

    def _last_words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()[-1500:]

    def _kill(self, name: str) -> None:
        """SIGKILL. Where that adapter has ended already, the hub is killed instead."""
        name = name if self._lives(name) else HUB
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.killed[name] += 1
        self.amid += not self._all_settled()

    # -- files and outboxes

    def _folder(self, name: str) -> Path:
        return self.folder / name / "in"

    def _outbox(self, name: str) -> Path:
        return self.folder / name / "outbox.db"

    def _release(self, part: float) -> None:
        """Put files into the agencies' folders until this part of them is there."""
        for name, files in self.area.files.items():
            self._folder(name).mkdir(exist_ok=True)
            while self._released[name] < round(part * len(files)):
                file = files[self._released[name]]
                unfinished = self._folder(name) / f"{file.name}.part"
                unfinished.write_text(file.content, newline="")
                unfinished.rename(self._folder(name) / file.name)
                self._released[name] += 1

    def _settled(self) -> int:
        return sum(self._settled_of(name) for name in FEEDS)

    def _settled_of(self, name: str) -> int:
        if not self._outbox(name).exists():
            return 0
        question = "SELECT count(*) FROM sealed WHERE state IN ('admitted', 'duplicate', 'refused')"
        try:
            with sqlite3.connect(f"{self._outbox(name).as_uri()}?mode=ro", uri=True) as db:
                return int(db.execute(question).fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0

    def _released_events(self, names: Iterable[str] = tuple(FEEDS)) -> int:
        files = (file for name in names for file in self.area.files[name][: self._released[name]])
        return sum(file.meant.total() for file in files)

    def _is_behind(self, name: str) -> bool:
        return self._settled_of(name) < self._released_events([name])

    def _all_settled(self) -> bool:
        return not any(self._is_behind(name) for name in FEEDS)


def as_words(run: Run, seed: int) -> str:
    """What was done, for whoever reads the test's output."""
    return json.dumps({"seed": seed, "killed": dict(sorted(run.killed.items())), "amid_work": run.amid})
