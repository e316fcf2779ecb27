"""Seals ready events under the source's key, one after the other. Keeps no state: the head comes in and goes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from adapters.kit.events import Ready
from adapters.kit.outbox import Head, Row, make_row
from adapters.kit.when import rfc3339
from schemas.envelope import SigningKey, seal, statement_bytes_of, statement_digest
from schemas.strict import b64url_decode


@dataclass(frozen=True)
class Sealer:
    """One source and its event key."""

    source: str
    key: SigningKey

    def seal(self, ready: Ready, after: Head, at: datetime) -> tuple[Row, Head]:
        """The row and the head it moves to. CannotSeal when it is too large for any door."""
        return self._seal(ready.data, ready.id, ready.subject, ready.time, ready.salt, after, at)

    def seal_again(self, row: Row, after: Head, at: datetime) -> tuple[Row, Head]:
        """The same event, byte for byte and under the same id, at another place in the sequence."""
        members = json.loads(row.record)
        statement = json.loads(statement_bytes_of(row.record))
        data, salt = (b64url_decode(members[name].encode()) for name in ("data", "salt"))
        return self._seal(data, row.id, statement["subject"], statement["time"], salt, after, at)

    def _seal(
        self, data: bytes, event_id: str, subject: str, time: str | None, salt: bytes, after: Head, at: datetime
    ) -> tuple[Row, Head]:
        record = seal(
            data,
            key=self.key,
            source=self.source,
            event_id=event_id,
            subject=subject,
            time=time,
            recordedtime=rfc3339(at),
            sequence=after.sequence + 1,
            prevdigest=after.digest,
            salt=salt,
        )
        statement = statement_bytes_of(record)
        return make_row(event_id, after.sequence + 1, statement, record), Head(
            after.sequence + 1, statement_digest(statement)
        )
