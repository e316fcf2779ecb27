"""Who is calling, and that a key is really held: transport tokens and proofs of possession.

A transport token is a JWT of at most 60 seconds, signed by the source's *transport* key (never its event key) for one
audience (RFC 7519, RFC 7523). PyJWT judges its claims; the header is read by our own strict profile first. That a
token's `jti` passes only once is the caller's business, who has a store; so is the list of active keys.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import jwt

from schemas import compact
from schemas.compact import Refused
from schemas.keys import KeyEntry, KeyRefused, Registry, SigningKey
from schemas.strict import NotStrict, strict_json

TOKEN_TYP = "sg-transport+jwt"  # noqa: S105 a media type, not a secret
POSSESSION_TYP = "sg-possession+jws"
TOKEN_LIMIT = 4096
TOKEN_SECONDS = 60
LEEWAY_S = 30
"""Seconds by which the caller's clock may differ from ours, either way."""

_CLAIMS = ["aud", "exp", "iat", "iss", "jti", "sub"]


class Caller(NamedTuple):
    """Who called. `jti` must be remembered until the POSIX second `exp`, leeway included."""

    source: str
    jti: str
    exp: int


def transport_token(key: SigningKey, *, source: str, audience: str, now: datetime | float, jti: str) -> str:
    """A token for one call. `now` is an aware datetime or POSIX seconds; `jti` is unique for ever."""
    issued = _seconds(now)
    claims = {
        "iss": source,
        "sub": source,
        "aud": audience,
        "iat": issued,
        "exp": issued + TOKEN_SECONDS,
        "jti": jti,
    }
    return jwt.encode(claims, key.private_key, algorithm=key.alg, headers={"typ": TOKEN_TYP, "kid": key.kid})


def open_transport_token(token: str, registry: Registry, *, audience: str, now: datetime | float) -> Caller:
    """Judges a token against the active transport keys. Raises Refused with step `token`."""
    if len(token) > TOKEN_LIMIT:
        raise Refused("token", "too long")
    try:
        parts = compact.split(token, TOKEN_TYP)
        strict_json(parts.payload, TOKEN_LIMIT)  # PyJWT would take duplicate members, and fall over deep nesting
    except Refused as refused:
        raise Refused("token", refused.why) from None
    except NotStrict as fault:
        raise Refused("token", str(fault)) from None
    entry = registry(parts.kid)
    if entry is None or entry.purpose != "transport" or entry.kid != parts.kid:
        raise Refused("token", "no active transport key of this name")
    if parts.alg != entry.alg:
        raise Refused("token", "alg is not the registered key's")
    claims = _claims(token, entry, audience)
    if claims["iss"] != entry.source or claims["sub"] != entry.source:
        raise Refused("token", "issuer or subject is not the key's source")
    issued, expires, at = claims["iat"], claims["exp"], _seconds(now)
    if type(issued) is not int or type(expires) is not int or not 0 < expires - issued <= TOKEN_SECONDS:
        raise Refused("token", f"lives longer than {TOKEN_SECONDS} s")
    if not issued - LEEWAY_S <= at < expires + LEEWAY_S:
        raise Refused("token", "not valid now")
    if not isinstance(claims["jti"], str) or not 1 <= len(claims["jti"]) <= 128:
        raise Refused("token", "jti is not 1 to 128 characters")
    return Caller(entry.source, claims["jti"], expires + LEEWAY_S)


def _claims(token: str, entry: KeyEntry, audience: str) -> dict[str, Any]:
    # The clock is an argument here, so PyJWT leaves the times to us.
    options: Any = {
        "require": _CLAIMS,
        "strict_aud": True,
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    try:
        return jwt.decode(token, entry.public_key, algorithms=[entry.alg], audience=audience, options=options)
    except jwt.PyJWTError as fault:
        raise Refused("token", type(fault).__name__) from None


def _seconds(now: datetime | float) -> int:
    if isinstance(now, datetime):
        if now.tzinfo is None:
            raise ValueError("now needs its zone")
        return int(now.astimezone(UTC).timestamp())
    return int(now)


def proof_of_possession(key: SigningKey, *, hub: str, source: str) -> str:
    """Signs the names of hub and source with a key that is to be registered, so that nobody registers another's key."""
    return compact.sign(compact.canonical_json({"hub": hub, "source": source}), key, POSSESSION_TYP)


def check_possession(proof: str, jwk: Any, *, hub: str, source: str) -> str:
    """Gives the key's name if whoever made `proof` holds the private half. Raises Refused with step `possession`."""
    try:
        entry = KeyEntry.from_jwk(jwk, source=source)
        parts = compact.split(proof, POSSESSION_TYP)
        compact.check_signature(parts, entry)
        named = strict_json(parts.payload, TOKEN_LIMIT)
    except (KeyRefused, NotStrict) as fault:
        raise Refused("possession", str(fault)) from None
    except Refused as refused:
        raise Refused("possession", refused.why) from None
    if parts.kid != entry.kid or named != {"hub": hub, "source": source}:
        raise Refused("possession", "proof is for another key, hub or source")
    return entry.kid
