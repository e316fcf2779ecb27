"""Open items in a reader's answer: from what this reader sees, judged at the moment of the facts, on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask
from tests.hub.conftest import WRENNA

S = "urn:safeguarding:service:"
COUNCIL = S + "harrowmere-childrens-services"


def read(hub: Hub, person: str, purpose: str = "triage", **more: Any) -> dict[str, Any]:
    (child, *_) = hub.register().children()
    body: dict[str, Any] = json.loads(
        hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose, **more)).body
    )
    return body


def rules(body: dict[str, Any]) -> list[str]:
    return [one["rule"] for one in body["open_items"]]


@pytest.fixture
def front_door(hub: Hub, police: Any, staff: Callable[..., str]) -> str:
    hub.admission.admit([police.seal(child=WRENNA, asked=None, addressed_to=None, by_when=None)], police.source)
    return staff("ottoline", "frontDoor")


@pytest.fixture
def note(hub: Hub) -> Callable[..., str]:
    """Records an entry about the one child; gives its event id."""

    def one(person: str, event: str, **members: Any) -> str:
        entry = {"event": event, "child": str(hub.register().children()[0]), "details": {}, **members}
        done = hub.casework.record(person, entry)
        assert done.receipt.outcome == "admitted"
        return done.id

    return one


def test_a_referral_without_a_decision_is_open_then_late_then_gone(
    hub: Hub, front_door: str, note: Callable[..., str], clock: Any
) -> None:
    assert read(hub, front_door)["open_items"] == []
    note(front_door, "referral-made", details={"concern": "neglect"})
    body = read(hub, front_door)
    ((entry,), (item,)) = [one for one in body["entries"] if one["event"] == "referral-made"], body["open_items"]
    assert item == {
        "rule": "referral-decision", "edition": "WT23", "source": "Working Together 2023, chapter 3",
        "what": "A referral waits for a decision", "since": entry["shared"], "due": "2025-03-04", "late": False,
        "about": entry["ref"],
    }  # fmt: skip
    then = clock.now
    clock.forward(days=2)
    assert [one["late"] for one in read(hub, front_door)["open_items"]] == [True]
    note(front_door, "referral-decided", details={"decision": "nfa"})
    assert rules(read(hub, front_door)) == ["referrer-informed"]
    before = read(hub, front_door, as_of=then + timedelta(hours=1))
    assert [(one["rule"], one["late"]) for one in before["open_items"]] == [("referral-decision", False)]


def test_an_outline_tells_of_no_review_point_and_a_hidden_entry_starts_nothing(
    hub: Hub, front_door: str, note: Callable[..., str], staff: Callable[..., str]
) -> None:
    lead = staff("juno", "schoolLead", "tarnwhistle-academy")
    note(front_door, "involvement-started", details={"service": S + "tarnwhistle-academy"})
    note(front_door, "s47-started")
    note(front_door, "assessment-started", details={"kind": "child-and-family", "review": "2025-03-20"})
    withheld = {"what": "w", "from_whom": "mother", "why": "y", "review_on": "2025-03-10"}
    note(front_door, "decided-not-to-share", details=withheld)
    full, outline = read(hub, front_door, "s47"), read(hub, lead, "s47")
    points = {one["due"] for one in full["open_items"] if one["rule"] == "review-point"}
    assert points == {"2025-03-10", "2025-03-20"}
    assert {one["shown"] for one in outline["entries"] if one["event"] == "assessment-started"} == {"outline"}
    assert "review-point" not in rules(outline)
    assert {one["since"] for one in outline["open_items"]} == {"2025-03-03"}


def test_what_was_retracted_starts_no_clock_and_lifts_none(
    hub: Hub, front_door: str, register: Callable[..., Any]
) -> None:
    council = register("harrowmere-system", service={"urn": COUNCIL, "name": "Harrowmere", "kind": "council"})
    plain: dict[str, Any] = dict.fromkeys(("asked", "by_when", "addressed_to")) | {"child": WRENNA}
    hub.admission.admit([council.seal("referral-made", id="r1", **plain)], council.source)
    hub.admission.admit([council.seal("referral-decided", id="d1", **plain)], council.source)
    assert rules(read(hub, front_door)) == ["referrer-informed"]
    retracting = {
        "child": WRENNA,
        "details": {"reason": "untrue"},
        "references": [{"source": council.source, "id": "d1", "as": "retracts"}],
    }
    hub.admission.admit([council.seal("retraction-made", **retracting)], council.source)
    assert rules(read(hub, front_door)) == ["referral-decision"]


def test_a_history_source_starts_no_clock(hub: Hub, front_door: str, register: Callable[..., Any]) -> None:
    of_the_council = {"service": {"urn": COUNCIL, "name": "Harrowmere", "kind": "council"}}
    history = register("harrowmere-history", history=True, **of_the_council)
    hub.admission.admit([history.seal("referral-made", child=WRENNA)], history.source)
    body = read(hub, front_door)
    assert "referral-made" in [one["event"] for one in body["entries"]]
    assert body["open_items"] == []


def test_every_page_and_the_etag_carry_the_same_items(hub: Hub, front_door: str, note: Callable[..., str]) -> None:
    note(front_door, "referral-made", details={"concern": "neglect"})
    first = read(hub, front_door, page=1)
    second = read(hub, front_door, page=1, cursor=first["next"])
    assert first["open_items"] == second["open_items"] != []
