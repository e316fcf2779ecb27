"""The child of a NEMS message, and whether header and patient speak of two different people.

Restricted (v3-Confidentiality R): identifier, names, birth date and sex only; no address, GP or related person
(PDS integration guidance: a person with a restricted record must not be found by address).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.health.mapping.child import (
    Data,
    Description,
    add_address,
    add_name,
    add_nhs_number,
    plain,
    read_day,
    set_birth_date,
    set_sex,
    without_empty,
)
from adapters.health.record.nems import Message, Node, coding, every, extension, first, tidy
from adapters.kit.outcomes import Remark

VERIFIED = {"01", "number-present-and-verified"}
NAME_USES = {"usual", "official", "old", "temp", "nickname", "anonymous", "maiden"}
ADDRESS_USES = {"home", "temp", "old", "work"}
TELL_OLD_ADDRESS = {"pds-change-of-address-1", "pds-record-change-1", "pds-record-changed-1"}
BIRTH_DATE_DIFFERS = Remark(
    "birth-date-differs", "RoutingDemographics", "Header and patient give different birth dates; the patient's is used."
)
NUMBER_DIFFERS = Remark("routing-number-differs", "RoutingDemographics", "Name and birth date are the patient's.")
NAME_DIFFERS = Remark("name-differs", "RoutingDemographics", "The number is the patient's.")


def describe_child(message: Message, settings: Mapping[str, Any]) -> Description:
    """The Patient the message is about, as far as may leave."""
    patient = message.child or {}
    found = Description()
    for identifier in every(patient, "identifier"):
        status = first(extension(identifier, "NHSNumberVerificationStatus-1"), "valueCodeableConcept")
        codes = [code for _, code, _ in coding(status)]
        if tidy(identifier, "system") == "https://fhir.nhs.uk/Id/nhs-number":
            verified = bool(VERIFIED & set(codes)) if codes else None
            add_nhs_number(found, tidy(identifier, "value"), settings, "Patient.identifier", verified)
    for name in every(patient, "name"):
        add_name(found, read_name(name))
    set_birth_date(found, tidy(patient, "birthDate") or message.routing.birth, "Patient.birthDate")
    set_sex(found, tidy(patient, "gender"))
    if not message.restricted:
        addresses = list(every(patient, "address"))
        for address in current(addresses, message.timestamp):
            add_address(found, read_address(address))
        for address in ended(addresses, message.timestamp) if message.event_code in TELL_OLD_ADDRESS else ():
            add_address(found, read_address(address) | {"use": "old"})
    found.remarks.extend(_remarks_on_routing(message))
    return found


def is_conflict(message: Message) -> bool:
    """Do header and patient name two different people: other number, and a contradicting name or birth date?

    A birth is routed under the mother's number: that is no conflict while she is in the message.
    """
    routing, patient = message.routing, message.child or {}
    number = message.nhs_number_of(patient)
    if not routing.nhs_number or routing.nhs_number == number or _is_mothers(message):
        return False
    return _name_contradicts(message) or (bool(number) and _birth_differs(message))


def _remarks_on_routing(message: Message) -> list[Remark]:
    if _is_mothers(message):
        return []
    number = message.nhs_number_of(message.child or {})
    remarks = [BIRTH_DATE_DIFFERS] if _birth_differs(message) else []
    if message.routing.nhs_number and number and number != message.routing.nhs_number:
        remarks.append(NUMBER_DIFFERS)
    elif _name_contradicts(message):
        remarks.append(NAME_DIFFERS)
    return remarks


def _is_mothers(message: Message) -> bool:
    """A birth whose header carries the number of another patient in the message."""
    others = [p for p in message.all_of("Patient") if p is not message.child]
    return message.event_code.startswith("pds-birth") and any(
        message.nhs_number_of(p) == message.routing.nhs_number for p in others
    )


def _name_contradicts(message: Message) -> bool:
    """No name of the patient agrees with the header's; unknown parts contradict nothing."""
    routed = read_name(message.routing.name)
    names = [read_name(name) for name in every(message.child, "name")]
    return bool(routed) and bool(names) and not any(_agree(routed, name) for name in names)


def _agree(one: Data, other: Data) -> bool:
    families = {plain(n["family"]) for n in (one, other) if n.get("family")}
    given = {plain(n["given"][0]) for n in (one, other) if n.get("given")}
    return len(families) <= 1 and len(given) <= 1


def _birth_differs(message: Message) -> bool:
    days = [tidy(message.child, "birthDate")[:10], message.routing.birth[:10]]
    return all(len(day) == 10 for day in days) and days[0] != days[1]


def read_name(name: Any) -> Data:
    """A HumanName as the canonical event carries it; prefix, suffix and text are not taken."""
    use = tidy(name, "use")
    parts = {
        "family": tidy(name, "family"),
        "given": [g.strip() for g in every(name, "given") if isinstance(g, str) and g.strip()],
        "use": use if use in NAME_USES else "",
        "from": read_day(tidy(name, "period.start")),
        "until": read_day(tidy(name, "period.end")),
    }
    return without_empty(parts)


def read_address(address: Any) -> Data:
    use = tidy(address, "use")
    lines = [text.strip() for text in every(address, "line") if isinstance(text, str) and text.strip()]
    parts = {
        "lines": [*lines, *filter(None, (tidy(address, "city"), tidy(address, "district")))],
        "postcode": tidy(address, "postalCode").upper(),
        "use": use if use in ADDRESS_USES else "",
        "from": read_day(tidy(address, "period.start")),
        "until": read_day(tidy(address, "period.end")),
    }
    return without_empty(parts)


def current(elements: list[Any], at: str) -> list[Node]:
    """The names or addresses that hold at a time: by their dates, never by their order; `old` never holds."""
    day = at[:10]
    holding = [
        e
        for e in elements
        if isinstance(e, Mapping)
        and tidy(e, "use") != "old"
        and not (day and tidy(e, "period.end") and tidy(e, "period.end")[:10] < day)
        and not (day and tidy(e, "period.start") and tidy(e, "period.start")[:10] > day)
    ]
    return sorted(holding, key=lambda e: tidy(e, "period.start"), reverse=True)


def ended(elements: list[Any], at: str) -> list[Node]:
    """The others, the last to end first."""
    holding = current(elements, at)
    past = [e for e in elements if isinstance(e, Mapping) and not any(e is h for h in holding)]
    return sorted(past, key=lambda e: tidy(e, "period.end"), reverse=True)
