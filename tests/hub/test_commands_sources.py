"""`hub sources` shows an operator when each live source was last heard, and ends with 1 where one is silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.__main__ import main
from hub.bootstrap import Hub
from schemas.envelope import HEARTBEAT

Said = tuple[int, list[Any], str]


@pytest.fixture
def sources(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[[], Said]:
    monkeypatch.setenv("HUB_HOME", str(hub.settings.home))
    monkeypatch.setenv("HUB_DEMO", "1")
    monkeypatch.setenv("HUB_DEMO_CLOCK", str(tmp_path / "clock"))

    def run() -> Said:
        (tmp_path / "clock").write_text(hub.clock().isoformat())
        code = main(["sources"])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def test_a_hub_without_sources_says_so(hub: Hub, sources: Callable[[], Said]) -> None:
    assert sources() == (0, [], "no live sources yet\n")


def test_each_source_with_its_gaps_and_what_waits_and_a_silent_one_is_a_fault(
    hub: Hub, police: Any, clock: Any, sources: Callable[[], Said]
) -> None:
    police.seal()
    said = {"every_s": 600, "outstanding": 2, "last_sequence": 1}
    hub.admission.admit([police.seal(said, type=HEARTBEAT, shared="2025-03-03T12:00:00Z")], police.source)
    code, (row,), _ = sources()
    assert code == 0
    assert row == {
        "source": police.source, "service": "urn:safeguarding:service:northmarch-police", "name": "Northmarch",
        "last_heard": "2025-03-03T12:00:00.000+00:00", "every_s": 600, "silent": False, "gaps": [[1, 1]],
        "waiting": False, "outstanding_when_heard": 2, "remarks": ["gap"],
    }  # fmt: skip
    clock.forward(hours=1)
    code, (row,), words = sources()
    assert (code, row["silent"]) == (1, True)
    assert "1 of 1 sources are silent" in words
