"""One visit told again: what changed between two messages, whose visit it is, and what must be taken back.

Pure. A visit that turns out to be another child's is taken back from the first child, as that child then was described,
and told again for the right one: readers of the first learn that something was removed, and nothing of the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.health import codes
from adapters.health.mapping.child import Data, add_local_number, add_nhs_number, plain
from adapters.health.mapping.hl7v2_visit import Told, draft_of, events_of, findings, place, read_ts
from adapters.health.mapping.shape import Draft, label_of, retraction, to_event
from adapters.health.record.hl7v2 import DISCHARGED, component
from adapters.kit.identifiers import NHS_NUMBER
from adapters.kit.outcomes import EVERYTHING, Event, Events, Held, NoEvent, Outcome, Remark
from adapters.kit.when import of_nothing

SAME_AS_HAPPENED = {"/details/discharged", "/details/arrived", "/details/admitted", "/details/appointment"}
UPDATED = "The hospital's own record of the visit was updated."
NOW_ADULT = Remark("told-again-for-an-adult", "PID", "The visit was another person's, who is not a child.")


def compare(told: Told, before: Told) -> Outcome:
    """The visit now against the visit as last told."""
    whose = whose_visit(told, before)
    if whose == "unclear":
        return Held("two different people in one visit", "PID")
    if whose == "other":
        return moved(told, before, events_of(told), "wrong-child")
    if told.record.person != before.record.person:  # the same child under another number of the hospital
        return moved(told, before, events_of(told), "removed-at-source")
    if not was_told(before):
        return told.outcome(events_of(told))
    drafts = tuple(differences(told, before))
    return told.outcome(drafts) if drafts or told.is_adult(()) else NoEvent("unchanged")


def differences(told: Told, before: Told) -> Iterator[Draft]:
    """Corrections of what was said, what is new, and what is no longer said, in the order of the visit's events."""
    earlier = {d.name: d for d in events_of(before)}
    now = {d.name: d for d in events_of(told)}
    for name, draft in now.items():
        if name in earlier:
            yield from changes(earlier[name], draft, (before.record.key, name))
        else:
            yield draft
    for name in earlier:
        if name not in now:
            yield retraction((before.record.key, name), "removed-at-source")


def changes(old: Draft, new: Draft, about: tuple[str, str]) -> Iterator[Draft]:
    """What is addressed to others than before is told again whole: a correction alone would show the visit to nobody
    who is named only now, and would leave it with whoever is named no more."""
    if all(to in old.addressed_to for to in new.addressed_to) and all(
        to in new.addressed_to for to in old.addressed_to
    ):
        yield from corrections(old, new, about)
    else:
        yield replace(new, change="replaces", about=about, as_="replaces")


def corrections(old: Draft, new: Draft, about: tuple[str, str]) -> Iterator[Draft]:
    """One correction for each coded fact that differs."""
    was, now = _facts(old), _facts(new)
    for pointer in sorted(was.keys() | now.keys()):
        if was.get(pointer) != now.get(pointer):
            yield Draft(
                name="correction-made",
                happened=None,
                details={"field": pointer, "old": was.get(pointer), "new": now.get(pointer), "why": UPDATED},
                summary="The hospital corrected what it had recorded.",
                statement="decision",
                said_by=new.said_by,
                label=label_of(new.name),
                about=about,
                as_="corrects",
            )


def _facts(draft: Draft) -> dict[str, str]:
    """The coded facts as texts, each under its pointer into the event."""
    details = {f"/details/{name}": _as_text(value) for name, value in draft.details.items()}
    facts = {"/happened/from": str((draft.happened or of_nothing()).happened.get("from", "")), **details}
    return {pointer: text[:500] for pointer, text in facts.items() if text and pointer not in SAME_AS_HAPPENED}


def _as_text(value: Any) -> str:
    """A fact in words: codes of a list beside each other."""
    if isinstance(value, list):
        return "; ".join(_as_text(item) for item in value)
    if isinstance(value, Mapping):
        return str(value.get("words") or value.get("code") or "")
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def moved(told: Told, before: Told, visit: tuple[Draft, ...], reason: str) -> Outcome:
    """The visit for whom it belongs to now, then everything of it taken back from whom it was told of before."""
    again = told.outcome(visit)
    taken_back = taken_back_from(before, reason, told)
    if isinstance(again, Events):
        return Events((*again.events, *taken_back), again.remarks)
    if isinstance(again, NoEvent):
        return Events(taken_back, (*again.remarks, *([NOW_ADULT] if again.reason == "adult" else [])))
    return replace(again, meanwhile=taken_back) if reason == "wrong-child" else again


def taken_back_from(before: Told, reason: str, told: Told) -> tuple[Event, ...]:
    """The visit and its discharge taken back, corrections included, from the child as the message before described
    them, recorded when this one was. What of it was ever told, the kit knows."""
    frame = before.frame(told.recorded)
    visit = before.record.key.removesuffix(DISCHARGED)
    return tuple(to_event(retraction((key, EVERYTHING), reason), frame) for key in (visit, visit + DISCHARGED))


def was_told(before: Told) -> bool:
    """Did the message before go out, as far as its content says?"""
    return isinstance(before.outcome(events_of(before)), Events)


def whose_visit(told: Told, before: Told) -> str:
    """`same` child, `other` child, or `unclear` when the number stayed and the person did not.

    Another valid NHS number is another child, or the same child wrongly numbered: either way the first number's entry
    must go. A merely different hospital number is a second registration unless name or birth date contradict.
    """
    nhs = [_numbers(t, NHS_NUMBER) for t in (told, before)]
    if all(nhs) and not nhs[0] & nhs[1]:
        return "other"
    other_name, other_birth = _names_contradict(told, before), _births_differ(told, before)
    same_local = set(told.visit.local_numbers) & set(before.visit.local_numbers)
    if not same_local and told.visit.local_numbers and before.visit.local_numbers and (other_name or other_birth):
        return "other"
    return "unclear" if other_name and other_birth else "same"


def _numbers(told: Told, system: str) -> set[str]:
    return {i["value"] for i in told.child.child.get("identifiers", []) if i["system"] == system}


def _names_contradict(told: Told, before: Told) -> bool:
    """No first given name in common, where both have one. Surnames change."""
    given = [{plain(n["given"][0]) for n in t.child.child.get("names", []) if "given" in n} for t in (told, before)]
    return all(given) and not given[0] & given[1]


def _births_differ(told: Told, before: Told) -> bool:
    dates = [t.child.child.get("birth_date", {}).get("date", "") for t in (told, before)]
    return all(dates) and dates[0] != dates[1]


def discharged(told: Told, before: Told | None) -> Outcome:
    """A03: left, and the injuries that were coded only now. An outpatient visit that ends is no event.

    `before` is the same visit's earlier A03, else its last message. A visit that is another child's by now has its own
    A08 or will have it: until then a person looks.
    """
    visit = events_of(told)
    if before is not None and before.visit.trigger == "A03" and was_told(before):
        return _discharged_again(told, before)
    if before is not None and whose_visit(told, before) != "same":
        return Held("the discharge names another patient than the visit", "PID")
    if not visit or visit[0].name == "was-not-brought":
        return told.outcome(visit)
    known = {d.name for d in events_of(before)} if before is not None else set()
    late = tuple(d for d in findings(told) if d.name not in known)
    return told.outcome((_discharge(told), *late))


def _discharged_again(told: Told, before: Told) -> Outcome:
    key, whose = before.record.key, whose_visit(told, before)
    if whose == "same" and told.record.person == before.record.person:
        drafts = tuple(changes(_discharge(before), _discharge(told), (key, "discharge")))
        return told.outcome(drafts) if drafts else NoEvent("unchanged")
    again = told.outcome((_discharge(told), *findings(told)))
    reason = "removed-at-source" if whose == "same" else "wrong-child"
    taken_back = to_event(retraction((key, EVERYTHING), reason), before.frame(told.recorded))
    if isinstance(again, Events):
        return Events((*again.events, taken_back), again.remarks)
    if isinstance(again, NoEvent):
        return Events((taken_back,), (*again.remarks, NOW_ADULT))
    return replace(again, meanwhile=(taken_back,)) if reason == "wrong-child" else again


def _discharge(told: Told) -> Draft:
    written = read_ts(told.visit.text("PV1", 45), "PV1-45")
    left = written if "from" in written.happened else read_ts(told.visit.text("EVN", 6), "EVN-6")
    destination = told.visit.text("PV1", 37)
    to = codes.DISCHARGED_TO.get(destination, "other") if destination else "not-stated"
    draft = draft_of(told, "discharge", {"discharged": left.first, "left_to": to}, "Left hospital.", place=place(told))
    return replace(draft, happened=left, learned=left.first)


def cancelled(told: Told, before: Told | None) -> Outcome:
    """A11: the visit never was."""
    if before is None:
        return NoEvent("nothing-to-retract")
    return Events(taken_back_from(before, "removed-at-source", told))


def discharge_cancelled(told: Told, before: Told | None) -> Outcome:
    """A13: the child is still there."""
    if before is None or before.visit.trigger != "A03" or not was_told(before):
        return NoEvent("nothing-to-retract")
    draft = retraction((before.record.key, "discharge"), "removed-at-source")
    return Events((to_event(draft, before.frame(told.recorded)),))


def merged(told: Told, before: Told | None) -> Outcome:
    """A40, A34: one record merged into another. The same child under two numbers, or a visit moved to its right child.

    `before` is the visit MRG-5 names, when one of its messages was read.
    """
    if before is not None and whose_visit(told, before) != "same":
        return moved(told, before, events_of(before), "wrong-child")
    away = _merged_away(told)
    if not away:
        return NoEvent("merge-names-no-earlier-number")
    if _joins_two_numbers(told, away) or _prior_name_contradicts(told):
        return Held("the merge joins records of two different people", "MRG-1")
    return told.outcome(tuple(_merge(told, old) for old in away))


def _merge(told: Told, old: Data) -> Draft:
    stays = [i for i in told.child.child.get("identifiers", []) if i["system"] == old["system"]]
    return Draft(
        name="identity-merged",
        happened=told.happened if "from" in told.happened.happened else None,
        details={"old_identifier": old, "new_identifier": next(iter(stays), None)},
        summary="The hospital found that two of its records are of the same child.",
        statement="decision",
    )


def _merged_away(told: Told) -> list[Data]:
    found = replace(told.child, child={}, remarks=[])
    for number, is_nhs in told.visit.merged_away:
        if is_nhs:
            add_nhs_number(found, number, told.settings, "MRG-1", None)
        else:
            add_local_number(found, number, told.settings, "mrn")
    return list(found.child.get("identifiers", []))


def _joins_two_numbers(told: Told, away: list[Data]) -> bool:
    gone = {i["value"] for i in away if i["system"] == NHS_NUMBER}
    kept = _numbers(told, NHS_NUMBER)
    return bool(gone and kept and not gone & kept)


def _prior_name_contradicts(told: Told) -> bool:
    """MRG-7, where it is given: another first name and another surname."""
    prior = next(iter(told.visit.repetitions("MRG", 7)), [])
    names = told.child.child.get("names", [])
    family, given = plain(component(prior, 1)), plain(component(prior, 2))
    if not family or not given or not names:
        return False
    return not any(plain(n.get("family", "")) == family or plain((n.get("given") or [""])[0]) == given for n in names)
