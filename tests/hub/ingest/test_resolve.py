"""Which child an event is about, through a real hub: joined by a rule, or admitted at once and put to a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.identity.matching import HUB_CHILD
from hub.ingest import resolve
from hub.ingest.resolve import MOST_ASKED
from hub.store.keys import KeyAway
from hub.store.streams import IDENTITY
from schemas.catalogue import get_example
from schemas.compact import canonical_json
from schemas.envelope import NO_CHILD, seal

NHS, UPN = "https://fhir.nhs.uk/Id/nhs-number", "urn:gov:dfe:upn"
WRENNA_NHS, MISTYPED = "9991204318", "9993189030"
BORN = {"date": "2014-05-17"}
AT_HOME = [{"postcode": "ZZ1 4QF"}]


def described(given: str = "Wrenna", family: str = "Quillfeather", **more: Any) -> dict[str, Any]:
    """A `child` member; `nhs` and `upn` become identifiers."""
    numbers = [
        {"system": system, "value": more.pop(name)} for name, system in (("nhs", NHS), ("upn", UPN)) if name in more
    ]
    return {
        "names": [{"family": family, "given": [given], "use": "official"}], "birth_date": BORN,
        **({"identifiers": numbers} if numbers else {}), **more,
    }  # fmt: skip


POLICE_SAY = described(address=AT_HOME)
SCHOOL_SAYS = described(address=AT_HOME, upn="U999200118001")
HEALTH_SAYS = described(address=AT_HOME, nhs=WRENNA_NHS)


@pytest.fixture
def agencies(register: Callable[..., Any]) -> Callable[[str], Any]:
    """An agency by name, registered the first time that it is asked for."""
    return cache(register)


def tell(
    hub: Hub, agency: Any, child: dict[str, Any], person: str = "p1", kind: str = "concern-logged", **more: Any
) -> Any:
    (receipt,) = hub.admission.admit([agency.seal(kind, child=child, person=person, **more)], agency.source)
    return receipt


def children(hub: Hub) -> list[UUID]:
    return hub.register().children()


def rules(hub: Hub) -> list[str]:
    return [fact.data["rule"].split("/")[0] for fact in hub.record.facts(IDENTITY) if "rule" in fact.data]


def test_three_agencies_without_a_shared_number_tell_of_one_child(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    tell(hub, agencies("larkbeck"), SCHOOL_SAYS)
    tell(hub, agencies("fenwater"), HEALTH_SAYS)
    tell(hub, agencies("westlorn"), described(nhs=WRENNA_NHS), person="w9")
    assert len(children(hub)) == 1
    assert rules(hub) == ["none", "b", "b", "a"]


def test_one_batch_finds_its_own_new_child(hub: Hub, agencies: Any) -> None:
    police = agencies("northmarch")
    records = [police.seal(child=POLICE_SAY, person="p1"), police.seal(child=POLICE_SAY, person="p2")]
    hub.admission.admit(records, police.source)
    assert len(children(hub)) == 1


def test_what_a_batch_says_of_a_known_child_counts_for_the_rest_of_the_batch(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any
) -> None:
    health = agencies("fenwater")
    tell(hub, health, POLICE_SAY)
    started_later = open_hub()
    moved = described(nhs=WRENNA_NHS, family="Mosswick")
    records = [health.seal(child=HEALTH_SAYS, person="p1"), health.seal(child=moved, person="p2")]
    started_later.admission.admit(records, health.source)
    assert len(children(started_later)) == 1


def test_a_known_pseudonym_needs_no_rule(hub: Hub, agencies: Any) -> None:
    police = agencies("northmarch")
    tell(hub, police, POLICE_SAY)
    tell(hub, police, described("Anonymous", "Unknown"))
    assert len(children(hub)) == 1


def test_number_and_birth_date_with_another_given_name_waits_for_a_person_and_is_admitted_at_once(
    hub: Hub, agencies: Any
) -> None:
    tell(hub, agencies("fenwater"), HEALTH_SAYS)
    receipt = tell(hub, agencies("westlorn"), described("Tobin", nhs=WRENNA_NHS))
    assert receipt.outcome == "admitted"
    wrenna, provisional = children(hub)
    (item,) = hub.register().open_items()
    assert (item.child, item.candidates) == (provisional, (wrenna,))
    assert "given name" in item.contradicts
    assert [fact.name for fact in hub.record.facts(provisional)] == ["concern-logged"]


def test_an_urgent_kind_in_doubt_reaches_the_front_of_the_list(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("fenwater"), HEALTH_SAYS)
    tell(hub, agencies("westlorn"), described("Tobin", nhs=WRENNA_NHS), person="w1")
    tell(hub, agencies("westlorn"), described("Tobias", nhs=WRENNA_NHS), person="w2", kind="disclosure-by-child")
    assert [item.urgent for item in hub.register().open_items()] == [True, False]


def test_a_mistyped_number_that_is_another_valid_one_is_never_joined(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("fenwater"), HEALTH_SAYS)
    tell(hub, agencies("westlorn"), described(address=AT_HOME, nhs=MISTYPED))
    assert len(children(hub)) == 2
    assert hub.register().open_items()[0].contradicts == ("number",)


def test_twins_at_one_address_are_two_children_and_no_question(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY, person="p1")
    tell(hub, agencies("northmarch"), described("Tobin", address=AT_HOME), person="p2")
    assert len(children(hub)) == 2
    assert hub.register().open_items() == []


def test_two_children_that_both_match_are_put_to_a_person(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    tell(hub, agencies("fenwater"), described(nhs=WRENNA_NHS))
    assert len(children(hub)) == 2
    tell(hub, agencies("larkbeck"), described(address=AT_HOME, nhs=WRENNA_NHS, upn="U999200118001"))
    assert {len(item.candidates) for item in hub.register().open_items()} == {1, 2}


def test_attack_swelling_the_record_with_many_pseudonyms_of_one_name_and_birth_date(hub: Hub, agencies: Any) -> None:
    police, nobody = agencies("northmarch"), described("Ann", "Smith")
    raws = [police.seal("concern-logged", child=nobody, person=f"s{n}") for n in range(150)]
    for start in range(0, 150, 50):
        receipts = hub.admission.admit(raws[start : start + 50], police.source)
        assert {one.outcome for one in receipts} == {"admitted"}
    items = hub.register().open_items()
    assert len(children(hub)) == 150
    assert max(len(item.candidates) for item in items) == MOST_ASKED
    assert sorted(len(item.candidates) + item.more for item in items) == list(range(1, 150)), "nobody is forgotten"


def test_a_question_names_first_whom_the_most_agrees_with_however_many_there_are(hub: Hub, agencies: Any) -> None:
    police = agencies("northmarch")
    for n in range(25):
        tell(hub, police, described(sex="1"), person=f"s{n}")
    tell(hub, police, described(sex="2"), person="best")
    best = children(hub)[-1]
    tell(hub, agencies("larkbeck"), described(sex="2"), person="asked")
    asked = hub.register().open_items()[-1]
    assert (asked.candidates[0], len(asked.candidates), asked.more) == (best, MOST_ASKED, 6)


def test_who_is_the_same_is_found_behind_any_number_of_others_of_whom_people_said_that_they_are_not(
    hub: Hub, agencies: Any, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "MOST_COMPARED", 1)
    police = agencies("northmarch")
    for n in range(3):
        tell(hub, police, described(), person=f"s{n}")
    tell(hub, police, POLICE_SAY, person="right")
    *others, right = children(hub)
    steward = staff("bram", "steward")
    for one in others:
        hub.casework.settle(steward, "identity-not-same", one, right, "both were seen")
    tell(hub, agencies("larkbeck"), SCHOOL_SAYS, person="asked")
    assert len(children(hub)) == 4


def test_the_peoples_door_names_the_child_by_the_hubs_id(hub: Hub, agencies: Any, staff: Callable[..., str]) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    (child,) = children(hub)
    worker = staff("fenn", "allocatedSocialWorker")
    done = hub.casework.record(worker, {"event": "child-seen", "child": str(child), "details": {}})
    assert done.receipt.outcome == "admitted"
    assert [fact.name for fact in hub.record.facts(child)][-1] == "child-seen"


def test_an_agencys_word_about_the_hubs_own_ids_is_not_honoured(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    (wrenna,) = children(hub)
    claimed = {"identifiers": [{"system": HUB_CHILD, "value": str(wrenna), "verified": True}]}
    tell(hub, agencies("stranger"), claimed, person="x1")
    tell(hub, agencies("stranger"), described() | claimed, person="x2")
    assert len(children(hub)) == 3


def test_an_entry_about_a_child_that_was_joined_stands_under_its_own_id_and_is_read_with_the_other(
    hub: Hub, agencies: Any, staff: Callable[..., str]
) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    tell(hub, agencies("fenwater"), described(nhs=WRENNA_NHS))
    older, younger = children(hub)
    hub.casework.settle(staff("bram", "steward"), "identity-same", older, younger, "confirmed by telephone")
    worker = staff("fenn", "allocatedSocialWorker")
    hub.casework.record(worker, {"event": "child-seen", "child": str(younger), "details": {}})
    assert [fact.name for fact in hub.record.facts(younger)][-1] == "child-seen"
    hub.view.catch_up()
    assert "child-seen" in {row.fact.name for row in hub.disclosure.rows(hub.register(), older)}


def test_a_retracted_description_matches_nobody_any_more(hub: Hub, agencies: Any) -> None:
    infirmary = agencies("westlorn")
    tell(hub, infirmary, described(nhs=WRENNA_NHS), id="e1")
    references = [{"source": infirmary.source, "id": "e1", "as": "retracts"}]
    wrong = {"details": {"reason": "wrong-child"}, "references": references}
    tell(hub, infirmary, described(nhs=WRENNA_NHS), kind="retraction-made", **wrong)
    tell(hub, agencies("fenwater"), HEALTH_SAYS)
    assert len(children(hub)) == 2
    assert hub.register().open_items() == []


def test_nobody_takes_back_what_another_source_says_of_a_child(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("fenwater"), HEALTH_SAYS, id="e1")
    references = [{"source": agencies("fenwater").source, "id": "e1", "as": "retracts"}]
    school = agencies("larkbeck")
    wrong = {"details": {"reason": "wrong-child"}, "references": references}
    tell(hub, school, described(address=AT_HOME), kind="retraction-made", **wrong)
    tell(hub, agencies("westlorn"), described(nhs=WRENNA_NHS))
    assert len(children(hub)) == 1


def test_an_event_about_a_child_without_a_pseudonym_is_set_aside(hub: Hub, agencies: Any) -> None:
    police = agencies("northmarch")
    data = get_example("concern-logged", 1) | {"partnership": hub.charter.partnership}
    raw = seal(
        canonical_json(data), key=police.key, source=police.source, event_id="e1", subject=NO_CHILD, time=None,
        recordedtime="2025-03-03T11:59:00Z", sequence=1, prevdigest="", salt=bytes(32),
    )  # fmt: skip
    (receipt,) = hub.admission.admit([raw], police.source)
    assert (receipt.outcome, receipt.reason) == ("quarantined", "no-subject")


def test_a_child_id_is_random_and_says_nothing(hub: Hub, agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    assert children(hub)[0].version == 4


def test_a_hub_that_starts_again_knows_the_same_children(hub: Hub, open_hub: Callable[..., Hub], agencies: Any) -> None:
    tell(hub, agencies("northmarch"), POLICE_SAY)
    tell(hub, agencies("fenwater"), described("Tobin", nhs=WRENNA_NHS))
    again = open_hub()
    assert again.register() == hub.register()
    tell(again, agencies("larkbeck"), SCHOOL_SAYS)
    assert len(children(again)) == 2


def test_what_another_process_was_told_of_a_child_counts_here_too(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any
) -> None:
    police, other = agencies("northmarch"), open_hub()
    tell(hub, police, POLICE_SAY)
    tell(other, police, HEALTH_SAYS)
    tell(hub, agencies("westlorn"), described(nhs=WRENNA_NHS), person="w9")
    assert len(children(hub)) == 1
    assert rules(hub) == ["none", "a"]


def test_words_that_another_process_saw_taken_back_count_again_when_they_are_said_again(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any
) -> None:
    police, other = agencies("northmarch"), open_hub()
    tell(hub, police, POLICE_SAY)
    mistaken = tell(hub, police, HEALTH_SAYS)
    retraction = {"references": [{"source": police.source, "id": mistaken.id, "as": "retracts"}], "change": "retracts"}
    tell(other, police, POLICE_SAY, kind="retraction-made", **retraction)
    tell(hub, agencies("westlorn"), POLICE_SAY, person="w9")  # what describes the child is read again for it
    tell(hub, police, HEALTH_SAYS)
    tell(hub, agencies("fenwater"), described(nhs=WRENNA_NHS), person="f1")
    assert len(children(hub)) == 1
    assert rules(hub) == ["none", "b", "a"]


def test_whom_another_process_was_told_of_is_read_at_once_for_a_batch(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    police, school, other = agencies("northmarch"), agencies("larkbeck"), open_hub()
    many = [described(f"Given{number}", address=AT_HOME) for number in range(10)]
    other.admission.admit(
        [police.seal(child=one, person=f"p{number}") for number, one in enumerate(many)], police.source
    )
    hub.admission.catch_up()
    whole, read = hub.record.facts, []
    monkeypatch.setattr(hub.record, "facts", lambda stream, **more: read.append(stream) or whole(stream, **more))
    records = [school.seal(child=one, person=f"s{number}") for number, one in enumerate(many)]
    hub.admission.admit(records, school.source)
    assert len(children(hub)) == 10
    assert not set(read) & set(children(hub))


def test_a_key_that_is_away_stops_only_who_is_compared_with_that_child(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any
) -> None:
    police, other = agencies("northmarch"), open_hub()
    tell(other, police, POLICE_SAY)
    tell(other, police, described("Tobin", family="Mosswick", address=AT_HOME), person="p2")
    hub.admission.catch_up()
    wrenna = children(hub)[0]
    key = other.record.keys._db.query("SELECT stream, wrapped FROM stream_key WHERE stream=?", (wrenna.hex,))[0]
    with other.record.keys._db.transaction() as keys:
        keys.execute("DELETE FROM stream_key WHERE stream=?", (wrenna.hex,))
    tell(hub, agencies("westlorn"), described("Tobin", family="Mosswick", address=AT_HOME), person="w2")
    assert len(children(hub)) == 2
    with pytest.raises(KeyAway):
        tell(hub, agencies("westlorn"), POLICE_SAY, person="w1")
    with other.record.keys._db.transaction() as keys:
        keys.insert("stream_key", [key])
    tell(hub, agencies("westlorn"), POLICE_SAY, person="w1")
    assert len(children(hub)) == 2


def refers(agency: Any, event: str, how: str) -> dict[str, Any]:
    return {"references": [{"source": agency.source, "id": event, "as": how}]}


def with_a_moved_event(hub: Hub, agencies: Any, staff: Callable[..., str]) -> tuple[Any, UUID, UUID]:
    """Two children; the police's event e2 about the first was moved to the second, whose words it has."""
    police, other_words = agencies("northmarch"), described(family="Mosswick")
    tell(hub, police, POLICE_SAY)
    tell(hub, agencies("westlorn"), other_words, person="c1")
    first, second = children(hub)
    tell(hub, police, other_words, id="e2")
    hub.casework.move(staff("bram", "steward"), {"source": police.source, "id": "e2"}, second, "other child")
    return police, first, second


def test_a_correction_of_an_event_that_was_moved_describes_the_child_to_whom_it_went(
    hub: Hub, agencies: Any, staff: Callable[..., str]
) -> None:
    police, first, second = with_a_moved_event(hub, agencies, staff)
    tell(hub, agencies("larkbeck"), POLICE_SAY, person="s1")  # so that what describes the first is held
    tell(hub, police, described(family="Mosswick", nhs=WRENNA_NHS), id="e3", **refers(police, "e2", "corrects"))
    tell(hub, agencies("fenwater"), described(nhs=WRENNA_NHS), person="f1")
    assert len(children(hub)) == 3  # the first alone would be joined by its number, and that number is not its own
    (item,) = hub.register().open_items()
    assert set(item.candidates) == {first, second}


def test_what_is_taken_back_of_a_moved_events_correction_describes_nobody(
    hub: Hub, agencies: Any, staff: Callable[..., str]
) -> None:
    police, _, _ = with_a_moved_event(hub, agencies, staff)
    numbered = described(family="Mosswick", nhs=WRENNA_NHS)
    tell(hub, police, numbered, id="e3", **refers(police, "e2", "corrects"))
    tell(hub, agencies("larkbeck"), described(family="Mosswick"), person="s1")  # so that who the second is, is held
    wrong = {"kind": "retraction-made", "details": {"reason": "wrong-child"}}
    tell(hub, police, numbered, id="e4", **wrong, **refers(police, "e3", "retracts"))
    tell(hub, agencies("fenwater"), described(nhs=WRENNA_NHS), person="f1")
    assert rules(hub)[-1] == "unsure"


def test_a_key_that_was_made_for_a_new_child_before_a_crash_is_used_by_whoever_comes_next(
    hub: Hub, open_hub: Callable[..., Hub], agencies: Any, staff: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    police, school = agencies("northmarch"), agencies("larkbeck")
    tell(hub, police, POLICE_SAY)
    tell(hub, school, SCHOOL_SAYS, person="s1")
    (one,) = children(hub)
    pseudonym = next(subject for source, subject in hub.register().assigned if source == school.source)
    split = {"child": str(one), "subjects": [{"source": school.source, "subject": pseudonym}], "why": "not hers"}
    hub.casework.record(staff("bram", "steward"), {"event": "identity-split", "details": split})
    crashes = open_hub()

    def crash(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(crashes.record.recorder, "insert_events", crash)
    with pytest.raises(OSError):
        tell(crashes, school, SCHOOL_SAYS, person="s1")
    receipt = tell(open_hub(), school, SCHOOL_SAYS, person="s1")
    assert receipt.outcome == "admitted"
