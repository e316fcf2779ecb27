"""The `hub` command line: what can be said, and which exit code answers it.

Exit 0 done; 1 a fault was found; 2 misused; 3 something cannot be reached or recorded now, try again.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hub import commands
from hub.bootstrap import HubExists, NoHub
from hub.casework import Misfit, NotYours
from hub.disclosure import RING, BadCursor, CannotBeShownComplete, CannotRecord, NoAnswer, NoStanding
from hub.ingest.admission import StillWaits
from hub.ingest.quarantine import NoSuchRecord
from hub.ingest.registration import NoSuchKey, NotApproved
from hub.settings import SettingsError, read_settings
from schemas.envelope import KeyRefused, Refused
from schemas.strict import NotStrict

FAULTS = (NotYours, Misfit, NotApproved, NoSuchKey, StillWaits, NoSuchRecord, KeyRefused, commands.FaultFound)
NO_ANSWER = "no answer can be given here; ring the front door"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; gives the exit code."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        settings = read_settings()
        if args.home:
            settings = replace(settings, home=args.home)
        args.run(settings, args)
    except KeyboardInterrupt:
        return 130
    except (SettingsError, commands.Misused, NoHub, BadCursor, NotStrict) as error:
        return _end(2, str(error))
    except HubExists:
        return _end(2, "there is a hub in this home folder already; nothing was changed")
    except NoStanding:
        return _end(1, "this person holds no such role today")
    except NoAnswer:
        return _end(1, NO_ANSWER)
    except (CannotBeShownComplete, CannotRecord):
        return _end(3, RING)
    except FAULTS as error:
        return _end(1, f"{type(error).__name__}: {error}")
    except Refused as refused:
        return _end(1, f"refused at {refused.step}: {refused.why}")
    return 0


def _end(code: int, words: str) -> int:
    commands.say(f"hub: {words}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub",
        description="The Safeguarding Hub.",
        epilog="Example: hub chronology CHILD --as PERSON --purpose s47",
    )
    parser.add_argument("--home", type=Path, help="the hub's folder (else HUB_HOME, else .hub)")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _setting_up(verbs)
    _reading(verbs)
    _settling(verbs)
    return parser


def _setting_up(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = verbs.add_parser("init", help="make a hub: its keys, its officers")
    init.add_argument("--partnership", required=True, help="URN of the partnership, urn:safeguarding:partnership:NAME")
    init.add_argument("--area", required=True, help="GSS code of the area")
    init.add_argument("--officer", action="append", default=[], help="name of a first officer; give two")
    init.set_defaults(run=commands.cmd_init)
    serve = verbs.add_parser("serve", help="serve the API on loopback")
    serve.set_defaults(run=commands.cmd_serve)
    token = verbs.add_parser("token", help="a person's token from the demo issuer (demo mode only)")
    _as_person(token, purpose=False)
    token.set_defaults(run=commands.cmd_token)
    keys = verbs.add_parser("keys", help="register, retire, revoke or list keys").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    add = keys.add_parser("add", help="register an agency's keys from its request")
    add.add_argument("request", help="the file that `adapter-… keys init` printed, or -")
    retire = keys.add_parser("retire", help="name the last sequence that a key may sign")
    retire.add_argument("kid")
    retire.add_argument("--last-sequence", type=int, required=True)
    revoke = keys.add_parser("revoke", help="a key counts for nothing from now on")
    revoke.add_argument("kid")
    revoke.add_argument("--reason", required=True)
    for one in (add, retire, revoke):
        one.add_argument("--as", dest="officers", action="append", required=True, metavar="OFFICER", help="give two")
    for one in (add, retire, revoke, keys.add_parser("list"), keys.add_parser("receipt", help="the key to pin")):
        one.set_defaults(run=commands.cmd_keys)
    rebuild = verbs.add_parser("rebuild", help="build the views again from the record")
    rebuild.set_defaults(run=commands.cmd_rebuild)


def _reading(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    chronology = verbs.add_parser("chronology", help="read a child's chronology, as one reader, for one purpose")
    chronology.add_argument("child", help="the hub's id of the child")
    _as_person(chronology)
    chronology.add_argument("--as-of", default="", help="the facts as they were then; what you may see is judged today")
    chronology.add_argument("--cursor", default="", help="go on after an earlier page")
    chronology.add_argument("--all", action="store_true", help="every page, one document a line")
    chronology.set_defaults(run=commands.cmd_chronology)
    again = verbs.add_parser("replay", help="what a reader could see at a moment, and what they opened before it")
    again.add_argument("child")
    _as_person(again)
    again.add_argument("--reader", required=True, help="whose view is replayed")
    again.add_argument("--reader-purpose", required=True, help="for which purpose they read")
    again.add_argument("--reader-role", default="", help="in which of their roles they read")
    again.add_argument("--at", required=True, help="the moment")
    again.set_defaults(run=commands.cmd_replay)
    export = verbs.add_parser("export", help="what a reader may see, in the MAIS standards' shapes")
    export.add_argument("--child", required=True)
    export.add_argument("--format", choices=["jsonld"], default="jsonld")
    _as_person(export)
    export.set_defaults(run=commands.cmd_export)


def _settling(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    record = verbs.add_parser("record", help="record what a person says or decides")
    record.add_argument("event", nargs="+", help="a file with the entry, or -")
    _as_person(record, purpose=False)
    record.set_defaults(run=commands.cmd_record)
    identity = verbs.add_parser("identity", help="who is who: list the questions, settle one").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    listed = identity.add_parser("list", help="open questions; with --all every child")
    listed.add_argument("--all", action="store_true")
    _as_person(listed)
    listed.set_defaults(run=commands.cmd_identity)
    for verb in ("same", "not-same"):
        one = identity.add_parser(verb, help="settle one question as a steward")
        one.add_argument("child")
        one.add_argument("other")
        one.add_argument("--reason", required=True)
        _as_person(one, purpose=False)
        one.set_defaults(run=commands.cmd_identity)
    quarantine = verbs.add_parser("quarantine", help="records that wait for a person").add_subparsers(
        required=True, dest="verb", metavar="VERB"
    )
    waiting = quarantine.add_parser("list")
    waiting.add_argument("--state", default="open", choices=["open", "admitted", "duplicate", "refused"])
    _as_person(waiting)
    waiting.set_defaults(run=commands.cmd_quarantine)
    for verb in ("show", "release", "refuse"):
        one = quarantine.add_parser(verb)
        one.add_argument("id")
        _as_person(one, purpose=verb == "show")
        if verb != "show":
            one.add_argument("--reason", required=True)
        one.set_defaults(run=commands.cmd_quarantine)


def _as_person(parser: argparse.ArgumentParser, *, purpose: bool = True) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="PERSON", help="who acts")
    parser.add_argument("--role", default="", help="in which of their roles")
    if purpose:
        parser.add_argument("--purpose", required=True, help="what for; it is recorded before the answer")


if __name__ == "__main__":
    sys.exit(main())
