"""Which batches are on the wire, and when they are to be sent again. Counts time, reads and sends nothing.

A batch is a stretch of sequences, so that a million records without a receipt take no more memory than a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_SILENCE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that went out together at a monotonic time."""

    first: int
    last: int
    sent_at: float


@dataclass
class OnTheWire:
    """What one process has sent. Times are monotonic seconds.

    The hub answers in sequence. So where it has answered a later record, a receipt is missing, and the batch goes again
    `again_after_s` after it went; where it has not come so far, it is only behind, and the batch waits for as long
    from the hub's last word. While the hub is silent the wait doubles, to an hour at most: a hub that is away for a
    weekend does not find every record a thousand times in its topic.
    """

    again_after_s: float
    _batches: list[Batch] = field(default_factory=list)
    _answered: int = 0
    _heard_at: float = 0.0
    _silent: int = 0

    def add(self, first: int, last: int, now: float) -> None:
        """These sequences went out."""
        self._batches.append(Batch(first, last, now))

    def hear(self, sequence: int, now: float) -> None:
        """The hub answered for this sequence."""
        self._answered = max(self._answered, sequence)
        self._heard_at, self._silent = now, 0

    def find_next(self) -> float:
        """When the next batch is due; infinity when nothing is out."""
        return min((self._due_at(batch) for batch in self._batches), default=float("inf"))

    def take_due(self, now: float) -> Iterator[Batch]:
        """What is to be sent again now, and is no longer on the wire."""
        due = [batch for batch in self._batches if self._due_at(batch) <= now]
        self._batches = [batch for batch in self._batches if batch not in due]
        if any(batch.last > self._answered for batch in due):
            self._silent += 1
        yield from due

    def _due_at(self, batch: Batch) -> float:
        if batch.last <= self._answered:
            return batch.sent_at + self.again_after_s
        silence = min(self.again_after_s * float(2**self._silent), LONGEST_SILENCE_S)
        return max(batch.sent_at, self._heard_at) + silence
