"""Processes die at any moment of a run, and each event stands once in a chronology, in its source's order.

The judge sees files and answers only. `LONG=1` kills two hundred times; `SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.generator import make_area
from tests.live.judge import Sealed, Shown, judge
from tests.live.killing import Run, as_words

EVENTS = 5000
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))


def test_whatever_process_is_killed_and_when_each_event_is_shown_once_in_order(
    tmp_path: Path, long_counts: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = 200 if long_counts else 20
    area = make_area(EVENTS, SEED, files=kills)
    run = Run(tmp_path, area, random.Random(SEED))  # noqa: S311
    try:
        run.set_up()
        run.kill_again_and_again(kills)
        run.end()
    finally:
        run.close()
        with capsys.disabled():
            print(as_words(run, SEED))
    assert sum(count for kinds in area.meant().values() for count in kinds.values()) == EVENTS
    faults = judge(area.meant(), run.sealed(), run.shown())
    assert not faults, f"seed {SEED}: {len(faults)} faults, the first {faults[:5]}"
    assert run.killed.total() == kills
    assert run.amid >= kills // 2, as_words(run, SEED)


# -- the judge is judged

SOURCE = "urn:safeguarding:source:toy:live"


def a_good_run(count: int = 12) -> tuple[dict[str, Counter[str]], list[Sealed], list[Shown]]:
    sealed = [
        Sealed(SOURCE, f"e{n}", n, f"digest-{n}", "suspended", "admitted", 100 + 2 * n) for n in range(1, count + 1)
    ]
    shown = [Shown(f"child-{n % 3}", SOURCE, f"e{n}", f"digest-{n}", 100 + 2 * n) for n in range(1, count + 1)]
    return {SOURCE: Counter(suspended=count)}, sealed, shown


def test_the_judge_finds_no_fault_in_a_good_run() -> None:
    assert judge(*a_good_run()) == []


def test_the_judge_leaves_out_what_others_recorded() -> None:
    expected, sealed, shown = a_good_run()
    assert judge(expected, sealed, [*shown, Shown("child-1", "urn:people", "p1", "d", 500)]) == []


@pytest.mark.parametrize("number", [0, 5, 11])
def test_the_judge_sees_an_entry_that_is_missing(number: int) -> None:
    expected, sealed, shown = a_good_run()
    lost = shown.pop(number)
    assert judge(expected, sealed, shown) == [f"{SOURCE} {lost.id}: stands 0 times"]


@pytest.mark.parametrize("child", ["child-1", "child-2"])
def test_the_judge_sees_an_entry_that_stands_twice_in_one_chronology_or_in_two(child: str) -> None:
    expected, sealed, shown = a_good_run()
    again = replace(next(one for one in shown if one.child == "child-1"), child=child, position=900)
    assert f"{SOURCE} {again.id}: stands 2 times" in judge(expected, sealed, [*shown, again])


def test_the_judge_sees_other_content_another_place_and_an_entry_that_nobody_sealed() -> None:
    expected, sealed, shown = a_good_run()
    shown[3] = replace(shown[3], datadigest="other")
    shown[4] = replace(shown[4], position=111)
    shown.append(Shown("child-1", SOURCE, "invented", "d", 901))
    faults = judge(expected, sealed, shown)
    assert f"{SOURCE} e4: other content than was sealed" in faults
    assert f"{SOURCE} e5: its receipt names another place" in faults
    assert f"{SOURCE} invented: stands there, and nobody sealed it" in faults


def test_the_judge_sees_two_events_that_changed_places() -> None:
    expected, sealed, shown = a_good_run()
    sealed = [replace(one, position=None) for one in sealed]
    shown[3], shown[6] = replace(shown[3], position=shown[6].position), replace(shown[6], position=shown[3].position)
    faults = judge(expected, sealed, shown)
    assert any("out of its source's order" in fault for fault in faults)
    assert any("not in the order of admission" in fault for fault in faults)


def test_the_judge_sees_a_chronology_that_is_not_in_the_order_of_admission() -> None:
    expected, sealed, shown = a_good_run()
    assert any("not in the order of admission" in fault for fault in judge(expected, sealed, shown[::-1]))


@pytest.mark.parametrize("state", ["pending", "sent", "refused"])
def test_the_judge_sees_what_is_left_in_the_outbox(state: str) -> None:
    expected, sealed, shown = a_good_run()
    sealed[2] = replace(sealed[2], state=state)
    assert judge(expected, sealed, shown) == [f"{SOURCE} e3: left in the outbox as {state}"]


def test_the_judge_sees_an_event_that_was_lost_before_it_was_sealed_or_sealed_twice() -> None:
    expected, sealed, shown = a_good_run()
    assert judge(expected, sealed[:-1], shown[:-1]) == [f"{SOURCE}: the files mean 12 suspended, sealed are 11"]
    assert f"{SOURCE} e1: sealed twice" in judge(expected, [*sealed, sealed[0]], shown)
