"""The key store: one key a stream, one key an event, kept apart from the bodies that they open.

A root key (a secret file) wraps each stream's key, a stream's key wraps its events' keys (AES key wrap, RFC 3394). New
keys are committed here *before* the facts that use them: a crash between leaves an unused key, never a body without
one. Destroying a key makes its bodies unreadable and is itself recorded; that act is not here.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from eventsourcing.persistence import IntegrityError

from hub.store.database import Database

KEY_BYTES, ID_BYTES = 32, 12
"""Random bytes of a key, and of its id behind what names its stream."""
CACHED_STREAMS = 10_000
ASKED_AT_ONCE = 1000
RANDOM = 4
"""The UUID version of children's ids; the hub's own streams and those of staff have named ones."""


class KeyAway(Exception):
    """A key is missing or unreachable without a recorded shredding: what it opens cannot be shown."""


class OtherKey(Exception):
    """Another process made the key of a stream before: ours is forgotten and its is held, begin again."""


class KeyStore(Protocol):
    """The port: what the record needs of any key store."""

    def new_event_key(self, stream: UUID) -> tuple[str, bytes]:
        """(key id, key) for one new event of this stream; not durable until `commit`."""

    def new_event_keys(self, streams: Sequence[UUID]) -> list[tuple[str, bytes]]:
        """`new_event_key` for many new events at once, each of the stream named in its place."""

    def event_key(self, stream: UUID, key_id: str) -> bytes:
        """The key of a stored event. Errors: `KeyAway`."""

    def event_keys(self, wanted: Sequence[tuple[UUID, str]]) -> list[bytes | None]:
        """The keys of many stored events (stream, key id) in one journey; None for what is missing or does not open."""

    def stream_keys(self, stream: UUID, key_ids: Sequence[str]) -> list[bytes | None]:
        """The same for one stream of which most is wanted: all that it has is read as one piece."""

    def fetch(self, streams: Collection[UUID], new: Collection[UUID] = ()) -> None:
        """Get the keys of these streams at once, for whoever asks for them next. What is missing stays so.

        Those that are `new` nobody wrote to before: they have none, and are not asked for.
        """

    def derived_key(self, stream: UUID, use: str) -> bytes:
        """A key of the stream for one use (a view's rows), gone when the stream's key is. Errors: `KeyAway`."""

    def commit(self) -> None:
        """Make all new keys durable. Errors: `OtherKey`."""

    def close(self) -> None:
        """Let go of whatever was opened."""


class WrappedKeys:
    """The key store over a database of its own; the root key is a secret file beside neither database."""

    def __init__(self, database: Database, root_key: bytes) -> None:
        self._root = root_key
        self._lock = threading.RLock()
        self._db = database
        self._streams: OrderedDict[UUID, bytes] = OrderedDict()
        self._derived: dict[tuple[UUID, str], bytes] = {}
        self._missing: set[UUID] = set()
        self._new: dict[str, tuple[str, str, bytes]] = {}
        self._new_streams: dict[UUID, bytes] = {}

    def new_event_key(self, stream: UUID) -> tuple[str, bytes]:
        """See `KeyStore`."""
        return self.new_event_keys([stream])[0]

    def new_event_keys(self, streams: Sequence[UUID]) -> list[tuple[str, bytes]]:
        """See `KeyStore`."""
        drawn = os.urandom((KEY_BYTES + ID_BYTES) * len(streams))
        made = []
        with self._lock:
            for at, stream in zip(range(0, len(drawn), KEY_BYTES + ID_BYTES), streams, strict=True):
                name, key = stream.hex, drawn[at : at + KEY_BYTES]
                key_id = _first_id(name) + drawn[at + KEY_BYTES : at + KEY_BYTES + ID_BYTES].hex()
                self._new[key_id] = key_id, name, aes_key_wrap(self._stream_key(stream, make=True), key)
                made.append((key_id, key))
        return made

    def event_key(self, stream: UUID, key_id: str) -> bytes:
        """See `KeyStore`."""
        with self._lock:
            rows = self._db.query("SELECT wrapped FROM event_key WHERE id=?", (key_id,))
            if not rows:
                raise KeyAway(f"no key {key_id}")
            return _unwrap(self._stream_key(stream), rows[0][0])

    def event_keys(self, wanted: Sequence[tuple[UUID, str]]) -> list[bytes | None]:
        """See `KeyStore`."""
        with self._lock:
            streams = {id(stream): stream for stream, _ in wanted}  # the same few objects; hashing each is dear
            self.fetch(streams.values())
            wrapping = {at: key for at, stream in streams.items() if (key := self._streams.get(stream))}
            wrapped = self._find_wrapped([key_id for _, key_id in wanted])
            try:
                return [aes_key_unwrap(wrapping[id(stream)], wrapped[key_id]) for stream, key_id in wanted]
            except (KeyError, InvalidUnwrap):
                return [_unwrapped(wrapping.get(id(stream)), wrapped.get(key_id)) for stream, key_id in wanted]

    def stream_keys(self, stream: UUID, key_ids: Sequence[str]) -> list[bytes | None]:
        """See `KeyStore`. Keys that are older than this order of ids are looked for one by one."""
        with self._lock:
            self.fetch([stream])
            first, wrapping = _first_id(stream.hex), self._streams.get(stream, b"")
            rows = self._db.query("SELECT id, wrapped FROM event_key WHERE id>=? AND id<?", (first, first + "g"))
            wrapped = dict(rows)
            if older := [key_id for key_id in key_ids if key_id not in wrapped]:
                wrapped |= self._find_wrapped(older)
            try:
                return [aes_key_unwrap(wrapping, wrapped[key_id]) for key_id in key_ids]
            except (KeyError, ValueError, InvalidUnwrap):
                return [_unwrapped(wrapping, wrapped.get(key_id)) for key_id in key_ids]

    def _find_wrapped(self, key_ids: list[str]) -> dict[str, bytes]:
        parts = [key_ids[start : start + ASKED_AT_ONCE] for start in range(0, len(key_ids), ASKED_AT_ONCE)]
        asked = "SELECT id, wrapped FROM event_key WHERE id IN ??"
        return dict(row for part in parts for row in self._db.query(asked, (part,)))

    def fetch(self, streams: Collection[UUID], new: Collection[UUID] = ()) -> None:
        """See `KeyStore`."""
        with self._lock:
            away = {stream for stream in streams if stream not in self._streams}
            if wanted := [stream.hex for stream in away.difference(new)]:
                rows = self._db.query("SELECT stream, wrapped FROM stream_key WHERE stream IN ??", (wanted,))
                found = {UUID(stream): wrapped for stream, wrapped in rows}
                self._streams |= {stream: _unwrap(self._root, wrapped) for stream, wrapped in found.items()}
                self._forget_oldest(set(streams))
                away -= found.keys()
            if away:
                self._missing = away

    def derived_key(self, stream: UUID, use: str) -> bytes:
        """See `KeyStore`."""
        with self._lock:
            key = self._derived.get((stream, use))
            if key is None:
                if len(self._derived) >= CACHED_STREAMS:
                    self._derived.clear()
                hkdf = HKDF(SHA256(), KEY_BYTES, salt=stream.bytes, info=use.encode())
                key = self._derived[stream, use] = hkdf.derive(self._stream_key(stream))
            return key

    def commit(self) -> None:
        """See `KeyStore`. It can be made again after its answer was lost."""
        with self._lock:
            if not self._new:
                return
            try:
                self._write()
            except IntegrityError:
                self._write_again()
            self._new.clear()
            self._new_streams.clear()

    def _write(self, *, unless_there: bool = False) -> None:
        with self._db.transaction() as keys:
            new = [(stream.hex, wrapped) for stream, wrapped in self._new_streams.items()]
            keys.insert("stream_key", new, unless_there=unless_there)
            keys.insert("event_key", self._new.values(), unless_there=unless_there)

    def _write_again(self) -> None:
        """Some are there: our own, whose commit was not answered, or another process's key of the same stream."""
        there = self._db.query(
            "SELECT stream, wrapped FROM stream_key WHERE stream IN ??", ([one.hex for one in self._new_streams],)
        )
        others = {stream: wrapped for stream, wrapped in there if self._new_streams[UUID(stream)] != wrapped}
        if others:
            self._new = {key_id: row for key_id, row in self._new.items() if row[1] not in others}
            for stream, wrapped in others.items():
                del self._new_streams[UUID(stream)]
                self._streams[UUID(stream)] = _unwrap(self._root, wrapped)  # or whoever tries again makes one again
            raise OtherKey
        self._write(unless_there=True)

    def close(self) -> None:
        """See `KeyStore`."""
        self._db.close()

    def _stream_key(self, stream: UUID, *, make: bool = False) -> bytes:
        key = self._streams.get(stream)
        if key is not None:
            return key
        new = make and stream.version == RANDOM and stream in self._missing
        key = None if new else self._find_stream_key(stream)  # what `fetch` did not find a moment ago nobody else makes
        if key is None and make:
            key = self._make_stream_key(stream)
        if key is None:
            raise KeyAway(f"no key for stream {stream}")
        return self._keep(stream, key)

    def _find_stream_key(self, stream: UUID) -> bytes | None:
        if wrapped := self._new_streams.get(stream):
            return _unwrap(self._root, wrapped)
        rows = self._db.query("SELECT wrapped FROM stream_key WHERE stream=?", (stream.hex,))
        return _unwrap(self._root, rows[0][0]) if rows else None

    def _make_stream_key(self, stream: UUID) -> bytes | None:
        key = os.urandom(KEY_BYTES)
        wrapped = aes_key_wrap(self._root, key)
        if stream.version == RANDOM:  # nobody else makes it, so it waits for `commit` with the events' keys
            self._new_streams[stream] = wrapped
            return key
        with self._db.transaction() as keys:  # two processes may both make one: the first wins, both read it back
            keys.insert("stream_key", [(stream.hex, wrapped)], unless_there=True)
        return self._find_stream_key(stream)

    def _keep(self, stream: UUID, key: bytes) -> bytes:
        self._streams[stream] = key
        self._forget_oldest({stream})
        return key

    def _forget_oldest(self, but: Collection[UUID]) -> None:
        """Until no more than `CACHED_STREAMS` are held; none of those that are asked for now."""
        too_many = max(0, len(self._streams) - CACHED_STREAMS)
        for stream in list(islice((one for one in self._streams if one not in but), too_many)):
            del self._streams[stream]


def _first_id(stream: str) -> str:
    """How the ids of a stream's keys begin, so that they lie together and are read as one piece."""
    return stream[:16]


def _unwrapped(wrapping: bytes | None, wrapped: bytes | None) -> bytes | None:
    """None where either is missing, or the one does not open the other."""
    try:
        return aes_key_unwrap(wrapping, wrapped) if wrapping and wrapped else None
    except InvalidUnwrap:
        return None


def _unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except InvalidUnwrap as error:
        raise KeyAway("a wrapped key does not open") from error
