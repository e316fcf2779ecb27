"""What the `hub` command does: verbs of the field over the same doors that the API uses. No rules here.

Results go to stdout as JSON lines, words to stderr. Every reading names its reader and purpose and is recorded before
it is answered, here as anywhere.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from hub.audit.replay import replay
from hub.bootstrap import Hub, init, open_hub
from hub.disclosure import Ask, NoAnswer, NobodyKnown, NotAPerson, Search, description_of
from hub.identity.matching import Description
from hub.ingest.registration import Asked, read_request
from hub.memory import NEW_OBJECTS, settle
from hub.settings import Settings, SettingsError
from hub.store.opening import make_ready
from hub.watch import NoPort
from hub.words import explain_waiting
from schemas.envelope import KeyRefused, SigningKey
from schemas.naming import find_fault_in
from schemas.strict import strict_json

FILE_LIMIT = 256 * 1024
OFFICER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")


class Misused(Exception):
    """The command cannot be carried out as it was given; the argument says what to do. Exit 2."""


class FaultFound(Exception):
    """The command ran and found a fault; the argument names it. Exit 1."""


class NotNow(Exception):
    """Something that the command needs cannot be used or reached now; the argument says what to do. Exit 3."""


class NotWritten(Exception):
    """Results could not be written to stdout; the argument says why. Exit 3."""


def say(words: str) -> None:
    """Words for people, on stderr, where there is one."""
    with suppress(OSError, AttributeError):
        sys.stderr.write(words + "\n")


def out(*lines: Any) -> None:
    """Results, one JSON document a line, on stdout. Errors: `NotWritten`, `BrokenPipeError`."""
    for line in lines:
        write(json.dumps(line, ensure_ascii=False) + "\n")


def write(text: str) -> None:
    """Text on stdout, gone before anything else is done. Errors: `NotWritten`, `BrokenPipeError`."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, AttributeError) as error:
        raise NotWritten(getattr(error, "strerror", None) or "there is no standard output") from error


def out_or_say(lines: Iterable[Any], words: str) -> None:
    """A list on stdout, or words where it is empty."""
    listed = list(lines)
    out(*listed)
    if not listed:
        say(words)


def cmd_init(settings: Settings, args: argparse.Namespace) -> None:
    """Make a hub."""
    if len(set(args.officer)) < (1 if settings.demo else 2):
        raise Misused("name two officers: hub init … --officer NAME --officer NAME")
    if wrong := [name for name in args.officer if not OFFICER_NAME.fullmatch(name)]:
        raise Misused(f"an officer's name has letters, digits, dots and hyphens only: {wrong[0]}")
    for what, name in (("partnership", args.partnership), ("area", args.area)):
        if fault := find_fault_in(what, name):
            raise Misused(fault)
    charter, fingerprints = init(settings, partnership=args.partnership, area=args.area, officers=args.officer)
    out({"hub": charter.hub, "partnership": charter.partnership, "area": charter.area, "fingerprints": fingerprints})
    say(f"A hub was made in {settings.home}. Check the fingerprints with the officers in person, then give each their")
    say("key file from the folder officers/ and remove it from there.")


def cmd_token(settings: Settings, args: argparse.Namespace) -> None:
    """Mint a demo token for a person."""
    from hub.api.demo_issuer import demo_issuer

    hub = _hub(settings)
    if not (settings.demo and hub.charter.demo):
        raise Misused(
            "tokens come from the partnership's own issuer; the built-in one is for a demo hub with HUB_DEMO=1"
        )
    issuer = demo_issuer(settings.home, hub.clock)
    write(issuer.token(args.person, settings.audience) + "\n")


def cmd_record(settings: Settings, args: argparse.Namespace) -> None:
    """Record what a person says or decides."""
    hub = _hub(settings)
    for name in args.event:
        entry = strict_json(_read(name), FILE_LIMIT)
        done = hub.casework.record(args.person, entry, role=args.role)
        out({"event": entry["event"], "id": done.id, "source": done.source, **_receipt(done.receipt)})
        if done.receipt.outcome == "quarantined":
            raise FaultFound(f"the entry waits in quarantine: {explain_waiting(done.receipt.reason)}")


def cmd_chronology(settings: Settings, args: argparse.Namespace) -> None:
    """Read a child's chronology."""
    hub, cursor = _hub(settings), args.cursor
    child, as_of = _child(args.child), _as_of(args.as_of, hub.clock())
    while True:
        ask = Ask(
            person=args.person, child=child, purpose=args.purpose, role=args.role, as_of=as_of,
            cursor=cursor, page=settings.page_size,
        )  # fmt: skip
        answer = hub.disclosure.chronology(ask)
        out(orjson.loads(answer.body))
        cursor = answer.next
        if not cursor or not args.all:
            return


def cmd_query(settings: Settings, args: argparse.Namespace) -> None:
    """Whom to ring about a child whom a file describes."""
    hub = _hub(settings)
    try:
        asked = description_of(strict_json(_read(args.described), FILE_LIMIT))
    except NotAPerson as error:
        raise Misused(f"the person cannot be read: see {error}; `hub query --help` shows the form") from error
    if asked == Description():
        raise Misused("the file describes nobody; `hub query --help` shows the form")
    out(orjson.loads(hub.query.answer(Search(person=args.person, asked=asked, purpose=args.purpose, role=args.role))))


def cmd_staff(settings: Settings, args: argparse.Namespace) -> None:
    """Show officers what the record says of professionals."""
    staff = _hub(settings).staff
    if args.verb == "show":
        out(staff.show(args.person, args.purpose, args.professional))
    else:
        out_or_say(staff.everybody(args.person, args.purpose), "nobody is registered yet")


def cmd_inbox(settings: Settings, args: argparse.Namespace) -> None:
    """What waits for a person; with an item's id, record that they opened it."""
    hub, cursor = _hub(settings), ""
    if args.opened:
        out(hub.items.open(args.person, args.opened))
        return
    while True:
        page = orjson.loads(hub.items.list(args.person, cursor))
        out_or_say(page["items"], "nothing waits")
        cursor = page.get("next", "")
        if not cursor:
            return


def cmd_quarantine(settings: Settings, args: argparse.Namespace) -> None:
    """List, show, release or refuse what waits."""
    hub = _hub(settings)
    quarantine = hub.admission.quarantine
    if args.verb == "list":
        hub.disclosure.allow("quarantine-list", args.person, args.role, args.purpose)
        waiting = ({"id": row.id, "caller": row.caller, "reason": row.reason, "note": row.note, "at": row.at}
                   for row in quarantine.list(args.state))  # fmt: skip
        out_or_say(waiting, f"nothing {args.state}")
    elif args.verb == "show":
        hub.disclosure.allow("quarantine-show", args.person, args.role, args.purpose, record=args.id)
        row, raw = quarantine.open(args.id)
        out({"id": row.id, "caller": row.caller, "source": row.source, "event_id": row.event, "reason": row.reason,
             "note": row.note, "at": row.at, "bytes": len(raw), "record_sha256": row.record})  # fmt: skip
    else:
        receipt = hub.casework.settle_quarantine(
            args.person, args.id, release=args.verb == "release", reason=args.reason
        )
        out({"id": args.id, **_receipt(receipt)})


A_MOMENT = "a moment is YYYY-MM-DD or RFC 3339 with its zone"


def cmd_replay(settings: Settings, args: argparse.Namespace) -> None:
    """What a reader could see at a moment, and what they opened before it."""
    hub, child = _hub(settings), _child(args.child)
    at = _as_of(args.at, hub.clock())
    if at is None:
        raise Misused("--at needs a day or an RFC 3339 moment")
    about = {"child": str(child), "moment": at.isoformat(), "of": args.reader}
    auditor = hub.disclosure.allow("replay", args.person, args.role, args.purpose, **about)
    if not hub.disclosure.is_known(args.reader):
        raise NobodyKnown
    ask = Ask(person=args.reader, child=child, purpose=args.reader_purpose, role=args.reader_role)
    could_see = hub.disclosure.could_see(ask, at, auditor, args.purpose)
    out(replay(could_see, hub.disclosure.accesses(child), args.reader, at))


def cmd_keys(settings: Settings, args: argparse.Namespace) -> None:
    """Register, retire, revoke or list keys."""
    hub = _hub(settings)
    if args.verb == "list":
        hub.admission.catch_up()
        keys = ({"kid": key.kid, "source": key.source, "purpose": key.purpose, "alg": key.alg}
                for key in hub.admission.keyring.active())  # fmt: skip
        out_or_say(keys, "no keys count")
        return
    if args.verb == "receipt":
        out(hub.receipt_key.public_jwk())
        return
    if args.verb == "sealing":
        _see_to_sealing(hub)
        out(hub.make_sealing_key().public_jwk())
        return
    if args.verb == "show":
        _see_to_sealing(hub)
        out({"receipt": hub.receipt_key.public_jwk(), "sealing": hub.make_sealing_key().public_jwk()})
        return
    approvers = dict(_officer(hub, name) for name in args.officers)
    if args.verb == "add":
        request = strict_json(_read(args.request), FILE_LIMIT)
        _say_what_is_approved(read_request(request), approvers)
        if hub.registration.needed == 1:
            say("  this is a trial: one officer is enough here, elsewhere two")
        receipts = hub.registration.add(request, approvers)
        out({"source": request["source"], "admitted_from_quarantine": len(receipts)})
    elif args.verb == "retire":
        hub.registration.retire(args.kid, args.last_sequence, approvers)
        out({"kid": args.kid, "retired_after_sequence": args.last_sequence})
    else:
        hub.registration.revoke(args.kid, args.reason, approvers)
        out({"kid": args.kid, "revoked": True})


def cmd_export(settings: Settings, args: argparse.Namespace) -> None:
    """Export what this reader may see of a child in the MAIS standards' shapes."""
    from hub.export import NotEnough, to_jsonld

    hub = _hub(settings)
    ask = Ask(person=args.person, child=_child(args.child), purpose=args.purpose, role=args.role, page=10_000)
    answer = orjson.loads(hub.disclosure.chronology(ask).body)
    try:
        out(to_jsonld(answer))
    except NotEnough as error:
        raise FaultFound(f"nothing was exported: {error}") from error


def cmd_consume(settings: Settings, args: argparse.Namespace) -> None:
    """Read from Kafka, and answer there."""
    from hub.consuming import consume

    hub = _hub(settings)
    _see_to_sealing(hub)
    try:
        consume(hub)
    except NoPort as error:
        raise NotNow(str(error)) from error


def _see_to_sealing(hub: Hub) -> None:
    if hub.sealing_key is None:
        kid = hub.make_sealing_key().public.kid
        say(f"hub: there was no sealing key in this home: made sealing.pem ({kid}); agencies pin what")
        say("`hub keys sealing` prints, and it belongs into the backup with the other secrets")


def cmd_serve(settings: Settings, args: argparse.Namespace) -> None:
    """Serve the API."""
    from hub.serving import NotListening, NotServed, alone, serve

    hub = _hub(settings)
    try:
        with alone(settings):
            serve(hub)
    except NotServed as error:
        raise Misused(str(error)) from error
    except (NotListening, NoPort) as error:
        raise NotNow(str(error)) from error


def cmd_rebuild(settings: Settings, args: argparse.Namespace) -> None:
    """Throw the views away and build them again from the record."""
    hub = _hub(settings)
    settle(NEW_OBJECTS)
    out({"view": "chronology", "position": hub.view.rebuild()})
    out({"view": "items", "position": hub.item_rows.rebuild()})
    out({"view": "open-items", "position": hub.concerned.rebuild()})


def cmd_migrate(settings: Settings, args: argparse.Namespace) -> None:
    """Make or complete the tables of both PostgreSQL databases, as their owner."""
    if not settings.database:
        raise Misused(
            "set HUB_DATABASE and HUB_KEYS_DATABASE to the databases, as their owner; files need no migration"
        )
    make_ready(settings.database, settings.keys_database, args.role)
    say(f"The tables are there, and {args.role} has its rights to them.")


def _hub(settings: Settings) -> Hub:
    hub = _open(settings)
    try:
        hub.admission.catch_up()
    except SettingsError:
        raise
    except ValueError as error:  # a key of another length
        raise NotNow(f"a key in {settings.home} cannot be used; restore it from the backup") from error
    return hub


def _open(settings: Settings) -> Hub:
    try:
        return open_hub(settings)
    except SettingsError:
        raise
    except (ValueError, TypeError) as error:
        raise NotNow(f"{settings.home / 'hub.json'} is broken; restore it from the backup") from error


def _say_what_is_approved(asked: Asked, approvers: Iterable[str]) -> None:
    service = asked.service
    say(f"{' and '.join(approvers)} approve: source {asked.source}")
    say(f"  speaks for {service['urn']} ({service['name']}, {service['kind']})")
    say(f"  event key {asked.event}, transport key {asked.transport}: compare both with the agency")


def _officer(hub: Hub, name: str) -> tuple[str, SigningKey]:
    """(registered name, key) of an officer who is named, or whose key file is given."""
    path = Path(name)
    try:
        if path.suffix != ".pem":
            return name, hub.officer_key(name)
        key = SigningKey.from_pem(path.read_bytes())
        return hub.registration.officer_of(key) or path.stem, key
    except FileNotFoundError as error:
        raise Misused("an officer's key file is not there; name a registered officer or give a .pem file") from error
    except (KeyRefused, OSError, ValueError) as error:
        raise Misused("an officer's key file cannot be read, or is no private key in PEM") from error


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read(FILE_LIMIT + 1) if name == "-" else Path(name).read_bytes()
    except (OSError, AttributeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "there is no such input"
        raise Misused(f"cannot read {name}: {why}") from error


def _child(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NoAnswer from error


def _as_of(text: str, now: datetime) -> datetime | None:
    """A moment, or the end of a day, which may be today's."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misused(A_MOMENT) from error
    if not at.tzinfo and len(text) != len("2024-09-09"):
        raise Misused(A_MOMENT)
    if not at.tzinfo:
        at = at.replace(tzinfo=UTC, hour=23, minute=59, second=59, microsecond=999_000)
    if at.date() > now.date() and at > now:
        raise Misused("that day or moment has not come yet")
    return at


def _receipt(receipt: Any) -> Mapping[str, Any]:
    return {"outcome": receipt.outcome, "reason": receipt.reason, "position": receipt.position}


child_id, open_for_people = _child, _hub
"""What other files of verbs begin with."""

__all__ = ["FaultFound", "Iterable", "Misused"]
