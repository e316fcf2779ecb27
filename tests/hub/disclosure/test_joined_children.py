"""A child under two ids is one child for every reader: for what they may see, and for what they must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, NoAnswer

TWIN = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}


@pytest.fixture
def joined(hub: Hub, police: Any, staff: Callable[..., str]) -> tuple[UUID, UUID]:
    """Two ids of one child, the older first."""
    hub.admission.admit([police.seal(), police.seal(child=TWIN, person="p2")], police.source)
    older, younger = hub.register().children()
    hub.casework.settle(staff("bram", "steward"), "identity-same", older, younger, "confirmed")
    return older, younger


def read(hub: Hub, child: UUID, person: str = "ottoline") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        hub.disclosure.chronology(Ask(person=person, child=child, purpose="triage")).body
    )
    return answer


def declare(hub: Hub, **child: str) -> None:
    hub.casework.record("ada", {"event": "conflict-declared", "details": {"person": "ottoline", **child}})


def test_by_either_id_it_is_the_same_answer(hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    by_older, by_younger = (read(hub, one) for one in joined)
    assert by_older == by_younger
    assert len(by_older["entries"]) == 2
    assert by_older["child"]["id"] == str(joined[0])


@pytest.mark.parametrize("declared", [0, 1])
@pytest.mark.parametrize("asked", [0, 1])
def test_a_conflict_declared_under_either_id_holds_by_both(
    hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str], declared: int, asked: int
) -> None:
    staff("ottoline", "frontDoor")
    declare(hub, child=str(joined[declared]))
    with pytest.raises(NoAnswer):
        read(hub, joined[asked])


def test_a_conflict_that_names_no_child_holds_for_every_child(
    hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    declare(hub)
    with pytest.raises(NoAnswer):
        read(hub, joined[0])


def test_a_conflict_with_another_child_hides_nothing_here(
    hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    declare(hub, child=str(UUID(int=7)))
    assert len(read(hub, joined[0])["entries"]) == 2


def test_a_threshold_recorded_under_one_id_counts_for_the_other(
    hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    staff("mira", "teamManager")
    for event in ("s47-started", "worker-allocated"):
        details = {"person": "fenn", "role": "allocatedSocialWorker"} if event == "worker-allocated" else {}
        hub.casework.record("mira", {"event": event, "child": str(joined[1]), "details": details})
    answer = hub.disclosure.chronology(Ask(person="fenn", child=joined[1], purpose="s47"))
    assert {one["shown"] for one in json.loads(answer.body)["entries"]} == {"full"}


def test_every_reading_of_either_id_counts_as_a_reading_of_the_child(
    hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    read(hub, joined[1])
    assert len(hub.disclosure.accesses(joined[0])) == len(hub.disclosure.accesses(joined[1])) == 1


def test_parted_again_each_has_its_own_entries(hub: Hub, joined: tuple[UUID, UUID], staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    hub.casework.settle("bram", "identity-not-same", *joined, "brother and sister")
    assert [len(read(hub, one)["entries"]) for one in joined] == [1, 1]
