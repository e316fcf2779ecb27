"""One record on its way in: what its envelope says, and the rows and remarks that are made of it. Decides nothing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from hub.domain.facts import Fact, Remark
from hub.ingest.misfit import FAULT, Waits, find_fault_of_form
from hub.rules.editions import NoEdition, get_edition
from hub.store.tables import InboxRow, ReceiptRow
from hub.store.upcasters import upcast
from schemas.envelope import REPORT, Opened, Refused, Registry, SealingKey, open_envelope

LOG = logging.getLogger("hub.ingest")


class Sent(NamedTuple):
    """One record as it came in, what its envelope says, and what can be told of it without the record before it.

    That is done before its turn, by every process at once.
    """

    raw: bytes
    digest: str
    opened: Opened | Refused
    form: Waits | None = None
    """What is wrong with its form."""
    late: Sequence[Remark] = ()

    @property
    def id(self) -> str:
        return self.opened.statement["id"] if self.opened.statement else ""


def open_record(raw: bytes, registry: Registry, unseal: SealingKey | None) -> Sent:
    """A record as it came, opened with these keys or refused."""
    try:
        opened = open_envelope(raw, registry, unseal=unseal)
    except Refused as refused:
        return Sent(raw, hashlib.sha256(raw).hexdigest(), refused)
    try:
        form = find_fault_of_form(opened)
        said = form is None and opened.statement["type"] == REPORT
        late = late_remarks(opened.data, opened.statement["recordedtime"]) if said else []
    except Exception as fault:  # one record that we stumble over stops no other
        source = opened.statement["source"]
        LOG.error("a record could not be looked at: source=%s fault=%s", source, type(fault).__name__)
        form, late = FAULT, []
    return Sent(raw, hashlib.sha256(raw).hexdigest(), opened, form, late)


def contract(opened: Opened) -> tuple[str, int]:
    """Name and version of what was sent; a heartbeat's are its type's, whatever stands in its data."""
    if opened.statement["type"] != REPORT:
        return opened.statement["type"].split(".")[2], 1
    return opened.data["event"], opened.data["version"]


def topic(opened: Opened) -> str:
    """What is stored beside the verbatim bytes: the contract that they were written to, not today's."""
    name, version = contract(opened)
    return f"{name}/v{version}"


def reported_fact(opened: Opened, stream: UUID, remarks: tuple[Remark, ...], at: str) -> Fact:
    """What was reported, as the domain takes it: brought to the current version of its contract."""
    statement = opened.statement
    name, version, data = upcast(*contract(opened), opened.data)
    return Fact(
        name=name, version=version, data=data, source=statement["source"], id=statement["id"],
        subject=statement["subject"], datadigest=statement["datadigest"], shared=statement["recordedtime"],
        admitted=at, remarks=remarks, stream=stream,
    )  # fmt: skip


def repeated(earlier: ReceiptRow, at: str) -> ReceiptRow:
    """The answer to the very same bytes, given now: the earlier one, and a duplicate where that was an admission."""
    outcome = "duplicate" if earlier.row["outcome"] == "admitted" else earlier.row["outcome"]
    return replace(earlier, row={**earlier.row, "outcome": outcome, "at": at})


def receipt_row(sent: Sent, opened: Opened, outcome: str, at: str) -> dict[str, object]:
    """The receipt of a record that came through, as a mapping; its place is filled in by the transaction."""
    return {
        "source": opened.statement["source"], "id": opened.statement["id"], "statement": opened.statement_sha256,
        "outcome": outcome, "reason": "", "position": None, "at": at, "cursor": 0, "record": sent.digest,
    }  # fmt: skip


def inbox_row(opened: Opened, index: int) -> InboxRow:
    """What makes this event count once; `index` is its fact's in the batch."""
    said = opened.statement
    return InboxRow(said["source"], said["id"], said["datadigest"], said["subject"], opened.statement_sha256, index)


def said_in(opened: Opened | Refused) -> tuple[dict[str, str], bytes] | None:
    """What a source really said, if its signature held."""
    if opened.statement is None or opened.statement_bytes is None:
        return None
    return opened.statement, opened.statement_bytes


def late_remarks(data: Mapping[str, Any], shared: str) -> list[Remark]:
    """Shared long after it happened: a remark with the edition that says how long is long. Never a refusal."""
    happened = data.get("happened", {})
    if happened.get("precision") not in ("instant", "day") or "from" not in happened:
        return []
    edition = _late_by(happened["from"][:10], shared[:10])
    return [Remark("late", edition)] if edition else []


@lru_cache(maxsize=4096)
def _late_by(happened: str, shared: str) -> str:
    """The edition by which what happened on the one day is late on the other; "" where it is not."""
    try:
        on = date.fromisoformat(happened)
        edition = get_edition("late-sharing", on)
    except (ValueError, NoEdition):
        return ""
    return str(edition) if (date.fromisoformat(shared) - on).days > edition.limit else ""
