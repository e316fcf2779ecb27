"""Who may do what follows the staff events at once and through every door, also while their token is still valid."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.casework import Misfit, NotYours
from hub.disclosure import Ask, NoAnswer, NoStanding, Search, description_of
from hub.disclosure.access import ALARM
from hub.disclosure.query import NOTHING
from hub.store.streams import ACCESS
from tests.hub.conftest import WRENNA, Clock, only_child

S = "urn:safeguarding:service:"
HOME = S + "harrowmere-childrens-services"
CONTACT = {"event": "contact-received", "details": {}, "summary": {"text": "Somebody rang.", "made": "by-author"}}


@pytest.fixture
def child(hub: Hub, police: Any) -> UUID:
    hub.admission.admit([police.seal(child=WRENNA)], police.source)
    return only_child(hub)


def officer(hub: Hub, event: str, **details: str) -> None:
    hub.casework.record("ada", {"event": event, "details": {"person": "ottoline", **details}})


def refused(hub: Hub, event: str, **details: str) -> str:
    with pytest.raises(NotYours) as why:
        officer(hub, event, **details)
    return str(why.value)


def may(hub: Hub, child: UUID, role: str = "frontDoor") -> dict[str, bool]:
    """What every door lets this person do now."""
    asked = Search(person="ottoline", asked=description_of(WRENNA), purpose="triage", role=role)
    return {
        "read": _does(lambda: hub.disclosure.chronology(_ask(child, role))),
        "record": _does(lambda: hub.casework.record("ottoline", {**CONTACT, "child": str(child)}, role=role)),
        "list": _does(lambda: hub.disclosure.allow("identity-list", "ottoline", role, "triage")),
        "query": hub.query.answer(asked) != NOTHING,
    }


def _ask(child: UUID, role: str) -> Ask:
    return Ask(person="ottoline", child=child, purpose="triage", role=role)


def _does(act: Callable[[], object]) -> bool:
    try:
        act()
    except (NoStanding, NoAnswer, NotYours):
        return False
    return True


ALL = dict.fromkeys(("read", "record", "list", "query"), True)
NONE = dict.fromkeys(ALL, False)


def test_a_role_and_training_open_every_door_and_either_alone_opens_none(hub: Hub, child: UUID) -> None:
    officer(hub, "role-held", role="frontDoor", service=HOME)
    assert may(hub, child) == NONE
    officer(hub, "training-recorded", completed="2025-01-01", until="2025-03-03")
    assert may(hub, child) == ALL


def test_a_leaver_is_out_of_every_door_the_moment_it_is_recorded(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "frontDoor")
    assert may(hub, child) == ALL
    officer(hub, "role-ended", role="frontDoor", service=HOME)
    assert may(hub, child) == NONE


def test_a_role_from_a_later_day_opens_nothing_before_it_and_everything_from_it(
    hub: Hub, child: UUID, clock: Clock
) -> None:
    officer(hub, "role-held", role="frontDoor", service=HOME, **{"from": "2025-03-04", "until": "2025-03-05"})
    officer(hub, "training-recorded", until="2030-01-01")
    found = []
    for _ in range(4):
        found.append(may(hub, child))
        clock.now += timedelta(days=1)
    assert found == [NONE, ALL, ALL, NONE]


def test_training_that_runs_out_closes_every_door_the_day_after(hub: Hub, child: UUID, clock: Clock) -> None:
    officer(hub, "role-held", role="frontDoor", service=HOME)
    officer(hub, "training-recorded", until="2025-03-03")
    assert may(hub, child) == ALL
    clock.forward(days=1)
    assert may(hub, child) == NONE


def test_of_two_roles_each_opens_its_own_doors_and_ending_one_leaves_the_other(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "schoolLead", "larkbeck-primary")
    staff("ottoline", "frontDoor")
    assert may(hub, child, "frontDoor") == ALL
    assert may(hub, child, "schoolLead") == {**NONE, "record": True}
    officer(hub, "role-ended", role="frontDoor", service=HOME)
    assert may(hub, child, "frontDoor") == NONE
    assert may(hub, child, "schoolLead") == {**NONE, "record": True, "read": True}, "her own entry alone"


def test_a_conflict_closes_this_childs_doors_until_it_ends(
    hub: Hub, child: UUID, staff: Callable[..., str], clock: Clock
) -> None:
    staff("ottoline", "frontDoor")
    officer(hub, "conflict-declared", child=str(child), reason="neighbour")
    assert may(hub, child) == {**NONE, "list": True}
    officer(hub, "conflict-ended", child=str(child))
    assert may(hub, child) == ALL
    officer(hub, "conflict-declared", child=str(child), reason="neighbour", until="2025-03-03")
    assert may(hub, child) == {**NONE, "list": True}
    clock.forward(days=1)
    assert may(hub, child) == ALL


def test_a_conflict_holds_under_the_childs_other_id_for_whoever_records_or_settles(
    hub: Hub, police: Any, child: UUID, staff: Callable[..., str]
) -> None:
    twin = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}
    hub.admission.admit([police.seal(child=twin, person="p2")], police.source)
    other = hub.register().children()[1]
    staff("ottoline", "frontDoor")
    staff("bram", "steward")
    hub.casework.settle("bram", "identity-same", child, other, "confirmed")
    officer(hub, "conflict-declared", child=str(child))
    with pytest.raises(NotYours, match="DeclaredConflict"):
        hub.casework.record("ottoline", {**CONTACT, "child": str(other)})
    hub.casework.record("ada", {"event": "conflict-declared", "details": {"person": "bram", "child": str(other)}})
    with pytest.raises(NotYours, match="DeclaredConflict"):
        hub.casework.settle("bram", "identity-not-same", child, other, "a doubt")
    raised = [fact.data["reader"] for fact in hub.record.facts(ACCESS, topics=[ALARM])]
    assert raised == ["ottoline", "bram"]


def test_a_steward_whose_training_ran_out_settles_nothing(hub: Hub, child: UUID) -> None:
    held = {"person": "bram", "role": "steward", "service": HOME}
    hub.casework.record("ada", {"event": "role-held", "details": held})
    with pytest.raises(NotYours, match="OnlyTheTrained"):
        hub.casework.settle("bram", "identity-same", child, child, "confirmed")


def test_what_contradicts_a_persons_record_is_refused_by_its_name(hub: Hub, staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    role = {"role": "frontDoor", "service": HOME}
    assert refused(hub, "role-held", **role) == "RoleHeldAlready"
    assert refused(hub, "role-ended", role="teamManager", service=HOME) == "RoleNotHeld"
    assert refused(hub, "role-ended", role="frontDoor", service=S + "elsewhere") == "RoleNotHeld"
    assert refused(hub, "role-ended", **role, until="2023-12-31") == "EndsBeforeItBegins"
    assert refused(hub, "training-recorded", completed="2025-02-01", until="2025-01-01") == "EndsBeforeItBegins"
    assert refused(hub, "training-recorded", completed="2025-03-04") == "NotYetCompleted"
    assert refused(hub, "conflict-ended") == "NoConflictDeclared"
    with pytest.raises(Misfit, match="ends before it begins"):
        officer(hub, "role-held", **role, **{"from": "2026-01-01", "until": "2025-12-31"})
    officer(hub, "role-ended", **role)
    assert refused(hub, "role-ended", **role) == "RoleNotHeld"
    assert refused(hub, "role-ended", **role, until="2026-01-01") == "RoleNotHeld"


def test_a_role_may_end_sooner_be_cancelled_before_it_begins_and_be_held_again(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("ottoline", "schoolLead")
    role = {"role": "frontDoor", "service": HOME}
    officer(hub, "role-held", **role, **{"from": "2025-04-01", "until": "2025-12-31"})
    officer(hub, "role-ended", **role, until="2025-06-30")
    officer(hub, "role-ended", **role)
    officer(hub, "role-held", **role, **{"from": "2025-03-03"})
    assert may(hub, child) == ALL


# -- what officers see


def test_an_officer_sees_what_the_record_says_and_it_is_recorded(hub: Hub, staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    officer(hub, "conflict-declared", child=str(UUID(int=7)))
    shown = hub.staff.show("ada", "audit", "ottoline")
    assert shown == {
        "person": "ottoline", "name": "",
        "roles": [{"role": "frontDoor", "service": HOME, "from": "2024-01-01", "held": True}],
        "trained_until": "2030-01-01", "trained": True,
        "conflicts": [{"child": str(UUID(int=7)), "counts": True}],
    }  # fmt: skip
    staff("bram", "steward")
    assert [one["person"] for one in hub.staff.everybody("ada", "audit")] == ["bram", "ottoline"]
    with pytest.raises(NoStanding):
        hub.staff.show("bram", "audit", "ottoline")
    noted = [(fact.data["kind"], fact.data["reader"], fact.data["outcome"]) for fact in hub.record.facts(ACCESS)]
    assert noted == [
        ("staff-show", "ada", "answered"), ("staff-list", "ada", "answered"), ("staff-show", "bram", "no-standing"),
    ]  # fmt: skip
    assert json.dumps(shown)
