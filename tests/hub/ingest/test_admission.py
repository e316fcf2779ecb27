"""Every record ends as admitted, duplicate or quarantined, and its sender is told which."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.domain import growing
from hub.domain.child import fold
from hub.domain.facts import Fact
from hub.ingest import batch as batches
from hub.ingest.admission import StillWaits
from hub.ingest.batch import Batch
from hub.store.record import StaleVersion
from hub.store.streams import IDENTITY, SOURCES
from schemas.catalogue import KINDS
from schemas.envelope import HEARTBEAT, Receipt, SigningKey


def ends(receipts: list[Receipt]) -> list[tuple[str, str]]:
    return [(receipt.outcome, receipt.reason) for receipt in receipts]


def remarks(hub: Hub) -> list[str]:
    (child,) = hub.register().children()
    return [remark.code for fact in hub.record.facts(child) for remark in fact.remarks]


def test_a_sealed_event_is_admitted_and_its_receipt_names_its_place_in_the_log(hub: Hub, police: Any) -> None:
    (receipt,) = hub.admission.admit([police.seal()], police.source)
    assert (receipt.outcome, receipt.source) == ("admitted", police.source)
    assert receipt.position == hub.record.position()


def test_the_same_bytes_again_are_a_duplicate_and_append_nothing(hub: Hub, police: Any) -> None:
    raw = police.seal()
    hub.admission.admit([raw], police.source)
    before = hub.record.position()
    assert ends(hub.admission.admit([raw, raw], police.source)) == [("duplicate", "")] * 2
    assert hub.record.position() == before


def test_a_child_on_whom_many_records_of_a_batch_rest_is_read_once(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal()], police.source)
    (child,) = hub.register().children()
    read: list[UUID] = []
    deciding = hub.record.deciding

    def counted(stream: UUID) -> tuple[list[Fact], int]:
        read.append(stream)
        return deciding(stream)

    monkeypatch.setattr(hub.record, "deciding", counted)
    ended = [police.seal("agreement-withdrawn", references=None) for _ in range(4)]
    assert ends(hub.admission.admit(ended, police.source)) == [("admitted", "")] * 4
    assert read.count(child) == 1
    assert remarks(hub).count("nothing-to-withdraw") == 4


def test_attack_a_batch_of_ends_over_many_protections_folds_the_child_once(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal("location-protected") for _ in range(40)], police.source)
    folded: list[int] = []

    def counted(facts: list[Fact]) -> Any:
        folded.append(len(facts))
        return fold(facts)

    monkeypatch.setattr(growing, "fold", counted)
    hub.admission.admit([police.seal("location-protection-ended") for _ in range(30)], police.source)
    assert folded == [40]
    (child,) = hub.register().children()
    assert all(one.until for one in hub.record.child(child).protections)


def test_attack_a_batch_about_many_long_children_holds_no_more_than_so_many_of_their_facts(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "FACTS_KEPT", 10)
    for n in range(6):
        who = {"names": [{"family": f"Quill{n}", "given": ["Wrenna"]}], "birth_date": {"date": f"201{n}-05-17"}}
        given = [police.seal("agreement-given", person=f"p{n}", child=who) for _ in range(4)]
        assert ends(hub.admission.admit(given, police.source)) == [("admitted", "")] * 4
    children = hub.register().children()
    assert len(children) == 6
    batch = Batch(hub.record, hub.clock(), {})
    for child in [*children, *children]:
        assert len(batch.child([child]).agreements) == 4
        assert len(list(batch.facts_of(child))) == 4
        assert sum(len(held) for held, _ in batch._children.values()) <= 10
        assert sum(map(len, batch._read.values())) <= 10


def test_the_same_event_twice_in_one_batch_counts_once(hub: Hub, police: Any) -> None:
    raw = police.seal()
    assert ends(hub.admission.admit([raw, raw], police.source)) == [("admitted", ""), ("duplicate", "")]


def test_the_same_event_sealed_again_is_a_duplicate_whatever_its_sequence(hub: Hub, police: Any) -> None:
    first = police.seal(id="e1")
    again = police.seal(id="e1")
    assert first != again
    assert ends(hub.admission.admit([first, again], police.source)) == [("admitted", ""), ("duplicate", "")]


def test_the_same_id_with_other_content_is_set_aside_not_taken_as_known(hub: Hub, police: Any) -> None:
    first, other = police.seal(id="e1"), police.seal(id="e1", childs_words="other words")
    assert ends(hub.admission.admit([first, other], police.source))[1] == ("quarantined", "same-id-other-content")


def test_the_same_id_about_another_child_is_set_aside(hub: Hub, police: Any) -> None:
    first, other = police.seal(id="e1", person="p1"), police.seal(id="e1", person="p2")
    assert ends(hub.admission.admit([first, other], police.source))[1] == ("quarantined", "same-id-other-content")


def test_an_event_that_waits_is_compared_too(hub: Hub, police: Any) -> None:
    waiting = police.seal({"event": "from-the-future", "version": 1}, id="e1")
    other = police.seal(id="e1")
    receipts = hub.admission.admit([waiting, other], police.source)
    assert ends(receipts) == [("quarantined", "newer"), ("quarantined", "same-id-other-content")]


def test_a_record_by_a_stranger_waits_under_its_sender_until_the_key_is_known(hub: Hub, police: Any) -> None:
    raw = police.seal(key=SigningKey.generate())
    assert ends(hub.admission.admit([raw], police.source)) == [("quarantined", "key")]
    (row,) = hub.admission.quarantine.list()
    assert (row.caller, row.reason) == (police.source, "key")


def test_records_sent_before_their_key_is_added_are_released_in_sequence(
    hub: Hub, register: Callable[..., Any]
) -> None:
    police = register()
    new = SigningKey.generate()
    hub.admission.admit([police.seal(key=new), police.seal(key=new)], police.source)
    police.key, police.transport = new, SigningKey.generate()
    receipts = hub.registration.add(police.request(hub.charter.hub), {"ada": hub.officer_key("ada")})
    assert [receipt.outcome for receipt in receipts] == ["admitted", "admitted"]
    assert receipts[0].position is not None
    assert receipts[1].position is not None
    assert receipts[0].position < receipts[1].position


def test_sending_a_quarantined_record_again_repeats_its_last_receipt(hub: Hub, police: Any) -> None:
    raw = police.seal(key=SigningKey.generate())
    first = hub.admission.admit([raw], police.source)
    assert hub.admission.admit([raw], police.source) == first
    hub.admission.refuse(hub.admission.quarantine.list()[0].id, "bram")
    assert ends(hub.admission.admit([raw], police.source)) == [("refused", "key")]


def test_a_record_of_another_source_is_quarantined_under_the_caller(hub: Hub, register: Callable[..., Any]) -> None:
    police, school = register("northmarch"), register("larkbeck")
    assert ends(hub.admission.admit([school.seal()], police.source)) == [("quarantined", "not-callers-source")]
    assert hub.admission.quarantine.list()[0].caller == police.source


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"event": "not-thought-of-yet"}, "newer"),
        ({"version": 99}, "newer"),
        ({"details": {"nonsense": True}}, "schema"),
        ({"happened": ["no", "day"]}, "schema"),
        ({"partnership": "urn:safeguarding:partnership:elsewhere"}, "other-partnership"),
    ],
)
def test_what_this_hub_cannot_take_waits_with_its_reason(hub: Hub, police: Any, members: Any, reason: str) -> None:
    assert ends(hub.admission.admit([police.seal(**members)], police.source)) == [("quarantined", reason)]


def test_a_bad_record_between_good_ones_stops_nothing(hub: Hub, police: Any) -> None:
    receipts = hub.admission.admit([police.seal(), b"\x00 not a record", police.seal()], police.source)
    assert ends(receipts) == [("admitted", ""), ("quarantined", "record-form"), ("admitted", "")]


def test_standing_and_identity_are_never_settled_through_an_agencys_feed(hub: Hub, police: Any) -> None:
    raw = police.seal("role-held")
    assert ends(hub.admission.admit([raw], police.source)) == [("quarantined", "not-by-this-door")]


def test_a_gap_is_remarked_and_never_holds_an_alert_back(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal(skip=3)], police.source)
    assert "gap" in remarks(hub)


def test_a_clock_an_hour_ahead_is_a_remark(hub: Hub, police: Any) -> None:
    (receipt,) = hub.admission.admit([police.seal(shared="2025-03-03T13:00:00Z")], police.source)
    assert receipt.outcome == "admitted"
    assert "clock-ahead" in remarks(hub)


def test_what_is_shared_long_after_it_happened_is_marked_late(hub: Hub, police: Any) -> None:
    happened = {"from": "2024-06-01", "precision": "day", "zone": "none"}
    hub.admission.admit([police.seal(happened=happened)], police.source)
    assert "late" in remarks(hub)


def test_a_history_source_raises_neither_clock_nor_lateness(hub: Hub, register: Callable[..., Any]) -> None:
    history = register("northmarch-history", history=True)
    happened = {"from": "2016-06-01", "precision": "day", "zone": "none"}
    hub.admission.admit([history.seal(happened=happened, shared="2025-03-03T13:00:00Z")], history.source)
    assert remarks(hub) == []


def test_a_retired_key_signs_up_to_its_last_sequence_whenever_it_arrives(hub: Hub, police: Any) -> None:
    summer, autumn = police.seal(), police.seal()
    hub.registration.retire(police.key.kid, 1, {"ada": hub.officer_key("ada")})
    assert ends(hub.admission.admit([summer, autumn], police.source)) == [
        ("admitted", ""),
        ("quarantined", "key-retired"),
    ]


def test_a_revoked_key_counts_for_nothing_from_that_position_on(hub: Hub, police: Any) -> None:
    early, late = police.seal(), police.seal()
    hub.admission.admit([early], police.source)
    hub.registration.revoke(police.key.kid, "stolen laptop", {"ada": hub.officer_key("ada")})
    assert ends(hub.admission.admit([late], police.source)) == [("quarantined", "key")]


def test_a_heartbeat_takes_a_sequence_and_adds_nothing_to_any_child(hub: Hub, police: Any) -> None:
    beat = police.seal({"last_sequence": 0}, type=HEARTBEAT)
    assert ends(hub.admission.admit([beat], police.source)) == [("admitted", "")]
    assert hub.register().children() == []
    assert hub.inbox.head(police.source)["sequence"] == 1
    assert [fact.name for fact in hub.record.facts(SOURCES)] == ["heartbeat"]


def test_the_head_moves_with_every_record_whose_signature_and_source_held(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal(), police.seal(version=99)], police.source)
    assert hub.inbox.head(police.source)["sequence"] == 2
    hub.admission.admit([police.seal(key=SigningKey.generate())], police.source)
    assert hub.inbox.head(police.source)["sequence"] == 2


def test_a_data_fault_still_moves_the_head(hub: Hub, police: Any) -> None:
    record = json.loads(police.seal())
    record["data"] = record["data"][:-4] + "AAAA"
    receipts = hub.admission.admit([json.dumps(record).encode()], police.source)
    assert ends(receipts) == [("quarantined", "digest")]
    assert hub.inbox.head(police.source)["sequence"] == 1


def test_when_another_writer_was_faster_everything_is_decided_again(open_hub: Callable[..., Hub], police: Any) -> None:
    one, other = open_hub(), open_hub()
    first, second, third = police.seal(), police.seal(), police.seal()
    one.admission.admit([first], police.source)
    other.admission.admit([second], police.source)
    assert ends(one.admission.admit([second, third], police.source)) == [("duplicate", ""), ("admitted", "")]
    (child,) = one.register().children()
    assert [fact.seq for fact in one.record.facts(child)] == [1, 2, 3]


def test_nothing_is_written_when_the_transaction_fails(hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hub.record.position()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(hub.record, "append", fail)
        with pytest.raises(OSError, match="disk full"):
            hub.admission.admit([police.seal(id="e1")], police.source)
    assert hub.record.position() == before
    assert hub.register().children() == []
    police.sequence = 0
    police.digest = ""
    assert ends(hub.admission.admit([police.seal(id="e1")], police.source)) == [("admitted", "")]


def test_writers_who_never_win_give_up_visibly(hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: Any, **__: Any) -> None:
        raise StaleVersion

    monkeypatch.setattr(hub.record, "append", stale)
    with pytest.raises(StaleVersion):
        hub.admission.admit([police.seal()], police.source)


def test_beyond_its_quota_only_digests_of_a_senders_bad_records_are_kept(
    open_hub: Callable[..., Hub], police: Any
) -> None:
    hub = open_hub(quarantine_quota=1)
    hub.admission.admit([b"bad one"], police.source)
    hub.admission.admit([b"bad two"], police.source)
    assert [bool(row.sealed) for row in hub.admission.quarantine.list()] == [True, False]


def test_release_goes_through_the_same_door_and_supersedes_the_receipt(hub: Hub, police: Any) -> None:
    raw = police.seal({"event": "from-the-future", "version": 1})
    hub.admission.admit([raw], police.source)
    (row,) = hub.admission.quarantine.list()
    with pytest.raises(StillWaits):
        hub.admission.admit_again(row.id)
    assert hub.admission.quarantine.list() == [row]


def test_what_was_newer_than_the_hub_is_admitted_by_itself_after_the_upgrade(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS["domestic-abuse-incident"]
    with monkeypatch.context() as before:
        before.setattr("hub.ingest.misfit.KINDS", {name: one for name, one in KINDS.items() if one is not kind})
        assert ends(hub.admission.admit([police.seal()], police.source)) == [("quarantined", "newer")]
        assert hub.admission.try_waiting("newer") == []
    assert ends(hub.admission.try_waiting("newer")) == [("admitted", "")]
    assert hub.admission.quarantine.list() == []


def test_what_only_waits_is_no_duplicate_of_the_whole_record(hub: Hub, police: Any) -> None:
    whole = police.seal(id="e1")
    broken = json.dumps({**json.loads(whole), "data": "AAAA"}).encode()
    assert ends(hub.admission.admit([broken], police.source)) == [("quarantined", "digest")]
    assert ends(hub.admission.admit([whole], police.source)) == [("admitted", "")]
    assert hub.admission.quarantine.list() == []


def test_what_came_beyond_the_quota_is_kept_when_it_is_sent_again(hub: Hub, police: Any) -> None:
    waiting = police.seal({"event": "from-the-future", "version": 1}, id="e1")
    hub.admission.quarantine.quota = 0
    hub.admission.admit([waiting], police.source)
    hub.admission.quarantine.quota = 10
    assert ends(hub.admission.admit([waiting], police.source)) == [("quarantined", "newer")]
    assert [bool(row.key) for row in hub.admission.quarantine.list()] == [False, True]
    assert ends(hub.admission.admit([waiting], police.source)) == [("quarantined", "newer")]


def test_a_child_that_another_process_made_meanwhile_is_not_made_twice(
    open_hub: Callable[..., Hub], register: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = open_hub(), open_hub()
    police, school = register(), register(name="northmarch-school")
    prepare = one.admission.resolver.prepare.__func__  # type: ignore[attr-defined]
    late = [school.seal(person="p1")]

    def interrupted(self: Any, batch: Any, reports: Any) -> None:
        prepare(self, batch, reports)
        if self is one.admission.resolver and late:
            other.admission.admit([late.pop()], school.source)

    monkeypatch.setattr("hub.ingest.resolve.Resolver.prepare", interrupted)
    one.admission.admit([police.seal(person="p1")], police.source)
    assigned = [fact.data["child"] for fact in one.record.facts(IDENTITY)]
    assert len(assigned) == 2
    assert len(set(assigned)) == 1
