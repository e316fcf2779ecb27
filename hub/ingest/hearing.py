"""What each record tells of its source: where its sequence stands, which numbers never came, when it was last heard.

A heartbeat is state, not history: the newest one counts, and it becomes a fact of the log only where something changed
with it: the source was never heard or silent before, or says something odd that it did not say the time before.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from hub.domain.facts import Remark
from hub.domain.hearing import patience
from hub.ingest.batch import Batch
from hub.store.tables import HeardRow
from schemas.envelope import Opened, parse_time, statement_digest
from schemas.heartbeat import read_heartbeat


def follow(batch: Batch, statement: dict[str, str], statement_bytes: bytes) -> list[Remark]:
    """Move the source's head; a gap or a broken chain is remarked, never refused: an alert does not wait.

    Numbers that were passed over stand as missing until they come, however late.
    """
    source, sequence = statement["source"], int(statement["sequence"])
    number, digest = batch.head(source)
    if sequence <= number:
        batch.fill(source, sequence)
        return []
    batch.writes.heads[source] = (sequence, statement_digest(statement_bytes))
    if sequence > number + 1:
        batch.skip(source, number + 1, sequence - 1)
        return [Remark("gap", f"{number + 1} to {sequence - 1} not seen yet")]
    return [Remark("chain-broken")] if statement["prevdigest"] != digest else []


class News(StrEnum):
    """What a heartbeat brought; the first two are what its receipt says, and no fact of the log."""

    NONE = "duplicate"
    """The same or a newer one was heard before."""
    HEARD = "admitted"
    CHANGE = "changed"
    """It is admitted as a fact."""


def hear(batch: Batch, opened: Opened, remarks: list[Remark]) -> News:
    """Note that a source was heard, and whether that changes what is known of it.

    It was heard when it spoke, and never later than now: a clock ahead makes no source look more alive than it is.
    """
    said, now = opened.statement, datetime.fromisoformat(batch.at)
    before = batch.heard(said["source"])
    if int(said["sequence"]) <= before.sequence:
        return News.NONE
    beat = read_heartbeat(opened.data)
    if beat.unclear:
        remarks.append(Remark("heartbeat-unclear", " ".join(beat.unclear)))
    at = min(parse_time(said["time"]).astimezone(now.tzinfo), now)
    row = HeardRow(
        said["source"], int(said["sequence"]), at.isoformat(timespec="milliseconds"), beat.every_s or 0,
        beat.outstanding or 0, " ".join(remark.code for remark in remarks),
    )  # fmt: skip
    batch.writes.heard[row.source] = row
    known = before.heard and row.remarks == before.remarks and at < patience(before.heard, before.every_s)
    return News.HEARD if known else News.CHANGE
