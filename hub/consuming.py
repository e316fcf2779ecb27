"""Runs the way in from Kafka: hands the hub's rooms to consumer and relay, and ends both in good order.

No rules here but one: plain text is for a demo hub and a broker on loopback.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub.bootstrap import Hub
from hub.ingest.consumer import Consumer
from hub.ingest.feed import Brokers, Feed, Outlet
from hub.ingest.relay import Relay
from hub.logs import announce
from hub.memory import settle
from hub.notifying import keep_telling
from hub.settings import Settings, SettingsError
from hub.watch import port

LOG = logging.getLogger("hub.consuming")
ENDING_S = 20
"""How long what is due may take to go out at the end."""
NEW_OBJECTS = 250_000
"""A batch in hand is up to 130,000 objects, which go by themselves: each look for cycles would walk them."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def consume(hub: Hub) -> None:
    """Read from Kafka and answer there until SIGTERM or Ctrl-C. Errors: `SettingsError`, `NoPort`."""
    brokers = read_brokers(hub.settings, demo=hub.settings.demo and hub.charter.demo)
    feed, outlet = _clients(hub.settings, brokers)
    relay = Relay(hub.inbox, outlet, hub.watch, clock=hub.clock)
    consumer = Consumer(feed, hub.admission, relay, hub.watch)
    ended = threading.Event()
    answering = threading.Thread(target=relay.run, args=(ended.is_set,), name="relay", daemon=True)
    telling = threading.Thread(target=keep_telling, args=(hub, ended.wait), name="notices", daemon=True)

    def record_can_be_read() -> bool:
        return hub.record.position() > 0

    def topics_are_read() -> bool:
        return consumer.ready()

    def receipts_go_out() -> bool:
        return answering.is_alive()

    def notices_are_written() -> bool:
        return telling.is_alive()

    ready = [record_can_be_read, topics_are_read, receipts_go_out, notices_are_written]
    watching = port(hub.watch, hub.settings.metrics_port, live=[consumer.lively], ready=ready)
    with watching, _told_to_stop() as stopping:
        answering.start()
        telling.start()
        settle(NEW_OBJECTS)
        announce("reading from Kafka; Ctrl-C ends it", hub.settings.log)
        try:
            consumer.run(stopping.is_set)
        finally:
            ended.set()
            for thread in (answering, telling):
                thread.join(timeout=ENDING_S)
            hub.close()


def read_brokers(settings: Settings, *, demo: bool) -> Brokers:
    """Where Kafka is, and as whom the hub speaks to it. Errors: `SettingsError`."""
    if not settings.kafka:
        raise SettingsError("set HUB_KAFKA to the brokers, host:port with commas between")
    password = _password(settings)
    brokers = Brokers(
        settings.kafka, settings.kafka_group, settings.kafka_user, password, settings.kafka_ca,
        settings.kafka_session_s,
    )  # fmt: skip
    if brokers.ca is not None and not password:
        raise SettingsError("set HUB_KAFKA_PASSWORD_FILE to the file with the password of the hub's Kafka user")
    if brokers.ca is not None and not brokers.ca.is_file():
        raise SettingsError("HUB_KAFKA_CA must name the PEM file of the brokers' certificate authority")
    near = all(name.rpartition(":")[0] in LOOPBACK for name in brokers.names)
    if brokers.ca is None and not (demo and near):
        raise SettingsError("set HUB_KAFKA_CA: without TLS only a demo hub speaks to a broker, and only on loopback")
    return brokers


def _password(settings: Settings) -> str:
    if settings.kafka_password_file is None:
        return ""
    try:
        return settings.kafka_password_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("HUB_KAFKA_PASSWORD_FILE cannot be read") from error


def _clients(settings: Settings, brokers: Brokers) -> tuple[Feed, Outlet]:
    try:
        if settings.kafka_client == "confluent":
            from hub.ingest.consumer_fast import FastFeed, FastOutlet

            return FastFeed(brokers), FastOutlet(brokers)
        from hub.ingest.consumer_kafka import KafkaFeed, KafkaOutlet
    except ImportError as error:
        extra = "kafka-fast" if settings.kafka_client == "confluent" else "kafka"
        raise SettingsError(f"the Kafka client is not installed; install the extra {extra}") from error
    return KafkaFeed(brokers), KafkaOutlet(brokers)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set: the batch in hand is finished first."""
    stopping = threading.Event()
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = {kind: signal.signal(kind, lambda *_: stopping.set()) for kind in kinds}
    try:
        yield stopping
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
