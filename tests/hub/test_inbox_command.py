"""`hub inbox`: what waits for a person, from the command line over the same door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import RING
from hub.store.keys import KeyAway
from tests.hub.conftest import Said


def test_the_list_is_one_item_a_line_and_an_opening_is_shown(
    say: Callable[..., Said], hub: Hub, police: Any, staff: Callable[..., str]
) -> None:  # fmt: skip
    ottoline = staff("ottoline", "frontDoor")
    assert say("inbox", "--as", ottoline).words == "nothing waits\n"
    hub.admission.admit([police.seal("exploitation-concern")], police.source)
    item = say("inbox", "--as", ottoline).line
    assert (item["kind"], item["urgent"]) == ("urgent", True)
    opened = say("inbox", "--as", ottoline, "--opened", item["id"]).line
    assert say("inbox", "--as", ottoline).line == {**item, "opened": opened["opened"]}
    unknown = say("inbox", "--as", ottoline, "--opened", "0123456789abcdef0123")
    assert (unknown.code, unknown.words) == (1, "hub: no item of this id waits for this person\n")


def test_who_holds_no_role_has_no_list_and_a_fault_is_no_shorter_one(
    say: Callable[..., Said], hub: Hub, police: Any, staff: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    refused = say("inbox", "--as", "nobody")
    assert (refused.code, refused.words) == (1, "hub: this person holds no such role today\n")
    hub.admission.admit([police.seal("exploitation-concern")], police.source)

    def away(*_: Any) -> bytes:
        raise KeyAway("away")

    ottoline = staff("ottoline", "frontDoor")
    monkeypatch.setattr("hub.store.keys.WrappedKeys.derived_key", away)
    broken = say("inbox", "--as", ottoline)
    assert (broken.code, broken.lines, broken.words.endswith(f"{RING}\n")) == (3, [], True)
