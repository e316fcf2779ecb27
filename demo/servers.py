"""The same stage over real servers: the record in PostgreSQL, and agencies that publish to Apache Kafka.

The servers are started as an operator starts them, by the commands of `infra`, on loopback and in folders of their own;
a `hub consume` runs beside `hub serve`. What needs which server installed is said by those commands.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.stage import Stage, StageFault, end_process, free_port, wait_until_ready

ENDS_WITHIN_S = 90
"""Kafka hands over and ends; where it was still starting, it does that first."""


@dataclass
class ServedStage(Stage):
    """A stage whose hub reads from Kafka and writes to PostgreSQL. Both end with the stage."""

    _kafka: subprocess.Popen[bytes] | None = None
    _postgres: subprocess.Popen[bytes] | None = None
    _consuming: subprocess.Popen[bytes] | None = None
    _cluster: dict[str, Any] = field(default_factory=dict)
    _agencies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Source → what Kafka's operator made for it."""
    _data: Path | None = None
    """PostgreSQL's folder: not within ours, which its own user could not enter where we are root."""

    def build(self) -> None:
        """Start the servers, then make the hub and every feed's home."""
        self._data = Path(tempfile.mkdtemp(prefix="safeguarding-demo-postgres-"))
        sources = sorted({feed.source for feed in self.feeds.values()})
        agencies = [word for source in sources for word in ("--agency", source)]
        self._kafka = self._begin("kafka", "up", str(self.folder / "kafka"), *agencies)
        self._postgres = self._begin("postgres", "up", str(self._data))
        owner, running = (self._hear("postgres", self._postgres) for _ in range(2))
        databases = "HUB_DATABASE", "HUB_KEYS_DATABASE"
        self.environment |= {name: owner[name] for name in databases}
        self.hub("migrate")
        self.environment |= {name: running[name] for name in databases}
        self._cluster = self._hear("kafka", self._kafka)
        self._agencies = {source: self._hear("kafka", self._kafka) for source in sources}
        self.environment |= {
            "HUB_KAFKA": self._cluster["bootstrap"], "HUB_KAFKA_CA": self._cluster["ca"],
            "HUB_KAFKA_PASSWORD_FILE": self._cluster["password_file"],
        }  # fmt: skip
        super().build()

    def start(self) -> None:
        """Start `hub serve` and `hub consume`, and wait until both are ready."""
        super().start()
        port = free_port()
        with (self.folder / "consume.log").open("ab") as log:
            self._consuming = subprocess.Popen(
                [sys.executable, "-m", "hub", "consume"], env=self.environment | {"HUB_METRICS_PORT": str(port)},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_until_ready(self._consuming, f"http://127.0.0.1:{port}", "consume.log")

    def stop(self) -> None:
        """End both processes of the hub; they can be started again."""
        if self._consuming:
            end_process(self._consuming)
            self._consuming = None
        super().stop()

    def end(self) -> None:
        """End the hub, then the servers."""
        with contextlib.ExitStack() as last:
            last.callback(self._end_postgres)
            last.callback(self._end_kafka)
            self.stop()

    def describe_way(self) -> list[str]:
        """By Kafka, sealed to the hub."""
        sealing = self.folder / "hub-sealing.jwk"
        if not sealing.exists():
            sealing.write_text(self.hub("keys", "sealing"))
        servers, authority = self._cluster["bootstrap"], self._cluster["ca"]
        return ["--kafka-servers", servers, "--kafka-ca", authority, "--sealing-key", str(sealing)]

    def _build_feed(self, name: str, receipt_key: Path) -> None:
        super()._build_feed(name, receipt_key)
        password = self._agencies[self.feeds[name].source]["password_file"]
        shutil.copy(password, self.folder / name / "kafka.password")

    def _begin(self, server: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a server by its own command. Ctrl-C is ours alone, so that whatever runs is ended in order."""
        command = [sys.executable, "-m", f"infra.{server}", *words]
        with (self.folder / f"{server}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)  # noqa: S603

    def _hear(self, server: str, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The next line that a server's command says. Errors: `StageFault` when it ended instead."""
        assert process.stdout is not None
        if not (line := process.stdout.readline()):
            words = (self.folder / f"{server}.log").read_text(errors="replace").strip()
            raise StageFault(f"{server} did not start.\n{words}")
        said: dict[str, Any] = json.loads(line)
        return said

    def _end_kafka(self) -> None:
        if self._kafka:
            end_process(self._kafka, ENDS_WITHIN_S)
            self._kafka = None

    def _end_postgres(self) -> None:
        if self._postgres:
            self._postgres.wait()  # where it was still being made
            command = [sys.executable, "-m", "infra.postgres", "down", str(self._data)]
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603
            self._postgres = None
        if self._data:
            shutil.rmtree(self._data)
            self._data = None
