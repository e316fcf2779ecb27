"""The record: an event-sourced application whose domain stays free of it.

It appends facts with everything that belongs to the same moment, and gives them back by stream or in the order of the
log. It knows streams and bytes; which child a fact belongs to, and who may see it, are other rooms' questions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Mapper

from hub.domain.child import Child, fold
from hub.domain.facts import Fact
from hub.store.database import RecordDatabase
from hub.store.entries import Entry, Stored, contract_of, entries_of, fact_of, opened_fact
from hub.store.keys import KeyAway, KeyStore, OtherKey
from hub.store.mapper import SALT_BYTES, BodyMapper, Recorded, key_id_of, open_body, recorded_at_of
from hub.store.plain import is_plain
from hub.store.tables import Offset, Writes


class StaleVersion(Exception):
    """Another writer was faster: forget what was read, decide again."""


class Record(Application[UUID]):
    """The library's application with the hub's recorder and mapper."""

    name = "record"

    def __init__(self, database: RecordDatabase, keys: KeyStore) -> None:
        self.database, self.keys, self.bodies = database, keys, BodyMapper(keys)
        super().__init__(env={"PERSISTENCE_MODULE": "eventsourcing.popo"})

    def construct_recorder(self) -> ApplicationRecorder:
        """The library's recorder over the record's database."""
        return self.database.recorder()

    def construct_mapper(self) -> Mapper[UUID]:
        """The hub's mapper over the key store."""
        return self.bodies

    def append(self, facts: Sequence[Recorded], writes: Writes | None = None) -> None:
        """Write facts and all that belongs to them in one transaction, their keys before them.

        Errors: `StaleVersion` when a stream or the inbox moved since it was read; nothing is written then.
        """
        begun = {fact.originator_id for fact in facts if fact.originator_version == 1}
        self.keys.fetch({fact.originator_id for fact in facts}, begun)
        stored = self.bodies.to_stored_events(facts)
        try:
            self.keys.commit()
            self.recorder.insert_events(stored, writes=writes, received=[fact.admitted for fact in facts])
        except (IntegrityError, OtherKey) as error:
            raise StaleVersion from error

    def facts(self, stream: UUID, *, after: int = 0, topics: Sequence[str] = ()) -> Iterator[Fact]:
        """The facts of one stream in order, of all topics or of these alone. Errors: `KeyAway`."""
        return (opened_fact(stream, *row) for row in self._rows(stream, after, topics))

    def facts_at(self, stream: UUID, positions: Sequence[int]) -> dict[int, Fact]:
        """The facts of one stream at these positions, which ascend; no other is opened. Errors: `KeyAway`."""
        if not positions:
            return {}
        wanted, name = set(positions), stream.hex
        rows = self.query(
            "SELECT l.position, l.seq, e.topic, e.state FROM log l JOIN stored_events e ON e.originator_id=l.stream"
            " AND e.originator_version=l.seq WHERE l.stream=? AND l.position>=? AND l.position<=? ORDER BY l.seq",
            (name, positions[0], positions[-1]),
        )
        there = [row for row in rows if row[0] in wanted]
        if len(there) < len(wanted):
            raise KeyAway(f"the record of {stream} has less than was asked for")
        keys = self._keys_of(stream, [key_id_of(row[3]) for row in there], most=2 * len(there) > there[-1][1])
        return {
            position: opened_fact(stream, seq, topic, state, open_body(name, seq, topic, state, key), position)
            for (position, seq, topic, state), key in zip(there, keys, strict=True)
        }

    def streams_with(self, topics: Sequence[str]) -> list[UUID]:
        """Every stream that holds a fact of these topics. It looks through the whole record."""
        found = self.query("SELECT DISTINCT originator_id FROM stored_events WHERE topic IN ??", (list(topics),))
        return [UUID(stream) for (stream,) in found]

    def last_before(self, stream: UUID, moment: str) -> int:
        """The last sequence number of a stream that was recorded before a day or moment; 0 where none was."""

        def recorded_at(seq: int) -> str:
            named = "SELECT state FROM stored_events WHERE originator_id=? AND originator_version=?"
            return recorded_at_of(self.query(named, (stream.hex, seq))[0][0])

        return bisect_left(range(1, self.version(stream) + 1), moment, key=recorded_at)

    def child(self, stream: UUID) -> Child:
        """Fold one stream; a stream without facts gives a child of version 0. Errors: `KeyAway`."""
        facts, last = self.deciding(stream)
        return replace(fold(facts), version=last)

    def deciding(self, stream: UUID) -> tuple[list[Fact], int]:
        """The facts of a stream that decisions may rest on, and the last sequence number of all. Errors: `KeyAway`.

        Every body is opened; those that decide nothing, which are most, are not parsed.
        """
        facts, last = [], 0
        for last, topic, state, body in self._rows(stream):
            if not is_plain(*contract_of(topic), body, SALT_BYTES):
                facts.append(opened_fact(stream, last, topic, state, body))
        return facts, last

    def bearing(self, streams: Sequence[UUID], names: Collection[str], most: int) -> dict[UUID, list[Fact]]:
        """Of each of these streams, in order, the facts of these names and those that decide something, read at once.

        A stream of more than `most` facts is left out. Errors: `KeyAway` where any of them does not open.
        """

        def bears(contract: tuple[str, int], body: bytes) -> bool:
            return contract[0] in names or not is_plain(*contract, body, SALT_BYTES)

        return self._together(streams, most, bears)

    def facts_together(self, streams: Sequence[UUID], most: int) -> dict[UUID, list[Fact]]:
        """`facts` of many streams, read at once; one of more than `most` facts is left out. Errors: `KeyAway`."""
        return self._together(streams, most, lambda contract, body: True) if streams else {}

    def _together(
        self, streams: Sequence[UUID], most: int, wanted: Callable[[tuple[str, int], bytes], bool]
    ) -> dict[UUID, list[Fact]]:
        found: dict[UUID, list[Fact]] = {stream: [] for stream in streams}
        by_name = {stream.hex: stream for stream in streams}
        asked = "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE originator_id IN ??"
        asked += " AND originator_version<=? ORDER BY originator_id, originator_version"
        rows = self.query(asked, (list(by_name), most + 1))
        for name, seq, _, _ in rows:
            if seq > most:
                del found[by_name[name]]
        rows = [row for row in rows if by_name[row[0]] in found]
        keys = self.keys.event_keys([(by_name[name], key_id_of(state)) for name, _, _, state in rows])
        for (name, seq, topic, state), key in zip(rows, keys, strict=True):
            body, contract = open_body(name, seq, topic, state, key), contract_of(topic)
            if wanted(contract, body):
                found[by_name[name]].append(opened_fact(by_name[name], seq, topic, state, body))
        return found

    def _rows(
        self, stream: UUID, after: int = 0, topics: Sequence[str] = ()
    ) -> Iterator[tuple[int, str, bytes, bytes]]:
        """(sequence number, topic, stored state, opened body) of one stream's rows in order. Errors: `KeyAway`."""
        asked = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id=? AND"
        asked += " originator_version>?" + (" AND topic IN ??" if topics else "")
        stored = self.query(asked, (stream.hex, after, *([list(topics)] if topics else [])))
        stored.sort()  # by the sequence number; a server would sort whole rows
        name = stream.hex
        key_ids = [key_id_of(state) for _, _, state in stored]
        keys = self._keys_of(stream, key_ids, most=not after and not topics)
        for (seq, topic, state), key in zip(stored, keys, strict=True):
            yield seq, topic, state, open_body(name, seq, topic, state, key)

    def _keys_of(self, stream: UUID, key_ids: Sequence[str], *, most: bool) -> list[bytes | None]:
        if most:
            return self.keys.stream_keys(stream, key_ids)
        return self.keys.event_keys([(stream, key_id) for key_id in key_ids])

    def since(self, position: int, limit: int = 500, closed: Collection[UUID] = ()) -> list[Fact]:
        """`entries` as facts; one whose key is away comes as `UNOPENED`, one of `closed` without name and data."""
        return [fact_of(one) for one in self.entries(position, limit, closed)]

    def entries(self, position: int, limit: int = 500, closed: Collection[UUID] = ()) -> list[Entry]:
        """What stands after this position, in the order of the log. What cannot be opened comes without its row.

        So a view can go on for everybody else, while whoever reads that child is told that it is not whole. Rows of
        the streams in `closed` are not opened: whoever only passes them by need not open them.
        """
        return entries_of(self.stored(position, limit, closed))

    def stored(self, position: int, limit: int = 500, closed: Collection[UUID] = ()) -> list[Stored]:
        """The same with its keys and not yet opened, for whoever wants little of it."""
        shut = [stream.hex for stream in closed]
        rows = self.query(
            "SELECT l.position, l.stream, l.seq, e.topic, e.state FROM"
            " (SELECT position, stream, seq FROM log WHERE position>? ORDER BY position LIMIT ?) AS l"
            " LEFT JOIN stored_events e ON e.originator_id=l.stream AND e.originator_version=l.seq"
            " AND NOT (l.stream IN ??) ORDER BY l.position",
            (position, limit, shut),
        )
        return self._with_keys(rows)

    def entries_at(self, positions: Sequence[int]) -> list[Entry]:
        """What stands at these positions, in the order of the log. What cannot be opened comes without its row."""
        rows = self.query(
            "SELECT l.position, l.stream, l.seq, e.topic, e.state FROM log l JOIN stored_events e"
            " ON e.originator_id=l.stream AND e.originator_version=l.seq WHERE l.position IN ?? ORDER BY l.position",
            (list(positions),),
        )
        return entries_of(self._with_keys(rows))

    def _with_keys(self, rows: Sequence[Any]) -> list[Stored]:
        streams = {name: UUID(name) for name in {row[1] for row in rows}}
        keys = iter(self.keys.event_keys([(streams[row[1]], key_id_of(row[4])) for row in rows if row[3]]))
        return [(*row, next(keys) if row[3] else None) for row in rows]

    def ahead(self, position: int, limit: int, closed: Collection[UUID]) -> tuple[int, bool]:
        """What `since` would give, unopened: (its last position, is any fact of a stream that is not in `closed`)."""
        ((last, others),) = self.query(
            "SELECT COALESCE(MAX(position), 0), COUNT(CASE WHEN stream IN ?? THEN NULL ELSE 1 END) FROM"
            " (SELECT position, stream FROM log WHERE position>? ORDER BY position LIMIT ?) AS ahead",
            ([stream.hex for stream in closed], position, limit),
        )
        return last, others > 0

    def entry_at(self, position: int) -> Entry:
        """What stands at one log position. Errors: `KeyAway`."""
        (entry,) = self.entries(position - 1, 1)
        if entry.row is None:
            raise KeyAway(f"no key for position {position}")
        return entry

    def position(self) -> int:
        """The log's last position; 0 when nothing is recorded."""
        last: int = self.query("SELECT COALESCE(MAX(position), 0) FROM log")[0][0]
        return last

    def version(self, stream: UUID) -> int:
        """The last sequence number of a stream; 0 when it has none."""
        last: int = self.query("SELECT COALESCE(MAX(seq), 0) FROM log WHERE stream=?", (stream.hex,))[0][0]
        return last

    def offset(self, topic: str, part: int = 0) -> Offset | None:
        """How far a topic's partition was read; None before its first record."""
        rows = self.query("SELECT topic_id, next, generation FROM consumed WHERE topic=? AND part=?", (topic, part))
        return Offset(topic, rows[0][0], rows[0][1], rows[0][2], part) if rows else None

    def relayed(self, caller: str) -> int:
        """The cursor of the last receipt that was published to a caller; 0 before the first."""
        rows = self.query("SELECT cursor FROM relayed WHERE caller=?", (caller,))
        return int(rows[0][0]) if rows else 0

    def relay(self, caller: str, cursor: int) -> None:
        """Note that a caller's receipts are published up to here. It never goes back."""
        with self.database.transaction() as relayed:
            relayed.execute(
                "INSERT INTO relayed VALUES (?,?) ON CONFLICT (caller) DO UPDATE SET cursor=excluded.cursor"
                " WHERE excluded.cursor > relayed.cursor",
                (caller, cursor),
            )

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Read the record's own tables. Statements are ours, values are bound."""
        return self.database.query(statement, parameters)

    def once(self, source: str, jti: str, until: int, now: int) -> bool:
        """Is this the first time that a source uses this token id? Ids are kept until the token ends."""
        with self.database.transaction() as tokens:
            tokens.execute("DELETE FROM token_once WHERE until<?", (now,))
            first = "INSERT INTO token_once VALUES (?,?,?) ON CONFLICT DO NOTHING RETURNING 1"
            return bool(tokens.query(first, (source, jti, until)))

    def close(self) -> None:
        """Close the record's database and its key store."""
        super().close()
        self.database.close()
        self.keys.close()
