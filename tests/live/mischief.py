"""Publishes with an agency's own user and keys what no adapter would: repeats, other orders, replays, and poison."""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from kafka import KafkaProducer

from infra.kafka.operator import security
from schemas.envelope import PublicSealingKey, SealingKey, SigningKey, seal
from schemas.topics import events_topic, slug
from tests.live.generator import FEEDS
from tests.live.kafka_run import KafkaRun

TOO_LARGE = 300 * 1024
ACKNOWLEDGED_S = 30
NOWHERE = "127.0.0.1:9"


class Mischief:
    """Whoever holds one agency's credentials."""

    def __init__(self, run: KafkaRun, name: str) -> None:
        self.run, self.name, self.source = run, name, FEEDS[name].source
        self._home = run.folder / name

    def sealed(self) -> list[bytes]:
        """Every record in the outbox, in sequence."""
        with closing(sqlite3.connect(self.run.agencies.outbox(self.name))) as db:
            return [row[0] for row in db.execute("SELECT record FROM sealed ORDER BY sequence")]

    def seal_only(self) -> None:
        """Let the adapter read its files while its broker is away: sealed, and nothing sent."""
        settings = self._home / "adapter.toml"
        told = settings.read_text()
        settings.write_text(told.replace(self.run.servers.cluster.bootstrap.replace(",", '", "'), NOWHERE))
        self.run.processes.run(self.name, *self.run.agencies.command(self.name, "once", "--patience", "0"))
        settings.write_text(told)

    def publish(self, records: Sequence[bytes]) -> None:
        """Write these to the agency's topic, in this order."""
        cluster = self.run.servers.cluster
        password = cluster.password_file(slug(self.source)).read_text()
        producer = KafkaProducer(
            bootstrap_servers=cluster.bootstrap, acks="all", **security(cluster.ca, slug(self.source), password)
        )
        try:
            for one in [producer.send(events_topic(self.source), value=record, partition=0) for record in records]:
                one.get(timeout=ACKNOWLEDGED_S)
        finally:
            producer.close(timeout=1)

    def poison(self, stolen: bytes) -> dict[str, bytes]:
        """What must wait in quarantine and stop nothing, by what is wrong with it; `stolen` is another's record."""
        good = self.sealed()[0]
        whole = json.loads(good)
        head, payload, signature = whole["jws"].split(".")
        other, odd = SealingKey.generate().public, {"event": "suspended", "version": 1}
        return {
            "nothing": b"",
            "no text": secrets.token_bytes(200),
            "no record": b"{}",
            "half a record": good[: len(good) // 2],
            "too large": b'{"jws":"' + b"x" * TOO_LARGE + b'"}',
            "too deep": b"[" * 50_000,
            "a forged signature": _with(whole, jws=f"{head}.{payload}.{signature[:-8]}AAAAAAAA"),
            "another's record": stolen,
            "sealed to somebody else": self._seal(odd, other),
            "an unknown event": self._seal({"event": "never-heard-of", "version": 1}),
            "nothing that is asked for": self._seal(odd),
            "members with zeros in their names": self._seal(
                {"event": "suspended", "version": 1, "na\0me": {"\0": "\0"}}
            ),
            "a huge number": self._seal(odd | {"version": 10**15}),
        }

    def _seal(self, data: dict[str, Any], to: PublicSealingKey | None = None) -> bytes:
        """Signed as this source's very first record, so that nobody's head moves."""
        key = SigningKey.from_pem((self._home / "event.pem").read_bytes())
        hub = PublicSealingKey.from_jwk(json.loads((self._home / "hub-sealing.jwk").read_text()))
        at = "2025-06-02T09:00:00Z"
        return seal(
            json.dumps(data).encode(), key=key, source=self.source, event_id=secrets.token_hex(16),
            subject=secrets.token_hex(16), time=at, recordedtime=at, sequence=1, prevdigest="",
            salt=secrets.token_bytes(32), to=to or hub,
        )  # fmt: skip


def shuffled_with_repeats(records: Sequence[bytes], rng: random.Random, again: float = 0.3) -> list[bytes]:
    """Each at least once, in no order, many twice."""
    mixed = [*records, *(one for one in records if rng.random() < again)]
    rng.shuffle(mixed)
    return mixed


def among(good: Sequence[bytes], poison: Sequence[bytes], rng: random.Random) -> list[bytes]:
    """Poison at drawn places between records that keep their order."""
    places = sorted((rng.randrange(1, len(good)), one) for one in poison)
    mixed = list(good)
    for shift, (place, one) in enumerate(places):
        mixed.insert(place + shift, one)
    return mixed


def _with(record: dict[str, Any], **other: str) -> bytes:
    return json.dumps({**record, **other}, separators=(",", ":")).encode()
