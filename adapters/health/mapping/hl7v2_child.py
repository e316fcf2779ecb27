"""The child of an ADT message (PID), as far as may leave. Where the location is hidden (ZU8-4) no address is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.health.mapping.child import (
    Data,
    Description,
    add_address,
    add_local_number,
    add_name,
    add_nhs_number,
    set_birth_date,
    set_sex,
    without_empty,
)
from adapters.health.record.hl7v2 import Visit, component


def describe_child(visit: Visit, settings: Mapping[str, Any]) -> Description:
    """PID as far as may leave. With the location hidden (ZU8-4) no address is read at all."""
    found = Description()
    verified = {"01": True}.get(visit.text("PID", 32))
    for number in visit.nhs_numbers:
        add_nhs_number(found, number, settings, "PID-3", verified)
    for number in visit.local_numbers[:1]:
        add_local_number(found, number, settings, "mrn")
    for name in visit.repetitions("PID", 5):
        add_name(found, read_name(name))
    set_birth_date(found, visit.text("PID", 7), "PID-7")
    set_sex(found, visit.text("PID", 8))
    if not visit.location_hidden:
        for address in visit.repetitions("PID", 11):
            add_address(found, read_address(address))
    return found


def read_name(name: list[Any]) -> Data:
    """An XPN: family, given and middle names. Suffix, prefix and degree are not taken."""
    uses = {"L": "official", "D": "usual", "M": "maiden", "N": "nickname", "A": "nickname", "CURRENT": "official"}
    given = [part for part in (component(name, 2), component(name, 3)) if part]
    return without_empty(
        {
            "family": component(name, 1),
            "given": given,
            "use": uses.get((component(name, 7) or component(name, 8)).upper(), ""),
        }
    )


def read_address(address: list[Any]) -> Data:
    uses = {"H": "home", "HOME": "home", "C": "temp", "B": "work", "O": "work", "BA": "old"}
    return without_empty(
        {
            "lines": [part for part in (component(address, n) for n in (1, 2, 3, 4)) if part],
            "postcode": component(address, 5).upper(),
            "use": uses.get(component(address, 7).upper(), ""),
        }
    )
