"""The four more readings, the attacks and the replay questions of the story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

import pytest

from demo.show import key_of
from demo.story import Story, moment
from hub.bootstrap import open_hub
from hub.disclosure import Ask, CannotBeShownComplete
from hub.policy.decide import PolicyFault
from hub.settings import Settings
from schemas.mais import check_document


def later(rule: str) -> Any:
    """This still waits for a rule of a later step; it must fail today."""
    return pytest.mark.xfail(reason=rule, strict=True)


def answer(story: Story, word: str) -> dict[str, Any]:
    found = story.readings[word]
    assert isinstance(found, dict), found
    return found


def on(day: int) -> str:
    return f"{moment(day):%Y-%m-%d}"


def events(entries: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(str(one["event"]), key_of(one)[0]) for one in entries}


def items(story: Story, person: str) -> list[str]:
    """Kinds of what waits on somebody's list."""
    story.at(525, "11:30")
    listed = story.stage.get(person, "/me/items")
    assert listed.status_code == 200
    return [one["kind"] for one in listed.json()["items"]]


# -- four more readings


@pytest.mark.parametrize(
    ("event", "day"),
    [
        ("domestic-abuse-incident", 24),
        ("correction-made", 24),
        ("emergency-attendance", 39),
        ("incident-attended", 165),
        ("was-not-brought", 214),
        ("left-roll", 267),
        ("absence-pattern", 365),
        ("agreement-withdrawn", 410),
    ],
)
def test_on_d430_the_front_door_still_sees_what_was_sent_under_a_duty(story: Story, event: str, day: int) -> None:
    assert (event, on(day)) in events(answer(story, "D+430 front door")["entries"])


@pytest.mark.parametrize("event", ["lead-professional-named", "common-assessment-completed"])
def test_on_d430_the_withdrawal_hides_exactly_what_was_shared_under_the_agreement(story: Story, event: str) -> None:
    assert event not in {one["event"] for one in answer(story, "D+430 front door")["entries"]}


@later("early help")
def test_on_d430_the_early_help_worker_sees_that_agreement_ended_and_nothing_else(story: Story) -> None:
    seen = {one["event"] for one in answer(story, "D+430 early help")["entries"]}
    assert seen == {"agreement-given", "agreement-withdrawn"}
    assert answer(story, "D+430 early help")["held_elsewhere"] == []


def test_five_minutes_after_the_disclosure_the_front_door_reads_it_in_full(story: Story) -> None:
    reading = answer(story, "D+521 front door")
    (disclosure,) = [one for one in reading["entries"] if one["event"] == "disclosure-by-child"]
    assert disclosure["shown"] == "full"
    assert disclosure["childs_words"].startswith("He grabs my arm")


@pytest.mark.parametrize(
    ("event", "day"),
    [
        ("domestic-abuse-incident", 24),
        ("correction-made", 24),
        ("emergency-attendance", 39),
        ("absence-pattern", 365),
        ("injury-observed", 309),
    ],
)
def test_and_what_came_before_it(story: Story, event: str, day: int) -> None:
    assert (event, on(day)) in events(answer(story, "D+521 front door")["entries"])


def test_the_chronology_says_when_the_police_feed_was_last_heard(story: Story) -> None:
    heard = {one["service"]: one for one in answer(story, "D+521 front door")["sources"]}
    police = heard["urn:safeguarding:service:northmarch-police"]
    assert police["last_heard"] == f"{moment(521, '10:51').astimezone(UTC):%Y-%m-%dT%H:%M}:00.000+00:00"
    assert not police["silent"]


def test_school_as_former_lead_sees_only_her_schools_own_entries_and_what_was_addressed_to_it(story: Story) -> None:
    reading = answer(story, "School A's former lead")
    assert all(key_of(one)[0] <= on(267) for one in reading["entries"])
    assert ("domestic-abuse-notice", on(24)) in events(reading["entries"])
    assert ("left-roll", on(267)) in events(reading["entries"])
    of_the_child = {name: value for name, value in reading.items() if name != "sources"}  # which names every school
    assert "Mosswick" not in str(of_the_child)
    assert "Tarnwhistle" not in str(of_the_child)
    assert {one["source"].get("name") for one in reading["entries"]} <= {
        "Larkbeck Primary",
        "Northmarch Constabulary, public protection",
    }


# -- attacks


def test_attack_a_a_deputy_who_is_family_gets_the_answer_of_an_unknown_child(story: Story) -> None:
    assert story.readings["attack a"] == 404
    unknown = story.stage.ask("hesper.vane", "00000000-0000-4000-8000-000000000000", "s47")
    known = story.stage.ask("hesper.vane", story.wrenna, "s47")
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)
    mine = [{k: v for k, v in one.headers.items() if k != "date"} for one in (unknown, known)]
    assert mine[0] == mine[1]


def test_attack_a_raises_an_alarm(story: Story) -> None:
    assert items(story, "ada.registrar") == ["conflict-attempt"]


def test_attack_b_as_of_does_not_bring_an_ended_entitlement_back(story: Story) -> None:
    reading = answer(story, "attack b")
    assert {one["source"].get("name") for one in reading["entries"]} <= {
        "Larkbeck Primary",
        "Northmarch Constabulary, public protection",
    }


def test_attack_c_as_of_does_not_bring_the_wrong_childs_entry_back(story: Story) -> None:
    assert ("emergency-attendance", on(276)) not in events(answer(story, "attack c")["entries"])


@later("subject access")
def test_attack_d_the_mothers_copy_holds_no_referrer_and_no_gap(story: Story) -> None:
    story.at(525, "11:30")
    assert story.stage.ask("ottoline.brack", story.wrenna, "subjectAccess", role="disclosureOfficer").status_code == 200


def test_attack_e_a_stepfather_has_no_role_and_gets_no_answer(story: Story) -> None:
    refused = story.stage.ask("dorrick.vane", story.wrenna, "s47")
    assert refused.status_code == 403


def test_attack_f_is_she_known_gets_the_same_words_as_for_an_unknown_child(story: Story) -> None:
    story.at(525, "11:30")
    known = {
        "names": [{"family": "Quillfeather", "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"},
        "identifiers": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9991204318"}],
    }  # fmt: skip
    asked = story.stage.post("rufus.crane", "/children/$person-info-query", {"person": {}, "reason": "s47"})
    assert asked.status_code == 200
    for person, described in (("a.receptionist", known), ("a.receptionist", {}), ("edda.lunt", known)):
        body = {"person": described, "reason": "earlyHelp"}
        answer = story.stage.post(person, "/children/$person-info-query", body)
        assert (answer.status_code, answer.content) == (200, asked.content)
        assert answer.json() == {"says": "nothing can be said here, ring the front door"}


def silent(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(one["service"]).rpartition(":")[2] for one in rows if one["silent"]}


def test_attack_g_a_silent_feed_is_seen_by_every_reader(story: Story) -> None:
    assert all("sources" in answer(story, reader) for reader in ("SW", "DSL", "NUR", "POL"))
    readings = [answer(story, f"attack g {reader}")["sources"] for reader in ("nurse", "school")]
    assert [silent(one) for one in readings] == [{"northmarch-police"}] * 2
    assert {one["last_heard"][:10] for one in readings[0] if one["silent"]} == {on(398)}


def test_attack_g_its_operator_sees_the_same_and_that_nothing_is_lost(story: Story) -> None:
    assert silent(story.sources) == {"northmarch-police"}
    assert not any(one["gaps"] for one in story.sources)


def test_attack_h_a_failing_engine_refuses_the_whole_answer_and_says_so(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.at(525, "11:40")
    hub = open_hub(Settings(home=story.stage.home, demo=True, demo_clock=story.stage.clock))

    def fails(*_: Any) -> Any:
        raise PolicyFault("one label could not be decided")

    monkeypatch.setattr(hub.disclosure.policy, "decide", fails)
    with pytest.raises(CannotBeShownComplete):
        hub.disclosure.chronology(Ask(person="fenn.okoro-dale", child=UUID(story.wrenna), purpose="s47"))
    hub.close()


def test_attack_i_the_mistyped_record_is_on_the_front_doors_list_at_once(story: Story) -> None:
    assert "identity-unsure" in items(story, "ottoline.brack")


# -- replay


@pytest.mark.parametrize(
    ("event", "day"),
    [
        ("domestic-abuse-incident", 24),
        ("correction-made", 24),
        ("emergency-attendance", 39),
        ("advice-sought", 58),
        ("agreement-given", 65),
        ("involvement-started", 94),
        ("view-of-child-recorded", 120),
        ("incident-attended", 165),
        ("immunisation-not-given", 190),
        ("was-not-brought", 214),
        ("name-changed", 252),
        ("left-roll", 267),
        ("household-changed", 322),
        ("absence-pattern", 365),
        ("agreement-withdrawn", 410),
        ("referral-made", 455),
    ],
)
def test_what_the_deciding_worker_could_see_on_d456(story: Story, event: str, day: int) -> None:
    could = {(one["event"], key_of(one)[0]) for one in story.replayed["D+456"]["could_see"]}
    assert (event, on(day)) in could


def test_the_late_injury_and_the_wrong_child_were_not_among_it(story: Story) -> None:
    could = story.replayed["D+456"]["could_see"]
    assert "injury-observed" not in {one["event"] for one in could}
    assert ("emergency-attendance", on(276)) not in events(could)


def test_what_was_shared_under_the_withdrawn_agreement_was_not_among_it(story: Story) -> None:
    could = {one["event"] for one in story.replayed["D+456"]["could_see"]}
    assert not could & {"lead-professional-named", "common-assessment-completed"}


def test_what_the_worker_in_fact_opened_is_what_her_readings_show(story: Story) -> None:
    replay = story.replayed["D+456"]
    assert [read["at"][:10] for read in replay["reads"]][-1] == on(455)
    opened = {one["event"] for one in replay["could_see"] if one["opened"]}
    assert "agreement-withdrawn" in opened


def test_the_late_record_happened_on_d309_and_was_shared_on_d470(story: Story) -> None:
    (late,) = [one for one in answer(story, "SW")["entries"] if one["event"] == "injury-observed"]
    assert key_of(late)[0] == on(309)
    assert late["shared"][:10] == on(470)
    assert "late" in late["marks"]


def of_the_wrong_child(reading: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [one for one in reading["entries"] if one["event"] == "emergency-attendance"]
    return [one for one in found if key_of(one)[0] == on(276)]


def test_while_it_stood_the_front_door_and_the_nurse_to_whom_it_was_addressed_read_the_wrong_childs_entry(
    story: Story,
) -> None:
    for reader in ("front door", "nurse"):
        (read,) = of_the_wrong_child(answer(story, f"D+280 {reader}"))
        assert "Asthma" in read["summary"]["text"], reader


def test_what_the_hospital_addressed_to_the_nurse_is_full_for_her_but_for_where_the_family_hid(story: Story) -> None:
    (read,) = of_the_wrong_child(answer(story, "D+280 nurse"))
    assert read["shown"] == "full"
    assert "service" not in read["source"]
    assert "Westlorn" not in str(read)


def test_both_who_had_read_the_wrong_childs_entry_were_told_the_same_day_once_and_nobody_else(story: Story) -> None:
    told = {person: listed for person, listed in story.told_of_removal.items() if listed}
    assert told.keys() == {"ottoline.brack", "marit.sole"}
    for (item,) in told.values():
        assert (item["at"], item["child"]) == (on(290), story.wrenna)


def test_they_are_told_that_it_was_removed_and_never_again_what(story: Story) -> None:
    for (item,) in (listed for listed in story.told_of_removal.values() if listed):
        assert item.keys() == {"id", "kind", "at", "urgent", "says", "child"}
        assert not any(word in str(item) for word in ("Asthma", "Tobin", "emergency", "Westlorn", on(276)))


def test_the_nurse_is_still_told_months_later_and_never_reads_it_again(story: Story) -> None:
    assert items(story, "marit.sole").count("entry-removed") == 1
    for purpose in ("directCare", "s47"):
        assert of_the_wrong_child(story.stage.read("marit.sole", story.wrenna, purpose)) == []


@pytest.mark.parametrize("reader", ["fenn.okoro-dale", "juno.farrow", "rufus.crane"])
def test_who_never_read_the_wrong_childs_entry_sees_nothing_of_it_and_is_told_nothing(
    story: Story, reader: str
) -> None:
    assert "entry-removed" not in items(story, reader)
    read = story.stage.read(reader, story.wrenna, "s47")
    assert of_the_wrong_child(read) == []
    assert "retraction-made" not in {one["event"] for one in read["entries"]}


def test_a_referral_that_was_decided_the_same_day_waits_for_nobody(story: Story) -> None:
    assert "addressed" not in items(story, "ottoline.brack")


@later("re-judging")
def test_was_anything_withheld_from_somebody_who_needed_it(story: Story) -> None:
    assert story.replayed["D+456"]["withheld_though_needed"]


# -- who is who


def test_the_doubtful_record_was_unsure_and_never_waited(story: Story) -> None:
    item = story.replayed["unsure"]
    assert "given name" in item["contradicts"]
    assert {"number", "birth date"} <= set(item["agrees"])


def test_the_hospitals_correction_stands_with_tobin(story: Story) -> None:
    story.at(525, "11:00")
    tobin = story.stage.read("ottoline.brack", story.tobin, "triage")
    assert ("emergency-attendance", on(276)) in events(tobin["entries"])


def test_a_feed_for_another_partnership_is_quarantined_and_its_sender_knows(story: Story) -> None:
    assert [row["reason"] for row in story.quarantined] == ["other-partnership"]
    (refused,) = story.stage.status("westlorn-clinic")["refused_rows"]
    assert refused["reason"] == "other-partnership"


# -- export


def test_every_childs_export_keeps_the_mais_standards(story: Story) -> None:
    story.at(525, "11:50")
    listed = story.stage.hub_lines("identity", "list", "--all", "--as", "bram.tolley", "--purpose", "triage")
    known = {line["child"] for line in listed}
    assert known > {story.wrenna, story.tobin}, "the third is a question still"
    assert len(known) == 3
    for child in (story.wrenna, story.tobin):
        words = ("export", "--child", child, "--format", "jsonld", "--as", "fenn.okoro-dale", "--purpose", "s47")
        (document,) = story.stage.hub_lines(*words)
        assert check_document(document) == []
        assert len(document["@graph"]) > 1
