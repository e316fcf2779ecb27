"""What the child health service and the demographics service say of a family, as NEMS messages, one a file.

Births under the mother's number, health visitors, vaccinations, changes of name, address and practice, deaths.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from bench.area.childhealth_forms import (
    CARE_CONNECT,
    OWN,
    STU3,
    Json,
    make_communication,
    make_death,
    make_header,
    make_id,
    make_key,
    make_organisation,
    make_patient,
    refer_to,
)
from bench.area.draw import Draw
from bench.area.feeds import CHIS
from bench.area.hospital import AGAIN, again
from bench.area.naming import mothers_number
from bench.area.people import Child, Family, Period
from bench.area.rates import get_rates
from bench.area.records import Meant, Piece, Recorded

SURGERIES = (("ZZG01", "ALDERBECK SURGERY"), ("ZZG11", "BIRCHWATER PRACTICE"), ("ZZG12", "COBBLEGATE SURGERY"))
HEALTH_VISITOR = {
    "system": "http://snomed.info/sct", "code": "1078501000000104", "display": "Health visiting service",
}  # fmt: skip
VISITED_UNTIL = 5


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
        mother = make_patient(child, at.date(), "mother", number=mothers_number(family.index))
        mother |= {"name": [{"use": "official", "family": child.surname(at.date()), "given": ["Isolde"]}]}
        mother["birthDate"] = f"{child.born - timedelta(days=10_500):%Y-%m-%d}"
        related = {
            "resourceType": "RelatedPerson", "id": make_id(child, "related"), "patient": refer_to(child, "patient"),
            "relationship": {"coding": [{"system": f"{STU3}/CodeSystem/PersonRelationshipType-1", "code": "12"}]},
        }  # fmt: skip
        subject = make_communication(child, at, "mother")
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
            "resourceType": "EpisodeOfCare", "id": make_id(self.child, "episode"),
            "identifier": [{"system": f"{OWN}episode", "value": f"FHV-{self.child.index}"}],
            "status": "finished" if until else "active", "type": [{"coding": [HEALTH_VISITOR]}],
            "patient": refer_to(self.child, "patient"), "managingOrganization": refer_to(self.child, "sender"),
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
            "resourceType": "Immunization", "id": make_id(self.child, "shot"),
            "extension": [{
                "url": f"{CARE_CONNECT}VaccinationProcedure-1", "valueCodeableConcept": {"coding": [procedure]},
            }],
            "identifier": [{"system": f"{OWN}immunisation", "value": f"FIM-{self.child.index}"}],
            "status": "entered-in-error" if change == "delete" else "completed", "notGiven": missed,
            "patient": refer_to(self.child, "patient"), "date": day.isoformat(),
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
        subject = make_communication(self.child, at, "patient")
        return self._piece(code, at, "update", subject, [], meant, since=since)

    def _practice(self, at: datetime, since: date) -> Piece:
        place, left = self.child.family % 3, since - timedelta(days=1)
        chosen = {"old": SURGERIES[place], "gp": SURGERIES[(place + 1) % 3]}
        surgeries = [make_organisation(self.child, word, *surgery) for word, surgery in chosen.items()]
        episode = {
            "resourceType": "EpisodeOfCare", "id": make_id(self.child, "primary"), "status": "finished",
            "type": [{"coding": [
                {"system": f"{STU3}/CodeSystem/EMS-PDS-PatientCareProvisionType-1", "code": "1"}]}],
            "patient": refer_to(self.child, "patient"), "managingOrganization": refer_to(self.child, "old"),
            "period": {"end": left.isoformat()},
        }  # fmt: skip
        subject = make_communication(self.child, at, "patient")
        meant = [Meant("registration-changed", left)]
        return self._piece("pds-change-of-gp-1", at, "update", subject, [*surgeries, episode], meant)

    def death(self) -> Iterator[Piece]:
        if (died := self.child.died) is None:
            return
        at = self._at(died + timedelta(days=2))
        subject = make_communication(self.child, at, "patient")
        meant = [Meant("child-died", died)]
        yield self._piece("pds-death-notification-1", at, "new", subject, [], meant)

    def routine(self) -> Iterator[Piece]:
        """A newborn's hearing test: out of the hub's purpose."""
        day = self.child.born + timedelta(days=4)
        if self.period.of(day, day + timedelta(days=1)) and not self.child.died and self.draw.happens(0.3):
            at = self._at(day)
            subject = make_communication(self.child, at, "patient")
            yield self._piece("newborn-hearing-1", at, "new", subject, [], [], planted="out-of-purpose")

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, time(9 + self.draw.below(8), self.draw.below(60)))

    def _piece(
        self, code: str, at: datetime, change: str, focus: Json, others: list[Json], meant: list[Meant], *,
        routed: Json | None = None, since: date | None = None, planted: str = "",
    ) -> Piece:  # fmt: skip
        child, day = self.child, at.date()
        patient = make_patient(child, day, "patient", number=child.nhs, changed=since)
        if code == "pds-death-notification-1":
            patient |= make_death(child)
        if code == "pds-change-of-gp-1":
            patient["generalPractitioner"] = [refer_to(child, "gp")]
        header = make_header(child, code, at, change, routed or patient, focus["id"])
        entries = [header, focus, patient, *others, make_organisation(child, "sender", "ZZF", CHIS.service_name)]
        bundle = {
            "resourceType": "Bundle", "id": make_id(child, f"{code}{at}"), "type": "message",
            "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in entries],
        }  # fmt: skip
        described = child.described(CHIS.name, day, nhs=child.nhs, since=since and since - timedelta(days=1))
        person = child.nhs or patient["id"]
        record = Recorded(make_key(code, focus, person), child.id, person, meant, described, planted=planted)
        return Piece(CHIS.name, at, "xml" if child.index % 2 else "json", bundle, [record])
