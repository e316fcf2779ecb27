"""A file that grows past a few screens is asked whether it is two; adapters look alike at a glance."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES, MOST_LINES_OF_TESTS = 400, 500
"""A file of tests is a list, read by its names."""
LONGER: dict[str, str] = {}
"""File → why it is one thing and still longer."""

AGENCIES = ("police", "health", "education")
SAME_NAMES = {"README.md", "__init__.py", "__main__.py", "formats.py", "source", "record", "mapping", "samples"}
ROOMS = ("source", "record", "mapping")


def written() -> list[Path]:
    return sorted(
        file for top in ("schemas", "adapters", "hub", "demo", "bench", "tests") for file in (ROOT / top).rglob("*.py")
    )


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in written()}
    too_long = {name: lines for name, lines in lengths.items() if lines > _most(name)}
    assert {name: lines for name, lines in too_long.items() if name not in LONGER} == {}
    assert LONGER.keys() - too_long.keys() == set(), "no longer an exception"


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_adapter_has_the_same_names(agency: str) -> None:
    folder = ROOT / "adapters" / agency
    assert {one.name for one in folder.iterdir()} >= SAME_NAMES
    assert {one.name for one in (folder / "samples").iterdir()} >= {"story", "ordinary", "bad"}


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_format_has_its_source_record_and_mapping_under_one_name(agency: str) -> None:
    """`source` and `mapping` speak of the same formats; `other` reads what is refused with a plain sentence."""
    names = {room: {file.stem for file in (ROOT / "adapters" / agency / room).glob("*.py")} for room in ROOMS}
    shared = set.intersection(*names.values()) - {"__init__"}
    assert len(shared) >= 2, f"{agency} has no two formats that stand in source, record and mapping"


def test_every_package_says_what_it_is() -> None:
    silent = [str(file.relative_to(ROOT)) for file in written() if _is_ours(file) and not _docstring(file)]
    assert silent == []


def _most(name: str) -> int:
    return MOST_LINES_OF_TESTS if name.startswith("tests/") else MOST_LINES


def _is_ours(file: Path) -> bool:
    return file.relative_to(ROOT).parts[0] != "tests"


def _docstring(file: Path) -> bool:
    return file.read_text().lstrip().startswith(('"""', 'r"""'))
