"""Versions of one native record: which facts a source took back, and which of several versions decides.

Whatever order they arrive in, it comes out the same: a record counts once, in its last version, where the first of its
versions stands in the log. Pure. Old and new both stay in the chronology; this is about what decisions rest on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hub.domain.facts import EventKey, Fact

OF_ONE_RECORD = frozenset({"replaces", "corrects"})


def taken_back(fact: Fact) -> list[EventKey]:
    """The events that this one retracts: a source's own, never another's."""
    return own_targets(fact, {"retracts"})


def own_targets(fact: Fact, as_: Collection[str]) -> list[EventKey]:
    """The events of its own source to which a fact refers in one of these ways."""
    return [
        (one["source"], one["id"])
        for one in fact.data.get("references", ())
        if one["as"] in as_ and one["source"] == fact.source
    ]


def gone(facts: Iterable[Fact]) -> frozenset[EventKey]:
    """The events of one child that their source took back.

    Of a wrong child's record what it replaced goes with the one that is named, and whatever was said of it since: each
    tells the same of another child. What a wrong child's correction had corrected stays.
    """
    back: set[EventKey] = set()
    wrong: set[EventKey] = set()
    kin: dict[EventKey, list[EventKey]] = {}
    for fact in facts:
        named = taken_back(fact)
        back.update(named)
        if named and fact.data.get("details", {}).get("reason") == "wrong-child":
            wrong.update(named)
        for other in own_targets(fact, OF_ONE_RECORD):
            kin.setdefault(other, []).append(fact.key)
        for other in own_targets(fact, {"replaces"}):
            kin.setdefault(fact.key, []).append(other)
    while wrong:
        back |= wrong
        wrong = {other for key in wrong for other in kin.get(key, ())} - back
    return frozenset(back)


def links(facts: Iterable[Fact]) -> dict[EventKey, set[EventKey]]:
    """Event → those that it replaces, and those that replace it."""
    found: dict[EventKey, set[EventKey]] = {}
    for fact in facts:
        for old in own_targets(fact, {"replaces"}):
            found.setdefault(old, set()).add(fact.key)
            found.setdefault(fact.key, set()).add(old)
    return found


def other_versions(key: EventKey, linked: Mapping[EventKey, Collection[EventKey]]) -> set[EventKey]:
    """Of the record of which this event is a version all others, by their `links`."""
    found, ahead = {key}, [key]
    while ahead:
        more = set(linked.get(ahead.pop(), ())) - found
        found |= more
        ahead += more
    return found - {key}


def addressees_of(data: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """(service, role, person) of each to whom an event is addressed."""
    addressed = data.get("addressed_to") or ()
    return tuple((to.get("service", ""), to.get("role", ""), to.get("person", "")) for to in addressed)


def newer_versions(facts: Iterable[Fact], without: frozenset[EventKey]) -> dict[EventKey, EventKey]:
    """Replaced event → the last version of it, but for those `without`."""
    next_: dict[EventKey, Fact] = {}
    for fact in facts:
        for old in own_targets(fact, {"replaces"}) if fact.key not in without else ():
            held = next_.get(old)
            if held is None or (held.shared, held.id) < (fact.shared, fact.id):
                next_[old] = fact
    return _last({old: fact.key for old, fact in next_.items()})


def addressed_now(
    facts: Iterable[Fact], newer: Mapping[EventKey, EventKey]
) -> dict[EventKey, tuple[tuple[str, str, str], ...]]:
    """Replaced event → whom its last version is addressed to."""
    last = set(newer.values())
    named = {fact.key: addressees_of(fact.data) for fact in facts if fact.key in last} if last else {}
    return {old: named[new] for old, new in newer.items()}


def deciding(
    facts: Sequence[Fact], without: frozenset[EventKey], newer: Mapping[EventKey, EventKey],
    step_by_step: Collection[str] = (),
) -> list[Fact]:  # fmt: skip
    """The facts that decide: each record once, in its last version, in the place of its first.

    Of the kinds that build upon their earlier versions all count there, the older before the newer: `step_by_step`.
    """
    if not without and not newer:
        return list(facts)
    by_key = {fact.key: fact for fact in facts}
    chosen: dict[EventKey, list[Fact]] = {}
    for fact in facts:
        if fact.key in without:
            continue
        last = by_key.get(newer.get(fact.key, fact.key), fact)
        versions = chosen.setdefault(last.key, [])
        if last.name in step_by_step:
            versions.append(fact)
        elif not versions:
            versions.append(last)
    return [fact for some in chosen.values() for fact in sorted(some, key=lambda one: (one.shared, one.id))]


def _last(next_: Mapping[EventKey, EventKey]) -> dict[EventKey, EventKey]:
    """Where each chain ends, every step walked once. In a circle that is the step before one comes round again."""
    last: dict[EventKey, EventKey] = {}
    for key in next_:
        path: dict[EventKey, int] = {}
        while key in next_ and key not in last and key not in path:
            path[key] = len(path)
            key = next_[key]
        walked = list(path)
        if key in path:
            circle = walked[path[key] :]
            last.update(zip(circle, [circle[-1], *circle], strict=False))
        end = last.get(key, key)
        last.update((one, end) for one in walked if one not in last)
    return last
