"""How the `hub` command ends when something is wrong: one sentence, the right code, never a traceback."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.stage import wait_until_ready
from hub import commands, serving
from hub.__main__ import main
from hub.bootstrap import Hub, init
from hub.casework import Misfit, NotYours
from hub.ingest.admission import StillWaits
from hub.ingest.quarantine import NoSuchRecord
from hub.settings import Settings
from hub.words import SENTENCES, explain, explain_waiting

REPOSITORY = Path(__file__).resolve().parents[2]
PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a hub that is no demo."""
    path = tmp_path / "hub"
    init(Settings(home=path), partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command; gives code, output and words. An escaping fault fails the test."""
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "hub"))

    def one(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(argv)
        got = capsys.readouterr()
        return code, got.out, got.err

    return one


def piped(home: Path, *argv: str, stdout: Any) -> tuple[int, bytes]:
    """Runs one command in a process of its own."""
    ran = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-m", "hub", *argv], stdout=stdout, stderr=subprocess.PIPE, cwd=REPOSITORY, check=False,
        env={**os.environ, "HUB_HOME": str(home)},
    )  # fmt: skip
    return ran.returncode, ran.stderr


def test_a_closed_pipe_ends_quietly(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert piped(home, "keys", "list", stdout=writing) == (141, b"")
    finally:
        os.close(writing)


def test_a_full_disk_under_the_results_ends_with_3(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        code, words = piped(home, "keys", "list", stdout=full)
    assert (code, words.count(b"\n"), b"could not be written" in words) == (3, 1, True)


def test_an_interruption_ends_with_130(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "open_hub", interrupted)
    assert run("keys", "list") == (130, "", "hub: interrupted\n")


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00"])
def test_a_broken_charter_is_named(home: Path, run: Run, content: str) -> None:
    (home / "hub.json").write_text(content)
    for command in (["keys", "list"], ["serve"]):
        code, out, err = run(*command)
        assert (code, out, "hub.json is broken" in err) == (3, "", True)


@pytest.mark.parametrize("name", ["root.key", "index.key", "receipt.pem"])
def test_a_file_that_the_home_lacks_is_named(home: Path, run: Run, name: str) -> None:
    (home / name).unlink()
    code, out, err = run("keys", "receipt")
    assert (code, out, name in err) == (3, "", True)


@pytest.mark.parametrize("content", [b"short", bytes(32)])
def test_a_root_key_that_opens_nothing_is_said(home: Path, run: Run, content: bytes) -> None:
    (home / "root.key").write_bytes(content)
    for command in (["keys", "list"], ["serve"]):
        code, out, err = run(*command)
        assert (code, out, "backup" in err) == (3, "", True)


def test_a_record_that_is_no_database_is_said(home: Path, run: Run) -> None:
    for beside in home.glob("record.db*"):
        beside.write_bytes(b"noise" * 1000)
    code, out, err = run("keys", "list")
    assert (code, out, str(home) in err or "record" in err) == (3, "", True)


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "file" / "hub"))
    code, out, err = run(
        "init", "--partnership", PARTNERSHIP, "--area", "E99000001", "--officer", "ada", "--officer", "quill"
    )
    assert (code, out, "cannot read or write" in err) == (3, "", True)


@pytest.mark.parametrize(
    ("partnership", "area"),
    [
        ("mytown", "E99000001"),
        (PARTNERSHIP.upper(), "E99000001"),
        (PARTNERSHIP, "Harrowmere"),
        (PARTNERSHIP, "E9900000"),
    ],
)
def test_a_hub_is_not_made_under_a_name_in_another_form(tmp_path: Path, run: Run, partnership: str, area: str) -> None:
    code, out, _ = run("init", "--partnership", partnership, "--area", area, "--officer", "ada", "--officer", "quill")
    assert (code, out, (tmp_path / "hub").exists()) == (2, "", False)


# --- serve ------------------------------------------------------------------------------------------------------------


def test_serving_without_an_issuer_is_misuse(home: Path, run: Run) -> None:
    code, out, err = run("serve")
    assert (code, out, "HUB_ISSUER" in err) == (2, "", True)


@pytest.mark.parametrize("content", [None, "", "{}", '{"keys": [{"kty": "RSA", "kid": "a", "n": "%", "e": 5}]}'])
def test_serving_with_keys_that_cannot_be_used_is_misuse(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "jwks").write_text(content)
    monkeypatch.setenv("HUB_ISSUER", "https://issuer.example")
    monkeypatch.setenv("HUB_JWKS", str(tmp_path / "jwks"))
    code, out, err = run("serve")
    assert (code, out, "HUB_JWKS" in err) == (2, "", True)


def test_a_port_in_use_ends_with_3_and_names_it(hub: Hub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("HUB_DEMO", "1")
        monkeypatch.setenv("HUB_PORT", port)
        code, out, err = run("serve")
    assert (code, out, port in err, "HUB_PORT" in err) == (3, "", True, True)


def test_a_second_who_serves_in_one_home_ends_with_3(hub: Hub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DEMO", "1")
    with serving.alone(hub.settings):
        code, out, err = run("serve")
    assert (code, out, "another hub serve works in" in err) == (3, "", True)


def test_serving_says_where_it_listens(hub: Hub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    monkeypatch.setenv("HUB_DEMO", "1")
    monkeypatch.setenv("HUB_PORT", port)
    monkeypatch.setattr(serving.uvicorn, "Server", lambda config: SimpleNamespace(run=lambda sockets: None))
    monkeypatch.setattr(serving, "settle", lambda _: None)
    assert run("serve") == (0, "", f"hub: listening on http://127.0.0.1:{port}; Ctrl-C ends it\n")


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_who_serves_and_is_told_to_stop_ends_in_order_with_0(hub: Hub, told: signal.Signals) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve"], stderr=subprocess.PIPE, cwd=REPOSITORY,
        env={**os.environ, "HUB_HOME": str(hub.settings.home), "HUB_DEMO": "1", "HUB_PORT": port},
    )  # fmt: skip
    with server:
        wait_until_ready(server, f"http://127.0.0.1:{port}", "none")
        server.send_signal(told)
        words = server.communicate(timeout=30)[1].decode()
    assert (server.returncode, words) == (0, f"hub: listening on http://127.0.0.1:{port}; Ctrl-C ends it\n")


# --- words ------------------------------------------------------------------------------------------------------------

CHILD = "a599a44c-713b-47a1-a10f-0ef7baf5712d"
READINGS = [
    ("chronology", CHILD),
    ("export", "--child", CHILD),
    ("replay", CHILD, "--reader", "juno", "--reader-purpose", "s47", "--at", "2025-03-03"),
    ("identity", "list"),
    ("quarantine", "list"),
    ("quarantine", "show", "x"),
]


@pytest.mark.parametrize("reading", READINGS)
def test_an_unknown_purpose_or_role_is_misuse_and_the_codes_are_named(run: Run, reading: tuple[str, ...]) -> None:
    code, out, err = run(*reading, "--as", "juno", "--purpose", "curiosity")
    assert (code, out, "strategyDiscussion" in err) == (2, "", True)
    code, out, err = run(*reading, "--as", "juno", "--purpose", "s47", "--role", "king")
    assert (code, out, "schoolLead" in err) == (2, "", True)
    code, out, _ = (
        run(*reading[:2], "--help") if reading[0] in ("identity", "quarantine") else run(reading[0], "--help")
    )
    assert (code, "crimePrevention" in out, "schoolLead" in out) == (0, True, True)


def test_what_a_reader_reads_as_is_checked_too(run: Run) -> None:
    asked = ("replay", CHILD, "--reader", "juno", "--at", "2025-03-03", "--as", "isla", "--purpose", "audit")
    assert run(*asked, "--reader-purpose", "tea")[0] == 2
    assert run(*asked, "--reader-purpose", "s47", "--reader-role", "king")[0] == 2


@pytest.mark.parametrize("kid", ["-" + "I" * 42, "--" + "I" * 41])
def test_a_key_that_begins_with_a_hyphen_is_no_option(home: Path, run: Run, kid: str) -> None:
    for verb in (("retire", kid, "--last-sequence", "1"), ("revoke", "--reason", "stolen", kid)):
        code, _, err = run("keys", *verb, "--as", "ada", "--as", "quill")
        assert (code, "NoSuchKey" in err) == (1, True)


def test_the_version_is_said(run: Run) -> None:
    code, out, _ = run("--version")
    assert (code, out.startswith("hub ")) == (0, True)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("identity", "list"), "nothing open"),
        (("quarantine", "list"), "nothing open"),
        (("quarantine", "list", "--state", "refused"), "nothing refused"),
        (("identity", "list", "--all"), "no children yet"),
    ],
)
def test_an_empty_list_says_so(
    hub: Hub, run: Run, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    argv: tuple[str, ...], words: str,
) -> None:  # fmt: skip
    (tmp_path / "clock").write_text(hub.clock().isoformat())
    monkeypatch.setenv("HUB_DEMO", "1")
    monkeypatch.setenv("HUB_DEMO_CLOCK", str(tmp_path / "clock"))
    staff("bram", "steward")
    assert run(*argv, "--as", "bram", "--purpose", "triage") == (0, "", words + "\n")


HELPS = [
    ("keys",), ("keys", "add"), ("keys", "retire"), ("keys", "revoke"), ("identity",), ("identity", "list"),
    ("identity", "same"), ("quarantine",), ("quarantine", "list"), ("quarantine", "refuse"), ("replay",), ("export",),
]  # fmt: skip


@pytest.mark.parametrize("verb", HELPS)
def test_every_word_on_the_line_has_its_help(run: Run, verb: tuple[str, ...]) -> None:
    code, out, _ = run(*verb, "--help")
    listed = out.partition("\n\n")[2]
    bare = re.findall(r"^  (?:  )?(-?-?[a-z][^\n]*?)\n(?! {8})", listed + "\n", flags=re.MULTILINE)
    assert (code, [line for line in bare if "  " not in line and not line.endswith(":")]) == (0, [])


def test_every_rule_that_the_peoples_door_names_has_a_sentence() -> None:
    named = {
        str(node.args[0].value)
        for file in ("hub/casework.py", "hub/ingest/registration.py")
        for node in ast.walk(ast.parse((REPOSITORY / file).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("NotYours", "NotApproved")
        and isinstance(node.args[0], ast.Constant)
    }
    assert named - SENTENCES.keys() == set()


def test_a_code_stands_behind_its_sentence_and_an_unknown_one_alone() -> None:
    assert explain(NotYours("OnlyStewardsSettle")).endswith("[NotYours: OnlyStewardsSettle]")
    assert explain(Misfit("version")) == "the hub fills in version; leave it out [Misfit: version]"
    assert explain(Misfit("/details: required")).endswith("[Misfit: /details: required]")
    assert explain(StillWaits("key")).startswith("it is signed with a key that is not registered")
    assert explain(NoSuchRecord("no record of this id waits")).endswith("look at: hub quarantine list [NoSuchRecord]")
    assert explain(NotYours("SomethingNew")) == "NotYours: SomethingNew"
    assert explain_waiting("something-new") == "something-new"
    assert json.dumps(explain_waiting("unknown-child")).endswith('[unknown-child]"')
