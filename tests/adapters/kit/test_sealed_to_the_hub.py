"""Version 2 records: the broker's disk holds nothing that could be read, and what waits can still be sealed again."""

import json

import pytest
from kit_toy import NOON, TOY

from adapters.kit.broker import make_sealer
from adapters.kit.home import BadHome, open_home
from adapters.kit.outbox import Head
from adapters.kit.rejoining import rejoin
from adapters.kit.sealing import Sealer, hide_waiting
from schemas.envelope import open_envelope, statement_bytes_of

TEXT, CANARY = "Wrenna was here", b"Wrenna"


def toys(count):
    return [
        {"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury", "text": "Wrenna was here"} for n in range(count)
    ]


@pytest.fixture
def kafka_home(home_path, hub):
    settings = (home_path / "adapter.toml").read_text()
    table = '[kafka]\nservers = ["127.0.0.1:1"]\nsecurity = "none"'
    (home_path / "adapter.toml").write_text(settings.replace("[kafka]\nservers = []", table))
    (home_path / "hub-sealing.jwk").write_text(json.dumps(hub.sealing.public_jwk()))
    return open_home(home_path, TOY)


@pytest.fixture
def line(make_line, kafka_home, outbox, kafka_carrier, put):
    put("a.toy", *toys(3))
    return make_line(outbox, kafka_carrier, home=kafka_home)


def records(outbox):
    return [row[0] for row in outbox.select("SELECT record FROM sealed ORDER BY sequence")]


def test_over_kafka_only_the_hub_can_read_the_data(line, fake_broker, folder, hub, outbox):
    assert line.once(folder, 60)
    assert len(hub.entries) == 3
    for record in records(outbox):
        assert json.loads(record).keys() == {"jws", "sealed"}
        opened = open_envelope(record, hub.keys.get, unseal=hub.sealing)
        assert CANARY in opened.data_bytes
        assert CANARY not in record


def test_a_record_that_is_sent_again_is_the_same_bytes(line, folder, hub, fake_broker):
    hub.fail("one-receipt-lost")
    assert line.once(folder, 100)
    first, *_, again = fake_broker.topics["sg.events.toy-clinic"].values
    assert first == again


def test_a_record_of_which_the_hub_read_nothing_is_known_by_its_digest(line, folder, hub, outbox):
    hub.keys = {}
    assert line.once(folder, 60)
    assert outbox.select("SELECT DISTINCT state, reason FROM sealed") == [("refused", "key")]


def test_what_waits_is_sealed_again_with_the_same_content(line, folder, hub, outbox, kafka_home, kafka_carrier):
    line.intake.take_file(folder / "a.toy")
    ids = outbox.find_unsettled_ids()
    hub.head = Head(7, "A" * 43)
    rejoin(outbox, kafka_carrier, make_sealer(kafka_home), lambda: NOON)
    assert outbox.select("SELECT id, sequence FROM sealed ORDER BY sequence") == [(ids[n], 8 + n) for n in range(3)]
    assert line.once(folder, 60)
    assert len(hub.entries) == 3


def test_what_waited_for_another_way_is_hidden_and_its_statement_stays(
    home, kafka_home, make_line, outbox, kafka_carrier, put, folder, hub
):
    put("a.toy", *toys(3))
    line = make_line(outbox, kafka_carrier)
    line.intake.take_file(folder / "a.toy")
    before = [statement_bytes_of(record) for record in records(outbox)]
    assert hide_waiting(outbox, make_sealer(kafka_home)) == 3
    assert [statement_bytes_of(record) for record in records(outbox)] == before
    assert all(json.loads(record).keys() == {"jws", "sealed"} for record in records(outbox))
    assert hide_waiting(outbox, make_sealer(kafka_home)) == 0
    assert line.once(folder, 60)
    assert len(hub.entries) == 3


def test_what_we_could_not_open_again_goes_with_the_bytes(line, folder, outbox):
    assert line.once(folder, 60)
    with outbox.transaction():
        assert outbox.forget_sent("2024-10-04") == 3
    assert outbox.select("SELECT count(record), count(plain) FROM sealed") == [(0, 0)]


def test_over_https_records_stay_version_1(home):
    assert make_sealer(home) == Sealer(home.source, home.event_key)


def test_without_the_hubs_key_nothing_is_sealed(kafka_home):
    (kafka_home.path / "hub-sealing.jwk").unlink()
    with pytest.raises(BadHome, match="sealing key is not in"):
        make_sealer(kafka_home)


def test_a_key_of_another_kind_is_no_sealing_key(kafka_home, hub):
    (kafka_home.path / "hub-sealing.jwk").write_text(json.dumps(hub.key.public_jwk()))
    with pytest.raises(BadHome, match="only X25519"):
        make_sealer(kafka_home)
