"""The demo's own issuer of people's tokens: whoever holds the demo's folder can be anybody in it. Never in production.

A hub is made as a demo hub or not, once; this issuer exists only for one that was, and its name is refused as an issuer
everywhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hub.api.auth import new_private_pem, public_jwk, signed

DEMO_ISSUER = "urn:safeguarding:demo-issuer"
ALGORITHM = "EdDSA"
HOUR_S = 3600


class DemoOnly(Exception):
    """The demo issuer was wanted where there is no demo; the text says what to do."""


class DemoIssuer:
    """Mints access tokens for anybody who is asked for."""

    def __init__(self, pem: bytes, clock: Callable[[], datetime]) -> None:
        self.issuer, self.algorithm = DEMO_ISSUER, ALGORITHM
        self._pem, self._clock = pem, clock
        self._kid = "demo-" + hashlib.sha256(json.dumps(public_jwk(pem, "")).encode()).hexdigest()[:16]

    def jwks(self) -> bytes:
        """The public keys as a JWK set."""
        return json.dumps({"keys": [public_jwk(self._pem, self._kid)]}).encode()

    def token(self, person: str, audience: str) -> str:
        """An access token that proves this person for an hour of the demo's clock."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": self.issuer, "sub": person, "aud": audience, "iat": now, "exp": now + HOUR_S,
            "jti": uuid.uuid4().hex,
        }  # fmt: skip
        return signed(claims, self._pem, self._kid)


def demo_issuer(home: Path, clock: Callable[[], datetime]) -> DemoIssuer:
    """The issuer of the demo hub in this home folder, its key made when it is first asked for. Errors: `DemoOnly`."""
    try:
        is_demo = json.loads((home / "hub.json").read_bytes()).get("demo") is True
    except FileNotFoundError:
        is_demo = False
    if not is_demo:
        raise DemoOnly("this hub is no demo: configure the partnership's own issuer (HUB_ISSUER, HUB_JWKS)")
    path = home / "demo-issuer.pem"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(new_private_pem(os.urandom(32)))
        fresh.rename(path)
    return DemoIssuer(path.read_bytes(), clock)


def refuse_demo_issuer(issuer: str, *, demo: bool) -> None:
    """Refuse the demo issuer's name as the configured issuer outside a demo. Errors: `DemoOnly`."""
    if issuer.strip().casefold() == DEMO_ISSUER and not demo:
        raise DemoOnly("the demo's issuer is refused outside demo mode: configure the partnership's own (HUB_ISSUER)")
