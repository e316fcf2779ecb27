"""One native record judged: mapped, let go or held back, completed and checked. Writes nothing down, seals nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.kit.agency import Format, Settings
from adapters.kit.events import PREVIOUS_UNKNOWN, Context, Ready, complete_events, with_subjects
from adapters.kit.home import Secrets
from adapters.kit.outcomes import Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.placing import RETRACTS, Published, is_first_heard
from adapters.kit.relevance import Gate, Sender

EVENTS, NO_EVENT, HELD, HELD_BACK, UNMAPPABLE = "events", "no-event", "held", "held-back", "unmappable"
UNREADABLE = "unreadable"
NEEDS_A_PERSON = (HELD, UNMAPPABLE, UNREADABLE)
MOVES_THE_SNAPSHOT = (EVENTS, NO_EVENT, HELD_BACK)
"""Outcomes after which a version is the one that later ones are compared with."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a record. `reason` is a code or fixed sentence, `field` where. `ready` is what goes out: all of
    `events`, and of the others what changes something that is out already and does not wait. `takes_back` are the
    keys of the native records of which this one says that they, or parts of them, are true no more; `held` names each
    event that is held back and the pseudonym of whom it is about."""

    outcome: str
    ready: tuple[Ready, ...] = ()
    reason: str = ""
    field: str = ""
    remarks: tuple[Remark, ...] = ()
    takes_back: frozenset[str] = frozenset()
    held: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges records of one agency's settings; `sender` is the person who chose to send, if one did."""

    settings: Settings
    secrets: Secrets
    published: Published
    sender: Sender | None = None

    def judge(self, format: Format, record: NativeRecord, last: NativeRecord | None) -> Judged:
        """The record's end, the same for the same arguments and the same that was published."""
        outcome = _map(format, record, last, self.settings)
        try:
            taken_back = _keys_taken_back(outcome)
            judged = self._judge(format, record, self.tell_whole(format, record, last, outcome))
        except (TypeError, ValueError, AttributeError, LookupError) as fault:  # what the mapping gave is no event
            return _unmappable(record, Unmappable("", f"The mapping gave no event: {type(fault).__name__}."))
        return replace(judged, takes_back=taken_back)

    def tell_whole(self, format: Format, record: NativeRecord, last: NativeRecord | None, outcome: Outcome) -> Outcome:
        """The outcome; or, where it only changes what was never published, what the record says by itself."""
        if last is None or not isinstance(outcome, Events):
            return outcome
        if not is_first_heard(record, with_subjects(record, outcome.events, self.secrets), self.published):
            return outcome
        whole = _map(format, record, None, self.settings)
        return replace(whole, remarks=(*whole.remarks, PREVIOUS_UNKNOWN)) if isinstance(whole, Events) else whole

    def _judge(self, format: Format, record: NativeRecord, outcome: Outcome) -> Judged:
        match outcome:
            case NoEvent(reason, remarks):
                return Judged(NO_EVENT, reason=reason, remarks=(*record.remarks, *remarks))
            case Held(reason, field, remarks, meanwhile):
                held = Judged(HELD, reason=reason, field=field, remarks=(*record.remarks, *remarks))
                return replace(held, ready=self._complete(format, record, Events(meanwhile)).ready)
            case Unmappable():
                meanwhile = outcome.meanwhile
                return replace(
                    _unmappable(record, outcome), ready=self._complete(format, record, Events(meanwhile)).ready
                )
        return self._complete(format, record, outcome)

    def _complete(self, format: Format, record: NativeRecord, outcome: Events) -> Judged:
        remarks = (*record.remarks, *outcome.remarks)
        if not outcome.events:
            return Judged(NO_EVENT, reason="nothing-to-share", remarks=remarks)
        gate = Gate(self.settings, self.published, self.sender, format.name)
        context = Context(self.settings, self.secrets, self.published, gate)
        done = complete_events(record, outcome.events, outcome.remarks, context)
        if isinstance(done, Unmappable):
            return _unmappable(record, done)
        if done.held_back:  # what changes something that is out already may be ready all the same
            held = Judged(HELD_BACK, ready=done.ready, reason=done.held_back, remarks=remarks)
            return replace(held, held=done.held)
        if not done.ready:
            return Judged(NO_EVENT, reason="nothing-published-to-retract", remarks=remarks)
        return Judged(EVENTS, ready=done.ready, remarks=remarks)


def _keys_taken_back(outcome: Outcome) -> frozenset[str]:
    events = outcome.events if isinstance(outcome, Events) else getattr(outcome, "meanwhile", ())
    return frozenset(event.about[0] for event in events if event.about and event.as_ == RETRACTS)


def _map(format: Format, record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    try:
        return format.map(record, last, settings)
    except Exception as fault:  # the loop over records: none may stop the line, whatever its mapping does
        return Unmappable("", f"The mapping failed: {type(fault).__name__}.")


def _unmappable(record: NativeRecord, outcome: Unmappable) -> Judged:
    return Judged(UNMAPPABLE, reason=outcome.why, field=outcome.field, remarks=(*record.remarks, *outcome.remarks))
