"""The hub's sealing key: what version 2 records are encrypted to, so that no broker's disk can read them.

HPKE in base mode (RFC 9180): X25519, HKDF-SHA-256, AES-256-GCM. It hides; it proves nothing, that is the signature's
task, over the digest of what is hidden. `info` ties the sealed bytes to one signed statement.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from schemas.keys import KeyRefused, thumbprint
from schemas.strict import NotStrict, b64url_decode, b64url_encode

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
OVERHEAD_BYTES = 48
"""How much longer sealed bytes are: the encapsulated key and the tag."""


class NotSealed(ValueError):
    """These bytes were not sealed to this key for this statement."""


class PublicSealingKey:
    """The public half, which agencies pin."""

    def __init__(self, key: x25519.X25519PublicKey) -> None:
        self._key = key
        self._core = {"crv": "X25519", "kty": "OKP", "x": b64url_encode(key.public_bytes_raw()).decode()}
        self.kid = thumbprint(self._core)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> "PublicSealingKey":
        """Reads a public JWK (RFC 8037). Raises KeyRefused for a private key or any other kind."""
        if not isinstance(jwk, Mapping) or "d" in jwk:
            raise KeyRefused("not a public JWK")
        if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "X25519") or jwk.get("use", "enc") != "enc":
            raise KeyRefused("only X25519 keys seal")
        try:
            raw = b64url_decode(str(jwk.get("x", "")).encode("ascii"))
            key = cls(x25519.X25519PublicKey.from_public_bytes(raw))
            key.seal(b"", b"")  # a point of small order is refused by its first use
        except (NotStrict, UnicodeEncodeError, ValueError):
            raise KeyRefused("x is not a usable point in 32 bytes of base64url") from None
        if jwk.get("kid", key.kid) != key.kid:
            raise KeyRefused("kid is not the RFC 7638 thumbprint")
        return key

    def public_jwk(self) -> dict[str, str]:
        """For agencies to pin."""
        return {**self._core, "use": "enc", "kid": self.kid}

    def seal(self, plain: bytes, jws: bytes) -> bytes:
        """Encrypts for the statement signed in `jws`; the same call gives other bytes each time."""
        return _SUITE.encrypt(plain, self._key, info=hashlib.sha256(jws).digest())


class SealingKey:
    """The private half, the hub's. Its text form never shows the key."""

    def __init__(self, private: x25519.X25519PrivateKey) -> None:
        self._private = private
        self.public = PublicSealingKey(private.public_key())

    def __repr__(self) -> str:
        return f"SealingKey({self.public.kid})"

    @classmethod
    def generate(cls) -> "SealingKey":
        """A new key from the system's randomness."""
        return cls(x25519.X25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> "SealingKey":
        """Reads an unencrypted PKCS#8 PEM. Raises KeyRefused."""
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise KeyRefused("not a readable private key in PEM") from None
        if not isinstance(private, x25519.X25519PrivateKey):
            raise KeyRefused("only X25519 keys seal")
        return cls(private)

    def to_pem(self) -> bytes:
        """Unencrypted PKCS#8 PEM: the file's mode (0600) is its protection."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_jwk(self) -> dict[str, str]:
        """The public half for agencies."""
        return self.public.public_jwk()

    def unseal(self, sealed: bytes, jws: bytes) -> bytes:
        """What was sealed for the statement signed in `jws`. Raises NotSealed."""
        try:
            return _SUITE.decrypt(sealed, self._private, info=hashlib.sha256(jws).digest())
        except (InvalidTag, ValueError):
            raise NotSealed("not sealed to this key for this statement") from None
