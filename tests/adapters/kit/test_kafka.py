"""Over a broker: what it acknowledged is only on its way, receipts come later, and its topics may be other topics."""

import json

import pytest
from kit_broker import EVENTS, NOT_ALLOWED, RECEIPTS, WRONG_PASSWORD
from kit_toy import SOURCE, FakeHub

from adapters.kit.delivery import Distrusted, HubHead, Undelivered
from adapters.kit.outbox import Head
from adapters.kit.rejoining import Behind, compare_heads
from schemas.envelope import SourceHead, sign_receipts, statement_bytes_of


def toys(count, start=0):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury"} for n in range(start, start + count)]


def states(outbox):
    return dict(outbox.select("SELECT state, count(*) FROM sealed GROUP BY state"))


@pytest.fixture
def line(make_line, outbox, kafka_carrier, put):
    put("a.toy", *toys(3))
    return make_line(outbox, kafka_carrier)


# -- sending


def test_a_record_is_keyed_by_its_pseudonym_and_published_as_it_is(line, fake_broker, folder, outbox):
    assert line.once(folder, 60)
    records = [row[0] for row in outbox.select("SELECT record FROM sealed ORDER BY sequence")]
    assert fake_broker.topics[EVENTS].values == records
    assert fake_broker.keys == [json.loads(statement_bytes_of(record))["subject"].encode() for record in records]


def test_the_producer_loses_and_doubles_nothing_by_itself(line, fake_broker, folder):
    line.once(folder, 60)
    settings = next(made.settings for made in fake_broker.made if "acks" in made.settings)
    assert (settings["acks"], settings["enable_idempotence"]) == ("all", True)
    assert not settings["allow_auto_create_topics"]


def test_what_the_broker_acknowledged_waits_for_the_hubs_receipt(line, fake_broker, folder, outbox):
    fake_broker.answers = False
    assert not line.once(folder, 20)
    assert states(outbox) == {"sent": 3}
    fake_broker.answers = True
    assert line.delivery.deliver(60)
    assert states(outbox) == {"admitted": 3}


def test_what_was_answered_while_no_process_ran_is_not_sent_again(
    line, make_line, kafka_carrier, fake_broker, folder, hub, outbox
):
    fake_broker.answers = False
    line.once(folder, 20)
    fake_broker.answers = True
    fake_broker.work()
    assert make_line(outbox, kafka_carrier).once(folder, 60)
    assert hub.batches == [3]
    assert states(outbox) == {"admitted": 3}


def test_a_row_without_a_receipt_is_sent_again_and_the_repeat_is_a_duplicate(line, fake_broker, folder, hub, outbox):
    hub.fail("one-receipt-lost")
    assert line.once(folder, 100)
    assert hub.batches == [3, 1]
    assert states(outbox) == {"admitted": 2, "duplicate": 1}


def test_a_hub_that_is_away_for_a_weekend_does_not_find_each_record_a_thousand_times(
    line, fake_broker, folder, clockwork
):
    fake_broker.answers = False
    line.delivery.carrier.ask_every_s = 60
    line.once(folder, 48 * 3600)
    assert len(fake_broker.topics[EVENTS].values) < 3 * 60


def test_a_broker_that_is_away_for_hours_leaves_all_in_the_outbox_and_nothing_in_the_client(
    line, fake_broker, folder, hub, outbox
):
    line.join()
    hub.fail("down", 200)
    assert not line.once(folder, 3600)
    assert states(outbox) == {"pending": 3}
    assert all(made.closed for made in fake_broker.made)
    hub.fail("")
    assert line.delivery.deliver(0)
    assert len(hub.entries) == 3


@pytest.mark.parametrize(
    ("refusal", "words"),
    [(WRONG_PASSWORD, "does not take this user and password"), (NOT_ALLOWED, "does not let this user use the topic")],
)
def test_a_refusal_by_the_broker_is_told_in_words(line, fake_broker, folder, outbox, refusal, words):
    fake_broker.refuses = refusal
    assert not line.once(folder, 3)
    assert words in outbox.get_meta("fault", "")
    assert states(outbox) == {"pending": 3}


@pytest.mark.parametrize("topic", [EVENTS, RECEIPTS])
def test_a_topic_that_is_not_there_is_named(line, fake_broker, folder, outbox, topic):
    del fake_broker.topics[topic]
    assert not line.once(folder, 3)
    assert f"no topic {topic}" in outbox.get_meta("fault", "")


def test_a_broker_that_stops_answering_is_told_apart_from_one_that_is_away(line, fake_broker, folder, outbox, hub):
    line.join()
    hub.fail("answer-lost", 100)
    assert not line.once(folder, 3)
    assert outbox.get_meta("fault", "") == "the broker did not answer in time"
    hub.fail("down", 100)
    assert not line.delivery.deliver(3)
    assert outbox.get_meta("fault", "") == "the broker cannot be reached (ConnectionRefusedError)"


# -- receipts


def test_how_far_receipts_were_read_is_remembered_with_them(line, fake_broker, folder, outbox, make_line, put):
    assert line.once(folder, 60)
    topic = fake_broker.topics[RECEIPTS]
    assert outbox.get_meta("receipts_cursor", "") == f"{topic.id}@{topic.end}"
    put("b.toy", *toys(2, 3))
    assert make_line(outbox, fake_broker.make_carrier()).once(folder, 60)
    assert outbox.get_meta("receipts_cursor", "") == f"{topic.id}@{topic.end}"


def test_a_topic_made_again_under_the_same_name_is_read_from_its_beginning(line, fake_broker, folder, outbox, hub, put):
    assert line.once(folder, 60)
    fake_broker.make_again()
    line.delivery.carrier.close()
    put("b.toy", *toys(2, 3))
    for row in outbox.find_pending(10, 10**6):
        fake_broker.topics[EVENTS].values.append(row.record)
    assert line.once(folder, 60)
    assert states(outbox) == {"admitted": 5}
    assert outbox.get_meta("receipts_cursor", "") == f"{fake_broker.topics[RECEIPTS].id}@1"


def test_a_topic_made_again_and_grown_past_our_place_hides_no_receipt(line, fake_broker, folder, outbox, put):
    assert line.once(folder, 60)
    old = fake_broker.topics[RECEIPTS].values[0]
    fake_broker.make_again(RECEIPTS)
    put("b.toy", *toys(1, 3))
    line.intake.take_file(folder / "b.toy")
    line.delivery._send_all()
    fake_broker.work()
    fake_broker.topics[RECEIPTS].values += [old] * 5
    assert line.delivery.deliver(60)
    assert states(outbox) == {"admitted": 4}


def test_a_topic_that_lost_its_end_is_read_from_its_beginning(line, fake_broker, folder, outbox, put):
    assert line.once(folder, 60)
    put("b.toy", *toys(1, 3))
    assert line.once(folder, 60)
    fake_broker.topics[RECEIPTS].values.clear()
    put("c.toy", *toys(1, 4))
    assert line.once(folder, 60)
    assert states(outbox) == {"admitted": 5}


def test_receipts_that_are_kept_only_so_long_leave_no_place_and_reading_goes_on(line, fake_broker, folder, outbox, put):
    assert line.once(folder, 60)
    topic = fake_broker.topics[RECEIPTS]
    topic.first, topic.values = 1000, []
    put("b.toy", *toys(2, 3))
    assert line.once(folder, 60)
    assert states(outbox) == {"admitted": 5}


def test_a_cursor_from_another_way_is_the_beginning(line, folder, outbox):
    outbox.set_meta("receipts_cursor", "17")
    assert line.once(folder, 60)


def test_receipts_by_another_key_clear_nothing_and_stop(line, folder, hub, outbox):
    hub.fail("other-key")
    with pytest.raises(Distrusted):
        line.once(folder, 60)
    assert states(outbox) == {"sent": 3}


def test_receipts_that_are_another_sources_stop(line, fake_broker, folder, hub):
    head = SourceHead("urn:safeguarding:source:other", 1, "A" * 43)
    jws = sign_receipts([], hub.key, hub="urn:safeguarding:hub:toytown", at="2024-10-03T12:00:01Z", head=head)
    fake_broker.topics[RECEIPTS].values.append(jws.encode())
    with pytest.raises(Distrusted, match="another source's"):
        line.once(folder, 60)


def test_a_release_by_a_person_comes_with_the_receipts(line, folder, hub, outbox):
    line.intake.take_file(folder / "a.toy")
    [(event_id,)] = outbox.select("SELECT id FROM sealed WHERE sequence = 2")
    hub.refusals[event_id] = "kind-not-known"
    line.once(folder, 60)
    assert states(outbox) == {"admitted": 2, "refused": 1}
    hub.release(next(receipt for receipt in hub.receipts if receipt.id == event_id))
    line.delivery.fetch_receipts()
    assert states(outbox) == {"admitted": 3}


# -- where the hub stands


def test_an_empty_topic_tells_nothing_and_nothing_is_sent_again(line, fake_broker, folder, outbox, kafka_carrier):
    line.once(folder, 60)
    fake_broker.topics[RECEIPTS].first, fake_broker.topics[RECEIPTS].values = 7, []
    fake_broker.answers = False
    assert kafka_carrier.get_head() is None
    assert compare_heads(outbox, kafka_carrier).sent_again == 0
    assert states(outbox) == {"admitted": 3}


def test_a_message_that_lags_sends_nothing_again(line, fake_broker, folder, outbox, kafka_carrier, put):
    line.once(folder, 60)
    old = fake_broker.topics[RECEIPTS].values[0]
    put("b.toy", *toys(2, 3))
    line.once(folder, 60)
    fake_broker.topics[RECEIPTS].values.append(old)
    fake_broker.answers = False
    assert kafka_carrier.get_head().head.sequence == 3
    assert compare_heads(outbox, kafka_carrier).sent_again == 0
    assert states(outbox) == {"admitted": 5}


def test_a_message_that_is_ahead_of_us_stops_us(outbox, hub, kafka_carrier):
    hub.head = Head(4, "A" * 43)
    with pytest.raises(Behind, match="number 4"):
        compare_heads(outbox, kafka_carrier)


def test_where_the_hubs_door_is_known_it_is_asked_and_a_restored_hub_gets_again_what_it_lost(
    line, fake_broker, folder, outbox
):
    line.once(folder, 60)
    first = Head(1, json.loads(statement_bytes_of(outbox.select("SELECT record FROM sealed")[1][0]))["prevdigest"])
    carrier = fake_broker.make_carrier(lambda: HubHead(first))
    assert compare_heads(outbox, carrier).sent_again == 2


def test_where_the_door_is_closed_the_topic_tells(line, fake_broker, folder):
    def closed():
        raise Undelivered("the hub cannot be reached")

    line.once(folder, 60)
    head = fake_broker.make_carrier(closed).get_head()
    assert (head.head.sequence, head.lags) == (3, True)


def test_a_hub_restored_from_a_backup_reads_again_what_it_lost_from_its_topic(
    line, fake_broker, folder, hub, outbox, make_line, put
):
    line.once(folder, 60)
    before = hub.head, dict(hub.held), list(hub.entries), fake_broker.heard
    put("b.toy", *toys(2, 3))
    line.once(folder, 60)
    hub.head, hub.held, hub.entries, fake_broker.heard = before
    assert make_line(outbox, fake_broker.make_carrier()).once(folder, 60)
    assert [entry["origin"]["record"] for entry in hub.entries] == [f"T-{n}" for n in range(5)]


def test_the_fake_hub_answers_for_one_source_only():
    assert FakeHub().judge(b"{}").source == SOURCE
