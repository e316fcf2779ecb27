"""What waits for people follows whoever a child is today: split, moved, said not to be the same, and undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask
from tests.hub.conftest import WRENNA
from tests.hub.disclosure.conftest import FRONT_DOOR, TOBIN, kinds, said, taken_back

URGENT, ORDINARY = "exploitation-concern", "domestic-abuse-incident"


@pytest.fixture
def steward(staff: Callable[..., str]) -> str:
    return staff("bram", "steward")


def read(hub: Hub, person: str, child: UUID, purpose: str = "triage") -> None:
    hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose))


def told_of(hub: Hub, police: Any) -> tuple[UUID, UUID]:
    """Two children: of Wrenna one usual entry and an urgent one, of Tobin one usual entry."""
    hub.admission.admit(
        [police.seal(ORDINARY, child=WRENNA), police.seal(URGENT, child=WRENNA, id="urgent")], police.source
    )
    hub.admission.admit([police.seal(ORDINARY, child=TOBIN, person="p2")], police.source)
    wrenna, tobin = hub.register().children()
    return wrenna, tobin


def test_an_urgent_entry_that_was_moved_is_listed_under_the_child_whose_it_is(
    hub: Hub, police: Any, listed: Any, front_door: str, steward: str
) -> None:
    wrenna, tobin = told_of(hub, police)
    assert [one["child"] for one in listed(front_door)] == [str(wrenna)]
    hub.casework.move(steward, {"source": police.source, "id": "urgent"}, tobin, "her brother was meant")
    assert [one["child"] for one in listed(front_door)] == [str(tobin)]
    hub.casework.move(steward, {"source": police.source, "id": "urgent"}, wrenna, "it was her after all")
    assert [one["child"] for one in listed(front_door)] == [str(wrenna)]


def test_a_moved_entry_is_for_the_worker_of_the_child_whose_it_is(
    hub: Hub, police: Any, council: Any, listed: Any, steward: str, staff: Callable[..., str]
) -> None:
    wrennas, tobins = staff("fenn", "allocatedSocialWorker"), staff("ilse", "allocatedSocialWorker")
    for person, child, known_as in ((wrennas, WRENNA, "p1"), (tobins, TOBIN, "p2")):
        details = {"person": person, "role": "allocatedSocialWorker", "service": FRONT_DOOR}
        sealed = council.seal(
            "worker-allocated", child=child, person=known_as, details=details, said_by=said(FRONT_DOOR)
        )
        hub.admission.admit([sealed], council.source)
    _, tobin = told_of(hub, police)
    assert (kinds(listed(wrennas)), kinds(listed(tobins))) == (["urgent"], [])
    hub.casework.move(steward, {"source": police.source, "id": "urgent"}, tobin, "her brother was meant")
    assert (kinds(listed(wrennas)), kinds(listed(tobins))) == ([], ["urgent"])


def test_whoever_read_a_mixed_record_is_told_when_it_is_parted_and_no_longer_when_that_is_undone(
    hub: Hub, police: Any, listed: Any, front_door: str, steward: str, staff: Callable[..., str]
) -> None:
    newcomer = staff("ilse", "frontDoor")
    wrenna, tobin = told_of(hub, police)
    read(hub, front_door, wrenna)
    assert "record-mixed" not in kinds(listed(front_door))
    hub.casework.move(steward, {"source": police.source, "id": "urgent"}, tobin, "her brother was meant")
    (mixed,) = [one for one in listed(front_door) if one["kind"] == "record-mixed"]
    assert mixed["child"] == str(wrenna)
    assert "ref" not in mixed
    assert "record-mixed" not in kinds(listed(newcomer))
    read(hub, newcomer, wrenna)
    assert "record-mixed" not in kinds(listed(newcomer)), "what is read after it is no longer mixed"
    hub.casework.move(steward, {"source": police.source, "id": "urgent"}, wrenna, "it was her after all")
    assert "record-mixed" not in kinds(listed(front_door))


def test_whoever_read_two_children_as_one_is_told_when_they_are_said_to_be_two(
    hub: Hub, police: Any, listed: Any, front_door: str, steward: str, staff: Callable[..., str]
) -> None:
    other = staff("cleo", "steward")
    wrenna, tobin = told_of(hub, police)
    for person in (steward, other):
        hub.casework.settle(person, "identity-same", wrenna, tobin, "a tired evening")
    read(hub, front_door, wrenna)
    assert "record-mixed" not in kinds(listed(front_door))
    hub.casework.settle(steward, "identity-not-same", wrenna, tobin, "they are two")
    assert kinds(listed(front_door)).count("record-mixed") == 1


def test_who_settled_who_a_child_is_finds_nothing_of_that_child_on_another_list(
    hub: Hub, police: Any, listed: Any, staff: Callable[..., str]
) -> None:
    both = staff("bram", "steward")
    staff("bram", "frontDoor")
    wrenna, tobin = told_of(hub, police)
    assert kinds(listed(both)) == ["urgent"]
    hub.casework.settle(both, "identity-not-same", wrenna, tobin, "cousins")
    assert listed(both) == []


def test_of_a_wrong_childs_record_whoever_read_an_earlier_version_is_told_too(
    hub: Hub, police: Any, listed: Any, front_door: str
) -> None:
    hub.admission.admit([police.seal(child=WRENNA, id="first"), police.seal(child=WRENNA)], police.source)
    (child,) = hub.register().children()
    read(hub, front_door, child)
    newer = [{"source": police.source, "id": "first", "as": "replaces"}]
    hub.admission.admit([police.seal(child=WRENNA, id="wrong", references=newer)], police.source)
    hub.admission.admit([taken_back(police)], police.source)
    assert kinds(listed(front_door)).count("entry-removed") == 1
