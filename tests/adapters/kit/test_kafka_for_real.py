"""The command over real Apache Kafka: TLS, a password, grants, and topics that are lost or made again."""

import json
import shutil
import threading
from dataclasses import replace

import pytest
from kit_broker import EVENTS, RECEIPTS, HubOnKafka
from kit_toy import NOON, SOURCE, TOY

from adapters.kit.broker import make_sealer
from adapters.kit.carrying import make_carrier
from adapters.kit.command import main
from adapters.kit.delivery import Undelivered
from adapters.kit.events import Ready
from adapters.kit.home import open_home
from adapters.kit.kafka import Place
from adapters.kit.outbox import Head
from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.kafka.topics import HUB

pytestmark = pytest.mark.live


def toys(count, start=0):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n % 50}", "says": "injury"} for n in range(start, start + count)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster


@pytest.fixture
def agency(cluster):
    """The toy's user, and topics that hold nothing yet."""
    agency = cluster.add_agency(SOURCE)
    yield agency
    cluster.delete_topic(SOURCE)


@pytest.fixture
def kafka_home(home_path, hub, cluster, agency):
    settings = (home_path / "adapter.toml").read_text()
    settings = settings.replace("servers = []", f"servers = {json.dumps(cluster.bootstrap.split(','))}")
    (home_path / "adapter.toml").write_text(settings.replace('url = "http://127.0.0.1:1"', 'url = ""'))
    (home_path / "hub-sealing.jwk").write_text(json.dumps(hub.sealing.public_jwk()))
    shutil.copy(cluster.ca, home_path / "kafka-ca.pem")
    (home_path / "kafka.password").write_text(agency.password_file.read_text())
    (home_path / "kafka.password").chmod(0o600)
    return home_path


@pytest.fixture
def connection(cluster):
    password = cluster.password_file(HUB).read_text()
    return {"bootstrap_servers": cluster.bootstrap} | security(cluster.ca, HUB, password)


@pytest.fixture
def answering(hub, kafka_home, connection):
    with HubOnKafka(hub, **connection) as answering:
        yield answering


@pytest.fixture
def run(kafka_home, capsys):
    def run(*argv):
        code = main(TOY, ["--home", str(kafka_home), *argv], {})
        out, err = capsys.readouterr()
        return code, out, err

    return run


def fault(run, folder, put):
    put("a.toy", *toys(2))
    code, _, err = run("once", str(folder), "--patience", "0")
    assert code == 1
    assert json.loads(run("status", "--json")[1])["pending"] == 2
    return err


def test_once_ends_when_every_record_has_its_receipt(run, put, folder, hub, answering):
    put("a.toy", *toys(1200))
    code, out, err = run("once", str(folder))
    assert (code, err) == (0, "")
    assert json.loads(out)["settled"] == 1200
    assert len(hub.entries) == len(hub.held) == 1200
    put("b.toy", *toys(3, 1200))
    assert run("once", str(folder))[0] == 0
    assert len(hub.entries) == 1203


def test_a_wrong_password_is_told_in_words(run, put, folder, kafka_home):
    (kafka_home / "kafka.password").write_text("wrong")
    assert "user and password" in fault(run, folder, put)


def test_a_certificate_of_another_authority_is_told_in_words(run, put, folder, kafka_home, cluster, tmp_path):
    with_another = Cluster(tmp_path / "other")
    with_another.prepare()
    shutil.copy(with_another.ca, kafka_home / "kafka-ca.pem")
    assert "certificate is not by the pinned authority" in fault(run, folder, put)


def test_a_topic_that_belongs_to_another_is_told_in_words(run, put, folder, kafka_home, cluster):
    other = cluster.add_agency("urn:safeguarding:source:other")
    settings = kafka_home / "adapter.toml"
    settings.write_text(settings.read_text().replace("[kafka]\n", f'[kafka]\nuser = "{other.user}"\n'))
    (kafka_home / "kafka.password").write_text(other.password_file.read_text())
    assert f"the broker shows this user no topic {RECEIPTS}" in fault(run, folder, put)


def test_one_who_may_not_publish_is_told_in_words(kafka_home, connection):
    """The hub's own user sees every events topic, and may write to none."""
    home = open_home(kafka_home, TOY)
    carrier = make_carrier(home, lambda: None)
    user, password = connection["sasl_plain_username"], connection["sasl_plain_password"]
    carrier._lane = replace(carrier._lane, broker=replace(carrier._lane.broker, user=user, password=password))
    ready = Ready("injury-observed", "0" * 32, "0" * 32, b"s" * 32, b"{}", None)
    row, _ = make_sealer(home).seal(ready, Head(0, ""), NOON)
    with pytest.raises(Undelivered, match=f"does not let this user use the topic {EVENTS}"):
        carrier.send([row.record])
    carrier.close()


def test_a_place_beyond_the_end_is_the_beginning(run, put, folder, kafka_home, answering):
    put("a.toy", *toys(3))
    assert run("once", str(folder))[0] == 0
    carrier = make_carrier(open_home(kafka_home, TOY), lambda: None)
    topic_id = Place.read(carrier.get_receipts("", 5)[1]).topic_id
    receipts, following = [], str(Place(topic_id, 1000))
    for _ in range(5):
        found, following = carrier.get_receipts(following, 2)
        receipts += found
    assert len(receipts) == 4  # three events and the heartbeat that follows them
    assert Place.read(following).next < 1000
    carrier.close()


def test_topics_made_again_under_the_same_name_lose_nothing(run, put, folder, hub, cluster, kafka_home, connection):
    with HubOnKafka(hub, **connection):
        put("a.toy", *toys(3))
        assert run("once", str(folder))[0] == 0
    cluster.delete_topic(SOURCE)
    put("b.toy", *toys(3, 3))
    assert run("once", str(folder), "--patience", "0")[0] == 1
    cluster.create_topic(SOURCE)
    with HubOnKafka(hub, **connection):
        assert run("once", str(folder))[0] == 0
    assert len(hub.entries) == 6
    assert json.loads(run("status", "--json")[1])["admitted"] == 6


def test_a_broker_killed_between_two_rounds_is_waited_for(run, put, folder, hub, cluster, kafka_home, connection):
    put("a.toy", *toys(300))
    cluster.kill(1)
    code, _, err = run("once", str(folder), "--patience", "3")
    assert code == 1
    assert "cannot be reached" in err
    before = threading.active_count()
    assert run("once", str(folder), "--patience", "3")[0] == 1
    assert threading.active_count() <= before
    cluster.restart(1)
    with HubOnKafka(hub, **connection):
        assert run("once", str(folder))[0] == 0
    assert len(hub.entries) == 300
