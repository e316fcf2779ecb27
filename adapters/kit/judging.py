"""One native record judged: mapped, let go or held back, completed and checked. Writes nothing down, seals nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.kit.agency import Format, Settings
from adapters.kit.events import Context, FindPublished, Ready, complete_events
from adapters.kit.home import Secrets
from adapters.kit.outcomes import Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.relevance import HeldBack, Sender, judge_relevance

EVENTS, NO_EVENT, HELD, HELD_BACK, UNMAPPABLE = "events", "no-event", "held", "held-back", "unmappable"
UNREADABLE = "unreadable"
NEEDS_A_PERSON = (HELD, UNMAPPABLE, UNREADABLE)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a record. `reason` is a code or fixed sentence, `field` where; `ready` only for `events`."""

    outcome: str
    ready: tuple[Ready, ...] = ()
    reason: str = ""
    field: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges records of one agency's settings; `sender` is the person who chose to send, if one did."""

    settings: Settings
    secrets: Secrets
    find_published: FindPublished
    sender: Sender | None = None

    def judge(self, format: Format, record: NativeRecord, last: NativeRecord | None) -> Judged:
        """The record's end, the same for the same arguments."""
        outcome = _map(format, record, last, self.settings)
        match outcome:
            case NoEvent(reason, remarks):
                return Judged(NO_EVENT, reason=reason, remarks=(*record.remarks, *remarks))
            case Held(reason, field, remarks):
                return Judged(HELD, reason=reason, field=field, remarks=(*record.remarks, *remarks))
            case Unmappable():
                return _unmappable(record, outcome)
        relevance = judge_relevance(format.name, self.settings, self.sender)
        if isinstance(relevance, HeldBack):
            return Judged(HELD_BACK, reason=relevance.rule, remarks=(*record.remarks, *outcome.remarks))
        return self._complete(record, outcome, relevance)

    def _complete(self, record: NativeRecord, outcome: Events, relevance: Mapping[str, Any]) -> Judged:
        if not outcome.events:
            return Judged(NO_EVENT, reason="nothing-to-share", remarks=(*record.remarks, *outcome.remarks))
        context = Context(self.settings, self.secrets, relevance, self.find_published)
        try:
            ready = complete_events(record, outcome.events, outcome.remarks, context)
        except (TypeError, ValueError, AttributeError, LookupError) as fault:  # what the mapping gave is no event
            ready = Unmappable("", f"The mapping gave no event: {type(fault).__name__}.")
        if isinstance(ready, Unmappable):
            return _unmappable(record, ready)
        if not ready:
            return Judged(NO_EVENT, reason="nothing-published-to-retract", remarks=(*record.remarks, *outcome.remarks))
        return Judged(EVENTS, ready=tuple(ready), remarks=(*record.remarks, *outcome.remarks))


def _map(format: Format, record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    try:
        return format.map(record, last, settings)
    except Exception as fault:  # the loop over records: none may stop the line, whatever its mapping does
        return Unmappable("", f"The mapping failed: {type(fault).__name__}.")


def _unmappable(record: NativeRecord, outcome: Unmappable) -> Judged:
    return Judged(UNMAPPABLE, reason=outcome.why, field=outcome.field, remarks=(*record.remarks, *outcome.remarks))
