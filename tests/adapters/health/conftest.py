"""Reads bytes as the adapter would, maps them in order with the version before, and completes events for checking."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.health.formats import AGENCY
from adapters.kit.agency import find_format
from adapters.kit.events import make_origin, make_said_by, with_subjects
from adapters.kit.home import Secrets
from adapters.kit.judging import Judge
from adapters.kit.memory import MEMORY_TABLES, Memory
from adapters.kit.outcomes import Event, Events, NativeRecord, Outcome, Unmappable, Unreadable
from adapters.kit.placing import Standing, place_events
from adapters.kit.relevance import Sender
from schemas.check import check_event

SETTINGS: dict[str, Any] = {
    "source": {"urn": "urn:safeguarding:source:fenwater-nhs"},
    "partnership": {"urn": "urn:safeguarding:partnership:harrowmere-westlorn"},
    "service": {
        "urn": "urn:safeguarding:service:fenwater-emergency",
        "name": "Fenwater NHS Trust, emergency department",
        "kind": "a hospital",
    },
    "identity": {"mode": "test"},
    "services": {
        "931821000000105": {
            "urn": "urn:safeguarding:service:fenwater-school-nursing",
            "name": "Fenwater school nursing",
            "kind": "community health",
        }
    },
    "addressees": {
        "SCHNUR": {"service": "urn:safeguarding:service:fenwater-school-nursing", "role": "healthPractitioner"}
    },
    "sites": {"ZZF01": "Fenwater General Hospital"},
}
SAMPLES = Path(__file__).parents[3] / "adapters" / "health" / "samples"

Handled = list[tuple[NativeRecord | Unreadable, Outcome | None]]


def handle(files: Iterable[tuple[str, bytes]], settings: dict[str, Any] = SETTINGS) -> Handled:
    """Every record of these files with its outcome; last versions and what was published as an adapter remembers them.

    Retractions of what was never published are left out, as the kit leaves them out.
    """
    last: dict[str, NativeRecord] = {}
    handled: Handled = []
    memory = new_memory()
    judge = Judge(settings, Secrets(bytes(32), bytes(32)), memory, Sender("tests", "2024-01-01"))
    for name, raw in files:
        path = Path(name)
        found = find_format(AGENCY, path, raw[:4096])
        assert found is not None, f"no format knows {name}"
        for record in found.read(path, io.BytesIO(raw), settings):
            if isinstance(record, Unreadable):
                handled.append((record, None))
                continue
            before = last.get(record.key) or last.get(record.supersedes)
            outcome = found.map(record, before, settings)
            assert found.map(record, before, settings) == outcome, "the same record mapped twice differs"
            outcome = judge.tell_whole(found, record, before, outcome)
            if isinstance(outcome, Events):
                pairs = with_subjects(record, outcome.events, judge.secrets)
                placed = place_events(record, pairs, memory)
                outcome = replace(outcome, events=tuple({id(one.event): one.event for one in placed}.values()))
            judged = judge.judge(found, record, before)
            assert judged.outcome != "unmappable" or isinstance(outcome, Unmappable), judged
            for ready in judged.ready:
                memory.add_published(record, ready.subject, Standing(ready.id, ready.name, ready.target, ready.as_))
            last[record.key] = record
            handled.append((record, outcome))
    return handled


def new_memory() -> Memory:
    connection = sqlite3.connect(":memory:")
    connection.executescript(MEMORY_TABLES)
    return Memory(connection)


def complete(
    record: NativeRecord, event: Event, outcome: Events, settings: dict[str, Any] = SETTINGS
) -> dict[str, Any]:
    """The event with what the kit adds."""
    data = {
        **event.data,
        "event": event.name,
        "version": 1,
        "partnership": settings["partnership"]["urn"],
        "origin": make_origin(record),
        "said_by": make_said_by(settings, event.data.get("said_by", {})),
        "relevance": {"rule": "always-relevant", "edition": "2024-09"},
    }
    remarks = [remark.as_data() for remark in (*record.remarks, *outcome.remarks)]
    if remarks:
        data["remarks"] = remarks
    if event.about is not None:
        data["references"] = [{"source": settings["source"]["urn"], "id": "0" * 32, "as": event.as_}]
    return data


@pytest.fixture
def samples() -> Path:
    return SAMPLES


@pytest.fixture
def handle_files() -> Callable[..., Handled]:
    """(name, bytes) pairs, or paths: all handled in order."""

    def run(*files: Path | tuple[str, bytes], settings: dict[str, Any] = SETTINGS) -> Handled:
        pairs = [(f.name, f.read_bytes()) if isinstance(f, Path) else f for f in files]
        return handle(pairs, settings)

    return run


@pytest.fixture
def outcomes(handle_files: Callable[..., Handled]) -> Callable[..., list[Any]]:
    """What became of each record, every event checked against its schema."""

    def run(*files: Path | tuple[str, bytes], settings: dict[str, Any] = SETTINGS) -> list[Any]:
        ends: list[Any] = []
        for record, outcome in handle_files(*files, settings=settings):
            if isinstance(outcome, Events) and isinstance(record, NativeRecord):
                for event in outcome.events:
                    assert check_event(complete(record, event, outcome, settings)) == [], event.name
            ends.append(record if outcome is None else outcome)
        return ends

    return run


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS
