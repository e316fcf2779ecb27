"""What files would become, without a home, a key or a hub: for whoever prepares an export. Says nothing personal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency, Settings
from adapters.kit.events import Ready, get_version
from adapters.kit.files import Found, list_files, read_records
from adapters.kit.home import Secrets, fill_settings
from adapters.kit.judging import EVENTS, MOVES_THE_SNAPSHOT, NO_EVENT, UNREADABLE, Judge, Judged
from adapters.kit.memory import MEMORY_TABLES, Memory
from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.placing import Standing
from schemas.catalogue import find_kind

TRIAL: Settings = {
    "source": {"urn": "urn:safeguarding:source:trial"},
    "partnership": {"urn": "urn:safeguarding:partnership:trial"},
    "service": {"urn": "urn:safeguarding:service:trial", "name": "Trial service", "kind": "another service"},
    "identity": {"mode": "test"},
}
WELL = (EVENTS, NO_EVENT)


@dataclass
class Check:
    """Judges the records of files one after the other. A record that comes twice is compared with itself before."""

    agency: Agency
    settings: Settings

    def __post_init__(self) -> None:
        connection = sqlite3.connect("")  # a private file that is gone when we are: long exports do not fit in memory
        connection.executescript(MEMORY_TABLES)
        self._memory = Memory(connection)
        self._judge = Judge(self.settings, Secrets(bytes(32), bytes(32)), self._memory)

    def check(self, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
        """One report a record. OSError if a file cannot be opened."""
        for path in paths:
            for name in list_files(path) if path.is_dir() else [path]:
                for place, found in enumerate(read_records(self.agency, name, self.settings), 1):
                    yield {"file": str(name), **self._report(found, place)}

    def _report(self, found: Found, place: int) -> dict[str, Any]:
        label = found.what.label or f"record {place}"
        if isinstance(found.what, Unreadable) or found.format is None:
            reason = found.what.reason if isinstance(found.what, Unreadable) else ""
            nothing: dict[str, Any] = {"events": [], "held_back": [], "remarks": []}
            return {"record": label, "outcome": UNREADABLE, **nothing, "reasons": [{"why": reason}]}
        judged = self._judge.judge(found.format, found.what, self._find_last(found.what))
        self._remember(found.what, judged)
        return {"record": label, "format": found.format.name, **describe(judged)}

    def _find_last(self, record: NativeRecord) -> NativeRecord | None:
        own = self._memory.find_last(record.system, record.key)
        return own or self._memory.find_last(record.system, record.supersedes)

    def _remember(self, record: NativeRecord, judged: Judged) -> None:
        if judged.outcome in MOVES_THE_SNAPSHOT:
            self._memory.add_snapshot(record, get_version(record))
        for ready in judged.ready:
            self._memory.add_published(record, ready.subject, Standing(ready.id, ready.name, ready.target, ready.as_))


def trial_settings(agency: Agency, given: Settings | None) -> Settings:
    """The settings of a home, or those of a trial, over the agency's defaults."""
    return fill_settings(given or TRIAL, fill_settings(agency.defaults, TRIAL))


def describe(judged: Judged) -> dict[str, Any]:
    """A judged record in words and codes only."""
    reasons = [{"field": judged.field, "why": judged.reason}] if judged.reason else []
    return {
        "outcome": judged.outcome,
        "events": [_describe_event(ready) for ready in judged.ready],
        "held_back": [name for name, _ in judged.held],
        "reasons": [{name: value for name, value in reason.items() if value} for reason in reasons],
        "remarks": [_describe_remark(remark) for remark in judged.remarks],
    }


def _describe_event(ready: Ready) -> dict[str, Any]:
    data = json.loads(ready.data)
    kind = find_kind(ready.name)
    child = data.get("child", {})
    return {
        "event": ready.name,
        "mais": kind.mais if kind else "",
        "change": data.get("change", ""),
        "relevance": data["relevance"].get("rule", "person"),
        "happened": data.get("happened", {}).get("precision", ""),
        "child": {
            "identifiers": sorted(identifier["system"] for identifier in child.get("identifiers", ())),
            "named": "names" in child,
            "birth_date": "birth_date" in child,
        },
        "remarks": [remark["code"] for remark in data.get("remarks", ())],
    }


def _describe_remark(remark: Remark) -> dict[str, str]:
    return {name: value for name, value in remark.as_data().items() if name != "note"}


def as_line(report: dict[str, Any]) -> str:
    """One report as a line for people."""
    events = ", ".join(f"{event['event']} ({event['relevance']})" for event in report["events"])
    reasons = "; ".join(" ".join(reason.values()) for reason in report["reasons"])
    held = f"held back, {reasons}: {', '.join(report['held_back'])}" if report["held_back"] else ""
    remarks = " ".join(f"[{remark['code']}]" for remark in report["remarks"])
    columns = [
        f"{Path(report['file']).name:<28}",
        f"{report['record']:<14}",
        f"{report['outcome']:<11}",
        "; ".join(part for part in (events, held) if part) or reasons,
        remarks,
    ]
    return printable(" ".join(columns).rstrip())


def printable(text: str) -> str:
    """Text that cannot steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
