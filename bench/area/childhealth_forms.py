"""The resources of a NEMS message about a child, and the message as FHIR JSON or XML. Draws nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from bench.area.naming import phone
from bench.area.people import Child

Json = dict[str, Any]

NHS = "https://fhir.nhs.uk/Id/nhs-number"
STU3 = "https://fhir.nhs.uk/STU3"
CARE_CONNECT = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-"
OWN = "https://fenwater.invalid/identifiers/"
ANCHORED = {"EpisodeOfCare": "episode", "Immunization": "immunisation"}


def write_message(bundle: Json, form: str) -> str:
    """The Bundle as FHIR JSON or XML."""
    if form == "json":
        return json.dumps(bundle, indent=1) + "\n"
    return f'<Bundle xmlns="http://hl7.org/fhir">{_members(bundle)}</Bundle>\n'


def _members(node: Json) -> str:
    parts = []
    for name, value in node.items():
        if name not in ("resourceType", "url"):
            parts += [_element(name, one) for one in (value if isinstance(value, list) else [value])]
    return "".join(parts)


def _element(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f"<{name} value={quoteattr(text)}/>"
    if "resourceType" in value:
        kind = value["resourceType"]
        return f"<{name}><{kind}>{_members(value)}</{kind}></{name}>"
    url = f" url={quoteattr(value['url'])}" if "url" in value else ""
    return f"<{name}{url}>{_members(value)}</{name}>"


def make_key(code: str, focus: Json, person: str) -> str:
    """What the adapter calls the record: the anchor's identifier, else the person's digest (they have no number)."""
    if kind := ANCHORED.get(focus["resourceType"]):
        return f"{code}:{OWN}{kind}|{focus['identifier'][0]['value']}"
    return f"{code}:{hashlib.sha256(f'nems|{person}'.encode()).hexdigest()[:20]}"


def make_id(child: Child, word: str) -> str:
    """A UUID that stands for this of the child."""
    text = hashlib.sha256(f"{child.id}\x1f{word}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def refer_to(child: Child, word: str) -> Json:
    """A reference to that resource of the same message."""
    return {"reference": f"urn:uuid:{make_id(child, word)}"}


def make_communication(child: Child, at: datetime, subject: str) -> Json:
    """The Communication that demographic messages are about."""
    return {
        "resourceType": "Communication", "id": make_id(child, f"communication{at}"), "status": "completed",
        "subject": refer_to(child, subject), "sent": f"{at:%Y-%m-%d}",
    }  # fmt: skip


def make_organisation(child: Child, word: str, code: str, name: str) -> Json:
    """An organisation with its ODS code."""
    return {
        "resourceType": "Organization", "id": make_id(child, word), "name": name,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": code}],
        "telecom": [{"system": "phone", "value": phone(200)}],
    }  # fmt: skip


def make_patient(child: Child, day: date, word: str, *, number: str, changed: date | None = None) -> Json:
    """A Patient as of a day; where something changed, also what held before."""
    home, names = child.home(day), [_name(child, day, "official")]
    addresses = [_address(home.line, home.town, home.postcode, "home")]
    if changed and home.since == changed:
        old = child.home(changed - timedelta(days=1))
        addresses[0]["period"] = {"start": changed.isoformat()}
        ended = _address(old.line, old.town, old.postcode, "old")
        addresses.append(ended | {"period": {"end": f"{changed - timedelta(days=1):%Y-%m-%d}"}})
    if changed and child.surnames[-1][0] == changed:
        before = changed - timedelta(days=1)
        names[0]["period"] = {"start": changed.isoformat()}
        names.append(_name(child, before, "old") | {"period": {"end": before.isoformat()}})
    verified = {"coding": [{"code": "01", "display": "Number present and verified"}]}
    status = {"url": f"{CARE_CONNECT}NHSNumberVerificationStatus-1", "valueCodeableConcept": verified}
    return {
        "resourceType": "Patient", "id": make_id(child, word),
        **({"identifier": [{"extension": [status], "system": NHS, "value": number}]} if number else {}),
        "name": names, "gender": "female" if child.sex == "F" else "male", "birthDate": child.born.isoformat(),
        "address": addresses,
    }  # fmt: skip


def _name(child: Child, day: date, use: str) -> Json:
    return {"use": use, "family": child.surname(day), "given": [child.given, child.middle]}


def _address(line: str, town: str, postcode: str, use: str) -> Json:
    return {"use": use, "line": [line, town], "postalCode": postcode}


def make_death(child: Child) -> Json:
    """That the child died, formally notified."""
    status = {"url": "deathNotificationStatus", "valueCodeableConcept": {"coding": [{"code": "2"}]}}
    told = {"url": f"{CARE_CONNECT}DeathNotificationStatus-1", "extension": [status]}
    return {"extension": [told], "deceasedDateTime": child.died.isoformat() if child.died else ""}


def make_header(child: Child, code: str, at: datetime, change: str, routed: Json, focus: str) -> Json:
    """The MessageHeader: routing, event and what it is about."""
    moment = f"{at:%Y-%m-%dT%H:%M:00}"
    numbers = [
        {"url": "nhsNumber", "valueIdentifier": {"system": NHS, "value": one["value"]}}
        for one in routed.get("identifier", ())
    ]
    routing = [
        *numbers,
        {"url": "name", "valueHumanName": {k: v for k, v in routed["name"][0].items() if k != "period"}},
        {"url": "birthDateTime", "valueDateTime": routed["birthDate"]},
    ]
    kind = {"coding": [{"system": f"{STU3}/CodeSystem/MessageEventType-1", "code": change}]}
    structures = f"{STU3}/StructureDefinition/Extension-"
    return {
        "resourceType": "MessageHeader", "id": make_id(child, f"header{code}{at}"), "meta": {"lastUpdated": moment},
        "extension": [
            {"url": f"{structures}RoutingDemographics-1", "extension": routing},
            {"url": f"{structures}MessageEventType-1", "valueCodeableConcept": kind},
        ],
        "event": {"system": f"{STU3}/CodeSystem/EventType-1", "code": code},
        "timestamp": moment, "source": {"name": "Invented sender", "endpoint": "urn:nhs:addressing:asid:999999999999"},
        "responsible": refer_to(child, "sender"), "focus": {"reference": f"urn:uuid:{focus}"},
    }  # fmt: skip
