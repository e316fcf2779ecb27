"""Attacks on the broker by those who have a user there, and by those who have none; real Apache Kafka answers."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ACL, KafkaAdminClient
from kafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    NoError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    for_code,
)
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.producer import ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from infra.kafka.cluster import Cluster
from infra.kafka.operator import Agency, OperatorFault, security
from infra.kafka.topics import HUB, OPERATOR, agency_grants

pytestmark = pytest.mark.live

POLICE = "urn:safeguarding:source:police:west"
HEALTH = "urn:safeguarding:source:health:north"
DEADLINE_S = 20
ANSWER_MS = 15_000


@pytest.fixture(scope="module")
def police(cluster: Cluster) -> Agency:
    return cluster.add_agency(POLICE)


@pytest.fixture(scope="module")
def health(cluster: Cluster) -> Agency:
    return cluster.add_agency(HEALTH)


# -- what each may do, so that a refusal below means something


def test_what_an_agency_publishes_the_hub_reads_and_what_the_hub_answers_the_agency_reads(
    cluster: Cluster, police: Agency
) -> None:
    write(cluster, police.user, police.events, b"sealed")
    assert read(cluster, HUB, police.events, group=HUB) == [b"sealed"]
    write(cluster, HUB, police.receipts, b"receipts")
    assert read(cluster, police.user, police.receipts) == [b"receipts"]


def test_an_agency_sees_the_names_of_its_own_two_topics_and_no_others(
    cluster: Cluster, police: Agency, health: Agency
) -> None:
    with administer(cluster, police.user) as admin:
        assert set(admin.list_topics()) == {police.events, police.receipts}


# -- an agency's own user turns against others


def test_an_agency_cannot_write_as_another(cluster: Cluster, police: Agency, health: Agency) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        write(cluster, police.user, health.events, b"forged")
    assert written_by_hand(cluster, police.user, police.events) == NoError
    assert written_by_hand(cluster, police.user, health.events) == TopicAuthorizationFailedError


def test_an_agency_cannot_write_receipts_not_even_its_own(cluster: Cluster, police: Agency, health: Agency) -> None:
    for topic in (police.receipts, health.receipts):
        with pytest.raises(TopicAuthorizationFailedError):
            write(cluster, police.user, topic, b"forged")


def test_an_agency_cannot_read_anothers_receipts(cluster: Cluster, police: Agency, health: Agency) -> None:
    assert read_by_hand(cluster, police.user, police.receipts) == [NoError, NoError]
    assert read_by_hand(cluster, police.user, health.receipts) == [TopicAuthorizationFailedError] * 2


def test_an_agency_cannot_read_events_not_even_its_own(cluster: Cluster, police: Agency, health: Agency) -> None:
    for topic in (police.events, health.events):
        assert read_by_hand(cluster, police.user, topic) == [TopicAuthorizationFailedError] * 2


def test_an_agency_cannot_join_the_hubs_group_to_take_its_topics_away(cluster: Cluster, police: Agency) -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        read(cluster, police.user, police.receipts, group=HUB)


@pytest.mark.parametrize("topic", ["sg.events.invented", "sg.receipts.invented", "anything"])
def test_an_agency_cannot_make_a_topic(cluster: Cluster, police: Agency, topic: str) -> None:
    with administer(cluster, police.user) as admin, pytest.raises(TopicAuthorizationFailedError):
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    with pytest.raises(TopicAuthorizationFailedError):
        write(cluster, police.user, topic, b"made by writing")
    assert topic not in topics(cluster)


def test_an_agency_cannot_remove_its_topics(cluster: Cluster, police: Agency) -> None:
    with administer(cluster, police.user) as admin, pytest.raises(TopicAuthorizationFailedError):
        admin.delete_topics([police.events])
    assert police.events in topics(cluster)


def test_an_agency_cannot_grant_itself_more(cluster: Cluster, police: Agency) -> None:
    wished = replace_user(agency_grants(HEALTH), police.user)
    with administer(cluster, police.user) as admin:
        assert admin.create_acls(wished) == {"succeeded": [], "failed": [ClusterAuthorizationFailedError] * 2}


# -- the hub's user, stolen


def test_the_hubs_user_cannot_publish_as_an_agency(cluster: Cluster, police: Agency) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        write(cluster, HUB, police.events, b"forged")


def test_the_hubs_user_cannot_make_or_remove_topics(cluster: Cluster, police: Agency) -> None:
    with administer(cluster, HUB) as admin:
        with pytest.raises(TopicAuthorizationFailedError):
            admin.create_topics({"sg.events.invented": {"num_partitions": 1, "replication_factor": 1}})
        with pytest.raises(TopicAuthorizationFailedError):
            admin.delete_topics([police.events])


# -- somebody without a user


@pytest.mark.parametrize("user", ["police.west", "hub", "operator", "nobody"])
def test_a_wrong_password_is_refused(
    cluster: Cluster, police: Agency, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client tries again until its time is over and then says no more than that; the reason stands in its log,
    unless the node had hung up before it was read."""
    caplog.set_level(logging.WARNING, logger="kafka")  # the adapters' carrier silences it for the whole process
    wrong = security(cluster.ca, user, "wrong")
    deadline = time.monotonic() + DEADLINE_S
    while SaslAuthenticationFailedError.__name__ not in caplog.text and time.monotonic() < deadline:
        with pytest.raises(KafkaTimeoutError):
            KafkaAdminClient(bootstrap_servers=cluster.bootstrap, bootstrap_timeout_ms=1000, **wrong)
    assert SaslAuthenticationFailedError.__name__ in caplog.text


def test_no_door_answers_without_tls(cluster: Cluster) -> None:
    versions = b"\0\0\0\x11\0\x12\0\0\0\0\0\1\0\7invader"  # ApiVersions, which Kafka answers before anyone is known
    for port in doors(cluster):
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain:
            plain.sendall(versions)
            assert b"invader" not in (answer := _all(plain))
            assert answer[:1] in (b"", b"\x15"), "nothing, or a TLS alert"


def test_nodes_talk_to_nobody_without_a_certificate_of_their_authority(cluster: Cluster) -> None:
    trusting = ssl.create_default_context(cafile=str(cluster.ca))
    for port in doors(cluster)[1:]:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain,
            pytest.raises((ssl.SSLError, ConnectionResetError)),
            trusting.wrap_socket(plain, server_hostname="localhost") as asking,
        ):
            asking.recv(1)


def test_a_client_trusts_no_broker_of_another_authority(cluster: Cluster, police: Agency) -> None:
    port = doors(cluster)[0]
    with (
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


# -- the operator's own mistakes


@pytest.mark.parametrize("name", ["hub", "operator"])
def test_a_source_whose_user_would_be_the_hubs_or_the_operators_is_not_made(cluster: Cluster, name: str) -> None:
    with pytest.raises(OperatorFault):
        cluster.add_agency(f"urn:safeguarding:source:{name}")


def test_adding_an_agency_again_keeps_its_password_and_topics(cluster: Cluster, police: Agency) -> None:
    before = police.password_file.read_text()
    assert cluster.add_agency(POLICE) == police
    assert police.password_file.read_text() == before


# -- how the tests ask


def settings(cluster: Cluster, user: str) -> dict[str, Any]:
    return {"bootstrap_servers": cluster.bootstrap} | security(
        cluster.ca, user, cluster.password_file(user).read_text()
    )


def write(cluster: Cluster, user: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(**settings(cluster, user), max_block_ms=ANSWER_MS)
    try:
        producer.send(topic, key=b"0" * 32, value=value, partition=0).get(timeout=DEADLINE_S)
    finally:
        producer.close(timeout=1)


def read(cluster: Cluster, user: str, topic: str, group: str | None = None) -> list[bytes]:
    """What stands on the topic, waiting for at least one value."""
    consumer = KafkaConsumer(**settings(cluster, user), group_id=group, auto_offset_reset="earliest")
    with contextlib.closing(consumer):
        consumer.subscribe([topic]) if group else consumer.assign([TopicPartition(topic, 0)])
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = [one.value for batch in consumer.poll(timeout_ms=500).values() for one in batch]
            if found:
                return found
    pytest.fail(f"{user} got no answer about {topic}")


def written_by_hand(cluster: Cluster, user: str, topic: str) -> type[KafkaError]:
    """What the broker says to a record sent to a topic whose names and nodes it never told the sender."""
    records = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1000)
    records.append(timestamp=0, key=b"0" * 32, value=b"forged")
    records.close()
    data = ProduceRequest.TopicProduceData
    part = data.PartitionProduceData(index=0, records=records.buffer())
    sent = data(name=topic, partition_data=[part])
    asked = ProduceRequest(transactional_id=None, acks=-1, timeout_ms=ANSWER_MS, topic_data=[sent], max_version=12)
    return for_code(ask(cluster, user, asked).responses[0].partition_responses[0].error_code)


def read_by_hand(cluster: Cluster, user: str, topic: str) -> list[type[KafkaError]]:
    """What the broker says to a reader who asks by the topic's name, and by its id, wherever they have it from."""
    with administer(cluster, OPERATOR) as admin:
        number = UUID(str(admin.describe_topics([topic])[0]["topic_id"]))
    wanted = FetchRequest.FetchTopic
    part = wanted.FetchPartition(
        partition=0, fetch_offset=0, partition_max_bytes=10**6, current_leader_epoch=-1, log_start_offset=-1
    )
    ways = [
        (wanted(topic=topic, partitions=[part]), {"max_version": 12}),
        (wanted(topic_id=number, partitions=[part]), {"min_version": 13}),
    ]
    answers = [
        ask(cluster, user, FetchRequest(
            max_wait_ms=0, min_bytes=0, max_bytes=10**6, isolation_level=0, session_id=0, session_epoch=-1,
            topics=[one], forgotten_topics_data=[], rack_id="", **version,
        ))
        for one, version in ways
    ]  # fmt: skip
    return [for_code(answer.responses[0].partitions[0].error_code) for answer in answers]


def ask(cluster: Cluster, user: str, request: Any) -> Any:
    """Send one request of the protocol to the node, whatever a client library would have thought of it."""
    with administer(cluster, user) as admin:
        return admin._manager.run(admin._manager.send, request, 1)


def replace_user(grants: list[ACL], user: str) -> list[ACL]:
    return [ACL(f"User:{user}", one.host, one.operation, one.permission_type, one.resource_pattern) for one in grants]


@contextlib.contextmanager
def administer(cluster: Cluster, user: str) -> Iterator[Any]:
    with contextlib.closing(KafkaAdminClient(**settings(cluster, user))) as admin:
        yield admin


def topics(cluster: Cluster) -> set[str]:
    with administer(cluster, OPERATOR) as admin:
        return set(admin.list_topics())


def doors(cluster: Cluster) -> list[int]:
    """Every port that the node listens on: clients, nodes, controller."""
    ports = cluster.nodes[1].ports
    return [ports.clients, ports.nodes, ports.controller]


def _all(plain: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := plain.recv(4096):
            found += piece
    return found
