"""`python -m infra.kafka up FOLDER`: real Kafka on loopback until Ctrl-C or SIGTERM, and where its passwords are."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from infra.kafka.cluster import Cluster
from infra.kafka.libraries import ServersMissing, fetch_libraries, find_java
from infra.kafka.node import NodeFault
from infra.kafka.operator import Agency, OperatorFault
from infra.kafka.topics import HUB


def main(words: Sequence[str] | None = None) -> int:
    """0 when done, 1 when a fault was found, 2 when misused."""
    asked = _parser().parse_args(words)
    try:
        find_java()
        fetch_libraries()
        _up(asked.folder, asked.nodes, asked.agency) if asked.verb == "up" else None
    except (ServersMissing, NodeFault, OperatorFault) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _up(folder: Path, nodes: int, sources: Sequence[str]) -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(f"starting Apache Kafka, nodes: {nodes} ...", file=sys.stderr)
    with Cluster(folder, nodes) as cluster:
        whole = {"bootstrap": cluster.bootstrap, "ca": str(cluster.ca)}
        print(json.dumps(whole | {"user": HUB, "password_file": str(cluster.password_file(HUB))}), flush=True)
        for source in sources:
            print(json.dumps(whole | _said(cluster.add_agency(source))), flush=True)
        print("ready; Ctrl-C ends it", file=sys.stderr)
        ended.wait()


def _said(agency: Agency) -> dict[str, str]:
    return {
        "source": agency.source, "user": agency.user, "password_file": str(agency.password_file),
        "events": agency.events, "receipts": agency.receipts,
    }  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.kafka", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("fetch", help="fetch Kafka's Java libraries, so that a later start needs no network")
    up = verbs.add_parser("up", help="start Kafka and stay until Ctrl-C or SIGTERM")
    up.add_argument("folder", type=Path, help="where everything of this cluster is kept")
    up.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    up.add_argument("--agency", action="append", default=[], metavar="SOURCE", help="make a source's user and topics")
    return parser


if __name__ == "__main__":
    sys.exit(main())
