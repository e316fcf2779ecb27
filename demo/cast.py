"""Who is in the story: bodies, their feeds, people and the roles they hold. All invented."""

from __future__ import annotations

from dataclasses import dataclass

from demo.stage import Feed

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
AREA = "E99000001"
SERVICE = "urn:safeguarding:service:"


def service(name: str) -> str:
    """The URN of a service."""
    return SERVICE + name


SERVICES = {
    service(name): {"name": title, "kind": kind}
    for name, title, kind in (
        ("harrowmere-childrens-services", "Harrowmere Council children's services", "council"),
        ("harrowmere-early-help", "Harrowmere Council early help", "early help"),
        ("larkbeck-primary", "Larkbeck Primary", "a school"),
        ("tarnwhistle-academy", "Tarnwhistle Academy", "a school"),
        ("northmarch-police", "Northmarch Constabulary, public protection", "police"),
        ("fenwater-school-nursing", "Fenwater NHS Trust, school nursing", "community health"),
        ("fenwater-emergency", "Fenwater NHS Trust, emergency department", "a hospital"),
        ("fenwater-child-health-information", "Fenwater NHS Trust, child health information", "community health"),
        ("westlorn-infirmary", "Westlorn Infirmary", "a hospital"),
        ("westlorn-clinic", "Westlorn Infirmary, walk-in clinic", "a hospital"),
        ("partnership-assurance", "Partnership assurance team", "another service"),
        ("partnership-stewards", "Partnership record stewards", "another service"),
    )
}


def _feed(agency: str, name: str, extra: str = "", phone: str = "") -> Feed:
    urn = service(name)
    contact = f'\n[service.contact]\nname = "Duty desk"\nphone = "{phone}"\n' if phone else ""
    return Feed(agency, f"urn:safeguarding:source:{name}:live", {"urn": urn, **SERVICES[urn]}, extra + contact)


COPIES_TO_SCHOOL_NURSES = f"""
[addressees.SCHNUR]
service = "{service("fenwater-school-nursing")}"
role = "healthPractitioner"
"""
"""Which service the hospital means when a record says that the school nurse gets a copy."""

FEEDS = {
    "northmarch": _feed("police", "northmarch-police", phone="01632 960112"),
    "fenwater": _feed("health", "fenwater-emergency", phone="01632 960127"),
    "fenwater-nursing": _feed("health", "fenwater-school-nursing", phone="01632 960128"),
    "fenwater-chis": _feed("health", "fenwater-child-health-information", phone="01632 960129"),
    "westlorn": _feed("health", "westlorn-infirmary", COPIES_TO_SCHOOL_NURSES, phone="01632 960133"),
    "westlorn-clinic": Feed(
        "health",
        "urn:safeguarding:source:westlorn-clinic:live",
        {"urn": service("westlorn-clinic"), **SERVICES[service("westlorn-clinic")]},
        partnership="urn:safeguarding:partnership:neighbouring-area",
    ),
    "larkbeck": _feed("education", "larkbeck-primary", phone="01632 960140"),
    "tarnwhistle": _feed("education", "tarnwhistle-academy", phone="01632 960141"),
}


@dataclass(frozen=True)
class Person:
    """A professional: id, name, role, service."""

    id: str
    name: str
    role: str
    service: str


FRONT_DOOR = Person("ottoline.brack", "Ottoline Brack", "frontDoor", service("harrowmere-childrens-services"))
WORKER = Person("fenn.okoro-dale", "Fenn Okoro-Dale", "allocatedSocialWorker", service("harrowmere-childrens-services"))
SCHOOL_A = Person("marnie.pell", "Marnie Pell", "schoolLead", service("larkbeck-primary"))
SCHOOL_B = Person("juno.farrow", "Juno Farrow", "schoolLead", service("tarnwhistle-academy"))
DEPUTY = Person("hesper.vane", "Hesper Vane", "schoolLead", service("tarnwhistle-academy"))
NURSE = Person("marit.sole", "Marit Sole", "healthPractitioner", service("fenwater-school-nursing"))
POLICE = Person("rufus.crane", "Rufus Crane", "policeProtection", service("northmarch-police"))
EARLY_HELP = Person("edda.lunt", "Edda Lunt", "earlyHelpLead", service("harrowmere-early-help"))
AUDITOR = Person("isla.quint", "Isla Quint", "caseAuditor", service("partnership-assurance"))
STEWARD = Person("bram.tolley", "Bram Tolley", "steward", service("partnership-stewards"))
PEOPLE = (FRONT_DOOR, WORKER, SCHOOL_A, SCHOOL_B, DEPUTY, NURSE, POLICE, EARLY_HELP, AUDITOR, STEWARD)
READERS = {"SW": (WORKER, "s47"), "DSL": (SCHOOL_B, "s47"), "NUR": (NURSE, "s47"), "POL": (POLICE, "s47")}
"""The four readers of the story's table, each with the purpose of their reading."""
