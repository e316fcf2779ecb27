"""Whether whoever was asked has replied: by a word of their own that stands today, about the same child.

A reply takes a question off their list, so one that its source took back, that is another child's, or that another
source gave in their service's name takes off nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from hub.disclosure.door import Disclosure
from hub.disclosure.looks import Looks
from hub.domain.facts import EventKey
from hub.domain.versions import gone
from hub.identity.assigning import assigned_to
from hub.projections.items import TAKEN_BACK, Items, Row


@dataclass
class Replies:
    """To what was asked, at the moment of one list."""

    door: Disclosure
    rows: Items
    looks: Looks
    speaks_for: Callable[[str, str], bool]
    """(source, service): is the source registered as this service's, or kept for its people?"""

    def answered(self, asking: Sequence[Row]) -> set[Row]:
        """Of what was asked of a service, what it replied to. Errors: `KeyAway`."""
        given: dict[EventKey, list[Row]] = defaultdict(list)
        for reply in self.rows.replies({(row.source, row.event) for row in asking}):
            given[reply.source, reply.event].append(reply)
        return {row for row in asking if any(self._counts(one, row) for one in given[row.source, row.event])}

    def _counts(self, reply: Row, asked: Row) -> bool:
        if reply.sender != asked.service or not self.speaks_for(reply.service, asked.service):
            return False
        child = self._child_of(asked)
        return child == self._child_of(reply) and self._stands(reply, child)

    def _child_of(self, row: Row) -> UUID:
        return self.looks.child_of(UUID(row.home), row.position)

    def _stands(self, reply: Row, child: UUID) -> bool:
        """Of most children nothing was ever taken back: then none of their entries need be opened."""
        register = self.looks.register
        if not any(stream.hex in self._touched for stream in assigned_to(register, child).streams):
            return True
        facts = [row.fact for row in self.door.rows(register, child)]
        back = gone(facts)
        return any(fact.position == reply.position and fact.key not in back for fact in facts)

    @cached_property
    def _touched(self) -> set[str]:
        """Streams in which something was taken back, hex."""
        return {row.home for row in self.rows.of_kinds(TAKEN_BACK)}
