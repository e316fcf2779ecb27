"""The story, played once through the real doors; every test reads what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.script import play
from demo.story import Story


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    told: Path = tmp_path_factory.mktemp("story")
    played = Story(told)
    try:
        play(played)
        yield played
    finally:
        played.stage.stop()
