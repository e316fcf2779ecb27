"""May this leave the agency: the rule that lets an event go, or that a person chose to send it.

The rules are those of `schemas/rules/relevance.json`, asked in this order: a person chose; the event's kind is on the
dated list; the agency already shares something about this child; the hub asked about this child. Everything else is
held back: the hub is no register of all children, and no setting without a person's name makes it one.

That a child is already shared or asked about depends on what came before. So it is judged once: an event in the outbox
is never made again, and an outbox that was lost comes out the same when the same files are read in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.kit.agency import Settings
from adapters.kit.home import BadHome
from adapters.kit.placing import CHANGES_EARLIER, RETRACTS, Placed, Published
from schemas.rules import find_always_relevant, get_list

ALWAYS_RELEVANT, ALREADY_SHARED, ASKED_ABOUT = "always-relevant", "already-shared", "asked-about"
NOT_RELEVANT_YET, HELD_BACK_FORMAT = "not-relevant-yet", "held-back-format"
"""Why something is held back: no rule lets it go, or its format leaves only when a person sends it."""
DAY = len("2026-02-16")
Relevance = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """The person who chose to send, and when they decided (a day or an RFC 3339 instant)."""

    person: str
    decided: str
    reason: str = ""


def checked_sender(sender: Sender, now: datetime) -> Sender:
    """The same, where it can stand in an event. Errors: `BadHome`; nothing was read or sent then."""
    if not sender.person.strip():
        raise BadHome("--by names the person who chose to send")
    try:
        decided = datetime.fromisoformat(sender.decided)
        ahead = decided.date() > now.date() if len(sender.decided) == DAY else decided > now
    except (ValueError, TypeError):
        raise BadHome("--decided is a day (2026-02-16) or a moment with its zone (2026-02-16T09:30:00Z)") from None
    if ahead:
        raise BadHome("--decided lies in the future: nobody has chosen yet")
    return sender


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Stays in the agency, counted; `rule` says why."""

    rule: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Judges the events of one record after the other, by one agency's settings and what it already shares."""

    settings: Settings
    published: Published
    sender: Sender | None = None
    format_name: str = ""

    def judge(self, events: Sequence[tuple[Placed, Mapping[str, Any]]]) -> list[Relevance | HeldBack]:
        """The `relevance` member of each event, or that it is held back. `events` in the order of their sealing."""
        chosen = self._chosen()
        if chosen is not None:
            return [chosen for _ in events]
        held_format = self.format_name in self._table.get("held_back_formats", ())
        sharing: set[str] = set()
        judged: list[Relevance | HeldBack] = []
        for placed, data in events:
            one = self._judge_one(placed, data, held_format, sharing)
            if not isinstance(one, HeldBack) and placed.event.as_ != RETRACTS:
                sharing.add(placed.subject)
            judged.append(one)
        return judged

    @property
    def _table(self) -> Mapping[str, Any]:
        table: Mapping[str, Any] = self.settings.get("relevance", {})
        return table

    def _chosen(self) -> Relevance | None:
        sender = self.sender
        if sender is None and "shared_by" in self._table:
            sender = Sender(**self._table["shared_by"])
        if sender is None:
            return None
        chosen = {"person": sender.person, "decided": sender.decided, "reason": sender.reason}
        return {name: value for name, value in chosen.items() if value}

    def _judge_one(
        self, placed: Placed, data: Mapping[str, Any], held_format: bool, sharing: set[str]
    ) -> Relevance | HeldBack:
        """What changes something that is already out is never held back: partners would go on relying on it."""
        if held_format and not (placed.target and placed.event.as_ in CHANGES_EARLIER):
            return HeldBack(HELD_BACK_FORMAT)
        if find_always_relevant(data) is not None:
            return {"rule": ALWAYS_RELEVANT, "edition": get_edition()}
        if placed.subject in sharing or self.published.is_shared(placed.subject):
            return {"rule": ALREADY_SHARED, "edition": get_edition()}
        if self.published.is_asked(placed.subject):
            return {"rule": ASKED_ABOUT, "edition": get_edition()}
        return HeldBack(NOT_RELEVANT_YET)


def in_order_of_sealing(events: Sequence[tuple[Placed, dict[str, Any]]]) -> list[tuple[Placed, dict[str, Any]]]:
    """For each person first what is on the list, because the rest leaves on the ground that this has left; else as
    they were."""
    first: dict[str, int] = {}
    for place, (placed, _) in enumerate(events):
        first.setdefault(placed.subject, place)
    return sorted(events, key=lambda pair: (first[pair[0].subject], find_always_relevant(pair[1]) is None))


def get_edition() -> str:
    """The edition of the list of rules."""
    return str(get_list("relevance")["edition"])
