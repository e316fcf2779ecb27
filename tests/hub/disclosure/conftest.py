"""One person's list: who is there, what is sent, and what is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.disclosure import Ask
from hub.store.streams import ACCESS
from schemas.catalogue import get_example
from tests.hub.conftest import WRENNA, only_child

Listed = Callable[..., list[dict[str, Any]]]
FRONT_DOOR = "urn:safeguarding:service:harrowmere-childrens-services"
SCHOOL = "urn:safeguarding:service:tarnwhistle-academy"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
POLICE = "urn:safeguarding:service:northmarch-police"
TOBIN = {**WRENNA, "names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}


def said(service: str, **more: Any) -> dict[str, Any]:
    return {"service": service, "service_name": "A service", "service_kind": "council", "statement": "told-by",
            "basis": "fact", **more}  # fmt: skip


@pytest.fixture
def council(register: Callable[..., Any]) -> Any:
    service = {"urn": FRONT_DOOR, "name": "Harrowmere", "kind": "council"}
    return register("harrowmere", service=service)


@pytest.fixture
def school(register: Callable[..., Any]) -> Any:
    return register("tarnwhistle", service={"urn": SCHOOL, "name": "Tarnwhistle Academy", "kind": "a school"})


@pytest.fixture
def front_door(staff: Callable[..., str]) -> str:
    return staff("ottoline", "frontDoor")


@pytest.fixture
def lead(staff: Callable[..., str]) -> str:
    return staff("juno", "schoolLead", "tarnwhistle-academy")


def ask_for(*addressees: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"addressed_to": list(addressees), "asked": "Look at this.", **more}


def kinds(items: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in items]


def allocate(hub: Hub, council: Any, person: str, role: str = "allocatedSocialWorker") -> None:
    details = {"person": person, "role": role, "service": FRONT_DOOR}
    sealed = council.seal("worker-allocated", child=WRENNA, details=details, said_by=said(FRONT_DOOR))
    (receipt,) = hub.admission.admit([sealed], council.source)
    assert receipt.outcome == "admitted", receipt


def last_access(hub: Hub) -> Any:
    return list(hub.record.facts(ACCESS))[-1].data


@pytest.fixture
def read_then_removed(hub: Hub, police: Any, front_door: str) -> Callable[..., None]:
    """The front door reads an entry, and its source takes it back."""

    def done(kind: str = "retraction-made", as_: str = "retracts") -> None:
        hub.admission.admit([police.seal(child=WRENNA, id="wrong"), police.seal(child=WRENNA)], police.source)
        hub.disclosure.chronology(Ask(person=front_door, child=only_child(hub), purpose="triage"))
        hub.admission.admit([taken_back(police, kind, as_)], police.source)

    return done


def taken_back(police: Any, kind: str = "retraction-made", as_: str = "retracts") -> bytes:
    details = {"reason": "wrong-child"} if kind == "retraction-made" else get_example(kind, 1)["details"]
    sealed: bytes = police.seal(
        kind, child=WRENNA, details=details, references=[{"source": police.source, "id": "wrong", "as": as_}]
    )
    return sealed


@pytest.fixture
def listed(hub: Hub) -> Listed:
    """The items of a person's list, all pages of it."""

    def of(person: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = json.loads(hub.items.list(person, cursor))
            found += page["items"]
            cursor = page.get("next", "")
            if not cursor:
                return found

    return of
