"""Compares our head with the hub's before anything is sent, and joins them again when a backup lies between."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kit.clock import Clock
from adapters.kit.delivery import Carrier
from adapters.kit.outbox import Head, Outbox
from adapters.kit.sealing import Sealer
from adapters.kit.when import rfc3339
from schemas.strict import NotStrict, b64url_decode


class Behind(Exception):
    """The hub has heard more of this source than we remember, or something else than we said. Sealing on would fork the
    sequence: stop, find out whether a backup was restored or a second copy runs, then `rejoin`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Our head and the hub's; `moved` when ours now stands behind the hub's. `sent_again` rows are to be sent anew."""

    own: Head
    hub: Head
    sent_again: int = 0
    moved: bool = False


def compare_heads(outbox: Outbox, carrier: Carrier) -> Compared:
    """Raises Behind if we may not go on. If the hub itself was restored, what it lost becomes pending again.

    A head that lags tells of a fork or of a lost memory of ours as well as a fresh one, only later. It never tells that
    the hub was restored: it may be older than receipts that we hold, and rows settled by those are at the hub. (A hub
    that goes back in time goes back in its topic too, and reads there again by itself.) No head at all tells nothing.
    """
    own, known = outbox.get_head(), carrier.get_head()
    if known is None:
        return Compared(own, Head(0, ""))
    hub = known.head
    if hub.sequence > own.sequence:
        raise Behind(f"the hub has heard number {hub.sequence} of this source, this outbox ends at {own.sequence}")
    if not _agrees(outbox, own, hub):
        raise Behind(f"the hub holds another statement number {hub.sequence} of this source than this outbox")
    if known.lags:
        return Compared(own, hub)
    place = carrier.get_restored_place() if hub.sequence < own.sequence else ""
    with outbox.transaction():
        sent_again = outbox.send_again_after(hub.sequence)
        if sent_again:  # what an older receipt says of these rows is not true any more
            outbox.set_meta("receipts_cursor", place)
    return Compared(own, hub, sent_again)


def rejoin(outbox: Outbox, carrier: Carrier, sealer: Sealer, clock: Clock) -> Compared:
    """Goes on from the hub's head, records the gap, and seals what has no receipt again behind it."""
    own, known = outbox.get_head(), carrier.get_head()
    hub = known.head if known else Head(0, "")
    if hub.sequence <= own.sequence and _agrees(outbox, own, hub):
        return Compared(own, hub)
    at = clock()
    with outbox.transaction():
        outbox.record_gap(rfc3339(at), own, hub)
        waiting = outbox.find_unsettled_ids()
        head = hub
        for row_id in waiting:
            again, head = sealer.seal_again(outbox.get_row(row_id), head, at)
            outbox.replace_sealed(again, rfc3339(at))
        outbox.move_head(head)
        outbox.set_meta("receipts_cursor", "")
    return Compared(own, hub, len(waiting), moved=True)


def _agrees(outbox: Outbox, own: Head, hub: Head) -> bool:
    if hub.sequence == 0:
        return True
    if hub.sequence == own.sequence:
        return hub.digest == own.digest
    ours = outbox.find_statements(hub.sequence)  # none where a gap lies: then nothing contradicts
    try:
        return not ours or b64url_decode(hub.digest.encode()).hex() in ours
    except NotStrict:
        return False
