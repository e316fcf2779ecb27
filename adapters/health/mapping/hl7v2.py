"""ADT messages into canonical events: one table from trigger to function.

Pure. An ADT message says how a visit stands now; what changed since the last message of that visit is found by
comparing (`hl7v2_versions`). What a visit means by itself stands in `hl7v2_visit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.health.mapping import hl7v2_versions as versions
from adapters.health.mapping.hl7v2_visit import Told, events_of, tell
from adapters.kit.outcomes import NativeRecord, NoEvent, Outcome, Remark, Unmappable

Settings = Mapping[str, Any]

NO_SAFEGUARDING_FACT = {
    "A02", "A05", "A06", "A07", "A09", "A10", "A12", "A14", "A15", "A16", "A17", "A20", "A21", "A22", "A23", "A24",
    "A25", "A26", "A27", "A28", "A29", "A31", "A32", "A33", "A37", "A38", "A52", "A53", "A54", "A55", "A60",
}  # fmt: skip


def map_record(record: NativeRecord, last: NativeRecord | None, settings: Settings) -> Outcome:
    """What one ADT message means, `last` being the visit's message read before it, or None."""
    told = tell(record, settings)
    trigger = told.visit.trigger
    if trigger in NO_SAFEGUARDING_FACT:
        return NoEvent("trigger-out-of-purpose")
    mapping = TRIGGERS.get(trigger)
    if mapping is None:
        return Unmappable("MSH-9", "trigger-unknown", (Remark("unknown-code", "MSH-9"),))
    before = tell(last, settings) if last is not None else None
    return mapping(told, before)


def arrived(told: Told, before: Told | None) -> Outcome:
    """A01, A04: the visit as it stands. The same visit told again is a new version of it."""
    return versions.compare(told, before) if before is not None and events_of(before) else told.outcome(events_of(told))


def updated(told: Told, before: Told | None) -> Outcome:
    """A08: a full update. Without an earlier message it is the first we hear of the visit."""
    if before is None:
        first_heard = Remark("previous-version-unknown", "EVN", "No earlier message of this visit was read.")
        return told.outcome(events_of(told), first_heard)
    return versions.compare(told, before)


TRIGGERS: dict[str, Callable[[Told, Told | None], Outcome]] = {
    "A01": arrived,
    "A04": arrived,
    "A08": updated,
    "A03": versions.discharged,
    "A11": versions.cancelled,
    "A13": versions.discharge_cancelled,
    "A40": versions.merged,
    "A34": versions.merged,
}
