"""From the moment that a child's disclosure is recorded, the front door reads it in full: in the very next request.

No setting of threshold, agreement, level, handling, allocation or purpose changes that. Standing does: who has no role,
no training or a declared conflict is no reader.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.bootstrap import Hub
from hub.disclosure import CannotBeShownComplete
from hub.policy.vocabulary import CATEGORIES, HANDLING, LEVEL_LETTERS, PURPOSES
from schemas.catalogue import get_example
from tests.hub.api.conftest import Client
from tests.hub.api.test_api_with_a_hub import Served
from tests.hub.disclosure.conftest import FRONT_DOOR, SCHOOL, Listed, said

WORDS = "He grabs my arm when Mum is out."
THRESHOLDS = (
    "cin-plan-started", "strategy-discussion-called", "s47-started", "s47-concluded", "plan-started", "plan-ended",
    "threshold-stepped-down", "cin-plan-ended", "location-protected",
)  # fmt: skip
ENTERED, ENDED = ("agreement-given", "agreement-refused"), ("agreement-withdrawn", "agreement-expired")
MARKERS = tuple(one for one in HANDLING if one != "privileged")
"""Legal advice is the one thing that stays out of an urgent entry (access ruling 3)."""
NUMBERS = itertools.count()

CHILDREN = st.fixed_dictionaries(
    {
        "threshold": st.lists(st.sampled_from(THRESHOLDS), max_size=4),
        "agreement": st.lists(st.sampled_from(ENTERED + ENDED), max_size=3),
        "allocated": st.sampled_from(["", "fenn", "ottoline"]),
    }
)
DISCLOSURES = st.fixed_dictionaries(
    {
        "level": st.sampled_from(LEVEL_LETTERS),
        "handling": st.lists(st.sampled_from(MARKERS), unique=True),
        "category": st.sampled_from(["", *CATEGORIES]),
        "under": st.booleans(),
        "addressed": st.booleans(),
    }
)


@pytest.fixture
def served(hub: Hub, front_door: str) -> Served:
    return Served(hub, Client)  # type: ignore[no-untyped-call]


def set_up(hub: Hub, council: Any, child: dict[str, Any], drawn: dict[str, Any]) -> dict[str, str]:
    """The child's thresholds, agreements and worker; gives an agreement to share under."""
    agreement = {"source": council.source, "id": f"agreed-{council.sequence}"}
    kinds = [*drawn["threshold"], *drawn["agreement"]]
    first = next((number for number, kind in enumerate(kinds) if kind in ENTERED), -1)
    for number, kind in enumerate(kinds):
        details = get_example(kind, 1).get("details", {}) | ({"agreement": agreement} if kind in ENDED else {})
        id = agreement["id"] if number == first else ""
        raw = council.seal(kind, id=id, child=child, person=person_of(child), details=details, said_by=said(FRONT_DOOR))
        (receipt,) = hub.admission.admit([raw], council.source)
        assert receipt.outcome == "admitted", (kind, receipt.reason)
    if drawn["allocated"]:
        details = {"person": drawn["allocated"], "role": "allocatedSocialWorker", "service": FRONT_DOOR}
        raw = council.seal("worker-allocated", child=child, person=person_of(child), details=details)
        hub.admission.admit([raw], council.source)
    return agreement


def person_of(child: dict[str, Any]) -> str:
    return str(child["names"][0]["family"])


def tells(school: Any, child: dict[str, Any], agreement: dict[str, str], drawn: dict[str, Any]) -> bytes:
    label = {name: drawn[name] for name in ("level", "handling", "category") if drawn[name]}
    shared = {"agreement": agreement} if drawn["under"] else {"gateway": "CA2004-s16LA"}
    to = {"addressed_to": [{"service": SCHOOL, "role": "schoolLead"}]} if drawn["addressed"] else {}
    sealed: bytes = school.seal(
        "disclosure-by-child", child=child, person=person_of(child), label=label, shared_under=shared,
        childs_words=WORDS, **to,
    )  # fmt: skip
    return sealed


def somebody() -> dict[str, Any]:
    """A child of whom nobody heard before."""
    return {
        "names": [{"family": f"Testling {next(NUMBERS)}", "given": ["Ansel"]}], "birth_date": {"date": "2014-05-17"},
        "address": [{"postcode": "ZZ1 4QF"}],
    }  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(about=CHILDREN, drawn=DISCLOSURES)
def test_a_disclosure_is_read_in_full_by_the_front_door_in_the_next_request_for_every_purpose(
    hub: Hub, served: Served, council: Any, police: Any, listed: Listed,
    about: dict[str, Any], drawn: dict[str, Any],
) -> None:  # fmt: skip
    child = somebody()
    agreement = set_up(hub, council, child, about)
    (receipt,) = hub.admission.admit([tells(police, child, agreement, drawn)], police.source)
    assert receipt.outcome == "admitted", receipt.reason
    hub_id = hub.register().children()[-1]
    for purpose in PURPOSES:
        answer = served.person("ottoline").get(f"/children/{hub_id}/chronology?purpose={purpose}&role=frontDoor")
        assert answer.status_code == 200, purpose
        (told,) = [one for one in answer.json()["entries"] if one["event"] == "disclosure-by-child"]
        assert (told["shown"], told["childs_words"]) == ("full", WORDS), purpose
    (item,) = [one for one in listed("ottoline") if one.get("child") == str(hub_id) and one["kind"] == "urgent"]
    assert (item["urgent"], item["ref"]) == (True, told["ref"])


def test_legal_advice_alone_stays_out_of_it_and_never_the_entry(
    hub: Hub, served: Served, police: Any, listed: Listed
) -> None:
    drawn = {"level": "V", "handling": ["privileged"], "category": "", "under": False, "addressed": False}
    hub.admission.admit([tells(police, somebody(), {}, drawn)], police.source)
    (item,) = listed("ottoline")
    answer = served.person("ottoline").get(f"/children/{item['child']}/chronology?purpose=triage")
    assert [one["shown"] for one in answer.json()["entries"]] == ["outline"]


@pytest.mark.parametrize("person", ["relative", "untrained"])
def test_conflict_and_missing_training_still_stand_before_it(
    hub: Hub,
    served: Served,
    police: Any,
    staff: Callable[..., str],
    person: str,
) -> None:
    held = {"person": "untrained", "role": "frontDoor", "service": FRONT_DOOR, "from": "2024-01-01"}
    hub.casework.record("ada", {"event": "role-held", "details": held})
    staff("relative", "frontDoor")
    drawn = {"level": "N", "handling": [], "category": "", "under": False, "addressed": False}
    hub.admission.admit([tells(police, somebody(), {}, drawn)], police.source)
    child = str(hub.register().children()[-1])
    conflict = {"person": "relative", "child": child, "reason": "family"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": conflict})
    answer = served.person(person).get(f"/children/{child}/chronology?purpose=triage")
    assert answer.status_code == 404
    listing = served.person(person).get("/me/items")
    assert (listing.status_code, child in listing.text) == ({"relative": 200, "untrained": 403}[person], False)


def test_the_list_over_http_is_the_doors_and_an_opening_comes_back(served: Served, police: Any, hub: Hub) -> None:
    hub.admission.admit([police.seal("exploitation-concern")], police.source)
    ottoline = served.person("ottoline")
    (item,) = ottoline.get("/me/items").json()["items"]
    opened = ottoline.post(f"/me/items/{item['id']}/opened", "{}")
    assert (opened.status_code, opened.json()["id"]) == (200, item["id"])
    (again,) = json.loads(ottoline.get("/me/items").content)["items"]
    assert again == {**item, "opened": opened.json()["opened"]}
    assert ottoline.post("/me/items/0123456789abcdef0123/opened", "{}").status_code == 404
    assert ottoline.get("/me/items?cursor=0123456789abcdef0123").status_code == 400
    assert ottoline.get("/me/items?purpose=triage").status_code == 400


def test_a_fault_is_said_over_http_too(served: Served, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> bytes:
        raise CannotBeShownComplete

    monkeypatch.setattr(hub.items, "list", fails)
    assert served.person("ottoline").get("/me/items").status_code == 503
