"""May they: what one reading may see of each label, decided by the Cedar rules.

`Policy.decide` asks the engine from the most to the least: full, outline, existence; what no rule permits is hidden.
Each answer is remembered by what it rests on (the rules, the reader's profile, the label), never by time. Any error of
the engine is a PolicyFault: the whole answer is refused, visibly, because an erring forbid would else be skipped
silently. Does not know entries, only labels; builds no answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cedarpy

from hub.domain.labels import Label
from hub.policy import reads, text, vocabulary
from hub.policy.facts import Profile, Reading
from hub.policy.text import PolicyFault, RuleBook, Slice

__all__ = ["HIDDEN", "Decision", "Policy", "PolicyFault", "Reading"]

HIDDEN: Final = "hidden"
READER: Final = {"type": "Reading", "id": "reader"}
REMEMBERED_AT_MOST: Final = 100_000
"""Decisions kept; beyond it all are forgotten and asked again."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reader may see of the entries under one label, and which rules decided."""

    shown: str
    """hidden, existence, outline or full."""
    family: bool
    others: bool
    place: bool
    permits: tuple[str, ...]
    """Ids of the rules that permitted what is shown."""
    forbids: tuple[str, ...]
    """Ids of the rules that took something away. For auditors: some must never be told to the reader."""
    service: bool = False
    """The contributing service by name; else only what kind of service it is."""
    summary: bool = False
    structure: bool = False
    """Source, id, digest, position and rules: for auditors."""
    why: tuple[tuple[str, str], ...] = ()
    """(rule id, what it says): the reasons that the reader may be told."""
    label: Label | None = None
    role: str = ""
    banner: bool = False
    """A fixed sentence stands in the place of the entry."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    allowed: bool
    rules: tuple[str, ...]


@dataclass(slots=True)
class _Memory:
    """What was decided for one profile of readers, and what of a label can matter to them."""

    projections: Mapping[str, reads.Projection]
    decisions: dict[Label, Decision] = field(default_factory=dict)
    verdicts: dict[tuple[str, tuple[object, ...]], _Verdict] = field(default_factory=dict)


DENIED: Final = _Verdict(False, ())


class _Engine:
    """The engine with one reading and its labels as entities, checked against the schema once."""

    def __init__(self, schema: cedarpy.Schema, reading: Reading, labels: Sequence[Label]) -> None:
        self._numbers = {label: str(number) for number, label in enumerate(labels)}
        entities = [_reading_entity(reading)] + [_label_entity(label, no) for label, no in self._numbers.items()]
        try:
            self._entities = cedarpy.Entities.from_json_str(json.dumps(entities), schema)
        except ValueError as error:
            raise PolicyFault("a reading or label does not fit the schema") from error

    def evaluate(self, action: str, policies: cedarpy.PolicySet, labels: Sequence[Label]) -> list[_Verdict]:
        asked = {"type": "Action", "id": action}
        requests: list[dict[str, Any]] = [
            {"principal": READER, "action": asked, "resource": _entity("Label", self._numbers[label]), "context": "{}"}
            for label in labels
        ]
        try:
            answers = cedarpy.is_authorized_batch(requests, policies, self._entities)
        except ValueError as error:
            raise PolicyFault(f"the engine refused {action}") from error
        return [_verdict(action, answer) for answer in answers]


class Policy:
    """The rules of record, ready to decide. Safe to share between threads: all that changes is what is remembered."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._slices: dict[tuple[str, str], Mapping[str, Slice]] = {}
        self._memories: dict[Profile, _Memory] = {}
        self._remembered = 0

    @classmethod
    def load(cls, folder: Path = text.RULES) -> Policy:
        """Read and validate the rules; PolicyFault where they cannot be used."""
        return cls(text.load(folder))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that an answer rests on but its facts: rules, schema, vocabulary, resolvers."""
        return self._book.digest

    @property
    def rules(self) -> Mapping[str, text.Rule]:
        """Every rule by its id, for explanations and audit."""
        return self._book.rules

    def decide(self, reading: Reading, labels: Iterable[Label]) -> Mapping[Label, Decision]:
        """The decision for each label. PolicyFault on any error of the engine or a word outside the vocabulary."""
        profile = reading.profile
        memory = self._memories.get(profile)
        if memory is None:
            memory = self._memories[profile] = self._new_memory(reading)
        known = memory.decisions
        asked = labels if isinstance(labels, set | frozenset) else dict.fromkeys(labels)
        missing = [label for label in asked if label not in known]
        if missing:
            self._decide_missing(reading, missing, memory)
        return {label: known[label] for label in asked}

    def _decide_missing(self, reading: Reading, labels: Sequence[Label], memory: _Memory) -> None:
        _check_labels(labels)
        engine = _Engine(self._book.schema, reading, labels)
        slices = self._slices_of(reading)
        shown: dict[Label, str] = dict.fromkeys(labels, HIDDEN)
        verdicts: dict[Label, dict[str, _Verdict]] = {label: {} for label in labels}

        def ask(action: str, about: Sequence[Label]) -> None:
            for label, verdict in self._answers(action, slices[action], about, memory, engine).items():
                verdicts[label][action] = verdict

        open_labels = list(labels)
        for action in vocabulary.LATTICE:
            ask(action, open_labels)
            for label in open_labels:
                if verdicts[label][action].allowed:
                    shown[label] = action
            open_labels = [label for label in open_labels if shown[label] == HIDDEN]
        ask(vocabulary.BANNER, [label for label in labels if label.banner and shown[label] != "full"])
        visible = [label for label in labels if shown[label] != HIDDEN]
        for action in vocabulary.FACETS:
            ask(action, visible)
        decided = {label: self._decision(reading, label, shown[label], verdicts[label]) for label in labels}
        self._remember(memory, decided)

    def _new_memory(self, reading: Reading) -> _Memory:
        _check_reading(reading)
        entity = _reading_entity(reading)
        known: dict[str, Any] = {
            name: value["__entity"]["id"] if isinstance(value, dict) else value
            for name, value in entity["attrs"].items()
        }
        known[""] = frozenset((one["type"], one["id"]) for one in entity["parents"])
        read = {one.id: reads.reads_of(one.tree, known) for one in self.rules.values()}
        return _Memory({
            action: reads.projection(frozenset().union(*(read[rule.id] or () for rule in cut.rules)))
            for action, cut in self._slices_of(reading).items()
        })  # fmt: skip

    def _remember(self, memory: _Memory, decided: Mapping[Label, Decision]) -> None:
        memory.decisions.update(decided)
        self._remembered += len(decided)
        if self._remembered > REMEMBERED_AT_MOST:
            self._memories = {}
            self._remembered = 0

    def _answers(
        self, action: str, cut: Slice, labels: Sequence[Label], memory: _Memory, engine: _Engine
    ) -> dict[Label, _Verdict]:
        """Put one action to the engine: once for each class of labels that its rules cannot tell apart."""
        if cut.policies is None:
            return dict.fromkeys(labels, DENIED)
        project = memory.projections[action]
        keys = {label: (action, project(label)) for label in labels}
        classes = {key: label for label, key in keys.items() if key not in memory.verdicts}
        if classes:
            answers = engine.evaluate(action, cut.policies, list(classes.values()))
            memory.verdicts.update(zip(classes, answers, strict=True))
        return {label: memory.verdicts[key] for label, key in keys.items()}

    def _slices_of(self, reading: Reading) -> Mapping[str, Slice]:
        key = (reading.role, reading.purpose)
        found = self._slices.get(key)
        if found is None:
            parents = frozenset((one["type"], one["id"]) for one in _reading_parents(reading))
            found = {action: self._book.cut(parents, action) for action in vocabulary.ACTIONS}
            self._slices[key] = found
        return found

    def _decision(self, reading: Reading, label: Label, shown: str, verdicts: Mapping[str, _Verdict]) -> Decision:
        steps = [action for action in vocabulary.LATTICE if action in verdicts]
        permits = verdicts[shown].rules if shown != HIDDEN else ()
        taken = [one for action in steps if not verdicts[action].allowed for one in verdicts[action].rules]
        told = [*permits, *dict.fromkeys(taken)] if shown != HIDDEN else []
        parts = (*vocabulary.FACETS, vocabulary.BANNER)
        allowed = {part: part in verdicts and verdicts[part].allowed for part in parts}
        return Decision(
            shown=shown,
            permits=_together(permits, *(verdicts[facet].rules for facet, yes in allowed.items() if yes)),
            forbids=_together(
                taken,
                *(verdicts[facet].rules for facet, yes in allowed.items() if facet in verdicts and not yes),
            ),
            why=tuple((one, self.rules[one].says) for one in told if self.rules[one].tell),
            label=label,
            role=reading.role,
            **allowed,
        )


def _together(*several: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({one for some in several for one in some}))


def _verdict(action: str, answer: cedarpy.AuthzResult) -> _Verdict:
    """The engine's answer, or a PolicyFault: the engine skips a rule that errs, and a skipped forbid permits."""
    if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        raise PolicyFault(f"the engine could not decide {action}")
    return _Verdict(answer.decision is cedarpy.Decision.Allow, tuple(sorted(answer.diagnostics.reasons)))


def _check_reading(reading: Reading) -> None:
    """Every word is one of the vocabulary; a word nobody wrote rules for must not fall through them."""
    if not (
        reading.role in vocabulary.ROLES and reading.purpose in vocabulary.PURPOSES
        and reading.involvement in vocabulary.INVOLVEMENTS and reading.threshold in vocabulary.THRESHOLDS
    ):  # fmt: skip
        raise PolicyFault("a reading uses a word outside the vocabulary")


def _check_labels(labels: Iterable[Label]) -> None:
    for label in labels:
        if not (
            label.category in vocabulary.CATEGORIES and label.level in vocabulary.LEVELS
            and label.agreement in vocabulary.AGREEMENTS and label.handling.issubset(vocabulary.HANDLING)
        ):  # fmt: skip
            raise PolicyFault("a label uses a word outside the vocabulary")


def _entity(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _reading_parents(reading: Reading) -> list[dict[str, str]]:
    return [
        _entity("Role", reading.role),
        *(_entity("RoleGroup", group) for group, roles in vocabulary.ROLE_GROUPS.items() if reading.role in roles),
        _entity("Purpose", reading.purpose),
        *(
            _entity("PurposeClass", name)
            for name, purposes in vocabulary.PURPOSE_CLASSES.items() if reading.purpose in purposes
        ),
    ]  # fmt: skip


def _reading_entity(reading: Reading) -> dict[str, Any]:
    return {
        "uid": READER,
        "attrs": {
            "involvement": {"__entity": _entity("Involvement", reading.involvement)},
            "threshold": {"__entity": _entity("Threshold", reading.threshold)},
            "participant": reading.participant,
            "answerable": reading.answerable,
            "registered": reading.registered,
            "trained": reading.trained,
            "conflict": reading.conflict,
        },
        "parents": _reading_parents(reading),
    }


def _label_entity(label: Label, number: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {name: getattr(label, mine) for name, mine in reads.ATTRIBUTES.items()}
    attributes["agreement"] = {"__entity": _entity("Agreement", label.agreement)}
    markers = [_entity("Handling", marker) for marker in sorted(label.handling)]
    return {
        "uid": _entity("Label", number),
        "attrs": attributes,
        "parents": [_entity("Category", label.category), *markers],
    }
