"""Sending when things fail: nothing is lost, nothing is doubled, and nothing but the pinned hub's word clears a row."""

import pytest
from kit_toy import NOON, SOURCE

from adapters.kit.delivery import Distrusted, Undelivered
from adapters.kit.outbox import open_outbox

at_a_door = pytest.mark.parametrize("carrier", ["over-http", "direct"], indirect=True)
"""For what only a hub that is asked can do."""


def toys(count):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury"} for n in range(count)]


def states(outbox):
    return dict(outbox.select("SELECT state, count(*) FROM sealed GROUP BY state"))


@pytest.fixture
def line(make_line, outbox, carrier, put):
    put("a.toy", *toys(3))
    return make_line(outbox, carrier)


@pytest.mark.parametrize("fault", ["down", "no-connection", "not-json", "busy"])
def test_a_hub_that_fails_for_a_while_gets_everything_once_it_is_back(line, outbox, folder, hub, fault):
    hub.fail(fault, 4)
    assert line.once(folder, 120)
    assert states(outbox) == {"admitted": 3}
    assert len(hub.entries) == 3


def test_waits_grow_and_are_bounded(line, folder, hub, clockwork):
    hub.fail("down", 10)
    assert line.once(folder, 1000)
    assert clockwork.slept[:7] == [1, 2, 4, 8, 16, 20, 20]
    assert max(clockwork.slept) == 20


@at_a_door
def test_the_hubs_wish_to_wait_is_obeyed(line, folder, hub, clockwork):
    line.join()
    hub.fail("busy", 2)
    assert line.once(folder, 120)
    assert clockwork.slept == [7, 7]


def test_a_hub_cannot_silence_an_agency_for_a_day(line, clockwork):
    assert line.delivery.wait_after(Undelivered("busy", 86_400)) == 300


def test_when_patience_ends_nothing_is_lost(line, make_line, outbox, carrier, folder, hub):
    hub.fail("down", 1000)
    assert not line.once(folder, 100)
    assert states(outbox) == {"pending": 3}
    assert outbox.get_meta("fault", "") != ""
    hub.fail("")
    assert make_line(outbox, carrier).once(folder, 0)
    assert states(outbox) == {"admitted": 3}


def test_an_answer_that_is_lost_makes_no_second_entry(line, outbox, folder, hub):
    line.join()
    hub.fail("answer-lost")
    assert line.once(folder, 120)
    assert states(outbox) == {"duplicate": 3}
    assert len(hub.entries) == 3


@at_a_door
def test_a_row_without_a_receipt_is_sent_again_after_a_set_time(line, outbox, folder, hub, clockwork):
    line.join()
    hub.fail("one-receipt-lost")
    hub.later = lambda after, later=hub.later: ([], after) if clockwork.now == 0 else later(after)
    assert line.once(folder, 120)
    assert clockwork.slept == [60]
    assert hub.batches == [3, 1]
    assert states(outbox) == {"admitted": 2, "duplicate": 1}


@at_a_door
def test_a_lost_receipt_comes_with_the_later_ones(line, outbox, folder, hub):
    hub.fail("one-receipt-lost")
    assert line.once(folder, 0)
    assert hub.batches == [3]
    assert states(outbox) == {"admitted": 3}


def test_a_quarantined_row_is_kept_as_refused_with_its_reason_and_not_sent_again(line, outbox, folder, hub):
    line.intake.take_file(folder / "a.toy")
    [(event_id,)] = outbox.select("SELECT id FROM sealed WHERE sequence = 2")
    hub.refusals[event_id] = "schema"
    assert line.once(folder, 0)
    assert line.delivery.refused == 1
    assert outbox.select("SELECT state, outcome, reason FROM sealed WHERE sequence = 2") == [
        ("refused", "quarantined", "schema")
    ]
    assert line.delivery.deliver(0)
    assert hub.batches == [3]


def test_a_superseding_receipt_releases_what_was_refused(line, outbox, folder, hub):
    line.intake.take_file(folder / "a.toy")
    [(event_id,)] = outbox.select("SELECT id FROM sealed WHERE sequence = 2")
    hub.refusals[event_id] = "kind-not-known"
    line.once(folder, 0)
    hub.release(next(receipt for receipt in hub.receipts if receipt.id == event_id))
    line.delivery.fetch_receipts()
    assert states(outbox) == {"admitted": 3}


def test_an_old_receipt_does_not_undo_a_newer_one(line, outbox, folder, hub):
    line.intake.take_file(folder / "a.toy")
    [(event_id,)] = outbox.select("SELECT id FROM sealed WHERE sequence = 1")
    hub.refusals[event_id] = "kind-not-known"
    line.once(folder, 0)
    old = next(receipt for receipt in hub.receipts if receipt.id == event_id)
    hub.release(old)
    line.delivery.fetch_receipts()
    line.delivery.apply([old])
    assert states(outbox) == {"admitted": 3}


def test_a_receipt_over_another_statement_clears_nothing(line, outbox, folder, hub):
    from dataclasses import replace

    line.intake.take_file(folder / "a.toy")
    rows = outbox.find_pending(500, 10**6)
    receipts = [hub.judge(row.record) for row in rows]
    line.delivery.apply([replace(receipt, statement="0" * 64, record="0" * 64) for receipt in receipts])
    line.delivery.apply([replace(receipt, source="urn:safeguarding:source:other") for receipt in receipts])
    assert states(outbox) == {"pending": 3}
    line.delivery.apply(receipts)
    assert states(outbox) == {"admitted": 3}


def test_a_record_of_which_the_hub_read_nothing_is_known_by_its_digest(line, outbox, folder, hub):
    hub.keys = {kid: entry for kid, entry in hub.keys.items() if entry.purpose == "transport"}
    assert line.once(folder, 0)
    assert outbox.select("SELECT DISTINCT state, outcome, reason FROM sealed") == [("refused", "quarantined", "key")]


def test_receipts_by_another_key_clear_nothing_and_stop(make_line, outbox, http_carrier, put, folder, hub):
    put("a.toy", *toys(3))
    line = make_line(outbox, http_carrier)
    hub.fail("other-key")
    with pytest.raises(Distrusted):
        line.once(folder, 0)
    assert states(outbox) == {"sent": 3}
    assert make_line(outbox, http_carrier).once(folder, 0)
    assert states(outbox) == {"admitted": 3}


def test_an_unknown_transport_key_is_told_in_words(make_line, outbox, http_carrier, put, folder, hub):
    put("a.toy", *toys(1))
    hub.keys = {}
    assert not make_line(outbox, http_carrier).once(folder, 3)
    assert "does not know this transport key" in outbox.get_meta("fault", "")


def test_a_batch_that_is_too_large_is_halved(make_line, outbox, http_carrier, put, folder, hub):
    put("a.toy", *toys(4))
    answer = hub._answer

    def small(method, url, headers, body):
        return (413, {}, b"{}") if body.count(b"\n") > 1 else answer(method, url, headers, body)

    hub._answer = small
    assert make_line(outbox, http_carrier).once(folder, 0)
    assert hub.batches == [1, 1, 1, 1]


def test_the_difference_of_the_clocks_is_remembered(make_line, outbox, http_carrier, put, folder):
    put("a.toy", *toys(1))
    make_line(outbox, http_carrier).once(folder, 0)
    assert outbox.get_meta("hub_ahead_s", None) == 30


def test_plain_http_leaves_this_machine_never(home, hub):
    from adapters.kit.publisher import Door, HttpCarrier

    door = Door("http://hub.example.gov.uk", "a", "h", SOURCE, home.transport_key, hub.receipt_entry)
    with pytest.raises(ValueError, match="https"):
        HttpCarrier(door, lambda: NOON)


def test_bytes_of_cleared_rows_go_after_their_time_and_their_ids_stay(line, outbox, folder):
    line.once(folder, 0)
    with outbox.transaction():
        assert outbox.forget_sent("2024-10-02") == 0
        assert outbox.forget_sent("2024-10-04") == 3
    assert outbox.select("SELECT count(id), count(record) FROM sealed") == [(3, 0)]


def test_a_second_process_is_kept_out(home, outbox):
    from adapters.kit.outbox import OutboxLocked

    with pytest.raises(OutboxLocked), open_outbox(home.outbox_path, home.source):
        pass
    with open_outbox(home.outbox_path, home.source, read_only=True) as seen:
        assert seen.get_head().sequence == 0


def test_an_outbox_serves_one_source_only(home):
    from adapters.kit.outbox import OutboxForeign

    with open_outbox(home.outbox_path, home.source):
        pass
    with pytest.raises(OutboxForeign), open_outbox(home.outbox_path, "urn:safeguarding:source:other"):
        pass


def test_the_outbox_can_be_read_by_its_owner_only(home, outbox):
    assert home.outbox_path.stat().st_mode & 0o077 == 0
