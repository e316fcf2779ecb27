"""Whatever the bytes: an outcome, never an error. And files of other formats are answered clearly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kit.command import main
from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable, Unreadable
from adapters.police.formats import AGENCY

POLICE = Path(__file__).parents[3] / "adapters" / "police"
FILES = sorted(
    [*POLICE.glob("samples/*/*.json"), *POLICE.glob("samples/*/*.csv"), *POLICE.glob("columns/*.csv")], key=str
)
ENDS = (Events, Held, NoEvent, Unmappable, Unreadable)
FIXTURES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD_TEXTS = (
    "9999-12-31T23:59:59+14:00",
    "0001-01-01",
    "2024-02-30",
    "2025-03-30T01:30",
    "2025-01-01T00:00:00-99:99",
    "２０２５-01-01",
    "urn:safeguarding:service:",
    "x" * 5000,
    "\u202e",
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from(ODD_TEXTS),
)


def outcomes_of(adapter: Any, raw: bytes, name: str) -> list[Any]:
    """Every outcome of a file, mapped as first and again as a later version of itself; none may raise."""
    found = []
    for record in adapter.read(raw, name):
        if isinstance(record, Unreadable):
            found.append(record)
            continue
        found.append(adapter.map(record))
        found.append(adapter.map(record))
    return found


@given(raw=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".json", ".xml", ".txt", ""]))
@FIXTURES
def test_random_bytes_end_in_an_outcome(make_adapter: Any, raw: bytes, suffix: str) -> None:
    assert all(isinstance(end, ENDS) for end in outcomes_of(make_adapter(), raw, f"x{suffix}"))


@given(data=st.data(), path=st.sampled_from(FILES))
@settings(parent=FIXTURES, max_examples=200)
def test_mutated_samples_end_in_an_outcome(make_adapter: Any, data: Any, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=6))
    assert all(isinstance(end, ENDS) for end in outcomes_of(make_adapter(), bytes(raw), path.name))


@given(changes=st.lists(st.tuples(st.integers(0, 24), st.text(max_size=40)), max_size=8))
@settings(parent=FIXTURES, max_examples=150)
def test_rows_of_any_text_fit_the_schemas_or_are_no_events(make_adapter: Any, changes: Any) -> None:
    adapter = make_adapter()
    header, *rows = (POLICE / "columns" / "northmarch.conformance.csv").read_text().splitlines()
    cells = rows[3].replace('"2 Plover Close, Flat 1"', "2 Plover Close").split(",")
    for place, text in changes:
        cells[place] = '"' + text.replace('"', '""').replace("\0", "") + '"'
    raw = "\n".join((header, ",".join(cells))).encode("utf-8", "replace")
    for record in adapter.read(raw, "x.csv"):
        if not isinstance(record, Unreadable) and isinstance(outcome := adapter.map(record), Events):
            assert adapter.complete(record, outcome)


@given(data=st.data(), path=st.sampled_from([path for path in FILES if path.parent.name in ("story", "ordinary")]))
@settings(parent=FIXTURES, max_examples=250)
def test_reports_with_odd_values_anywhere_fit_the_schemas_or_are_no_events(
    make_adapter: Any, data: Any, path: Path
) -> None:
    if path.suffix != ".json":
        return
    file = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 4))):
        part: Any = file
        while isinstance(part, (dict, list)) and part:
            place = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
            if not isinstance(part[place], (dict, list)) or data.draw(st.integers(0, 3)) == 0:
                part[place] = data.draw(ODD)
                break
            part = part[place]
    adapter = make_adapter()
    for record in adapter.read(json.dumps(file).encode(), path.name):
        if not isinstance(record, Unreadable) and isinstance(outcome := adapter.map(record), Events):
            assert adapter.complete(record, outcome)


def test_files_of_other_formats_are_answered_with_one_clear_reason(adapter: Any, shared_dir: Path) -> None:
    files = sorted((shared_dir / "samples" / "police").iterdir())
    assert files
    for path in files:
        (outcome,) = adapter.take(path.read_bytes(), path.name)
        assert isinstance(outcome, Unreadable)
        assert outcome.reason.startswith("not a format this adapter reads ("), path.name


def test_every_bad_sample_has_a_bad_end_and_no_traceback(adapter: Any) -> None:
    for path in sorted((POLICE / "samples" / "bad").iterdir()):
        ends = {type(outcome).__name__ for outcome in adapter.take(path.read_bytes(), path.name)}
        assert ends & {"Unreadable", "Held", "Unmappable"}, path.name


def test_the_command_line_checks_the_story_without_any_home(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(AGENCY, ["check", "--json", str(POLICE / "samples" / "story")], {}) == 0
    written = capsys.readouterr()
    events = [event["event"] for line in written.out.splitlines() for event in json.loads(line)["events"]]
    assert len(events) == 18
    assert "Quillfeather" not in written.out + written.err
