"""What stands beside an entry: its correction, and the words of whoever says that it is not right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.casework import Misfit
from hub.disclosure import Ask
from tests.hub.conftest import Agency, only_child

WORDS = "The girls were at their aunt's that night. Nobody asked me."


@pytest.fixture
def told(hub: Hub, police: Agency, staff: Callable[..., str]) -> Hub:
    hub.admission.admit([police.seal(id="e1"), police.seal(id="e2")], police.source)
    staff("mira", "teamManager")
    staff("ottoline", "allocatedSocialWorker")
    child = str(only_child(hub))
    worker = {"person": "ottoline", "role": "allocatedSocialWorker"}
    hub.casework.record("mira", {"event": "worker-allocated", "child": child, "details": worker})
    hub.casework.record("mira", {"event": "s47-started", "child": child, "details": {}})
    staff("juno", "schoolLead", "tarnwhistle-academy")
    return hub


def read(hub: Hub, person: str = "ottoline", purpose: str = "s47") -> dict[str, dict[str, Any]]:
    """A reader's entries by their names."""
    body = hub.disclosure.chronology(Ask(person=person, child=only_child(hub), purpose=purpose)).body
    return {one["ref"]: one for one in json.loads(body)["entries"]}


def dispute(hub: Hub, ref: str, **members: Any) -> None:
    hub.casework.record(
        "ottoline",
        {"event": "accuracy-disputed", "child": str(only_child(hub)), "references": [{"ref": ref, "as": "about"}],
         "adults_account": WORDS, "details": {"by": "mother"}, **members},
    )  # fmt: skip


def test_a_parents_words_stand_beside_the_entry_and_change_nothing_in_it(told: Hub) -> None:
    before = read(told)
    disputed = next(ref for ref, one in before.items() if one["event"] == "domestic-abuse-incident")
    dispute(told, disputed)
    after = read(told)
    (words,) = [one for one in after.values() if one["event"] == "accuracy-disputed"]
    assert (words["beside"], words["adults_account"], words["details"]["by"]) == ([disputed], WORDS, "mother")
    assert after[disputed]["marks"] == [*before[disputed].get("marks", ()), "disputed"]
    before[disputed]["marks"] = after[disputed]["marks"]
    assert {ref: after[ref] for ref in before} == before


def test_a_dispute_about_what_a_reader_does_not_see_is_not_seen_either(told: Hub, police: Agency) -> None:
    hidden = police.seal(id="h1", label={"level": "V", "handling": ["protectedSource"]})
    told.admission.admit([hidden], police.source)
    references = [{"source": police.source, "id": "h1", "as": "about"}]
    before = read(told)
    told.casework.record(
        "ottoline",
        {"event": "accuracy-disputed", "child": str(only_child(told)), "references": references,
         "childs_words": "That is not true.", "details": {"by": "child"}},
    )  # fmt: skip
    assert {ref: one for ref, one in read(told).items() if one["event"] != "accuracy-disputed"} == before


def test_a_correction_stands_beside_what_it_corrects(told: Hub, police: Agency) -> None:
    references = [{"source": police.source, "id": "e1", "as": "corrects"}]
    told.admission.admit([police.seal("correction-made", references=references)], police.source)
    shown = read(told)
    (correction,) = [one for one in shown.values() if one["event"] == "correction-made"]
    (old,) = correction["beside"]
    assert "corrected" in shown[old]["marks"]


def test_an_entry_is_named_only_as_ones_own_answers_call_it(told: Hub) -> None:
    others = next(iter(read(told)))
    with pytest.raises(Misfit, match="references"):
        dispute(told, "0" * 20)
    entry = {"event": "accuracy-disputed", "child": str(only_child(told)), "details": {"by": "child"},
             "childs_words": "No.", "references": [{"ref": others, "as": "about"}]}  # fmt: skip
    with pytest.raises(Misfit, match="references"):
        told.casework.record("juno", entry)
