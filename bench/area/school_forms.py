"""A pupil in a transfer file, and the rows of a register export. Draws nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from bench.area.feeds import School
from bench.area.naming import TOWNS
from bench.area.people import Child, Home

if TYPE_CHECKING:
    from bench.area.school import Snapshot

Json = dict[str, Any]

CODES = {"C1": "/", "C2": "\\", "C3": "O", "C4": "I"}


@dataclass(frozen=True, slots=True)
class Marks:
    """Four weeks of one pupil's register; `away` is school day (from 0) → O or I."""

    child: Child
    surname: str
    home: Home
    start: date
    end: date
    away: Mapping[int, str]


def write_pupil(now: Snapshot) -> str:
    """One Pupil element."""
    child, school, town = now.child, now.enrolment.school, TOWNS[now.home.half]
    upn = f"<UPN>{child.upn}</UPN>" if child.upn else ""
    contacts = "".join(
        f"<Contact><Surname>{child.surnames[0][1]}</Surname><Forename>{forename}</Forename><Relationship>{relation}</Relationship>"
        f"<Responsibility>true</Responsibility></Contact>"
        for forename, relation in (("Isolde", "PAM"), *([("Magnus", "STP")] if now.contact else []))
    )
    plan = f"<SENhistory><SEN><StartDate>{now.plan}</StartDate><SENprovision>E</SENprovision></SEN></SENhistory>"
    care = "<LookedAfter><InCare>true</InCare><CareAuthority>999</CareAuthority></LookedAfter>"
    leaving = f"<LeavingDate>{now.enrolment.leaving}</LeavingDate>" if now.left else ""
    return (
        f"<Pupil>{upn}<Surname>{now.surname}</Surname><Forename>{child.given}</Forename><DOB>{child.born}</DOB>"
        f"<Sex>{child.sex}</Sex><BasicDetails><MiddleNames>{child.middle}</MiddleNames></BasicDetails>"
        f"{care if now.in_care else ''}{plan if now.plan else ''}"
        f"<Address><AddressLines><AddressLine1>{now.home.line}</AddressLine1><AddressLine4>{town}</AddressLine4>"
        f"</AddressLines><PostCode>{now.home.postcode}</PostCode></Address><Contacts>{contacts}</Contacts>"
        f"<SchoolHistory><School>{_school(school)}<EntryDate>{now.enrolment.entry}</EntryDate>{leaving}</School>"
        f"</SchoolHistory></Pupil>"
    )


def as_transfer_file(school: School, day: date, pupils: Iterable[str]) -> str:
    """A Common Transfer File of one school and day."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CTfile><Header><DocumentName>Common Transfer File</DocumentName>'
        f"<CTFversion>25.0</CTFversion><DateTime>{day}T08:00:00</DateTime><DocumentQualifier>full</DocumentQualifier>"
        f"<SourceSchool>{_school(school)}</SourceSchool><DestSchool><LEA>{school.lea}</LEA><Estab>LLLL</Estab>"
        "</DestSchool></Header>\n<CTFpupilData>\n" + "\n".join(pupils) + "\n</CTFpupilData></CTfile>\n"
    )


def _school(school: School) -> str:
    return (
        f"<LEA>{school.lea}</LEA><Estab>{school.estab}</Estab><URN>{school.urn}</URN>"
        f"<SchoolName>{school.service_name}</SchoolName>"
    )


def write_exclusion(
    child: Child, surname: str, home: Home, number: str, kind: str, reason: str, start: date, end: date
) -> Json:
    """The rows of one suspension or exclusion, by table."""
    row = {
        "id": number, "student": _student(child), "exclusion_type": kind, "exclusion_reason": reason,
        "start_date": start.isoformat(), **({"end_date": end.isoformat()} if kind == "FIXD" else {}),
        "comments": "never leaves the school",
    }  # fmt: skip
    return {"students": [_pupil(child, surname, home)], "exclusions": [row]}


def write_deletion(number: str, day: date) -> Json:
    """The row that says that an exclusion is no more."""
    return {"deletions": [{"type": "exclusion", "id": number, "deleted_at": day.isoformat()}]}


def write_marks(marks: Marks) -> Json:
    """The rows of one pupil's four weeks, morning and afternoon, by table."""
    rows = []
    for nth in range(20):
        day = marks.start + timedelta(days=nth + 2 * (nth // 5))
        code = {"O": "C3", "I": "C4"}.get(marks.away.get(nth, ""), "")
        for session, present in (("AM", "C1"), ("PM", "C2")):
            row = {"student": _student(marks.child), "date": day.isoformat(), "session": session}
            rows.append(row | {"attendance_code_id": code or present})
    return {"students": [_pupil(marks.child, marks.surname, marks.home)], "attendance": rows,
            "meta": {"from": marks.start.isoformat(), "to": marks.end.isoformat()}}  # fmt: skip


def as_register(parts: Iterable[Json]) -> str:
    """One answer with several tables; a student stands in it once."""
    tables: Json = {"students": [], "attendance-codes": [], "attendance": [], "exclusions": [], "deletions": []}
    known: set[str] = set()
    meta: Json = {}
    for part in parts:
        meta = part.get("meta", meta)
        for name, rows in part.items():
            if name != "meta":
                tables[name] += [row for row in rows if name != "students" or row["id"] not in known]
        known |= {row["id"] for row in part.get("students", ())}
    if tables["attendance"]:
        tables["attendance-codes"] = [{"id": number, "code": code} for number, code in CODES.items()]
    written = {name: {"data": rows} for name, rows in tables.items() if rows}
    return json.dumps(written | ({"meta": meta} if meta else {}), separators=(",", ":")) + "\n"


def _student(child: Child) -> str:
    return f"A{child.index}"


def _pupil(child: Child, surname: str, home: Home) -> Json:
    born = {"date": f"{child.born} 00:00:00.000000", "timezone": "Europe/London"}
    return {
        "id": _student(child), "upi": f"u{child.index}", "legal_surname": surname, "legal_forename": child.given,
        "middle_names": child.middle, "gender": "FEMALE" if child.sex == "F" else "MALE", "date_of_birth": born,
        "postcode": home.postcode, **({"education_details": {"data": {"upn": child.upn}}} if child.upn else {}),
    }  # fmt: skip
