"""Attacks on people's tokens: forged, borrowed, stretched or of another kind, none proves anybody (ASVS 5.0 V9)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from hub.api.auth import BadToken, PeopleTokens, Person, open_issuer, read_set
from hub.api.demo_issuer import DEMO_ISSUER, DemoOnly, demo_issuer, refuse_demo_issuer
from hub.api.issuer_keys import COOL_DOWN_S, REFRESH_S, FetchFailed, IssuerKeys, KeysAway, SetRefused, fetcher

NOW = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, AUDIENCE, KID = "https://login.example/realms/partnership", "safeguarding-hub", "k1"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "fenn.okoro-dale", "iat": AT - 10, "exp": AT + 290}


def rsa_jwk(key: rsa.RSAPrivateKey = RSA_KEY, kid: str = KID, **more: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def verifier(algorithm: str = "RS256", raw: bytes | None = None) -> PeopleTokens:
    keys = IssuerKeys(lambda: raw or jwks(rsa_jwk()), lambda raw: read_set(raw, algorithm))
    keys.load()
    return PeopleTokens(issuer=ISSUER, audience=AUDIENCE, algorithm=algorithm, keys=keys, clock=lambda: NOW)


def token(claims: Any = None, key: Any = RSA_KEY, alg: str = "RS256", **header: Any) -> str:
    headers = {"typ": "at+jwt", "kid": KID, **header}
    return jwt.encode(CLAIMS if claims is None else claims, key, algorithm=alg, headers=headers)


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def handmade(header: Any, claims: Any = None, key: Any = RSA_KEY) -> str:
    """A token with a good RS256 signature over any header."""
    signing_input = f"{part(header)}.{part(CLAIMS if claims is None else claims)}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signing_input.encode(), key)
    return f"{signing_input}.{part(signature)}"


def proves_nobody(text: str, tokens: PeopleTokens | None = None) -> bool:
    with pytest.raises(BadToken):
        (tokens or verifier()).open(text)
    return True


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_good_token_proves_the_subject_of_the_issuer(algorithm):
    key, jwk = {
        "RS256": (RSA_KEY, rsa_jwk()), "PS256": (RSA_KEY, rsa_jwk()),
        "ES256": (EC_KEY, {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": KID}),
        "EdDSA": (ED_KEY, {**OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True), "kid": KID}),
    }[algorithm]  # fmt: skip
    found = verifier(algorithm, jwks(jwk)).open(token(key=key, alg=algorithm))
    assert found == Person(ISSUER, "fenn.okoro-dale")


def test_a_token_without_a_signature_proves_nobody():
    unsigned = f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': KID})}.{part(CLAIMS)}"
    assert all(proves_nobody(f"{unsigned}.{tail}") for tail in ("", "AA"))


OTHER_ALGORITHMS = ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RS512", "PS256", "ES256", "EdDSA", "", "rs256"]


@pytest.mark.parametrize("alg", OTHER_ALGORITHMS)
def test_another_algorithm_than_the_pinned_proves_nobody_even_under_a_good_signature(alg):
    assert proves_nobody(handmade({"alg": alg, "typ": "at+jwt", "kid": KID}))


def test_the_public_key_used_as_a_shared_secret_proves_nobody():
    """Algorithm confusion, RFC 8725 section 2.1."""
    public = RSA_KEY.public_key()
    pem = public.public_bytes(*_pem())
    for secret in (pem, json.dumps(rsa_jwk()).encode(), jwks(rsa_jwk())):
        signing_input = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': KID})}.{part(CLAIMS)}"
        tag = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
        assert proves_nobody(f"{signing_input}.{part(tag)}")


def _pem() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


def test_a_key_that_the_token_brings_or_points_to_is_never_used():
    """`jwk`, `jku`, `x5u` are not read: the issuer's set is the only place of keys, and nothing is fetched."""
    fetched: list[str] = []
    keys = IssuerKeys(lambda: fetched.append("set") or jwks(rsa_jwk()), lambda raw: read_set(raw, "RS256"))
    keys.load()
    tokens = PeopleTokens(issuer=ISSUER, audience=AUDIENCE, algorithm="RS256", keys=keys, clock=lambda: NOW)
    for more in (
        {"jwk": rsa_jwk(OTHER_RSA)}, {"jku": "https://attacker.example/keys"}, {"x5u": "https://attacker.example/c"},
        {"x5c": ["MIIB"]},
    ):  # fmt: skip
        assert proves_nobody(token(key=OTHER_RSA, **more), tokens)
    assert fetched == ["set"]


def test_another_key_under_a_known_name_proves_nobody():
    assert proves_nobody(token(key=OTHER_RSA))


@pytest.mark.parametrize("kid", ["k2", "", "../../../dev/null", "k1' OR 1=1", "K1", "k1 ", None, 1, ["k1"]])
def test_a_key_name_that_is_not_in_the_set_proves_nobody(kid):
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": kid}))


def test_a_header_without_a_key_name_proves_nobody():
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt"}))


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "aud", "sub"])
def test_a_token_that_lacks_one_claim_proves_nobody(claim):
    assert proves_nobody(token({name: value for name, value in CLAIMS.items() if name != claim}))


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "aud", "sub"])
@pytest.mark.parametrize("value", [None, "", [], {}, True, ["x"], [1]])
def test_a_claim_of_another_form_proves_nobody(claim, value):
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": KID}, {**CLAIMS, claim: value}))


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_a_time_that_is_no_number_never_stretches_a_token(claim, number):
    ends = {"exp": AT - 3600} if claim != "exp" else {}
    raw = json.dumps({**CLAIMS, **ends, claim: 0}).replace(f'"{claim}": 0', f'"{claim}": {number}').encode()
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": KID}, raw))


@pytest.mark.parametrize(
    "times",
    [
        {"exp": AT - 31}, {"iat": AT + 31, "exp": AT + 300}, {"nbf": AT + 31}, {"iat": AT + 20, "exp": AT + 10},
        {"iat": AT - 10, "exp": AT - 10},
    ],
)  # fmt: skip
def test_a_token_that_is_over_not_yet_or_never_valid_proves_nobody(times):
    assert proves_nobody(token({**CLAIMS, **times}))


@pytest.mark.parametrize("times", [{"iat": AT - 300, "exp": AT - 29}, {"iat": AT + 29}, {"nbf": AT + 29}])
def test_clocks_may_differ_by_half_a_minute(times):
    assert verifier().open(token({**CLAIMS, **times})).subject == "fenn.okoro-dale"


@pytest.mark.parametrize(
    "audience",
    [
        [AUDIENCE], [AUDIENCE, "payroll"], ["payroll"], "payroll", AUDIENCE + " ", AUDIENCE.upper(), AUDIENCE + "/",
        {"aud": AUDIENCE},
    ],
)  # fmt: skip
def test_a_token_for_another_audience_or_for_two_proves_nobody(audience):
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": KID}, {**CLAIMS, "aud": audience}))


OTHER_ISSUERS = [ISSUER + "/", ISSUER.upper(), "https://login.example", [ISSUER], "http" + ISSUER[5:], ISSUER + " "]


@pytest.mark.parametrize("issuer", OTHER_ISSUERS)
def test_the_issuer_is_compared_byte_by_byte(issuer):
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": KID}, {**CLAIMS, "iss": issuer}))


OTHER_TYPES = ["JWT", "jwt", "logout+jwt", "dpop+jwt", "id+jwt", "at+jwt;x", "sg-transport+jwt", "", None, 1]


@pytest.mark.parametrize("typ", OTHER_TYPES)
def test_an_id_token_a_logout_token_and_a_proof_are_no_access_token(typ):
    assert proves_nobody(handmade({"alg": "RS256", "typ": typ, "kid": KID}))


def test_a_header_without_a_type_is_no_access_token():
    assert proves_nobody(handmade({"alg": "RS256", "kid": KID}))


def test_the_same_name_at_another_issuer_is_somebody_else():
    assert Person(ISSUER, "fenn") != Person("https://other.example", "fenn")


def test_an_email_address_in_the_token_says_nothing_about_who_it_is():
    claims = {**CLAIMS, "email": "ottoline.brack@example.org", "preferred_username": "ottoline", "roles": ["steward"]}
    assert verifier().open(token(claims)) == Person(ISSUER, "fenn.okoro-dale")


@pytest.mark.parametrize("sub", ["x" * 256, "a\nb", "a\x00b", "\x1b[31m", "a\u2028b", "\u202eabc"])
def test_a_subject_that_could_spoil_a_log_proves_nobody(sub):
    assert proves_nobody(token({**CLAIMS, "sub": sub}))


def test_a_token_bound_to_a_key_is_no_bearer_token():
    assert proves_nobody(token({**CLAIMS, "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}))


DEMANDS = [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True}]


@pytest.mark.parametrize("more", DEMANDS)
def test_a_header_that_demands_what_we_do_not_do_proves_nobody(more):
    assert proves_nobody(handmade({"alg": "RS256", "typ": "at+jwt", "kid": KID, **more}))


def test_a_header_with_two_readings_proves_nobody():
    raw = b'{"alg":"RS256","typ":"JWT","kid":"k1","typ":"at+jwt"}'
    assert proves_nobody(handmade(raw))


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "...", "a.b.c", "a.b.c.d", "x" * 9000, token() + ".", token() + "=", " " + token(),
        token().replace(".", " "), token() + "\n", part(b"[" * 3000) + ".e30.AA", part(b"\xff") + ".e30.AA",
        part([]) + ".e30.AA", token()[:-3], token() + "A", "é.e30.AA",
    ],
)  # fmt: skip
def test_what_is_no_token_at_all_proves_nobody(text):
    assert proves_nobody(text)


@pytest.mark.parametrize("index", [0, 1])
def test_one_changed_character_proves_nobody(index):
    good = token()
    place = good.index(".", 1) + 10 if index else 5
    assert proves_nobody(good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :])


def test_why_a_token_was_refused_never_holds_anything_of_it():
    marker = "Quillfeather"
    for text in (
        token({**CLAIMS, "sub": marker + "\n"}), token({**CLAIMS, "aud": marker}), token(kid=marker), token(typ=marker),
        token({**CLAIMS, "iss": marker}), marker,
    ):  # fmt: skip
        with pytest.raises(BadToken) as refused:
            verifier().open(text)
        assert marker not in str(refused.value)


# The issuer's set of keys


@pytest.mark.parametrize(
    "keys",
    [
        [rsa_jwk(), rsa_jwk(OTHER_RSA)],
        [rsa_jwk(), {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T", "kid": "s"}],
        [{**RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True), "kid": KID}],
        [rsa_jwk(use="enc")], [rsa_jwk(alg="RS512")], [rsa_jwk(key_ops=["encrypt"])], [rsa_jwk(kid="")], [],
        [{"kty": "RSA", "kid": KID, "n": 5, "e": []}], [{"kty": "RSA", "kid": KID}], [{**rsa_jwk(), "n": "AQAB"}],
        [rsa_jwk(kid=f"k{n}") for n in range(101)],
    ],
)  # fmt: skip
def test_a_set_with_an_ambiguous_secret_or_unfit_key_is_refused_whole(keys):
    with pytest.raises(SetRefused):
        read_set(jwks(*keys), "RS256")


NO_SETS = [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[],"keys":[]}', b"[" * 9999, b"\xff", b"null"]


@pytest.mark.parametrize("raw", NO_SETS)
def test_what_is_no_set_of_keys_is_refused(raw):
    with pytest.raises(SetRefused):
        read_set(raw, "RS256")


def test_a_short_rsa_key_is_refused():
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 the attack
    with pytest.raises(SetRefused):
        read_set(jwks(rsa_jwk(short)), "RS256")


def test_an_encryption_key_beside_the_signing_key_is_left_out():
    assert set(read_set(jwks(rsa_jwk(), rsa_jwk(OTHER_RSA, "e1", use="enc")), "RS256")) == {KID}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "", "rs256", "RS1"])
def test_a_weak_or_symmetric_algorithm_cannot_be_pinned(algorithm):
    with pytest.raises(SetRefused):
        PeopleTokens(
            issuer=ISSUER, audience=AUDIENCE, algorithm=algorithm, clock=lambda: NOW,
            keys=IssuerKeys(lambda: b"", lambda raw: {}),
        )  # fmt: skip


@pytest.mark.parametrize("where", ["http://login.example/keys", "ftp://login.example/keys", "file:///etc/keys", ""])
def test_keys_come_from_a_file_or_over_tls_only(where):
    with pytest.raises(SetRefused):
        fetcher(where)


def test_a_redirect_of_the_key_address_is_not_followed():
    import urllib.request

    from hub.api.issuer_keys import _NoRedirect

    request = urllib.request.Request("https://login.example/keys")
    assert _NoRedirect().redirect_request(request, None, 302, "", {}, "https://169.254.169.254/latest") is None


class Issuer:
    """An issuer's key address whose fetches are counted, held and broken at will; background calls wait for `run`."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys, self.fetches, self.away, self.seconds = list(keys), 0, False, 0.0
        self.waiting: list[Callable[[], None]] = []
        self.held = IssuerKeys(
            self.fetch, lambda raw: read_set(raw, "RS256"), seconds=lambda: self.seconds, start=self.waiting.append
        )
        self.tokens = PeopleTokens(
            issuer=ISSUER, audience=AUDIENCE, algorithm="RS256", keys=self.held, clock=lambda: NOW
        )

    def fetch(self) -> bytes:
        self.fetches += 1
        if self.away:
            raise FetchFailed("timeout")
        return jwks(*self.keys)

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop()()


def test_ten_thousand_unknown_key_names_make_at_most_two_fetches_a_minute():
    issuer = Issuer(rsa_jwk())
    issuer.held.load()
    for number in range(10_000):
        issuer.seconds = number * 60 / 10_000
        assert issuer.held.find(f"k-{number}") is None
        issuer.run()
    assert issuer.fetches <= 1 + 60 / COOL_DOWN_S


def test_valid_tokens_pass_while_a_fetch_hangs():
    issuer = Issuer(rsa_jwk())
    issuer.held.load()
    issuer.seconds = COOL_DOWN_S + 1
    assert proves_nobody(token(kid="k-unknown"), issuer.tokens)
    assert len(issuer.waiting) == 1  # the fetch hangs: it is never run here
    issuer.seconds += 3600
    for _ in range(100):
        assert issuer.tokens.open(token()).subject == "fenn.okoro-dale"
        assert proves_nobody(token(kid="k-unknown"), issuer.tokens)
    assert len(issuer.waiting) == 1


def test_the_last_good_set_stands_while_the_issuer_is_away_or_answers_nonsense():
    issuer = Issuer(rsa_jwk())
    issuer.held.load()
    for keys in ([], [rsa_jwk(), rsa_jwk(OTHER_RSA)], None):
        issuer.away, issuer.keys = keys is None, keys or []
        issuer.seconds += REFRESH_S + 1
        assert issuer.tokens.open(token())
        issuer.run()
        assert issuer.tokens.open(token())
    assert issuer.fetches == 4


def test_a_new_key_is_found_after_one_fetch_and_a_withdrawn_one_is_gone_after_the_next():
    issuer = Issuer(rsa_jwk())
    issuer.held.load()
    issuer.keys = [rsa_jwk(OTHER_RSA, "k2")]
    issuer.seconds = COOL_DOWN_S + 1
    assert proves_nobody(token(key=OTHER_RSA, kid="k2"), issuer.tokens)
    issuer.run()
    assert issuer.tokens.open(token(key=OTHER_RSA, kid="k2"))
    assert proves_nobody(token(), issuer.tokens)


def test_a_withdrawn_key_is_not_trusted_beyond_the_next_refresh_though_nobody_names_an_unknown_one():
    issuer = Issuer(rsa_jwk())
    issuer.held.load()
    issuer.keys = [rsa_jwk(OTHER_RSA, "k2")]
    issuer.seconds = REFRESH_S + 1
    issuer.tokens.open(token())
    issuer.run()
    assert proves_nobody(token(), issuer.tokens)


def test_before_any_set_was_had_nobody_is_judged():
    issuer = Issuer(rsa_jwk())
    issuer.away = True
    with pytest.raises(KeysAway):
        issuer.tokens.open(token())
    issuer.run()
    issuer.away, issuer.seconds = False, COOL_DOWN_S + 1
    with pytest.raises(KeysAway):
        issuer.tokens.open(token())
    issuer.run()
    assert issuer.tokens.open(token())


def test_a_fetch_in_the_background_really_happens():
    go = threading.Event()

    def fetch() -> bytes:
        go.wait(10)
        return jwks(rsa_jwk())

    keys = IssuerKeys(fetch, lambda raw: read_set(raw, "RS256"))
    with pytest.raises(KeysAway):
        keys.find(KID)
    go.set()
    for thread in threading.enumerate():
        if thread.name == "issuer-keys":
            thread.join(10)
    assert keys.find(KID) is not None


def test_a_key_file_must_be_there_at_the_start(tmp_path):
    def start(where: str) -> PeopleTokens:
        return open_issuer(issuer=ISSUER, audience=AUDIENCE, algorithm="RS256", where=where, clock=lambda: NOW)

    with pytest.raises(FetchFailed):
        start(str(tmp_path / "keys.json"))
    (tmp_path / "keys.json").write_bytes(jwks(rsa_jwk()))
    assert start(str(tmp_path / "keys.json")).open(token())


# The demo's issuer


def demo_home(tmp_path: Any, *, demo: bool) -> Any:
    (tmp_path / "hub.json").write_text(json.dumps({"demo": demo}))
    return tmp_path


def test_the_demo_issuer_proves_anybody_for_an_hour_of_the_demos_clock(tmp_path):
    issuer = demo_issuer(demo_home(tmp_path, demo=True), lambda: NOW)
    keys = IssuerKeys(issuer.jwks, lambda raw: read_set(raw, issuer.algorithm))
    keys.load()
    clock = [NOW]
    tokens = PeopleTokens(
        issuer=issuer.issuer, audience=AUDIENCE, algorithm=issuer.algorithm, keys=keys, clock=lambda: clock[0]
    )
    minted = issuer.token("marit.sole", AUDIENCE)
    assert tokens.person_of(minted) == "marit.sole"
    clock[0] = datetime(2025, 3, 3, 13, 1, tzinfo=UTC)
    assert proves_nobody(minted, tokens)


def test_the_demo_issuer_keeps_its_key_for_its_owner_alone(tmp_path):
    home = demo_home(tmp_path, demo=True)
    first = demo_issuer(home, lambda: NOW).jwks()
    assert demo_issuer(home, lambda: NOW).jwks() == first
    assert (home / "demo-issuer.pem").stat().st_mode & 0o777 == 0o600


def test_there_is_no_demo_issuer_for_a_hub_that_is_no_demo(tmp_path):
    for home in (demo_home(tmp_path, demo=False), tmp_path / "nowhere"):
        with pytest.raises(DemoOnly):
            demo_issuer(home, lambda: NOW)
        assert not (home / "demo-issuer.pem").exists()


@pytest.mark.parametrize("issuer", [DEMO_ISSUER, DEMO_ISSUER.upper(), f" {DEMO_ISSUER} "])
def test_the_demo_issuer_cannot_be_configured_outside_a_demo(issuer):
    with pytest.raises(DemoOnly):
        refuse_demo_issuer(issuer, demo=False)
    refuse_demo_issuer(issuer, demo=True)
    refuse_demo_issuer(ISSUER, demo=False)
