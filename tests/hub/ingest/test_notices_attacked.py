"""Whoever would learn from notices what is not theirs, silence a school or have it told wrongly."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from hub.bootstrap import Hub
from tests.hub.ingest.conftest import CHILD, LARKBECK, TARNWHISTLE, addressed, kinds, of_own, said_by, service, told

# -- who has the child on roll

CLUB = said_by("club", "voluntary sector")


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("joined-roll", CLUB),
        ("joined-roll", said_by("club", "a school")),
        ("joined-roll", said_by("ghost-school", "a school")),
        ("home-education-began", CLUB),
    ],
)
def test_attack_who_is_no_school_says_that_it_has_the_child_and_silences_the_school(
    hub: Hub, police: Any, school: Any, club: Any, admit: Any, kind: str, by: dict[str, Any]
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(club, kind, said_by=by)
    admit(police, "domestic-abuse-incident")
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]
    assert kinds(hub, police) == []


def test_attack_a_club_says_that_the_child_left_its_school(
    hub: Hub, police: Any, school: Any, club: Any, admit: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(club, "left-roll", said_by=CLUB)
    admit(police, "domestic-abuse-incident")
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]


def test_attack_a_former_school_that_corrects_an_old_date_takes_no_notices(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any
) -> None:
    admit(school, "joined-roll", id="j1", said_by=said_by(LARKBECK))
    admit(school, "left-roll", said_by=said_by(LARKBECK))
    admit(other_school, "joined-roll", said_by=said_by(TARNWHISTLE))
    admit(
        school, "joined-roll", said_by=said_by(LARKBECK), change="replaces",
        references=of_own(school, "j1", "replaces"),
    )  # fmt: skip
    admit(police, "domestic-abuse-incident")
    admit(police, "protective-condition-set")
    assert kinds(hub, school) == kinds(hub, police) == []
    assert kinds(hub, other_school) == [("domestic-abuse-notice", ""), ("condition-started", "")]


# -- one that replaces another


@pytest.mark.parametrize("at_once", [True, False])
def test_attack_a_notice_that_replaces_one_to_the_wrong_school_reaches_nobody(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any, at_once: bool
) -> None:
    admit(police, "domestic-abuse-notice", id="n1", addressed_to=addressed(LARKBECK))
    if not at_once:
        hub.notices.follow()
    replaces = {"change": "replaces", "references": of_own(police, "n1", "replaces")}
    admit(police, "domestic-abuse-notice", addressed_to=addressed(TARNWHISTLE, "nowhere"), **replaces)
    assert kinds(hub, other_school) == [("domestic-abuse-notice", "")]
    assert kinds(hub, police) == [("undelivered", "unknown-service")]
    assert len(kinds(hub, school)) == (0 if at_once else 1), "what is replaced before it was told is told no more"


def test_of_one_record_in_several_versions_nobody_is_told_the_same_twice(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-notice", id="n1", addressed_to=addressed(LARKBECK, "nowhere"))
    hub.notices.follow()
    for number, names in ((2, (LARKBECK, "nowhere")), (3, (TARNWHISTLE, LARKBECK, "nowhere"))):
        replaces = {"change": "replaces", "references": of_own(police, f"n{number - 1}", "replaces")}
        admit(police, "domestic-abuse-notice", id=f"n{number}", addressed_to=addressed(*names), **replaces)
        hub.notices.follow()
    assert kinds(hub, school) == kinds(hub, other_school) == [("domestic-abuse-notice", "")]
    assert kinds(hub, police) == [("undelivered", "unknown-service")]


def test_whoever_was_told_of_a_first_version_still_learns_the_name_by_the_last(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-notice", id="n1", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    right = CHILD | {"names": [{"family": "Quillfeather", "given": ["Wren"], "use": "usual"}]}
    replaces = {"change": "replaces", "references": of_own(police, "n1", "replaces")}
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK), child=right, **replaces)
    opened = hub.notices.open(school.source, notice.id, "marnie.pell")
    assert opened["child"] == {"names": right["names"]}


def test_an_incident_that_replaces_one_without_a_school_reaches_the_school_that_has_the_child_since(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-incident", id="i1")
    hub.notices.follow()
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    replaces = {"change": "replaces", "references": of_own(police, "i1", "replaces")}
    admit(police, "domestic-abuse-incident", **replaces)
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]
    assert kinds(hub, police) == [("undelivered", "ambiguous")]


# -- where a protected child is


@pytest.mark.parametrize("kind", ["protective-condition-set", "protective-condition-ended"])
def test_attack_a_condition_about_a_protected_child_brings_its_school_to_light(
    hub: Hub, police: Any, school: Any, club: Any, admit: Any, kind: str
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(police, "location-protected")
    key = next(
        one for one in hub.admission.keyring.active() if one.source == school.source and one.purpose == "transport"
    )
    hub.registration.retire(key.kid, 0, {"ada": hub.officer_key("ada")})
    admit(club, kind, said_by=CLUB)
    assert kinds(hub, club) == []
    admit(club, kind, said_by=CLUB, addressed_to=addressed("nowhere"))
    assert kinds(hub, club) == [("undelivered", "unknown-service")]


def test_the_school_of_a_protected_child_is_told_of_a_condition_all_the_same(
    hub: Hub, school: Any, club: Any, police: Any, admit: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(police, "location-protected")
    admit(club, "protective-condition-set", said_by=CLUB)
    assert kinds(hub, school) == [("condition-started", "")]


def test_attack_who_guesses_what_a_notices_id_is_made_of_finds_no_id(hub: Hub, police: Any, admit: Any) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed("nowhere"))
    (notice,) = told(hub, police)
    ((position,),) = hub.record.query("SELECT position FROM notice")
    guess = f"{position}\x1f{police.source}\x1f{notice.kind}\x1f{service('nowhere')}".encode()
    assert notice.id not in (hashlib.sha256(guess).hexdigest()[:32], hmac.digest(b"", guess, "sha256").hex()[:32])


@pytest.mark.parametrize("on_roll", [True, False])
def test_attack_a_gap_in_ones_own_cursors_says_that_another_was_told(
    hub: Hub, school: Any, club: Any, admit: Any, on_roll: bool
) -> None:
    if on_roll:
        admit(school, "joined-roll", said_by=said_by(LARKBECK))
    mine = {"child": {**CHILD, "names": [{"family": "X", "given": ["Y"], "use": "usual"}]}, "person": "mine"}
    admit(club, "domestic-abuse-notice", said_by=CLUB, addressed_to=addressed("nowhere"), **mine)
    admit(club, "protective-condition-set", said_by=CLUB)
    admit(club, "domestic-abuse-notice", said_by=CLUB, addressed_to=addressed("nowhere"), **mine)
    assert [one.cursor for one in told(hub, club)] == [1, 2]


# -- by which name

NUMBER = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9991204318", "verified": True}]
BARE = {"identifiers": NUMBER, "birth_date": {"date": "2014-05-17"}}


def named(preferred: str) -> dict[str, Any]:
    return {
        **BARE, "names": [{"family": "Quillfeather", "given": ["Wrenna"], "preferred": preferred, "use": "official"}],
    }  # fmt: skip


def opened_name(hub: Hub, agency: Any) -> str:
    """By which name the one notice of this agency names the child; "" by none."""
    (notice,) = told(hub, agency)
    child = hub.notices.open(agency.source, notice.id, "marnie.pell").get("child", {})
    return str(child["names"][0]["preferred"]) if "names" in child else ""


def test_attack_opening_a_notice_gives_the_name_of_a_wrong_child_that_was_taken_back(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-incident", child=named("Wren"), addressed_to=addressed(LARKBECK))
    admit(police, "domestic-abuse-incident", id="w1", child=named("Mistaken"))
    mistaken = {"child": named("Mistaken too"), "change": "replaces", "references": of_own(police, "w1", "replaces")}
    admit(police, "domestic-abuse-incident", id="w2", **mistaken)
    taken = {"change": "retracts", "references": of_own(police, "w1", "retracts"), "details": {"reason": "wrong-child"}}
    admit(police, "retraction-made", child=BARE, **taken)
    admit(police, "domestic-abuse-notice", child=BARE, addressed_to=addressed(LARKBECK))
    assert opened_name(hub, school) == "Wren"


def test_attack_opening_a_notice_gives_a_name_that_only_intelligence_has(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-incident", child=named("Wren"), incident="other")
    admit(police, "intelligence-held", child=named("Ghost"))
    admit(police, "domestic-abuse-notice", child=BARE, addressed_to=addressed(LARKBECK))
    assert opened_name(hub, school) == "Wren"


def test_attack_opening_a_notice_gives_a_name_that_another_agency_alone_knows(
    hub: Hub, police: Any, school: Any, club: Any, admit: Any
) -> None:
    admit(club, "domestic-abuse-incident", child=named("Hidden"), said_by=CLUB)
    admit(police, "domestic-abuse-notice", child=BARE, addressed_to=addressed(LARKBECK))
    assert opened_name(hub, school) == ""


def test_a_person_who_asks_of_a_child_means_it_by_the_name_that_the_chronology_knows(
    hub: Hub, police: Any, school: Any, admit: Any, note: Any
) -> None:
    admit(police, "domestic-abuse-incident", child=named("Wren"))
    admit(police, "intelligence-held", child=named("Ghost"))
    note("contact-received", addressed_to=addressed(LARKBECK), asked="What do you know?", details={})
    assert opened_name(hub, school) == "Wren"
