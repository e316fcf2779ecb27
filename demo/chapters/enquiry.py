"""A referral decided on half the picture; Wrenna tells; the section 47 enquiry and the readings of D+525."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demo import entries
from demo.cast import AUDITOR, DEPUTY, FEEDS, FRONT_DOOR, NURSE, READERS, SCHOOL_A, SCHOOL_B, STEWARD, WORKER
from demo.entries import entry
from demo.stage import OFFICERS
from demo.story import Step, Story, moment


def steps(story: Story) -> Iterator[Step]:
    """The steps of this chapter."""
    yield "D+455  an aunt refers; her name is never for the family", lambda: aunt_refers(story)  # 22
    yield "       the deciding worker reads", lambda: story.reading("D+455", 455, "16:40", FRONT_DOOR, "triage")
    yield "D+456  no further action", lambda: no_further_action(story)  # 23
    yield "D+470  a hospital record from D+309 arrives after an outage", lambda: story.health(470)  # 24
    yield "D+521  Wrenna tells her school", lambda: tells_school(story)  # 25
    yield "       police have nothing new, and say so", lambda: story.heard(521, "10:51", "northmarch")
    yield (
        "       five minutes later the front door reads",
        lambda: story.reading("D+521 front door", 521, "10:55", FRONT_DOOR, "triage"),
    )
    yield "       referral, shared without agreement, decided the same day", lambda: same_day(story)  # 26
    yield "D+522  strategy discussion, section 47 enquiry, child seen", lambda: section_47(story)  # 27, 29
    yield (
        "       police intelligence",
        lambda: story.file(522, "15:20", "northmarch", "police/samples/story/d522-pole.json"),
    )  # 28
    yield (
        "D+523  arrest; who must not collect her",
        lambda: story.file(523, "15:20", "northmarch", "police/samples/story/d523-pole.json"),
    )  # 30
    yield "D+524  mother is not told who disclosed", lambda: mother_not_told(story)  # 31
    yield "D+525  every feed is heard", lambda: story.heard(525, "09:25", *FEEDS)
    yield "       the four readers, and those who should see nothing", lambda: readings_of_the_table(story)
    yield "       an auditor replays D+456", lambda: replays(story)
    yield "       a mistyped number, an urgent sign: unsure, on the front door's list", lambda: mistyped(story)


# -- steps


def aunt_refers(story: Story) -> None:
    story.at(455, "15:50")
    for event in ("contact-received", "referral-made"):
        story.note(
            FRONT_DOOR,
            event,
            summary="A relative is worried: shouting, bruises, a man in the home.",
            details={"concern": "physical-abuse", "family_told": "no"},
            people=entries.referrer(),
            statement="told-by",
            not_to_be_told=["mother", "mothers-partner"],
        )


def no_further_action(story: Story) -> None:
    story.at(456, "11:30")
    story.note(
        FRONT_DOOR,
        "referral-decided",
        "nfa",
        summary="No further action.",
        statement="decision",
        details={"decision": "nfa", "reason": "No corroboration found.", "decided_by": FRONT_DOOR.id},
    )
    story.at(458, "10:00")
    story.note(FRONT_DOOR, "referrer-informed", details={"outcome": "nfa"})
    story.at(459, "12:00")
    story.note(
        NURSE,
        "challenge-raised",
        summary="School nurse disagrees with no further action.",
        statement="opinion",
        basis="assessment",
        narrative="Three signs in one year were not looked at together.",
        details={"about": "decision of no further action", "level": "practitioner", "asked_for": "look again"},
        references=[{**story.ids["nfa"], "as": "about"}],
    )


def tells_school(story: Story) -> None:
    story.at(521, "10:50")
    story.note(
        SCHOOL_B,
        "disclosure-by-child",
        summary="Wrenna said that she is hurt at home.",
        statement="told-by",
        childs_words="He grabs my arm when Mum is out. Please don't send me home.",
        details={"how": "offered", "heard_by": "safeguarding lead", "others_present": False},
    )


def same_day(story: Story) -> None:
    story.at(521, "11:20")
    front_door = [{"service": FRONT_DOOR.service, "role": "frontDoor"}]
    story.note(
        SCHOOL_B,
        "referral-made",
        summary="Referral after disclosure; decide today.",
        addressed_to=front_door,
        asked="Decide today.",
        by_when=moment(521, "17:00").isoformat(),
        details={"concern": "physical-abuse", "family_told": "no"},
        told=[{"who": "mother", "told": False, "why": "could bring the child into danger"}],
    )
    story.note(
        SCHOOL_B,
        "shared-without-agreement",
        summary="Shared without the mother's agreement.",
        details={"gateway": "CA2004-s16LA", "reason": "18c", "necessity": "asking would prejudice protection"},
    )
    story.at(521, "15:05")
    story.note(
        FRONT_DOOR,
        "referral-decided",
        summary="Strategy discussion.",
        details={
            "decision": "strategy-discussion",
            "reason": "Disclosure, earlier injuries.",
            "decided_by": FRONT_DOOR.id,
        },
        references=[{**story.ids["referral-made"], "as": "answers"}],
    )


def section_47(story: Story) -> None:
    story.at(522, "09:10")
    for child in (story.wrenna, story.tobin):
        story.stage.record(
            FRONT_DOOR.id,
            entry(
                "worker-allocated",
                child,
                details={"person": WORKER.id, "role": WORKER.role, "service": WORKER.service, "name": WORKER.name},
            ),
        )
    story.note(
        WORKER,
        "strategy-discussion-called",
        summary="Strategy discussion called.",
        details={"participants": entries.participants(), "reason": "disclosure"},
    )
    story.at(522, "13:00")
    story.note(
        WORKER,
        "strategy-discussion-held",
        summary="Joint section 47 enquiry agreed.",
        details={"participants": entries.participants(), "decision": "s47", "route": "joint"},
    )
    for child in (story.wrenna, story.tobin):
        story.stage.record(
            WORKER.id,
            entry("s47-started", child, summary="Section 47 enquiry started.", details={"joint": "joint"}),
        )
    story.at(522, "14:30")
    story.note(
        WORKER,
        "child-seen",
        summary="Seen alone at school.",
        statement="seen",
        details={"alone": "yes", "by_qualified_social_worker": True, "where": "school"},
        label={"level": "R"},
    )
    story.note(
        WORKER,
        "view-of-child-recorded",
        "view D+522",
        summary="Wrenna was asked what she wants.",
        childs_words="I want it to stop. I want Tobin to sleep at Auntie Pip's too.",
        statement="told-by",
        label={"level": "R"},
        details={"how": "spoken", "alone": "yes"},
    )


def mother_not_told(story: Story) -> None:
    story.at(524, "10:00")
    story.note(
        WORKER,
        "decided-not-to-share",
        details={
            "what": "who disclosed",
            "from_whom": "mother",
            "why": "She could be made to tell.",
            "review_on": moment(531).date().isoformat(),
        },
        summary="Mother is not told who disclosed.",
    )


def readings_of_the_table(story: Story) -> None:
    for column, (person, purpose) in READERS.items():
        story.reading(column, 525, "09:30", person, purpose)
    story.reading("School A's former lead", 525, "09:40", SCHOOL_A, "educationSupport")
    story.stage.record(OFFICERS[0], entries.conflict(DEPUTY, story.wrenna))
    story.reading("attack a", 525, "09:45", DEPUTY, "s47")
    story.reading("attack b", 525, "09:46", SCHOOL_A, "educationSupport", as_of=moment(260, "12:00").isoformat())
    story.reading("attack c", 525, "09:47", NURSE, "s47", as_of=moment(280, "17:00").isoformat())
    story.reading("auditor", 525, "09:50", AUDITOR, "audit")
    story.quarantined = story.stage.hub_lines("quarantine", "list", "--as", STEWARD.id, "--purpose", "triage")


def mistyped(story: Story) -> None:
    story.at(525, "11:00")
    story.stage.feed("westlorn", [Path(__file__).parent.parent / "files" / "d525-mistyped.hl7"])


def replays(story: Story) -> None:
    story.at(525, "10:30")
    story.replayed["D+456"] = story.stage.hub_lines(
        "replay",
        story.wrenna,
        "--as",
        AUDITOR.id,
        "--purpose",
        "audit",
        "--reader",
        FRONT_DOOR.id,
        "--reader-purpose",
        "triage",
        "--at",
        moment(456, "11:29").isoformat(),
    )[0]
