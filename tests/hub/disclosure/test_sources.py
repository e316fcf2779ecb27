"""Every chronology says for each live source when it was last heard; the same words for every child and reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Answer, Ask
from schemas.envelope import HEARTBEAT


def beat(agency: Any, at: str = "2025-03-03T12:00:00Z") -> bytes:
    sealed: bytes = agency.seal({"every_s": 300, "outstanding": 0}, type=HEARTBEAT, shared=at)
    return sealed


@pytest.fixture
def ask(hub: Hub, police: Any, staff: Callable[..., str]) -> Callable[..., Answer]:
    hub.admission.admit([police.seal(person="p1")], police.source)

    def one(person: str = "ottoline", role: str = "frontDoor", purpose: str = "triage") -> Answer:
        if person not in known:
            known.add(staff(person, role))
        (child, *_) = hub.register().children()
        return hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose))

    known: set[str] = set()
    return one


def sources(answer: Answer) -> Any:
    return json.loads(answer.body)["sources"]


def test_a_source_that_was_never_heard_says_so(ask: Callable[..., Answer]) -> None:
    assert sources(ask()) == [
        {
            "service": "urn:safeguarding:service:northmarch-police", "name": "Northmarch", "last_heard": "never",
            "gaps": False, "waiting": False, "silent": False,
        }
    ]  # fmt: skip


def test_gaps_and_quarantined_records_stand_there_for_every_child(
    hub: Hub, police: Any, ask: Callable[..., Answer]
) -> None:
    police.seal()
    hub.admission.admit([police.seal(version=99, person="somebody else")], police.source)
    (one,) = sources(ask())
    assert (one["gaps"], one["waiting"]) == (True, True)


def test_two_readers_and_an_auditor_read_the_same_words(hub: Hub, police: Any, ask: Callable[..., Answer]) -> None:
    hub.admission.admit([beat(police)], police.source)
    assert sources(ask()) == sources(ask("nell", "frontDoor")) == sources(ask("isla", "caseAuditor", "audit"))


def test_a_heartbeat_leaves_a_page_unchanged_and_a_silence_does_not(
    hub: Hub, police: Any, ask: Callable[..., Answer], clock: Any
) -> None:
    hub.admission.admit([beat(police)], police.source)
    first = ask()
    clock.forward(minutes=5)
    hub.admission.admit([beat(police, clock.now.isoformat())], police.source)
    second = ask()
    assert sources(first) != sources(second)
    assert first.etag == second.etag
    clock.forward(minutes=16)
    assert ask().etag != second.etag


def test_what_another_process_heard_is_said_a_second_later_at_most(
    hub: Hub, open_hub: Callable[..., Hub], police: Any, clock: Any
) -> None:
    now = [0.0]
    hub.completeness.seconds = lambda: now[0]
    assert b'"last_heard":"never"' in hub.completeness.said(clock.now).sources
    open_hub().admission.admit([beat(police)], police.source)
    now[0] = 1.0
    assert b'"last_heard":"2025-03-03T12:00' in hub.completeness.said(clock.now).sources
