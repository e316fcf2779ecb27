"""Who may say that a service works with a child, or no longer does: it opens the record to that service, or closes it.

A service speaks for itself: the door binds who says so to the registered sender. Whoever records it for another does so
at the people's door, where that is judged. What one agency says of another stands in the record and moves nobody. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.facts import PEOPLE, EventKey, Fact, details_of

BEGINNING = frozenset({"involvement-started", "joined-roll"})
ENDING = frozenset({"involvement-ended", "left-roll"})


def service_of(fact: Fact) -> str:
    """The service that works with the child: the one named, or else the one that says so."""
    return str(details_of(fact).get("service") or _speaker(fact))


def is_for_another(fact: Fact) -> bool:
    """Does an agency say this of a service that is not its own?"""
    return not fact.source.startswith(PEOPLE) and service_of(fact) != _speaker(fact)


def may_end(involved: Mapping[str, EventKey], fact: Fact) -> bool:
    """The service itself, the people's door, or the source that said when it began."""
    begun = involved.get(service_of(fact))
    return not is_for_another(fact) or (begun is not None and begun[0] == fact.source)


def _speaker(fact: Fact) -> str:
    said: str = fact.data.get("said_by", {}).get("service", "")
    return said
