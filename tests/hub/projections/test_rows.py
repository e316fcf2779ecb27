"""A row of the chronology points to the record; only what has a narrative is kept again, parted under two keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bootstrap import Hub
from hub.projections.rows import AS_RECORDED, without_narrative
from hub.store.keys import KeyAway
from hub.store.mapper import key_id_of

WORDS = "He shouted on the stairs."


@pytest.fixture
def told(hub: Hub, register: Callable[..., Any]) -> Hub:
    """Two entries of one child, the second with a narrative."""
    police = register("northmarch")
    hub.admission.admit([police.seal(), police.seal(narrative={"text": WORDS})], police.source)
    hub.view.catch_up()
    return hub


def contents(hub: Hub) -> list[Any]:
    return hub.view.database.query("SELECT content, narrative FROM entry ORDER BY place")


def destroy_event_key(hub: Hub, seq: int) -> None:
    (child,) = hub.register().children()
    stored = hub.record.recorder.select_events(child, gt=seq - 1, limit=1)[0]
    keys: Any = hub.record.keys
    with keys._db.transaction() as store:
        store.execute("DELETE FROM event_key WHERE id=?", (key_id_of(stored.state),))
    hub.view._kept.clear()


def test_only_what_has_a_narrative_is_kept_a_second_time(told: Hub) -> None:
    plain, cut = contents(told)
    assert plain == (AS_RECORDED, None)
    assert len(cut[0]) > len(AS_RECORDED)
    assert cut[1]


def test_a_view_that_was_rebuilt_points_to_the_record_where_the_one_that_followed_does(told: Hub) -> None:
    live = [content == AS_RECORDED for content, _ in contents(told)]
    told.view.rebuild()
    assert [content == AS_RECORDED for content, _ in contents(told)] == live == [True, False]


def test_an_outline_opens_no_body_in_which_there_is_a_narrative(told: Hub) -> None:
    destroy_event_key(told, 2)
    rows = told.view.rows(told.register().children())
    assert ["narrative" in row.fact.data for row in rows] == [False, False]
    assert [told.view.narrative(row) for row in rows] == ["", WORDS]


def test_an_entry_whose_key_is_destroyed_is_readable_in_no_view_that_points_to_it(told: Hub) -> None:
    destroy_event_key(told, 1)
    with pytest.raises(KeyAway):
        told.view.rows(told.register().children())


def test_a_row_that_the_record_has_not_is_said_so_and_not_left_out(told: Hub) -> None:
    (child,) = told.register().children()
    (row,) = [row.position for row in told.view.rows([child]) if row.sealed_narrative is None]
    assert list(told.record.facts_at(child, [row])) == [row]
    with pytest.raises(KeyAway):
        told.record.facts_at(child, [row, row + 100])


TEXT = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(['"', "\\", ',"narrative":', "{}", "}"])
VALUE = st.recursive(
    TEXT | st.integers(0, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT | st.just("narrative"), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(TEXT, VALUE, max_size=4), TEXT, st.integers(0, 4), st.sampled_from(["", " ", "\n"]))
def test_wherever_a_narrative_stands_it_is_cut_out_and_nothing_else(
    data: dict[str, Any], words: str, place: int, end: str
) -> None:
    members = [one for one in data.items() if one[0] != "narrative"]
    members.insert(place, ("narrative", {"text": words}))
    rest, found = without_narrative(orjson.dumps(dict(members)) + end.encode())
    assert (orjson.loads(rest), found) == ({k: v for k, v in members if k != "narrative"}, words.encode())


@given(st.dictionaries(TEXT.filter(lambda name: name != "narrative"), VALUE, max_size=4))
def test_what_is_called_narrative_deeper_inside_is_not_the_narrative(data: dict[str, Any]) -> None:
    rest, found = without_narrative(orjson.dumps(data))
    assert (orjson.loads(rest), found) == (data, None)
