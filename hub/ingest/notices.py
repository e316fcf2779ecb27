"""What agencies must be told, as rows that their sources fetch beside receipts; and that somebody there opened one.

It follows the record: notices and the place up to which it came are one transaction, so that whatever must be told is
told at least once and has one row. A row names no child and no place; who a notice is about is answered when a person
opens it, and that is recorded first. When a fact's key is away, or the hub stumbles over it, the others go on and it is
tried again each time.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hub.domain.facts import EventKey, Fact
from hub.domain.versions import other_versions, taken_back
from hub.ingest.admission import Admission
from hub.ingest.background import Backgrounds
from hub.ingest.describing import described
from hub.ingest.telling import ASKING, RULES, UNDELIVERED, Telling, asks_nobody, background, tell
from hub.store.database import Transaction
from hub.store.entries import Entry, contract_of, own_note, to_fact
from hub.store.keys import KeyAway
from hub.store.record import Record, StaleVersion
from hub.store.streams import ACCESS, NOT_CHILDREN, SOURCES
from schemas.notices import NO_SUBJECT, Notice

LOG = logging.getLogger("hub.ingest.notices")
BATCH = 1000
NOTICES_A_PAGE = 500
SILENT = "source-silent"
REMOVED, RETRACTED = "entry-removed", "retraction-made"
TOLD = frozenset({*RULES, RETRACTED, SILENT})
ABOUT_NOBODY = (UNDELIVERED, REMOVED, SILENT)
"""Kinds that answer the sender's own event, take something back, or are about no child: opened, they say no more."""
SEEN = ("full", "outline")
OPENED = "notice-opened/v1"
TRIES = 20
WRITTEN = "notices written"
"""Among the followers' places: how many notices there are, which no cursor says."""


class NoNotice(Exception):
    """This source has no notice of this id."""


@dataclass(slots=True)
class _Gathered:
    """What is read once for all of a batch: a child of thousands of events is not opened again for each of them."""

    backgrounds: Backgrounds
    subjects: dict[str, dict[UUID | None, str]] = field(default_factory=dict)
    """Source → child → its newest pseudonym there."""
    reads: dict[int, set[tuple[str, str]]] | None = None
    """Entry → when it was shown, and to which service; every access on record is opened for it."""
    made: set[tuple[str, str]] = field(default_factory=set)
    """(source, notice id) of what this batch tells."""


class Notices:
    """Writes, gives and opens notices. Several processes may follow; each row is written once."""

    def __init__(self, record: Record, admission: Admission, *, secret: bytes, clock: Callable[[], datetime]) -> None:
        """`secret` keys the ids: whoever gets one learns nothing by guessing what it is made of."""
        self.record, self.admission, self.clock = record, admission, clock
        self._secret = secret
        self._lock = threading.Lock()
        self._gather_anew()

    def after(self, source: str, cursor: int) -> list[Notice]:
        """A page of a source's notices after this cursor, in the order in which they were written.

        Each source's are numbered by themselves: a gap would say that somebody else was told something.
        """
        rows = self.record.query(
            'SELECT cursor, "row" FROM notice WHERE caller=? AND cursor>? ORDER BY cursor LIMIT ?',
            (source, cursor, NOTICES_A_PAGE),
        )
        return [Notice(cursor=at, **orjson.loads(row)) for at, row in rows]

    def count(self) -> int:
        """How many notices were written since this was first counted; it grows with each."""
        rows = self.record.query("SELECT position FROM noticed WHERE follower=?", (WRITTEN,))
        return int(rows[0][0]) if rows else 0

    def follow(self) -> None:
        """Tell whatever was recorded since, to its end."""
        with self._lock, self.record.database.turn("telling"):  # or every process would judge the same events
            self._try_waiting()
            while self._follow_batch():
                pass
            self._gather_anew()

    def open(self, source: str, notice_id: str, person: str) -> dict[str, Any]:
        """That a person of this source's agency opened a notice: recorded, then answered with whom it is about where
        the notice alone does not say it. Errors: `NoNotice`, `KeyAway`."""
        rows = self.record.query('SELECT position, "row" FROM notice WHERE caller=? AND id=?', (source, notice_id))
        if not rows:
            raise NoNotice
        position, row = rows[0][0], orjson.loads(rows[0][1])
        child = {} if row["kind"] in ABOUT_NOBODY else self._describe(position, row)
        at = self._note({"source": source, "notice": notice_id, "kind": row["kind"], "person": person})
        return {"id": notice_id, "kind": row["kind"], "opened": at, **({"child": child} if child else {})}

    def _note(self, opening: dict[str, str]) -> str:
        """The opening in the stream of sources; gives its time. Where another was faster the next place is taken."""
        for _ in range(TRIES):
            at = self.clock().isoformat(timespec="milliseconds")
            try:
                self.record.append([own_note(SOURCES, self.record.version(SOURCES) + 1, OPENED, at, dict(opening))])
            except StaleVersion:
                continue
            return at
        raise StaleVersion("other writers were always faster")

    # -- following

    def _gather_anew(self) -> None:
        self._gathered = _Gathered(self._backgrounds())

    def _backgrounds(self) -> Backgrounds:
        return Backgrounds(self.record, self.admission.resolver, self.admission.keyring)

    def _follow_batch(self) -> bool:
        begun = self._position()
        self._gather_anew()
        rows = self.record.query(
            "SELECT l.position, e.topic FROM (SELECT position, stream, seq FROM log WHERE position>? ORDER BY position"
            " LIMIT ?) AS l LEFT JOIN stored_events e ON e.originator_id=l.stream AND e.originator_version=l.seq"
            " ORDER BY l.position",
            (begun, BATCH),
        )
        if not rows:
            return False
        made: list[tuple[str, str, int, dict[str, Any]]] = []
        waits: list[int] = []
        told = [at for at, topic in rows if topic and contract_of(topic)[0] in TOLD]
        if told:
            self.admission.catch_up()
        entries = self.record.entries_at(told)
        self._gathered.backgrounds.read_ahead(entry.stream for entry in entries if _rests_on_child(entry))
        for entry in entries:
            try:
                told_now = self._tell(entry)
                made += told_now
                self._gathered.made.update(one[:2] for one in told_now)
            except KeyAway:
                LOG.error("a notice waits for a key: position=%s", entry.position)
                waits.append(entry.position)
            except Exception as fault:  # one fact that we stumble over is not to silence every agency's notices
                LOG.error("a notice waits: position=%s: %s", entry.position, type(fault).__name__)
                waits.append(entry.position)
        with self.record.database.transaction(turn="tell") as transaction:
            moved = "UPDATE noticed SET position=? WHERE follower='notices' AND position=?"
            if transaction.execute(moved, (rows[-1][0], begun)):  # else another process told these
                self._insert(transaction, made)
                transaction.insert("notice_waits", [(position,) for position in waits], unless_there=True)
        return len(rows) == BATCH

    def _position(self) -> int:
        rows = self.record.query("SELECT position FROM noticed WHERE follower='notices'")
        if rows:
            return int(rows[0][0])
        with self.record.database.transaction() as begun:
            begun.insert("noticed", [("notices", 0)], unless_there=True)
        return 0

    def _try_waiting(self) -> None:
        for (position,) in self.record.query("SELECT position FROM notice_waits ORDER BY position"):
            made = self._told_at_last(position)
            if made is None:
                continue
            with self.record.database.transaction(turn="tell") as transaction:
                if transaction.execute("DELETE FROM notice_waits WHERE position=?", (position,)):
                    self._insert(transaction, made)

    def _told_at_last(self, position: int) -> list[tuple[str, str, int, dict[str, Any]]] | None:
        """What a fact that waits must be told to; None while it waits. It was an error when it began to."""
        try:
            self._gather_anew()
            self.admission.catch_up()
            return self._tell(self.record.entry_at(position))
        except Exception as fault:
            LOG.debug("a notice still waits: position=%s: %s", position, type(fault).__name__)
            return None

    def _insert(self, transaction: Transaction, made: Sequence[tuple[str, str, int, dict[str, Any]]]) -> None:
        callers = [caller for caller, *_ in made]
        newest = "SELECT caller, MAX(cursor) FROM notice WHERE caller IN ?? GROUP BY caller"
        last = Counter(dict(transaction.query(newest, (sorted(set(callers)),)))) if made else Counter[str]()
        rows = []
        for caller, id, place, row in made:
            last[caller] += 1
            rows.append((last[caller], caller, id, place, orjson.dumps(row)))
        transaction.insert("notice", rows)
        transaction.insert("noticed", [(WRITTEN, 0)], unless_there=True)
        transaction.execute("UPDATE noticed SET position=position+? WHERE follower=?", (len(rows), WRITTEN))

    # -- one fact

    def _tell(self, entry: Entry) -> list[tuple[str, str, int, dict[str, Any]]]:
        """(source, notice id, position, row) of all that this fact must be told to. Errors: `KeyAway`."""
        if entry.stream in NOT_CHILDREN - {SOURCES}:
            return []
        if entry.row is None:
            raise KeyAway(f"no key for position {entry.position}")
        fact = to_fact(entry.row, entry.position)
        if asks_nobody(fact):
            return []
        if entry.stream == SOURCES:
            return list(self._silence(fact)) if fact.name == SILENT else []
        sender = self.admission.keyring.senders.get(fact.source)
        if sender is None or sender.history:
            return []
        if fact.name == RETRACTED:
            return list(self._removed(fact))
        of = self._gathered.backgrounds.of(fact.stream)
        telling = None if fact.key in of.newer else tell(fact, of)  # the last version is told for all of them
        return [] if telling is None else list(self._rows(fact, telling, other_versions(fact.key, of.linked)))

    def _silence(self, fact: Fact) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """To every source of the silent one's service: what still reaches the agency may be another of its systems."""
        silent = self.admission.keyring.senders[fact.data["source"]]
        receivers, _ = self._receivers(silent.service.get("urn", ""))
        return (self._row(fact, source, SILENT, "") for source in receivers)

    def _removed(self, fact: Fact) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """To the services whose people read what its source takes back: that it was removed, never again what."""
        places = "SELECT position FROM inbox WHERE source=? AND id=?"
        entries = {place for key in taken_back(fact) for (place,) in self.record.query(places, key)}
        for service in sorted(self._services_that_read(entries, fact.admitted) - {fact.data["said_by"]["service"]}):
            for source in self._receivers(service)[0]:
                yield self._row(fact, source, REMOVED, service)

    def _services_that_read(self, entries: set[int], until: str) -> set[str]:
        """By the accesses on record, each under the service in whose name it was. Errors: `KeyAway`."""
        if entries and self._gathered.reads is None:
            self._gathered.reads = self._gather_reads()
        reads = self._gathered.reads or {}
        return {service for entry in entries for at, service in reads.get(entry, ()) if at <= until}

    def _gather_reads(self) -> dict[int, set[tuple[str, str]]]:
        """Entry → when it was shown, and to which service."""
        found: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for one in self.record.facts(ACCESS):
            for line in one.data.get("classes", ()) if one.data.get("kind") == "read" else ():
                if line["shown"] in SEEN:
                    for entry in line["entries"]:
                        found[entry].add((one.admitted, one.data["service"]))
        return found

    def _rows(
        self, fact: Fact, telling: Telling, versions: Iterable[EventKey]
    ) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """Without what another version of the same record told the same receiver."""
        places = "SELECT position FROM inbox WHERE source=? AND id=?"
        others = [place for key in versions for (place,) in self.record.query(places, key)]
        for source, kind, service, reason in self._addressed(fact, telling):
            if not self._is_told(source, [self._id(place, source, kind, service) for place in others]):
                by_when = telling.by_when if kind == telling.kind else ""
                yield self._row(fact, source, kind, service, reason=reason, by_when=by_when)

    def _addressed(self, fact: Fact, telling: Telling) -> Iterator[tuple[str, str, str, str]]:
        """(source, kind, service, reason) of each whom it concerns."""
        for service in (*telling.services, *telling.quietly):
            sources, why_not = self._receivers(service)
            for source in sources:
                yield source, telling.kind, service, ""
            if why_not and service not in telling.quietly:
                yield fact.source, UNDELIVERED, service, why_not
        if not (telling.services or telling.quietly):
            yield fact.source, UNDELIVERED, "", telling.reason

    def _is_told(self, source: str, ids: list[str]) -> bool:
        found = "SELECT 1 FROM notice WHERE caller=? AND id IN ??"
        made = any((source, one) in self._gathered.made for one in ids)
        return made or (bool(ids) and bool(self.record.query(found, (source, ids))))

    def _row(
        self, fact: Fact, source: str, kind: str, service: str, *, reason: str = "", by_when: str = ""
    ) -> tuple[str, str, int, dict[str, Any]]:
        notice_id = self._id(fact.position, source, kind, service)
        own = kind == UNDELIVERED
        row = {
            "id": notice_id, "kind": kind, "at": self.clock().isoformat(timespec="milliseconds"),
            "subject": fact.subject if own else self._subject(source, fact.stream), "reason": reason,
            "about": fact.id if own else "", "by_when": by_when,
        }  # fmt: skip
        return source, notice_id, fact.position, row

    def _id(self, position: int, source: str, kind: str, service: str) -> str:
        words = f"{position}\x1f{source}\x1f{kind}\x1f{service}".encode()
        return hmac.new(self._secret, words, hashlib.sha256).hexdigest()[:32]

    def _receivers(self, service: str) -> tuple[list[str], str]:
        """(the sources that speak for a service and can be told, why nobody can). Where a service's people use the
        people's door, what is addressed to them waits on their own lists, and nothing goes back."""
        keyring = self.admission.keyring
        owners = [keyring.senders[source] for source in sorted(keyring.services.get(service, ()))]
        speaking = {key.source for key in keyring.active() if key.purpose == "transport"}
        sources = [one.source for one in owners if not one.kept and not one.history and one.source in speaking]
        if sources or any(one.kept for one in owners):
            return sources, ""
        return [], "closed" if owners else "unknown-service"

    def _subject(self, source: str, stream: UUID) -> str:
        """The newest of the pseudonyms that a source uses for this child; none where it sent nothing about it."""
        register, subjects = self.admission.resolver.register, self._gathered.subjects
        if source not in subjects:
            own = [key for key in register.assigned if key[0] == source]
            subjects[source] = {register.find(*key): key[1] for key in own}
        return subjects[source].get(register.survivor(stream), NO_SUBJECT)

    def _describe(self, position: int, row: dict[str, Any]) -> dict[str, Any]:
        """Name and, where history is asked of somebody who has no word for the child, birth date."""
        entry = self.record.entry_at(position)
        assert entry.row is not None
        self.admission.catch_up()
        fact = to_fact(entry.row, position)
        backgrounds = self._backgrounds()
        facts = backgrounds.facts_of(fact.stream)
        sender = self.admission.keyring.senders.get(fact.source)
        told = described(fact, facts, background(facts, backgrounds.kind_of), kept=sender is not None and sender.kept)
        members = ("names", "birth_date") if row["kind"] == "history-asked" else ("names",)
        return {name: told[name] for name in members if name in told}


def _rests_on_child(entry: Entry) -> bool:
    """Will telling it ask what else is known of the child? In doubt it is not read ahead."""
    if entry.row is None or contract_of(entry.row.topic)[0] not in RULES:
        return False
    return contract_of(entry.row.topic)[0] not in ASKING or b'"asked"' in entry.row.data
