"""Every kind of event is described whole: schema, example, label, code of the standards, lists that agree."""

import json
import re

import pytest

from schemas.catalogue import KINDS, ROOT, find_kind, get_codes, get_common, get_example, get_schema, knows, versions_of
from schemas.check import check_event
from schemas.rules import find_always_relevant, get_list, holds, is_urgent

NAMES = sorted(KINDS)
CATEGORIES = set(get_codes("categories"))
HANDLING = set(get_codes("handling"))


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_an_example_that_fits(name):
    assert check_event(get_example(name, KINDS[name].version)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_a_floor_and_words_of_the_closed_lists(name):
    kind = KINDS[name]
    assert kind.category in CATEGORIES
    assert kind.floor in get_codes("levels")
    assert set(kind.handling) <= HANDLING
    assert kind.floor_when_nothing_found in ("", *get_codes("levels"))


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_exported_under_a_code_of_the_standard_or_one_of_ours(name):
    kind = KINDS[name]
    vocabulary = {"LifeEvent": "life-events", "ServiceEpisode": "service-episodes"}.get(kind.mais_object)
    ours = kind.mais.startswith("x-")
    assert ours or (vocabulary is not None and kind.mais in get_codes(vocabulary))
    assert (kind.mais == "x-not-exported") == (kind.mais_object == "none")


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_names_itself_and_says_what_it_is(name):
    schema = get_schema(name, 1)
    assert schema["$id"] == f"urn:safeguarding:schema:{name}:v1"
    assert schema["properties"]["event"] == {"const": name}
    assert schema["title"][0].isupper()
    assert "Source: " in schema["description"]


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_closed_and_every_member_is_described(name):
    for place, part in _parts(get_schema(name, 1)["properties"]["details"], "/details"):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False, place
        assert part.get("description"), place


@pytest.mark.parametrize("name", NAMES)
def test_every_list_of_codes_in_a_schema_is_the_list_in_codes(name):
    for place, part in _parts(get_schema(name, 1)["properties"]["details"], "/details"):
        if "x-codes" in part:
            assert part["enum"] == list(get_codes(part["x-codes"])), place


def test_every_list_of_codes_in_the_common_members_is_the_list_in_codes():
    checked = [part for _, part in _parts(get_common(), "") if "x-codes" in part]
    for part in checked:
        assert part["enum"] == list(get_codes(part["x-codes"])), part["description"]
    assert len(checked) > 10


@pytest.mark.parametrize("name", NAMES)
def test_events_about_staff_or_a_service_carry_no_child_and_all_others_must(name):
    schema = get_schema(name, 1)
    if KINDS[name].about == "child":
        assert {"child", "shared_under"} <= set(schema["required"])
    else:
        assert schema["properties"]["child"] is False


def test_the_label_list_covers_exactly_the_kinds():
    assert set(get_list("labels")["kinds"]) == set(KINDS)


def test_no_kind_is_in_a_childs_confidence_by_itself():
    assert [name for name, kind in KINDS.items() if "childConfidence" in kind.handling] == []


def test_the_urgent_kinds_are_those_the_front_door_must_read_at_once():
    assert {name for name, kind in KINDS.items() if kind.urgent} == {
        "disclosure-by-child",
        "exploitation-concern",
        "genital-mutilation-risk",
        "injury-in-non-mobile-infant",
        "police-protection-used",
        "referral-made",
    }


def test_only_the_notice_to_a_school_is_a_delivery():
    assert [name for name, kind in KINDS.items() if kind.delivery] == ["domestic-abuse-notice"]


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("arrest-or-custody", "liveInvestigation"),
        ("intelligence-held", "protectedSource"),
        ("shared-without-agreement", "harmIfKnown"),
        ("strategy-discussion-called", "harmIfKnown"),
        ("offender-management-change", "originatorControl"),
    ],
)
def test_a_kind_that_endangers_somebody_when_known_carries_its_marker(name, marker):
    assert marker in KINDS[name].handling


def test_intelligence_carries_nothing_but_that_it_is_held():
    assert get_schema("intelligence-held", 1)["properties"]["details"]["properties"] == {}


def test_a_notice_to_a_school_has_no_member_for_who_did_what():
    assert set(get_schema("domestic-abuse-notice", 1)["properties"]["details"]["properties"]) == {
        "incident_on",
        "notify_before",
    }


def test_an_injury_is_urgent_when_abuse_is_not_excluded_and_not_when_it_is_an_accident():
    event = get_example("injury-observed", 1)
    assert is_urgent(event)
    event["details"]["suspected"] = "accidental"
    assert not is_urgent(event)
    del event["details"]["suspected"]
    assert not is_urgent(event)


def test_an_urgent_kind_is_urgent_whatever_it_says():
    assert is_urgent({"event": "disclosure-by-child"})
    assert not is_urgent({"event": "no-such-kind"})


def test_an_emergency_attendance_leaves_by_itself_only_with_an_injury_or_a_doubt():
    event = get_example("emergency-attendance", 1)
    row = find_always_relevant(event)
    assert row is not None
    assert row["gateway"] in get_codes("gateways")
    event["details"]["injury"] = False
    assert find_always_relevant(event) is None


def test_the_roll_of_a_school_never_leaves_by_itself():
    assert find_always_relevant(get_example("left-roll", 1)) is None
    assert find_always_relevant(get_example("joined-roll", 1)) is None


def test_rules_by_content_name_kinds_members_and_codes_that_exist():
    for row in [*get_list("urgent")["by_content"], *get_list("relevance")["always"]]:
        assert row["event"] in KINDS
        if "when" in row:
            member = row["when"]["member"].removeprefix("/details/")
            allowed = get_schema(row["event"], 1)["properties"]["details"]["properties"][member]
            assert allowed.get("type") == "boolean" or set(row["when"]["in"]) <= set(allowed["enum"])


def test_whatever_leaves_by_itself_names_its_gateway_and_what_stands_behind_it():
    for row in get_list("relevance")["always"]:
        assert row["gateway"] in get_codes("gateways")
        assert row["source"]


def test_a_condition_reads_true_as_true_and_never_as_one():
    assert holds({"member": "/details/injury", "in": [True]}, {"details": {"injury": True}})
    assert not holds({"member": "/details/injury", "in": [True]}, {"details": {"injury": 1}})
    assert not holds({"member": "/details/injury", "in": [True]}, {"details": "injury"})


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.json")), ids=lambda path: path.stem)
def test_every_rule_list_says_its_edition_and_where_it_comes_from(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {"id", "edition", "status", "area", "from", "source"} <= set(content)
    assert content["status"] in ("draft", "in-force", "suspended")


@pytest.mark.parametrize("path", sorted((ROOT / "codes").glob("*.json")), ids=lambda path: path.stem)
def test_every_code_list_says_where_it_comes_from_and_has_no_code_twice(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    codes = [row["code"] for row in content["codes"]]
    assert content["id"] == path.stem
    assert content["source"]
    assert len(codes) == len(set(codes))
    assert all(row["title"] for row in content["codes"])


def test_examples_hold_only_numbers_that_are_never_issued():
    text = "".join(json.dumps(get_example(name, 1)) for name in NAMES)
    assert all(number.startswith("999") for number in re.findall(r'nhs-number", "value": "([0-9]+)', text))
    assert set(re.findall(r"\b01632 [0-9]{6}\b", text))
    assert not re.findall(r"\b0(?!1632 960)[0-9]{4} [0-9]{6}\b", text)


def test_an_unknown_kind_or_version_is_known_to_be_unknown():
    assert find_kind("no-such-kind") is None
    assert not knows("referral-made", 99)
    assert not knows("../codes", 1)
    assert versions_of("no-such-kind") == ()
    with pytest.raises(KeyError):
        get_schema("referral-made", 99)
    with pytest.raises(KeyError):
        get_codes("../rules/labels")


def test_a_schema_handed_out_is_the_callers_own():
    get_schema("referral-made", 1).clear()
    assert get_schema("referral-made", 1)["title"]


def _parts(schema, place):
    """Every schema inside a schema, with where it stands."""
    yield place, schema
    for name, inner in (schema.get("properties") or {}).items():
        if isinstance(inner, dict):
            yield from _parts(inner, f"{place}/{name}")
    for name, inner in (schema.get("$defs") or {}).items():
        yield from _parts(inner, f"{place}/$defs/{name}")
    if isinstance(schema.get("items"), dict):
        yield from _parts(schema["items"], f"{place}/items")
