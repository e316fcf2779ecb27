"""What the tests of the schools' adapter share: samples, records from bytes, events checked against their schema."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.education.formats import AGENCY
from adapters.kit.agency import HEAD_BYTES, find_format
from adapters.kit.events import make_origin, make_said_by
from adapters.kit.outcomes import Event, Events, NativeRecord, NoEvent, Outcome, Unreadable
from schemas.catalogue import KINDS
from schemas.check import check_event

SAMPLES = Path(__file__).parents[3] / "adapters" / "education" / "samples"
SETTINGS = {
    "service": {
        "urn": "urn:safeguarding:service:tarnwhistle-academy",
        "name": "Tarnwhistle Academy",
        "kind": "a school",
    },
    "identity": {"mode": "test"},
}

Read = Callable[..., list[NativeRecord | Unreadable]]
Take = Callable[..., list[tuple[NativeRecord, Outcome]]]


@pytest.fixture
def samples() -> Path:
    return SAMPLES


@pytest.fixture
def settings() -> dict[str, Any]:
    return json.loads(json.dumps(SETTINGS))


@pytest.fixture
def read() -> Read:
    """Everything that the adapter finds in these bytes, by the format it chooses itself."""

    def read_bytes(raw: bytes, name: str = "file.xml") -> list[NativeRecord | Unreadable]:
        path = Path(name)
        chosen = find_format(AGENCY, path, raw[:HEAD_BYTES])
        assert chosen is not None
        return list(chosen.read(path, io.BytesIO(raw), SETTINGS))

    return read_bytes


@pytest.fixture
def take(read: Read) -> Take:
    """Files one after the other, each record mapped with the last version of its key, as the kit does it."""
    by_name = {one.name: one for one in AGENCY.formats}

    def take_files(files: Sequence[Path | tuple[str, bytes]], settings: dict[str, Any] = SETTINGS) -> Any:
        last: dict[str, NativeRecord] = {}
        ends: list[tuple[NativeRecord, Outcome]] = []
        for file in files:
            name, raw = (file.name, file.read_bytes()) if isinstance(file, Path) else file
            for record in read(raw, name):
                assert isinstance(record, NativeRecord)
                outcome = by_name[record.format].map(
                    record, last.get(record.key, last.get(record.supersedes)), settings
                )
                ends.append((record, outcome))
                if isinstance(outcome, Events | NoEvent):
                    last[record.key] = record
        return ends

    return take_files


@pytest.fixture
def completed() -> Callable[..., dict[str, Any]]:
    """The whole canonical data of an event, as the kit completes it; fails unless it fits its schema."""

    def complete(record: NativeRecord, event: Event, outcome: Events) -> dict[str, Any]:
        data = {
            **event.data,
            "event": event.name,
            "version": KINDS[event.name].version,
            "partnership": "urn:safeguarding:partnership:harrowmere-westlorn",
            "origin": make_origin(record),
            "said_by": make_said_by(SETTINGS, event.data["said_by"]),
            "relevance": {"rule": "already-shared", "edition": "2024-09"},
        }
        remarks = [remark.as_data() for remark in (*record.remarks, *outcome.remarks)]
        if remarks:
            data["remarks"] = remarks
        if event.about:
            data["references"] = [{"source": "urn:safeguarding:source:school", "id": "0" * 32, "as": event.as_}]
        assert check_event(data) == []
        return data

    return complete


@pytest.fixture
def ctf() -> Callable[..., bytes]:
    """A transfer file with one pupil; every part can be replaced. `body` is XML inside the pupil."""

    def make(body: str = "", *, day: str = "2025-01-10T09:00:00", qualifier: str = "full", **fields: str) -> bytes:
        pupil = {
            "UPN": "U999200118001",
            "Surname": "Quillfeather",
            "Forename": "Wrenna",
            "DOB": "2014-05-17",
            "Sex": "F",
        } | fields
        written = "".join(f"<{name}>{text}</{name}>" for name, text in pupil.items() if text)
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<CTfile><Header><CTFversion>25.0</CTFversion><DateTime>{day}</DateTime>
<DocumentQualifier>{qualifier}</DocumentQualifier>
<SourceSchool><LEA>999</LEA><Estab>2001</Estab></SourceSchool>
<DestSchool><LEA>XXX</LEA><Estab>XXXX</Estab></DestSchool></Header>
<CTFpupilData><Pupil>{written}{body}</Pupil></CTFpupilData></CTfile>""".encode()

    return make


@pytest.fixture
def register() -> Callable[..., bytes]:
    """A register export with one student. `marks` is one text a school day, AM and PM by a space: "/ \\\\"."""

    def make(days: Sequence[tuple[str, str]] = (), **tables: Any) -> bytes:
        student = {
            "id": 7,
            "upn": "U999200118001",
            "first_name": "Wrenna",
            "last_name": "Mosswick",
            "dob": "2014-05-17",
        }
        rows = [
            {"student_id": 7, "session_date": day, "session_name": session, "attendance_mark": mark}
            for day, marks in days
            for session, mark in zip(("AM", "PM"), marks.split(), strict=True)
        ]
        return json.dumps({"students": [student], "attendance": rows} | tables).encode()

    return make
