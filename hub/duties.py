"""What the `hub` command does about rules and open items: the same manner as in `commands`, over the same doors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.commands import FaultFound, Misused, _hub, _read, out, out_or_say, say
from hub.disclosure import TeamAsk
from hub.rules.editions import BrokenRule, Edition, find_edition, get_rule, names
from hub.rules.loading import EVERYWHERE, check_rule
from hub.settings import Settings
from schemas.naming import find_fault_in

SHOWN = ("area", "from", "until", "kind", "unit", "limit")


def cmd_rules(settings: Settings, args: argparse.Namespace) -> None:
    """List or show the hub's rules, or check a file of them. They name nobody, so no reader is asked for."""
    if args.verb == "show":
        if args.rule not in names():
            raise Misused(f"there is no rule {args.rule}; there are: {', '.join(names())}")
        out(get_rule(args.rule))
    elif args.verb == "check":
        try:
            rule = check_rule(_read(args.file))
        except BrokenRule as error:
            raise FaultFound(str(error)) from error
        out({"rule": rule["id"], "editions": len(rule["editions"]), "known": rule["id"] in names()})
    else:
        if args.area not in ("", EVERYWHERE) and (fault := find_fault_in("area", args.area)):
            raise Misused(fault)
        on = _day(args.on) or settings.clock()().date()
        out(*(_listed(name, find_edition(name, on, args.area or EVERYWHERE)) for name in names()))
        if args.area in ("", EVERYWHERE):
            say(f"hub: editions for everywhere, on {on}; an area may have its own: --area GSS")


def cmd_open_items(settings: Settings, args: argparse.Namespace) -> None:
    """The open items of the reader's team, a child a line."""
    hub = _hub(settings)
    ask = TeamAsk(person=args.person, purpose=args.purpose, role=args.role, team=args.team)
    out_or_say(json.loads(hub.teams.open_items(ask).body)["children"], "nothing open that you may see")


def _listed(name: str, held: Edition | None) -> Mapping[str, Any]:
    title = get_rule(name)["title"]
    if held is None:
        return {"rule": name, "title": title, "edition": None}
    said: dict[str, Any] = {name: held.text[name] for name in SHOWN if name in held.text}
    return {"rule": held.rule, "title": title, "edition": held.edition, **said, "source": held.source}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Misused("a day is YYYY-MM-DD") from error
