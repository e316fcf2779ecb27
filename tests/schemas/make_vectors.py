"""Writes `schemas/vectors`: sealed records for anyone's implementation, with verdicts and the steps that give them.

    python tests/schemas/make_vectors.py

Every key is derived from a published text, so that the same files come out wherever this runs; none may sign anything
else. A test compares the files with what this writes.
"""

import base64
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

REPOSITORY = Path(__file__).resolve().parents[2]
if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))

from schemas import compact  # noqa: E402
from schemas.envelope import HEARTBEAT, NO_CHILD, REATTESTATION, SigningKey, data_digest, seal, statement_digest  # noqa: E402
from schemas.keys import P256_ORDER  # noqa: E402
from schemas.strict import b64url_decode, b64url_encode  # noqa: E402

FOLDER = REPOSITORY / "schemas" / "vectors"
TYP = "sg-event+jws"
POLICE, HOSPITAL, COUNCIL = (f"urn:safeguarding:source:{name}" for name in ("police", "hospital", "council"))
DATA = b'{"event":"concern-raised","version":1,"summary":{"text":"Came to school without a coat.","made":"by-author"}}'


def derived(name: str) -> bytes:
    return hashlib.sha256(b"safeguarding vectors: " + name.encode()).digest()


def ed25519_key(name: str) -> SigningKey:
    return SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(derived(name)))


KEYS = {
    "police": ed25519_key("police"),
    "council": ed25519_key("council"),
    "hospital": SigningKey(
        ec.derive_private_key(int.from_bytes(derived("hospital"), "big") % P256_ORDER, ec.SECP256R1())
    ),
    "police, revoked": ed25519_key("police, revoked"),
    "police, transport": ed25519_key("police, transport"),
    "nobody": ed25519_key("nobody"),
}
REGISTRY = [
    {**KEYS["police"].public_jwk(), "source": POLICE, "status": "active", "purpose": "event"},
    {**KEYS["council"].public_jwk(), "source": COUNCIL, "status": "active", "purpose": "event"},
    {**KEYS["hospital"].public_jwk(), "source": HOSPITAL, "status": "active", "purpose": "event"},
    {**KEYS["police, revoked"].public_jwk(), "source": POLICE, "status": "revoked", "purpose": "event"},
    {**KEYS["police, transport"].public_jwk(), "source": POLICE, "status": "active", "purpose": "transport"},
]
SALT = derived("salt")
INPUTS = {
    "source": POLICE,
    "event_id": "6c1f0e9a7b3d4c5e8f90a1b2c3d4e5f6",
    "subject": "5c9f0d1e2a3b4c5d6e7f8091a2b3c4d5",
    "time": "2026-11-21T09:15:03.412Z",
    "recordedtime": "2026-11-21T09:16:44.007Z",
    "sequence": 1,
    "prevdigest": "",
    "salt": SALT,
}


class Vector(NamedTuple):
    name: str
    step: str  # empty: accepted
    rule: str
    record: bytes


def sealed(data: bytes = DATA, *, key: str = "police", **changes: object) -> bytes:
    return seal(data, key=KEYS[key], **{**INPUTS, **changes})  # type: ignore[arg-type]


def wrapped(jws: str, *, salt: bytes = SALT, data: bytes = DATA) -> bytes:
    return compact.canonical_json(
        {"jws": jws, "salt": b64url_encode(salt).decode(), "data": b64url_encode(data).decode()}
    )


def parts(record: bytes) -> tuple[str, str, str]:
    header, statement, signature = json.loads(record)["jws"].split(".")
    return header, statement, signature


def statement(**changes: object) -> dict[str, object]:
    """The good statement with some members changed; None takes a member out."""
    good = json.loads(b64url_decode(parts(sealed())[1].encode()))
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(payload: bytes, *, header: bytes | None = None, key: str = "police") -> str:
    """Signs any payload under any header bytes."""
    signer = KEYS[key]
    header = header or compact.canonical_json({"alg": signer.alg, "kid": signer.kid, "typ": TYP})
    text = b64url_encode(header) + b"." + b64url_encode(payload)
    return (text + b"." + b64url_encode(signer.sign(text))).decode()


def restated(**changes: object) -> bytes:
    return wrapped(signed(compact.canonical_json(statement(**changes))))


def reheaded(header: bytes) -> bytes:
    return wrapped(signed(compact.canonical_json(statement()), header=header))


def resigned(signature: bytes, record: bytes) -> bytes:
    header, payload, _ = parts(record)
    return wrapped(f"{header}.{payload}.{b64url_encode(signature).decode()}")


def rejws(jws: object) -> bytes:
    return compact.canonical_json({**json.loads(sealed()), "jws": jws})


def redata(data: bytes) -> bytes:
    """Data of any form under its right digest."""
    return wrapped(signed(compact.canonical_json(statement(datadigest=data_digest(SALT, data)))), data=data)


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def good() -> Iterator[Vector]:
    def accept(name: str, rule: str, record: bytes) -> Vector:
        return Vector(name, "", rule, record)

    first = sealed()
    previous = statement_digest(b64url_decode(parts(first)[1].encode()))
    head = compact.canonical_json({"typ": TYP, "kid": KEYS["police"].kid, "alg": "EdDSA"})
    yield accept("first-record-ed25519", "made by seal from the inputs in index.json", first)
    yield accept("first-record-es256", "lower s", sealed(key="hospital", source=HOSPITAL))
    yield accept("second-record", "prevdigest of the first", sealed(sequence=2, prevdigest=previous, event_id="2"))
    yield accept(
        "sequence-gap", "a gap is a remark, no refusal", sealed(sequence=40, prevdigest=previous, event_id="40")
    )
    yield accept("heartbeat", "names no child", sealed(b'{"last":1}', type=HEARTBEAT, subject=NO_CHILD))
    yield accept("reattestation", "names no child", sealed(b'{"of":["1"]}', type=REATTESTATION, subject=NO_CHILD))
    yield accept("header-members-in-another-order", "order of members is free", reheaded(head))
    yield accept(
        "record-members-in-another-order",
        "order of members is free",
        json.dumps(dict(sorted(json.loads(first).items())), indent=1).encode(),
    )
    yield accept("id-of-64-characters", "1 to 64 characters", sealed(event_id="é" * 64))
    yield accept(
        "time-in-summer-time",
        "instants are compared, not texts",
        sealed(time="2026-07-01T10:16:44+01:00", recordedtime="2026-07-01T09:16:44Z"),
    )
    yield accept(
        "clock-of-the-source-ahead",
        "a clock ahead is a remark, no refusal",
        sealed(time="2031-01-01T00:00:00Z", recordedtime="2031-01-01T00:00:01Z"),
    )
    yield accept("time-after-sealing", "seal writes the sealing time", sealed(time="2026-11-22T00:00:00Z"))
    yield accept("data-nested-64-levels", "64 levels", sealed(nested(64)))
    yield accept(
        "data-with-brackets-in-words",
        "brackets in a string are no levels",
        sealed(json.dumps({"words": "[{" * 200 + '\\"'}).encode()),
    )
    yield accept("data-with-surrogate-pair", "a pair is one character", sealed(b'{"words":"\\ud83d\\ude00"}'))
    yield accept("data-with-long-integer", "16 characters", sealed(b'{"uprn":1000000000000000}'))


def bad_forms() -> Iterator[Vector]:
    record = sealed()
    header, payload, signature = parts(record)
    members = json.loads(record)
    yield Vector("record-of-262145-bytes", "size", "256 KiB", record.ljust(256 * 1024 + 1))
    yield Vector("record-empty", "record-form", "a JSON object", b"")
    yield Vector("record-an-array", "record-form", "a JSON object", b"[" + record + b"]")
    yield Vector("record-not-utf-8", "record-form", "UTF-8", record.replace(b'"salt"', b'"sal\xff"'))
    yield Vector("record-with-byte-order-mark", "record-form", "no mark", b"\xef\xbb\xbf" + record)
    yield Vector(
        "record-with-extra-member", "record-form", "three members", compact.canonical_json({**members, "x": "1"})
    )
    yield Vector("record-without-salt", "record-form", "three members", b'{"jws":"","data":""}')
    yield Vector("record-with-two-jws", "record-form", "duplicate member", b'{"jws":"x",' + record[1:])
    yield Vector(
        "record-with-escaped-second-salt", "record-form", "duplicate member", b'{"\\u0073alt":"x",' + record[1:]
    )
    yield Vector("record-with-number", "record-form", "strings", rejws(1))
    yield Vector("jws-as-json-object", "record-form", "strings", rejws({"payload": payload, "signature": signature}))
    yield Vector("two-parts", "compact-form", "three parts", rejws(f"{header}.{payload}"))
    yield Vector("four-parts", "compact-form", "three parts", rejws(f"{header}.{payload}.{signature}."))
    yield Vector("detached-statement", "compact-form", "no empty part", rejws(f"{header}..{signature}"))
    yield Vector("padded-signature", "compact-form", "one spelling", rejws(f"{header}.{payload}.{signature}=="))
    yield Vector(
        "second-spelling-of-signature",
        "compact-form",
        "one spelling",
        rejws(f"{header}.{payload}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}"),
    )
    yield Vector("standard-alphabet", "compact-form", "base64url", rejws(f"{header}.{payload}.+/{signature[2:]}"))
    yield Vector("letters-beyond-ascii", "compact-form", "ASCII", rejws(f"{header}.{payload}.é{signature}"))


def bad_headers() -> Iterator[Vector]:
    police = KEYS["police"]
    plain = {"alg": "EdDSA", "kid": police.kid, "typ": TYP}

    def head(name: str, step: str, rule: str, **changes: object) -> Vector:
        return Vector(name, step, rule, reheaded(compact.canonical_json({**plain, **changes})))

    double = b'{"alg":"none","alg":"EdDSA","kid":"%b","typ":"%b"}' % (police.kid.encode(), TYP.encode())
    yield head("header-with-jwk", "header", "three members", jwk=KEYS["nobody"].public_jwk())
    yield head("header-with-crit", "header", "three members", crit=["b64"], b64=False)
    yield head("header-typ-jwt", "header", "typ", typ="JWT")
    yield head("header-typ-of-a-receipt", "header", "typ", typ="sg-receipts+jws")
    yield head("header-kid-a-number", "header", "strings", kid=7)
    yield Vector("header-with-two-algorithms", "header", "duplicate member", reheaded(double))
    yield Vector("header-not-json", "header", "a JSON object", reheaded(b"alg=EdDSA"))
    yield head("key-unknown", "key", "registered", kid=KEYS["nobody"].kid)
    yield Vector("key-revoked", "key", "active", sealed(key="police, revoked"))
    yield Vector("key-for-transport", "key", "an event key", sealed(key="police, transport"))
    yield head("algorithm-none", "algorithm", "the key's algorithm", alg="none")
    yield head("algorithm-hs256", "algorithm", "the key's algorithm", alg="HS256")
    yield head("algorithm-of-another-kind-of-key", "algorithm", "the key's algorithm", alg="ES256")
    yield head("algorithm-ed25519-spelled-anew", "algorithm", "EdDSA is the name here", alg="Ed25519")


def bad_signatures() -> Iterator[Vector]:
    record, es256 = sealed(), sealed(key="hospital", source=HOSPITAL)
    signature, raw = (b64url_decode(parts(each)[2].encode()) for each in (record, es256))
    high = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    group_order = 2**252 + 27742317777372353535851937790883648493
    shifted = signature[:32] + (int.from_bytes(signature[32:], "little") + group_order).to_bytes(32, "little")
    header, payload, _ = parts(record)
    other = b64url_encode(compact.canonical_json(statement(sequence="2"))).decode()
    yield Vector("signature-empty", "signature-form", "64 bytes", rejws(f"{header}.{payload}."))
    yield Vector("signature-of-63-bytes", "signature-form", "64 bytes", resigned(signature[:63], record))
    yield Vector("signature-of-65-bytes", "signature-form", "64 bytes", resigned(signature + b"\0", record))
    yield Vector("es256-high-s", "signature-form", "lower s", resigned(high, es256))
    yield Vector("es256-zero", "signature", "signature", resigned(bytes(64), es256))
    yield Vector("ed25519-s-plus-group-order", "signature", "signature", resigned(shifted, record))
    yield Vector(
        "signature-of-another-statement", "signature", "signature", wrapped(f"{header}.{other}.{parts(record)[2]}")
    )
    yield Vector(
        "signed-by-another-key",
        "signature",
        "signature",
        wrapped(signed(compact.canonical_json(statement()), header=b64url_decode(header.encode()), key="council")),
    )


def bad_statements() -> Iterator[Vector]:
    def state(name: str, rule: str, **changes: object) -> Vector:
        return Vector(f"statement-{name}", "statement", rule, restated(**changes))

    text = compact.canonical_json(statement())
    yield state("without-id", "eleven members", id=None)
    yield state("with-extra-member", "eleven members", audience="urn:x")
    yield state("sequence-a-number", "strings", sequence=1)
    yield Vector("statement-with-two-ids", "statement", "duplicate member", wrapped(signed(b'{"id":"x",' + text[1:])))
    yield Vector("statement-an-array", "statement", "a JSON object", wrapped(signed(b"[" + text + b"]")))
    yield state("of-another-specversion", "1.0", specversion="0.3")
    yield state("id-empty", "1 to 64 characters", id="")
    yield state("id-of-65-characters", "1 to 64 characters", id="x" * 65)
    yield state("id-with-control-character", "no control characters", id="a\u0000b")
    yield state("type-unknown", "known type", type="uk.safeguarding.report.v2")
    yield state("subject-upper-case", "32 lower-case hex digits", subject="5C9F0D1E2A3B4C5D6E7F8091A2B3C4D5")
    yield state("heartbeat-about-a-child", "32 zeros", type=HEARTBEAT)
    yield state("sequence-zero", "from 1", sequence="0")
    yield state("sequence-with-leading-zero", "one spelling", sequence="01")
    yield state("sequence-in-other-digits", "ASCII digits", sequence="١")
    yield state("prevdigest-short", "SHA-256 or empty", prevdigest="abc")
    yield state("content-type", "application/json", datacontenttype="text/plain")
    yield state("time-without-zone", "RFC 3339 with a zone", time="2026-11-21T09:15:03")
    yield state("time-on-30-february", "a day that exists", time="2026-02-30T09:15:03Z")
    yield state("time-after-recordedtime", "time <= recordedtime", time="2026-11-21T09:16:45Z")
    yield Vector("source-of-another-agency", "source", "the key's source", sealed(source=COUNCIL))
    yield Vector("source-with-trailing-slash", "source", "byte by byte", sealed(source=POLICE + "/"))
    yield Vector("source-look-alike", "source", "byte by byte", sealed(source=POLICE.replace("o", "о")))


def bad_data() -> Iterator[Vector]:
    members = json.loads(sealed())
    jws, data = members["jws"], members["data"]
    unsalted = base64.urlsafe_b64encode(hashlib.sha256(DATA).digest()).rstrip(b"=").decode()

    def commit(name: str, rule: str, **changes: str) -> Vector:
        return Vector(name, "digest", rule, compact.canonical_json({**members, **changes}))

    yield commit("data-changed", "salt and data are what was signed", data=b64url_encode(DATA + b" ").decode())
    yield commit("data-padded", "one spelling", data=data + "=" * (-len(data) % 4 or 4))
    yield commit("salt-changed", "salt and data are what was signed", salt=b64url_encode(bytes(32)).decode())
    yield Vector(
        "salt-takes-a-byte-of-the-data", "digest", "salt of 32 bytes", wrapped(jws, salt=SALT + DATA[:1], data=DATA[1:])
    )
    yield commit("salt-empty", "salt of 32 bytes", salt="")
    yield Vector("digest-without-salt", "digest", "salt and data are what was signed", restated(datadigest=unsalted))
    for name, rule, raw in (
        ("data-empty", "a JSON object", b""),
        ("data-an-array", "a JSON object", b"[]"),
        ("data-with-two-members-of-one-name", "duplicate member", b'{"level":3,"level":1}'),
        ("data-with-nan", "no NaN", b'{"level":NaN}'),
        ("data-with-fraction", "no fractions", b'{"level":1.0}'),
        ("data-with-exponent", "no exponents", b'{"level":1e2}'),
        ("data-with-17-digits", "16 characters", b'{"uprn":10000000000000000}'),
        ("data-with-lone-surrogate", "no lone surrogates", b'{"words":"\\udc00"}'),
        ("data-not-utf-8", "UTF-8", b'{"words":"\xe9"}'),
        ("data-nested-65-levels", "64 levels", nested(65)),
        ("data-nested-5000-levels", "64 levels", nested(5000)),
    ):
        yield Vector(name, "data-form", rule, redata(raw))


def bad() -> Iterator[Vector]:
    for make in (bad_forms, bad_headers, bad_signatures, bad_statements, bad_data):
        yield from make()


def files() -> dict[str, bytes]:
    """Every file of the folder but README.md, by its path in it."""
    written, index = {}, []
    for folder, vectors in (("good", good()), ("bad", bad())):
        for vector in vectors:
            path = f"{folder}/{vector.name}.json"
            assert path not in written, path
            written[path] = vector.record
            outcome = {"expect": "refused", "step": vector.step} if vector.step else {"expect": "accepted"}
            index.append({"file": path, **outcome, "rule": vector.rule})
    inputs = {**INPUTS, "salt": SALT.hex(), "data": DATA.decode(), "type": "uk.safeguarding.report.v1"}
    document = {"registry": "registry.json", "first_record_inputs": inputs, "records": index}
    written["index.json"] = json.dumps(document, indent=1).encode() + b"\n"
    written["registry.json"] = json.dumps({"registry": REGISTRY}, indent=1).encode() + b"\n"
    return written


def main() -> None:
    for folder in ("good", "bad"):
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
        (FOLDER / folder).mkdir(parents=True)
    for path, content in files().items():
        (FOLDER / path).write_bytes(content)


if __name__ == "__main__":
    main()
