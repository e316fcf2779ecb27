"""The way in from Kafka: one topic a source, spread over the group's processes, each record's effect once.

How far a topic was read stands in the database, committed with the facts that were read; what the group has committed
in Kafka is a display. So whatever happens to a part (assigned, moved, failed, made anew), it is placed again from the
database, and a second reader who does not know yet that it is one is fenced by the same row.

1. A part that begins is silent until it was placed: the stored offset against what the brokers hold.
2. Poll, gather, and give each source's records to admission with the offset after them: one transaction.
3. Only then show the offset to Kafka, and wake the relay of receipts.

A store that is away skips nothing: the part is silent, tried again for ever, and the group kept. So is a part whose
next message the client cannot read at all (another's codec), while the others are read on. A record that cannot even be
decided about is found by halving its batch and set aside; it stops no other.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hub.ingest.admission import Admission, OtherReader
from hub.ingest.feed import FETCH_BYTES, Away, Feed, Part, Polled, Raw, Stand
from hub.store.database import NOT_STORABLE, STORE_FAULTS
from hub.store.record import StaleVersion
from hub.store.tables import Offset
from hub.watch import Watch
from schemas.topics import source_of

LOG = logging.getLogger("hub.ingest.consumer")
BATCH_RECORDS, BATCH_BYTES = 2_000, FETCH_BYTES
"""What one transaction takes at most. Each costs about 3 ms whatever is in it; it lasts some tenths of a second.

More than one fetch of usual records brings: fewer would cut each fetch in a large and a small batch."""
GATHER_S = 0.010
"""How long after its first record a batch waits for more."""
POLL_S = 0.25
LOOK_EVERY_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
SILENT_S = 30.0
"""After so long without a word from a broker the process is not ready."""
TRANSIENT = (StaleVersion, Away, *STORE_FAULTS)


class Wakes(Protocol):
    """What the consumer tells the relay of receipts."""

    def hold(self, source: str) -> None:
        """This process answers this source from now on."""

    def release(self, source: str) -> None:
        """Another process may answer this source."""

    def wake(self, source: str) -> None:
        """There are new receipts for this source."""


@dataclass(slots=True)
class _Wait:
    """A part that is not read now."""

    until: float
    tries: int = 0


class Consumer:
    """Reads the topics that the group gives to this process. Everything but `ready` is for one thread."""

    def __init__(
        self, feed: Feed, admission: Admission, relay: Wakes, watch: Watch, *,
        seconds: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:  # fmt: skip
        self.feed, self.admission, self.relay, self.watch = feed, admission, relay, watch
        self._seconds, self._sleep, self._jitter = seconds, sleep, jitter
        self._reading: dict[Part, Offset] = {}
        self._waiting: dict[Part, _Wait] = {}
        self._tries: dict[Part, int] = {}
        self._unshown: dict[Part, int] = {}
        self._looked_at = self._turned_at = seconds()
        self._resting, self._rest = 0.0, 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Read until told to stop; the batch in hand is finished, and the group left."""
        try:
            while not stopping():
                self.turn()
        finally:
            self.feed.show(self._unshown)
            self.feed.close()

    def turn(self) -> None:
        """One round. Whatever goes wrong in it, every part is placed anew and the next round goes on."""
        try:
            if (rest := self._resting - self._seconds()) > 0:
                return self._sleep(min(POLL_S, rest))
            self._place_due()
            polled = self._gather()
            self._take_all(polled)
            for part, code in polled.unreadable.items():  # after what came before it
                if part in self._reading:
                    self._back_off(part, Away(code))
            self._look_round()
            self._rest = 0
        except Exception as fault:  # one of the three loops that must not die
            LOG.error("reading Kafka failed, and begins anew: fault=%s", _code(fault))
            self.watch.fault(_code(fault))
            self._begin_anew()
        finally:
            self._turned_at = self._seconds()

    def ready(self) -> bool:
        """Is this process a member of the group that hears its brokers and reads every part that it was given?"""
        heard = self._seconds() - self.feed.heard() < SILENT_S
        return heard and self.feed.joined() and not any(wait.tries for wait in list(self._waiting.values()))

    def lively(self, within_s: float = 120.0) -> bool:
        """Did the loop come round lately?"""
        return self._seconds() - self._turned_at < within_s

    def _begin_anew(self) -> None:
        for part in [*self._reading, *self._waiting]:
            self._let_go(part)
        self.feed.reset()
        self._rest += 1
        self._resting = self._seconds() + self._pause(self._rest)

    def _gather(self) -> Polled:
        """Records until there are enough of them, or a moment has passed since the first."""
        first = self._poll(self._until_due(), BATCH_RECORDS)
        count, size = _measure(first)
        until = self._seconds() + GATHER_S
        while count and count < BATCH_RECORDS and size < BATCH_BYTES and (left := until - self._seconds()) > 0:
            more = self._poll(left, BATCH_RECORDS - count)
            for part, records in more.records.items():
                first.records.setdefault(part, []).extend(records)
            first.unreadable |= more.unreadable
            added, added_size = _measure(more)
            count, size = count + added, size + added_size
        return first

    def _poll(self, seconds: float, most: int) -> Polled:
        """One poll, and what it says of our parts. What was read of a part that began is read again from its place."""
        polled = self.feed.poll(seconds, most)
        for part in polled.ended:
            self._let_go(part)
        for part in polled.began:
            self._set_waiting(part)
        return polled

    def _until_due(self) -> float:
        due = min((wait.until for wait in self._waiting.values()), default=self._seconds() + POLL_S)
        return min(POLL_S, max(0.0, due - self._seconds()))

    def _place_due(self) -> None:
        now = self._seconds()
        for part in [part for part, wait in self._waiting.items() if wait.until <= now]:
            try:
                self._place(part)
            except (OtherReader, *TRANSIENT) as fault:
                self._back_off(part, fault)
                return  # the others would meet the same store and the same brokers

    def _place(self, part: Part) -> None:
        """Read on from where the record says, or from the beginning where that place is gone."""
        held = self.admission.record.offset(part.topic, part.number)
        place, why = find_place(part, held, self.feed.stand(part))
        if why:
            LOG.error("a topic is read from its beginning: topic=%s why=%s", part.topic, why)
            self.admission.restart(_source(part), place, why)
            self.watch.restarted(_source(part), why)
        self.feed.seek(part, place.next)
        self._reading[part] = place
        del self._waiting[part]
        self.relay.hold(_source(part))

    def _take_all(self, polled: Polled) -> None:
        """Each part's records; once the store is away, the rest of what was polled is read again from its place."""
        here = True
        for part, records in polled.records.items():
            if here:
                here = self._take(part, records)
            elif part in self._reading:
                self._set_waiting(part)

    def _take(self, part: Part, records: Sequence[Raw]) -> bool:
        """Admit what was read of one part; false when the store is away."""
        place = self._reading.get(part)
        if place is not None and records[0].offset < place.next:
            LOG.warning("a topic went back by itself, and is placed anew: topic=%s", part.topic)
            self._set_waiting(part)
        for chunk in _chunks(records):
            if part not in self._reading:
                break  # it is read again from its place
            if not self._admit(part, chunk):
                return False
        return True

    def _admit(self, part: Part, chunk: Sequence[Raw]) -> bool:
        """One transaction: these records and the offset after them; false when the store is away."""
        source, held = _source(part), self._reading[part]
        to = replace(held, next=chunk[-1].offset + 1, since=held.next)
        try:
            self.admission.admit([record.value for record in chunk], source, to)
        except OtherReader:
            LOG.warning("another process reads this topic: topic=%s", part.topic)
            self.watch.fault("OtherReader")
            self._set_waiting(part, for_s=FIRST_WAIT_S)
            return True
        except Exception as fault:
            if isinstance(fault, TRANSIENT) and not isinstance(fault, NOT_STORABLE):
                self._back_off(part, fault)
                return isinstance(fault, StaleVersion)
            return self._stumble(part, chunk, to, fault)
        self._taken(part, to)
        return True

    def _stumble(self, part: Part, chunk: Sequence[Raw], to: Offset, fault: Exception) -> bool:
        """Halve until the record is alone that cannot be admitted, nor quarantined for what it says, and set it aside.

        If even that fails it was not the record: then nothing is skipped, and the part waits.
        """
        if len(chunk) > 1:
            middle = len(chunk) // 2
            for half in (chunk[:middle], chunk[middle:]):
                if part in self._reading and not self._admit(part, half):
                    return False
            return True
        LOG.error("a record could not be taken: source=%s fault=%s", _source(part), _code(fault))
        try:
            self.admission.set_aside(chunk[0].value, _source(part), to)
        except OtherReader:
            self._set_waiting(part, for_s=FIRST_WAIT_S)
        except Exception as other:  # whatever it is, the line waits rather than lose the record
            self._back_off(part, other)
        else:
            self._taken(part, to)
        return True

    def _taken(self, part: Part, to: Offset) -> None:
        self._reading[part] = to
        self._tries.pop(part, None)
        self._unshown[part] = to.next
        self.relay.wake(_source(part))

    def _look_round(self) -> None:
        """Now and then: show offsets, measure lag, and notice a topic that ends before what was read of it."""
        if self._seconds() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = self._seconds()
        self.feed.show(self._unshown)
        self._unshown = {}
        for part, place in list(self._reading.items()):
            if (end := self.feed.end(part)) is None:
                continue
            self.watch.lag(_source(part), max(0, end - place.next))
            if end < place.next:
                self._set_waiting(part)

    def _back_off(self, part: Part, fault: Exception) -> None:
        tries = self._tries[part] = self._tries.get(part, 0) + 1
        LOG.warning("a topic waits: topic=%s fault=%s tries=%d", part.topic, _code(fault), tries)
        self.watch.fault(_code(fault))
        self._set_waiting(part, tries=tries, for_s=self._pause(tries))

    def _set_waiting(self, part: Part, *, tries: int = 0, for_s: float = 0.0) -> None:
        """Silent, and placed anew when its time has come."""
        self.feed.pause(part)
        self._reading.pop(part, None)
        self._unshown.pop(part, None)
        self._waiting[part] = _Wait(self._seconds() + for_s, tries)

    def _let_go(self, part: Part) -> None:
        for held in (self._reading, self._waiting, self._tries, self._unshown):
            held.pop(part, None)
        self.relay.release(_source(part))
        self.watch.forget(_source(part))

    def _pause(self, tries: int) -> float:
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(tries, 10))
        return self._jitter(longest / 2, longest)


def find_place(part: Part, held: Offset | None, stand: Stand) -> tuple[Offset, str]:
    """Where to read a part, and why a new generation of it begins there; "" where it is simply read on.

    `recreated`: the topic was deleted and made again. `cut-short`: it ends before what was read of it, so brokers lost
    records. `retention`: it begins after what was read of it, so records were thrown away unread.
    """
    first = Offset(part.topic, stand.topic_id, stand.first, part=part.number)
    if held is None:
        return first, "retention" if stand.first else ""
    anew = replace(first, generation=held.generation + 1)
    if held.topic_id != stand.topic_id:
        return anew, "recreated"
    if stand.end < held.next:
        return anew, "cut-short"
    return (anew, "retention") if stand.first > held.next else (held, "")


def _chunks(records: Sequence[Raw]) -> Iterator[Sequence[Raw]]:
    """Runs of records that are neither too many nor, unless it is one alone, too big for one transaction."""
    start = size = 0
    for at, record in enumerate(records):
        size += len(record.value)
        if at > start and (size > BATCH_BYTES or at - start >= BATCH_RECORDS):
            yield records[start:at]
            start, size = at, len(record.value)
    yield records[start:]


def _measure(polled: Polled) -> tuple[int, int]:
    batches = polled.records.values()
    return sum(map(len, batches)), sum(len(record.value) for records in batches for record in records)


def _source(part: Part) -> str:
    """The source that owns a topic: who may write there is who it is."""
    return source_of(part.topic) or part.topic


def _code(fault: Exception) -> str:
    """What a fault is called in logs and metrics: its kind, and a client's own code; never its text."""
    return f"{type(fault).__name__}:{fault}" if isinstance(fault, Away) else type(fault).__name__
