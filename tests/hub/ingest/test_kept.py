"""What a person records is sealed under their service's own source, and judged like any agency's record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.ingest.kept import KeptSources
from hub.store.streams import REGISTRY, staff_stream

SERVICE = "urn:safeguarding:service:harrowmere-childrens-services"
SOURCE = "urn:safeguarding:source:people:harrowmere-childrens-services"


@pytest.fixture
def child(hub: Hub, police: Any) -> str:
    hub.admission.admit([police.seal()], police.source)
    return str(hub.register().children()[0])


def enter(hub: Hub, child: str, person: str = "fenn", event: str = "child-seen") -> Any:
    return hub.casework.record(person, {"event": event, "child": child, "details": {}})


def test_a_service_gets_its_source_and_key_the_first_time_and_keeps_them(
    hub: Hub, open_hub: Callable[..., Hub], child: str, staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    done = enter(hub, child)
    assert (done.source, done.receipt.outcome) == (SOURCE, "admitted")
    enter(open_hub(), child)
    added = [fact.data for fact in hub.record.facts(REGISTRY) if fact.data.get("source") == SOURCE]
    assert [(data["purpose"], data["kept"]) for data in added] == [("event", True)]
    assert hub.inbox.head(SOURCE)["sequence"] == 2


def test_its_key_is_readable_by_its_owner_only(hub: Hub, child: str, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    enter(hub, child)
    path = hub.settings.home / "people" / "harrowmere-childrens-services.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.glob("*.new")) == []


def test_two_processes_of_one_service_follow_on_from_each_other(
    hub: Hub, open_hub: Callable[..., Hub], child: str, staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    other = open_hub()
    outcomes = [enter(one, child).receipt.outcome for one in (hub, other, hub, other)]
    assert outcomes == ["admitted"] * 4
    (stream,) = hub.register().children()
    facts = [fact for fact in hub.record.facts(stream) if fact.source == SOURCE]
    assert [fact.remarks for fact in facts] == [()] * 4
    assert len({fact.id for fact in facts}) == 4


def test_a_crash_before_the_key_is_in_place_is_healed_by_another_key(
    hub: Hub, child: str, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff("fenn", "allocatedSocialWorker")
    real = hub.record.append

    def crash(*facts: Any) -> None:
        real(*facts)
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(hub.record, "append", crash)
        with pytest.raises(OSError, match="power cut"):
            enter(hub, child)
    assert enter(hub, child).receipt.outcome == "admitted"


def test_a_child_has_one_pseudonym_a_service_and_another_in_the_next(
    hub: Hub, child: str, staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    staff("juno", "schoolLead", "tarnwhistle-academy")
    enter(hub, child)
    enter(hub, child.upper())
    hub.casework.record("juno", {"event": "challenge-raised", "child": child, "details": {}})
    (stream,) = hub.register().children()
    subjects = [fact.subject for fact in hub.record.facts(stream) if "people" in fact.source]
    assert subjects[0] == subjects[1] != subjects[2]
    assert not any(child.replace("-", "") == subject for subject in subjects)


def test_what_is_about_no_child_has_no_pseudonym(hub: Hub, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    assert {fact.subject for fact in hub.record.facts(staff_stream("fenn"))} == {"0" * 32}


def test_a_kept_source_name_is_the_services_own() -> None:
    assert KeptSources.source(None, SERVICE) == SOURCE  # type: ignore[arg-type]


def test_sealed_entries_verify_like_any_agencys(hub: Hub, child: str, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    done = enter(hub, child)
    (stream,) = hub.register().children()
    stored = list(hub.record.recorder.select_events(stream))[-1]
    row: Any = hub.record.mapper.to_domain_event(stored)
    assert row.jws.count(".") == 2
    assert json.loads(row.data)["origin"]["format"] == "casework/1"
    assert done.receipt.id == done.id
