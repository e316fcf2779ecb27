"""Judges a run from outside: what was sealed against receipts and against the chronologies that an auditor reads.

Reads the adapters' outbox files and the bytes in them by itself, with the standard library; takes no counter and no
word of the hub or the adapters for granted. Says every fault in words that name source and id, never content.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTLED = ("admitted", "duplicate")
Key = tuple[str, str]
"""(source, event id)."""


@dataclass(frozen=True)
class Sealed:
    """One sealed record as it lies in an outbox, its digest computed again from the bytes of the data."""

    source: str
    id: str
    sequence: int
    datadigest: str
    event: str
    state: str
    position: int | None = None

    @property
    def key(self) -> Key:
        return self.source, self.id


@dataclass(frozen=True)
class Shown:
    """One entry of a chronology as the auditor reads it, in the place where it stands."""

    child: str
    source: str
    id: str
    datadigest: str
    position: int

    @property
    def key(self) -> Key:
        return self.source, self.id


def read_outbox(path: Path) -> list[Sealed]:
    """Every record ever sealed in this outbox, in sequence."""
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT record, state, position FROM sealed ORDER BY sequence").fetchall()
    return [_sealed(*row) for row in rows]


def read_entries(child: str, entries: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """An auditor's chronology of one child, in the order in which it was answered."""
    return [Shown(child, e["source"], e["id"], e["datadigest"], e["position"]) for e in entries]


def judge(expected: Mapping[str, Counter[str]], sealed: Sequence[Sealed], shown: Sequence[Shown]) -> list[str]:
    """Every fault; none when each event that the files mean stands exactly once where it belongs, in its order.

    `expected` is, for each source, how many events of each kind its native files mean.
    """
    sources = set(expected)
    shown = [one for one in shown if one.source in sources]
    return [
        *_against_the_files(expected, sealed),
        *_receipts(sealed),
        *_each_once(sealed, shown),
        *_in_order(sealed, shown),
    ]


def _against_the_files(expected: Mapping[str, Counter[str]], sealed: Sequence[Sealed]) -> Iterable[str]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in sealed:
        found[one.source][one.event] += 1
    for source in sorted(expected.keys() | found.keys()):
        ours, theirs = expected.get(source, Counter()), found[source]
        for kind in sorted(ours.keys() | theirs.keys()):
            if ours[kind] != theirs[kind]:
                yield f"{source}: the files mean {ours[kind]} {kind}, sealed are {theirs[kind]}"
    doubled = [key for key, count in Counter(one.key for one in sealed).items() if count > 1]
    yield from (f"{source} {id}: sealed twice" for source, id in doubled)


def _receipts(sealed: Sequence[Sealed]) -> Iterable[str]:
    for one in sealed:
        if one.state not in SETTLED:
            yield f"{one.source} {one.id}: left in the outbox as {one.state}"


def _each_once(sealed: Sequence[Sealed], shown: Sequence[Shown]) -> Iterable[str]:
    stands: dict[Key, list[Shown]] = defaultdict(list)
    for one in shown:
        stands[one.key].append(one)
    for record in sealed:
        found = stands.pop(record.key, [])
        if len(found) != 1:
            yield f"{record.source} {record.id}: stands {len(found)} times"
        elif found[0].datadigest != record.datadigest:
            yield f"{record.source} {record.id}: other content than was sealed"
        elif record.state == "admitted" and record.position not in (None, found[0].position):
            yield f"{record.source} {record.id}: its receipt names another place"
    yield from (f"{source} {id}: stands there, and nobody sealed it" for source, id in stands)
    places = Counter(one.position for one in shown)
    yield from (f"position {place}: {count} entries" for place, count in places.items() if count > 1)


def _in_order(sealed: Sequence[Sealed], shown: Sequence[Shown]) -> Iterable[str]:
    sequence = {one.key: one.sequence for one in sealed}
    for name, group in (("source", _by(shown, "source")), ("child", _by(shown, "child"))):
        for owner, entries in group.items():
            places = [one.position for one in entries]
            if name == "child" and places != sorted(places):
                yield f"child {owner}: not in the order of admission"
            last: dict[str, int] = {}
            for one in sorted(entries, key=lambda one: one.position):
                number = sequence.get(one.key, 0)
                if number and number < last.get(one.source, 0):
                    yield f"{one.source} {one.id}: out of its source's order within a {name}"
                last[one.source] = max(number, last.get(one.source, 0))


def _by(shown: Sequence[Shown], name: str) -> dict[str, list[Shown]]:
    groups: dict[str, list[Shown]] = defaultdict(list)
    for one in shown:
        groups[getattr(one, name)].append(one)
    return groups


def _sealed(record: bytes, state: str, position: int | None) -> Sealed:
    whole = json.loads(record)
    statement = json.loads(_bytes(whole["jws"].split(".")[1]))
    data = _bytes(whole["data"])
    digest = base64.urlsafe_b64encode(hashlib.sha256(_bytes(whole["salt"]) + data).digest()).rstrip(b"=").decode()
    event = json.loads(data).get("event", statement["type"])
    return Sealed(statement["source"], statement["id"], int(statement["sequence"]), digest, event, state, position)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
