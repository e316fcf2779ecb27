"""The rows of what waits for people, over both databases: followed once by whoever follows, and never half read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.projections import items
from hub.projections.items import ADDRESSED, URGENT, Behind, Items, person_id
from hub.store.entries import own_note
from hub.store.keys import WrappedKeys
from hub.store.record import Record
from hub.store.streams import ACCESS
from tests.stores import Store

AT = "2025-03-03T12:00:00.000+00:00"
CHILDREN = [uuid4() for _ in range(5)]
SCHOOL = "urn:safeguarding:service:tarnwhistle-academy"
ENTRIES = 8


@pytest.fixture
def open_rows(store: Store) -> Callable[[], Items]:
    """Opens the rows of a test; called again they are another process's."""

    def one() -> Items:
        opened = store.open()
        record = Record(opened.record, WrappedKeys(opened.keys, b"r" * 32))
        return Items(opened.view, record, is_urgent=lambda data: bool(data.get("urgent")))

    return one


@pytest.fixture
def rows(open_rows: Callable[[], Items], monkeypatch: pytest.MonkeyPatch) -> Items:
    """Rows about five children, not followed yet; batches are small."""
    monkeypatch.setattr(items, "BATCH", 3)
    rows = open_rows()
    add(rows, ENTRIES, urgent=True, addressed_to=[{"service": SCHOOL, "role": "schoolLead"}])
    return rows


def add(rows: Items, count: int, **data: Any) -> None:
    for _ in range(count):
        rows.record.append(
            [own_note(child, rows.record.version(child) + 1, "concern-logged/v1", AT, data) for child in CHILDREN]
        )


def note(rows: Items, at: str = AT, **data: Any) -> None:
    rows.record.append([own_note(ACCESS, rows.record.version(ACCESS) + 1, "access-recorded/v1", at, data)])


def test_processes_that_follow_at_once_write_every_row_once(rows: Items, open_rows: Callable[[], Items]) -> None:
    several = [rows, open_rows(), open_rows()]
    threads = [threading.Thread(target=one.catch_up) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in several:
        assert one.progress()[1] == one.record.position()
        assert len(one.of_kinds(URGENT)) == len(one.of_kinds(ADDRESSED)) == ENTRIES * len(CHILDREN)


def test_rows_are_found_by_addressee_and_by_child(rows: Items) -> None:
    rows.catch_up()
    me = person_id("juno.farrow")
    assert len(rows.addressed(SCHOOL, "schoolLead", me)) == ENTRIES * len(CHILDREN)
    assert rows.addressed(SCHOOL, "schoolNurse", me) == rows.addressed("urn:other", "schoolLead", me) == []
    assert rows.addressees() == [(SCHOOL, "schoolLead", "")]
    assert {UUID(row.home) for row in rows.of_homes(CHILDREN[:2], URGENT)} == set(CHILDREN[:2])
    assert [row.position for row in rows.of_kinds(URGENT)] == sorted(row.position for row in rows.of_kinds(URGENT))


def test_the_first_opening_counts(rows: Items) -> None:
    for at in (AT, "2025-03-04T12:00:00.000+00:00"):
        note(rows, at, kind="item-opened", item="urgent/1")
    rows.catch_up()
    assert rows.opened(["urgent/1", "urgent/2"]) == {"urgent/1": AT}


def test_rows_built_again_are_the_same_and_a_reader_between_is_told(
    rows: Items, open_rows: Callable[[], Items]
) -> None:
    place = rows.catch_up()
    live = rows.of_kinds(URGENT, ADDRESSED)
    rows.check_whole(*place)
    assert open_rows().rebuild() == place[1]
    assert rows.of_kinds(URGENT, ADDRESSED) == live
    with pytest.raises(Behind):
        rows.check_whole(*place)


def test_a_version_of_another_form_begins_anew(rows: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.catch_up()
    live = rows.of_kinds(URGENT)
    monkeypatch.setattr(items, "VERSION", items.VERSION + 1)
    assert rows.progress() == (0, 0)
    rows.catch_up()
    assert rows.of_kinds(URGENT) == live


def test_nothing_in_a_row_is_a_persons_name_or_a_childs(rows: Items) -> None:
    for child in CHILDREN[:1]:
        version = rows.record.version(child) + 1
        data = {
            "child": {"names": [{"family": "Quillfeather"}]}, "urgent": True, "asked": "Ring her mother",
            "addressed_to": [{"service": SCHOOL, "person": "juno.farrow"}],
        }  # fmt: skip
        rows.record.append([own_note(child, version, "concern-logged/v1", AT, data)])
    reading = {"classes": [{"shown": "full", "entries": [1, 2]}], "child": str(CHILDREN[0]), "reader": "juno.farrow"}
    note(rows, kind="read", outcome="answered", **reading)
    rows.catch_up()
    assert len(rows.addressed("", "", person_id("juno.farrow"))) == 1
    written = str([rows.database.query(f"SELECT * FROM {table}") for table in ("item", "item_read")])  # noqa: S608
    for word in ("juno", "farrow", "Quillfeather", "mother"):
        assert word not in written
    assert rows.database.query("SELECT COUNT(*) FROM item_read") == [(2,)]
