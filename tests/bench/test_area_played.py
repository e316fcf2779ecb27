"""A small invented area from its files to an auditor's screen: nothing of a child without a planted doubt differs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.area import play


def test_a_small_area_through_the_real_doors_equals_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--children", "40", "--years", "1", "--seed", "5", "--folder", str(tmp_path)]
    assert play.main(words) == 0, capsys.readouterr().err
    sums = json.loads(capsys.readouterr().out)
    assert sums["differences"] == 0
    assert sums["of_them_equal"] == sums["without_doubt"] > 25
    truth = json.loads((tmp_path / "files" / "truth" / "area.json").read_text())
    assert sums["entries_read"] == truth["counts"]["events"] > 40
