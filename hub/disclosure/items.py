"""The list of what waits for one person: a reading like any other, recorded before it answers.

What an item says is a fixed sentence for its kind. It names a child only where this person could open the chronology,
and an entry only where it would stand there; about a child with whom they are in conflict it says nothing. Where one
item cannot be judged there is no list: a shorter one would look whole.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from hub.disclosure.access import CannotRecord
from hub.disclosure.answer import stamp
from hub.disclosure.door import BadCursor, CannotBeShownComplete, Disclosure, NoStanding
from hub.disclosure.gathering import DAY, STEWARD, Candidate, Gathering, Sources
from hub.disclosure.looks import Look, Looks
from hub.domain.staff import Reader
from hub.identity.register import Register
from hub.projections.items import Items

LOG = logging.getLogger("hub.disclosure")
PAGE = 100
KEPT_AFTER_OPENING = timedelta(days=30)
"""So long an item that waits for nothing more stays on the list once somebody has opened it."""
ALARM_FACTS = ("reader", "person", "source", "service", "rule", "limit", "last_heard")
"""What of an alarm its officers are told: who and by which rule, never about which child."""

SAYS: Mapping[str, str] = {
    "addressed": "This was addressed to you or to your team.",
    "urgent": "This is urgent: you must decide what happens next.",
    "identity-unsure": "It is not certain which child this record is about.",
    "quarantined-urgent": "An urgent record waits and cannot be read yet. Ring the sender.",
    "quarantined-unread": "A record waits that nobody could read; it may be urgent. Ring the sender.",
    "entry-removed": "Something that you read about this child was removed: do not rely on it.",
    "entry-corrected": "Something that you read about this child was corrected.",
    "record-mixed": "Something that you read under this child is another child's: do not rely on it.",
    "agreement-withdrawn": "The family's agreement was withdrawn.",
    "condition-started": "A protective condition stands: know who must not collect this child.",
    "condition-ended": "A protective condition has ended.",
    "addressee-unknown": "A message is addressed to somebody whom the partnership does not know.",
    "conflict-attempt": "Somebody with a declared conflict tried to read a child's record.",
    "searches-without-result": "Somebody searched for many children whom nobody knows.",
    "source-silent": "A source has fallen silent against its own rhythm.",
    "journal-damaged": "Accesses noted while the record could not be written were altered; what is left is laid aside.",
    "journal-cut": "Accesses noted while the record could not be written are missing from their journal.",
}
ALARM_SAYS = "The hub raised an alarm."


class NoSuchItem(LookupError):
    """No item of this id waits for this person."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """An item as it is listed, and what it is for the record."""

    candidate: Candidate
    item: dict[str, Any]


class ItemList:
    """What waits for people. One per process."""

    def __init__(self, door: Disclosure, rows: Items, sources: Sources, *, secret: bytes) -> None:
        self.door, self.rows, self.sources = door, rows, sources
        self._key = hmac.digest(secret, b"item", hashlib.sha256)

    def list(self, person: str, cursor: str = "") -> bytes:
        """One page of a person's list as JSON, the urgent first, then the oldest; `cursor` is the last item's id.

        Errors: `NoStanding`, `CannotBeShownComplete`, `CannotRecord`, `BadCursor`.
        """
        shown = self._answered(person, "items", lambda look: look.page(cursor))
        page, more = shown[:PAGE], len(shown) > PAGE
        items = [one.item for one in page]
        body = orjson.dumps({"items": items, **({"next": items[-1]["id"]} if more else {})})
        self._note(person, "items", "answered", page, answer=hashlib.sha256(body).hexdigest())
        return body

    def open(self, person: str, id: str) -> Mapping[str, str]:
        """Record that a person opened an item of their list. Errors: those of `list`, `NoSuchItem`."""
        found = self._answered(person, "item-opened", lambda look: look.one(id))
        if not found:
            self._note(person, "item-sought", "no-item", ())
            raise NoSuchItem
        now = self.door.clock()
        self._note(person, "item-opened", "answered", found, item=found[0].candidate.key)
        return {"id": id, "opened": found[0].item.get("opened") or stamp(now)}

    def _answered(self, person: str, kind: str, ask: Callable[[_Listing], Sequence[_Shown]]) -> Sequence[_Shown]:
        """Whoever holds no role today has no list; whatever fails, the attempt is recorded and nothing is shown."""
        now = self.door.clock()
        readers = [one for one in self.door.readers(person, now) if one.trained]
        if not readers and person not in self.sources.officers():
            self._note(person, kind, "no-standing", ())
            raise NoStanding
        try:
            self.door.view.catch_up()
            build, position = self.rows.catch_up()
            for one in self.rows.unopened():
                self.rows.open_late(one)
            found = ask(_Listing(self, person, readers, self.door.register(), now))
            self.rows.check_whole(build, position)
        except (BadCursor, CannotRecord):
            raise
        except Exception as fault:  # a key, the rows, a rule of ours: never a shorter list, never silence
            LOG.error("a list cannot be shown complete: %s", type(fault).__name__)
            self._note(person, kind, "incomplete", ())
            raise CannotBeShownComplete from fault
        return found

    def _note(self, person: str, kind: str, outcome: str, shown: Sequence[_Shown], **more: Any) -> None:
        named = {"items": [one.candidate.key for one in shown]} if kind == "items" else {}
        about = sorted({one.item["child"] for one in shown if "child" in one.item})
        self.door.note_access(
            kind, person, "", outcome=outcome, policy=self.door.policy.digest, about=about, **named, **more
        )


class _Listing:
    """One person's items at one moment: found, put in order, and each asked what of it may be told."""

    def __init__(
        self, owner: ItemList, person: str, readers: Sequence[Reader], register: Register, now: datetime
    ) -> None:
        self._owner, self._person, self._now = owner, person, now
        self._looks = Looks(owner.door, register, now)
        gathering = Gathering(owner.door, owner.rows, owner.sources, self._looks, person, readers)
        self._found = sorted(
            ((self._id(ways[0]), ways) for ways in gathering.all()),
            key=lambda found: (not found[1][0].urgent, found[1][0].at, found[0]),
        )
        self._opened = owner.rows.opened([one.key for _, ways in self._found for one in ways])

    def page(self, cursor: str) -> list[_Shown]:
        """One more than a page, so that it is known whether there is one. Errors: `BadCursor`."""
        ids = [id for id, _ in self._found]
        if cursor and cursor not in ids:
            raise BadCursor("not an item of this list")
        shown: list[_Shown] = []
        for id, ways in self._found[ids.index(cursor) + 1 if cursor else 0 :]:
            one = self._first(id, ways)
            shown += [one] if one else []
            if len(shown) > PAGE:
                break
        return shown

    def one(self, id: str) -> list[_Shown]:
        """The item of this id, if it is on the list."""
        found = [self._first(id, ways) for held, ways in self._found if hmac.compare_digest(held, id)]
        return [one for one in found if one]

    def _id(self, one: Candidate) -> str:
        """A name that means something to this person only, and tells neither order nor number."""
        words = f"{self._person}\x1f{one.key}".encode()
        return hashlib.blake2b(words, key=self._owner._key, digest_size=10).hexdigest()

    def _first(self, id: str, ways: Sequence[Candidate]) -> _Shown | None:
        """The item in the first way in which it is this person's, and may be told to them."""
        for one in ways:
            opened = self._opened.get(one.key, "")
            if one.settled or (opened and not one.stands and self._is_long_ago(opened)):
                return None
            told = self._told(one)
            if told is not None:
                item = {"id": id, "kind": one.kind, **told, **({"opened": opened} if opened else {})}
                return _Shown(one, item)
        return None

    def _is_long_ago(self, opened: str) -> bool:
        return datetime.fromisoformat(opened) < self._now - KEPT_AFTER_OPENING

    def _told(self, one: Candidate) -> dict[str, Any] | None:
        """What of an item may be told to its reader; None where nothing may."""
        if one.reader is None:
            return self._alarm(one)
        entrys = None if one.home is None else self._looks.child_of(one.home, one.position)
        about = [child for child in (one.child, entrys, *one.concerns) if child is not None]
        if any(self._looks.is_barred(one.reader, child) for child in about):
            return None
        if entrys is None:
            return _item(one, **self._child(one.child, one.reader))
        look = self._looks.find_entry(one.reader, entrys, one.position, cards=one.cards)
        if look is not None:
            return _item(one, at=_as_exactly(one.at, look), **_where(look))
        if one.unseen and self._looks.is_known_of(one.reader, entrys, one.position, one.sender):
            return _item(one, at=one.at[:DAY], **self._child(entrys, one.reader))
        return None

    def _child(self, child: UUID | None, reader: Reader) -> dict[str, str]:
        """A steward's question is about ids; anybody else is named a child whose chronology they could open."""
        if child is None:
            return {}
        found = child if reader.role == STEWARD else self._looks.find_child(reader, child)
        return {"child": str(found)} if found else {}

    def _alarm(self, one: Candidate) -> dict[str, Any]:
        entry = self._owner.rows.record.entry_at(one.more["alarm"])
        facts = orjson.loads(entry.row.data) if entry.row else {}
        about = {name: facts[name] for name in ALARM_FACTS if name in facts}
        says = SAYS.get(one.kind, ALARM_SAYS)
        return {"at": one.at, "urgent": False, "says": says, **({"about": about} if about else {})}


def _item(one: Candidate, *, at: str = "", **where: str) -> dict[str, Any]:
    unread = one.kind == "quarantined-urgent" and not one.urgent
    return {
        "at": at or one.at,
        "urgent": one.urgent,
        "says": SAYS["quarantined-unread" if unread else one.kind],
        **where,
        **one.more,
        **({"by_when": one.by_when} if one.by_when else {}),
        **({"overdue": one.overdue} if one.overdue is not None else {}),
    }


def _where(look: Look) -> dict[str, str]:
    """A card has no name in a chronology."""
    return {"child": str(look.child)} | ({"ref": look.ref} if look.shown != "existence" else {})


def _as_exactly(at: str, look: Look) -> str:
    """Who reads an outline is not told the hour."""
    return at if look.shown == "full" else at[:DAY]
