"""From what a mapping said to the exact bytes of an event: completed, checked, named. Seals nothing, sends nothing.

The bytes and the id of an event depend on the native record, the agency's settings and secrets, what was published of
this record and this child before, and who let it go; never on when, where or how often a file was read. So reading a
file again is harmless.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.kit.agency import Settings
from adapters.kit.home import Secrets
from adapters.kit.outcomes import Event, NativeRecord, Remark, Unmappable
from adapters.kit.placing import CORRECTS, Placed, Published, place_events
from adapters.kit.relevance import Gate, HeldBack, in_order_of_sealing
from adapters.kit.when import rfc3339
from schemas.catalogue import find_kind
from schemas.check import check_event
from schemas.envelope import REPORT

MAX_REMARKS = 100
PREVIOUS_UNKNOWN = Remark("previous-version-unknown", "", "It stands to an earlier event that was never published.")
ID_HEX = 32
LEVELS = "NRV"
SAID_BY = {"service": "urn", "service_name": "name", "service_kind": "kind", "controller": "controller"}
SAID_BY_ALSO = ("contact", "statement", "basis")

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ready:
    """An event that only needs sealing. `time` is RFC 3339 or None; `target` is the id of the earlier event that it
    stands to, `as_` how, both "" where there is none."""

    name: str
    id: str
    subject: str
    salt: bytes
    data: bytes
    time: str | None
    target: str = ""
    as_: str = ""
    type: str = REPORT


@dataclass(frozen=True, slots=True)
class Completed:
    """The events of a record that may go, in the order of their sealing, and the rule that holds others back, with the
    name of each of these and the pseudonym of whom it is about."""

    ready: tuple[Ready, ...] = ()
    held_back: str = ""
    held: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What completes every event of a record beside the record: settings, secrets, what was published, what may go."""

    settings: Settings
    secrets: Secrets
    published: Published
    gate: Gate


def canonical(value: Any) -> bytes:
    """JSON in one spelling: sorted names, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def get_version(record: NativeRecord) -> str:
    """The native version: the format's own, else the SHA-256 of the parsed record."""
    return record.version or hashlib.sha256(canonical(record.parsed)).hexdigest()


def make_name(secret: bytes, *parts: str | int) -> str:
    """32 hex digits that stand for these parts to nobody without the secret: HMAC-SHA256 over their JSON array."""
    return hmac.new(secret, canonical(list(parts)), hashlib.sha256).hexdigest()[:ID_HEX]


def make_subject(secret: bytes, system: str, person: str) -> str:
    """The source's pseudonym of a local person."""
    return make_name(secret, "subject", system, person)


def make_event_id(secret: bytes, record: NativeRecord, event_name: str, ordinal: int) -> str:
    """The id of the nth event of this name (from 0) that this version of this native record means."""
    return make_name(secret, "event", record.system, record.key, get_version(record), event_name, ordinal)


def make_salt(secret: bytes, event_id: str) -> bytes:
    """The 32 bytes that keep the seal's digest from being guessed, the same whenever the event is sealed."""
    return hmac.new(secret, event_id.encode("ascii"), hashlib.sha256).digest()


def with_subjects(record: NativeRecord, events: Iterable[Event], secrets: Secrets) -> list[tuple[Event, str]]:
    """Each event with the pseudonym of its person."""
    return [(event, make_subject(secrets.agency, record.system, event.person)) for event in events]


def complete_events(
    record: NativeRecord, events: Sequence[Event], remarks: tuple[Remark, ...], context: Context
) -> Completed | Unmappable:
    """All events of a record that may go made ready, or the first misfit: then none of them goes out."""
    if not all(event.person for event in events):  # all children without an id would become one
        return Unmappable("person", "The record has no local person id.")
    drafts: list[tuple[Placed, Data]] = []
    for placed in place_events(record, with_subjects(record, events, context.secrets), context.published):
        data = _complete_data(record, placed, remarks, context)
        if isinstance(data, Unmappable):
            return data
        drafts.append((placed, data))
    drafts = in_order_of_sealing(drafts)
    ready, held_back, held = [], "", []
    for (placed, data), relevance in zip(drafts, context.gate.judge(drafts), strict=True):
        if isinstance(relevance, HeldBack):
            held_back = held_back or relevance.rule
            held.append((placed.event.name, placed.subject))
            continue
        misfit = find_misfit(data | {"relevance": dict(relevance)})
        if misfit is not None:
            return misfit
        ready.append(_make_ready(record, placed, data | {"relevance": dict(relevance)}, context))
    return Completed(tuple(ready), held_back, tuple(held))


def _make_ready(record: NativeRecord, placed: Placed, data: Data, context: Context) -> Ready:
    event_id = make_event_id(context.secrets.agency, record, placed.event.name, placed.nth)
    return Ready(
        placed.event.name,
        event_id,
        placed.subject,
        make_salt(context.secrets.salt, event_id),
        canonical(data),
        read_time(placed.event.time),
        placed.target,
        placed.event.as_ if placed.target else "",
    )


def read_time(time: str | None) -> str | None:
    """A recording time as the statement has it. ValueError if it is no RFC 3339 instant."""
    return None if time is None else rfc3339(datetime.fromisoformat(time))


def _complete_data(
    record: NativeRecord, placed: Placed, remarks: tuple[Remark, ...], context: Context
) -> Data | Unmappable:
    """The whole data but for its relevance."""
    event = placed.event
    kind = find_kind(event.name)
    if kind is None:
        return Unmappable("event", f"No event of this name is in the catalogue: {event.name}.")
    try:
        time = read_time(event.time)
    except ValueError:
        return Unmappable("time", "The recording time is no RFC 3339 instant.")
    data: Data = {
        **event.data,
        "event": event.name,
        "version": kind.version,
        "partnership": context.settings["partnership"]["urn"],
        "origin": make_origin(record),
        "said_by": make_said_by(context.settings, event.data.get("said_by", {})),
    }
    data.setdefault("change", "new")
    if time is not None:  # the statement's time may not be ahead of the seal's; the data keeps what the source claims
        data.setdefault("recorded", time)
    if placed.of:
        data["label"] = _label_of_taken_back(placed.of, data.get("label", {}))
    if event.about and not placed.target and event.as_ == CORRECTS:
        return Unmappable("references", "It corrects an event that was never published.")
    unknown = _refer(placed, context, data)
    said = [*data.get("remarks", ()), *(remark.as_data() for remark in (*record.remarks, *remarks, *unknown))]
    if said:
        data["remarks"] = _without_repeats(said)[:MAX_REMARKS]
    return data


def _refer(placed: Placed, context: Context, data: Data) -> tuple[Remark, ...]:
    """Adds the reference to an earlier event of this source. Where that was never published (held back, or before our
    time) this event is the first the hub hears: it goes out as new, with a remark."""
    if placed.event.about is None:
        return ()
    if not placed.target:
        data["change"] = "new"
        return (PREVIOUS_UNKNOWN,)
    reference = {"source": context.settings["source"]["urn"], "id": placed.target, "as": placed.event.as_}
    data["references"] = [*data.get("references", ()), reference]
    return ()


def _label_of_taken_back(name: str, given: Data) -> Data:
    """That something was taken back is held as closely as the thing itself: its category, and its floor at least."""
    kind = find_kind(name)
    if kind is None:
        return given
    level = max(kind.floor, given.get("level", kind.floor), key=LEVELS.index)
    return {**given, "category": kind.category, "level": level}


def make_origin(record: NativeRecord) -> dict[str, str]:
    """Where it comes from: the record's own bytes are named by their digest, never the file around them."""
    origin = {
        "system": record.system,
        "record": record.key,
        "version": get_version(record),
        "format": record.format,
        "format_version": record.format_version,
        "raw_sha256": hashlib.sha256(record.raw).hexdigest(),
    }
    return {name: value for name, value in origin.items() if value}


def make_said_by(settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Who says so: the agency's `[service]` table, overlaid with what the mapping gave."""
    service = settings["service"]
    named = {name: service[setting] for name, setting in SAID_BY.items() if service.get(setting)}
    also = {name: service[name] for name in SAID_BY_ALSO if service.get(name)}
    return {**named, **also, **given}


def find_misfit(data: Mapping[str, Any]) -> Unmappable | None:
    """The first place where the data does not fit its schema, as an outcome that names the rule and never the value."""
    faults = check_event(data)
    if not faults:
        return None
    first = faults[0]
    more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
    return Unmappable(first.path or first.step, f"{first.rule}: {first.note}{more}")


def _without_repeats(remarks: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return list({canonical(remark): remark for remark in remarks}.values())
