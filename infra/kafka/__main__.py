"""`python -m infra.kafka up FOLDER`: real Kafka on loopback until Ctrl-C or SIGTERM, and where its passwords are.

`agency` adds sources to any running cluster, that of `infra/compose.yaml` among them; `prepare` makes its secrets.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from kafka.errors import KafkaError

from infra.kafka.cluster import Cluster
from infra.kafka.containers import prepare
from infra.kafka.libraries import ServersMissing, fetch_libraries, find_java
from infra.kafka.node import NodeFault
from infra.kafka.operator import Agency, Operator, OperatorFault
from infra.kafka.topics import HUB


def main(words: Sequence[str] | None = None) -> int:
    """0 when done, 1 when a fault was found, 2 when misused."""
    asked = _parser().parse_args(words)
    try:
        asked.run(asked)
    except (ServersMissing, NodeFault, OperatorFault, KafkaError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _fetch(asked: argparse.Namespace) -> None:
    find_java()
    fetch_libraries()


def _prepare(asked: argparse.Namespace) -> None:
    prepare(asked.folder)


def _agency(asked: argparse.Namespace) -> None:
    ca, kept = asked.folder / "ca.pem", asked.folder / "secrets"
    if not ca.exists():
        raise OperatorFault(
            f"there is no cluster's ca.pem in {asked.folder}: name the folder that `up` or `prepare` filled"
        )
    with Operator(asked.bootstrap, ca, kept if kept.is_dir() else asked.folder) as operator:
        operator.add_hub()
        for source in asked.sources:
            print(json.dumps({"bootstrap": asked.bootstrap, "ca": str(ca)} | _said(operator.add_agency(source))))


def _up(asked: argparse.Namespace) -> None:
    _fetch(asked)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(f"starting Apache Kafka, nodes: {asked.nodes} ...", file=sys.stderr)
    with Cluster(asked.folder, asked.nodes) as cluster:
        whole = {"bootstrap": cluster.bootstrap, "ca": str(cluster.ca)}
        print(json.dumps(whole | {"user": HUB, "password_file": str(cluster.password_file(HUB))}), flush=True)
        for source in asked.agency:
            print(json.dumps(whole | _said(cluster.add_agency(source))), flush=True)
        print("ready; Ctrl-C ends it", file=sys.stderr)
        ended.wait()


def _said(agency: Agency) -> dict[str, str]:
    return {
        "source": agency.source, "user": agency.user, "password_file": str(agency.password_file),
        "events": agency.events, "receipts": agency.receipts,
    }  # fmt: skip


def _source(word: str) -> str:
    """Nothing takes topics and users away again, so that a slip of the pen must not make any."""
    if not word.startswith("urn:"):
        raise argparse.ArgumentTypeError(f"{word!r} is not a source's URN, urn:…")
    return word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.kafka", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    fetch = verbs.add_parser("fetch", help="fetch Kafka's Java libraries, so that a later start needs no network")
    fetch.set_defaults(run=_fetch)
    up = verbs.add_parser("up", help="start Kafka and stay until Ctrl-C or SIGTERM")
    up.add_argument("folder", type=Path, help="where everything of this cluster is kept")
    up.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    up.add_argument(
        "--agency", action="append", default=[], metavar="SOURCE", type=_source, help="make a source's user and topics"
    )
    up.set_defaults(run=_up)
    make = verbs.add_parser("prepare", help="make the secrets that infra/compose.yaml names")
    make.add_argument("folder", type=Path)
    make.set_defaults(run=_prepare)
    agency = verbs.add_parser("agency", help="make users, topics, grants and quotas of sources on a running cluster")
    agency.add_argument("folder", type=Path, help="what `up` or `prepare` filled")
    agency.add_argument("sources", nargs="+", metavar="SOURCE", type=_source)
    agency.add_argument("--bootstrap", default="localhost:9092")
    agency.set_defaults(run=_agency)
    return parser


if __name__ == "__main__":
    sys.exit(main())
