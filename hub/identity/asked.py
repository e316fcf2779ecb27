"""Whom somebody asks for: a person in the words of MAIS PUB01 or in ours, read strictly into one description.

What a description has no use for (ethnicity, relations …) is passed over; what it uses and cannot read is refused by
its name, and nothing of what was written is said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.identity.matching import Description, describe

MOST = 10
"""Numbers, names and addresses that one question may have; given names in one name."""
LONGEST = 200
PERSON = frozenset(
    {"identifiers", "names", "birth_date", "unborn", "sex"}
    | {"identifier", "name", "dateOfBirth", "isDeceased", "deceasedDate", "address", "contact", "genderCode", "sexCode"}
    | {"ethnicityCode", "relatedPerson", "primaryContactProfessional", "matchedPersonRef"}
)
NAME = frozenset({"family", "given", "preferred", "use", "from", "until", "familyName", "givenName", "preferredName"})
ADDRESS = frozenset({"lines", "postcode", "uprn", "use", "from", "until", "protected"}) | frozenset(
    {"line1", "line2", "city", "UPRN", "USRN"}
)
"""Every member in both ways of saying it, looked at or not. Another one was meant to say something: left out, nobody
would be found, and who asked would take the child for unknown."""


class NotAPerson(ValueError):
    """What was asked is not of the form that is read; the argument names the member."""


def description_of(person: Mapping[str, Any]) -> Description:
    """The description by which a child is looked for; an empty one where nothing was said. Errors: `NotAPerson`.

    Each member as PUB01 names it (`identifier`, `name`, `dateOfBirth`, `sexCode`, `address`) or as an event's `child`
    does (`identifiers`, `names`, `birth_date`, `sex`, `address`).
    """
    _refuse_others(person, PERSON, "person")
    born = _one(person, "dateOfBirth", "birth_date")
    sex = _text(person, "sexCode", "sex")
    return describe(
        {
            "identifiers": [_number(one) for one in _several(person, "identifier", "identifiers")],
            "names": [_name(one) for one in _several(person, "name", "names")],
            **({"birth_date": _birth_date(born)} if born else {}),
            **({"sex": sex} if sex else {}),
            "address": [_address(one) for one in _several(person, "address")],
        }
    )


def _number(said: Mapping[str, Any]) -> dict[str, str]:
    """A number as systems keep it, without the spaces in which people write it."""
    value, system = "".join(_text(said, "value").split()), _text(said, "system")
    if not (value and system):
        raise NotAPerson("identifier")
    return {"system": system, "value": value}


def _address(said: Mapping[str, Any]) -> dict[str, str]:
    _refuse_others(said, ADDRESS, "address")
    return {"postcode": _text(said, "postcode")}


def _name(said: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_others(said, NAME, "name")
    parts = {
        "family": " ".join(_texts(said, "familyName", "family")), "given": _texts(said, "givenName", "given"),
        "preferred": _text(said, "preferredName", "preferred"),
    }  # fmt: skip
    return {part: value for part, value in parts.items() if value}


def _birth_date(said: Mapping[str, Any]) -> dict[str, str]:
    day = _text(said, "date")
    try:
        if date.fromisoformat(day).isoformat() != day:
            raise ValueError
    except ValueError:
        raise NotAPerson("date") from None
    return {"date": day, "accuracy": _text(said, "accuracyIndicator", "accuracy") or "AAA"}


def _refuse_others(said: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """JSON-LD's own words (`@type`) say nothing about anybody."""
    if not all(member in known or member.startswith("@") for member in said):
        raise NotAPerson(where)


def _several(said: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    """A member that may stand more than once; JSON-LD writes a single one without its list."""
    found = _listed(said, names)
    if not all(isinstance(one, Mapping) for one in found):
        raise NotAPerson(names[0])
    return found


def _one(said: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found = _several(said, *names)
    if len(found) > 1:
        raise NotAPerson(names[0])
    return found[0] if found else {}


def _texts(said: Mapping[str, Any], *names: str) -> list[str]:
    found = _listed(said, names)
    if not all(isinstance(one, str) and len(one) <= LONGEST for one in found):
        raise NotAPerson(names[0])
    return found


def _text(said: Mapping[str, Any], *names: str) -> str:
    found = _texts(said, *names)
    if len(found) > 1:
        raise NotAPerson(names[0])
    return found[0] if found else ""


def _listed(said: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    found = [said[name] for name in names if name in said]
    several = found[0] if found and isinstance(found[0], list) else found
    if len(found) > 1 or len(several) > MOST:
        raise NotAPerson(names[0])
    return several
