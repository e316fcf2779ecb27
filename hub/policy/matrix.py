"""The entitlement matrix, computed from the Cedar rules: who sees what under canonical conditions.

`python -m hub.policy.matrix` writes the page that people review (`matrix.md`); a test compares page and rules cell by
cell. The page is a reading of the rules, never their source: nobody is let in or kept out by it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from hub.domain.labels import Label
from hub.policy import vocabulary
from hub.policy.decide import Decision, Policy
from hub.policy.facts import Reading

ROWS: Final = (
    ("frontDoor", "triage"), ("frontDoor", "s47"),
    ("allocatedSocialWorker", "s47"), ("allocatedSocialWorker", "cpPlan"), ("allocatedSocialWorker", "s17"),
    ("schoolLead", "s47"), ("schoolLead", "cpPlan"), ("schoolLead", "educationSupport"),
    ("healthPractitioner", "s47"), ("healthPractitioner", "cpPlan"), ("healthPractitioner", "directCare"),
    ("policeProtection", "s47"), ("policeProtection", "cpPlan"),
    ("caseAuditor", "audit"), ("steward", "triage"),
)  # fmt: skip
"""Role and purpose pairs that have rules in this edition, and the steward, who has none on purpose."""

LETTERS: Final = {"hidden": "·", "existence": "E", "outline": "M", "full": "F"}
PARTS: Final = ("family", "others", "place", "service", "summary")

PREFACE: Final = """\
# Entitlement matrix

Computed from the rules in `rules/` by `python -m hub.policy.matrix`; a test compares this page with the rules cell by
cell. To change who may see what, change a rule, write this page again, and have the difference reviewed.

Canonical conditions: reader registered, trained and without conflict; allocated or involved; the threshold recorded
that the purpose needs; another service's entry, not addressed to the reader, of a kind that is not urgent; no handling
marker; agreement not relied on. Under other conditions the rules in `everyone.cedar` add and those in `forbids.cedar`
take away.

Three letters are the levels normal, restricted, very restricted. **F** full. **M** outline. **m** outline without the
line written for partners: that it happened, and whom to ring. **E** that a service holds something, and whom to ring.
**·** hidden.
"""


def canonical(role: str, purpose: str) -> Reading:
    """This reader in good standing and related to the child, with the threshold that the purpose needs."""
    threshold = purpose if purpose in ("s47", "cpPlan") else "none"
    return Reading(role=role, purpose=purpose, involvement="allocated", threshold=threshold)


def cells(policy: Policy, role: str, purpose: str) -> list[str]:
    """Three letters for each category, in the vocabulary's order."""
    decided = _decided(policy, role, purpose)
    return [
        "".join(_letter(decided[Label(category, level)]) for level in vocabulary.LEVELS)
        for category in vocabulary.CATEGORIES
    ]


def parts(policy: Policy, role: str, purpose: str) -> list[str]:
    """For each part of an entry, in which visible categories it is shown."""
    visible = [one for one in _decided(policy, role, purpose).values() if one.shown in ("outline", "full")]
    return [_where(visible, part) for part in PARTS]


def page(policy: Policy) -> str:
    """The whole page as Markdown."""
    head = ["role / purpose", *vocabulary.CATEGORIES]
    first = [[f"{role} / {purpose}", *cells(policy, role, purpose)] for role, purpose in ROWS]
    second = [[f"{role} / {purpose}", *parts(policy, role, purpose)] for role, purpose in ROWS]
    lines = [PREFACE, *_table(head, first), "", "## Parts of an entry that is visible", ""]
    return "\n".join([*lines, *_table(["role / purpose", *PARTS], second), ""])


def _decided(policy: Policy, role: str, purpose: str) -> dict[Label, Decision]:
    labels = [Label(category, level) for category in vocabulary.CATEGORIES for level in vocabulary.LEVELS]
    return dict(policy.decide(canonical(role, purpose), labels))


def _letter(decision: Decision) -> str:
    letter = LETTERS[decision.shown]
    return letter.lower() if letter == "M" and not decision.summary else letter


def _where(visible: Sequence[Decision], part: str) -> str:
    with_it = {one.label.category for one in visible if one.label and getattr(one, part)}
    without = {one.label.category for one in visible if one.label and not getattr(one, part)}
    if not with_it:
        return "–"
    return f"all but {', '.join(sorted(without))}" if without else "all"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]


def _row(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.stdout.write(page(Policy.load()))
