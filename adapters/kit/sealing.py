"""Seals ready events under the source's key, one after the other. Keeps no state: the head comes in and goes out.

Where the hub's sealing key is pinned, records are version 2: their data can be read by the hub alone. What we could not
open again ourselves, salt and data, then stays beside the record in the outbox until its bytes are forgotten.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from adapters.kit.events import Ready
from adapters.kit.outbox import Head, Outbox, Row, make_row
from adapters.kit.when import rfc3339
from schemas.envelope import SALT_BYTES, PublicSealingKey, SigningKey, seal, statement_bytes_of, statement_digest
from schemas.strict import b64url_decode


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the sequence, and when, an event is sealed."""

    after: Head
    recordedtime: str


@dataclass(frozen=True)
class Sealer:
    """One source, its event key, and the hub's sealing key where records are to be version 2."""

    source: str
    key: SigningKey
    to: PublicSealingKey | None = None

    def seal(self, ready: Ready, after: Head, at: datetime) -> tuple[Row, Head]:
        """The row and the head it moves to. CannotSeal when it is too large for any door."""
        return self._seal(ready, _Place(after, rfc3339(at)))

    def seal_again(self, row: Row, after: Head, at: datetime) -> tuple[Row, Head]:
        """The same event, byte for byte and under the same id, at another place in the sequence."""
        return self._seal(_read_ready(row), _Place(after, rfc3339(at)))

    def hide(self, row: Row) -> Row:
        """A version 1 row as version 2: the statement and its signature stay as they are."""
        statement = json.loads(statement_bytes_of(row.record))
        before = Head(row.sequence - 1, statement["prevdigest"])
        hidden, _ = self._seal(_read_ready(row), _Place(before, statement["recordedtime"]))
        return hidden

    def _seal(self, ready: Ready, place: _Place) -> tuple[Row, Head]:
        sequence = place.after.sequence + 1
        record = seal(
            ready.data,
            key=self.key,
            source=self.source,
            event_id=ready.id,
            subject=ready.subject,
            time=ready.time,
            recordedtime=place.recordedtime,
            sequence=sequence,
            prevdigest=place.after.digest,
            salt=ready.salt,
            type=ready.type,
            to=self.to,
        )
        statement = statement_bytes_of(record)
        row = make_row(ready.id, sequence, statement, record)
        if self.to is not None:
            row = replace(row, plain=ready.salt + ready.data)
        return row, Head(sequence, statement_digest(statement))


def hide_waiting(outbox: Outbox, sealer: Sealer) -> int:
    """What waits as version 1, from a time when it was to go by another way, becomes version 2. Gives how many."""
    with outbox.transaction():
        waiting = outbox.find_unhidden_ids()
        for row_id in waiting:
            outbox.replace_record(sealer.hide(outbox.get_row(row_id)))
    return len(waiting)


def _read_ready(row: Row) -> Ready:
    """What was sealed in a row, as it was before."""
    statement = json.loads(statement_bytes_of(row.record))
    if row.plain is not None:
        salt, data = row.plain[:SALT_BYTES], row.plain[SALT_BYTES:]
    else:
        members = json.loads(row.record)
        salt, data = (b64url_decode(members[name].encode()) for name in ("salt", "data"))
    return Ready("", row.id, statement["subject"], salt, data, statement["time"], type=statement["type"])
