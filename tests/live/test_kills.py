"""Processes die at any moment of a run, and each event stands once in a chronology, in its source's order.

The judge sees files and answers only. `LONG=1` kills two hundred times; `SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.live.generator import make_area
from tests.live.judge import judge
from tests.live.killing import Run, as_words

EVENTS_A_KILL, MOST_EVENTS = 100, 5000
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))


def test_whatever_process_is_killed_and_when_each_event_is_shown_once_in_order(
    tmp_path: Path, long_counts: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = 200 if long_counts else 20
    events = min(kills * EVENTS_A_KILL, MOST_EVENTS)
    area = make_area(events, SEED, files=kills)
    run = Run(tmp_path, area, random.Random(SEED))  # noqa: S311
    try:
        run.set_up()
        run.kill_again_and_again(kills)
        run.end()
    finally:
        run.close()
        with capsys.disabled():
            print(as_words(run, SEED))
    assert sum(count for kinds in area.meant().values() for count in kinds.values()) == events
    faults = judge(area.meant(), run.sealed(), run.shown())
    assert not faults, f"seed {SEED}: {len(faults)} faults, the first {faults[:5]}"
    assert run.processes.killed.total() == kills
    assert run.amid >= kills // 2, as_words(run, SEED)
