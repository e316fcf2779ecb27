"""`hub consume` as a process, over a broker in memory; and to whom it speaks without TLS: nobody but a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from hub.__main__ import main
from hub.bootstrap import Hub
from hub.consuming import consume, read_brokers
from hub.settings import Settings, SettingsError
from hub.watch import NoPort
from infra.kafka.cluster import free_ports
from schemas.envelope import KeyEntry, PublicSealingKey, Receipt
from schemas.notices import open_answers
from schemas.topics import events_topic, receipts_topic
from tests.hub.test_watch import get

DEADLINE_S = 60


def until(happened: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


class Line:
    """A source's two topics on a broker, and `hub consume` beside it."""

    def __init__(self, hub: Hub, source: str, topics: Any, agency: dict[str, Any], settings: dict[str, str]) -> None:
        """`topics` makes and removes both; `agency` is how the source's own client connects."""
        self.hub, self.source, self.topics, self.agency = hub, source, topics, agency
        self.port = free_ports(1)[0]
        self.settings = {
            "HUB_HOME": str(hub.settings.home), "HUB_DEMO": "1", "HUB_LOG": "json", "HUB_METRICS_PORT": str(self.port),
        } | settings  # fmt: skip
        self.processes: list[subprocess.Popen[bytes]] = []
        topics.create(source)
        self.producer = KafkaProducer(**agency)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.producer.close()
        self.topics.delete(self.source)

    def start(self) -> subprocess.Popen[bytes]:
        """One more process; the only one that runs has the port for metrics and health."""
        alone = all(process.poll() is not None for process in self.processes)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        command = [sys.executable, "-m", "hub", "consume"]
        port = {} if alone else {"HUB_METRICS_PORT": "0"}
        process = subprocess.Popen(command, env=kept | self.settings | port)  # noqa: S603
        self.processes.append(process)
        return process

    def write(self, *records: bytes) -> None:
        for record in records:
            self.producer.send(events_topic(self.source), value=record, key=b"0" * 32).get(timeout=10)

    def receipts(self) -> list[Receipt]:
        """Every receipt on the topic, opened with the pinned key."""
        pinned = KeyEntry.from_jwk(self.hub.receipt_key.public_jwk(), source=self.hub.charter.hub, purpose="receipt")
        reader = KafkaConsumer(**self.agency, enable_auto_commit=False)
        try:
            part = TopicPartition(receipts_topic(self.source), 0)
            reader.assign([part])
            reader.seek(part, 0)
            messages = [one for batch in reader.poll(timeout_ms=500).values() for one in batch]
            whose = {"hub": pinned.source, "source": self.source}
            said = [open_answers(one.value.decode(), pinned, **whose)[0] for one in messages]
            return [row for batch in said for row in batch if isinstance(row, Receipt)]
        finally:
            reader.close()

    def outcomes(self) -> list[tuple[str, str]]:
        """What each receipt says; one that came twice, because the process died before it noted it as sent, once."""
        once = {row.cursor: (row.id, row.outcome) for row in self.receipts()}
        return [once[cursor] for cursor in sorted(once)]

    def ready(self) -> bool:
        try:
            return get(self.port, "/health/ready")[0] == 200
        except OSError:
            return False


class Topics:
    """Makes and removes them on a broker that asks nobody who they are."""

    def __init__(self, address: str) -> None:
        self.admin = KafkaAdminClient(bootstrap_servers=address)

    def create(self, source: str) -> None:
        self.admin.create_topics([NewTopic(topic(source), 1, 1) for topic in (events_topic, receipts_topic)])

    def delete(self, source: str) -> None:
        self.admin.delete_topics([topic(source) for topic in (events_topic, receipts_topic)])


@pytest.fixture
def line(broker: str, hub: Hub, police: Any) -> Iterator[Line]:
    group = f"hub-{free_ports(1)[0]}"
    settings = {"HUB_KAFKA": broker, "HUB_KAFKA_GROUP": group, "HUB_KAFKA_SESSION_S": "2"}
    made = Line(hub, police.source, Topics(broker), {"bootstrap_servers": broker}, settings)
    yield made
    made.end()
    made.topics.admin.close()


def test_sealed_records_go_in_receipts_come_out_and_a_killed_process_leaves_nothing_undone_or_done_twice(
    line: Line, police: Any, hub: Hub
) -> None:
    records = [police.seal(id=f"e{number}") for number in range(6)]
    process = line.start()
    line.write(records[0], b"poison", records[1])
    until(lambda: len(line.outcomes()) == 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    line.write(records[2], records[0])
    process = line.start()
    answers = until(lambda: len(found := line.outcomes()) >= 5 and found)
    assert answers[:5] == [
        ("e0", "admitted"), ("", "quarantined"), ("e1", "admitted"), ("e2", "admitted"), ("e0", "duplicate"),
    ]  # fmt: skip
    assert until(line.ready)
    assert b"hub_receipts_relayed_total" in get(line.port, "/metrics")[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    ids = [fact.id for child in hub.register().children() for fact in hub.record.facts(child)]
    assert ids == ["e0", "e1", "e2"]


def test_a_topic_that_is_made_again_while_nobody_reads_loses_and_doubles_nothing(
    line: Line, police: Any, hub: Hub
) -> None:
    records = [police.seal(id=f"e{number}") for number in range(4)]
    process = line.start()
    line.write(*records[:2])
    until(lambda: len(line.outcomes()) == 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    line.topics.delete(line.source)
    line.topics.create(line.source)
    line.write(*records)
    line.start()
    until(lambda: {id for id, _ in line.outcomes()} == {"e0", "e1", "e2", "e3"})
    ids = [fact.id for child in hub.register().children() for fact in hub.record.facts(child)]
    assert ids == ["e0", "e1", "e2", "e3"]


def test_a_released_record_is_answered_once_more_on_the_topic(line: Line, police: Any, hub: Hub) -> None:
    stranger = type(police)("urn:safeguarding:source:northmarch:live")
    line.write(stranger.seal(id="s1"))
    line.start()
    until(lambda: line.outcomes() == [("", "quarantined")])
    (waiting,) = hub.admission.quarantine.list()
    hub.admission.refuse(waiting.id, "ada")
    until(lambda: [outcome for _, outcome in line.outcomes()] == ["quarantined", "refused"])


# -- to whom it speaks


@pytest.mark.parametrize("servers", ["localhost:9092", "127.0.0.1:1,[::1]:2"])
def test_a_demo_hub_may_speak_to_loopback_without_tls(servers: str) -> None:
    assert read_brokers(Settings(kafka=servers), demo=True).ca is None


@pytest.mark.parametrize(
    ("settings", "demo", "names"),
    [
        ({}, True, "HUB_KAFKA"),
        ({"kafka": "localhost:9092"}, False, "HUB_KAFKA_CA"),
        ({"kafka": "kafka.example:9092"}, True, "HUB_KAFKA_CA"),
        ({"kafka": "localhost:1,kafka.example:9092"}, True, "HUB_KAFKA_CA"),
        ({"kafka": "localhost.example:9092"}, True, "HUB_KAFKA_CA"),
        ({"kafka": "k:1", "kafka_ca": Path("ca.pem")}, False, "HUB_KAFKA_PASSWORD_FILE"),
        ({"kafka": "k:1", "kafka_password_file": Path("none")}, False, "HUB_KAFKA_PASSWORD_FILE"),
    ],
)
def test_attack_nobody_can_make_it_speak_in_the_clear(settings: dict[str, Any], demo: bool, names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        read_brokers(Settings(**settings), demo=demo)


def test_a_password_is_a_file_and_shows_nowhere(tmp_path: Path) -> None:
    for name, text in (("ca.pem", "x"), ("password", "quill-secret\n")):
        (tmp_path / name).write_text(text)
    settings = Settings(kafka="k:1", kafka_ca=tmp_path / "ca.pem", kafka_password_file=tmp_path / "password")
    brokers = read_brokers(settings, demo=False)
    assert brokers.password == "quill-secret"  # noqa: S105
    assert "quill-secret" not in repr(brokers)


def test_keys_show_prints_what_agencies_pin_and_makes_the_sealing_key_of_an_older_home(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (hub.settings.home / "sealing.pem").unlink()
    monkeypatch.setenv("HUB_HOME", str(hub.settings.home))
    assert main(["keys", "show"]) == 0
    shown, said = capsys.readouterr()
    keys = json.loads(shown)
    assert keys["receipt"] == hub.receipt_key.public_jwk()
    assert PublicSealingKey.from_jwk(keys["sealing"]).public_jwk() == keys["sealing"]
    assert "made sealing.pem" in said
    assert (hub.settings.home / "sealing.pem").stat().st_mode & 0o777 == 0o600
    for words, expected in ((["show"], keys), (["receipt"], keys["receipt"]), (["sealing"], keys["sealing"])):
        assert main(["keys", *words]) == 0
        assert json.loads(capsys.readouterr().out) == expected


def test_who_reads_from_kafka_is_not_ready_while_nobody_writes_notices(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], bool]] = []

    def listens(*_: Any, ready: list[Callable[[], bool]], **more: Any) -> Any:
        asked.extend(ready)
        raise NoPort

    monkeypatch.setattr("hub.consuming._clients", lambda *_: (None, None))
    monkeypatch.setattr("hub.consuming.port", listens)
    over_kafka = replace(hub.settings, kafka="localhost:1")
    monkeypatch.setattr(hub, "settings", over_kafka)
    with pytest.raises(NoPort):
        consume(hub)
    assert [one() for one in asked if one.__name__ == "notices_are_written"] == [False]
