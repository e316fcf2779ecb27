"""What an adapter remembers of the native side: records and files handled, snapshots, published ids, what is kept.

Lies in the outbox's file and takes part in its transactions. Judges nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.kit.outcomes import NativeRecord, Unreadable
from adapters.kit.placing import Standing

MAX_KEPT_BYTES = 10 * 1024 * 1024
KEPT = ("held", "unmappable", "held-back")
"""Outcomes whose bytes are kept: a person must look, or may still send them."""
STANDS = "p.as_ <> 'retracts' AND NOT EXISTS (SELECT 1 FROM published r WHERE r.target = p.id AND r.as_ = 'retracts')"
TAKEN_BACK = "taken-back-before-it-was-sent"
SNAPSHOT_MEMBERS = ("key", "person", "parsed", "format", "format_version", "system", "label", "supersedes")

MEMORY_TABLES = """
CREATE TABLE published (
    id TEXT NOT NULL UNIQUE, system TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
    target TEXT NOT NULL, as_ TEXT NOT NULL
);
CREATE INDEX published_by_record ON published (system, key, subject);
CREATE INDEX published_by_subject ON published (subject);
CREATE INDEX published_by_target ON published (target, as_);
CREATE TABLE native (
    system TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    field TEXT NOT NULL, before TEXT, raw BLOB, file TEXT NOT NULL, label TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (system, key, version)
);
CREATE INDEX native_by_outcome ON native (outcome, reason);
CREATE TABLE snapshot (
    system TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (system, key, version)
);
CREATE TABLE person (subject TEXT PRIMARY KEY, system TEXT NOT NULL, first_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE file (digest TEXT PRIMARY KEY, name TEXT NOT NULL, records INTEGER NOT NULL, at TEXT NOT NULL);
CREATE TABLE unreadable (
    file TEXT NOT NULL, place INTEGER NOT NULL, label TEXT NOT NULL, reason TEXT NOT NULL, raw BLOB, at TEXT NOT NULL,
    PRIMARY KEY (file, place)
);
"""
NEW_IN_MEMORY = (
    "ALTER TABLE native ADD COLUMN format TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE held_about (system TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, subject TEXT NOT NULL,"
    " name TEXT NOT NULL, PRIMARY KEY (system, key, version, subject)) WITHOUT ROWID",
    "CREATE INDEX held_about_by_subject ON held_about (subject)",
    "CREATE INDEX held_about_by_name ON held_about (name)",
    "CREATE INDEX native_kept ON native (at) WHERE outcome = 'held-back' AND raw IS NOT NULL",
    "CREATE TABLE asked (subject TEXT PRIMARY KEY, at TEXT NOT NULL, history INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE TABLE chosen (name TEXT PRIMARY KEY, person TEXT NOT NULL, decided TEXT NOT NULL, reason TEXT NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE notice (id TEXT PRIMARY KEY, kind TEXT NOT NULL, row TEXT NOT NULL, came_at TEXT NOT NULL,"
    " opened_at TEXT NOT NULL DEFAULT '', opened_by TEXT NOT NULL DEFAULT '')",
)
"""What the outbox's fourth shape adds to the third: whom something held back is about, what a person chose
to send, about whom the hub asked, and what it told us."""
MEMORY_TABLES += ";\n".join(NEW_IN_MEMORY) + ";\n"


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a version of a native record: its outcome, and which version was the last before it."""

    outcome: str
    before: str | None


class Memory:
    """Works on the outbox's connection; whoever writes opens the outbox's `transaction()` first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def find_handled(self, system: str, key: str, version: str) -> Handled | None:
        """What became of this version when it was read, None if it was not."""
        found = self._db.execute(
            "SELECT outcome, before FROM native WHERE system = ? AND key = ? AND version = ?", (system, key, version)
        ).fetchone()
        return None if found is None else Handled(*found)

    def find_last(self, system: str, key: str) -> NativeRecord | None:
        """The last snapshot of a native record. Its `raw` is empty: bytes are not kept twice."""
        return self._read_snapshot(
            "SELECT record FROM snapshot WHERE system = ? AND key = ? ORDER BY rowid DESC LIMIT 1", system, key
        )

    def find_version(self, system: str, key: str, version: str) -> NativeRecord | None:
        """The snapshot of one version, if it is still held."""
        return self._read_snapshot(
            "SELECT record FROM snapshot WHERE system = ? AND key = ? AND version = ?", system, key, version
        )

    def _read_snapshot(self, question: str, *given: str) -> NativeRecord | None:
        found = self._db.execute(question, given).fetchone()
        return None if found is None else NativeRecord(raw=b"", **json.loads(found[0]))

    def list_standing(self, system: str, key: str, subject: str) -> list[Standing]:
        """What was published for a native record about a person and not taken back, the oldest first."""
        found = self._db.execute(
            f"SELECT id, name, target, as_ FROM published p WHERE system = ? AND key = ? AND subject = ? AND {STANDS}"  # noqa: S608
            " ORDER BY rowid",
            (system, key, subject),
        )
        return [Standing(*row) for row in found]

    def is_shared(self, subject: str) -> bool:
        """Does anything that was published about this person stand?"""
        question = f"SELECT 1 FROM published p WHERE subject = ? AND {STANDS} LIMIT 1"  # noqa: S608
        return self._db.execute(question, (subject,)).fetchone() is not None

    def is_asked(self, subject: str) -> bool:
        """Did the hub ask about this person?"""
        return self._db.execute("SELECT 1 FROM asked WHERE subject = ?", (subject,)).fetchone() is not None

    def add_published(self, record: NativeRecord, subject: str, event: Standing) -> None:
        """That this event was published for a native record about a person."""
        self._db.execute(
            "INSERT OR IGNORE INTO published VALUES (?, ?, ?, ?, ?, ?, ?)",
            (event.id, record.system, record.key, event.name, subject, event.target, event.as_),
        )

    def add_person(self, subject: str, system: str, at: str) -> None:
        """That something about this person has left the agency."""
        self._db.execute("INSERT OR IGNORE INTO person VALUES (?, ?, ?)", (subject, system, at))

    def add_handled(self, record: NativeRecord, version: str, end: Mapping[str, Any]) -> None:
        """What became of a version: `end` has outcome, reason, field, before, file, at, format. KEPT ones keep their
        bytes."""
        raw = record.raw[:MAX_KEPT_BYTES] if end["outcome"] in KEPT else None
        row = {"system": record.system, "key": record.key, "version": version, "raw": raw, "label": record.label, **end}
        self._db.execute(
            "INSERT OR REPLACE INTO native VALUES"
            " (:system, :key, :version, :outcome, :reason, :field, :before, :raw, :file, :label, :at, :format)",
            row,
        )
        self._db.execute("DELETE FROM held_about WHERE system = ? AND key = ? AND version = ?", self._place(row))

    def add_held_about(self, record: NativeRecord, version: str, subjects: Iterable[str], name: str) -> None:
        """Whom a held-back version is about, and the name by which a person can send it."""
        rows = [(record.system, record.key, version, subject, name) for subject in sorted(subjects)]
        self._db.executemany("INSERT INTO held_about VALUES (?, ?, ?, ?, ?)", rows)

    @staticmethod
    def _place(row: Mapping[str, Any]) -> tuple[str, str, str]:
        return row["system"], row["key"], row["version"]

    def settle_held_back(self, system: str, key: str) -> None:
        """The record was taken back at its source: what is held back of it is true no more, and nobody may send it."""
        self._db.execute(
            "UPDATE native SET outcome = 'no-event', reason = ?, raw = NULL"
            " WHERE system = ? AND key = ? AND outcome = 'held-back'",
            (TAKEN_BACK, system, key),
        )
        self._db.execute("DELETE FROM held_about WHERE system = ? AND key = ?", (system, key))

    def add_snapshot(self, record: NativeRecord, version: str) -> None:
        """This version is the last one now; older ones go, unless they are kept or something unresolved was compared
        with them."""
        place = (record.system, record.key)
        members = {name: getattr(record, name) for name in SNAPSHOT_MEMBERS} | {"version": version}
        self._db.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?)", (*place, version, json.dumps(members)))
        self._db.execute(
            "DELETE FROM snapshot WHERE system = ? AND key = ? AND version <> ? AND version NOT IN"
            " (SELECT before FROM native WHERE system = ? AND key = ? AND before IS NOT NULL"
            " AND outcome IN ('held', 'unmappable', 'held-back')) AND version NOT IN"
            " (SELECT version FROM held_about WHERE system = ? AND key = ?)",
            (*place, version, *place, *place),
        )

    def add_unreadable(self, file: str, place: int, what: Unreadable, at: str) -> None:
        """Bytes that could not be read, at this place of a file, kept for a person."""
        raw = what.raw[:MAX_KEPT_BYTES]
        self._db.execute(
            "INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?, ?, ?)",
            (file, place, what.label, what.reason, raw, at),
        )

    def forget_unreadable(self, file: str) -> None:
        """The file is read anew."""
        self._db.execute("DELETE FROM unreadable WHERE file = ?", (file,))

    def has_file(self, digest: str) -> bool:
        """Was a file of these bytes read to its end?"""
        return self._db.execute("SELECT 1 FROM file WHERE digest = ?", (digest,)).fetchone() is not None

    def find_last_file_at(self) -> str | None:
        """When a file was last read to its end, RFC 3339."""
        found: str | None = self._db.execute("SELECT max(at) FROM file").fetchone()[0]
        return found

    def add_file(self, digest: str, name: str, records: int, at: str) -> None:
        """A file of these bytes was read to its end."""
        self._db.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", (digest, name, records, at))
