"""The chronology view: one row a fact about a child, ready to be labelled, decided and projected.

A row's content is encrypted under keys derived from the child's own key, the narrative under another than the rest, so
that an outline never decrypts it and both die with the child's key. The view holds its position in the transaction of
its rows and can be thrown away at any time. It decides nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from hub.domain.child import is_standing
from hub.domain.facts import Fact, Remark
from hub.projections.kept import Kept
from hub.store.keys import RANDOM, KeyAway
from hub.store.record import NOT_CHILDREN, UNOPENED, Record
from hub.store.sealing import open_bytes, opener, seal_bytes

VERSION = 1
"""Of the rows' form: another version is built anew from zero."""
BATCH = 500
LAG = 1000
"""Of positions that are no child's: so many may go by (accesses, above all) before the view writes that it saw them."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS progress (view TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS entry (position INTEGER PRIMARY KEY, home TEXT NOT NULL, admitted TEXT NOT NULL,"
    " standing INTEGER NOT NULL, content BLOB NOT NULL, narrative BLOB);"
    "CREATE INDEX IF NOT EXISTS entry_home ON entry (home, position);"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the view holds it; `narrative` is opened only where it is to be shown."""

    position: int
    home: UUID
    fact: Fact
    sealed_narrative: bytes | None
    standing: bool = False
    """Decisions rest on it; the others are only read."""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What whoever asks made of it and may use again; gone with the row."""


class Chronology:
    """The view's file, and the loop that keeps it up with the record."""

    def __init__(self, path: Path, record: Record, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.record = record
        self._kept: Kept[Row] = Kept(seconds)
        self._passed = 0, 0
        """Position that the view has written, and the one up to which it went by what is no child's since."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;" + SCHEMA
        )
        held = self._db.execute("SELECT version FROM progress WHERE view='chronology'").fetchone()
        if held and held[0] != VERSION:
            self._start_again()

    def position(self) -> int:
        """The log position up to which the view is whole."""
        row = self._db.execute("SELECT position FROM progress WHERE view='chronology'").fetchone()
        return row[0] if row else 0

    def catch_up(self, limit: int | None = None) -> int:
        """Follow the record, at most `limit` facts; gives the position reached. Errors: `KeyAway`."""
        done = 0
        with self._lock:
            self._kept.sweep()
            held = self.position()
            position = self._passed[1] if self._passed[0] == held else held
            while limit is None or done < limit:
                facts = self.record.since(position, BATCH, NOT_CHILDREN)
                if not facts:
                    break
                position, done = facts[-1].position, done + len(facts)
                if position > held + LAG or any(fact.stream not in NOT_CHILDREN for fact in facts):
                    with self._transaction():
                        self._insert(facts, position)
                    held = position
            self._passed = held, position
            return position

    def rebuild(self) -> int:
        """Throw the rows away and build them again from the record, in one transaction: no reader sees half of it."""
        with self._lock, self._transaction():
            self._kept.clear()
            self._db.execute("DELETE FROM entry")
            position = 0
            while facts := self.record.since(position, BATCH, NOT_CHILDREN):
                position = facts[-1].position
                self._insert(facts, position)
            return position

    def rows(self, homes: Sequence[UUID], *, until: str = "9999", standing: bool = False) -> list[Row]:
        """The entries of these streams in the order of the log, as admitted up to `until`. Errors: `KeyAway`."""
        with self._lock:  # one connection: a reader must not see the rows of a transaction under way
            found = [row for home in homes for row in self._rows_of(home, until)]
        if len(homes) > 1:
            found.sort(key=lambda row: row.position)
        return [row for row in found if row.standing] if standing else found

    def _rows_of(self, home: UUID, until: str) -> list[Row]:
        """The entries of one stream: those that were opened a moment ago, and what came since."""
        last = self._db.execute("SELECT MAX(position) FROM entry WHERE home=?", (home.hex,)).fetchone()[0]
        if last is None:
            return []
        key = self.record.keys.derived_key(home, "view")
        held = self._kept.find(home, key)
        if not held or held[-1].position < last:
            new = self._db.execute(
                "SELECT position, admitted, content, narrative, standing FROM entry WHERE home=? AND position>?"
                " ORDER BY position",
                (home.hex, held[-1].position if held else 0),
            ).fetchall()
            opened = opener(key)
            rows = [self._open(row, home, opened) for row in new if row[1] <= until]
            held = [*held, *rows]
            if len(rows) == len(new):
                self._kept.keep(home, key, held)
        return [row for row in held if row.fact.admitted <= until]

    def narrative(self, row: Row) -> str:
        """The words of one entry; "" where it has none. Errors: `KeyAway`."""
        if row.sealed_narrative is None:
            return ""
        key = self.record.keys.derived_key(row.home, "narrative")
        return open_bytes(key, row.sealed_narrative, _place(row.position)).decode()

    def close(self) -> None:
        """Close the view's file."""
        self._db.close()

    def _open(self, row: Any, home: UUID, opened: Callable[[bytes, bytes], bytes]) -> Row:
        if not row[2]:
            return self._open_late(row[0])
        held = orjson.loads(opened(row[2], _place(row[0])))
        remarks = tuple([Remark(*one) for one in held["remarks"]])
        fact = Fact(
            name=held["name"], version=held["version"], data=held["data"], source=held["source"], id=held["id"],
            subject=held["subject"], datadigest=held["datadigest"], shared=held["shared"], admitted=held["admitted"],
            remarks=remarks, stream=home, seq=held["seq"], position=row[0],
        )  # fmt: skip
        return Row(row[0], home, fact, row[3], bool(row[4]))

    def _open_late(self, position: int) -> Row:
        """A row whose key was away when the view came by: shown when it is back. Errors: `KeyAway`."""
        fact = self.record.fact_at(position)
        with self._lock, self._transaction():
            self._insert([fact], self.position())
        narrative = self._db.execute("SELECT narrative FROM entry WHERE position=?", (position,)).fetchone()[0]
        words = {name: value for name, value in fact.data.items() if name != "narrative"}
        return Row(position, fact.stream, replace(fact, data=words), narrative, is_standing(fact))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _insert(self, facts: Iterable[Fact], position: int) -> None:
        """The rows of these facts, and the position that they reach."""
        rows = [self._row(fact) for fact in facts if fact.stream not in NOT_CHILDREN and _is_of_a_child(fact)]
        self._db.executemany("INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?)", rows)
        self._db.execute("INSERT OR REPLACE INTO progress VALUES ('chronology',?,?)", (VERSION, position))

    def _row(self, fact: Fact) -> tuple[Any, ...]:
        if fact.name == UNOPENED:  # it stands in every reading, and each one tries it again
            return fact.position, fact.stream.hex, fact.admitted, 1, b"", None
        keys = self.record.keys
        narrative = fact.data.get("narrative")
        content = {
            "name": fact.name, "version": fact.version, "source": fact.source, "id": fact.id, "subject": fact.subject,
            "datadigest": fact.datadigest, "shared": fact.shared, "admitted": fact.admitted, "seq": fact.seq,
            "remarks": [[one.code, one.note] for one in fact.remarks],
            "data": {name: value for name, value in fact.data.items() if name != "narrative"},
        }  # fmt: skip
        place = _place(fact.position)
        words = narrative and seal_bytes(keys.derived_key(fact.stream, "narrative"), narrative["text"].encode(), place)
        sealed = seal_bytes(keys.derived_key(fact.stream, "view"), orjson.dumps(content), place)
        return fact.position, fact.stream.hex, fact.admitted, int(is_standing(fact)), sealed, words

    def _start_again(self) -> None:
        self._kept.clear()
        self._db.executescript("DELETE FROM entry; DELETE FROM progress;")


def _is_of_a_child(fact: Fact) -> bool:
    return "child" in fact.data or (fact.name == UNOPENED and fact.stream.version == RANDOM)


def _place(position: int) -> bytes:
    return str(position).encode()


__all__ = ["Chronology", "KeyAway", "Row"]
