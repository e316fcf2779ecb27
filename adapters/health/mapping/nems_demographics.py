"""What changed about a child in the Personal Demographics Service: name, address, GP practice.

A change is a difference: against the name or address that this message marks as ended, or against the child's previous
message of the same kind. A message without any difference is no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.health.mapping.child import Data, plain, without_empty
from adapters.health.mapping.nems_child import current, ended, read_address, read_name
from adapters.health.mapping.shape import Draft
from adapters.health.record.nems import Message, Node, coding, every, extension, first, tidy
from adapters.kit.outcomes import NoEvent
from adapters.kit.when import When, of_nothing, read_iso

Settings = Mapping[str, Any]
PRIMARY_CARE = "1"  # EMS-PDS-PatientCareProvisionType-1


def record_change(message: Message, before: Message | None, settings: Settings) -> tuple[Draft, ...] | NoEvent:
    """pds-record-change-1: a new name, a new address, or both."""
    drafts = [d for d in (_name_change(message, before), _address_change(message, before)) if d is not None]
    return tuple(drafts) or NoEvent("no-difference")


def address_change(message: Message, before: Message | None, settings: Settings) -> tuple[Draft, ...] | NoEvent:
    """pds-change-of-address-1. A restricted record says that the address changed, never where to."""
    draft = _restricted_move() if message.restricted else _address_change(message, before)
    return (draft,) if draft is not None else NoEvent("no-difference")


def practice_change(message: Message, before: Message | None, settings: Settings) -> tuple[Draft, ...]:
    """pds-change-of-gp-1. A restricted record says "a GP practice" and no more."""
    old, since = _old_practice(message)
    shown = {"restricted": True} if message.restricted else {"from_practice": old, "to_practice": _practice(message)}
    draft = Draft(
        name="registration-changed",
        happened=since,
        details=shown,
        summary="The child is registered with another GP practice.",
        statement="told-by",
        place={"kind": "surgery", "precision": "none"},
    )
    return (draft,)


def _name_change(message: Message, before: Message | None) -> Draft | None:
    names = list(every(message.child, "name"))
    now = _official(current(names, message.timestamp))
    earlier = _official(current(list(every(before.child, "name")), before.timestamp)) if before else {}
    old = earlier or next((read_name(n) for n in ended(names, message.timestamp)), {})
    if not now or not old or _same_name(now, old):
        return None
    return Draft(
        name="name-changed",
        happened=read_iso(str(now.get("from") or old.get("until", ""))),
        details={
            "from_family": old.get("family"),
            "from_given": old.get("given"),
            "to_family": now.get("family"),
            "to_given": now.get("given"),
        },
        summary="The child's name was changed in the national record.",
        statement="told-by",
    )


def _official(names: list[Node]) -> Data:
    """The name in force: usual, then official, then any that is neither nickname nor temporary."""
    for uses in (("usual",), ("official",), ("", "maiden")):
        for name in names:
            if tidy(name, "use") in uses:
                return read_name(name)
    return {}


def _same_name(one: Data, other: Data) -> bool:
    def key(name: Data) -> tuple[str, list[str]]:
        return plain(name.get("family", "")), [plain(g) for g in name.get("given", [])]

    return key(one) == key(other)


def _address_change(message: Message, before: Message | None) -> Draft | None:
    if message.restricted:
        return None
    addresses = list(every(message.child, "address"))
    now = next((read_address(a) for a in current(addresses, message.timestamp)), {})
    earlier = current(list(every(before.child, "address")), before.timestamp) if before else []
    old = next((read_address(a) for a in [*earlier, *ended(addresses, message.timestamp)]), {})
    if not now or not old or _place_of(now) == _place_of(old):
        return None
    moved = read_iso(str(now.get("from") or old.get("until", "")))
    kinds = {"home": "home", "temp": "temporary"}
    return Draft(
        name="address-changed",
        happened=moved,
        details={"moved": moved.first, "kind": kinds.get(now.get("use", ""), "not-stated")},
        summary="The child's address was changed in the national record.",
        statement="told-by",
    )


def _restricted_move() -> Draft:
    return Draft(
        name="address-changed",
        happened=of_nothing(),
        details={},
        summary="The child's address was changed; it is withheld.",
        statement="told-by",
    )


def _place_of(address: Data) -> tuple[str, str]:
    return plain("".join(address.get("lines", []))), plain(address.get("postcode", ""))


def _practice(message: Message) -> Data:
    return _named(message, message.child, "generalPractitioner")


def _old_practice(message: Message) -> tuple[Data, When]:
    """The practice left, and when the registration changed: the new one's start, else the old one's end."""
    registered = extension(extension(message.child, "RegistrationDetails-1"), "registrationPeriod")
    started = tidy(first(registered, "valuePeriod"), "start")
    for episode in message.all_of("EpisodeOfCare"):
        kinds = {code for _, code, _ in coding(episode, "type.coding")}
        if PRIMARY_CARE in kinds and tidy(episode, "status") == "finished":
            left = _named(message, episode, "managingOrganization")
            return left, read_iso(started or tidy(episode, "period.end"), "EpisodeOfCare.period")
    return {}, read_iso(started, "Patient.registrationPeriod")


def _named(message: Message, node: Any, path: str) -> Data:
    """{code, name} of an organisation a reference points to, in this Bundle or the national directory."""
    organisation = message.resolve(node, path)
    ods = next((tidy(i, "value") for i in every(organisation, "identifier")), "")
    reference = tidy(node, f"{path}.reference")
    ods = ods or (reference.rsplit("/", 1)[-1] if "/Organization/" in reference else "")
    return without_empty({"name": tidy(organisation, "name") or tidy(node, f"{path}.display"), "code": ods})
