"""How a fact becomes a stored row and back: contract names instead of Python paths, bodies encrypted per event.

A row's state is a clear head (when the hub admitted it, remarks, the signed statement verbatim, the key's id), a
line feed, and the body: salt ‖ data verbatim under AES-256-GCM with the stream, its version and the contract's name as
associated data, so that a row moved to another child does not open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import Mapper, StoredEvent

from hub.store.keys import KeyAway, KeyStore

SALT_BYTES = 32
NONCE_BYTES = 12
KEY_FIRST = b'{"k":"'
"""How a head begins."""
KEY_AT = len(KEY_FIRST)
AT, REMARKS, JWS = b'","at":"', b'","remarks":', b',"jws":"'
"""What stands before its other parts, always in this order."""


class Recorded(NamedTuple):
    """One row of the record, opened. `jws` is empty for what the hub itself noted."""

    originator_id: UUID
    originator_version: int
    topic: str
    admitted: str
    jws: str
    salt: bytes
    data: bytes
    remarks: Sequence[Mapping[str, str]] = ()


class BodyMapper(Mapper[UUID]):
    """The library's mapper hook, with one key an event and the row's place as associated data."""

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Encrypt the body under a new key; the caller commits the key store before it inserts the row."""
        return self.to_stored_events([domain_event])[0]

    def to_stored_events(self, events: Sequence[Recorded]) -> list[StoredEvent]:
        """`to_stored_event` for many, whose keys and nonces are drawn at once."""
        keys = self.keys.new_event_keys([event.originator_id for event in events])
        nonces = os.urandom(NONCE_BYTES * len(events))
        stored = []
        for at, event, (key_id, key) in zip(range(0, len(nonces), NONCE_BYTES), events, keys, strict=True):
            stream, seq, topic = event.originator_id.hex, event.originator_version, event.topic
            nonce = nonces[at : at + NONCE_BYTES]
            body = AESGCM(key).encrypt(nonce, event.salt + event.data, _place(stream, seq, topic))
            head = orjson.dumps({"k": key_id, "at": event.admitted, "remarks": event.remarks, "jws": event.jws})
            stored.append(StoredEvent(stream, seq, topic, b"%b\n%b%b" % (head, nonce, body)))
        return stored

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Open a row. Errors: `KeyAway` when its key is missing or does not open it."""
        stream = stored_event.originator_id
        if not isinstance(stream, UUID):
            stream = UUID(stream)
        seq, topic, state = stored_event.originator_version, stored_event.topic, stored_event.state
        key = self.keys.event_key(stream, key_id_of(state))
        return recorded(stream, seq, topic, state, open_body(stream.hex, seq, topic, state, key))


def key_id_of(state: bytes) -> str:
    """The id of the key that opens a stored row's body."""
    return state[KEY_AT : state.index(b'"', KEY_AT)].decode()


def recorded_at_of(state: bytes) -> str:
    """When a stored row was recorded; its body stays closed."""
    at = state.index(b'"', KEY_AT) + len(AT)
    return state[at : state.index(b'"', at)].decode()


def head_in(state: bytes) -> tuple[bytes, bytes, bytes]:
    """(recorded at, remarks as JSON, statement in base64url, b"" for the hub's own notes) of a head, none of it parsed.

    Nothing in it can spell what stands between its parts: a quotation mark in a value is escaped.
    """
    at = state.index(b'"', KEY_AT) + len(AT)
    remarks = state.index(b'"', at)
    jws = state.index(JWS, remarks)
    end = state.index(b'"', jws + len(JWS))
    said = state.find(b".", jws, end) + 1
    statement = state[said : state.index(b".", said)] if said else b""
    return state[at:remarks], state[remarks + len(REMARKS) : jws], statement


def head_of(state: bytes) -> bytes:
    """A stored row's clear part."""
    return state[: state.index(b"\n")]


def open_body(stream: str, seq: int, topic: str, state: bytes, key: bytes | None) -> bytes:
    """Salt and data of a stored row whose key was asked for. Errors: `KeyAway` when it is missing or another."""
    if key is None:
        raise KeyAway(f"no key for {stream} {seq}")
    body = state.index(b"\n") + 1 + NONCE_BYTES
    try:
        return AESGCM(key).decrypt(state[body - NONCE_BYTES : body], state[body:], _place(stream, seq, topic))
    except InvalidTag as error:
        raise KeyAway(f"the body at {stream} {seq} does not open") from error


def recorded(stream: UUID, seq: int, topic: str, state: bytes, opened: bytes) -> Recorded:
    """A stored row with its body opened."""
    head = orjson.loads(head_of(state))
    return Recorded(
        stream, seq, topic, head["at"], head["jws"], opened[:SALT_BYTES], opened[SALT_BYTES:], head["remarks"]
    )


def _place(stream: str, seq: int, topic: str) -> bytes:
    return f"{stream}|{seq}|{topic}".encode()
