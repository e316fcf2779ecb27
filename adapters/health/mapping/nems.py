"""NEMS messages into canonical events: one table from event code to function, and the questions asked of every message.

Pure. It decides from content first and from the header second: a removed death comes as "new" in real feeds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.health.codes import DEATH_REMOVED, DEATH_STATUS, NOT_GIVEN, SERVICES, WORKER_ROLES
from adapters.health.mapping import nems_demographics as demographics
from adapters.health.mapping.child import without_empty
from adapters.health.mapping.nems_child import describe_child, is_conflict, read_name
from adapters.health.mapping.shape import Draft, Frame, find_service, future_dated, retraction, same_content, to_event
from adapters.health.record.nems import ANCHORS, Message, Node, coding, every, extension, first, tidy
from adapters.kit.outcomes import EVERYTHING, Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import When, read_iso

Settings = Mapping[str, Any]
Drafts = tuple[Draft, ...]
Drawn = Drafts | NoEvent | Held | Unmappable

TWO_PEOPLE = "two different people as subject"
RESTRICTED = Remark("location-hidden", "Patient.meta.security", "Restricted: only identifier and names were sent.")
CALLED_NEW = Remark("change-kind-differs", "MessageEventType", "The header calls it new, the content takes it back.")
SNOMED = "http://snomed.info/sct"
OUT_OF_PURPOSE = {"newborn-hearing-1", "nipe-outcome-1", "blood-spot-test-outcome-1"}


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """What one NEMS message means, `last` being the version of the same record read before it, or None."""
    message = Message(record.parsed)
    before = Message(last.parsed) if last is not None else None
    refused = _not_for_us(message)
    if refused is not None:
        return refused
    if before is not None and message.event_code in ONE_FACT and _is_older(message, before):
        return NoEvent("older-version")
    if _is_removed(message):
        return _retract(record, message, last, settings)
    drawn = EVENTS[message.event_code](message, before, settings)
    if not isinstance(drawn, tuple):
        return drawn
    if last is not None and message.event_code in ONE_FACT and last.person != record.person:
        return _moved(record, message, drawn, last, settings)
    return _finish(record, message, drawn, _events_of(last, settings), settings)


def _not_for_us(message: Message) -> Outcome | None:
    code = message.event_code
    if code in OUT_OF_PURPOSE:
        return NoEvent("out-of-purpose")
    if code not in EVENTS:
        return Unmappable("MessageHeader.event", "event-code-unknown")
    if message.child is None:
        return Held("the message does not say which patient it is about", "MessageHeader.focus")
    if is_conflict(message):
        return Held(TWO_PEOPLE, "RoutingDemographics")
    return None


def _is_older(message: Message, before: Message) -> bool:
    """NEMS promises no order. Two versions of one record are ordered by `lastUpdated`, where both have one."""
    instants = [read_iso(m.last_updated).instant for m in (message, before)]
    times = [datetime.fromisoformat(i) for i in instants if i]
    return len(times) == 2 and times[0] < times[1]


def _finish(
    record: NativeRecord, message: Message, drafts: Drafts, earlier: tuple[Event, ...], settings: Settings
) -> Outcome:
    frame = _frame(record, message, settings)
    remarks = _remarks(frame, message, drafts)
    if not frame.child.is_somebody():
        return Unmappable("Patient", "nobody-identified", remarks)
    days = [str(d.happened.happened.get("from") or message.timestamp) if d.happened else "" for d in drafts]
    if any(frame.child.is_adult_on(day) for day in days):
        return NoEvent("adult", remarks)
    if not frame.child.has_age():
        return Held("no birth date: child or adult cannot be told", "Patient.birthDate", remarks)
    events = tuple(to_event(_in_sequence(d, record, message, earlier), frame) for d in drafts)
    if message.event_code in ONE_FACT and _nothing_new(events, earlier):
        return NoEvent("unchanged", remarks)
    return Events(events, remarks)


def _in_sequence(draft: Draft, record: NativeRecord, message: Message, earlier: tuple[Event, ...]) -> Draft:
    """The same fact told again replaces its earlier version; another fact of the same record is new."""
    is_update = message.event_code in ONE_FACT or message.event_type == "update"
    if is_update and any(event.name == draft.name for event in earlier):
        return replace(draft, change="replaces", about=(record.key, draft.name), as_="replaces")
    return draft


def _nothing_new(events: tuple[Event, ...], earlier: tuple[Event, ...]) -> bool:
    pairs = zip(events, earlier, strict=False)
    return len(events) == len(earlier) and all(same_content(one, other) for one, other in pairs)


def _events_of(last: NativeRecord | None, settings: Settings) -> tuple[Event, ...]:
    """What the version before meant by itself. A version that took the record back means nothing."""
    outcome = map_record(last, None, settings) if last is not None else None
    return outcome.events if isinstance(outcome, Events) else ()


def _moved(record: NativeRecord, message: Message, drafts: Drafts, last: NativeRecord, settings: Settings) -> Outcome:
    """One fact that stands under another person than before: told for the one, taken back from the other."""
    again = _finish(record, message, drafts, (), settings)
    numbers = [one.nhs_number_of(one.child or {}) for one in (message, Message(last.parsed))]
    reason = "wrong-child" if all(numbers) else "removed-at-source"
    taken_back = _taken_back(message, last, reason, settings)
    if isinstance(again, Events):
        return Events((*again.events, taken_back), again.remarks)
    if isinstance(again, NoEvent):
        return Events((taken_back,), again.remarks)
    return replace(again, meanwhile=(taken_back,)) if reason == "wrong-child" else again


def _retract(record: NativeRecord, message: Message, last: NativeRecord | None, settings: Settings) -> Outcome:
    if last is None:
        return NoEvent("nothing-to-retract")
    remarks = _remarks(_frame(record, message, settings), message)
    called_new = (CALLED_NEW,) if message.event_type == "new" else ()
    return Events((_taken_back(message, last, "removed-at-source", settings),), (*remarks, *called_new))


def _taken_back(message: Message, last: NativeRecord, reason: str, settings: Settings) -> Event:
    """Everything of the record taken back from the child as the version before described them. What of it was ever
    told, the kit knows."""
    frame = replace(_frame(last, Message(last.parsed), settings), recorded=_recorded(message))
    return to_event(retraction((last.key, EVERYTHING), reason), frame)


def _is_removed(message: Message) -> bool:
    """Deleted by the header, entered in error by its status, or a death notification taken away (status U)."""
    anchor = message.focus_of("EpisodeOfCare") or message.focus_of("Immunization")
    return (
        message.event_type == "delete"
        or tidy(anchor, "status") == "entered-in-error"
        or (message.event_code.startswith("pds-death") and _death_status(message) in DEATH_REMOVED)
    )


def _frame(record: NativeRecord, message: Message, settings: Settings) -> Frame:
    return Frame(
        child=describe_child(message, settings),
        person=record.person,
        recorded=_recorded(message),
        settings=settings,
        protected=message.restricted,
    )


def _recorded(message: Message) -> When:
    return read_iso(message.timestamp, "MessageHeader.timestamp")


def _remarks(frame: Frame, message: Message, drafts: Drafts = ()) -> tuple[Remark, ...]:
    found = [*frame.child.remarks, *frame.recorded.remarks]
    found += [remark for d in drafts if d.happened for remark in d.happened.remarks]
    found += future_dated(drafts, frame.recorded)
    found += [RESTRICTED] if message.restricted else []
    return tuple(dict.fromkeys([*found, *_unknown_codes(message)]))


def _unknown_codes(message: Message) -> list[Remark]:
    """Codes no table knows, kept as they are: a code tells nothing about a person."""
    asked = {
        "EpisodeOfCare": ("type.coding", SERVICES),
        "Immunization": ("explanation.reasonNotGiven.coding", NOT_GIVEN),
    }
    resource_type = ANCHORS.get(message.event_code, "")
    path, known = asked.get(resource_type, ("", {}))
    codes = [code for _, code, _ in coding(message.focus_of(resource_type), path)] if path else []
    if not codes or any(code in known for code in codes):
        return []
    return [Remark("unknown-code", f"{resource_type}.{path}", c) for c in codes if re.fullmatch(r"[0-9A-Z]{1,18}", c)]


# --- what each message means -------------------------------------------------------------------------------------


def contacts(message: Message, before: Message | None, settings: Settings) -> Drawn:
    """professional-contacts-1: a service begins or ends its work with the child (EpisodeOfCare)."""
    episode = message.focus_of("EpisodeOfCare")
    status = tidy(episode, "status")
    if not episode:
        return Unmappable("EpisodeOfCare", "no-episode")
    if status in ("planned", "waitlist"):
        return NoEvent("not-started-yet")
    kind, words = _service_kind(episode)
    over = status in ("finished", "cancelled") or bool(tidy(episode, "period.end"))
    started, ended = (read_iso(tidy(episode, f"period.{end}"), "EpisodeOfCare.period") for end in ("start", "end"))
    said_by = {} if message.restricted else _worker(message, episode, settings)
    draft = Draft(
        name="involvement-ended" if over else "involvement-started",
        happened=ended if over else started,
        details={
            "kind": kind,
            "service": said_by.get("service"),
            "service_name": said_by.get("service_name"),
            "role": said_by.get("contact", {}).get("role"),
            "from": started.first,
            "until": ended.first,
        },
        summary=f"{words[:1].upper()}{words[1:]} {'ended its work' if over else 'began working'} with the child.",
        said_by=said_by,
    )
    return (draft,)


def _service_kind(episode: Node) -> tuple[str, str]:
    codes = [code for _, code, _ in coding(episode, "type.coding")]
    return next((SERVICES[code] for code in codes if code in SERVICES), ("other", "a health service"))


def _worker(message: Message, episode: Node, settings: Settings) -> dict[str, Any]:
    """Which service speaks, and whom to ring: the practitioner of the episode's team, the organisation's telephone."""
    organisation = message.resolve(episode, "managingOrganization")
    codes = [code for _, code, _ in coding(episode, "type.coding")]
    ods = [tidy(i, "value") for i in every(organisation, "identifier")]
    participant = first(message.resolve(episode, "team"), "participant")
    practitioner = message.resolve(participant, "member") or message.resolve(episode, "careManager")
    name = read_name(first(practitioner, "name"))
    phones = [tidy(t, "value") for t in every(organisation, "telecom") if tidy(t, "system") == "phone"]
    roles = [WORKER_ROLES[code] for _, code, _ in coding(participant, "role.coding") if code in WORKER_ROLES]
    contact = {
        "name": " ".join([*name.get("given", []), *([name["family"]] if "family" in name else [])]),
        "role": next(iter(roles), ""),
        "phone": next(iter(phones), ""),
    }
    contact = without_empty(contact)
    return find_service(settings, *codes, *ods) | ({"contact": contact} if contact else {})


def vaccination(message: Message, before: Message | None, settings: Settings) -> Drawn:
    """vaccinations-1: only what was not given. `status` is "completed" either way and says nothing."""
    immunization = message.focus_of("Immunization")
    if tidy(immunization, "notGiven") != "true":
        return NoEvent("vaccination-given")
    encounter = message.resolve(immunization, "encounter")
    at = read_iso(tidy(immunization, "date") or tidy(encounter, "period.start"), "Immunization.date")
    reasons = [code for _, code, _ in coding(immunization, "explanation.reasonNotGiven.coding") if code]
    reason, words = next((NOT_GIVEN[c] for c in reasons if c in NOT_GIVEN), ("other" if reasons else "not-stated", ""))
    procedure = first(extension(immunization, "VaccinationProcedure-1"), "valueCodeableConcept")
    vaccine = next((c for c in coding(procedure) if c[0] == SNOMED and c[1]), ("", "", ""))
    draft = Draft(
        name="immunisation-not-given",
        happened=at,
        details={
            "vaccine": vaccine[2],
            "vaccine_code": vaccine[1],
            "reason": reason,
            "reason_code": next(iter(reasons), ""),
        },
        summary="An immunisation that was due was not given" + (f": {words}." if words else "."),
    )
    return (draft,)


def birth(message: Message, before: Message | None, settings: Settings) -> Drawn:
    """pds-birth-notification-1: the baby; of the mother only that she is the mother."""
    if any(_is_stillbirth(o) for o in message.all_of("Observation")):
        return NoEvent("stillbirth")
    known = bool(message.mother_of) and not message.restricted
    draft = Draft(
        name="birth-notified",
        happened=read_iso(tidy(message.child, "birthDate"), "Patient.birthDate"),
        details={},
        summary="The birth of the child was notified.",
        statement="told-by",
        people=({"ref": "mother", "group": "family", "relation": ["MTH"]},) if known else (),
    )
    return (draft,)


def _is_stillbirth(observation: Node) -> bool:
    asked = {code for _, code, _ in coding(observation, "code.coding")}
    answers = {code for _, code, _ in coding(observation, "valueCodeableConcept.coding")}
    return "237364002" in asked and bool(answers) and "1" not in answers  # 1 Live


def death(message: Message, before: Message | None, settings: Settings) -> Drawn:
    """pds-death-notification-1: informal or formal; removed ones were taken back before this is asked."""
    status = DEATH_STATUS.get(_death_status(message), "")
    if not status:
        return Unmappable("deathNotificationStatus", "status-unknown")
    draft = Draft(
        name="child-died",
        happened=read_iso(tidy(message.child, "deceasedDateTime"), "Patient.deceasedDateTime"),
        details={"notification": status},
        summary="The death of the child was notified" + (", informally." if status == "informal" else "."),
        statement="told-by",
    )
    return (draft,)


def _death_status(message: Message) -> str:
    found = extension(extension(message.child, "DeathNotificationStatus-1"), "deathNotificationStatus")
    return next((code.upper() for _, code, _ in coding(first(found, "valueCodeableConcept")) if code), "")


EVENTS: dict[str, Callable[[Message, Message | None, Settings], Drawn]] = {
    "professional-contacts-1": contacts,
    "vaccinations-1": vaccination,
    "pds-birth-notification-1": birth,
    "pds-death-notification-1": death,
    "pds-record-change-1": demographics.record_change,
    "pds-record-changed-1": demographics.record_change,  # as published examples write it
    "pds-change-of-address-1": demographics.address_change,
    "pds-change-of-gp-1": demographics.practice_change,
}

# Records that are one fact through all their versions: a later version replaces it. The other messages each report a
# change of their own.
ONE_FACT = {"professional-contacts-1", "vaccinations-1", "pds-birth-notification-1", "pds-death-notification-1"}
