"""Mappings of a child, and how a fold changes them without copying each for every fact. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class Draft(dict[Any, Any]):
    """A mapping of a fold that goes on: nobody else holds it, so it is changed in place, and n facts cost n steps."""


DRAFTED = ("workers", "worker_events", "worker_ends", "involved", "agreements")
"""The mappings of a child that grow with its facts."""


def drafts(child: object) -> dict[str, Any]:
    """Drafts of these mappings, by name."""
    return {name: Draft(getattr(child, name)) for name in DRAFTED}


def frozen(child: object) -> dict[str, Any]:
    """The drafts, closed: from here on nobody changes them."""
    return {name: MappingProxyType(getattr(child, name)) for name in DRAFTED}


def set_in(mapping: Mapping[Any, Any], key: Any, value: Any) -> Mapping[Any, Any]:
    """The mapping with one more entry."""
    if isinstance(mapping, Draft):
        mapping[key] = value
        return mapping
    return MappingProxyType({**mapping, key: value})


def without(mapping: Mapping[Any, Any], key: Any) -> Mapping[Any, Any]:
    """The mapping without an entry."""
    if isinstance(mapping, Draft):
        mapping.pop(key, None)
        return mapping
    return MappingProxyType({k: v for k, v in mapping.items() if k != key})
