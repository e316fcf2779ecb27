"""The `hub` command line: what can be said, and which exit code answers it.

Exit 0 done, or for a service told to stop; 1 a fault was found; 2 misused; 3 something cannot be reached, written or
recorded now; 130 interrupted before it was done; 141 whoever read the results closed the pipe.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hub import commands, duties
from hub.bootstrap import HubExists, NoHub
from hub.casework import CannotSettle, Misfit, NotYours
from hub.commands_identity import cmd_identity
from hub.commands_sources import cmd_sources
from hub.disclosure import (
    RING,
    BadCursor,
    CannotBeShownComplete,
    CannotRecord,
    NoAnswer,
    NobodyKnown,
    NoStanding,
    NoSuchItem,
    TooManyChildren,
)
from hub.ingest.admission import StillWaits
from hub.ingest.quarantine import NoSuchRecord
from hub.ingest.registration import BadRequest, NoSuchKey, NotApproved
from hub.logs import log_to_stderr
from hub.rules.editions import BrokenRule
from hub.settings import Settings, SettingsError, read_settings
from hub.store.database import STORE_FAULTS
from hub.store.keys import KeyAway
from hub.store.opening import BadDatabase
from hub.store.record import StaleVersion
from hub.words import explain
from schemas.catalogue import get_codes
from schemas.envelope import KeyRefused, Refused
from schemas.strict import NotStrict

REFUSALS = (NotYours, Misfit, CannotSettle, NotApproved, NoSuchKey, StillWaits, NoSuchRecord)
MISUSES = (SettingsError, commands.Misused, NoHub, BadDatabase, BadCursor, NotStrict, BadRequest, BrokenRule)
KEY_LIKE_AN_OPTION = re.compile("-[A-Za-z0-9_-]{42}")
A_PERSON = (
    'FILE is {"names": [{"family": "Quillfeather", "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"},\n'
    '         "address": [{"postcode": "ZZ1 4QF"}]}'
)
NO_ANSWER = "no answer can be given here; ring the front door"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; gives the exit code."""
    try:
        args = _parser().parse_args([_shield(word) for word in (sys.argv[1:] if argv is None else argv)])
    except SystemExit as ended:  # argparse has said why
        return int(ended.code or 0)
    try:
        settings = read_settings()
        log_to_stderr(settings.log)
        if args.home:
            settings = replace(settings, home=args.home)
        return _carry_out(settings, args)
    except KeyboardInterrupt:
        return _end(130, "interrupted")
    except MISUSES as error:
        return _end(2, str(error))
    except BrokenPipeError:  # whoever read our lines has seen enough
        _drop_stdout()
        return 141
    except commands.NotWritten as error:
        _drop_stdout()
        return _end(3, f"the results could not be written ({error}); run it again")
    except commands.NotNow as error:
        return _end(3, str(error))
    except KeyAway as error:
        return _end(3, f"a key is missing or cannot be opened ({error}); restore the home folder from the backup")
    except StaleVersion:
        return _end(3, "others wrote at the same time; run it again")
    except json.JSONDecodeError:
        return _end(3, f"a file in {settings.home} is not JSON; restore it from the backup")
    except STORE_FAULTS as error:
        return _end(3, _name_store_fault(error))


def _carry_out(settings: Settings, args: argparse.Namespace) -> int:
    """Run the verb; what the hub's rooms refuse gets its words and code here."""
    try:
        args.run(settings, args)
    except HubExists:
        return _end(2, "there is a hub in this home folder already; nothing was changed")
    except NoStanding:
        return _end(1, "this person holds no such role today")
    except NoAnswer:
        return _end(1, NO_ANSWER)
    except NobodyKnown:
        return _end(1, "nobody of this id was ever registered")
    except NoSuchItem:
        return _end(1, "no item of this id waits for this person")
    except TooManyChildren:
        return _end(1, "more children than one list tells of; ask as their allocated workers")
    except (CannotBeShownComplete, CannotRecord):
        return _end(3, RING)
    except commands.FaultFound as error:
        return _end(1, str(error))
    except (*REFUSALS, KeyRefused) as error:
        return _end(1, explain(error))
    except Refused as refused:
        return _end(1, f"refused at {refused.step}: {refused.why}")
    return 0


def _shield(word: str) -> str:
    """One key in 64 begins with a hyphen, and is no option: a space before it says so, and is taken off again."""
    return f" {word}" if KEY_LIKE_AN_OPTION.fullmatch(word) else word


def _end(code: int, words: str) -> int:
    commands.say(f"hub: {words}")
    return code


def _name_store_fault(fault: Exception) -> str:
    """A file that cannot be read or written, by its name where the system gives one."""
    if isinstance(fault, OSError) and fault.filename:
        return f"cannot read or write {fault.filename} ({fault.strerror}); see to it, then run it again"
    where = "see to the home folder or the database, then try again"
    return f"the record cannot be read or written now ({type(fault).__name__}); {where}"


def _drop_stdout() -> None:
    """What is left of our output goes nowhere, so that ending says nothing more about it."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _find_version() -> str:
    try:
        return version("safeguarding-hub")
    except PackageNotFoundError:
        return "0"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub",
        description="The Safeguarding Hub.",
        epilog="Example: hub chronology CHILD --as PERSON --purpose s47",
    )
    parser.add_argument("--version", action="version", version=f"hub {_find_version()}")
    parser.add_argument("--home", type=Path, help="the hub's folder (else HUB_HOME, else .hub)")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _setting_up(verbs)
    _reading(verbs)
    _settling(verbs)
    return parser


def _setting_up(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = verbs.add_parser("init", help="make a hub: its keys, its officers")
    init.add_argument("--partnership", required=True, help="URN of the partnership, urn:safeguarding:partnership:NAME")
    init.add_argument("--area", required=True, help="GSS code of the area: a letter and eight digits")
    init.add_argument("--officer", action="append", default=[], help="name of a first officer; give two")
    init.set_defaults(run=commands.cmd_init)
    serve = verbs.add_parser("serve", help="serve the API on loopback")
    serve.set_defaults(run=commands.cmd_serve)
    consume = verbs.add_parser("consume", help="read from Kafka and answer there; several may run")
    consume.set_defaults(run=commands.cmd_consume)
    token = verbs.add_parser("token", help="a person's token from the demo issuer (demo mode only)")
    _as_person(token, purpose=False)
    token.set_defaults(run=commands.cmd_token)
    keys = verbs.add_parser("keys", help="register, retire, revoke or list keys").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    add = keys.add_parser("add", help="register an agency's keys from its request")
    add.add_argument("request", help="the file that `adapter-… keys init` printed, or -")
    retire = keys.add_parser("retire", help="name the last sequence that a key may sign")
    retire.add_argument("kid", type=str.strip, help="the key, as `hub keys list` names it")
    retire.add_argument("--last-sequence", type=int, required=True, metavar="N", help="the last number that counts")
    revoke = keys.add_parser("revoke", help="a key counts for nothing from now on")
    revoke.add_argument("kid", type=str.strip, help="the key, as `hub keys list` names it")
    revoke.add_argument("--reason", required=True, help="why; it stands in the record")
    for one in (add, retire, revoke):
        one.add_argument(
            "--as", dest="officers", action="append", required=True, metavar="OFFICER",
            help="an officer's name, or their key file (.pem); give two",
        )  # fmt: skip
    listed = keys.add_parser("list", help="every key that counts today")
    receipt = keys.add_parser("receipt", help="the key that agencies pin for receipts")
    sealing = keys.add_parser("sealing", help="the key that agencies pin to seal to, where records go by Kafka")
    show = keys.add_parser("show", help="both keys that agencies pin, in one document")
    for one in (add, retire, revoke, listed, receipt, sealing, show):
        one.set_defaults(run=commands.cmd_keys)
    migrate = verbs.add_parser("migrate", help="make the tables in PostgreSQL, connected as their owner")
    migrate.add_argument("--role", default="hub_run", help="the role that runs the hub, which is given its rights")
    migrate.set_defaults(run=commands.cmd_migrate)
    rebuild = verbs.add_parser("rebuild", help="build the views again from the record")
    rebuild.set_defaults(run=commands.cmd_rebuild)


def _reading(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    chronology = verbs.add_parser("chronology", help="read a child's chronology, as one reader, for one purpose")
    chronology.add_argument("child", help="the hub's id of the child")
    _as_person(chronology)
    chronology.add_argument(
        "--as-of", default="", metavar="MOMENT", help="the facts as they were then; what you may see is judged today"
    )
    chronology.add_argument("--cursor", default="", help="go on after an earlier page")
    chronology.add_argument("--all", action="store_true", help="every page, one document a line")
    chronology.set_defaults(run=commands.cmd_chronology)
    heard = verbs.add_parser("sources", help="when each live source was last heard; ends with 1 where one is silent")
    heard.set_defaults(run=cmd_sources)
    ring = verbs.add_parser("query", help="whom to ring about a child whom you describe", epilog=A_PERSON)
    ring.formatter_class = argparse.RawDescriptionHelpFormatter
    ring.add_argument("described", metavar="FILE", help="the person, as MAIS PUB01 or an event's child has it, or -")
    _as_person(ring)
    ring.set_defaults(run=commands.cmd_query)
    staff = verbs.add_parser("staff", help="as an officer: who holds which role, trained until when, in what conflict")
    verb = staff.add_subparsers(required=True, dest="verb", metavar="VERB")
    everybody, one = verb.add_parser("list", help="everybody"), verb.add_parser("show", help="one professional")
    one.add_argument("professional", metavar="PERSON", help="the id under which they were registered")
    for parser in (everybody, one):
        _as_person(parser)
        parser.set_defaults(run=commands.cmd_staff)
    inbox = verbs.add_parser("inbox", help="what waits for a person: addressed, urgent, told of later")
    inbox.add_argument("--as", dest="person", required=True, metavar="PERSON", help="who asks")
    inbox.add_argument("--opened", default="", metavar="ITEM", help="record that this item was opened, by its id")
    inbox.set_defaults(run=commands.cmd_inbox)
    again = verbs.add_parser("replay", help="what a reader could see at a moment, and what they opened before it")
    again.add_argument("child", help="the hub's id of the child")
    _as_person(again)
    again.add_argument("--reader", required=True, help="whose view is replayed")
    _add_purpose(again, "--reader-purpose", "for which purpose they read")
    _add_role(again, "--reader-role", "in which of their roles they read")
    again.add_argument("--at", required=True, metavar="MOMENT", help="a day, or an RFC 3339 moment with its zone")
    again.set_defaults(run=commands.cmd_replay)
    export = verbs.add_parser("export", help="what a reader may see, in the MAIS standards' shapes")
    export.add_argument("--child", required=True, help="the hub's id of the child")
    export.add_argument("--format", choices=["jsonld"], default="jsonld", help="JSON-LD, the only one")
    _as_person(export)
    export.set_defaults(run=commands.cmd_export)
    items = verbs.add_parser("open-items", help="what is waited for about the children of a reader's own team")
    items.add_argument("--team", default="", metavar="SERVICE", help="the team's URN, where it is to be checked")
    _as_person(items)
    items.set_defaults(run=duties.cmd_open_items)
    _add_rules(verbs)


def _add_rules(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rules = verbs.add_parser("rules", help="the dated numbers by which open items are judged").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    listed = rules.add_parser("list", help="every rule, and its edition in force everywhere or in --area")
    listed.add_argument(
        "--area", default="", metavar="GSS",
        help="GSS code: this area's editions go before those for everywhere, which alone are listed without it",
    )  # fmt: skip
    listed.add_argument("--on", default="", metavar="DAY", help="YYYY-MM-DD, else today")
    show = rules.add_parser("show", help="one rule with all its editions")
    show.add_argument("rule", help="as `hub rules list` names it")
    check = rules.add_parser("check", help="is this file of rules one that the hub would take?")
    check.add_argument("file", help="a file with one rule, or -")
    for one in (listed, show, check):
        one.set_defaults(run=duties.cmd_rules)


def _settling(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    record = verbs.add_parser("record", help="record what a person says or decides")
    record.add_argument("event", nargs="+", help="a file with the entry, or -")
    _as_person(record, purpose=False)
    record.set_defaults(run=commands.cmd_record)
    _identity(verbs.add_parser("identity", help="who is who: list the questions, settle one"))
    quarantine = verbs.add_parser("quarantine", help="records that wait for a person").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    waiting = quarantine.add_parser("list", help="what waits, or what became of it")
    waiting.add_argument(
        "--state", default="open", choices=["open", "admitted", "duplicate", "refused"], help="open, unless you say"
    )
    _as_person(waiting)
    waiting.set_defaults(run=commands.cmd_quarantine)
    for verb, what in (
        ("show", "who sent one record, and why it waits; never what it says"),
        ("release", "as a steward: try it again through the same door"),
        ("refuse", "as a steward: it is never admitted"),
    ):
        one = quarantine.add_parser(verb, help=what)
        one.add_argument("id", help="as `hub quarantine list` names it")
        _as_person(one, purpose=verb == "show")
        if verb != "show":
            one.add_argument("--reason", required=True, help="why; it stands in the record")
        one.set_defaults(run=commands.cmd_quarantine)


def _identity(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, dest="verb", metavar="VERB")
    listed = verbs.add_parser("list", help="open questions; with --all every child")
    listed.add_argument("--all", action="store_true", help="every child instead of the open questions")
    show = verbs.add_parser(
        "show", help="as a steward: what a child is made of, source by source; nothing that happened"
    )
    readers = verbs.add_parser("readers", help="who read under this child what is another child's today")
    split = verbs.add_parser(
        "split", help="as a steward: these are another child; later events of a source's child too"
    )
    split.add_argument("--subject", nargs=2, action="append", default=[], metavar=("SOURCE", "SUBJECT"),
                       help="a whole child of a source, as `hub identity show` names it")  # fmt: skip
    split.add_argument("--event", nargs=2, action="append", default=[], metavar=("SOURCE", "ID"), help="a single event")
    split.add_argument("--to", default="", metavar="CHILD", help="whose they are; a new child, unless you say")
    move = verbs.add_parser("move", help="as a steward: this event is another child's")
    move.add_argument("source", help="the event's source")
    move.add_argument("id", help="the event's id")
    move.add_argument("--to", required=True, metavar="CHILD", help="whose it is")
    pairs = [
        verbs.add_parser("same", help="as a steward: these two are one child"),
        verbs.add_parser("merge", help="the same as `same`: two persons must say so where both have a chronology"),
        verbs.add_parser("not-same", help="as a steward: they are two; it is remembered"),
    ]
    for one in (show, readers, split, *pairs):
        one.add_argument("child", help="the hub's id of the child")
    for one in pairs:
        one.add_argument("other", help="the hub's id of the other")
    for one in (split, move, *pairs):
        one.add_argument("--reason", required=True, help="why; it stands in the record")
        _as_person(one, purpose=False)
    for one in (listed, show, readers):
        _as_person(one)
    for one in (listed, show, readers, split, move, *pairs):
        one.set_defaults(run=cmd_identity)


def _as_person(parser: argparse.ArgumentParser, *, purpose: bool = True) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="PERSON", help="who acts")
    _add_role(parser, "--role", "in which of their roles")
    if purpose:
        _add_purpose(parser, "--purpose", "what for; it is recorded before the answer")


def _add_role(parser: argparse.ArgumentParser, name: str, what: str) -> None:
    codes = list(get_codes("roles"))
    parser.add_argument(name, default="", choices=codes, metavar="ROLE", help=f"{what}: {', '.join(codes)}")


def _add_purpose(parser: argparse.ArgumentParser, name: str, what: str) -> None:
    codes = list(get_codes("purposes"))
    parser.add_argument(name, required=True, choices=codes, metavar="PURPOSE", help=f"{what}: {', '.join(codes)}")


if __name__ == "__main__":
    sys.exit(main())
