"""Transport tokens and proofs of possession: who is calling, for one door, for one minute."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from schemas import compact
from schemas.compact import Refused
from schemas.keys import SigningKey
from schemas.transport import (
    LEEWAY_S,
    TOKEN_TYP,
    Caller,
    check_possession,
    open_transport_token,
    proof_of_possession,
    transport_token,
)

SOURCE, HUB = "urn:safeguarding:source:police", "urn:safeguarding:hub:harrowmere-westlorn"
INBOX = HUB + "/inbox"
NOW = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)
KEYS = {alg: SigningKey.generate(alg) for alg in ("EdDSA", "ES256")}
ENTRIES = {key.kid: key.entry(source=SOURCE, purpose="transport") for key in KEYS.values()}
CLAIMS = {"iss": SOURCE, "sub": SOURCE, "aud": INBOX, "iat": 0, "exp": 60, "jti": "j"}


def opened(token: str, *, audience: str = INBOX, now: datetime = NOW) -> Caller:
    return open_transport_token(token, ENTRIES.get, audience=audience, now=now)


def made(*, headers: dict[str, Any] | None = None, without: str = "", **claims: Any) -> str:
    """A token signed by the registered key, with some claims or headers changed."""
    key, issued = KEYS["EdDSA"], int(NOW.timestamp())
    payload = {**CLAIMS, "iat": issued, "exp": issued + 60, **claims}
    payload.pop(without, None)
    head = {"typ": TOKEN_TYP, "kid": key.kid, **(headers or {})}
    return jwt.encode(payload, key.private_key, algorithm=key.alg, headers=head)


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_a_token_names_its_caller(alg: str) -> None:
    token = transport_token(KEYS[alg], source=SOURCE, audience=INBOX, now=NOW, jti="j")
    assert opened(token) == Caller(SOURCE, "j", int(NOW.timestamp()) + 60 + LEEWAY_S)


@pytest.mark.parametrize("late", [-LEEWAY_S, 0, 60, 59 + LEEWAY_S])
def test_a_token_holds_for_its_minute_and_the_leeway(late: int) -> None:
    assert opened(made(), now=NOW + timedelta(seconds=late)).source == SOURCE


@pytest.mark.parametrize("late", [-LEEWAY_S - 1, 60 + LEEWAY_S, 3600])
def test_a_token_does_not_hold_before_or_after(late: int) -> None:
    with pytest.raises(Refused, match="not valid now"):
        opened(made(), now=NOW + timedelta(seconds=late))


@pytest.mark.parametrize(
    "token",
    [
        made(aud="urn:elsewhere/inbox"),
        made(aud=[INBOX]),
        made(aud=[INBOX, "urn:elsewhere"]),
        made(iss="urn:safeguarding:source:council"),
        made(sub="urn:safeguarding:source:council"),
        made(jti=""),
        made(jti="x" * 129),
        made(jti=7),
        made(exp=int(NOW.timestamp()) + 61),
        made(exp=int(NOW.timestamp()) + 60.5),
        made(exp=int(NOW.timestamp())),
        made(iat="now"),
        made(nested=json.loads("[" * 100 + "]" * 100)),
        compact.sign(b'{"aud":' + b"[" * 2500 + b"]" * 2500 + b"}", KEYS["EdDSA"], TOKEN_TYP),
        compact.sign(b'{"jti":"a","jti":"b"}', KEYS["EdDSA"], TOKEN_TYP),
        *(made(without=claim) for claim in CLAIMS),
        made(headers={"typ": "JWT"}),
        made(headers={"typ": "at+jwt"}),
        made(headers={"kid": "unknown"}),
        made(headers={"crit": ["b64"], "b64": True}),
        made() + "==",
        made() + "\n",
        made()[:-4],
        "",
        "a.b.c",
        "x" * 5000,
        jwt.encode(CLAIMS, "k" * 32, algorithm="HS256", headers={"typ": TOKEN_TYP, "kid": KEYS["EdDSA"].kid}),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(Refused) as caught:
        opened(token)
    assert caught.value.step == "token"


def test_an_event_key_opens_no_door() -> None:
    key = KEYS["EdDSA"]
    token = transport_token(key, source=SOURCE, audience=INBOX, now=NOW, jti="j")
    with pytest.raises(Refused):
        open_transport_token(token, {key.kid: key.entry(source=SOURCE)}.get, audience=INBOX, now=NOW)


def test_a_time_without_zone_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        transport_token(KEYS["EdDSA"], source=SOURCE, audience=INBOX, now=NOW.replace(tzinfo=None), jti="j")


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_a_proof_of_possession_names_the_key_that_made_it(alg: str) -> None:
    key = KEYS[alg]
    proof = proof_of_possession(key, hub=HUB, source=SOURCE)
    assert check_possession(proof, key.public_jwk(), hub=HUB, source=SOURCE) == key.kid


def test_a_proof_for_another_key_hub_or_source_is_refused() -> None:
    key, other = KEYS["EdDSA"], KEYS["ES256"]
    proof = proof_of_possession(key, hub=HUB, source=SOURCE)
    for jwk, hub, source in (
        (other.public_jwk(), HUB, SOURCE),
        (key.public_jwk(), "urn:safeguarding:hub:other", SOURCE),
        (key.public_jwk(), HUB, "urn:safeguarding:source:council"),
        ({"kty": "oct"}, HUB, SOURCE),
        ("no key", HUB, SOURCE),
    ):
        with pytest.raises(Refused) as caught:
            check_possession(proof, jwk, hub=hub, source=source)
        assert caught.value.step == "possession"


def test_a_signature_made_for_another_task_is_no_proof() -> None:
    key = KEYS["EdDSA"]
    for typ in ("sg-event+jws", "sg-receipts+jws"):
        signed = compact.sign(compact.canonical_json({"hub": HUB, "source": SOURCE}), key, typ)
        with pytest.raises(Refused):
            check_possession(signed, key.public_jwk(), hub=HUB, source=SOURCE)
