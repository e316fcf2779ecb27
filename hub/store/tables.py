"""The record's own tables beside the library's event table, and what one transaction writes into them.

Everything here is written in the transaction of the facts: the log row (gap-free position, leaf hash), the inbox row
that makes an event count once, the source's head, the receipt, the identity index and the quarantine.
Tables are declared once, in SQLite's words; PostgreSQL's are made from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL,"
    " leaf BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE (stream, seq))",
    "CREATE TABLE IF NOT EXISTS inbox (source TEXT NOT NULL, id TEXT NOT NULL, datadigest TEXT NOT NULL,"
    " subject TEXT NOT NULL, statement TEXT NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (source, id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS source_head (source TEXT PRIMARY KEY, sequence INTEGER NOT NULL,"
    " digest TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS hearing (source TEXT PRIMARY KEY, sequence INTEGER NOT NULL, heard TEXT NOT NULL,"
    " every_s INTEGER NOT NULL, outstanding INTEGER NOT NULL, remarks TEXT NOT NULL, missing TEXT NOT NULL,"
    " told TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS receipt (cursor INTEGER PRIMARY KEY AUTOINCREMENT, caller TEXT NOT NULL,"
    ' record TEXT NOT NULL, "row" BLOB NOT NULL)',
    "CREATE INDEX IF NOT EXISTS receipt_of ON receipt (caller, record)",
    "CREATE INDEX IF NOT EXISTS receipt_after ON receipt (caller, cursor)",
    "CREATE TABLE IF NOT EXISTS relayed (caller TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS notice (cursor INTEGER NOT NULL, caller TEXT NOT NULL, id TEXT NOT NULL,"
    ' position INTEGER NOT NULL, "row" BLOB NOT NULL, UNIQUE (caller, id), PRIMARY KEY (caller, cursor))',
    "CREATE TABLE IF NOT EXISTS noticed (follower TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS notice_waits (position INTEGER PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS quarantine (id TEXT PRIMARY KEY, caller TEXT NOT NULL, source TEXT NOT NULL,"
    " event TEXT NOT NULL, datadigest TEXT NOT NULL, subject TEXT NOT NULL, statement TEXT NOT NULL,"
    " reason TEXT NOT NULL, note TEXT NOT NULL, record TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL,"
    " key TEXT NOT NULL, sealed BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS quarantine_of ON quarantine (caller, record)",
    "CREATE INDEX IF NOT EXISTS quarantine_event ON quarantine (source, event)",
    "CREATE INDEX IF NOT EXISTS quarantine_open ON quarantine (caller) WHERE state='open'",
    "CREATE TABLE IF NOT EXISTS identity_index (token BLOB NOT NULL, child TEXT NOT NULL,"
    " PRIMARY KEY (token, child)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS token_once (source TEXT NOT NULL, jti TEXT NOT NULL, until INTEGER NOT NULL,"
    " PRIMARY KEY (source, jti)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS consumed (topic TEXT NOT NULL, part INTEGER NOT NULL, topic_id TEXT NOT NULL,"
    " next INTEGER NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (topic, part)) WITHOUT ROWID",
)

KEYS_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS stream_key (stream TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS event_key (id TEXT PRIMARY KEY, stream TEXT NOT NULL, wrapped BLOB NOT NULL)"
    " WITHOUT ROWID",
)
"""The key store's, in a database of its own."""

VIEW_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS progress (base INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
    " position INTEGER NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS entry (place INTEGER PRIMARY KEY, home TEXT NOT NULL, admitted TEXT NOT NULL,"
    " standing INTEGER NOT NULL, content BLOB NOT NULL, narrative BLOB)",
    "CREATE INDEX IF NOT EXISTS entry_home ON entry (home, place)",
    "CREATE TABLE IF NOT EXISTS item_progress (build INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
    " position INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS item (position INTEGER NOT NULL, part INTEGER NOT NULL, kind TEXT NOT NULL,"
    " home TEXT NOT NULL, at TEXT NOT NULL, service TEXT NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL,"
    " sender TEXT NOT NULL, by_when TEXT NOT NULL, source TEXT NOT NULL, event TEXT NOT NULL, target INTEGER NOT NULL,"
    " urgent INTEGER NOT NULL, PRIMARY KEY (position, part)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS item_person ON item (kind, person)",
    "CREATE INDEX IF NOT EXISTS item_service ON item (kind, service)",
    "CREATE INDEX IF NOT EXISTS item_home ON item (home, kind)",
    "CREATE INDEX IF NOT EXISTS item_event ON item (source, event, kind)",
    "CREATE INDEX IF NOT EXISTS item_target ON item (kind, target)",
    "CREATE TABLE IF NOT EXISTS item_read (reader TEXT NOT NULL, entry INTEGER NOT NULL, child TEXT NOT NULL,"
    " card INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (reader, entry, child, card)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS item_opened (item TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS concerned_build (build INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
    " position INTEGER NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS concerned (build INTEGER NOT NULL, token BLOB NOT NULL, home TEXT NOT NULL,"
    " PRIMARY KEY (build, token, home)) WITHOUT ROWID",
)
"""The views': disposable, built from the record. First the chronology's, then those of what waits for a person, and
of where to look for a team's open items."""

EVENTS = "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB)"
"""What is written of the library's own table, which the library makes."""

CREATED = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(")
COLUMN = re.compile(r'[(,] *"?(\w+)"? (TEXT|INTEGER|BLOB)\b')


@cache
def columns_of(table: str) -> tuple[tuple[str, str], ...]:
    """(name, kind) of a table's columns in the order of its declaration."""
    for statement in (EVENTS, *SCHEMA, *KEYS_SCHEMA, *VIEW_SCHEMA):
        if (created := CREATED.match(statement)) and created[1] == table:
            return tuple((name, kind) for name, kind in COLUMN.findall(statement))
    raise LookupError(table)


@dataclass(slots=True)
class InboxRow:
    """What makes an event count once, for ever."""

    source: str
    id: str
    datadigest: str
    subject: str
    statement: str
    """SHA-256 of the statement's bytes, hex."""
    fact: int
    """Index of its fact in the same transaction, whose log position it takes; -1: it appended none."""


@dataclass(slots=True)
class ReceiptRow:
    """One answer to one record that a caller sent; the same row again when the record is sent again."""

    caller: str
    record: str
    """SHA-256 of the whole record's bytes, hex."""
    row: dict[str, object]
    """`schemas.envelope.Receipt` as a mapping; `position` and `cursor` are filled in by the transaction."""
    fact: int = -1
    """Index of the fact in the same transaction that the receipt is about; -1: none."""


@dataclass(slots=True)
class QuarantineRow:
    """A record that a person, a key or an upgrade must look at; its bytes are encrypted under a key of their own."""

    id: str
    caller: str
    source: str
    event: str
    datadigest: str
    subject: str
    statement: str
    """SHA-256 of the statement's bytes, hex; empty where no signature held."""
    reason: str
    note: str
    record: str
    at: str
    state: str
    key: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class HeardRow:
    """What a source's newest heartbeat says; an older one that comes after it changes nothing.

    Of one whose clock is ahead only its number and its remarks are kept here, beside what an earlier one said.
    """

    source: str
    sequence: int
    heard: str
    """Its time, never later than its admission, RFC 3339; "" before the first."""
    every_s: int
    """0 where it does not say."""
    outstanding: int
    remarks: str
    """Codes, with spaces between."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a source's sequence that did not come when they were due, or that came after all."""

    source: str
    first: int
    last: int
    came: bool = False


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a topic's partition was read: written with the facts that were read there, so that both stand or fall.

    A topic that was made anew has another id, and one that lost its end has the same: either way reading begins again,
    as a new generation of that partition.
    """

    topic: str
    topic_id: str
    next: int
    """The first offset that was not read yet."""
    generation: int = 1
    part: int = 0
    since: int = field(default=0, compare=False)
    """From where on it was read to get here; not kept."""

    def follows(self, held: Offset) -> bool:
        """Does it go on from what is held: read from that very place, or into the next generation?

        Whoever was further when another began read some records that the other answers too.
        """
        same = self.generation == held.generation and self.topic_id == held.topic_id
        return self.generation == held.generation + 1 or (same and self.since == held.next < self.next)


@dataclass(slots=True)
class Writes:
    """All that one transaction adds beside the facts."""

    inbox: list[InboxRow] = field(default_factory=list)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    receipts: list[ReceiptRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    settled: list[tuple[str, str]] = field(default_factory=list)
    """(quarantine id, new state)."""
    index: list[tuple[bytes, str]] = field(default_factory=list)
    """(identity token, child id in hex)."""
    heard: dict[str, HeardRow] = field(default_factory=dict)
    numbers: list[Numbers] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    """(source, when it was last heard before the silence that is told); told already fails the whole transaction."""
    offsets: list[Offset] = field(default_factory=list)
    """One that does not go forward fails the whole transaction: somebody else reads this partition now."""
