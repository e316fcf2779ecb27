"""Drawing that gives the same on every Python: only `random()` is used, whose sequence is promised not to change."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A sequence of draws that depends on nothing but the parts it is made from."""

    def __init__(self, *parts: str | int) -> None:
        text = "\x1f".join(map(str, parts)).encode()
        self._next = random.Random(int.from_bytes(hashlib.sha256(text).digest()[:8], "big")).random  # noqa: S311

    def happens(self, share: float) -> bool:
        """True in this share of draws."""
        return self._next() < share

    def below(self, limit: int) -> int:
        """A whole number from 0 to one below the limit."""
        return int(self._next() * limit)

    def one(self, of: Sequence[T]) -> T:
        """One of these, all alike."""
        return of[self.below(len(of))]

    def count(self, mean: float) -> int:
        """How often something happened that happens so often on average; some have it often, most not at all."""
        more, found = mean / (1 + mean), 0
        while found < 50 and self._next() < more:
            found += 1
        return found

    def day(self, start: date, end: date) -> date:
        """A day from start to before end."""
        return start + timedelta(days=self.below((end - start).days))

    def apart(self, many: int, count: int) -> list[int]:
        """So many different whole numbers below `many`, in the order of drawing. `count` is at most `many`."""
        found: dict[int, None] = {}
        while len(found) < count:
            found[self.below(many)] = None
        return list(found)
