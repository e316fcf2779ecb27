"""What the benches share: bare verification as the unit, CPU time (a server's too), judged figures, how they are kept.

A figure is the median of its rounds. Each round measures both sides by turns, so that a busy neighbour slows both
alike. Words and table go to stderr, one JSON document to stdout and to `results/`.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.records import Source
from bench.spine import machine
from bench.stage import BenchFault
from hub.memory import NEW_OBJECTS, settle
from hub.store.opening import Databases, make_ready, open_databases
from infra.postgres.binaries import NoPostgres
from infra.postgres.server import OWNER, RUNNING, Server
from schemas.compact import split
from schemas.envelope import EVENT_TYP

RESULTS = Path(__file__).parent / "results"
ASSUMED = 7_700
"""Bare verifications a second on the machine for which rates were set; on another they are scaled by its own."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One judged ratio. `least`: at least so much is wanted, else at most."""

    name: str
    what: str
    against: str
    reach: float
    least: bool = True

    def reached(self, value: float) -> bool:
        """Is it good enough?"""
        return value >= self.reach if self.least else value <= self.reach


class Signatures:
    """The bare verification of some records' signatures, keys parsed once."""

    def __init__(self, sources: Sequence[Source], records: Sequence[bytes]) -> None:
        keys: dict[str, Any] = {one.key.kid: one.key.entry(source=one.urn).public_key for one in sources}
        parts = [split(json.loads(raw)["jws"], EVENT_TYP) for raw in records]
        self._signed = [(keys[one.kid], one.signature, one.signing_input) for one in parts]

    def __len__(self) -> int:
        return len(self._signed)

    def verify(self) -> None:
        """Every one of them, once."""
        for key, signature, message in self._signed:
            key.verify(signature, message)

    def verify_us(self) -> float:
        """CPU microseconds of one."""
        return cpu_us(self.verify) / len(self._signed)


def cpu_us(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """CPU microseconds of some work, by this process's clock or another's."""
    before = clock()
    work()
    return (clock() - before) * 1e6


def as_served() -> None:
    """Handle memory as `hub serve` and `hub consume` do; once everything is there."""
    gc.collect()
    settle(NEW_OBJECTS)


class ServerClock:
    """CPU seconds of a server and its children (Linux). What ends meanwhile is not counted."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._pids = self._family()

    def __call__(self) -> float:
        """Until now, of those that were there when the clock was made."""
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._pids if Path(f"/proc/{pid}").exists())

    def _family(self) -> list[int]:
        found = [self._pid]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                after_name = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[1]) == self._pid:
                found.append(int(stat.parent.name))
        return found


@contextmanager
def a_postgres(**settings: str) -> Iterator[Server]:
    """A PostgreSQL with the hub's tables, gone afterwards. Errors: `BenchFault` where there is none."""
    with tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the server may run as another user; its own folder is its alone
        try:
            server = Server(Path(folder) / "server")
            server.up(settings)
        except NoPostgres as none:
            raise BenchFault(str(none)) from none
        try:
            make_ready(server.conninfo(OWNER), server.conninfo(OWNER, "hub_keys"), RUNNING)
            yield server
        finally:
            server.stop("immediate")


def open_postgres(server: Server, home: Path) -> Databases:
    """The hub's databases of this server, as the running role."""
    return open_databases(home, server.conninfo(RUNNING), server.conninfo(RUNNING, "hub_keys"))


def median(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each value over the rounds, to four digits."""
    return {name: float(f"{statistics.median(one[name] for one in rounds):.4g}") for name in rounds[0]}


def judge(
    figures: Sequence[Figure],
    ratios: Sequence[Mapping[str, float]],
    measured: Sequence[Mapping[str, float]],
    **more: Any,
) -> dict[str, Any]:
    """The document of one run: each figure's median against its reach, what was measured beside, and the load."""
    judged = {}
    for figure in figures:
        rounds = [one[figure.name] for one in ratios]
        middle = statistics.median(rounds)
        judged[figure.name] = {
            "what": figure.what, "against": figure.against, "reach": round(figure.reach, 4), "least": figure.least,
            "median": round(middle, 4), "rounds": [round(one, 4) for one in rounds],
            "reached": figure.reached(middle),
        }  # fmt: skip
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"), "ratios": judged, "medians": median(measured),
        **more, "machine": machine() | {"load": round(os.getloadavg()[0], 1)},
    }  # fmt: skip


def run(name: str, work: Callable[[], dict[str, Any]], out: Path | None) -> int:
    """Do the work, print and keep its document; gives the exit code: 1 below a reach, or when nothing was measured."""
    try:
        result = work()
    except BenchFault as fault:
        sys.stderr.write(f"bench {name}: {fault}\n")
        return 1
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    (out or RESULTS / f"{name}.json").write_text(text + "\n")
    sys.stderr.write(table(result))
    return 0 if all(one["reached"] for one in result["ratios"].values()) else 1


def table(result: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = ["", *(f"{value:12,.4g}  {name}" for name, value in result["medians"].items()), ""]
    for one in result["ratios"].values():
        word, bound = "reached" if one["reached"] else "MISSED", "at least" if one["least"] else "at most"
        lines.append(
            f"{one['median']:9.3f}  ({bound} {one['reach']:g}, {word})  {one['what']}, against {one['against']}"
        )
    return "\n".join(lines) + "\n"
