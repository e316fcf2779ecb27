"""The inbox endpoint's logic, without HTTP: who calls, how much, and the signed receipts in answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from hub.ingest.admission import Admission
from hub.ingest.notices import Notices
from hub.store.record import Record
from schemas.envelope import Refused, SigningKey, open_transport_token, sign_receipts, sign_written
from schemas.notices import Notice, sign_notices
from schemas.receipts import SourceHead

BODY_LIMIT = 4 * 1024 * 1024
RECORDS_LIMIT = 500
RECEIPTS_A_PAGE = 500


class Answer(NamedTuple):
    """A receipt as it was committed: it is handed on as it was written, and nothing of it is written again."""

    cursor: int
    row: bytes
    """JSON, the members of `schemas.envelope.Receipt`."""


class NotACaller(Exception):
    """The call proves no registered source."""


class TooMany(Exception):
    """This sender must wait; the argument is the number of seconds."""


class Inbox:
    """Takes batches from registered sources and answers with receipts."""

    def __init__(
        self, record: Record, admission: Admission, notices: Notices, key: SigningKey, *, hub: str,
        records_a_minute: int, clock: Callable[[], datetime], follows: bool = False,
    ) -> None:  # fmt: skip
        """`follows`: whoever asks for notices writes them first, as a demo does whose clock stands still between its
        steps. Else another thread writes them, and nobody waits while it reads a child of thousands of events."""
        self.record, self.admission, self.notices, self.key = record, admission, notices, key
        self.hub, self.clock = hub, clock
        self.records_a_minute, self.follows = records_a_minute, follows
        self._spent: dict[str, tuple[float, float]] = {}

    @property
    def audience(self) -> str:
        """What a transport token must name."""
        return f"{self.hub}/inbox"

    def caller(self, token: str) -> str:
        """The source that a transport token proves, once. Errors: `NotACaller`."""
        now = self.clock()
        self.admission.catch_up()
        registry = self.admission.keyring.transport_key
        try:
            caller = open_transport_token(token, registry, audience=self.audience, now=now)
        except Refused as refused:
            raise NotACaller(refused.why) from None
        if not self.record.once(caller.source, caller.jti, caller.exp, int(now.timestamp())):
            raise NotACaller("this token was used before")
        return caller.source

    def spend(self, source: str, records: int, seconds: float) -> None:
        """Count records against the sender's allowance; `seconds` is a monotonic clock. Errors: `TooMany`."""
        left, since = self._spent.get(source, (float(self.records_a_minute), seconds))
        left = min(self.records_a_minute, left + (seconds - since) * self.records_a_minute / 60)
        if left < 0:
            raise TooMany(max(1, round(-left * 60 / self.records_a_minute)))
        self._spent[source] = (left - records, seconds)

    def take(self, source: str, records: Sequence[bytes]) -> str:
        """Admit a batch; gives the signed receipts, one row a record, in order."""
        receipts = self.admission.admit(records, source)
        return sign_receipts(receipts, self.key, hub=self.hub, at=self._now())

    def head(self, source: str) -> dict[str, object]:
        """Where the hub stands with a source: its newest sequence and statement digest."""
        rows = self.record.query("SELECT sequence, digest FROM source_head WHERE source=?", (source,))
        sequence, digest = (rows[0][0], rows[0][1]) if rows else (0, "")
        return {"source": source, "sequence": sequence, "digest": digest}

    def receipts(self, source: str, after: int) -> tuple[str, int]:
        """(signed receipts after this cursor, cursor to ask after next)."""
        answers = self.after(source, after)
        return self._signed(answers), answers[-1].cursor if answers else after

    def told(self, source: str, after: int) -> tuple[str, int]:
        """(signed notices after this cursor, cursor to ask after next), up to what was written until now."""
        if self.follows:
            self.notices.follow()
        notices = self.notices.after(source, after)
        return self.sign_notices(notices, source), notices[-1].cursor if notices else after

    def open_notice(self, source: str, notice_id: str, person: str) -> dict[str, object]:
        """Whom a notice is about, once it is recorded who opened it. Errors: `NoNotice`, `KeyAway`."""
        return self.notices.open(source, notice_id, person)

    def sign_notices(self, notices: Sequence[Notice], source: str, *, on_topic: bool = False) -> str:
        """Notices signed for a source; for a topic with the source's head."""
        head = SourceHead(**self.head(source)) if on_topic else None  # type: ignore[arg-type]
        return sign_notices(notices, self.key, hub=self.hub, source=source, at=self._now(), head=head)

    def after(self, source: str, cursor: int) -> list[Answer]:
        """A page of a source's receipts after this cursor, in the order in which they were committed."""
        rows = self.record.query(
            'SELECT cursor, "row" FROM receipt WHERE caller=? AND cursor>? ORDER BY cursor LIMIT ?',
            (source, cursor, RECEIPTS_A_PAGE),
        )
        return [Answer(at, _with_cursor(at, row)) for at, row in rows]

    def sign(self, answers: Sequence[Answer], source: str) -> str:
        """Receipts signed for a topic: with the source's head, because there it cannot ask for it."""
        return self._signed(answers, SourceHead(**self.head(source)))  # type: ignore[arg-type]

    def _signed(self, answers: Sequence[Answer], head: SourceHead | None = None) -> str:
        written = [one.row for one in answers]
        return sign_written(written, self.key, hub=self.hub, at=self._now(), head=head)

    def _now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds")


def _with_cursor(cursor: int, row: bytes) -> bytes:
    """A row as it is kept. Rows of an earlier day do not hold their own cursor yet."""
    if b'"cursor":%d,' % cursor in row:
        return row
    return orjson.dumps({**orjson.loads(row), "cursor": cursor})
