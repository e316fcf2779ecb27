"""What one visit means by itself: an attendance, an admission, a missed appointment, an injury that was coded.

Pure. The order of its events is fixed, so that a later message can name one of them: the visit first, then injuries in
the order of their DG1 segments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.health import codes
from adapters.health.mapping.child import Data, Description, without_empty
from adapters.health.mapping.hl7v2_child import describe_child
from adapters.health.mapping.hl7v2_codes import cause, coded_words, diagnoses, injury_codes, where_and_what
from adapters.health.mapping.shape import Draft, Frame, find_addressees, find_service, future_dated, to_event
from adapters.health.record.hl7v2 import Visit, text
from adapters.kit.outcomes import Event, Events, Held, NativeRecord, NoEvent, Outcome, Remark, Unmappable
from adapters.kit.when import When, of_nothing, read_iso

Settings = Mapping[str, Any]

LOCATION_HIDDEN = Remark("location-hidden", "ZU8-4", "Address, telephones, next of kin and GP were left out.")
_TIME_STAMP = re.compile(r"(\d{4})(\d{2})(?:(\d{2})(?:(\d{2})(\d{2})(\d{2})?(?:\.\d+)?)?)?([+-]\d{4})?", re.ASCII)
ACCOMPANYING = ("ACC",)  # NK1-7, a local code: this person brought the child
MISSED_IN_YEAR = "DNA12"  # OBX-3, a local code: appointments missed in twelve months, this one included
INJURY_PATTERN = "INJPAT"  # OBX-3, a local code: the pattern of the injury
COPY_TO = "COPYTO"  # OBX-3, a local code: whom the hospital sends a copy of this visit
ADDRESSEE_UNKNOWN = Remark("addressee-unknown", "OBX-5", "[addressees] does not list for whom a copy was meant.")


@dataclass(frozen=True)
class Told:
    """One message with the child it describes and the times it gives."""

    record: NativeRecord
    visit: Visit
    child: Description
    settings: Settings

    @property
    def happened(self) -> When:
        """PV1-44 arrival, else EVN-6. Never the message's own time."""
        arrival = read_ts(self.visit.text("PV1", 44), "PV1-44")
        return arrival if "from" in arrival.happened else read_ts(self.visit.text("EVN", 6), "EVN-6")

    @property
    def recorded(self) -> When:
        """EVN-2, else MSH-7."""
        entered = read_ts(self.visit.text("EVN", 2), "EVN-2")
        return entered if "from" in entered.happened else read_ts(self.visit.text("MSH", 7), "MSH-7")

    @property
    def addressed_to(self) -> tuple[Data, ...]:
        return find_addressees(self.settings, copied_to(self.visit))

    def frame(self, recorded: When | None = None) -> Frame:
        return Frame(
            child=self.child,
            person=self.visit.person,
            recorded=recorded or self.recorded,
            settings=self.settings,
            protected=self.visit.location_hidden,
        )

    def outcome(self, drafts: tuple[Draft, ...], *remarks: Remark) -> Outcome:
        """The events of these drafts, once it is asked of every message: is it about somebody, about a child?"""
        said = (*self.child.remarks, *self._odd_times(drafts), *remarks)
        if self.visit.location_hidden:
            said = (*said, LOCATION_HIDDEN)
        if len(self.addressed_to) < len(copied_to(self.visit)):
            said = (*said, ADDRESSEE_UNKNOWN)
        if self.is_adult(drafts):
            return NoEvent("adult", said)
        if not drafts:
            return NoEvent("no-emergency-and-no-admission", said)
        if not self.child.is_somebody():
            return Unmappable("PID", "nobody-identified", said)
        if not self.child.has_age():
            return Held("no birth date: child or adult cannot be told", "PID-7", said)
        return Events(tuple(self.event(d) for d in drafts), said)

    def event(self, draft: Draft) -> Event:
        return to_event(draft, self.frame())

    def is_adult(self, drafts: tuple[Draft, ...]) -> bool:
        days = [d.happened.happened.get("from") for d in drafts if d.happened] or [self.happened.happened.get("from")]
        return any(self.child.is_adult_on(str(day or self.recorded.happened.get("from", ""))) for day in days)

    def _odd_times(self, drafts: tuple[Draft, ...]) -> tuple[Remark, ...]:
        found = [r for d in drafts if d.happened for r in d.happened.remarks] + list(self.recorded.remarks)
        found += future_dated(drafts, self.recorded)
        return tuple(dict.fromkeys(found))


def tell(record: NativeRecord, settings: Settings) -> Told:
    visit = Visit(record.parsed)
    return Told(record, visit, describe_child(visit, settings), settings)


def read_ts(written: str, at: str) -> When:
    """An HL7 time stamp YYYYMM[DD[HHMM[SS[.F]]]][+ZZZZ], without a zone in London time."""
    match = _TIME_STAMP.fullmatch(written)
    if match is None:
        return of_nothing(Remark("date-invalid", at)) if written else of_nothing()
    year, month, day, hour, minute, second, zone = match.groups()
    iso = f"{year}-{month}" + (f"-{day}" if day else "")
    if hour:
        iso += f"T{hour}:{minute}:{second or '00'}" + (f"{zone[:3]}:{zone[3:]}" if zone else "")
    return read_iso(iso, at)


def events_of(told: Told) -> tuple[Draft, ...]:
    """Everything this visit means, in its fixed order; () when it is no matter for partners."""
    visit_itself = told_visit(told)
    return (visit_itself, *findings(told)) if visit_itself is not None else ()


def told_visit(told: Told) -> Draft | None:
    visit = told.visit
    patient_class = visit.text("PV1", 2).upper()
    if is_emergency(visit):
        return attendance(told)
    if patient_class == "I" or (visit.trigger == "A01" and patient_class in ("", "B")):
        return admission(told)
    if visit.text("ZU3", 3) in codes.NOT_BROUGHT:
        return not_brought(told)
    return None


def is_emergency(visit: Visit) -> bool:
    """Came as an emergency: class E, admission method 21, or the specialty of an emergency department."""
    return (
        visit.text("PV1", 2).upper() in codes.EMERGENCY_CLASSES
        or visit.text("PV1", 4).upper() in codes.EMERGENCY_METHODS
        or visit.text("PV1", 10) in codes.EMERGENCY_SPECIALTIES
    )


def draft_of(told: Told, name: str, details: Data, words: str, **more: Any) -> Draft:
    """A draft with what all events of a visit share: when, where, which service, which visit."""
    shared = {"site_code": site_code(told), "visit": told.visit.visit_id}
    return Draft(
        name=name,
        happened=told.happened,
        learned=told.happened.first,
        details={**shared, **details},
        summary=words,
        said_by=find_service(told.settings, site(told)),
        addressed_to=told.addressed_to,
        **more,
    )


def attendance(told: Told) -> Draft:
    """Where, when, for what, and who brought the child: a role, never a name."""
    who = who_brought(told)
    complaint = coded_words(told.visit.all_of("PV2"), 3)
    injured = injury_codes(told.visit) or injury_codes(told.visit, "PV2")
    details = {
        "arrived": told.happened.first,
        "complaint": complaint,
        "injury": True if injured else None,
        "stated_cause": cause(told.visit),
        "brought_by": brought_by(told, who),
        "brought_by_words": who.get("description"),
        "diagnoses": [{"system": "ICD-10", "code": code} for code in injury_codes(told.visit)],
    }
    words = "Attended an emergency department"
    words += f": {complaint}" if complaint else ""
    words += f". Brought by: {who['description']}." if who else "."
    people = (who,) if who else ()
    return draft_of(told, "emergency-attendance", details, words, people=people, place=place(told))


def admission(told: Told) -> Draft:
    """That the child was admitted, and how. Not for what: specialty and diagnosis stay in the hospital."""
    method = told.visit.text("PV1", 4)
    how = codes.ADMISSION_METHODS_WHOLE.get(method) or codes.ADMISSION_METHODS.get(method[:1], "not-stated")
    details = {"admitted": told.happened.first, "how": how}
    return draft_of(told, "admission", details, "Admitted to hospital.", place=place(told))


def not_brought(told: Told) -> Draft:
    """A child does not bring itself: "did not attend" in the record is "was not brought" here."""
    times = [text(o, 5) for o in told.visit.all_of("OBX") if text(o, 3).upper() == MISSED_IN_YEAR]
    count = int(times[0]) if times and re.fullmatch(r"[0-9]{1,3}", times[0]) else None
    meant_for = coded_words(told.visit.all_of("PV2"), 3)
    words = "Was not brought to an appointment" + (f": {meant_for}." if meant_for else ".")
    words += f" Missed in twelve months: {count}." if count else ""
    details = {"appointment": told.happened.first, "appointment_for": meant_for, "times_in_12_months": count}
    draft = draft_of(told, "was-not-brought", details, words)
    return replace(draft, details={n: v for n, v in draft.details.items() if n not in ("site_code", "visit")})


def findings(told: Told) -> tuple[Draft, ...]:
    """What was found beside the visit: coded injuries (one event for all of them), then a maltreatment code."""
    found = injury_codes(told.visit)
    drafts = [injury(told, found)] if found else []
    suspected = [code for code in diagnoses(told.visit) if code.startswith(codes.MALTREATMENT)]
    return (*drafts, *(alert(told, code) for code in suspected[:1]))


def injury(told: Told, found: list[str]) -> Draft:
    pattern = next((text(o, 5) for o in told.visit.all_of("OBX") if text(o, 3).upper() == INJURY_PATTERN), "")
    injuries = [{**where_and_what(code), "words": f"ICD-10 {code}"} for code in found]
    if pattern and len(injuries) == 1:
        injuries[0]["pattern"] = codes.PATTERNS.get(pattern.upper(), "other")
    words = "; ".join(
        " ".join(filter(None, (i.get("pattern"), i["kind"].replace("-", " ")))) + f", {i['site'].replace('-', ' ')}"
        for i in injuries
    )
    details = {
        "injuries": injuries,
        "suspected": "not-assessed",
        "diagnoses": [{"system": "ICD-10", "code": code} for code in found],
    }
    return draft_of(told, "injury-observed", details, f"An injury was recorded: {words}.", place=place(told))


def alert(told: Told, code: str) -> Draft:
    """ICD-10 T74: a doctor wrote maltreatment. That it was written, not what it says."""
    draft = draft_of(told, "safety-alert-noted", {}, "The hospital recorded a safeguarding alert.", place=place(told))
    return replace(draft, details={"alert": "safeguarding", "code": code, "code_system": "ICD-10"}, statement="opinion")


def brought_by(told: Told, who: Data) -> str | None:
    if who:
        return codes.BROUGHT_BY.get(who["relation"][0], "other")
    return "ambulance" if told.visit.text("PV2", 38).upper() == "A" else None


def who_brought(told: Told) -> Data:
    """The NK1 segment whose contact role says that this person brought the child. A relation and a sex, no name."""
    if told.visit.location_hidden:
        return {}
    roles = told.settings.get("hl7v2", {}).get("accompanying_roles", ACCOMPANYING)
    for number, segment in enumerate(told.visit.all_of("NK1"), start=1):
        if text(segment, 7) in roles:
            relation = codes.RELATIONS.get(text(segment, 3).upper(), "other")
            sex = "" if relation in codes.SAY_THE_SEX else codes.SEX_WORDS.get(text(segment, 15).upper(), "")
            words = [codes.RELATION_WORDS.get(relation, "other"), sex]
            return {
                "ref": f"nk1-{number}",
                "group": "family",
                "relation": [relation],
                "incident_role": "brought-child",
                "description": ", ".join(w for w in words if w),
            }
    return {}


def copied_to(visit: Visit) -> list[str]:
    """The codes, each once, of those to whom the record says that a copy of this visit goes."""
    named = (text(o, 5) for o in visit.all_of("OBX") if text(o, 3).upper() == COPY_TO)
    return [code for code in dict.fromkeys(named) if code]


def site(told: Told) -> str:
    """PV1-3.4 as it stands, else the sending facility."""
    return told.visit.text("PV1", 3, 4) or told.visit.facility


def site_code(told: Told) -> str:
    """The site where it is an ODS code (3 to 9 capitals and digits); a v2.3 feed may write a name there."""
    found = site(told)
    return found if re.fullmatch(r"[A-Z0-9]{3,9}", found) and not told.visit.location_hidden else ""


def place(told: Told) -> Data:
    """A hospital; by its name where `[sites]` knows the site's code and nobody hides where the child is."""
    name = "" if told.visit.location_hidden else str(told.settings.get("sites", {}).get(site(told), ""))
    return without_empty({"kind": "hospital", "precision": "none", "name": name})
