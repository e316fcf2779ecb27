"""The servers of a run, each behind a proxy that can cut its clients off: Apache Kafka and PostgreSQL, on loopback."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import psycopg
from kafka.errors import KafkaError

from infra.kafka.cluster import Cluster, free_ports
from infra.kafka.operator import OperatorFault
from infra.postgres.server import ADMIN, Server, make_database
from tests.live.proxy import Proxy

PREPARED = rb"P....([^\x00]+)\x00COMMIT\x00"
"""PostgreSQL's message Parse, by which a client gives a statement a name and from then on says that."""
WHOLE_S = 90


class Servers:
    """Both, from `with` to its end. What was killed is started again in the background, one after the other."""

    def __init__(self, folder: Path, nodes: int = 3) -> None:
        fronts = free_ports(nodes)
        self.cluster = Cluster(folder / "kafka", nodes, fronts)
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # the server's own user must reach it
        self.postgres = Server(self._folder)
        self.kafka_lines: dict[int, Proxy] = {}
        self._fronts = fronts
        self._healers = {name: ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("kafka", "postgres")}
        self._healing: dict[str, Future[None]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Servers:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        for healer in self._healers.values():
            healer.shutdown()
        self._stack.close()

    def _start(self) -> None:
        (self.cluster.folder).mkdir(parents=True, exist_ok=True)
        self.cluster.prepare()
        for (number, node), front in zip(self.cluster.nodes.items(), self._fronts, strict=True):
            self.kafka_lines[number] = self._stack.enter_context(Proxy(node.ports.clients, front))
        self._stack.callback(shutil.rmtree, self._folder)
        self._stack.callback(self.postgres.stop, "immediate")
        self.postgres.up({"max_connections": "200"})
        self.postgres_line = self._stack.enter_context(Proxy(self.postgres.port, alias=PREPARED))
        self._stack.enter_context(self.cluster)

    def conninfo(self, role: str, database: str) -> str:
        """How a process of the hub gets to a database: through the proxy."""
        direct = self.postgres.conninfo(role, database)
        return direct.replace(f"port={self.postgres.port}", f"port={self.postgres_line.port}")

    def make_databases(self, *names: str) -> None:
        """Fresh ones, without tables."""
        with psycopg.connect(self.postgres.conninfo(ADMIN, "postgres"), autocommit=True) as db:
            for name in names:
                make_database(db, name)

    def heal(self, server: str, work: Callable[[], None]) -> None:
        """Do this in the background: start what was killed."""
        self._healing[server] = self._healers[server].submit(work)

    def heals(self, server: str) -> bool:
        """Is it still being started again? Raises what went wrong when it was."""
        work = self._healing.get(server)
        if work is None or not work.done():
            return work is not None
        del self._healing[server]
        work.result()
        return False

    def are_whole(self, topics: Iterable[str]) -> bool:
        """Does every node run and hold all of these topics?"""
        if self.heals("kafka") or self.heals("postgres"):
            return False
        try:
            with self.cluster.operator() as operator:
                return all(operator.in_sync(topic) == set(self.cluster.nodes) for topic in topics)
        except (KafkaError, OperatorFault):
            return False

    def wait_until_whole(self, topics: Iterable[str]) -> None:
        """Until nothing is missing any more."""
        ended = time.monotonic() + WHOLE_S
        while not self.are_whole(topics):
            assert time.monotonic() < ended, f"the servers are not whole after {WHOLE_S} s"
            time.sleep(0.1)
