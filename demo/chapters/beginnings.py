"""The first months: police, hospital, school; early help agreed; Wrenna's own words."""

from __future__ import annotations

from collections.abc import Iterator

from demo import entries
from demo.cast import FRONT_DOOR, NURSE, SCHOOL_A, STEWARD, service
from demo.story import Step, Story, moment


def steps(story: Story) -> Iterator[Step]:
    """The steps of this chapter."""
    yield (
        "D+0    Larkbeck Primary's roll: nothing of concern, nothing leaves the school",
        lambda: story.file(0, "17:00", "larkbeck", "education/samples/story/larkbeck/d000-9992001_CTF_999LLLL_001.xml"),
    )  # 1
    yield (
        "D+25   police: domestic abuse last night; the school is told before the day starts",
        lambda: story.file(25, "07:40", "northmarch", "police/samples/story/d024-northmarch.csv"),
    )  # 2, 3
    yield "       Larkbeck's lead opens what came, and finds both pupils on her roll", lambda: notices_opened(story)
    yield "       who is who: two children now have a record", lambda: find_children(story)
    yield (
        "D+33   police correct it: the children were upstairs and heard it",
        lambda: story.file(33, "10:20", "northmarch", "police/samples/story/d033-northmarch.csv"),
    )  # 4
    yield "D+39   Fenwater emergency department: a wrist, brought by “carer, male”", lambda: story.health(39)  # 5
    yield "D+58   school asks the council for advice", lambda: advice(story)  # 6
    yield "D+65   mother agrees to early help", lambda: agreement(story)  # 7
    yield (
        "D+80   lead professional named, common assessment shared under that agreement",
        lambda: assessment(story),
    )  # 8
    yield "D+94   school nurse starts", lambda: story.health(94)  # 9
    yield "D+120  Wrenna's own words", lambda: own_words(story)  # 10
    yield (
        "D+165  police: neighbour heard screams, children were playing",
        lambda: story.file(165, "21:00", "northmarch", "police/samples/story/d165-pole.json"),
    )  # 11
    yield "D+190  immunisation not given", lambda: story.health(190)  # 12
    yield "D+214  was not brought to the wrist review", lambda: story.health(214)  # 13


def notices_opened(story: Story) -> None:
    """The hub names no child to a school that never spoke of it until somebody there opens the notice."""
    told = story.stage.collect("larkbeck", at_least=2)
    story.at(25, "07:52")
    upns = {"Wrenna": "U999200118001", "Tobin": "V999200121004"}
    for notice in told:
        named = story.stage.open_notice("larkbeck", notice["id"], SCHOOL_A.id)["child"]["names"][0]
        story.stage.open_notice("larkbeck", notice["id"], SCHOOL_A.id, child=upns[named["given"][0]])


def find_children(story: Story) -> None:
    """A front-door worker looks at the new children and finds who they are."""
    for line in story.stage.hub_lines("identity", "list", "--all", "--as", STEWARD.id, "--purpose", "triage"):
        seen = story.stage.read(FRONT_DOOR.id, line["child"], "triage")
        name = seen["child"].get("name", "")
        story.wrenna = line["child"] if name.startswith("Wrenna") else story.wrenna
        story.tobin = line["child"] if name.startswith("Tobin") else story.tobin


def advice(story: Story) -> None:
    story.at(58, "15:30")
    story.note(
        SCHOOL_A,
        "advice-sought",
        summary="School asked what to do after the police notice and the injured wrist.",
        details={"question": "threshold"},
        statement="opinion",
        basis="assessment",
    )
    story.at(58, "16:10")
    story.note(
        FRONT_DOOR,
        "advice-given",
        summary="Early help advised; no referral.",
        statement="opinion",
        basis="assessment",
        details={
            "answer": "Offer early help with the mother's agreement.",
            "referral_advised": "no",
            "to_service": service("larkbeck-primary"),
        },
    )


def agreement(story: Story) -> None:
    story.at(65, "15:00")
    story.note(
        SCHOOL_A,
        "agreement-given",
        "agreement",
        summary="Mother agrees to early help with school and school nurse.",
        details={
            "kind": "engage",
            "by": "mother",
            "capacity": "parental-responsibility",
            "scope": entries.agreement_scope(),
            "until": moment(430).date().isoformat(),
        },
    )


def assessment(story: Story) -> None:
    story.at(80, "14:00")
    under = {"agreement": story.ids["agreement"]}
    story.note(
        SCHOOL_A,
        "lead-professional-named",
        summary="Marnie Pell is lead professional.",
        shared_under=under,
        details={"person": SCHOOL_A.id, "name": SCHOOL_A.name, "role": "school lead"},
    )
    story.note(
        SCHOOL_A,
        "common-assessment-completed",
        summary="Common assessment completed with mother.",
        shared_under=under,
        statement="opinion",
        basis="assessment",
        narrative="Mother speaks of debts and of a friend who stays at weekends.",
        details={"strengths": "Warm; keeps school routines.", "needs": "Sleep; worry at home."},
    )


def own_words(story: Story) -> None:
    story.at(120, "11:20")
    story.note(
        NURSE,
        "view-of-child-recorded",
        summary="Wrenna spoke about sleep.",
        statement="told-by",
        childs_words="I don't sleep when he shouts. I do when Auntie Pip stays.",
        details={"how": "spoken", "alone": "yes", "wish": "Mum's friend is not told."},
        not_to_be_told=["mothers-partner"],
    )
