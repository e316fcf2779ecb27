"""The events that a row of a police CSV means when it is seen for the first time. Pure; compares nothing.

PPN, VC   -> incident-attended
DA        -> domestic-abuse-incident; with a school, also domestic-abuse-notice to its lead
MISPER    -> missing-reported; with closed_at, also missing-ended
POWERS46  -> police-protection-used; with closed_at, also police-protection-ended
any of them with a concern that is exploitation -> also exploitation-concern
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.kit.outcomes import Event, NativeRecord
from adapters.kit.when import of_day, of_nothing, read_iso
from adapters.police.mapping.parts import SERVICE, Remarks, incident_key, local_day, other_child, said, without_empty
from adapters.police.mapping.words import (
    CHILDREN_PRESENT,
    LOW_TO_HIGH,
    NOTHING_FOUND,
    PRESENT,
    SAW_OR_HEARD,
    concerns_in_words,
    find_concerns,
    find_relation,
    find_result,
    risk_in_words,
    split_concerns,
    summary,
)
from adapters.police.record.rows import CLOSED, Row
from adapters.police.source.naming import opaque

GATEWAY = "CA2004-s11"
DECIDE = "Decide on this referral."


@dataclass(frozen=True)
class Incident:
    """What every event of a row needs, worked out once."""

    row: Row
    record: NativeRecord
    settings: Mapping[str, Any]
    remarks: Remarks
    child: dict[str, Any]
    happened: dict[str, Any]
    submitted: str
    limits: list[str]

    @property
    def instant(self) -> str | None:
        """When the force's system recorded it, where that is an instant."""
        return self.submitted if len(self.submitted) > 10 else None

    @property
    def police(self) -> Mapping[str, Any]:
        found = self.settings.get("police", {})
        return found if isinstance(found, Mapping) else {}

    @property
    def concerns(self) -> tuple[list[str], list[str]]:
        """The row's concerns without exploitation, and the kinds of exploitation."""
        return split_concerns(find_concerns(self.row.codes("concern_codes"), "concern_codes", self.remarks))

    def event(self, name: str, **members: Any) -> Event:
        """An event of this child in this incident. `members` are beside, or in place of, what all of them carry."""
        data = without_empty(
            **{
                "change": "new",
                "happened": self.happened,
                "recorded": self.submitted,
                "child": self.child,
                "shared_under": {"gateway": str(self.police.get("gateway", GATEWAY))},
                "label": without_empty(handling=self.limits),
                "incident": incident_key(self.record.system, self.row.text("incident_ref")),
                **members,
            }
        )
        return Event(name, {**data, "details": members.get("details", {})}, self.record.person, self.instant)


def first_events(now: Incident) -> list[Event]:
    return [main_event(now), *exploitation(now), *end_events(now), *notices(now)]


def main_event(now: Incident) -> Event:
    """The event of the row's form."""
    return _FORMS.get(now.row.text("incident_type"), _attended)(now)


def _attended(now: Incident) -> Event:
    concerns, _ = now.concerns
    result = find_result(now.row.text("outcome"), "outcome", now.remarks)
    nothing = now.row.text("outcome") == NOTHING_FOUND
    form = _FORM_WORDS.get(now.row.text("incident_type"), "Incident")
    details = without_empty(
        incident_reference=now.row.text("incident_ref")[:100],
        incident_type=form,
        concerns=concerns,
        risk=_closed(now.row, "risk_level"),
        child_present={"yes": True, "no": False}.get(CHILDREN_PRESENT.get(now.row.text("children_present"), "")),
        outcome=result.words if result else "",
        referral_or_information=_closed(now.row, "referral_or_information"),
    )
    words = (f"{form}: police attended", concerns_in_words(concerns), "Nothing found" if nothing else "")
    return now.event(
        "incident-attended",
        said_by=said("nothing-found") if nothing else said("seen", "assessment" if concerns else "fact"),
        summary=summary("incident-attended", *words),
        people=_people(now, "present"),
        details=details,
        **_afterwards(now),
        **_addressed(now),
    )


def exploitation(now: Incident) -> list[Event]:
    """What only those may read who may read of exploitation: apart from the incident itself."""
    _, kinds = now.concerns
    if not kinds:
        return []
    return [
        now.event(
            "exploitation-concern",
            said_by=said("opinion", "assessment"),
            summary=summary("exploitation-concern", "Police are concerned about exploitation"),
            details=without_empty(kinds=kinds, risk=LOW_TO_HIGH.get(now.row.text("risk_level"))),
            **_addressed(now),
        )
    ]


def _domestic_abuse(now: Incident) -> Event:
    row = now.row
    concerns, _ = now.concerns
    result = find_result(row.text("outcome"), "outcome", now.remarks)
    details = without_empty(
        incident_reference=row.text("incident_ref")[:100],
        children_present=CHILDREN_PRESENT.get(row.text("children_present")),
        saw_or_heard=SAW_OR_HEARD.get(row.text("children_present")),
        risk=_closed(row, "risk_level"),
        repeat_victim=row.text("repeat_victim") if row.text("repeat_victim") in ("yes", "no") else None,
        outcome=result.words if result else "",
        referral_or_information=_closed(row, "referral_or_information"),
    )
    words = (
        "Domestic abuse incident; police attended",
        PRESENT.get(row.text("children_present"), ""),
        risk_in_words(_closed(row, "risk_level")),
        concerns_in_words(concern for concern in concerns if concern != "domestic-abuse"),
    )
    return now.event(
        "domestic-abuse-incident",
        said_by=said("nothing-found" if row.text("outcome") == NOTHING_FOUND else "seen"),
        summary=summary("domestic-abuse-incident", *words),
        people=_people(now, "suspect"),
        details=details,
        **_afterwards(now),
        **_addressed(now),
    )


def _missing(now: Incident) -> Event:
    risk, (concerns, _) = LOW_TO_HIGH.get(now.row.text("risk_level")), now.concerns
    return now.event(
        "missing-reported",
        said_by=said("told-by"),
        summary=summary("missing-reported", "Reported missing", risk_in_words(risk), concerns_in_words(concerns)),
        people=_people(now, "reporter"),
        details=without_empty(
            classed_as="missing", first_risk=risk, incident_reference=now.row.text("incident_ref")[:100]
        ),
        **_addressed(now),
    )


def _protection(now: Incident) -> Event:
    started = now.happened["from"] if now.happened["precision"] in ("instant", "day") else None
    concerns, _ = now.concerns
    words = ("Taken into police protection (Children Act 1989 s46)", concerns_in_words(concerns))
    return now.event(
        "police-protection-used",
        said_by=said("decision"),
        summary=summary("police-protection-used", *words),
        people=_people(now, "carer"),
        details=without_empty(started=started),
        **_addressed(now),
    )


_FORMS: Mapping[str, Callable[[Incident], Event]] = {
    "PPN": _attended,
    "VC": _attended,
    "DA": _domestic_abuse,
    "MISPER": _missing,
    "POWERS46": _protection,
}
_FORM_WORDS = {"PPN": "Public protection notice", "VC": "Vulnerable child notice"}


def _closed(row: Row, column: str) -> str:
    """The code if it is on its list; the remark was made already."""
    return row.text(column) if row.text(column) in CLOSED[column] else ""


def _people(now: Incident, role: str) -> list[dict[str, Any]]:
    """The other adult by part and relation, and that there were other children: never a name."""
    people = [other_child(ref) for ref in now.row.other_children]
    relation = find_relation(now.row.text("relationship_to_child"), "relationship_to_child", now.remarks)
    if relation is None:
        return people
    group = "family" if relation.family and role != "suspect" else "others"
    ref = f"person-{opaque(now.record.system, 'party', now.row.text('incident_ref'))}"
    party = {"ref": ref, "group": group, "relation": [relation.word], "incident_role": role}
    return [party | ({"s38": "suspect"} if role == "suspect" else {}), *people]


def _afterwards(now: Incident) -> dict[str, Any]:
    """A row that comes closed says in its first event how it ended."""
    result = find_result(now.row.text("outcome"), "outcome", now.remarks)
    return {"afterwards": without_empty(outcome=result.words, reason_class=result.reason)} if result else {}


def _addressed(now: Incident) -> dict[str, Any]:
    """A referral asks the front door that the settings name to decide."""
    if now.row.text("referral_or_information") != "referral":
        return {}
    door = str(now.police.get("front_door", ""))
    to = [{"service": door, "role": "frontDoor"}] if SERVICE.fullmatch(door) else []
    if not to:
        now.remarks.add("addressee-unknown", "referral_or_information", "The settings name no front door.")
    return without_empty(addressed_to=to, asked=DECIDE)


def end_events(now: Incident) -> list[Event]:
    """The end of what the row opens, where the row says that it ended."""
    form, found = now.row.text("incident_type"), now.row.text("outcome") in _FOUND
    if not ((form == "MISPER" and found) or (form in ENDING_FORMS and now.row.text("closed_at"))):
        return []
    happened = now.remarks.when(read_iso(now.row.text("closed_at"), "closed_at")).happened
    if form == "MISPER":
        harm, found_by = _FOUND.get(now.row.text("outcome"), (None, None))
        words = {"none-known": "No harm known", "confirmed": "Came to harm"}.get(harm or "", "")
        details = without_empty(harm=harm, found_by=found_by, incident_reference=now.row.text("incident_ref")[:100])
        name, text = "missing-ended", summary("missing-ended", "No longer missing", words)
    else:
        details = without_empty(ended=happened["from"] if happened["precision"] in ("instant", "day") else None)
        name, text = "police-protection-ended", summary("police-protection-ended", "Police protection ended")
    return [now.event(name, happened=happened, said_by=said("decision"), summary=text, details=details)]


ENDING_FORMS = ("MISPER", "POWERS46")
_FOUND: Mapping[str, tuple[str | None, str | None]] = {
    "found-safe": ("none-known", None),
    "found-harmed": ("confirmed", None),
    "returned": (None, "returned"),
}


def notices(now: Incident) -> list[Event]:
    """To the school's lead before the school day: this child, and that it happened. Nothing else (Victims and
    Prisoners Act 2024; Operation Encompass guidance)."""
    school = now.row.text("school_urn")
    if now.row.text("incident_type") != "DA" or not school:
        return []
    listed = now.police.get("schools", {})
    named = str(listed.get(school, "")) if isinstance(listed, Mapping) else ""
    service = named or now.row.text("school_service") or f"urn:safeguarding:service:school-urn-{school.casefold()}"
    if not SERVICE.fullmatch(service):
        now.remarks.unknown_code("school_urn", school)
        return []
    day = local_day(now.happened["from"]) if now.happened["precision"] in ("instant", "day") else ""
    return [
        now.event(
            "domestic-abuse-notice",
            happened=(of_day(date.fromisoformat(day)) if day else of_nothing()).happened,
            child=without_empty(names=now.child.get("names"), identifiers=_if_nameless(now.child)),
            said_by=said("seen"),
            summary=summary("domestic-abuse-notice", "There was a domestic abuse incident"),
            shared_under={"gateway": "VPA2024-encompass"},
            addressed_to=[{"service": service, "role": "schoolLead"}],
        )
    ]


def _if_nameless(child: Mapping[str, Any]) -> Any:
    return None if child.get("names") else child.get("identifiers")
