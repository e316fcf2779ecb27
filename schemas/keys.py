"""Signing keys, and the public keys that the registry holds: Ed25519 (`EdDSA`) or P-256 (`ES256`), nothing else.

A key's name (`kid`) is its RFC 7638 thumbprint, so it can neither clash nor be pointed elsewhere. Everything that may
be refused about a public key is refused when it is registered, so that opening a record only calls `verify`. Which keys
are active, and from when, is the registry's business and not known here.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from schemas.strict import NotStrict, b64url_decode, b64url_encode

EDDSA, ES256 = "EdDSA", "ES256"
PURPOSES = frozenset({"event", "transport", "receipt"})
SIGNATURE_BYTES = 64

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF_ORDER = P256_ORDER // 2
_ECDSA = ec.ECDSA(SHA256())
_ECDSA_DETERMINISTIC = ec.ECDSA(SHA256(), deterministic_signing=True)  # RFC 6979: no luck needed, same input same bytes

# Curve25519's field, the Edwards constant d, and the y coordinates of the eight points of small order (RFC 8032 5.1).
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_Y_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
Verify = Callable[[bytes, bytes], bool]


class KeyRefused(ValueError):
    """A key that may not be registered or used. The text names the rule, never key material."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One registered public key.

    `verify(signature, message)` says whether the 64-byte signature holds; it never raises. `source` is the URN that the
    key speaks for (for a receipt key, the hub's). `purpose` is `event`, `transport` or `receipt`: one key, one purpose.
    """

    kid: str
    alg: str
    source: str
    purpose: str
    verify: Verify = field(repr=False, compare=False)
    public_key: PublicKey = field(repr=False, compare=False)
    public_jwk: Mapping[str, str] = field(repr=False, compare=False)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, source: str, purpose: str = "event") -> "KeyEntry":
        """Judges a public JWK (RFC 7517, RFC 8037) for registration. Raises KeyRefused.

        Refused: RSA, symmetric and private keys, Ed448 and every other curve, points off the curve, of small order or
        in a second encoding, an `alg`, `use` or `key_ops` for another task, a `kid` that is not the thumbprint.
        """
        if purpose not in PURPOSES:
            raise KeyRefused("purpose is not event, transport or receipt")
        if not isinstance(jwk, Mapping):
            raise KeyRefused("a JWK is a JSON object")
        if "d" in jwk or "k" in jwk:
            raise KeyRefused("holds a private or symmetric key: destroy it and make another")
        kind = (jwk.get("kty"), jwk.get("crv"))
        if kind == ("OKP", "Ed25519"):
            alg, public_key, verify, core = _ed25519_from_jwk(jwk)
        elif kind == ("EC", "P-256"):
            alg, public_key, verify, core = _p256_from_jwk(jwk)
        else:
            raise KeyRefused("only Ed25519 and P-256 keys are taken")
        kid = thumbprint(core)
        if jwk.get("alg", alg) != alg:
            raise KeyRefused(f"alg of this key is {alg}")
        tasks = jwk.get("key_ops", ["verify"])
        if jwk.get("use", "sig") != "sig" or type(tasks) is not list or "verify" not in tasks:
            raise KeyRefused("key is for another use than signatures")
        if jwk.get("kid", kid) != kid:
            raise KeyRefused("kid is not the RFC 7638 thumbprint")
        return cls(kid, alg, source, purpose, verify, public_key, {**core, "alg": alg, "use": "sig", "kid": kid})


Registry = Callable[[str], KeyEntry | None]
"""Gives the key of this name if it is active for the purpose at hand, else None."""


def thumbprint(core: Mapping[str, str]) -> str:
    """RFC 7638: base64url SHA-256 over the required members in lexical order."""
    canonical = json.dumps(core, sort_keys=True, separators=(",", ":")).encode()
    return b64url_encode(hashlib.sha256(canonical).digest()).decode()


def is_signature_form(alg: str, signature: bytes) -> bool:
    """64 raw bytes; for ES256 with the lower of the two s (anyone can turn the other way round without the key)."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    return alg != ES256 or int.from_bytes(signature[32:], "big") <= _HALF_ORDER


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    try:
        raw = b64url_decode(value.encode("ascii")) if isinstance(value, str) else b""
    except (NotStrict, UnicodeEncodeError):
        raw = b""
    if len(raw) != 32:
        raise KeyRefused(f"{name} is not 32 bytes of base64url")
    return raw


def _ed25519_from_jwk(jwk: Mapping[str, Any]) -> tuple[str, PublicKey, Verify, dict[str, str]]:
    raw = _coordinate(jwk, "x")
    encoded = int.from_bytes(raw, "little")
    y = encoded & (2**255 - 1)
    if y >= _P:
        raise KeyRefused("point is not in its canonical encoding")
    if y in _SMALL_ORDER_Y:  # covers the two encodings of x = 0 as well
        raise KeyRefused("point of small order")
    # x² = (y²-1)/(dy²+1) has a solution exactly if (y²-1)(dy²+1) is a square (Euler's criterion).
    if pow((y * y - 1) * (_D * y * y + 1) % _P, (_P - 1) // 2, _P) != 1:
        raise KeyRefused("point is not on the curve")
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    return EDDSA, key, _ed25519_verify(key), {"crv": "Ed25519", "kty": "OKP", "x": b64url_encode(raw).decode()}


def _ed25519_verify(key: ed25519.Ed25519PublicKey) -> Verify:
    check = key.verify

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            check(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def _p256_from_jwk(jwk: Mapping[str, Any]) -> tuple[str, PublicKey, Verify, dict[str, str]]:
    x, y = _coordinate(jwk, "x"), _coordinate(jwk, "y")
    try:
        key = ec.EllipticCurvePublicNumbers(
            int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
        ).public_key()
    except ValueError:
        raise KeyRefused("point is not on the curve") from None
    core = {"crv": "P-256", "kty": "EC", "x": b64url_encode(x).decode(), "y": b64url_encode(y).decode()}
    return ES256, key, _p256_verify(key), core


def _p256_verify(key: ec.EllipticCurvePublicKey) -> Verify:
    check = key.verify

    def verify(signature: bytes, message: bytes) -> bool:
        if not is_signature_form(ES256, signature):
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            check(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True

    return verify


class SigningKey:
    """A private key and its name. Its text form never shows the key."""

    def __init__(self, private: PrivateKey) -> None:
        """Raises KeyRefused for any key but Ed25519 and P-256."""
        if isinstance(private, ed25519.Ed25519PrivateKey):
            raw = private.public_key().public_bytes_raw()
            core = {"crv": "Ed25519", "kty": "OKP", "x": b64url_encode(raw).decode()}
            self.alg = EDDSA
        elif isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1):
            point = private.public_key().public_numbers()
            x, y = (b64url_encode(n.to_bytes(32, "big")).decode() for n in (point.x, point.y))
            core = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
            self.alg = ES256
        else:
            raise KeyRefused("only Ed25519 and P-256 keys are taken")
        self._private = private
        self._core = core
        self.kid = thumbprint(core)

    def __repr__(self) -> str:
        return f"SigningKey({self.alg}, {self.kid})"

    @classmethod
    def generate(cls, alg: str = EDDSA) -> "SigningKey":
        """A new key from the system's randomness; `alg` is `EdDSA` or `ES256`."""
        match alg:
            case "EdDSA":
                return cls(ed25519.Ed25519PrivateKey.generate())
            case "ES256":
                return cls(ec.generate_private_key(ec.SECP256R1()))
        raise KeyRefused("alg is EdDSA or ES256")

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """Reads an unencrypted PKCS#8 (or SEC 1) PEM. Raises KeyRefused."""
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise KeyRefused("not a readable private key in PEM") from None
        if not isinstance(private, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
            raise KeyRefused("only Ed25519 and P-256 keys are taken")
        return cls(private)

    def to_pem(self) -> bytes:
        """Unencrypted PKCS#8 PEM: the file's mode (0600) is its protection."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_jwk(self) -> dict[str, str]:
        """The public half for a registration request."""
        return {**self._core, "alg": self.alg, "use": "sig", "kid": self.kid}

    def entry(self, *, source: str, purpose: str = "event") -> KeyEntry:
        """The registry's view of this key."""
        return KeyEntry.from_jwk(self.public_jwk(), source=source, purpose=purpose)

    @property
    def private_key(self) -> PrivateKey:
        """For the libraries that sign by themselves (transport tokens)."""
        return self._private

    def sign(self, message: bytes) -> bytes:
        """64 raw bytes, the same for the same message; ES256 as r ‖ s with the lower s."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        r, s = decode_dss_signature(self._private.sign(message, _ECDSA_DETERMINISTIC))
        return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")
