"""What is held back, kept for a time: found again by its name or by its child, and forgotten when the time is over.

Lies in the outbox's file and takes part in its transactions. Judges nothing: whoever sends what is kept has it judged
like a record that is read. What was forgotten stays counted, and can be sent from the agency's own system by reading it
again.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from adapters.kit.memory import MAX_KEPT_BYTES, Handled
from adapters.kit.outcomes import NativeRecord
from adapters.kit.relevance import Sender

KEEP_DAYS = 365
"""Where `[relevance] keep_days` says nothing: a school year and its summer. After that the system itself is asked."""

KEPT_ROWS = (
    "SELECT n.system, n.key, n.version, n.before, n.raw, n.file, n.format, s.record FROM native n"
    " JOIN snapshot s ON s.system = n.system AND s.key = n.key AND s.version = n.version"
    " WHERE n.outcome = 'held-back' AND n.raw IS NOT NULL AND n.format <> '' AND EXISTS (SELECT 1 FROM held_about h"
    " WHERE h.system = n.system AND h.key = n.key AND h.version = n.version AND {of})"
    " ORDER BY n.at, s.rowid"
)
OVER = "SELECT system, key, version FROM native WHERE outcome = 'held-back' AND raw IS NOT NULL AND at < ?"
FORGET = (
    "UPDATE native SET raw = NULL WHERE system = ? AND key = ? AND version = ?",
    "DELETE FROM held_about WHERE system = ? AND key = ? AND version = ?",
    "DELETE FROM snapshot AS s WHERE system = ? AND key = ? AND version = ? AND EXISTS (SELECT 1 FROM snapshot newer"
    " WHERE newer.system = s.system AND newer.key = s.key AND newer.rowid > s.rowid) AND NOT EXISTS (SELECT 1 FROM"
    " native n WHERE n.system = s.system AND n.key = s.key AND n.before = s.version"
    " AND n.outcome IN ('held', 'unmappable', 'held-back'))",
)
"""The last state that is known of a record stays: later versions are compared with it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A held-back version of a native record, as it was read: `format` is the name of the format that reads it, `file`
    the digest of the file that it came in."""

    record: NativeRecord
    version: str
    format: str
    file: str
    handled: Handled


class Keeping:
    """Works on the outbox's connection; whoever writes opens the outbox's `transaction()` first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def find_named(self, name: str) -> list[Kept]:
        """What is kept under the name that `status` shows, or under the key of the agency's own system (then every
        version of it), the oldest first."""
        return self._find("(h.name = ? OR h.key = ?)", name, name)

    def find_about(self, subject: str) -> list[Kept]:
        """What is kept about a person, the oldest first."""
        return self._find("h.subject = ?", subject)

    def choose(self, name: str, by: Sender) -> None:
        """A person chose to send what is kept under this name; whoever seals next does so."""
        self._db.execute("INSERT OR REPLACE INTO chosen VALUES (?, ?, ?, ?)", (name, by.person, by.decided, by.reason))

    def take_chosen(self) -> list[tuple[str, Sender]]:
        """What people chose since, by its name; it is theirs who asked."""
        rows = self._db.execute("DELETE FROM chosen RETURNING name, person, decided, reason").fetchall()
        return [(name, Sender(person, decided, reason)) for name, person, decided, reason in rows]

    def forget(self, before: str) -> int:
        """Lets go of what was held back before this time; that it was stays counted. Gives how many."""
        over = self._db.execute(OVER, (before,)).fetchall()
        for place in over:
            for statement in FORGET:
                self._db.execute(statement, place)
        return len(over)

    def _find(self, of: str, *given: str) -> list[Kept]:
        rows = self._db.execute(KEPT_ROWS.format(of=of), given).fetchall()
        return [_read_kept(row) for row in rows if len(row[4]) < MAX_KEPT_BYTES]  # of a longer one not all is here


def _read_kept(row: tuple[str, str, str, str | None, bytes, str, str, str]) -> Kept:
    _, _, version, before, raw, file, format, record = row
    members = json.loads(record)
    return Kept(NativeRecord(raw=raw, **members), version, format, file, Handled("held-back", before))
