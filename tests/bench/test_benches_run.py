"""The other benches run from end to end and say what they found; how quick this machine is, no test asks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench import append, measure, memory, open_items, rebuild
from bench.measure import Figure, judge
from bench.stage import BenchFault
from infra.postgres.binaries import NoPostgres, find_binaries

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="another process's CPU time is read the Linux way"
)


@pytest.fixture
def postgres() -> None:
    try:
        find_binaries()
    except NoPostgres as none:
        if os.environ.get("CI"):
            pytest.fail(str(none))
        pytest.skip(str(none))


def kept(path: Path, code: int) -> dict[str, Any]:
    """What a run kept, whatever it reached."""
    assert code in (0, 1)
    result: dict[str, Any] = json.loads(path.read_text())
    assert all(one["median"] > 0 for one in result["ratios"].values())
    return result


@pytest.mark.usefixtures("postgres")
def test_a_view_is_rebuilt_and_a_long_child_loaded_over_both_databases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "LONG", 20)
    path = tmp_path / "rebuild.json"
    result = kept(path, rebuild.main(["--events", "100", "--rounds", "1", "--out", str(path)]))
    assert result["ratios"].keys() == {"postgres", "sqlite", "child_postgres", "child_sqlite"}
    assert result["events"] == 120


@pytest.mark.usefixtures("postgres")
def test_facts_are_appended_in_every_size_over_both_databases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "EVENTS", {1: 2, 100: 100, 1000: 1000})
    path = tmp_path / "append.json"
    result = kept(path, append.main(["--rounds", "1", "--out", str(path)]))
    assert result["ratios"].keys() == {"postgres_1000", "sqlite_1000"}
    assert {"postgres_1_whole_us", "sqlite_100_limit_us"} <= result["medians"].keys()


def test_open_items_are_recomputed_from_zero_and_beside_a_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_items, "READS", 2)
    path = tmp_path / "open_items.json"
    result = kept(path, open_items.main(["--children", "20", "--rounds", "1", "--out", str(path)]))
    assert result["ratios"].keys() == {"from_zero", "reading"}
    assert (result["facts"], result["medians"]["items"] > 20) == (160, True)


def test_memory_is_looked_at_twice(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    assert memory.main(["--few", "20", "--many", "60", "--out", str(path)]) in (0, 1)
    assert json.loads(path.read_text())["events"] == {"few": 20, "many": 60}


def test_at_most_and_at_least_are_judged_each_in_its_direction() -> None:
    figures = Figure("rate", "ours", "theirs", 0.5), Figure("cost", "ours", "theirs", 0.5, least=False)
    rounds = [{"rate": 0.9, "cost": 0.9}] * 3
    assert [one["reached"] for one in judge(figures, rounds, rounds)["ratios"].values()] == [True, False]


def test_what_could_not_be_measured_is_said_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> dict[str, Any]:
        raise BenchFault("nothing came")

    assert measure.run("consume", fails, tmp_path / "none.json") == 1
    assert capsys.readouterr().err == "bench consume: nothing came\n"
    assert list(tmp_path.iterdir()) == []
