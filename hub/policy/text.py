"""The rules as text: read, parsed into a slice for each reader and action, and named by one digest.

A *slice* holds the rules that can apply to a role, purpose and action at all, judged by their scopes. Syntax outside
the subset understood here is refused when the rules are loaded, not skipped. Decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cedarpy

from hub.domain import labels
from hub.policy import facts, reads, vocabulary

RULES: Final = Path(__file__).parent / "rules"


class PolicyFault(Exception):
    """The rules could not be applied: the whole answer is refused, visibly. Carries no personal data."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its names for people, and its syntax tree."""

    id: str
    effect: str
    says: str
    basis: str
    tell: bool
    """Whether a reader may be told that this rule decided."""
    tree: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """The rules that can apply to one role, purpose and action."""

    rules: tuple[Rule, ...]
    policies: cedarpy.PolicySet | None
    """None where no permit can apply: denied without asking."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules and the schema, parsed."""

    rules: Mapping[str, Rule]
    schema: cedarpy.Schema
    digest: str
    """SHA-256 (hex) over rules, schema, vocabulary and the versions of the resolvers."""

    def cut(self, parents: frozenset[tuple[str, str]], action: str) -> Slice:
        """The slice for a reader with these (type, id) parents."""
        chosen = [
            rule for rule in self.rules.values()
            if _scope_reaches(rule.tree["principal"], parents) and _covers(rule.tree["action"], action)
        ]  # fmt: skip
        if not any(rule.effect == "permit" for rule in chosen):
            return Slice((), None)
        trees = {rule.id: rule.tree for rule in chosen}
        whole = {"templates": {}, "staticPolicies": trees, "templateLinks": []}
        return Slice(tuple(chosen), cedarpy.PolicySet.from_json_str(json.dumps(whole)))


def load(folder: Path = RULES) -> RuleBook:
    """Read, validate and parse the rules of a folder; PolicyFault where they do not fit their schema."""
    schema_text = (folder / "schema.cedarschema").read_text("utf-8")
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.cedar"))}
    text = "\n".join(texts.values())
    try:
        schema = cedarpy.Schema.from_str(schema_text)
        found = cedarpy.validate_policies(text, schema)
        if not found.validation_passed:
            raise PolicyFault(f"rules do not fit the schema: {'; '.join(map(str, found.errors))}")
        rules = _rules(json.loads(cedarpy.policies_to_json_str(text)))
        for rule in rules.values():
            reads.reads_of(rule.tree, {})
    except (ValueError, reads.NotUnderstood) as error:
        raise PolicyFault(f"rules cannot be read: {error}") from error
    return RuleBook(rules, schema, _digest(schema_text, texts))


def _rules(parsed: Mapping[str, Any]) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for tree in parsed["staticPolicies"].values():
        notes = tree["annotations"]
        missing = {"id", "says", "basis"} - {name for name, value in notes.items() if value}
        if missing or notes["id"] in rules:
            raise PolicyFault(f"rule {notes.get('id', '?')}: needs an id of its own, and @says and @basis")
        rules[notes["id"]] = Rule(
            notes["id"], tree["effect"], notes["says"], notes["basis"], notes.get("tell", "yes") == "yes", tree
        )
    return rules


def _digest(schema_text: str, texts: Mapping[str, str]) -> str:
    groups = {
        name: {group: sorted(members) for group, members in getattr(vocabulary, name).items()}
        for name in ("ROLE_GROUPS", "PURPOSE_CLASSES", "ACTION_GROUPS")
    }
    whole = {
        "schema": schema_text, "rules": dict(texts), "groups": groups, "resolvers": [labels.RESOLVER, facts.RESOLVER],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _scope_reaches(scope: Mapping[str, Any], parents: frozenset[tuple[str, str]]) -> bool:
    if scope["op"] == "All":
        return True
    if scope["op"] != "in":
        raise PolicyFault(f"a rule's principal scope uses {scope['op']}, which is not understood")
    return (scope["entity"]["type"], scope["entity"]["id"]) in parents


def _covers(scope: Mapping[str, Any], action: str) -> bool:
    if scope["op"] == "All":
        return True
    if scope["op"] not in ("==", "in") or "entity" not in scope:
        raise PolicyFault(f"a rule's action scope uses {scope['op']}, which is not understood")
    name = scope["entity"]["id"]
    return name == action or (scope["op"] == "in" and action in vocabulary.ACTION_GROUPS[name])
