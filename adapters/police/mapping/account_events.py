"""The events that a POLE report means for one of its children. Pure; compares nothing.

E_002, E_005, P_009      -> incident-attended; domestic-abuse-incident where it says so; with a concern that is
                            exploitation, also exploitation-concern
P_014                    -> missing-reported; found, also missing-ended
E_003                    -> arrest-or-custody: of this child, or of an adult of the child's home
E_001                    -> investigation-outcome, once there is an outcome
x-police-protection      -> police-protection-used; ended, also police-protection-ended
x-protective-condition   -> protective-condition-set; ended, also protective-condition-ended
x-offender-management    -> offender-management-change
x-intelligence           -> intelligence-held: nothing but that the police are to be asked
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.kit.outcomes import Event
from adapters.kit.when import read_iso
from adapters.police.mapping.account import Account
from adapters.police.mapping.parts import listed, moment_of, without_empty
from adapters.police.mapping.words import (
    CHILDREN_PRESENT,
    LOW_TO_HIGH,
    NOTHING_FOUND,
    PRESENT,
    SAW_OR_HEARD,
    Result,
    concerns_in_words,
    find_concerns,
    find_result,
    risk_in_words,
    split_concerns,
    summary,
)
from adapters.police.record.pole import (
    CONDITION,
    CRIME,
    CUSTODY,
    INCIDENT,
    INTELLIGENCE,
    MISSING_PERSON,
    OFFENDER,
    PROTECTION,
    SAFEGUARDING,
    VULNERABLE_CHILD,
    Report,
)


def account_events(now: Account) -> list[Event]:
    """All events of the account, the first of them its main one; none where there is nothing to say yet."""
    return _ENTITIES[now.report.entity](now)


def result_of(now: Account) -> Result | None:
    """What came of it, where the report says so."""
    return find_result(now.report.text("outcome"), "outcome", now.remarks)


def outcome_event(now: Account, result: Result) -> Event:
    """How an investigation ended, with its reason class: no further action is never "nothing happened"."""
    nothing = now.report.text("outcome") == NOTHING_FOUND
    ended = now.remarks.when(read_iso(now.report.text("outcome_at") or now.recorded, "outcome_at")).happened
    return now.event(
        "investigation-outcome",
        "nothing-found" if nothing else "decision",
        happened=ended,
        summary=now.summary("investigation-outcome", result.words),
        people=now.people.family_and_others(),
        afterwards=without_empty(outcome=result.words, reason_class=result.reason),
        details=without_empty(
            outcome=result.outcome, reason_class=result.reason, incident_reference=_incident_reference(now.report)
        ),
    )


def _incident_reference(report: Report) -> str:
    return (report.text("incident_ref") or report.text("report_ref"))[:100]


def _incident(now: Account) -> list[Event]:
    found = find_concerns(now.report.texts("concern_codes"), "concern_codes", now.remarks)
    concerns, kinds = split_concerns(found)
    main = _domestic_abuse(now, concerns) if now.report.flag("domestic_abuse") else _attended(now, concerns)
    return [main, _exploitation(now, kinds)] if kinds else [main]


def _attended(now: Account, concerns: list[str]) -> Event:
    report = now.report
    result, nothing = result_of(now), report.text("outcome") == NOTHING_FOUND
    present = CHILDREN_PRESENT.get(report.text("any_children_present"), "")
    details = without_empty(
        incident_reference=_incident_reference(report),
        incident_type=report.text("opening_code")[:120],
        concerns=concerns,
        risk=listed("incident-attended", "risk", report.text("risk_level"), now.remarks),
        child_present={"yes": True, "no": False}.get(present),
        child_seen=report.flag("child_seen"),
        child_spoken_to=report.flag("child_spoken_to"),
        outcome=result.words if result else "",
    )
    words = ("Police attended", concerns_in_words(concerns), _seen_in_words(report), "Nothing found" if nothing else "")
    return now.event(
        "incident-attended",
        "nothing-found" if nothing else "seen",
        "assessment" if concerns and not nothing else "fact",
        summary=now.summary("incident-attended", *words),
        people=now.people.family_and_others(),
        details=details,
        **_afterwards(result),
    )


def _seen_in_words(report: Report) -> str:
    seen, spoken = report.flag("child_seen"), report.flag("child_spoken_to")
    return "An officer saw and spoke with the child" if seen and spoken else "An officer saw the child" if seen else ""


def _afterwards(result: Result | None) -> dict[str, Any]:
    return {"afterwards": without_empty(outcome=result.words, reason_class=result.reason)} if result else {}


def _domestic_abuse(now: Account, concerns: list[str]) -> Event:
    report, result = now.report, result_of(now)
    present, repeat = report.text("any_children_present"), report.flag("repeat_victim")
    risk = listed("domestic-abuse-incident", "risk", report.text("risk_level"), now.remarks)
    details = without_empty(
        incident_reference=_incident_reference(report),
        children_present=CHILDREN_PRESENT.get(present),
        saw_or_heard=SAW_OR_HEARD.get(present),
        risk=risk,
        repeat_victim=None if repeat is None else "yes" if repeat else "no",
        child_spoken_to=report.flag("child_spoken_to"),
        outcome=result.words if result else "",
    )
    words = (
        "Domestic abuse incident; police attended",
        PRESENT.get(present, ""),
        risk_in_words(risk),
        concerns_in_words(concern for concern in concerns if concern != "domestic-abuse"),
    )
    return now.event(
        "domestic-abuse-incident",
        "nothing-found" if report.text("outcome") == NOTHING_FOUND else "seen",
        summary=now.summary("domestic-abuse-incident", *words),
        people=now.people.family_and_others(),
        details=details,
        **_afterwards(result),
    )


def _exploitation(now: Account, kinds: list[str]) -> Event:
    """What only those may read who may read of exploitation: apart from the incident itself."""
    return now.event(
        "exploitation-concern",
        "opinion",
        "assessment",
        summary=summary("exploitation-concern", "Police are concerned about exploitation"),
        people=now.people.family_and_others(),
        details=without_empty(kinds=kinds, risk=LOW_TO_HIGH.get(now.report.text("risk_level"))),
    )


def _missing(now: Account) -> list[Event]:
    part = now.report.part("missing")
    since = now.remarks.when(read_iso(part.text("missing_since"), "missing.missing_since")).happened.get("from")
    times = part.number("times_in_90_days")
    known = {"since": since, "times_in_90_days": times if times is not None and 0 <= times <= 1000 else None}
    reference = now.report.text("report_ref")[:100]

    def coded(field: str, event: str = "missing-reported") -> str:
        return listed(event, field, part.text(field), now.remarks)

    risk = LOW_TO_HIGH.get(part.text("current_risk") or part.text("first_risk"))
    reported = now.event(
        "missing-reported",
        "told-by",
        summary=now.summary("missing-reported", "Reported missing", risk_in_words(risk)),
        people=now.people.family_and_others(),
        details=without_empty(
            **known,
            classed_as=coded("classed_as") or "missing",
            first_risk=LOW_TO_HIGH.get(part.text("first_risk")),
            current_risk=LOW_TO_HIGH.get(part.text("current_risk")),
            missing_from=coded("missing_from"),
            incident_reference=reference,
        ),
    )
    if not part.text("found_at"):
        return [reported]
    found = now.remarks.when(read_iso(part.text("found_at"), "missing.found_at")).happened
    ended = now.event(
        "missing-ended",
        "decision",
        happened=found,
        summary=summary("missing-ended", "No longer missing"),
        details=without_empty(
            **known,
            found=found.get("from"),
            found_where=part.text("found_where")[:200],
            found_by=coded("found_by", "missing-ended"),
            harm=coded("harm", "missing-ended"),
            return_interview=coded("return_interview", "missing-ended"),
            incident_reference=reference,
        ),
    )
    return [reported, ended]


def _custody(now: Account) -> list[Event]:
    part = now.report.part("custody")
    of_child = part.text("child_role") == "suspect"
    adult = "" if of_child else now.people.find_suspect()
    times = without_empty(
        **{
            "from": moment_of(part.text("arrested_at"), "custody.arrested_at", now.remarks),
            "until": moment_of(part.text("released_at"), "custody.released_at", now.remarks),
        }
    )
    words = "The child was arrested" if of_child else "An adult was arrested; it bears on the child's home"
    details = without_empty(
        arrested="child" if of_child else "adult",
        child_role=listed("arrest-or-custody", "child_role", part.text("child_role"), now.remarks),
        person_ref=adult,
        custody=times,
        released=listed("arrest-or-custody", "released", part.text("released_on"), now.remarks),
    )
    people = now.people.family_and_others()
    text = now.summary("arrest-or-custody", words)
    return [now.event("arrest-or-custody", "decision", summary=text, people=people, details=details)]


def _crime(now: Account) -> list[Event]:
    result = result_of(now)
    return [outcome_event(now, result)] if result else []


def _protection(now: Account) -> list[Event]:
    part, words = now.report.part("protection"), "Taken into police protection (Children Act 1989 s46)"
    used = now.event(
        "police-protection-used",
        "decision",
        summary=now.summary("police-protection-used", words),
        people=now.people.family_and_others(),
        details=without_empty(
            started=moment_of(part.text("started_at"), "protection.started_at", now.remarks),
            kept_at=listed("police-protection-used", "kept_at", part.text("kept_at"), now.remarks),
            designated_officer=part.text("designated_officer")[:120],
            council_told=moment_of(part.text("council_told"), "protection.council_told", now.remarks),
        ),
    )
    if not part.text("ended_at"):
        return [used]
    ended = now.remarks.when(read_iso(part.text("ended_at"), "protection.ended_at"))
    next_step = listed("police-protection-ended", "next_step", part.text("next_step"), now.remarks)
    details = without_empty(ended=ended.first, next_step=next_step)
    text = summary("police-protection-ended", "Police protection ended")
    return [
        used,
        now.event("police-protection-ended", "decision", happened=ended.happened, summary=text, details=details),
    ]


def _condition(now: Account) -> list[Event]:
    """Whom it binds may be named here, and only here, to the roles that the report itself lists: who must not collect
    a child has to be known at the gate."""
    part = now.report.part("condition")
    coded = (listed("protective-condition-set", "conditions", term, now.remarks) for term in part.texts("terms"))
    terms = list(dict.fromkeys(coded)) or ["other"]
    people = now.people.bound(part.text("against"))
    ref = people[0]["ref"] if people else ""
    kind = listed("protective-condition-set", "kind", part.text("kind"), now.remarks)
    reason = listed("protective-condition-ended", "reason", part.text("ended_reason"), now.remarks)
    in_words = "Conditions: " + ", ".join(term.replace("-", " ") for term in terms)
    until = now.remarks.when(read_iso(part.text("until"), "condition.until")).happened.get("from")
    begun = now.event(
        "protective-condition-set",
        "decision",
        summary=now.summary("protective-condition-set", in_words),
        people=people,
        details=without_empty(
            kind=kind, conditions=terms, person_ref=ref, until=until, breach=part.text("breach")[:300]
        ),
    )
    if not part.text("ended_at"):
        return [begun]
    ended = now.remarks.when(read_iso(part.text("ended_at"), "condition.ended_at")).happened
    ceased = now.event(
        "protective-condition-ended",
        "decision",
        happened=ended,
        summary=summary("protective-condition-ended", "No longer in force", in_words),
        people=people,
        details=without_empty(kind=kind, reason=reason, person_ref=ref),
    )
    return [begun, ceased]


def _offender(now: Account) -> list[Event]:
    part = now.report.part("offender")
    change = listed("offender-management-change", "change", part.text("change"), now.remarks)
    words = f"A person who poses a risk to the child: {change.replace('-', ' ')}" if change else ""
    people = now.people.family_and_others()
    details = without_empty(
        change=change, conditions=part.text("conditions")[:500], person_ref=people[0]["ref"] if people else ""
    )
    text = now.summary("offender-management-change", words)
    return [now.event("offender-management-change", "decision", summary=text, people=people, details=details)]


def _intelligence(now: Account) -> list[Event]:
    """Nothing of what is known, of whom, from whom or where; not even how many people it is about."""
    nothing: dict[str, Any] = {"place": None, "told": None, "asked": None}
    return [now.event("intelligence-held", "told-by", "assessment", **nothing)]


_ENTITIES: Mapping[str, Callable[[Account], list[Event]]] = {
    INCIDENT: _incident,
    SAFEGUARDING: _incident,
    VULNERABLE_CHILD: _incident,
    MISSING_PERSON: _missing,
    CUSTODY: _custody,
    CRIME: _crime,
    PROTECTION: _protection,
    CONDITION: _condition,
    OFFENDER: _offender,
    INTELLIGENCE: _intelligence,
}
ENTITIES = frozenset(_ENTITIES)
