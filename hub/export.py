"""One reader's answer in the shapes of the MAIS standards: PUB01 Person, PUB02 LifeEvent and ServiceEpisode, as JSON-LD.

It writes down what the answer shows and nothing else: it reads no record, decides nothing, and what was withheld from
the reader is not there to be written. What the reader sees and the shapes cannot hold is listed under `x-left-out`, and
`x-notice` says what every chronology says, so that a shorter document never looks whole.

What it does not do: it does not check the document (`schemas.mais.check_document` does), and resolves no JSON-LD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from schemas.catalogue import KINDS, Kind, get_codes
from schemas.mais import get_context

Json = dict[str, Any]
Answer = Mapping[str, Any]

CHILD = "urn:safeguarding:hub:child"
"""The system of the hub's own id of a child."""
ENTRY = "urn:safeguarding:hub:entry"
"""The system of an entry's name in this reader's answers, where the answer does not say which source sealed it."""
SERVICE = "urn:safeguarding:service"
SERVICE_KIND = "urn:safeguarding:service-kind"
"""The system of "a hospital", where the reader may not know which."""
SUBJECT = "SBJ"
"""HL7 v3 ParticipationType: whom it is about."""
NOT_STATED = "not stated"

NO_START = "an episode whose beginning is not shown has no startDateTime (PUB02 TimeInformation.startDateTime 1..1)"
NO_EPISODE = "nothing shown here began the episode that this belongs to"


class NotEnough(Exception):
    """No conformant document can be made of what this reader sees. The argument says what is lacking, and no content."""


def to_jsonld(answer: Answer) -> Json:
    """The document for one whole answer of `hub.disclosure`: `{"@context": …, "@graph": [Person, …]}`.

    `answer` is the answer's JSON: child, entries, notice, held_elsewhere. Errors: `NotEnough`, where the reader sees no
    name with family and given name (PUB01 Person.name 1..*), or where the answer is one page of several.
    """
    if "next" in answer:
        raise NotEnough("this is one page of several; an export is made of the whole answer")
    person = _person(answer["child"])
    about = {"@type": "SubjectPerson", "person": person["identifier"][0], "involvement": SUBJECT}
    events, episodes, left_out = _sorted_out(answer["entries"], about)
    document: Json = {"@context": dict(get_context()), "@graph": [person, *events, *episodes]}
    if notice := answer.get("notice"):
        document["x-notice"] = notice
    if left_out:
        document["x-left-out"] = left_out
    return document


def _person(child: Mapping[str, Any]) -> Json:
    names = [_name(each) for each in child.get("names", ()) if each.get("family") and each.get("given")]
    if not names:
        raise NotEnough(
            "a MAIS Person needs a family name and a given name, and this reader is shown none for this purpose; "
            "ring whoever the chronology names"
        )
    numbers = [_identifier(each["system"], each["value"]) for each in child.get("identifiers", ())]
    person: Json = {"@type": "Person", "identifier": [_identifier(CHILD, child["id"]), *numbers], "name": names}
    if "birth_date" in child:
        person["dateOfBirth"] = {"@type": "PartialDate", "date": child["birth_date"]}
        if "birth_date_accuracy" in child:
            person["dateOfBirth"]["accuracyIndicator"] = child["birth_date_accuracy"]
    return person


def _name(name: Mapping[str, Any]) -> Json:
    use = {"use": name["use"]} if "use" in name else {}
    return {"@type": "Name", "familyName": [name["family"]], "givenName": list(name["given"]), **use}


def _identifier(system: str, value: str) -> Json:
    return {"@type": "Identifier", "system": system, "value": value}


def _sorted_out(entries: Iterable[Answer], about: Json) -> tuple[list[Json], list[Json], list[Json]]:
    """Life events, episodes, and what could be neither, in the order of the answer.

    Three rounds over the episodes: what opens, what closes, what happens in between, whatever the order of the answer.
    """
    known = [(entry, KINDS[entry["event"]]) for entry in entries if entry.get("event") in KINDS]
    events = [_life_event(entry, kind, about) for entry, kind in known if kind.mais_object == "LifeEvent"]
    parts = [(entry, kind) for entry, kind in known if kind.mais_object == "ServiceEpisode"]
    left_out: list[Json] = []
    episodes: list[Json] = []
    for entry, kind in parts:
        if kind.episode == "opens":
            if _beginning(entry):
                episodes.append(_episode(entry, kind, about))
            else:
                left_out.append(_left_out(entry, NO_START))
    for join, episode in ((_close, "closes"), (_find, "point")):
        for entry, kind in parts:
            if kind.episode == episode and not join(entry, kind, episodes):
                left_out.append(_left_out(entry, NO_EPISODE))
    return events, episodes, left_out


def _life_event(entry: Answer, kind: Kind, about: Json) -> Json:
    event: Json = {"@type": "LifeEvent", **_what(entry, kind, about)}
    if "service" in entry.get("source", {}):
        event["relatedService"] = [_service(entry)]
    if start := _beginning(entry):
        event["timeInformation"] = [{"@type": "TimeInformation", **_start(start), **_end(_ending(entry))}]
    if location := _location(entry):
        event["location"] = [location]
    return event


def _episode(entry: Answer, kind: Kind, about: Json) -> Json:
    """Begun, and not ended until something that closes it is found."""
    episode: Json = {
        "@type": "ServiceEpisode",
        **_what(entry, kind, about),
        "relatedService": [_service(entry)],
        "timeInformation": [{"@type": "TimeInformation", **_start(_beginning(entry)), **_end(_ending(entry))}],
        "location": [_location(entry) or NOT_STATED],
    }
    if text := entry.get("summary", {}).get("text"):
        episode["finding"] = [{"@type": "Finding", "text": [text]}]
    return episode


def _what(entry: Answer, kind: Kind, about: Json) -> Json:
    marks = {"x-marks": list(entry["marks"])} if entry.get("marks") else {}
    return {"identifier": [_named(entry)], "type": [kind.mais], "subjectPerson": [about], **marks}


def _named(entry: Answer) -> Json:
    """(source, event id) where the answer gives them (an auditor's), else the entry's name for this reader."""
    if "id" in entry and isinstance(entry.get("source"), str):
        return _identifier(entry["source"], entry["id"])
    return _identifier(ENTRY, entry["ref"])


def _service(entry: Answer) -> Json:
    source = entry.get("source", {})
    if isinstance(source, Mapping) and "service" in source:
        return _identifier(SERVICE, source["service"])
    return _identifier(SERVICE_KIND, source["kind"] if isinstance(source, Mapping) and "kind" in source else NOT_STATED)


def _close(entry: Answer, kind: Kind, episodes: list[Json]) -> bool:
    """Gives the last episode of this code that had begun and not ended its end; False where there is none."""
    ends = _beginning(entry)
    begun = [one for one in episodes if one["type"] == [kind.mais] and "endDateTime" not in one["timeInformation"][0]]
    if ends:
        begun = [one for one in begun if _not_after(one["timeInformation"][0]["startDateTime"], _last_moment(ends))]
    if not begun:
        return False
    episode = max(begun, key=lambda one: one["timeInformation"][0]["startDateTime"])
    episode["timeInformation"][0] |= _end(ends)
    outcome = entry.get("afterwards", {}).get("outcome")
    if outcome in get_codes("episode-outcomes"):
        episode["outcome"] = outcome
    return True
