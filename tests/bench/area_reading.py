"""Reads an area's files with the adapters' own command `check`, and says what each record became."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency
from adapters.kit.checking import Check, trial_settings
from adapters.kit.events import get_version
from adapters.kit.files import list_files, read_records
from adapters.kit.judging import Judged
from adapters.kit.outcomes import NativeRecord
from bench.area.feeds import FEEDS, Feed

KNOWN = "known"


@dataclass(frozen=True)
class Became:
    """One record of one file: what an adapter makes of it, in the order of the file."""

    feed: str
    file: str
    outcome: str
    reason: str = ""
    format: str = ""
    events: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(native record, event, day it happened)."""


def check_area(out: Path) -> Iterator[Became]:
    """Every record of every feed, in the order in which an adapter would take them."""
    for feed in FEEDS:
        yield from _check_feed(feed, out / feed.name)


def _check_feed(feed: Feed, folder: Path) -> Iterator[Became]:
    agency: Agency = import_module(f"adapters.{feed.agency}.__main__").AGENCY
    everything = {"shared_by": {"person": "area.inventor", "decided": "2024-01-01"}}
    settings = {"source": {"urn": feed.source}, "service": feed.service, "relevance": everything}
    settings |= tomllib.loads(feed.settings)
    check = Check(agency, trial_settings(agency, settings))
    seen: set[tuple[str, str, str]] = set()
    for path in list_files(folder):
        for found in read_records(agency, path, check.settings):
            record = found.what
            if not isinstance(record, NativeRecord) or found.format is None:
                yield Became(feed.name, path.name, "unreadable", record.reason if hasattr(record, "reason") else "")
                continue
            name = record.system, record.key, get_version(record)
            if name in seen:  # the adapter's memory answers this before anything is judged
                yield Became(feed.name, path.name, KNOWN, format=found.format.name)
                continue
            seen.add(name)
            judged = check._judge.judge(found.format, record, check._find_last(record))
            check._remember(record, judged)
            events = list(_events(judged))
            yield Became(feed.name, path.name, judged.outcome, judged.reason, found.format.name, events)


def _events(judged: Judged) -> Iterator[tuple[str, str, str | None]]:
    for ready in judged.ready:
        data: dict[str, Any] = json.loads(ready.data)
        yield data["origin"]["record"], data["event"], data["happened"].get("from", "")[:10] or None
