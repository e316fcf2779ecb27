"""Several processes write one record: places have no gap, the slower one is told, nothing is there twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from hub.ingest.quarantine import Quarantine
from hub.store.entries import own_note
from hub.store.keys import WrappedKeys
from hub.store.record import Record, StaleVersion
from hub.store.tables import InboxRow, Offset, QuarantineRow, ReceiptRow, Writes
from tests.stores import Store

AT = "2025-03-03T12:00:00.000+00:00"
TOPIC = "sg.events.police.northmarch"
BATCHES, FACTS = 12, 7


@pytest.fixture
def open_record(store: Store) -> Callable[[], Record]:
    """Opens the one record of a test; called again it is another process's."""

    def one() -> Record:
        opened = store.open()
        return Record(opened.record, WrappedKeys(opened.keys, b"r" * 32))

    return one


def notes(stream: UUID, first: int = 1, count: int = 1) -> list[Any]:
    return [own_note(stream, seq, "child-seen/v1", AT, {"seq": seq}) for seq in range(first, first + count)]


def together(*work: Callable[[], None]) -> None:
    """Run all at once, and let no fault pass."""
    faults: list[BaseException] = []
    ready = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        ready.wait()
        try:
            one()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_two_writers_leave_no_gap_in_places_and_cursors(open_record: Callable[[], Record]) -> None:
    def writer(caller: str) -> Callable[[], None]:
        record = open_record()

        def write() -> None:
            for number in range(BATCHES):
                receipts = [ReceiptRow(caller, f"{caller}-{number}-{fact}", {}, fact) for fact in range(FACTS)]
                record.append(notes(uuid4(), count=FACTS), Writes(receipts=receipts))
                record.append([], Writes(receipts=[ReceiptRow(caller, f"{caller}-{number}", {})]))

        return write

    together(writer("one"), writer("two"))
    record = open_record()
    assert [row[0] for row in record.query("SELECT position FROM log ORDER BY position")] == list(
        range(1, 2 * BATCHES * FACTS + 1)
    )
    rows = record.query('SELECT cursor, "row" FROM receipt ORDER BY cursor')
    assert [row[0] for row in rows] == list(range(1, 2 * BATCHES * (FACTS + 1) + 1))
    placed = [orjson.loads(row[1])["position"] for row in rows if b"position" in row[1]]
    assert sorted(placed) == list(range(1, 2 * BATCHES * FACTS + 1))
    assert placed == sorted(placed), "cursors and places follow the same order of commits"


def test_whoever_tails_receipts_or_the_log_while_others_write_misses_none(open_record: Callable[[], Record]) -> None:
    wanted, seen, cursors = 2 * BATCHES * FACTS, [0], [0]

    def writer() -> Callable[[], None]:
        record = open_record()

        def write() -> None:
            for number in range(BATCHES):
                name = uuid4().hex
                receipts = [ReceiptRow("s", f"{name}-{number}-{fact}", {}, fact) for fact in range(FACTS)]
                record.append(notes(uuid4(), count=FACTS), Writes(receipts=receipts))

        return write

    reader = open_record()

    def tail() -> None:
        while len(seen) <= wanted or len(cursors) <= wanted:
            seen.extend(fact.position for fact in reader.since(seen[-1]))
            rows = reader.query("SELECT cursor FROM receipt WHERE cursor>? ORDER BY cursor", (cursors[-1],))
            cursors.extend(row[0] for row in rows)

    together(writer(), writer(), tail)
    assert seen == cursors == list(range(wanted + 1))


def test_two_hubs_that_race_on_one_child_both_get_through_by_deciding_again(open_record: Callable[[], Record]) -> None:
    child = uuid4()

    def racer() -> Callable[[], None]:
        record = open_record()

        def race() -> None:
            done = 0
            while done < BATCHES:
                try:
                    record.append(notes(child, record.version(child) + 1))
                except StaleVersion:
                    continue
                done += 1

        return race

    together(racer(), racer())
    record = open_record()
    assert [fact.seq for fact in record.facts(child)] == list(range(1, 2 * BATCHES + 1))
    assert record.position() == 2 * BATCHES


def test_an_entry_without_the_one_before_it_is_refused(open_record: Callable[[], Record]) -> None:
    record = open_record()
    with pytest.raises(StaleVersion):
        record.append(notes(uuid4(), first=2))
    assert record.position() == 0


def test_whoever_is_too_late_with_an_inbox_row_an_entry_or_an_offset_writes_nothing_of_it(
    open_record: Callable[[], Record],
) -> None:
    first, second, child = open_record(), open_record(), uuid4()
    row = InboxRow("s", "e1", "digest", "subject", "00", 0)
    first.append(notes(child), Writes(inbox=[row], offsets=[Offset(TOPIC, "a", 10)]))
    late = [
        (notes(uuid4()), Writes(inbox=[row])),
        (notes(child), Writes()),
        (notes(uuid4()), Writes(offsets=[Offset(TOPIC, "a", 10)])),
    ]
    for facts, writes in late:
        writes.receipts.append(ReceiptRow("s", "r", {}))
        with pytest.raises(StaleVersion):
            second.append(facts, writes)
    assert second.position() == 1
    assert second.query("SELECT COUNT(*) FROM receipt")[0][0] == 0
    assert second.offset(TOPIC) == Offset(TOPIC, "a", 10)


def test_what_two_people_settle_at_the_same_moment_has_one_end(open_record: Callable[[], Record]) -> None:
    first, second = open_record(), open_record()
    row = QuarantineRow("0" * 16, "s", "s", "e", "d", "", "", "schema", "", "r", AT, "open", "", b"")
    first.append([], Writes(quarantine=[row]))
    first.append([], Writes(settled=[(row.id, "refused")]))
    with pytest.raises(StaleVersion):
        second.append(notes(uuid4()), Writes(settled=[(row.id, "admitted")]))
    assert second.position() == 0
    assert [one.id for one in Quarantine(second, quota=9).list("refused")] == [row.id]


def test_what_waits_is_listed_in_the_order_in_which_it_came(open_record: Callable[[], Record]) -> None:
    record = open_record()
    ids = [uuid4().hex[:16] for _ in range(20)]
    for part in (ids[:12], ids[12:]):
        rows = [QuarantineRow(id, "s", "s", "e", "d", "", "", "schema", "", "r", AT, "open", "", b"") for id in part]
        record.append([], Writes(quarantine=rows))
    record.append([], Writes(settled=[(ids[3], "refused")]))
    quarantine = Quarantine(record, quota=100)
    assert [row.id for row in quarantine.list()] == ids[:3] + ids[4:]
    assert [row.id for row in quarantine.list("refused")] == [ids[3]]


def test_a_batch_of_several_megabytes_is_one_transaction(open_record: Callable[[], Record]) -> None:
    record, words = open_record(), "x" * 8_000
    facts = [own_note(uuid4(), 1, "child-seen/v1", AT, {"words": words, "seq": seq}) for seq in range(2_000)]
    record.append(facts)
    assert record.position() == 2_000
    assert [fact.data["seq"] for fact in record.since(0, limit=2_000)] == list(range(2_000))


def test_the_library_itself_reads_what_was_recorded(open_record: Callable[[], Record]) -> None:
    record, child = open_record(), uuid4()
    record.append(notes(child, count=5))
    some = record.recorder.select_events(child, gt=1, lte=4, desc=True, limit=2)
    assert [(one.originator_id, one.originator_version, one.topic) for one in some] == [
        (child, 4, "child-seen/v1"), (child, 3, "child-seen/v1"),
    ]  # fmt: skip
    assert [one.originator_version for one in record.recorder.select_notifications(1, 10)] == [1, 2, 3, 4, 5]
    assert record.recorder.max_notification_id() == 5
