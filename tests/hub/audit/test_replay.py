"""What could be seen at a past moment, by the entitlement of then, and what was in fact opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.audit.replay import replay
from hub.bootstrap import Hub
from hub.disclosure import Ask
from hub.domain.facts import Fact
from hub.domain.staff import Reader

AUDITOR = Reader(
    person="isla", role="caseAuditor", service="urn:safeguarding:service:partnership-assurance", trained=True,
    roles=frozenset({"caseAuditor"}),
)  # fmt: skip
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
TWIN = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}


def entry(position: int) -> Any:
    data = {"happened": {"precision": "unknown", "zone": "none"}}
    fact = Fact(name="child-seen", version=1, data=data, source="s", id=f"e{position}", shared="2025-03-01T09:00:00Z")
    return SimpleNamespace(position=position, fact=fact)


def read(at: str, *positions: int, reader: str = "ottoline", **other: Any) -> dict[str, Any]:
    return {
        "kind": "read", "outcome": "answered", "reader": reader, "role": "frontDoor", "purpose": "triage",
        "at": f"2025-03-{at}:00.000+00:00", "classes": [{"entries": list(positions)}], **other,
    }  # fmt: skip


# --- assembling -------------------------------------------------------------------------------------------------------


def test_each_entry_says_when_it_was_first_opened_or_that_it_never_was() -> None:
    reads = [read("01T10:00", 1), read("02T10:00", 1, 2)]
    told = replay([(entry(1), "full"), (entry(2), "outline"), (entry(3), "outline")], reads, "ottoline", NOON)
    assert [(one["position"], one["shown"], one["opened"][:10]) for one in told["could_see"]] == [
        (1, "full", "2025-03-01"), (2, "outline", "2025-03-02"), (3, "outline", ""),
    ]  # fmt: skip
    assert [one["at"][:10] for one in told["reads"]] == ["2025-03-01", "2025-03-02"]


@pytest.mark.parametrize(
    "other",
    [
        read("04T10:00", 1),
        read("01T10:00", 1, reader="fenn"),
        read("01T10:00", 1, outcome="no-answer"),
        read("01T10:00", 1, kind="replay"),
        {"kind": "replay", "reader": "ottoline", "at": "2025-03-01T10:00:00.000+00:00"},
    ],
    ids=["later", "another reader", "not answered", "another kind", "of the older form"],
)
def test_only_this_readers_answered_readings_up_to_then_count(other: dict[str, Any]) -> None:
    told = replay([(entry(1), "full")], [other], "ottoline", NOON)
    assert (told["reads"], told["could_see"][0]["opened"]) == ([], "")


def test_a_reading_at_the_very_moment_counts() -> None:
    assert len(replay([], [read("03T12:00", 1)], "ottoline", NOON)["reads"]) == 1
    hour_ahead = NOON.astimezone(datetime.fromisoformat("2025-03-03T12:00:00+01:00").tzinfo)
    assert replay([], [], "ottoline", hour_ahead)["at"] == "2025-03-03T12:00:00.000+00:00"


# --- over a hub -------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(hub: Hub, police: Any, staff: Callable[..., str], clock: Any) -> UUID:
    """Day 0 a reader and an event e1; day 10 another event e2."""
    staff("ottoline", "frontDoor")
    hub.admission.admit([police.seal(id="e1")], police.source)
    clock.forward(days=10)
    hub.admission.admit([police.seal(id="e2")], police.source)
    return hub.register().children()[0]


def could_see(hub: Hub, child: UUID, at: datetime, person: str = "ottoline", purpose: str = "triage") -> list[str]:
    seen = hub.disclosure.could_see(Ask(person=person, child=child, purpose=purpose), at, AUDITOR, "audit")
    return [row.fact.id for row, _ in seen]


def test_what_was_admitted_later_could_not_be_seen(hub: Hub, told: UUID) -> None:
    assert could_see(hub, told, NOON - timedelta(days=1)) == []
    assert could_see(hub, told, NOON + timedelta(days=5)) == ["e1"]
    assert could_see(hub, told, NOON + timedelta(days=10)) == ["e1", "e2"]


def test_the_entitlement_is_that_of_then_not_todays(
    hub: Hub, told: UUID, clock: Any, staff: Callable[..., str]
) -> None:
    service = "urn:safeguarding:service:harrowmere-childrens-services"
    details = {"person": "ottoline", "role": "frontDoor", "service": service}
    hub.casework.record("ada", {"event": "role-ended", "details": details})
    staff("fenn", "frontDoor")
    clock.forward(days=1)
    assert could_see(hub, told, clock.now) == []
    assert could_see(hub, told, NOON + timedelta(days=5)) == ["e1"]
    assert could_see(hub, told, NOON + timedelta(days=5), "fenn") == []


def test_an_entry_retracted_since_could_be_seen_before_and_not_after(
    hub: Hub, told: UUID, police: Any, clock: Any
) -> None:
    clock.forward(days=1)
    references = [{"source": police.source, "id": "e1", "as": "retracts"}]
    wrong = police.seal("retraction-made", details={"reason": "wrong-child"}, references=references)
    hub.admission.admit([wrong], police.source)
    assert could_see(hub, told, NOON + timedelta(days=10)) == ["e1", "e2"]
    assert could_see(hub, told, clock.now) == ["e2"]


def test_children_joined_since_were_two_then(hub: Hub, told: UUID, police: Any, clock: Any, staff: Any) -> None:
    hub.admission.admit([police.seal(id="e3", child=TWIN, person="p2")], police.source)
    _, other = hub.register().children()
    clock.forward(days=1)
    hub.casework.settle(staff("bram", "steward"), "identity-same", told, other, "confirmed")
    assert could_see(hub, told, NOON + timedelta(days=10)) == ["e1", "e2"]
    assert could_see(hub, other, NOON + timedelta(days=10)) == ["e3"]
    assert could_see(hub, told, clock.now) == could_see(hub, other, clock.now) == ["e1", "e2", "e3"]


def test_a_replay_shows_what_was_opened_in_fact(hub: Hub, told: UUID, clock: Any) -> None:
    hub.disclosure.chronology(Ask(person="ottoline", child=told, purpose="triage", page=1))
    seen = hub.disclosure.could_see(Ask(person="ottoline", child=told, purpose="triage"), clock.now, AUDITOR, "audit")
    found = replay(seen, hub.disclosure.accesses(told), "ottoline", clock.now)
    assert sorted(bool(one["opened"]) for one in found["could_see"]) == [False, True]


def test_a_replay_answers_nothing_for_who_held_no_role_and_a_child_that_never_was(hub: Hub, told: UUID) -> None:
    assert could_see(hub, told, NOON, "nobody") == []
    assert could_see(hub, UUID(int=7), NOON) == []
