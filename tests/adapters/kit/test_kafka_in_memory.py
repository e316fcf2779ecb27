"""The command over a broker that pip installs: plain text on this machine, a real client, a hub that answers by itself.

The broker is not Kafka; what depends on Kafka itself is in `test_kafka_for_real.py`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kit_broker import EVENTS, RECEIPTS, HubOnKafka
from kit_toy import TOY

from adapters.kit.broker import find_broker
from adapters.kit.carrying import make_carrier
from adapters.kit.command import main
from adapters.kit.delivery import Undelivered
from adapters.kit.home import open_home
from tests.brokers import run_broker

ROOT = Path(__file__).parents[3]


def toys(count, start=0):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n % 50}", "says": "injury"} for n in range(start, start + count)]


@pytest.fixture
def address():
    with run_broker() as address:
        admin = KafkaAdminClient(bootstrap_servers=address)
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1} for name in (EVENTS, RECEIPTS)})
        admin.close()
        yield address


@pytest.fixture
def kafka_home(home_path, hub, address):
    settings = (home_path / "adapter.toml").read_text()
    table = f'[kafka]\nservers = ["{address}"]\nsecurity = "none"'
    settings = settings.replace("[kafka]\nservers = []", table).replace('url = "http://127.0.0.1:1"', 'url = ""')
    (home_path / "adapter.toml").write_text(settings)
    (home_path / "hub-sealing.jwk").write_text(json.dumps(hub.sealing.public_jwk()))
    return home_path


@pytest.fixture
def answering(hub, address):
    with HubOnKafka(hub, bootstrap_servers=address) as answering:
        yield answering


@pytest.fixture
def run(kafka_home, capsys):
    def run(*argv):
        code = main(TOY, ["--home", str(kafka_home), *argv], {})
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_once_ends_when_every_record_has_its_receipt(run, put, folder, hub, answering):
    put("a.toy", *toys(700))
    code, out, err = run("once", str(folder))
    assert (code, err) == (0, "")
    assert json.loads(out)["settled"] == 700
    assert len(hub.entries) == 700
    report = json.loads(run("status", "--json")[1])
    assert (report["pending"], report["awaiting_receipt"], report["admitted"]) == (0, 0, 700)
    assert report["receipts_at"]


def test_a_second_round_goes_on_where_the_first_ended(run, put, folder, hub, answering):
    put("a.toy", *toys(3))
    assert run("once", str(folder))[0] == 0
    put("b.toy", *toys(3, 3))
    code, out, _ = run("once", str(folder))
    assert code == 0
    assert json.loads(out)["settled"] == 3
    assert len(hub.entries) == 6


def test_without_a_hub_status_tells_what_is_outstanding(run, put, folder, answering):
    answering.answers = False
    put("a.toy", *toys(3))
    code, out, err = run("once", str(folder), "--patience", "2")
    assert code == 1
    assert not json.loads(out)["all_receipted"]
    assert "the hub gave none" in err
    report = json.loads(run("status", "--json")[1])
    assert (report["pending"], report["awaiting_receipt"]) == (0, 3)
    assert "oldest waits" in run("status")[1]


@pytest.mark.parametrize("dies_after", ["4", "7", "8"])
def test_a_process_that_is_killed_goes_on_where_it_was(dies_after, kafka_home, put, folder, hub, answering):
    put("a.toy", *toys(450))
    toy = str(Path(__file__).with_name("kit_toy.py"))
    command = [sys.executable, toy, "--home", str(kafka_home), "once", str(folder)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    killed = subprocess.run(command, env={**environment, "TOY_DIES_AFTER": dies_after}, capture_output=True)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    again = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["all_receipted"]
    assert len(hub.entries) == len(hub.held) == 450


def test_a_broker_that_dies_is_told_and_leaves_no_thread_behind(home_path, hub):
    with run_broker() as address:
        settings = (home_path / "adapter.toml").read_text()
        table = f'[kafka]\nservers = ["{address}"]\nsecurity = "none"'
        (home_path / "adapter.toml").write_text(settings.replace("[kafka]\nservers = []", table))
        home = open_home(home_path, TOY)
        assert find_broker(home).servers == (address,)
        carrier = make_carrier(home, lambda: None, make_http=lambda door, clock: hub_away())
        with pytest.raises(Undelivered, match=f"no topic {RECEIPTS}"):
            carrier.get_head()
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(Undelivered, match="cannot be reached"):
            carrier.get_head()
    assert threading.active_count() <= before


def test_one_server_that_answers_is_enough(run, kafka_home, put, folder, hub, address, answering):
    settings = kafka_home / "adapter.toml"
    settings.write_text(settings.read_text().replace(f'["{address}"]', f'["127.0.0.1:1", "{address}"]'))
    put("a.toy", *toys(3))
    assert run("once", str(folder))[0] == 0
    assert len(hub.entries) == 3


def hub_away():
    class Away:
        def get_head(self):
            raise Undelivered("the hub cannot be reached")

    return Away()
