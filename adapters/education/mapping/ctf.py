"""What a transfer file means: only what differs from the school's last file about the same pupil. Pure.

A file is a snapshot of everything a school knows of a pupil; the hub is no register of all pupils. `DIFFERENCES` is the
whole list of what speaks. Silent: everything else in the file, and on first sight also contacts, names and address,
because nothing shows that they are new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.education.mapping.pupil import describe_child, find_contradictions, find_obstacle
from adapters.education.mapping.rules import find_relation
from adapters.education.mapping.saying import day_of, make_event
from adapters.education.record.ctf import Contact, Snapshot
from adapters.kit.outcomes import Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import When, of_nothing

NOTHING_YET = "first-snapshot-nothing-to-report"
NOTHING_NEW = "nothing-new-to-report"
OLDER = "older-than-the-last-file"

PROFESSIONAL = {"SWR", "SOC", "DOC", "HTC", "TEA", "TCH", "CHM", "REL"}  # social worker, doctor, teacher, minister ...
BETWEEN = Remark("snapshot-difference", "", "Found by comparing two files; when it happened is not stated.")
NAMED_TO = (
    "frontDoor",
    "outOfHours",
    "allocatedSocialWorker",
    "teamManager",
    "conferenceChair",
    "healthPractitioner",
    "schoolLead",
    "policeProtection",
)
"""Who may learn a contact's name, unless `[education] contacts_named_to` says otherwise: those who visit or decide."""
EXCLUDED = "PE"
PLAN = "E"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One difference in the words of its kind, before the common members join it."""

    name: str
    happened: When
    statement: str
    details: Mapping[str, Any]
    parts: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[Mapping[str, Any], ...] = ()
    old_surname: str = ""
    remarks: tuple[Remark, ...] = ()


Difference = Callable[[Snapshot, Snapshot | None, str], Iterator[Said]]


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Mapping[str, Any]) -> Outcome:
    """The differences between this file and the last one about the pupil, each as an event."""
    now = Snapshot.of(record.parsed)
    before = None if last is None else Snapshot.of(last.parsed)
    if obstacle := find_obstacle(now.pupil, before.pupil if before else None, now.day):
        return obstacle
    if before is not None and now.day and now.day < before.day:
        return Held(OLDER, "Header/DateTime")
    said = [one for difference in DIFFERENCES for one in difference(now, before, record.person)]
    if not said:
        return NoEvent(NOTHING_YET if before is None else NOTHING_NEW)
    child, dropped = describe_child(now.pupil, settings)
    if child is None:
        return Unmappable("Pupil", "Neither a name nor a valid pupil number is left.", dropped)
    remarks = (*dropped, *_odd(now, before), *(remark for one in said for remark in one.remarks))
    return Events(tuple(_event(one, now, child, record, settings) for one in said), remarks)


def _event(
    one: Said, now: Snapshot, child: Mapping[str, Any], record: NativeRecord, settings: Mapping[str, Any]
) -> Event:
    if one.old_surname:
        child = describe_child(now.pupil, settings, old_surname=one.old_surname)[0] or child
    named_to = settings.get("education", {}).get("contacts_named_to", NAMED_TO)
    return make_event(
        one.name,
        one.happened,
        one.details,
        child=child,
        person=record.person,
        statement=one.statement,
        settings=settings,
        parts=one.parts,
        learned=now.instant or now.day,
        recorded=now.instant or now.day,
        people=[{**person, "may_be_named_to": list(named_to)} for person in one.people],
        time=now.instant,
    )


def _odd(now: Snapshot, before: Snapshot | None) -> Iterator[Remark]:
    if before and "birth_date" in find_contradictions(now.pupil, before.pupil):
        yield Remark("birth-date-differs", "DOB", "The last file had another birth date.")
    if not now.day:
        yield Remark("date-missing", "Header/DateTime")


def _ahead(day: str, now: Snapshot) -> tuple[Remark, ...]:
    return (Remark("future-dated", "LeavingDate", "Later than the file itself."),) if now.day and day > now.day else ()


def left_roll(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """The school's own entry has a leaving date that it had not."""
    own, last = now.own, before.own if before else None
    if own is None or not own.leaving or own.reason == EXCLUDED or (last and last.leaving == own.leaving):
        return
    to = now.destination
    details = {
        "left": own.leaving,
        "destination_known": to is not None,
        "destination": (to.name or f"{to.lea}{to.estab}")[:200] if to else "",
        "destination_urn": to.urn[:20] if to else "",
        "reason": own.reason if len(own.reason) <= 4 and own.reason.isalnum() else "",
    }
    corrected = (Remark("leaving-date-changed", "LeavingDate"),) if last and last.leaving else ()
    yield Said(
        name="left-roll",
        happened=day_of(own.leaving),
        statement="decision",
        details=details,
        parts={"destination": "The next school is named." if to else "The next school is not stated."},
        remarks=(*_ahead(own.leaving, now), *corrected),
    )


def excluded(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """The school's own entry ends by permanent exclusion."""
    own, last = now.own, before.own if before else None
    if own is None or own.reason != EXCLUDED or (last and last.reason == EXCLUDED and last.leaving == own.leaving):
        return
    details = {"from": own.leaving, "category": "PERM"}
    yield Said(name="excluded", happened=day_of(own.leaving), statement="decision", details=details)


def joined_roll(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """The school's own entry has another entry day, or its leaving date is gone. Silent on first sight."""
    own, last = now.own, before.own if before else None
    if own is None or last is None:
        return
    if own.entry and own.entry != last.entry and not own.leaving:
        joined = {"joined": own.entry}
        yield Said(
            name="joined-roll", happened=day_of(own.entry), statement="decision", details=joined, parts={"again": ""}
        )
    elif last.leaving and not own.leaving:
        yield Said(
            name="joined-roll",
            happened=of_nothing(),
            statement="decision",
            details={},
            parts={"again": " again: the leaving date was withdrawn"},
            remarks=(Remark("leaving-date-withdrawn", "LeavingDate", "The last file had one, this one has none."),),
        )


def household_changed(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """A contact came or went. Only between two files that list contacts; a partial file takes nobody away."""
    if before is None or not (now.says_contacts and before.says_contacts):
        return
    here, there = {one.who: one for one in now.contacts}, {one.who: one for one in before.contacts}
    for contact in (one for who, one in here.items() if who not in there and one.relation not in PROFESSIONAL):
        yield _household(contact, "contact-added", "added to", person)
    for contact in (one for who, one in there.items() if who not in here and one.relation not in PROFESSIONAL):
        if not now.partial:
            yield _household(contact, "contact-removed", "taken off", person)


def _household(contact: Contact, change: str, words: str, person: str) -> Said:
    relation = find_relation(contact.relation)
    adult = _adult(contact, relation.role, person)
    note = contact.relation if len(contact.relation) <= 4 and contact.relation.isalnum() else ""
    return Said(
        name="household-changed",
        happened=of_nothing(),
        statement="told-by",
        details={
            "change": change,
            "relation": relation.role,
            "relation_code": relation.code,
            "person_ref": adult["ref"],
        },
        parts={"change": words, "adult": relation.words},
        people=(adult,),
        remarks=(BETWEEN,) if relation.known else (BETWEEN, Remark("unknown-code", "Contact/Relationship", note)),
    )


def _adult(contact: Contact, role: str, person: str) -> dict[str, Any]:
    who = "\x1f".join((person, contact.forename.casefold(), contact.surname.casefold()))
    adult: dict[str, Any] = {
        "ref": "contact-" + hashlib.sha256(who.encode()).hexdigest()[:16],
        "group": "family",
        "relation": [role],
        "name": f"{contact.forename} {contact.surname}".strip()[:200],
    }
    if role != "SIB":  # a contact is an adult; an older brother or sister may not be
        adult["adult"] = True
    if contact.responsibility is not None:
        adult["parental_responsibility"] = contact.responsibility
    return {name: value for name, value in adult.items() if value != ""}


def name_changed(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """The surname or the forename is another one; the old surname goes with the child's names."""
    if before is None:
        return
    was, is_now = before.pupil, now.pupil
    surname, forename = _changed(is_now.surname, was.surname), _changed(is_now.forename, was.forename)
    if not (surname or forename):
        return
    details: dict[str, Any] = {"reason": "not-stated"}
    if surname:
        details |= {"from_family": was.surname[:200], "to_family": is_now.surname[:200]}
    if forename:
        details |= {"from_given": [was.forename[:100]], "to_given": [is_now.forename[:100]]}
    yield Said(
        name="name-changed",
        happened=of_nothing(),
        statement="told-by",
        details=details,
        old_surname=was.surname if surname else "",
        remarks=(BETWEEN,),
    )


def _changed(now: str, before: str) -> bool:
    return bool(now and before) and now.casefold() != before.casefold()


def address_changed(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """Both files give an address and they differ in more than spacing and capitals."""
    if before is not None and _changed(_flat(now), _flat(before)):
        home = {"kind": "home"}
        yield Said(name="address-changed", happened=of_nothing(), statement="told-by", details=home, remarks=(BETWEEN,))


def _flat(one: Snapshot) -> str:
    return "".join("".join((*one.pupil.lines, one.pupil.postcode)).split())


def looked_after(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """In care, and the last file did not say so. Since when is never in the file."""
    if now.in_care == "yes" and (before is None or before.in_care != "yes"):
        details = {"in_care": True, "caring_authority": now.authority[:120]}
        yield Said(name="looked-after-noted", happened=of_nothing(), statement="told-by", details=details)


def support_plan(now: Snapshot, before: Snapshot | None, person: str) -> Iterator[Said]:
    """An education, health and care plan that the last file did not have."""
    plans = [start for provision, start in now.support if provision == PLAN]
    if plans and not (before and any(provision == PLAN for provision, _ in before.support)):
        details = {"plan": "ehc-plan", "since": max(plans)}
        yield Said(name="support-plan-noted", happened=day_of(max(plans)), statement="told-by", details=details)


DIFFERENCES: tuple[Difference, ...] = (
    left_roll,
    excluded,
    joined_roll,
    household_changed,
    name_changed,
    address_changed,
    looked_after,
    support_plan,
)
