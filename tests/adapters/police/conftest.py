"""What the police adapter's tests share: samples, rows and reports as bytes, and events completed and checked."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.agency import HEAD_BYTES, find_format
from adapters.kit.events import Context, Ready, complete_events
from adapters.kit.home import Secrets
from adapters.kit.memory import MEMORY_TABLES, Memory
from adapters.kit.outcomes import Events, NativeRecord, Outcome, Unmappable, Unreadable
from adapters.kit.placing import Standing
from adapters.kit.relevance import Gate, Sender
from adapters.police.formats import AGENCY

POLICE = Path(__file__).parents[3] / "adapters" / "police"
FRONT_DOOR = "urn:safeguarding:service:harrowmere-childrens-services"
SETTINGS: dict[str, Any] = {
    "source": {"urn": "urn:safeguarding:source:northmarch-police"},
    "partnership": {"urn": "urn:safeguarding:partnership:harrowmere-westlorn"},
    "service": {
        "urn": "urn:safeguarding:service:northmarch-police",
        "name": "Northmarch Constabulary",
        "kind": "police",
    },
    "identity": {"mode": "test"},
    "police": {"column_map": "auto", "gateway": "CA2004-s11", "front_door": FRONT_DOOR},
}

ROW = {
    "incident_ref": "NMC/1",
    "incident_opened_at": "2025-03-04T19:30",
    "incident_type": "PPN",
    "child_ref": "NM1",
    "child_given_name": "Ansel",
    "child_family_name": "Brightwater",
    "child_dob": "2013-02-04",
    "child_sex": "M",
    "child_address1": "2 Plover Close",
    "child_postcode": "ZZ1 2AB",
    "risk_level": "medium",
    "children_present": "yes",
    "submitted_at": "2025-03-04T22:00",
    "force_code": "northmarch",
}
CHILD = {
    "person_ref": "NM1",
    "entity": "P_009",
    "given_name": "Ansel",
    "surname": "Brightwater",
    "date_of_birth": "2013-02-04",
    "gender": "male",
    "home_address": {"line1": "2 Plover Close", "town": "Harrowmere", "postcode": "ZZ1 2AB"},
}
REPORT = {
    "report_ref": "R1",
    "report_version": "1",
    "recorded_at": "2025-03-04T22:00:00Z",
    "entity": "E_002",
    "occurred": {"from": "2025-03-04T19:30:00Z"},
    "people": [CHILD],
}


@dataclass
class Adapter:
    """The adapter with the kit's memory of last versions and published ids, but without keys, outbox and hub."""

    settings: Mapping[str, Any] = field(default_factory=lambda: json.loads(json.dumps(SETTINGS)))
    last: dict[str, NativeRecord] = field(default_factory=dict)
    memory: Memory = field(default_factory=lambda: new_memory())

    def read(self, raw: bytes, name: str) -> list[NativeRecord | Unreadable]:
        """Everything found in these bytes by the format that they choose."""
        path = Path(name)
        chosen = find_format(AGENCY, path, raw[:HEAD_BYTES])
        return (
            [Unreadable("format-unknown")]
            if chosen is None
            else list(chosen.read(path, io.BytesIO(raw), self.settings))
        )

    def map(self, record: NativeRecord) -> Outcome:
        """The outcome of a record, given what was read before."""
        chosen = next(one for one in AGENCY.formats if record.format.startswith(one.name))
        last = self.last.get(record.key) or self.last.get(record.supersedes)
        outcome = chosen.map(record, last, self.settings)
        if type(outcome).__name__ not in ("Held", "Unmappable"):
            self.last[record.key] = record
        return outcome

    def take(self, raw: bytes, name: str) -> list[Outcome | Unreadable]:
        """The outcomes of a file, in order; every event among them completed and found fit."""
        outcomes: list[Outcome | Unreadable] = []
        for found in self.read(raw, name):
            if isinstance(found, Unreadable):
                outcomes.append(found)
                continue
            outcome = self.map(found)
            if isinstance(outcome, Events):
                self.complete(found, outcome)
            outcomes.append(outcome)
        return outcomes

    def complete(self, record: NativeRecord, outcome: Events) -> list[Ready]:
        """The events as they would be sealed. Fails with the misfit where one does not fit its schema."""
        gate = Gate(self.settings, self.memory, Sender("tests", "2025-01-01"))
        context = Context(self.settings, Secrets(bytes(32), bytes(32)), self.memory, gate)
        done = complete_events(record, outcome.events, outcome.remarks, context)
        assert not isinstance(done, Unmappable), done
        for one in done.ready:
            self.memory.add_published(record, one.subject, Standing(one.id, one.name, one.target, one.as_))
        return list(done.ready)


def new_memory() -> Memory:
    connection = sqlite3.connect(":memory:")
    connection.executescript(MEMORY_TABLES)
    return Memory(connection)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def police_dir() -> Path:
    return POLICE


@pytest.fixture
def make_adapter() -> type[Adapter]:
    return Adapter


@pytest.fixture
def rows() -> Callable[..., bytes]:
    """A CSV with canonical headers; each argument changes the invented row, None leaves a cell empty."""

    def as_csv(*changes: Mapping[str, Any]) -> bytes:
        out = io.StringIO()
        headers = list(dict.fromkeys([*ROW, *(name for change in changes for name in change)]))
        writer = csv.DictWriter(out, headers)
        writer.writeheader()
        writer.writerows([{**ROW, **change} for change in changes])
        return out.getvalue().encode()

    return as_csv


@pytest.fixture
def report() -> Callable[..., bytes]:
    """A file of the JSON profile; each argument changes the invented report."""

    def as_json(*changes: Mapping[str, Any]) -> bytes:
        reports = [{**REPORT, **change} for change in changes]
        return json.dumps({"format": "pole-json/1", "force_code": "northmarch", "reports": reports}).encode()

    return as_json


@pytest.fixture
def child() -> dict[str, Any]:
    return json.loads(json.dumps(CHILD))


@pytest.fixture
def names() -> Callable[[Sequence[Any]], list[str]]:
    """The names of the events of some outcomes; other ends by their kind and reason."""

    def name_all(outcomes: Sequence[Any]) -> list[str]:
        named: list[str] = []
        for outcome in outcomes:
            if isinstance(outcome, Events):
                named.extend(event.name for event in outcome.events)
            else:
                reason = getattr(outcome, "reason", None) or getattr(outcome, "field", "")
                named.append(f"{type(outcome).__name__}: {reason}")
        return named

    return name_all
