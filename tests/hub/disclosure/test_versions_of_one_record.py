"""All versions of one native record, in any order of arrival, give the same chronology; old stands beside new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import bootstrap
from hub.bootstrap import Hub
from hub.disclosure import Ask, NoAnswer
from hub.settings import Settings
from tests.hub.conftest import NOON, PARTNERSHIP, Agency, Clock
from tests.stores import a_store

NUMBERS = count()
READERS = (("ottoline", "frontDoor", "triage"), ("juno", "schoolLead", "s47"), ("isla", "caseAuditor", "audit"))
DIFFERS = frozenset({"ref", "beside", "id", "position", "datadigest", "whole_until"})
"""What names an entry or its place, and so differs from child to child however they are told of."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("versions") / "hub"
    with a_store(folder, None) as store:
        made = Settings(home=folder, demo=True, **store.settings())
        bootstrap.init(made, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
        hub = bootstrap.open_hub(made)
        hub.clock = Clock(NOON)
        for person, role, _ in READERS:
            service = "urn:safeguarding:service:harrowmere-childrens-services"
            details = {"person": person, "role": role, "service": service, "from": "2024-01-01"}
            hub.casework.record("ada", {"event": "role-held", "details": details})
            course = {"person": person, "completed": "2024-01-01", "until": "2030-01-01"}
            hub.casework.record("ada", {"event": "training-recorded", "details": course})
        yield hub
        hub.close()


@pytest.fixture(scope="module")
def agency(hub: Hub) -> Agency:
    agency = Agency("urn:safeguarding:source:northmarch:live")
    hub.registration.add(agency.request(hub.charter.hub), {"ada": hub.officer_key("ada")})
    return agency


def versions(kind: str, agency: Agency, mark: str, back: str) -> list[dict[str, Any]]:
    """A record told, told anew twice, corrected in a field, and perhaps taken back; each sealed on a day of its own."""

    def refers(to: str, as_: str) -> list[dict[str, str]]:
        return [{"source": agency.source, "id": f"{mark}{to}", "as": as_}]

    told = [
        {"kind": kind, "id": f"{mark}v1", "shared": "2025-02-10T09:00:00Z"},
        {"kind": kind, "id": f"{mark}v2", "shared": "2025-02-11T09:00:00Z", "change": "replaces",
         "references": refers("v1", "replaces")},
        {"kind": kind, "id": f"{mark}v3", "shared": "2025-02-12T09:00:00Z", "change": "replaces",
         "references": refers("v2", "replaces")},
        {"kind": "correction-made", "id": f"{mark}c1", "shared": "2025-02-13T09:00:00Z",
         "references": refers("v1", "corrects")},
    ]  # fmt: skip
    if back:
        told.append(
            {"kind": "retraction-made", "id": f"{mark}r1", "shared": "2025-02-14T09:00:00Z", "change": "retracts",
             "references": refers("v3", "retracts"), "details": {"reason": back}}
        )  # fmt: skip
    return told


def chronologies(hub: Hub, agency: Agency, kind: str, back: str, order: list[int]) -> list[Any]:
    """What each reader gets of a child of whom only this record tells, its versions arriving in this order."""
    mark = f"n{next(NUMBERS)}-"
    told = versions(kind, agency, mark, back)
    child = {"names": [{"family": mark, "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"}}
    for at in order:
        if at < len(told):
            one = dict(told[at])
            raw = agency.seal(one.pop("kind"), person=mark, child=child, **one)
            (receipt,) = hub.admission.admit([raw], agency.source)
            assert receipt.outcome == "admitted", receipt.reason
    found = hub.register().children()[-1]
    return [_read(hub, Ask(person=who, child=found, purpose=purpose), mark) for who, _, purpose in READERS]


def _read(hub: Hub, ask: Ask, mark: str) -> Any:
    try:
        answer = json.loads(hub.disclosure.chronology(ask).body)
    except NoAnswer:
        return None
    return _plain(json.loads(json.dumps(answer).replace(mark, "").replace(str(ask.child), "")), ask.purpose == "audit")


def _plain(value: Any, unordered: bool) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one, unordered) for name, one in value.items() if name not in DIFFERS}
    if isinstance(value, list):
        plain = [_plain(one, unordered) for one in value]
        return sorted(plain, key=str) if unordered else plain  # an auditor gets the order of the log
    return value


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["domestic-abuse-incident", "involvement-started", "agreement-given"]),
    back=st.sampled_from(["", "wrong-child", "untrue"]),
    order=st.permutations(range(5)),
)
def test_in_any_order_of_arrival_every_reader_gets_the_same_chronology(
    hub: Hub, agency: Agency, kind: str, back: str, order: list[int]
) -> None:
    in_order = chronologies(hub, agency, kind, back, list(range(5)))
    assert chronologies(hub, agency, kind, back, order) == in_order


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [4, 0, 2, 1, 3]])
def test_of_a_wrong_childs_record_nothing_is_left_whichever_came_first(
    hub: Hub, agency: Agency, order: list[int]
) -> None:
    front_door, school, auditor = chronologies(hub, agency, "emergency-attendance", "wrong-child", order)
    assert front_door is school is None
    assert {one["shown"] for one in auditor["entries"]} == {"structure"}


def test_corrected_and_correction_stand_side_by_side_the_old_marked(hub: Hub, agency: Agency) -> None:
    front_door, _, _ = chronologies(hub, agency, "domestic-abuse-incident", "", [3, 2, 1, 0])
    marks = [(one["event"], "corrected" in one.get("marks", [])) for one in front_door["entries"]]
    assert sorted(marks) == [
        ("correction-made", False), ("domestic-abuse-incident", False), ("domestic-abuse-incident", True),
        ("domestic-abuse-incident", True),
    ]  # fmt: skip
