"""`make demo AREA=N`: an invented area through a hub's real doors, compared with the truth about it.

One adapter process a feed sends over HTTP to an embedded hub, or with `--kafka` over Apache Kafka to one whose record
is in PostgreSQL; an auditor then reads every child's chronology over HTTP,
and the judge compares. Words go to stderr, the sums to stdout as JSON. Exit 1 when a child without a planted doubt
differs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.area.feeds import AREA, FEEDS, PARTNERSHIP
from bench.area.judge import Verdict, judge, read_truth
from bench.area.writing import READ_ON, write_area
from demo import stage
from demo.servers import ServedStage
from demo.stage import OFFICERS, Stage

ASSURANCE = "urn:safeguarding:service:partnership-assurance"
AUDITOR, STEWARD = "isla.quint", "bram.tolley"
INVENTOR = "area.inventor"
"""Who chose to send everything: the truth knows all that a record means, and relevance is not what is compared."""
YEARS, SHOWN = 3, 10
BY_SOURCE = {feed.source: feed.name for feed in FEEDS}
SAY_EVERY_S = 5.0


@dataclass
class Play:
    """One area on its stage: `out` holds its files and its truth, `folder` the hub and the adapters' homes."""

    out: Path
    folder: Path
    on: type[Stage] = Stage
    took: dict[str, float] = field(default_factory=dict)
    """Step → seconds."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Who → seconds of CPU time, of all their processes: what a busy machine hardly changes."""

    def __post_init__(self) -> None:
        feeds = {one.name: stage.Feed(one.agency, one.source, one.service, shared_by=INVENTOR) for one in FEEDS}
        services = {one.service["urn"]: {k: one.service[k] for k in ("name", "kind")} for one in FEEDS}
        self.stage = self.on(self.folder, PARTNERSHIP, AREA, services, feeds)
        self.stage.environment |= {"HUB_PAGE_SIZE": "500", "HUB_INBOX_RECORDS_A_MINUTE": "100000000"}
        self.stage.set_clock(READ_ON.replace(tzinfo=ZoneInfo("Europe/London")))

    def play(self) -> Verdict:
        """Set up, send, read, compare. Errors: `StageFault`."""
        try:
            with _Step(self, "hub and adapters set up"):
                self.stage.build()
                self._configure()
                self.stage.start()
            self._register_readers()
            with _Step(self, "every feed sent and receipted"):
                self.send()
            with _Step(self, "every chronology read"):
                read = self.read()
        finally:
            before = _spent_by_children()
            self.stage.end()
            self.cpu["hub"] = _spent_by_children() - before
        self.cpu["reader"] = time.process_time()
        with (self.folder / "read.json").open("w", encoding="utf-8") as file:
            json.dump(read, file)
        with _Step(self, "compared with the truth"):
            return judge(read_truth(self.out / "truth"), read)

    def send(self) -> None:
        """Each feed's adapter once over its files, as many side by side as there are cores."""
        before = _spent_by_children()
        with ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
            for done in pool.map(self._once, self.stage.feeds):
                say(done)
        self.cpu["adapters"] = _spent_by_children() - before

    def _once(self, name: str) -> str:
        began = time.monotonic()
        words = ["-m", f"adapters.{self.stage.feeds[name].agency}", "--home", str(self.folder / name), "once",
                 str(self.out / name), "--patience", "600"]  # fmt: skip
        done = subprocess.run(  # noqa: S603
            [sys.executable, *words], env=self.stage.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise stage.StageFault(f"adapter of {name}: exit {done.returncode}\n{done.stderr}{done.stdout}")
        report = json.loads(done.stdout)
        ends = ", ".join(f"{count} {end}" for end, count in report["records"].items())
        return f"  {name}: {report['sealed']} events from {ends} in {time.monotonic() - began:.0f} s"

    def read(self) -> dict[str, list[dict[str, Any]]]:
        """Every child's chronology as the auditor reads it, each entry with the native record that its agency names."""
        children = [
            one["child"]
            for one in self.stage.hub_lines("identity", "list", "--all", "--as", STEWARD, "--purpose", "triage")
        ]
        made_from = {key: row for name in self.stage.feeds for key, row in self._published(name).items()}
        read, said = {}, time.monotonic()
        for place, child in enumerate(children):
            entries = self.stage.read(AUDITOR, child, "audit")["entries"]
            read[child] = [_entry(one, made_from) for one in entries if one["source"] in BY_SOURCE]
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                say(f"  {place + 1} of {len(children)} chronologies read")
        return read

    def _published(self, name: str) -> dict[tuple[str, str], tuple[str, str, str]]:
        """(source, event id) → (feed, native record, event), from the agency's own memory."""
        path, source = self.folder / name / "outbox.db", self.stage.feeds[name].source
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT id, key, name FROM published").fetchall()
        return {(source, id): (name, key, event) for id, key, event in rows}

    def _configure(self) -> None:
        """A feed's settings in the place of those that its adapter begins with."""
        for one in FEEDS:
            if one.settings:
                path = self.folder / one.name / "adapter.toml"
                begun, _, _ = path.read_text().partition(f"\n[{one.agency}]")
                path.write_text(f"{begun}\n{one.settings}")

    def _register_readers(self) -> None:
        for person, role in ((AUDITOR, "caseAuditor"), (STEWARD, "steward")):
            held = {"person": person, "role": role, "service": ASSURANCE, "from": "2025-01-01"}
            self.stage.record(OFFICERS[0], {"event": "role-held", "details": held})
            course = {"person": person, "completed": "2025-01-01", "until": "2030-01-01"}
            self.stage.record(OFFICERS[0], {"event": "training-recorded", "details": course})


class _Step:
    """Says what was done and how long it took."""

    def __init__(self, play: Play, words: str) -> None:
        self.play, self.words = play, words

    def __enter__(self) -> None:
        self.began = time.monotonic()

    def __exit__(self, kind: object, *_: object) -> None:
        self.play.took[self.words] = round(time.monotonic() - self.began, 1)
        if kind is None:
            say(f"{self.words}: {self.play.took[self.words]} s")


def _spent_by_children() -> float:
    """CPU seconds of every process that was started here and has ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _entry(shown: dict[str, Any], made_from: dict[tuple[str, str], tuple[str, str, str]]) -> dict[str, Any]:
    """What an agency never published has no record, so that the judge finds that nobody meant it."""
    nobody = BY_SOURCE[shown["source"]], "", ""
    feed, record, event = made_from.get((shown["source"], shown["id"]), nobody)
    one = {"source": shown["source"], "id": shown["id"], "feed": feed, "record": record}
    if "retracted" in shown.get("marks", ()):
        return one | {"event": event, "day": None, "taken_back": True}
    day = shown.get("happened", {}).get("from", "")[:10]
    return one | {"event": shown.get("event", ""), "day": day or None}


def say(words: str) -> None:
    """A line for people."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def report(verdict: Verdict) -> None:
    """What differs, and what came of the children with a planted doubt."""
    for difference in verdict.differences[:SHOWN]:
        say(f"DIFFERS {json.dumps(difference)}")
    sums = verdict.summary()
    say(
        f"\n{sums['of_them_equal']} of {sums['without_doubt']} children without a planted doubt equal the truth"
        f" ({sums['of_them_silent']} of them silent), {sums['differences']} differences"
    )
    say(f"{sums['of_those_equal']} of {sums['with_planted_doubt']} children with a planted doubt equal it too:")
    for doubt, ends in sums["by_doubt"].items():
        counted = Counter(ends)
        say(f"  {doubt:<22} {counted['equal']:>6} equal {counted['differs']:>6} wait for a person")


def main(argv: Sequence[str] | None = None) -> int:
    """One run of the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.area.play", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, default=500, metavar="N")
    parser.add_argument("--years", type=int, default=YEARS, metavar="Y")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep everything there (else in a temporary folder)")
    parser.add_argument("--kafka", action="store_true", help="over Apache Kafka and PostgreSQL (needs Java and Maven)")
    words = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = words.folder or Path(scratch)
        one = Play(folder / "files", folder / "stage", ServedStage if words.kafka else Stage)
        with _Step(one, f"{words.children} children invented"):
            sums = write_area(one.out, children=words.children, years=words.years, seed=words.seed)
        counts = sums.counts
        say(f"  {counts['records']} native records in {counts['files']} files, {counts['events']} events")
        verdict = one.play()
    report(verdict)
    spent = {"seconds": one.took, "cpu_seconds": {name: round(cpu, 1) for name, cpu in one.cpu.items()}}
    sys.stdout.write(json.dumps(verdict.summary() | {"seed": words.seed} | spent) + "\n")
    return 1 if verdict.differences else 0


if __name__ == "__main__":
    sys.exit(main())
