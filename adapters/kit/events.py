"""From what a mapping said to the exact bytes of an event: completed, checked, named. Seals nothing, sends nothing.

The bytes and the id of an event depend on the native record, the agency's settings and secrets, and who or what let it
go; never on when, where or how often a file was read. So reading a file again is harmless.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.kit.agency import Settings
from adapters.kit.home import Secrets
from adapters.kit.outcomes import Event, NativeRecord, Remark, Unmappable
from adapters.kit.when import rfc3339
from schemas.catalogue import find_kind
from schemas.check import check_event

MAX_REMARKS = 100
PREVIOUS_UNKNOWN = Remark("previous-version-unknown", "", "It stands to an earlier event that was never published.")
ID_HEX = 32
SAID_BY = {"service": "urn", "service_name": "name", "service_kind": "kind", "controller": "controller"}
SAID_BY_ALSO = ("contact", "statement", "basis")

FindPublished = Callable[[str, str, int], str | None]
"""(system, native key, ordinal) -> id of the event last published for it, or None."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An event that only needs sealing. `ordinal` is its place in its record; `time` is RFC 3339 or None."""

    name: str
    id: str
    subject: str
    salt: bytes
    data: bytes
    time: str | None
    ordinal: int


@dataclass(frozen=True, slots=True)
class Context:
    """What completes every event of a record beside the record: settings, secrets, relevance, earlier ids."""

    settings: Settings
    secrets: Secrets
    relevance: Mapping[str, Any]
    find_published: FindPublished


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


def complete_events(
    record: NativeRecord, events: Sequence[Event], remarks: tuple[Remark, ...], context: Context
) -> list[Ready] | Unmappable:
    """All events of a record made ready, or the first misfit: then none of them goes out.

    What would take back an event that was never published is left out: there is nothing to take back.
    """
    ready: list[Ready] = []
    of_name: dict[str, int] = {}
    for ordinal, event in enumerate(events):
        nth = of_name.get(event.name, 0)
        of_name[event.name] = nth + 1
        if event.as_ == "retracts" and event.about and context.find_published(record.system, *event.about) is None:
            continue
        done = _complete(record, event, remarks, context, ordinal, nth)
        if isinstance(done, Unmappable):
            return done
        ready.append(done)
    return ready


def _complete(
    record: NativeRecord, event: Event, remarks: tuple[Remark, ...], context: Context, ordinal: int, nth: int
) -> Ready | Unmappable:
    if not event.person:  # all children without an id would become one
        return Unmappable("person", "The record has no local person id.")
    time = _read_time(event.time)
    if isinstance(time, Unmappable):
        return time
    data = _complete_data(record, event, remarks, context, time)
    if isinstance(data, Unmappable):
        return data
    misfit = find_misfit(data)
    if misfit is not None:
        return misfit
    event_id = make_event_id(context.secrets.agency, record, event.name, nth)
    subject = make_subject(context.secrets.agency, record.system, event.person)
    salt = make_salt(context.secrets.salt, event_id)
    return Ready(event.name, event_id, subject, salt, canonical(data), time, ordinal)


def _read_time(time: str | None) -> str | Unmappable | None:
    if time is None:
        return None
    try:
        return rfc3339(datetime.fromisoformat(time))
    except ValueError:
        return Unmappable("time", "The recording time is no RFC 3339 instant.")


def _complete_data(
    record: NativeRecord, event: Event, remarks: tuple[Remark, ...], context: Context, time: str | None
) -> dict[str, Any] | Unmappable:
    kind = find_kind(event.name)
    if kind is None:
        return Unmappable("event", f"No event of this name is in the catalogue: {event.name}.")
    data: dict[str, Any] = {
        **event.data,
        "event": event.name,
        "version": kind.version,
        "partnership": context.settings["partnership"]["urn"],
        "origin": make_origin(record),
        "said_by": make_said_by(context.settings, event.data.get("said_by", {})),
        "relevance": dict(context.relevance),
    }
    data.setdefault("change", "new")
    if time is not None:  # the statement's time may not be ahead of the seal's; the data keeps what the source claims
        data.setdefault("recorded", time)
    unknown = _refer(record, event, context, data)
    said = [*data.get("remarks", ()), *(remark.as_data() for remark in (*record.remarks, *remarks, *unknown))]
    if said:
        data["remarks"] = _without_repeats(said)[:MAX_REMARKS]
    return data


def _refer(record: NativeRecord, event: Event, context: Context, data: dict[str, Any]) -> tuple[Remark, ...]:
    """Adds the reference to an earlier event of this source. Where that was never published (held back, or before our
    time) this event is the first the hub hears: it goes out as new, with a remark."""
    if event.about is None:
        return ()
    earlier = context.find_published(record.system, *event.about)
    if earlier is None:
        data["change"] = "new"
        return (PREVIOUS_UNKNOWN,)
    reference = {"source": context.settings["source"]["urn"], "id": earlier, "as": event.as_}
    data["references"] = [*data.get("references", ()), reference]
    return ()


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
