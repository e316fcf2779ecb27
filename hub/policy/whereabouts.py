"""What of an entry would tell where a protected child is, and how it is kept out of the entry's own words.

A service is named in many places beside its name: in who was asked, who took part, who leads. Those are withheld as
the name is. Words that an author wrote are shown, but for the names, numbers and addresses that this very entry
withholds, and the names of the partnership's services; what an author says in other words stands. Decides nothing:
that is `forbids.cedar`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hub.policy import fields
from hub.policy.decide import Decision

Data = Mapping[str, Any]
SERVICE: Final = "urn:safeguarding:service:"
WITHHELD: Final = "[withheld]"
SHORTEST: Final = 3
"""Characters of a name that is looked for in words."""
GENERAL: Final = frozenset({"clinic", "court", "department", "ward"})
"""Details that say where in words which are everybody's: "emergency department" tells of none."""
SPOKEN: Final = ("summary", "narrative", *fields.WORDS, "details", "told", "afterwards", "people", "remarks")
"""Members of an answer that hold words."""


def names_service(name: str, value: Any) -> bool:
    """Does this detail say which service, or who there, has to do with the child?"""
    return name in fields.SERVICES or any(text.startswith(SERVICE) for text in _texts(value))


def wordless(shown: dict[str, Any], data: Data, decision: Decision, services: Iterable[str]) -> dict[str, Any]:
    """What is shown, without the words that the decision withholds wherever they stand; `services` by their names."""
    secrets = {_folded(one) for one in (*_secrets(data, decision), *_texts(services))} - {""}
    spoken = " ".join(_texts([shown[name] for name in SPOKEN if name in shown])).lower()
    said = sorted((one for one in secrets if one.split()[0] in spoken), key=len, reverse=True)
    if not said:
        return shown
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(_pattern, said))})(?!\w)", re.IGNORECASE)
    return {name: _without(value, found) if name in SPOKEN else value for name, value in shown.items()}


def _secrets(data: Data, decision: Decision) -> Iterator[str]:
    """The names, numbers and addresses that this entry withholds."""
    said, details, child = data["said_by"], data.get("details") or {}, data.get("child") or {}
    if not decision.service:
        yield from _texts([said.get(name) for name in ("service", "service_name", "controller")])
        yield from _texts({name: value for name, value in said.get("contact", {}).items() if name != "role"})
        yield from _texts([said.get("author", {}).get(name) for name in ("name", "service")])
        yield from _texts([value for name, value in details.items() if name in fields.SERVICES])
    if not decision.place:
        where = data.get("place") or {}
        yield from _texts([where.get(name) for name in fields.PLACE if name not in ("kind", "precision")])
        yield from _texts([value for name, value in details.items() if name in fields.PLACES - GENERAL])
        for address in child.get("address", ()):
            yield from _texts([address.get(name) for name in ("lines", "postcode", "uprn")])
    yield from _texts([one.get("value") for one in child.get("identifiers", ())])


def _folded(text: str) -> str:
    text = " ".join(text.lower().split())
    return text if len(text) >= SHORTEST else ""


def _pattern(text: str) -> str:
    """Spaces are as loose as people write them: a postcode stands with one or without."""
    loose = r"\s*" if any(mark.isdigit() for mark in text) else r"\s+"
    return loose.join(re.escape(part) for part in text.split())


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, and those parts that commas divide it into which begin with a name."""
    if isinstance(value, str):
        yield value
        yield from (part for part in value.split(",") if part != value and part.strip()[:1].isupper())
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, Iterable):
        for one in value:
            yield from _texts(one)


def _without(value: Any, found: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return found.sub(WITHHELD, value)
    if isinstance(value, Mapping):
        return {name: _without(one, found) for name, one in value.items()}
    return [_without(one, found) for one in value] if isinstance(value, list | tuple) else value
