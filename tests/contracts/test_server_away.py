"""PostgreSQL goes away and comes back: nothing is lost, nothing is there twice, and nobody has to start again."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from hub.store.database import STORE_FAULTS
from hub.store.entries import own_note
from hub.store.keys import WrappedKeys
from hub.store.opening import open_databases
from hub.store.postgres import APPEND, TURNS
from hub.store.record import Record, StaleVersion
from hub.store.tables import InboxRow, Writes
from infra.postgres.server import RUNNING, Server
from tests.stores import a_server, make_template

AT = "2025-03-03T12:00:00.000+00:00"
COMES_BACK_WITHIN_S = 30


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that a test may stop and kill. It writes durably."""
    with a_server() as server:
        make_template(server)
        yield server


@pytest.fixture
def record(server: Server) -> Iterator[Record]:
    """One process's record."""
    yield from opened(server.conninfo(RUNNING), server.conninfo(RUNNING, "hub_keys"))


def opened(database: str, keys_database: str) -> Iterator[Record]:
    databases = open_databases(Path(), database, keys_database)
    record = Record(databases.record, WrappedKeys(databases.keys, b"r" * 32))
    try:
        yield record
    finally:
        record.close()


def append(record: Record, child: UUID, event: str) -> None:
    """What admission does: decide by what is recorded, and write."""
    if record.query("SELECT 1 FROM inbox WHERE source='s' AND id=?", (event,)):
        return
    seen = InboxRow("s", event, "digest", "subject", "00", 0)
    record.append([own_note(child, record.version(child) + 1, "child-seen/v1", AT, {"e": event})], Writes(inbox=[seen]))


def until_done(work: Callable[[], None]) -> int:
    """Try as an adapter or a consumer does, until it is done; gives how often it failed."""
    deadline, failed = time.monotonic() + COMES_BACK_WITHIN_S, 0
    while True:
        try:
            work()
            return failed
        except (StaleVersion, *STORE_FAULTS):
            failed += 1
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def test_after_a_restart_the_pool_recovers_by_itself_and_no_reader_notices(record: Record, server: Server) -> None:
    child = uuid4()
    append(record, child, f"{child}-1")
    server.stop()
    with pytest.raises(STORE_FAULTS):
        append(record, child, f"{child}-2")
    server.start()
    until_done(lambda: append(record, child, f"{child}-2"))
    server.stop()
    server.start()
    assert [fact.seq for fact in record.facts(child)] == [1, 2]


def test_killed_while_many_write_it_keeps_what_it_said_it_has_once_and_in_order(record: Record, server: Server) -> None:
    children, before = [uuid4() for _ in range(4)], record.position()
    writers = [
        threading.Thread(target=lambda child=child: [
            until_done(partial(append, record, child, f"{child}-{event}")) for event in range(25)
        ])
        for child in children
    ]  # fmt: skip
    for writer in writers:
        writer.start()
    for _ in range(3):
        wanted = record_position(record) + 10
        while record_position(record) < wanted and any(writer.is_alive() for writer in writers):
            time.sleep(0.005)
        server.kill()
        server.start()
    for writer in writers:
        writer.join(60)
    for child in children:
        assert [fact.data["e"] for fact in record.facts(child)] == [f"{child}-{event}" for event in range(25)]
    assert record.position() == before + 100


def record_position(record: Record) -> int:
    while True:
        with suppress(*STORE_FAULTS):
            return record.position()


def test_a_commit_whose_answer_is_lost_is_not_made_twice(server: Server) -> None:
    with Cutter(server.port) as cutter:
        database = server.conninfo(RUNNING).replace(f"port={server.port}", f"port={cutter.port}")
        reached = opened(database, server.conninfo(RUNNING, "hub_keys"))
        record, child = next(reached), uuid4()
        append(record, child, f"{child}-1")
        for number in range(2, 8):
            cutter.cut_after(b"COMMIT")
            assert until_done(partial(append, record, child, f"{child}-{number}")) >= 1
        assert [fact.data["e"] for fact in record.facts(child)] == [f"{child}-{event}" for event in range(1, 8)]
        reached.close()


def test_a_writer_that_stops_in_its_turn_loses_it(record: Record, server: Server) -> None:
    stopped = psycopg.connect(server.conninfo(RUNNING))
    stopped.execute("SET idle_in_transaction_session_timeout='200ms'")
    stopped.execute("SELECT pg_advisory_xact_lock(%s)", (TURNS[APPEND],))
    child = uuid4()
    append(record, child, f"{child}-1")
    assert record.version(child) == 1
    stopped.close()


def test_while_the_server_stands_still_nothing_is_lost(record: Record, server: Server) -> None:
    child = uuid4()
    append(record, child, f"{child}-1")
    backends = [row[0] for row in record.query("SELECT pid FROM pg_stat_activity WHERE usename=?", (RUNNING,))]
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    writer = threading.Thread(target=until_done, args=(lambda: append(record, child, f"{child}-2"),))
    writer.start()
    for pid in backends:
        os.kill(pid, signal.SIGCONT)
    writer.join(COMES_BACK_WITHIN_S)
    assert [fact.seq for fact in record.facts(child)] == [1, 2]


def test_faults_name_no_value(record: Record, server: Server) -> None:
    seen = InboxRow("s", "somebody", "digest", "subject", "00", -1)
    record.append([], Writes(inbox=[seen]))
    with pytest.raises(StaleVersion) as told:
        record.append([], Writes(inbox=[seen]))
    assert "somebody" not in repr(told.value.__cause__)
    assert "somebody" not in (server.data / "server.log").read_text()


class Cutter:
    """A TCP proxy that passes everything on, and once it was told to, cuts after it passed certain bytes to the server.

    The server has them and the client never hears what became of it.
    """

    def __init__(self, port: int) -> None:
        self._to, self._after, self._open = port, b"", True
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Cutter:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._listening.close()

    def cut_after(self, said: bytes) -> None:
        self._after = said

    def _accept(self) -> None:
        with suppress(OSError):
            while self._open:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, asking: bool) -> None:
        with suppress(OSError), source, to:
            while said := source.recv(65_536):
                if asking and self._after and self._after in said:
                    self._after = b""
                    source.shutdown(socket.SHUT_RDWR)
                    to.sendall(said)
                    to.shutdown(socket.SHUT_WR)
                    return
                to.sendall(said)
