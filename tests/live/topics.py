"""Reads topics as the operator may, from outside of any group."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from infra.kafka.cluster import Cluster
from infra.kafka.operator import security
from infra.kafka.topics import OPERATOR

POLL_MS = 500


class Topics:
    """A reader's connection, from `with` to its end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __enter__(self) -> Topics:
        password = self._cluster.password_file(OPERATOR).read_text()
        self._consumer: Any = KafkaConsumer(
            bootstrap_servers=self._cluster.bootstrap, group_id=None, auto_offset_reset="earliest",
            **security(self._cluster.ca, OPERATOR, password),
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._consumer.close()

    def end(self, topic: str) -> int:
        """The offset that the next message will have."""
        part = TopicPartition(topic, 0)
        return int(self._consumer.end_offsets([part])[part])

    def read(self, topic: str) -> Iterator[tuple[int, bytes]]:
        """Offset and value of every message that stands there now."""
        part, end = TopicPartition(topic, 0), self.end(topic)
        self._consumer.assign([part])
        self._consumer.seek_to_beginning(part)
        while self._consumer.position(part) < end:
            for record in self._consumer.poll(timeout_ms=POLL_MS).get(part, ()):
                if record.offset < end:
                    yield record.offset, record.value
