"""The judge is judged: it finds no fault in a good run, and each kind of fault where one was put."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.live.evidence import Answer, Evidence, Sealed, Sent, Shown
from tests.live.judge import judge, judge_all

SOURCE = "urn:safeguarding:source:toy:live"


def a_good_run(count: int = 12) -> tuple[dict[str, Counter[str]], list[Sealed], list[Shown]]:
    sealed = [
        Sealed(SOURCE, f"e{n}", n, f"digest-{n}", "suspended", "admitted", 100 + 2 * n) for n in range(1, count + 1)
    ]
    shown = [Shown(f"child-{n % 3}", SOURCE, f"e{n}", f"digest-{n}", 100 + 2 * n) for n in range(1, count + 1)]
    return {SOURCE: Counter(suspended=count)}, sealed, shown


def test_the_judge_finds_no_fault_in_a_good_run() -> None:
    assert judge(*a_good_run()) == []


def test_the_judge_leaves_out_what_others_recorded() -> None:
    expected, sealed, shown = a_good_run()
    assert judge(expected, sealed, [*shown, Shown("child-1", "urn:people", "p1", "d", 500)]) == []


@pytest.mark.parametrize("number", [0, 5, 11])
def test_the_judge_sees_an_entry_that_is_missing(number: int) -> None:
    expected, sealed, shown = a_good_run()
    lost = shown.pop(number)
    assert judge(expected, sealed, shown) == [f"{SOURCE} {lost.id}: stands 0 times"]


@pytest.mark.parametrize("child", ["child-1", "child-2"])
def test_the_judge_sees_an_entry_that_stands_twice_in_one_chronology_or_in_two(child: str) -> None:
    expected, sealed, shown = a_good_run()
    again = replace(next(one for one in shown if one.child == "child-1"), child=child, position=900)
    assert f"{SOURCE} {again.id}: stands 2 times" in judge(expected, sealed, [*shown, again])


def test_the_judge_sees_other_content_another_place_and_an_entry_that_nobody_sealed() -> None:
    expected, sealed, shown = a_good_run()
    shown[3] = replace(shown[3], datadigest="other")
    shown[4] = replace(shown[4], position=111)
    shown.append(Shown("child-1", SOURCE, "invented", "d", 901))
    faults = judge(expected, sealed, shown)
    assert f"{SOURCE} e4: other content than was sealed" in faults
    assert f"{SOURCE} e5: its receipt names another place" in faults
    assert f"{SOURCE} invented: stands there, and nobody sealed it" in faults


def test_the_judge_sees_two_events_that_changed_places() -> None:
    expected, sealed, shown = a_good_run()
    sealed = [replace(one, position=None) for one in sealed]
    shown[3], shown[6] = replace(shown[3], position=shown[6].position), replace(shown[6], position=shown[3].position)
    faults = judge(expected, sealed, shown)
    assert any("out of its source's order" in fault for fault in faults)
    assert any("not in the order of admission" in fault for fault in faults)


def test_the_judge_sees_a_chronology_that_is_not_in_the_order_of_admission() -> None:
    expected, sealed, shown = a_good_run()
    assert any("not in the order of admission" in fault for fault in judge(expected, sealed, shown[::-1]))


@pytest.mark.parametrize("state", ["pending", "sent", "refused"])
def test_the_judge_sees_what_is_left_in_the_outbox(state: str) -> None:
    expected, sealed, shown = a_good_run()
    sealed[2] = replace(sealed[2], state=state)
    assert judge(expected, sealed, shown) == [f"{SOURCE} e3: left in the outbox as {state}"]


def test_the_judge_sees_an_event_that_was_lost_before_it_was_sealed_or_sealed_twice() -> None:
    expected, sealed, shown = a_good_run()
    assert judge(expected, sealed[:-1], shown[:-1]) == [f"{SOURCE}: the files mean 12 suspended, sealed are 11"]
    assert f"{SOURCE} e1: sealed twice" in judge(expected, [*sealed, sealed[0]], shown)


# -- over Kafka


def a_good_run_over_kafka(count: int = 12) -> Evidence:
    """Every third record was sent twice, and something that is no record once."""
    meant, sealed, shown = a_good_run(count)
    sealed = [replace(one, record=f"record-{one.sequence}") for one in sealed]
    records = [r for one in sealed for r in [one.record] * (2 if one.sequence % 3 == 0 else 1)] + ["poison"]
    sent = [Sent(SOURCE, "t1", offset, record) for offset, record in enumerate(records)]
    return Evidence(meant, sealed, sent, answers_to(sent, sealed), shown)


def answers_to(sent: list[Sent], sealed: list[Sealed]) -> list[Answer]:
    known, seen, answers = {one.record: one for one in sealed}, set[str](), []
    for cursor, one in enumerate(sent, 1):
        record = known.get(one.record)
        outcome = "quarantined" if record is None else "duplicate" if one.record in seen else "admitted"
        reason, place = ("size", None) if record is None else ("", record.position)
        answers.append(Answer(SOURCE, record.id if record else "", one.record, outcome, reason, place, cursor))
        seen.add(one.record)
    return answers


def test_the_judge_finds_no_fault_in_a_good_run_over_kafka() -> None:
    assert judge_all(a_good_run_over_kafka()) == []


def test_receipts_that_were_published_twice_are_no_fault() -> None:
    run = a_good_run_over_kafka()
    run.answers = [*run.answers, *run.answers[3:7]]
    assert judge_all(run) == []


def test_a_topic_that_was_lost_may_have_been_read_or_not() -> None:
    run = a_good_run_over_kafka()
    lost = [replace(one, topic_id="t0", kept=False) for one in run.sent[2:5]]
    run.sent = [*lost, *run.sent]
    assert judge_all(run) == []
    again = replace(run.answers[2], outcome="duplicate", cursor=100)
    run.answers = [*run.answers, again]
    assert judge_all(run) == []


def test_the_judge_sees_a_send_without_an_answer() -> None:
    run = a_good_run_over_kafka()
    gone = next(one for one in run.answers if one.outcome == "duplicate")
    run.answers = [one for one in run.answers if one != gone]
    assert judge_all(run) == [f"{SOURCE} record {gone.record}: sent 2 to 2 times, answered 1 times"]


def test_the_judge_sees_an_admission_without_a_receipt() -> None:
    run = a_good_run_over_kafka()
    run.answers = run.answers[1:]
    faults = judge_all(run)
    assert f"{SOURCE} record record-1: sent 1 to 1 times, answered 0 times" in faults
    assert f"{SOURCE} e1: 0 receipts say admitted" in faults


def test_the_judge_sees_a_send_with_two_answers_and_an_answer_to_nothing() -> None:
    run = a_good_run_over_kafka()
    more = [replace(run.answers[0], outcome="duplicate", cursor=100), replace(run.answers[-1], record="x", cursor=101)]
    run.answers = [*run.answers, *more]
    assert judge_all(run) == [
        f"{SOURCE} record record-1: sent 1 to 1 times, answered 2 times",
        f"{SOURCE} record x: sent 0 to 0 times, answered 1 times",
    ]


def test_the_judge_sees_a_record_that_was_admitted_twice_refused_or_put_elsewhere_by_its_receipts() -> None:
    run = a_good_run_over_kafka()
    run.answers = [
        replace(one, outcome="admitted") if one.outcome == "duplicate" and one.id == "e3"
        else replace(one, outcome="quarantined", reason="schema") if one.id == "e4"
        else replace(one, position=111) if one.id == "e5"
        else one
        for one in run.answers
    ]  # fmt: skip
    assert judge_all(run) == [
        f"{SOURCE} e4: answered as quarantined schema",
        f"{SOURCE} e3: 2 receipts say admitted",
        f"{SOURCE} e4: 0 receipts say admitted",
        f"{SOURCE} e5: its receipt on the topic names another place",
    ]


def test_the_judge_sees_poison_that_was_admitted() -> None:
    run = a_good_run_over_kafka()
    run.answers = [*run.answers[:-1], replace(run.answers[-1], outcome="admitted", id="p")]
    assert judge_all(run) == [f"{SOURCE} p: admitted, and nobody sealed it"]


def test_the_judge_sees_a_receipt_that_says_two_things() -> None:
    run = a_good_run_over_kafka()
    run.answers = [*run.answers, replace(run.answers[3], position=1)]
    assert f"{SOURCE} receipt 4: says two things" in judge_all(run)


def test_a_source_that_was_shuffled_stands_in_the_order_of_its_arrival_and_in_no_other() -> None:
    run = a_good_run_over_kafka()
    places = {one.id: one.position for one in run.shown}
    turned = {"e1": places["e2"], "e2": places["e1"]}
    run.shown = sorted(
        (replace(one, position=turned.get(one.id, one.position)) for one in run.shown), key=lambda one: one.position
    )
    run.sealed = [replace(one, position=turned.get(one.id, one.position)) for one in run.sealed]
    run.answers = [replace(one, position=turned.get(one.id, one.position)) for one in run.answers]
    assert any("out of its source's order" in fault for fault in judge_all(run))
    run.sent = [run.sent[1], run.sent[0], *run.sent[2:]]
    assert any("out of its source's order" in fault for fault in judge_all(run))
    run.shuffled = frozenset({SOURCE})
    assert judge_all(run) == []
    run.sent = [run.sent[1], run.sent[0], *run.sent[2:]]
    assert any("out of its source's order" in fault for fault in judge_all(run))
