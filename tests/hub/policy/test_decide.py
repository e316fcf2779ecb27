"""Deciding: the engine is asked once for each class of labels, errs loudly, and every rule is needed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cedarpy
import pytest

from hub.domain.labels import Label
from hub.policy import decide as deciding
from hub.policy import matrix, text, vocabulary
from hub.policy.decide import Decision, Policy, PolicyFault
from hub.policy.facts import Reading

WORKER = Reading(role="allocatedSocialWorker", purpose="s47", involvement="allocated", threshold="s47")


def random_labels(count: int, seed: int) -> list[Label]:
    """Labels as mixed as they come: more so than in any real chronology."""
    rng = random.Random(seed)  # noqa: S311
    return [
        Label(
            rng.choice(vocabulary.CATEGORIES), rng.choices((1, 2, 3), (5, 4, 1))[0],
            frozenset(rng.sample(vocabulary.HANDLING, rng.choices((0, 1, 2), (6, 3, 1))[0])),
            rng.choices(vocabulary.AGREEMENTS, (8, 2, 1, 1, 1, 1))[0],
            *(rng.random() < chance for chance in (0.2, 0.1, 0.1, 0.05, 0.05, 0.1, 0.05, 0.2, 0.1)),
        )
        for _ in range(count)
    ]  # fmt: skip


def ask_plainly(policy: Policy, reading: Reading, label: Label) -> tuple[str, set[str]]:
    """The engine with all rules, one label and every action: no slices, no classes, nothing remembered."""
    trees = {rule.id: dict(rule.tree) for rule in policy.rules.values()}
    whole = cedarpy.PolicySet.from_json_str(json.dumps({"templates": {}, "staticPolicies": trees, "templateLinks": []}))
    schema = cedarpy.Schema.from_str((text.RULES / "schema.cedarschema").read_text("utf-8"))
    entities = [deciding._reading_entity(reading), deciding._label_entity(label, "0")]
    parsed = cedarpy.Entities.from_json_str(json.dumps(entities), schema)
    answers = {
        action: cedarpy.is_authorized(
            {
                "principal": {"type": "Reading", "id": "reader"},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Label", "id": "0"},
            },
            whole,
            parsed,
        )
        for action in vocabulary.ACTIONS
    }
    shown = next((step for step in vocabulary.LATTICE if answers[step].allowed), "hidden")
    facets = {facet for facet in vocabulary.FACETS if answers[facet].allowed and shown != "hidden"}
    return shown, facets | ({"banner"} if answers["banner"].allowed and shown != "full" else set())


def seen(decision: Decision) -> tuple[str, set[str]]:
    return decision.shown, {facet for facet in (*vocabulary.FACETS, "banner") if getattr(decision, facet)}


@pytest.mark.parametrize(("role", "purpose"), matrix.ROWS)
def test_asking_once_a_class_gives_what_the_engine_says_of_each_label(role: str, purpose: str) -> None:
    policy, reading = Policy.load(), matrix.canonical(role, purpose)
    labels = random_labels(150, seed=13)
    decided = policy.decide(reading, labels)
    for label in labels[:25]:
        assert seen(decided[label]) == ask_plainly(policy, reading, label), label


def test_readers_in_odd_standing_get_what_the_engine_says(policy: Policy) -> None:
    rng = random.Random(7)  # noqa: S311
    for label in random_labels(60, seed=11):
        reading = Reading(
            role=rng.choice(vocabulary.ROLES), purpose=rng.choice(vocabulary.PURPOSES),
            involvement=rng.choice(vocabulary.INVOLVEMENTS), threshold=rng.choice(vocabulary.THRESHOLDS),
            participant=rng.random() < 0.5, trained=rng.random() < 0.9, conflict=rng.random() < 0.1,
        )  # fmt: skip
        assert seen(policy.decide(reading, [label])[label]) == ask_plainly(policy, reading, label)


def test_the_same_label_gets_the_same_answer_in_any_company(policy: Policy) -> None:
    labels = random_labels(60, seed=3)
    together = policy.decide(WORKER, labels)
    alone = Policy.load()
    for label in reversed(labels):
        assert alone.decide(WORKER, [label])[label] == together[label]


def test_a_second_answer_is_remembered_not_asked_again(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = random_labels(20, seed=5)
    first = policy.decide(WORKER, labels)
    monkeypatch.setattr(cedarpy, "is_authorized_batch", None)
    assert policy.decide(WORKER, labels) == first


def test_what_is_remembered_has_a_bound_and_forgetting_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "REMEMBERED_AT_MOST", 10)
    policy, labels = Policy.load(), random_labels(30, seed=9)
    first = policy.decide(WORKER, labels)
    assert not policy._memories
    assert policy.decide(WORKER, labels) == first


@pytest.mark.parametrize(
    "label",
    [
        Label("gossip", 1),
        Label("police", 0),
        Label("police", 4),
        Label("police", 1, frozenset({"secret"})),
        Label("police", 1, agreement="perhaps"),
    ],
)
def test_a_label_with_an_unknown_word_refuses_the_whole_answer(policy: Policy, label: Label) -> None:
    with pytest.raises(PolicyFault):
        policy.decide(WORKER, [Label("police", 1), label])


@pytest.mark.parametrize(
    "change", [{"role": "king"}, {"purpose": "curiosity"}, {"involvement": "deeply"}, {"threshold": "high"}]
)
def test_a_reading_with_an_unknown_word_refuses_the_whole_answer(policy: Policy, change: dict[str, str]) -> None:
    with pytest.raises(PolicyFault):
        policy.decide(replace(WORKER, **change), [Label("police", 1)])  # type: ignore[arg-type]


class Answer:
    """An answer as the engine gives it when a rule erred: it may still say Allow."""

    def __init__(self, decision: cedarpy.Decision, errors: list[str]) -> None:
        self.decision = decision
        self.diagnostics = cedarpy.Diagnostics({"errors": errors, "reason": []})


@pytest.mark.parametrize(
    "answer",
    [Answer(cedarpy.Decision.Allow, ["X-LIVE erred"]), Answer(cedarpy.Decision.NoDecision, [])],
    ids=["a rule erred", "no decision"],
)
def test_any_error_of_the_engine_refuses_the_whole_answer_even_where_it_says_allow(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    def erring(requests: list[dict[str, Any]], *_: object) -> list[Answer]:
        return [answer for _ in requests]

    monkeypatch.setattr(cedarpy, "is_authorized_batch", erring)
    policy = Policy.load()
    with pytest.raises(PolicyFault):
        policy.decide(WORKER, [Label("police", 1)])
    monkeypatch.undo()
    assert policy.decide(WORKER, [Label("police", 1)])[Label("police", 1)].shown == "full"


def test_an_engine_that_breaks_refuses_the_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[Answer]:
        raise ValueError("the engine is gone")

    monkeypatch.setattr(cedarpy, "is_authorized_batch", broken)
    with pytest.raises(PolicyFault):
        Policy.load().decide(WORKER, [Label("police", 1)])


def test_a_decision_names_the_rules_that_permitted_and_those_that_took_away(policy: Policy) -> None:
    label = Label("police", 2, frozenset({"originatorControl"}))
    decision = policy.decide(WORKER, [label])[label]
    assert decision.shown == "outline"
    assert "SW-STAT" in decision.permits
    assert decision.forbids == ("X-ORIGINATOR",)
    assert ("X-ORIGINATOR", policy.rules["X-ORIGINATOR"].says) in decision.why


def test_a_live_investigation_is_a_card_for_the_worker_and_says_no_reason(policy: Policy) -> None:
    label = Label("police", 2, frozenset({"liveInvestigation"}))
    decision = policy.decide(WORKER, [label])[label]
    assert decision.shown == "existence"
    assert "X-LIVE" in decision.forbids
    assert "X-LIVE" not in dict(decision.why)


# ---- every rule is needed --------------------------------------------------------------------------------------

CHANGES: tuple[dict[str, Any], ...] = (
    {}, {"own": True}, {"addressed": True}, {"urgent": True}, {"delivery": True}, {"nothing_found": True},
    {"agreement": "withdrawn"}, {"agreement": "refused"}, {"agreement": "expired"}, {"agreement": "given"},
    {"agreement": "given", "in_scope": True}, {"agreement_event": True, "in_scope": True},
    {"urgent": True, "handling": frozenset({"privileged"})},
    {"addressed": True, "handling": frozenset({"released"})}, {"located": True}, {"banner": True},
    *({"handling": frozenset({marker})} for marker in vocabulary.HANDLING),
)  # fmt: skip


def cells() -> Iterator[tuple[Reading, list[Label]]]:
    """Every row of the matrix, in and out of canonical conditions, with each condition of a label changed by itself."""
    labels = [
        Label(category, level)._replace(**change)
        for category in vocabulary.CATEGORIES
        for level in vocabulary.LEVELS
        for change in CHANGES
    ]
    for role, purpose in matrix.ROWS:
        reading = matrix.canonical(role, purpose)
        yield reading, labels
        for change in ({"threshold": "none"}, {"involvement": "none"}, {"involvement": "team"}, {"conflict": True}):
            yield replace(reading, **change), labels[:: len(CHANGES)]
    yield Reading(role="teamManager", purpose="s17", involvement="team"), labels


def without(policy: Policy, rule: str) -> Policy:
    book = policy._book
    return Policy(replace(book, rules={id: one for id, one in book.rules.items() if id != rule}))


def test_every_rule_decides_something_that_no_other_rule_decides(policy: Policy) -> None:
    where: dict[str, list[tuple[Reading, Label]]] = {rule: [] for rule in policy.rules}
    for reading, labels in cells():
        for label, decision in policy.decide(reading, labels).items():
            for rule in (*decision.permits, *decision.forbids):
                where[rule].append((reading, label))
    idle = [rule for rule, places in where.items() if not _is_needed(policy, rule, places)]
    assert not idle, f"rules that change no answer: {idle}"


def _is_needed(policy: Policy, rule: str, places: list[tuple[Reading, Label]]) -> bool:
    lesser = without(policy, rule)
    by_reading: dict[Reading, list[Label]] = {}
    for reading, label in places:
        by_reading.setdefault(reading, []).append(label)
    for reading, labels in by_reading.items():
        for start in range(0, len(labels), 50):
            some = labels[start : start + 50]
            one, other = policy.decide(reading, some), lesser.decide(reading, some)
            if any(seen(one[label]) != seen(other[label]) for label in some):
                return True
    return False
