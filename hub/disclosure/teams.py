"""A team's open items: those of each of its children, as this reader sees each child, recorded before they are told.

The same decision as for a chronology, child by child. A child is the team's by what the reader sees: an entry that
their service made, or that names it or is addressed to it; for an allocated worker, by the allocation. If one child
cannot be shown, the whole list is refused: a shorter list that looks whole would be worse than none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hub.disclosure.access import CannotRecord
from hub.disclosure.answer import NOTICE, Seen, classes, header, shown_as, stamp
from hub.disclosure.door import Answer, Ask, CannotBeShownComplete, Disclosure, NoAnswer, NoStanding, timed
from hub.domain.clocks import RELATING, names_in
from hub.domain.staff import Reader
from hub.identity.assigning import assigned_to
from hub.identity.register import Register
from hub.policy.facts import Reading
from hub.projections.open_items import Concerned

LOG = logging.getLogger("hub.disclosure")
LISTED = frozenset({"frontDoor", "outOfHours", "teamManager", "allocatedSocialWorker", "schoolLead"})
"""Roles that have a team's list; an allocated worker's is of their own children."""
MOST_CHILDREN = 2_000
"""Children of whom one list tells at most."""


class TooManyChildren(Exception):
    """More children than one list tells of: ask as their allocated workers, each for their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamAsk:
    """One question: who, for which team, what for. Without a team it is the reader's own."""

    person: str
    purpose: str
    role: str = ""
    team: str = ""


@dataclass(slots=True)
class _Child:
    """One child of the list: what the reader gets, and what it is taken from."""

    id: UUID
    shown: dict[str, Any]
    about: list[Seen]


class Teams:
    """The lists over the door out."""

    def __init__(self, door: Disclosure, concerned: Concerned) -> None:
        self.door, self.concerned = door, concerned

    def open_items(self, ask: TeamAsk) -> Answer:
        """The open items of a team's children for one reader, recorded.

        Errors: `NoStanding`, `NoAnswer` for another team than the reader's own, `TooManyChildren`,
        `CannotBeShownComplete`, `CannotRecord`; all but the last are recorded too.
        """
        now = self.door.clock()
        reader = self.door.reader(ask.person, ask.role, now)
        if reader is None or reader.role not in LISTED:
            self._note(ask, reader, "no-standing")
            raise NoStanding
        if ask.team not in ("", reader.service):
            self._note(ask, reader, "no-answer")
            raise NoAnswer
        try:
            children = self._children(ask, reader, now)
            answer = self._answer(ask, reader, children, now)
        except TooManyChildren:
            self._note(ask, reader, "too-many")
            raise
        except CannotRecord:
            raise
        except Exception as fault:  # policy, a key, a view, a rule of ours: never a shorter list, never silence
            LOG.error("open items cannot be shown complete: %s", type(fault).__name__)
            self._note(ask, reader, "incomplete")
            raise CannotBeShownComplete from fault
        self._note(ask, reader, "answered", children, answer.sha256)
        return answer

    def _children(self, ask: TeamAsk, reader: Reader, now: datetime) -> list[_Child]:
        """The team's children who have open items, in an order that tells nothing.

        The limit counts them alone, after the rules: who is hidden from the reader neither closes a list nor shortens
        it, however many of them somebody addresses to the team. Errors: `TooManyChildren`.
        """
        self.door.view.catch_up()
        self.concerned.catch_up()
        register = self.door.register()
        near = set(register.found_under(self.concerned.homes(reader.service, reader.person)))
        running = self.concerned.running([home for one in near for home in assigned_to(register, one).streams])
        found: list[_Child] = []
        for one in sorted(set(register.found_under(running))):
            child = self._child(one, ask, reader, register, now)
            found += [child] if child else []
            if len(found) > MOST_CHILDREN:
                raise TooManyChildren
        return found

    def _child(self, child: UUID, ask: TeamAsk, reader: Reader, register: Register, now: datetime) -> _Child | None:
        asked = Ask(person=ask.person, child=child, purpose=ask.purpose, role=reader.role)
        resolved, visible = self.door.seen(asked, reader, register, now)
        if not _is_teams(reader, resolved, visible):
            return None
        items = self.door.clocks.items(visible, now)
        if not items:
            return None
        named = header(shown_as(register.members(child), visible, register.place_of), visible)
        shown = {"child": {name: named[name] for name in ("id", "name") if name in named}, "open_items": items}
        about = {item["about"] for item in items}
        return _Child(child, shown, [one for one in visible if one.ref in about])

    def _answer(self, ask: TeamAsk, reader: Reader, children: list[_Child], now: datetime) -> Answer:
        body = {
            "team": reader.service, "purpose": ask.purpose, "role": reader.role, "notice": NOTICE,
            "children": [one.shown for one in children],
        }  # fmt: skip
        return timed(orjson.dumps(body), stamp(now))

    def _note(
        self, ask: TeamAsk, reader: Reader | None, outcome: str, children: list[_Child] | None = None, digest: str = ""
    ) -> None:
        """One record of the asking, and one of each child who is told of, all or none. Errors: `CannotRecord`."""
        said: Mapping[str, Any] = {
            "kind": "open-items", "outcome": outcome, "reader": ask.person, "purpose": ask.purpose,
            "role": reader.role if reader else ask.role, "service": reader.service if reader else "",
            "team": ask.team, "policy": self.door.policy.digest, "answer": digest,
        }  # fmt: skip
        told = ({**said, "child": str(one.id), "classes": classes(one.about)} for one in children or ())
        self.door.log.note_all([said, *told])


def _is_teams(reader: Reader, resolved: Reading, visible: list[Seen]) -> bool:
    if reader.role == "allocatedSocialWorker":
        return resolved.involvement == "allocated"
    return any(reader.service in _names(one) for one in visible if one.row.fact.name in RELATING)


def _names(one: Seen) -> set[str]:
    service = one.row.fact.data["said_by"].get("service", "") if one.decision.service else ""
    return set(names_in(service, one.shown))
