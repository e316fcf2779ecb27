"""One Kafka node, broker and controller in one: its settings, folder and process. It knows no topics and no users."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.kafka.libraries import fetch_libraries, find_java

JAVA = ("-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
"""Small and quick to start: a node takes about 350 MB."""
LOGGING = "-Dorg.apache.logging.log4j.level=WARN"
STOP_S = 20


class NodeFault(RuntimeError):
    """A node could not be made or started; the message names its log."""


@dataclass(frozen=True)
class Ports:
    """Where a node listens on loopback: for clients, for its fellow nodes, as controller."""

    clients: int
    nodes: int
    controller: int
    front: int = 0
    """Where clients are told to go instead, because something stands before the node there; 0: nothing does."""

    @property
    def told(self) -> int:
        """Where clients go."""
        return self.front or self.clients


@dataclass
class Node:
    """A node in its own folder: `server.properties`, `node.pem`, `data`, `node.log`."""

    number: int
    folder: Path
    ports: Ports
    _process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Does its process live?"""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._process.pid if self._process and self.runs else None

    @property
    def is_formatted(self) -> bool:
        """Has its data folder been made?"""
        return (self.folder / "data" / "meta.properties").exists()

    def format(self, cluster_id: str, users: Path) -> subprocess.Popen[bytes]:
        """Begin to make the data folder; its words come by its stdout. `users`: a file of `--add-scram` arguments, a
        line each, so that no command line shows a password."""
        words = ["format", "-t", cluster_id, "-c", str(self.folder / "server.properties"), f"@{users}"]
        return self._java("kafka.tools.StorageTool", words, subprocess.PIPE)

    def start(self) -> None:
        """Begin to run; it answers some seconds later."""
        if not self.runs:
            with (self.folder / "node.log").open("ab") as log:
                self._process = self._java("kafka.Kafka", [str(self.folder / "server.properties")], log)

    def stop(self) -> None:
        """End it as an operator would, with its partitions handed over; after 20 s by force."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it holds its connections and answers nobody."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Lose the data folder, as a broken disk would. The node must not run."""
        if self.runs:
            raise NodeFault(f"node {self.number} runs; kill it first")
        shutil.rmtree(self.folder / "data")

    def log(self) -> str:
        """The end of what it said."""
        path = self.folder / "node.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process:
                self._process.send_signal(number)

    def _java(self, main: str, words: Sequence[str], said: IO[bytes] | int) -> subprocess.Popen[bytes]:
        command = [find_java(), *JAVA, LOGGING, "-cp", f"{fetch_libraries()}/*", main, *words]
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, cwd=self.folder
        )


def write_settings(node: Node, fellows: Sequence[Node], supers: Sequence[str], ca: Path) -> None:
    """Write a node's `server.properties`. There is no listener without TLS: clients prove themselves by SCRAM, nodes by
    certificates that only the cluster's own authority made."""
    replicas = len(fellows)
    in_sync = max(1, replicas - 1)
    ports, host = node.ports, "127.0.0.1"
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": ",".join(f"{one.number}@{host}:{one.ports.controller}" for one in fellows),
        "listeners": f"CLIENTS://{host}:{ports.clients},NODES://{host}:{ports.nodes},CONTROLLER://{host}:{ports.controller}",
        "advertised.listeners": f"CLIENTS://{host}:{ports.told},NODES://{host}:{ports.nodes}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "NODES",
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,NODES:SSL,CONTROLLER:SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.nodes.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": node.folder / "node.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": ca,
        "ssl.enabled.protocols": "TLSv1.3",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(f"User:{name}" for name in supers),
        "log.dirs": node.folder / "data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 3,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": 0,
        # A lost node is noticed in 5 s, not 9: a run of faults waits for it each time.
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 5000,
    }
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    (node.folder / "server.properties").write_text(text)
