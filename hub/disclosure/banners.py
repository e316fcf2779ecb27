"""Banners: decisions that stand over a whole chronology for readers who may not read them in full.

A fixed sentence each, once, in a fixed order: nothing of the entry's content, number or day. Who gets one the rules
decide (`banner` in hub/policy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.disclosure.answer import Seen

SAYS: Mapping[str, str] = {
    "location-protected": (
        "Where this child is, or was for a time, is protected. Tell nobody where the child lives, learns or is "
        "treated; whoever needs to know asks the front door."
    ),
    "decided-not-to-share": (
        "It was decided not to tell somebody something about this child. Ask the front door before you tell anybody "
        "anything."
    ),
}
"""In this order."""


def apart(seen: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
    """(entries in whose place a banner stands, the others)."""
    over_all = [one for one in seen if one.decision.banner]
    return over_all, [one for one in seen if not one.decision.banner] if over_all else list(seen)


def banners(over_all: Sequence[Seen]) -> dict[str, list[dict[str, str]]]:
    """The answer's member `banners`, where there is one."""
    events = {one.row.fact.name for one in over_all}
    said = [{"event": event, "says": says} for event, says in SAYS.items() if event in events]
    return {"banners": said} if said else {}
