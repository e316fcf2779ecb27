"""The query: somebody describes a child and says why they ask; they learn whom to ring, or that nothing can be said.

1. Who asks, in which role: as for a chronology. 2. Who could be meant: the same index and rules as when records come
in. 3. The rules decide about each of them as for a chronology; only what may be listed counts: for the list whatever is
shown to exist, for finding a child what is shown of it. 4. Recorded, with a keyed digest of what was asked for and
never the words. 5. The answer.

No role, nobody known, somebody hidden or shielded, a doubt, a fault on the way: the same bytes, and never "no". A
service whose name is the secret stands on no list.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from hub.disclosure.access import SEARCH
from hub.disclosure.alarms import Alarm
from hub.disclosure.answer import NOTICE, VISIBLE, Seen, classes
from hub.disclosure.door import Ask, Disclosure
from hub.domain.staff import Reader
from hub.identity.matching import Description, describe, judge, merged, tokens
from hub.policy.facts import Reading
from hub.policy.projector import existence_card
from hub.projections.chronology import Row

LOG = logging.getLogger("hub.disclosure")
NOTHING: Final = orjson.dumps({"says": "nothing can be said here, ring the front door"})
"""The one answer wherever there is no list."""
NOBODY: Final = UUID(int=0)
"""The id that no child has: where nobody could be meant, the same is done for it."""
DAY: Final = len("2025-03-03")
SECRET_CATEGORIES: Final = frozenset({"sexualHealth", "mentalHealth", "substance", "adult", "intelligence"})
SECRET_HANDLING: Final = frozenset({"protectedSource", "adoption", "privileged", "confidentialAddress"})
SECRET_KINDS: Final = frozenset({"mental health service"})
"""Whose name alone would say what it is about: sexual health, mental health, substance misuse, a parent's own service,
a protected source, adoption, a refuge. SI 2007/2182 reg 11(3) as precedent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """One question: who asks, whom they describe, what for."""

    person: str
    asked: Description
    purpose: str
    role: str = ""


@dataclass(slots=True)
class _Found:
    """What came of looking: for the answer, and for the record."""

    listed: list[Seen] = field(default_factory=list)
    """Entries of the one child found whose services may be rung."""
    child: str = ""
    """Whom the question meant, as the record knows and the reader may not: for whoever asks who searched."""
    resolved: Reading | None = None
    alarms: list[Alarm] = field(default_factory=list)


class PersonQuery:
    """Answers `$person-info-query`. One per process."""

    def __init__(self, door: Disclosure, *, index_key: bytes, secret: bytes) -> None:
        self.door, self._index_key = door, index_key
        self._digest_key = hmac.digest(secret, b"search", hashlib.sha256)

    def answer(self, search: Search) -> bytes:
        """Whom to ring, or that nothing can be said; recorded. Errors: `CannotRecord`."""
        now = self.door.clock()
        reader, found, outcome = None, _Found(), "no-standing"
        try:
            reader = self.door.reader(search.person, search.role, now)
            if reader:
                found = self._find(search, reader, now)
                outcome = "answered" if found.listed else "nothing-said"
        except Exception as fault:  # a child who cannot be read now must not differ from one who is not there
            LOG.error("a query cannot be answered: %s", type(fault).__name__)
            outcome = "incomplete"
        body = orjson.dumps({"ring": services(found.listed), "notice": NOTICE}) if found.listed else NOTHING
        self._note(search, reader, found, outcome, body, now)
        return body

    def _find(self, search: Search, reader: Reader, now: datetime) -> _Found:
        """The one child who is meant, as far as what may be listed to this reader tells."""
        found, register = _Found(), self.door.register()
        same: list[tuple[UUID, list[Seen], Reading]] = []
        doubts: list[UUID] = []
        for child in self._who_could_be_meant(search.asked):
            ask = Ask(person=search.person, child=child, purpose=search.purpose, role=search.role)
            resolved, seen = self.door.see(ask, reader, now)
            seen = [one for one in seen if not one.gone]
            telling = [one for one in seen if one.row.fact.key not in register.moved]  # who else its source took for it
            meant = judge(search.asked, _described(telling)).outcome
            if meant != "different" and resolved.conflict:
                found.alarms += self.door.alarms_of(search.person, child)
            if meant == "same":
                found.child = str(child)
            listable = [one for one in seen if may_be_listed(one)]
            shown = [one for one in telling if may_be_listed(one) and one.decision.shown in VISIBLE]
            outcome = judge(search.asked, _described(shown)).outcome
            if outcome == "unsure":
                doubts.append(child)
            if outcome == "same":
                same.append((child, listable, resolved))
        if len(same) == 1 and all(register.said_apart(one, same[0][0]) for one in doubts):
            _, found.listed, found.resolved = same[0]
        return found

    def _who_could_be_meant(self, asked: Description) -> list[UUID]:
        """Everybody who is known under anything that was said.

        However many they are: who is hidden counts here too, so a limit would let them change what is answered. The
        work grows with them, one child at a time, and no faster.
        """
        register = self.door.register()
        self.door.view.catch_up()
        under = tokens(asked, self._index_key) or [os.urandom(16)]
        rows = self.door.record.query("SELECT child FROM identity_index WHERE token IN ??", (under,))
        return register.found_under(UUID(child) for (child,) in rows) or [NOBODY]

    def _note(
        self, search: Search, reader: Reader | None, found: _Found, outcome: str, body: bytes, now: datetime
    ) -> None:
        in_vain = self.door.today.search(now.date(), search.person)  # the same work for every outcome
        self.door.log.note(
            {
                "kind": "query", "outcome": outcome, "reader": search.person,
                "role": reader.role if reader else search.role, "service": reader.service if reader else "",
                "purpose": search.purpose, "child": found.child, "searched": self._digest(search.asked),
                "policy": self.door.policy.digest,
                "facts": [[name, *key] for name, key in found.resolved.evidence if key] if found.resolved else [],
                "classes": classes(found.listed), "answer": hashlib.sha256(body).hexdigest(),
            },
            [*found.alarms, *(in_vain if outcome != "answered" else ())],
            SEARCH,
        )  # fmt: skip

    def _digest(self, asked: Description) -> str:
        """The same for the same question, and nothing to whoever lacks the key."""
        parts = [sorted(getattr(asked, name)) for name in Description.__slots__]
        return hmac.new(self._digest_key, orjson.dumps(parts), hashlib.sha256).hexdigest()


def may_be_listed(one: Seen) -> bool:
    """May this entry's service be named as one to ring? Never where an address could be tried on a protected one."""
    decision = one.decision
    return (
        decision.shown in ("existence", *VISIBLE)
        and decision.service
        and not decision.banner
        and (decision.place or not one.label.located)
        and one.label.category not in SECRET_CATEGORIES
        and not one.label.handling & SECRET_HANDLING
        and one.row.fact.data["said_by"].get("service_kind") not in SECRET_KINDS
    )


def services(listed: Iterable[Seen]) -> list[dict[str, Any]]:
    """One row a service, in an order that tells nothing; its contact as the newest entry that shows its day has it."""
    newest: dict[str, tuple[tuple[str, bytes], dict[str, Any]]] = {}
    for one in listed:
        said = one.row.fact.data["said_by"]
        card = existence_card({"data": one.row.fact.data}, one.decision)
        row = {
            "service": card["agency"],
            **({"kind": said["service_kind"]} if "service_kind" in said else {}),
            "contact": {name: value for name, value in card["ring"].items() if name != "name"},
        }
        rank = one.row.fact.shared[:DAY] if one.decision.shown in VISIBLE else "", orjson.dumps(row)
        newest[card["agency"]] = max(newest.get(card["agency"], (rank, row)), (rank, row), key=lambda each: each[0])
    return [newest[service][1] for service in sorted(newest)]


def _described(seen: Iterable[Seen]) -> Description:
    """What these entries together say of their child; agencies repeat themselves, and so each way of saying it once."""
    return merged(dict.fromkeys(_said(one.row) for one in seen))


def _said(row: Row) -> Description:
    said: Description | None = row.memory.get("described")
    if said is None:
        said = row.memory["described"] = describe(row.fact.data.get("child", {}))
    return said
