"""Every cell of the story's table: who sees what of each entry on D+525."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.show import key_of, withheld
from demo.story import Story, moment


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"story_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TABLE = _load("table")
PHONE_OF = {"health": "01632 96012", "westlorn": "01632 960133", "police": "01632 960112"}
CARDS = {
    "emergency-attendance": "Fenwater NHS Trust, emergency department",
    "immunisation-not-given": "Fenwater NHS Trust, school nursing",
    "was-not-brought": "Fenwater NHS Trust, emergency department",
    "name-changed": "another agency",
    "registration-changed": "another agency",
    "injury-observed": "another agency",
    "arrest-or-custody": "Northmarch Constabulary, public protection",
}
"""Entry → the card that stands for it where only its existence is shown."""


def cells() -> list[Any]:
    found = []
    for row in TABLE.TABLE:
        for reader, wanted in zip(TABLE.READERS, row.cells, strict=True):
            marks = [pytest.mark.xfail(reason=row.later[reader], strict=True)] if reader in row.later else []
            name = f"{row.number}-{row.event}-{reader}-{wanted}"
            found.append(pytest.param(row, reader, wanted, id=name, marks=marks))
    return found


def entries(reading: Mapping[str, Any], event: str, day: int | None) -> list[Mapping[str, Any]]:
    on = None if day is None else f"{moment(day):%Y-%m-%d}"
    return [one for one in reading["entries"] if one["event"] == event and on in (None, key_of(one)[0])]


@pytest.mark.parametrize(("row", "reader", "wanted"), cells())
def test_cell(story: Story, row: Any, reader: str, wanted: str) -> None:
    reading = story.readings[reader]
    assert isinstance(reading, dict)
    found = entries(reading, row.event, row.day)
    letter, small = wanted[0], wanted[1:]
    if letter in "·EB":
        assert found == []
    if letter == "E":
        assert CARDS[row.event] in [card["agency"] for card in reading["held_elsewhere"]]
    if letter == "B":
        assert row.event in [banner["event"] for banner in reading.get("banners", ())]
    if letter in "FM":
        assert [one["shown"] for one in found] == [{"F": "full", "M": "outline"}[letter]]
        assert set(small.replace("+name", "")) <= set(withheld(found[0])) | _kind_only(found[0])
    if letter == "F" and "p" not in small and reader in ("SW", "POL"):
        assert "p" not in withheld(found[0])
    if small == "+name":
        assert "Dorrick Vane" in [person.get("name") for person in found[0]["people"]]


def test_what_was_shared_before_the_flight_and_after_it_ended_shows_where_it_comes_from(story: Story) -> None:
    """The protection takes place and source from what it covers, and from nothing else."""
    for reader in TABLE.READERS:
        reading = story.readings[reader]
        assert isinstance(reading, dict)
        for row in (row for row in TABLE.TABLE if "s" not in "".join(row.cells)):
            for entry in entries(reading, row.event, row.day):
                assert _kind_only(entry) == set(), (reader, row.event)


def _kind_only(entry: Mapping[str, Any]) -> set[str]:
    return set() if "service" in entry["source"] else {"s"}


def test_what_never_left_the_school_is_seen_by_nobody(story: Story) -> None:
    silent = [row for row in story.stage.status("larkbeck")["records"] if row["outcome"] == "no-event"]
    assert [(row["reason"], row["count"]) for row in silent] == [("first-snapshot-nothing-to-report", 2)]
    for reader in TABLE.READERS:
        reading = story.readings[reader]
        assert isinstance(reading, dict)
        assert entries(reading, "joined-roll", None) == []


def test_what_no_rule_lets_go_is_held_back_until_the_schools_lead_chooses_to_send_it(story: Story) -> None:
    assert [one["rule"] for one in story.replayed["held back"]] == ["not-relevant-yet"] * 2
    assert story.stage.status("tarnwhistle")["held_back"]["records"] == []


def test_the_domestic_abuse_notice_reached_school_a_before_its_day_started_and_was_opened(story: Story) -> None:
    notices = [one for one in story.stage.notices("larkbeck") if one["kind"] == "domestic-abuse-notice"]
    assert [(one["by"], one["opened"][:16]) for one in notices] == [("marnie.pell", "2024-10-04T06:52")] * 2
    assert not any(word in str(notices) for word in ("Wrenna", "Tobin", "Quillfeather", "northmarch"))


def test_school_b_is_told_by_its_own_pseudonym_that_a_condition_protects_the_child(story: Story) -> None:
    story.at(525, "11:15")
    told = {one["kind"]: one for one in story.stage.collect("tarnwhistle")}
    assert told["condition-started"]["subject"]
    assert "opened" not in told["condition-started"]


def test_what_school_a_sent_on_d267_it_sent_because_it_was_told_of_the_child(story: Story) -> None:
    assert story.stage.status("larkbeck")["held_back"]["rules"] == []


def test_nobody_is_told_the_referrers_name(story: Story) -> None:
    for word, reading in story.readings.items():
        assert "Perpetua" not in str(reading), word


def test_every_chronology_carries_the_same_notice(story: Story) -> None:
    notices = {reading["notice"] for reading in story.readings.values() if isinstance(reading, dict)}
    assert notices == {"Other information may exist that is not shown here."}


def test_the_current_name_stands_over_all_four_chronologies(story: Story) -> None:
    for reader in TABLE.READERS:
        reading = story.readings[reader]
        assert isinstance(reading, dict)
        assert reading["child"]["name"] == "Wrenna Mosswick", reader


def test_a_wrong_childs_entry_is_gone_for_new_readers(story: Story) -> None:
    for reader in TABLE.READERS:
        reading = story.readings[reader]
        assert isinstance(reading, dict)
        assert entries(reading, "emergency-attendance", 276) == [], reader
        assert "Tobin" not in str([entry.get("summary") for entry in reading["entries"]]), reader
