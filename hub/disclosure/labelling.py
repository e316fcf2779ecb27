"""Labels the entries of one reading: what the policy is asked about, in the order of the log.

It reads labels off entries and decides nothing about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from hub.domain import child as domain
from hub.domain.facts import EventKey
from hub.domain.labels import Label, LabelInputs, label_for, label_inputs
from hub.domain.protection import Guard, Span, guard_against, spans_of
from hub.domain.staff import Reader
from hub.projections.chronology import Row
from schemas.catalogue import KINDS
from schemas.rules import is_urgent

MOST_CLOSELY = 3


@dataclass(frozen=True, slots=True)
class Labelling:
    """Labels the entries of one reading: once for all that rest on the same."""

    reader: Reader
    child: domain.Child
    now: datetime
    guard: Guard | None = None
    """What of the child's whereabouts is kept from this reader; None for nearly every child."""
    known: dict[tuple[LabelInputs, bool], Label] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Reader, child: domain.Child, now: datetime) -> Labelling:
        """For this reader's reading of this child today."""
        return cls(reader, child, now, guard_against(child.protections, reader, now))

    def all(self, rows: Sequence[Row]) -> list[tuple[Row, tuple[Label, ...]]]:
        """The labels of these entries; of several the one that shows least counts.

        A correction has one for each entry that it corrects, and is never less closely held than any of them, nor than
        what those corrected themselves, in whatever order they came. Where one is not here, or where corrections run in
        a circle, it is held most closely. Each entry is labelled once.
        """
        labels: dict[EventKey, tuple[Label, ...]] = {}
        waiting = {row.fact.key: row for row in rows}
        while waiting:
            ready = [row for row in waiting.values() if not any(key in waiting for key in _targets(row))]
            before = labels if ready else dict(labels)
            for row in ready or list(waiting.values()):
                labels[row.fact.key] = self._labels(row, before)
                del waiting[row.fact.key]
        return [(row, labels[row.fact.key]) for row in rows]

    def hides_name(self, row: Row) -> bool:
        """Would the name that this entry gives the child tell where it is?"""
        return self.guard is not None and self.guard.covers_name(_spans(row))

    def _labels(self, row: Row, before: Mapping[EventKey, tuple[Label, ...]]) -> tuple[Label, ...]:
        own, fact = self._own(row), row.fact
        kind = KINDS[fact.name]
        if not kind.as_target:
            return (own,)
        found = [own] if own.category != kind.category else []
        for one in fact.data.get("references", ()):
            targets = before.get((one["source"], one["id"]))
            if targets is None:
                found.append(own._replace(level=MOST_CLOSELY))
                continue
            for of in targets:
                level, handling = max(of.level, own.level), of.handling | own.handling
                found.append(of._replace(level=level, handling=handling, addressed=own.addressed))
        if own.located or any(one.located for one in found):
            found = [one._replace(located=True) for one in found]
        return tuple(dict.fromkeys(found)) or (own,)

    def _own(self, row: Row) -> Label:
        inputs = row.memory.get("label")
        if inputs is None:
            fact = row.fact
            inputs = label_inputs(fact.data, _kind_facts(fact.name, is_urgent(fact.data)), fact.key)
            row.memory["label"] = inputs
        if inputs.addressed and row.fact.key in self.child.addressed:  # its sender told it anew, perhaps to others
            now = self.child.addressed[row.fact.key]
            inputs = inputs._replace(addressed=tuple(to for to in inputs.addressed if to in now))
        located = self.guard is not None and (self.guard.everything or self.guard.covers(_spans(row)))
        label = self.known.get((inputs, located))
        if label is None:
            label = label_for(inputs, self.reader, self.child, self.now, located=located)
            self.known[inputs, located] = label
        return label


def _spans(row: Row) -> tuple[Span, ...]:
    if "spans" not in row.memory:
        row.memory["spans"] = spans_of(row.fact)
    spans: tuple[Span, ...] = row.memory["spans"]
    return spans


def _targets(row: Row) -> list[EventKey]:
    if not KINDS[row.fact.name].as_target:
        return []
    return [(one["source"], one["id"]) for one in row.fact.data.get("references", ())]


@cache
def _kind_facts(name: str, urgent: bool) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "category": kind.category, "floor": kind.floor, "floor_when_nothing_found": kind.floor_when_nothing_found,
        "handling": frozenset(kind.handling), "urgent": urgent, "delivery": kind.delivery,
    }  # fmt: skip
