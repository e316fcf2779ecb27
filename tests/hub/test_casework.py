"""Who may record what at the people's door, and what the hub fills in so that nobody can claim it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest

from hub.bootstrap import Hub
from hub.casework import Misfit, NotYours
from hub.disclosure import Ask, NoAnswer
from hub.domain.facts import Fact
from hub.store.streams import IDENTITY, SOURCES, staff_stream
from schemas.envelope import SigningKey

S = "urn:safeguarding:service:"
TWIN = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}
SERVICE = {"person": "fenn", "role": "frontDoor", "service": S + "harrowmere-childrens-services", "from": "2024-01-01"}


@pytest.fixture
def child(hub: Hub, police: Any) -> UUID:
    hub.admission.admit([police.seal()], police.source)
    return hub.register().children()[0]


@pytest.fixture
def two(hub: Hub, police: Any, child: UUID) -> tuple[UUID, UUID]:
    hub.admission.admit([police.seal(child=TWIN, person="p2")], police.source)
    _, other = hub.register().children()
    return child, other


def entry(child: UUID | str, event: str = "child-seen", **members: Any) -> dict[str, Any]:
    return {"event": event, "child": str(child), "details": {}, **members}


def last(hub: Hub, stream: UUID) -> Fact:
    return list(hub.record.facts(stream))[-1]


def refused(hub: Hub, person: str, what: Mapping[str, Any], role: str = "") -> str:
    """The broken rule, and that nothing was recorded."""
    before = hub.record.position()
    with pytest.raises(NotYours) as error:
        hub.casework.record(person, what, role=role)
    assert hub.record.position() == before
    return str(error.value)


def misfit(hub: Hub, person: str, what: Mapping[str, Any]) -> str:
    before = hub.record.position()
    with pytest.raises(Misfit) as error:
        hub.casework.record(person, what)
    assert hub.record.position() == before
    return str(error.value)


# --- who says so ------------------------------------------------------------------------------------------------------


def test_the_author_is_the_person_and_role_and_service_come_from_their_standing(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    claimed = {
        "service": S + "northmarch-police", "service_name": "Police", "service_kind": "police",
        "author": {"person": "somebody else", "role": "teamManager", "name": "Fenn Okoro-Dale"},
        "statement": "opinion", "basis": "assessment",
    }  # fmt: skip
    done = hub.casework.record("fenn", entry(child, said_by=claimed))
    fact = last(hub, child)
    assert fact.data["said_by"] == {
        "service": S + "harrowmere-childrens-services", "service_name": "harrowmere-childrens-services",
        "service_kind": "another service", "statement": "opinion", "basis": "assessment",
        "author": {"person": "fenn", "role": "allocatedSocialWorker"},
    }  # fmt: skip
    assert (fact.source, fact.id) == (done.source, done.id)


def test_a_services_name_and_kind_are_the_partnerships_own(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    listed = '{"%sharrowmere-childrens-services": {"name": "Harrowmere", "kind": "council"}}' % S  # noqa: UP031
    (hub.settings.home / "services.json").write_text(listed)
    hub.casework.record("fenn", entry(child))
    said = last(hub, child).data["said_by"]
    assert (said["service_name"], said["service_kind"]) == ("Harrowmere", "council")


def test_a_person_of_two_roles_says_in_which_they_act(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    staff("fenn", "frontDoor")
    staff("fenn", "outOfHours", "harrowmere-emergency-duty")
    hub.casework.record("fenn", entry(child), role="outOfHours")
    assert last(hub, child).data["said_by"]["author"]["role"] == "outOfHours"
    assert refused(hub, "fenn", entry(child), role="teamManager") == "NoRoleHeldToday"


def test_it_happened_now_unless_the_entry_says_when(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    hub.casework.record("fenn", entry(child))
    assert last(hub, child).data["happened"] == {
        "from": "2025-03-03T12:00:00Z",
        "precision": "instant",
        "zone": "source",
    }
    happened = {"from": "2025-02-28", "precision": "day", "zone": "none"}
    hub.casework.record("fenn", entry(child, happened=happened))
    assert last(hub, child).data["happened"] == happened


# --- who may ----------------------------------------------------------------------------------------------------------


def test_who_holds_no_role_today_records_nothing(hub: Hub, child: UUID) -> None:
    assert refused(hub, "nobody", entry(child)) == "NoRoleHeldToday"


@pytest.mark.parametrize("role", ["caseAuditor", "practiceReviewer", "inspector", "analyst", "parent", "child"])
def test_who_reads_or_counts_does_not_write(hub: Hub, child: UUID, staff: Callable[..., str], role: str) -> None:
    staff("isla", role)
    assert refused(hub, "isla", entry(child)) == "ReadersDoNotWrite"


def test_a_steward_settles_and_adds_nothing_to_a_childs_record(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("bram", "steward")
    assert refused(hub, "bram", entry(child)) == "StewardsOnlySettle"


@pytest.mark.parametrize(
    "event", ["role-held", "role-ended", "training-recorded", "conflict-declared", "conflict-ended"]
)
def test_only_officers_register_staff(hub: Hub, staff: Callable[..., str], event: str) -> None:
    staff("ottoline", "teamManager")
    details = {"person": "fenn", "role": "frontDoor", "service": S + "x"}
    assert refused(hub, "ottoline", {"event": event, "details": details}) == "OnlyOfficersRegisterStaff"


def test_an_officer_records_as_an_officer_of_the_partnership(hub: Hub) -> None:
    hub.casework.record("ada", {"event": "role-held", "details": SERVICE})
    said = last(hub, staff_stream("fenn")).data["said_by"]
    assert (said["service"], said["author"]) == (S + "partnership", {"person": "ada", "role": "officer"})


def test_anybody_declares_their_own_conflict_as_themselves_and_nobody_elses(
    hub: Hub, child: UUID, staff: Callable[..., str]
) -> None:
    staff("hesper", "schoolLead", "tarnwhistle-academy")
    own = {"event": "conflict-declared", "details": {"person": "hesper", "child": str(child)}}
    hub.casework.record("hesper", own)
    fact = last(hub, staff_stream("hesper"))
    assert fact.data["said_by"]["author"] == {"person": "hesper", "role": "schoolLead"}
    assert fact.data["said_by"]["service"] == S + "tarnwhistle-academy"
    others = {"event": "conflict-declared", "details": {"person": "fenn", "child": str(child)}}
    assert refused(hub, "hesper", others) == "OnlyOfficersRegisterStaff"
    assert refused(hub, "hesper", {**own, "event": "conflict-ended"}) == "OnlyOfficersRegisterStaff"


# --- what an entry must be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"event": "not-thought-of"}, "event"),
        ({"event": ["child-seen"]}, "event"),
        ({"version": 1}, "version"),
        ({"partnership": "urn:safeguarding:partnership:elsewhere"}, "partnership"),
        ({"origin": {}}, "origin"),
        ({"child": ""}, "child"),
        ({"child": "wrenna"}, "child"),
        ({"child": {"names": []}}, "child"),
        ({"said_by": "me"}, "said_by"),
        ({"said_by": {"author": "me"}}, "said_by"),
        ({"details": []}, "details"),
        ({"details": {"nonsense": 1}}, "/details"),
        ({"happened": {"from": "2025-02-30", "precision": "day", "zone": "none"}}, "/happened"),
        ({"unknown": True}, "/"),
    ],
)
def test_what_does_not_fit_is_named_by_its_member_and_not_recorded(
    hub: Hub, child: UUID, staff: Callable[..., str], change: dict[str, Any], member: str
) -> None:
    staff("fenn", "allocatedSocialWorker")
    found = misfit(hub, "fenn", entry(child) | change)
    assert found.split(":")[0].startswith(member)


def test_a_misfit_says_nothing_of_what_was_written(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    staff("fenn", "allocatedSocialWorker")
    assert "Quillfeather" not in misfit(hub, "fenn", entry(child, details={"Quillfeather": "Quillfeather"}))


def test_an_entry_about_a_child_that_the_hub_never_knew_waits_in_quarantine(
    hub: Hub, staff: Callable[..., str]
) -> None:
    staff("fenn", "allocatedSocialWorker")
    done = hub.casework.record("fenn", entry(uuid.uuid4()))
    assert (done.receipt.outcome, done.receipt.reason) == ("quarantined", "unknown-child")
    assert hub.register().children() == []


# --- identity settled -------------------------------------------------------------------------------------------------


def say_same(hub: Hub, way: str, one: UUID, other: UUID) -> None:
    """The steward's word by its own command, or written as an entry by hand."""
    if way == "settle":
        hub.casework.settle("bram", "identity-same", one, other, "confirmed")
    else:
        details = {"children": [str(one), str(other)]}
        hub.casework.record("bram", {"event": "identity-same", "details": details}, role="steward")


def test_a_steward_settles_who_is_who(hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str]) -> None:
    staff("bram", "steward")
    done = hub.casework.settle("bram", "identity-same", *two, "confirmed by telephone")
    assert done.receipt.outcome == "admitted"
    assert hub.register().children() == [two[0]]
    details = last(hub, IDENTITY).data["details"]
    assert (details["why"], details["decided_by"]) == ("confirmed by telephone", "bram")
    hub.casework.settle("bram", "identity-not-same", *two, "they are brother and sister")
    assert hub.register().children() == list(two)


def test_somebody_who_is_a_steward_among_other_things_settles_as_one(
    hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str]
) -> None:
    staff("bram", "namedHealth")
    staff("bram", "steward")
    hub.casework.settle("bram", "identity-not-same", *two, "twins")
    assert last(hub, IDENTITY).data["said_by"]["author"]["role"] == "steward"


@pytest.mark.parametrize("event", ["identity-same", "identity-not-same", "identity-split", "identity-moved"])
def test_only_stewards_settle(hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str], event: str) -> None:
    staff("ottoline", "teamManager")
    details = {"children": [str(one) for one in two]}
    assert refused(hub, "ottoline", {"event": event, "details": details}) == "OnlyStewardsSettle"


@pytest.mark.parametrize("way", ["settle", "record"])
def test_who_has_read_one_of_the_two_does_not_settle_who_they_are(
    hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str], way: str
) -> None:
    staff("bram", "frontDoor")
    staff("bram", "steward")
    hub.disclosure.chronology(Ask(person="bram", child=two[1], purpose="triage", role="frontDoor"))
    with pytest.raises(NotYours, match="StewardIsNoReader"):
        say_same(hub, way, *two)
    assert hub.register().children() == list(two)


def test_who_was_answered_nothing_has_read_nothing(hub: Hub, two: tuple[UUID, UUID], staff: Callable[..., str]) -> None:
    staff("bram", "steward")
    with pytest.raises(NoAnswer):
        hub.disclosure.chronology(Ask(person="bram", child=two[0], purpose="triage"))
    assert hub.casework.settle("bram", "identity-not-same", *two, "twins").receipt.outcome == "admitted"


@pytest.mark.parametrize("way", ["settle", "record"])
def test_a_word_about_a_child_that_never_was_is_a_misfit_and_stops_nothing(
    hub: Hub, open_hub: Callable[..., Hub], two: tuple[UUID, UUID], staff: Callable[..., str], way: str
) -> None:
    staff("bram", "steward")
    stranger = uuid.uuid4()
    with pytest.raises(Misfit, match="child"):
        say_same(hub, way, two[0], stranger)
    assert open_hub().register().children() == list(two)


# --- quarantine settled -----------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(hub: Hub, police: Any) -> str:
    hub.admission.admit([police.seal(id="e1", key=SigningKey.generate())], police.source)
    (row,) = hub.admission.quarantine.list()
    return row.id


def test_a_steward_refuses_a_record_for_good(hub: Hub, waiting: str, staff: Callable[..., str]) -> None:
    staff("bram", "steward")
    receipt = hub.casework.settle_quarantine("bram", waiting, release=False, reason="the laptop was stolen")
    assert (receipt.outcome, receipt.reason) == ("refused", "key")
    assert hub.admission.quarantine.list() == []
    names = [fact.name for fact in hub.record.facts(SOURCES)]
    assert names == ["record-quarantined", "quarantine-refused", "quarantine-settled"]


def test_only_stewards_settle_quarantine_and_only_with_its_record(
    hub: Hub, waiting: str, staff: Callable[..., str]
) -> None:
    staff("ottoline", "teamManager")
    with pytest.raises(NotYours, match="OnlyStewardsSettle"):
        hub.casework.settle_quarantine("ottoline", waiting, release=True, reason="looks fine")
    staff("bram", "steward")
    released = {"event": "quarantine-released", "details": {"reason": "looks fine"}}
    assert refused(hub, "bram", released) == "QuarantineIsSettledWithItsRecord"
    assert len(hub.admission.quarantine.list()) == 1


# --- protected location -----------------------------------------------------------------------------------------------


@pytest.fixture
def hidden(hub: Hub, child: UUID, staff: Callable[..., str]) -> UUID:
    """A child whose location a school protected; nobody else is named."""
    staff("juno", "schoolLead", "tarnwhistle-academy")
    staff("colleague", "healthPractitioner", "tarnwhistle-academy")
    hub.casework.record("juno", entry(child, "location-protected", details={"reason": "fleeing-abuse"}))
    return child


def is_protected(hub: Hub, child: UUID) -> bool:
    return any(one.is_open(hub.clock()) for one in hub.disclosure.standing_of(child).protections)


@pytest.mark.parametrize("person", ["juno", "colleague", "ottoline"])
def test_a_protected_location_is_lifted_by_the_service_that_set_it_or_by_who_decides(
    hub: Hub, hidden: UUID, staff: Callable[..., str], person: str
) -> None:
    staff("ottoline", "frontDoor")
    assert is_protected(hub, hidden)
    hub.casework.record(person, entry(hidden, "location-protection-ended"))
    assert not is_protected(hub, hidden)


def test_nobody_else_lifts_a_protected_location(hub: Hub, hidden: UUID, staff: Callable[..., str]) -> None:
    staff("marit", "healthPractitioner", "fenwater-school-nursing")
    assert refused(hub, "marit", entry(hidden, "location-protection-ended")) == "OnlyWhoSetItOrDecides"
    assert is_protected(hub, hidden)


@pytest.mark.parametrize("event", ["location-protected", "retraction-made"])
def test_a_colleague_who_is_not_named_neither_names_themselves_nor_takes_the_protection_back(
    hub: Hub, hidden: UUID, event: str
) -> None:
    of = last(hub, hidden)
    as_ = "replaces" if event == "location-protected" else "retracts"
    what = entry(hidden, event, references=[{"source": of.source, "id": of.id, "as": as_}])
    what["details"] = {"reason": "refuge" if event == "location-protected" else "wrong-child"}
    assert refused(hub, "colleague", what) == "OnlyWhoMayKnowWhere"
    assert hub.casework.record("juno", what).receipt.outcome == "admitted"


def test_an_end_that_ends_nothing_is_recorded_with_a_remark(hub: Hub, child: UUID, staff: Callable[..., str]) -> None:
    staff("ottoline", "frontDoor")
    hub.casework.record("ottoline", entry(child, "location-protection-ended"))
    assert [one.code for one in last(hub, child).remarks] == ["nothing-to-lift"]
