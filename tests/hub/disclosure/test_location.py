"""A protected location over a real record: banners, names after an adoption, replay, and a late view of old entries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.audit.replay import replay
from hub.bootstrap import Hub
from hub.disclosure import Ask, NoAnswer
from tests.hub.conftest import WRENNA

ADOPTED = {"names": [{"family": "Thistledown", "given": ["Wrenna"], "use": "official"}],
           "birth_date": {"date": "2014-05-17"}}  # fmt: skip


@pytest.fixture
def child(hub: Hub, police: Any, staff: Callable[..., str], clock: Any) -> UUID:
    """A child of whom the police told, with a worker, a front door and an enquiry."""
    hub.admission.admit([police.seal("incident-attended", child=WRENNA)], police.source)
    (child,) = hub.register().children()
    staff("ottoline", "frontDoor", "front-door")
    staff("fenn", "allocatedSocialWorker", "childrens-services")
    staff("isla", "caseAuditor", "assurance")
    worker = {"person": "fenn", "role": "allocatedSocialWorker"}
    record(hub, child, "worker-allocated", details=worker)
    record(hub, child, "s47-started")
    return child


def record(hub: Hub, child: UUID, event: str, person: str = "ottoline", **members: Any) -> None:
    entry = {"event": event, "child": str(child), "details": {}, **members}
    assert hub.casework.record(person, entry).receipt.outcome == "admitted"


def read(hub: Hub, child: UUID, person: str, purpose: str = "s47", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        hub.disclosure.chronology(Ask(person=person, child=child, purpose=purpose, **more)).body
    )
    return body


def events(body: dict[str, Any]) -> list[str]:
    return [one["event"] for one in body["entries"]]


NOT_SHARED = {"what": "who disclosed", "from_whom": "mother", "why": "fear", "review_on": "2026-01-01"}


def test_a_banner_stands_in_the_place_of_the_entry_once_and_says_nothing_of_it(hub: Hub, child: UUID) -> None:
    for _ in range(3):
        record(hub, child, "decided-not-to-share", details=NOT_SHARED)
    record(hub, child, "location-protected")
    body = read(hub, child, "fenn")
    assert [one["event"] for one in body["banners"]] == ["location-protected", "decided-not-to-share"]
    assert not {"location-protected", "decided-not-to-share"} & set(events(body))
    assert "mother" not in str(body["banners"])


def test_whoever_reads_the_entry_in_full_gets_no_banner(hub: Hub, child: UUID) -> None:
    record(hub, child, "decided-not-to-share", "fenn", details=NOT_SHARED)
    body = read(hub, child, "fenn")
    assert "banners" not in body
    assert "decided-not-to-share" in events(body)


def test_a_banner_is_no_answer_by_itself(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    record(hub, child, "location-protected")
    with pytest.raises(NoAnswer):
        read(hub, child, staff("stranger", "schoolLead", "another-school"))


def test_that_somebody_was_shown_a_banner_stands_in_the_access_record_and_in_a_replay(
    hub: Hub, child: UUID, clock: Any
) -> None:
    record(hub, child, "location-protected")
    read(hub, child, "fenn")
    shown = [line["shown"] for line in hub.disclosure.accesses(child)[-1]["classes"]]
    assert "banner" in shown
    clock.forward(hours=1)
    told = replay(could_see(hub, child), hub.disclosure.accesses(child), "fenn", hub.clock())
    (one,) = [one for one in told["could_see"] if one["event"] == "location-protected"]
    assert one["shown"] == "banner"
    assert one["opened"]


def could_see(hub: Hub, child: UUID, days_ago: int = 0) -> list[Any]:
    auditor = hub.disclosure.allow("replay", "isla", "caseAuditor", "audit")
    ask = Ask(person="fenn", child=child, purpose="s47")
    return hub.disclosure.could_see(ask, hub.clock() - timedelta(days=days_ago), auditor, "audit")


def test_a_replay_names_no_source_of_what_tells_where_the_child_is_not_even_of_a_day_before_it(
    hub: Hub, child: UUID, clock: Any
) -> None:
    assert {row.fact.source for row, _ in could_see(hub, child)} >= {"urn:safeguarding:source:northmarch:live"}
    clock.forward(days=9)
    record(hub, child, "location-protected")
    assert {(row.fact.source, row.fact.id) for row, _ in could_see(hub, child, days_ago=5)} == {("", "")}
    record(hub, child, "location-protection-ended")
    assert "" not in {row.fact.source for row, _ in could_see(hub, child, days_ago=5)}


def test_as_of_an_earlier_day_the_protection_is_todays(hub: Hub, child: UUID, clock: Any) -> None:
    before = clock.now
    clock.forward(days=9)
    record(hub, child, "location-protected")
    (entry,) = [one for one in read(hub, child, "fenn", as_of=before)["entries"] if one["event"] == "incident-attended"]
    assert entry["source"] == {"kind": "police", "ring": {"role": "the front door"}}
    assert entry["place"] == {"withheld": "place"}


def test_while_a_location_is_protected_no_number_and_no_name_of_a_service_stands_on_a_card(
    hub: Hub, child: UUID, police: Any, staff: Callable[..., str]
) -> None:
    numbered = WRENNA | {"identifiers": [{"system": "urn:local:northmarch:person", "value": "NM-7"}]}
    kinds = ("incident-attended", "immunisation-not-given")
    hub.admission.admit([police.seal(kind, child=numbered) for kind in kinds], police.source)
    lead = staff("juno", "schoolLead", "tarnwhistle-academy")
    record(hub, child, "involvement-started", details={"service": "urn:safeguarding:service:tarnwhistle-academy"})
    assert "NM-7" in str(read(hub, child, "fenn")["child"])
    assert any("phone" in card["ring"] for card in read(hub, child, lead)["held_elsewhere"])
    record(hub, child, "location-protected")
    assert "identifiers" not in read(hub, child, "fenn")["child"]
    assert read(hub, child, lead)["held_elsewhere"] == [
        {"agency": "another agency", "ring": {"role": "the front door"}}
    ]


def test_after_an_adoption_the_new_name_stands_in_no_unnamed_readers_header(
    hub: Hub, child: UUID, police: Any, clock: Any
) -> None:
    clock.forward(days=1)
    seal = {"shared": "2025-03-04T11:00:00Z", "child": ADOPTED}
    changed = police.seal("name-changed", **seal, details={"reason": "adoption", "to_family": "Thistledown"})
    later = police.seal(
        "incident-attended", **seal, happened={"from": "2025-03-04", "precision": "day", "zone": "none"}
    )
    hub.admission.admit([changed, later], police.source)
    body = read(hub, child, "fenn")
    assert events(body).count("incident-attended") == 2
    assert "name-changed" not in events(body)
    assert "Thistledown" not in str(body)


def test_another_change_of_name_is_shown(hub: Hub, child: UUID, police: Any) -> None:
    hub.admission.admit([police.seal("name-changed", child=ADOPTED, details={"reason": "marriage"})], police.source)
    assert read(hub, child, "fenn")["child"]["name"] == "Wrenna Thistledown"
