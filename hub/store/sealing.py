"""Bytes under a key: AES-256-GCM with a random nonce in front and associated data that says where they belong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from hub.store.keys import KeyAway

NONCE_BYTES = 12


def seal_bytes(key: bytes, plain: bytes, place: bytes) -> bytes:
    """Encrypt; the same place must be given to open again."""
    return sealer(key)(plain, place)


def sealer(key: bytes, nonces: Iterator[bytes] | None = None) -> Callable[[bytes, bytes], bytes]:
    """`seal_bytes` for many under one key: takes plain bytes and their place."""
    encrypt, nonces = AESGCM(key).encrypt, nonces or many_nonces(1)

    def seal_one(plain: bytes, place: bytes) -> bytes:
        nonce = next(nonces)
        return nonce + encrypt(nonce, plain, place)

    return seal_one


def many_nonces(at_once: int = 256) -> Iterator[bytes]:
    """Random nonces without end, drawn many at once: one draw takes half as long as sealing a row. For one thread."""
    while True:
        drawn = os.urandom(NONCE_BYTES * at_once)
        yield from [drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES)]


def open_bytes(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Decrypt. Errors: `KeyAway` when the key or the place is another."""
    return opener(key)(sealed, place)


def opener(key: bytes) -> Callable[[bytes, bytes], bytes]:
    """`open_bytes` for many under one key: takes sealed bytes and their place."""
    decrypt = AESGCM(key).decrypt

    def open_one(sealed: bytes, place: bytes) -> bytes:
        try:
            return decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag as error:
            raise KeyAway("sealed bytes do not open") from error

    return open_one


def seal_token(key: bytes, plain: bytes, place: bytes) -> bytes:
    """Encrypt deterministically (RFC 5297), for cursors: the same input gives the same token. `key` is 64 bytes."""
    return AESSIV(key).encrypt(plain, [place])


def open_token(key: bytes, sealed: bytes, place: bytes) -> bytes | None:
    """Decrypt a token, or None when it is not ours."""
    try:
        return AESSIV(key).decrypt(sealed, [place])
    except (InvalidTag, ValueError):
        return None
