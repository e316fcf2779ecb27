"""One ladder brings what comes in and what is read back to today's contract; what is stored never changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.store.upcasters import LADDER, Data, upcast
from schemas.catalogue import KINDS, versions_of

NAME = "agreement-withdrawn"


def v1_to_v2(old: Data) -> dict[str, Any]:
    """A test's step: `agreement` was called `names` once."""
    details = {"agreement" if name == "names" else name: value for name, value in old["details"].items()}
    return {**old, "details": details}


def v2_to_v3(old: Data) -> dict[str, Any]:
    """A test's second step."""
    return {**old, "summary": {"text": "brought up", "made": "by-template"}}


LADDER_OF_TWO = {(NAME, 1): v1_to_v2, (NAME, 2): v2_to_v3}


def test_data_climbs_every_step_from_its_version_on() -> None:
    old = {"event": NAME, "version": 1, "details": {"names": "x"}}
    summary = {"text": "brought up", "made": "by-template"}
    now = {"event": NAME, "version": 3, "details": {"agreement": "x"}, "summary": summary}
    assert upcast(NAME, 1, old, LADDER_OF_TWO) == (NAME, 3, now)
    assert upcast(NAME, 2, {"details": {}}, LADDER_OF_TWO)[1] == 3
    assert old == {"event": NAME, "version": 1, "details": {"names": "x"}}


def test_data_of_todays_version_comes_back_untouched() -> None:
    now = {"event": NAME, "version": 3}
    name, version, data = upcast(NAME, 3, now, LADDER_OF_TWO)
    assert (name, version) == (NAME, 3)
    assert data is now


def test_every_older_version_in_the_catalogue_has_its_step_and_no_step_leads_nowhere() -> None:
    wanted = {
        (name, version) for name, kind in KINDS.items() for version in versions_of(name) if version < kind.version
    }
    assert set(LADDER) == wanted


def test_both_doors_use_the_ladder_and_the_bytes_stay_as_they_came(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admission.admit([police.seal("agreement-given", id="a1")], police.source)
    (child,) = hub.register().children()
    agreement = {"source": police.source, "id": "a1"}

    def names_the_agreement(old: Data) -> dict[str, Any]:
        return {**old, "details": {**old["details"], "agreement": agreement}}

    monkeypatch.setitem(LADDER, (NAME, 1), names_the_agreement)
    details = {"by": "mother", "agreement": {"source": police.source, "id": "unknown"}}
    hub.admission.admit([police.seal(NAME, details=details)], police.source)
    fact = list(hub.record.facts(child))[-1]
    assert fact.remarks == ()  # the door in judged it by today's contract
    assert (fact.version, fact.data["version"], fact.data["details"]["agreement"]) == (2, 2, agreement)
    assert hub.record.child(child).agreements[police.source, "a1"].state == "withdrawn"
    stored = list(hub.record.recorder.select_events(child))[-1]
    row: Any = hub.record.mapper.to_domain_event(stored)
    assert stored.topic == row.topic == f"{NAME}/v1"
    assert json.loads(row.data)["details"] == details
