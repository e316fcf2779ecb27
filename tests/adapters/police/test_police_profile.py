"""The published profile: a sound schema, its samples fit it, and its lists are those that the mapping knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.police.mapping.account_events import ENTITIES
from adapters.police.mapping.parts import GATEWAYS, HANDLING, ROLES
from adapters.police.mapping.words import CONCERNS, EXPLOITATION, RELATIONS, RESULTS
from adapters.police.record.pole import NOT_SHARED
from schemas.catalogue import get_schema

REPO = Path(__file__).parents[3]
SAMPLES = REPO / "adapters" / "police" / "samples"


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    written: dict[str, Any] = json.loads((REPO / "adapters" / "police" / "profile" / "pole-v1.json").read_text())
    return written


def codes(name: str) -> set[str]:
    return {code["code"] for code in json.loads((REPO / "schemas" / "codes" / f"{name}.json").read_text())["codes"]}


def members(profile: dict[str, Any], part: str) -> dict[str, Any]:
    found: dict[str, Any] = profile["$defs"][part]["properties"]
    return found


def test_the_profile_is_a_sound_schema(profile: dict[str, Any]) -> None:
    jsonschema_rs.meta.validate(profile)


@pytest.mark.parametrize("path", sorted([*SAMPLES.glob("story/*.json"), *SAMPLES.glob("ordinary/*.json")]), ids=str)
def test_every_good_sample_fits_the_profile(profile: dict[str, Any], path: Path) -> None:
    faults = jsonschema_rs.validator_for(profile).iter_errors(json.loads(path.read_text()))
    assert [fault.message for fault in faults] == []


def test_every_entity_of_the_profile_has_an_end(profile: dict[str, Any]) -> None:
    assert set(members(profile, "report")["entity"]["enum"]) == ENTITIES | set(NOT_SHARED)


def test_the_lists_of_the_profile_are_those_of_the_mapping(profile: dict[str, Any]) -> None:
    report, link = members(profile, "report"), members(profile, "link")
    assert set(report["outcome"]["enum"]) == set(RESULTS)
    assert set(report["share_limits"]["items"]["enum"]) == set(HANDLING)
    assert set(link["may_be_named_to"]["items"]["enum"]) == ROLES
    parts = {"victim", "known suspect", "witness", "person reporting", "present", "other"}
    assert {reason.replace(" ", "-") for reason in set(link["reason"]["enum"]) - parts} == set(RELATIONS)


@pytest.mark.parametrize(
    ("event", "detail", "part", "member"),
    [
        ("protective-condition-set", "kind", "condition", "kind"),
        ("protective-condition-set", "conditions", "condition", "terms"),
        ("protective-condition-ended", "reason", "condition", "ended_reason"),
        ("police-protection-used", "kept_at", "protection", "kept_at"),
        ("police-protection-ended", "next_step", "protection", "next_step"),
        ("missing-ended", "found_by", "missing", "found_by"),
        ("missing-ended", "harm", "missing", "harm"),
        ("arrest-or-custody", "released", "custody", "released_on"),
        ("offender-management-change", "change", "offender", "change"),
    ],
)
def test_the_codes_of_a_part_are_the_records_own(
    profile: dict[str, Any], event: str, detail: str, part: str, member: str
) -> None:
    own = get_schema(event, 1)["properties"]["details"]["properties"][detail]
    ours = members(profile, "report")[part]["properties"][member]
    assert set(ours.get("items", ours)["enum"]) == set(own.get("items", own)["enum"]) - {"not-stated"}


def test_the_mappings_concerns_and_roles_are_the_records_own() -> None:
    assert codes("concerns") == CONCERNS
    assert set(EXPLOITATION.values()) == codes("exploitation") - {"other", "not-stated"}
    assert codes("roles") >= ROLES
    assert set(HANDLING.values()) <= codes("handling")


def test_the_dictionarys_numbers_stand_beside_its_fields(profile: dict[str, Any]) -> None:
    person = members(profile, "person")
    expected = {"given_name": "DS_031", "surname": "DS_032", "date_of_birth": "DS_034", "gender": "DS_037"}
    assert {name: person[name]["x-pole"] for name in expected} == expected


def test_every_member_says_what_it_is(profile: dict[str, Any]) -> None:
    def silent(part: Any, at: str) -> list[str]:
        below = [found for name, one in part.get("properties", {}).items() for found in silent(one, f"{at}/{name}")]
        below += silent(part["items"], f"{at}/items") if "items" in part else []
        speaks = "description" in part or "$ref" in part or "const" in part
        return below if speaks else [at, *below]

    assert [found for name, part in profile["$defs"].items() for found in silent(part, name)] == []


def test_the_mappings_gateways_are_the_records_own() -> None:
    assert codes("gateways") == GATEWAYS


def test_the_example_in_the_profiles_documentation_fits_the_profile(profile: dict[str, Any]) -> None:
    text = (REPO / "adapters" / "police" / "profile" / "README.md").read_text()
    example = json.loads(text.split("```json\n")[1].split("```")[0])
    assert [fault.message for fault in jsonschema_rs.validator_for(profile).iter_errors(example)] == []
