"""Sends what is pending until the hub has answered for every record. The one port through which records leave.

A row is cleared only by a receipt over exactly the bytes that were sent. Whatever fails, the row stays and is sent
again, and the hub takes the repeat for a duplicate. How records travel is the carrier's business (`publisher.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.kit.clock import Clock
from adapters.kit.outbox import Head, Outbox, Row
from adapters.kit.when import rfc3339
from schemas.envelope import Receipt

MOST_RECORDS = 500
MOST_BYTES = 4 * 1024 * 1024
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 300.0
SEND_AGAIN_AFTER_S = 60.0
ASK_EVERY_S = 60.0


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

    def send(self, records: Sequence[bytes]) -> list[Receipt]:
        """Sends a batch; gives the receipts that came back at once, if any."""
        ...

    def get_head(self) -> Head:
        """Where the hub stands with this source."""
        ...

    def get_receipts(self, after: int) -> tuple[list[Receipt], int]:
        """Receipts made after this cursor, and the cursor to go on from."""
        ...

    @property
    def hub_ahead_s(self) -> float | None:
        """By how many seconds the hub's clock is ahead of ours, as of its last answer; None where not known."""
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
    not_before: float = 0.0
    _most: int = MOST_RECORDS
    _faults: int = 0
    _ask_at: float = 0.0
    _due: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """What was on the wire when a former process ended is pending again."""
        with self.outbox.transaction():
            self.outbox.mark_pending()

    def deliver(self, patience_s: float, before: Callable[[], None] = lambda: None) -> bool:
        """Sends until every row has its receipt. False when `patience_s` of waiting brought no progress; nothing is
        lost then. `before` is done before each attempt and may raise Undelivered too. Raises Distrusted."""
        waited = 0.0
        while True:
            settled = self.settled
            try:
                before()
                self._send_all()
                if self.settled > settled or self.monotonic() >= self._ask_at:
                    self.fetch_receipts()
                self._faults = 0
                if not self.outbox.has_unsettled():
                    return True
                next_wait = max(FIRST_WAIT_S, min(self._due.values(), default=0.0) - self.monotonic())
            except Undelivered as fault:
                next_wait = self.wait_after(fault)
            if self.settled > settled:
                waited, self._faults = 0.0, 0
            self.not_before = self.monotonic() + next_wait
            if waited + next_wait > patience_s:
                return False
            self.sleep(next_wait)
            waited += next_wait

    def _send_all(self) -> None:
        self._make_due()
        while batch := self.outbox.find_pending(self._most, MOST_BYTES):
            self._send(batch)
            self.on_progress(self.settled)

    def _send(self, batch: list[Row]) -> None:
        ids = [row.id for row in batch]
        with self.outbox.transaction():
            self.outbox.mark_sent(ids)
        try:
            receipts = self.carrier.send([row.record for row in batch])
        except Undelivered as fault:
            with self.outbox.transaction():
                self.outbox.mark_pending(ids)
            if fault.too_large and len(batch) > 1:
                self._most = max(1, len(batch) // 2)
                return
            raise
        self._due.update(dict.fromkeys(ids, self.monotonic() + SEND_AGAIN_AFTER_S))
        self.apply(receipts)

    def _make_due(self) -> None:
        now = self.monotonic()
        due = [row_id for row_id, at in self._due.items() if at <= now]
        for row_id in due:
            del self._due[row_id]
        if due:
            with self.outbox.transaction():
                self.outbox.mark_pending(due)

    def apply(self, receipts: Sequence[Receipt], cursor: int | None = None) -> None:
        """Settles the rows these receipts are about, and remembers the cursor, in one transaction."""
        with self.outbox.transaction():
            for receipt in receipts:
                row_id = self.outbox.apply_receipt(receipt, self.source)
                if row_id is not None:
                    self._due.pop(row_id, None)
                    self.settled += 1
                    self.refused += not receipt.settles
            if cursor is not None:
                self.outbox.set_meta("receipts_cursor", cursor)
            self.outbox.set_meta("answered_at", rfc3339(self.clock()))
            if self.carrier.hub_ahead_s is not None:
                self.outbox.set_meta("hub_ahead_s", round(self.carrier.hub_ahead_s))
            self.outbox.set_meta("fault", "")

    def fetch_receipts(self) -> None:
        """Takes in what the hub said later: releases and refusals by people, receipts that were lost."""
        self._ask_at = self.monotonic() + ASK_EVERY_S
        while True:
            after = int(self.outbox.get_meta("receipts_cursor", 0))
            receipts, following = self.carrier.get_receipts(after)
            self.apply(receipts, following)
            if following <= after or not receipts:
                return

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
