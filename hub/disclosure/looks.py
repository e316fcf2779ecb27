"""What one person would be shown today of an entry or a child, for any purpose that they could name.

A list of what waits for somebody names a child only where that person could open its chronology, and an entry only
where it would stand there. Decides nothing by itself: it asks as a reading would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub.disclosure.answer import VISIBLE, Seen, shown_as
from hub.disclosure.door import Ask, Disclosure
from hub.domain.staff import Reader
from hub.identity.register import Register
from hub.policy.facts import Reading

PURPOSES = (
    "triage", "s47", "strategyDiscussion", "cpPlan", "emergency", "s17", "earlyHelp", "directCare", "educationSupport",
)  # fmt: skip
"""For which a practitioner reads. Assurance works with lists of its own."""

LOWEST, STEWARD = 1, "steward"


@dataclass(frozen=True, slots=True)
class Look:
    """One entry as it would be shown."""

    child: UUID
    """The id under which this person finds it."""
    ref: str
    """Its name in this person's chronologies."""
    shown: str


@dataclass(slots=True)
class Looks:
    """Of one person at one moment; what was asked once is not asked again."""

    door: Disclosure
    register: Register
    now: datetime
    _held: dict[UUID, set[int]] = field(default_factory=dict)
    _seen: dict[tuple[str, UUID, str], tuple[Reading, list[Seen]]] = field(default_factory=dict)

    def is_barred(self, reader: Reader, child: UUID) -> bool:
        """Is this reader in conflict with the child, or without standing? Then they are told nothing about it."""
        child = self.register.survivor(child)
        resolved, _ = self._see(reader, child, PURPOSES[0])
        settled = reader.role != STEWARD and reader.person in self.register.settlers(child)
        return settled or resolved.conflict or not (resolved.registered and resolved.trained)

    def child_of(self, home: UUID, position: int) -> UUID:
        """Whose the entry is today that stands in this stream."""
        own, others = self.register.survivor(home), self.register.exchanged.get(home, ())
        near = dict.fromkeys(map(self.register.survivor, (home, *others)))
        return own if len(near) == 1 else next((one for one in near if position in self._positions(one)), own)

    def find_entry(self, reader: Reader, child: UUID, position: int, *, cards: bool = False) -> Look | None:
        """The entry under the first purpose for which it is shown; with `cards` also where only existence is."""
        wanted = (*VISIBLE, "existence") if cards else VISIBLE
        for purpose in PURPOSES:
            _, seen = self._see(reader, child, purpose)
            for one in seen:
                if one.row.position == position and one.decision.shown in wanted and not one.gone:
                    return Look(self._shown_as(child, seen), self.door.ref(reader, one.row.fact), one.decision.shown)
        return None

    def is_known_of(self, reader: Reader, child: UUID, position: int, sender: str) -> bool:
        """May this reader know that the entry stands, also where the rules hide what it says?

        Their own service said it; or it is held at the lowest level, and its sender asked for no more care than that.
        """
        _, seen = self._see(reader, child, PURPOSES[0])
        labels = [one.label for one in seen if one.row.position == position and not one.gone]
        openly = bool(labels) and labels[0].level == LOWEST and not labels[0].handling
        return openly or (bool(labels) and sender == reader.service)

    def find_child(self, reader: Reader, child: UUID) -> UUID | None:
        """The id under which this reader finds something of a child for some purpose; None where they find nothing."""
        child = self.register.survivor(child)
        for purpose in PURPOSES:
            _, seen = self._see(reader, child, purpose)
            if any(one.decision.shown != "hidden" for one in seen):
                return self._shown_as(child, seen)
        return None

    def _shown_as(self, child: UUID, seen: Sequence[Seen]) -> UUID:
        return shown_as(self.register.members(child), seen, self.register.place_of)

    def _positions(self, child: UUID) -> set[int]:
        if child not in self._held:
            self._held[child] = {row.position for row in self.door.rows(self.register, child)}
        return self._held[child]

    def _see(self, reader: Reader, child: UUID, purpose: str) -> tuple[Reading, list[Seen]]:
        key = reader.role, child, purpose
        if key not in self._seen:
            ask = Ask(person=reader.person, child=child, purpose=purpose, role=reader.role)
            self._seen[key] = self.door.see(ask, reader, self.now)
        return self._seen[key]
