"""The form of the chronology's rows: what is kept of a recorded event, under which keys, and how a reader opens it.

What has a narrative is kept twice, the words under one key and the rest under another, so that an outline never opens
them. Of everything else a row only says that it is there, and a reader opens it where it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from hub.domain.child import CHANGES, is_standing
from hub.domain.facts import Fact
from hub.store.entries import Stored, contract_of, opened_fact
from hub.store.keys import RANDOM, KeyAway, KeyStore
from hub.store.mapper import SALT_BYTES, head_of, open_body, recorded_at_of
from hub.store.plain import NARRATIVE, REFERENCES
from hub.store.sealing import many_nonces, sealer
from hub.store.upcasters import LADDER

Sealed = tuple[int, str, str, int, bytes, bytes | None]
"""(place, home as 32 hex digits, admitted, do decisions rest on it, content, narrative): a row of the view's table."""
VIEW, WORDS = "view", "narrative"
"""For what each of the stream's derived keys is used."""
Sealer = Callable[[bytes, bytes], bytes]
AS_RECORDED, AWAY = b"=", b""
"""In the place of content: nothing was cut out, so a reader opens what is recorded; or its key was away."""
LAST = b"," + NARRATIVE + b":"
"""How a narrative begins that is the last member of its object, as most writers leave it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the view holds it; `narrative` is opened only where it is to be shown."""

    position: int
    home: UUID
    fact: Fact
    sealed_narrative: bytes | None
    standing: bool = False
    """Decisions rest on it; the others are only read."""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What whoever asks made of it and may use again; gone with the row."""


def seal_rows(keys: KeyStore, stored: Iterable[Stored], base: int = 0) -> Iterator[Sealed]:
    """The rows of what was recorded of children; without content where it did not open: each reader tries it again.

    One after the other, so that none of what is copied lies in memory longer than it takes.
    """
    streams: dict[str, UUID] = {}
    children: dict[str, bool] = {}
    sealers: dict[tuple[str, str], Sealer] = {}
    nonces = many_nonces()

    def begin(home: str, use: str) -> Sealer:
        seal = sealers[home, use] = sealer(keys.derived_key(streams[home], use), nonces)
        return seal

    for position, home, seq, topic, state, key in stored:
        if home not in streams:
            streams[home] = UUID(home)
            children[home] = streams[home].version == RANDOM
        if topic is None or not children[home]:
            continue
        at = recorded_at_of(state)
        try:
            body = open_body(home, seq, topic, state, key)
        except KeyAway:
            yield base + position, home, at, 1, AWAY, None
            continue
        standing, cut = _cut(streams[home], seq, topic, state, body)
        if cut is None:
            yield base + position, home, at, int(standing), AS_RECORDED, None
            continue
        topic, data, words = cut
        content = b"%d\n%b\n%b\n%b" % (seq, topic.encode(), head_of(state), data)
        sealed = (sealers.get((home, VIEW)) or begin(home, VIEW))(content, place_of(position))
        if words is not None:
            words = (sealers.get((home, WORDS)) or begin(home, WORDS))(words, place_of(position))
        yield base + position, home, at, int(standing), sealed, words


def open_row(row: Sequence[Any], home: UUID, opened: Callable[[bytes, bytes], bytes]) -> Row:
    """A row with content as a reader has it: (position, admitted, content, narrative, standing). Errors: `KeyAway`."""
    position, _, content, narrative, standing = row
    seq, topic, head, data = opened(content, place_of(position)).split(b"\n", 3)
    fact = opened_fact(home, int(seq), topic.decode(), head, bytes(SALT_BYTES) + data, position)
    return Row(position, home, fact, narrative, bool(standing))


def place_of(position: int) -> bytes:
    """What a row's sealed parts are bound to."""
    return str(position).encode()


def _cut(
    stream: UUID, seq: int, topic: str, state: bytes, body: bytes
) -> tuple[bool, tuple[str, bytes, bytes | None] | None]:
    """(do decisions rest on it, (contract, data without the narrative, narrative) where that is not what is recorded).

    Most data is not even parsed.
    """
    climbs, standing = _judged(topic)
    if climbs:
        fact = opened_fact(stream, seq, topic, state, body)
        return is_standing(fact), (fact.topic, *_parted(dict(fact.data)))
    spelt = body.find(b"\\", SALT_BYTES) >= 0
    if not standing and (spelt or body.find(REFERENCES, SALT_BYTES) >= 0):
        name, version = contract_of(topic)
        standing = is_standing(Fact(name=name, version=version, data=orjson.loads(body[SALT_BYTES:])))
    if spelt or body.find(NARRATIVE, SALT_BYTES) >= 0:
        data, words = without_narrative(body[SALT_BYTES:])
        return standing, None if words is None else (topic, data, words)
    return standing, None


@lru_cache(maxsize=1024)
def _judged(topic: str) -> tuple[bool, bool]:
    """Of a contract: (is it brought to a later version, do decisions rest on whatever comes under it)."""
    contract = contract_of(topic)
    return contract in LADDER, contract[0] in CHANGES


def without_narrative(data: bytes) -> tuple[bytes, bytes | None]:
    """(data without the narrative, its words). One that ends the data is cut off, and the rest is not parsed.

    Whatever can be read as one value between its name and the last brace is all that stands there, so that brace is
    the whole's own and the name no other object's. Before a backslash a quotation mark is no part of a value.
    """
    at = data.find(LAST)
    if at >= 0 and data.find(b"\\", 0, at) < 0:
        with suppress(orjson.JSONDecodeError):
            return data[:at] + b"}", _words(orjson.loads(data[at + len(LAST) : -1]))
    return _parted(orjson.loads(data))


def _parted(data: dict[str, Any]) -> tuple[bytes, bytes | None]:
    words = _words(data.pop("narrative", None))
    return orjson.dumps(data), words


def _words(narrative: Any) -> bytes | None:
    return narrative["text"].encode() if narrative else None
