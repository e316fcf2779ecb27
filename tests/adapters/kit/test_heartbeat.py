"""A feed that lives says so at its rhythm, and one that only seems to live does not."""

import json
from datetime import timedelta

import pytest
from kit_toy import NOON, TOY

from adapters.kit.broker import make_sealer
from adapters.kit.heartbeat import Heart
from adapters.kit.home import BadHome, open_home
from adapters.kit.rejoining import rejoin
from schemas.envelope import NO_CHILD, statement_bytes_of


def toy(n):
    return {"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury"}


def rounds(line, folder, count):
    """Lets the run loop go round so many times: each ends with a sleep."""
    before = len(line.slept)
    line.run(folder, lambda: len(line.slept) - before >= count)


@pytest.fixture
def now():
    return [NOON]


@pytest.fixture
def heart(home, outbox, now):
    return Heart(home, outbox, make_sealer(home), lambda: now[0])


@pytest.fixture
def line(make_line, outbox, http_carrier, heart, clockwork):
    line = make_line(outbox, http_carrier)
    line.heart, line.slept = heart, clockwork.slept
    return line


def set_up(home_path, settings):
    toml = home_path / "adapter.toml"
    toml.write_text(toml.read_text().replace("every_s = 300 ", settings))
    return open_home(home_path, TOY)


def test_reading_once_ends_with_a_heartbeat_that_says_where_the_sequence_stands(line, hub, put, folder):
    put("a.toy", toy(1), toy(2))
    assert line.once(folder, 0)
    assert hub.beats == [{"last_sequence": 2, "every_s": 300, "outstanding": 2}]
    assert (len(hub.entries), hub.head.sequence) == (2, 3)


def test_an_empty_folder_is_a_feed_that_lives(line, hub, folder):
    assert line.once(folder, 0)
    assert hub.beats == [{"last_sequence": 0, "every_s": 300, "outstanding": 0}]


def test_a_heartbeat_names_no_child_and_its_id_tells_nobody_anything(heart, outbox):
    heart.beat()
    [(event_id, record)] = outbox.select("SELECT id, record FROM sealed")
    statement = json.loads(statement_bytes_of(record))
    assert (statement["type"], statement["subject"]) == ("uk.safeguarding.heartbeat.v1", NO_CHILD)
    assert len(event_id) == 32


def test_while_it_runs_it_beats_at_its_rhythm_and_no_faster(line, heart, hub, folder, now):
    beats = []
    for _ in range(7):
        rounds(line, folder, 3)
        beats.append(len(hub.beats))
        now[0] += timedelta(seconds=150)
    assert beats == [1, 1, 2, 2, 3, 3, 4]


def test_a_clock_that_was_put_back_does_not_silence_it(heart, outbox, line, hub, now):
    line.speak(0)
    now[0] -= timedelta(days=400)
    assert heart.beat_when_due()


def test_while_the_hub_is_away_heartbeats_do_not_pile_up(line, heart, hub, outbox, folder, now):
    hub.fail("down", 1000)
    for _ in range(5):
        line.once(folder, 0)
        now[0] += timedelta(minutes=10)
    assert outbox.select("SELECT count(*) FROM sealed") == [(1,)]


def test_one_that_the_hub_set_aside_is_not_followed_by_many_and_does_not_end_it_either(line, hub, outbox, now):
    keys, hub.keys = hub.keys, {kid: key for kid, key in hub.keys.items() if key.purpose == "transport"}
    for _ in range(4):
        line.speak(0)
        now[0] += timedelta(minutes=10)
    assert outbox.select("SELECT count(*) FROM sealed") == [(1,)]
    hub.keys = keys
    now[0] += timedelta(hours=6)
    assert line.speak(0)
    assert len(hub.beats) == 1


def test_where_a_file_is_due_now_and_then_the_heart_stops_without_one(home_path, line, heart, hub, put, folder, now):
    heart.home = set_up(home_path, "every_s = 300\nstops_after_s = 86400 ")
    assert not heart.beat()
    put("a.toy", toy(1))
    line.once(folder, 0)
    assert len(hub.beats) == 1
    now[0] += timedelta(hours=25)
    assert heart.stands_still()
    line.once(folder, 0)
    assert len(hub.beats) == 1


def test_a_folder_that_is_away_is_no_feed_that_lives(line, hub, tmp_path):
    rounds(line, tmp_path / "not-mounted", 3)
    assert hub.beats == []


@pytest.mark.parametrize("odd", ['"often"', "5", "99999999", "true"])
def test_a_rhythm_that_makes_no_sense_is_refused_at_the_start(home_path, odd):
    with pytest.raises(BadHome, match="every_s"):
        set_up(home_path, f"every_s = {odd} ")


def test_after_a_rejoin_it_goes_on_behind_the_hubs_head(heart, line, hub, outbox, home, http_carrier):
    line.speak(0)
    outbox.set_meta("head_sequence", 0)  # a backup
    outbox.set_meta("head_digest", "")
    rejoin(outbox, http_carrier, make_sealer(home), lambda: NOON)
    assert line.speak(0)
    assert hub.head.sequence == 2


def test_old_heartbeats_leave_nothing_behind(line, outbox, now, folder):
    line.once(folder, 0)
    with outbox.transaction():
        outbox.forget_sent("2999-01-01T00:00:00Z")
    assert outbox.select("SELECT count(*) FROM sealed") == [(0,)]
