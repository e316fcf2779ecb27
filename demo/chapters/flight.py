"""The flight, the new school, a record under the wrong child, an agreement withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demo.cast import EARLY_HELP, FEEDS, FRONT_DOOR, NURSE, PEOPLE, SCHOOL_A, SCHOOL_B, STEWARD
from demo.entries import entry
from demo.story import SAMPLES, Step, Story


def steps(story: Story) -> Iterator[Step]:
    """The steps of this chapter."""
    yield "D+247  mother flees; the children's whereabouts are protected", lambda: location_protected(story)  # 14
    yield "D+252  a new surname, a new practice", lambda: story.health(252)  # 15
    yield "D+267  the children leave Larkbeck; the file is sent", lambda: leaving(story)  # 16
    yield "D+276  a hospital record under the wrong number: unsure", lambda: story.health(276)  # 17
    yield "D+277  a tired worker settles it: “same”", lambda: settled_wrongly(story)
    yield (
        "D+280  Tarnwhistle Academy's first roll: nothing to report",
        lambda: story.file(
            280, "16:00", "tarnwhistle", "education/samples/story/tarnwhistle/d280-9984002_CTF_998LLLL_001.xml"
        ),
    )
    yield "       the front door's Ottoline and the school nurse Marit read it", lambda: read_wrong_child(story)
    yield "D+290  the hospital takes it back: another child", lambda: taken_back(story)  # 18
    yield "       whoever had read it is told that something was removed, never again what", lambda: told_of_it(story)
    yield (
        "D+302  a clinic's feed, set up for the neighbouring area, sends here: quarantined",
        lambda: wrong_partnership(story),
    )
    yield "D+322  protection ends; Tarnwhistle notes an adult: “Dorrick, stepfather”", lambda: stepfather(story)  # 19
    yield (
        "D+388  14 of 34 sessions missed",
        lambda: story.file(
            388,
            "17:30",
            "tarnwhistle",
            "education/samples/story/tarnwhistle/d388-attendance-2025-09-09-2025-10-02.json",
        ),
    )  # 20
    yield "D+398  the police feed is heard, with nothing to tell", lambda: story.heard(398, "09:00", "northmarch")
    yield "D+401  it has been silent for three days, without any error", lambda: silent_feed(story)
    yield "D+410  agreement withdrawn by telephone, a man's voice in the room", lambda: withdrawn(story)  # 21
    yield (
        "D+430  Ottoline reads at the front door",
        lambda: story.reading("D+430 front door", 430, "10:00", FRONT_DOOR, "triage"),
    )
    yield (
        "       Edda reads, who leads early help",
        lambda: story.reading("D+430 early help", 430, "10:05", EARLY_HELP, "earlyHelp"),
    )


def location_protected(story: Story) -> None:
    story.at(247, "09:30")
    for child in (story.wrenna, story.tobin):
        story.stage.record(
            FRONT_DOOR.id,
            entry(
                "location-protected",
                child,
                details={"reason": "fleeing-abuse"},
                summary="Where the children live, learn and are treated is protected.",
            ),
        )


def leaving(story: Story) -> None:
    story.file(267, "16:30", "larkbeck", "education/samples/story/larkbeck/d267-9992001_CTF_XXXXXXX_002.xml")
    story.at(267, "16:45")
    story.note(SCHOOL_A, "file-sent", summary="Safeguarding file sent.", details={"kind": "safeguarding-file"})


def settled_wrongly(story: Story) -> None:
    story.at(277, "18:55")
    for item in story.stage.hub_lines("identity", "list", "--as", STEWARD.id, "--purpose", "triage"):
        if story.wrenna in item["candidates"]:
            story.replayed["unsure"] = item
            story.stage.settle(STEWARD.id, "same", item["child"], story.wrenna, "number and birth date agree")


def read_wrong_child(story: Story) -> None:
    story.reading("D+280 front door", 280, "16:20", FRONT_DOOR, "triage")
    story.reading("D+280 nurse", 280, "16:30", NURSE, "directCare")


def taken_back(story: Story) -> None:
    """The hospital's record stands alone: police know Tobin by another surname, and nobody here knew his number."""
    story.health(290)
    newest = story.stage.hub_lines("identity", "list", "--all", "--as", STEWARD.id, "--purpose", "triage")[-1]["child"]
    seen = story.stage.read(FRONT_DOOR.id, newest, "triage")
    story.replayed["hospital's record of"] = seen["child"]
    story.stage.settle(STEWARD.id, "same", newest, story.tobin, "his mother confirmed the new surname")


def told_of_it(story: Story) -> None:
    """Everybody looks at their list; the removal stands only on those of the two who had read."""
    story.at(290, "18:30")
    for person in PEOPLE:
        items = story.stage.get(person.id, "/me/items").json()["items"]
        story.told_of_removal[person.id] = [one for one in items if one["kind"] == "entry-removed"]


def wrong_partnership(story: Story) -> None:
    story.at(302, "12:00")
    file = Path(__file__).parent.parent / "files" / "d302-clinic.hl7"
    story.stage.feed("westlorn-clinic", [file], choice=story.choice("sorrel.finch"), well=False)


def stepfather(story: Story) -> None:
    story.at(322, "09:00")
    for child in (story.wrenna, story.tobin):
        story.stage.record(
            FRONT_DOOR.id,
            entry(
                "location-protection-ended",
                child,
                details={"reason": "the mother asked for it"},
                summary="Protection ends; what was recorded in between stays protected.",
            ),
        )
    story.at(322, "16:00")
    name = "education/samples/story/tarnwhistle/d322-9984002_CTF_998LLLL_002.xml"
    story.stage.feed("tarnwhistle", [SAMPLES / name])
    held = story.stage.status("tarnwhistle")["held_back"]["records"]
    story.replayed["held back"] = held
    for one in held:  # no rule lets it go: the school's lead chooses to send it
        story.stage.send_held_back("tarnwhistle", one["name"], SCHOOL_B.id, "an adult whom nobody had listed")


def silent_feed(story: Story) -> None:
    """Every other feed is heard; two readers and the operator see who is not."""
    story.heard(401, "09:00", *(name for name in FEEDS if name != "northmarch"))
    story.reading("attack g nurse", 401, "09:02", NURSE, "directCare")
    story.reading("attack g school", 401, "09:03", SCHOOL_A, "educationSupport")
    story.sources = story.stage.sources()


def withdrawn(story: Story) -> None:
    story.at(410, "14:20")
    story.note(
        EARLY_HELP,
        "agreement-withdrawn",
        summary="Mother withdrew by telephone; a man's voice in the room.",
        statement="told-by",
        details={
            "agreement": story.ids["agreement"],
            "by": "mother",
            "how": "telephone",
            "others_heard": "a man, prompting",
            "freely": "doubtful",
        },
    )
    story.stage.collect("larkbeck", at_least=3)  # for the agreement names the school
