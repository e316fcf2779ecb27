"""The chronology view can be thrown away and rebuilt, and an outline never opens the narrative."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import bootstrap
from hub.bootstrap import Hub
from hub.projections import chronology
from hub.projections.chronology import Chronology, Row
from hub.settings import Settings
from hub.store.keys import KeyAway
from hub.store.sealing import open_bytes
from hub.store.sqlite import SqliteFile
from hub.store.tables import VIEW_SCHEMA

NHS = "https://fhir.nhs.uk/Id/nhs-number"
WORDS = "He shouted on the stairs."


def wrenna(**more: Any) -> dict[str, Any]:
    return {"names": [{"family": "Quillfeather", "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"}, **more}


def everything(hub: Hub, view: Chronology) -> list[tuple[Row, str]]:
    """Every child's rows with their words, sealed bytes left out: those differ each time they are sealed."""
    homes = [member for child in hub.register().children() for member in hub.register().members(child)]
    rows = view.rows(homes)
    return [(Row(row.position, row.home, row.fact, None), view.narrative(row)) for row in rows]


@pytest.fixture
def told(hub: Hub, register: Callable[..., Any], staff: Callable[..., str]) -> Hub:
    """A hub in which two agencies told of one child under two ids, which a steward joined."""
    police, school = register("northmarch"), register("larkbeck")
    hub.admission.admit(
        [police.seal(child=wrenna(), narrative={"text": WORDS}), police.seal(child=wrenna())], police.source
    )
    hub.admission.admit([school.seal("concern-logged", child=wrenna())], school.source)
    hub.view.catch_up()
    older, younger = hub.register().children()
    hub.casework.settle(staff("bram", "steward"), "identity-same", older, younger, "confirmed")
    hub.admission.admit([school.seal("concern-logged", child=wrenna())], school.source)
    hub.view.catch_up()
    return hub


def test_the_view_rebuilt_is_the_view_that_followed(told: Hub) -> None:
    live = everything(told, told.view)
    assert len(live) == 4
    assert told.view.rebuild() == told.record.position() == told.view.position()
    assert everything(told, told.view) == live


def test_the_view_is_disposable(told: Hub, open_hub: Callable[..., Hub]) -> None:
    live = everything(told, told.view)
    with told.view.database.transaction() as view:
        for table in ("entry", "progress"):
            view.execute(f"DELETE FROM {table}")  # noqa: S608
    told.close()
    again = open_hub()
    again.view.catch_up()
    assert everything(again, again.view) == live


def test_a_join_or_its_undoing_rewrites_no_row(told: Hub, staff: Callable[..., str]) -> None:
    (child,) = told.register().children()
    members = told.register().members(child)
    assert [row.home for row in told.view.rows(members)] == [members[0]] * 2 + [members[1]] * 2
    told.casework.settle("bram", "identity-not-same", *members, "they are cousins")
    assert told.register().children() == members
    assert {row.home for row in told.view.rows(told.register().members(members[1]))} == {members[1]}


def test_rows_come_in_the_order_of_the_log_and_no_later_than_asked(told: Hub, clock: Any) -> None:
    (child,) = told.register().children()
    rows = told.view.rows(told.register().members(child))
    assert [row.position for row in rows] == sorted(row.position for row in rows)
    until = rows[0].fact.admitted
    assert told.view.rows(told.register().members(child), until=until) == rows
    assert told.view.rows(told.register().members(child), until="2025-03-03T11") == []


def test_only_what_changes_decisions_is_read_for_decisions(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal(), police.seal("involvement-started"), police.seal()], police.source)
    hub.view.catch_up()
    assert [row.fact.name for row in hub.view.rows(hub.register().children(), standing=True)] == ["involvement-started"]


def test_the_narrative_is_sealed_under_another_key_than_the_outline(told: Hub) -> None:
    (child,) = told.register().children()
    row = next(row for row in told.view.rows([child]) if row.sealed_narrative)
    assert "narrative" not in row.fact.data
    assert told.view.narrative(row) == WORDS
    place = str(row.position).encode()
    outline_key = told.record.keys.derived_key(child, "view")
    with pytest.raises(KeyAway):
        open_bytes(outline_key, row.sealed_narrative or b"", place)


def test_reading_outlines_never_asks_for_the_narratives_key(told: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    derive = told.record.keys.derived_key

    def noted(stream: Any, use: str) -> bytes:
        asked.append(use)
        return derive(stream, use)

    monkeypatch.setattr(told.record.keys, "derived_key", noted)
    told.view.rows(told.register().children())
    assert set(asked) == {"view"}


def test_a_row_moved_to_another_place_does_not_open(told: Hub) -> None:
    with told.view.database.transaction() as view:
        view.execute("UPDATE entry SET place=place+1000 WHERE place=(SELECT MAX(place) FROM entry)")
    with pytest.raises(KeyAway):
        everything(told, told.view)


def test_a_view_of_another_version_is_built_anew(
    told: Hub, open_hub: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = everything(told, told.view)
    monkeypatch.setattr(chronology, "VERSION", chronology.VERSION + 1)
    upgraded = open_hub()
    assert upgraded.view.position() == 0
    upgraded.view.catch_up()
    assert everything(upgraded, upgraded.view) == live


def test_a_file_with_tables_of_another_form_begins_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "views.db") as older:
        older.execute("CREATE TABLE progress (view TEXT PRIMARY KEY, version INTEGER, position INTEGER)")
        older.execute("INSERT INTO progress VALUES ('chronology', 1, 7)")
    older.close()
    for _ in range(2):
        view = SqliteFile(tmp_path / "views.db", VIEW_SCHEMA, disposable=True)
        held = view.query("SELECT base, position FROM progress")
        with view.transaction() as kept:
            kept.insert("progress", [(len(held), 1, 7, "read")])
        view.close()
    assert held == [(0, 7)]


def test_a_reader_beside_a_rebuild_never_sees_half_of_it(
    told: Hub, open_hub: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = open_hub()
    before = everything(beside, beside.view)
    insert, seen = Chronology._insert, []

    def looked_at(self: Chronology, *facts: Any) -> None:
        seen.append(everything(beside, beside.view))
        insert(self, *facts)

    monkeypatch.setattr(chronology, "BATCH", 2)
    monkeypatch.setattr(Chronology, "_insert", looked_at)
    told.view.rebuild()
    assert len(seen) > 2
    assert all(one == before for one in seen)


def test_a_batch_that_fails_leaves_position_and_rows_together(told: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    live, position = everything(told, told.view), told.view.position()

    def away(*_: Any) -> bytes:
        raise OSError("disk away")

    with monkeypatch.context() as broken:
        broken.setattr(told.record, "stored", away)
        with pytest.raises(OSError, match="disk away"):
            told.view.rebuild()
    assert told.view.position() == position
    assert everything(told, told.view) == live


def test_following_in_small_steps_reaches_the_same_rows(told: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    live = everything(told, told.view)
    monkeypatch.setattr(chronology, "BATCH", 1)
    with told.view.database.transaction() as view:
        view.execute("UPDATE progress SET state='ended'")
    assert told.view.catch_up(limit=3) == 3
    told.view.catch_up()
    assert everything(told, told.view) == live


# --- the same records in other batches --------------------------------------------------------------------------------


def wholly(hub: Hub, source: str) -> list[list[Any]]:
    """What an auditor reads of one source's events, child by child."""
    hub.view.catch_up()
    register = hub.register()
    read = [
        [
            (row.fact.id, row.fact.datadigest, row.fact.remarks, row.fact.data)
            for row in hub.view.rows(register.members(child)) if row.fact.source == source
        ]
        for child in register.children()
    ]  # fmt: skip
    return [rows for rows in read if rows]


NUMBER = itertools.count(1)
KINDS = st.sampled_from(
    ["domestic-abuse-incident", "concern-logged", "agreement-given", "agreement-withdrawn", "retraction-made"]
)
CHILDREN = st.sampled_from(["by name", "by name and number", "by number", "twin"])
STORY = st.lists(st.tuples(KINDS, CHILDREN, st.booleans()), min_size=2, max_size=8)


def told_of(who: str, number: int) -> dict[str, Any]:
    """One family an example, so that examples do not meet."""
    family, address = f"Quillfeather {number}", [{"postcode": "ZZ1 4QF"}]
    child: dict[str, Any] = {"names": [{"family": family, "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"}}
    identifier = {"identifiers": [{"system": "urn:local:fenwater:patient", "value": str(number)}]}
    return {
        "by name": {**child, "address": address},
        "by name and number": {**child, "address": address, **identifier},
        "by number": {**child, "names": [{"family": "Mosswick", "given": ["Wrenna"]}], **identifier},
        "twin": {**child, "names": [{"family": family, "given": ["Tobin"]}], "address": address},
    }[who]


def sealed_story(agency: Any, story: list[tuple[str, str, bool]], number: int) -> list[bytes]:
    details = {"agreement-withdrawn": {"by": "mother"}, "retraction-made": {"reason": "wrong-child"}}
    records = []
    for place, (kind, who, gap) in enumerate(story):
        more: dict[str, Any] = {"details": details[kind]} if kind in details else {}
        if kind == "retraction-made":
            more["references"] = [{"source": agency.source, "id": f"e{number}-{place - 1}", "as": "retracts"}]
        child = told_of(who, number)
        records.append(agency.seal(kind, child=child, person=who, id=f"e{number}-{place}", skip=int(gap), **more))
    return records


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORY, cuts=st.sets(st.integers(1, 7), max_size=4))
def test_the_chronology_is_the_same_for_any_split_of_the_records_into_batches(
    three_hubs: list[Hub], register: Callable[..., Any], story: list[Any], cuts: set[int]
) -> None:
    number = next(NUMBER)
    agency = register(f"agency-{number}")
    for hub in three_hubs[1:]:
        hub.registration.add(agency.request(hub.charter.hub), {"ada": hub.officer_key("ada")})
    records = sealed_story(agency, story, number)
    places = sorted({0, *(cut for cut in cuts if cut < len(records)), len(records)})
    split = [records[begin:end] for begin, end in itertools.pairwise(places)]
    for hub, batches in zip(three_hubs, ([records], split, [[one] for one in records]), strict=True):
        for batch in batches:
            hub.admission.admit(batch, agency.source)
    at_once, in_parts, singly = (wholly(hub, agency.source) for hub in three_hubs)
    assert at_once == in_parts == singly


@pytest.fixture
def three_hubs(hub: Hub, tmp_path: Any) -> Any:
    """Three hubs of one name, each with its own record."""
    hubs = [hub]
    for name in ("second", "third"):
        made = Settings(home=tmp_path / name, demo=True)
        bootstrap.init(made, partnership=hub.charter.partnership, area="E99000001", officers=["ada"])
        hubs.append(bootstrap.open_hub(made))
        hubs[-1].clock = hub.clock
    yield hubs
    for one in hubs[1:]:
        one.close()
