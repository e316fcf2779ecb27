"""What telling rests on of each child, read for all events of a batch at once and forgotten with it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from uuid import UUID

from hub.domain.child import PROTECTING
from hub.domain.facts import Fact
from hub.identity.assigning import assigned_to
from hub.ingest.keyring import Keyring
from hub.ingest.resolve import Resolver
from hub.ingest.telling import BEARING, Background, background
from hub.store.keys import KeyAway
from hub.store.record import Record

AT_ONCE = 50
"""Children whose facts are read together."""
MOST = 200
"""Facts of a child that is read with others."""


class Backgrounds:
    """Reads children as the register stands now. For one batch."""

    def __init__(self, record: Record, resolver: Resolver, keyring: Keyring) -> None:
        self.record, self.resolver, self.keyring = record, resolver, keyring
        self._known: dict[UUID, Background] = {}

    def read_ahead(self, streams: Iterable[UUID]) -> None:
        """Read many children at once, and of each no more than bears on telling.

        Not those whose facts stand in several streams, or are very many, or whose location was ever protected: they are
        read whole when they are asked for, as is whoever shares a journey with a fact whose key is away.
        """
        alone = [one for one in dict.fromkeys(streams) if assigned_to(self.resolver.register, one).streams == [one]]
        for start in range(0, len(alone), AT_ONCE):
            with suppress(KeyAway):
                for stream, facts in self.record.bearing(alone[start : start + AT_ONCE], BEARING, MOST).items():
                    if not any(fact.name in PROTECTING for fact in facts):
                        self._known[stream] = background(facts, self.kind_of)

    def of(self, stream: UUID) -> Background:
        """What telling rests on of this stream's child. Errors: `KeyAway`."""
        if stream not in self._known:
            self._known[stream] = background(self.facts_of(stream), self.kind_of)
        return self._known[stream]

    def kind_of(self, fact: Fact) -> str:
        """As which kind of service its source is registered, as far as it speaks for that one."""
        return self.keyring.kind_of(fact.source, fact.data["said_by"])

    def facts_of(self, stream: UUID) -> list[Fact]:
        """Every fact of the child, whichever of its ids it came under, as it was admitted. Errors: `KeyAway`."""
        theirs = assigned_to(self.resolver.register, stream)
        return sorted(theirs.read(self.record.facts), key=attrgetter("admitted"))
