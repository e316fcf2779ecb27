"""The table [kafka]: what is missing or wrong is named before anything is connected."""

import json

import pytest
from kit_toy import HUB, SOURCE, TOY

from adapters.kit.broker import find_broker
from adapters.kit.carrying import make_carrier
from adapters.kit.command import main
from adapters.kit.home import BadHome, open_home
from adapters.kit.kafka import KafkaCarrier
from adapters.kit.publisher import HttpCarrier
from schemas.envelope import SealingKey

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBcDCCARegAwIBAgIUSU1sHzsmDIhc2yfUJTE2mBZ9DC4wCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----
"""
"""Looks like one and is none."""


@pytest.fixture
def set_kafka(home_path):
    """Writes [kafka] and gives the home as read then."""

    def set_kafka(table, mode="test", url="http://127.0.0.1:1"):
        path = home_path / "adapter.toml"
        text = path.read_text().replace('mode = "test"', f'mode = "{mode}"')
        before, after = text.split("[kafka]")
        before = before.replace('url = "http://127.0.0.1:1"', f'url = "{url}"')
        path.write_text(f"{before}[kafka]\n{table}\n\n[relevance]{after.split('[relevance]')[1]}")
        return open_home(home_path, TOY)

    return set_kafka


PLAIN = 'servers = ["127.0.0.1:1"]\nsecurity = "none"'
TLS = 'servers = ["broker.example.gov.uk:9093"]'


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('servers = "localhost:9092"', 'a list of "host:port"'),
        ('servers = ["localhost"]', 'a list of "host:port"'),
        ('servers = ["localhost:port"]', 'a list of "host:port"'),
        ('servers = ["localhost:99999"]', 'a list of "host:port"'),
        ("servers = [9092]", 'a list of "host:port"'),
        (f"{TLS}\nsecurty = 'none'", "knows no 'securty'"),
        (f"{TLS}\nca = 1", "ca is a text"),
        (TLS, "certificate of the broker's authority is not in"),
        (f"{TLS}\nsecurity = 'plain'", 'security is "tls", or "none"'),
        (f"{TLS}\nsecurity = 'none'", "for a broker on this machine only"),
        ('servers = ["127.0.0.1:1", "192.0.2.1:1"]\nsecurity = "none"', "for a broker on this machine only"),
    ],
)
def test_what_is_wrong_is_named(set_kafka, table, words):
    with pytest.raises(BadHome, match=words):
        find_broker(set_kafka(table))


def test_real_children_never_travel_in_plain_text(set_kafka):
    with pytest.raises(BadHome, match='mode = "test" only'):
        find_broker(set_kafka(PLAIN, mode="live"))


def test_the_password_is_its_owners_alone_and_never_shown(set_kafka, home_path):
    home = set_kafka(TLS)
    (home_path / "kafka-ca.pem").write_text(AUTHORITY)
    with pytest.raises(BadHome, match="password is not in"):
        find_broker(home)
    (home_path / "kafka.password").write_text("")
    (home_path / "kafka.password").chmod(0o600)
    with pytest.raises(BadHome, match="is empty"):
        find_broker(home)
    (home_path / "kafka.password").write_text("quillfeather\n")
    broker = find_broker(home)
    assert (broker.user, broker.password) == ("toy-clinic", "quillfeather")
    assert "quillfeather" not in repr(broker)
    (home_path / "kafka.password").chmod(0o644)
    with pytest.raises(BadHome, match="chmod 600"):
        find_broker(home)


def test_an_authority_that_is_none_is_named(set_kafka, home_path):
    home = set_kafka(TLS)
    (home_path / "kafka-ca.pem").write_text(AUTHORITY)
    (home_path / "kafka.password").write_text("quillfeather")
    (home_path / "kafka.password").chmod(0o600)
    with pytest.raises(BadHome, match="no certificate"):
        make_carrier(home, lambda: None)


def test_without_servers_records_go_over_https(set_kafka):
    assert isinstance(make_carrier(set_kafka("servers = []"), lambda: None), HttpCarrier)


@pytest.mark.parametrize("url", ["", "https://hub.example.gov.uk"])
def test_with_servers_records_go_by_kafka_whether_or_not_the_door_is_known(set_kafka, url):
    carrier = make_carrier(set_kafka(PLAIN, url=url), lambda: None)
    assert isinstance(carrier, KafkaCarrier)
    assert (carrier._ask_head is not None) == bool(url)


def test_with_neither_there_is_no_way(set_kafka):
    with pytest.raises(BadHome, match="nor for"):
        make_carrier(set_kafka("servers = []", url=""), lambda: None)


# -- keys init and status


@pytest.fixture
def run(home_path, capsys):
    def run(*argv):
        code = main(TOY, ["--home", str(home_path), *argv], {})
        out, err = capsys.readouterr()
        return code, out, err

    return run


WORDS = ["--source", SOURCE, "--hub", HUB, "--partnership", "urn:safeguarding:partnership:harrowmere-westlorn"]
WORDS += ["--service", "urn:safeguarding:service:toy-clinic", "--service-name", "Toy clinic"]
WORDS += ["--service-kind", "a hospital"]


def test_keys_init_writes_the_servers_and_pins_what_the_officers_gave(run, tmp_path):
    new, key = tmp_path / "new", SealingKey.generate()
    (tmp_path / "given.jwk").write_text(json.dumps(key.public_jwk()))
    more = ["--kafka-servers", "one.example.gov.uk:9093,two.example.gov.uk:9093"]
    code, _, err = run("--home", str(new), "keys", "init", *WORDS, *more, "--sealing-key", str(tmp_path / "given.jwk"))
    assert code == 0
    assert "hub-sealing.jwk" in err
    assert 'servers = ["one.example.gov.uk:9093", "two.example.gov.uk:9093"]' in (new / "adapter.toml").read_text()
    assert json.loads((new / "hub-sealing.jwk").read_text()) == key.public_jwk()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--kafka-servers", "localhost"], 'list of "host:port"'),
        (["--kafka-servers", "localhost:9093"], "adapter.toml says [kafka] servers"),
        (["--kafka-ca", "adapter.toml"], "holds no certificate"),
        (["--sealing-key", "event.pem"], "is no sealing key"),
    ],
)
def test_keys_init_refuses_what_cannot_be_used(run, home_path, monkeypatch, words, named):
    monkeypatch.chdir(home_path)
    code, out, err = run("keys", "init", *words)
    assert (code, out) == (2, "")
    assert named in err


def test_status_tells_the_way_and_what_to_back_up(run, set_kafka, hub, put, folder):
    home = set_kafka(PLAIN, url="")
    (home.path / "hub-sealing.jwk").write_text(json.dumps(hub.sealing.public_jwk()))
    put("a.toy", {"id": "T-1", "v": "1", "child": "C-1", "says": "injury"})
    code, _, err = run("once", str(folder), "--patience", "0")
    assert code == 1
    assert "the broker cannot be reached" in err
    report = json.loads(run("status", "--json")[1])
    assert report["transport"] == {
        "way": "kafka",
        "to": ["127.0.0.1:1"],
        "user": "toy-clinic",
        "events_topic": "sg.events.toy-clinic",
        "receipts_topic": "sg.receipts.toy-clinic",
    }
    assert report["pending"] == 1
    assert "waiting_since" in report
    assert report["fault"] == "the broker cannot be reached (ConnectionRefusedError)"
    assert any(path.endswith("hub-sealing.jwk") for path in report["back_up"])
    lines = run("status")[1]
    assert "goes by           kafka to 127.0.0.1:1 as toy-clinic" in lines
    assert "oldest waits      since" in lines
