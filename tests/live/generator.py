"""Invents native files of four agency systems and says how many events of each kind they mean. Seeded, synthetic.

What a file means is said here by the one who wrote it, never asked of an adapter. Children are the same in every
agency; telephone numbers, addresses and people are impossible ones.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from demo.stage import Feed

SERVICE = "urn:safeguarding:service:"
SOURCE = "urn:safeguarding:source:{}:live"
BEGIN = datetime(2025, 3, 3, 8, tzinfo=UTC)
POLICE_HEADERS = (
    "Occurrence No", "Opened", "Form", "Nominal No", "Forename(s)", "Surname", "DOB", "DOB certainty", "Sex",
    "Address", "Postcode", "UPRN", "NHS No", "School URN", "Other party to child", "Children at scene", "Grade",
    "Flags", "Repeat", "Result", "Finalised", "Submitted", "Purpose", "Share limits", "Officer",
)  # fmt: skip
KINDS_OF_ADT = {"A04": "emergency-attendance", "A01": "admission"}
KINDS_OF_EXCLUSION = {"FIXD": "suspended", "PERM": "excluded"}
GIVEN = ("Ansel", "Briony", "Corwin", "Delphine", "Edric", "Fenella", "Garnet", "Hollis", "Ione", "Jasper")
FAMILY = ("Quillfeather", "Mosswick", "Thistlewood", "Brightwater", "Plover", "Dapplewick", "Sandpiper", "Teasel")


@dataclass(frozen=True)
class Child:
    """An invented child."""

    number: int
    given: str
    family: str
    born: datetime
    postcode: str


@dataclass(frozen=True)
class NativeFile:
    """One export of one agency system."""

    name: str
    content: str
    meant: Counter[str]


@dataclass
class Area:
    """Every agency's files for one run."""

    files: dict[str, list[NativeFile]] = field(default_factory=dict)

    def meant(self) -> dict[str, Counter[str]]:
        """Source → how many events of each kind its files mean."""
        return {FEEDS[name].source: sum((f.meant for f in files), Counter()) for name, files in self.files.items()}


def _feed(agency: str, name: str, kind: str) -> Feed:
    service = {"urn": SERVICE + name, "name": name.replace("-", " ").title(), "kind": kind}
    return Feed(agency, SOURCE.format(name), service, shared_by="area.inventor")


FEEDS = {
    "northmarch": _feed("police", "northmarch-police", "police"),
    "fenwater": _feed("health", "fenwater-emergency", "a hospital"),
    "larkbeck": _feed("education", "larkbeck-primary", "a school"),
    "tarnwhistle": _feed("education", "tarnwhistle-academy", "a school"),
}
SHARES = {"northmarch": 40, "fenwater": 30, "larkbeck": 15, "tarnwhistle": 15}
"""Each feed's part of the events, in hundredths."""


def make_area(events: int, seed: int, *, files: int = 10, children: int = 200) -> Area:
    """Files that mean exactly so many events, each feed's in so many files."""
    rng = random.Random(seed)  # noqa: S311
    known = [_child(number, rng) for number in range(children)]
    write: dict[str, Callable[[str, Sequence[int], Sequence[Child], random.Random], NativeFile]] = {
        "police": _police, "health": _health, "education": _school,
    }  # fmt: skip
    area = Area()
    for name, feed in FEEDS.items():
        numbers = range(events * SHARES[name] // 100)
        parts = [numbers[start::files] for start in range(files)]
        area.files[name] = [
            write[feed.agency](f"{place:03}-{name}", part, known, rng) for place, part in enumerate(parts)
        ]
    return area


def _child(number: int, rng: random.Random) -> Child:
    family = f"{rng.choice(FAMILY)}-{FAMILY[number % len(FAMILY)]}{'abcdefghij'[number // 8 % 10]}"
    born = datetime(rng.randint(2010, 2019), rng.randint(1, 12), rng.randint(1, 28), tzinfo=UTC)
    return Child(number, rng.choice(GIVEN), family, born, f"ZZ{number % 9 + 1} {number % 9 + 1}QF")


def _moments(numbers: Sequence[int]) -> Iterator[tuple[int, datetime]]:
    return ((number, BEGIN + timedelta(minutes=7 * number)) for number in numbers)


def _police(name: str, numbers: Sequence[int], children: Sequence[Child], rng: random.Random) -> NativeFile:
    """Rows of a force's export: each child of an incident is one row; a school that is known gets a notice."""
    out, meant = io.StringIO(), Counter[str]()
    writer = csv.DictWriter(out, POLICE_HEADERS, restval="")
    writer.writeheader()
    left = len(numbers)
    for number, at in _moments(numbers):
        if not left:
            break
        child, abuse, told = rng.choice(children), rng.random() < 0.5, left > 1 and rng.random() < 0.3
        kinds = ["domestic-abuse-incident" if abuse else "incident-attended"]
        kinds += ["domestic-abuse-notice"] if abuse and told else []
        meant.update(kinds)
        left -= len(kinds)
        writer.writerow({
            "Occurrence No": f"NMC/25/{number:06}", "Opened": f"{at:%d/%m/%Y %H:%M}",
            "Form": "Dom Abuse" if abuse else "Vulnerable Child", "Nominal No": f"NM{child.number:06}",
            "Forename(s)": child.given, "Surname": child.family, "DOB": f"{child.born:%d/%m/%Y}",
            "DOB certainty": "Certain", "Sex": "F", "Address": "1 Kestrel Row", "Postcode": child.postcode,
            "School URN": "999101" if abuse and told else "", "Children at scene": "Y", "Grade": "M", "Repeat": "N",
            "Other party to child": "Partner of mo" if abuse else "", "Flags": "DA" if abuse else "NEG",
            "Submitted": f"{at + timedelta(hours=2):%d/%m/%Y %H:%M}", "Purpose": "Info",
        })  # fmt: skip
    return NativeFile(f"{name}.csv", out.getvalue(), meant)


def _health(name: str, numbers: Sequence[int], children: Sequence[Child], rng: random.Random) -> NativeFile:
    """HL7 version 2 messages of a hospital: attendances at the emergency department, and admissions."""
    messages, meant = [], Counter[str]()
    for number, at in _moments(numbers):
        child, trigger = rng.choice(children), rng.choice(("A04", "A04", "A01"))
        meant[KINDS_OF_ADT[trigger]] += 1
        kind, place, specialty = ("E", "ED^^^ZZF01|21", 180) if trigger == "A04" else ("I", "WARD5^^^ZZF01|13", 420)
        moment = f"{at:%Y%m%d%H%M}"
        messages += [
            f"MSH|^~\\&|PAS|ZZF|ROUTE|HUB|{at:%Y%m%d%H%M%S}||ADT^{trigger}^ADT_A01|FEN{number}|P|2.4|||||GBR|UNICODE|EN||iTKv1.0",
            f"EVN||{moment}||||{moment}",
            f"PID|1||FW-{child.number:06}^^^ZZF^PAS||{child.family}^{child.given}^^^Miss^^L||{child.born:%Y%m%d}|2|||"
            f"1 Kestrel Row^^Harrowmere^^{child.postcode}^GBR^H||01632960145|||||||||||||||||||01",
            f"PV1|1|{kind}|{place}||||||{specialty}|||||||||FV-{number}^^^VISITID|||||||||||||||||||||||||{moment}",
            *(["PV2|||S69.9^Unspecified injury of wrist and hand^ICD10"] if trigger == "A04" else []),
            "ZU8||1||0",
        ]
    return NativeFile(f"{name}.hl7", "\r".join(messages) + "\r", meant)


def _school(name: str, numbers: Sequence[int], children: Sequence[Child], rng: random.Random) -> NativeFile:
    """A school's export of suspensions and exclusions, with the students whom they are about."""
    meant, students, rows = Counter[str](), {}, []
    for number, at in _moments(numbers):
        child, kind = rng.choice(children), rng.choice(("FIXD", "FIXD", "PERM"))
        meant[KINDS_OF_EXCLUSION[kind]] += 1
        students[child.number] = {
            "id": f"A{child.number}", "upi": f"u{child.number}", "surname": child.family, "forename": child.given,
            "gender": "FEMALE", "date_of_birth": {"date": f"{child.born:%Y-%m-%d} 00:00:00.000000"},
        }  # fmt: skip
        rows.append({
            "id": f"E{number}", "student": f"A{child.number}", "exclusion_type": kind, "exclusion_reason": "PP",
            "start_date": f"{at:%Y-%m-%d}", "comments": "never leaves the school",
        })  # fmt: skip
    tables = {"students": {"data": list(students.values())}, "exclusions": {"data": rows}}
    return NativeFile(f"{name}.json", json.dumps(tables), meant)
