"""What no rule lets go stays in the agency: counted, kept for a time, sent by a person or because it was asked for."""

import json
import sqlite3
from datetime import timedelta

import pytest
from kit_toy import AUDIENCE, HUB, NOON, SOURCE, TOY

from adapters.kit.command import main
from adapters.kit.events import make_subject
from adapters.kit.home import BadHome, read_settings
from adapters.kit.outbox import OutboxForeign, open_outbox
from adapters.kit.publisher import Door, HttpCarrier
from adapters.kit.relevance import Sender
from adapters.kit.status import as_lines, describe_outbox


def toy(n, says="unremarkable", child=None, **more):
    return {"id": f"T-{n}", "v": "1", "child": child or f"C-{n}", "says": says, **more}


@pytest.fixture
def line(make_line, outbox, http_carrier):
    return make_line(outbox, http_carrier)


@pytest.fixture
def run(hub, home_path, capsys, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("2024-10-03T12:00:00Z\n")
    environment = {"ADAPTER_DEMO": "1", "ADAPTER_DEMO_CLOCK": str(clock), "ADAPTER_HOME": str(home_path)}

    def run(*argv):
        code = main(TOY, argv, environment, lambda door, clock: HttpCarrier(door, clock, hub.transport()))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def make_door(hub, home):
    return Door("http://127.0.0.1:1", AUDIENCE, HUB, home.source, home.transport_key, hub.receipt_entry)


def names_in(outbox):
    return [name for (name,) in outbox.select("SELECT DISTINCT name FROM held_about ORDER BY name")]


def relevance(hub):
    return [entry["relevance"] for entry in hub.entries]


def subject_of(home, child):
    return make_subject(home.secrets.agency, "toybox", child)


def test_what_no_rule_lets_go_is_counted_and_kept_and_nothing_is_sent(line, outbox, put, folder, hub, home):
    put("a.toy", toy(1), toy(2), toy(3, "injury"))
    assert line.once(folder, 10)
    assert line.intake.tally.ends == {"held-back": 2, "events": 1}
    assert [entry["relevance"]["rule"] for entry in hub.entries] == ["always-relevant"]
    held = describe_outbox(outbox, home.settings, home.path)["held_back"]
    assert held["rules"] == [{"rule": "not-relevant-yet", "count": 2, "kept": 2, "oldest": "2024-10-03T12:00:00Z"}]
    assert [(one["file"], one["record"]) for one in held["records"]] == [("a.toy", "line 1"), ("a.toy", "line 2")]


def test_status_says_nothing_of_whom_it_holds_back(line, outbox, put, folder, home):
    put("a.toy", toy(1, child="U999200118001"))
    line.once(folder, 10)
    report = describe_outbox(outbox, home.settings, home.path)
    assert "U999200118001" not in json.dumps(report) + "\n".join(as_lines(report))
    assert "T-1" not in json.dumps(report["held_back"])


def test_a_person_sends_what_was_held_back_without_the_file(run, put, folder, hub):
    put("a.toy", toy(1), toy(2))
    assert run("once", str(folder))[0] == 0
    (folder / "a.toy").unlink()
    name = json.loads(run("status", "--json")[1])["held_back"]["records"][0]["name"]
    code, out, _ = run("send", name, "--by", "named-nurse", "--reason", "three small signs")
    assert (code, json.loads(out)["sealed"]) == (0, 1)
    assert relevance(hub) == [
        {"person": "named-nurse", "decided": "2024-10-03T12:00:00Z", "reason": "three small signs"}
    ]
    assert len(json.loads(run("status", "--json")[1])["held_back"]["records"]) == 1


def test_the_key_of_the_agencys_own_system_names_it_too_with_every_version_in_order(run, put, folder, hub):
    put("a.toy", toy(1))
    put("b.toy", toy(1, v="2", text="Another day."))
    run("once", str(folder))
    assert run("send", "T-1", "--by", "named-nurse", "--reason", "asked by the front door")[0] == 0
    assert [entry["origin"]["version"] for entry in hub.entries] == ["1", "2"]


@pytest.mark.parametrize(
    "wrong", [("--decided", "tomorrow"), ("--decided", "2024-10-05"), ("--by", " "), ("--reason", " ")]
)
def test_a_choice_that_cannot_stand_is_refused_before_anything_is_touched(run, put, folder, wrong):
    put("a.toy", toy(1))
    run("once", str(folder))
    words = {"--by": "pat", "--reason": "asked for", "--decided": "2024-10-03"} | dict([wrong])
    code, out, _ = run("send", "T-1", *(word for pair in words.items() for word in pair))
    assert (code, out) == (2, "")
    assert len(json.loads(run("status", "--json")[1])["held_back"]["records"]) == 1


def test_a_person_can_choose_while_the_adapter_runs_and_it_sends_what_they_chose(
    run, put, folder, hub, home, make_line
):
    put("a.toy", toy(1))
    run("once", str(folder))
    with open_outbox(home.outbox_path, home.source) as outbox:
        assert run("send", "T-1", "--by", "named-nurse", "--reason", "three small signs")[0] == 0
        assert hub.entries == []
        door = HttpCarrier(make_door(hub, home), lambda: NOON, hub.transport())
        assert make_line(outbox, door).once(folder, 10)
    assert [one["person"] for one in relevance(hub)] == ["named-nurse"]


def test_sending_what_nobody_holds_back_is_a_misuse(run, put, folder):
    put("a.toy", toy(1, "injury"))
    run("once", str(folder))
    assert run("send", "T-1", "--by", "named-nurse", "--reason", "why not")[0] == 2


def test_what_is_sent_from_memory_is_byte_for_byte_what_the_file_gives(make_line, outbox, http_carrier, put, folder):
    sender = Sender("named-nurse", "2024-10-03")
    put("a.toy", toy(1))
    make_line(outbox, http_carrier).once(folder, 10)
    kept = make_line(outbox, http_carrier)
    with outbox.transaction():
        outbox.keeping.choose("T-1", sender)
    assert kept.send_chosen(10)
    again = make_line(outbox, http_carrier, sender=sender, again=True)
    again.once(folder, 10)
    assert (kept.intake.tally.sealed, again.intake.tally.sealed) == (1, 0)


def test_when_the_hub_asks_about_a_child_what_is_kept_of_that_child_leaves_and_nothing_else(
    line, outbox, put, folder, hub, home
):
    put("a.toy", toy(1, child="C-1"), toy(2, child="C-2"), toy(3, child="C-1"))
    line.once(folder, 10)
    subject = subject_of(home, "C-1")
    with outbox.transaction():
        outbox.noticing.ask_about(subject, "2024-10-03T12:00:00Z", history=True)
    assert line.send_chosen(10)
    assert [one["rule"] for one in relevance(hub)] == ["asked-about", "already-shared"]
    assert line.intake.tally.ends["held-back"] == 3
    assert len(names_in(outbox)) == 1


def test_what_is_kept_is_forgotten_after_its_time_and_stays_counted(line, outbox, put, folder, home):
    put("a.toy", toy(1), toy(2))
    line.once(folder, 10)
    line.delivery.clock = lambda: NOON + timedelta(days=366)
    line.once(folder, 10)
    assert outbox.keeping.find_named("T-1") == []
    assert outbox.select("SELECT count(raw), count(*) FROM native WHERE outcome = 'held-back'") == [(0, 2)]
    held = describe_outbox(outbox, home.settings, home.path)["held_back"]
    assert (held["rules"][0]["count"], held["rules"][0]["kept"], held["records"]) == (2, 0, [])


def test_how_long_it_is_kept_is_the_agencys_setting(line, outbox, put, folder):
    line.intake.home.settings["relevance"]["keep_days"] = 1
    put("a.toy", toy(1))
    line.once(folder, 10)
    line.delivery.clock = lambda: NOON + timedelta(days=2)
    line.once(folder, 10)
    assert outbox.keeping.find_named("T-1") == []


def test_a_later_version_is_still_compared_with_one_that_was_forgotten(line, outbox, put, folder):
    put("a.toy", toy(1))
    line.once(folder, 10)
    line.delivery.clock = lambda: NOON + timedelta(days=366)
    line.once(folder, 10)
    assert outbox.memory.find_last("toybox", "T-1").version == "1"


def test_an_outbox_of_the_shape_before_gets_what_is_new_and_keeps_what_it_holds(line, outbox, put, folder, home):
    put("a.toy", toy(1, "injury"))
    line.once(folder, 10)
    outbox.close()
    with sqlite3.connect(home.outbox_path) as before:
        for statement in (
            "DROP TABLE held_about", "DROP TABLE asked", "DROP TABLE notice", "DROP TABLE chosen",
            "DROP INDEX native_kept", "ALTER TABLE native DROP COLUMN format",
            "UPDATE meta SET value = 3 WHERE name = 'shape'",
        ):  # fmt: skip
            before.execute(statement)
    with pytest.raises(OutboxForeign), open_outbox(home.outbox_path, SOURCE, read_only=True):
        pass
    home.outbox_path.with_suffix(".lock").unlink()
    with open_outbox(home.outbox_path, SOURCE) as upgraded:
        assert upgraded.select("SELECT state FROM sealed") == [("admitted",)]
        assert names_in(upgraded) == []


@pytest.mark.parametrize(
    "setting",
    ['otherwise = "send"', 'shared_by = "everybody"', 'shared_by = { person = "named-nurse" }', "keep_days = 0"],
)
def test_a_setting_in_nobodys_name_is_refused(home_path, setting):
    path = home_path / "adapter.toml"
    path.write_text(path.read_text().partition("[relevance]")[0] + f"[relevance]\n{setting}\n")
    with pytest.raises(BadHome, match=setting.split()[0]):
        read_settings(home_path, TOY)
