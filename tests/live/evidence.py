"""What a run leaves behind, as files in one folder, and how the judge reads them: by itself, with no code of the hub's.

`run.json` says what was meant; `outboxes/` holds the adapters' outbox files; `sends.jsonl` every message that stood on
a topic of events, `receipts.jsonl` every message of a topic of receipts, `chronologies.jsonl` each child as an auditor
read it. Every digest is computed again here from bytes, every signature of receipts is checked again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SALT_BYTES = 32
Key = tuple[str, str]
"""(source, event id)."""

NOTICES = "sg-notices+jws"


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
    record: str = ""
    """SHA-256 of the whole record, hex."""

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


@dataclass(frozen=True)
class Sent:
    """One message on a source's topic of events: a row of its publisher's log, whoever wrote it there."""

    source: str
    topic_id: str
    offset: int
    record: str
    kept: bool = True
    """False where the topic was lost or removed, perhaps before the hub had read it."""


@dataclass(frozen=True)
class Answer:
    """One row of a receipt that the hub signed, on the topic of this source."""

    source: str
    id: str
    record: str
    outcome: str
    reason: str
    position: int | None
    cursor: int

    @property
    def key(self) -> Key:
        return self.source, self.id


@dataclass
class Evidence:
    """All that is known of a run from outside."""

    meant: Mapping[str, Counter[str]]
    """Source → how many events of each kind its native files mean."""
    sealed: Sequence[Sealed]
    sent: Sequence[Sent]
    answers: Sequence[Answer]
    shown: Sequence[Shown]
    shuffled: frozenset[str] = frozenset()
    """Sources whose records were put on the topic out of their sequence, on purpose."""
    unsigned: list[str] = field(default_factory=list)
    """Messages of receipts that do not carry the pinned key's signature, in words."""


def read_evidence(folder: Path) -> Evidence:
    """All that lies in a folder of evidence."""
    run = json.loads((folder / "run.json").read_text())
    unsigned: list[str] = []
    outboxes = sorted((folder / "outboxes").glob("*.db"))
    return Evidence(
        meant={source: Counter(kinds) for source, kinds in run["meant"].items()},
        sealed=[one for path in outboxes for one in read_outbox(path)],
        sent=[Sent(**row) for row in _rows(folder / "sends.jsonl")],
        answers=list(_read_receipts(_rows(folder / "receipts.jsonl"), run["receipt_key"], unsigned)),
        shown=[
            one for row in _rows(folder / "chronologies.jsonl") for one in read_entries(row["child"], row["entries"])
        ],
        shuffled=frozenset(run["shuffled"]),
        unsigned=unsigned,
    )


def read_outbox(path: Path) -> list[Sealed]:
    """Every record ever sealed in this outbox, in sequence."""
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT * FROM sealed ORDER BY sequence")
        names = [column[0] for column in rows.description]
        return [_sealed(dict(zip(names, row, strict=True))) for row in rows]


def read_entries(child: str, entries: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """An auditor's chronology of one child, in the order in which it was answered."""
    return [Shown(child, e["source"], e["id"], e["datadigest"], e["position"]) for e in entries]


def _sealed(row: Mapping[str, Any]) -> Sealed:
    """A version 1 record holds salt and data; beside a version 2 record, which the hub alone opens, both lie plain."""
    whole = json.loads(row["record"])
    statement = json.loads(_bytes(whole["jws"].split(".")[1]))
    plain = row.get("plain") or _bytes(whole["salt"]) + _bytes(whole["data"])
    digest = base64.urlsafe_b64encode(hashlib.sha256(plain).digest()).rstrip(b"=").decode()
    event = json.loads(plain[SALT_BYTES:]).get("event", statement["type"])
    return Sealed(
        statement["source"], statement["id"], int(statement["sequence"]), digest, event, row["state"], row["position"],
        hashlib.sha256(row["record"]).hexdigest(),
    )  # fmt: skip


def _read_receipts(
    messages: Iterable[Mapping[str, Any]], jwk: Mapping[str, str], unsigned: list[str]
) -> Iterator[Answer]:
    key = Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
    for message in messages:
        signed, _, signature = message["jws"].rpartition(".")
        try:
            key.verify(_bytes(signature), signed.encode())
        except InvalidSignature:
            unsigned.append(f"{message['source']}: message {message['offset']} is not signed by the pinned key")
            continue
        header, payload = (json.loads(_bytes(part)) for part in signed.split("."))
        if header["typ"] == NOTICES:  # what an agency must be told goes by the same topic, and answers nothing
            continue
        for row in payload["rows"]:
            names = ("id", "record", "outcome", "reason", "position", "cursor")
            yield Answer(message["source"], **{name: row[name] for name in names})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        yield from map(json.loads, lines)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
