"""What waits for people, as rows to find it by: for whom, about which entry, and who has read what.

Disposable: it follows the record, keeps its position in the transaction of its rows, carries a version and is rebuilt
from zero. Rows hold ids, kinds, services and times; a professional stands in them under the id of their stream, and
nothing in them is a child's. It decides nothing: who may be told what is asked at each reading.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from hub.domain.facts import EventKey, Fact
from hub.domain.versions import taken_back
from hub.store.database import Database, Transaction
from hub.store.entries import Entry, to_fact
from hub.store.keys import RANDOM
from hub.store.record import Record
from hub.store.streams import ACCESS, IDENTITY, REGISTRY, SOURCES, staff_stream

VERSION = 5
"""Of the rows' form and of what makes one: another version is built anew from zero."""
BATCH = 500
ASKED_AT_ONCE = 5_000
PASSED = frozenset({REGISTRY, SOURCES, IDENTITY})
"""Streams that tell of nothing that is listed here."""
CARD, SEEN = "existence", ("outline", "full")
"""How an entry was shown. Whoever had its card alone did not read it, and is told when it is removed all the same."""

URGENT, ADDRESSED, REPLY, REMOVED, CORRECTED, TAKEN_BACK, ALARM, UNOPENED = (
    "urgent", "addressed", "reply", "entry-removed", "entry-corrected", "taken-back", "alarm", "unopened",
)  # fmt: skip
ALLOCATED, LEAD, INVOLVED, ROLE = "allocated", "lead", "involved", "role"
"""Rows that only lead from a person or service to children, or to whoever holds a role: what holds is asked anew."""
NAMED: Mapping[str, str] = {
    "agreement-withdrawn": "agreement-withdrawn",
    "protective-condition-set": "condition-started",
    "protective-condition-ended": "condition-ended",
    "worker-allocated": ALLOCATED,
    "lead-professional-named": LEAD,
    "lead-professional-changed": LEAD,
    "joined-roll": INVOLVED,
    "involvement-started": INVOLVED,
}
"""Kind of event → kind of row, whatever else it says."""
REFERRED: Mapping[str, str] = {"retracts": REMOVED, "corrects": CORRECTED, "replaces": CORRECTED}
WRONG_CHILD = "wrong-child"
"""Role of a row that removes an entry because it was another child's: of a child each entry has one at most."""
REPLYING = frozenset({"answers", "follows"})


class Row(NamedTuple):
    """One row, in the order of its columns."""

    position: int
    """Of the entry in the log."""
    part: int
    kind: str
    home: str
    """Stream of the entry, hex."""
    at: str
    """When it was shared, as readers are told; what only the hub noted, when it did. UTC, milliseconds."""
    service: str = ""
    """Of a reply, the source that gave it."""
    role: str = ""
    """Of the addressee; of an alarm, its kind; of a reference, how it stands to the other entry."""
    person: str = ""
    """Stream of a professional, hex."""
    sender: str = ""
    """The service that said it."""
    by_when: str = ""
    """RFC 3339 moment or day; `*` where something was asked without one; empty where nothing was asked."""
    source: str = ""
    event: str = ""
    """With `source` the event itself, or of a reply the one that it answers."""
    target: int = 0
    """Position of the entry that it removes or corrects."""
    urgent: int = 0


class Read(NamedTuple):
    """What somebody had read before it was removed or corrected."""

    row: Row
    child: UUID
    """Under which id they asked."""


def person_id(person: str) -> str:
    """How a professional stands in the rows."""
    return staff_stream(person).hex


class Behind(Exception):
    """The rows were begun anew while they were read, so what was found may be short."""


class Items:
    """The rows, and the loop that keeps them up with the record. Several processes may share them."""

    def __init__(self, database: Database, record: Record, *, is_urgent: Callable[[Mapping[str, Any]], bool]) -> None:
        self.database, self.record, self.is_urgent = database, record, is_urgent
        self._lock = threading.RLock()

    def catch_up(self) -> tuple[int, int]:
        """Follow the record to its end; gives (build, position). Errors: `KeyAway`, `STORE_FAULTS`."""
        with self._lock:
            end = self.record.position()
            while self.progress()[1] < end:
                self._follow()
            return self.progress()

    def progress(self) -> tuple[int, int]:
        """(build, position up to which the rows are whole); position 0 before the first of this version."""
        rows = self.database.query("SELECT build, position FROM item_progress WHERE version=?", (VERSION,))
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def rebuild(self) -> int:
        """Delete the rows and follow again from zero. Whoever reads meanwhile follows too, or is told: `Behind`."""
        with self._lock:
            with self.database.transaction(turn="items") as view:
                self._begin(view)
            return self.catch_up()[1]

    def unopened(self) -> list[int]:
        """Positions of entries whose key was away when the rows were made: what they ask for is not known here."""
        return [row.position for row in self._rows("kind=?", (UNOPENED,))]

    def open_late(self, position: int) -> None:
        """Make the rows of an entry whose key is back. Errors: `KeyAway`."""
        fact = to_fact(_there(self.record.entry_at(position)), position)
        with self.database.transaction(turn="items", durable=False) as view:
            view.execute("DELETE FROM item WHERE position=?", (position,))
            self._insert(view, [fact])

    def addressed(self, service: str, role: str, person: str) -> list[Row]:
        """What is addressed to this person by name, or else to their service and role."""
        return self._rows("kind=? AND person=?", (ADDRESSED, person)) + self._rows(
            "kind=? AND service=? AND person='' AND role IN ??", (ADDRESSED, service, ["", role])
        )

    def addressees(self) -> list[tuple[str, str, str]]:
        """Every (service, role, person) that anything was ever addressed to."""
        found = self.database.query("SELECT DISTINCT service, role, person FROM item WHERE kind=?", (ADDRESSED,))
        return [tuple(row) for row in found]

    def addressed_to(self, service: str, role: str, person: str) -> list[Row]:
        """What has exactly this addressee."""
        return self._rows("kind=? AND service=? AND role=? AND person=?", (ADDRESSED, service, role, person))

    def of_kinds(self, *kinds: str) -> list[Row]:
        """Every row of these kinds."""
        return self._rows("kind IN ??", (list(kinds),))

    def of_homes(self, homes: Sequence[UUID], *kinds: str) -> list[Row]:
        """The rows of these kinds about one child."""
        return self._rows("home IN ?? AND kind IN ??", ([home.hex for home in homes], list(kinds)))

    def leading(self, kind: str, *, person: str = "", service: str = "") -> list[Row]:
        """The rows of this kind that lead from a person, or from a service, to children."""
        where, value = ("person=?", person) if person else ("service=?", service)
        return self._rows(f"kind=? AND {where}", (kind, value))

    def holders(self, service: str, role: str) -> list[UUID]:
        """Streams of professionals who were ever given this role there; any role where none is named."""
        rows = self._rows("kind=? AND service=?", (ROLE, service))
        return list(dict.fromkeys(UUID(row.person) for row in rows if role in ("", row.role)))

    def replies(self, events: Collection[EventKey]) -> list[Row]:
        """Every reply to one of these events, whoever gave it and whether or not it stands."""
        found = self._rows("kind=? AND event IN ??", (REPLY, [event for _, event in events])) if events else []
        return [row for row in found if (row.source, row.event) in events]

    def removed_or_corrected(self, person: str) -> list[Read]:
        """What was done later to entries that this person had read before."""
        columns = ",".join(f"i.{name}" for name in Row._fields)
        found = self.database.query(
            f"SELECT {columns}, r.child FROM item_read r JOIN item i ON i.target=r.entry AND i.kind IN ??"  # noqa: S608
            " WHERE r.reader=? AND r.position < i.position AND (r.card=0 OR i.kind=?) ORDER BY i.position, r.position",
            ([REMOVED, CORRECTED], person, REMOVED),
        )
        return [Read(Row(*row[:-1]), UUID(row[-1])) for row in found]

    def read_under(self, person: str, children: Collection[UUID]) -> list[tuple[int, int]]:
        """(access, entry) at their positions, for what this person read when they asked for one of these ids."""
        found = self.database.query(
            "SELECT position, entry FROM item_read WHERE reader=? AND card=0 AND child IN ?? ORDER BY position, entry",
            (person, [child.hex for child in children]),
        )
        return [tuple(row) for row in found]

    def opened(self, items: Sequence[str]) -> dict[str, str]:
        """When each of these items was first opened."""
        found: dict[str, str] = {}
        for start in range(0, len(items), ASKED_AT_ONCE):
            part = list(items[start : start + ASKED_AT_ONCE])
            found |= dict(self.database.query("SELECT item, at FROM item_opened WHERE item IN ??", (part,)))
        return found

    def check_whole(self, build: int, position: int) -> None:
        """Nothing was begun anew since `catch_up` gave this. Errors: `Behind`."""
        now = self.progress()
        if now[0] != build or now[1] < position:
            raise Behind

    def _rows(self, where: str, values: Sequence[Any]) -> list[Row]:
        columns = ",".join(Row._fields)
        found = self.database.query(f"SELECT {columns} FROM item WHERE {where} ORDER BY position, part", values)  # noqa: S608
        return [Row(*row) for row in found]

    def _follow(self) -> None:
        """One batch in the followers' turn, from wherever another process may have come."""
        with self.database.transaction(turn="items", durable=False) as view:
            held = view.query("SELECT position FROM item_progress WHERE version=?", (VERSION,))
            position = held[0][0] if held else self._begin(view)
            entries = self.record.entries(position, BATCH, PASSED)
            if not entries:
                return
            there = [to_fact(one.row, one.position) for one in entries if one.row is not None]
            self._insert(view, there)
            away = [_away(one) for one in entries if one.row is None and one.admitted]
            view.insert("item", away, unless_there=True)
            last = entries[-1].position
            view.execute("UPDATE item_progress SET position=? WHERE version=?", (last, VERSION))

    def _begin(self, view: Transaction) -> int:
        """A new build from zero, in place of whatever was there."""
        ((last,),) = view.query("SELECT COALESCE(MAX(build), 0) FROM item_progress")
        for table in ("item", "item_read", "item_opened", "item_progress"):
            view.execute(f"DELETE FROM {table}")  # noqa: S608
        view.insert("item_progress", [(last + 1, VERSION, 0)])
        return 0

    def _insert(self, view: Transaction, facts: Iterable[Fact]) -> None:
        read: dict[tuple[str, int, str, int], int] = {}
        opened: dict[str, str] = {}
        for fact in facts:
            if fact.stream == ACCESS:
                view.insert("item", _alarm(fact), unless_there=True)
                opened |= {key: at for key, at in _opened(fact) if key not in opened}
                for one in _read(fact):
                    read.setdefault(one, fact.position)
            elif fact.stream.version == RANDOM:
                view.insert("item", self._about_child(view, fact), unless_there=True)
            elif fact.name == "role-held":
                view.insert("item", [_role(fact)], unless_there=True)
        view.insert("item_read", [(*key, position) for key, position in read.items()], unless_there=True)
        view.insert("item_opened", opened.items(), unless_there=True)

    def _about_child(self, view: Transaction, fact: Fact) -> list[Row]:
        found = [*self._asks(fact), *self._refers(view, fact)]
        return [row._replace(part=part) for part, row in enumerate(found)]

    def _asks(self, fact: Fact) -> Iterator[Row]:
        """For whom an entry is by what it is, and by whom it is addressed to."""
        urgent, details = self.is_urgent(fact.data), fact.data.get("details") or {}
        plain = _plain(fact)._replace(urgent=int(urgent))
        if urgent:
            yield plain._replace(kind=URGENT)
        if kind := NAMED.get(fact.name):
            person = person_id(details["person"]) if details.get("person") else ""
            yield plain._replace(kind=kind, person=person, service=details.get("service") or plain.sender)
        for to in fact.data.get("addressed_to") or ():
            person = person_id(to["person"]) if to.get("person") else ""
            asked = fact.data.get("by_when") or ("*" if "asked" in fact.data else "")
            yield plain._replace(
                kind=ADDRESSED, service=to["service"], role=to.get("role", ""), person=person, by_when=asked
            )

    def _refers(self, view: Transaction, fact: Fact) -> Iterator[Row]:
        """What an entry does to earlier ones: it removes or corrects its own source's, it replies to anybody's.

        Nobody has read what is not here yet, so an entry that comes after its own correction makes no row. That
        something was taken back makes one whenever it comes.
        """
        wrong_child = fact.data.get("details", {}).get("reason") == WRONG_CHILD
        named: dict[tuple[str, int], None] = {}
        for one in fact.data.get("references") or ():
            if one["as"] in REPLYING:
                yield _plain(fact)._replace(kind=REPLY, service=fact.source, source=one["source"], event=one["id"])
            elif one["as"] in REFERRED and one["source"] == fact.source:
                where = "SELECT position FROM inbox WHERE source=? AND id=? AND position<?"
                found = self.record.query(where, (one["source"], one["id"], fact.position))
                named |= {(one["as"], target): None for (target,) in found}
        wrong = [target for as_, target in named if wrong_child and REFERRED[as_] == REMOVED]
        for as_, target in named:
            if not (wrong_child and REFERRED[as_] == REMOVED):
                yield _plain(fact)._replace(kind=REFERRED[as_], role=as_, target=target)
        for target in _kin(view, fact.stream.hex, wrong):
            yield _plain(fact)._replace(kind=REMOVED, role=WRONG_CHILD, target=target)
        if taken_back(fact):
            yield _plain(fact)._replace(kind=TAKEN_BACK)


def _kin(view: Transaction, home: str, named: Sequence[int]) -> list[int]:
    """Of a wrong child's record what it replaced goes with the one that is named, and whatever was said of it since.

    What was removed so before is not removed again, nor looked behind: its kin went with it, and what came since was
    gone as it came.
    """
    found: dict[int, None] = {}
    waiting = list(named)
    while waiting:
        part, waiting = waiting[:ASKED_AT_ONCE], waiting[ASKED_AT_ONCE:]
        once = "SELECT target FROM item WHERE kind=? AND home=? AND role=? AND target IN ??"
        gone = {target for (target,) in view.query(once, (REMOVED, home, WRONG_CHILD, part))}
        new = [one for one in dict.fromkeys(part) if one not in found and one not in gone]
        found |= dict.fromkeys(new)
        since = "SELECT position FROM item WHERE kind=? AND target IN ??"
        before = "SELECT target FROM item WHERE kind=? AND role='replaces' AND position IN ??"
        waiting += [at for which in (since, before) for (at,) in view.query(which, (CORRECTED, new))] if new else []
    return list(found)


def _plain(fact: Fact) -> Row:
    sender = (fact.data.get("said_by") or {}).get("service", "")
    return Row(fact.position, 0, "", fact.stream.hex, _shared(fact), sender=sender, source=fact.source, event=fact.id)


def _shared(fact: Fact) -> str:
    """As `Row.at` has it; what says a time that no clock of ours can count in UTC, when it was admitted."""
    try:
        at = datetime.fromisoformat(fact.shared or fact.admitted).astimezone(UTC)
    except OverflowError:
        return fact.admitted
    return at.isoformat(timespec="milliseconds")


def _role(fact: Fact) -> Row:
    details = fact.data["details"]
    row = Row(fact.position, 0, ROLE, "", fact.admitted, details["service"], details["role"])
    return row._replace(person=fact.stream.hex)


def _alarm(fact: Fact) -> list[Row]:
    """An alarm's own facts stay in the record; the row says only that there is one."""
    if fact.name != "alarm-raised":
        return []
    return [Row(fact.position, 0, ALARM, "", fact.admitted, role=str(fact.data.get("kind", "")))]


def _opened(fact: Fact) -> list[tuple[str, str]]:
    return [(fact.data["item"], fact.admitted)] if fact.data.get("kind") == "item-opened" else []


def _read(fact: Fact) -> Iterator[tuple[str, int, str, int]]:
    """(reader, entry, child asked for, was it a card alone) of what a recorded reading showed."""
    data = fact.data
    if data.get("kind") != "read" or data.get("outcome") != "answered":
        return
    reader, child = person_id(data["reader"]), UUID(data["child"]).hex
    for line in data["classes"]:
        if line["shown"] in (*SEEN, CARD):
            yield from ((reader, entry, child, int(line["shown"] == CARD)) for entry in line["entries"])


def _there(entry: Entry) -> Any:
    return entry.row


def _away(entry: Entry) -> Row:
    return Row(entry.position, 0, UNOPENED, entry.stream.hex, entry.admitted)
