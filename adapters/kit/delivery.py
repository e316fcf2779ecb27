"""Sends what is pending until the hub has answered for every record. The one port through which records leave.

A row is cleared only by a receipt over exactly the bytes that were sent. Whatever fails, the row stays and is sent
again, and the hub takes the repeat for a duplicate. How records travel is the carrier's business (`publisher.py` over
HTTPS, `kafka.py` by a topic).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from adapters.kit.clock import Clock
from adapters.kit.outbox import Head, Outbox, Row
from adapters.kit.when import rfc3339
from adapters.kit.wire import OnTheWire
from schemas.envelope import Receipt
from schemas.notices import Notice

Said = Receipt | Notice
"""What the hub says to a source."""
MOST_RECORDS = 500
MOST_BYTES = 4 * 1024 * 1024
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 20.0
LONGEST_RETRY_AFTER_S = 300.0
SEND_AGAIN_AFTER_S = 60.0
LISTEN_S = 1.0
"""How long one question for receipts may wait for them while some are outstanding."""


@dataclass(frozen=True, slots=True)
class HubHead:
    """Where the hub stands with a source. `lags` when it may have heard more since it said so."""

    head: Head
    lags: bool = False


class Undelivered(Exception):
    """The hub did not take it now. `why` is for people and holds no content; `retry_after_s` is the hub's wish;
    `too_large` means a smaller batch may pass."""

    def __init__(self, why: str, retry_after_s: float | None = None, *, too_large: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after_s = retry_after_s
        self.too_large = too_large


class Distrusted(Exception):
    """The hub's answer does not carry the pinned receipt key's signature. Nothing is cleared; a person must look."""


class Carrier(Protocol):
    """What carries sealed records to the hub and its receipts back. Every call may raise Undelivered or Distrusted."""

    @property
    def ask_every_s(self) -> float:
        """How often to ask for receipts: seldom where they come back with the records, at once where they do not."""
        ...

    @property
    def hub_ahead_s(self) -> float | None:
        """By how many seconds the hub's clock is ahead of ours, as of its last answer; None where not known."""
        ...

    def send(self, records: Sequence[bytes]) -> list[Receipt]:
        """Sends a batch; gives the receipts that came back at once, if any."""
        ...

    def get_head(self) -> HubHead | None:
        """Where the hub stands with this source; None where nothing can be known of it."""
        ...

    def get_receipts(self, after: str, wait_s: float) -> tuple[list[Said], str]:
        """Receipts and notices made after this cursor, and the cursor to go on from. Cursors are the carrier's own
        words: "" is the beginning, and so is one that it does not know. Where none are there, it may wait so long."""
        ...

    def get_restored_place(self) -> str:
        """The cursor to go on from with a hub that was restored: behind whatever it said and has forgotten since."""
        ...

    def close(self) -> None:
        """Ends the connections."""
        ...


@dataclass
class Delivery:
    """One source's sending. `sleep` and `monotonic` are given by tests."""

    outbox: Outbox
    carrier: Carrier
    source: str
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    on_progress: Callable[[int], None] = lambda sent: None
    settled: int = 0
    refused: int = 0
    beats: int = 0
    """So many of the settled are heartbeats."""
    not_before: float = 0.0
    send_again_after_s: float = SEND_AGAIN_AFTER_S
    _most: int = MOST_RECORDS
    _faults: int = 0
    _ask_at: float = 0.0
    _wire: OnTheWire = field(init=False)

    def __post_init__(self) -> None:
        self._wire = OnTheWire(self.send_again_after_s)

    def start(self) -> None:
        """What was on the wire when a former process ended is pending again, unless it was answered meanwhile."""
        if self.outbox.has_unsettled():
            with suppress(Undelivered):  # what is due goes out all the same
                self.fetch_receipts()
            self._ask_at = self.monotonic()  # what is sent now is asked for as ever
        with self.outbox.transaction():
            self.outbox.mark_pending()

    def deliver(self, patience_s: float, before: Callable[[], None] = lambda: None) -> bool:
        """Sends until every row has its receipt. False when `patience_s` of waiting brought no progress; nothing is
        lost then. `before` is done before each attempt and may raise Undelivered too. Raises Distrusted."""
        since = self.monotonic()
        while True:
            settled = self.settled
            try:
                before()
                self._send_all()
                if self.settled > settled or self.monotonic() >= self._ask_at:
                    self.fetch_receipts(LISTEN_S if self.outbox.has_unsettled() else 0)
                self._faults = 0
                if not self.outbox.has_unsettled():
                    return True
                wait = self._until_next()
            except Undelivered as fault:
                wait = self.wait_after(fault)
            now = self.monotonic()
            if self.settled > settled:
                since, self._faults = now, 0
            self.not_before = now + wait
            if now + wait - since > patience_s:
                return False
            self.sleep(wait)

    def _until_next(self) -> float:
        soonest = min(self._ask_at, self._wire.find_next()) - self.monotonic()
        return max(min(FIRST_WAIT_S, self.carrier.ask_every_s), soonest)

    def _send_all(self) -> None:
        self._make_due()
        while batch := self.outbox.find_pending(self._most, MOST_BYTES):
            self._send(batch)
            if self.monotonic() >= self._ask_at:  # what comes back meanwhile is not left until everything is out
                self.fetch_receipts()
            self.on_progress(self.settled)

    def _send(self, batch: list[Row]) -> None:
        ids = [row.id for row in batch]
        with self.outbox.transaction():
            self.outbox.mark_sent(ids)
        self._wire.add(batch[0].sequence, batch[-1].sequence, self.monotonic())
        try:
            receipts = self.carrier.send([row.record for row in batch])
        except Undelivered as fault:
            with self.outbox.transaction():
                self.outbox.mark_pending(ids)
            if fault.too_large and len(batch) > 1:
                self._most = max(1, len(batch) // 2)
                return
            raise
        self.apply(receipts)

    def _make_due(self) -> None:
        for batch in self._wire.take_due(self.monotonic()):
            with self.outbox.transaction():
                self.outbox.mark_pending_between(batch.first, batch.last)

    def apply(self, said: Sequence[Said], cursor: str | None = None) -> None:
        """Settles the rows these receipts are about, keeps notices, and remembers the cursor, in one transaction."""
        receipts = [one for one in said if isinstance(one, Receipt)]
        with self.outbox.transaction():
            self.outbox.noticing.take([one for one in said if isinstance(one, Notice)], rfc3339(self.clock()))
            beat = self.outbox.get_meta("heartbeat_id", "")
            for receipt in receipts:
                sequence = self.outbox.apply_receipt(receipt, self.source)
                if sequence is not None:
                    self._wire.hear(sequence, self.monotonic())
                    self.settled += 1
                    self.refused += not receipt.settles
                    self.beats += receipt.id == beat
            if cursor is not None:
                self.outbox.set_meta("receipts_cursor", cursor)
            self._remember_answer(bool(said))

    def _remember_answer(self, heard_the_hub: bool) -> None:
        now = rfc3339(self.clock())
        self.outbox.set_meta("answered_at", now)
        if heard_the_hub:
            self.outbox.set_meta("receipts_at", now)
        if self.carrier.hub_ahead_s is not None:
            self.outbox.set_meta("hub_ahead_s", round(self.carrier.hub_ahead_s))
        self.outbox.set_meta("fault", "")

    def fetch_receipts(self, wait_s: float = 0) -> None:
        """Takes in what the hub said: receipts that come by themselves, releases and refusals by people, what was
        lost. Waits so long for the first of them."""
        while True:
            after = str(self.outbox.get_meta("receipts_cursor", ""))
            said, following = self.carrier.get_receipts(after, wait_s)
            self._ask_at = self.monotonic() + self.carrier.ask_every_s
            self.apply(said, following)
            if following == after or not said:
                return
            wait_s = 0

    def wait_after(self, fault: Undelivered) -> float:
        """Remembers the fault for `status` and gives how long to wait: what the hub asks, else longer each time."""
        with self.outbox.transaction():
            self.outbox.set_meta("fault", fault.why)
        back_off: float = min(FIRST_WAIT_S * 2**self._faults, LONGEST_WAIT_S)
        self._faults = min(self._faults + 1, 10)
        wait = back_off if fault.retry_after_s is None else _within(fault.retry_after_s)
        self.not_before = self.monotonic() + wait
        return wait


def _within(asked_s: float) -> float:
    """What the hub asks us to wait, within reason: a hub cannot silence an agency for a day."""
    return min(max(asked_s, FIRST_WAIT_S), LONGEST_RETRY_AFTER_S)
