"""What was asked stays on the list until whoever was asked has replied: by their own word, and one that stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from tests.hub.conftest import WRENNA
from tests.hub.disclosure.conftest import FRONT_DOOR, TOBIN, ask_for, kinds, said


@pytest.fixture
def asked(hub: Hub, police: Any) -> None:
    """The front door is asked something urgent about Wrenna."""
    to = {"service": FRONT_DOOR, "role": "frontDoor"}
    hub.admission.admit([police.seal("exploitation-concern", child=WRENNA, id="asked", **ask_for(to))], police.source)


def reply(hub: Hub, agency: Any, source: str, child: dict[str, Any] = WRENNA, **members: Any) -> None:
    """What says of itself that it is the front door's reply."""
    members |= {"references": [{"source": source, "id": "asked", "as": "follows"}], "said_by": said(FRONT_DOOR)}
    (receipt,) = hub.admission.admit([agency.seal(child=child, **members)], agency.source)
    assert receipt.outcome == "admitted", receipt


def take_back(hub: Hub, council: Any, id: str) -> None:
    meant = [{"source": council.source, "id": id, "as": "retracts"}]
    details = {"reason": "wrong-child"}
    back = council.seal("retraction-made", child=WRENNA, references=meant, details=details, said_by=said(FRONT_DOOR))
    (receipt,) = hub.admission.admit([back], council.source)
    assert receipt.outcome == "admitted", receipt


def test_attack_a_reply_that_was_taken_back_takes_nothing_off_the_list(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str, asked: None
) -> None:
    reply(hub, council, police.source, id="wrong")
    assert listed(front_door) == []
    take_back(hub, council, "wrong")
    assert kinds(listed(front_door)) == ["addressed"]
    reply(hub, council, police.source)
    assert listed(front_door) == [], "another reply stands"


def test_attack_a_reply_that_was_taken_back_before_it_came_takes_nothing_off_the_list(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str, asked: None
) -> None:
    take_back(hub, council, "late")
    reply(hub, council, police.source, id="late")
    assert kinds(listed(front_door)) == ["addressed"]


def test_attack_a_source_that_speaks_in_the_front_doors_name_takes_nothing_off_its_list(
    hub: Hub, police: Any, register: Callable[..., Any], listed: Any, front_door: str, asked: None
) -> None:
    reply(hub, register("anybody"), police.source)
    assert kinds(listed(front_door)) == ["addressed"]


def test_attack_a_reply_about_another_child_takes_nothing_off_the_list(
    hub: Hub, police: Any, council: Any, listed: Any, front_door: str, asked: None, staff: Callable[..., str]
) -> None:
    reply(hub, council, police.source, TOBIN, person="p2", id="about-tobin")
    assert kinds(listed(front_door)) == ["addressed"]
    wrenna, _ = hub.register().children()
    hub.casework.move(
        staff("bram", "steward"), {"source": council.source, "id": "about-tobin"}, wrenna, "she was meant"
    )
    assert listed(front_door) == [], "and it does once it is this child's"
