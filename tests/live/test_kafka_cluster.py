"""Three real nodes do what this suite's faults build on: one dies, nothing acknowledged is lost, it comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.kafka.cluster import Cluster
from infra.kafka.operator import Agency, security
from infra.kafka.topics import HUB

pytestmark = pytest.mark.live

SOURCE = "urn:safeguarding:source:police:west"
DEADLINE_S = 60
SENT = 2000


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("three"), nodes=3) as three:
        yield three


@pytest.fixture(scope="module")
def agency(three: Cluster) -> Agency:
    return three.add_agency(SOURCE)


def test_a_leader_killed_amid_sends_loses_and_doubles_nothing(three: Cluster, agency: Agency) -> None:
    producer = KafkaProducer(**settings(three, agency.user), acks="all", enable_idempotence=True, linger_ms=1)
    leader = three.leader(agency.events)
    sent = []
    for n in range(SENT):
        sent.append(producer.send(agency.events, key=b"0" * 32, value=b"%d" % n, partition=0))
        if n == SENT // 2:
            three.kill(leader)
    producer.flush(timeout=DEADLINE_S)
    producer.close()
    assert [one.get().offset for one in sent] == list(range(SENT))
    assert three.leader(agency.events) != leader
    assert everything(three, agency.events) == [b"%d" % n for n in range(SENT)]
    three.restart(leader)


def test_a_node_that_lost_its_disk_fills_it_again_from_its_fellows(three: Cluster, agency: Agency) -> None:
    number = three.leader(agency.events)
    three.kill(number)
    three.wipe(number)
    three.restart(number)
    with three.operator() as operator:
        until(lambda: operator.in_sync(agency.events) == {1, 2, 3})


def test_with_one_node_of_three_nothing_is_acknowledged(three: Cluster, agency: Agency) -> None:
    gone = sorted({1, 2, 3} - {three.leader(agency.events)})
    producer = KafkaProducer(
        **settings(three, agency.user), acks="all", delivery_timeout_ms=3000, request_timeout_ms=2000
    )
    producer.send(agency.events, value=b"before", partition=0).get(timeout=DEADLINE_S)
    for number in gone:
        three.kill(number)
    late = producer.send(agency.events, value=b"during", partition=0)
    until(lambda: late.is_done)
    assert late.failed()
    producer.close(timeout=1)
    three.restart(*gone)


def test_stopping_leaves_no_process_and_no_password_behind_on_a_command_line(tmp_path: Path) -> None:
    with Cluster(tmp_path / "one") as cluster:
        pids = [node.pid for node in cluster.nodes.values()]
        secrets = [path.read_bytes() for path in cluster.secrets.glob("*.password")]
        assert len(secrets) == 2
        running = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
        log = (cluster.folder / "node-1" / "node.log").read_bytes()
        assert not [one for one in secrets if one in running + log]
        assert not list(cluster.secrets.glob("*.args"))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


def test_the_same_folder_started_again_is_the_same_cluster(tmp_path: Path) -> None:
    with Cluster(tmp_path / "one") as first:
        agency = first.add_agency(SOURCE)
        producer = KafkaProducer(**settings(first, agency.user))
        producer.send(agency.events, value=b"kept", partition=0).get(timeout=DEADLINE_S)
        producer.close()
        bootstrap = first.bootstrap
    with Cluster(tmp_path / "one") as again:
        assert again.bootstrap == bootstrap
        assert everything(again, agency.events) == [b"kept"]


def settings(cluster: Cluster, user: str) -> dict[str, object]:
    password = cluster.password_file(user).read_text()
    return {"bootstrap_servers": cluster.bootstrap} | security(cluster.ca, user, password)


def everything(cluster: Cluster, topic: str) -> list[bytes]:
    """What the hub reads from the beginning up to the end that the broker names now."""
    where = TopicPartition(topic, 0)
    consumer = KafkaConsumer(**settings(cluster, HUB), auto_offset_reset="earliest")
    consumer.assign([where])
    end, found = consumer.end_offsets([where])[where], list[bytes]()
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < end and time.monotonic() < deadline:
        found += [one.value for batch in consumer.poll(timeout_ms=500).values() for one in batch]
    consumer.close()
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
