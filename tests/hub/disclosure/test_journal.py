"""While the record cannot be written a signed journal takes the accesses; it comes into the record in order, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask, CannotRecord
from hub.store.record import StaleVersion
from hub.store.streams import ACCESS


@pytest.fixture
def reader(staff: Callable[..., str]) -> str:
    return staff("ottoline", "frontDoor")


@pytest.fixture
def read(hub: Hub, police: Any, reader: str) -> Callable[[], bytes]:
    """Reads the one child's chronology as the front door."""
    hub.admission.admit([police.seal()], police.source)
    (child,) = hub.register().children()
    ask = Ask(person=reader, child=child, purpose="triage")
    return lambda: hub.disclosure.chronology(ask).body


@pytest.fixture
def unwritable(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Lets the record take nothing, or everything again."""
    append = hub.record.append

    def fails(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    return lambda away: monkeypatch.setattr(hub.record, "append", fails if away else append)


def accesses(hub: Hub) -> list[Any]:
    (child,) = hub.register().children()
    return list(hub.disclosure.accesses(child))


def lines(hub: Hub) -> int:
    return len(hub.journal.path.read_bytes().splitlines()) if hub.journal.path.exists() else 0


def test_a_child_is_read_while_the_record_takes_nothing_and_an_auditor_sees_that_read(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    before = json.loads(read())
    unwritable(True)
    assert json.loads(read()) == before
    assert lines(hub) == 1
    assert [("journal" in one, one["reader"]) for one in accesses(hub)] == [(False, "ottoline"), (True, "ottoline")]


def test_what_the_journal_holds_comes_into_the_record_before_the_next_access_with_its_own_time(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None], clock: Any
) -> None:
    unwritable(True)
    times = []
    for _ in range(3):
        clock.forward(minutes=1)
        times.append(clock.now.isoformat(timespec="milliseconds"))
        read()
    unwritable(False)
    clock.forward(hours=1)
    read()
    assert [one["at"] for one in accesses(hub)][:3] == times
    assert ["journal" in one for one in accesses(hub)] == [True, True, True, False]
    assert lines(hub) == 0


def test_it_comes_in_by_itself_where_nobody_reads(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    with pytest.raises(CannotRecord):
        hub.disclosure.log.bring_in()
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert (lines(hub), len(accesses(hub))) == (0, 1)


def test_whoever_dies_between_record_and_journal_brings_nothing_in_twice(
    hub: Hub, open_hub: Callable[..., Hub], read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    held = hub.journal.path.read_bytes()
    unwritable(False)
    hub.disclosure.log.bring_in()
    place = hub.record.version(ACCESS)
    hub.journal.path.write_bytes(held)  # as if it had died before it emptied the file
    hub.journal.attempt(place)
    open_hub().disclosure.log.bring_in()
    assert (len(accesses(hub)), lines(hub)) == (1, 0)


def test_a_read_that_was_noted_behind_lines_already_brought_in_is_not_lost(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    held = hub.journal.path.read_bytes()
    unwritable(False)
    hub.disclosure.log.bring_in()
    hub.journal.path.write_bytes(held)  # recorded, and the answer that it was got lost
    hub.journal.attempt(hub.record.version(ACCESS))
    unwritable(True)
    read()
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert (len(accesses(hub)), lines(hub)) == (2, 0)


def test_two_processes_that_fill_the_journal_by_turns_break_no_chain(hub: Hub, open_hub: Callable[..., Hub]) -> None:
    one, other = hub.journal, open_hub().journal
    for journal, what in ((one, "a"), (other, "b"), (one, "c")):
        if what == "b":
            journal.bring_in(lambda lines: None)
        journal.add("2025-03-03T12:00:00.000+00:00", [("access-recorded/v1", {"kind": what})])
    assert [line.data["kind"] for line in one.lines()] == ["b", "c"]


def test_where_another_process_took_the_place_it_comes_in_behind(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None], open_hub: Callable[..., Hub]
) -> None:
    unwritable(True)
    read()
    hub.journal.attempt(hub.record.version(ACCESS) + 1)
    open_hub().disclosure.log.alarm("searches-without-result")
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert ([one["reader"] for one in accesses(hub)], lines(hub)) == (["ottoline"], 0)


def test_a_line_that_was_not_written_to_its_end_was_nobodys_answer_and_is_taken_off(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    with hub.journal.path.open("ab") as file:
        file.write(b"eyJhbGciOi")
    read()
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert len(accesses(hub)) == 2


def test_attack_a_line_that_was_altered_or_removed_is_noticed_and_the_file_laid_aside(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    for _ in range(3):
        read()
    first, _, third = hub.journal.path.read_bytes().splitlines(keepends=True)
    hub.journal.path.write_bytes(first + third)
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert len(accesses(hub)) == 1
    alarms = [fact.data for fact in hub.record.facts(ACCESS) if fact.name == "alarm-raised"]
    assert alarms == [{"kind": "journal-damaged", "line": 2}]
    assert len(list(hub.settings.home.glob("access.journal.damaged-*"))) == 1


def alarms(hub: Hub) -> list[Any]:
    return [fact.data for fact in hub.record.facts(ACCESS) if fact.name == "alarm-raised"]


@pytest.mark.parametrize("left", [0, 1, 2])
def test_attack_lines_cut_off_the_end_of_the_journal_are_missed_by_the_process_that_wrote_them(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None], left: int
) -> None:
    unwritable(True)
    for _ in range(3):
        read()
    hub.journal.path.write_bytes(b"".join(hub.journal.path.read_bytes().splitlines(keepends=True)[:left]))
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert (len(accesses(hub)), alarms(hub)) == (left, [{"kind": "journal-cut", "lines": 3 - left}])
    hub.disclosure.log.bring_in()
    assert len(alarms(hub)) == 1


def test_attack_a_journal_that_was_deleted_and_filled_again_is_missed_once_the_record_can_be_written(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    hub.journal.path.unlink()
    read()
    assert alarms(hub) == []
    unwritable(False)
    read()
    assert (len(accesses(hub)), alarms(hub)) == (2, [{"kind": "journal-cut", "lines": 1}])


def test_what_another_process_brought_in_is_missed_by_nobody(
    hub: Hub, open_hub: Callable[..., Hub], read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    open_hub().disclosure.log.bring_in()
    read()
    unwritable(False)
    hub.disclosure.log.bring_in()
    assert (len(accesses(hub)), alarms(hub), lines(hub)) == (2, [], 0)


def test_officers_are_told_that_the_journal_was_cut(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    hub.journal.path.unlink()
    unwritable(False)
    hub.disclosure.log.bring_in()
    (item,) = json.loads(hub.items.list("ada"))["items"]
    assert (item["kind"], "missing" in item["says"]) == ("journal-cut", True)


def test_nothing_of_a_reader_or_a_child_stands_readable_in_the_journal(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None]
) -> None:
    unwritable(True)
    read()
    written = hub.journal.path.read_text().split(".")[1]
    (child,) = hub.register().children()
    from schemas.strict import b64url_decode

    said = b64url_decode(written.encode()).decode()
    assert "ottoline" not in said
    assert str(child) not in said
    assert hub.journal.path.stat().st_mode & 0o077 == 0


def test_where_the_journal_fails_too_there_is_no_answer(
    hub: Hub, read: Callable[[], bytes], unwritable: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError("no space left")

    unwritable(True)
    monkeypatch.setattr("hub.disclosure.journal.os.pwrite", full)
    with pytest.raises(CannotRecord):
        read()
    assert lines(hub) == 0


def test_a_record_whose_other_writers_are_always_faster_keeps_nobody_from_an_answer(
    hub: Hub, read: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(*_: Any, **__: Any) -> None:
        raise StaleVersion

    monkeypatch.setattr(hub.record, "append", stale)
    assert json.loads(read())["entries"]
    assert lines(hub) == 1
