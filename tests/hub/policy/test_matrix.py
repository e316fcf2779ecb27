"""The entitlement matrix: the rules, the page that people review and what practitioners decided agree, cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.policy import matrix, vocabulary
from hub.policy.decide import Policy

PAGE = Path(matrix.__file__).with_name("matrix.md")

DECIDED = {
    "frontDoor / triage": "MEE MME MME MEE EEE MEE MME ··· MME MME MEE MME MEE MEE",
    "frontDoor / s47": "FFE FFE FFE FFE EEE FFE FFE ··· FFE FFE FFE FFE FFE FFE",
    "allocatedSocialWorker / s47": "FFM FFM FFM FFM EEE FFM FFM ··· FFM FFM FFM FFM FFM FFM",
    "allocatedSocialWorker / cpPlan": "FFM FFM FFM FFM EEE FFM FFM ··· FFM FFM FFM FFM FFM FFM",
    "allocatedSocialWorker / s17": "FM· FM· FM· FM· EE· FM· FM· ··· FM· FM· FME FM· FM· FM·",
    "schoolLead / s47": "MM· FM· EE· EE· EE· EE· EE· ··· MM· MM· EE· MM· EE· EE·",
    "schoolLead / cpPlan": "MM· FM· EE· EE· EE· EE· EE· ··· MM· MM· EE· MM· EE· EE·",
    "schoolLead / educationSupport": "··· F·· ··· ··· ··· ··· ··· ··· mm· ··· ··· ··· ··· ···",
    "healthPractitioner / s47": "FM· MM· FM· MM· E·· MM· MM· ··· MM· MM· MM· MM· MM· MM·",
    "healthPractitioner / cpPlan": "FM· MM· FM· MM· E·· MM· MM· ··· MM· MM· MM· MM· MM· MM·",
    "healthPractitioner / directCare": "F·· ··· F·· ··· ··· ··· ··· ··· ··· ··· ··· ··· ··· ···",
    "policeProtection / s47": "FF· FF· MM· MM· EE· MM· FF· FF· FF· FF· MM· FFF MM· MM·",
    "policeProtection / cpPlan": "MM· MM· MM· MM· EE· MM· MM· MM· MM· MM· MM· MM· MM· MM·",
    "caseAuditor / audit": "MMM MMM MMM MMM EEE MMM MMM ··· MMM MMM MMM MMM MMM MMM",
    "steward / triage": "··· ··· ··· ··· ··· ··· ··· ··· ··· ··· ··· ··· ··· ···",
}
"""What practitioners decided, typed by hand: never written by the code that it judges."""


def rows_of(page: str, head: str) -> dict[str, list[str]]:
    """Rows of the table whose second column is `head`."""
    parts = [part for part in page.split("\n\n") if part.lstrip().startswith("|")]
    tables = [[line.strip("| ").split(" | ") for line in part.strip().splitlines()] for part in parts]
    table = next(rows for rows in tables if rows[0][1] == head)
    return {row[0]: row[1:] for row in table[2:]}


@pytest.mark.parametrize(("role", "purpose"), matrix.ROWS)
def test_the_rules_give_what_practitioners_decided(policy: Policy, role: str, purpose: str) -> None:
    decided = dict(zip(vocabulary.CATEGORIES, DECIDED[f"{role} / {purpose}"].split(), strict=True))
    assert dict(zip(vocabulary.CATEGORIES, matrix.cells(policy, role, purpose), strict=True)) == decided


@pytest.mark.parametrize(("role", "purpose"), matrix.ROWS)
def test_the_page_that_people_review_says_what_the_rules_do(policy: Policy, role: str, purpose: str) -> None:
    page, name = PAGE.read_text("utf-8"), f"{role} / {purpose}"
    assert rows_of(page, "involvement")[name] == matrix.cells(policy, role, purpose)
    assert rows_of(page, "family")[name] == matrix.parts(policy, role, purpose)


def test_the_page_is_written_by_the_command(policy: Policy) -> None:
    assert PAGE.read_text("utf-8") == matrix.page(policy)


def test_every_pair_outside_the_matrix_sees_nothing_but_what_everybody_may(policy: Policy) -> None:
    for role in vocabulary.ROLES:
        for purpose in vocabulary.PURPOSES:
            if (role, purpose) in matrix.ROWS:
                continue
            seen = set("".join(matrix.cells(policy, role, purpose)))
            allowed = {"·", "E"} if role == "allocatedSocialWorker" else {"·"}
            assert seen <= allowed, f"{role} / {purpose}"
