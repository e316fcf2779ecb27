"""Whom an event must be told to: at least once, without a name, and what cannot be delivered goes back at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub import bootstrap
from hub.bootstrap import Hub
from hub.disclosure import Ask
from hub.domain.facts import Fact
from hub.ingest.background import Backgrounds
from hub.ingest.notices import NoNotice, Notices
from hub.ingest.telling import tell
from hub.settings import Settings
from hub.store.streams import SOURCES
from schemas.envelope import KeyEntry
from schemas.notices import NO_SUBJECT, open_notices
from tests.hub.conftest import PARTNERSHIP, Agency
from tests.hub.ingest.conftest import CHILD, LARKBECK, TARNWHISTLE, addressed, kinds, said_by, service, told


@pytest.fixture
def open_hubs(tmp_path: Path, clock: Any, own_store: Any) -> Iterator[Callable[[str], tuple[Hub, Any]]]:
    """Two hubs that differ only in which school has the protected child on its roll; each with its police."""
    with ExitStack() as opened:

        def open_one(roll: str) -> tuple[Hub, Any]:
            made = Settings(home=tmp_path / f"hub-{roll}", demo=True)
            bootstrap.init(made, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
            hub = bootstrap.open_hub(made)
            opened.callback(hub.close)
            hub.clock = clock
            police, school = (
                Agency("urn:safeguarding:source:northmarch:live"),
                Agency(f"urn:safeguarding:source:{roll}"),
            )
            at = {"urn": service(roll), "name": roll, "kind": "a school"}
            for one, more in ((police, {}), (school, {"service": at})):
                request = {**one.request(hub.charter.hub), **more}
                hub.registration.add(request, {"ada": hub.officer_key("ada")})
            joined = school.seal("joined-roll", child=CHILD, said_by=said_by(roll), references=None)
            fled = police.seal("location-protected", child=CHILD, references=None)
            assert [
                one.outcome
                for one in (*hub.admission.admit([joined], school.source), *hub.admission.admit([fled], police.source))
            ] == ["admitted"] * 2
            return hub, police

        yield open_one


# -- domestic abuse, before the school day


def test_the_school_that_the_police_name_is_told_before_the_day_starts(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    assert (notice.kind, notice.subject, notice.about) == ("domestic-abuse-notice", NO_SUBJECT, "")
    assert notice.by_when == "2024-10-04T08:30:00+01:00"
    assert told(hub, police) == []


def test_a_child_with_many_events_is_read_once_for_all_of_them(
    hub: Hub, police: Any, admit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        admit(police, "domestic-abuse-incident")
    read: list[UUID] = []
    bearing = hub.record.bearing

    def counted(streams: Sequence[UUID], names: Collection[str], most: int) -> dict[UUID, list[Fact]]:
        read.extend(streams)
        return bearing(streams, names, most)

    monkeypatch.setattr(hub.record, "bearing", counted)
    monkeypatch.setattr(Backgrounds, "facts_of", None)  # nobody reads the child whole
    assert kinds(hub, police) == [("undelivered", "ambiguous")] * 3
    assert read == hub.register().children()


def test_a_notice_holds_no_name_place_or_source(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    told(hub, school)
    rows = str(hub.record.query('SELECT "row" FROM notice'))
    assert not any(word in rows for word in ("Wrenna", "Quillfeather", "Teasel", "northmarch", "urn:"))


def test_a_school_that_spoke_of_the_child_before_is_told_by_its_own_pseudonym(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK), person="pupil-9")
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    assert hub.register().find(school.source, notice.subject) == hub.register().children()[0]


def test_where_the_police_name_no_school_the_one_with_the_child_on_roll_today_is_told(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(school, "left-roll", said_by=said_by(LARKBECK))
    admit(other_school, "joined-roll", said_by=said_by(TARNWHISTLE))
    admit(police, "domestic-abuse-incident", incident="g1")
    assert kinds(hub, school) == []
    assert kinds(hub, other_school) == [("domestic-abuse-notice", "")]


def test_an_incident_whose_notice_names_the_school_is_told_once(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(police, "domestic-abuse-incident", incident="g1")
    admit(police, "domestic-abuse-notice", incident="g1", addressed_to=addressed(LARKBECK))
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]


@pytest.mark.parametrize("rolls", [(), (LARKBECK, TARNWHISTLE)])
def test_a_child_on_no_known_roll_or_on_two_goes_back_to_the_police_at_once(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any, rolls: tuple[str, ...]
) -> None:
    for name, agency in ((LARKBECK, school), (TARNWHISTLE, other_school)):
        if name in rolls:
            admit(agency, "joined-roll", said_by=said_by(name))
    admit(police, "domestic-abuse-incident", id="pol-1")
    assert kinds(hub, police) == [("undelivered", "ambiguous")]
    assert told(hub, police)[0].about == "pol-1"
    assert kinds(hub, school) == kinds(hub, other_school) == []


def test_a_child_educated_at_home_goes_back_to_the_police(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(school, "home-education-began", said_by=said_by(LARKBECK))
    admit(police, "domestic-abuse-incident")
    assert kinds(hub, police) == [("undelivered", "home-educated")]


@pytest.mark.parametrize("kind", ["domestic-abuse-incident", "domestic-abuse-notice"])
def test_a_protected_location_goes_back_to_the_police_whichever_school_it_is(
    hub: Hub, police: Any, school: Any, admit: Any, note: Any, kind: str
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    note("location-protected", details={"reason": "fleeing-abuse"})
    admit(police, kind, **({"addressed_to": addressed(LARKBECK)} if kind == "domestic-abuse-notice" else {}))
    assert kinds(hub, police) == [("undelivered", "protected")]
    assert kinds(hub, school) == []


@pytest.mark.parametrize("kind", ["domestic-abuse-incident", "domestic-abuse-notice"])
def test_what_the_police_are_told_of_a_protected_child_does_not_depend_on_where_it_is(
    open_hubs: Callable[[str], tuple[Hub, Any]], kind: str
) -> None:
    told_of = []
    for roll in (LARKBECK, TARNWHISTLE):
        hub, police = open_hubs(roll)
        named = {"addressed_to": addressed(roll)} if kind == "domestic-abuse-notice" else {}
        hub.admission.admit([police.seal(kind, id="p1", child=CHILD, references=None, **named)], police.source)
        told_of.append([(one.kind, one.reason, one.about, one.subject) for one in told(hub, police)])
    assert told_of[0] == told_of[1] == [("undelivered", "protected", "p1", told_of[0][0][3])]


def test_a_notice_to_a_school_that_closed_or_that_nobody_knows_goes_back_to_its_sender(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    key = next(
        one for one in hub.admission.keyring.active() if one.source == school.source and one.purpose == "transport"
    )
    hub.registration.retire(key.kid, 0, {"ada": hub.officer_key("ada")})
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    admit(police, "domestic-abuse-notice", addressed_to=addressed("nowhere"))
    assert kinds(hub, police) == [("undelivered", "closed"), ("undelivered", "unknown-service")]


def test_what_its_source_took_back_is_told_to_nobody(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(police, "domestic-abuse-notice", id="n1", addressed_to=addressed(LARKBECK))
    taken = [{"source": police.source, "id": "n1", "as": "retracts"}]
    admit(police, "retraction-made", references=taken, details={"reason": "wrong-child"})
    assert kinds(hub, school) == []


# -- conditions, agreements, questions


def test_who_has_the_child_on_roll_is_told_when_a_condition_starts_and_when_it_ends(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(police, "protective-condition-set")
    admit(police, "protective-condition-ended")
    assert [kind for kind, _ in kinds(hub, school)] == ["condition-started", "condition-ended"]


def test_services_that_an_agreement_named_are_told_that_it_was_withdrawn(
    hub: Hub, police: Any, school: Any, admit: Any, note: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    scope = {"services": [service(LARKBECK)], "purposes": ["earlyHelp"]}
    note("agreement-given", details={"kind": "engage", "by": "mother", "scope": scope})
    given = [one for one in hub.record.since(0) if one.name == "agreement-given"][-1]
    meant = {"source": given.source, "id": given.id}
    note("agreement-withdrawn", details={"agreement": meant, "by": "mother", "how": "telephone"})
    assert kinds(hub, school) == [("agreement-withdrawn", "")]


def test_a_question_to_a_service_becomes_a_request_to_its_source_by_its_own_pseudonym(
    hub: Hub, school: Any, admit: Any, note: Any
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK), person="pupil-9")
    note("contact-received", addressed_to=addressed(LARKBECK), asked="What do you know?", details={})
    ((notice),) = told(hub, school)
    assert (notice.kind, notice.reason) == ("history-asked", "")
    assert notice.subject


def test_agencies_whose_people_read_what_was_taken_back_are_told_that_it_was_removed_and_no_others(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any, staff: Callable[..., str]
) -> None:
    admit(school, "joined-roll", said_by=said_by(LARKBECK))
    admit(other_school, "joined-roll", said_by=said_by(TARNWHISTLE))
    admit(police, "domestic-abuse-incident", id="wrong", addressed_to=addressed(LARKBECK))
    lead = staff("marnie.pell", "schoolLead", LARKBECK)
    (child,) = hub.register().children()
    hub.disclosure.chronology(Ask(person=lead, child=child, purpose="educationSupport"))
    taken = [{"source": police.source, "id": "wrong", "as": "retracts"}]
    admit(police, "retraction-made", references=taken, details={"reason": "wrong-child"})
    (notice,) = [one for one in told(hub, school) if one.kind == "entry-removed"]
    assert "child" not in hub.notices.open(school.source, notice.id, lead)
    assert "entry-removed" not in dict(kinds(hub, other_school))
    assert "entry-removed" not in dict(kinds(hub, police))


# -- once, in order, for its receiver alone


def test_following_again_or_in_another_process_tells_nobody_twice(
    hub: Hub, open_hub: Callable[..., Hub], police: Any, school: Any, admit: Any
) -> None:
    other = open_hub()
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    other.notices.follow()
    hub.notices.follow()
    assert len(told(hub, school)) == len(other.notices.after(school.source, 0)) == 1


def test_a_process_that_dies_before_the_commit_tells_it_the_next_time(
    hub: Hub, police: Any, school: Any, admit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))

    def dies(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Notices, "_insert", dies)
    with pytest.raises(RuntimeError):
        hub.notices.follow()
    monkeypatch.undo()
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]


def test_a_fact_that_the_hub_stumbles_over_waits_and_silences_no_other_agencys_notices(
    hub: Hub, police: Any, school: Any, other_school: Any, admit: Any, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def stumbles(fact: Any, of: Any) -> Any:
        if fact.data.get("childs_words") == "poison":
            raise OverflowError("date value out of range")
        return tell(fact, of)

    monkeypatch.setattr("hub.ingest.notices.tell", stumbles)
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK), childs_words="poison")
    admit(police, "domestic-abuse-notice", addressed_to=addressed(TARNWHISTLE))
    assert (kinds(hub, school), kinds(hub, other_school)) == ([], [("domestic-abuse-notice", "")])
    (said,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert said.endswith(": OverflowError")
    admit(police, "domestic-abuse-notice", addressed_to=addressed(TARNWHISTLE))
    assert (len(kinds(hub, school)), len(kinds(hub, other_school))) == (0, 2)
    monkeypatch.undo()
    assert kinds(hub, school) == [("domestic-abuse-notice", "")]
    assert (len(kinds(hub, school)), len(kinds(hub, other_school))) == (1, 2)


def test_notices_are_signed_for_one_source_and_follow_a_cursor(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    for _ in range(3):
        admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    hub.notices.follow()
    jws, following = hub.inbox.told(school.source, 0)
    key = KeyEntry.from_jwk(hub.receipt_key.public_jwk(), source=hub.charter.hub, purpose="receipt")
    rows, _ = open_notices(jws, key, hub=hub.charter.hub, source=school.source)
    assert [one.cursor for one in rows] == [1, 2, 3]
    assert following == 3
    assert (
        open_notices(hub.inbox.told(school.source, 2)[0], key, hub=hub.charter.hub, source=school.source)[0] == rows[2:]
    )


def test_attack_a_child_of_very_many_events_holds_up_whoever_asks_for_notices(
    hub: Hub, school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.notices, "follow", None)  # whoever asks reads what is there, and writes nothing
    with hub.notices._lock:  # while another thread reads that child
        assert hub.inbox.told(school.source, 0)[1] == 0


# -- opened


def test_the_name_comes_when_a_person_opens_it_and_the_opening_is_recorded_first(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    opened = hub.notices.open(school.source, notice.id, "marnie.pell")
    assert opened["child"] == {"names": CHILD["names"]}
    (noted,) = [one for one in hub.record.facts(SOURCES) if one.name == "notice-opened"]
    assert noted.data["person"] == "marnie.pell"
    assert noted.admitted == opened["opened"]


def test_nobody_opens_another_sources_notice(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(police, "domestic-abuse-notice", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    with pytest.raises(NoNotice):
        hub.notices.open(police.source, notice.id, "rufus.crane")


def test_a_notice_of_what_was_taken_back_since_names_nobody(hub: Hub, police: Any, school: Any, admit: Any) -> None:
    admit(police, "domestic-abuse-notice", id="n1", addressed_to=addressed(LARKBECK))
    (notice,) = told(hub, school)
    taken = [{"source": police.source, "id": "n1", "as": "retracts"}]
    admit(police, "retraction-made", references=taken, details={"reason": "wrong-child"})
    assert "child" not in hub.notices.open(school.source, notice.id, "marnie.pell")


def test_attack_the_new_name_of_an_adopted_child_is_not_told_to_the_school_that_knows_the_old_one(
    hub: Hub, police: Any, school: Any, admit: Any
) -> None:
    adopted = {"reason": "adoption", "from": "2025-03-03T11:59:00Z"}
    renamed = CHILD | {"names": [{"family": "Ashgrove", "given": ["Wrenna"], "use": "official"}]}
    admit(school, "joined-roll", said_by=said_by(LARKBECK), person="pupil-9")
    admit(police, "location-protected", details=adopted)
    admit(police, "protective-condition-set", child=renamed)
    (notice,) = told(hub, school)
    assert (notice.kind, notice.subject == NO_SUBJECT) == ("condition-started", False), "its own word says who is meant"
    assert "child" not in hub.notices.open(school.source, notice.id, "marnie.pell")
