"""One PostgreSQL server in one folder, on loopback, with the hub's databases and roles.

Passwords are random, travel by SCRAM and stand in files that libpq reads (`passfile`); no setting holds one. There is
no socket file, and nobody is trusted without a password. The folder is made once and can be started again.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.postgres.binaries import find_binaries, find_user, refuse_unreachable

HOST = "127.0.0.1"
DATABASES = ("hub", "hub_keys")
OWNER, RUNNING, BACKUP, ADMIN = "hub_owner", "hub_run", "hub_backup", "postgres"
"""Who makes tables, who runs the hub, who copies the server, and who may do anything."""
STARTS_WITHIN_S = 30
HBA = """\
# Over loopback, by password, and in no other way.
host all         all         127.0.0.1/32 scram-sha-256
host replication hub_backup  127.0.0.1/32 scram-sha-256
"""


class Server:
    """The server of one folder. What it changes is in the folder alone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder.absolute(), folder.absolute() / "data"
        self._bin, self._user = find_binaries(), find_user(self.folder)

    @property
    def port(self) -> int:
        """The port that was free when the folder was made."""
        return int((self.folder / "port").read_text())

    def up(self, settings: Mapping[str, str] | None = None) -> None:
        """Make the folder if it is new, and start. `settings` are PostgreSQL's own, written when it is made."""
        if (self.folder / "port").exists():
            self.start()
            return
        self._make(settings or {})
        self.start()
        self._make_roles_and_databases()

    def conninfo(self, role: str, database: str = "hub") -> str:
        """How libpq gets to a database as one role; the password stays in its file."""
        return make_conninfo(host=HOST, port=self.port, dbname=database, user=role, passfile=str(self.passfile(role)))

    def passfile(self, role: str) -> Path:
        """The file that holds a role's password."""
        return self.folder / f"{role}.pgpass"

    def start(self) -> None:
        """Start and wait until it answers. After a kill the old processes may take a moment to be gone."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            done = self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.data / "server.log", check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start; see {self.data / 'server.log'}")
            time.sleep(0.1)

    def stop(self, mode: str = "fast") -> None:
        """Stop and wait until it is gone; nothing to do where it does not run."""
        if (self.data / "postmaster.pid").exists():
            done = self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.data, check=False)
            if done.returncode and self.run("pg_ctl", "status", "-D", self.data, check=False).returncode == 0:
                raise RuntimeError(f"PostgreSQL does not stop; see {self.data / 'server.log'}")

    def kill(self) -> None:
        """As a power cut of the process: SIGKILL to the server, whose children then end by themselves."""
        with suppress(ProcessLookupError):
            os.kill(self.pid(), signal.SIGKILL)

    def pid(self) -> int:
        """The server's process id."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def run(
        self, program: str, *words: str | Path, check: bool = True, **more: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Run one of PostgreSQL's programs as the server's user, in its folder."""
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **more}
        given.setdefault("stderr", given["stdout"])
        if self._user is not None:
            given |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return subprocess.run([self._bin / program, *words], cwd=self.folder, check=check, **given)  # noqa: S603

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self._user is not None:
            shutil.chown(path, self._user.pw_uid, self._user.pw_gid)

    def copy(self, into: Path) -> None:
        """A base backup of the running server, with which its archived log can be replayed."""
        words = ("-h", HOST, "-p", str(self.port), "-U", BACKUP, "-w", "-X", "none", "-c", "fast", "-D", into)
        self.run("pg_basebackup", *words, env={**os.environ, "PGPASSFILE": str(self.passfile(BACKUP))})

    def restore(self, copy: Path, settings: Mapping[str, str]) -> None:
        """Put a copy in the place of the data and replay the log as `settings` say, then start."""
        self.stop("immediate")
        shutil.rmtree(self.data)
        copy.rename(self.data)
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        (self.data / "recovery.signal").touch()
        self.own(self.data / "recovery.signal")
        self.start()

    def _make(self, settings: Mapping[str, str]) -> None:
        if self._user is not None:
            refuse_unreachable(self.folder, self._user.pw_name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.own(self.folder)
        password = self._new_password(ADMIN)
        given = self.folder / "new-password"
        given.write_text(password)
        self.own(given)
        words: Sequence[str | Path] = (
            "-D", self.data, "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={given}", "-E", "UTF8", "--locale=C",
            "--data-checksums",
        )  # fmt: skip
        self.run("initdb", *words)
        given.unlink()
        port = _free_port()
        own = {
            "listen_addresses": HOST, "port": str(port), "unix_socket_directories": "", "log_statement": "none",
            "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0", "log_error_verbosity": "terse",
            "log_min_error_statement": "panic", **settings,
        }  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in own.items())
        (self.data / "pg_hba.conf").write_text(HBA)
        (self.folder / "port").write_text(f"{port}\n")

    def _make_roles_and_databases(self) -> None:
        """The owner makes tables; whoever runs the hub can make none, and reaches nothing that is not granted."""
        with psycopg.connect(self.conninfo(ADMIN, "postgres"), autocommit=True) as db:
            for role, more in ((OWNER, ""), (RUNNING, ""), (BACKUP, " REPLICATION")):
                password = self._new_password(role)
                db.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}" + more).format(sql.Identifier(role), password))
            for database in DATABASES:
                make_database(db, database)
        self.own(self.passfile(BACKUP))  # the server's own programs copy it

    def _new_password(self, role: str) -> str:
        password = secrets.token_urlsafe(24)
        path = self.passfile(role)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{HOST}:*:*:{role}:{password}\n")
        return password


def make_database(db: psycopg.Connection[Any], name: str, template: str = "template0") -> None:
    """A database of the owner's that the running role may connect to, and nobody else."""
    what = {"name": sql.Identifier(name), "owner": sql.Identifier(OWNER), "run": sql.Identifier(RUNNING)}
    make = sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}")
    db.execute(make.format(template=sql.Identifier(template), **what))
    db.execute(sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**what))
    db.execute(sql.SQL("GRANT CONNECT ON DATABASE {name} TO {run}").format(**what))


def _free_port() -> int:
    """One below those that systems hand out by themselves, so that nobody takes it while the server is down."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as one, suppress(OSError):
            one.bind((HOST, port))
            return port
