"""Why a record whose seal holds cannot be admitted as it is: its form, its partnership, whose word it may be.

Refusal is never for meaning: an odd time, a late record, a strange sequence is remarked on elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.child import DECIDING
from hub.ingest.keyring import Keyring, Sender
from schemas.catalogue import KINDS
from schemas.check import check_event
from schemas.envelope import NO_CHILD, REPORT, Opened


@dataclass(frozen=True, slots=True)
class Waits:
    """Why a record is set aside: a code that its sender can act on, and a place, never a value."""

    reason: str
    note: str = ""


FAULT = Waits("fault", "the hub stumbled; its operator is told")


def find_fault_of_form(opened: Opened) -> Waits | None:
    """What its data alone tells against a record, whoever sent it; None where nothing does."""
    if opened.statement["type"] != REPORT:
        return None
    data = opened.data
    kind = KINDS.get(str(data.get("event")))
    version = data.get("version")
    if kind is None or (isinstance(version, int) and version > kind.version):
        return Waits("newer", "this event or version is not known here yet; it is admitted after an upgrade")
    faults = check_event(data, strict=True)
    return Waits("schema", f"{faults[0].path or '/'}: {faults[0].rule}") if faults else None


def find_misfit(opened: Opened, sender: Sender, keyring: Keyring, partnership: str) -> Waits | None:
    """What keeps a record of good form, by a known sender, out of `partnership`'s hub; None where nothing does."""
    if opened.statement["type"] != REPORT:
        return None
    data, kind = opened.data, KINDS[opened.data["event"]]
    if data["partnership"] != partnership:
        return Waits("other-partnership")
    if kind.about != "child" and not sender.kept:
        return Waits("not-by-this-door", "standing, identity and quarantine are settled at the people's door")
    if kind.name in DECIDING and not sender.decides:
        return Waits("not-by-this-door", "decisions of social care come from its own system or the people's door")
    if keyring.speaks_for_another(opened.statement["source"], data["said_by"]["service"]):
        return Waits("other-service", "this service is registered, and not as this source's")
    if kind.about == "child" and opened.statement["subject"] == NO_CHILD:
        return Waits("no-subject", "an event about a child has this source's pseudonym for it")
    return None
