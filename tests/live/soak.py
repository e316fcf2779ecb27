"""`python -m tests.live.soak --faults 300`: one long run over real servers, struck again and again, and then judged.

Prints its seed, kinds and counts as JSON. Exit 0 when nothing was lost, doubled or left unanswered, else 1. The same
seed draws the same faults in the same order; moments depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.live.collecting import Collector
from tests.live.faults import Striker, make_plan
from tests.live.generator import make_area
from tests.live.kafka_run import KafkaRun
from tests.live.servers import Servers

EVENTS_A_FAULT = 40
FINAL_WITHIN_S = 60.0
"""How soon after the last fault every sealed event has its receipt."""


def soak(folder: Path, servers: Servers, faults: int, seed: int) -> dict[str, Any]:
    """One run in a folder; gives what was done and the judge's verdict, `faults_found` empty when all is well."""
    rng = random.Random(seed)  # noqa: S311
    run = KafkaRun(folder, servers, make_area(EVENTS_A_FAULT * faults, seed, files=faults), rng)
    striker = Striker(run, rng)
    began, late = time.monotonic(), []
    try:
        run.set_up()
        striker.strike_all(make_plan(faults, rng))
        struck_s = time.monotonic() - began
        try:
            run.settle(FINAL_WITHIN_S)
        except AssertionError as fault:  # the judge says what became of it
            late.append(str(fault))
        settled_s = time.monotonic() - began - struck_s
        run.close()
        evidence = Collector(run).write(folder / "evidence")
    finally:
        run.close()
    verdict = judge(evidence)
    verdict["faults_found"] += late
    return {
        "seed": seed, "faults": dict(sorted(striker.struck.items())), "amid_work": striker.amid,
        "details": dict(sorted(striker.details.items())), "striking_s": round(struck_s),
        "settled_after_s": round(settled_s, 1), "whole_s": round(time.monotonic() - began), **verdict,
    }  # fmt: skip


def judge(evidence: Path) -> dict[str, Any]:
    """The verdict of the judge, who is a program of its own."""
    words = [sys.executable, "-m", "tests.live.judge", str(evidence)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)  # noqa: S603
    counts = json.loads(done.stdout) if done.stdout else {"faults": -1}
    return {"judged": counts, "faults_found": done.stderr.splitlines()}


def main() -> int:
    """Run and say."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--folder", type=Path, help="where everything is kept; else it is thrown away")
    asked = parser.parse_args()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    sys.stderr.write(f"soak: {asked.faults} faults, seed {asked.seed}\n")
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        folder = (asked.folder or Path(scratch)).absolute()
        (folder / "run").mkdir(parents=True)
        with Servers(folder / "servers") as servers:
            done = soak(folder / "run", servers, asked.faults, asked.seed)
    found = done.pop("faults_found")
    sys.stdout.write(json.dumps(done, indent=1) + "\n")
    sys.stderr.writelines(f"{fault}\n" for fault in found[:20])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
