"""Labels: what the rules may know of an entry, from what its sender says and what is recorded of the child."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.child import Agreement, Child
from hub.domain.labels import CARE, LEVELS, Label, LabelInputs, label_for, label_inputs
from hub.domain.staff import Reader
from hub.domain.thresholds import Participant

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
SCHOOL = "urn:safeguarding:service:tarnwhistle-academy"
NURSING = "urn:safeguarding:service:fenwater-school-nursing"
KEY = ("urn:safeguarding:source:larkbeck", "a7")
KIND = {"category": "education", "floor": "R", "handling": [], "urgent": False, "delivery": False}
LEAD = Reader(person="lead-b", role="schoolLead", service=SCHOOL, trained=True, roles=frozenset({"schoolLead"}))
GIVEN = Agreement("given", "engage", "mother", frozenset({NURSING}), "2026-03-01")


def inputs(kind: dict[str, Any] | None = None, **data: Any) -> LabelInputs:
    said = {"service": NURSING, "statement": "seen", **data.pop("said_by", {})}
    return label_inputs({"event": "concern-logged", "said_by": said, **data}, {**KIND, **(kind or {})})


def label(from_inputs: LabelInputs, child: Child | None = None, reader: Reader = LEAD) -> Label:
    return label_for(from_inputs, reader, child or Child(), NOW)


@pytest.mark.parametrize(("wished", "level"), [("N", "R"), ("R", "R"), ("V", "V")])
def test_a_sender_raises_the_level_and_never_goes_below_the_floor(wished: str, level: str) -> None:
    assert inputs(label={"level": wished}).level == level


@pytest.mark.parametrize(
    ("floor", "wished", "category"),
    [
        ("health", "sexualHealth", "sexualHealth"),
        ("sexualHealth", "health", "sexualHealth"),
        ("police", "education", "police"),
        ("police", "intelligence", "intelligence"),
        ("mentalHealth", "substance", "mentalHealth"),
    ],
)
def test_a_sender_moves_an_entry_only_into_a_category_that_is_held_more_closely(
    floor: str, wished: str, category: str
) -> None:
    assert inputs({"category": floor}, label={"category": wished}).category == category


def test_markers_of_the_kind_and_of_the_sender_add_up() -> None:
    found = inputs({"handling": ["liveInvestigation"]}, label={"handling": ["harmIfKnown"]})
    assert found.handling == {"liveInvestigation", "harmIfKnown"}


@pytest.mark.parametrize(
    "hidden", [{"place": {"kind": "home", "protected": True}}, {"child": {"address": [{"protected": True}]}}]
)
def test_a_place_that_the_source_hides_is_a_confidential_address(hidden: dict[str, Any]) -> None:
    assert "confidentialAddress" in inputs(**hidden).handling


def test_nothing_found_takes_the_floor_that_its_kind_gives_it() -> None:
    found = inputs({"floor_when_nothing_found": "N"}, said_by={"statement": "nothing-found"})
    assert (found.nothing_found, found.level) == (True, "N")
    assert inputs({"floor_when_nothing_found": "N"}).level == "R"


def test_a_correction_is_held_as_closely_as_what_it_corrects() -> None:
    target = inputs({"category": "sexualHealth"})._replace(level="V", handling=frozenset({"adoption"}), agreement=KEY)
    data = {"event": "correction-made", "said_by": {"service": NURSING}}
    found = label_inputs(data, {**KIND, "as_target": True}, target=target)
    assert (found.category, found.level, found.agreement) == ("sexualHealth", "V", KEY)
    assert found.handling == {"adoption"}


def test_a_correction_of_something_unknown_is_held_most_closely() -> None:
    data = {"event": "correction-made", "said_by": {"service": NURSING}}
    assert label_inputs(data, {**KIND, "as_target": True}).level == "V"


# ---- own -------------------------------------------------------------------------------------------------------

OWN = inputs(said_by={"service": SCHOOL})


def test_the_same_service_alone_does_not_make_an_entry_own() -> None:
    assert not label(OWN).own


@pytest.mark.parametrize(
    "child",
    [
        Child(involved={SCHOOL: KEY}),
        Child(workers={"lead-b": "schoolLead"}),
        Child(participants=(Participant("", SCHOOL, "schoolLead", "2026-02-13T09:00:00+00:00", ""),)),
        Child(participants=(Participant("lead-b", "", "", "2026-02-13T09:00:00+00:00", ""),)),
    ],
    ids=["service involved", "allocated", "service named", "person named"],
)
def test_an_entry_is_own_with_the_same_service_and_a_relationship_with_the_child(child: Child) -> None:
    assert label(OWN, child).own
    assert not label(inputs(), child).own


def test_an_author_keeps_reading_what_they_wrote_after_the_child_has_left() -> None:
    assert label(inputs(said_by={"service": SCHOOL, "author": {"person": "lead-b"}})).own


def test_another_service_of_the_same_employer_is_another_service() -> None:
    nurse = replace(LEAD, service=NURSING)
    emergency = inputs(said_by={"service": "urn:safeguarding:service:fenwater-emergency"})
    assert not label(emergency, Child(involved={NURSING: KEY}), nurse).own


# ---- addressed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "addressed"),
    [
        ({"service": SCHOOL, "role": "schoolLead"}, True),
        ({"service": SCHOOL, "role": "frontDoor"}, False),
        ({"service": NURSING, "role": "schoolLead"}, False),
        ({"service": SCHOOL, "role": "schoolLead", "person": "lead-b"}, True),
        ({"service": SCHOOL, "role": "schoolLead", "person": "somebody-else"}, False),
    ],
)
def test_an_entry_is_addressed_to_a_role_of_a_service_or_to_a_person(to: dict[str, str], addressed: bool) -> None:
    assert label(inputs(addressed_to=[to])).addressed is addressed


# ---- agreement -------------------------------------------------------------------------------------------------

SHARED = {"shared_under": {"agreement": {"source": KEY[0], "id": KEY[1]}}}


@pytest.mark.parametrize(
    ("agreement", "state"),
    [
        (GIVEN, "given"),
        (replace(GIVEN, until="2026-02-15"), "expired"),
        (replace(GIVEN, until="2026-02-16"), "given"),
        (replace(GIVEN, state="withdrawn"), "withdrawn"),
        (replace(GIVEN, state="refused"), "refused"),
        (replace(GIVEN, state="odd"), "unknown"),
    ],
)
def test_an_entry_shared_under_an_agreement_carries_the_state_of_that_agreement(
    agreement: Agreement, state: str
) -> None:
    assert label(inputs(**SHARED), Child(agreements={KEY: agreement})).agreement == state


def test_an_agreement_that_nobody_recorded_is_unknown() -> None:
    assert label(inputs(**SHARED)).agreement == "unknown"


@given(st.sampled_from(("given", "refused", "withdrawn")), st.sampled_from(("engage", "confide")))
def test_no_agreement_ever_changes_the_label_of_an_entry_that_was_not_shared_under_it(state: str, kind: str) -> None:
    under_duty = inputs(shared_under={"gateway": "CA1989-s47"})
    agreed = Child(agreements={KEY: replace(GIVEN, state=state, kind=kind)})
    assert label(under_duty, agreed) == label(under_duty, Child())


def test_scope_is_seen_only_where_an_agreement_is_concerned() -> None:
    nurse, child = replace(LEAD, service=NURSING), Child(agreements={KEY: GIVEN})
    assert label(inputs(**SHARED), child, nurse).in_scope
    assert not label(inputs(**SHARED), child, LEAD).in_scope
    assert not label(inputs(), child, nurse).in_scope


@pytest.mark.parametrize(
    "data",
    [
        {"event": "agreement-given", "details": {"scope": {"services": [NURSING]}}},
        {"event": "agreement-withdrawn", "details": {"agreement": {"source": KEY[0], "id": KEY[1]}}},
        {"event": "agreement-withdrawn", "references": [{"source": KEY[0], "id": KEY[1], "as": "about"}]},
        {"event": "agreement-withdrawn", "details": {"kind": "engage"}},
    ],
    ids=["scope in the event", "named", "referred to", "the only one of its kind"],
)
def test_an_agreements_own_events_know_whom_it_names(data: dict[str, Any]) -> None:
    found = label_inputs({"said_by": {"service": SCHOOL}, **data}, KIND)
    child = Child(agreements={KEY: replace(GIVEN, state="withdrawn")})
    assert label(found, child, replace(LEAD, service=NURSING)).in_scope
    assert label(found, child).agreement_event
    assert not label(found, child).in_scope


def test_levels_and_categories_cover_the_closed_lists() -> None:
    assert sorted(LEVELS.values()) == [1, 2, 3]
    assert len(CARE) == 14
