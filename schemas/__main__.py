"""`python -m schemas verify` and `python -m schemas check`: judge sealed records and event data, offline.

One JSON line on stdout for each input, in order. Exit 0 when all were taken, 1 when some were not, 2 when misused, 3
when the lines cannot be written, 130 when interrupted, 141 when whoever read them closed the pipe.
Lines name rules, ids and codes, never what an event says. Neither the hub nor an adapter is needed.
"""

import argparse
import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from schemas.envelope import (
    TYPES,
    KeyEntry,
    KeyRefused,
    NotStrict,
    Opened,
    Refused,
    Registry,
    SealingKey,
    open_envelope,
    parse_time,
    strict_json,
)
from schemas.strict import strict_value

CLOCK_TOLERANCE = timedelta(seconds=60)
FILE_LIMIT = 1024 * 1024
_EVENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

Line = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        lines = options.run(parser, options)
        taken = [_say(line) for line in lines]
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our lines has seen enough
        _drop_stdout()
        return 141
    except KeyboardInterrupt:
        return _end(130, "interrupted")
    except OSError as fault:  # files are read, and their faults named, further in
        _drop_stdout()
        return _end(3, f"the lines could not be written: {fault.strerror}")
    return 0 if all(taken) else 1


def _end(code: int, words: str) -> int:
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"python -m schemas: {words}\n")
    return code


def _drop_stdout() -> None:
    """What is left of our lines goes nowhere, so that ending says nothing more about it."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m schemas", description="Judges sealed records and event data.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    verify = commands.add_parser("verify", help="open sealed records with a registry of keys")
    verify.add_argument(
        "--keys", required=True, metavar="REGISTRY.json", help="public keys (JWK) with source and status"
    )
    verify.add_argument("--types", metavar="FILE", help="known statement types, a JSON list or one a line")
    verify.add_argument("--at", metavar="TIME", type=_last_instant, help="RFC 3339 instant to judge recordedtime by")
    verify.add_argument("--unseal", metavar="KEY.pem", help="a sealing key's private half, to open version 2 records")
    verify.add_argument(
        "records", nargs="+", metavar="RECORD", help="file of one sealed record, or - for standard input"
    )
    verify.set_defaults(run=_verify)

    check = commands.add_parser("check", help="check event data against its schema")
    check.add_argument(
        "events", nargs="+", metavar="EVENT.json", help="file of one event's data, or - for standard input"
    )
    check.set_defaults(run=_check)
    return parser


def _last_instant(text: str) -> datetime:
    """The last recordedtime that a clock showing `text` lets through."""
    try:
        return parse_time(text) + CLOCK_TOLERANCE
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("not an RFC 3339 instant with a zone") from None


def _say(line: Line) -> bool:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "there is no standard output")
    sys.stdout.write(json.dumps(line) + "\n")
    return line["outcome"] in ("accepted", "fits")


def _verify(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Iterator[Line]:
    try:
        registry = read_registry(Path(options.keys).read_bytes())
        types = _read_types(Path(options.types).read_bytes()) if options.types else TYPES
        unseal = SealingKey.from_pem(Path(options.unseal).read_bytes()) if options.unseal else None
    except OSError as fault:
        parser.error(f"{fault.filename}: {fault.strerror}")
    except ValueError as fault:
        parser.error(str(fault))
    judge = partial(open_envelope, registry=registry, types=frozenset(types), latest=options.at, unseal=unseal)
    return (_verify_one(name, judge) for name in options.records)


def _verify_one(name: str, judge: Callable[[bytes], Opened]) -> Line:
    try:
        opened = judge(_read(name))
    except OSError as fault:
        return {"record": name, "outcome": "refused", "step": "unreadable", "why": fault.strerror}
    except Refused as refused:
        return {"record": name, "outcome": "refused", "step": refused.step, "why": refused.why}
    said = {member: opened.statement[member] for member in ("id", "source", "type", "sequence")}
    return {"record": name, "outcome": "accepted", **said, **_event_of(opened.data, "event")}


def read_registry(raw: bytes) -> Registry:
    """Reads public keys for `verify`: a JSON list, or an object that holds one as `registry` or `keys`.

    Each is a JWK with `source`; a `status` other than `active` and a `purpose` other than `event` make it not count.
    Raises ValueError that names the entry and the rule.
    """
    value = strict_value(raw, FILE_LIMIT)
    listed = value.get("registry", value.get("keys")) if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise ValueError("keys: neither a list nor an object with registry or keys")
    entries: dict[str, KeyEntry] = {}
    for number, jwk in enumerate(listed, start=1):
        if not isinstance(jwk, dict) or not isinstance(jwk.get("source"), str):
            raise ValueError(f"keys: entry {number} is not a JWK with a source")
        if jwk.get("status", "active") != "active" or jwk.get("purpose", "event") != "event":
            continue
        try:
            entry = KeyEntry.from_jwk(jwk, source=jwk["source"])
        except KeyRefused as fault:
            raise ValueError(f"keys: entry {number}: {fault}") from None
        if entry.kid in entries:
            raise ValueError(f"keys: entry {number} is a key that is listed before")
        entries[entry.kid] = entry
    return entries.get


def _read_types(raw: bytes) -> Iterable[str]:
    try:
        listed = strict_value(raw, FILE_LIMIT) if raw.lstrip().startswith(b"[") else raw.decode("utf-8").split()
    except ValueError:
        raise ValueError("types: neither a JSON list nor one type a line") from None
    if not listed or not all(isinstance(each, str) for each in listed):
        raise ValueError("types: neither a JSON list nor one type a line")
    return list(listed)


def _check(_: argparse.ArgumentParser, options: argparse.Namespace) -> Iterator[Line]:
    from schemas.check import check_event  # here, so that verify starts without the schemas

    for name in options.events:
        try:
            data = strict_json(_read(name), FILE_LIMIT)
        except (OSError, NotStrict) as fault:
            why = fault.strerror if isinstance(fault, OSError) else str(fault)
            yield {"event": name, "outcome": "unreadable", "faults": [_fault("form", "", "json", why)]}
            continue
        faults = [_fault(each.step, each.path, each.rule, each.note) for each in check_event(data)]
        outcome = "misfit" if faults else "fits"
        yield {"event": name, "outcome": outcome, **_event_of(data, "name"), "faults": faults}


def _fault(step: str, path: str, rule: str, note: str | None) -> dict[str, str]:
    return {"step": step, "path": path, "rule": rule, "note": note or ""}


def _event_of(data: Mapping[str, Any], member: str) -> Line:
    """Name and version, where they look like ones: anything else in their place is not ours to repeat."""
    name, version = data.get("event"), data.get("version")
    found: Line = {}
    if isinstance(name, str) and _EVENT_NAME.fullmatch(name):
        found[member] = name
    if type(version) is int:
        found["version"] = version
    return found


def _read(name: str) -> bytes:
    """The bytes of a file or of standard input, never more than just beyond the limit."""
    if name == "-" and sys.stdin is None:
        raise OSError(errno.EBADF, "there is no standard input")
    if name == "-":
        return sys.stdin.buffer.read(FILE_LIMIT + 1)
    with open(name, "rb") as stream:
        return stream.read(FILE_LIMIT + 1)


if __name__ == "__main__":
    sys.exit(main())
