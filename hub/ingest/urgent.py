"""Quarantined records that may be urgent: what the front door is told of a record that nobody can read yet.

Source, reason and, where the sender signed it, their duty contact: never what it says. Whether it is urgent is judged
by the data under a good signature; where no signature holds, by what the bytes claim, because a forged urgent name
costs one telephone call and a missed one may cost a child. Where even the name cannot be read it may be urgent: one
line stands for all such records of a sender with the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        unread: set[tuple[str, str]] = set()
        found: list[Mapping[str, Any]] = []
        for row in waiting:
            judged, sender = self._judged[row.id], (row.caller, row.reason)
            if judged.urgent is False or (judged.urgent is None and sender in unread):
                continue
            unread |= {sender} if judged.urgent is None else set()
            found.append(
                {
                    "id": row.id, "at": row.at, "source": row.source or row.caller, "reason": row.reason,
                    "urgent": bool(judged.urgent), "ring": judged.ring,
                }
            )  # fmt: skip
        return found

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
