"""Answers readers: the order of the steps is safety, and stands in the package's docstring."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hub.disclosure.access import AccessLog, CannotRecord, opened_in
from hub.disclosure.alarms import Alarm, Today
from hub.disclosure.answer import (
    NOTICE,
    VISIBLE,
    Seen,
    cards,
    classes,
    entry_of,
    header,
    marks_of,
    shown_as,
    shown_of,
    stamp,
    stand_beside,
    structure_of,
    unplaced,
    unspoken,
    when,
    written,
)
from hub.disclosure.asking import Answer, Ask, CannotBeShownComplete, NoAnswer, NoStanding
from hub.disclosure.banners import apart, banners
from hub.disclosure.completeness import Completeness, Said
from hub.disclosure.journal import Journal
from hub.disclosure.labelling import Labelling
from hub.disclosure.open_items import Clocks
from hub.disclosure.paging import BadCursor, page_of
from hub.domain import child as domain
from hub.domain import standing
from hub.domain.facts import EventKey, Fact
from hub.domain.staff import Reader
from hub.domain.standing import EVERY_CHILD
from hub.identity.assigning import assigned_to
from hub.identity.register import Register
from hub.identity.register import fold as fold_register
from hub.policy.decide import Policy
from hub.policy.facts import Reading, reading
from hub.policy.projector import project
from hub.projections.chronology import Chronology, Row
from hub.store.record import Record
from hub.store.streams import IDENTITY, staff_stream

LOG = logging.getLogger("hub.disclosure")
LAST = "9999"
SHOWN = ("hidden", "existence", "outline", "full")
WAYS = 8
"""In so many ways an entry is remembered as shown, while its row is kept."""
READS: Mapping[str, frozenset[str]] = {
    "identity-list": frozenset({"steward", "frontDoor", "outOfHours"}),
    "identity-show": frozenset({"steward"}),
    "identity-readers": frozenset({"steward", "caseAuditor"}),
    "quarantine-list": frozenset({"steward"}),
    "quarantine-show": frozenset({"steward"}),
    "replay": frozenset({"caseAuditor"}),
}
"""Who may read what is no chronology: the questions about who is who, what waits, what others saw."""


class Disclosure:
    """The door out. One per process."""

    def __init__(
        self, record: Record, view: Chronology, register: Callable[[], Register], policy: Policy, *, secret: bytes,
        clock: Callable[[], datetime], clocks: Clocks, completeness: Completeness, journal: Journal | None = None,
        services: Callable[[], Mapping[str, Mapping[str, str]]] = dict,
    ) -> None:  # fmt: skip
        self.services = services
        self.record, self.view, self.register, self.policy, self.clock = record, view, register, policy, clock
        self.log, self.today, self.clocks = AccessLog(record, clock, journal), Today(record), clocks
        self.completeness = completeness
        self._ref_key = hmac.digest(secret, b"reference", hashlib.sha256)
        self._cursor_key = hmac.digest(secret, b"cursor", hashlib.sha512)

    def chronology(self, ask: Ask) -> Answer:
        """One page of a child's chronology for one reader, recorded.

        Errors: `NoStanding`, `NoAnswer`, `CannotBeShownComplete`, `CannotRecord`, `BadCursor`; all but the last two are
        recorded too.
        """
        now, reader = self.clock(), None
        try:
            reader = self.reader(ask.person, ask.role, now)
            if reader is None:
                self._note(ask, "no-standing")
                raise NoStanding
            position = self.view.catch_up()
            register = self.register()
            resolved, seen = self._see(ask, reader, register, now)
            if not any(one.decision.shown != "hidden" for one in seen):
                alarms = self.alarms_of(ask.person, ask.child) if resolved.conflict else []
                self._note(ask, "no-answer", reader, resolved, (), position, alarms=alarms)
                raise NoAnswer
            answer, opened = self._answer(ask, reader, register, seen, now)
        except (NoStanding, NoAnswer, BadCursor, CannotRecord):
            raise
        except Exception as fault:  # policy, a key, the view, a rule of ours: never a shorter list, never silence
            LOG.error("cannot be shown complete: %s", type(fault).__name__)
            self._note(ask, "incomplete", reader)
            raise CannotBeShownComplete from fault
        self._note(ask, "answered", reader, resolved, opened, position, answer.sha256)
        return answer

    def see(self, ask: Ask, reader: Reader, now: datetime) -> tuple[Reading, list[Seen]]:
        """What the rules decide of each entry for this reader. Whoever asks records that before it answers."""
        return self._see(ask, reader, self.register(), now)

    def alarms_of(self, person: str, child: UUID) -> list[Alarm]:
        """What officers must hear of an attempt on a child's record that a declared conflict stopped."""
        register = self.register()
        alarms = self.today.conflict(self.clock().date(), person, str(register.members(child)[0]))
        return alarms if register.knows(child) else []

    def reader(self, person: str, role: str, now: datetime) -> Reader | None:
        """The reader's standing today; None when they hold no such role."""
        return self.professional(person).reader(now, role)

    def professional(self, person: str) -> standing.Standing:
        """What the record says of a professional today: roles, training, declared conflicts."""
        return standing.fold(person, self.record.facts(staff_stream(person)))

    def in_conflict(self, reader: Reader, child: UUID) -> bool:
        """Did this reader declare a conflict about this child, under whichever of the child's ids?"""
        return bool(reader.conflicts & {EVERY_CHILD, *self._ids([child])})

    def readers(self, person: str, now: datetime) -> list[Reader]:
        """A person in every role that they hold today, each once."""
        held = self.professional(person)
        found = (held.reader(now, one.role) for one in held.roles)
        return list({one.role: one for one in found if one is not None}.values())

    def ref(self, reader: Reader, fact: Fact) -> str:
        """The name of an entry in this reader's chronologies."""
        return self._refs(reader)(fact)

    def seen(self, ask: Ask, reader: Reader, register: Register, now: datetime) -> tuple[Reading, list[Seen]]:
        """What one reader sees of a child's entries, for an answer that whoever asks builds and records."""
        resolved, seen = self._see(ask, reader, register, now)
        return resolved, self._visible(reader, register, seen)

    def standing_of(self, child: UUID) -> domain.Child:
        """What decisions about a child rest on now: for the door in, which asks who may decide. Errors: `KeyAway`."""
        self.view.catch_up()
        register = self.register()
        rows = self.rows(register, child, standing=True)
        return domain.standing_at(domain.fold(self._standing(register, child, rows)), self.clock())

    def rows(self, register: Register, child: UUID, *, until: str = LAST, standing: bool = False) -> list[Row]:
        """The entries that the register assigns to a child, in the order of the log. Errors: `KeyAway`."""
        theirs = assigned_to(register, child)
        return theirs.of(self.view.rows(theirs.streams, until=until, standing=standing), _fact)

    def _standing(self, register: Register, child: UUID, rows: Sequence[Row]) -> list[Fact]:
        """What decisions about a child rest on: its own facts, and what protected the child that it was split off.

        Whom a protection meant is not known by the split: until somebody ends it for this child it holds for both.
        """
        begun = (register.begun_from[one] for one in register.members(child) if one in register.begun_from)
        found: list[Fact] = []
        for origin, at in begun:
            before = self.rows(register, origin, until=at, standing=True)
            found += [fact for fact in self._standing(register, origin, before) if fact.name in domain.PROTECTING]
        return [*found, *(row.fact for row in rows if row.standing)]

    def is_known(self, person: str) -> bool:
        """Was a professional of this id ever registered?"""
        return self.record.version(staff_stream(person)) > 0

    def could_see(self, ask: Ask, at: datetime, auditor: Reader, purpose: str) -> list[tuple[Row, str]]:
        """What a reader could have seen at a past moment, by entitlement, identity and retractions of then.

        For a replay only, which its caller records. What is hidden from the auditor stays hidden here (ruling 10).
        """
        facts = [fact for fact in self.record.facts(staff_stream(ask.person)) if fact.admitted <= stamp(at)]
        reader = standing.fold(ask.person, facts).reader(at, ask.role)
        if reader is None:
            return []
        self.view.catch_up()
        then = fold_register(fact for fact in self.record.facts(IDENTITY) if _known(fact, at))
        if ask.person in then.settlers(ask.child):
            return []
        rows = self.rows(then, ask.child, until=stamp(at))
        child = domain.fold(self._standing(then, ask.child, rows))
        _, seen = self._decide(ask, reader, child, then.known_as(ask.child), rows, at)
        own = replace(ask, person=auditor.person, role=auditor.role, purpose=purpose)
        _, audited = self._decide(own, auditor, child, then.known_as(ask.child), rows, at)
        open_to_both = {one.row.position for one in audited if one.decision.shown != "hidden"}
        labelled = Labelling.of(auditor, self.standing_of(ask.child), self.clock()).all(rows)
        located = {row.position for row, labels in labelled if labels[0].located}
        return [
            (unplaced(one.row) if one.row.position in located else one.row, shown_of(one))
            for one in seen
            if shown_of(one) != "hidden" and not one.gone and one.row.position in open_to_both
        ]

    def accesses(self, child: UUID) -> list[Mapping[str, Any]]:
        """Every recorded access to this child's record, in order. Whoever asks records that first.

        What was opened under another id while the two were one counts for each child whose entries it showed.
        """
        register = self.register()
        members = register.members(child)
        ids, met = set(map(str, members)), {str(two) for one in members for two in register.met.get(one, ())}
        if met <= ids:
            return self.log.of(ids)
        own = {row.position for row in self.rows(register, child)}
        found = self.log.of(ids | met)
        return [one for one in found if one["child"] in ids or own & opened_in(one)]

    def find_named(self, person: str, child: UUID, ref: str) -> EventKey | None:
        """The entry of this child that this person's answers call `ref`; None where none of theirs is called so."""
        reader = Reader(person=person, role="", service="")
        name = self._refs(reader)
        self.view.catch_up()
        return next((row.fact.key for row in self.rows(self.register(), child) if name(row.fact) == ref), None)

    def allow(self, kind: str, person: str, role: str, purpose: str, **facts: Any) -> Reader:
        """May this person read a list or a replay at all? Recorded before it is answered, whatever the answer.

        Of a child that is not there and of one about whom a conflict was declared the end is the same.
        Errors: `NoStanding`, `NoAnswer`, `CannotRecord`.
        """
        reader = self.reader(person, role, self.clock())
        named = [UUID(facts["child"])] if "child" in facts else []
        conflict = reader is not None and bool(reader.conflicts & {EVERY_CHILD, *self._ids(named)})
        allowed = reader is not None and reader.role in READS[kind] and reader.trained and (bool(named) or not conflict)
        there = not conflict and all(map(self.register().knows, named))
        outcome = "answered" if allowed and there else "no-answer" if allowed else "no-standing"
        alarms = [alarm for one in named for alarm in self.alarms_of(person, one)] if conflict else []
        access = {"kind": kind, "reader": person, "purpose": purpose, "role": reader.role if reader else role}
        self.log.note({**access, "outcome": outcome, **facts}, alarms)
        if reader is None or not allowed:
            raise NoStanding
        if not there:
            raise NoAnswer
        return reader

    def _ids(self, children: Sequence[UUID]) -> set[str]:
        return {str(one) for child in children for one in self.register().known_as(child)}

    def note_access(self, kind: str, person: str, purpose: str, **facts: Any) -> None:
        """Record a reading of another kind (a replay, a list) before it answers. Errors: `CannotRecord`."""
        self.log.note({"kind": kind, "reader": person, "purpose": purpose, **facts})

    def _see(self, ask: Ask, reader: Reader, register: Register, now: datetime) -> tuple[Reading, list[Seen]]:
        """`as_of` moves the facts, never the entitlement: role, relationship, agreement, retractions are today's.

        Whoever settled who this child is gets what anybody gets of a child who is not there.
        """
        if ask.person in register.settlers(ask.child):
            return self._decide(ask, reader, domain.Child(), register.known_as(ask.child), (), now)
        rows = self.rows(register, ask.child, until=stamp(ask.as_of) if ask.as_of else LAST)
        today = self.rows(register, ask.child, standing=True) if ask.as_of else rows
        child = domain.fold(self._standing(register, ask.child, today))
        return self._decide(ask, reader, child, register.known_as(ask.child), rows, now)

    def _decide(
        self, ask: Ask, reader: Reader, child: domain.Child, members: Sequence[UUID], rows: Sequence[Row], now: datetime
    ) -> tuple[Reading, list[Seen]]:
        child = domain.standing_at(child, now)
        resolved = reading(reader, ask.purpose, child, now, child_id=_conflicting(reader, members))
        labelling = Labelling.of(reader, child, now)
        labelled = labelling.all(rows)
        decisions = self.policy.decide(resolved, {label for _, labels in labelled for label in labels})
        seen = []
        for row, labels in labelled:
            label = min(labels, key=lambda one: SHOWN.index(decisions[one].shown)) if len(labels) > 1 else labels[0]
            seen.append(Seen(row, label, decisions[label], domain.is_gone(child, row.fact), labelling.hides_name(row)))
        return resolved, [one for one in seen if one.decision.structure or not one.gone]

    def _answer(
        self, ask: Ask, reader: Reader, register: Register, seen: Sequence[Seen], now: datetime
    ) -> tuple[Answer, list[Seen]]:
        over_all, listable = apart(seen)
        visible = self._visible(reader, register, listable)
        elsewhere = [one for one in listable if one.decision.shown == "existence" or one.gone]
        ref = self._refs(reader)
        listed = visible
        if any(one.decision.structure for one in seen):
            for one in elsewhere:
                one.shown, one.ref = structure_of(one), ref(one.row.fact)
            listed = sorted([*visible, *elsewhere], key=lambda one: one.row.position)
        else:
            listed.sort(key=when)
        place = orjson.dumps([reader.person, reader.role, ask.purpose, str(ask.child), str(ask.as_of)])
        page, next_cursor = page_of(listed, ask.cursor, ask.page, place, self._cursor_key)
        body = {
            "child": header(shown_as(register.members(ask.child), seen, register.place_of), visible),
            "purpose": ask.purpose,
            "role": reader.role,
            **({"as_of": stamp(ask.as_of)} if ask.as_of else {}),
            "notice": NOTICE,
            **banners(over_all),
            "entries": [written(one) for one in page],
            "held_elsewhere": cards(one for one in elsewhere if not one.gone),
            "open_items": self.clocks.items(visible, min(now, ask.as_of or now)),
            **({"next": next_cursor} if next_cursor else {}),
        }
        opened = page + [one for one in elsewhere if not one.shown] + over_all
        return timed(orjson.dumps(body), stamp(now), next_cursor, self.completeness.said(now)), opened

    def _visible(self, reader: Reader, register: Register, seen: Sequence[Seen]) -> list[Seen]:
        """The entries that this reader sees, each with its name and what is shown of it."""
        visible = [one for one in seen if one.decision.shown in VISIBLE and not (one.gone or one.decision.banner)]
        marks = marks_of(visible, register.items.keys(), register.place_of)
        ref, services = self._refs(reader), unspoken(visible, self.services)
        for one in visible:
            one.shown, one.written = self._project(one, marks.get(one.row.fact.key, ()), services)
            one.ref = ref(one.row.fact)
        stand_beside(visible)
        return visible

    def _project(self, one: Seen, marks: Sequence[str], services: Sequence[str]) -> tuple[dict[str, Any], bytes]:
        """What a reader gets of an entry, but for its name: that rests on entry, decision and marks alone (and, where
        the location is protected, on which services there are)."""
        made, by = one.row.memory, (one.decision, *marks)
        shown = made.get(by)
        if shown is None:
            spoken = one.decision.shown == "full" and one.row.sealed_narrative is not None
            entry = entry_of(one.row, marks, self.view.narrative(one.row) if spoken else None)
            if len(made) >= WAYS:
                made.clear()
            projected = project(entry, one.decision, ref="", services=services)
            del projected["ref"]
            shown = made[by] = projected, orjson.dumps(projected)
        return shown

    def _refs(self, reader: Reader) -> Callable[[Fact], str]:
        """Names for entries that mean something to this reader only, and tell neither order nor number."""
        begun = hashlib.blake2b(reader.person.encode(), key=self._ref_key, digest_size=10)

        def ref(fact: Fact) -> str:
            digest = begun.copy()
            digest.update(f"\x1f{fact.source}\x1f{fact.id}".encode())
            return digest.hexdigest()

        return ref

    def _note(
        self, ask: Ask, outcome: str, reader: Reader | None = None, resolved: Reading | None = None,
        seen: Sequence[Seen] = (), position: int = 0, digest: str = "", alarms: Sequence[Alarm] = (),
    ) -> None:  # fmt: skip
        self.log.note(
            {
                "kind": "read", "outcome": outcome, "reader": ask.person, "role": reader.role if reader else ask.role,
                "service": reader.service if reader else "", "purpose": ask.purpose, "child": str(ask.child),
                "as_of": stamp(ask.as_of) if ask.as_of else "", "policy": self.policy.digest, "position": position,
                "facts": [[name, *key] for name, key in resolved.evidence if key] if resolved else [],
                "classes": classes(seen), "answer": digest,
            },
            alarms,
        )  # fmt: skip


def timed(body: bytes, whole_until: str, next_cursor: str = "", said: Said | None = None) -> Answer:
    """The answer with what is known of its completeness and the time up to which it is whole. One pass over the bytes.

    The ETag covers all but that time and when each source was last heard: a silence makes a page another, no heartbeat.
    """
    first, known = memoryview(body)[:-1], b',"sources":' + said.sources if said else b""
    last = b'%b,"whole_until":%b}' % (known, orjson.dumps(whole_until))
    digest = hashlib.sha256(first)
    covered = digest.copy()
    covered.update(said.warnings if said else b"")
    digest.update(last)
    return Answer(b"".join((first, last)), covered.hexdigest(), next_cursor, digest.hexdigest())


def _fact(row: Row) -> Fact:
    return row.fact


def _conflicting(reader: Reader, members: Sequence[UUID]) -> str:
    """The id under which the reader declared a conflict, whichever of the child's ids they ask by; else its own."""
    ids = [str(members[0]), EVERY_CHILD, *map(str, members)]
    return next((one for one in ids if one in reader.conflicts), ids[0])


def _known(fact: Fact, at: datetime) -> bool:
    return fact.admitted <= stamp(at)


__all__ = ["Answer", "Ask", "BadCursor", "CannotBeShownComplete", "Disclosure", "NoAnswer", "NoStanding", "timed"]
