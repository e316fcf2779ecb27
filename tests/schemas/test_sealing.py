"""Version 2 records: what a broker keeps can be read by the hub alone, and for one statement alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Refused, SealingKey, open_envelope, statement_bytes_of
from schemas.keys import KeyRefused
from schemas.sealing import NotSealed, PublicSealingKey
from schemas.strict import b64url_decode, b64url_encode
from tests.schemas.test_envelope import DATA, ENTRIES, SALT, opened, sealed

HUB = SealingKey.generate()


def open_sealed(record: bytes, key: SealingKey | None = HUB) -> bytes:
    return open_envelope(record, ENTRIES.get, unseal=key).data_bytes


def refusal(record: bytes, key: SealingKey | None = HUB) -> Refused:
    with pytest.raises(Refused) as caught:
        open_sealed(record, key)
    return caught.value


def test_a_sealed_record_opens_to_the_same_as_a_plain_one() -> None:
    whole = open_envelope(sealed(to=HUB.public), ENTRIES.get, unseal=HUB)
    assert whole == opened(sealed())
    assert (whole.salt, whole.data_bytes) == (SALT, DATA)


def test_a_hub_that_unseals_still_takes_plain_records() -> None:
    assert open_sealed(sealed()) == DATA


def test_sealing_twice_gives_the_same_statement_and_other_bytes() -> None:
    one, other = sealed(to=HUB.public), sealed(to=HUB.public)
    assert one != other
    assert statement_bytes_of(one) == statement_bytes_of(other) == statement_bytes_of(sealed())


def test_nothing_of_the_data_or_salt_stands_in_a_sealed_record() -> None:
    record = sealed(to=HUB.public)
    assert json.loads(record).keys() == {"jws", "sealed"}
    assert b64url_encode(DATA) not in record
    assert b64url_encode(SALT) not in record


def test_without_the_hubs_key_its_form_is_not_known() -> None:
    assert refusal(sealed(to=HUB.public), None).step == "record-form"


def test_sealed_to_another_hub_is_refused_after_the_statement_was_believed() -> None:
    refused = refusal(sealed(to=SealingKey.generate().public))
    assert (refused.step, refused.statement is not None) == ("digest", True)


def test_sealed_bytes_moved_to_another_statement_do_not_open() -> None:
    one, other = json.loads(sealed(to=HUB.public)), json.loads(sealed(to=HUB.public, sequence=2))
    moved = json.dumps({"jws": one["jws"], "sealed": other["sealed"]}, separators=(",", ":")).encode()
    assert refusal(moved).step == "digest"


def test_plain_members_beside_sealed_ones_are_refused() -> None:
    both = json.loads(sealed(to=HUB.public)) | json.loads(sealed())
    assert refusal(json.dumps(both).encode()).step == "record-form"


def test_white_space_between_the_parts_opens_the_long_way() -> None:
    assert open_sealed(json.dumps(json.loads(sealed(to=HUB.public)), indent=1).encode()) == DATA


@given(st.data())
def test_every_changed_byte_of_what_is_sealed_is_noticed(data: st.DataObject) -> None:
    members = json.loads(sealed(to=HUB.public))
    raw = bytearray(b64url_decode(members["sealed"].encode()))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    members["sealed"] = b64url_encode(bytes(raw)).decode()
    assert refusal(json.dumps(members).encode()).step == "digest"


@given(st.binary(max_size=120))
def test_what_was_never_sealed_is_not_unsealed(noise: bytes) -> None:
    with pytest.raises(NotSealed):
        HUB.unseal(noise, b"a.b.c")


def test_a_key_survives_its_file_and_shows_nothing() -> None:
    again = SealingKey.from_pem(HUB.to_pem())
    assert again.public_jwk() == HUB.public_jwk() == PublicSealingKey.from_jwk(HUB.public_jwk()).public_jwk()
    assert HUB.to_pem().decode().split("\n")[1] not in repr(HUB)


@pytest.mark.parametrize(
    "change",
    [{"kty": "EC"}, {"crv": "Ed25519"}, {"use": "sig"}, {"d": "AA"}, {"x": "AA"}, {"x": "A" * 43}, {"kid": "other"}],
)
def test_another_kind_of_key_is_not_pinned(change: dict[str, str]) -> None:
    with pytest.raises(KeyRefused):
        PublicSealingKey.from_jwk(HUB.public_jwk() | change)
