"""One batch on its way into one transaction: what is about to be written, and what earlier records of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson

from hub.domain import hearing
from hub.domain.child import Child, is_standing
from hub.domain.facts import Fact
from hub.domain.growing import Growing
from hub.identity.matching import Description
from hub.store.entries import own_note, to_fact
from hub.store.keys import KeyAway
from hub.store.mapper import Recorded
from hub.store.record import Record
from hub.store.tables import HeardRow, InboxRow, Numbers, QuarantineRow, ReceiptRow, Writes

Known = tuple[str, str]
"""(datadigest, subject) of an event id that was seen before."""
OTHER_CONTENT = "same-id-other-content"
"""Why a record waits that claims an event id which was another's before."""
FACTS_KEPT = 20_000
"""Of the children that a batch asked for, so many facts are kept; beyond, the oldest are read again when asked for."""
READ_TOGETHER = 200
"""Streams that are read with one question."""
MOST_TOGETHER = 50
"""Facts of a stream that is read with others."""
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Batch:
    """Facts and rows of one transaction, with look-ups that see this batch's own records too."""

    record: Record
    now: datetime
    """When it is decided."""
    versions: dict[UUID, int]
    """Last sequence numbers of streams, kept by the caller from batch to batch until another writer was faster."""
    facts: list[Recorded] = field(default_factory=list)
    """In the order of the log; `add` puts one here."""
    writes: Writes = field(default_factory=Writes)
    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    waiting: dict[tuple[str, str], list[tuple[Known, str]]] = field(default_factory=dict)
    """What waits under an event id, with its place in the quarantine."""
    waited: int | None = None
    """How many of the caller's records waited before this batch, once somebody asked."""
    answered: dict[str, ReceiptRow] = field(default_factory=dict)
    """Record digest → the answer that it already has."""
    described: dict[tuple[str, str], tuple[Mapping[str, Any], Description, Sequence[bytes]]] = field(
        default_factory=dict
    )
    """(source, subject) → what is said of that child, its description, and the tokens that find it."""
    _found: dict[bytes, list[str]] = field(default_factory=dict)
    _learned: dict[bytes, list[str]] = field(default_factory=dict)
    """Identity token → children, hex: as the record has it, and as this batch adds to it."""
    _of_stream: dict[UUID, list[Recorded]] = field(default_factory=dict)
    _read: dict[UUID, list[Fact]] = field(default_factory=dict)
    """Streams whose facts were asked for, with what this batch added since: a long one is opened once."""
    _children: dict[tuple[UUID, ...], tuple[Growing, int]] = field(default_factory=dict)
    """Children that were asked for, by their streams, and how many of this batch's facts each has seen."""
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    _missing: dict[str, Sequence[hearing.Range]] = field(default_factory=dict)
    at: str = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.now.isoformat(timespec="milliseconds")

    def add(self, row: Recorded) -> None:
        """Add one row to what is written."""
        self.facts.append(row)
        self._of_stream.setdefault(row.originator_id, []).append(row)
        if self._read and row.originator_id in self._read:
            self._read[row.originator_id].append(to_fact(row))

    def begin(self, stream: UUID) -> None:
        """A stream that nobody has written to: its id was made this moment."""
        self.versions[stream] = 0

    def next_seq(self, stream: UUID) -> int:
        """The next sequence number of a stream, counting what this batch already adds."""
        held = self.versions.get(stream)
        if held is None:
            held = self.record.version(stream)
        self.versions[stream] = held + 1
        return held + 1

    def fetch_versions(self, streams: Iterable[UUID]) -> None:
        """Ask at once for what `next_seq` would ask one by one."""
        away = {stream.hex: stream for stream in streams if stream not in self.versions}
        if away:
            found = "SELECT stream, MAX(seq) FROM log WHERE stream IN ?? GROUP BY stream"
            self.versions.update((away[name], seq) for name, seq in self.record.query(found, (list(away),)))

    def facts_of(self, stream: UUID) -> Iterator[Fact]:
        """The facts of a stream with those that this batch adds to it."""
        if stream not in self._read:
            self._read[stream] = [*self.record.facts(stream), *map(to_fact, self._of_stream.get(stream, ()))]
            _forget_oldest(self._read, len)
        return iter(self._read[stream])

    def read_ahead(self, streams: Sequence[UUID]) -> None:
        """Read at once the streams that `facts_of` will be asked for one by one.

        Not those of very many facts, and none where any key is away: these are read when they are asked for.
        """
        unread = [stream for stream in streams if stream not in self._read]
        with suppress(KeyAway):
            for start in range(0, len(unread), READ_TOGETHER):
                read = self.record.facts_together(unread[start : start + READ_TOGETHER], MOST_TOGETHER)
                for stream, facts in read.items():
                    self._read[stream] = [*facts, *map(to_fact, self._of_stream.get(stream, ()))]
                if sum(map(len, self._read.values())) > FACTS_KEPT // 2:
                    return

    def look_up(self, source: str, digests: list[str], ids: list[str]) -> None:
        """Fetch at once what is known of these records: earlier answers, admitted ids, ids that wait."""
        given = self.record.query(
            'SELECT cursor, record, "row" FROM receipt WHERE caller=? AND record IN ?? ORDER BY cursor',
            (source, digests),
        )
        for cursor, record, row in given:
            self.answered[record] = ReceiptRow(source, record, {**orjson.loads(row), "cursor": cursor})
        self._forget_answers_without_bytes(source)
        admitted = self.record.query(
            "SELECT id, datadigest, subject FROM inbox WHERE source=? AND id IN ??", (source, ids)
        )
        self.known.update({(source, id): (datadigest, subject) for id, datadigest, subject in admitted})
        waiting = self.record.query(
            "SELECT event, datadigest, subject, id FROM quarantine WHERE source=? AND event IN ?? AND state='open'"
            " AND reason<>?",
            (source, ids, OTHER_CONTENT),
        )
        for event, datadigest, subject, id in waiting:
            self.waiting.setdefault((source, event), []).append(((datadigest, subject), id))

    def _forget_answers_without_bytes(self, source: str) -> None:
        """Of what came beyond the quota only a digest was kept: when it is sent again it is judged anew."""
        set_aside = [digest for digest, one in self.answered.items() if one.row["outcome"] == "quarantined"]
        if set_aside:
            lost = "SELECT record FROM quarantine WHERE caller=? AND record IN ?? AND state='open' AND key=''"
            for (digest,) in self.record.query(lost, (source, set_aside)):
                self.answered.pop(digest, None)

    def find_children(self, tokens: Sequence[bytes]) -> list[UUID]:
        """The children who are found under any of these tokens, in the order of the tokens."""
        self.fetch_children([token for token in tokens if token not in self._found])
        found = (one for token in tokens for held in (self._found, self._learned) for one in held.get(token, ()))
        return [UUID(child) for child in dict.fromkeys(found)]

    def fetch_children(self, tokens: Sequence[bytes]) -> None:
        """Ask at once for what `find_children` will be asked one by one."""
        self._found.update((token, []) for token in tokens)
        if tokens:
            rows = self.record.query(
                "SELECT token, child FROM identity_index WHERE token IN ?? ORDER BY child", (list(tokens),)
            )
            for token, child in rows:
                self._found[token].append(child)

    def learn(self, tokens: Sequence[bytes], child: UUID) -> None:
        """A child is found under these tokens from here on."""
        for token in tokens:
            self._learned.setdefault(token, []).append(child.hex)
            self.writes.index.append((token, child.hex))

    def child(self, streams: Sequence[UUID]) -> Child:
        """The child of these streams with what this batch adds; who appends to them from now on was faster."""
        key = tuple(streams)
        if key not in self._children:
            self._children[key] = (self._as_recorded(key), 0)
            _forget_oldest(self._children, lambda held: len(held[0]))
        child, seen = self._children[key]
        for row in self.facts[seen:]:
            if row.originator_id in key and is_standing(fact := to_fact(row)):
                child.add(fact)
        self._children[key] = (child, len(self.facts))
        return child.child

    def _as_recorded(self, streams: Sequence[UUID]) -> Growing:
        standing: list[Fact] = []
        for stream in streams:
            facts, last = self.record.deciding(stream)
            self.versions.setdefault(stream, last)
            standing += filter(is_standing, facts)
        return Growing(sorted(standing, key=lambda fact: fact.admitted) if len(streams) > 1 else standing)

    def admitted(self, statement: Mapping[str, str]) -> bool:
        """Was this event id admitted before?"""
        return (statement["source"], statement["id"]) in self.known

    def contradicts(self, statement: Mapping[str, str], again: str) -> bool:
        """Was something else admitted under this event id, or does something else wait after a good signature?

        What waits and is tried `again` is measured by what was admitted alone.
        """
        event, said = (statement["source"], statement["id"]), (statement["datadigest"], statement["subject"])
        if again:
            self.look_up(event[0], [], [event[1]])
            self.waiting.pop(event, None)
        known = self.known.get(event)
        return known != said if known else any(one != said for one, _ in self.waiting.get(event, ()))

    def settle(self, quarantine_id: str, state: str) -> None:
        """A quarantined record has its end; nothing to do where there was none."""
        if quarantine_id:
            self.writes.settled.append((quarantine_id, state))

    def note(self, stream: UUID, topic: str, data: dict[str, Any]) -> int:
        """Add one of the hub's own notes; gives its index in the batch."""
        self.add(own_note(stream, self.next_seq(stream), topic, self.at, data))
        return len(self.facts) - 1

    def head(self, source: str) -> tuple[int, str]:
        """(sequence, statement digest) of a source's newest record; (0, "") before the first."""
        found = self.writes.heads.get(source) or self._heads.get(source)
        if found is None:
            rows = self.record.query("SELECT sequence, digest FROM source_head WHERE source=?", (source,))
            found = self._heads[source] = (rows[0][0], rows[0][1]) if rows else (0, "")
        return found

    def heard(self, source: str) -> HeardRow:
        """What a source's newest heartbeat says, this batch's too."""
        if source in self.writes.heard:
            return self.writes.heard[source]
        asked = "SELECT source, sequence, heard, every_s, outstanding, remarks FROM hearing WHERE source=?"
        rows = self.record.query(asked, (source,))
        return HeardRow(*rows[0]) if rows else HeardRow(source, 0, "", 0, 0, "")

    def skip(self, source: str, first: int, last: int) -> None:
        """These numbers of a source were due before the one that came."""
        self._missing[source] = hearing.opened(self._holes(source), first, last)
        self.writes.numbers.append(Numbers(source, first, last))

    def fill(self, source: str, number: int) -> bool:
        """Was this number missing? It is not any more."""
        holes = self._holes(source)
        if not hearing.is_missing(holes, number):
            return False
        self._missing[source] = hearing.filled(holes, number)
        self.writes.numbers.append(Numbers(source, number, number, came=True))
        return True

    def _holes(self, source: str) -> Sequence[hearing.Range]:
        if source not in self._missing:
            rows = self.record.query("SELECT missing FROM hearing WHERE source=?", (source,))
            self._missing[source] = [(first, last) for first, last in orjson.loads(rows[0][0])] if rows else []
        return self._missing[source]

    def remember(self, row: InboxRow) -> None:
        """Make an event count once, from here on in this batch too."""
        self.writes.inbox.append(row)
        self.known[row.source, row.id] = (row.datadigest, row.subject)
        for _, waiting in self.waiting.pop((row.source, row.id), ()):
            self.settle(waiting, "duplicate")  # nobody is to release or refuse what is admitted now

    def answer(self, receipt: ReceiptRow) -> ReceiptRow:
        """Add the receipt of one record."""
        self.writes.receipts.append(receipt)
        self.answered[receipt.record] = receipt
        return receipt

    def set_aside(self, row: QuarantineRow) -> None:
        """Add a record to the quarantine."""
        self.writes.quarantine.append(row)
        if row.event and row.reason != OTHER_CONTENT:
            self.waiting.setdefault((row.source, row.event), []).append(((row.datadigest, row.subject), row.id))


def _forget_oldest(kept: dict[K, V], count: Callable[[V], int]) -> None:
    """All but the newest, until no more than `FACTS_KEPT` are held, or the newest alone."""
    held = sum(map(count, kept.values()))
    for one in list(kept)[:-1]:
        if held <= FACTS_KEPT:
            return
        held -= count(kept.pop(one))
