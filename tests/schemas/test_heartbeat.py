"""A heartbeat says where its source stands; whoever speaks is heard, whatever it says."""

from __future__ import annotations

import json

import pytest

from schemas.heartbeat import LONGEST_S, SHORTEST_S, Heartbeat, read_heartbeat


def test_what_a_source_says_comes_back() -> None:
    beat = Heartbeat(last_sequence=41, every_s=300, outstanding=2)
    assert read_heartbeat(json.loads(beat.to_data())) == beat
    assert beat.unclear == ()


@pytest.mark.parametrize("odd", [None, "300", 300.0, True, SHORTEST_S - 1, LONGEST_S + 1, -1])
def test_a_rhythm_of_another_form_is_as_if_it_were_not_said(odd: object) -> None:
    beat = read_heartbeat({"last_sequence": 0, "every_s": odd, "outstanding": 0})
    assert beat.unclear == ("every_s",)


def test_other_members_are_passed_by() -> None:
    assert read_heartbeat({"event": "intelligence-held", "version": 1}) == Heartbeat()
