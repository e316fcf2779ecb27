"""What each record tells of its source: where its sequence stands, which numbers never came, when it was last heard.

A heartbeat is state, not history: the newest one counts, and it becomes a fact of the log only where something changed
with it: the source was never heard or silent before, or says something odd that it did not say the time before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from hub.domain.facts import Remark
from hub.domain.hearing import patience
from hub.ingest.batch import Batch
from schemas.envelope import Opened, parse_time
from schemas.heartbeat import read_heartbeat
from schemas.strict import b64url_encode

AHEAD = "clock-ahead"
"""The remark on what was signed by a clock that is ahead of the hub's by more than `clock_ahead_s`."""


def follow(batch: Batch, statement: dict[str, str], sha256: str) -> list[Remark]:
    """Move the source's head; a gap or a broken chain is remarked, never refused: an alert does not wait.

    `sha256` is the statement's, hex. Numbers that were passed over stand as missing until they come, however late.
    """
    source, sequence = statement["source"], int(statement["sequence"])
    number, digest = batch.head(source)
    if sequence <= number:
        batch.fill(source, sequence)
        return []
    batch.writes.heads[source] = (sequence, b64url_encode(bytes.fromhex(sha256)).decode())
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

    It was heard when it spoke, and never later than now. One whose clock is ahead by more than is borne with (the
    remark `clock-ahead`) says nothing of when it spoke: it is as if it were not heard, or heartbeats that were signed
    in advance would keep a feed alive that is dead.
    """
    said, now = opened.statement, datetime.fromisoformat(batch.at)
    before = batch.heard(said["source"])
    if int(said["sequence"]) <= before.sequence:
        return News.NONE
    beat = read_heartbeat(opened.data)
    if beat.unclear:
        remarks.append(Remark("heartbeat-unclear", " ".join(beat.unclear)))
    codes = [remark.code for remark in remarks]
    row = replace(before, sequence=int(said["sequence"]), remarks=" ".join(codes))
    known = row.remarks == before.remarks
    if AHEAD not in codes:
        at = min(parse_time(said["time"]).astimezone(now.tzinfo), now)
        heard = at.isoformat(timespec="milliseconds")
        row = replace(row, heard=heard, every_s=beat.every_s or 0, outstanding=beat.outstanding or 0)
        known = known and bool(before.heard) and at < patience(before.heard, before.every_s)
    batch.writes.heard[row.source] = row
    return News.HEARD if known else News.CHANGE
