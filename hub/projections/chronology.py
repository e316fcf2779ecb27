"""The chronology view: one row a fact about a child, ready to be labelled, decided and projected.

Most rows only point to the record. What has a narrative is kept again in two parts, the words under another key than
the rest, so that an outline never decrypts them; both keys are derived from the child's own and die with it. The view
holds its position in the transaction of its rows and can be thrown away at any time: a build of it is made beside the
one that is read, and swapped. It decides nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from hub.projections.kept import Kept
from hub.projections.rows import AS_RECORDED, AWAY, VIEW, WORDS, Row, open_row, place_of, seal_rows
from hub.store.database import Database, Transaction
from hub.store.entries import Stored
from hub.store.keys import KeyAway
from hub.store.record import Record
from hub.store.sealing import open_bytes, opener
from hub.store.streams import NOT_CHILDREN

VERSION = 4
"""Of the rows' form: another version is built anew from zero."""
BATCH = 1000
DELETED_AT_ONCE = 10_000
LAG = 1000
"""Of positions that are no child's: so many may go by (accesses, above all) before the view writes that it saw them."""

SPAN = 1 << 40
"""Places of one build: a row's place is its build's base and its position in the log."""
READ, BUILT, ENDED = "read", "built", "ended"
"""What a build is for: it is read, it is built beside the one that is read, or it may be deleted."""


class OtherRebuild(Exception):
    """Somebody began to rebuild after us; theirs will be read."""


class Chronology:
    """The view's tables, and the loop that keeps them up with the record. Several processes may share them."""

    def __init__(self, database: Database, record: Record, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.database, self.record = database, record
        self._kept: Kept[Row] = Kept(seconds)
        self._passed = 0, 0
        """Position that the view has written, and the one up to which it went by what is no child's since."""
        self._lock = threading.RLock()

    def position(self) -> int:
        """The log position up to which the view is whole."""
        rows = self.database.query("SELECT position FROM progress WHERE version=? AND state=?", (VERSION, READ))
        return rows[0][0] if rows else 0

    def catch_up(self, limit: int | None = None) -> int:
        """Follow the record, at most `limit` facts; gives the position reached. Errors: `KeyAway`."""
        with self._lock:
            self._kept.sweep()
            written = self.position()
            if self._passed[0] != written:  # another process followed, or the view was begun anew
                self._passed = written, written
            begun = self._passed[1]
            while limit is None or self._passed[1] - begun < limit:
                written, position = self._passed
                last, of_children = self.record.ahead(position, BATCH, NOT_CHILDREN)
                if of_children or last > written + LAG:
                    self._follow()
                else:
                    self._passed = written, max(position, last)
                if self._passed[1] - position < BATCH:
                    break
            return self._passed[1]

    def _follow(self) -> None:
        """One batch in the followers' turn, from wherever another process may have come."""
        with self.database.transaction(turn="follow", durable=False) as view:
            base, written = self._read_build(view)
            position = self._passed[1] if self._passed[0] == written else written
            stored = self.record.stored(position, BATCH, NOT_CHILDREN)
            if stored:
                position = stored[-1][0]
            if position > written + LAG or any(topic is not None for _, _, _, topic, _, _ in stored):
                self._insert(view, base, stored, position)
                written = position
        self._passed = written, position

    def rebuild(self) -> int:
        """Build the rows again from the record, beside those that are read, and swap. No reader waits or sees half.

        Errors: `KeyAway`, `OtherRebuild`.
        """
        base, position = self._begin_build(), 0
        while stored := self.record.stored(position, BATCH, NOT_CHILDREN):
            position = stored[-1][0]
            with self.database.transaction(durable=False) as view:
                self._insert(view, base, stored, position)
        with self.database.transaction(turn="follow") as view:
            while stored := self.record.stored(position, BATCH, NOT_CHILDREN):
                position = stored[-1][0]
                self._insert(view, base, stored, position)
            view.execute("UPDATE progress SET state=? WHERE state=? AND version<=?", (ENDED, READ, VERSION))
            view.execute("UPDATE progress SET state=?, position=? WHERE base=?", (READ, position, base))
        with self._lock:
            self._kept.clear()
        self._delete_ended()
        return position

    def rows(self, homes: Sequence[UUID], *, until: str = "9999", standing: bool = False) -> list[Row]:
        """The entries of these streams in the order of the log, as admitted up to `until`. Errors: `KeyAway`."""
        with self._lock:
            found = [row for home in homes for row in self._rows_of(home, until)]
        if len(homes) > 1:
            found.sort(key=lambda row: row.position)
        return [row for row in found if row.standing] if standing else found

    def _rows_of(self, home: UUID, until: str) -> list[Row]:
        """The entries of one stream: those that were opened a moment ago, and what came since.

        One statement says which build is read and reads it, so that a swap is before it or after it.
        """
        key = self._find_key(home)
        held = self._kept.find(home, key) if key else []
        new = self.database.query(
            "SELECT e.place - p.base, e.admitted, e.content, e.narrative, e.standing FROM progress p"
            " JOIN entry e ON e.home=? AND e.place > p.base + ? AND e.place < p.base + ?"
            " WHERE p.version=? AND p.state=? ORDER BY e.place",
            (home.hex, held[-1].position if held else 0, SPAN, VERSION, READ),
        )
        if new:
            key = self.record.keys.derived_key(home, VIEW)
            opened = opener(key)
            rows = self._open([row for row in new if row[1] <= until], home, opened)
            held = [*held, *rows]
            if len(rows) == len(new):
                self._kept.keep(home, key, held)
        return [row for row in held if row.fact.admitted <= until]

    def _find_key(self, home: UUID) -> bytes | None:
        """What opens a stream's entries; None where there is none, which is a fault only when there are entries."""
        try:
            return self.record.keys.derived_key(home, VIEW)
        except KeyAway:
            return None

    def narrative(self, row: Row) -> str:
        """The words of one entry; "" where it has none. Errors: `KeyAway`."""
        if row.sealed_narrative is None:
            return ""
        key = self.record.keys.derived_key(row.home, WORDS)
        return open_bytes(key, row.sealed_narrative, place_of(row.position)).decode()

    def close(self) -> None:
        """Close the view's database."""
        self.database.close()

    def _open(self, rows: Sequence[Any], home: UUID, opened: Callable[[bytes, bytes], bytes]) -> list[Row]:
        """Rows of one stream as (position, admitted, content, narrative, standing). Errors: `KeyAway`."""
        rows = [row if row[2] != AWAY else self._late(row[0]) for row in rows]
        facts = self.record.facts_at(home, [row[0] for row in rows if row[2] == AS_RECORDED])
        return [
            Row(row[0], home, facts[row[0]], None, bool(row[4])) if row[0] in facts else open_row(row, home, opened)
            for row in rows
        ]

    def _late(self, position: int) -> tuple[Any, ...]:
        """A row whose key was away when the view came by: made when it is back. Errors: `KeyAway`."""
        stored = self.record.stored(position - 1, 1)
        ((_, home, admitted, standing, content, narrative),) = seal_rows(self.record.keys, stored)
        if content == AWAY:
            raise KeyAway(f"no key for position {position}")
        with self.database.transaction(durable=False) as view:
            view.execute(
                "UPDATE entry SET admitted=?, standing=?, content=?, narrative=? WHERE home=? AND place="
                "(SELECT base FROM progress WHERE version=? AND state=?) + ?",
                (admitted, standing, content, narrative, home, VERSION, READ, position),
            )
        return position, admitted, content, narrative, standing

    def _read_build(self, view: Transaction) -> tuple[int, int]:
        """(base, position) of the build that is read; it is begun where there is none of this version."""
        rows = view.query("SELECT base, position FROM progress WHERE version=? AND state=?", (VERSION, READ))
        return rows[0] if rows else (self._new_build(view, READ), 0)

    def _begin_build(self) -> int:
        """The base of a new build beside the one that is read; unfinished ones are given up."""
        with self.database.transaction(turn="follow") as view:
            view.execute("UPDATE progress SET state=? WHERE state=?", (ENDED, BUILT))
            base = self._new_build(view, BUILT)
        self._delete_ended()
        return base

    def _new_build(self, view: Transaction, state: str) -> int:
        ((base,),) = view.query("SELECT COALESCE(MAX(base) + ?, 0) FROM progress", (SPAN,))
        view.insert("progress", [(base, VERSION, 0, state)])
        return int(base)

    def _delete_ended(self) -> None:
        """In small parts, so that nobody waits; the builds' names go last, so that none is given again before."""
        for base, position in self.database.query("SELECT base, position FROM progress WHERE state=?", (ENDED,)):
            for first in range(base, base + position + BATCH, DELETED_AT_ONCE):
                with self.database.transaction(durable=False) as view:
                    part = first, min(first + DELETED_AT_ONCE, base + SPAN)
                    view.execute("DELETE FROM entry WHERE place>=? AND place<?", part)
            with self.database.transaction(durable=False) as view:
                view.execute("DELETE FROM progress WHERE base=? AND state=?", (base, ENDED))

    def _insert(self, view: Transaction, base: int, stored: Sequence[Stored], position: int) -> None:
        """The rows of what is stored, and the position that they reach. Errors: `OtherRebuild`."""
        going = "UPDATE progress SET position=? WHERE base=? AND state<>?"
        if not view.execute(going, (position, base, ENDED)):
            raise OtherRebuild
        view.insert("entry", seal_rows(self.record.keys, stored, base))


__all__ = ["Chronology", "KeyAway", "Row"]
