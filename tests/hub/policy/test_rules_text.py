"""The rules as text: valid, named, explained, and saying the same words as the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

import cedarpy
import pytest

from hub.domain.labels import Label
from hub.policy import text, vocabulary
from hub.policy.decide import Policy, PolicyFault
from hub.policy.facts import Reading

SCHEMA = (text.RULES / "schema.cedarschema").read_text("utf-8")
FILES = sorted(text.RULES.glob("*.cedar"))


def test_the_rules_fit_their_schema_strictly() -> None:
    found = cedarpy.validate_policies("\n".join(file.read_text("utf-8") for file in FILES), SCHEMA)
    assert found.validation_passed, [str(error) for error in found.errors]


def test_every_rule_says_in_plain_words_what_it_does_and_on_which_basis(policy: Policy) -> None:
    for rule in policy.rules.values():
        assert rule.says.endswith("."), rule.id
        assert rule.basis, rule.id
        assert (rule.effect == "forbid") == rule.id.startswith("X-"), rule.id


def test_no_rule_uses_a_syntax_that_names_somebody_or_something() -> None:
    for file in FILES:
        assert not re.search(r'(Reading|Label)::"', file.read_text("utf-8")), file.name


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ("Role", vocabulary.ROLES),
        ("RoleGroup", tuple(vocabulary.ROLE_GROUPS)),
        ("Purpose", vocabulary.PURPOSES),
        ("PurposeClass", tuple(vocabulary.PURPOSE_CLASSES)),
        ("Category", vocabulary.CATEGORIES),
        ("Handling", vocabulary.HANDLING),
        ("Agreement", vocabulary.AGREEMENTS),
        ("Involvement", vocabulary.INVOLVEMENTS),
        ("Threshold", vocabulary.THRESHOLDS),
    ],
)
def test_the_schema_and_the_vocabulary_list_the_same_words(entity: str, words: tuple[str, ...]) -> None:
    listed = re.search(rf"entity {entity} enum \[(.*?)\];", SCHEMA, re.DOTALL)
    assert listed is not None
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == words


def test_the_schema_and_the_vocabulary_group_the_actions_alike() -> None:
    groups: dict[str, set[str]] = {}
    for action, parents in re.findall(r"action (\w+)\s+(?:in \[(.*?)\]\s+)?appliesTo", SCHEMA):
        assert action in vocabulary.ACTIONS
        for group in filter(None, parents.split(", ")):
            groups.setdefault(group, set()).add(action)
    assert groups == {name: set(members) for name, members in vocabulary.ACTION_GROUPS.items()}


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the rules with one thing changed."""
    for path in (*FILES, text.RULES / "schema.cedarschema"):
        content = path.read_text("utf-8")
        assert path.name != file or old in content
        (tmp_path / path.name).write_text(content.replace(old, new) if path.name == file else content, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("front-door.cedar", 'Purpose::"triage"', 'Purpose::"trige"'),
        ("front-door.cedar", "resource.level == 1", "resource.lvl == 1"),
        ("front-door.cedar", '@id("FD-47-V")', '@id("FD-47")'),
        ("front-door.cedar", '@basis("CA2004 s10")', ""),
        ("everyone.cedar", "when { resource.own }", "when { resource == resource }"),
        ("everyone.cedar", "permit (principal in", "permit permit (principal in"),
    ],
    ids=["unknown code", "unknown attribute", "same id twice", "no basis", "syntax not understood", "not Cedar"],
)
def test_rules_that_are_wrong_are_not_loaded(tmp_path: Path, file: str, old: str, new: str) -> None:
    with pytest.raises(PolicyFault):
        Policy.load(changed(tmp_path, file, old, new))


def test_the_digest_changes_with_any_letter_of_the_rules(policy: Policy, tmp_path: Path) -> None:
    other = Policy.load(changed(tmp_path, "case-auditor.cedar", "entries in outline.", "entries in outline!"))
    assert other.digest != policy.digest
    assert Policy.load().digest == policy.digest
    assert re.fullmatch(r"[0-9a-f]{64}", policy.digest)


def test_a_changed_rule_changes_the_answer(tmp_path: Path) -> None:
    folder = changed(
        tmp_path, "forbids.cedar", 'resource in Category::"sexualHealth")', 'resource in Category::"adult")'
    )
    reading = Reading(role="allocatedSocialWorker", purpose="s47", involvement="allocated", threshold="s47")
    label = Label("sexualHealth", 1)
    assert Policy.load(folder).decide(reading, [label])[label].shown == "full"
