"""The words of every adapter's command line, with their help. `command.py` carries out what is named here."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency

PATIENCE_S = 120.0


def make_parser(agency: Agency) -> argparse.ArgumentParser:
    """The command line, with its help."""
    name = f"adapter-{agency.name}"
    parser = argparse.ArgumentParser(
        prog=name,
        description=f"Reads {agency.title or agency.name} files and sends what they mean to the safeguarding hub.",
        epilog=f"Begin with: {name} check FILE (needs no set-up), then {name} keys init --help",
    )
    parser.add_argument("--version", action="version", version=f"{name} {_find_version()}")
    parser.add_argument("--home", metavar="DIR", help=f"settings, keys and outbox (ADAPTER_HOME, or .{name})")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_reading(verbs)
    _add_check(verbs)
    _add_send(verbs)
    _add_notices(verbs)
    status = verbs.add_parser("status", help="what waits, what was refused, what a person must look at")
    status.add_argument("--json", action="store_true", help="one JSON object")
    status.set_defaults(command="status")
    beat = verbs.add_parser("heartbeat", help="tell the hub now that this feed lives; once and run do so themselves")
    beat.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="wait so long for the hub")
    beat.set_defaults(command="heartbeat")
    again = verbs.add_parser("rejoin", help="go on from the hub's head after a backup was restored; records a gap")
    again.set_defaults(command="rejoin")
    _add_keys(verbs)
    return parser


def _add_reading(verbs: Any) -> None:
    run = verbs.add_parser("run", help="watch a folder: read what comes, send it, until stopped")
    once = verbs.add_parser("once", help="read a folder and end when every record has its receipt")
    for verb in (run, once):
        verb.add_argument("folder", type=Path, metavar="DIR", help="files are read in order of name, never changed")
    once.add_argument("--by", metavar="PERSON", help="who chose to send these files (also what is held back by rule)")
    once.add_argument("--decided", metavar="DATE", help="when they decided: a day or an RFC 3339 instant")
    once.add_argument("--reason", default="", metavar="TEXT", help="why they chose to")
    once.add_argument("--again", action="store_true", help="read again what was held, unmappable or unreadable before")
    once.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="wait so long for the hub")
    run.set_defaults(command="run")
    once.set_defaults(command="once")


def _add_check(verbs: Any) -> None:
    check = verbs.add_parser("check", help="show what files would become; needs no home, sends nothing")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files or folders")
    check.add_argument("--json", action="store_true", help="one JSON line a record")
    check.add_argument("--limit", type=int, metavar="N", help="stop after so many records")
    check.set_defaults(command="check")


def _add_send(verbs: Any) -> None:
    send = verbs.add_parser("send", help="send a record that was held back: a person's choice, with the reason")
    send.add_argument("record", metavar="RECORD", help="its name in `status`, or its key in the agency's own system")
    send.add_argument("--by", required=True, metavar="PERSON", help="who chose to send it")
    send.add_argument("--reason", required=True, metavar="WORDS", help="why they chose to")
    send.add_argument("--decided", default="", metavar="DATE", help="when they decided, if not now")
    send.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="wait so long for the hub")
    send.set_defaults(command="send")


def _add_notices(verbs: Any) -> None:
    notices = verbs.add_parser("notices", help="what the hub told this agency, and which of it nobody has opened")
    notices.add_argument("--json", action="store_true", help="one JSON line a notice")
    notices.set_defaults(command="notices")
    opening = notices.add_subparsers(metavar="VERB").add_parser("open", help="read one; the hub records who opened it")
    opening.add_argument("notice", metavar="ID", help="its id in `notices`, or the beginning of it")
    opening.add_argument("--by", required=True, metavar="PERSON", help="who opens it")
    opening.add_argument(
        "--child", default="", metavar="ID", help="the child's id in the agency's own system, if found"
    )
    opening.set_defaults(command="notices open")


def _add_keys(verbs: Any) -> None:
    nouns = verbs.add_parser("keys", help="this adapter's keys").add_subparsers(required=True, metavar="VERB")
    init = nouns.add_parser("init", help="make keys, secrets and adapter.toml; print the request for `hub keys add`")
    for word, what in (
        ("--hub", "URN of the hub"),
        ("--source", "URN under which this adapter signs"),
        ("--partnership", "URN of the safeguarding partnership"),
        ("--service", "URN of the service that signs"),
        ("--service-name", "its name"),
        ("--service-kind", 'its kind, e.g. "a school"'),
        ("--url", "address of the hub, https://…"),
        ("--audience", "audience of the inbox, when not the hub's URN and /inbox"),
        ("--receipt-key", "file with the hub's public receipt key (JWK), pinned from now on"),
        ("--kafka-servers", "the hub's brokers, host:port,…: records then go by Kafka"),
        ("--kafka-ca", "file with the certificate of the brokers' authority (PEM), pinned from now on"),
        ("--sealing-key", "file with the hub's public sealing key (JWK), pinned from now on; for Kafka"),
    ):
        init.add_argument(word, default="", metavar="TEXT", help=what)
    init.add_argument("--alg", choices=("EdDSA", "ES256"), default="EdDSA", help="kind of the keys")
    init.set_defaults(command="keys init")


def _find_version() -> str:
    try:
        return version("safeguarding-hub")
    except PackageNotFoundError:
        return "0"
