"""The list of what waits is a reading: who has one, what is recorded, and that a fault makes no shorter one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import BadCursor, CannotBeShownComplete, CannotRecord, NoStanding, NoSuchItem
from hub.disclosure import items as door
from hub.store.keys import KeyAway
from tests.hub.conftest import WRENNA, only_child
from tests.hub.disclosure.conftest import (
    FRONT_DOOR,
    POLICE,
    TOBIN,
    ask_for,
    kinds,
    last_access,
    said,
)


def test_a_person_in_conflict_is_told_nothing_about_that_child(
    hub: Hub, police: Any, listed: Any, front_door: str, read_then_removed: Callable[..., None]
) -> None:
    read_then_removed()
    to = {"service": FRONT_DOOR, "person": front_door}
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA, **ask_for(to))], police.source)
    hub.admission.admit([police.seal("exploitation-concern", child=TOBIN, person="p2")], police.source)
    wrenna, tobin = hub.register().children()
    conflict = {"person": front_door, "child": str(wrenna), "reason": "family"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": conflict})
    assert [one["child"] for one in listed(front_door)] == [str(tobin)]


@pytest.mark.parametrize("person", ["nobody", "untrained"])
def test_who_has_no_standing_has_no_list_and_the_attempt_is_recorded(hub: Hub, listed: Any, person: str) -> None:
    held = {"person": "untrained", "role": "frontDoor", "service": FRONT_DOOR, "from": "2024-01-01"}
    hub.casework.record("ada", {"event": "role-held", "details": held})
    with pytest.raises(NoStanding):
        listed(person)
    assert last_access(hub)["outcome"] == "no-standing"


def test_the_reading_is_recorded_before_it_answers(
    hub: Hub, police: Any, listed: Any, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    listed(front_door)
    access = last_access(hub)
    assert (access["kind"], access["reader"], access["about"]) == ("items", front_door, [str(only_child(hub))])
    assert len(access["items"]) == 1

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(hub.record, "append", fail)
    monkeypatch.setattr("hub.disclosure.journal.os.pwrite", fail)  # nor does the journal take it
    with pytest.raises(CannotRecord):
        listed(front_door)


def test_the_opening_is_recorded_and_shown_to_the_whole_team(
    hub: Hub, police: Any, listed: Any, front_door: str, staff: Callable[..., str], clock: Any
) -> None:
    colleague = staff("ilse", "frontDoor")
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    ((mine,), (theirs,)) = listed(front_door), listed(colleague)
    assert mine["id"] != theirs["id"], "an id means something to its reader only"
    with pytest.raises(NoSuchItem):
        hub.items.open(front_door, theirs["id"])
    clock.forward(minutes=5)
    hub.items.open(front_door, mine["id"])
    assert last_access(hub)["kind"] == "item-opened"
    clock.forward(minutes=5)
    hub.items.open(colleague, theirs["id"])
    assert [one["opened"] for one in listed(colleague)] == ["2025-03-03T12:05:00.000+00:00"]


def test_what_was_opened_and_asks_for_nothing_leaves_the_list_after_thirty_days(
    hub: Hub, police: Any, listed: Any, front_door: str, clock: Any
) -> None:
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    hub.admission.admit([police.seal(child=WRENNA, **ask_for(to))], police.source)
    for one in listed(front_door):
        hub.items.open(front_door, one["id"])
    clock.forward(days=29)
    assert kinds(listed(front_door)) == ["urgent", "addressed"]
    clock.forward(days=2)
    assert kinds(listed(front_door)) == ["addressed"], "what asks for a reply stays"


def test_urgent_items_come_first_then_the_oldest_and_a_long_list_comes_in_pages(
    hub: Hub, police: Any, listed: Any, front_door: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PAGE", 2)
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    for kind in (
        "domestic-abuse-incident",
        "referral-made",
        "domestic-abuse-incident",
        "referral-made",
        "referral-made",
    ):
        hub.admission.admit([police.seal(kind, child=WRENNA, **ask_for(to))], police.source)
        clock.forward(minutes=1)
    whole = listed(front_door)
    assert [one["urgent"] for one in whole] == [True] * 3 + [False] * 2
    assert [one["at"] for one in whole[:3]] == sorted(one["at"] for one in whole[:3])
    assert len({one["id"] for one in whole}) == 5
    with pytest.raises(BadCursor):
        hub.items.list(front_door, "0123456789abcdef0123")


def test_protected_or_not_no_item_names_a_service_or_anything_of_a_child(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str
) -> None:
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    hub.admission.admit(
        [police.seal("exploitation-concern", child=WRENNA, said_by=said(POLICE), **ask_for(to))], police.source
    )
    assert set(listed(front_door)[0]) == {"id", "kind", "at", "urgent", "says", "child", "ref"}


# -- faults


def test_a_key_that_is_away_makes_no_shorter_list(
    hub: Hub, police: Any, listed: Any, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    hub.admission.admit([police.seal("exploitation-concern", child=TOBIN, person="p2")], police.source)
    _, tobin = hub.register().children()
    whole = copy.copy(hub.record.keys.event_keys)

    def away(wanted: Any) -> Any:
        keys = whole(wanted)
        return [None if stream == tobin else key for (stream, _), key in zip(wanted, keys, strict=True)]

    with monkeypatch.context() as broken:
        broken.setattr(hub.record.keys, "event_keys", away)
        for _ in range(2):
            with pytest.raises(CannotBeShownComplete):
                listed(front_door)
        assert last_access(hub)["outcome"] == "incomplete"
    assert kinds(listed(front_door)) == ["urgent", "urgent"], "whole again once the key is back"


@pytest.mark.parametrize("what", ["rows", "view", "policy", "quarantine"])
def test_whatever_fails_the_list_says_that_it_cannot_be_shown_complete(
    hub: Hub, police: Any, listed: Any, front_door: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)

    def fails(*_: Any, **__: Any) -> Any:
        raise KeyAway("away")

    broken = {
        "rows": (hub.item_rows, "catch_up"), "view": (hub.view, "rows"), "policy": (hub.disclosure.policy, "decide"),
        "quarantine": (hub.items.sources, "waiting"),
    }  # fmt: skip
    monkeypatch.setattr(*broken[what], fails)
    with pytest.raises(CannotBeShownComplete):
        listed(front_door)
    assert last_access(hub)["outcome"] == "incomplete"


def test_rows_begun_anew_while_they_are_read_make_no_shorter_list(
    hub: Hub, police: Any, listed: Any, front_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    of_kinds = hub.item_rows.of_kinds

    def begun_anew(*wanted: str) -> Any:
        found = of_kinds(*wanted)
        hub.item_rows.rebuild()
        return found

    monkeypatch.setattr(hub.item_rows, "of_kinds", begun_anew)
    with pytest.raises(CannotBeShownComplete):
        listed(front_door)


def test_rows_built_again_give_the_same_list(
    hub: Hub, police: Any, listed: Any, front_door: str, read_then_removed: Callable[..., None]
) -> None:
    read_then_removed()
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA)], police.source)
    for one in listed(front_door):
        hub.items.open(front_door, one["id"])
    live = listed(front_door)
    assert len(live) == 2
    assert hub.item_rows.rebuild() == hub.record.position()
    assert listed(front_door) == live
