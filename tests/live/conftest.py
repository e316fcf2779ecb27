"""Real servers for tests that are marked `live`: started once, on loopback, in a temporary folder, and ended."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.kafka.cluster import Cluster
from tests.live.generator import Area
from tests.live.kafka_run import KafkaRun
from tests.live.servers import Servers


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Apache Kafka, one node. Fails, and does not skip, where Java or Maven is missing."""
    with Cluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Apache Kafka, three nodes, and PostgreSQL, behind proxies. Fails, and does not skip, where one is missing."""
    with Servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def a_run(tmp_path: Path, servers: Servers) -> Iterator[Callable[[Area], KafkaRun]]:
    """Makes a run over the three nodes: a hub and its agencies, set up; nothing runs yet."""
    made: list[KafkaRun] = []

    def make(area: Area) -> KafkaRun:
        made.append(KafkaRun(tmp_path, servers, area, random.Random(0)))  # noqa: S311
        made[-1].set_up()
        return made[-1]

    yield make
    for run in made:
        run.close()
