"""Whether a source is heard: when it last spoke, which of its numbers never came, and when its silence is too long.

Pure. The same for every child and every reader: nothing here knows of a child.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.rules.editions import get_edition

Range = tuple[int, int]
"""Numbers of a source's sequence that never came: the first and the last of them."""
MOST_HOLES = 1000
FIRST_RULED = date(2000, 1, 1)
"""No rule has an edition before; a source may claim any day, and whatever it claims must be judged."""
NEVER = "never"


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A registered source that is to be heard."""

    source: str
    service: str
    """URN of the service that it speaks for."""
    name: str
    since: str
    """When it was registered, RFC 3339."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is known of one live source."""

    of: LiveSource
    heard: str = ""
    """The last heartbeat's time, RFC 3339, never later than its admission; "" before the first."""
    every_s: int = 0
    """Its own rhythm, as its last heartbeat says; 0 where it does not."""
    outstanding: int = 0
    """Records that wait at the source, as its last heartbeat says."""
    remarks: str = ""
    missing: tuple[Range, ...] = ()
    waiting: bool = False
    """Records of it are in quarantine that nobody has settled."""
    told: str = ""
    """The time in `heard`, or `NEVER`, after which its silence was told."""

    def falls_silent(self) -> datetime:
        """When it has missed so many of its own heartbeats that it counts as silent."""
        return patience(self.heard or self.of.since, self.every_s)


def patience(since: str, every_s: int) -> datetime:
    """The moment from which a source is silent that was heard (or registered) at `since` and speaks every so often.

    By the edition of `source-silence` in force when it was last heard; `every_s` 0 is a source that states no rhythm.
    """
    begun = datetime.fromisoformat(since)
    rule = get_edition("source-silence", max(begun.date(), FIRST_RULED)).text
    return begun + timedelta(seconds=rule["limit"] * (every_s or rule["otherwise_s"]))


def opened(missing: Sequence[Range], first: int, last: int) -> tuple[Range, ...]:
    """These numbers did not come, either. Of too many holes the oldest two count as one: rather more than too few."""
    if len(missing) >= MOST_HOLES:
        missing = [(missing[0][0], missing[1][1]), *missing[2:]]
    return (*missing, (first, last))


def filled(missing: Sequence[Range], number: int) -> tuple[Range, ...]:
    """This number came after all."""
    left: list[Range] = []
    for first, last in missing:
        parts = [(first, number - 1), (number + 1, last)] if first <= number <= last else [(first, last)]
        left += [part for part in parts if part[0] <= part[1]]
    return tuple(left)


def is_missing(missing: Sequence[Range], number: int) -> bool:
    """Is this one of the numbers that never came?"""
    return any(first <= number <= last for first, last in missing)
