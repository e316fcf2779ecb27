"""By which words a child is named to whoever opens a notice about it: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.facts import Fact
from hub.domain.versions import deciding
from hub.ingest.telling import Background, open_to_all, tell

INTELLIGENCE = frozenset({"intelligence-held", "intelligence-outline-released"})
"""Kinds whose words are told to nobody by the way: they may name a child as only the police know it."""


def described(fact: Fact, facts: Sequence[Fact], of: Background, *, kept: bool) -> Mapping[str, Any]:
    """What the child is called in the event that is told, in its last version; where that has no name, what its own
    sender called the child last. `facts` are all of the child.

    Never a name that another agency alone gave; but who asks by the people's door gives none (`kept`): they mean the
    child by the name under which the chronology knows it. Nothing of what was taken back, of intelligence, and no name
    that was learned while the child's location is protected.
    """
    if tell(fact, of) is None:
        return {}
    openly = {one.key for one in open_to_all(facts)} - of.gone
    standing = [one for one in deciding(facts, of.gone, of.newer) if one.key in openly]
    last = of.newer.get(fact.key, fact.key)
    own: Mapping[str, Any] = next((one.data.get("child", {}) for one in standing if one.key == last), {})
    if own.get("names"):
        return own
    said = (one for one in reversed(standing) if (kept or one.source == fact.source) and not _is_sensitive(one))
    return next((one.data["child"] for one in said if one.data.get("child", {}).get("names")), own)


def _is_sensitive(fact: Fact) -> bool:
    label: Mapping[str, Any] = fact.data.get("label", {})
    return fact.name in INTELLIGENCE or label.get("category") == "intelligence" or bool(label.get("handling"))
