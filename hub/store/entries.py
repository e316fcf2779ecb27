"""What stands in the record, as facts and as places in the log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from hub.domain.facts import Fact, Remark
from hub.store.keys import KeyAway
from hub.store.mapper import SALT_BYTES, Recorded, head_in, open_body, recorded, recorded_at_of
from hub.store.upcasters import upcast
from schemas.strict import b64url_decode

UNOPENED = "unopened"
"""The name under which `since` gives a fact whose key is away."""


Stored = tuple[int, str, int, str | None, bytes, bytes | None]
"""(position, stream as 32 hex digits, sequence number, contract, stored state, key) of one place in the log.

Without a contract it is passed by, without a key it does not open.
"""


class Entry(NamedTuple):
    """One place in the log. Without a `row` it is passed by, or its key is away."""

    position: int
    stream: UUID
    row: Recorded | None = None
    seq: int = 0
    admitted: str = ""


def to_fact(row: Recorded, position: int = 0) -> Fact:
    """A row as the domain sees it, brought to the current version of its contract."""
    said, remarks = statement_in(row.jws), tuple(Remark(**remark) for remark in row.remarks)
    return _fact(row.originator_id, row.originator_version, row.topic, row.admitted, said, remarks, row.data, position)


def opened_fact(stream: UUID, seq: int, topic: str, state: bytes, body: bytes, position: int = 0) -> Fact:
    """The same of a stored row whose body was opened."""
    at, noted, said = head_in(state)
    remarks = tuple(Remark(**remark) for remark in orjson.loads(noted)) if noted != b"[]" else ()
    data = body[SALT_BYTES:]
    return _fact(stream, seq, topic, at.decode(), b64url_decode(said) or b"{}", remarks, data, position)


def _fact(
    stream: UUID, seq: int, topic: str, admitted: str, said: bytes, remarks: tuple[Remark, ...], data: bytes, at: int
) -> Fact:
    statement: dict[str, str] = orjson.loads(said)
    name, number, told = upcast(*contract_of(topic), orjson.loads(data))
    return Fact(
        name=name, version=number, data=told, source=statement.get("source", ""), id=statement.get("id", ""),
        subject=statement.get("subject", ""), datadigest=statement.get("datadigest", ""),
        shared=statement.get("recordedtime", ""), admitted=admitted, remarks=remarks, stream=stream, seq=seq,
        position=at,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def contract_of(topic: str) -> tuple[str, int]:
    """(event name, version) under which a row was recorded."""
    name, _, version = topic.rpartition("/v")
    return name, int(version)


def statement_in(jws: str) -> bytes:
    """The signed statement (JSON) in a JWS that was verified when it was admitted; {} for the hub's own notes."""
    return b64url_decode(jws.split(".", 2)[1].encode()) if jws else b"{}"


def fact_of(entry: Entry) -> Fact:
    """What stands at a place as a fact; `UNOPENED` where its key is away, without a name where it is passed by."""
    if entry.row is not None:
        return to_fact(entry.row, entry.position)
    name = UNOPENED if entry.admitted else ""
    return Fact(
        name=name, version=0, data={}, admitted=entry.admitted, stream=entry.stream, seq=entry.seq,
        position=entry.position,
    )  # fmt: skip


def entries_of(rows: Sequence[Stored]) -> list[Entry]:
    """Places with what stands there, opened. One that does not open comes without its row."""
    streams = {name: UUID(name) for name in {row[1] for row in rows}}
    return [_entry(streams[row[1]], row) for row in rows]


def _entry(stream: UUID, stored: Stored) -> Entry:
    at, name, seq, topic, state, key = stored
    if topic is None:
        return Entry(at, stream, None, seq)
    try:
        row = recorded(stream, seq, topic, state, open_body(name, seq, topic, state, key))
    except KeyAway:
        return Entry(at, stream, None, seq, recorded_at_of(state))
    return Entry(at, stream, row, seq, row.admitted)


def own_note(stream: UUID, seq: int, topic: str, admitted: str, data: dict[str, Any]) -> Recorded:
    """A fact that the hub itself notes: no statement, a random salt."""
    return Recorded(stream, seq, topic, admitted, "", os.urandom(SALT_BYTES), orjson.dumps(data))
