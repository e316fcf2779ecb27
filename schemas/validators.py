"""The compiled schemas: each published schema whole, and the same schemas taken apart so that they answer faster.

A kind's schema is `common/v1.json` and a little of its own. Compiled whole, 151 kinds hold 151 copies of the common
part, and whoever checks events of many kinds waits for memory: 55 µs an event where one kind alone takes 10. Taken
apart, one validator holds the common part and a small one each member that a kind describes itself: 8 µs for all.

Both are made from the same files. A schema that uses more than `_is_divisible` knows is not taken apart but compiled
whole. This says whether an event fits; it names no fault (that is `check`, with the whole schema).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import jsonschema_rs

from schemas.catalogue import COMMON, get_common, get_schema

IsValid = Callable[[Any], bool]

_SAYS_NOTHING = frozenset({"$schema", "$id", "title", "description"})
"""Keywords that hold for no instance; names that begin with `x-` are ours and do not either."""
_DIVISIBLE = frozenset({"$ref", "properties", "required"})


class Own(NamedTuple):
    """What a kind asks beyond the common members: who must be there, who must not, and how each member looks."""

    required: frozenset[str]
    forbidden: frozenset[str]
    members: tuple[tuple[str, IsValid], ...]


def fits(name: str, version: int, event: Mapping[str, Any]) -> bool:
    """Whether an event that says it is of this name and version fits their published schema.

    ValueError for what JSON Schema cannot judge, KeyError where there is no such schema.
    """
    own = _own(name, version)
    if own is None:
        return bool(get_published(name, version).is_valid(event))
    if not event.keys() >= own.required or not own.forbidden.isdisjoint(event):
        return False
    for member, is_valid in own.members:
        if member in event and not is_valid(event[member]):
            return False
    return _common()(event)


@cache
def get_published(name: str, version: int) -> Any:
    """The validator of a whole published schema. KeyError where there is none."""
    return _compile(get_schema(name, version))


@cache
def _own(name: str, version: int) -> Own | None:
    schema = get_schema(name, version)
    if not _is_divisible(schema):
        return None
    named = {"event": {"const": name}, "version": {"const": version}}  # true of every event that is asked about here
    described = {member: rule for member, rule in schema["properties"].items() if named.get(member) != rule}
    return Own(
        frozenset(schema.get("required", ())),
        frozenset(member for member, rule in described.items() if rule is False),
        tuple((member, _compile(rule).is_valid) for member, rule in described.items() if rule is not False),
    )


def _is_divisible(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is the common one and plain demands on members: then each can be asked by itself.

    JSON Schema 2020-12 (core 7.6, 8.2.3.1, applicator 10.3.2.1): `$ref` beside other keywords is a conjunction, as is
    `properties`. What refers into the kind's own file (`#…`) needs that file and is left whole.
    """
    asks = {word for word in schema if not word.startswith("x-")} - _SAYS_NOTHING
    return asks <= _DIVISIBLE and schema.get("$ref") == COMMON and not _refers_inside(schema)


def _refers_inside(part: Any) -> bool:
    if isinstance(part, list):
        return any(map(_refers_inside, part))
    if not isinstance(part, dict):
        return False
    reference = part.get("$ref")
    inside = isinstance(reference, str) and reference != COMMON and not reference.startswith(f"{COMMON}#")
    return inside or any(map(_refers_inside, part.values()))


@cache
def _common() -> IsValid:
    is_valid: IsValid = _compile(get_common()).is_valid
    return is_valid


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(COMMON, get_common())])


def _compile(schema: dict[str, Any] | bool) -> Any:
    return jsonschema_rs.validator_for(schema, registry=_registry(), validate_formats=True)
