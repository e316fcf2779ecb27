"""Builds one reader's answer from what was decided: pure, and only from what this reader sees.

Nothing here decides who sees what; nothing here depends on an entry that is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from hub.domain.facts import EventKey, Fact
from hub.domain.labels import Label
from hub.identity.matching import HUB_CHILD
from hub.policy.decide import Decision
from hub.policy.projector import existence_card
from hub.projections.chronology import Row
from schemas.catalogue import KINDS

NOTICE = "Other information may exist that is not shown here."
"""Stands on every chronology, whatever is hidden."""
RING = "This chronology cannot be shown complete now. Ring the front door."
VISIBLE = ("outline", "full")
FORMER = ("old", "maiden")
DISPUTE = "accuracy-disputed"
MARKS = ("late", "provisional", "corrected", "disputed")
"""In this order, whichever came into the record first."""


@dataclass(slots=True)
class Seen:
    """One entry on its way to the reader."""

    row: Row
    label: Label
    decision: Decision
    gone: bool = False
    """Retracted: no reader gets its content, an auditor sees that it stands in the record."""
    nameless: bool = False
    """The name that it gives the child is kept from this reader."""
    ref: str = ""
    """Its name for this reader."""
    beside: tuple[str, ...] = ()
    """The names of the entries that it corrects, replaces or disputes, as far as this reader sees them."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What of it, but for the name."""
    written: bytes = b""
    """The same as JSON, where it was written already."""


def entry_of(row: Row, marks: Sequence[str], narrative: str | None) -> dict[str, Any]:
    """An entry as the projector takes it."""
    fact = row.fact
    data = fact.data if narrative is None else {**fact.data, "narrative": {"text": narrative}}
    return {
        "data": data, "source": fact.source, "id": fact.id, "datadigest": fact.datadigest, "position": row.position,
        "shared": fact.shared, "marks": marks, "title": KINDS[fact.name].title,
        "remarks": [{"code": remark.code, "note": remark.note} for remark in fact.remarks],
    }  # fmt: skip


def written(one: Seen) -> orjson.Fragment:
    """One entry of the answer, its name first, then beside which others it stands."""
    beside = b'"beside":%b,' % orjson.dumps(one.beside) if one.beside else b""
    rest = (one.written or orjson.dumps(one.shown))[1:]
    return orjson.Fragment(b'{"ref":"%b",%b%b' % (one.ref.encode(), beside, rest))


def stand_beside(visible: Sequence[Seen]) -> None:
    """Says of each entry beside which of the others it stands: old beside new, a dispute beside what it disputes."""
    names = {one.row.fact.key: one.ref for one in visible}
    for one in visible:
        references = one.row.fact.data.get("references") or ()
        if references:
            targets = [(each["source"], each["id"]) for each in references if _stands_beside(one.row.fact, each)]
            one.beside = tuple(dict.fromkeys(names[key] for key in targets if key in names and key != one.row.fact.key))


def _stands_beside(fact: Fact, reference: Mapping[str, str]) -> bool:
    if reference["as"] == "about":
        return fact.name == DISPUTE
    return reference["as"] in ("corrects", "replaces") and reference["source"] == fact.source


def structure_of(one: Seen) -> dict[str, Any]:
    """What an auditor gets of an entry whose content is not for them: that it stands in the record, and its digest.

    Of one that tells where a protected child is, neither: source, id and digest are that school's or practice's own.
    """
    fact = one.row.fact
    named = {} if one.label.located else {"source": fact.source, "id": fact.id, "datadigest": fact.datadigest}
    marks = {"marks": ["retracted"]} if one.gone else {}
    return {"shown": "structure", **named, "position": one.row.position, **marks}


def unplaced(row: Row) -> Row:
    """The row without the names of its source and event, for whoever may not know where the child is."""
    return replace(row, fact=row.fact._replace(source="", id=""))


def unspoken(visible: Iterable[Seen], services: Callable[[], Mapping[str, Mapping[str, str]]]) -> list[str]:
    """The names that no author's words may say, where a protected location is to be kept out of them."""
    located = any(one.label.located for one in visible)
    return [one["name"] for one in services().values() if "name" in one] if located else []


def marks_of(
    visible: Sequence[Seen], unsure: Collection[UUID], place: Callable[[Fact], UUID]
) -> dict[EventKey, list[str]]:
    """late, corrected, provisional, disputed: from what this reader sees, so that what is hidden marks nothing.

    `place` gives the id that an entry belongs to, wherever it stands.
    """
    marks: dict[EventKey, set[str]] = {}
    for one in visible:
        fact = one.row.fact
        if fact.remarks and any(remark.code == "late" for remark in fact.remarks):
            marks.setdefault(fact.key, set()).add("late")
        if unsure and place(fact) in unsure:
            marks.setdefault(fact.key, set()).add("provisional")
        for reference in fact.data.get("references") or ():
            if reference["as"] in ("corrects", "replaces") and reference["source"] == fact.source:
                marks.setdefault((reference["source"], reference["id"]), set()).add("corrected")
            elif reference["as"] == "about" and fact.name == DISPUTE:
                marks.setdefault((reference["source"], reference["id"]), set()).add("disputed")
    return {key: [mark for mark in MARKS if mark in found] for key, found in marks.items()}


def when(one: Seen) -> tuple[str, str, str]:
    """The order in which readers see entries: by what they may see of when it happened, never by the log."""
    happened = one.shown.get("happened") or {}
    shared = one.shown.get("shared", "")
    return happened.get("from") or happened.get("to") or shared, shared, one.ref


def shown_as(members: Sequence[UUID], seen: Iterable[Seen], place: Callable[[Fact], UUID]) -> UUID:
    """The oldest of a child's ids under which this reader sees something.

    Where people joined two ids and one has nothing for this reader, the answer does not tell that it is there.
    """
    places = {place(one.row.fact) for one in seen if one.decision.shown != "hidden"}
    return next((one for one in members if one in places), members[0])


def header(child: UUID, visible: Sequence[Seen]) -> dict[str, Any]:
    """Who the child is, as far as the entries that this reader sees say so.

    The name that came last into use stands first: an agency that still writes an older one does not bring it back.
    Last as far as this reader is shown when it was shared: an outline's hour does not decide.
    `names` has the same names in their parts. `identifiers` are those that an entry carries which is shown in full
    with service and place: a number tells of the school or area that gave it, so it goes where they go. A name that
    came with an adoption goes to those only who are named.
    """
    introduced: dict[str, dict[str, Any]] = {}
    former: dict[str, str] = {}
    born: dict[str, str] = {}
    numbers: set[tuple[str, str]] = set()
    for one in sorted(visible, key=_introduced):
        described = one.row.fact.data["child"]
        for text, parts in () if one.nameless else _names(one.row):
            if text:
                introduced.setdefault(text, {}).update(parts)
            if parts.get("use") in FORMER:
                former[text] = parts["use"]
        born = described.get("birth_date") or born
        stated = described.get("identifiers")
        if stated and one.decision.shown == "full" and one.decision.service and one.decision.place:
            numbers |= {(each["system"], each["value"]) for each in stated if each["system"] != HUB_CHILD}
    newest_first = list(introduced)[::-1]
    known = sorted(newest_first, key=former.__contains__)
    return {
        "id": str(child),
        **({"name": known[0], "also_known_as": known[1:]} if known else {}),
        **({"names": [_used(introduced[text], former.get(text)) for text in known]} if known else {}),
        **({"birth_date": born["date"]} if born else {}),
        **({"birth_date_accuracy": born["accuracy"]} if "accuracy" in born else {}),
        **({"identifiers": [{"system": each[0], "value": each[1]} for each in sorted(numbers)]} if numbers else {}),
    }


def cards(elsewhere: Iterable[Seen]) -> list[dict[str, Any]]:
    """One card a source service, without date, kind, number or anybody's name, in an order that tells nothing."""
    made: dict[str, dict[str, Any]] = {}
    for one in elsewhere:
        card = existence_card({"data": one.row.fact.data}, one.decision)
        card = {**card, "ring": {name: value for name, value in card["ring"].items() if name != "name"}}
        made.setdefault(card["agency"], card)
        made[card["agency"]] = min(made[card["agency"]], card, key=lambda each: sorted(each["ring"].items()))
    return [made[agency] for agency in sorted(made)]


def shown_of(one: Seen) -> str:
    """How much of an entry its reader gets: a step of the lattice, or its banner."""
    return "banner" if one.decision.banner else one.decision.shown


def classes(seen: Iterable[Seen]) -> list[dict[str, Any]]:
    """One line a label class, for the access record: what was shown of it, by which rules, at which positions."""
    lines: dict[tuple[Label, bool], dict[str, Any]] = {}
    for one in seen:
        line = lines.get((one.label, one.gone))
        if line is None:
            line = lines[one.label, one.gone] = _line(one)
        line["entries"].append(one.row.position)
    return list(lines.values())


def stamp(at: datetime) -> str:
    """A moment as it is stored and compared: UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _line(one: Seen) -> dict[str, Any]:
    label: Mapping[str, Any] = one.label._asdict()
    return {
        "label": {**label, "handling": sorted(one.label.handling)},
        "shown": "structure" if one.gone else shown_of(one),
        "permits": list(one.decision.permits),
        "forbids": list(one.decision.forbids),
        "entries": [],
    }


def _introduced(one: Seen) -> tuple[str, list[str]]:
    """When an entry was shared, as far as it is shown; of two at once what they say decides, never the source's id."""
    return one.shown["shared"], [text for text, _ in _names(one.row)]


def _names(row: Row) -> list[tuple[str, dict[str, Any]]]:
    """The names that an entry gives its child, as one text and in their parts."""
    if "names" not in row.memory:
        several = map(_parts, row.fact.data["child"].get("names", ()))
        row.memory["names"] = [
            (" ".join([*parts.get("given", ()), parts.get("family", "")]).strip(), parts) for parts in several
        ]
    found: list[tuple[str, dict[str, Any]]] = row.memory["names"]
    return found


def _parts(name: Mapping[str, Any]) -> dict[str, Any]:
    """A name in its parts. Systems that shout are not quoted: a name in capitals alone is shown as a name."""
    parts = {part: name[part] for part in ("family", "given", "use") if part in name}
    if " ".join([*name.get("given", ()), name.get("family", "")]).isupper():
        parts |= {"family": parts["family"].title()} if "family" in parts else {}
        parts |= {"given": [each.title() for each in parts["given"]]} if "given" in parts else {}
    return parts


def _used(parts: dict[str, Any], former: str | None) -> dict[str, Any]:
    """That a name is a former one is not unsaid by an agency that still writes it."""
    return {**parts, "use": former} if former else parts
