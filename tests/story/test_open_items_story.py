"""What is waited for in the story: the file nobody received, the challenge without an answer, the review to come."""

from __future__ import annotations

from typing import Any

import pytest

from demo.story import Story, moment


def items(story: Story, word: str, rule: str) -> list[dict[str, Any]]:
    reading = story.readings[word]
    assert isinstance(reading, dict)
    return [one for one in reading["open_items"] if one["rule"] == rule]


def on(day: int) -> str:
    return f"{moment(day):%Y-%m-%d}"


@pytest.mark.parametrize("reader", ["SW", "DSL", "NUR", "POL", "School A's former lead"])
def test_the_missed_handover_is_open_for_both_schools_and_late_after_five_school_days(
    story: Story, reader: str
) -> None:
    (item,) = items(story, reader, "file-receipt")
    assert (item["since"][:10], item["due"], item["late"]) == (on(267), on(274), True)
    assert (item["edition"], item["source"][:35]) == ("KCSIE22", "Keeping children safe in education,")


def test_the_missed_handover_was_open_when_the_deciding_worker_read(story: Story) -> None:
    (item,) = items(story, "D+455", "file-receipt")
    assert item["late"]
    assert items(story, "D+280 front door", "file-receipt")[0]["late"]


@pytest.mark.parametrize("reader", ["SW", "DSL", "NUR", "POL"])
def test_the_challenge_of_d459_is_open_and_cannot_be_closed_by_silence(story: Story, reader: str) -> None:
    (item,) = items(story, reader, "challenge-answer")
    assert (item["since"][:10], item["late"]) == (on(459), True)


def test_the_review_of_what_the_mother_is_not_told_is_open_for_the_worker_alone(story: Story) -> None:
    (item,) = items(story, "SW", "review-point")
    assert (item["due"], item["late"]) == (on(531), False)
    assert [items(story, reader, "review-point") for reader in ("DSL", "NUR", "POL")] == [[], [], []]


def test_the_conference_is_due_fifteen_working_days_after_the_strategy_discussion(story: Story) -> None:
    (item,) = items(story, "SW", "initial-conference")
    assert (item["due"], item["edition"], item["late"]) == ("2026-03-06", "WT23", False)


def test_decided_referrals_and_the_child_who_was_seen_are_not_waited_for(story: Story) -> None:
    reading = story.readings["SW"]
    assert isinstance(reading, dict)
    rules = [one["rule"] for one in reading["open_items"]]
    assert not {"referral-decision", "child-seen", "view-of-child"} & set(rules)
    assert rules.count("referrer-informed") == 1


def test_each_item_names_an_entry_of_the_same_answer(story: Story) -> None:
    for word, reading in story.readings.items():
        if isinstance(reading, dict) and "next" not in reading:
            refs = {one["ref"] for one in reading["entries"]}
            assert {one["about"] for one in reading["open_items"]} <= refs, word


def test_both_schools_and_the_front_door_find_it_on_their_teams_list(story: Story) -> None:
    story.at(525, "12:10")
    for person, purpose in (("marnie.pell", "educationSupport"), ("juno.farrow", "s47"), ("ottoline.brack", "s47")):
        answer = story.stage.get(person, f"/me/open-items?purpose={purpose}")
        assert answer.status_code == 200
        rules = {one["child"]["id"]: [item["rule"] for item in one["open_items"]] for one in answer.json()["children"]}
        assert "file-receipt" in rules[story.wrenna], person
    assert story.stage.get("edda.lunt", "/me/open-items?purpose=earlyHelp").status_code == 403
