"""What was opened is kept for a minute, for whoever has the key, within bounds; and nobody is shown less by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.bootstrap import Hub
from hub.projections import kept
from hub.projections.chronology import Chronology
from hub.projections.kept import Kept
from hub.store.keys import KeyAway

KEY, OTHER = b"k" * 32, b"o" * 32
LATER = "9999"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def some(seconds: Seconds) -> Kept[int]:
    return Kept(seconds)


def test_rows_are_found_again_with_the_key_that_opened_them_and_no_other(some: Kept[int]) -> None:
    home = uuid4()
    some.keep(home, KEY, [1, 2])
    assert (some.find(home, KEY), some.find(home, OTHER), some.find(uuid4(), KEY)) == ([1, 2], [], [])


def test_rows_are_gone_after_a_minute_however_often_they_are_read_or_added_to(
    some: Kept[int], seconds: Seconds
) -> None:
    home = uuid4()
    some.keep(home, KEY, [1])
    seconds.now += kept.LONGEST_S - 1
    some.keep(home, KEY, [1, 2])
    assert some.find(home, KEY) == [1, 2]
    seconds.now += 2
    assert some.find(home, KEY) == []


def test_no_more_rows_are_kept_than_the_bound_and_the_first_opened_go_first(some: Kept[int]) -> None:
    homes = [uuid4() for _ in range(5)]
    for home in homes:
        some.keep(home, KEY, [0] * (kept.MOST_ROWS // 2))
    assert [len(some.find(home, KEY)) > 0 for home in homes] == [False, False, False, True, True]
    some.keep(homes[4], KEY, [0] * (kept.MOST_ROWS + 1))
    assert [len(some.find(home, KEY)) > 0 for home in homes] == [False, False, False, True, False]


# --- in the view ------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(hub: Hub, police: Any) -> Callable[[int], UUID]:
    def tell(count: int) -> UUID:
        hub.admission.admit([police.seal(narrative={"text": "Words."}) for _ in range(count)], police.source)
        hub.view.catch_up()
        (child,) = hub.register().children()
        return child

    return tell


def test_what_comes_while_rows_are_kept_is_read_with_them(hub: Hub, told: Callable[[int], UUID]) -> None:
    first = hub.view.rows([told(2)])
    again = hub.view.rows([told(1)])
    assert (len(first), len(again)) == (2, 3)
    assert [one is other for one, other in zip(first, again, strict=False)] == [True, True]
    fresh = Chronology(hub.view.database, hub.record)
    assert fresh.rows([again[0].home]) == again
    fresh.close()


def test_a_view_as_of_an_earlier_moment_neither_shows_nor_keeps_less(
    hub: Hub, told: Callable[[int], UUID], clock: Any
) -> None:
    child = told(2)
    then = clock.now.isoformat(timespec="milliseconds")
    clock.forward(days=1)
    told(2)
    assert [len(hub.view.rows([child], until=until)) for until in (then, LATER, then, LATER)] == [2, 4, 2, 4]


def test_rows_of_a_child_whose_key_is_away_are_not_shown_though_they_were_opened(
    hub: Hub, told: Callable[[int], UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = told(1)
    hub.view.rows([child])

    def away(*_: Any) -> bytes:
        raise KeyAway("key store away")

    monkeypatch.setattr(hub.record.keys, "derived_key", away)
    with pytest.raises(KeyAway):
        hub.view.rows([child])


def test_a_rebuilt_view_keeps_nothing_of_the_old_one(hub: Hub, told: Callable[[int], UUID]) -> None:
    child = told(1)
    (old,) = hub.view.rows([child])
    hub.view.rebuild()
    (new,) = hub.view.rows([child])
    assert new is not old
    assert new.fact == old.fact
