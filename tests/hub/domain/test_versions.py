"""All versions of one native record decide the same, in whatever order they arrive."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.child import CHANGES, Child, fold
from hub.domain.facts import Fact
from hub.domain.versions import gone

COUNCIL, SCHOOL = "urn:safeguarding:source:council", "urn:safeguarding:source:school"
DETAILS: dict[str, dict[str, Any]] = {
    "worker-allocated": {"person": "fenn", "role": "allocatedSocialWorker"},
    "strategy-discussion-called": {"participants": [{"person": "marit"}]},
    "agreement-given": {"kind": "engage", "by": "mother", "scope": {"services": ["school"]}, "until": "2026-01-01"},
    "involvement-started": {"service": "school"},
    "threshold-stepped-down": {"to": "early-help"},
    "location-protected": {"reason": "fleeing-abuse"},
}
CHANGED: dict[str, dict[str, Any]] = {
    "worker-allocated": {"person": "mira", "role": "allocatedSocialWorker"},
    "strategy-discussion-called": {"participants": [{"person": "ottoline"}]},
    "agreement-given": {"kind": "engage", "by": "mother", "scope": {"services": ["nurse"]}, "until": "2025-06-01"},
    "involvement-started": {"service": "nurse"},
    "threshold-stepped-down": {"to": "s17"},
    "location-protected": {"reason": "fleeing-abuse", "until": "2027-01-01"},
}


def event(name: str, id: str, *refers: tuple[str, str], source: str = COUNCIL, **details: Any) -> Fact:
    references = [{"source": COUNCIL, "id": target, "as": as_} for target, as_ in refers]
    said_by = {"service": details.get("service", "council")}
    data: dict[str, Any] = {
        "details": details,
        "said_by": said_by,
        **({"references": references} if references else {}),
    }
    return Fact(
        name=name, version=1, data=data, source=source, id=id, shared="2025-03-03T10:00:00Z",
        admitted="2025-03-03T12:00:00+00:00",
    )  # fmt: skip


def decides(child: Child) -> Child:
    """What of a child does not merely name its newest version."""
    return replace(child, corrected={})


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_the_last_version_decides_from_where_the_first_stood(name: str) -> None:
    first, again = DETAILS.get(name, {}), CHANGED.get(name, {})
    versions = [
        event(name, "v1", **first), event(name, "v2", ("v1", "replaces"), **again),
        event(name, "v3", ("v2", "replaces"), **first),
    ]  # fmt: skip
    others = [event("s47-started", "s1"), event("agreement-withdrawn", "w1", agreement={"source": COUNCIL, "id": "v1"})]
    outcomes = [decides(fold([a, others[0], b, others[1], c])) for a, b, c in permutations(versions)]
    assert all(one == outcomes[0] for one in outcomes)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(DETAILS)), st.permutations(range(4)), st.permutations(range(4)))
def test_in_any_order_of_arrival_they_add_up_to_the_same_child(name: str, one: list[int], other: list[int]) -> None:
    versions = [
        event(name, "v1", **DETAILS[name]), event(name, "v2", ("v1", "replaces"), **CHANGED[name]),
        event(name, "v3", ("v2", "replaces"), **DETAILS[name]),
        event("retraction-made", "r1", ("v3", "retracts"), reason="untrue"),
    ]  # fmt: skip
    around = event("s47-started", "s1"), event("plan-started", "p1")
    children = [decides(fold([around[0], *(versions[at] for at in order), around[1]])) for order in (one, other)]
    assert children[0] == children[1]


def test_what_named_an_earlier_version_of_an_agreement_means_the_last() -> None:
    given_, again = (
        event("agreement-given", "v1", **DETAILS["agreement-given"]),
        event("agreement-given", "v2", ("v1", "replaces"), **CHANGED["agreement-given"]),
    )
    withdrawn = event("agreement-withdrawn", "w1", agreement={"source": COUNCIL, "id": "v1"})
    for order in permutations([given_, again]):
        child = fold([*order, withdrawn])
        assert {child.agreements[COUNCIL, id].state for id in ("v1", "v2")} == {"withdrawn"}
        assert child.agreements[COUNCIL, "v1"].scope == {"nurse"}


def test_of_a_wrong_childs_record_every_version_goes() -> None:
    versions = [
        event("emergency-attendance", "v1"), event("emergency-attendance", "v2", ("v1", "replaces")),
        event("correction-made", "c1", ("v1", "corrects")),
        event("retraction-made", "r1", ("v2", "retracts"), reason="wrong-child"),
    ]  # fmt: skip
    for order in permutations(versions):
        assert gone(order) == {(COUNCIL, id) for id in ("v1", "v2", "c1")}


def test_what_a_wrong_childs_correction_had_corrected_stays() -> None:
    facts = [
        event("emergency-attendance", "v1"), event("correction-made", "c1", ("v1", "corrects")),
        event("correction-made", "c2", ("c1", "corrects")),
        event("retraction-made", "r1", ("c1", "retracts"), reason="wrong-child"),
    ]  # fmt: skip
    assert gone(facts) == {(COUNCIL, "c1"), (COUNCIL, "c2")}


def test_what_was_only_untrue_takes_nothing_else_with_it() -> None:
    facts = [
        event("emergency-attendance", "v1"), event("emergency-attendance", "v2", ("v1", "replaces")),
        event("retraction-made", "r1", ("v1", "retracts"), reason="untrue"),
    ]  # fmt: skip
    assert gone(facts) == {(COUNCIL, "v1")}


def test_another_sources_word_replaces_and_takes_back_nothing() -> None:
    mine = event("involvement-started", "v1", **DETAILS["involvement-started"])
    theirs = event("involvement-started", "v2", ("v1", "replaces"), source=SCHOOL, **CHANGED["involvement-started"])
    assert set(fold([mine, theirs]).involved) == {"school", "nurse"}


def test_versions_that_name_each_other_in_a_circle_stop_nothing() -> None:
    facts = [
        event("involvement-started", "v1", ("v2", "replaces"), service="a"),
        event("involvement-started", "v2", ("v1", "replaces"), service="b"),
    ]
    assert fold(facts).involved
