"""Reading and sending put together: once, until every record has its receipt, or on and on over a folder.

Nothing here can lose a record: what was read is in the outbox, what was not is still in the folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from adapters.kit.delivery import Delivery, Undelivered
from adapters.kit.files import Look, list_files, look_at
from adapters.kit.heartbeat import Heart
from adapters.kit.intake import FileChanged, Intake
from adapters.kit.keeping import KEEP_DAYS
from adapters.kit.outbox import OutboxUnwritable
from adapters.kit.rejoining import compare_heads
from adapters.kit.when import rfc3339

POLL_S = 2.0
AFTER_A_FAULT_S = 30.0
KEEP_SENT_DAYS = 30


@dataclass
class Line:
    """One source's line: what reads into the outbox and what sends out of it."""

    intake: Intake
    delivery: Delivery
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    heart: Heart | None = None
    troubles: int = 0
    _joined: bool = False
    _taken: set[tuple[str, Look]] = field(default_factory=set)
    _seen: dict[str, Look] = field(default_factory=dict)

    def join(self) -> None:
        """Compares heads, once. Raises Behind, Undelivered."""
        if self._joined:
            return
        compared = compare_heads(self.delivery.outbox, self.delivery.carrier)
        if compared.sent_again:
            self.say(f"the hub was restored: {compared.sent_again} records that it lost are sent again")
        self.delivery.start()
        self._joined = True

    def once(self, folder: Path, patience_s: float) -> bool:
        """Reads every file there is and sends until each record has its receipt. False when the hub did not take all
        in time: the rest stays in the outbox. Raises Behind, Distrusted, OutboxUnwritable."""
        try:
            self.join()
        except Undelivered as fault:
            self.say(f"{fault.why}; reading goes on, sending is tried again")
        try:
            self._forget()  # before reading: on a full disk it makes room
            for path in list_files(folder):
                self._take(path)
            if self.heart:
                self.heart.beat()
        except OutboxUnwritable as fault:
            self.troubles += 1
            self.say(str(fault))
        return self._deliver(patience_s)

    def send_chosen(self, patience_s: float) -> bool:
        """Sends what people chose of what is kept. False when the hub did not take all in time. Raises as `once`."""
        try:
            self.join()
        except Undelivered as fault:
            self.say(f"{fault.why}; sending is tried again")
        return self._deliver(patience_s)

    def speak(self, patience_s: float) -> bool:
        """One heartbeat now, and whatever waits. False when the hub did not take all in time. Raises as `once`."""
        with suppress(Undelivered):  # it is sealed all the same, and says when it was
            self.join()
        if self.heart:
            self.heart.beat()
        return self._deliver(patience_s)

    def run(self, folder: Path, stop: Callable[[], bool]) -> None:
        """Reads files as they come to rest and sends, until told to stop. Raises Behind, Distrusted."""
        while not stop():
            try:
                self._go_round(folder, stop)
                self.sleep(POLL_S)
            except OutboxUnwritable as fault:
                self._wait_for(str(fault))
            except OSError as fault:  # a folder that is away for a while
                self._wait_for(f"cannot go on for now: {type(fault).__name__}")

    def _go_round(self, folder: Path, stop: Callable[[], bool]) -> None:
        """Reads what came to rest. What is sealed is sent even where nothing more can be read."""
        try:
            self._forget()
            for path in list_files(folder):
                if self._is_at_rest(path):
                    self._take(path)
                if stop():
                    return
            if self.heart:  # after reading: a folder that is away is no feed that lives
                self.heart.beat_when_due()
        finally:
            if not stop() and self.monotonic() >= self.delivery.not_before:
                self._deliver(0)

    def _wait_for(self, why: str) -> None:
        self.say(f"{why}; trying again in {AFTER_A_FAULT_S:.0f} s")
        self.sleep(AFTER_A_FAULT_S)

    def _is_at_rest(self, path: Path) -> bool:
        """A file is taken when it looked the same at the last round, and was not taken as it looks now."""
        look = look_at(path)
        at_rest = self._seen.get(path.name) == look
        self._seen[path.name] = look
        return at_rest and (path.name, look) not in self._taken

    def _take(self, path: Path) -> None:
        try:
            look = look_at(path)
            self.intake.take_file(path)
            self._taken.add((path.name, look))
        except FileChanged:
            self.troubles += 1
            self.say(f"{path.name!r} is still being written; left for the next time")
        except OSError as fault:
            self.troubles += 1
            self.say(f"{path.name!r} cannot be opened: {fault.strerror}")

    def _deliver(self, patience_s: float) -> bool:
        """Sends what there is and what people chose; where the answers ask for history, what is kept of that child."""
        self.intake.take_chosen()
        all_in = self.delivery.deliver(patience_s, before=self.join)
        return self.delivery.deliver(patience_s, before=self.join) if self.intake.take_history() else all_in

    def _forget(self) -> None:
        """The bytes of what is at the hub, and what was held back for long enough, each after its time."""
        settings, outbox = self.intake.home.settings, self.delivery.outbox
        with outbox.transaction():
            outbox.forget_sent(self._ago(settings.get("outbox", {}).get("keep_sent_days", KEEP_SENT_DAYS)))
            outbox.keeping.forget(self._ago(settings.get("relevance", {}).get("keep_days", KEEP_DAYS)))

    def _ago(self, days: int) -> str:
        return rfc3339(self.delivery.clock() - timedelta(days=days))
