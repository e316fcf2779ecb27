"""The door in for people: what no agency's file carries enters here, sealed, with the person as its author.

Agreements, decisions, allocation, strategy discussions, the child's own words, challenges; who holds which role;
identity and quarantine settled. The same admission judges it as judges any agency's event. Who may see it is not
decided here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.disclosure import Ask, Disclosure
from hub.disclosure.review import NO_READING, Review
from hub.domain.child import DECIDING, REFERRING
from hub.domain.protection import ENDED, Protection, may_lift
from hub.domain.staff import DECIDERS, Reader
from hub.domain.standing import find_contradiction
from hub.identity import settling
from hub.identity.matching import HUB_CHILD
from hub.identity.register import Register
from hub.identity.settling import CannotSettle
from hub.ingest.admission import Admission
from hub.ingest.kept import PREFIX, KeptSources
from schemas.catalogue import KINDS
from schemas.check import check_event
from schemas.compact import canonical_json
from schemas.envelope import Receipt

OFFICER, STEWARD = "officer", "steward"
PARTNERSHIP_SERVICE = "urn:safeguarding:service:partnership"
NOT_AUTHORS = frozenset({"caseAuditor", "practiceReviewer", "inspector", "analyst", "child", "parent"})
"""Roles that read or count and never add to a child's record."""
ALLOCATING = frozenset({"worker-allocated", "worker-deallocated"})
INVOLVING = frozenset({"involvement-started", "involvement-ended"})
SETTLING = frozenset({"identity-same", "identity-not-same", "identity-split", "identity-moved"})
"""They name children: whoever has read one of those does not settle who they are."""
QUARANTINE = frozenset({"quarantine-released", "quarantine-refused"})
SAID_WHY = ("why", "reason")
"""What stands in the record for ever says something."""
FILLED_IN = frozenset({"event", "version", "partnership", "origin", "said_by", "child"})


class NotYours(Exception):
    """This person may not record this; the argument names the broken rule."""


class Misfit(ValueError):
    """The entry lacks what it must have, or has what only the hub fills in; the argument names the member."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an entry."""

    receipt: Receipt
    id: str
    source: str
    to_child: str = ""
    """The child to whom something was split or moved: a new one's id too."""
    waits_for: str = ""
    """Who must say so too before it counts; "" where it counts."""


class Casework:
    """Records what people say and decide."""

    def __init__(
        self, kept: KeptSources, admission: Admission, disclosure: Disclosure, register: Callable[[], Register], *,
        partnership: str, officers: Callable[[], frozenset[str]],
        services: Callable[[], Mapping[str, Mapping[str, str]]],
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.kept, self.admission, self.disclosure, self.register = kept, admission, disclosure, register
        self.partnership, self.officers, self.services, self.clock = partnership, officers, services, clock
        self.review = Review(disclosure)

    def record(self, person: str, entry: Mapping[str, Any], *, role: str = "") -> Recorded:
        """Record one entry: an event's data without what the hub fills in, plus `event` and `child` (the hub's id).

        Errors: `NotYours`, `Misfit`, `CannotSettle`.
        """
        if str(entry.get("event")) in QUARANTINE:
            raise NotYours("QuarantineIsSettledWithItsRecord")
        return self._enter(person, entry, role)

    def _enter(self, person: str, entry: Mapping[str, Any], role: str = "") -> Recorded:
        kind = KINDS.get(str(entry.get("event")))
        if kind is None:
            raise Misfit("event")
        _check_form(entry)
        author = self._author(person, role, kind.about, entry)
        about = _child_id(entry) if kind.about == "child" else ""
        data = self._data(person, author, entry, about)
        data |= self._referring(person, data, about)
        if blank := next((name for name in SAID_WHY if _is_blank(data.get("details", {}).get(name))), ""):
            raise Misfit(f"/details/{blank}: it is blank")
        if faults := check_event(data):
            raise Misfit(f"{faults[0].path or '/'}: {faults[0].note}")
        if kind.about == "staff":
            self._may_register(data["details"], kind.name)
        if kind.name in SETTLING and author:
            data["details"] = self._settling(author, kind.name, data["details"])
        if author and kind.about == "child":
            self._may_enter(author, UUID(about), kind.name, data)
        service = author.service if author else PARTNERSHIP_SERVICE
        receipt, id = self.kept.record_entry(service, data, about=about)
        done = Recorded(receipt, id, self.kept.source(service))
        return self._told(done, data["details"]) if kind.name in SETTLING else done

    def settle(self, person: str, what: str, child: UUID, other: UUID, reason: str) -> Recorded:
        """`identity-same` or `identity-not-same`: a steward's word about two of the hub's children.

        Errors: `NotYours` when the person is no steward, or has read one of the two; `Misfit` for an unknown child;
        `CannotSettle`.
        """
        return self._settle(person, what, {"children": [str(child), str(other)]}, reason)

    def split(
        self, person: str, child: UUID, reason: str, *, subjects: Sequence[Mapping[str, str]] = (),
        events: Sequence[Mapping[str, str]] = (), to: UUID | None = None,
    ) -> Recorded:  # fmt: skip
        """These sources' children, or single events, are not `child`: they go to a new child, or to the one named.

        Split back to where it stood undoes it. Errors: as `settle`.
        """
        details: dict[str, Any] = {"child": str(child), **({"to_child": str(to)} if to else {})}
        details |= {"subjects": [dict(one) for one in subjects]} if subjects else {}
        details |= {"events": [dict(one) for one in events]} if events else {}
        return self._settle(person, "identity-split", details, reason)

    def move(self, person: str, event: Mapping[str, str], to: UUID, reason: str) -> Recorded:
        """This event is another child's. Moved back it stands where it stood. Errors: as `settle`."""
        return self._settle(person, "identity-moved", {"event": dict(event), "to_child": str(to)}, reason)

    def _settle(self, person: str, what: str, details: Mapping[str, Any], reason: str) -> Recorded:
        said = {**details, "why": reason, "decided_by": person}
        return self.record(person, {"event": what, "details": said}, role=self._stewards(person))

    def settle_quarantine(self, person: str, id: str, *, release: bool, reason: str) -> Receipt:
        """A steward's word about one quarantined record: tried again through the same door, or refused for good."""
        event = "quarantine-released" if release else "quarantine-refused"
        role = self._stewards(person)
        self._author(person, role, "service", {"event": event})
        waiting = self.admission.quarantine.find(id)
        details = {"record_sha256": waiting.record, "reason": reason, "decided_by": person}
        self._enter(person, {"event": event, "details": details}, role)
        return self.admission.admit_again(id) if release else self.admission.refuse(id, person)

    def _stewards(self, person: str) -> str:
        """Somebody who is a steward among other things settles as one."""
        return STEWARD if self.disclosure.reader(person, STEWARD, self.clock()) else ""

    def _may_register(self, details: Mapping[str, Any], name: str) -> None:
        """What contradicts the person's record is refused, so that whoever records it can put it right."""
        standing = self.disclosure.professional(details["person"])
        if broken := find_contradiction(standing, name, details, self.clock()):
            raise NotYours(broken)

    def _settling(self, author: Reader, name: str, details: Mapping[str, Any]) -> dict[str, Any]:
        """The details of a word about who is who, with what only the hub can say. Whoever read a child settles nothing
        about it."""
        register, subject_of = self.register(), self.admission.resolver.subject_of
        if not all(register.knows(one) for one in _children_in(details)):
            raise Misfit("child")
        filled = {key: value for key, value in details.items() if key != "two_persons"}
        if name == "identity-moved":
            filled = settling.moved(register, details, self.review.held, subject_of)
        elif name == "identity-split":
            filled = settling.split(register, details, self.review.held, subject_of, _is_peoples)
            filled.setdefault("to_child", str(uuid.uuid4()))
        elif name == "identity-same":
            one, other = _children_in(details)
            one, other, two_persons = settling.same(register, author.person, one, other, self.review.held)
            filled |= {"children": [str(one), str(other)], **({"two_persons": True} if two_persons else {})}
        else:
            one, other = _children_in(details)
            filled["children"] = [str(each) for each in settling.not_same(register, one, other)]
        for child in filter(register.knows, _children_in(filled)):
            self._refuse_conflict(author, child)
            if any(
                read["reader"] == author.person and read.get("outcome") == "answered" and read["kind"] not in NO_READING
                for read in self.disclosure.accesses(child)
            ):
                raise NotYours("StewardIsNoReader")
        return filled

    def _told(self, done: Recorded, details: Mapping[str, Any]) -> Recorded:
        waits = "children" in details and frozenset(_children_in(details)) in self.register().waiting
        return replace(done, to_child=details.get("to_child", ""), waits_for="another-steward" if waits else "")

    def _may_enter(self, author: Reader, child: UUID, name: str, data: Mapping[str, Any]) -> None:
        """Who may add what to a child's record. An unknown child is judged by admission, alike for everybody."""
        details, standing = data["details"], self.disclosure.standing_of(child)
        self._refuse_conflict(author, child, also=author.person in standing.conflicts)
        if name in DECIDING and author.role not in DECIDERS:
            allocated = standing.workers.get(author.person) == author.role
            if not allocated or name in ALLOCATING:
                raise NotYours("OnlyThoseWhoDecide")
        if name in ALLOCATING and details.get("person") == author.person:
            raise NotYours("NobodyAllocatesThemselves")
        if (
            name in INVOLVING
            and author.role not in DECIDERS
            and details.get("service", author.service) != author.service
        ):
            raise NotYours("OnlyTheOwnService")
        _may_unprotect(author, standing.protections, name, data.get("references", ()))

    def _refuse_conflict(self, author: Reader, child: UUID, *, also: bool = False) -> None:
        """Whoever declared a conflict adds and settles nothing here, and officers hear that they tried."""
        if also or self.disclosure.in_conflict(author, child):
            for alarm in self.disclosure.alarms_of(author.person, child):
                self.disclosure.log.alarm(**alarm)
            raise NotYours("DeclaredConflict")

    def _author(self, person: str, role: str, about: str, entry: Mapping[str, Any]) -> Reader | None:
        name, author = entry["event"], self.disclosure.reader(person, role, self.clock())
        if about == "staff":
            if person in self.officers():
                if name != "conflict-declared" and entry.get("details", {}).get("person") == person:
                    raise NotYours("NobodyRegistersThemselves")
                return None
            own = name == "conflict-declared" and entry.get("details", {}).get("person") == person
            if author is None or not own:
                raise NotYours("OnlyOfficersRegisterStaff")
            return author
        if author is None:
            raise NotYours("NoRoleHeldToday")
        if (name in SETTLING or name in QUARANTINE) and author.role != STEWARD:
            raise NotYours("OnlyStewardsSettle")
        if author.role in NOT_AUTHORS:
            raise NotYours("ReadersDoNotWrite")
        if author.role == STEWARD and name not in SETTLING | QUARANTINE:
            raise NotYours("StewardsOnlySettle")
        if not author.trained:
            raise NotYours("OnlyTheTrained")
        return author

    def _data(self, person: str, author: Reader | None, entry: Mapping[str, Any], child: str) -> dict[str, Any]:
        given = {name: value for name, value in entry.items() if name not in ("event", "child", "said_by")}
        if wrong := FILLED_IN & given.keys():
            raise Misfit(sorted(wrong)[0])
        kind = KINDS[entry["event"]]
        now = self.clock().isoformat(timespec="seconds").replace("+00:00", "Z")
        data: dict[str, Any] = {
            "event": kind.name,
            "version": kind.version,
            "partnership": self.partnership,
            "origin": {
                "system": "people's door", "record": child or "staff", "version": now, "format": "casework/1",
                "raw_sha256": hashlib.sha256(canonical_json(entry)).hexdigest(),
            },
            "change": "new",
            "happened": {"from": now, "precision": "instant", "zone": "source"},
            "recorded": now,
            "shared_under": {"gateway": "UKGDPR-6-1-e"},
            **given,
            "said_by": self._said_by(person, author, entry),
        }  # fmt: skip
        if child:
            data["child"] = {"identifiers": [{"system": HUB_CHILD, "value": child, "verified": True}]}
        return data

    def _referring(self, person: str, data: Mapping[str, Any], about: str) -> dict[str, Any]:
        """The references; an entry that is named as the author's own answers call it gets its lasting name."""
        given = data.get("references")
        if not about or not isinstance(given, list) or not any(isinstance(one, dict) and "ref" in one for one in given):
            return {}
        found = []
        for one in given:
            key = self.disclosure.find_named(person, UUID(about), str(one.get("ref"))) if "ref" in one else None
            if key is None and "ref" in one:
                raise Misfit("references")
            found.append({"source": key[0], "id": key[1], "as": one.get("as")} if key else one)
        return {"references": found}

    def _said_by(self, person: str, author: Reader | None, entry: Mapping[str, Any]) -> dict[str, Any]:
        said = entry.get("said_by", {})
        service = author.service if author else PARTNERSHIP_SERVICE
        known = self.services().get(service, {})
        return {
            "service": service,
            "service_name": known.get("name", service.rsplit(":", 1)[-1]),
            "service_kind": known.get("kind", "another service"),
            "author": {"person": person, "role": author.role if author else OFFICER, **self._name(person)},
            "statement": said.get("statement", "decision"),
            "basis": said.get("basis", "fact"),
        }

    def _name(self, person: str) -> dict[str, str]:
        """The author's registered name, never one that they give themselves."""
        name = self.disclosure.professional(person).name
        return {"name": name} if name else {}


def _may_unprotect(
    author: Reader, protections: Iterable[Protection], name: str, references: Iterable[Mapping[str, str]]
) -> None:
    """Who may lift a protected location: the service that set it, or who decides; and who may change whom it names, or
    take it back: of that service, somebody who is named, or who decides."""
    if author.role in DECIDERS:
        return
    if name == ENDED and not any(may_lift(one, author.service, author.role) for one in protections):
        raise NotYours("OnlyWhoSetItOrDecides")
    meant = {(one["source"], one["id"]) for one in references if one["as"] in REFERRING}
    if name != ENDED and not all(one.names(author) for one in protections if one.key in meant):
        raise NotYours("OnlyWhoMayKnowWhere")


def _is_blank(said: object) -> bool:
    return isinstance(said, str) and not said.strip()


def _check_form(entry: Mapping[str, Any]) -> None:
    """The form of what is read here before the schema judges the whole. Errors: `Misfit`."""
    said = entry.get("said_by", {})
    for name, value in (("said_by", said), ("details", entry.get("details", {}))):
        if not isinstance(value, Mapping):
            raise Misfit(name)
    if not isinstance(said.get("author", {}), Mapping):
        raise Misfit("said_by")


def _children_in(details: Mapping[str, Any]) -> list[UUID]:
    """The children that a word about who is who names."""
    named = [*details.get("children", ()), *(details[name] for name in ("child", "to_child") if name in details)]
    return list(map(UUID, named))


def _is_peoples(source: str) -> bool:
    return source.startswith(PREFIX)


def _child_id(entry: Mapping[str, Any]) -> str:
    """The hub's id of the child in its one spelling, so that it always gives the same pseudonym. Errors: `Misfit`."""
    try:
        return str(UUID(entry["child"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Misfit("child") from error


__all__ = ["Ask", "CannotSettle", "Casework", "Misfit", "NotYours", "Recorded"]
