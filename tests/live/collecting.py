"""Collects a run's evidence into a folder: outboxes, topics as the operator reads them, chronologies over HTTP.

Judges nothing, and asks the hub nothing but what any auditor may ask it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from schemas.topics import events_topic, receipts_topic
from tests.live.generator import FEEDS
from tests.live.kafka_run import KafkaRun
from tests.live.killing import read_chronologies
from tests.live.topics import Topics


class Collector:
    """Keeps what topics held, also of those that are lost later."""

    def __init__(self, run: KafkaRun) -> None:
        self.run = run
        self._sends: list[dict[str, Any]] = []
        self._receipts: list[dict[str, Any]] = []

    def note(self, source: str, *, kept: bool = True) -> int:
        """Copy what a source's two topics hold now; not `kept` where they are about to be lost. Gives how many events
        were sent."""
        events, receipts, before = events_topic(source), receipts_topic(source), len(self._sends)
        with self.run.servers.cluster.operator() as operator:
            number = operator.topic_id(events)
        with Topics(self.run.servers.cluster) as topics:
            for offset, value in topics.read(events):
                record = hashlib.sha256(value).hexdigest()
                self._sends.append(
                    {"source": source, "topic_id": number, "offset": offset, "record": record, "kept": kept}
                )
            for offset, value in topics.read(receipts):
                self._receipts.append({"source": source, "offset": offset, "jws": value.decode()})
        return len(self._sends) - before

    def write(self, folder: Path, shuffled: Iterable[str] = ()) -> Path:
        """Collect what is left to collect, and write all of it. No process of the run may live but a serving hub."""
        (folder / "outboxes").mkdir(parents=True)
        for name, feed in FEEDS.items():
            self.note(feed.source)
            if (outbox := self.run.agencies.outbox(name)).is_file():  # it says that it lives, with files or without
                _copy(outbox, folder / "outboxes" / f"{name}.db")
        self.run.stage.start()
        try:
            chronologies = read_chronologies(self.run.stage)
        finally:
            self.run.stage.stop()
        meant = self.run.area.meant()
        run = {"meant": meant, "shuffled": sorted(shuffled), "receipt_key": self.run.receipt_key()}
        (folder / "run.json").write_text(json.dumps(run))
        _write(folder / "sends.jsonl", self._sends)
        _write(folder / "receipts.jsonl", self._receipts)
        _write(folder / "chronologies.jsonl", ({"child": c, "entries": e} for c, e in chronologies.items()))
        return folder


def _copy(outbox: Path, to: Path) -> None:
    with sqlite3.connect(outbox) as db, sqlite3.connect(to) as copy:
        db.backup(copy)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
