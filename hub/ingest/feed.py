"""What the hub needs of Kafka, as two ports: a feed of sources' records, and an outlet for the hub's answers.

Clients sit behind them in `consumer_kafka.py` and `consumer_fast.py`. Where to read from is never theirs to say: a part
that is assigned stays silent until it was sought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

RECORD_CEILING = 1024 * 1024
"""Bytes of one message; Kafka's own limit for a topic, and four times a record's."""


FETCH_BYTES = 4 * 1024 * 1024
"""What a client fetches of one part at once: about as many records as go into one transaction."""
FETCHED_BYTES = 8 * 1024 * 1024
"""What it fetches of all parts at once: a hub that comes back to many full topics must not hold them all."""


class Part(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Raw(NamedTuple):
    """One message as it lies in a topic. Its key and headers prove nothing and are not looked at."""

    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Stand:
    """What the brokers hold of a part at this moment: from `first` up to, and not with, `end`."""

    topic_id: str
    first: int
    end: int


@dataclass(slots=True)
class Polled:
    """What one poll brought."""

    began: set[Part] = field(default_factory=set)
    """Assigned since the last poll, or not to be gone on with as before: silent until sought."""
    ended: set[Part] = field(default_factory=set)
    """Taken away since the last poll."""
    records: dict[Part, list[Raw]] = field(default_factory=dict)
    unreadable: dict[Part, str] = field(default_factory=dict)
    """Parts whose next message the client cannot read, and a code: other parts are read on."""


class Away(Exception):
    """The brokers cannot be reached or do not do what was asked; the argument is a code, never an address or data."""


class Feed(Protocol):
    """The port of a consumer group's member. For one thread; no method but `poll` and `stand` waits."""

    def poll(self, seconds: float, most: int) -> Polled:
        """Wait at most so long for at most so many records, in the order of each part. Errors: `Away`."""

    def stand(self, part: Part) -> Stand:
        """Ask the brokers what they hold of a part. Errors: `Away`."""

    def seek(self, part: Part, offset: int) -> None:
        """Read this part from here on. One that is not ours any more is passed over. Errors: `Away`."""

    def pause(self, part: Part) -> None:
        """Give nothing of this part until it is sought again."""

    def end(self, part: Part) -> int | None:
        """The last known end of a part that is read, for the display of lag."""

    def show(self, offsets: Mapping[Part, int]) -> None:
        """Commit offsets for Kafka's tools to display; nothing is ever read from there."""

    def joined(self) -> bool:
        """Is this a member of its group, with an assignment, be it an empty one?"""

    def heard(self) -> float:
        """When a broker last answered, by the monotonic clock."""

    def reset(self) -> None:
        """Leave the group and let go of everything; the next poll joins anew. Every part has ended."""

    def close(self) -> None:
        """Leave the group."""


class Outlet(Protocol):
    """The port of a producer whose messages are on every replica that must have them once `send` returns."""

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Publish one message and wait for the brokers' word. Errors: `Away`, `NoSuchTopic`."""

    def close(self) -> None:
        """Let go of the brokers."""


class NoSuchTopic(Exception):
    """The brokers know no such topic, or we may not write there; the argument is its name."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """Where Kafka is, and as whom the hub speaks to it."""

    servers: str
    """host:port, with commas between."""
    group: str = "hub"
    user: str = "hub"
    password: str = field(default="", repr=False)
    ca: Path | None = None
    """The certificate authority of the brokers; None: plain text, for a test broker on loopback alone."""
    session_s: int = 10
    """How long a member may be silent before its parts go to others."""

    @property
    def names(self) -> list[str]:
        """The servers, one by one."""
        return [name.strip() for name in self.servers.split(",")]
