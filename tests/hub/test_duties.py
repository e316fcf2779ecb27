"""`hub rules`: what a partnership is judged by can be read, and a file of it checked, without a hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.__main__ import main
from hub.rules import editions
from hub.rules.loading import check_rule

RULES = Path(editions.__file__).parent
Run = Callable[..., tuple[int, list[Any], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command where there is no hub; gives code, lines and words."""
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "none"))

    def one(*argv: str) -> tuple[int, list[Any], str]:
        capsys.readouterr()
        code = main(argv)
        got = capsys.readouterr()
        return code, [json.loads(line) for line in got.out.splitlines()], got.err

    return one


def test_rules_are_listed_with_the_edition_of_a_day_and_an_area(run: Run) -> None:
    _, lines, _ = run("rules", "list", "--on", "2018-07-03")
    assert {one["rule"]: one["edition"] for one in lines}["referral-decision"] == "WT15"
    assert {one["rule"]: one["edition"] for one in lines}["file-receipt"] is None
    _, lines, _ = run("rules", "list", "--on", "2026-02-16", "--area", "E99000001")
    local = {one["rule"]: (one["area"], one.get("limit")) for one in lines}
    assert (local["child-seen"], local["referral-decision"]) == (("E99000001", 1), ("*", 1))
    assert run("rules", "list", "--on", "soon")[0] == 2


def test_who_lists_rules_without_an_area_is_told_that_these_are_the_editions_for_everywhere(run: Run) -> None:
    _, lines, words = run("rules", "list", "--on", "2026-02-16")
    assert {one["area"] for one in lines if one["edition"]} == {"*"}
    assert words == "hub: editions for everywhere, on 2026-02-16; an area may have its own: --area GSS\n"
    assert run("rules", "list", "--on", "2026-02-16", "--area", "E99000001")[2] == ""


def test_a_rule_is_shown_with_all_its_editions_and_an_unknown_one_is_a_misuse(run: Run) -> None:
    _, (rule,), _ = run("rules", "show", "referral-decision")
    assert [one["status"] for one in rule["editions"]] == ["draft", *["in-force"] * 4]
    code, lines, words = run("rules", "show", "bedtime")
    assert (code, lines) == (2, [])
    assert "there is no rule bedtime" in words


def test_a_file_of_rules_is_checked_and_an_overlap_refused_by_name(run: Run, tmp_path: Path) -> None:
    good = RULES / "child-seen.json"
    assert run("rules", "check", str(good))[:2] == (0, [{"rule": "child-seen", "editions": 5, "known": True}])
    rule = json.loads(good.read_text())
    rule["editions"].append({**rule["editions"][-1], "edition": "2026-01", "from": "2026-01-01"})
    (tmp_path / "rule.json").write_text(json.dumps(rule))
    code, lines, words = run("rules", "check", str(tmp_path / "rule.json"))
    assert (code, lines) == (1, [])
    assert "child-seen: 2024-01 and 2026-01 for E99000001 overlap" in words
    assert "OverlappingEditions" in words
    (tmp_path / "rule.json").write_text("{")
    assert run("rules", "check", str(tmp_path / "rule.json"))[0] == 1
    assert run("rules", "check", str(tmp_path / "nothing.json"))[0] == 2


def test_a_hub_does_not_open_over_a_broken_rule(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = check_rule((RULES / "child-seen.json").read_bytes())
    broken["editions"].append({**broken["editions"][0], "edition": "again"})
    for file in RULES.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "child-seen.json").write_text(json.dumps(broken))
    monkeypatch.setattr(editions, "HERE", tmp_path)
    monkeypatch.setenv("HUB_DEMO", "1")
    editions.get_rule.cache_clear()
    try:
        code, lines, words = run("init", "--partnership", "urn:safeguarding:partnership:x", "--area", "E99000001",
                                 "--officer", "ada")  # fmt: skip
    finally:
        editions.get_rule.cache_clear()
    assert (code, lines) == (2, [])
    assert "child-seen: WT13 and again for * overlap" in words
    assert not (tmp_path / "none").exists()
