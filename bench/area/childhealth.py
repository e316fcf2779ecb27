"""What the child health service and the demographics service say of a family, as NEMS messages, one a file.

Births under the mother's number, health visitors, vaccinations, changes of name, address and practice, deaths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from bench.area.draw import Draw
from bench.area.feeds import CHIS
from bench.area.hospital import AGAIN, again
from bench.area.naming import mothers_number, phone
from bench.area.people import Child, Family, Period
from bench.area.rates import get_rates
from bench.area.records import Meant, Piece, Recorded

Json = dict[str, Any]

NHS = "https://fhir.nhs.uk/Id/nhs-number"
STU3 = "https://fhir.nhs.uk/STU3"
CARE_CONNECT = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-"
OWN = "https://fenwater.invalid/identifiers/"
SURGERIES = (("ZZG01", "ALDERBECK SURGERY"), ("ZZG11", "BIRCHWATER PRACTICE"), ("ZZG12", "COBBLEGATE SURGERY"))
HEALTH_VISITOR = {
    "system": "http://snomed.info/sct", "code": "1078501000000104", "display": "Health visiting service",
}  # fmt: skip
VISITED_UNTIL = 5
ANCHORED = {"EpisodeOfCare": "episode", "Immunization": "immunisation"}


def child_health(family: Family, seed: int, period: Period) -> Iterator[Piece]:
    """Every message about one family."""
    draw = Draw(seed, "child health", family.index)
    for child in family.children:
        told = _Told(child, draw, period)
        yield from told.birth(family)
        yield from told.health_visitor()
        yield from told.vaccination()
        yield from told.changes()
        yield from told.death()
        yield from told.routine()


class _Told:
    """Messages about one child."""

    def __init__(self, child: Child, draw: Draw, period: Period) -> None:
        self.child, self.draw, self.period = child, draw, period

    def birth(self, family: Family) -> Iterator[Piece]:
        child = self.child
        if not self.period.start <= child.born < self.period.end:
            return
        at = self._at(child.born + timedelta(days=1 + self.draw.below(3)))
        mother = _patient(child, at.date(), "mother", number=mothers_number(family.index))
        mother |= {"name": [{"use": "official", "family": child.surname(at.date()), "given": ["Isolde"]}]}
        mother["birthDate"] = f"{child.born - timedelta(days=10_500):%Y-%m-%d}"
        related = {
            "resourceType": "RelatedPerson", "id": _id(child, "related"), "patient": _to(_id(child, "patient")),
            "relationship": {"coding": [{"system": f"{STU3}/CodeSystem/PersonRelationshipType-1", "code": "12"}]},
        }  # fmt: skip
        subject = _communication(child, at, mother["id"])
        piece = self._piece(
            "pds-birth-notification-1", at, "new", subject, [mother, related], [Meant("birth-notified", child.born)],
            routed=mother,
        )  # fmt: skip
        yield piece
        if self.draw.happens(get_rates()["duplicate"]):
            yield again(piece, AGAIN)

    def health_visitor(self) -> Iterator[Piece]:
        child, first = self.child, self.child.born + timedelta(days=12)
        since = first if self.period.of(first, first + timedelta(days=1)) else None
        over = child.birthday(VISITED_UNTIL)
        if since and not (child.died and child.died <= since):
            yield self._visiting(since, None, [Meant("involvement-started", since)])
        if self.period.of(over, over + timedelta(days=1)) and not child.died:
            yield self._visiting(first, over, [Meant("involvement-ended", over)])

    def _visiting(self, since: date, until: date | None, meant: list[Meant]) -> Piece:
        at = self._at((until or since) + timedelta(days=1))
        dates = {"start": since.isoformat()} | ({"end": until.isoformat()} if until else {})
        episode = {
            "resourceType": "EpisodeOfCare", "id": _id(self.child, "episode"),
            "identifier": [{"system": f"{OWN}episode", "value": f"FHV-{self.child.index}"}],
            "status": "finished" if until else "active", "type": [{"coding": [HEALTH_VISITOR]}],
            "patient": _to(_id(self.child, "patient")), "managingOrganization": _to(_id(self.child, "sender")),
            "period": dates,
        }  # fmt: skip
        change = "update" if until else "new"
        return self._piece("professional-contacts-1", at, change, episode, [], meant)

    def vaccination(self) -> Iterator[Piece]:
        child, rates = self.child, get_rates()
        day = child.birthday(1) + timedelta(days=10 + self.draw.below(60))
        if not self.period.of(day, day + timedelta(days=1)) or (child.died and child.died <= day):
            return
        missed, back = self.draw.happens(rates["vaccine_not_given"]), self.draw.happens(rates["cancelled"])
        yield self._given(day, "new", missed, [Meant("immunisation-not-given", day, back)] if missed else [])
        if missed and back:
            at = self._at(day + timedelta(days=9)).date()
            yield self._given(day, "delete", missed, [Meant("retraction-made", at)], at, "retracted")

    def _given(
        self, day: date, change: str, missed: bool, meant: list[Meant], at: date | None = None, planted: str = ""
    ) -> Piece:
        procedure = {"system": "http://snomed.info/sct", "code": "308081000000105", "display": "Measles vaccination"}
        shot = {
            "resourceType": "Immunization", "id": _id(self.child, "shot"),
            "extension": [{
                "url": f"{CARE_CONNECT}VaccinationProcedure-1", "valueCodeableConcept": {"coding": [procedure]},
            }],
            "identifier": [{"system": f"{OWN}immunisation", "value": f"FIM-{self.child.index}"}],
            "status": "entered-in-error" if change == "delete" else "completed", "notGiven": missed,
            "patient": _to(_id(self.child, "patient")), "date": day.isoformat(),
            **({"explanation": {"reasonNotGiven": [{"coding": [
                {"system": "http://snomed.info/sct", "code": "310376006"}]}]}} if missed else {}),
        }  # fmt: skip
        planted = planted or ("" if missed else "vaccination-given")
        return self._piece("vaccinations-1", self._at(at or day), change, shot, [], meant, planted=planted)

    def changes(self) -> Iterator[Piece]:
        child, living = self.child, self.child.lives(self.period)
        if living is None:
            return
        for home in child.homes[1:]:
            if living[0] < home.since < living[1]:
                at = self._at(home.since + timedelta(days=2 + self.draw.below(12)))
                yield self._change("pds-change-of-address-1", at, [Meant("address-changed", home.since)], home.since)
                if self.draw.happens(0.6):
                    yield self._practice(at + timedelta(days=5), home.since)
        for since, _ in child.surnames[1:]:
            if living[0] < since < living[1]:
                at = self._at(since + timedelta(days=3))
                yield self._change("pds-record-change-1", at, [Meant("name-changed", since)], since)

    def _change(self, code: str, at: datetime, meant: list[Meant], since: date) -> Piece:
        subject = _communication(self.child, at, _id(self.child, "patient"))
        return self._piece(code, at, "update", subject, [], meant, since=since)

    def _practice(self, at: datetime, since: date) -> Piece:
        place, left = self.child.family % 3, since - timedelta(days=1)
        surgeries = [_organisation(self.child, word, *SURGERIES[(place + n) % 3]) for n, word in enumerate(("old", "gp"))]
        episode = {
            "resourceType": "EpisodeOfCare", "id": _id(self.child, "primary"), "status": "finished",
            "type": [{"coding": [
                {"system": f"{STU3}/CodeSystem/EMS-PDS-PatientCareProvisionType-1", "code": "1"}]}],
            "patient": _to(_id(self.child, "patient")), "managingOrganization": _to(_id(self.child, "old")),
            "period": {"end": left.isoformat()},
        }  # fmt: skip
        subject = _communication(self.child, at, _id(self.child, "patient"))
        meant = [Meant("registration-changed", left)]
        return self._piece("pds-change-of-gp-1", at, "update", subject, [*surgeries, episode], meant)

    def death(self) -> Iterator[Piece]:
        if (died := self.child.died) is None:
            return
        at = self._at(died + timedelta(days=2))
        subject = _communication(self.child, at, _id(self.child, "patient"))
        meant = [Meant("child-died", died)]
        yield self._piece("pds-death-notification-1", at, "new", subject, [], meant)

    def routine(self) -> Iterator[Piece]:
        """A newborn's hearing test: out of the hub's purpose."""
        day = self.child.born + timedelta(days=4)
        if self.period.of(day, day + timedelta(days=1)) and not self.child.died and self.draw.happens(0.3):
            at = self._at(day)
            subject = _communication(self.child, at, _id(self.child, "patient"))
            yield self._piece("newborn-hearing-1", at, "new", subject, [], [], planted="out-of-purpose")

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, time(9 + self.draw.below(8), self.draw.below(60)))

    def _piece(
        self, code: str, at: datetime, change: str, focus: Json, others: list[Json], meant: list[Meant], *,
        routed: Json | None = None, since: date | None = None, planted: str = "",
    ) -> Piece:  # fmt: skip
        child, day = self.child, at.date()
        patient = _patient(child, day, "patient", number=child.nhs, changed=since)
        if code == "pds-death-notification-1":
            patient |= _died(child)
        if code == "pds-change-of-gp-1":
            patient["generalPractitioner"] = [_to(_id(child, "gp"))]
        header = _header(child, code, at, change, routed or patient, focus["id"])
        entries = [header, focus, patient, *others, _organisation(child, "sender", "ZZF", CHIS.service_name)]
        bundle = {
            "resourceType": "Bundle", "id": _id(child, f"{code}{at}"), "type": "message",
            "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in entries],
        }  # fmt: skip
        described = child.described(CHIS.name, day, nhs=child.nhs, since=since and since - timedelta(days=1))
        person = child.nhs or patient["id"]
        record = Recorded(_key(code, focus, person), child.id, person, meant, described, planted=planted)
        return Piece(CHIS.name, at, "xml" if child.index % 2 else "json", bundle, [record])


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


def _key(code: str, focus: Json, person: str) -> str:
    """What the adapter calls the record: the anchor's identifier, else the person's digest (they have no number)."""
    if kind := ANCHORED.get(focus["resourceType"]):
        return f"{code}:{OWN}{kind}|{focus['identifier'][0]['value']}"
    return f"{code}:{hashlib.sha256(f'nems|{person}'.encode()).hexdigest()[:20]}"


def _id(child: Child, word: str) -> str:
    text = hashlib.sha256(f"{child.id}\x1f{word}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _to(resource: str) -> Json:
    return {"reference": f"urn:uuid:{resource}"}


def _communication(child: Child, at: datetime, subject: str) -> Json:
    return {
        "resourceType": "Communication", "id": _id(child, f"communication{at}"), "status": "completed",
        "subject": _to(subject), "sent": f"{at:%Y-%m-%d}",
    }  # fmt: skip


def _organisation(child: Child, word: str, code: str, name: str) -> Json:
    return {
        "resourceType": "Organization", "id": _id(child, word), "name": name,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": code}],
        "telecom": [{"system": "phone", "value": phone(200)}],
    }  # fmt: skip


def _patient(child: Child, day: date, word: str, *, number: str, changed: date | None = None) -> Json:
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
        "resourceType": "Patient", "id": _id(child, word),
        **({"identifier": [{"extension": [status], "system": NHS, "value": number}]} if number else {}),
        "name": names, "gender": "female" if child.sex == "F" else "male", "birthDate": child.born.isoformat(),
        "address": addresses,
    }  # fmt: skip


def _name(child: Child, day: date, use: str) -> Json:
    return {"use": use, "family": child.surname(day), "given": [child.given, child.middle]}


def _address(line: str, town: str, postcode: str, use: str) -> Json:
    return {"use": use, "line": [line, town], "postalCode": postcode}


def _died(child: Child) -> Json:
    status = {"url": "deathNotificationStatus", "valueCodeableConcept": {"coding": [{"code": "2"}]}}
    told = {"url": f"{CARE_CONNECT}DeathNotificationStatus-1", "extension": [status]}
    return {"extension": [told], "deceasedDateTime": child.died.isoformat() if child.died else ""}


def _header(child: Child, code: str, at: datetime, change: str, routed: Json, focus: str) -> Json:
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
        "resourceType": "MessageHeader", "id": _id(child, f"header{code}{at}"), "meta": {"lastUpdated": moment},
        "extension": [
            {"url": f"{structures}RoutingDemographics-1", "extension": routing},
            {"url": f"{structures}MessageEventType-1", "valueCodeableConcept": kind},
        ],
        "event": {"system": f"{STU3}/CodeSystem/EventType-1", "code": code},
        "timestamp": moment, "source": {"name": "Invented sender", "endpoint": "urn:nhs:addressing:asid:999999999999"},
        "responsible": _to(_id(child, "sender")), "focus": _to(focus),
    }  # fmt: skip


