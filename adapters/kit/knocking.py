"""Finds what bars the way to a broker, before a client of it is made.

The client library tries on until its time is over, and then tells a closed port from a wrong certificate or password by
nothing but its log. This asks once and raises what it finds.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

from kafka.errors import RetriableError
from kafka.net.compat import KafkaNetClient

from adapters.kit.broker import Broker

REACHED_WITHIN_S = 5
ASKED_FOR_S = 2


class HungUp(ConnectionError):
    """A server that proved itself did not let us in, and did not say why."""


def knock(broker: Broker, security: dict[str, Any]) -> None:
    """Raises why no server lets us in: an OSError where none can be reached, proves itself or says why, else what the
    library found. One server that lets us in is enough."""
    fault = OSError("no server")
    for server in broker.servers:
        try:
            _reach(server, security.get("ssl_context"))
            _ask_in(server, security)
            return
        except OSError as one:
            fault = one
    raise fault


def _reach(server: str, context: ssl.SSLContext | None) -> None:
    host, _, port = server.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), REACHED_WITHIN_S) as line:
        if context is not None:
            context.wrap_socket(line, server_hostname=host.strip("[]")).close()


def _ask_in(server: str, security: dict[str, Any]) -> None:
    """A node that refuses a password hangs up, and often before its answer was read: then it is asked again."""
    until = time.monotonic() + ASKED_FOR_S
    while True:
        client = KafkaNetClient(bootstrap_servers=[server], **security)
        try:
            client._manager.run(_be_let_in, client)
            return
        except RetriableError:
            if time.monotonic() > until:
                raise HungUp from None
        finally:
            client.close()


async def _be_let_in(client: KafkaNetClient) -> None:
    await client._manager.get_connection(client.cluster.bootstrap_brokers()[0].node_id)
