"""What the hub told this agency, kept until people have opened it; and about which children it was.

Lies in the outbox's file and takes part in its transactions. A notice names a child by our own pseudonym or not at all.
Whoever opens one is answered by the hub whom it is about, and can say which of our own records' children that is: from
then on that child is asked about. Names are shown and never kept.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from adapters.kit.events import make_subject
from schemas.notices import KINDS, REASONS, Notice

if TYPE_CHECKING:
    from adapters.kit.outbox import Outbox

HISTORY = "history-asked"
ASKS_NOTHING = ("undelivered", "entry-removed", "source-silent")
"""Kinds that make no child relevant: our own event comes back, an entry was another child's, or nobody is meant."""


Ask = Callable[[str, str], dict[str, Any]]
"""Asks the hub to open a notice: (its id, the person who opens it) → the hub's answer."""


class NoSuchNotice(Exception):
    """No notice of this id has come here, or the beginning of an id is several notices'."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opens which notice; and which child of our own records it is about, by the system's own id, if they say."""

    notice: str
    person: str
    child: str = ""


class Noticing:
    """Works on the outbox's connection; whoever writes opens the outbox's `transaction()` first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def take(self, notices: Sequence[Notice], at: str) -> None:
        """Keeps what came, each once. A child whom a notice names by our pseudonym is asked about from now on."""
        for notice in notices:
            row = json.dumps(
                {name: value for name, value in asdict(notice).items() if value != "" and name != "cursor"}
            )
            new = self._db.execute(
                "INSERT OR IGNORE INTO notice (id, kind, row, came_at) VALUES (?, ?, ?, ?)",
                (notice.id, notice.kind, row, at),
            ).rowcount
            if new and notice.subject and notice.kind not in ASKS_NOTHING:
                self.ask_about(notice.subject, at, history=notice.kind == HISTORY)

    def ask_about(self, subject: str, at: str, *, history: bool) -> None:
        """The hub asked about this person, or told us of them; it stays so. `history`: what is kept is to go."""
        self._db.execute(
            "INSERT INTO asked VALUES (?, ?, ?) ON CONFLICT (subject)"
            " DO UPDATE SET history = max(history, excluded.history)",
            (subject, at, int(history)),
        )

    def find_history_asked(self) -> list[str]:
        """The persons whose kept records are still to go."""
        return [subject for (subject,) in self._db.execute("SELECT subject FROM asked WHERE history = 1")]

    def end_history(self, subject: str) -> None:
        """What is kept of this person was judged again."""
        self._db.execute("UPDATE asked SET history = 0 WHERE subject = ?", (subject,))

    def find(self, notice_id: str) -> dict[str, Any] | None:
        """A notice by its id, or by the beginning of it where that is one notice's alone."""
        found = self._db.execute("SELECT row FROM notice WHERE id LIKE ? || '%'", (notice_id,)).fetchmany(2)
        known = len(found) == 1 and notice_id.isalnum()
        return json.loads(found[0][0]) if known else None

    def find_opened(self, notice_id: str) -> str:
        """When somebody opened it first; "" where nobody has."""
        return str(self._db.execute("SELECT opened_at FROM notice WHERE id = ?", (notice_id,)).fetchone()[0])

    def mark_opened(self, notice_id: str, at: str, by: str) -> None:
        """Who opened it first, and when by the hub's clock."""
        self._db.execute(
            "UPDATE notice SET opened_at = ?, opened_by = ? WHERE id = ? AND opened_at = ''", (at, by, notice_id)
        )

    def systems(self) -> list[str]:
        """The systems whose records were ever read here."""
        return [system for (system,) in self._db.execute("SELECT DISTINCT system FROM native ORDER BY system")]

    def list_all(self) -> list[dict[str, Any]]:
        """Every notice in the order in which they came, in words: those that nobody opened first."""
        rows = self._db.execute(
            "SELECT row, came_at, opened_at, opened_by FROM notice ORDER BY opened_at <> '', came_at, rowid"
        )
        return [describe(json.loads(row)) | _opened(came, at, by) for row, came, at, by in rows]

    def count_unopened(self) -> int:
        """How many wait for a person."""
        return int(self._db.execute("SELECT count(*) FROM notice WHERE opened_at = ''").fetchone()[0])


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """A notice with what it says to people."""
    words = [KINDS.get(row["kind"], "The hub tells you of something that this version does not know.")]
    words += [REASONS[row["reason"]]] if row.get("reason") in REASONS else []
    return row | {"says": " ".join(words)}


def open_notice(outbox: Outbox, ask: Ask, secret: bytes, opening: Opening) -> dict[str, Any]:
    """Opens a notice at the hub, which records it first; gives the notice with whom it is about. One that was opened,
    and of which a person now says which of our children it is about, is not opened again. Of a kind that asks nothing
    their word makes nobody relevant.

    `ask` is the hub's door, `secret` the agency's. Errors: `NoSuchNotice`, and those of `ask`.
    """
    row = outbox.noticing.find(opening.notice)
    if row is None:
        raise NoSuchNotice(f"no notice {opening.notice} has come here: see notices")
    known = outbox.noticing.find_opened(row["id"]) if opening.child else ""
    answer = {"opened": known} if known else ask(row["id"], opening.person)
    at = str(answer.get("opened", ""))
    with outbox.transaction():
        outbox.noticing.mark_opened(row["id"], at, opening.person)
        if opening.child and row["kind"] not in ASKS_NOTHING:
            for system in outbox.noticing.systems():
                subject = make_subject(secret, system, opening.child)
                outbox.noticing.ask_about(subject, at, history=row["kind"] == HISTORY)
    named = {"child": answer["child"]} if "child" in answer else {}
    return describe(row) | named | {"opened": at, "by": opening.person}


def _opened(came: str, at: str, by: str) -> dict[str, str]:
    return {"came": came, **({"opened": at, "by": by} if at else {})}
