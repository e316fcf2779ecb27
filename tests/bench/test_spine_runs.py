"""The benchmark runs from end to end and says what it found; how quick this machine is, no test asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import spine


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="another process's CPU time is read the Linux way")
def test_the_spine_measures_every_side_and_keeps_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "spine.json"
    assert spine.main(["--records", "40", "--reads", "2", "--rounds", "1", "--out", str(kept)]) in (0, 1)
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert json.loads(kept.read_text()) == result
    assert result["ratios"].keys() == {"open", "admit", "read"}
    assert all(one["median"] > 0 for one in result["ratios"].values())
    assert (result["records"]["count"], result["reads"]["count"], result["reads"]["entries"]) == (40, 2, 200)
    assert "ready-made" in said.err


def test_a_run_below_the_reach_says_so_in_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = spine.summary([spine.Round(verify=100, open=200, admit=400, read=9000, read_first=9000, ready_made=400)])
    monkeypatch.setattr(spine, "measure", lambda *_: result)
    assert [one["reached"] for one in result["ratios"].values()] == [False, True, False]
    assert spine.main(["--out", str(tmp_path / "spine.json")]) == 1


def test_too_few_records_for_a_round_is_a_misuse(tmp_path: Path) -> None:
    assert spine.main(["--records", "10", "--rounds", "6", "--out", str(tmp_path / "none.json")]) == 2
    assert list(tmp_path.iterdir()) == []
