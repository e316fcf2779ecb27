"""Quarantined records that may be urgent: what the front door is told of a record that nobody can read yet.

Source, reason and, where the sender signed it, their duty contact: never what it says. Whether it is urgent is judged
by the data under a good signature; where no signature holds, by what the bytes claim, because a forged urgent name
costs one telephone call and a missed one may cost a child. Where even the name cannot be read it may be urgent.

Of a sender's urgent records with the same reason the first few have a line each, and one line stands for the rest, as
one does for all that cannot be read: however many one sender has waiting, they bury nobody else's. That line goes by
its newest record, so each that comes is an item that nobody has opened yet; it says how many it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.ingest.admission import Admission
from hub.ingest.quarantine import Quarantine
from hub.store.tables import QuarantineRow
from schemas.catalogue import KINDS
from schemas.envelope import REPORT, Opened, Refused, open_envelope
from schemas.rules import is_urgent
from schemas.strict import b64url_decode, strict_json

CONTACT = ("name", "role", "phone")
LONGEST = 200
RECORD_LIMIT = 1 << 20
EACH_ALONE = 5
"""Urgent records of one sender with one reason that have a line of their own, the oldest."""


@dataclass(frozen=True, slots=True)
class _Judged:
    urgent: bool | None
    """None where its name cannot be read."""
    ring: Mapping[str, str] = field(default_factory=dict)


class UrgentWaiting:
    """What waits and may be urgent; each record is opened once in a process."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self._judged: dict[str, _Judged] = {}

    def list(self) -> list[Mapping[str, Any]]:
        """Oldest first. Errors: `KeyAway`."""
        quarantine = self.admission.quarantine
        waiting = quarantine.list()
        self._judged = {row.id: self._judged.get(row.id) or self._judge(quarantine, row) for row in waiting}
        lines: dict[tuple[str, str, bool], list[list[QuarantineRow]]] = {}
        for row in waiting:
            urgent = self._judged[row.id].urgent
            if urgent is not False:
                theirs = lines.setdefault((row.caller, row.reason, bool(urgent)), [])
                if len(theirs) <= (EACH_ALONE if urgent else 0):
                    theirs.append([row])
                else:
                    theirs[-1].append(row)
        found = [self._line(rows) for theirs in lines.values() for rows in theirs]
        return sorted(found, key=lambda one: (one["at"], one["id"]))

    def _line(self, rows: Sequence[QuarantineRow]) -> Mapping[str, Any]:
        """One line for these records of one sender, the newest last."""
        last, judged = rows[-1], self._judged[rows[-1].id]
        return {
            "id": last.id, "at": rows[0].at, "source": last.source or last.caller, "reason": last.reason,
            "urgent": bool(judged.urgent), "ring": judged.ring,
            **({"records": len(rows), "newest": last.at} if len(rows) > 1 else {}),
        }  # fmt: skip

    def _judge(self, quarantine: Quarantine, row: QuarantineRow) -> _Judged:
        if not row.key:
            return _Judged(None)  # beyond the sender's quota only its digest was kept
        raw = quarantine.open(row.id)[1]
        try:
            opened = open_envelope(raw, self.admission.keyring.event_key, unseal=self.admission.unseal)
        except Refused:
            return _Judged(_claimed(raw))
        if opened.statement["type"] != REPORT:
            return _Judged(False)
        return _Judged(_is_urgent(opened.data), _ring(opened))


def _is_urgent(data: Mapping[str, Any]) -> bool | None:
    return is_urgent(data) if str(data.get("event")) in KINDS else None


def _claimed(raw: bytes) -> bool | None:
    """What bytes say of themselves under no signature; None where they are sealed or are no record."""
    try:
        data = strict_json(b64url_decode(strict_json(raw, RECORD_LIMIT)["data"].encode()), RECORD_LIMIT)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return _is_urgent(data)


def _ring(opened: Opened) -> Mapping[str, str]:
    """The duty contact that its sender signed."""
    said = opened.data.get("said_by")
    contact = said.get("contact") if isinstance(said, dict) else None
    if not isinstance(contact, dict):
        return {}
    return {name: contact[name][:LONGEST] for name in CONTACT if isinstance(contact.get(name), str)}
