"""JWS in its compact form (RFC 7515 section 7.1), narrowed to what this project signs.

Exactly three header members, one spelling of base64url, the algorithm of the registered key. Events, receipts and
proofs of possession all pass here.

What it does not do: it reads no payload and knows no registry beyond the function it is given.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.keys import KeyEntry, SigningKey, is_signature_form
from schemas.strict import NotStrict, b64url_decode, b64url_encode, strict_strings

HEADER_LIMIT = 512
_HEADER_MEMBERS = {"alg", "kid", "typ"}


class Refused(Exception):
    """Signed bytes that were not taken. `step` names the check, `why` its rule; neither holds content.

    `statement` and `statement_bytes` are there once signature, statement and source had passed.
    """

    def __init__(
        self, step: str, why: str, statement: dict[str, str] | None = None, statement_bytes: bytes | None = None
    ) -> None:
        super().__init__(f"{step}: {why}")
        self.step = step
        self.why = why
        self.statement = statement
        self.statement_bytes = statement_bytes


class Compact(NamedTuple):
    """The three parts of a compact JWS, decoded; nothing of it is verified yet."""

    alg: str
    kid: str
    payload: bytes
    signature: bytes
    signing_input: bytes


def split(jws: str, typ: str) -> Compact:
    """Takes a compact JWS apart. Raises Refused with step `compact-form` or `header`.

    An empty signature is still the compact form (RFC 7515 appendix A.5): it is refused by its algorithm or its length.
    """
    try:
        encoded = jws.encode("ascii")
        header_part, payload_part, signature_part = encoded.split(b".")
        payload, signature = b64url_decode(payload_part), b64url_decode(signature_part)
    except UnicodeEncodeError:
        raise Refused("compact-form", "not ASCII") from None
    except NotStrict as fault:
        raise Refused("compact-form", str(fault)) from None
    except ValueError:
        raise Refused("compact-form", "not three parts") from None
    if not header_part or not payload:
        raise Refused("compact-form", "empty part")
    alg, kid = _read_header(header_part, typ)
    return Compact(alg, kid, payload, signature, encoded[: len(header_part) + 1 + len(payload_part)])


@lru_cache(maxsize=1024)
def _read_header(part: bytes, typ: str) -> tuple[str, str]:
    """`alg` and `kid` of a header part. A source's header bytes repeat with every record, so they are remembered."""
    try:
        raw = b64url_decode(part)
    except NotStrict as fault:
        raise Refused("compact-form", str(fault)) from None
    try:
        header = strict_strings(raw, HEADER_LIMIT, _HEADER_MEMBERS)
    except NotStrict as fault:
        raise Refused("header", str(fault)) from None
    if header["typ"] != typ:
        raise Refused("header", f"typ is not {typ}")
    return header["alg"], header["kid"]


def check_signature(parts: Compact, entry: KeyEntry) -> None:
    """Raises Refused with step `algorithm`, `signature-form` or `signature`."""
    if parts.alg != entry.alg:
        raise Refused("algorithm", "alg is not the registered key's")
    if not is_signature_form(entry.alg, parts.signature):
        raise Refused("signature-form", "not 64 bytes, or not the lower s")
    if not entry.verify(parts.signature, parts.signing_input):
        raise Refused("signature", "signature does not hold")


def sign(payload: bytes, key: SigningKey, typ: str) -> str:
    """Signs bytes as a compact JWS whose header is exactly `alg`, `kid`, `typ`."""
    header = canonical_json({"alg": key.alg, "kid": key.kid, "typ": typ})
    signing_input = b64url_encode(header) + b"." + b64url_encode(payload)
    return (signing_input + b"." + b64url_encode(key.sign(signing_input))).decode("ascii")


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON without spaces, members in the order given: the same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
