"""Sealing and opening: what goes in comes out, and every change between the two is noticed."""

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import compact, envelope
from schemas.envelope import (
    HEARTBEAT,
    NO_CHILD,
    STEPS,
    CannotSeal,
    Opened,
    Refused,
    SigningKey,
    data_digest,
    open_envelope,
    parse_time,
    seal,
    statement_bytes_of,
    statement_digest,
)

SOURCE = "urn:safeguarding:source:police"
KEYS = {alg: SigningKey.generate(alg) for alg in ("EdDSA", "ES256")}
ENTRIES = {key.kid: key.entry(source=SOURCE) for key in KEYS.values()}
SALT = bytes(range(32))
DATA = b'{"event":"concern-raised","version":1}'


def sealed(data: bytes = DATA, *, alg: str = "EdDSA", **changes: Any) -> bytes:
    inputs: dict[str, Any] = {
        "source": SOURCE,
        "event_id": "e" * 32,
        "subject": "5c9f0d1e2a3b4c5d6e7f8091a2b3c4d5",
        "time": "2026-11-21T09:15:03Z",
        "recordedtime": "2026-11-21T09:16:44Z",
        "sequence": 1,
        "prevdigest": "",
        "salt": SALT,
    }
    return seal(data, key=KEYS[alg], **(inputs | changes))


def opened(record: bytes) -> Opened:
    return open_envelope(record, ENTRIES.get)


def refusal(record: bytes, registry: Callable[[str], Any] = ENTRIES.get) -> Refused:
    with pytest.raises(Refused) as caught:
        open_envelope(record, registry)
    return caught.value


values = st.recursive(
    st.text() | st.booleans() | st.integers(-(10**14), 10**14),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
events = st.dictionaries(st.text(), values, max_size=6)


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
@given(event=events, salt=st.binary(min_size=32, max_size=32), sequence=st.integers(1, 10**16 - 1))
def test_what_is_sealed_opens_to_the_same_bytes(alg: str, event: dict[str, Any], salt: bytes, sequence: int) -> None:
    data = json.dumps(event, ensure_ascii=False).encode()
    found = opened(sealed(data, alg=alg, salt=salt, sequence=sequence))
    assert (found.data, found.data_bytes, found.salt) == (event, data, salt)
    assert found.statement["sequence"] == str(sequence)
    assert found.statement["datadigest"] == data_digest(salt, data)
    assert found.kid == KEYS[alg].kid


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_sealing_again_gives_the_same_bytes_without_a_newline(alg: str) -> None:
    assert sealed(alg=alg) == sealed(alg=alg)
    assert b"\n" not in sealed(alg=alg)


@given(event=events, place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_opens_to_anything_else(event: dict[str, Any], place: float, bit: int) -> None:
    record = bytearray(sealed(json.dumps(event).encode()))
    record[int(place * len(record))] ^= 1 << bit
    assert refusal(bytes(record)).step in STEPS


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_worse(noise: bytes) -> None:
    assert refusal(noise).step in ("record-form", "compact-form")


@pytest.mark.parametrize(
    "odd", [b"\n", b"\x00", b"\x7f", b"\\", b"\\n", b"\\u0041", b'\\"', b'"', b"\xff", "é".encode(), b"=", b" "]
)
@pytest.mark.parametrize("member", [b"jws", b"salt", b"data"])
def test_the_short_way_through_a_record_names_the_step_that_reading_json_names(member: bytes, odd: bytes) -> None:
    whole = sealed()
    begin = whole.index(b'"%b":"' % member) + len(member) + 4
    for place in (begin, begin + 40, whole.index(b'"', begin)):
        assert_alike(whole[:place] + odd + whole[place:])
        assert_alike(whole[:place] + odd + whole[place + 1 :])


@given(place=st.floats(0, 1, exclude_max=True), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_the_short_way_through_a_record_ends_where_reading_json_ends(place: float, cut: int, put: bytes) -> None:
    whole = sealed()
    at = int(place * len(whole))
    assert_alike(whole[:at] + put + whole[at + cut :])


@pytest.mark.parametrize("spaced", [b'{ "jws"', b'{"jws" :', b'"}\n', b'" }', b"\t{"])
def test_a_record_with_white_space_between_its_parts_opens_the_long_way(spaced: bytes) -> None:
    record = sealed().replace(spaced.translate(None, b" \t\n"), spaced)
    assert spaced in record
    assert envelope._split_plain(record, None) is None
    assert opened(record) == opened(sealed())


def assert_alike(record: bytes) -> None:
    """The same end whether or not the record is taken apart the short way."""
    ends: list[Any] = []
    for way in (envelope._split_plain, lambda record, unseal: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(envelope, "_split_plain", way)
            try:
                ends.append(opened(record))
            except Refused as refused:
                ends.append((refused.step, refused.why, refused.statement))
    assert ends[0] == ends[1]


@given(st.dictionaries(st.sampled_from(["jws", "salt", "data", "x"]), values, max_size=4))
def test_arbitrary_records_are_refused_and_nothing_worse(record: dict[str, Any]) -> None:
    assert refusal(json.dumps(record).encode()).step in STEPS


@given(header=values, statement=values)
def test_arbitrary_headers_and_statements_are_refused_and_nothing_worse(header: Any, statement: Any) -> None:
    key = KEYS["EdDSA"]
    for head in (header, {"alg": key.alg, "kid": key.kid, "typ": "sg-event+jws"}):
        text = b".".join(compact.b64url_encode(json.dumps(each).encode()) for each in (head, statement))
        jws = (text + b"." + compact.b64url_encode(key.sign(text))).decode()
        record = compact.canonical_json({"jws": jws, "salt": "A" * 43, "data": "e30"})
        assert refusal(record).step in ("header", "statement")


def test_a_source_whose_clock_is_ahead_is_sealed_at_the_sealing_time() -> None:
    found = opened(sealed(time="2026-11-21T10:16:45+00:00", recordedtime="2026-11-21T10:16:44+00:00"))
    assert found.statement["time"] == found.statement["recordedtime"] == "2026-11-21T10:16:44+00:00"


def test_a_source_without_a_time_is_sealed_at_the_sealing_time() -> None:
    assert opened(sealed(time=None)).statement["time"] == "2026-11-21T09:16:44Z"


def test_an_earlier_time_is_kept_as_it_was_written() -> None:
    assert opened(sealed(time="2026-07-01T10:15:03.4+01:00")).statement["time"] == "2026-07-01T10:15:03.4+01:00"


def test_a_clock_far_ahead_opens_unless_the_verifier_judges_clocks() -> None:
    record = sealed(time=None, recordedtime="2099-01-01T00:00:00Z")
    assert opened(record).statement["recordedtime"] == "2099-01-01T00:00:00Z"
    with pytest.raises(Refused) as caught:
        open_envelope(record, ENTRIES.get, latest=parse_time("2026-11-21T09:21:00Z"))
    assert caught.value.step == "statement"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("2026-11-21T09:15:03Z", True),
        ("2026-11-21T09:15:03.123456789Z", True),
        ("2026-11-21T09:15:03-00:00", True),
        ("2026-11-21T09:15:03", False),
        ("2026-11-21 09:15:03Z", False),
        ("2026-11-21T09:15Z", False),
        ("2026-11-21T09:15:60Z", False),
        ("2026-02-29T09:15:03Z", False),
        ("2026-W47-6T09:15:03Z", False),
        ("٢٠٢٦-11-21T09:15:03Z", False),
        ("2026-11-21T09:15:03Z\n", False),
        ("0000-01-01T00:00:00Z", False),
    ],
)
def test_an_instant_has_one_grammar(text: str, is_one: bool) -> None:
    if is_one:
        assert parse_time(text).tzinfo is not None
    else:
        with pytest.raises(ValueError):
            parse_time(text)


@pytest.mark.parametrize("member", ["time", "recordedtime"])
@pytest.mark.parametrize(
    "text",
    ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z", "3000-01-01T00:00:00Z",
     "9999-12-31T23:59:59-23:59"],
)  # fmt: skip
def test_a_signed_instant_at_the_ends_of_the_calendar_that_no_clock_could_turn_into_its_own_zone_is_refused(
    member: str, text: str
) -> None:
    statement = json.loads(statement_bytes_of(sealed())) | {member: text}
    jws = compact.sign(compact.canonical_json(statement), KEYS["EdDSA"], "sg-event+jws")
    refused = refusal(compact.canonical_json(json.loads(sealed()) | {"jws": jws}))
    assert (refused.step, refused.why) == ("statement", "time or recordedtime is not of the years 1900 to 2999")


@pytest.mark.parametrize("text", ["1900-01-01T00:00:00+14:00", "2999-12-31T23:59:59-14:00"])
def test_instants_of_the_first_and_last_year_open(text: str) -> None:
    found = opened(sealed(time=text, recordedtime=text))
    assert parse_time(found.statement["time"]).astimezone(UTC)


def test_a_recording_time_that_stands_for_none_does_not_keep_a_record_from_being_sealed() -> None:
    assert opened(sealed(time="0001-01-01T00:00:00Z")).statement["time"] == "2026-11-21T09:16:44Z"


def test_a_refusal_carries_the_statement_once_its_source_is_known() -> None:
    record = json.loads(sealed())
    record["data"] = "e30"
    refused = refusal(json.dumps(record).encode())
    assert refused.step == "digest"
    assert refused.statement is not None
    assert refused.statement["source"] == SOURCE
    assert refused.statement_bytes == statement_bytes_of(sealed())


@pytest.mark.parametrize("changes", [{"source": "urn:other"}, {"type": "unknown.v1"}])
def test_a_refusal_carries_no_statement_before_that(changes: dict[str, str]) -> None:
    assert refusal(sealed(**changes)).statement is None


def test_a_registry_that_answers_with_another_key_or_purpose_opens_nothing() -> None:
    other, transport = SigningKey.generate(), KEYS["EdDSA"].entry(source=SOURCE, purpose="transport")
    assert refusal(sealed(), lambda _: other.entry(source=SOURCE)).step == "key"
    assert refusal(sealed(), lambda _: transport).step == "key"
    assert refusal(sealed(), lambda _: None).step == "key"


def test_a_key_is_asked_for_anew_with_every_record_although_headers_are_remembered() -> None:
    opened(sealed())
    assert refusal(sealed(), lambda _: None).step == "key"


def test_a_record_of_exactly_the_limit_opens_and_one_byte_more_does_not() -> None:
    assert opened(sealed().ljust(256 * 1024))
    assert refusal(sealed().ljust(256 * 1024 + 1)).step == "size"


def test_statements_are_chained_by_their_digest() -> None:
    first = statement_bytes_of(sealed())
    assert opened(sealed(sequence=2, prevdigest=statement_digest(first))).statement["prevdigest"] != ""


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": b"short"},
        {"data": b"[]"},
        {"data": b'{"a":1,"a":2}'},
        {"event_id": ""},
        {"event_id": "x" * 65},
        {"subject": "999 000 0018"},
        {"sequence": 0},
        {"prevdigest": "none"},
        {"recordedtime": "yesterday"},
        {"recordedtime": "9999-12-31T23:59:59Z"},
        {"time": "yesterday"},
        {"type": HEARTBEAT},
        {"data": b'{"words":"' + b"x" * 256 * 1024 + b'"}'},
    ],
)
def test_what_no_door_would_open_is_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotSeal):
        sealed(**changes)


def test_a_heartbeat_names_no_child() -> None:
    assert opened(sealed(b'{"last":7}', type=HEARTBEAT, subject=NO_CHILD)).statement["subject"] == NO_CHILD


@given(event=events)
def test_a_refusal_never_repeats_what_the_record_says(event: dict[str, Any]) -> None:
    name = "Mia Example"
    data = json.dumps({"name": name, **event}).encode()[:-1]  # not closed: no JSON
    key = KEYS["EdDSA"]
    statement = json.loads(statement_bytes_of(sealed())) | {"datadigest": data_digest(SALT, data), "id": "1"}
    jws = compact.sign(compact.canonical_json(statement), key, "sg-event+jws")
    salt_text, data_text = (compact.b64url_encode(each).decode() for each in (SALT, data))
    refused = refusal(compact.canonical_json({"jws": jws, "salt": salt_text, "data": data_text}))
    assert refused.step == "data-form"
    assert name not in str(refused)
    assert refused.__cause__ is None
    assert refused.__suppress_context__
