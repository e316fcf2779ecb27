"""Who has to do with which children of whom a clock may run: where to look for a team's open items.

What is open is computed from what the reader sees, each time; here stands only a keyed token of a service or person
beside a child's stream, and no name, kind, day or number. Disposable: a build is made beside the one that is read, and
swapped. It decides nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Collection, Iterator
from functools import lru_cache
from uuid import UUID

from hub.domain.clocks import OPENING, RELATING, names_in
from hub.domain.facts import Fact
from hub.store.database import Database, Transaction
from hub.store.entries import Entry, contract_of, to_fact
from hub.store.keys import RANDOM
from hub.store.plain import REFERENCES, may_name
from hub.store.record import Record
from hub.store.streams import NOT_CHILDREN

VERSION = 1
"""Of the rows' form and of what is read; another version is built anew from zero."""
BATCH = 500
RUNNING, UNKNOWN = "\x00running", "\x00unknown"
"""In place of a service: a clock may run for this child; an entry could not be read, so it may concern anybody."""
READ, BUILT = "read", "built"
ASKED = b'"asked"'


class Concerned:
    """The view's tables, and the loop that keeps them up with the record. Several processes may share them."""

    def __init__(self, database: Database, record: Record, key: bytes) -> None:
        self.database, self.record = database, record
        self._token = lru_cache(maxsize=10_000)(lambda name: hmac.digest(key, name.encode(), hashlib.sha256)[:16])
        self._lock = threading.Lock()

    def catch_up(self) -> int:
        """Follow the record to its end; gives the position reached."""
        with self._lock:
            _, position = self._build()
            while position < self.record.position():
                with self.database.transaction(turn="concerned", durable=False) as view:
                    build, position = self._build(view)
                    position = self._follow(view, build or self._new_build(view, READ), position)
            return position

    def rebuild(self) -> int:
        """Build it again from the record, beside the one that is read, and swap; gives the position reached."""
        with self._lock:
            with self.database.transaction(turn="concerned", durable=False) as view:
                build, position = self._new_build(view, BUILT), 0
            while position < self.record.position():
                with self.database.transaction(turn="concerned", durable=False) as view:
                    position = self._follow(view, build, position)
            with self.database.transaction(turn="concerned") as view:
                for table in ("concerned", "concerned_build"):
                    view.execute(f"DELETE FROM {table} WHERE build<>?", (build,))  # noqa: S608 - ours
                view.execute("UPDATE concerned_build SET state=? WHERE build=?", (READ, build))
            return position

    def homes(self, *names: str) -> set[UUID]:
        """Streams of children with whom any of these services and people has to do, or may have."""
        return self._homes([self._token(name) for name in (*names, UNKNOWN)])

    def running(self, homes: Collection[UUID]) -> set[UUID]:
        """Those of these streams in which something may start a clock."""
        return self._homes([self._token(RUNNING)], " AND home IN ??", [one.hex for one in homes])

    def _homes(self, tokens: list[bytes], more: str = "", *values: list[str]) -> set[UUID]:
        build, _ = self._build()
        wanted = f"SELECT DISTINCT home FROM concerned WHERE build=? AND token IN ??{more}"  # noqa: S608 - ours
        return {UUID(home) for (home,) in self.database.query(wanted, (build, tokens, *values))}

    def _build(self, view: Transaction | None = None) -> tuple[int, int]:
        """(number, position) of the build that is read; zeros where there is none of this version."""
        wanted = "SELECT build, position FROM concerned_build WHERE version=? AND state=?"
        rows = (view or self.database).query(wanted, (VERSION, READ))
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def _new_build(self, view: Transaction, state: str) -> int:
        ((last,),) = view.query("SELECT COALESCE(MAX(build), 0) FROM concerned_build")
        view.insert("concerned_build", [(last + 1, VERSION, 0, state)])
        return int(last) + 1

    def _follow(self, view: Transaction, build: int, position: int) -> int:
        """One batch after this position; gives the position reached."""
        entries = self.record.entries(position, BATCH, NOT_CHILDREN)
        rows = {(build, self._token(name), one.stream.hex) for one in entries for name in _names(one)}
        view.insert("concerned", sorted(rows), unless_there=True)
        position = entries[-1].position if entries else position
        view.execute("UPDATE concerned_build SET position=? WHERE build=?", (position, build))
        return position


def find_clocked(entry: Entry) -> Fact | None:
    """The fact at one place of the log, where clocks or teams may read it; most are not even parsed."""
    if entry.row is None or entry.stream.version != RANDOM:
        return None
    data, (name, _) = entry.row.data, contract_of(entry.row.topic)
    wanted = name in RELATING or may_name(data, ASKED) or may_name(data, REFERENCES)
    return to_fact(entry.row, entry.position) if wanted else None


def _names(entry: Entry) -> Iterator[str]:
    """Whom one entry concerns, and whether it may start a clock."""
    if entry.row is None and entry.stream.version == RANDOM:
        yield from (RUNNING, UNKNOWN)
    fact = find_clocked(entry)
    if fact is None:
        return
    if fact.name in OPENING or "asked" in fact.data:
        yield RUNNING
    yield from names_in(fact.data.get("said_by", {}).get("service", ""), fact.data)
