"""Which keys are registered, and that a key signs what its public half verifies."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import P256_ORDER, KeyEntry, KeyRefused, SigningKey, is_signature_form, thumbprint
from schemas.strict import b64url_encode

P = 2**255 - 19
SOURCE = "urn:safeguarding:source:police"
KEYS = {alg: SigningKey.generate(alg) for alg in ("EdDSA", "ES256")}


def ed25519_jwk(encoded: int) -> dict[str, Any]:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(encoded.to_bytes(32, "little")).decode()}


def register(jwk: Any) -> KeyEntry:
    return KeyEntry.from_jwk(jwk, source=SOURCE)


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
@given(message=st.binary(max_size=200))
def test_a_key_signs_what_its_public_half_verifies_and_nothing_else(alg: str, message: bytes) -> None:
    key = KEYS[alg]
    entry = register(key.public_jwk())
    signature = key.sign(message)
    assert signature == key.sign(message)
    assert is_signature_form(alg, signature)
    assert entry.verify(signature, message)
    assert not entry.verify(signature, message + b"x")
    assert not entry.verify(bytes(64), message)
    assert not entry.verify(signature[:63], message)


@given(message=st.binary(max_size=50))
def test_the_higher_s_that_anyone_can_make_is_refused(message: bytes) -> None:
    key = KEYS["ES256"]
    signature = key.sign(message)
    turned = signature[:32] + (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert not is_signature_form("ES256", turned)
    assert not register(key.public_jwk()).verify(turned, message)


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_a_key_written_and_read_again_is_the_same_key(alg: str) -> None:
    key = KEYS[alg]
    again = SigningKey.from_pem(key.to_pem())
    assert (again.kid, again.alg, again.public_jwk()) == (key.kid, key.alg, key.public_jwk())


def test_a_key_does_not_show_itself() -> None:
    key = KEYS["EdDSA"]
    assert repr(key) == f"SigningKey(EdDSA, {key.kid})"


def test_the_name_of_a_key_is_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    core = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(core) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert register(core).kid == thumbprint(core)


# The eight points of small order of edwards25519 by their y, with both signs of x where there are two.
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, P - 1, ORDER_8, P - ORDER_8])
def test_points_of_small_order_are_refused(y: int, sign: int) -> None:
    with pytest.raises(KeyRefused, match="small order"):
        register(ed25519_jwk(y | sign))


def test_the_listed_points_of_order_8_are_on_the_curve_and_double_to_order_4() -> None:
    d = -121665 * pow(121666, -1, P) % P
    for y in (ORDER_8, P - ORDER_8):
        x_squared = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        assert pow(x_squared, (P - 1) // 2, P) == 1
        # y of the doubled point is (y² + x²) / (1 - dx²y²); it is 0 exactly for the points of order 4.
        assert (y * y + x_squared) % P == 0


@pytest.mark.parametrize("y", [P, P + 1, 2**255 - 1])
def test_points_in_a_second_encoding_are_refused(y: int) -> None:
    with pytest.raises(KeyRefused, match="canonical"):
        register(ed25519_jwk(y))


def test_points_off_the_curve_are_refused() -> None:
    with pytest.raises(KeyRefused, match="not on the curve"):
        register(ed25519_jwk(2))
    with pytest.raises(KeyRefused, match="not on the curve"):
        register({**KEYS["ES256"].public_jwk(), "y": "A" * 43})


def other_pem(kind: str) -> bytes:
    private: Any
    match kind:
        case "RSA":
            private = rsa.generate_private_key(65537, 2048)
        case "Ed448":
            private = ed448.Ed448PrivateKey.generate()
        case _:
            private = ec.generate_private_key(ec.SECP384R1())
    form = serialization.PrivateFormat.PKCS8
    pem: bytes = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return pem


@pytest.mark.parametrize("kind", ["RSA", "Ed448", "P-384"])
def test_other_kinds_of_private_key_are_refused(kind: str) -> None:
    with pytest.raises(KeyRefused):
        SigningKey.from_pem(other_pem(kind))


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyRefused):
        SigningKey.from_pem(pem)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        [],
        None,
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
        {"kty": "OKP", "crv": "Ed448", "x": "A" * 76},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64},
        {"kty": ["OKP"], "crv": "Ed25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        {"kty": "OKP", "crv": "Ed25519", "x": "é" * 43},
        KEYS["EdDSA"].public_jwk() | {"x": KEYS["EdDSA"].public_jwk()["x"] + "="},
        KEYS["EdDSA"].public_jwk() | {"d": "A" * 43},
        KEYS["EdDSA"].public_jwk() | {"alg": "ES256"},
        KEYS["EdDSA"].public_jwk() | {"alg": None},
        KEYS["EdDSA"].public_jwk() | {"use": "enc"},
        KEYS["EdDSA"].public_jwk() | {"key_ops": ["encrypt"]},
        KEYS["EdDSA"].public_jwk() | {"key_ops": 7},
        KEYS["EdDSA"].public_jwk() | {"kid": "police-2026"},
        KEYS["EdDSA"].public_jwk() | {"kid": KEYS["ES256"].kid},
    ],
)
def test_a_public_key_of_another_kind_use_or_name_is_refused(jwk: Any) -> None:
    with pytest.raises(KeyRefused):
        register(jwk)


def test_a_purpose_must_be_known() -> None:
    with pytest.raises(KeyRefused):
        KeyEntry.from_jwk(KEYS["EdDSA"].public_jwk(), source=SOURCE, purpose="anything")
