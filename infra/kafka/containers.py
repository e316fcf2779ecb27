"""The secrets that `infra/compose.yaml` mounts as files: made here, by whoever runs the containers."""

from __future__ import annotations

from pathlib import Path

from infra.kafka.certificates import LOOPBACK, Authority, make_id, make_password, write_secret
from infra.kafka.operator import make_passwords, user_arguments


def prepare(folder: Path) -> None:
    """Fill a new folder: certificates of one throw-away authority, passwords, Kafka's first users and its id.

    Errors: `FileExistsError` where the folder is there already; nothing is made twice.
    """
    folder.mkdir(parents=True, mode=0o700)
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem())
    write_secret(folder / "kafka.pem", authority.issue("node-1", (*LOOPBACK, "kafka")))
    write_secret(folder / "postgres.pem", authority.issue("postgres", (*LOOPBACK, "postgres")))
    make_passwords(folder)
    format_arguments = f"-t\n{make_id()}\n".encode() + user_arguments(folder)
    write_secret(folder / "kafka-format.args", format_arguments)
    write_secret(folder / "postgres-owner.secret", make_password().encode())
