"""The key store: one key a stream, one key an event, kept apart from the bodies that they open.

A root key (a secret file) wraps each stream's key, a stream's key wraps its events' keys (AES key wrap, RFC 3394). New
keys are committed here *before* the facts that use them: a crash between leaves an unused key, never a body without
one. Destroying a key makes its bodies unreadable and is itself recorded; that act is not here.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEY_BYTES = 32
CACHED_STREAMS = 10_000
RANDOM = 4
"""The UUID version of children's ids; the hub's own streams and those of staff have named ones."""


class KeyAway(Exception):
    """A key is missing or unreachable without a recorded shredding: what it opens cannot be shown."""


class KeyStore(Protocol):
    """The port: what the record needs of any key store."""

    def new_event_key(self, stream: UUID) -> tuple[str, bytes]:
        """(key id, key) for one new event of this stream; not durable until `commit`."""

    def event_key(self, stream: UUID, key_id: str) -> bytes:
        """The key of a stored event. Errors: `KeyAway`."""

    def derived_key(self, stream: UUID, use: str) -> bytes:
        """A key of the stream for one use (a view's rows), gone when the stream's key is. Errors: `KeyAway`."""

    def commit(self) -> None:
        """Make all new keys durable."""

    def close(self) -> None:
        """Let go of whatever was opened."""


class FileKeyStore:
    """The embedded default: a second SQLite file, and the root key in a secret file beside neither database."""

    def __init__(self, path: Path, root_key: bytes) -> None:
        self._root = root_key
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE IF NOT EXISTS stream_key (stream TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS event_key (id TEXT PRIMARY KEY, stream TEXT NOT NULL, wrapped BLOB NOT NULL)"
            " WITHOUT ROWID;"
        )
        self._streams: OrderedDict[UUID, bytes] = OrderedDict()
        self._derived: dict[tuple[UUID, str], bytes] = {}
        self._new: list[tuple[str, str, bytes]] = []
        self._new_streams: list[tuple[str, bytes]] = []

    def new_event_key(self, stream: UUID) -> tuple[str, bytes]:
        """See `KeyStore`."""
        with self._lock:
            key, key_id = os.urandom(KEY_BYTES), os.urandom(16).hex()
            self._new.append((key_id, stream.hex, aes_key_wrap(self._stream_key(stream, make=True), key)))
            return key_id, key

    def event_key(self, stream: UUID, key_id: str) -> bytes:
        """See `KeyStore`."""
        with self._lock:
            row = self._db.execute("SELECT wrapped FROM event_key WHERE id=?", (key_id,)).fetchone()
            if row is None:
                raise KeyAway(f"no key {key_id}")
            return _unwrap(self._stream_key(stream), row[0])

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
        """See `KeyStore`."""
        with self._lock:
            if self._new:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self._db.executemany("INSERT INTO stream_key VALUES (?,?)", self._new_streams)
                    self._db.executemany("INSERT INTO event_key VALUES (?,?,?)", self._new)
                    self._db.execute("COMMIT")
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._new.clear()
                self._new_streams.clear()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _stream_key(self, stream: UUID, *, make: bool = False) -> bytes:
        key = self._streams.get(stream)
        if key is not None:
            return key
        if make and stream.version == RANDOM:
            return self._make_stream_key(stream)
        if make:  # two processes may both make one: the first wins and both read it back
            wrapped = aes_key_wrap(self._root, os.urandom(KEY_BYTES))
            self._db.execute("INSERT OR IGNORE INTO stream_key VALUES (?,?)", (stream.hex, wrapped))
        row = self._db.execute("SELECT wrapped FROM stream_key WHERE stream=?", (stream.hex,)).fetchone()
        if row is None:
            raise KeyAway(f"no key for stream {stream}")
        return self._keep(stream, _unwrap(self._root, row[0]))

    def _make_stream_key(self, stream: UUID) -> bytes:
        """A child's id is random, so nobody else makes its key: it waits for `commit` with the events' keys."""
        row = self._db.execute("SELECT wrapped FROM stream_key WHERE stream=?", (stream.hex,)).fetchone()
        if row is not None:
            return self._keep(stream, _unwrap(self._root, row[0]))
        key = os.urandom(KEY_BYTES)
        self._new_streams.append((stream.hex, aes_key_wrap(self._root, key)))
        return self._keep(stream, key)

    def _keep(self, stream: UUID, key: bytes) -> bytes:
        self._streams[stream] = key
        if len(self._streams) > CACHED_STREAMS:
            self._streams.popitem(last=False)
        return key


def _unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except InvalidUnwrap as error:
        raise KeyAway("a wrapped key does not open") from error
