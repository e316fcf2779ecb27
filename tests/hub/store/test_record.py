"""The record: one transaction, a log without gaps, bodies that open only where they were written."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from hub.bootstrap import Hub
from hub.store.entries import UNOPENED, own_note, to_fact
from hub.store.keys import KeyAway, WrappedKeys
from hub.store.mapper import Recorded
from hub.store.record import Record, StaleVersion
from hub.store.streams import IDENTITY, SOURCES, staff_stream
from hub.store.tables import InboxRow, Offset, Writes
from schemas.envelope import HEARTBEAT, data_digest
from schemas.log import Tree, leaf, leaf_hash, root_of, verify_inclusion

AT = "2025-03-03T12:00:00.000+00:00"
CHILD, OTHER = UUID("3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01"), UUID("8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02")


@pytest.fixture
def record(store: Any) -> Record:
    """A record without a hub around it."""
    opened = store.open()
    return Record(opened.record, WrappedKeys(opened.keys, b"r" * 32))


def fact(stream: UUID, seq: int, words: str = "seen", topic: str = "child-seen/v1") -> Recorded:
    return own_note(stream, seq, topic, AT, {"words": words})


def row_of(record: Record, stream: UUID, seq: int) -> Any:
    statement = "SELECT * FROM stored_events WHERE originator_id=? AND originator_version=?"
    return record.query(statement, (stream.hex, seq))[0]


# --- the log ----------------------------------------------------------------------------------------------------------


def test_positions_have_no_gap_over_all_streams_and_batches(record: Record) -> None:
    record.append([fact(CHILD, 1), fact(OTHER, 1), fact(CHILD, 2)])
    record.append([])
    record.append([fact(OTHER, 2)])
    assert (
        [one.position for one in record.since(0)]
        == [1, 2, 3, 4]
        == [row[0] for row in record.query("SELECT * FROM log")]
    )
    assert [(one.stream, one.seq) for one in record.since(2)] == [(CHILD, 2), (OTHER, 2)]
    assert record.position() == 4
    assert (record.version(CHILD), record.version(uuid4())) == (2, 0)


def test_a_refused_append_leaves_no_gap(record: Record) -> None:
    record.append([fact(CHILD, 1)])
    with pytest.raises(StaleVersion):
        record.append([fact(OTHER, 1), fact(CHILD, 1)])
    record.append([fact(OTHER, 1)])
    assert [row[0] for row in record.query("SELECT position FROM log")] == [1, 2]


def test_each_leaf_names_its_streams_previous_leaf_and_the_hashes_of_its_row(record: Record) -> None:
    record.append([fact(CHILD, 1), fact(OTHER, 1), fact(CHILD, 2)])
    record.append([fact(CHILD, 3)])
    previous: dict[str, bytes] = {}
    for position, stream, seq, raw, digest in record.query("SELECT position, stream, seq, leaf, hash FROM log"):
        said = json.loads(raw)
        assert digest == leaf_hash(raw), position
        assert said["prev"] == previous.get(stream, b"").hex()
        head, _, body = row_of(record, UUID(stream), seq)[3].partition(b"\n")
        assert said["head"] == hashlib.sha256(head).hexdigest()
        assert said["body"] == hashlib.sha256(body).hexdigest()
        previous[stream] = digest


def test_a_leaf_is_written_exactly_as_the_shared_language_writes_it(record: Record) -> None:
    record.append([fact(CHILD, 1)])
    raw = record.query("SELECT leaf FROM log")[0][0]
    said = json.loads(raw)
    assert leaf(**{name: value for name, value in said.items() if name != "v"}) == raw


def test_the_merkle_root_over_the_log_is_recomputable_with_the_shared_language_alone(record: Record) -> None:
    record.append([fact(CHILD, seq) for seq in range(1, 8)])
    hashes = [row[0] for row in record.query("SELECT hash FROM log ORDER BY position")]
    tree = Tree(hashes)
    assert tree.root() == root_of(leaf_hash(row[0]) for row in record.query("SELECT leaf FROM log ORDER BY position"))
    assert verify_inclusion(hashes[4], 4, 7, tree.inclusion_proof(4), tree.root())


# --- bodies and keys --------------------------------------------------------------------------------------------------


def test_a_body_moved_to_another_childs_row_does_not_open(record: Record) -> None:
    record.append([fact(CHILD, 1), fact(OTHER, 1)])
    state = row_of(record, CHILD, 1)[3]
    for stream, seq, topic in ((OTHER, 1, "child-seen/v1"), (CHILD, 2, "child-seen/v1"), (CHILD, 1, "s47-started/v1")):
        with pytest.raises(KeyAway):
            record.mapper.to_domain_event(StoredEvent(stream, seq, topic, state))
    opened: Any = record.mapper.to_domain_event(StoredEvent(CHILD, 1, "child-seen/v1", state))
    assert orjson.loads(opened.data) == {"words": "seen"}


def test_a_fact_whose_key_is_missing_is_said_so_and_not_left_out(record: Record, store: Any) -> None:
    record.append([fact(CHILD, 1), fact(CHILD, 2)])
    with store.owner().keys.transaction() as keys:
        key_id = orjson.loads(row_of(record, CHILD, 2)[3].partition(b"\n")[0])["k"]
        keys.execute("DELETE FROM event_key WHERE id=?", (key_id,))
    with pytest.raises(KeyAway):
        list(record.facts(CHILD))
    assert [one.name == UNOPENED for one in record.since(0)] == [False, True]


def test_keys_are_durable_before_the_facts_that_use_them(
    record: Record, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(record.recorder, "insert_events", crash)
        with pytest.raises(OSError, match="power cut"):
            record.append([fact(CHILD, 1)])
    assert store.open().keys.query("SELECT COUNT(*) FROM event_key")[0][0] == 1  # unused for ever
    assert record.position() == 0
    record.append([fact(CHILD, 1)])
    assert len(list(record.facts(CHILD))) == 1


def test_when_keys_cannot_be_kept_no_fact_is_written(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(record.keys, "commit", away)
    with pytest.raises(sqlite3.OperationalError):
        record.append([fact(CHILD, 1)])
    assert record.position() == 0


def test_facts_and_rows_are_one_transaction(record: Record) -> None:
    seen = InboxRow("s", "e1", "digest", "subject", "00", 0)
    record.append([fact(CHILD, 1)], Writes(inbox=[seen], heads={"s": (1, "d")}))
    with pytest.raises(StaleVersion):
        record.append([fact(CHILD, 2)], Writes(inbox=[seen], heads={"s": (2, "e")}))
    assert (record.position(), record.query("SELECT sequence FROM source_head")[0][0]) == (1, 1)


def test_a_head_never_goes_back(record: Record) -> None:
    record.append([fact(CHILD, 1)], Writes(heads={"s": (5, "five")}))
    record.append([fact(CHILD, 2)], Writes(heads={"s": (3, "three")}))
    assert tuple(record.query("SELECT sequence, digest FROM source_head")[0]) == (5, "five")


def test_a_stream_without_facts_is_a_child_of_whom_nothing_is_known(record: Record) -> None:
    assert record.child(CHILD).version == 0
    assert list(record.facts(CHILD)) == []


# --- what an agency sealed --------------------------------------------------------------------------------------------


def test_what_was_signed_comes_back_byte_for_byte(hub: Hub, police: Any) -> None:
    raw = police.seal(narrative={"text": "Zoë said — “no”"})
    hub.admission.admit([raw], police.source)
    (child,) = hub.register().children()
    (stored,) = hub.record.recorder.select_events(child)
    row: Any = hub.record.mapper.to_domain_event(stored)
    sent = json.loads(raw)
    assert row.jws == sent["jws"]
    assert base64.urlsafe_b64encode(row.data).rstrip(b"=") == sent["data"].encode()
    assert data_digest(row.salt, row.data) == to_fact(row).datadigest


def test_what_is_stored_is_the_contracts_name_and_no_python_path(
    hub: Hub, police: Any, staff: Callable[..., str]
) -> None:
    hub.admission.admit([police.seal(), b"not a record"], police.source)
    staff("ottoline", "frontDoor")
    for (topic,) in hub.record.query("SELECT DISTINCT topic FROM stored_events"):
        name, _, version = topic.rpartition("/v")
        assert version.isdigit()
        assert name.replace("-", "").isalpha()
        assert name == name.lower()
        assert "hub" not in name


def test_nothing_personal_stands_in_the_log_or_outside_the_sealed_bodies(hub: Hub, police: Any) -> None:
    said = ["He shouted on the stairs", "I hid under the bed", "Mother spoke for her"]
    words = {
        "narrative": {"text": said[0]}, "childs_words": said[1], "summary": {"text": said[2], "made": "by-author"},
    }  # fmt: skip
    hub.admission.admit([police.seal(**words), police.seal(**words, version=99)], police.source)
    (child,) = hub.register().children()
    family = next(hub.record.facts(child)).data["child"]["names"][0]["family"]
    hub.view.catch_up()
    names = [family, *said]
    for path in hub.settings.home.glob("*.db*"):
        raw = path.read_bytes().lower()
        assert not [name for name in names if name.lower().encode() in raw], path.name


def test_the_clear_part_of_a_row_holds_key_time_remarks_and_the_statement_only(hub: Hub, police: Any) -> None:
    happened = {"from": "2024-06-01", "precision": "day", "zone": "none"}
    hub.admission.admit([police.seal(happened=happened, skip=2)], police.source)
    (child,) = hub.register().children()
    (stored,) = hub.record.recorder.select_events(child)
    head = orjson.loads(stored.state.partition(b"\n")[0])
    assert head.keys() == {"k", "at", "remarks", "jws"}
    statement = json.loads(base64.urlsafe_b64decode(head["jws"].split(".")[1] + "=="))
    assert "data" not in statement
    assert {one["code"] for one in head["remarks"]} == {"gap", "late"}
    assert "2024-06-01" not in json.dumps(head["remarks"])


def test_the_log_tells_one_kind_from_another_by_nothing(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal(), police.seal("intelligence-held")], police.source)
    said = [json.loads(row[0]) for row in hub.record.query("SELECT leaf FROM log")]
    assert {one["kind"] for one in said} == {"event"}
    assert {frozenset(one) for one in said} == {
        frozenset({"v", "kind", "stream", "seq", "prev", "received", "head", "body"})
    }


def test_a_heartbeats_own_words_never_name_what_is_stored(hub: Hub, police: Any) -> None:
    (receipt,) = hub.admission.admit([police.seal({"event": "x", "version": "y"}, type=HEARTBEAT)], police.source)
    assert receipt.outcome == "admitted"
    assert [one.topic for one in hub.record.facts(SOURCES)] == ["heartbeat/v1"]
    assert hub.view.catch_up() == hub.record.position()


def test_streams_of_the_hub_itself_are_no_childrens() -> None:
    assert staff_stream("fenn") != staff_stream("ottoline")
    assert IDENTITY.version == SOURCES.version == staff_stream("fenn").version == 5


def test_of_many_children_only_what_bears_on_a_question_is_read_and_none_that_is_too_long(record: Record) -> None:
    other, long = uuid4(), uuid4()
    record.append(
        [fact(CHILD, 1), fact(CHILD, 2, topic="joined-roll/v1"), fact(CHILD, 3, topic="s47-started/v1"), fact(other, 1)]
    )
    record.append([fact(long, seq) for seq in (1, 2, 3, 4)])
    found = record.bearing([CHILD, other, long], {"joined-roll"}, 3)
    assert {child: [one.seq for one in facts] for child, facts in found.items()} == {CHILD: [2, 3], other: []}


def test_a_token_id_counts_once_until_it_ended(record: Record) -> None:
    assert record.once("s", "j1", until=100, now=50)
    assert not record.once("s", "j1", until=100, now=60)
    assert record.once("other", "j1", until=100, now=60)
    assert record.once("s", "j1", until=300, now=200)


# --- what was read from a topic ---------------------------------------------------------------------------------------


TOPIC = "sg.events.police.northmarch"


def test_an_offset_stands_or_falls_with_the_facts_that_were_read_there(record: Record) -> None:
    record.append([fact(CHILD, 1)], Writes(offsets=[Offset(TOPIC, "a", 10)]))
    with pytest.raises(StaleVersion):
        record.append([fact(CHILD, 1)], Writes(offsets=[Offset(TOPIC, "a", 20)]))
    assert record.offset(TOPIC) == Offset(TOPIC, "a", 10)
    assert record.offset("sg.events.other") is None


@pytest.mark.parametrize(
    ("to", "taken"),
    [
        (Offset(TOPIC, "a", 11, since=10), True),
        (Offset(TOPIC, "a", 11, since=9), False),  # it has read a record that the other has answered
        (Offset(TOPIC, "a", 12, since=11), False),
        (Offset(TOPIC, "a", 10, since=10), False),
        (Offset(TOPIC, "a", 3, since=2), False),
        (Offset(TOPIC, "b", 11, since=10), False),
        (Offset(TOPIC, "b", 3, 2), True),
        (Offset(TOPIC, "a", 3, 2), True),
        (Offset(TOPIC, "b", 11, 3), False),
    ],
)
def test_a_second_reader_of_a_topic_is_fenced_off(record: Record, to: Offset, taken: bool) -> None:
    held = Offset(TOPIC, "a", 10)
    record.append([], Writes(offsets=[held]))
    assert to.follows(held) == taken
    if not taken:
        with pytest.raises(StaleVersion):
            record.append([fact(CHILD, 1)], Writes(offsets=[to]))
    else:
        record.append([fact(CHILD, 1)], Writes(offsets=[to]))
    assert (record.offset(TOPIC), record.position()) == ((to, 1) if taken else (held, 0))
