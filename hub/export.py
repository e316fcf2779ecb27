"""One reader's answer in the shapes of the MAIS standards (PUB01 and PUB02), as a JSON-LD document.

It writes down what the answer shows and nothing else: it reads no record, decides nothing, and what was withheld from
the reader is not there to be written. What the reader sees and the shapes cannot hold is listed under `x-left-out`, and
`x-notice` says what every chronology says, so that a shorter document never looks whole.

What it does not do: it does not check the document (`schemas.mais.check_document` does), and resolves no JSON-LD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PLACE = ("name", "address", "ward", "postcode", "local_authority")
BESIDE = {
    "x-notice": "notice",
    "x-whole-until": "whole_until",
    "x-held-elsewhere": "held_elsewhere",
    "x-banners": "banners",
}
"""What the answer says beside its entries: it goes along, outside the graph, in terms that JSON-LD leaves alone."""

NO_START = "an episode whose beginning is not shown has no startDateTime (PUB02 TimeInformation.startDateTime 1..1)"
NO_EPISODE = "nothing shown here began the episode that this belongs to"


class _Begun(NamedTuple):
    """An episode that an entry began: since when (as shown), its MAIS code, and the object to be written."""

    since: str
    code: str
    episode: Json


class NotEnough(Exception):
    """No conformant document can be made of what this reader sees. The argument says what is lacking, never content."""


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
    for term, said in BESIDE.items():
        if answer.get(said):
            document[term] = answer[said]
    return {**document, "x-left-out": left_out} if left_out else document


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
    """Life events, episodes, and what could be neither, each in the order of the answer.

    The episodes take three rounds, whatever the order: what began, what ended, what happened in between.
    """
    known = [(entry, KINDS[entry["event"]]) for entry in entries if entry.get("event") in KINDS]
    events = [_life_event(entry, kind, about) for entry, kind in known if kind.mais_object == "LifeEvent"]
    of_episodes = [(entry, kind) for entry, kind in known if kind.mais_object == "ServiceEpisode"]
    begun: list[_Begun] = []
    left_out: list[Json] = []
    for entry, kind in of_episodes:
        if kind.episode == "opens" and _happened(entry, "from"):
            begun.append(_Begun(_happened(entry, "from"), kind.mais, _episode(entry, kind, about)))
        elif kind.episode == "opens":
            left_out.append(_left_out(entry, NO_START))
    for fits, join in (("closes", _close), ("point", _observe)):
        for entry, kind in of_episodes:
            if kind.episode == fits and not join(entry, _before(entry, kind, begun)):
                left_out.append(_left_out(entry, NO_EPISODE))
    return events, [one.episode for one in begun], left_out


def _life_event(entry: Answer, kind: Kind, about: Json) -> Json:
    event: Json = {"@type": "LifeEvent", **_what(entry, kind, about)}
    if "service" in _source(entry):
        event["relatedService"] = [_service(entry)]
    if _happened(entry, "from"):
        event["timeInformation"] = [_time(entry)]
    if location := _location(entry):
        event["location"] = [location]
    return event


def _episode(entry: Answer, kind: Kind, about: Json) -> Json:
    """Begun, and not ended until what ends it is found."""
    episode: Json = {
        "@type": "ServiceEpisode",
        **_what(entry, kind, about),
        "relatedService": [_service(entry)],
        "timeInformation": [_time(entry)],
        "location": [_location(entry) or NOT_STATED],
    }
    if text := entry.get("summary", {}).get("text"):
        episode["finding"] = [{"@type": "Finding", "text": [text]}]
    return episode


def _what(entry: Answer, kind: Kind, about: Json) -> Json:
    marks = {"x-marks": list(entry["marks"])} if entry.get("marks") else {}
    return {"identifier": [_named(entry)], "type": [kind.mais], "subjectPerson": [about], **marks}


def _named(entry: Answer) -> Json:
    """(source, event id) where the answer gives them, as it does to auditors; else the entry's name for this reader."""
    if "id" in entry and isinstance(entry.get("source"), str):
        return _identifier(entry["source"], entry["id"])
    return _identifier(ENTRY, entry["ref"])


def _source(entry: Answer) -> Mapping[str, Any]:
    source = entry.get("source")
    return source if isinstance(source, Mapping) else {}


def _service(entry: Answer) -> Json:
    source = _source(entry)
    if "service" in source:
        return _identifier(SERVICE, source["service"])
    return _identifier(SERVICE_KIND, source.get("kind", NOT_STATED))


def _location(entry: Answer) -> str:
    """The place as far as it is shown, in one line; "" where nothing is, or where it is withheld."""
    place = entry.get("place", {})
    return ", ".join(place[part] for part in PLACE if part in place)


def _before(entry: Answer, kind: Kind, begun: Sequence[_Begun]) -> list[_Begun]:
    """The episodes of this entry's code that had begun by then, as far as the coarser of two days tells; last first."""
    at = _happened(entry, "from")[:10]
    of_code = [one for one in begun if one.code == kind.mais]
    if at:
        of_code = [one for one in of_code if one.since[: len(at)] <= at[: len(one.since)]]
    return sorted(of_code, key=lambda one: one.since[:10], reverse=True)


def _close(entry: Answer, candidates: Sequence[_Begun]) -> bool:
    """Ends the last episode that has not ended yet. False where there is none."""
    for one in candidates:
        time = one.episode["timeInformation"][0]
        if "endDateTime" not in time and "x-ended" not in time:
            ends = _happened(entry, "from")
            time.update(_moment("end", ends) if ends else {"x-ended": "on a day that is not known"})
            outcome = entry.get("afterwards", {}).get("outcome")
            one.episode.update({"outcome": outcome} if outcome in get_codes("episode-outcomes") else {})
            return True
    return False


def _observe(entry: Answer, candidates: Sequence[_Begun]) -> bool:
    """Writes what happened in the course of an episode as a finding of it. False where there is none, or no day."""
    at = _happened(entry, "from")
    if not at or not candidates:
        return False
    observation = {"@type": "Observation", "type": entry["event"], **_moment("startDate", at)}
    candidates[0].episode.setdefault("finding", []).append({"@type": "Finding", "observation": [observation]})
    return True


def _left_out(entry: Answer, why: str) -> Json:
    return {"identifier": _named(entry), "why": why}


def _happened(entry: Answer, end: str) -> str:
    """`from` or `to` as shown: a month, a day or an instant; "" where it is not known."""
    return str(entry.get("happened", {}).get(end, ""))


def _time(entry: Answer) -> Json:
    """When, of an entry whose beginning is shown."""
    ends = _happened(entry, "to")
    time = {"@type": "TimeInformation", **_moment("start", _happened(entry, "from"))}
    return {**time, **_moment("end", ends)} if ends else time


def _moment(name: str, text: str) -> Json:
    """`startDateTime` or `endDateTime` (or a name as it is), and how exact it is where it is not an instant.

    xsd:dateTime has no way to say "that day": its first moment is written for a beginning, its last for an end, without
    a zone, and `x-precision` or `x-end-precision` says that no hour was known.
    """
    term = {"start": "startDateTime", "end": "endDateTime"}.get(name, name)
    precision = {7: "month", 10: "day"}.get(len(text))
    if precision is None:
        return {term: text}
    if name == "end":
        return {term: f"{_last_day(text)}T23:59:59", "x-end-precision": precision}
    return {term: f"{text if precision == 'day' else text + '-01'}T00:00:00", "x-precision": precision}


def _last_day(text: str) -> str:
    if len(text) == 10:
        return text
    year, month = int(text[:4]), int(text[5:])
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return f"{text}-{LAST_DAYS[month - 1] + leap}"
