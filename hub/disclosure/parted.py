"""What one person read under a child whose it is not today: since a split, a move or a *not the same*.

They are told that, never again what. Only the accesses of this one person are opened, and only where a word parted
what was read as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from hub.disclosure.door import Disclosure
from hub.identity.mixed import Mixed, who_read_mixed
from hub.identity.register import Register
from hub.projections.items import SEEN, Items, person_id
from hub.store.keys import KeyAway
from hub.store.streams import IDENTITY


def read_as_anothers(door: Disclosure, rows: Items, register: Register, person: str) -> list[Mixed]:
    """In the order in which they read. Errors: `KeyAway`."""
    ids = _parted(register)
    read = rows.read_under(person_id(person), ids) if ids else []
    if not read:
        return []
    facts = {row.position: row.fact for row in door.view.rows(ids)}
    accesses = [_access(door, position) for position in dict.fromkeys(access for access, _ in read)]
    return who_read_mixed(list(door.record.facts(IDENTITY)), accesses, facts)


def _parted(register: Register) -> list[UUID]:
    """The ids between which anything was ever parted, with those that were read as one with them."""
    apart = {one for pair in register.not_same for one in pair if pair & register.met.get(one, set())}
    named = apart | register.exchanged.keys()
    return sorted({other for one in named for other in (one, *register.met.get(one, ()))})


def _access(door: Disclosure, position: int) -> Mapping[str, Any]:
    """One recorded reading, with the entries that it showed; a card of whom to ring is no reading of an entry."""
    entry = door.record.entry_at(position)
    if entry.row is None:
        raise KeyAway(f"no key for position {position}")
    data = orjson.loads(entry.row.data)
    return {**data, "at": entry.admitted, "classes": [line for line in data["classes"] if line["shown"] in SEEN]}
