"""What a source says of itself in a heartbeat: where its sequence stands, how often it speaks, what still waits there.

A heartbeat is a sealed record like any other: it takes the next number of its source's sequence, names no child, and
its time is the statement's. Reading is lenient, because a source that speaks is heard whatever it says; nothing here
judges how long a silence is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHORTEST_S, LONGEST_S = 10, 7 * 24 * 3600
"""A source's own rhythm, at least and at most."""
MOST = 10**15


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One heartbeat's data; None where its source does not say, or says it in another form."""

    last_sequence: int | None = None
    """The number of the record before it."""
    every_s: int | None = None
    """The source's own rhythm: so many seconds after this one it speaks again."""
    outstanding: int | None = None
    """Records that are sealed and have no receipt of the hub yet."""

    @property
    def unclear(self) -> tuple[str, ...]:
        """The members that it lacks."""
        return tuple(name for name in self.__slots__ if getattr(self, name) is None)

    def to_data(self) -> bytes:
        """The data as it is sealed."""
        said = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        return json.dumps(said, separators=(",", ":")).encode()


def read_heartbeat(data: Mapping[str, Any]) -> Heartbeat:
    """A heartbeat as its source put it; other members are passed by."""
    return Heartbeat(
        _number(data, "last_sequence", 0, MOST),
        _number(data, "every_s", SHORTEST_S, LONGEST_S),
        _number(data, "outstanding", 0, MOST),
    )


def _number(data: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = data.get(name)
    return value if type(value) is int and least <= value <= most else None
