"""Does this event fit its schema? A named fault for each misfit; no fault means that it fits.

It checks form: members, types, lists of codes, days that exist, periods that do not end before they begin. It does not
check meaning (late, early, contradicting: those are remarks) and never says a value, so that a fault can be logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Literal

from schemas.catalogue import find_kind, knows
from schemas.validators import fits, get_published

MAX_DEPTH = 64
"""Levels of nesting that an event may have."""
MAX_FAULTS = 50
"""Faults named for one event; whoever has more has not written for this schema."""

FOREIGN = "has a fraction, or something that JSON does not know"

_SCALARS = frozenset((bool, int, type(None)))

NOTES = {
    "additionalProperties": "has a member that the schema does not know",
    "anyOf": "fits none of the forms allowed here; a day must exist",
    "const": "is not the value fixed here",
    "contains": "lacks an entry that this kind needs",
    "enum": "is not in the list of codes",
    "falseSchema": "is not allowed here",
    "format": "is not a day or moment that exists",
    "maxItems": "has too many entries",
    "maxLength": "is too long",
    "maximum": "is too large",
    "minItems": "has too few entries",
    "minLength": "is empty or too short",
    "minProperties": "lacks a member",
    "minimum": "is too small",
    "oneOf": "must have exactly one of the forms allowed here",
    "pattern": "has another form than this member must have",
    "required": "is missing",
    "type": "has another type than this member must have",
    "uniqueItems": "has an entry twice",
}


@dataclass(frozen=True)
class Fault:
    """One misfit: the step that found it, a JSON pointer (RFC 6901), the keyword that is broken, a sentence.

    Neither pointer nor sentence holds anything that the sender wrote: pointers name members of the schema only.
    """

    step: Literal["kind", "version", "schema"]
    path: str
    rule: str
    note: str


def check_event(data: Mapping[str, Any], *, strict: bool = False) -> list[Fault]:
    """Check one canonical event, as parsed from JSON. An empty list: it fits.

    `strict` says that the data came out of `open_envelope` or `strict_json` and nobody has changed it since: then
    fractions and text that is not Unicode, which those refuse, are not looked for again.
    """
    name, version = data.get("event"), data.get("version")
    if not isinstance(name, str) or find_kind(name) is None:
        return [Fault("kind", "/event", "kind", "names no kind of event that is known here")]
    if type(version) is not int or not knows(name, version):
        return [Fault("version", "/version", "version", "names no version of this kind that is known here")]
    event = data if isinstance(data, dict) else dict(data)
    if not _fits(name, version, event, strict) and (faults := _find_misfits(name, version, event)):
        return faults
    return [Fault("schema", path, "order", "ends before it begins") for path, a, b in _periods(event) if _after(a, b)]


def _fits(name: str, version: int, event: dict[str, Any], strict: bool) -> bool:
    """The quick answer for the usual event. Where it is no, `_find_misfits` says why."""
    try:
        return fits(name, version, event) and (strict or _find_foreign(event) is None)
    except ValueError:  # what JSON does not know
        return False


def _find_misfits(name: str, version: int, event: dict[str, Any]) -> list[Fault]:
    """Every fault by the whole published schema, what is foreign to JSON first."""
    validator = get_published(name, version)
    if foreign := _find_foreign(event):
        return _name_place(validator, event, foreign)
    try:
        return _misfits(validator, event)
    except ValueError:  # a member whose name is not text
        return [Fault("schema", "", "type", FOREIGN)]


def _find_foreign(data: Any) -> Fault | None:
    """What JSON Schema lets pass and no event may hold: a fraction (1.0 too), text not Unicode, a bottomless nest."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                if not value.isascii() and _has_surrogate(value):
                    return Fault("schema", "", "text", "has text that is not Unicode")
            elif kind is dict:
                deeper += value.values()
            elif kind is list:
                deeper += value
            elif kind not in _SCALARS:
                return Fault("schema", "", "type", FOREIGN)
        if not deeper:
            return None
        level = deeper
    return Fault("schema", "", "depth", "is nested too deeply")


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _name_place(validator: Any, event: dict[str, Any], foreign: Fault) -> list[Fault]:
    """The faults of an event that holds something foreign, with its place where the schema knows the way to it."""
    if foreign.rule != "type" or not _is_json(event):
        return [foreign]
    if faults := _misfits(validator, event):
        return faults
    return [Fault("schema", _find_fraction(event), foreign.rule, foreign.note)]


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) for name in value) and all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or type(value) in (str, bool, int) or (type(value) is float and isfinite(value))


def _find_fraction(data: Any) -> str:
    """Where the first fraction stands. Asked only of an event that otherwise fits: every member on the way is known."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        if type(value) is float:
            return _pointer([key])
        if type(value) in (dict, list) and (below := _find_fraction(value)):
            return _pointer([key]) + below
    return ""


def _misfits(validator: Any, event: dict[str, Any]) -> list[Fault]:
    faults: dict[Fault, None] = {}
    for error in validator.iter_errors(event):
        rule = str(error.kind.name)
        missing = [error.kind.property] if rule == "required" else []
        path = _pointer([*error.instance_path, *missing])
        faults[Fault("schema", path, rule, NOTES.get(rule, "does not fit"))] = None
        if len(faults) >= MAX_FAULTS:
            break
    return list(faults)


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _periods(event: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every pair of beginning and end that the event carries: pointer to the end, beginning, end."""
    happened = event["happened"]
    if "to" in happened and "from" in happened:
        yield "/happened/to", happened["from"], happened["to"]
    for path, period in _dated(event):
        begins, ends = period.get("from"), period["until"]
        if type(begins) is str and type(ends) is str and begins[:1].isdigit() and ends[:1].isdigit():
            yield f"{path}/until", begins, ends


def _dated(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every part of the event that has an end, with its pointer."""
    child = event.get("child", {})
    for member in ("names", "address"):
        for index, item in enumerate(child.get(member, ())):
            if "until" in item:
                yield f"/child/{member}/{index}", item
    for index, person in enumerate(event.get("people", ())):
        if "household" in person and "until" in person["household"]:
            yield f"/people/{index}/household", person["household"]
    details = event["details"]
    if "until" in details:
        yield "/details", details
    for name, value in details.items():
        if type(value) is dict and "until" in value:
            yield f"/details/{name}", value


def _after(begins: str, ends: str) -> bool:
    """Whether the end lies before the beginning, as far as the coarser of the two can tell."""
    if "T" in begins and "T" in ends:
        return datetime.fromisoformat(begins) > datetime.fromisoformat(ends)
    exact = min(len(begins.partition("T")[0]), len(ends.partition("T")[0]))
    return begins[:exact] > ends[:exact]
