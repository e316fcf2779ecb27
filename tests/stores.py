"""Both kinds of database under one hand, so that one suite says what holds over either."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from hub.store.opening import Databases, make_ready, open_databases
from infra.postgres.binaries import NoPostgres, find_binaries
from infra.postgres.server import ADMIN, DATABASES, OWNER, RUNNING, Server, make_database

NUMBER = itertools.count(1)


@dataclass
class Store:
    """One hub's databases, to be opened by as many processes as a test plays."""

    kind: str
    home: Path
    server: Server | None = None
    names: tuple[str, str] = DATABASES
    _opened: list[Databases] = field(default_factory=list)

    def settings(self, role: str = RUNNING) -> dict[str, str]:
        """What `Settings` says of these databases."""
        if self.server is None:
            return {}
        database, keys = (self.server.conninfo(role, name) for name in self.names)
        return {"database": database, "keys_database": keys}

    def open(self, role: str = RUNNING) -> Databases:
        """As one more process would; `role` is the database's own, where there are roles."""
        self._opened.append(open_databases(self.home, **self.settings(role)))
        return self._opened[-1]

    def owner(self) -> Databases:
        """As somebody who may do what the hub may not: for tests that tamper."""
        return self.open(OWNER)

    def close(self) -> None:
        for one in self._opened:
            one.close()


@contextmanager
def a_server(**settings: str) -> Iterator[Server]:
    """A PostgreSQL of the test's own, gone afterwards. Skips where there is none, but fails in CI."""
    try:
        find_binaries()
    except NoPostgres as none:
        if os.environ.get("CI"):
            pytest.fail(str(none))
        pytest.skip(str(none))
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Server(folder)
    try:
        server.up(settings)
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)


def make_template(server: Server) -> None:
    """The two databases with their tables, of which every test gets a copy."""
    make_ready(server.conninfo(OWNER), server.conninfo(OWNER, "hub_keys"), RUNNING)


@contextmanager
def a_store(home: Path, server: Server | None) -> Iterator[Store]:
    """Fresh databases: files, or copies of the server's template."""
    if server is None:
        store = Store("sqlite", home)
    else:
        number = next(NUMBER)
        store = Store("postgres", home, server, (f"hub_{number}", f"hub_keys_{number}"))
        with psycopg.connect(server.conninfo(ADMIN, "postgres"), autocommit=True) as admin:
            for name, template in zip(store.names, DATABASES, strict=True):
                make_database(admin, name, template)
    try:
        yield store
    finally:
        store.close()
        if server is not None:
            with suppress(psycopg.Error), psycopg.connect(server.conninfo(ADMIN, "postgres"), autocommit=True) as admin:
                for name in store.names:
                    admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
