"""What does not fit is named at the place where it does not fit, and without a word of its content."""

import copy
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import KINDS, get_example
from schemas.check import Fault, check_event

NAMES = sorted(KINDS)
CONTENT = "Quillfeather-9991204318"


def _places(value, path=()):
    """Every member and entry of an example, with the way to it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _parent(event, path):
    for key in path[:-1]:
        event = event[key]
    return event


def _pointer(path):
    return "".join(f"/{key}" for key in path)


def _mutated(name, path, value):
    event = get_example(name, 1)
    _parent(event, path)[path[-1]] = value
    return check_event(event)


@pytest.mark.parametrize("name", NAMES)
def test_a_null_anywhere_misfits_at_its_place(name):
    for path in _places(get_example(name, 1)):
        if path in (("event",), ("version",)):
            continue
        faults = _mutated(name, path, None)
        assert faults, path
        assert any(_near(fault.path, path) for fault in faults), (path, faults)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fraction", [1.5, 1.0])
def test_a_fraction_anywhere_misfits_at_its_place(name, fraction):
    for path in _places(get_example(name, 1)):
        if path in (("event",), ("version",)):
            continue
        faults = _mutated(name, path, fraction)
        assert faults, path
        assert any(_near(fault.path, path) for fault in faults), (path, faults)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_member_misfits_in_every_object(name):
    example = get_example(name, 1)
    objects = [(), *(path for path in _places(example) if isinstance(_at(example, path), dict))]
    for path in objects:
        event = get_example(name, 1)
        _at(event, path)[CONTENT] = "x"
        faults = check_event(event)
        assert faults, path
        assert any(_near(fault.path, path) for fault in faults), (path, faults)
        assert CONTENT not in repr(faults)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_required_member_misfits_and_is_named(name):
    for member in ("partnership", "origin", "change", "happened", "said_by", "details"):
        event = get_example(name, 1)
        del event[member]
        assert Fault("schema", f"/{member}", "required", "is missing") in check_event(event)


@pytest.mark.parametrize("name", [name for name in NAMES if KINDS[name].about == "child"])
def test_an_event_about_a_child_needs_the_child_and_the_power_to_share(name):
    for member in ("child", "shared_under"):
        event = get_example(name, 1)
        del event[member]
        assert [fault.path for fault in check_event(event)] == [f"/{member}"]


@pytest.mark.parametrize("name", [name for name in NAMES if KINDS[name].about != "child"])
def test_an_event_about_staff_or_a_service_refuses_a_child(name):
    event = get_example(name, 1) | {"child": get_example("referral-made", 1)["child"]}
    assert [fault.path for fault in check_event(event)] == ["/child"]


def test_an_unknown_kind_and_an_unknown_version_are_told_apart_from_a_misfit():
    event = get_example("referral-made", 1)
    assert check_event(event | {"event": "no-such-kind"})[0].step == "kind"
    assert check_event(event | {"event": ["referral-made"]})[0].step == "kind"
    assert check_event({})[0].step == "kind"
    for version in (2, 1.0, True, "1", None):
        assert check_event(event | {"version": version})[0].step == "version", version


def test_a_child_without_number_and_name_misfits():
    event = get_example("referral-made", 1)
    del event["child"]["identifiers"], event["child"]["names"]
    assert {fault.path for fault in check_event(event)} == {"/child"}


def test_a_child_with_a_name_alone_fits():
    event = get_example("referral-made", 1)
    event["child"] = {"names": [{"given": ["Wrenna"]}]}
    assert check_event(event) == []


@pytest.mark.parametrize(
    "day", ["2025-02-29", "2025-13-01", "2025-04-31", "25-04-01", "2025-4-1", "2025-04-01 ", "x", "0000-04-01"]
)
def test_a_day_that_does_not_exist_misfits(day):
    event = get_example("referral-made", 1)
    event["child"]["birth_date"]["date"] = day
    assert {fault.path for fault in check_event(event)} == {"/child/birth_date/date"}


@pytest.mark.parametrize(
    "moment",
    [
        "2025-02-29T10:00:00Z",
        "2025-02-28T24:00:00Z",
        "2025-02-28T10:00:60Z",
        "2025-02-28T10:00:00",
        "2025-02-28T10:00Z",
        "2025-02-28t10:00:00z",
        "2025-02-28T10:00:00+58:00",
        "2025-02-28T10:00:00.0000000000Z",
        "0000-02-28T10:00:00Z",
        "2025-02-28",
    ],
)
def test_a_moment_without_offset_or_that_never_was_misfits(moment):
    event = get_example("referral-made", 1)
    event["happened"] = {"from": moment, "precision": "instant", "zone": "source"}
    assert {fault.path for fault in check_event(event)} == {"/happened/from"}


@pytest.mark.parametrize(
    "happened",
    [
        {"from": "2025-02-28", "precision": "day", "zone": "none"},
        {"from": "2025-02", "precision": "month", "zone": "none"},
        {"from": "2025-02-28T10:00:00+00:00", "precision": "instant", "zone": "source"},
        {"from": "2025-02-28", "to": "2025-03", "precision": "period", "zone": "none"},
        {"from": "2025-02-28T10:00:00Z", "to": "2025-02-28", "precision": "period", "zone": "source"},
        {"to": "2025-03-01", "precision": "period", "zone": "none"},
        {"precision": "unknown", "zone": "none"},
    ],
)
def test_a_time_may_be_as_inexact_as_the_source_knows_it(happened):
    assert check_event(get_example("concern-logged", 1) | {"happened": happened}) == []


@pytest.mark.parametrize(
    ("happened", "path"),
    [
        ({"precision": "day", "zone": "none"}, "/happened/from"),
        ({"from": "2025-02-28", "precision": "month", "zone": "none"}, "/happened/from"),
        ({"from": "2025-02-28", "precision": "unknown", "zone": "none"}, "/happened/from"),
        ({"from": "2025-02-28", "to": "2025-03-01", "precision": "day", "zone": "none"}, "/happened/to"),
        ({"from": "2025-03-02", "to": "2025-03-01", "precision": "period", "zone": "none"}, "/happened/to"),
        ({"from": "2025-03-02", "to": "2025-02", "precision": "period", "zone": "none"}, "/happened/to"),
        ({"precision": "period", "zone": "none"}, "/happened"),
    ],
)
def test_a_time_that_contradicts_its_own_precision_misfits(happened, path):
    faults = check_event(get_example("concern-logged", 1) | {"happened": happened})
    assert path in {fault.path for fault in faults}


def test_a_month_of_the_year_0000_that_no_calendar_has_misfits():
    happened = {"from": "0000-05", "precision": "month", "zone": "none"}
    assert {fault.path for fault in check_event(get_example("concern-logged", 1) | {"happened": happened})} == {
        "/happened/from"
    }


def test_periods_that_end_before_they_begin_are_named_wherever_they_stand():
    event = get_example("household-changed", 1)
    event["child"]["names"][0] |= {"from": "2025-02-01", "until": "2025-01-01"}
    event["child"]["address"] = [{"postcode": "ZZ99 4QF", "from": "2025-02-01", "until": "2025-01-01"}]
    event["people"][0]["household"] = {"from": "2025-02", "until": "2025-01"}
    event["details"] |= {"from": "2025-02-01T10:00:00Z", "until": "2025-02-01T10:00:00+01:00"}
    faults = check_event(event)
    assert {fault.rule for fault in faults} == {"order"}
    assert [fault.path for fault in faults] == [
        "/child/names/0/until",
        "/child/address/0/until",
        "/people/0/household/until",
        "/details/until",
    ]


def test_numbers_have_the_form_of_their_system():
    for system, value, fits in [
        ("https://fhir.nhs.uk/Id/nhs-number", "9991204318", True),
        ("https://fhir.nhs.uk/Id/nhs-number", "999 120 4318", False),
        ("https://fhir.nhs.uk/Id/nhs-number", "99912043181", False),
        ("urn:gov:dfe:upn", "U99920011800A", True),
        ("urn:gov:dfe:upn", "u999200118001", False),
        ("urn:local:fenwater:patient", "A/1-7", True),
        ("urn:local:fenwater", "A1", False),
        ("https://example.org/x", "1", False),
    ]:
        event = get_example("referral-made", 1)
        event["child"]["identifiers"] = [{"system": system, "value": value}]
        assert (check_event(event) == []) is fits, (system, value)


def test_shared_under_is_a_power_or_an_agreement_and_never_both():
    agreement = {"source": "urn:safeguarding:source:larkbeck-primary", "id": "a" * 32}
    event = get_example("common-assessment-completed", 1)
    assert check_event(event | {"shared_under": {"gateway": "CA2004-s10"}}) == []
    assert check_event(event | {"shared_under": {"agreement": agreement}}) == []
    for wrong in ({}, {"gateway": "consent"}, {"gateway": "CA2004-s10", "agreement": agreement}):
        assert check_event(event | {"shared_under": wrong})


def test_relevance_is_a_rule_or_a_person_and_never_both():
    event = get_example("left-roll", 1)
    rule, person = {"rule": "always-relevant", "edition": "2024-09"}, {"person": "p-1", "decided": "2025-07-28"}
    assert check_event(event | {"relevance": rule}) == []
    assert check_event(event | {"relevance": person | {"reason": "I am worried"}}) == []
    for wrong in ({}, rule | person, {"rule": "x"}, {"person": "p-1"}):
        assert check_event(event | {"relevance": wrong})


def test_a_correction_names_what_it_corrects_and_a_retraction_what_it_retracts():
    for name in ("correction-made", "retraction-made"):
        event = get_example(name, 1)
        event["references"][0]["as"] = "about"
        assert {fault.path for fault in check_event(event)} == {"/references"}
        del event["references"]
        assert [fault.path for fault in check_event(event)] == ["/references"]


def test_no_further_action_by_police_always_says_why():
    event = get_example("investigation-outcome", 1)
    del event["details"]["reason_class"]
    assert [fault.path for fault in check_event(event)] == ["/details/reason_class"]
    event["details"]["outcome"] = "charged"
    assert check_event(event) == []


def test_a_native_record_with_gaps_still_becomes_an_event():
    for name in ("emergency-attendance", "domestic-abuse-incident", "missing-reported", "left-roll", "was-not-brought"):
        assert check_event(get_example(name, 1) | {"details": {}}) == [], name


def test_a_fault_never_says_what_was_written():
    event = get_example("referral-made", 1)
    event["child"]["names"][0]["use"] = CONTENT
    event["details"]["concern"] = CONTENT
    event["child"]["birth_date"]["date"] = CONTENT
    event[CONTENT] = {CONTENT: 1.0}
    faults = check_event(event)
    assert len(faults) >= 3
    assert CONTENT not in repr(faults)


def test_values_that_json_does_not_know_are_misfits_and_never_errors():
    deep: dict = {}
    inner = deep
    for _ in range(5000):
        inner["a"] = {}
        inner = inner["a"]
    for value in [float("nan"), float("inf"), (1,), {1, 2}, b"x", object(), "\ud800", 10**400, deep, {3: 1}]:
        assert check_event(get_example("referral-made", 1) | {"asked": value}), type(value)
    assert check_event(get_example("referral-made", 1) | {3: 1})


def test_no_more_faults_are_listed_than_anybody_reads():
    event = get_example("referral-made", 1)
    event["told"] = [{"who": "X", "told": 1}] * 20
    event["people"] = [{"x": 1}] * 200
    assert len(check_event(event)) == 50


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(NAMES), place=st.randoms(use_true_random=False), value=_JSON)
def test_whatever_is_put_anywhere_is_judged_without_an_error(name, place, value):
    event = get_example(name, 1)
    path = place.choice(list(_places(event)))
    _parent(event, path)[path[-1]] = value
    before = copy.deepcopy(event)
    for fault in check_event(event):
        assert fault.step in ("kind", "version", "schema")
        assert fault.note
    assert repr(event) == repr(before)


def test_checking_a_usual_event_costs_little():
    event = get_example("domestic-abuse-incident", 1)
    assert 1000 < len(json.dumps(event)) < 2000
    check_event(event)
    best = min(_seconds(event) for _ in range(20))
    assert best < 0.0005, "twenty times the usual cost of about 25 microseconds"


def _seconds(event):
    begins = time.perf_counter()
    check_event(event)
    return time.perf_counter() - begins


def _at(event, path):
    for key in path:
        event = event[key]
    return event


def _near(fault, path):
    """A fault names the place itself, something in it, or the object or list that holds it."""
    place, holder = _pointer(path), _pointer(path[:-1])
    return fault in (place, holder) or fault.startswith(place + "/") or _pointer(path).startswith(fault + "/")
