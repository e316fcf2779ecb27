"""A whole cluster in one folder: `with Cluster(folder, nodes=3) as cluster: …`. Loopback only; nothing is left running.

Certificates, passwords, ports and data stay in the folder: the same folder started again is the same cluster.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from kafka.errors import KafkaError

from infra.kafka.certificates import Authority, make_id, write_secret
from infra.kafka.node import Node, NodeFault, Ports, write_settings
from infra.kafka.operator import Agency, Operator, OperatorFault, make_passwords, user_arguments
from infra.kafka.topics import OPERATOR

READY_S = 120
EVERY_S = 0.1
HOST = "127.0.0.1"


class Cluster:
    """One node, or three. `bootstrap` and `ca` are what clients need; `secrets` holds a password file for each user.

    `start`, `restart` and the verbs on topics come back when it is done; a `NodeFault` holds the end of the log.
    """

    def __init__(self, folder: Path, nodes: int = 1, fronts: Sequence[int] = ()) -> None:
        """`fronts` are the ports of what stands before each node's clients, such as proxies; none by default."""
        self.folder = folder.absolute()
        self.ca = self.folder / "ca.pem"
        self.secrets = self.folder / "secrets"
        self._count, self._fronts = nodes, fronts or [0] * nodes
        self.nodes: dict[int, Node] = {}

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """`host:port` of every node, by comma."""
        return ",".join(f"{HOST}:{node.ports.told}" for node in self.nodes.values())

    def start(self) -> None:
        """Prepare, start every node, and make the hub's user where it is not there."""
        self.prepare()
        self.restart(*self.nodes)

    def stop(self) -> None:
        """End every node, one after the other.

        Without a majority a node finds nobody to hand over to and would wait for minutes: it is killed, which loses
        nothing that was acknowledged.
        """
        running = [node for node in self.nodes.values() if node.runs]
        while running:
            node = running.pop(0)
            node.resume()
            majority = 2 * (len(running) + 1) > len(self.nodes)
            node.stop() if majority else node.kill()

    def kill(self, number: int) -> None:
        """SIGKILL one node."""
        self.nodes[number].kill()

    def restart(self, *numbers: int) -> None:
        """Start dead nodes again, with a new data folder where one was wiped, and wait until they serve.

        Without a majority of three no node serves: then name two.
        """
        self._format(self.nodes[number] for number in numbers)
        for number in numbers:
            self.nodes[number].start()
        self._wait_for(numbers)
        with self.operator() as operator:
            operator.add_hub()

    def wipe(self, number: int) -> None:
        """Take a dead node's data away. Of one node, every topic goes with it; users come back with their passwords."""
        self.nodes[number].wipe()

    def operator(self) -> Operator:
        """A fresh connection with an operator's powers, to be closed."""
        return Operator(self.bootstrap, self.ca, self.secrets)

    def password_file(self, user: str) -> Path:
        """Where a user's password is: `hub`, or the slug of a source."""
        return self.secrets / f"{user}.password"

    def add_agency(self, source: str) -> Agency:
        """Make a source's user, topics, grants and quota; again, what is there stays."""
        with self.operator() as operator:
            return operator.add_agency(source)

    def create_topic(self, source: str) -> None:
        """Make a source's two topics where they are not there."""
        with self.operator() as operator:
            operator.create_topics(source)

    def delete_topic(self, source: str) -> None:
        """Remove a source's two topics with all that they hold."""
        with self.operator() as operator:
            operator.delete_topics(source)

    def leader(self, topic: str) -> int:
        """The number of the node that leads a topic now; -1 while there is none."""
        with self.operator() as operator:
            return operator.leader(topic)

    # -- making

    def prepare(self) -> None:
        """Make what is missing, certificates, passwords and settings, so that ports are known; starts nothing."""
        if self.nodes:
            return
        self.secrets.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        plan = self._plan()
        self.nodes = {
            number: Node(number, self.folder / f"node-{number}", Ports(clients, nodes, controller, front))
            for number, ((clients, nodes, controller), front) in enumerate(
                zip(plan["ports"], self._fronts, strict=True), 1
            )
        }
        if not self.ca.exists():
            self._make_certificates()
        supers = [OPERATOR, *(f"CN=node-{number}" for number in self.nodes)]
        for node in self.nodes.values():
            write_settings(node, list(self.nodes.values()), supers, self.ca)
        make_passwords(self.secrets)

    def _plan(self) -> dict[str, Any]:
        """What this folder's cluster is, kept from its first start: its id, and each node's ports."""
        path = self.folder / "cluster.json"
        if not path.exists():
            ports = free_ports(3 * self._count)
            plan = {"id": make_id(), "ports": [ports[i : i + 3] for i in range(0, len(ports), 3)]}
            path.write_text(json.dumps(plan))
        kept: dict[str, Any] = json.loads(path.read_text())
        if len(kept["ports"]) != self._count:
            raise NodeFault(f"this folder holds a cluster of {len(kept['ports'])}, not of {self._count}")
        return kept

    def _make_certificates(self) -> None:
        authority = Authority()
        for node in self.nodes.values():
            node.folder.mkdir(exist_ok=True)
            write_secret(node.folder / "node.pem", authority.issue(f"node-{node.number}"))
        self.ca.write_bytes(authority.pem())

    def _format(self, nodes: Iterable[Node]) -> None:
        fresh = [node for node in nodes if not node.is_formatted]
        if not fresh:
            return
        users = self.secrets / "users.args"
        write_secret(users, user_arguments(self.secrets))
        try:
            cluster_id = self._plan()["id"]
            making = [(node, node.format(cluster_id, users)) for node in fresh]
            for node, process in making:
                said, _ = process.communicate(timeout=READY_S)
                if process.returncode != 0:
                    raise NodeFault(
                        f"node {node.number} could not be formatted:\n{said.decode(errors='replace')[-3000:]}"
                    )
        finally:
            users.unlink()

    def _wait_for(self, numbers: Collection[int]) -> None:
        deadline = time.monotonic() + READY_S
        while not self._serve(numbers):
            dead = [self.nodes[number] for number in numbers if not self.nodes[number].runs]
            if dead:
                raise NodeFault(f"node {dead[0].number} ended:\n{dead[0].log()}")
            if time.monotonic() > deadline:
                raise NodeFault(f"not ready after {READY_S} s:\n{self.nodes[min(numbers)].log()}")
            time.sleep(EVERY_S)

    def _serve(self, numbers: Collection[int]) -> bool:
        if not all(_listens(self.nodes[number].ports.clients) for number in numbers):
            return False
        with contextlib.suppress(KafkaError, OperatorFault), self.operator() as operator:
            return operator.brokers() >= set(numbers)
        return False


def free_ports(count: int) -> list[int]:
    """Ports below those that systems hand out by themselves, so that nobody takes one while its node is down."""
    found: set[int] = set()
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind((HOST, port))
            found.add(port)
    return sorted(found)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((HOST, port)) == 0
