"""Chronologies that were opened a moment ago: those who meet about a child open its record within the same minutes.

What was opened is kept for at most a minute and a bounded number of rows, whoever asks again, and given only to whoever
still has the key that opened it. It holds no answer for anybody: who may see what is decided at each reading.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

LONGEST_S = 60.0
MOST_ROWS = 2_000

R = TypeVar("R")


@dataclass(slots=True)
class _Opened(Generic[R]):
    key: bytes
    at: float
    rows: list[R]


class Kept(Generic[R]):
    """Rows by the stream that they stand in. Not safe between threads; its owner has a lock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock."""
        self._seconds = seconds
        self._opened: OrderedDict[UUID, _Opened[R]] = OrderedDict()
        self._rows = 0

    def find(self, home: UUID, key: bytes) -> list[R]:
        """The rows that this key opened not long ago; none when there are none."""
        self.sweep()
        held = self._opened.get(home)
        return held.rows if held is not None and held.key == key else []

    def keep(self, home: UUID, key: bytes, rows: list[R]) -> None:
        """Keep the rows of one stream, in place of those that were kept; their minute does not begin anew."""
        before = self._opened.get(home)
        self._forget(home)
        if len(rows) <= MOST_ROWS:
            self._opened[home] = _Opened(key, before.at if before else self._seconds(), rows)
            self._rows += len(rows)
        while self._rows > MOST_ROWS:
            self._forget(next(iter(self._opened)))

    def sweep(self) -> None:
        """Forget what was opened too long ago."""
        oldest = self._seconds() - LONGEST_S
        for home in [home for home, held in self._opened.items() if held.at < oldest]:
            self._forget(home)

    def clear(self) -> None:
        """Forget all."""
        self._opened.clear()
        self._rows = 0

    def _forget(self, home: UUID) -> None:
        held = self._opened.pop(home, None)
        self._rows -= len(held.rows) if held is not None else 0
