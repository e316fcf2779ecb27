"""The chronology view over both databases: one follows at a time, a rebuild stops no reader and shows no half."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.projections import chronology
from hub.projections.chronology import Chronology, OtherRebuild
from hub.store.entries import own_note
from hub.store.keys import KeyAway, WrappedKeys
from hub.store.mapper import SALT_BYTES, Recorded
from hub.store.record import Record
from hub.store.streams import ACCESS
from tests.stores import Store

AT = "2025-03-03T12:00:00.000+00:00"
CHILDREN = [uuid4() for _ in range(5)]
ENTRIES = 8


@pytest.fixture
def open_view(store: Store) -> Callable[[], Chronology]:
    """Opens the one view of a test; called again it is another process's."""

    def one() -> Chronology:
        opened = store.open()
        return Chronology(opened.view, Record(opened.record, WrappedKeys(opened.keys, b"r" * 32)))

    return one


@pytest.fixture
def view(open_view: Callable[[], Chronology], monkeypatch: pytest.MonkeyPatch) -> Chronology:
    """A view of five children, not followed yet; its batches are small."""
    monkeypatch.setattr(chronology, "BATCH", 3)
    view = open_view()
    add(view, ENTRIES)
    return view


def add(view: Chronology, count: int) -> None:
    for _ in range(count):
        data = {"child": {}, "narrative": {"text": "words"}}
        view.record.append(
            [own_note(child, view.record.version(child) + 1, "concern-logged/v1", AT, data) for child in CHILDREN]
        )


def read(view: Chronology, child: UUID) -> list[tuple[int, int, str]]:
    return [(row.position, row.fact.seq, view.narrative(row)) for row in view.rows([child])]


def whole(entries: int) -> list[list[int]]:
    return [list(range(1, entries + 1))] * len(CHILDREN)


def sequences(view: Chronology) -> list[list[int]]:
    return [[seq for _, seq, _ in read(view, child)] for child in CHILDREN]


def test_what_one_process_followed_every_process_reads(view: Chronology, open_view: Callable[[], Chronology]) -> None:
    assert view.catch_up() == view.record.position() == len(CHILDREN) * ENTRIES
    other = open_view()
    assert other.position() == view.position()
    assert sequences(other) == sequences(view) == whole(ENTRIES)


def test_two_processes_that_follow_at_once_write_every_entry_once(
    view: Chronology, open_view: Callable[[], Chronology]
) -> None:
    views = [view, open_view(), open_view()]
    threads = [threading.Thread(target=one.catch_up) for one in views]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [sequences(one) for one in views] == [whole(ENTRIES)] * 3
    assert view.database.query("SELECT COUNT(*) FROM entry")[0][0] == len(CHILDREN) * ENTRIES


def test_accesses_pass_by_without_a_row(view: Chronology, open_view: Callable[[], Chronology]) -> None:
    view.catch_up()
    written = view.position()
    view.record.append([own_note(ACCESS, seq, "access-recorded/v1", AT, {}) for seq in range(1, 20)])
    assert view.catch_up() == view.record.position() == written + 19
    assert view.position() == written
    assert open_view().catch_up() == written + 19
    add(view, 1)
    assert view.catch_up() == view.record.position() == view.position()


def test_a_narrative_whose_name_is_spelt_with_escapes_is_cut_out_all_the_same(view: Chronology) -> None:
    data = b'{"event":"concern-logged","child":{},"narr\\u0061tive":{"text":"words"}}'
    child = uuid4()
    view.record.append([Recorded(child, 1, "concern-logged/v1", AT, "", b"s" * SALT_BYTES, data)])
    view.catch_up()
    (row,) = view.rows([child])
    assert row.fact.data == {"event": "concern-logged", "child": {}}
    assert view.narrative(row) == "words"


def test_rows_that_break_off_while_they_are_written_leave_none_behind(view: Chronology) -> None:
    def broken(count: int) -> Iterator[Any]:
        for place in range(count):
            yield place, "00" * 16, AT, 0, b"", None
        raise KeyAway("in the middle")

    for count in (2, 2000):
        with pytest.raises(KeyAway), view.database.transaction() as transaction:
            transaction.insert("entry", broken(count))
        assert view.database.query("SELECT COUNT(*) FROM entry") == [(0,)]


def test_a_key_that_was_away_when_the_view_came_by_is_asked_for_again_by_each_reader(
    view: Chronology, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = uuid4()
    view.record.append([own_note(child, seq, "concern-logged/v1", AT, {"child": {}}) for seq in (1, 2)])
    with monkeypatch.context() as away:
        away.setattr(view.record.keys, "event_keys", lambda wanted, **_: [None] * len(wanted))
        view.rebuild()
        with pytest.raises(KeyAway):
            view.rows([child])
    assert sequences(view) == whole(ENTRIES)
    assert [row.fact.seq for row in view.rows([child])] == [1, 2]


def test_a_reader_beside_a_rebuild_sees_all_of_it_at_any_moment(
    view: Chronology, open_view: Callable[[], Chronology], monkeypatch: pytest.MonkeyPatch
) -> None:
    view.catch_up()
    reader, insert, seen = open_view(), Chronology._insert, []

    def looked_at(self: Chronology, *facts: Any) -> None:
        reader._kept.clear()
        seen.append(sequences(reader) if self is not reader else None)
        insert(self, *facts)

    monkeypatch.setattr(Chronology, "_insert", looked_at)
    assert view.rebuild() == view.record.position()
    assert len(seen) > 10
    assert all(one == whole(ENTRIES) for one in seen)
    reader._kept.clear()
    assert sequences(reader) == whole(ENTRIES)


def test_what_is_recorded_during_a_rebuild_is_read_before_and_after_the_swap(
    view: Chronology, open_view: Callable[[], Chronology], monkeypatch: pytest.MonkeyPatch
) -> None:
    view.catch_up()
    other, stored, came = open_view(), view.record.stored, []

    def between(*asked: Any) -> Any:
        if not came:
            came.append(add(other, 1))
            other.catch_up()
            assert sequences(other) == whole(ENTRIES + 1)
        return stored(*asked)

    monkeypatch.setattr(view.record, "stored", between)
    view.rebuild()
    assert sequences(view) == sequences(other) == whole(ENTRIES + 1)
    assert view.position() == view.record.position()


def test_a_rebuild_leaves_nothing_of_the_build_before_it(view: Chronology) -> None:
    view.catch_up()
    for _ in range(3):
        view.rebuild()
    assert view.database.query("SELECT COUNT(*) FROM entry")[0][0] == len(CHILDREN) * ENTRIES
    assert view.database.query("SELECT state FROM progress") == [("read",)]
    add(view, 1)
    view.catch_up()
    assert sequences(view) == whole(ENTRIES + 1)


def test_a_rebuild_that_died_is_swept_away_by_the_next(view: Chronology, monkeypatch: pytest.MonkeyPatch) -> None:
    view.catch_up()
    insert, left = Chronology._insert, [4]

    def dies(self: Chronology, *facts: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        insert(self, *facts)

    with monkeypatch.context() as broken:
        broken.setattr(Chronology, "_insert", dies)
        with pytest.raises(KeyboardInterrupt):
            view.rebuild()
    assert sequences(view) == whole(ENTRIES)
    view.rebuild()
    assert view.database.query("SELECT COUNT(*) FROM entry")[0][0] == len(CHILDREN) * ENTRIES
    assert sequences(view) == whole(ENTRIES)


def test_of_two_rebuilds_the_later_one_is_read_and_the_earlier_one_says_so(
    view: Chronology, open_view: Callable[[], Chronology], monkeypatch: pytest.MonkeyPatch
) -> None:
    view.catch_up()
    later, stored, begun = open_view(), view.record.stored, []

    def overtaken(*asked: Any) -> Any:
        if not begun:
            begun.append(later.rebuild())
        return stored(*asked)

    monkeypatch.setattr(view.record, "stored", overtaken)
    with pytest.raises(OtherRebuild):
        view.rebuild()
    assert sequences(view) == sequences(later) == whole(ENTRIES)
    assert view.database.query("SELECT COUNT(*) FROM entry")[0][0] == len(CHILDREN) * ENTRIES


def test_a_view_that_lost_its_last_commits_with_the_power_is_followed_again(view: Chronology) -> None:
    view.catch_up()
    with view.database.transaction() as lost:
        lost.execute("DELETE FROM entry WHERE place>?", (20,))
        lost.execute("UPDATE progress SET position=20")
    view._kept.clear()
    assert view.catch_up() == view.record.position()
    assert sequences(view) == whole(ENTRIES)
