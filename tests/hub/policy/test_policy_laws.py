"""Laws of the rules, over the whole closed vocabulary: what must hold whatever the entry and whoever the reader."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.labels import Label
from hub.policy import vocabulary
from hub.policy.decide import Decision, Policy
from hub.policy.facts import Reading

POLICY = Policy.load()
STEPS = ("hidden", "existence", "outline", "full")
WITH_RULES = sorted(vocabulary.ROLE_GROUPS["practitioner"] | {"caseAuditor"})
WITHOUT_RULES = sorted(set(vocabulary.ROLES) - set(WITH_RULES))
PURPOSES = ("triage", "s47", "cpPlan", "s17", "educationSupport", "directCare", "audit")
ENDED = ("refused", "withdrawn", "expired")

labels = st.builds(
    Label,
    st.sampled_from(vocabulary.CATEGORIES), st.sampled_from(vocabulary.LEVELS),
    st.frozensets(st.sampled_from(vocabulary.HANDLING), max_size=3),
    st.sampled_from(vocabulary.AGREEMENTS),
    *[st.booleans()] * 9,
)  # fmt: skip
plain_labels = st.tuples(st.sampled_from(vocabulary.CATEGORIES), st.sampled_from(vocabulary.LEVELS)).map(
    lambda chosen: Label(*chosen)
)
some_labels = st.one_of(plain_labels, labels)
readings = st.builds(
    Reading,
    role=st.sampled_from(WITH_RULES),
    purpose=st.sampled_from(PURPOSES),
    involvement=st.sampled_from(vocabulary.INVOLVEMENTS),
    threshold=st.sampled_from(vocabulary.THRESHOLDS),
    participant=st.booleans(),
)
common = settings(max_examples=75, deadline=None)


def decide(reading: Reading, label: Label) -> Decision:
    return POLICY.decide(reading, [label])[label]


def shows_no_more(one: Decision, other: Decision) -> bool:
    """`one` shows at most what `other` shows."""
    facets = all(getattr(other, facet) or not getattr(one, facet) for facet in vocabulary.FACETS)
    return STEPS.index(one.shown) <= STEPS.index(other.shown) and facets


@common
@given(readings, some_labels)
def test_raising_the_level_never_shows_more(reading: Reading, label: Label) -> None:
    for lower, higher in ((1, 2), (2, 3)):
        raised = decide(reading, label._replace(level=higher))
        assert shows_no_more(raised, decide(reading, label._replace(level=lower)))


@common
@given(readings, some_labels)
def test_refusing_or_withdrawing_an_agreement_never_shows_more(reading: Reading, label: Label) -> None:
    for ended in ENDED:
        hidden = decide(reading, label._replace(agreement=ended))
        for open_state in ("given", "unknown"):
            assert shows_no_more(hidden, decide(reading, label._replace(agreement=open_state)))


@common
@given(readings, some_labels)
def test_sharing_under_an_agreement_never_shows_more_than_sharing_under_a_duty(reading: Reading, label: Label) -> None:
    label = label._replace(agreement_event=False)
    under_duty = decide(reading, label._replace(agreement="notRelied"))
    for state in vocabulary.AGREEMENTS[1:]:
        assert shows_no_more(decide(reading, label._replace(agreement=state)), under_duty)


@common
@given(readings, some_labels, st.sampled_from(("s47", "cpPlan", "emergency")))
def test_no_state_of_an_agreement_changes_a_statutory_answer(reading: Reading, label: Label, threshold: str) -> None:
    reading = replace(reading, purpose="s47" if threshold != "cpPlan" else "cpPlan", threshold=threshold)
    assert len({_shown(reading, label, state) for state in vocabulary.AGREEMENTS[1:]}) == 1


def _shown(reading: Reading, label: Label, state: str) -> tuple[object, ...]:
    decision = decide(reading, label._replace(agreement=state))
    return (decision.shown, *(getattr(decision, facet) for facet in vocabulary.FACETS))


@common
@given(readings, some_labels)
def test_what_is_own_never_shows_less(reading: Reading, label: Label) -> None:
    mine = decide(reading, label._replace(own=True))
    assert shows_no_more(decide(reading, label._replace(own=False)), mine)
    if reading.role != "caseAuditor":
        assert mine.shown == "full"
        assert mine.family
        assert mine.others
        assert mine.place


@common
@given(readings, some_labels)
def test_what_is_addressed_never_shows_less(reading: Reading, label: Label) -> None:
    addressed = decide(reading, label._replace(addressed=True))
    assert shows_no_more(decide(reading, label._replace(addressed=False)), addressed)


@common
@given(readings, some_labels)
def test_what_is_addressed_is_full_whatever_purpose_threshold_level_or_relationship(
    reading: Reading, label: Label
) -> None:
    secret = label.category == "intelligence" or "protectedSource" in label.handling
    if reading.role != "caseAuditor" and not secret:
        assert decide(reading, label._replace(addressed=True)).shown == "full"


@common
@given(some_labels, st.sampled_from(vocabulary.PURPOSES), st.sampled_from(vocabulary.THRESHOLDS), st.booleans())
def test_an_urgent_entry_is_never_kept_from_whoever_must_decide(
    label: Label, purpose: str, threshold: str, front_door: bool
) -> None:
    role, involvement = ("frontDoor", "none") if front_door else ("allocatedSocialWorker", "allocated")
    reading = Reading(role=role, purpose=purpose, involvement=involvement, threshold=threshold)
    shown = decide(reading, label._replace(urgent=True)).shown
    assert shown == "full" or (shown == "outline" and "privileged" in label.handling)


@common
@given(some_labels, st.sampled_from(PURPOSES), st.sampled_from(("none", "team")))
def test_an_urgent_entry_opens_nothing_for_a_worker_to_whom_the_child_is_not_allocated(
    label: Label, purpose: str, involvement: str
) -> None:
    reading = Reading(role="allocatedSocialWorker", purpose=purpose, involvement=involvement, threshold="s47")
    assert _shown_as(reading, label._replace(urgent=True)) == _shown_as(reading, label._replace(urgent=False))


def _shown_as(reading: Reading, label: Label) -> tuple[object, ...]:
    return _shown(reading, label, label.agreement)


@common
@given(readings, some_labels, st.sampled_from(sorted(set(vocabulary.HANDLING) - {"released"})))
def test_a_handling_marker_never_shows_more(reading: Reading, label: Label, marker: str) -> None:
    marked = decide(reading, label._replace(handling=label.handling | {marker}))
    assert shows_no_more(marked, decide(reading, label._replace(handling=label.handling - {marker})))


@common
@given(readings, some_labels)
def test_a_release_never_shows_less(reading: Reading, label: Label) -> None:
    released = decide(reading, label._replace(handling=label.handling | {"released"}))
    assert shows_no_more(decide(reading, label._replace(handling=label.handling - {"released"})), released)


@common
@given(readings, some_labels)
def test_a_delivery_and_nothing_found_never_show_more(reading: Reading, label: Label) -> None:
    for changed in ("delivery", "nothing_found"):
        with_it = decide(reading, label._replace(**{changed: True}))
        assert shows_no_more(with_it, decide(reading, label._replace(**{changed: False})))


@common
@given(readings, some_labels)
def test_nothing_found_never_makes_a_card(reading: Reading, label: Label) -> None:
    assert decide(reading, label._replace(nothing_found=True)).shown != "existence"


@common
@given(readings, some_labels)
def test_a_closer_relationship_never_shows_less(reading: Reading, label: Label) -> None:
    for further, closer in (("none", "team"), ("team", "allocated")):
        less = decide(replace(reading, involvement=further), label)
        assert shows_no_more(less, decide(replace(reading, involvement=closer), label))


@common
@given(readings, some_labels)
def test_crossing_the_threshold_never_shows_less(reading: Reading, label: Label) -> None:
    for before in ("none", "s17", "cpPlan"):
        less = decide(replace(reading, threshold=before), label)
        assert shows_no_more(less, decide(replace(reading, threshold="s47"), label))


@common
@given(readings, some_labels)
def test_being_named_in_a_strategy_discussion_never_shows_less(reading: Reading, label: Label) -> None:
    less = decide(replace(reading, participant=False), label)
    assert shows_no_more(less, decide(replace(reading, participant=True), label))


@common
@given(some_labels)
def test_the_front_door_sees_no_less_after_the_threshold_than_at_triage(label: Label) -> None:
    reading = Reading(role="frontDoor", purpose="triage", threshold="s47")
    assert shows_no_more(decide(reading, label), decide(replace(reading, purpose="s47"), label))


@common
@given(some_labels)
def test_the_allocated_worker_sees_no_less_under_section_47_than_for_a_child_in_need(label: Label) -> None:
    reading = Reading(role="allocatedSocialWorker", purpose="s17", involvement="allocated", threshold="s47")
    assert shows_no_more(decide(reading, label), decide(replace(reading, purpose="s47"), label))


@common
@given(readings, some_labels)
def test_section_47_as_a_purpose_opens_nothing_without_a_threshold_or_a_strategy_discussion(
    reading: Reading, label: Label
) -> None:
    reading = replace(reading, purpose="s47", threshold="none", participant=False)
    label = label._replace(own=False, addressed=False, urgent=False, agreement_event=False)
    assert decide(reading, label).shown == "hidden"


@common
@given(readings, some_labels)
def test_without_a_relationship_a_practitioner_sees_nothing(reading: Reading, label: Label) -> None:
    if reading.role not in ("frontDoor", "caseAuditor"):
        label = label._replace(own=False, addressed=False)
        assert decide(replace(reading, involvement="none"), label).shown == "hidden"


@common
@given(readings, some_labels, st.sampled_from(("registered", "trained", "conflict")))
def test_a_reader_not_in_good_standing_sees_nothing(reading: Reading, label: Label, fault: str) -> None:
    decision = decide(replace(reading, **{fault: fault == "conflict"}), label)
    assert decision.shown == "hidden"
    assert not any(getattr(decision, facet) for facet in vocabulary.FACETS)


@common
@given(readings, some_labels, st.sampled_from(WITHOUT_RULES), st.sampled_from(vocabulary.PURPOSES))
def test_a_role_without_rules_sees_nothing(reading: Reading, label: Label, role: str, purpose: str) -> None:
    assert decide(replace(reading, role=role, purpose=purpose), label).shown == "hidden"


@common
@given(readings, some_labels)
def test_intelligence_does_not_exist_for_anybody_but_the_police_unless_released_to_them(
    reading: Reading, label: Label
) -> None:
    label = label._replace(category="intelligence", own=False, urgent=False)
    decision = decide(reading, label)
    if reading.role != "policeProtection":
        released = label.addressed and "released" in label.handling
        assert decision.shown in (("hidden", "outline") if released else ("hidden",))


@common
@given(readings, some_labels)
def test_a_protected_source_is_never_named(reading: Reading, label: Label) -> None:
    assert not decide(reading, label._replace(handling=label.handling | {"protectedSource"}, own=False)).others


@common
@given(readings, some_labels)
def test_a_confidential_address_is_never_shown(reading: Reading, label: Label) -> None:
    assert not decide(reading, label._replace(handling=label.handling | {"confidentialAddress"}, own=False)).place


@common
@given(readings, some_labels)
def test_a_protected_location_is_shown_by_no_place_and_no_service_but_whose_own_it_is(
    reading: Reading, label: Label
) -> None:
    label = label._replace(located=True, own=False)
    decision = decide(reading, label)
    assert not decision.place
    if not (reading.role == "frontDoor" and (label.urgent or label.addressed)):
        assert not decision.service


@common
@given(readings, some_labels)
def test_a_protected_location_takes_place_and_service_and_nothing_else(reading: Reading, label: Label) -> None:
    with_it, without = (decide(reading, label._replace(located=located)) for located in (True, False))
    assert shows_no_more(with_it, without)
    others = [facet for facet in (*vocabulary.FACETS, "banner", "shown") if facet not in ("place", "service")]
    assert [getattr(with_it, one) for one in others] == [getattr(without, one) for one in others]


@common
@given(readings, some_labels)
def test_a_banner_stands_only_where_the_entry_is_not_shown_in_full(reading: Reading, label: Label) -> None:
    decision = decide(reading, label)
    assert not (decision.banner and decision.shown == "full")
    assert label.banner or not decision.banner


@common
@given(readings, some_labels)
def test_whoever_has_nothing_to_do_with_a_child_gets_no_banner(reading: Reading, label: Label) -> None:
    label = label._replace(own=False, addressed=False)
    assert reading.role == "frontDoor" or not decide(replace(reading, involvement="none"), label).banner
    assert not decide(replace(reading, conflict=True), label).banner


@common
@given(readings, some_labels)
def test_an_auditor_never_reads_a_narrative_a_name_or_a_place(reading: Reading, label: Label) -> None:
    decision = decide(replace(reading, role="caseAuditor"), label)
    assert decision.shown != "full"
    assert not any((decision.family, decision.others, decision.place))


@common
@given(readings, some_labels)
def test_a_part_of_an_entry_is_shown_only_where_the_entry_is(reading: Reading, label: Label) -> None:
    decision = decide(reading, label)
    if decision.shown == "hidden":
        assert not any(getattr(decision, facet) for facet in vocabulary.FACETS)
        assert decision.why == ()


@common
@given(readings, some_labels)
def test_a_reader_is_never_told_of_a_rule_that_must_not_be_told(reading: Reading, label: Label) -> None:
    for rule, _ in decide(reading, label).why:
        assert POLICY.rules[rule].tell
