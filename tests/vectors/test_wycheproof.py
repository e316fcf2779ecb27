"""Wycheproof: signatures with Ed25519 and P-256, keys in JWK, and what other people sign as JWS.

A valid case that we refuse stands here with its reason; nothing invalid is ever taken.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import compact
from schemas.compact import Refused
from schemas.envelope import open_envelope
from schemas.keys import P256_ORDER, KeyEntry, KeyRefused, is_signature_form
from schemas.strict import NotStrict, b64url_decode, b64url_encode

EVENT_TYP = "sg-event+jws"


@pytest.fixture(scope="module")
def folder(shared_dir: Path) -> Path:
    return shared_dir / "vectors" / "wycheproof"


def groups(path: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(path.read_bytes())["testGroups"]


def holds(entry: KeyEntry, signature: bytes, message: bytes) -> bool:
    return is_signature_form(entry.alg, signature) and entry.verify(signature, message)


def unnamed(jwk: dict[str, Any]) -> dict[str, Any]:
    """The key without the test's own name for it: ours is the thumbprint."""
    return {member: value for member, value in jwk.items() if member != "kid"}


def test_ed25519_signatures_hold_exactly_where_they_should(folder: Path) -> None:
    wrong, judged = [], 0
    for group in groups(folder / "ed25519_test.json"):
        entry = KeyEntry.from_jwk(unnamed(group["publicKeyJwk"]), source="urn:test")
        for test in group["tests"]:
            judged += 1
            if holds(entry, bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])) != (test["result"] == "valid"):
                wrong.append(test["tcId"])
    assert wrong == []
    assert judged > 60


def test_p256_signatures_hold_where_they_should_but_for_the_higher_s(folder: Path) -> None:
    seen: Counter[str] = Counter()
    for group in groups(folder / "ecdsa_secp256r1_sha256_p1363_test.json"):
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        x, y = (b64url_encode(half).decode() for half in (point[1:33], point[33:]))
        entry = KeyEntry.from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y}, source="urn:test")
        for test in group["tests"]:
            signature = bytes.fromhex(test["sig"])
            taken = holds(entry, signature, bytes.fromhex(test["msg"]))
            high = len(signature) == 64 and int.from_bytes(signature[32:], "big") > P256_ORDER // 2
            match test["result"], taken:
                case "valid", True:
                    seen["valid, taken"] += 1
                case "valid", False if high:
                    seen["valid, left out: higher s"] += 1
                case "invalid", False:
                    seen["invalid, refused"] += 1
                case _:
                    seen[f"wrong: {test['tcId']}"] += 1
    assert seen.keys() == {"valid, taken", "valid, left out: higher s", "invalid, refused"}


# Valid signatures that we leave out.
JWS_LEFT_OUT = {18: "higher s"}

# Keys that Wycheproof calls valid and that we do not register.
JWK_LEFT_OUT = {"long_key": "symmetric"}


def test_no_key_that_should_be_refused_is_registered(folder: Path) -> None:
    taken = []
    for group in groups(folder / "json_web_key_test.json"):
        for side in ("public", "private"):
            for jwk in group.get(side, {}).get("keys", []):
                try:
                    KeyEntry.from_jwk(unnamed(jwk), source="urn:test")
                except KeyRefused:
                    continue
                taken += [test["comment"] for test in group["tests"]]
        for test in group["tests"]:
            assert test["result"] == "invalid" or test["comment"] in JWK_LEFT_OUT
    assert taken == []


def test_p256_web_signatures_hold_where_they_should_but_for_the_higher_s(folder: Path) -> None:
    wrong, judged = [], 0
    for group in groups(folder / "json_web_signature_test.json"):
        if group.get("public", {}).get("kty") != "EC":
            continue
        entry = KeyEntry.from_jwk(unnamed(group["public"]), source="urn:test")
        for test in group["tests"]:
            judged += 1
            if signs_alone(entry, test["jws"]) != (test["result"] == "valid" and test["tcId"] not in JWS_LEFT_OUT):
                wrong.append((test["tcId"], test["comment"]))
    assert wrong == []
    assert judged > 10


def signs_alone(entry: KeyEntry, jws: str) -> bool:
    """Our signature layer without our header profile, which no foreign JWS passes."""
    try:
        header, payload, signature = jws.encode().split(b".")
        alg = json.loads(b64url_decode(header))["alg"]
        return alg == entry.alg and holds(entry, b64url_decode(signature), header + b"." + payload)
    except (ValueError, NotStrict):
        return False


def test_no_foreign_jws_is_a_sealed_record(folder: Path) -> None:
    keys: dict[str, KeyEntry] = {}
    steps: Counter[str] = Counter()
    for group in groups(folder / "json_web_signature_test.json"):
        if group.get("public", {}).get("kty") == "EC":
            entry = KeyEntry.from_jwk(unnamed(group["public"]), source="urn:test")
            keys[group["public"]["kid"]] = entry
        for test in group["tests"]:
            record = compact.canonical_json({"jws": test["jws"], "salt": "A" * 43, "data": "e30"})
            with pytest.raises(Refused) as refused:
                open_envelope(record, keys.get)
            steps[refused.value.step] += 1
    assert steps.keys() <= {"record-form", "compact-form", "header"}
