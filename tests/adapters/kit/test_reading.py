"""Bytes from outside: whatever they are, reading ends, soon, in little memory, with a record or a reason."""

import io
import random
import tracemalloc
from contextlib import suppress

import pytest

from adapters.kit.reading import MAX_MESSAGE_BYTES, ReadFault, decode, read_lines, read_whole, strict_json
from adapters.kit.xml import open_xml


class Endless(io.RawIOBase):
    """So many bytes without a line end, never all in memory."""

    def __init__(self, size):
        self.left = size

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), self.left)
        buffer[:size] = b"x" * size
        self.left -= size
        return size


def reason_of(function, *given):
    with pytest.raises(ReadFault) as fault:
        function(*given)
    return fault.value.reason


def test_lines_end_with_either_end_and_the_last_may_have_none():
    lines = list(read_lines(io.BytesIO(b"a\r\nb\n\nc")))
    assert [(line.number, line.raw) for line in lines] == [(1, b"a"), (2, b"b"), (3, b""), (4, b"c")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_of_exactly_the_limit_is_whole(end):
    [line] = read_lines(io.BytesIO(b"12345" + end), 5)
    assert (line.raw, line.too_long) == (b"12345", False)


def test_a_line_too_long_is_cut_and_the_next_is_read():
    lines = list(read_lines(io.BytesIO(b"y" * 200_000 + b"\nnext\n"), 100))
    assert [(line.raw[:4], len(line.raw), line.too_long) for line in lines] == [
        (b"yyyy", 102, True),
        (b"next", 4, False),
    ]


def test_a_line_of_a_hundred_megabytes_needs_little_memory():
    tracemalloc.start()
    [line] = read_lines(io.BufferedReader(Endless(100 * 1024 * 1024)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.too_long
    assert peak < 40 * 1024 * 1024


def test_a_file_beyond_the_limit_is_not_read_to_its_end():
    stream = io.BufferedReader(Endless(1 << 40))
    assert reason_of(read_whole, stream) == "too-large"
    assert len(read_whole(io.BytesIO(b"x" * MAX_MESSAGE_BYTES))) == MAX_MESSAGE_BYTES


def test_text_is_utf_8_then_windows_1252_with_a_remark_then_nothing():
    assert decode("Siân".encode()) == ("Siân", ())
    assert decode(b"\xef\xbb\xbfid") == ("id", ())
    text, [remark] = decode(b"Si\xe2n \xa35")
    assert (text, remark.code) == ("Siân £5", "encoding-guessed")
    assert reason_of(decode, b"\x81\x8d") == "encoding"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "json-duplicate-name"),
        ('{"a": 1, "\\u0061": 2}', "json-duplicate-name"),
        ("{", "json-form"),
        ('{"a": NaN}', "json-form"),
        ("9" * 5000, "json-form"),
        ("[" * 100_000, "json-too-deep"),
        ("[" * 201 + "]" * 201, "json-too-deep"),
        ("[" + "0," * 600_000 + "0]", "json-too-many-values"),
        ('"\\ud800"', "json-surrogate"),
    ],
)
def test_json_that_has_two_readings_or_none_is_refused(text, reason):
    assert reason_of(strict_json, text) == reason


def test_json_numbers_with_a_fraction_keep_their_text():
    assert strict_json('{"a": 1.50, "b": [2, 1e3], "c": null, "d": true}') == {
        "a": "1.50",
        "b": [2, "1e3"],
        "c": None,
        "d": True,
    }
    assert strict_json("[" * 200 + "]" * 200)


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a t="&c;">&c;</a>'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (BOMB, "xml-doctype"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml-doctype"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "xml-doctype"),
        (b"<a>", "xml-form"),
        (b"", "xml-form"),
        (b"\x00\x01", "xml-form"),
        (b"<a>" * 201 + b"</a>" * 201, "xml-too-deep"),
        (b"<a>" * 100_000, "xml-form"),
        (b"<r>" + b"<a/>" * 1_000_001 + b"</r>", "xml-too-many-nodes"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), "too-large"),
    ],
)
def test_xml_that_is_unsafe_or_none_is_refused(raw, reason):
    assert reason_of(open_xml, raw) == reason


def test_xml_comes_without_comments_and_instructions():
    root = open_xml(b"<a><!-- no --><?php no ?><b>yes</b></a>")
    assert [child.tag for child in root] == ["b"]


def test_random_and_cut_bytes_end_in_a_value_or_a_reason():
    chance = random.Random(20240909)  # noqa: S311
    good = b'<Bundle xmlns="http://hl7.org/fhir"><id value="1"/></Bundle>'
    for _ in range(500):
        raw = chance.randbytes(chance.randrange(200)) if chance.random() < 0.5 else good[: chance.randrange(len(good))]
        for read in (open_xml, lambda raw: strict_json(decode(raw)[0])):
            with suppress(ReadFault):
                read(raw)
