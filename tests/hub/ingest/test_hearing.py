"""A source is heard by its heartbeats alone, never later than now; numbers that never came stand as missing."""

from __future__ import annotations

from collections.abc import Callable

from hub.bootstrap import Hub
from hub.domain.hearing import Hearing
from hub.store.streams import SOURCES
from schemas.envelope import HEARTBEAT, Receipt
from tests.hub.conftest import Agency, Clock

NOON = "2025-03-03T12:00:00.000+00:00"


def beat(agency: Agency, at: str = "2025-03-03T12:00:00Z", *, every_s: int = 300) -> bytes:
    said = {"last_sequence": agency.sequence, "every_s": every_s, "outstanding": 0}
    return agency.seal(said, type=HEARTBEAT, shared=at)


def admit(hub: Hub, agency: Agency, *records: bytes) -> list[Receipt]:
    return hub.admission.admit(records, agency.source)


def hearing(hub: Hub) -> Hearing:
    (one,) = hub.completeness.hearings()
    return one


def facts(hub: Hub) -> list[str]:
    return [fact.name for fact in hub.record.facts(SOURCES)]


def test_a_source_is_heard_when_it_spoke_and_says_its_rhythm(hub: Hub, police: Agency) -> None:
    assert hearing(hub).heard == ""
    admit(hub, police, beat(police, "2025-03-03T11:58:00Z"))
    assert (hearing(hub).heard, hearing(hub).every_s) == ("2025-03-03T11:58:00.000+00:00", 300)


def test_a_record_never_makes_a_source_heard(hub: Hub, police: Agency) -> None:
    admit(hub, police, police.seal(), police.seal())
    assert hearing(hub).heard == ""


def test_heartbeats_signed_in_advance_keep_no_dead_feed_alive(hub: Hub, police: Agency, clock: Clock) -> None:
    admit(hub, police, beat(police))
    for _ in range(3):
        clock.forward(days=1)
        admit(hub, police, beat(police, "2031-01-01T00:00:00Z", every_s=604_800))
        assert (hearing(hub).heard, hearing(hub).every_s) == (NOON, 300)
        assert hearing(hub).falls_silent() < clock.now
    assert hearing(hub).remarks == "clock-ahead"
    *_, fact = hub.record.facts(SOURCES)
    assert [remark.code for remark in fact.remarks] == ["clock-ahead"]
    assert facts(hub) == ["heartbeat", "heartbeat"]
    admit(hub, police, beat(police, clock.now.isoformat()))
    assert (hearing(hub).heard, hearing(hub).remarks) == (clock.now.isoformat(timespec="milliseconds"), "")


def test_heartbeats_signed_in_advance_are_no_first_word_of_a_source_either(hub: Hub, police: Agency) -> None:
    admit(hub, police, *(beat(police, "2031-01-01T00:00:00Z") for _ in range(3)))
    assert (hearing(hub).heard, hearing(hub).remarks) == ("", "clock-ahead")
    assert facts(hub) == ["heartbeat"]


def test_a_source_whose_clock_is_a_minute_ahead_is_heard_and_never_later_than_now(hub: Hub, police: Agency) -> None:
    admit(hub, police, beat(police, "2025-03-03T12:01:00Z"))
    assert (hearing(hub).heard, hearing(hub).remarks) == (NOON, "")


def test_a_heartbeat_that_comes_days_later_was_heard_days_ago(hub: Hub, police: Agency, clock: Clock) -> None:
    kept_back = beat(police)
    clock.forward(days=3)
    admit(hub, police, kept_back)
    assert hearing(hub).heard == NOON
    assert hearing(hub).falls_silent() < clock.now


def test_an_older_heartbeat_that_comes_after_a_newer_changes_nothing(hub: Hub, police: Agency, clock: Clock) -> None:
    older, newer = beat(police, "2025-03-03T11:00:00Z"), beat(police)
    admit(hub, police, newer)
    admit(hub, police, older)
    assert (hearing(hub).heard, hearing(hub).missing) == (NOON, ())


def test_regular_heartbeats_are_no_history_and_the_first_after_a_silence_is(
    hub: Hub, police: Agency, clock: Clock
) -> None:
    for _ in range(5):
        admit(hub, police, beat(police, clock.now.isoformat()))
        clock.forward(minutes=5)
    assert facts(hub) == ["heartbeat"]
    clock.forward(hours=2)
    admit(hub, police, beat(police, clock.now.isoformat()))
    assert facts(hub) == ["heartbeat", "heartbeat"]
    assert hub.inbox.head(police.source)["sequence"] == 6


def test_a_heartbeat_that_is_only_state_has_its_receipt_all_the_same(hub: Hub, police: Agency) -> None:
    for _ in range(2):
        raw = beat(police)
        (receipt,) = admit(hub, police, raw)
        assert (receipt.outcome, receipt.source) == ("admitted", police.source)
    assert receipt.position is None
    assert [one.outcome for one in admit(hub, police, raw)] == ["duplicate"]


def test_a_heartbeat_of_another_form_is_heard_and_remarked(hub: Hub, police: Agency) -> None:
    admit(hub, police, police.seal({"every_s": "soon"}, type=HEARTBEAT))
    assert (hearing(hub).heard[:10], hearing(hub).every_s) == ("2025-03-03", 0)
    assert hearing(hub).remarks == "heartbeat-unclear"


def test_a_gap_stands_until_every_missing_number_came(hub: Hub, police: Agency) -> None:
    first, lost, lost_too, fourth = police.seal(), police.seal(), police.seal(), police.seal()
    admit(hub, police, first, fourth)
    assert hearing(hub).missing == ((2, 3),)
    admit(hub, police, lost_too)
    assert hearing(hub).missing == ((2, 2),)
    admit(hub, police, lost)
    assert hearing(hub).missing == ()


def test_a_heartbeat_shows_that_the_record_before_it_never_came(hub: Hub, police: Agency) -> None:
    police.seal()
    admit(hub, police, beat(police))
    assert hearing(hub).missing == ((1, 1),)


def test_what_waits_in_quarantine_is_no_gap_and_waits_visibly_until_it_is_settled(hub: Hub, police: Agency) -> None:
    admit(hub, police, police.seal(version=99))
    assert (hearing(hub).missing, hearing(hub).waiting) == ((), True)
    (waiting,) = hub.admission.quarantine.list()
    hub.admission.refuse(waiting.id, "bram")
    assert not hearing(hub).waiting


def test_two_processes_that_admit_for_one_source_forget_no_gap_of_each_other(
    open_hub: Callable[..., Hub], police: Agency
) -> None:
    one, other = open_hub(), open_hub()
    records = [police.seal() for _ in range(6)]
    admit(one, police, records[1])
    admit(other, police, records[3])
    admit(one, police, records[5])
    assert hearing(other).missing == ((1, 1), (3, 3), (5, 5))
    admit(other, police, records[0])
    admit(one, police, records[4])
    assert hearing(other).missing == ((3, 3),)


def test_sources_of_history_and_those_whose_keys_ended_are_not_waited_for(
    hub: Hub, register: Callable[..., Agency]
) -> None:
    register("old-files", history=True)
    left = register("closed-school")
    assert [one.of.source for one in hub.completeness.hearings()] == [left.source]
    hub.registration.retire(left.key.kid, 9, {"ada": hub.officer_key("ada")})
    assert hub.completeness.hearings() == []


def test_an_agency_is_not_heard_by_another_agencys_heartbeat(
    hub: Hub, police: Agency, register: Callable[..., Agency]
) -> None:
    school = register("larkbeck")
    receipts = hub.admission.admit([beat(police)], school.source)
    assert [(one.outcome, one.reason) for one in receipts] == [("quarantined", "not-callers-source")]
    assert {one.heard for one in hub.completeness.hearings()} == {""}
