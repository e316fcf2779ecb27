"""A child to whom facts are added one by one, as a batch does: the fold over all of them, at a step each."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.child import REFERRING, Child, evolve, fold, under_every_version
from hub.domain.facts import Fact
from hub.domain.versions import own_targets


class Growing:
    """Some facts of one child, in order of the log, and what they add up to.

    A fact that refers to an earlier one, or to which one that came before it refers, changes how others count: then all
    are folded anew, when the child is next asked for.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = list(facts)
        self._child: Child | None = None

    def __len__(self) -> int:
        return len(self._facts)

    def add(self, fact: Fact) -> None:
        """One more fact."""
        self._facts.append(fact)
        if self._child is not None:
            self._child = under_every_version(evolve(self._child, fact)) if _stands_alone(self._child, fact) else None

    @property
    def child(self) -> Child:
        """What `fold` makes of all facts so far."""
        if self._child is None:
            self._child = fold(self._facts)
        return self._child


def _stands_alone(child: Child, fact: Fact) -> bool:
    return not own_targets(fact, REFERRING) and fact.key not in child.retracted and fact.key not in child.newer
