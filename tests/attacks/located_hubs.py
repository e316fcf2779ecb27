"""Two hubs that differ only in where one child lives: place, authority, school, practice, hospital, number ranges.

What was recorded before the flight names the same places in both. From the flight on every agency writes where the
child is now, knowing nothing of the protection: in fields, in details, in contacts and in its own words. Compares
nothing.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from hub import bootstrap
from hub.bootstrap import Hub
from hub.settings import Settings
from schemas.catalogue import get_example
from tests.hub.conftest import PARTNERSHIP, Agency, Clock

PAGE_SIZE = 4
S = "urn:safeguarding:service:"
FLIGHT, BETWEEN, ENDS, AFTER = (datetime(2025, month, 5, 12, tzinfo=UTC) for month in (3, 5, 7, 9))
"""When the location is protected, a day in between, when that ends, and a day after it."""
PERSON = "p1"
COUNCIL, POLICE, SCHOOL, HEALTH = "council", "police", "new-school", "new-health"
NUMBERS, OLD_POSTCODE = "urn:local:pupils:number", "ZZ1 4QF"
Sent = tuple[str, str, dict[str, Any]]
"""(source, kind, members that replace those of its example)."""
SETTLED = (COUNCIL, POLICE, SCHOOL, HEALTH)


@dataclass(frozen=True)
class Where:
    """Where the child lives, learns and is treated, in all the words that tell of it."""

    school: str
    hospital: str
    practice: str
    authority: str
    street: str
    postcode: str
    ward: str
    phone: str
    code: str
    number: str
    """Of a range that is given out there."""

    @property
    def words(self) -> set[str]:
        """What no answer may hold."""
        return {*vars(self).values(), *(self.urn(name) for name in (self.school, self.hospital))}

    def urn(self, name: str) -> str:
        return S + name.lower().replace(" ", "-")


LEFT = Where(
    "Tarnwhistle Academy", "Ostmere Infirmary", "Beckside Surgery", "Ostmere", "4 Heron Row", "ZZ2 7QX", "Kilnholme",
    "01632 960141", "RWI01", "U998200118001",
)  # fmt: skip
RIGHT = Where(
    "Gullmere Primary", "Eastcliffe Hospital", "Harbour Practice", "Eastcliffe", "19 Curlew Lane", "ZZ8 1AB",
    "Seaholme", "01632 960777", "REC07", "U997100337004",
)  # fmt: skip

READERS = {
    "ottoline": ("frontDoor", "triage"), "second": ("frontDoor", "s47"), "fenn": ("allocatedSocialWorker", "s47"),
    "marnie": ("schoolLead", "s47"), "juno": ("schoolLead", "educationSupport"), "marit": ("healthPractitioner", "s47"),
    "gp": ("healthPractitioner", "directCare"), "rufus": ("policeProtection", "s47"), "isla": ("caseAuditor", "audit"),
    "edda": ("earlyHelpLead", "earlyHelp"), "stranger": ("schoolLead", "s47"), "bram": ("steward", "triage"),
}  # fmt: skip
"""Person → role and purpose. None of them is named to know where the child is."""
NAMED = "keeper", "allocatedSocialWorker", "s47"
"""Named to know it."""
INVOLVED = ("marnie", "juno", "marit", "gp", "rufus", "edda")


@dataclass
class Located:
    """One of the two hubs."""

    hub: Hub
    clock: Clock
    agencies: dict[str, Agency]
    where: Where
    child: UUID

    def admit(self, source: str, kind: str, id: str, at: datetime, **members: Any) -> None:
        """Seal an event by its source and admit it; whatever is not admitted is our mistake."""
        self.clock.now = at
        agency = self.agencies[source]
        shared = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        raw = agency.seal(kind, id=id, person=PERSON, shared=shared, **_members(kind, at, members))
        (receipt,) = self.hub.admission.admit([raw], agency.source)
        assert receipt.outcome == "admitted", receipt


@contextmanager
def located_hubs(folder: Path, *, other_school: bool = False) -> Iterator[tuple[Located, Located]]:
    """Both hubs while the protection stands; with `other_school` the right one's school sends from another source."""
    left = _make(folder / "left")
    left.hub.close()
    shutil.copytree(folder / "left", folder / "right")
    right = replace(left, agencies=copy.deepcopy(left.agencies), where=RIGHT)
    if other_school:
        right.agencies[SCHOOL] = right.agencies["other-school"]
    for one, side in ((left, "left"), (right, "right")):
        one.hub = _open(folder / side)
        one.clock = one.hub.clock = Clock(FLIGHT)
        _fled(one)
    yield left, right
    for one in (left, right):
        one.hub.close()


def ended(one: Located) -> None:
    """The protection ends; afterwards an injury of the time in between is shared late, and life goes on."""
    one.admit(COUNCIL, "location-protection-ended", "c-ended", ENDS, said_by=_council())
    one.admit(
        HEALTH, "injury-observed", "h-late", AFTER, **_at_hospital(one.where, "injury-observed"), happened=_on(5, 2)
    )
    one.admit(COUNCIL, "child-seen", "c-after", AFTER, said_by=_council(), place={"kind": "other"})
    one.clock.now = AFTER


def alerted(one: Located) -> None:
    """The child tells a teacher of the new school."""
    school = one.where.school
    one.admit(
        SCHOOL, "disclosure-by-child", "s-disclosure", BETWEEN, said_by=_school(one.where), child=_child(one.where),
        childs_words=f"I like {school}. He hurt me.", summary=_words("She is hurt at home."), place=_home(one.where),
        details={"how": "offered", "heard_by": f"A teacher of {school}"},
    )  # fmt: skip


def _fled(one: Located) -> None:
    """Each agency goes on as if nothing were secret."""
    may_know = [{"service": S + "council", "person": NAMED[0]}]
    details = {"reason": "fleeing-abuse", "may_know": may_know}
    one.admit(COUNCIL, "location-protected", "c-protected", FLIGHT, said_by=_council(), details=details)
    for source, kind, members in (*_of_the_school(one.where), *_of_health(one.where), *_of_others(one)):
        one.admit(source, kind, f"{source}-{kind}", BETWEEN, **members)


def _of_the_school(where: Where) -> Iterator[Sent]:
    said: dict[str, Any] = {"said_by": _school(where), "child": _child(where)}
    joined = {"joined": "2025-05-01", "previous_school": where.school, "previous_urn": where.code}
    yield SCHOOL, "joined-roll", said | {"place": _home(where), "details": joined}
    yield SCHOOL, "concern-logged", said | {
        "summary": _words(f"A concern at {where.school}."), "people": _people(where), "place": _home(where),
        "narrative": {"text": f"Lives at {where.street}, {where.postcode.replace(' ', '')}, {where.authority}."},
        "addressed_to": [{"service": where.urn(where.school), "role": "schoolLead"}], "details": {"status": "open"},
    }  # fmt: skip
    yield SCHOOL, "absence-pattern", said


def _of_health(where: Where) -> Iterator[Sent]:
    yield HEALTH, "emergency-attendance", _at_hospital(where, "emergency-attendance")
    said: dict[str, Any] = {"said_by": _health(where), "child": _child(where)}
    practice = {"restricted": False, "to_practice": {"code": where.code, "name": where.practice}}
    surgery = _health(where, "a GP practice", where.practice)
    yield HEALTH, "registration-changed", said | {"said_by": surgery, "details": practice}
    moved = {"moved": "2025-05-01", "kind": "home", "out_of_area": where is RIGHT}
    yield HEALTH, "address-changed", said | {"place": _home(where), "details": moved}


def _of_others(one: Located) -> Iterator[Sent]:
    where, council = one.where, {"said_by": _council()}
    force = {"service": where.urn(f"{where.authority} police"), "service_name": f"{where.authority} police"}
    yield POLICE, "incident-attended", {
        "said_by": {**force, "service_kind": "police", "contact": {"phone": where.phone}}, "place": _home(where),
        "child": _child(where), "summary": _words(f"Police attended in {where.ward}, {where.authority}."),
    }  # fmt: skip
    nurse = {"service": where.urn(where.hospital), "service_name": where.hospital, "person": f"nurse.{where.code}"}
    yield COUNCIL, "involvement-started", council | {"details": {**nurse, "kind": INVOLVEMENT, "role": "Nurse"}}
    lead = {"person": f"lead.{where.code}", "name": "Ansel", "service": where.urn(where.school)}
    yield COUNCIL, "lead-professional-named", council | {"details": lead}
    other = {"said_by": {**_council(), "service_name": f"{where.authority} Council"}}
    advice = {"answer": f"Ring {where.authority} Council.", "to_service": where.urn(where.school)}
    yield COUNCIL, "advice-given", other | {"details": advice}
    yield COUNCIL, "correction-made", council | {
        "references": [{"source": one.agencies[COUNCIL].source, "id": "council-advice-given", "as": "corrects"}],
        "details": {"field": "/details/answer", "old": where.school, "new": where.hospital, "why": where.school},
    }  # fmt: skip


# -- what both share


def _make(home: Path) -> Located:
    bootstrap.init(_settings(home), partnership=PARTNERSHIP, area="E99000001", officers=["ada"])
    hub = _open(home)
    hub.clock = clock = Clock(datetime(2025, 2, 1, 12, tzinfo=UTC))
    for person, (role, _) in {**READERS, NAMED[0]: NAMED[1:]}.items():
        _appoint(hub, person, role)
    agencies = {name: _register(hub, name) for name in (*SETTLED, "other-school")}
    for where in (LEFT, RIGHT):  # the partnership has both schools and hospitals
        for name in (where.school, where.hospital, where.practice):
            _register(hub, name.lower().replace(" ", "-") + "-live", name)
    one = Located(hub, clock, agencies, LEFT, UUID(int=0))
    for source in agencies:
        early = {"service": S + "old-service", "service_name": "An old service", "service_kind": "another service"}
        one.admit(source, "advice-given", f"{source}-early", clock.now, said_by=early, place=_old_home())
    (one.child,) = hub.register().children()
    _begin(one, clock.now)
    return one


def _begin(one: Located, at: datetime) -> None:
    """What gives readers their relationship and threshold, and two entries of the old place."""
    for person in ("fenn", NAMED[0]):
        details = {"person": person, "role": "allocatedSocialWorker", "service": S + person}
        one.admit(COUNCIL, "worker-allocated", f"al-{person}", at, said_by=_council(), details=details)
    for person in INVOLVED:
        details = {"service": S + person, "kind": INVOLVEMENT, "from": "2025-02-01"}
        one.hub.casework.record(
            "ottoline", {"event": "involvement-started", "child": str(one.child), "details": details}
        )
    one.admit(COUNCIL, "s47-started", "c-47", at, said_by=_council())
    one.admit(POLICE, "domestic-abuse-incident", "p-old", at, place=_old_home(), happened=_on(1, 9))
    one.admit(POLICE, "incident-attended", "p-old-2", at, place=_old_home(), happened=_on(1, 12))


def _settings(home: Path) -> Settings:
    return Settings(home=home, demo=True, page_size=PAGE_SIZE)


def _open(home: Path) -> Hub:
    return bootstrap.open_hub(_settings(home))


def _appoint(hub: Hub, person: str, role: str) -> None:
    held = {"person": person, "role": role, "service": S + person, "from": "2024-01-01"}
    hub.casework.record("ada", {"event": "role-held", "details": held})
    course = {"person": person, "completed": "2024-01-01", "until": "2030-01-01"}
    hub.casework.record("ada", {"event": "training-recorded", "details": course})


def _register(hub: Hub, name: str, title: str = "") -> Agency:
    agency = Agency(f"urn:safeguarding:source:{name}:live")
    service = {"urn": S + name, "name": title or name, "kind": "council" if name == COUNCIL else "another service"}
    hub.registration.add({**agency.request(hub.charter.hub), "service": service}, {"ada": hub.officer_key("ada")})
    return agency


# -- parts of entries

INVOLVEMENT = get_example("involvement-started", 1)["details"]["kind"]


def _members(kind: str, at: datetime, members: Mapping[str, Any]) -> dict[str, Any]:
    """The kind's example without what it refers to, with these members."""
    cleared = dict.fromkeys(
        ("references", "addressed_to", "label", "narrative", "learned", "recorded", "told", "people")
    )
    said = {"statement": "seen", "basis": "fact", **members.get("said_by", {})}
    base = {"child": _child(), "happened": _on(at.month, at.day), "shared_under": {"gateway": "CA2004-s10"}}
    return {**cleared, **base, **members, "said_by": {**get_example(kind, 1)["said_by"], **said}}


def _child(where: Where | None = None) -> dict[str, Any]:
    """As a sender describes it: the same child, with the numbers and the address that it was given there."""
    described: dict[str, Any] = {
        "names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "official"}],
        "birth_date": {"date": "2014-05-17"}, "sex": "2", "address": [{"postcode": OLD_POSTCODE}],
    }  # fmt: skip
    if where:
        described["address"] = [{"lines": [where.street], "postcode": where.postcode}]
        described["identifiers"] = [{"system": NUMBERS, "value": where.number}]
    return described


def _council() -> dict[str, Any]:
    author = {"person": "setter", "name": "A setter", "role": "Social worker"}
    return {"service": S + "council", "service_name": "Harrowmere Council", "service_kind": "council", "author": author}


def _school(where: Where) -> dict[str, Any]:
    contact = {"name": f"Desk of {where.school}", "phone": where.phone}
    author = {"person": f"t.{where.code}", "name": f"Teacher of {where.ward}", "role": f"Lead, {where.school}"}
    return {
        "service": where.urn(where.school), "service_name": where.school, "service_kind": "a school",
        "contact": contact, "author": author, "controller": where.urn(where.authority),
    }  # fmt: skip


def _health(where: Where, kind: str = "a hospital", name: str = "") -> dict[str, Any]:
    name = name or where.hospital
    contact = {"name": name, "phone": where.phone, "email": f"duty@{where.code.lower()}.example"}
    return {"service": where.urn(name), "service_name": name, "service_kind": kind, "contact": contact}


def _at_hospital(where: Where, kind: str) -> dict[str, Any]:
    details = get_example(kind, 1)["details"] | {"site_code": where.code, "visit": f"V{where.number}"}
    details |= {"department": f"Ward {where.ward}"} if kind == "emergency-attendance" else {"suspected": "accidental"}
    place = {"kind": "hospital", "precision": "address", "name": where.hospital, "local_authority": where.authority}
    return {
        "said_by": _health(where), "child": _child(where), "details": details, "summary": _words("An injury."),
        "place": place,
        "afterwards": {"action": f"Discharged to {where.practice}, from {where.hospital}", "outcome": "home"},
    }  # fmt: skip


def _home(where: Where) -> dict[str, Any]:
    return {
        "kind": "home", "precision": "address", "address": where.street, "postcode": where.postcode, "ward": where.ward,
        "local_authority": where.authority,
    }  # fmt: skip


def _old_home() -> dict[str, Any]:
    return {"kind": "home", "precision": "address", "address": "1 Plover Close", "local_authority": "Harrowmere"}


def _people(where: Where) -> list[dict[str, Any]]:
    return [
        {"ref": "m", "group": "family", "relation": ["MTH"], "name": "Isolde", "adult": True},
        {"ref": "t", "group": "others", "relation": [f"teacher at {where.school}"], "adult": True,
         "name": f"Head of {where.school}", "description": f"of {where.street}"},
    ]  # fmt: skip


def _on(month: int, day: int) -> dict[str, str]:
    return {"from": f"2025-{month:02}-{day:02}", "precision": "day", "zone": "none"}


def _words(text: str) -> dict[str, str]:
    return {"text": text, "made": "by-author"}
