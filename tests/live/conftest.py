"""Real servers for tests that are marked `live`: started once, on loopback, in a temporary folder, and ended."""

from collections.abc import Iterator

import pytest

from infra.kafka.cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Apache Kafka, one node. Fails, and does not skip, where Java or Maven is missing."""
    with Cluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster
