"""A POLE report, as it concerns one child, to canonical events. Pure: record, last version and settings decide all.

What a report means the first time is in `account_events.py`. Seen again: nothing where nothing that is shared has
changed; the end or the outcome, newly written; else the main event again (`replaces`). A withdrawn one takes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.kit.identifiers import is_live
from adapters.kit.outcomes import EVERYTHING, Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import is_after
from adapters.police.mapping import rows
from adapters.police.mapping.account import Account, happened_of
from adapters.police.mapping.account_events import ENTITIES, account_events, outcome_event, result_of
from adapters.police.mapping.parts import (
    GATEWAYS,
    ROLES,
    SERVICE,
    ChildAsWritten,
    Remarks,
    child_part,
    code_of,
    handling,
    is_adult,
    moment_of,
    remark_on_future,
    without_empty,
)
from adapters.police.mapping.people import PeopleOf
from adapters.police.mapping.words import summary
from adapters.police.record.pole import FORMAT, MISSING_PERSON, NOT_SHARED, UNBORN_CHILD, Part, Report
from adapters.police.source.naming import normal_words

GATEWAY = "CA2004-s11"
PREVIOUS_UNKNOWN = Remark("previous-version-unknown", "about_report", "The report it speaks about was never read here.")
_PLACES = ("home", "school", "hospital", "surgery", "police-station", "public", "other", "unknown")
# What may change without the main event being another: it has an event of its own, or is only when it was written.
_MOVES = frozenset({"recorded", "learned", "afterwards", "said_by", "summary"})
_WITHDRAWN = {"wrong-child": "wrong-child", "untrue": "untrue", "duplicate": "duplicate"}


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Mapping[str, Any]) -> Outcome:
    """What this report means for its child, given the version of it that was handled before."""
    now = _judge(record, settings)
    same = last is not None and (last.key, last.format) == (record.key, record.format)
    before = _judge(last, settings) if same and last is not None and not _is_withdrawn(last) else None
    sent = account_events(before) if isinstance(before, Account) else []
    if not isinstance(before, Account) or not sent:
        return _first(now, last, record, settings)
    if not isinstance(now, Account):  # it was sent as a child's before; a person must say what is true
        return Held("no-longer-a-child", "people", now.remarks) if isinstance(now, NoEvent) else now
    if _is_somebody_else(before.report.subject, now.report.subject):
        return Held("two-people", "people", _each_once(now.remarks))
    if is_after(before.recorded, now.recorded):
        return Held("older-version", "recorded_at", _each_once(now.remarks))
    events = [_taken_back(now)] if _is_withdrawn(record) else _later_events(before, sent, now)
    return Events(tuple(events), _each_once(now.remarks)) if events else NoEvent("unchanged", _each_once(now.remarks))


def _first(
    now: Account | Outcome, last: NativeRecord | None, record: NativeRecord, settings: Mapping[str, Any]
) -> Outcome:
    if not isinstance(now, Account):
        return now
    if _is_withdrawn(record):
        return NoEvent("withdrawn-before-shared")
    events = account_events(now)
    if not events:
        return NoEvent("no-outcome-yet", _each_once(now.remarks))
    if record.supersedes:
        known = _main_name(last, settings) if last is not None and last.key == record.supersedes else ""
        main = replace(events[0], about=(record.supersedes, known), as_="follows") if known else events[0]
        now.remarks.found.extend(() if known else (PREVIOUS_UNKNOWN,))
        events = [main, *events[1:]]
    return Events(tuple(events), _each_once(now.remarks))


def _main_name(record: NativeRecord, settings: Mapping[str, Any]) -> str:
    """What the report or row that another one speaks about is by itself; "" where it is no event."""
    by_format = map_record if record.format == FORMAT else rows.map_record
    outcome = by_format(record, None, settings)
    return outcome.events[0].name if isinstance(outcome, Events) else ""


def _is_withdrawn(record: NativeRecord) -> bool:
    return Part(record.parsed).text("status") == "withdrawn"


def _each_once(remarks: Remarks) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(remarks.found))


# -- one version judged


def _judge(record: NativeRecord, settings: Mapping[str, Any]) -> Account | NoEvent | Held | Unmappable:
    """The account of a report about one child, or why it gives none."""
    report = Report(record.parsed, Part(record.parsed).text("subject_ref"))
    if report.entity in NOT_SHARED:
        return NoEvent(NOT_SHARED[report.entity])
    if report.entity not in ENTITIES:
        return Held("entity-unknown", "entity")
    if not report.child:
        return NoEvent("adult" if report.people else "no-child")
    if _names_two_people(report):
        return Held("two-people", "people")
    return _account(report, record, settings)


def _account(
    report: Report, record: NativeRecord, settings: Mapping[str, Any]
) -> Account | NoEvent | Held | Unmappable:
    remarks = Remarks()
    limits = handling(report.texts("share_limits"), "share_limits", remarks)
    child = child_part(_written(report.subject, limits), live=is_live(settings), at="people.", remarks=remarks)
    if not child:
        return Unmappable("people", "The child has no name and no identifier.", _each_once(remarks))
    happened = remarks.when(happened_of(report, remarks)).happened
    recorded = moment_of(report.text("recorded_at"), "recorded_at", remarks)
    if _is_adult(report.subject, child, happened if "from" in happened else {"from": recorded}):
        flagged = report.subject.text("entity") != MISSING_PERSON
        found = _each_once(remarks)
        return Held("adult-with-child-entity", "people", found) if flagged else NoEvent("adult", found)
    remark_on_future(happened, recorded, "occurred", remarks)
    common = _common(report, limits, settings, remarks)
    people = PeopleOf(report, record.system, remarks)
    return Account(report, record, remarks, child, happened, recorded, limits, common, people)


def _written(person: Part, limits: Sequence[str]) -> ChildAsWritten:
    home = person.part("home_address")
    return ChildAsWritten(
        given=person.text("given_name"),
        family=person.text("surname"),
        known_as=person.text("known_as"),
        birth_date=person.text("date_of_birth"),
        accuracy=person.text("date_of_birth_accuracy"),
        sex=person.text("gender"),
        lines=[home.text(line) for line in ("line1", "line2", "town", "county")],
        postcode=home.text("postcode"),
        uprn=home.text("uprn"),
        nhs_number=person.text("nhs_number"),
        expected=person.text("expected_date"),
        unborn=person.text("entity") == UNBORN_CHILD,
        address_closed="confidentialAddress" in limits,
    )


def _is_adult(person: Part, child: Mapping[str, Any], happened: Mapping[str, Any]) -> bool:
    if "birth_date" in child:
        return is_adult(child, happened)
    return person.flag("adult") is True or (person.number("age") or 0) >= 18


def _names_two_people(report: Report) -> bool:
    """Does one reference stand for two people?"""
    same = [person for person in report.people if person.text("person_ref") == report.child]
    return any(_is_somebody_else(same[0], other, either=True) for other in same[1:])


def _is_somebody_else(one: Part, other: Part, *, either: bool = False) -> bool:
    """Another given name and another birth date; within one report `either` of them is enough."""
    pairs = [
        (normal_words(one.text("given_name")), normal_words(other.text("given_name"))),
        (one.text("date_of_birth"), other.text("date_of_birth")),
    ]
    differ = [bool(a and b) and a != b for a, b in pairs]
    return any(differ) if either else all(differ)


def _common(report: Report, limits: Sequence[str], settings: Mapping[str, Any], remarks: Remarks) -> dict[str, Any]:
    """What the report says for whatever it becomes: place, gateway, addressees, who was told."""
    police = settings.get("police", {})
    gateway = report.text("shared_under")
    if gateway and gateway not in GATEWAYS:
        remarks.unknown_code("shared_under", gateway)
    if gateway not in GATEWAYS:
        gateway = str(police.get("gateway", GATEWAY))
    return without_empty(
        learned=moment_of(report.text("learned_at"), "learned_at", remarks),
        shared_under={"gateway": gateway},
        place=_place(report.part("location"), limits, remarks),
        addressed_to=[_addressee(to, remarks) for to in report.parts("addressed_to")[:50] if _has_service(to, remarks)],
        asked=report.text("asked")[:500],
        by_when=moment_of(report.text("by_when"), "by_when", remarks),
        told=[_told(told, remarks) for told in report.parts("told")[:20] if code_of(told.text("who"))],
        not_to_be_told=list(dict.fromkeys(filter(None, map(code_of, report.texts("not_to_be_told")))))[:20],
    )


def _place(location: Part, limits: Sequence[str], remarks: Remarks) -> dict[str, Any]:
    if not location:
        return {}
    kind = location.text("kind") or "unknown"
    if kind not in _PLACES:
        remarks.unknown_code("location.kind", kind)
        kind = "other"
    if "confidentialAddress" in limits:
        return {"kind": kind, "precision": "none", "protected": True}
    lines = ", ".join(filter(None, (location.text(line) for line in ("line1", "line2", "town", "county"))))
    postcode = " ".join(location.text("postcode").upper().split())
    precision = "address" if location.text("line1") else "postcode" if postcode else "area" if lines else "none"
    return without_empty(
        kind=kind,
        precision=precision,
        name=location.text("name")[:200],
        address=lines[:400],
        postcode=postcode if len(postcode) <= 12 else "",
    )


def _has_service(to: Part, remarks: Remarks) -> bool:
    named = SERVICE.fullmatch(to.text("service")) is not None
    if not named:
        remarks.add("addressee-unknown", "addressed_to", "The addressee is no service of the partnership.")
    return named


def _addressee(to: Part, remarks: Remarks) -> dict[str, str]:
    role = to.text("role")
    if role and role not in ROLES:
        remarks.unknown_code("addressed_to.role", role)
    return without_empty(service=to.text("service"), role=role if role in ROLES else "")


def _told(told: Part, remarks: Remarks) -> dict[str, Any]:
    until = moment_of(told.text("until"), "told.until", remarks)[:10]
    return without_empty(who=code_of(told.text("who")), told=told.flag("told") is True, until=until)


# -- seen again


def _later_events(before: Account, sent: list[Event], now: Account) -> list[Event]:
    main = (now.record.key, sent[0].name)
    events = account_events(now)
    if not events:
        return []
    known = {(event.name, repr(event.data["details"])) for event in sent[1:]}
    later = [event for event in events[1:] if (event.name, repr(event.data["details"])) not in known]
    if _comparable(events[0]) != _comparable(sent[0]):
        again = replace(events[0], data=events[0].data | {"change": "replaces"}, about=main, as_="replaces")
        return [again, *(replace(event, about=main, as_="follows") for event in later)]
    result = result_of(now)
    if result and events[0].name != "investigation-outcome" and result != result_of(before):
        later.append(outcome_event(now, result))
    return [replace(event, about=main, as_="follows") for event in later]


def _comparable(event: Event) -> dict[str, Any]:
    kept = {name: value for name, value in event.data.items() if name not in _MOVES}
    details = {name: value for name, value in event.data["details"].items() if name != "outcome"}
    return {**kept, "name": event.name, "details": event.data["details"] if "reason_class" in details else details}


def _taken_back(now: Account) -> Event:
    """All that was published of this report about this child is taken back."""
    reason = _WITHDRAWN.get(now.report.text("withdrawal_reason"), "not-stated")
    back = now.event(
        "retraction-made",
        "decision",
        summary=summary("retraction-made", "Police withdrew what they had reported"),
        label=without_empty(handling=list(now.limits)),
        change="retracts",
        place=None,
        details={"reason": reason},
    )
    return replace(back, about=(now.record.key, EVERYTHING), as_="retracts")
