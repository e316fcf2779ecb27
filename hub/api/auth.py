"""Who a person is: OpenID Connect access tokens (RFC 9068) of one pinned issuer, judged without asking anybody.

1. The form, and a header whose algorithm is the one pinned, whose type is an access token's, whose key name is in the
issuer's set. 2. The signature, by a key that was parsed once. 3. Issuer, the one audience, subject, times. A token says
who somebody is (issuer and subject together), never what they may do; roles and names in it are not read.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from hub.api.issuer_keys import SET_LIMIT, FetchFailed, IssuerKeys, SetRefused, fetcher

TOKEN_LIMIT = 8192
SUBJECT_LIMIT = 255
LEEWAY_S = 30
"""Seconds by which the issuer's clock may differ from ours, either way."""
FOR_EVER = 2**53
"""Times, in POSIX seconds, are below this; a NaN or an infinity is not."""
RSA_BITS = 2048
KEYS_LIMIT = 100
TYPES = frozenset({"at+jwt", "application/at+jwt"})
"""RFC 9068 section 4: what keeps an ID token, a logout token or a proof from passing as an access token."""
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "RS256": ("RSA", ""), "PS256": ("RSA", ""), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519"),
}  # fmt: skip
"""Algorithms that may be pinned, with the kind and curve of their keys (RFC 7518, RFC 8037). No symmetric one, ever."""
PRIVATE = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})

_FORM = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLAIMS = ["aud", "exp", "iat", "iss", "sub"]
# The clock is the hub's, so PyJWT leaves the times to us.
_OPTIONS: Any = {
    "require": _CLAIMS, "strict_aud": True, "verify_exp": False, "verify_iat": False, "verify_nbf": False,
}  # fmt: skip


class BadToken(Exception):
    """The token proves nobody; the text names the broken rule, for the log."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who a token proves: a subject of an issuer. The same name at another issuer is somebody else."""

    issuer: str
    subject: str


class PeopleTokens:
    """Judges access tokens of one issuer."""

    def __init__(
        self, *, issuer: str, audience: str, algorithm: str, keys: IssuerKeys, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        if algorithm not in KINDS:
            raise SetRefused("the issuer's algorithm is one of " + ", ".join(KINDS))
        if not issuer or not audience:
            raise SetRefused("issuer and audience must be set")
        self.issuer, self.audience, self.algorithm, self.keys, self.clock = issuer, audience, algorithm, keys, clock

    def person_of(self, token: str) -> str:
        """The person's id: the subject, of the one issuer. Errors: as `open`."""
        return self.open(token).subject

    def open(self, token: str) -> Person:
        """The person that this token proves now. Errors: `BadToken`, `hub.api.issuer_keys.KeysAway`."""
        form = _FORM.fullmatch(token) if len(token) <= TOKEN_LIMIT else None
        if form is None:
            raise BadToken("form")
        algorithm, kind, kid = _header(form[1])
        if algorithm != self.algorithm:
            raise BadToken("algorithm")
        if kind not in TYPES:
            raise BadToken("type")
        key = self.keys.find(kid)
        if key is None:
            raise BadToken("key")
        try:
            claims = jwt.decode(
                token, key, algorithms=[self.algorithm], audience=self.audience, issuer=self.issuer, options=_OPTIONS
            )
        except jwt.PyJWTError as fault:
            raise BadToken(type(fault).__name__) from None
        return self._judge(claims)

    def _judge(self, claims: Mapping[str, Any]) -> Person:
        now = self.clock().timestamp()
        begins, ends = claims["iat"], claims["exp"]
        earliest = claims.get("nbf", begins)
        if not all(_is_time(one) for one in (begins, ends, earliest)):
            raise BadToken("times")
        if not (begins - LEEWAY_S <= now and earliest - LEEWAY_S <= now and now < ends + LEEWAY_S and begins < ends):
            raise BadToken("not valid now")
        if "cnf" in claims:
            raise BadToken("bound to a key that is not shown here")  # RFC 7800: a bound token is no bearer token
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_LIMIT or not subject.isprintable():
            raise BadToken("subject")
        return Person(self.issuer, subject)


def open_issuer(
    *, issuer: str, audience: str, algorithm: str, where: str, clock: Callable[[], datetime],
) -> PeopleTokens:  # fmt: skip
    """The verifier for a configured issuer, its keys in the file or at the https address `where`.

    A file must be there now; an address that is away is asked again later, and until then no token is taken.
    Errors: `SetRefused`, `FetchFailed` for a file.
    """
    keys = IssuerKeys(fetcher(where), lambda raw: read_set(raw, algorithm))
    tokens = PeopleTokens(issuer=issuer, audience=audience, algorithm=algorithm, keys=keys, clock=clock)
    try:
        keys.load()
    except FetchFailed:
        if not where.startswith("https://"):
            raise
    return tokens


def read_set(raw: bytes, algorithm: str) -> Mapping[str, Any]:
    """The keys of a JWK set (RFC 7517) that sign with this algorithm, by name, parsed.

    Keys for encryption or another algorithm are left out, as issuers publish them too. Errors: `SetRefused` for the
    whole set when it names one key twice, holds a symmetric or private key, or has no key for this algorithm.
    """
    found: dict[str, Any] = {}
    names: set[str] = set()
    for jwk in _members(raw):
        if jwk.get("kty") == "oct" or PRIVATE & jwk.keys():
            raise SetRefused("the set holds a symmetric or private key")
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not kid:
            continue
        if kid in names:
            raise SetRefused("the set names one key twice")
        names.add(kid)
        if _is_for(jwk, algorithm):
            found[kid] = _parsed(jwk, algorithm)
    if not found:
        raise SetRefused("the set has no key for the issuer's algorithm")
    return found


def new_private_pem(seed: bytes) -> bytes:
    """An Ed25519 private key in PEM from 32 random bytes (RFC 8410 section 7), for the demo issuer."""
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der) + b"\n-----END PRIVATE KEY-----\n"


def public_jwk(pem: bytes, kid: str) -> dict[str, Any]:
    """The public half of such a key as a JWK."""
    jwk = OKPAlgorithm.to_jwk(OKPAlgorithm().prepare_key(pem), as_dict=True)
    return {**{name: jwk[name] for name in ("kty", "crv", "x")}, "kid": kid, "alg": "EdDSA", "use": "sig"}


def signed(claims: Mapping[str, Any], pem: bytes, kid: str) -> str:
    """An access token over these claims."""
    return jwt.encode(dict(claims), pem, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": kid})


@lru_cache(maxsize=256)
def _header(part: str) -> tuple[str, str, str]:
    """(algorithm, type, key name) of a header. An issuer's headers repeat, so they are remembered.

    `jku`, `x5u`, `jwk` and `x5c` are not read: a key comes from the issuer's set or not at all.
    """
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise BadToken("header") from None
    if not isinstance(header, dict) or "crit" in header or "b64" in header:
        raise BadToken("header")
    algorithm, kind, kid = (header.get(name) for name in ("alg", "typ", "kid"))
    if not (isinstance(algorithm, str) and isinstance(kind, str) and isinstance(kid, str)):
        raise BadToken("header")
    return algorithm, kind.lower(), kid


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FOR_EVER


def _members(raw: bytes) -> list[dict[str, Any]]:
    try:
        parsed = json.loads(raw, object_pairs_hook=_once) if len(raw) <= SET_LIMIT else None
    except (ValueError, RecursionError):
        parsed = None
    keys = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(keys, list) or len(keys) > KEYS_LIMIT or not all(isinstance(key, dict) for key in keys):
        raise SetRefused("not a JWK set")
    return keys


def _is_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = KINDS[algorithm]
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == kind
        and jwk.get("crv", "") == curve
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, Collection)
        and "verify" in operations
    )


def _parsed(jwk: dict[str, Any], algorithm: str) -> Any:
    key: Any
    try:
        match KINDS[algorithm][0]:
            case "RSA":
                key = RSAAlgorithm.from_jwk(jwk)
                if key.key_size < RSA_BITS:
                    raise SetRefused(f"the set holds an RSA key of less than {RSA_BITS} bits")
            case "EC":
                key = ECAlgorithm.from_jwk(jwk)
            case _:
                key = OKPAlgorithm.from_jwk(jwk)
    except SetRefused:
        raise
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise SetRefused("the set holds a key that cannot be read") from None
    return key
