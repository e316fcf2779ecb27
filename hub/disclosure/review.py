"""What a steward needs to say who is who, and no more: descriptions, what agrees and contradicts, and who read what.

A steward reads no chronology. They get the names, birth dates and sexes under which two children are spoken of, never
what happened, a place or a number: that a number or a postcode agrees is said, its value is not. Every list is recorded
before it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub.disclosure.door import CannotBeShownComplete, Disclosure
from hub.disclosure.looks import STEWARD, Looks
from hub.domain.facts import Fact
from hub.domain.protection import Guard, guard_against
from hub.domain.staff import Reader
from hub.domain.standing import EVERY_CHILD
from hub.domain.versions import gone
from hub.identity.matching import Description, describe, judge, merged
from hub.identity.mixed import Mixed, who_read_mixed
from hub.identity.register import Register
from hub.identity.settling import CannotSettle, Held
from hub.store.keys import KeyAway
from hub.store.streams import IDENTITY

LIST, SHOW, READERS = "identity-list", "identity-show", "identity-readers"
NO_READING = frozenset({LIST, SHOW, READERS})
"""Kinds of access that show nothing of what happened: whoever had one may still settle who the child is."""


class Review:
    """The questions about who is who, as the stewards see them."""

    def __init__(self, disclosure: Disclosure) -> None:
        self.disclosure = disclosure

    def items(self, person: str, role: str, purpose: str) -> list[dict[str, Any]]:
        """What waits for a person: is this provisional child one of those, and who else must confirm that two are one.

        The urgent first. Descriptions are a steward's; whoever declared a conflict about a child of a question does not
        see that question, and nobody but a steward is named a child of whom they would find nothing.
        Errors: `NoStanding`, `CannotRecord`, `CannotBeShownComplete`.
        """
        reader = self.disclosure.allow(LIST, person, role, purpose)
        register = self.disclosure.register()
        self.disclosure.view.catch_up()
        found = [item for item in _questions(register) if not self._conflict(reader.conflicts, register, item)]
        if reader.role != STEWARD:
            found = [item for one in found for item in self._known_to(reader, register, one)]
        else:
            self.disclosure.note_access(
                SHOW, person, purpose, role=reader.role, outcome="answered",
                children=sorted({one for item in found for one in (item["child"], *item["candidates"])}),
            )  # fmt: skip
            for item in found:
                self._add_descriptions(reader, register, item)
        return found

    def children(self, person: str, role: str, purpose: str) -> list[dict[str, Any]]:
        """Every child, and whether it is provisional; only a steward is named one of whom they would find nothing.

        Errors: as `items`.
        """
        reader = self.disclosure.allow(LIST, person, role, purpose)
        register = self.disclosure.register()
        named: dict[UUID, UUID | None] = {one: one for one in register.children()}
        if reader.role != STEWARD:
            self.disclosure.view.catch_up()
            named = {one: self._find(reader, register, one) for one in named}
        return [{"child": str(name), "provisional": one in register.provisional} for one, name in named.items() if name]

    def show(self, person: str, role: str, purpose: str, child: UUID) -> dict[str, Any]:
        """What one child is made of: its ids, what joined them, each source's child with descriptions and event ids.

        Errors: `NoStanding`, `CannotRecord`, `CannotBeShownComplete`; `NoAnswer` where there is no such child, or this
        steward declared a conflict about it; `CannotSettle` where the child's whereabouts are or were protected and
        this steward is not named, because a source tells where a child is.
        """
        self._refuse_unnamed(self.disclosure.allow(SHOW, person, role, purpose, child=str(child)), child)
        register = self.disclosure.register()
        self.disclosure.view.catch_up()
        made: dict[tuple[str, str], list[Fact]] = {}
        for fact in self._facts(register, child):
            made.setdefault((fact.source, fact.subject), []).append(fact)
        subjects = [
            {
                "source": source, "subject": subject, **_described(facts),
                "events": [{"id": one.id, "shared": one.shared, "moved": one.key in register.moved} for one in facts],
            }
            for (source, subject), facts in made.items()
        ]  # fmt: skip
        ids = register.members(child)
        joined = [pair for pair in register.said_same if pair <= set(ids)]
        return {
            "child": str(ids[0]), "ids": list(map(str, ids)), "subjects": subjects,
            "joined": [[str(one) for one in sorted(pair, key=register.born.__getitem__)] for pair in joined],
        }  # fmt: skip

    def readers(self, person: str, role: str, purpose: str, child: UUID) -> list[dict[str, Any]]:
        """Who read entries under this child that are another's today, and since when. Errors: as `show`."""
        self._refuse_unnamed(self.disclosure.allow(READERS, person, role, purpose, child=str(child)), child)
        members = set(self.disclosure.register().members(child))
        return [
            {
                "reader": one.reader, "role": one.role, "read": one.read_at, "under": str(one.child),
                "source": one.event[0], "id": one.event[1], "belongs_to": str(one.belongs_to), "since": one.since,
            }
            for one in self.mixed()
            if one.child in members
        ]  # fmt: skip

    def mixed(self) -> list[Mixed]:
        """Everybody who read an entry under a child whose it is not today, whichever child. Errors: `KeyAway`.

        For whoever tells them; it is no answer to anybody.
        """
        record = self.disclosure.record
        register = self.disclosure.register()
        ids = sorted({other for one in register.parted for other in (one, *register.met.get(one, ()))})
        if not ids:
            return []
        words = list(record.facts(IDENTITY))
        self.disclosure.view.catch_up()
        rows = {row.position: row.fact for row in self.disclosure.view.rows(ids)}
        return who_read_mixed(words, self.disclosure.log.of({str(one) for one in ids}), rows)

    def held(self, child: UUID) -> Held:
        """What is held of one child, for a decision about who it is. Errors: `CannotBeShownComplete`."""
        self.disclosure.view.catch_up()
        facts = self._facts(self.disclosure.register(), child)
        return Held(len(facts), _description(self.disclosure.register(), facts))

    def _guard(self, reader: Reader, child: UUID) -> Guard | None:
        """What a protected location or an adoption keeps from this steward. Errors: `CannotBeShownComplete`."""
        try:
            standing = self.disclosure.standing_of(child)
        except KeyAway as away:
            raise CannotBeShownComplete from away
        return guard_against(standing.protections, reader, self.disclosure.clock())

    def _refuse_unnamed(self, steward: Reader, child: UUID) -> None:
        if self._guard(steward, child) is not None:
            raise CannotSettle("WhereaboutsProtected")

    def _facts(self, register: Register, child: UUID) -> list[Fact]:
        """What stands of a child's entries: neither retractions nor what they took back.

        Errors: `CannotBeShownComplete`, because half a description joins or parts the wrong children.
        """
        try:
            facts = [row.fact for row in self.disclosure.rows(register, child)]
        except KeyAway as away:
            raise CannotBeShownComplete from away
        back = gone(facts)
        return [fact for fact in facts if fact.key not in back and fact.name != "retraction-made"]

    def _find(self, reader: Reader, register: Register, child: UUID) -> UUID | None:
        """The id under which this reader would find something of a child; None where they would find nothing."""
        try:
            return Looks(self.disclosure, register, self.disclosure.clock()).find_child(reader, child)
        except KeyAway as away:
            raise CannotBeShownComplete from away

    def _known_to(self, reader: Reader, register: Register, item: dict[str, Any]) -> list[dict[str, Any]]:
        """The question with the children whom this reader could find. Where one is left out it is not said what agrees
        and contradicts: that may be its own; and how many more there are may count children whom they could not."""
        item = {name: value for name, value in item.items() if name != "more"}
        child, *candidates = (self._find(reader, register, UUID(one)) for one in (item["child"], *item["candidates"]))
        if child is None:
            return []
        if None in candidates:
            item = {name: value for name, value in item.items() if name not in ("agrees", "contradicts")}
        return [item | {"child": str(child), "candidates": [str(one) for one in candidates if one is not None]}]

    def _conflict(self, conflicts: frozenset[str], register: Register, item: dict[str, Any]) -> bool:
        if not conflicts:
            return False
        named = (UUID(one) for one in (item["child"], *item["candidates"]))
        return bool(conflicts & {EVERY_CHILD, *(str(id) for one in named for id in register.known_as(one))})

    def _add_descriptions(self, reader: Reader, register: Register, item: dict[str, Any]) -> None:
        facts = self._facts(register, UUID(item["child"]))
        item |= self._described(reader, UUID(item["child"]), facts)
        mine, item["compared"] = _description(register, facts), []
        for one in item["candidates"]:
            theirs = self._facts(register, UUID(one))
            verdict = judge(mine, _description(register, theirs))
            item["compared"].append(
                {"child": one, **self._described(reader, UUID(one), theirs), "agrees": list(verdict.agrees),
                 "contradicts": list(verdict.contradicts)}
            )  # fmt: skip

    def _described(self, reader: Reader, child: UUID, facts: Sequence[Fact]) -> dict[str, Any]:
        """After an adoption a name is as good as an address: whoever is not named is told that only."""
        guard = self._guard(reader, child)
        return {"protected": True} if guard is not None and guard.adoptions else _described(facts)


def _questions(register: Register) -> list[dict[str, Any]]:
    """The open questions in the order in which they are to be looked at."""
    asked = [
        {
            "kind": "unsure", "child": str(item.child), "agrees": list(item.agrees),
            "candidates": [str(one) for one in item.candidates if not register.said_apart(item.child, one)],
            "contradicts": list(item.contradicts), "urgent": item.urgent, "opened": item.opened,
            **({"more": item.more} if item.more else {}),
        }
        for item in register.open_items()
    ]  # fmt: skip
    waiting = [
        {"kind": "confirm", "child": str(one), "candidates": [str(other)], "said_by": person, "urgent": False}
        for pair, person in register.waiting.items()
        for one, other in [sorted(pair, key=register.born.__getitem__)]
    ]
    return asked + waiting


def _description(register: Register, facts: Sequence[Fact]) -> Description:
    """What describes a child: not what people moved to it, which says whom its source took it for."""
    return merged(describe(fact.data.get("child", {})) for fact in facts if fact.key not in register.moved)


def _described(facts: Sequence[Fact]) -> dict[str, Any]:
    """Under which names, birth dates and sexes a child is spoken of, each once, and in how many entries."""
    children = [fact.data.get("child", {}) for fact in facts]
    names = (
        " ".join([*name.get("given", ()), name.get("family", "")]).strip()
        for child in children
        for name in child.get("names", ())
    )
    born = (child["birth_date"]["date"] for child in children if child.get("birth_date"))
    return {
        "names": list(dict.fromkeys(name for name in names if name)),
        "birth_dates": list(dict.fromkeys(born)),
        "sexes": list(dict.fromkeys(child["sex"] for child in children if "sex" in child)),
        "entries": len(facts),
    }
