"""When what was sent goes again: by a clock of numbers."""

from adapters.kit.wire import LONGEST_SILENCE_S, OnTheWire


def due(wire, now):
    return [(batch.first, batch.last) for batch in wire.take_due(now)]


def test_nothing_out_is_never_due():
    assert OnTheWire(60).find_next() == float("inf")


def test_a_batch_goes_again_after_the_set_time_and_once():
    wire = OnTheWire(60)
    wire.add(1, 500, 10)
    assert due(wire, 69) == []
    assert due(wire, 70) == [(1, 500)]
    assert due(wire, 10_000) == []


def test_a_hub_that_is_only_behind_is_not_asked_again_while_it_answers():
    wire = OnTheWire(60)
    wire.add(1, 500, 0)
    wire.add(501, 1000, 0)
    wire.hear(250, 59)
    assert due(wire, 118) == []
    assert due(wire, 119) == [(1, 500), (501, 1000)]


def test_a_receipt_that_was_passed_over_is_missing_however_busy_the_hub_is():
    wire = OnTheWire(60)
    wire.add(1, 500, 0)
    for second in range(60):
        wire.hear(501 + second, second)
    assert due(wire, 60) == [(1, 500)]


def test_while_the_hub_is_silent_the_wait_doubles_to_an_hour_and_its_word_ends_that():
    wire, now, waits = OnTheWire(60), 0.0, []
    for _ in range(9):
        wire.add(1, 1, now)
        waits.append(wire.find_next() - now)
        now = wire.find_next()
        assert due(wire, now) == [(1, 1)]
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert waits[-1] == LONGEST_SILENCE_S
    wire.hear(1, now)
    wire.add(2, 2, now)
    assert wire.find_next() - now == 60
