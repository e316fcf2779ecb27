"""The source's own voice: a sealed heartbeat at its rhythm, so that a feed that stops is missed by those who read.

It takes the next number of the sequence and is sent like any record; without one, a folder that stays empty and an
adapter that died look alike. At most one is under way: while the hub is away they do not pile up. Where a file is due
now and then, the heart stops when none came for too long, because a heart that beats over a dead export tells a lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.kit.clock import Clock
from adapters.kit.events import Ready, make_name, make_salt
from adapters.kit.home import EVERY_S, Home
from adapters.kit.outbox import BEAT, Outbox
from adapters.kit.sealing import Sealer
from adapters.kit.when import rfc3339
from schemas.envelope import HEARTBEAT, NO_CHILD
from schemas.heartbeat import Heartbeat

AFTER_QUARANTINE = timedelta(hours=6)
"""A heartbeat that the hub set aside is not followed by one every few minutes that it sets aside too."""


@dataclass
class Heart:
    """One source's heart. Every beat is its own transaction. Raises OutboxUnwritable."""

    home: Home
    outbox: Outbox
    sealer: Sealer
    clock: Clock

    @property
    def every_s(self) -> int:
        """The rhythm that the hub is told, seconds."""
        return int(self._settings.get("every_s", EVERY_S))

    def beat_when_due(self) -> bool:
        """Seals a heartbeat when the last is older than the rhythm; True when it did."""
        last, now = self.outbox.get_meta("heartbeat_at", ""), self.clock()
        waited = (now - datetime.fromisoformat(last)).total_seconds() if last else float(self.every_s)
        return not 0 <= waited < self.every_s and self.beat()

    def beat(self) -> bool:
        """Seals a heartbeat now, unless one is under way or the feed stands still; True when it did."""
        if self.outbox.has_waiting_heartbeat(rfc3339(self.clock() - AFTER_QUARANTINE)) or self.stands_still():
            return False
        with self.outbox.transaction():
            head, now = self.outbox.get_head(), self.clock()
            said = Heartbeat(head.sequence, self.every_s, len(self.outbox.find_unsettled_ids()))
            secrets = self.home.secrets
            beat_id = make_name(secrets.agency, "heartbeat", head.sequence + 1, head.digest)
            salt = make_salt(secrets.salt, beat_id)
            ready = Ready(BEAT, beat_id, NO_CHILD, salt, said.to_data(), None, type=HEARTBEAT)
            row, moved = self.sealer.seal(ready, head, now)
            self.outbox.add_heartbeat(row, rfc3339(now))
            self.outbox.move_head(moved)
        return True

    def stands_still(self) -> bool:
        """Has no file come for longer than this feed may be without one?"""
        longest_s = self._settings.get("stops_after_s", 0)
        if not longest_s:
            return False
        last = self.outbox.memory.find_last_file_at()
        return last is None or self.clock() - datetime.fromisoformat(last) > timedelta(seconds=longest_s)

    @property
    def _settings(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self.home.settings.get("heartbeat", {})
        return found
