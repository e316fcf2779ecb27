"""What every test may ask for. Third-party test vectors lie beside the repository, in `shared`, not in it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings
from xdist.scheduler import LoadFileScheduling

from tests.brokers import broker as broker

LONG = os.environ.get("LONG") == "1"
LONGER = 10
"""How many times more examples a property is tried with when the long counts are asked for."""
LONGEST = (
    "test_kills.py", "test_non_interference.py", "test_readings_attacks_replay.py", "test_open_items_story.py",
    "test_table.py", "test_area_played.py", "test_samples_and_mutations.py", "test_readme.py", "test_words.py",
)  # fmt: skip
"""Files of many seconds, the longest first."""
TOGETHER = ("tests/story/",)
"""Folders whose files share something dear, so that one process takes all of them: the story is played once."""
settings.register_profile("patient", settings(), deadline=None)  # a busy machine is no fault of what is tried
settings.load_profile("patient")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of third-party vectors and samples. Skips where it is absent, but fails in continuous integration."""
    if not SHARED.is_dir():
        absent = "no folder `shared` beside the repository: third-party vectors were not run"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return SHARED


@pytest.fixture(scope="session")
def long_counts() -> bool:
    """Are the long counts asked for (`LONG=1`)? Tests that count mutations, kills or pairs then take more of them."""
    return LONG


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL for this run, its two databases with their tables. Skips where there is none, fails in CI."""
    from tests.stores import a_server, make_template

    with a_server(fsync="off", max_connections="200") as server:
        make_template(server)
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Fresh databases of each kind in turn: what a test says with it holds over both."""
    from tests.stores import a_store

    with a_store(tmp_path, request.getfixturevalue("postgres") if request.param == "postgres" else None) as one:
        yield one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no core waits for them at the end.

    With `LONG=1` every property is tried with ten times its examples, mutated files and records included.
    """
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
    properties = {getattr(item, "obj", None) for item in items} if LONG else set()
    for test in filter(is_hypothesis_test, properties):
        given: settings = getattr(test, SETTINGS)
        setattr(test, SETTINGS, settings(given, max_examples=given.max_examples * LONGER))


class FileAfterFile(LoadFileScheduling):
    """Each process takes the next file in the order of collection, or the next folder of those that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Files are not put in order again by how many tests they have: the longest have few, and would be last."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return FileAfterFile(config, log)


SETTINGS = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps a test's settings; it has no public way to change them once they are decorated."""
