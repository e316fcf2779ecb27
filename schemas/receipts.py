"""Receipts: what the hub did with each record, signed by its receipt key, one signature a batch.

An agency clears a row of its outbox only on a receipt over the very statement that it sent (`Receipt.answers`). Which
receipts to make, keep and send again is the hub's business and not known here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from hmac import compare_digest
from operator import attrgetter

from schemas import compact
from schemas.compact import Refused
from schemas.keys import KeyEntry, SigningKey
from schemas.strict import NotStrict, strict_json

RECEIPTS_TYP = "sg-receipts+jws"
RECEIPTS_LIMIT = 1024 * 1024
OUTCOMES = frozenset({"admitted", "duplicate", "quarantined", "refused"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """One record's end at the hub.

    `statement` is the hex SHA-256 of the statement's bytes, empty when none could be read: then `record`, the hex
    SHA-256 of the whole record, is all that tells which one is meant. `reason` is a code or empty; `position` the log
    index of what was admitted; `at` the hub's RFC 3339 time; `cursor` the number to ask for later receipts after.
    """

    source: str
    id: str
    statement: str
    outcome: str
    reason: str
    position: int | None
    at: str
    cursor: int
    record: str

    @property
    def settles(self) -> bool:
        """The hub holds it: nothing is left to send."""
        return self.outcome in ("admitted", "duplicate")

    def answers(self, *, source: str, id: str, statement: str, record: str) -> bool:
        """Whether this receipt is about exactly this record: both digests are hex SHA-256 of the bytes that were sent.

        A receipt with a statement must equal in source, id and statement digest; one without, in the record's digest.
        """
        if self.statement:
            return self.source == source and self.id == id and _same(self.statement, statement)
        return bool(self.record) and _same(self.record, record)


_ORDER = tuple(f.name for f in fields(Receipt))
_VALUES = attrgetter(*_ORDER)
_MEMBERS = set(_ORDER)
_TEXTS = ("source", "id", "statement", "outcome", "reason", "at", "record")


@dataclass(frozen=True, slots=True)
class SourceHead:
    """Where the hub stands with a source: its newest sequence, and that statement's digest (base64url)."""

    source: str
    sequence: int
    digest: str


def sign_receipts(
    rows: Sequence[Receipt], key: SigningKey, *, hub: str, at: str, head: SourceHead | None = None
) -> str:
    """Signs a batch: payload `{"at", "hub", "rows"}`. `hub` is the hub's URN, `at` an RFC 3339 instant.

    `head` is added where no question can be asked (a topic): the source learns there how far the hub has heard it.
    """
    written = (compact.canonical_json(dict(zip(_ORDER, _VALUES(row), strict=True))) for row in rows)
    return sign_written(written, key, hub=hub, at=at, head=head)


def sign_written(rows: Iterable[bytes], key: SigningKey, *, hub: str, at: str, head: SourceHead | None = None) -> str:
    """`sign_receipts` of rows that are JSON already: each the members of a `Receipt`, as they were written and kept."""
    begun = compact.canonical_json({"at": at, "hub": hub})[:-1] + b',"rows":[' + b",".join(rows) + b"]"
    if head is not None:
        ours = {"source": head.source, "sequence": head.sequence, "digest": head.digest}
        begun += b',"head":' + compact.canonical_json(ours)
    return compact.sign(begun + b"}", key, RECEIPTS_TYP)


def open_receipts(jws: str, entry: KeyEntry, *, hub: str | None = None) -> list[Receipt]:
    """Opens a batch with the pinned receipt key: `open_receipts_head` without the head. Raises Refused."""
    return open_receipts_head(jws, entry, hub=hub)[0]


def open_receipts_head(jws: str, entry: KeyEntry, *, hub: str | None = None) -> tuple[list[Receipt], SourceHead | None]:
    """Opens a batch with the pinned receipt key, and the source's head where one is in it. Raises Refused.

    Steps: `size`, `compact-form`, `header`, `key`, `algorithm`, `signature-form`, `signature`, `statement` (the
    payload's form, or another hub than `hub` where one is given).
    """
    if len(jws) > RECEIPTS_LIMIT:
        raise Refused("size", f"more than {RECEIPTS_LIMIT} characters")
    parts = compact.split(jws, RECEIPTS_TYP)
    if entry.purpose != "receipt" or parts.kid != entry.kid:
        raise Refused("key", "not the pinned receipt key")
    compact.check_signature(parts, entry)
    try:
        payload = strict_json(parts.payload, RECEIPTS_LIMIT)
    except NotStrict as fault:
        raise Refused("statement", str(fault)) from None
    rows = payload.get("rows")
    if payload.keys() - {"head"} != {"at", "hub", "rows"} or type(rows) is not list:
        raise Refused("statement", "members are not exactly at, hub, rows, and head at most")
    if hub is not None and payload["hub"] != hub:
        raise Refused("statement", "receipts of another hub")
    return [_read_row(row) for row in rows], read_head(payload["head"]) if "head" in payload else None


def read_head(head: object) -> SourceHead:
    """The head in a payload. Raises Refused with step `statement`."""
    if type(head) is not dict or head.keys() != {"source", "sequence", "digest"}:
        raise Refused("statement", "members of the head are not exactly source, sequence, digest")
    source, sequence, digest = head["source"], head["sequence"], head["digest"]
    if type(source) is not str or type(sequence) is not int or sequence < 0 or type(digest) is not str:
        raise Refused("statement", "a member of the head has another type")
    return SourceHead(source, sequence, digest)


def _read_row(row: object) -> Receipt:
    if type(row) is not dict or row.keys() != _MEMBERS:
        raise Refused("statement", "members of a row are not exactly a receipt's")
    if any(type(row[name]) is not str for name in _TEXTS) or type(row["cursor"]) is not int:
        raise Refused("statement", "a member of a row has another type")
    if row["position"] is not None and type(row["position"]) is not int:
        raise Refused("statement", "position is an integer or absent")
    if row["outcome"] not in OUTCOMES:
        raise Refused("statement", "outcome is not known")
    return Receipt(**row)


def _same(ours: str, theirs: str) -> bool:
    return compare_digest(ours.encode(), theirs.encode())
