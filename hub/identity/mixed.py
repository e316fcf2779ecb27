"""Who read what was another child's: pure, from the identity stream, the accesses and the facts at the positions read.

When a split, a move or a *not the same* parts what was read as one, everybody who read an entry under the other child
has read somebody else's record. They are told that, never again what. Undone, nobody is told any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.domain.facts import EventKey, Fact
from hub.identity.assigning import place_among
from hub.identity.register import Register

PARTING = frozenset({"identity-not-same", "identity-split", "identity-moved"})
"""Words that can part what was read as one."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """One reader, one entry that they read under a child whose it is not today."""

    reader: str
    role: str
    child: UUID
    """The child under which they read, by the id that they named."""
    belongs_to: UUID
    """Whose entry it is today."""
    event: EventKey
    read_at: str
    """When they first read it there, RFC 3339."""
    since: str
    """When it was found to be another child's, RFC 3339."""


def who_read_mixed(
    words: Iterable[Fact], accesses: Iterable[Mapping[str, Any]], entries: Mapping[int, Fact]
) -> list[Mixed]:
    """Who read an entry under a child that it does not belong to now, in the order in which they read.

    `words` are the identity stream in order; `accesses` as the access log gives them; `entries` the facts by position.
    """
    reads = _first_reads(accesses, entries)
    known = {fact.key: fact for fact in entries.values()}
    register, since = Register(), dict[tuple[str, UUID, int], str]()
    for word in words:
        register.evolve(word)
        if word.name not in PARTING and not since:
            continue
        for read, (at, _) in reads.items():
            if _is_another(register, read, entries, known) and (at <= word.admitted or read in since):
                since.setdefault(read, word.admitted)
            else:
                since.pop(read, None)
    return [
        Mixed(
            person, role, child, register.survivor(place_among(register, entries[position], known)),
            entries[position].key, at, since[person, child, position],
        )
        for (person, child, position), (at, role) in reads.items()
        if (person, child, position) in since
    ]  # fmt: skip


def _first_reads(
    accesses: Iterable[Mapping[str, Any]], entries: Mapping[int, Fact]
) -> dict[tuple[str, UUID, int], tuple[str, str]]:
    """(reader, child asked for, position) → when first, and in which role."""
    reads: dict[tuple[str, UUID, int], tuple[str, str]] = {}
    for one in accesses:
        if one.get("outcome") != "answered":
            continue
        for line in one.get("classes", ()):
            for position in line["entries"]:
                if position in entries:
                    reads.setdefault((one["reader"], UUID(one["child"]), position), (one["at"], one.get("role", "")))
    return reads


def _is_another(
    register: Register, read: tuple[str, UUID, int], entries: Mapping[int, Fact], known: Mapping[EventKey, Fact]
) -> bool:
    _, child, position = read
    return register.survivor(place_among(register, entries[position], known)) != register.survivor(child)
