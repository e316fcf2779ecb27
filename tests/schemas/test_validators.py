"""A schema taken apart says what the published schema says, of every kind and of whatever is put into its examples."""

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import validators
from schemas.catalogue import COMMON, KINDS, get_example, get_schema
from schemas.check import check_event
from schemas.validators import fits, get_published

NAMES = sorted(KINDS)
PUT = (None, 1, 1.0, True, "", "x", "2025-02-30", "2025-02-03T10:00:00Z", [], {}, ["x"], {"x": "x"}, "\ud800", (1,))


def _whole(event):
    return _judged(lambda: get_published(event["event"], event["version"]).is_valid(event))


def _apart(event):
    return _judged(lambda: fits(event["event"], event["version"], event))


def _judged(judge):
    try:
        return judge()
    except ValueError:  # the validator cannot say: neither way is that a fit
        return False


def _holders(value):
    """Every object and list of an event, itself first."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


def _mutations(event):
    """The event with one member or entry changed, one gone, one more: each in turn, and as it was after that."""
    named = ("event", "version")
    for holder in list(_holders(event)):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        for key in keys:
            if holder is event and key in named:
                continue
            kept = holder[key]
            for value in PUT:
                holder[key] = value
                yield event
            if isinstance(holder, dict):
                del holder[key]
                yield event
            holder[key] = kept
        if isinstance(holder, dict):
            holder["x"] = "x"
            yield event
            del holder["x"]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_and_every_mutation_of_it_is_judged_alike(name):
    event = get_example(name, 1)
    assert _whole(event)
    assert _apart(event)
    fitting = 0
    for changed in _mutations(event):
        assert _apart(changed) is _whole(changed), changed
        fitting += _whole(changed)
    assert fitting, "mutations of both sorts"
    assert event == get_example(name, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_common_members_of_one_kind_and_the_details_of_another_are_judged_alike(name):
    event = get_example(name, 1)
    for other in NAMES:
        mixed = event | {"details": get_example(other, 1)["details"]}
        assert _apart(mixed) is _whole(mixed), other


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def _put_somewhere(draw, values=_JSON):
    """An example with one to three values put where others stood: the name of its kind, and the event."""
    name = draw(st.sampled_from(NAMES))
    event = get_example(name, 1)
    for value in draw(st.lists(values, min_size=1, max_size=3)):
        holder = draw(st.sampled_from([each for each in _holders(event) if each]))
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        holder[draw(st.sampled_from(keys))] = value
    return name, event


@given(_put_somewhere())
def test_whatever_is_put_anywhere_is_judged_alike(changed):
    name, event = changed
    event |= {"event": name, "version": 1}
    assert _apart(event) is _whole(event)


@given(_put_somewhere())
def test_an_event_has_no_fault_exactly_where_the_published_schema_fits_and_nothing_is_foreign(changed):
    name, event = changed
    before = copy.deepcopy(event)
    faults = check_event(event)
    if event["event"] != name or type(event["version"]) is not int or event["version"] != 1:
        assert faults
    else:
        good = _whole(event) and not _has_fraction(event) and all(fault.rule != "order" for fault in faults)
        assert (not faults) is good
    assert repr(event) == repr(before)


@given(_put_somewhere(_JSON.filter(lambda value: not _has_fraction(value))))
def test_what_was_read_strictly_is_judged_alike_without_looking_for_what_strict_reading_refuses(changed):
    _, event = changed
    assert check_event(event, strict=True) == check_event(event)


def _has_fraction(value):
    if isinstance(value, float):
        return True
    return isinstance(value, dict | list) and any(
        _has_fraction(inner) for inner in (value.values() if isinstance(value, dict) else value)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_taken_apart_so_that_the_common_part_is_held_once(name):
    assert validators._own(name, 1) is not None


_UNLIKE = {
    "another applicator": {"anyOf": [{"required": ["asked"]}, {"required": ["summary"]}]},
    "an upper bound of members": {"maxProperties": 3},
    "unevaluated members": {"unevaluatedProperties": False},
    "a reference into its own file": {"$defs": {"x": {}}, "properties": {"details": {"$ref": "#/$defs/x"}}},
    "a reference into its own file, deep down": {"properties": {"details": {"items": [{"$ref": "other.json"}]}}},
    "another common schema": {"$ref": f"{COMMON}#/$defs/child"},
}


@pytest.mark.parametrize("case", _UNLIKE)
def test_a_schema_that_asks_more_than_can_be_taken_apart_is_left_whole(case):
    assert not validators._is_divisible(get_schema("referral-made", 1) | _UNLIKE[case])


def test_a_schema_left_whole_is_judged_by_the_whole(monkeypatch):
    event = get_example("referral-made", 1)
    monkeypatch.setattr(validators, "_own", lambda name, version: None)
    assert fits("referral-made", 1, event)
    assert not fits("referral-made", 1, event | {"asked": math.pi})


def test_a_kind_without_a_schema_has_no_validator():
    with pytest.raises(KeyError):
        fits("no-such-kind", 1, {})
    with pytest.raises(KeyError):
        get_published("referral-made", 99)
