"""JSON and base64url with one reading: against the standard library on what is plain, by rule on what is not."""

import base64
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.strict import NotStrict, b64url_decode, b64url_encode, strict_json, strict_value

LIMIT = 256 * 1024
values = st.recursive(
    st.none() | st.text() | st.booleans() | st.integers(-(10**15) + 1, 10**16 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_plain_json_is_read_like_the_standard_library_reads_it(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert strict_value(raw, LIMIT) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u01dDeEnaN. -+\t', max_size=60).map(str.encode))
def test_whatever_is_read_the_standard_library_reads_alike(raw: bytes) -> None:
    try:
        value = strict_value(raw, LIMIT)
    except NotStrict:
        return
    assert value == json.loads(raw.decode("utf-8"))
    json.dumps(value, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'{"a":1,"a":1}', "duplicate member"),
        (b'{"a":{"b":1,"\\u0062":1}}', "duplicate member"),
        (b'{"a":NaN}', "NaN or Infinity"),
        (b'{"a":-Infinity}', "NaN or Infinity"),
        (b'{"a":1.5}', "number with fraction or exponent"),
        (b'{"a":1E400}', "number with fraction or exponent"),
        (b'{"a":12345678901234567}', "integer of more than 16 characters"),
        (b'{"a":"\\uD800"}', "lone surrogate"),
        (b'{"\\udfff":1}', "lone surrogate"),
        (b'{"a":"\\uDE00\\uD83D"}', "lone surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        (b'{"a":"\t"}', "not JSON"),
        (b'{"a":1} x', "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"", "not JSON"),
        (b'{"a":1}' + b" " * LIMIT, f"more than {LIMIT} bytes"),
    ],
)
def test_a_second_reading_is_refused_by_its_rule(raw: bytes, rule: str) -> None:
    with pytest.raises(NotStrict) as caught:
        strict_json(raw, LIMIT)
    assert str(caught.value) == rule


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_64_levels_are_read_and_65_are_not(opening: bytes) -> None:
    closing = b"}" if opening.startswith(b"{") else b"]"
    inner = b'"[[[{{{ \\" "'
    assert strict_value(opening * 64 + inner + closing * 64, LIMIT)
    with pytest.raises(NotStrict, match="nested deeper"):
        strict_value(opening * 65 + inner + closing * 65, LIMIT)


def test_wide_data_is_not_taken_for_deep_data() -> None:
    assert len(strict_json(json.dumps({"rows": [{"a": []}] * 500}).encode(), LIMIT)["rows"]) == 500


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * LIMIT,
        b'{"a":' * (LIMIT // 5),
        b'"' + b"\\" * (LIMIT - 2),
        b'"' + b'\\"' * (LIMIT // 2 - 1),
        b'["' + b'\\"' * (LIMIT // 2 - 80) + b'"' + b",[]" * 40 + b"]",
        b"1" * LIMIT,
        b'"' * LIMIT,
    ],
)
def test_hostile_bytes_cost_no_more_than_their_length(raw: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(NotStrict):
        strict_value(raw, LIMIT)
    assert time.process_time() - started < 1


@given(st.binary(max_size=100))
def test_base64url_has_one_spelling(raw: bytes) -> None:
    text = b64url_encode(raw)
    assert text == base64.urlsafe_b64encode(raw).rstrip(b"=")
    assert b64url_decode(text) == raw


@given(st.text(alphabet="ABgQwx_-+/= \n", max_size=12).map(str.encode) | st.binary(max_size=12))
def test_every_other_spelling_is_refused(text: bytes) -> None:
    try:
        raw = b64url_decode(text)
    except NotStrict:
        return
    assert b64url_encode(raw) == text
