"""The command line: what it prints where, how it ends, and that no file from outside makes it fall over."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit_toy import AUDIENCE, HUB, NOON, SOURCE, TOY

from adapters.kit.command import main
from adapters.kit.publisher import HttpCarrier
from schemas.envelope import check_possession

WORDS = ["--source", SOURCE, "--hub", HUB, "--partnership", "urn:safeguarding:partnership:harrowmere-westlorn"]
WORDS += ["--service", "urn:safeguarding:service:toy-clinic", "--service-name", "Toy clinic"]
WORDS += ["--service-kind", "a hospital", "--url", "http://127.0.0.1:1"]


def toy(n, says="injury", **more):
    return {"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": says, **more}


@pytest.fixture
def run(hub, home_path, capsys, tmp_path):
    """Runs a command of the toy adapter against the fake hub; gives its exit code, output and words."""
    clock = tmp_path / "clock"
    clock.write_text("2024-10-03T12:00:00Z\n")
    environment = {"ADAPTER_DEMO": "1", "ADAPTER_DEMO_CLOCK": str(clock), "ADAPTER_HOME": str(home_path)}

    def run(*argv, environment=environment):
        code = main(TOY, argv, environment, lambda door, clock: HttpCarrier(door, clock, hub.transport()))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_keys_init_makes_a_home_and_prints_a_request_that_proves_both_keys(run, tmp_path):
    path = tmp_path / "new"
    code, out, err = run("--home", str(path), "keys", "init", *WORDS)
    assert code == 0
    request = json.loads(out)
    assert request["source"] == SOURCE
    assert request["service"] == {
        "urn": "urn:safeguarding:service:toy-clinic",
        "name": "Toy clinic",
        "kind": "a hospital",
    }
    for purpose in ("event", "transport"):
        check_possession(request[purpose]["proof"], request[purpose]["jwk"], hub=HUB, source=SOURCE)
        assert "d" not in request[purpose]["jwk"]
    assert f'audience = "{AUDIENCE}"' in (path / "adapter.toml").read_text()
    for name in ("event.pem", "transport.pem", "agency.secret", "salt.secret"):
        assert (path / name).stat().st_mode & 0o777 == 0o600
        assert (path / name).read_text().strip() not in out + err


def test_keys_init_again_changes_nothing_and_names_the_same_keys(run, home_path):
    before = {path.name: path.read_bytes() for path in home_path.iterdir()}
    code, out, err = run("keys", "init")
    assert code == 0
    assert "already" in err
    assert {path.name: path.read_bytes() for path in home_path.iterdir()} == before
    assert json.loads(out)["event"]["jwk"] == json.loads(run("keys", "init")[1])["event"]["jwk"]


def test_keys_init_without_settings_says_what_to_give(run, tmp_path):
    code, out, err = run("--home", str(tmp_path / "new"), "keys", "init")
    assert (code, out) == (2, "")
    assert "--source" in err
    assert "--partnership" in err


def test_keys_init_does_not_follow_words_that_contradict_the_settings(run):
    code, _, err = run("keys", "init", "--source", "urn:safeguarding:source:other")
    assert code == 2
    assert "adapter.toml says" in err


@pytest.mark.parametrize(
    ("word", "wrong", "named"),
    [
        ("--source", "toy", "a URN"),
        ("--hub", "http://127.0.0.1", "a URN"),
        ("--service", "urn:safeguarding:service:Toy Clinic", "urn:safeguarding:service:NAME"),
        ("--partnership", "toytown", "urn:safeguarding:partnership:NAME"),
        ("--service-kind", "hospital", "a school, a nursery"),
    ],
)
def test_keys_init_refuses_a_name_that_no_hub_would_register_and_makes_nothing(run, tmp_path, word, wrong, named):
    path = tmp_path / "new"
    words = [wrong if before == word else one for before, one in zip(["", *WORDS], WORDS, strict=False)]
    code, out, err = run("--home", str(path), "keys", "init", *words)
    assert (code, out, path.exists()) == (2, "", False)
    assert named in err


def test_keys_init_judges_the_names_in_settings_that_were_edited_too(run, home_path):
    settings = home_path / "adapter.toml"
    settings.write_text(settings.read_text().replace('kind = "a hospital"', 'kind = "a clinic"'))
    code, out, err = run("keys", "init")
    assert (code, out) == (2, "")
    assert "a clinic" in err


def test_keys_init_where_no_folder_can_be_made_says_so(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = run("--home", str(tmp_path / "file" / "new"), "keys", "init", *WORDS)
    assert (code, out) == (2, "")
    assert "cannot write" in err


def test_es256_keys_are_made_where_asked(run, tmp_path):
    _, out, _ = run("--home", str(tmp_path / "new"), "keys", "init", "--alg", "ES256", *WORDS)
    assert json.loads(out)["event"]["jwk"]["crv"] == "P-256"


def test_once_ends_well_when_every_record_has_its_receipt(run, put, folder, hub):
    put("a.toy", toy(1), toy(2, "nothing"))
    code, out, err = run("once", str(folder))
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "records": {"events": 1, "no-event": 1},
        "sealed": 1,
        "settled": 1,
        "refused": 0,
        "all_receipted": True,
    }
    assert len(hub.entries) == 1


def test_once_ends_with_1_when_a_record_needs_a_person_and_still_delivers_the_rest(run, put, folder, hub):
    put("a.toy", toy(1, "odd"), toy(2))
    code, out, err = run("once", str(folder))
    assert code == 1
    assert "status" in err
    assert json.loads(out)["all_receipted"]
    assert len(hub.entries) == 1
    assert run("once", str(folder))[0] == 0


def test_once_ends_with_1_when_the_hub_is_away(run, put, folder, hub):
    put("a.toy", toy(1))
    hub.fail("down", 1000)
    code, out, err = run("once", str(folder), "--patience", "0")
    assert code == 1
    assert "nothing is lost" in err
    assert not json.loads(out)["all_receipted"]


def test_once_by_a_person_names_them_and_needs_the_day(run, put, folder, hub):
    put("a.toy", toy(1))
    assert run("once", str(folder), "--by", "lead-b")[0] == 2
    assert run("once", str(folder), "--by", "lead-b", "--decided", "2024-10-03")[0] == 0
    assert hub.entries[0]["relevance"] == {"person": "lead-b", "decided": "2024-10-03"}


def test_status_tells_what_waits_what_was_refused_and_what_to_look_at(run, put, folder, hub):
    put("a.toy", toy(1), toy(2, "hold"), b"nonsense")
    run("once", str(folder))
    code, out, _ = run("status", "--json")
    assert code == 0
    report = json.loads(out)
    assert (report["pending"], report["awaiting_receipt"], report["admitted"], report["refused"]) == (0, 0, 1, 0)
    assert {"outcome": "held", "reason": "identity-conflict", "field": "child", "count": 1} in report["records"]
    assert {"outcome": "unreadable", "file": "a.toy", "record": "line 3", "reason": "toy-form"} in report["to_look_at"]
    assert report["head"]["sequence"] == 2  # a heartbeat follows what was read
    assert "hub_clock_ahead_s" not in report  # a demonstration's clock is not compared
    assert any(path.endswith("salt.secret") for path in report["back_up"])
    code, out, _ = run("status")
    assert code == 0
    assert "a.toy line 2: held child identity-conflict" in out


def test_status_shows_refused_records_with_the_hubs_reason(run, put, folder, hub):
    put("a.toy", toy(1))
    hub.keys = {kid: entry for kid, entry in hub.keys.items() if entry.purpose == "transport"}
    assert run("once", str(folder))[0] == 1
    [row, beat] = json.loads(run("status", "--json")[1])["refused_rows"]
    assert (beat["event"], beat["reason"]) == ("heartbeat", "key")
    assert (row["event"], row["outcome"], row["reason"]) == ("injury-observed", "quarantined", "key")


def test_status_before_anything_was_read(run):
    code, out, err = run("status")
    assert (code, out) == (0, "")
    assert "nothing was read yet" in err


def test_nothing_personal_stands_in_status_or_check(run, put, folder):
    put("a.toy", toy(1, text="Wrenna was here"), toy(2, "break"), toy(3, "hold"), b'{"id": "Wrenna"')
    said = [run("once", str(folder)), run("status", "--json"), run("status"), run("check", "--json", str(folder))]
    for canary in ("Wrenna", "Quillfeather", "9991204318", "2014-05-17"):
        assert all(canary not in out + err for _, out, err in said)


def test_check_needs_no_home_and_says_what_each_record_would_become(run, put, tmp_path):
    path = put("a.toy", toy(1), toy(2, "nothing"))
    code, out, err = run("check", "--json", str(path), environment={})
    assert code == 0
    first, second = map(json.loads, out.splitlines())
    assert first["outcome"] == "events"
    assert first["record"] == "line 1"
    [event] = first["events"]
    assert event["event"] == "injury-observed"
    assert event["relevance"] == "always-relevant"
    assert event["child"] == {
        "identifiers": ["https://fhir.nhs.uk/Id/nhs-number"],
        "named": True,
        "birth_date": True,
    }
    assert second["reasons"] == [{"why": "negative-finding"}]
    assert "2 records: 1 events, 1 no-event" in err


@pytest.mark.parametrize("says", ["hold", "odd", "break", "misfit", "who-knows"])
def test_check_ends_with_1_when_a_record_would_need_a_person(run, put, says):
    path = put("a.toy", toy(1, says))
    assert run("check", str(path))[0] == 1


def test_check_compares_a_record_that_comes_twice_with_itself_before(run, put):
    path = put("a.toy", toy(1), toy(1, "replace", v="2"), toy(1, "compare", v="3"))
    code, out, _ = run("check", "--json", str(path))
    assert code == 0
    _, second, third = map(json.loads, out.splitlines())
    assert second["events"][0]["change"] == "replaces"
    assert third["reasons"] == [{"why": "last-was-2"}]


def test_check_stops_at_the_limit(run, put):
    path = put("a.toy", *(toy(n) for n in range(10)))
    assert len(run("check", "--json", "--limit", "3", str(path))[1].splitlines()) == 3


def test_check_of_a_file_that_is_not_there_is_a_misuse(run, tmp_path):
    code, out, err = run("check", str(tmp_path / "none.toy"))
    assert (code, out) == (2, "")
    assert "cannot open" in err


@pytest.mark.parametrize("argv", [[], ["check"], ["once"], ["once", "/no/such/folder"], ["frobnicate"], ["keys"]])
def test_misuse_ends_with_2(run, argv):
    assert run(*argv)[0] == 2


@pytest.mark.parametrize("argv", [["--help"], ["once", "--help"], ["keys", "init", "--help"], ["--version"]])
def test_help_is_at_every_level(run, argv):
    code, out, _ = run(*argv)
    assert code == 0
    assert "adapter-toy" in out


def test_a_clock_of_a_file_is_for_demonstrations_only(run, folder, home_path):
    environment = {"ADAPTER_HOME": str(home_path), "ADAPTER_DEMO_CLOCK": "/tmp/clock"}  # noqa: S108
    code, _, err = run("once", str(folder), environment=environment)
    assert code == 2
    assert "ADAPTER_DEMO=1" in err


def test_a_private_file_that_others_can_read_is_refused(run, folder, home_path):
    (home_path / "event.pem").chmod(0o644)
    code, _, err = run("once", str(folder))
    assert code == 2
    assert "chmod 600" in err


@pytest.mark.parametrize("broken", ["[source", '[source]\nurn = "x"', "\xff"])
def test_settings_that_cannot_be_used_are_named(run, folder, home_path, broken):
    (home_path / "adapter.toml").write_text(broken, encoding="latin-1")
    code, _, err = run("once", str(folder))
    assert code == 2
    assert "adapter.toml" in err


def test_rejoin_says_when_there_is_nothing_to_do(run, put, folder):
    put("a.toy", toy(1))
    run("once", str(folder))
    code, out, _ = run("rejoin")
    assert code == 0
    assert json.loads(out) == {"own_sequence": 2, "hub_sequence": 2, "gap": False}


def test_an_outbox_behind_the_hub_stops_with_a_clear_word(run, put, folder, home_path):
    put("a.toy", toy(1))
    run("once", str(folder))
    (home_path / "outbox.db").unlink()
    code, _, err = run("once", str(folder))
    assert code == 1
    assert "the hub has heard number 2 of this source, this outbox ends at 0" in err
    assert run("rejoin")[0] == 0
    assert run("once", str(folder))[0] == 0


HOSTILE = {
    "random.toy": random.Random(1).randbytes(100_000),  # noqa: S311
    "braces.toy": b"{" * 500_000,
    "nul.toy": b"{\x00" * 1000,
    "cut.toy": b'{"id": "T-1", "child": "C-1", "says": "inj',
    "deep.toy": b'{"id": ' + b"[" * 100_000,
    "utf16.toy": '{"id": 1}'.encode("utf-16"),
    "types.toy": b'{"id": [], "child": {}, "says": 5}\n[]\n"x"\nnull\n7\n{"id": "a", "child": null, "says": "injury"}',
    "empty.toy": b"",
    "bomb.xml": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    "escape\x1b[2J.toy": b'{"id"',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_makes_it_fall_over(run, folder, name):
    (folder / name).write_bytes(HOSTILE[name])
    code, out, err = run("check", "--json", str(folder))
    assert code == (0 if name == "empty.toy" else 1)
    assert all(json.loads(line)["outcome"] in ("unreadable", "unmappable") for line in out.splitlines())
    assert "\x1b" not in out + err
    assert "Traceback" not in err
    assert "\x1b" not in run("once", str(folder))[2]


def test_a_line_of_a_hundred_megabytes_stays_below_300_megabytes(folder, home_path):
    path = folder / "long.toy"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"{" * 1024 * 1024)
        file.write(b"\n" + json.dumps(toy(1)).encode())
    command = [sys.executable, str(Path(__file__).with_name("kit_toy.py")), "check", "--json", str(path)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (300 * 1024 * 1024, 300 * 1024 * 1024))

    ended = subprocess.run(command, env=environment, capture_output=True, preexec_fn=limit, timeout=60)  # noqa: S603
    assert ended.returncode == 1, ended.stderr
    outcomes = [json.loads(line)["outcome"] for line in ended.stdout.splitlines()]
    assert outcomes == ["unreadable", "events"]


def test_run_takes_what_comes_to_rest_and_stops_when_told(make_line, outbox, http_carrier, put, folder, hub, clockwork):
    line = make_line(outbox, http_carrier)
    put("a.toy", toy(1))
    rounds = []

    def stop():
        if clockwork.slept and len(clockwork.slept) != len(rounds):
            rounds.append(len(hub.entries))
            if len(rounds) == 2:
                put("b.toy", toy(2), toy(3))
            if len(rounds) == 3:
                put("b.toy", toy(2), toy(3), toy(4))
        return len(rounds) == 6

    line.run(folder, stop)
    assert rounds == [0, 1, 1, 1, 4, 4]


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_run_that_is_told_to_stop_says_so_and_ends_with_0_even_while_the_hub_is_away(put, folder, home_path, told):
    put("a.toy", toy(1))
    command = [
        sys.executable,
        str(Path(__file__).with_name("kit_toy.py")),
        "--home",
        str(home_path),
        "run",
        str(folder),
    ]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as running:  # noqa: S603
        assert running.stderr.readline().startswith(b"watching")
        running.send_signal(told)
        words = running.communicate(timeout=30)[1]
    assert (running.returncode, words.splitlines()[-1]) == (0, b"stopped; nothing is lost")


def test_run_outlasts_a_hub_that_is_away(make_line, outbox, http_carrier, put, folder, hub, clockwork):
    line = make_line(outbox, http_carrier)
    put("a.toy", toy(1))
    hub.fail("down", 3)
    line.run(folder, lambda: clockwork.now > 20)
    assert len(hub.entries) == 1


def test_run_outlasts_a_folder_that_is_away(make_line, outbox, http_carrier, folder, clockwork):
    folder.rmdir()
    line = make_line(outbox, http_carrier)
    line.run(folder, lambda: clockwork.now > 20)
    assert "FileNotFoundError" in line.said[0]


def test_the_demo_clock_is_the_time_of_the_seal(run, put, folder, hub):
    put("a.toy", toy(1))
    run("once", str(folder))
    assert all(receipt.at.startswith(f"{NOON:%Y-%m-%d}") for receipt in hub.receipts)
