"""`hub consume` over TLS with Apache Kafka: the stories of the broker in memory, and those that only Kafka can tell."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.bootstrap import Hub
from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.kafka.topics import HUB
from schemas.envelope import PublicSealingKey
from tests.hub import conftest
from tests.hub.conftest import Agency
from tests.hub.test_consuming import (  # noqa: F401
    Line,
    test_a_released_record_is_answered_once_more_on_the_topic,
    test_a_topic_that_is_made_again_while_nobody_reads_loses_and_doubles_nothing,
    test_sealed_records_go_in_receipts_come_out_and_a_killed_process_leaves_nothing_undone_or_done_twice,
    until,
)

pytestmark = pytest.mark.live
clock, open_hub, register = conftest.clock, conftest.open_hub, conftest.register
hub, own_store, police = conftest.hub, conftest.own_store, conftest.police


class Topics:
    """Made and removed by the operator."""

    def __init__(self, cluster: Cluster) -> None:
        self.create, self.delete = cluster.create_topic, cluster.delete_topic


@pytest.fixture(params=["kafka-python", "confluent"])
def line(request: pytest.FixtureRequest, cluster: Cluster, hub: Hub, police: Any) -> Iterator[Line]:
    agency = cluster.add_agency(police.source)
    settings = {
        "HUB_KAFKA": cluster.bootstrap, "HUB_KAFKA_CA": str(cluster.ca), "HUB_KAFKA_SESSION_S": "6",
        "HUB_KAFKA_PASSWORD_FILE": str(cluster.password_file(HUB)), "HUB_KAFKA_CLIENT": request.param,
    }  # fmt: skip
    secrets = security(cluster.ca, agency.user, agency.password_file.read_text())
    clients = {"bootstrap_servers": cluster.bootstrap.split(","), **secrets}
    made = Line(hub, police.source, Topics(cluster), clients, settings)
    yield made
    made.end()


def ids(hub: Hub) -> list[str]:
    return [fact.id for child in hub.register().children() for fact in hub.record.facts(child)]


def test_a_topic_that_is_made_again_while_it_is_read_loses_and_doubles_nothing(
    line: Line, police: Any, hub: Hub
) -> None:
    records = [police.seal(id=f"e{number}") for number in range(4)]
    line.start()
    line.write(*records[:2])
    until(lambda: len(line.outcomes()) == 2)
    line.topics.delete(line.source)
    line.topics.create(line.source)
    line.write(*records)
    until(lambda: {id for id, _ in line.outcomes()} == {"e0", "e1", "e2", "e3"})
    assert ids(hub) == ["e0", "e1", "e2", "e3"]


def test_of_two_processes_one_takes_over_from_the_other_that_was_killed(line: Line, police: Any, hub: Hub) -> None:
    first, second = line.start(), line.start()
    line.write(police.seal(id="e1"))
    until(lambda: len(line.outcomes()) == 1)
    for number, dying in enumerate((first, second), 2):
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        line.write(police.seal(id=f"e{number}"))
        if dying is first:
            until(lambda: len(line.outcomes()) == 2)
    line.start()
    until(lambda: len(line.outcomes()) == 3)
    assert ids(hub) == ["e1", "e2", "e3"]


def test_a_process_that_slept_longer_than_its_session_wakes_and_doubles_nothing(
    line: Line, police: Any, hub: Hub
) -> None:
    sleeper = line.start()
    line.write(police.seal(id="e1"))
    until(lambda: hub.record.relayed(line.source) == 1)  # nothing is left to write: asleep it holds no lock of SQLite
    sleeper.send_signal(signal.SIGSTOP)
    line.write(police.seal(id="e2"))
    line.start()
    until(lambda: len(line.outcomes()) == 2)
    sleeper.send_signal(signal.SIGCONT)
    line.write(police.seal(id="e3"))
    until(lambda: len(line.outcomes()) == 3)
    assert ids(hub) == ["e1", "e2", "e3"]


def test_records_sealed_to_the_hub_are_opened(
    line: Line, police: Agency, hub: Hub, seal_to: Callable[..., bytes]
) -> None:
    line.write(seal_to(police, hub, "e1"))
    line.start()
    until(lambda: line.outcomes() == [("e1", "admitted")])


@pytest.fixture
def seal_to() -> Callable[..., bytes]:
    """A version 2 record of an agency."""

    def one(agency: Agency, hub: Hub, id: str) -> bytes:
        key = hub.sealing_key
        assert key is not None
        return agency.seal(id=id, to=PublicSealingKey.from_jwk(key.public_jwk()))

    return one
