"""`hub identity`: the questions about who is who, and what a steward says about them. No rules here."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from hub.bootstrap import Hub
from hub.casework import Recorded
from hub.commands import FaultFound, child_id, open_for_people, out, out_or_say, say
from hub.disclosure import NoAnswer
from hub.settings import Settings

NO_SUCH_CHILD = "no such child, or not for this person; `hub identity list --all` names the children"
"""One sentence for an id that is mistyped, that no child has, or whose child this person may not look at."""
SAYS = {"same": "identity-same", "merge": "identity-same", "not-same": "identity-not-same"}


def cmd_identity(settings: Settings, args: argparse.Namespace) -> None:
    """List the questions about who is who, show what a child is made of, or settle one."""
    try:
        VERBS.get(args.verb, _settle)(open_for_people(settings), args)
    except NoAnswer as none:
        raise FaultFound(NO_SUCH_CHILD) from none


def _list(hub: Hub, args: argparse.Namespace) -> None:
    asked = args.person, args.role, args.purpose
    if args.all:
        out_or_say(hub.casework.review.children(*asked), "no children yet")
    else:
        out_or_say(hub.casework.review.items(*asked), "nothing open")


def _show(hub: Hub, args: argparse.Namespace) -> None:
    out(hub.casework.review.show(args.person, args.role, args.purpose, child_id(args.child)))


def _readers(hub: Hub, args: argparse.Namespace) -> None:
    read = hub.casework.review.readers(args.person, args.role, args.purpose, child_id(args.child))
    out_or_say(read, "nobody read here what is another child's today")


def _settle(hub: Hub, args: argparse.Namespace) -> None:
    event = SAYS[args.verb]
    done = hub.casework.settle(args.person, event, child_id(args.child), child_id(args.other), args.reason)
    _tell(event, done)


def _split(hub: Hub, args: argparse.Namespace) -> None:
    done = hub.casework.split(
        args.person, child_id(args.child), args.reason, subjects=_named(args.subject, "subject"),
        events=_named(args.event, "id"), to=child_id(args.to) if args.to else None,
    )  # fmt: skip
    _tell("identity-split", done)


def _move(hub: Hub, args: argparse.Namespace) -> None:
    event = {"source": args.source, "id": args.id}
    _tell("identity-moved", hub.casework.move(args.person, event, child_id(args.to), args.reason))


def _named(pairs: Sequence[Sequence[str]], second: str) -> list[Mapping[str, str]]:
    return [{"source": source, second: name} for source, name in pairs]


def _tell(event: str, done: Recorded) -> None:
    told: dict[str, Any] = {"event": event, "id": done.id}
    told |= {"outcome": done.receipt.outcome, "reason": done.receipt.reason, "position": done.receipt.position}
    told |= {"to_child": done.to_child} if done.to_child else {}
    told |= {"waits_for": done.waits_for} if done.waits_for else {}
    out(told)
    if done.waits_for:
        say("Both have a chronology of their own: it counts once another steward says the same.")


VERBS = {"list": _list, "show": _show, "readers": _readers, "split": _split, "move": _move}
