"""Backups and copies: an adapter that knows less than the hub stops, and goes on only when told to."""

import shutil

import pytest
from kit_toy import NOON

from adapters.kit.delivery import Delivery, HubHead
from adapters.kit.outbox import Head, make_row, open_outbox
from adapters.kit.rejoining import Behind, compare_heads, rejoin
from adapters.kit.sealing import Sealer
from schemas.envelope import Receipt

at_a_door = pytest.mark.parametrize("carrier", ["over-http", "direct"], indirect=True)
"""For what only a hub that is asked can do."""


def toy(n, **more):
    return {"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury", **more}


@pytest.fixture
def at_work(home, make_line, carrier, folder):
    """Reads the folder with the outbox as it lies in the home folder."""

    def work():
        with open_outbox(home.outbox_path, home.source) as outbox:
            line = make_line(outbox, carrier)
            assert line.once(folder, 0)
            return line

    return work


@pytest.fixture
def sealer(home):
    return Sealer(home.source, home.event_key)


def test_an_outbox_behind_the_hub_stops_before_it_reads(home, make_line, carrier, put, folder, at_work):
    put("a.toy", toy(1))
    at_work()
    shutil.copy(home.outbox_path, home.path / "backup.db")
    put("b.toy", toy(2))
    at_work()
    shutil.copy(home.path / "backup.db", home.outbox_path)
    with open_outbox(home.outbox_path, home.source) as outbox:
        with pytest.raises(Behind, match="number 2"):
            make_line(outbox, carrier).once(folder, 0)
        assert outbox.get_head().sequence == 1


def test_rejoining_goes_on_from_the_hubs_head_and_records_the_gap(
    home, make_line, carrier, put, folder, hub, at_work, sealer
):
    put("a.toy", toy(1))
    at_work()
    shutil.copy(home.outbox_path, home.path / "backup.db")
    put("b.toy", toy(2))
    at_work()
    shutil.copy(home.path / "backup.db", home.outbox_path)
    with open_outbox(home.outbox_path, home.source) as outbox:
        compared = rejoin(outbox, carrier, sealer, lambda: NOON)
        assert (compared.own.sequence, compared.hub.sequence, compared.moved) == (1, 2, True)
        assert outbox.select("SELECT own_sequence, hub_sequence FROM gap") == [(1, 2)]
    put("c.toy", toy(3))
    at_work()
    with open_outbox(home.outbox_path, home.source) as outbox:
        states = dict(outbox.select("SELECT state, count(*) FROM sealed GROUP BY state"))
    assert states == {"admitted": 2, "duplicate": 1}
    assert [entry["origin"]["record"] for entry in hub.entries] == ["T-1", "T-2", "T-3"]


def test_what_waits_is_sealed_again_behind_the_hubs_head_with_the_same_content(
    home, make_line, carrier, put, folder, hub, at_work, sealer, outbox
):
    put("a.toy", toy(1), toy(2))
    line = make_line(outbox, carrier)
    line.intake.take_file(folder / "a.toy")
    ids = outbox.find_unsettled_ids()
    hub.head = Head(7, "A" * 43)
    rejoin(outbox, carrier, sealer, lambda: NOON)
    assert outbox.select("SELECT id, sequence FROM sealed ORDER BY sequence") == [(ids[0], 8), (ids[1], 9)]
    assert line.once(folder, 0)
    assert hub.head.sequence == 9
    assert len(hub.entries) == 2


def test_two_copies_of_one_home_are_noticed(make_line, carrier, put, folder, hub, outbox):
    put("a.toy", toy(1))
    make_line(outbox, carrier).once(folder, 0)
    hub.head = Head(1, "A" * 43)
    with pytest.raises(Behind, match="another statement"):
        compare_heads(outbox, carrier)


def test_heads_that_agree_need_no_rejoining(make_line, carrier, put, folder, outbox, sealer):
    put("a.toy", toy(1))
    make_line(outbox, carrier).once(folder, 0)
    assert not rejoin(outbox, carrier, sealer, lambda: None).moved


@at_a_door
def test_a_hub_restored_from_a_backup_gets_again_what_it_lost(make_line, carrier, put, folder, hub, outbox):
    put("a.toy", toy(1))
    make_line(outbox, carrier).once(folder, 0)
    before = hub.head, dict(hub.held), list(hub.entries), list(hub.receipts)
    put("b.toy", toy(2), toy(3))
    make_line(outbox, carrier).once(folder, 0)
    hub.head, hub.held, hub.entries, hub.receipts = before
    line = make_line(outbox, carrier)
    assert line.once(folder, 0)
    assert "restored" in line.said[0]
    assert [entry["origin"]["record"] for entry in hub.entries] == ["T-1", "T-2", "T-3"]


def test_while_the_hub_is_away_reading_goes_on(make_line, carrier, put, folder, hub, outbox):
    put("a.toy", toy(1))
    hub.fail("down", 100)
    assert not make_line(outbox, carrier).once(folder, 0)
    assert outbox.get_head().sequence == 1


def test_what_a_hub_said_before_it_was_restored_settles_nothing(home):
    """A topic outlives the hub's memory: its old receipts are about records that the restored hub has lost."""
    row = make_row("e1", 1, b"statement", b"record")
    said = Receipt(home.source, "e1", row.statement, "admitted", "", 7, "2026-01-01T00:00:00Z", 5, row.record_sha256)

    class Topic:
        ask_every_s, hub_ahead_s = 0.25, None

        def __init__(self):
            self.sent = []

        def get_head(self):
            return HubHead(Head(0, ""))

        def get_receipts(self, after, wait_s):
            return ([], "id@1") if after == "id@1" else ([said], "id@1")

        def get_restored_place(self):
            return "id@1"

        def send(self, records):
            self.sent += records
            return []

    topic = Topic()
    with open_outbox(home.outbox_path, home.source) as outbox:
        with outbox.transaction():
            outbox.add_sealed(row, "concern-raised", "2026-01-01T00:00:00Z")
            outbox.move_head(Head(1, "digest"))
        delivery = Delivery(outbox, topic, home.source, lambda: NOON)
        delivery.fetch_receipts()
        assert outbox.select("SELECT state FROM sealed") == [("admitted",)]
        assert compare_heads(outbox, topic).sent_again == 1
        delivery.start()
        assert not delivery.deliver(0)
    assert topic.sent == [b"record"]
