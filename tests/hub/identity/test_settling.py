"""What a steward may say about who is who, what it does to every view, and who is kept out of what."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.casework import CannotSettle, Misfit, NotYours
from hub.disclosure import Ask, CannotBeShownComplete, NoAnswer, NoStanding
from hub.identity.settling import is_valid
from hub.store.streams import ACCESS
from tests.hub.conftest import Agency

NHS, UPN = "https://fhir.nhs.uk/Id/nhs-number", "urn:gov:dfe:upn"
ONE, ANOTHER = "9991204318", "9993189022"


def person(given: str, *numbers: tuple[str, str], born: str = "2014-05-17") -> dict[str, Any]:
    described = {
        "names": [{"family": "Quillfeather", "given": [given]}], "birth_date": {"date": born}, "sex": "2",
    }  # fmt: skip
    return described | ({"identifiers": [{"system": a, "value": b} for a, b in numbers]} if numbers else {})


def subject(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@pytest.fixture
def tell(hub: Hub, police: Agency) -> Callable[..., UUID]:
    """Tells of a child under a local id; gives the hub's id of it."""

    def one(local: str, child: dict[str, Any], *ids: str, **members: Any) -> UUID:
        for id in ids:
            hub.admission.admit([police.seal(id=id, person=local, child=child, **members)], police.source)
        found = hub.register().find(police.source, subject(local))
        assert found
        return found

    return one


@pytest.fixture
def two(tell: Callable[..., UUID]) -> tuple[UUID, UUID]:
    """Two children, each with a chronology of their own."""
    return tell("p1", person("Wrenna"), "a1", "a2"), tell("p2", person("Tobin"), "b1", "b2")


@pytest.fixture
def stewards(staff: Callable[..., str]) -> tuple[str, str]:
    staff("ottoline", "frontDoor")
    return staff("bram", "steward"), staff("juno", "steward")


def ids(hub: Hub, child: UUID, reader: str = "ottoline") -> set[str]:
    """The events that a reader's chronology of this child shows, by the access that was recorded."""
    try:
        hub.disclosure.chronology(Ask(person=reader, child=child, purpose="triage"))
    except NoAnswer:
        return set()
    last = list(hub.record.facts(ACCESS))[-1].data
    positions = {position for line in last["classes"] for position in line["entries"]}
    return {hub.record.since(position - 1, 1)[0].id for position in positions}


def refused(say: Callable[[], Any], kind: type[Exception] = CannotSettle) -> str:
    with pytest.raises(kind) as error:
        say()
    return str(error.value)


# --- the same, not the same -------------------------------------------------------------------------------------------


def test_two_persons_decide_where_two_chronologies_would_become_one(
    hub: Hub, two: tuple[UUID, UUID], stewards: tuple[str, str]
) -> None:
    first = hub.casework.settle("bram", "identity-same", *two, "confirmed by telephone")
    assert (first.waits_for, hub.register().children()) == ("another-steward", list(two))
    assert refused(lambda: hub.casework.settle("bram", "identity-same", *two, "again")) == "TwoPersonsNeeded"
    (waiting,) = hub.casework.review.items("juno", "", "triage")
    assert (waiting["kind"], waiting["said_by"]) == ("confirm", "bram")
    assert hub.casework.settle("juno", "identity-same", two[1], two[0], "I rang them too").waits_for == ""
    assert hub.register().children() == [two[0]]
    assert ids(hub, two[0]) == {"a1", "a2", "b1", "b2"}


def test_a_word_that_waits_for_another_is_taken_back_by_not_the_same(
    hub: Hub, two: tuple[UUID, UUID], stewards: tuple[str, str]
) -> None:
    hub.casework.settle("bram", "identity-same", *two, "confirmed")
    hub.casework.settle("juno", "identity-not-same", *two, "they are brother and sister")
    assert hub.casework.settle("juno", "identity-same", *two, "after all").waits_for == "another-steward"


def test_one_steward_says_whose_a_single_doubtful_record_is(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    wrenna = tell("p1", person("Wrenna", (NHS, ONE)), "a1", "a2", "a3")
    doubtful = tell("p9", person("Tobin", (NHS, ONE)), "x1")
    assert hub.casework.settle("bram", "identity-same", doubtful, wrenna, "number and birth date").waits_for == ""
    assert ids(hub, wrenna) == {"a1", "a2", "a3", "x1"}


@pytest.mark.parametrize(("system", "mine", "theirs"), [(NHS, ONE, ANOTHER), (UPN, "U999200118001", "V999200121004")])
def test_two_children_with_different_valid_numbers_of_one_system_are_never_joined(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str], system: str, mine: str, theirs: str
) -> None:
    pair = tell("p1", person("Wrenna", (system, mine)), "a1"), tell("p2", person("Wrenna", (system, theirs)), "b1")
    before = hub.record.position()
    assert refused(lambda: hub.casework.settle("bram", "identity-same", *pair, "same name")) == "TwoValidNumbers"
    assert hub.record.position() == before


def test_no_split_goes_around_two_persons_or_two_numbers(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    mine = tell("p1", person("Wrenna", (NHS, ONE)), "a0", "a1", "a2")
    theirs = tell("p2", person("Wrenna", (NHS, ANOTHER)), "b0", "b1", "b2")
    source = next(key for key in hub.register().assigned if key[1] == subject("p2"))[0]
    whole = [{"source": source, "subject": subject("p2")}]
    events = [{"source": source, "id": f"b{n}"} for n in range(3)]
    by_events = lambda: hub.casework.split("bram", theirs, "x", events=events, to=mine)  # noqa: E731
    assert refused(by_events) == "SplitToANewChildFirst"
    for event in events[:2]:
        hub.casework.move("bram", event, mine, "x")
    assert refused(lambda: hub.casework.move("bram", events[2], mine, "x")) == "SplitToANewChildFirst"
    for event in events[:2]:
        hub.casework.move("bram", event, theirs, "x")
    new = UUID(hub.casework.split("bram", theirs, "x", subjects=whole).to_child)
    assert hub.casework.settle("bram", "identity-same", mine, theirs, "x").waits_for == "another-steward"
    assert refused(lambda: hub.casework.split("bram", new, "x", subjects=whole, to=mine)) == "TwoValidNumbers"


def test_a_number_that_fails_its_own_check_keeps_nobody_apart(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    wrong = "9991204319"
    assert not is_valid(NHS, wrong)
    pair = tell("p1", person("Wrenna", (NHS, ONE)), "a1"), tell("p2", person("Wrenna", (NHS, wrong)), "b1")
    assert hub.casework.settle("bram", "identity-same", *pair, "mistyped").receipt.outcome == "admitted"


def test_a_group_is_judged_not_only_a_pair(hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]) -> None:
    a, b, c = (tell(f"p{n}", person(name), f"e{n}") for n, name in enumerate(("Wrenna", "Tobin", "Isla")))
    hub.casework.settle("bram", "identity-not-same", a, b, "brother and sister")
    hub.casework.settle("bram", "identity-same", a, c, "a nickname")
    assert refused(lambda: hub.casework.settle("bram", "identity-same", b, c, "a nickname")) == "SaidNotTheSame"
    assert refused(lambda: hub.casework.settle("bram", "identity-not-same", b, uuid.uuid4(), "x"), Misfit) == "child"


def test_not_the_same_is_said_of_the_pair_that_was_said_to_be_the_same(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    a, b, c = (tell(f"p{n}", person(name), f"e{n}") for n, name in enumerate(("Wrenna", "Tobin", "Isla")))
    hub.casework.settle("bram", "identity-same", a, b, "said")
    hub.casework.settle("bram", "identity-same", b, c, "said")
    assert refused(lambda: hub.casework.settle("bram", "identity-not-same", a, c, "x")) == "JoinedByOtherWords"


# --- split, move ------------------------------------------------------------------------------------------------------


def test_a_split_takes_a_sources_child_with_what_it_says_later(
    hub: Hub, two: tuple[UUID, UUID], tell: Callable[..., UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    for steward in stewards:
        hub.casework.settle(steward, "identity-same", *two, "confirmed")
    sent = [{"source": police.source, "subject": subject("p2")}]
    done = hub.casework.split("bram", two[0], "the school sees two children", subjects=sent)
    new = UUID(done.to_child)
    tell("p2", person("Tobin"), "b3")
    assert (ids(hub, two[0]), ids(hub, new)) == ({"a1", "a2"}, {"b1", "b2", "b3"})
    hub.casework.split("bram", new, "they are one after all", subjects=sent, to=two[0])
    assert ids(hub, two[0]) == {"a1", "a2", "b1", "b2", "b3"}
    assert new not in hub.register().children()


def test_a_moved_event_stands_with_the_other_child_and_goes_back_by_the_reverse(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    event = {"source": police.source, "id": "a1"}
    hub.casework.move("bram", event, two[1], "the given name is the brother's")
    assert (ids(hub, two[0]), ids(hub, two[1])) == ({"a2"}, {"a1", "b1", "b2"})
    assert hub.view.rebuild()
    assert (ids(hub, two[0]), ids(hub, two[1])) == ({"a2"}, {"a1", "b1", "b2"})
    hub.casework.move("bram", event, two[0], "no, it is hers")
    assert (ids(hub, two[0]), ids(hub, two[1])) == ({"a1", "a2"}, {"b1", "b2"})


def test_a_retraction_reaches_a_moved_event_where_it_stands(
    hub: Hub, two: tuple[UUID, UUID], tell: Callable[..., UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    hub.casework.move("bram", {"source": police.source, "id": "a1"}, two[1], "the brother's")
    references = [{"source": police.source, "id": "a1", "as": "retracts"}]
    wrong = police.seal(
        "retraction-made", person="p1", child=person("Wrenna"), references=references, details={"reason": "wrong-child"}
    )
    hub.admission.admit([wrong], police.source)
    assert (ids(hub, two[0]), ids(hub, two[1])) == ({"a2"}, {"b1", "b2"})


def test_single_events_split_off_begin_a_child(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    done = hub.casework.split("bram", two[0], "a cousin", events=[{"source": police.source, "id": "a2"}])
    assert (ids(hub, two[0]), ids(hub, UUID(done.to_child))) == ({"a1"}, {"a2"})


def test_whoever_declared_a_conflict_with_a_child_has_it_with_what_was_split_off(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    declared = {"person": "ottoline", "child": str(two[0])}
    hub.casework.record("ada", {"event": "conflict-declared", "details": declared})
    done = hub.casework.split("bram", two[0], "a cousin", events=[{"source": police.source, "id": "a2"}])
    assert ids(hub, UUID(done.to_child)) == set()


def test_a_protected_location_holds_for_what_is_split_off_until_somebody_ends_it(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    details = {"reason": "fleeing-abuse"}
    hub.casework.record("ottoline", {"event": "location-protected", "child": str(two[0]), "details": details})
    done = hub.casework.split("bram", two[0], "a cousin", events=[{"source": police.source, "id": "a2"}])
    new = UUID(done.to_child)
    (held,) = hub.disclosure.standing_of(new).protections
    assert held.until is None
    ended = {"event": "location-protection-ended", "child": str(new), "details": {"reason": "she was never with them"}}
    hub.casework.record("ottoline", ended)
    assert hub.disclosure.standing_of(new).protections[0].until is not None
    assert hub.disclosure.standing_of(two[0]).protections[0].until is None


def test_what_a_split_may_not_say_is_refused_by_name(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str], staff: Callable[..., str]
) -> None:
    mine, theirs = ([{"source": police.source, "subject": subject(name)}] for name in ("p1", "p2"))
    split = hub.casework.split
    assert refused(lambda: split("bram", two[0], "x")) == "NothingGoes"
    assert refused(lambda: split("bram", two[0], "x", subjects=theirs)) == "NotThisChilds"
    assert refused(lambda: split("bram", two[0], "x", subjects=mine, to=two[0])) == "SameChild"
    assert refused(lambda: split("bram", two[0], "x", subjects=mine, to=two[1])) == "SplitToANewChildFirst"
    assert refused(lambda: split("bram", two[0], "x", subjects=mine, to=uuid.uuid4()), Misfit) == "child"
    unheard = [{"source": police.source, "id": "zz"}]
    assert refused(lambda: split("bram", two[0], "x", events=unheard)) == "NotThisChilds"
    staff("fenn", "allocatedSocialWorker")
    seen = hub.casework.record("fenn", {"event": "child-seen", "child": str(two[0]), "details": {}})
    peoples = [{"source": seen.source, "subject": hub.admission.resolver.subject_of(seen.source, seen.id) or ""}]
    assert refused(lambda: split("bram", two[0], "x", subjects=peoples)) == "PeoplesEntriesGoOneByOne"


def test_what_a_move_may_not_say_is_refused_by_name(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    event = {"source": police.source, "id": "a1"}
    assert refused(lambda: hub.casework.move("bram", event, two[0], "x")) == "SameChild"
    assert refused(lambda: hub.casework.move("bram", {**event, "id": "zz"}, two[0], "x")) == "NotThisChilds"
    assert refused(lambda: hub.casework.move("bram", event, uuid.uuid4(), "x"), Misfit) == "child"
    by_hand = {"event": event, "child": str(two[1]), "to_child": str(two[0])}
    written = {"event": "identity-moved", "details": by_hand}
    assert refused(lambda: hub.casework.record("bram", written)) == "NotThisChilds"


# --- remembered -------------------------------------------------------------------------------------------------------


def test_a_question_that_was_answered_is_not_put_again_and_nobody_is_joined_over_it(
    hub: Hub, tell: Callable[..., UUID], register: Callable[..., Agency], stewards: tuple[str, str]
) -> None:
    wrenna = tell("p1", person("Wrenna", (NHS, ONE)), "a1")
    doubtful = tell("p9", person("Tobin", (NHS, ONE)), "x1")
    hub.casework.settle("bram", "identity-not-same", doubtful, wrenna, "her brother, with her number")
    hospital = register("fenwater")
    for id, given in (("h1", "Tobin"), ("h2", "Wrenna")):
        hub.admission.admit([hospital.seal(id=id, person=id, child=person(given, (NHS, ONE)))], hospital.source)
    assert hub.register().open_items() == []
    assert (ids(hub, wrenna), ids(hub, doubtful)) == ({"a1", "h2"}, {"x1", "h1"})


def test_what_was_split_off_is_found_by_what_describes_it(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, register: Callable[..., Agency], stewards: tuple[str, str]
) -> None:
    address = [{"postcode": "ZZ1 4QF"}]
    hub.admission.admit([police.seal(id="c1", person="p3", child=person("Isla") | {"address": address})], police.source)
    mixed = hub.register().find(police.source, subject("p3"))
    assert mixed
    hub.casework.settle("bram", "identity-same", two[0], mixed, "a nickname")
    sent = [{"source": police.source, "subject": subject("p3")}]
    new = UUID(hub.casework.split("bram", two[0], "no nickname", subjects=sent).to_child)
    school = register("larkbeck")
    hub.admission.admit([school.seal(id="s1", person="l1", child=person("Isla") | {"address": address})], school.source)
    assert ids(hub, new) == {"c1", "s1"}


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_a_steward_gets_both_descriptions_and_what_agrees_and_contradicts(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    wrenna = tell("p1", person("Wrenna", (NHS, ONE)), "a1", "a2")
    doubtful = tell("p9", person("Tobin", (NHS, ONE)), "x1")
    (item,) = hub.casework.review.items("bram", "", "triage")
    assert (item["child"], item["names"], item["entries"]) == (str(doubtful), ["Tobin Quillfeather"], 1)
    (compared,) = item["compared"]
    assert (compared["child"], compared["names"], compared["entries"]) == (str(wrenna), ["Wrenna Quillfeather"], 2)
    assert "number" in compared["agrees"]
    assert compared["contradicts"] == ["given name"]
    assert ONE not in json.dumps(item)
    last = list(hub.record.facts(ACCESS))[-1].data
    assert (last["kind"], last["children"]) == ("identity-show", sorted([str(wrenna), str(doubtful)]))


def test_the_front_door_sees_that_a_question_waits_and_describes_nobody(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    tell("p1", person("Wrenna", (NHS, ONE)), "a1")
    tell("p9", person("Tobin", (NHS, ONE)), "x1")
    (item,) = hub.casework.review.items("ottoline", "", "triage")
    assert "Quillfeather" not in json.dumps(item)


def test_attack_a_question_names_the_front_door_no_child_of_whom_they_would_find_nothing(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    closely = {"label": {"category": "intelligence", "level": "V", "handling": ["protectedSource"]}}
    hidden = tell("p1", person("Wrenna", (NHS, ONE)), "a1", **closely)
    doubtful = tell("p9", person("Tobin", (NHS, ONE)), "x1")
    with pytest.raises(NoAnswer):
        hub.disclosure.chronology(Ask(person="ottoline", child=hidden, purpose="triage"))
    review = hub.casework.review
    (item,) = review.items("ottoline", "", "triage")
    assert (item["child"], item["candidates"]) == (str(doubtful), [])
    assert not {"agrees", "contradicts"} & item.keys(), "it would be said of the child who is kept from them"
    assert [one["child"] for one in review.children("ottoline", "", "triage")] == [str(doubtful)]
    assert [one["child"] for one in review.children("bram", "", "triage")] == [str(hidden), str(doubtful)]


def test_attack_a_question_about_a_child_of_whom_the_front_door_would_find_nothing_is_the_stewards_alone(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    closely = {"label": {"category": "intelligence", "level": "V", "handling": ["protectedSource"]}}
    tell("p1", person("Wrenna", (NHS, ONE)), "a1")
    tell("p9", person("Tobin", (NHS, ONE)), "x1", **closely)
    assert hub.casework.review.items("ottoline", "", "triage") == []
    assert len(hub.casework.review.items("bram", "", "triage")) == 1


def test_a_steward_who_declared_a_conflict_does_not_see_the_question(
    hub: Hub, tell: Callable[..., UUID], stewards: tuple[str, str]
) -> None:
    wrenna = tell("p1", person("Wrenna", (NHS, ONE)), "a1")
    tell("p9", person("Tobin", (NHS, ONE)), "x1")
    hub.casework.record("ada", {"event": "conflict-declared", "details": {"person": "bram", "child": str(wrenna)}})
    assert hub.casework.review.items("bram", "", "triage") == []
    assert len(hub.casework.review.items("juno", "", "triage")) == 1


def test_a_steward_is_shown_what_a_child_is_made_of_and_nothing_that_happened(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    shown = hub.casework.review.show("bram", "", "triage", two[0])
    (made,) = shown["subjects"]
    assert (made["source"], made["subject"], made["names"]) == (police.source, subject("p1"), ["Wrenna Quillfeather"])
    assert [one["id"] for one in made["events"]] == ["a1", "a2"]
    assert "domestic" not in json.dumps(shown)
    with pytest.raises(NoStanding):
        hub.casework.review.show("ottoline", "", "triage", two[0])
    assert hub.casework.settle("bram", "identity-not-same", *two, "whoever only looked here may settle")


def test_half_a_description_is_not_given(
    hub: Hub, two: tuple[UUID, UUID], stewards: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.store.keys import KeyAway

    def away(*_: Any, **__: Any) -> Any:
        raise KeyAway

    monkeypatch.setattr(hub.view, "rows", away)
    with pytest.raises(CannotBeShownComplete):
        hub.casework.settle("bram", "identity-same", *two, "confirmed")


def test_whoever_settled_who_a_child_is_gets_the_answer_of_an_unknown_child(
    hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("bram", "steward")
    staff("bram", "frontDoor")
    hub.casework.settle("bram", "identity-not-same", *two, "brother and sister")
    for child in two:
        with pytest.raises(NoAnswer):
            hub.disclosure.chronology(Ask(person="bram", child=child, purpose="triage", role="frontDoor"))


def test_whoever_read_a_mixed_record_settles_neither_part_of_it(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str], staff: Callable[..., str]
) -> None:
    staff("mara", "frontDoor")
    staff("mara", "steward")
    hub.casework.move("bram", {"source": police.source, "id": "a1"}, two[1], "the brother's")
    hub.disclosure.chronology(Ask(person="mara", child=two[1], purpose="triage", role="frontDoor"))
    hub.casework.move("bram", {"source": police.source, "id": "a1"}, two[0], "no, hers")
    assert refused(lambda: hub.casework.settle("mara", "identity-not-same", *two, "x"), NotYours) == "StewardIsNoReader"


# --- readers of a mixed record ----------------------------------------------------------------------------------------


def test_readers_of_a_mixed_record_are_listed_once_it_is_parted_and_no_longer_when_that_is_undone(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str], staff: Callable[..., str], clock: Any
) -> None:
    staff("marit", "frontDoor")
    for steward in stewards:
        hub.casework.settle(steward, "identity-same", *two, "confirmed")
    ids(hub, two[0])
    assert hub.casework.review.readers("juno", "", "triage", two[0]) == []
    clock.forward(days=1)
    hub.casework.settle("bram", "identity-not-same", *two, "brother and sister")
    clock.forward(days=1)
    ids(hub, two[0], "marit")
    read = hub.casework.review.readers("juno", "", "triage", two[0])
    assert {(one["reader"], one["id"], one["belongs_to"]) for one in read} == {
        ("ottoline", "b1", str(two[1])), ("ottoline", "b2", str(two[1])),
    }  # fmt: skip
    assert {one["since"][:10] for one in read} == {"2025-03-04"}
    for steward in stewards:
        hub.casework.settle(steward, "identity-same", *two, "they are one after all")
    assert hub.casework.review.mixed() == []


def test_whoever_read_an_event_that_was_moved_away_is_listed(
    hub: Hub, two: tuple[UUID, UUID], police: Agency, stewards: tuple[str, str]
) -> None:
    ids(hub, two[0])
    hub.casework.move("bram", {"source": police.source, "id": "a1"}, two[1], "the brother's")
    waiting = json.loads(hub.items.list("ottoline"))["items"]
    assert [one["child"] for one in waiting if one["kind"] == "record-mixed"] == [str(two[0])]
    (mixed,) = hub.casework.review.mixed()
    assert (mixed.reader, mixed.child, mixed.belongs_to, mixed.event[1]) == ("ottoline", two[0], two[1], "a1")


def test_where_nothing_was_parted_nobody_is_asked(hub: Hub, two: tuple[UUID, UUID], stewards: tuple[str, str]) -> None:
    hub.casework.settle("bram", "identity-not-same", *two, "brother and sister")
    assert hub.casework.review.mixed() == []
