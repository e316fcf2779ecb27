"""Open items in an answer: computed from what this reader sees of each entry, and from nothing else.

So an item tells no more than the chronology beside it does: an entry in outline has no details here either, a hidden
one starts and lifts nothing, and one that its source took back counts for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.disclosure.answer import Seen
from hub.domain.clocks import Entry
from hub.domain.facts import EventKey
from hub.domain.open_items import OpenItem, current, open_items, reads, told
from hub.rules.editions import find_edition


@dataclass(frozen=True, slots=True)
class Clocks:
    """What clocks need to know beside the entries."""

    area: str
    """GSS code of the partnership's area: its local editions go before those that hold everywhere."""
    histories: Callable[[], frozenset[str]]
    """Sources that tell of the past and start no clock."""

    def items(self, visible: Sequence[Seen], now: datetime) -> list[dict[str, Any]]:
        """The open items of one child for one reader; each entry has its name and what is shown of it."""
        found = open_items(self.entries(visible), now, self.area, find_edition)
        about = {item.about for item in found}
        refs = {key: one.ref for one in visible if (key := one.row.fact.key) in about} if found else {}
        return [_shown(item, refs) for item in found]

    def entries(self, visible: Iterable[Seen]) -> list[Entry]:
        """What clocks read of the entries that this reader sees."""
        read = {one.row.fact.key: one for one in visible if reads(one.row.fact, one.shown)}
        histories = self.histories()
        return [
            _told(read[fact.key], starts=fact.source not in histories)
            for fact in current([one.row.fact for one in read.values()])
        ]


def _told(one: Seen, *, starts: bool) -> Entry:
    service = one.row.fact.data["said_by"].get("service", "") if one.decision.service else ""
    return told(one.row.fact, one.shown, service, starts=starts)


def _shown(item: OpenItem, refs: Mapping[EventKey, str]) -> dict[str, Any]:
    return {
        "rule": item.rule, "edition": item.edition, "source": item.source, "what": item.what, "since": item.since,
        **({"due": item.due} if item.due else {}), "late": item.late, "about": refs[item.about],
    }  # fmt: skip
