"""Two schools, a club and the police, and one child of whom they speak; and what each is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from schemas.catalogue import get_example
from schemas.notices import Notice

LARKBECK, TARNWHISTLE = "larkbeck-primary", "tarnwhistle-academy"
CHILD = {
    "names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "usual"}],
    "birth_date": {"date": "2014-05-17", "accuracy": "AAA"},
    "address": [{"lines": ["4 Teasel Row"], "postcode": "ZZ99 4QF", "use": "home"}],
}


def service(name: str) -> str:
    return f"urn:safeguarding:service:{name}"


@pytest.fixture
def school(register: Callable[..., Any]) -> Any:
    return register(LARKBECK, service={"urn": service(LARKBECK), "name": "Larkbeck", "kind": "a school"})


@pytest.fixture
def other_school(register: Callable[..., Any]) -> Any:
    return register(TARNWHISTLE, service={"urn": service(TARNWHISTLE), "name": "Tarnwhistle", "kind": "a school"})


@pytest.fixture
def admit(hub: Hub) -> Callable[..., None]:
    """An agency reports something about the child."""

    def admit(agency: Any, kind: str, **members: Any) -> None:
        members = {"child": CHILD, "references": None} | members
        (receipt,) = hub.admission.admit([agency.seal(kind, **members)], agency.source)
        assert receipt.outcome == "admitted", receipt.reason

    return admit


@pytest.fixture
def note(hub: Hub, staff: Callable[..., str]) -> Callable[..., None]:
    """Somebody of the front door records something about the one child."""
    person = staff("ottoline.brack", "frontDoor")

    def note(event: str, **members: Any) -> None:
        (child,) = hub.register().children()
        hub.casework.record(person, {"event": event, "child": str(child), **members})

    return note


def said_by(name: str, kind: str = "a school") -> dict[str, Any]:
    return {**get_example("joined-roll", 1)["said_by"], "service": service(name), "service_kind": kind}


def told(hub: Hub, agency: Any) -> list[Notice]:
    hub.notices.follow()
    return hub.notices.after(agency.source, 0)


def kinds(hub: Hub, agency: Any) -> list[tuple[str, str]]:
    return [(one.kind, one.reason) for one in told(hub, agency)]


def addressed(*names: str) -> list[dict[str, str]]:
    return [{"service": service(name), "role": "schoolLead"} for name in names]


def of_own(agency: Any, event: str, as_: str) -> list[dict[str, str]]:
    return [{"source": agency.source, "id": event, "as": as_}]


@pytest.fixture
def club(register: Callable[..., Any]) -> Any:
    return register("club", service={"urn": service("club"), "name": "Club", "kind": "voluntary sector"})
