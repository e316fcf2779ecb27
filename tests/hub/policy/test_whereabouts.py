"""What would tell where a protected child is stands neither in the fields of an entry nor in its words."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from hub.domain.labels import Label
from hub.policy import fields
from hub.policy.decide import Decision
from hub.policy.projector import project
from schemas.catalogue import KINDS, get_example

SAID = {
    "service": "urn:safeguarding:service:tarnwhistle-academy", "service_name": "Tarnwhistle Academy, Westlorn",
    "service_kind": "a school", "statement": "seen", "author": {"name": "Juno Farrow", "role": "Lead"},
    "contact": {"name": "School office", "phone": "01632 960141"},
}  # fmt: skip
PLACE = {"kind": "home", "address": "4 Heron Row", "postcode": "ZZ2 7QX", "local_authority": "Westlorn"}


def decision(shown: str = "full", *, located: bool = True, **facets: bool) -> Decision:
    parts = {"family": True, "others": True, "place": False, "service": False, "summary": True, **facets}
    return Decision(shown=shown, permits=(), forbids=(), label=Label("education", 1, located=located), **parts)


def entry(**members: Any) -> dict[str, Any]:
    data = copy.deepcopy(get_example("concern-logged", 1)) | {"said_by": SAID, "place": PLACE, **members}
    return {
        "data": data, "source": "urn:safeguarding:source:tarnwhistle:live", "id": "e1", "datadigest": "d",
        "position": 7, "shared": "2025-05-05T12:00:00Z",
    }  # fmt: skip


def shown(which: dict[str, Any], by: Decision | None = None, *services: str) -> dict[str, Any]:
    return project(which, by or decision(), ref="r", services=services)


def text_of(answer: Any) -> str:
    return json.dumps(answer)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.about == "child"])
@pytest.mark.parametrize("step", ["full", "outline"])
def test_no_kind_of_event_names_its_service_its_author_its_place_or_any_service_at_all(name: str, step: str) -> None:
    data = copy.deepcopy(get_example(name, 1))
    said, place = data["said_by"], data.get("place", {})
    told = text_of(project({**entry(), "data": data}, decision(step), ref="r"))
    assert "urn:safeguarding:service:" not in told
    for secret in (said.get("service_name"), said.get("author", {}).get("name"), said.get("contact", {}).get("phone")):
        assert not secret or secret not in told
    assert not any(place[part] in told for part in ("name", "address", "postcode", "ward") if part in place)


@pytest.mark.parametrize("member", ["summary", "narrative", "childs_words", "asked", "people", "told", "details"])
def test_what_an_entry_withholds_does_not_come_back_in_its_words(member: str) -> None:
    words = "At Tarnwhistle academy (westlorn) they live in 4  Heron Row, zz27qx; ring 01632 960141."
    said: dict[str, Any] = {
        "summary": {"text": words, "made": "by-author"}, "narrative": {"text": words},
        "people": [{"group": "others", "name": "A Neighbour", "description": words}],
        "told": [{"who": "mother", "told": False, "why": words}], "details": {"concern": words, "needs": [words]},
    }  # fmt: skip
    told = text_of(shown(entry(**{member: said.get(member, words)})))
    assert "At [withheld] ([withheld]) they live in [withheld], [withheld]; ring [withheld]." in told


def test_a_word_that_only_begins_like_a_place_stays() -> None:
    told = shown(entry(summary={"text": "Westlornian accent.", "made": "by-author"}))
    assert told["summary"]["text"] == "Westlornian accent."


def test_the_names_of_other_services_of_the_partnership_are_not_said_either() -> None:
    which = entry(summary={"text": "Moved to Beckside Surgery; well.", "made": "by-author"})
    assert shown(which, None, "Beckside Surgery")["summary"]["text"] == "Moved to [withheld]; well."
    assert shown(which, decision(located=False), "Beckside Surgery")["summary"]["text"].startswith("Moved to Beckside")


def test_whoever_it_was_addressed_to_is_named_by_role_alone() -> None:
    which = entry(addressed_to=[{"service": SAID["service"], "role": "schoolLead"}])
    assert shown(which)["addressed_to"] == [{"role": "schoolLead"}]
    assert shown(which, decision(located=False))["addressed_to"] == [{"service": SAID["service"], "role": "schoolLead"}]


def test_details_that_name_a_service_or_its_people_show_the_token() -> None:
    details = {
        "service": "urn:safeguarding:service:x", "person": "juno", "service_name": "X", "out_of_area": True,
        "scope": {"services": ["urn:safeguarding:service:x"], "purposes": ["s17"]}, "kind": "school-nursing",
    }  # fmt: skip
    told = shown(entry(details=details))["details"]
    assert {name for name, value in told.items() if value == {"withheld": "place"}} == set(details) - {"kind"}
    assert shown(entry(details=details), decision(located=False))["details"] == details


def test_an_auditor_gets_the_place_in_the_log_and_neither_source_nor_id_nor_digest() -> None:
    told = shown(entry(), decision("outline", structure=True))
    assert told["position"] == 7
    assert not {"id", "datadigest"} & told.keys()
    assert "tarnwhistle" not in text_of(told)
    assert shown(entry(), decision("outline", structure=True, located=False))["id"] == "e1"


def test_whoever_is_told_the_place_reads_the_words_as_they_were_written() -> None:
    told = shown(entry(summary={"text": "In Westlorn.", "made": "by-author"}), decision(place=True, service=True))
    assert told["summary"]["text"] == "In Westlorn."


def test_every_detail_that_goes_with_the_service_is_shown_otherwise() -> None:
    assert fields.SERVICES <= fields.PLAIN
