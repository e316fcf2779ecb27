"""`python -m schemas verify` and `check`: one line for each input, an exit code, and never a traceback."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.__main__ import main, read_registry
from schemas.envelope import SealingKey, SigningKey, seal

REPOSITORY = Path(__file__).resolve().parents[2]
VECTORS = REPOSITORY / "schemas" / "vectors"
REGISTRY = str(VECTORS / "registry.json")
GOOD = str(VECTORS / "good" / "first-record-ed25519.json")
BAD = str(VECTORS / "bad" / "data-changed.json")
AHEAD = str(VECTORS / "good" / "clock-of-the-source-ahead.json")


class Ran:
    """What one command line gave."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        try:
            self.code: Any = main(arguments)
        except SystemExit as ended:
            self.code = ended.code
        captured = capsys.readouterr()
        self.lines = [json.loads(line) for line in captured.out.splitlines()]
        self.words = captured.err


def test_accepted_records_give_their_statement_and_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "verify", "--keys", REGISTRY, GOOD)
    assert (ran.code, ran.words) == (0, "")
    assert ran.lines == [
        {
            "record": GOOD,
            "outcome": "accepted",
            "id": "6c1f0e9a7b3d4c5e8f90a1b2c3d4e5f6",
            "source": "urn:safeguarding:source:police",
            "type": "uk.safeguarding.report.v1",
            "sequence": "1",
            "event": "concern-raised",
            "version": 1,
        }
    ]


def test_one_refused_record_gives_exit_1_and_the_others_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "verify", "--keys", REGISTRY, GOOD, BAD, "no-such-file", str(VECTORS))
    assert ran.code == 1
    assert [line["outcome"] for line in ran.lines] == ["accepted", "refused", "refused", "refused"]
    assert [line.get("step") for line in ran.lines] == [None, "digest", "unreadable", "unreadable"]


def test_a_dash_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(GOOD).read_bytes() + b"\n")))
    ran = Ran(capsys, "verify", "--keys", REGISTRY, "-")
    assert (ran.code, ran.lines[0]["record"]) == (0, "-")


def test_clocks_are_judged_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert Ran(capsys, "verify", "--keys", REGISTRY, AHEAD).code == 0
    assert Ran(capsys, "verify", "--keys", REGISTRY, "--at", "2030-12-31T23:59:01Z", AHEAD).code == 0
    early = Ran(capsys, "verify", "--keys", REGISTRY, "--at", "2030-12-31T23:59:00Z", AHEAD)
    assert (early.code, early.lines[0]["step"]) == (1, "statement")


@pytest.mark.parametrize("listed", ['["uk.safeguarding.other.v1"]', "uk.safeguarding.other.v1\n"])
def test_the_types_given_replace_the_known_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, listed: str
) -> None:
    types = tmp_path / "types"
    types.write_text(listed)
    ran = Ran(capsys, "verify", "--keys", REGISTRY, "--types", str(types), GOOD)
    assert (ran.code, ran.lines[0]["step"]) == (1, "statement")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["verify"],
        ["verify", GOOD],
        ["verify", "--keys", REGISTRY],
        ["verify", "--keys", "no-such-file", GOOD],
        ["verify", "--keys", GOOD, GOOD],
        ["verify", "--keys", REGISTRY, "--types", "no-such-file", GOOD],
        ["verify", "--keys", REGISTRY, "--types", str(VECTORS / "bad" / "record-an-array.json"), GOOD],
        ["verify", "--keys", REGISTRY, "--at", "yesterday", GOOD],
        ["verify", "--keys", REGISTRY, "--at", "9999-12-31T23:59:59Z", GOOD],
        ["check"],
        ["judge", GOOD],
    ],
)
def test_misuse_gives_exit_2_words_on_stderr_and_no_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    ran = Ran(capsys, *arguments)
    assert (ran.code, ran.lines) == (2, [])
    assert "usage:" in ran.words


KEY = SigningKey.generate()
ENTRY = {**KEY.public_jwk(), "source": "urn:a"}


@pytest.mark.parametrize("document", [[ENTRY], {"registry": [ENTRY]}, {"keys": [{**ENTRY, "status": "active"}]}])
def test_a_registry_is_a_list_or_holds_one(document: Any) -> None:
    entry = read_registry(json.dumps(document).encode())(KEY.kid)
    assert entry is not None
    assert entry.source == "urn:a"


@pytest.mark.parametrize("change", [{"status": "revoked"}, {"status": None}, {"purpose": "transport"}])
def test_a_key_that_is_not_active_or_not_for_events_does_not_count(change: dict[str, Any]) -> None:
    assert read_registry(json.dumps([{**ENTRY, **change}]).encode())(KEY.kid) is None


@pytest.mark.parametrize(
    "document",
    [{}, 1, [1], [KEY.public_jwk()], [ENTRY, ENTRY], [{**ENTRY, "kid": "x"}], [{"kty": "RSA", "source": "urn:a"}]],
)
def test_a_registry_of_another_form_is_named_by_its_rule(document: Any) -> None:
    with pytest.raises(ValueError, match="keys: "):
        read_registry(json.dumps(document).encode())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_no_input_ends_in_a_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(content)
    assert Ran(capsys, "verify", "--keys", REGISTRY, str(noise)).code == 1
    assert Ran(capsys, "verify", "--keys", str(noise), GOOD).code in (0, 1, 2)
    assert Ran(capsys, "verify", "--keys", REGISTRY, "--types", str(noise), GOOD).code in (1, 2)
    assert Ran(capsys, "check", str(noise)).code == 1


def test_what_an_event_says_is_never_repeated(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = json.dumps({"event": "Mia Example, 14 High Street", "version": "Mia", "Mia Example": ["Mia"]}).encode()
    record, event, registry = (tmp_path / name for name in ("record", "event", "registry"))
    record.write_bytes(
        seal(
            data,
            key=KEY,
            source="urn:a",
            event_id="1",
            subject="a" * 32,
            time=None,
            recordedtime="2026-11-21T09:20:00Z",
            sequence=1,
            prevdigest="",
            salt=bytes(32),
        )
    )
    event.write_bytes(data)
    registry.write_text(json.dumps([ENTRY]))
    verified = Ran(capsys, "verify", "--keys", str(registry), str(record))
    checked = Ran(capsys, "check", str(event))
    assert (verified.code, checked.code) == (0, 1)
    assert "Mia" not in json.dumps([verified.lines, checked.lines]) + verified.words + checked.words


def test_an_example_fits_and_a_bent_one_names_its_faults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    example = sorted((REPOSITORY / "schemas" / "events").glob("*/v1.example.json"))[0]
    bent, broken = tmp_path / "bent.json", tmp_path / "broken.json"
    bent.write_text(json.dumps({**json.loads(example.read_text("utf-8")), "surprise": "x"}))
    broken.write_text('{"event": NaN}')
    ran = Ran(capsys, "check", str(example), str(bent), str(broken))
    assert ran.code == 1
    assert [line["outcome"] for line in ran.lines] == ["fits", "misfit", "unreadable"]
    assert ran.lines[0] == {
        "event": str(example),
        "outcome": "fits",
        "name": example.parent.name,
        "version": 1,
        "faults": [],
    }
    assert all(fault.keys() == {"step", "path", "rule", "note"} for fault in ran.lines[1]["faults"])


def test_a_reader_that_has_seen_enough_ends_us_quietly() -> None:
    command = [sys.executable, "-m", "schemas", "verify", "--keys", REGISTRY, *[GOOD] * 500]
    with subprocess.Popen(  # noqa: S603 our own interpreter and files
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() in (0, 141)


def test_lines_that_cannot_be_written_end_with_3_and_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(  # noqa: S603 our own interpreter and files
            [sys.executable, "-m", "schemas", "verify", "--keys", REGISTRY, GOOD],
            stdout=full, stderr=subprocess.PIPE, cwd=REPOSITORY, check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr.count(b"\n")) == (3, 1)
    assert b"could not be written" in ran.stderr


def test_an_interruption_while_reading_ends_with_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("schemas.__main__._read", interrupted)
    for arguments in (["check", "-"], ["verify", "--keys", REGISTRY, "-"]):
        ran = Ran(capsys, *arguments)
        assert (ran.code, ran.lines, ran.words) == (130, [], "python -m schemas: interrupted\n")


def test_a_sealed_record_opens_with_the_sealing_key_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, hub = SigningKey.generate(), SealingKey.generate()
    registry, record, pem = tmp_path / "keys.json", tmp_path / "record.json", tmp_path / "sealing.pem"
    registry.write_text(json.dumps([{**key.public_jwk(), "source": "urn:a:b"}]))
    pem.write_bytes(hub.to_pem())
    now = "2026-11-21T09:16:44Z"
    record.write_bytes(
        seal(
            b'{"event":"child-seen","version":1}', key=key, source="urn:a:b", event_id="e", subject="5" * 32, time=now,
            recordedtime=now, sequence=1, prevdigest="", salt=bytes(32), to=hub.public,
        )
    )  # fmt: skip
    arguments = ("verify", "--keys", str(registry))
    assert Ran(capsys, *arguments, str(record)).lines[0]["step"] == "record-form"
    assert Ran(capsys, *arguments, "--unseal", str(pem), str(record)).lines[0]["outcome"] == "accepted"
    assert Ran(capsys, *arguments, "--unseal", str(registry), str(record)).code == 2
