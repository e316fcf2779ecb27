"""Builds what a reader gets of one entry, from what the decision allows and from nothing else.

A whitelist: `fields` names what may come out at all, the decision how much of it. What is withheld shows one fixed
token, whether or not anything stands behind it. Decides nothing, merges nothing, sorts nothing; the answer is plain
JSON data without nulls, in a stable order of members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.policy import fields
from hub.policy.decide import Decision
from hub.policy.whereabouts import names_service, wordless

Json = dict[str, Any]
Data = Mapping[str, Any]

MEMBER_OF_THE_PUBLIC: Final = "a member of the public"
FRONT_DOOR: Final = "the front door"
ANOTHER_AGENCY: Final = "another agency"
TELLS_OF_IT: Final = frozenset({"reporter", "referrer"})
LEVELS: Final = ("", "N", "R", "V")


def withheld_people() -> Json:
    """The token for people who are withheld."""
    return {"withheld": "people"}


def withheld_place() -> Json:
    """The token for a place that is withheld."""
    return {"withheld": "place"}


def project(entry: Data, decision: Decision, *, ref: str, services: Iterable[str] = ()) -> Json:
    """What the reader gets of this entry; {} where it is hidden.

    `entry` has `data` (the canonical event) and source, id, datadigest, position, shared, marks, remarks, and may have
    `title` (the kind's in plain English). `ref` names the entry for this reader only. `services` are the names of
    services that no words may say where the child's location is protected.
    """
    if decision.shown in ("full", "outline"):
        shown = (_full if decision.shown == "full" else _outline)(entry, decision, ref)
        return wordless(shown, entry["data"], decision, services) if _is_located(decision) else shown
    return {"shown": "existence", **existence_card(entry, decision)} if decision.shown == "existence" else {}


def existence_card(entry: Data, decision: Decision | None = None) -> Json:
    """Whom to ring, where only that something is held may be shown. No date, no category, no number: the caller merges
    equal cards. Without a decision that names the service the card names none."""
    said = entry["data"]["said_by"]
    if decision is None or not decision.service:
        return {"agency": ANOTHER_AGENCY, "ring": {"role": FRONT_DOOR}}
    named = said.get("service_name") or said.get("service_kind") or ANOTHER_AGENCY
    return {"agency": named, "ring": _kept(said.get("contact"), fields.CONTACT) or {"role": FRONT_DOOR}}


def _outline(entry: Data, decision: Decision, ref: str) -> Json:
    data: Data = entry["data"]
    confided = decision.label is not None and "childConfidence" in decision.label.handling
    length = 7 if confided else 10
    shown: Json = {"ref": ref, "shown": "outline", **_what(entry, data, decision)}
    shown["happened"] = _coarser(data["happened"], confided)
    shown["shared"] = entry["shared"][:length]
    shown["source"] = _source(data["said_by"], decision)
    shown["statement"] = data["said_by"].get("statement", "")
    if decision.summary and "summary" in data:
        shown["summary"] = _kept(data["summary"], ("text", "made"))
    if decision.summary and (after := _kept(data.get("afterwards"), fields.AFTERWARDS_OUTLINE)):
        shown["afterwards"] = after
    shown["people"] = _people_generic(data.get("people", ()), decision)
    shown["place"] = _area(data.get("place"), decision)
    return _closing(shown, entry, decision)


def _full(entry: Data, decision: Decision, ref: str) -> Json:
    data: Data = entry["data"]
    said: Data = data["said_by"]
    shown: Json = {"ref": ref, "shown": "full", **_what(entry, data, decision)}
    shown["happened"] = _kept(data["happened"], fields.HAPPENED)
    shown["shared"] = entry["shared"]
    shown["source"] = _source(said, decision)
    if decision.service and "author" in said:
        shown["author"] = _kept(said["author"], fields.AUTHOR)
    shown["statement"] = said.get("statement", "")
    if "basis" in said:
        shown["basis"] = said["basis"]
    if decision.summary and "summary" in data:
        shown["summary"] = _kept(data["summary"], ("text", "made"))
    if "narrative" in data:
        shown["narrative"] = data["narrative"]["text"]
    for name in fields.WORDS:
        if name in data:
            shown[name] = data[name]
    people = data.get("people", ())
    shown["people"] = [_person(one, number, decision) for number, one in enumerate(people, 1)]
    shown["place"] = _place(data.get("place"), decision)
    if details := data.get("details"):
        shown["details"] = _details(details, people, decision)
    if "told" in data:
        shown["told"] = [_kept(one, fields.TOLD) for one in data["told"]]
    if "afterwards" in data:
        shown["afterwards"] = _kept(data["afterwards"], fields.AFTERWARDS_FULL)
    if "addressed_to" in data:
        parts = fields.ADDRESSEE[1:] if _is_located(decision) else fields.ADDRESSEE
        shown["addressed_to"] = [_kept(one, parts) for one in data["addressed_to"]]
    if "shared_under" in data:
        shown["shared_under"] = data["shared_under"].get("gateway", "agreement")
    if remarks := entry.get("remarks"):
        shown["remarks"] = [_kept(one, ("code", "note")) for one in remarks]
    if decision.label is not None:
        shown["label"] = {
            "category": decision.label.category, "level": LEVELS[decision.label.level],
            "handling": sorted(decision.label.handling),
        }  # fmt: skip
    return _closing(shown, entry, decision)


def _what(entry: Data, data: Data, decision: Decision) -> Json:
    name: str = data["event"]
    what = {"event": name, "title": entry.get("title") or name.replace("-", " ").capitalize()}
    if decision.label is not None:
        what["category"] = decision.label.category
    return what


def _closing(shown: Json, entry: Data, decision: Decision) -> Json:
    if marks := entry.get("marks"):
        shown["marks"] = [mark for mark in marks if isinstance(mark, str)]
    shown["why"] = [{"rule": rule, "says": says} for rule, says in decision.why]
    if decision.structure:
        for name in fields.STRUCTURE[-1:] if _is_located(decision) else fields.STRUCTURE:
            shown[name] = entry[name]
        shown["rules"] = {"permits": list(decision.permits), "forbids": list(decision.forbids)}
    return shown


def _kept(some: Data | None, names: Iterable[str]) -> Json:
    return {name: some[name] for name in names if name in some} if some else {}


def _coarser(happened: Data, confided: bool) -> Json:
    """To the day; to the month where a child confided it."""
    length, unit = (7, "month") if confided else (10, "day")
    shown: Json = {name: happened[name][:length] for name in ("from", "to") if name in happened}
    precision = happened["precision"]
    shown["precision"] = unit if precision == "instant" or (confided and precision == "day") else precision
    return shown


def _source(said: Data, decision: Decision) -> Json:
    if not decision.service:
        return {"kind": said.get("service_kind", "another service"), "ring": {"role": FRONT_DOOR}}
    source: Json = {"service": said["service"]}
    if "service_name" in said:
        source["name"] = said["service_name"]
    if "service_kind" in said:
        source["kind"] = said["service_kind"]
    contact = _kept(said.get("contact"), fields.CONTACT if decision.shown == "full" else fields.CONTACT[1:])
    source["ring"] = contact or {"role": FRONT_DOOR}
    return source


def _is_public(person: Data, decision: Decision) -> bool:
    """Whoever told of it, where the source does not let this reader's role know who that was."""
    if person.get("incident_role") not in TELLS_OF_IT:
        return False
    if "may_be_named_to" in person and decision.role not in person["may_be_named_to"]:
        return True
    return decision.label is not None and "protectedSource" in decision.label.handling and not decision.others


def _may_name(person: Data, decision: Decision) -> bool:
    allowed = decision.family if person.get("group") == "family" else decision.others
    own = decision.label is not None and decision.label.own
    return allowed and (own or "may_be_named_to" not in person or decision.role in person["may_be_named_to"])


def _person(person: Data, number: int, decision: Decision) -> Json:
    """In full: relation and part always, the name with the facet of the group."""
    if _is_public(person, decision):
        return {"n": number, "relation": [MEMBER_OF_THE_PUBLIC], "incident_role": person["incident_role"]}
    shown = {"n": number, **_kept(person, fields.PERSON)}
    if not _may_name(person, decision):
        shown["name"] = withheld_people()
        if "relation" in shown:  # free words may name somebody; a code does not
            coded = [one for one in shown["relation"] if one in fields.GENERIC]
            shown["relation"] = coded or [_generic(person, person.get("group") == "family")]
    else:
        shown.update(_kept(person, fields.PERSON_NAMED))
    return shown


def _people_generic(people: Iterable[Data], decision: Decision) -> list[Json]:
    """In outline: generic words where the facet of the group is allowed, family by name with it; else the token."""
    shown: list[Json] = []
    if decision.family or decision.others:
        for person in people:
            family = person.get("group") == "family"
            if not (decision.family if family else decision.others):
                continue
            if _is_public(person, decision):
                shown.append({"relation": MEMBER_OF_THE_PUBLIC})
                continue
            one: Json = {"relation": _generic(person, family)}
            if family and "name" in person:
                one["name"] = person["name"] if _may_name(person, decision) else withheld_people()
            shown.append(one)
    if not (decision.family and decision.others):
        shown.append(withheld_people())
    return shown


def _generic(person: Data, family: bool) -> str:
    for relation in person.get("relation", ()):
        if relation in fields.GENERIC:
            return fields.GENERIC[relation]
    if person.get("incident_role") == "other-child" or person.get("adult") is False:
        return "another child"
    return "somebody in the family" if family else "another person"


def _place(place: Data | None, decision: Decision) -> Json:
    return _kept(place, fields.PLACE) if decision.place else withheld_place()


def _area(place: Data | None, decision: Decision) -> Json:
    """In outline a place is a local authority at most."""
    return _kept(place, ("local_authority",)) if decision.place else withheld_place()


def _details(details: Data, people: Iterable[Data], decision: Decision) -> Json:
    shown: Json = {}
    for name, value in details.items():
        if name in fields.PLAIN:
            shown[name] = withheld_place() if _is_located(decision) and names_service(name, value) else value
        elif name in fields.PLACES:
            shown[name] = value if decision.place else withheld_place()
        elif name in fields.IDENTIFYING:
            everybody = decision.family and decision.others and decision.place
            shown[name] = value if everybody else withheld_people()
        elif name in fields.REFERENCES:
            shown[name] = _numbers(value, people)
    return shown


def _is_located(decision: Decision) -> bool:
    """Would the entry tell where a protected child is, to somebody who is not named to know?"""
    return decision.label is not None and decision.label.located and not decision.place


def _numbers(refs: Any, people: Iterable[Data]) -> list[int]:
    """References as the numbers that people have in this answer: a source's own reference would join across entries."""
    wanted = set(refs) if isinstance(refs, list) else {refs}
    return [number for number, person in enumerate(people, 1) if person.get("ref") in wanted]
