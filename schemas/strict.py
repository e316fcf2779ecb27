"""JSON and base64url with one reading each, for bytes that a stranger sent.

Two programs that read the same bytes differently are how a signed record comes to mean two things: so duplicate
members, `NaN`, fractions and exponents, lone surrogates, long integers and deep nesting are refused here, as is every
second spelling of a base64url string (RFC 7515 section 2, RFC 8259, RFC 7493). What the JSON means is not known here.
"""

import json
import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Set
from itertools import accumulate
from typing import Any, NoReturn

DEPTH_LIMIT = 64
"""Levels of arrays and objects, the outermost counted."""

INTEGER_DIGITS = 16
"""Characters of an integer, sign included; enough for every integer that a double holds exactly."""


class NotStrict(ValueError):
    """The bytes have more than one reading, or none. The text names the rule, never the content."""


def strict_json(raw: bytes, limit: int) -> dict[str, Any]:
    """Reads one JSON object of at most `limit` bytes. Raises NotStrict."""
    value = strict_value(raw, limit)
    if type(value) is not dict:
        raise NotStrict("not a JSON object")
    return value


def strict_value(raw: bytes, limit: int) -> Any:
    """Reads any one JSON value of at most `limit` bytes. Raises NotStrict."""
    value = _decode(raw, limit)
    # Depth cannot exceed the number of opening brackets: most records are let through by two counts.
    if raw.count(b"{") + raw.count(b"[") > DEPTH_LIMIT and _depth(raw) > DEPTH_LIMIT:
        raise NotStrict(f"nested deeper than {DEPTH_LIMIT}")
    return value


def strict_strings(raw: bytes, limit: int, members: Set[str]) -> dict[str, str]:
    """Reads one JSON object that has exactly `members`, each of them a string. Raises NotStrict."""
    value = _decode(raw, limit)  # no depth to count: what is nested is no string
    if type(value) is not dict:
        raise NotStrict("not a JSON object")
    if value.keys() != members:
        raise NotStrict("members are not exactly " + ", ".join(sorted(members)))
    if set(map(type, value.values())) != {str}:
        raise NotStrict("a member is not a string")
    return value


def _decode(raw: bytes, limit: int) -> Any:
    if len(raw) > limit:
        raise NotStrict(f"more than {limit} bytes")
    try:
        text = raw.decode("utf-8").strip(_WHITESPACE)
        value, end = _DECODER.raw_decode(text)
    except NotStrict:
        raise
    except RecursionError:
        raise NotStrict(f"nested deeper than {DEPTH_LIMIT}") from None
    except UnicodeDecodeError:
        raise NotStrict("not UTF-8") from None
    except ValueError:
        raise NotStrict("not JSON") from None
    if end != len(text):
        raise NotStrict("not JSON")
    if _BACKSLASH in raw and _SURROGATE.search(raw) and _has_lone_surrogate(value):
        raise NotStrict("lone surrogate")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict("duplicate member")
    return members


def _integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS:
        raise NotStrict(f"integer of more than {INTEGER_DIGITS} characters")
    return int(digits)


def _no_float(_: str) -> NoReturn:
    raise NotStrict("number with fraction or exponent")


def _no_constant(_: str) -> NoReturn:
    raise NotStrict("NaN or Infinity")


# One decoder for the life of the process: json.loads with hooks would build a new one for every record. Its `decode` is
# not called, because that looks for white space around the value with two regular expressions.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_float, parse_constant=_no_constant
)
_WHITESPACE = " \t\n\r"  # RFC 8259 section 2

_BACKSLASH = ord("\\")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)  # possessive, end optional: linear on any bytes
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _depth(raw: bytes) -> int:
    """Deepest nesting of bytes that have already been read as JSON."""
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _has_lone_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


# '-' and '_' become the alphabet that binascii reads; '+', '/', '=' become a byte that it refuses.
_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_BASE64URL = bytes.maketrans(b"+/", b"-_")
_PADDING = (b"", b"", b"==", b"=")
# The last character carries four or two bits that stand for nothing. They are zero in the one spelling.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(range(256)),
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)


def b64url_decode(text: bytes) -> bytes:
    """Reads unpadded base64url in its one spelling (RFC 4648 section 3.5, RFC 7515 section 2). Raises NotStrict."""
    rest = len(text) & 3
    if not text:
        return b""
    if text[-1] not in _LAST[rest]:
        raise NotStrict("not the one base64url spelling")
    try:
        return a2b_base64(text.translate(_TO_BASE64) + _PADDING[rest], strict_mode=True)
    except BinasciiError:
        raise NotStrict("not base64url") from None


def b64url_encode(raw: bytes) -> bytes:
    """Writes unpadded base64url."""
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_TO_BASE64URL)
