"""Connections to one PostgreSQL database, kept for the next who needs one.

Made by whoever needs one and finds none: while the server is away the call fails at once, and the first call after it
came back succeeds. A pool that connects in the background would wait longer each time it failed.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.string import BytesBinaryDumper

Connection = psycopg.Connection[DictRow]

CONNECTING: Mapping[str, Any] = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000, "application_name": "safeguarding-hub",
}  # fmt: skip
"""Where the connection string does not say otherwise: a server that vanished is noticed within half a minute."""
SESSION = (
    "SET jit=off; SET lock_timeout='30s'; SET idle_in_transaction_session_timeout='5s';"
    " SET statement_timeout='120s'; SET search_path=public"
)
"""A process that stops in the middle of a transaction loses its turn after five seconds."""
NEAR = ("", "localhost", "127.0.0.1", "::1")
MOST = 10
WAITS_S = 30.0
LONGEST_S = 3600.0


class BadConninfo(ValueError):
    """A connection cannot be made from this text; the message says why, and repeats none of it."""


class Connections:
    """At most `MOST` at a time; safe between threads."""

    def __init__(self, conninfo: str) -> None:
        """`conninfo` is libpq's, without a password: that stands in a `passfile`. Errors: `BadConninfo`."""
        self._conninfo = with_defaults(conninfo)
        self._room = threading.BoundedSemaphore(MOST)
        self._idle: deque[tuple[float, Connection]] = deque()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One for this call alone, outside any transaction. Errors: `psycopg.Error`."""
        if not self._room.acquire(timeout=WAITS_S):
            raise psycopg.OperationalError("all connections are in use")
        try:
            since, connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(since, connection)
        finally:
            self._room.release()

    def close(self) -> None:
        """Close what is idle, and from now on whatever comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self) -> tuple[float, Connection]:
        if self._closed:
            raise psycopg.OperationalError("closed")
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < LONGEST_S and _is_quiet(connection):
                return since, connection
            connection.close()
        made = psycopg.Connection[DictRow].connect(self._conninfo, autocommit=True, row_factory=dict_row)
        made.execute(SESSION)
        made.adapters.register_dumper(bytes, BytesBinaryDumper)  # for copies; its default also takes DB-API's Binary
        return time.monotonic(), made

    def _give_back(self, since: float, connection: Connection) -> None:
        """One in the middle of something is of no use to the next: closed, and the server rolls back by itself."""
        if self._closed or connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append((since, connection))


def with_defaults(conninfo: str) -> str:
    """The same connection with time limits where it names none. Errors: `BadConninfo`."""
    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise BadConninfo("it is no connection string of libpq's") from None
    if "password" in given:
        raise BadConninfo("it holds a password; name a file that holds it instead: passfile=…")
    sslmode = given.get("sslmode") or os.environ.get("PGSSLMODE")
    if not _is_near(given) and sslmode != "verify-full":
        raise BadConninfo("it leaves this machine: add sslmode=verify-full, and sslrootcert=… where it is needed")
    return make_conninfo(**{**CONNECTING, **given})


def _is_near(given: Mapping[str, Any]) -> bool:
    """Is every server that it names on this machine? libpq would send what it is asked without proof of the server."""
    named = (given.get(name) or os.environ.get(f"PG{name.upper()}") or "" for name in ("host", "hostaddr"))
    hosts = [host for names in named for host in str(names).split(",")]
    return "service" not in given and all(host in NEAR or host.startswith(("/", "@")) for host in hosts)


def _is_quiet(connection: Connection) -> bool:
    """Has the server said nothing since? What it says to somebody who did not ask is mostly that it goes away."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
