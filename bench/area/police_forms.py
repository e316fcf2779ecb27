"""An incident as rows of the Northmarch column map, and as a report of the profile `pole-json/1`. Draws nothing."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.area.police import Incident

HEADERS = (
    "Occurrence No", "Opened", "Form", "Nominal No", "Forename(s)", "Surname", "DOB", "DOB certainty", "Sex",
    "Address", "Postcode", "UPRN", "NHS No", "School URN", "Other party to child", "Children at scene", "Grade",
    "Flags", "Repeat", "Result", "Finalised", "Submitted", "Purpose", "Share limits", "Officer",
)  # fmt: skip
FORMS = {"abuse": "Dom Abuse", "vulnerable": "Vulnerable Child", "missing": "Missing", "protection": "S46",
         "search": "Public Protection Notice"}  # fmt: skip
FLAGS = {
    "domestic-abuse": "DA", "neglect": "NEG", "self-harm": "SH", "sexual-exploitation": "CSE",
    "criminal-exploitation": "CCE",
}  # fmt: skip
PRESENT = {"yes": "Y", "no": "N", "heard": "Y - heard"}
RESULTS = {"nfa-evidential": "Filed - evidential", "found-safe": "Found well"}
ENTITIES = {"abuse": "E_002", "unborn": "E_005", "vulnerable": "E_005", "missing": "P_014", "search": "E_004",
            "protection": "x-police-protection"}  # fmt: skip


def write_rows(one: Incident) -> list[list[str]]:
    """A row for each child of the incident, which stand together."""
    return [_row(one, place) for place in range(len(one.children))]


def _row(one: Incident, place: int) -> list[str]:
    child = one.children[place]
    home, day = child.home(one.at.date()), one.at.date()
    cells = {
        "Occurrence No": one.ref, "Opened": _clock(one.at), "Form": FORMS[one.kind], "Nominal No": one.person(child),
        "Forename(s)": child.given_names, "Surname": child.surname(day),
        "DOB": f"{child.born_as(one.feed.name):%d/%m/%Y}", "DOB certainty": "Certain", "Sex": child.sex,
        "Address": home.line, "Postcode": home.postcode, "NHS No": one.number, "School URN": one.school(child),
        "Other party to child": "Partner of mo" if one.kind == "abuse" else "", "Grade": one.risk[0].upper(),
        "Children at scene": PRESENT[one.present] if one.kind == "abuse" else "",
        "Flags": ";".join(FLAGS.get(concern, concern) for concern in one.concerns),
        "Repeat": "N" if one.kind == "abuse" else "", "Result": RESULTS.get(one.outcome, ""),
        "Finalised": _clock(one.closed), "Submitted": _clock(one.recorded), "Purpose": "Info", "Officer": "4417",
    }  # fmt: skip
    return [cells.get(header, "") for header in HEADERS]


def as_csv(rows: list[list[str]]) -> str:
    """A file of the export."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([HEADERS, *rows])
    return out.getvalue()


def write_report(one: Incident) -> dict[str, Any]:
    """The report as it stands now, withdrawn or not."""
    report: dict[str, Any] = {
        "report_ref": one.ref, "report_version": str(one.version), "recorded_at": f"{one.recorded:%Y-%m-%dT%H:%M}",
        "entity": ENTITIES[one.kind], "incident_ref": one.ref,
        "people": [*(_person(one, place) for place in range(len(one.children))),
                   {"person_ref": f"{one.ref}-A", "entity": "x-person", "adult": True}],
        "links": [{"person_ref": f"{one.ref}-A", "reason": "known suspect" if one.kind == "abuse" else "mother"}],
        "risk_level": one.risk,
    }  # fmt: skip
    if one.kind not in ("missing", "protection"):
        report["occurred"] = {"from": f"{one.at:%Y-%m-%dT%H:%M}"}
    if one.kind in ("abuse", "unborn"):
        report |= {"domestic_abuse": True, "any_children_present": one.present}
    if one.kind == "vulnerable":
        report["concern_codes"] = one.concerns
    if one.kind == "missing":
        report["missing"] = _missing(one)
    if one.kind == "protection" and one.closed:
        report["protection"] = {"started_at": f"{one.at:%Y-%m-%dT%H:%M}", "ended_at": f"{one.closed:%Y-%m-%dT%H:%M}"}
    if one.outcome and one.kind != "missing" and one.closed:
        report |= {"outcome": one.outcome, "outcome_at": f"{one.closed:%Y-%m-%dT%H:%M}"}
    if one.withdrawn:
        report |= {"status": "withdrawn", "withdrawal_reason": "untrue"}
    return report


def _missing(one: Incident) -> dict[str, str]:
    since = {"missing_since": f"{one.at:%Y-%m-%dT%H:%M}", "first_risk": one.risk, "current_risk": one.risk}
    if one.closed is None:
        return since
    return since | {"found_at": f"{one.closed:%Y-%m-%dT%H:%M}", "harm": "none-known", "found_by": "police"}


def _person(one: Incident, place: int) -> dict[str, Any]:
    child, day = one.children[place], one.at.date()
    if one.kind == "unborn":
        return {
            "person_ref": one.person(child), "entity": "P_011", "surname": child.surname(day), "known_as": "Baby",
            "expected_date": child.born.isoformat(),
        }  # fmt: skip
    home = child.home(day)
    entity = {"missing": "P_014", "search": "P_009"}.get(one.kind, "P_009")
    return {
        "person_ref": one.person(child), "entity": entity, "given_name": child.given_names,
        "surname": child.surname(day), "date_of_birth": child.born_as(one.feed.name).isoformat(),
        "date_of_birth_accuracy": "AAA", "gender": "female" if child.sex == "F" else "male",
        "nhs_number": one.number, "home_address": {"line1": home.line, "town": home.town, "postcode": home.postcode},
    }  # fmt: skip


def _clock(at: datetime | None) -> str:
    return f"{at:%d/%m/%Y %H:%M}" if at else ""
