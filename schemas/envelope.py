"""The sealed record: `seal` on the agency's side, `open_envelope` at the door.

A record is one line of JSON: `{"jws": "<header>.<statement>.<signature>", "salt": "<43>", "data": "<base64url>"}`. The
signature covers a small statement (a CloudEvents 1.0 context) that commits to the data by SHA-256(salt ‖ data), so it
can still be checked after the data was erased. Bytes are carried and kept; nothing is serialised again to be verified.
Version 2, for ways that keep what they carry, has `"sealed"` in place of salt and data: both, encrypted to the hub.
Keys, receipts and transport tokens have files of their own and can be imported from here.

What it does not do: it asks no clock (a clock ahead is the hub's remark, not a refusal), keeps no registry, and does
not know whether an event was seen before or fits its schema.

Why no JOSE library opens events: with the algorithm pinned, PyJWT 2.15 takes 172 µs of CPU for the JWS of a 1.2 KB
event (ES256: 137), the profile here 123 (90), bare verification by `cryptography` 115 (81); and PyJWT takes what must
not be taken (any `typ`, duplicate members, padded second spellings, the higher s). All of `open_envelope` costs about
45 µs more than bare verification. Transport tokens are PyJWT's: there its claim rules are the point, not a few µs.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from schemas import compact
from schemas.compact import Refused
from schemas.keys import KeyEntry, KeyRefused, Registry, SigningKey, thumbprint
from schemas.receipts import Receipt, SourceHead, open_receipts, open_receipts_head, sign_receipts, sign_written
from schemas.sealing import NotSealed, PublicSealingKey, SealingKey
from schemas.statement import (
    HEARTBEAT,
    NO_CHILD,
    REATTESTATION,
    REPORT,
    TYPES,
    is_countable,
    parse_time,
    read_statement,
    statement_fault,
)
from schemas.strict import NotStrict, b64url_decode, b64url_encode, strict_json, strict_strings
from schemas.transport import (
    Caller,
    check_possession,
    open_transport_token,
    proof_of_possession,
    transport_token,
)

__all__ = [
    "HEARTBEAT",
    "NO_CHILD",
    "REATTESTATION",
    "REPORT",
    "STEPS",
    "TYPES",
    "Caller",
    "CannotSeal",
    "KeyEntry",
    "KeyRefused",
    "NotStrict",
    "Opened",
    "PublicSealingKey",
    "Receipt",
    "Refused",
    "Registry",
    "SealingKey",
    "SigningKey",
    "SourceHead",
    "check_possession",
    "data_digest",
    "open_envelope",
    "open_receipts",
    "open_receipts_head",
    "open_transport_token",
    "parse_time",
    "proof_of_possession",
    "seal",
    "sign_receipts",
    "sign_written",
    "statement_bytes_of",
    "statement_digest",
    "strict_json",
    "thumbprint",
    "transport_token",
]

STEPS = (
    "size",
    "record-form",
    "compact-form",
    "header",
    "key",
    "algorithm",
    "signature-form",
    "signature",
    "statement",
    "source",
    "digest",
    "data-form",
)
"""The order of checks: cheap before dear, and nothing of the statement is read before its signature held."""

RECORD_LIMIT = 256 * 1024
SALT_BYTES = 32
EVENT_TYP = "sg-event+jws"

_MEMBERS, _SEALED_MEMBERS = {"jws", "salt", "data"}, {"jws", "sealed"}

_Parts = tuple[str, str | None, str]
"""The record's members: (jws, salt, data), or (jws, None, sealed)."""


class CannotSeal(ValueError):
    """The caller asked to seal what no door would open: a mistake of ours, named by its rule."""


class Opened(NamedTuple):
    """A record whose every check passed. Bytes are exactly those received; `statement_sha256` is hex."""

    statement: dict[str, str]
    statement_bytes: bytes
    statement_sha256: str
    jws: str
    salt: bytes
    data_bytes: bytes
    data: dict[str, Any]
    kid: str


def open_envelope(
    record: bytes,
    registry: Registry,
    *,
    types: Collection[str] = TYPES,
    latest: datetime | None = None,
    unseal: SealingKey | None = None,
) -> Opened:
    """Opens one sealed record, or raises Refused with the step (one of STEPS) that refused it.

    `unseal` opens version 2; without it only version 1 has a known form. `latest`, where given, is the last
    `recordedtime` let through: for a verifier that judges clocks; the hub does not.
    Refused carries `statement` and `statement_bytes` once signature, statement and source had passed: then the source
    did say this, and its head moves whatever is wrong with the data.
    """
    plain = _split_plain(record, unseal)
    if plain is None:
        return _open(_read_record(record, unseal), registry, types, latest, unseal)
    try:
        return _open(plain, registry, types, latest, unseal)
    except Refused:
        _read_record(
            record, unseal
        )  # what is not JSON at all is refused as that, whichever later step stumbled over it
        raise


def _open(
    members: _Parts, registry: Registry, types: Collection[str], latest: datetime | None, unseal: SealingKey | None
) -> Opened:
    """Every step after `record-form`."""
    jws, salt_text, data_text = members
    parts = compact.split(jws, EVENT_TYP)  # compact-form, header
    entry = registry(parts.kid)
    if entry is None or entry.purpose != "event" or entry.kid != parts.kid:
        raise Refused("key", "no active event key of this name")
    compact.check_signature(parts, entry)  # algorithm, signature-form, signature
    statement = read_statement(parts.payload, types)
    if latest is not None and parse_time(statement["recordedtime"]) > latest:
        raise Refused("statement", "recordedtime is ahead of the clock")
    if statement["source"] != entry.source:
        raise Refused("source", "source is not the key's")
    try:
        if salt_text is None:
            salt, data_bytes = _unseal(data_text, jws, unseal)
        else:
            salt, data_bytes = _decode(salt_text), _decode(data_text)
        _check_digest(salt, data_bytes, statement["datadigest"])
        data = _read_data(data_bytes)
    except Refused as refused:
        refused.statement, refused.statement_bytes = statement, parts.payload
        raise
    statement_sha256 = hashlib.sha256(parts.payload).hexdigest()
    return Opened(statement, parts.payload, statement_sha256, jws, salt, data_bytes, data, parts.kid)


def _split_plain(record: bytes, unseal: SealingKey | None) -> _Parts | None:
    """The members of a record written as `seal` writes it, or None: then, or once it is refused, JSON is read strictly.

    Nothing else is let through than by reading JSON: what is opened has base64url and two dots between these quotation
    marks, and for such a record this is the one reading. It saves about 3 µs of 50.
    """
    if len(record) > RECORD_LIMIT or not record.isascii() or b"\\" in record:
        return None
    match record.decode("ascii").split('"'):
        case ["{", "jws", ":", jws, ",", "salt", ":", salt, ",", "data", ":", data, "}"]:
            return jws, salt, data
        case ["{", "jws", ":", jws, ",", "sealed", ":", sealed, "}"] if unseal is not None:
            return jws, None, sealed
    return None


def _read_record(record: bytes, unseal: SealingKey | None) -> _Parts:
    if len(record) > RECORD_LIMIT:
        raise Refused("size", f"more than {RECORD_LIMIT} bytes")
    sealed = unseal is not None and b'"sealed"' in record
    try:
        members = strict_strings(record, RECORD_LIMIT, _SEALED_MEMBERS if sealed else _MEMBERS)
    except NotStrict as fault:
        raise Refused("record-form", str(fault)) from None
    return (members["jws"], None, members["sealed"]) if sealed else (members["jws"], members["salt"], members["data"])


def _decode(text: str) -> bytes:
    try:
        return b64url_decode(text.encode("ascii"))
    except (NotStrict, UnicodeEncodeError):
        raise Refused("digest", "not the one base64url spelling") from None


def _unseal(text: str, jws: str, key: SealingKey | None) -> tuple[bytes, bytes]:
    """Salt and data. No key, another key or other bytes: nothing that the digest could be compared with."""
    try:
        plain = key.unseal(_decode(text), jws.encode("ascii")) if key else b""
    except NotSealed as fault:
        raise Refused("digest", str(fault)) from None
    return plain[:SALT_BYTES], plain[SALT_BYTES:]


def _check_digest(salt: bytes, data: bytes, digest: str) -> None:
    if len(salt) != SALT_BYTES:
        raise Refused("digest", f"salt is not {SALT_BYTES} bytes")
    if data_digest(salt, data) != digest:
        raise Refused("digest", "data is not what was signed")


def _read_data(raw: bytes) -> dict[str, Any]:
    try:
        return strict_json(raw, RECORD_LIMIT)
    except NotStrict as fault:
        raise Refused("data-form", str(fault)) from None


def seal(
    data: bytes,
    *,
    key: SigningKey,
    source: str,
    event_id: str,
    subject: str,
    time: str | None,
    recordedtime: str,
    sequence: int,
    prevdigest: str,
    salt: bytes,
    type: str = REPORT,
    to: PublicSealingKey | None = None,
) -> bytes:
    """Seals one event's data as the line that is sent. The same arguments give the same bytes, but for `to`.

    `to` is the hub's sealing key: the record is version 2, encrypted anew by every call.

    `time` is when the source system recorded it, RFC 3339; None where it has none. Where it is later than the sealing
    time `recordedtime`, the source's clock is ahead, and `recordedtime` is written instead: the data keeps the claim.
    So it is where `time` is before 1900, as what a system writes that has no time.
    `sequence` counts from 1; `prevdigest` is `statement_digest` of the source's previous statement, empty for the
    first. `salt` is 32 bytes that nobody can guess. Raises CannotSeal for what no door would open.
    """
    try:
        sealing_at = parse_time(recordedtime)
        if time is None or parse_time(time) > sealing_at or not is_countable(time):
            time = recordedtime
        strict_json(data, RECORD_LIMIT)
    except ValueError as fault:
        raise CannotSeal(str(fault)) from None
    if len(salt) != SALT_BYTES:
        raise CannotSeal(f"salt is not {SALT_BYTES} bytes")
    statement = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": time,
        "recordedtime": recordedtime,
        "datacontenttype": "application/json",
        "sequence": str(sequence),
        "prevdigest": prevdigest,
        "datadigest": data_digest(salt, data),
    }
    broken = statement_fault(statement, {type})
    if broken:
        raise CannotSeal(broken)
    jws = compact.sign(compact.canonical_json(statement), key, EVENT_TYP)
    if to is None:
        record = b'{"jws":"%b","salt":"%b","data":"%b"}' % (jws.encode(), b64url_encode(salt), b64url_encode(data))
    else:
        record = b'{"jws":"%b","sealed":"%b"}' % (jws.encode(), b64url_encode(to.seal(salt + data, jws.encode())))
    if len(record) > RECORD_LIMIT:
        raise CannotSeal(f"record of more than {RECORD_LIMIT} bytes")
    return record


def data_digest(salt: bytes, data: bytes) -> str:
    """base64url SHA-256(salt ‖ data): the commitment that the statement carries."""
    return b64url_encode(hashlib.sha256(salt + data).digest()).decode("ascii")


def statement_digest(statement_bytes: bytes) -> str:
    """base64url SHA-256 of a statement's bytes: the `prevdigest` of the source's next statement."""
    return b64url_encode(hashlib.sha256(statement_bytes).digest()).decode("ascii")


def statement_bytes_of(record: bytes) -> bytes:
    """The statement bytes inside a record that we sealed ourselves. Verifies nothing; Refused if there are none."""
    members = _SEALED_MEMBERS if b'"sealed"' in record else _MEMBERS
    try:
        jws = strict_strings(record, RECORD_LIMIT, members)["jws"]
    except NotStrict as fault:
        raise Refused("record-form", str(fault)) from None
    return compact.split(jws, EVENT_TYP).payload
