"""What writers make: pieces of files, and what each native record in them is, means, and says of its child.

What a record means is said here by the one who wrote it, never asked of an adapter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from typing import Any


@dataclass(slots=True)
class Meant:
    """One canonical event that a record means for its child: its wire name and the day it happened, None where the
    record does not say. `taken_back`: by the end the source has taken it back."""

    event: str
    day: date | None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """What a record says who the child is, as far as it is used for matching."""

    full_name: tuple[str, str]
    born: date | None
    postcodes: frozenset[str]
    sex: str
    numbers: frozenset[tuple[str, str]] = frozenset()
    """(kind, number)."""

    def joins(self, other: Described) -> bool:
        """Would a published rule join the two, both ways? (a) a number of one kind equal, birth date, given name and
        sex agreeing; (b) full names, birth date and postcode equal. Another number of one kind never."""
        ours, theirs = dict(self.numbers), dict(other.numbers)
        both = ours.keys() & theirs.keys()
        if self.born is None or self.born != other.born or self.sex != other.sex:
            return False
        if self.full_name[1].split()[0] != other.full_name[1].split()[0] or any(ours[k] != theirs[k] for k in both):
            return False
        return bool(both) or (self.full_name == other.full_name and bool(self.postcodes & other.postcodes))


@dataclass(slots=True)
class Recorded:
    """One native record in a file. `key` is what its format calls it, `person` whom the system takes it for."""

    key: str
    child: str
    """Truth id of the child who is meant, "" for nobody."""
    person: str = ""
    meant: list[Meant] = field(default_factory=list)
    described: Described | None = None
    planted: str = ""
    """The mistake that was made on purpose."""
    outcome: str = ""
    """What an adapter makes of it: events or no-event."""
    of: str = ""
    """The child under whom the system has it, where that is another one than is meant."""

    def __post_init__(self) -> None:
        self.outcome = self.outcome or ("events" if self.meant else "no-event")


@dataclass(slots=True)
class Piece:
    """A part of a file of one feed: one row, message, report, pupil or table row, and the records in it."""

    feed: str
    at: datetime
    form: str
    body: Any
    records: list[Recorded]
    again: bool = False
    """A later file repeats what was written before."""


def find_split(pieces: Iterable[Piece], child: str) -> bool:
    """Do records of this child stand under two local persons whom no rule joins whatever comes first? Also where the
    first record that anybody heard of a person was taken back: then nothing describes them to whoever comes next."""
    first: dict[tuple[str, str], Recorded] = {}
    for piece in pieces:
        for record in piece.records:
            if record.meant and (record.of or record.child) == child and not piece.again:
                first.setdefault((piece.feed, record.person), record)
    if len(first) > 1 and any(one.meant[0].taken_back for one in first.values()):
        return True
    described = [one.described for one in first.values()]
    return any(a is None or b is None or not a.joins(b) for a, b in combinations(described, 2))
