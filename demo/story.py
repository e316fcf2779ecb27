"""The Quillfeather children: the story up to D+525, played in order; each reading is made when the clock stands there.

Day 0 is Monday 9 September 2024. Numbers in comments are the story's entries. The steps say what bodies and people do;
what readers then see is not scripted but read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from demo import entries
from demo.cast import (
    AREA,
    AUDITOR,
    DEPUTY,
    EARLY_HELP,
    FEEDS,
    FRONT_DOOR,
    NURSE,
    PARTNERSHIP,
    PEOPLE,
    READERS,
    SCHOOL_A,
    SCHOOL_B,
    SERVICES,
    STEWARD,
    WORKER,
    service,
)
from demo.entries import entry
from demo.stage import LONDON, OFFICERS, Stage

DAY_0 = datetime(2024, 9, 9, tzinfo=LONDON)
SAMPLES = Path(__file__).parent.parent / "adapters"
Reading = dict[str, Any]


def moment(day: int, clock: str = "09:00") -> datetime:
    """D+`day` at a London wall-clock time."""
    hour, minute = map(int, clock.split(":"))
    return (DAY_0 + timedelta(days=day)).replace(hour=hour, minute=minute)


@dataclass
class Story:
    """The story on its stage, and what came of it."""

    folder: Path
    stage: Stage = field(init=False)
    wrenna: str = ""
    tobin: str = ""
    readings: dict[str, Reading | int] = field(default_factory=dict)
    """Reading → the answer, or the status code of a refusal."""
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    """Word for an entry → {source, id} of the event, for what later refers to it."""
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    replayed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stage = Stage(self.folder, PARTNERSHIP, AREA, SERVICES, FEEDS)

    def steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Every step in order, each with the line that says what happens."""
        yield "the hub is made, agencies register their keys, professionals their roles", self.set_up
        for name in ("beginnings", "autumn", "spring", "flight", "new_school", "referral", "disclosure", "enquiry"):
            yield from getattr(self, name)()

    def play(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Play all of it. Errors: `demo.stage.StageFault`."""
        for words, step in self.steps():
            told(words)
            step()

    # -- setting up

    def set_up(self) -> None:
        self.at(-7)
        self.stage.build()
        self.stage.start()
        for person in PEOPLE:
            self.stage.record(OFFICERS[0], entries.role_held(person, "2024-09-02"))
            self.stage.record(OFFICERS[0], entries.trained(person, "2024-07-01", "2027-07-01"))

    # -- the chapters

    def beginnings(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield (
            "D+0    Larkbeck Primary's roll: nothing of concern, nothing leaves the school",
            lambda: self.file(
                0, "17:00", "larkbeck", "education/samples/story/larkbeck/d000-9992001_CTF_999LLLL_001.xml"
            ),
        )  # 1
        yield (
            "D+25   police: domestic abuse last night; the school is told before the day starts",
            lambda: self.file(25, "07:40", "northmarch", "police/samples/story/d024-northmarch.csv"),
        )  # 2, 3
        yield "       who is who: two children now have a record", self.find_children
        yield (
            "D+33   police correct it: the children were upstairs and heard it",
            lambda: self.file(33, "10:20", "northmarch", "police/samples/story/d033-northmarch.csv"),
        )  # 4
        yield "D+39   Fenwater emergency department: a wrist, brought by “carer, male”", lambda: self.health(39)  # 5

    def autumn(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+58   school asks the council for advice", self.advice  # 6
        yield "D+65   mother agrees to early help", self.agreement  # 7
        yield "D+80   lead professional named, common assessment shared under that agreement", self.assessment  # 8
        yield "D+94   school nurse starts", lambda: self.health(94)  # 9
        yield "D+120  Wrenna's own words", self.own_words  # 10
        yield (
            "D+165  police: neighbour heard screams, children were playing",
            lambda: self.file(165, "21:00", "northmarch", "police/samples/story/d165-pole.json"),
        )  # 11

    def spring(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+190  immunisation not given", lambda: self.health(190)  # 12
        yield "D+214  was not brought to the wrist review", lambda: self.health(214)  # 13

    def flight(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+247  mother flees; the children's whereabouts are protected", self.location_protected  # 14
        yield "D+252  a new surname, a new practice", lambda: self.health(252)  # 15
        yield "D+267  the children leave Larkbeck; the file is sent", self.leaving  # 16
        yield "D+276  a hospital record under the wrong number: unsure", lambda: self.health(276)  # 17
        yield "D+277  a tired worker settles it: “same”", self.settled_wrongly
        yield (
            "D+280  Tarnwhistle Academy's first roll: nothing to report",
            lambda: self.file(
                280, "16:00", "tarnwhistle", "education/samples/story/tarnwhistle/d280-9984002_CTF_998LLLL_001.xml"
            ),
        )
        yield "       two people read", self.read_wrong_child
        yield "D+290  the hospital takes it back: another child", self.taken_back  # 18

    def new_school(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+302  a clinic's feed, set up for the neighbouring area, sends here: quarantined", self.wrong_partnership
        yield "D+322  protection ends; Tarnwhistle notes an adult: “Dorrick, stepfather”", self.stepfather  # 19
        yield (
            "D+388  14 of 34 sessions missed",
            lambda: self.file(
                388,
                "17:30",
                "tarnwhistle",
                "education/samples/story/tarnwhistle/d388-attendance-2025-09-09-2025-10-02.json",
            ),
        )  # 20
        yield "D+410  agreement withdrawn by telephone, a man's voice in the room", self.withdrawn  # 21
        yield (
            "D+430  the front door reads",
            lambda: self.reading("D+430 front door", 430, "10:00", FRONT_DOOR, "triage"),
        )
        yield "       early help reads", lambda: self.reading("D+430 early help", 430, "10:05", EARLY_HELP, "earlyHelp")

    def referral(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+455  an aunt refers; her name is never for the family", self.aunt_refers  # 22
        yield "       the deciding worker reads", lambda: self.reading("D+455", 455, "16:40", FRONT_DOOR, "triage")
        yield "D+456  no further action", self.no_further_action  # 23
        yield "D+470  a hospital record from D+309 arrives after an outage", lambda: self.health(470)  # 24

    def disclosure(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+521  Wrenna tells her school", self.tells_school  # 25
        yield (
            "       five minutes later the front door reads",
            lambda: self.reading("D+521 front door", 521, "10:55", FRONT_DOOR, "triage"),
        )
        yield "       referral, shared without agreement, decided the same day", self.same_day  # 26

    def enquiry(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "D+522  strategy discussion, section 47 enquiry, child seen", self.section_47  # 27, 29
        yield (
            "       police intelligence",
            lambda: self.file(522, "15:20", "northmarch", "police/samples/story/d522-pole.json"),
        )  # 28
        yield (
            "D+523  arrest; who must not collect her",
            lambda: self.file(523, "15:20", "northmarch", "police/samples/story/d523-pole.json"),
        )  # 30
        yield "D+524  mother is not told who disclosed", self.mother_not_told  # 31
        yield "D+525  the four readers, and those who should see nothing", self.readings_of_the_table
        yield "       an auditor replays D+456", self.replays

    # -- steps

    def at(self, day: int, clock: str = "09:00") -> None:
        """Put the clock."""
        self.stage.set_clock(moment(day, clock))

    def file(self, day: int, clock: str, feed: str, *names: str, well: bool = True) -> None:
        """An agency's system writes files; its adapter reads and sends them."""
        self.at(day, clock)
        self.stage.feed(feed, [SAMPLES / name for name in names], well=well)

    def health(self, day: int) -> None:
        """All health files of a day, each from the trust that wrote it."""
        self.at(day, "18:00")
        folder = SAMPLES / "health" / "samples" / "story"
        for file in sorted(folder.glob(f"*/d{day:03}-*")):
            self.stage.feed(HEALTH_FEEDS.get((file.parent.name, day), file.parent.name), [file])

    def find_children(self) -> None:
        """A front-door worker looks at the new children and finds who they are."""
        for line in self.stage.hub_lines("identity", "list", "--all", "--as", STEWARD.id, "--purpose", "triage"):
            seen = self.stage.read(FRONT_DOOR.id, line["child"], "triage")
            name = seen["child"].get("name", "")
            self.wrenna = line["child"] if name.startswith("Wrenna") else self.wrenna
            self.tobin = line["child"] if name.startswith("Tobin") else self.tobin

    def note(self, person: Any, event: str, word: str = "", **members: Any) -> None:
        """A person records something about Wrenna."""
        done = self.stage.record(person.id, entry(event, self.wrenna, **members))
        self.ids[word or event] = {"source": done["source"], "id": done["id"]}

    def advice(self) -> None:
        self.at(58, "15:30")
        self.note(SCHOOL_A, "advice-sought", summary="School asked what to do after the police notice and the injured wrist.",
                  details={"question": "threshold"}, statement="opinion", basis="assessment")  # fmt: skip
        self.at(58, "16:10")
        self.note(FRONT_DOOR, "advice-given", summary="Early help advised; no referral.", statement="opinion",
                  basis="assessment", details={"answer": "Offer early help with the mother's agreement.",
                  "referral_advised": "no", "to_service": service("larkbeck-primary")})  # fmt: skip

    def agreement(self) -> None:
        self.at(65, "15:00")
        self.note(SCHOOL_A, "agreement-given", "agreement", summary="Mother agrees to early help with school and school nurse.",
                  details={"kind": "engage", "by": "mother", "capacity": "parental-responsibility",
                           "scope": entries.agreement_scope(), "until": moment(430).date().isoformat()})  # fmt: skip

    def assessment(self) -> None:
        self.at(80, "14:00")
        under = {"agreement": self.ids["agreement"]}
        self.note(SCHOOL_A, "lead-professional-named", summary="Marnie Pell is lead professional.", shared_under=under,
                  details={"person": SCHOOL_A.id, "name": SCHOOL_A.name, "role": "school lead"})  # fmt: skip
        self.note(SCHOOL_A, "common-assessment-completed", summary="Common assessment completed with mother.",
                  shared_under=under, statement="opinion", basis="assessment",
                  narrative="Mother speaks of debts and of a friend who stays at weekends.",
                  details={"strengths": "Warm; keeps school routines.", "needs": "Sleep; worry at home."})  # fmt: skip

    def own_words(self) -> None:
        self.at(120, "11:20")
        self.note(NURSE, "view-of-child-recorded", summary="Wrenna spoke about sleep.", statement="told-by",
                  childs_words="I don't sleep when he shouts. I do when Auntie Pip stays.",
                  details={"how": "spoken", "alone": "yes", "wish": "Mum's friend is not told."},
                  not_to_be_told=["mothers-partner"])  # fmt: skip

    def location_protected(self) -> None:
        self.at(247, "09:30")
        for child in (self.wrenna, self.tobin):
            self.stage.record(FRONT_DOOR.id, entry("location-protected", child, details={"reason": "fleeing-abuse"},
                              summary="Where the children live, learn and are treated is protected."))  # fmt: skip

    def leaving(self) -> None:
        self.file(267, "16:30", "larkbeck", "education/samples/story/larkbeck/d267-9992001_CTF_XXXXXXX_002.xml")
        self.at(267, "16:45")
        self.note(SCHOOL_A, "file-sent", summary="Safeguarding file sent.", details={"kind": "safeguarding-file"})

    def settled_wrongly(self) -> None:
        self.at(277, "18:55")
        for item in self.stage.hub_lines("identity", "list", "--as", STEWARD.id, "--purpose", "triage"):
            if self.wrenna in item["candidates"]:
                self.replayed["unsure"] = item
                self.stage.settle(STEWARD.id, "same", item["child"], self.wrenna, "number and birth date agree")

    def read_wrong_child(self) -> None:
        self.reading("D+280 front door", 280, "16:20", FRONT_DOOR, "triage")
        self.reading("D+280 nurse", 280, "16:30", NURSE, "directCare")

    def taken_back(self) -> None:
        self.health(290)
        for item in self.stage.hub_lines("identity", "list", "--as", STEWARD.id, "--purpose", "triage"):
            if self.tobin in item["candidates"]:
                self.stage.settle(STEWARD.id, "same", item["child"], self.tobin, "name, birth date and number agree")

    def wrong_partnership(self) -> None:
        self.at(302, "12:00")
        file = Path(__file__).parent / "files" / "d302-clinic.hl7"
        self.stage.feed("westlorn-clinic", [file], well=False)

    def stepfather(self) -> None:
        self.at(322, "09:00")
        for child in (self.wrenna, self.tobin):
            self.stage.record(FRONT_DOOR.id, entry("location-protection-ended", child,
                              details={"reason": "the mother asked for it"},
                              summary="Protection ends; what was recorded in between stays protected."))  # fmt: skip
        self.at(322, "16:00")
        name = "education/samples/story/tarnwhistle/d322-9984002_CTF_998LLLL_002.xml"
        self.stage.feed("tarnwhistle", [SAMPLES / name])

    def withdrawn(self) -> None:
        self.at(410, "14:20")
        self.note(EARLY_HELP, "agreement-withdrawn", summary="Mother withdrew by telephone; a man's voice in the room.",
                  statement="told-by", details={"agreement": self.ids["agreement"], "by": "mother", "how": "telephone",
                  "others_heard": "a man, prompting", "freely": "doubtful"})  # fmt: skip

    def aunt_refers(self) -> None:
        self.at(455, "15:50")
        for event, more in (("contact-received", {}), ("referral-made", {})):
            self.note(FRONT_DOOR, event, summary="A relative is worried: shouting, bruises, a man in the home.",
                      details={"concern": "physical-abuse", "family_told": "no", **more}, people=entries.referrer(),
                      statement="told-by", not_to_be_told=["mother", "mothers-partner"])  # fmt: skip

    def no_further_action(self) -> None:
        self.at(456, "11:30")
        self.note(FRONT_DOOR, "referral-decided", "nfa", summary="No further action.", statement="decision",
                  details={"decision": "nfa", "reason": "No corroboration found.", "decided_by": FRONT_DOOR.id})  # fmt: skip
        self.at(458, "10:00")
        self.note(FRONT_DOOR, "referrer-informed", details={"outcome": "nfa"})
        self.at(459, "12:00")
        self.note(NURSE, "challenge-raised", summary="School nurse disagrees with no further action.",
                  statement="opinion", basis="assessment", narrative="Three signs in one year were not looked at together.",
                  details={"about": "decision of no further action", "level": "practitioner", "asked_for": "look again"},
                  references=[{**self.ids["nfa"], "as": "about"}])  # fmt: skip

    def tells_school(self) -> None:
        self.at(521, "10:50")
        self.note(SCHOOL_B, "disclosure-by-child", summary="Wrenna said that she is hurt at home.", statement="told-by",
                  childs_words="He grabs my arm when Mum is out. Please don't send me home.",
                  details={"how": "offered", "heard_by": "safeguarding lead", "others_present": False})  # fmt: skip

    def same_day(self) -> None:
        self.at(521, "11:20")
        front_door = [{"service": FRONT_DOOR.service, "role": "frontDoor"}]
        self.note(SCHOOL_B, "referral-made", summary="Referral after disclosure; decide today.", addressed_to=front_door,
                  asked="Decide today.", by_when=moment(521, "17:00").isoformat(),
                  details={"concern": "physical-abuse", "family_told": "no"},
                  told=[{"who": "mother", "told": False, "why": "could bring the child into danger"}])  # fmt: skip
        self.note(SCHOOL_B, "shared-without-agreement", summary="Shared without the mother's agreement.",
                  details={"gateway": "CA2004-s16LA", "reason": "18c", "necessity": "asking would prejudice protection"})  # fmt: skip
        self.at(521, "15:05")
        self.note(FRONT_DOOR, "referral-decided", summary="Strategy discussion.", details={
            "decision": "strategy-discussion", "reason": "Disclosure, earlier injuries.", "decided_by": FRONT_DOOR.id})  # fmt: skip

    def section_47(self) -> None:
        self.at(522, "09:10")
        for child in (self.wrenna, self.tobin):
            self.stage.record(FRONT_DOOR.id, entry("worker-allocated", child, details={
                "person": WORKER.id, "role": WORKER.role, "service": WORKER.service, "name": WORKER.name}))  # fmt: skip
        self.note(WORKER, "strategy-discussion-called", summary="Strategy discussion called.",
                  details={"participants": entries.participants(), "reason": "disclosure"})  # fmt: skip
        self.at(522, "13:00")
        self.note(WORKER, "strategy-discussion-held", summary="Joint section 47 enquiry agreed.",
                  details={"participants": entries.participants(), "decision": "s47", "route": "joint"})  # fmt: skip
        for child in (self.wrenna, self.tobin):
            self.stage.record(WORKER.id, entry("s47-started", child, summary="Section 47 enquiry started.",
                              details={"joint": "joint"}))  # fmt: skip
        self.at(522, "14:30")
        self.note(WORKER, "child-seen", summary="Seen alone at school.", statement="seen",
                  details={"alone": "yes", "by_qualified_social_worker": True, "where": "school"},
                  label={"level": "R"})  # fmt: skip
        self.note(WORKER, "view-of-child-recorded", "view D+522", summary="Wrenna was asked what she wants.",
                  childs_words="I want it to stop. I want Tobin to sleep at Auntie Pip's too.",
                  statement="told-by", label={"level": "R"}, details={"how": "spoken", "alone": "yes"})  # fmt: skip

    def mother_not_told(self) -> None:
        self.at(524, "10:00")
        self.note(WORKER, "decided-not-to-share", details={"what": "who disclosed", "from_whom": "mother",
                  "why": "She could be made to tell.", "review_on": moment(531).date().isoformat()},
                  summary="Mother is not told who disclosed.")  # fmt: skip

    def reading(self, word: str, day: int, clock: str, person: Any, purpose: str, **query: str) -> None:
        """One reading of Wrenna's chronology, kept under a word."""
        self.at(day, clock)
        answer = self.stage.ask(person.id, self.wrenna, purpose, **query)
        if answer.status_code != 200:
            self.readings[word] = answer.status_code
            return
        self.readings[word] = self.stage.read(person.id, self.wrenna, purpose, **query)

    def readings_of_the_table(self) -> None:
        for column, (person, purpose) in READERS.items():
            self.reading(column, 525, "09:30", person, purpose)
        self.reading("School A's former lead", 525, "09:40", SCHOOL_A, "educationSupport")
        self.stage.record(OFFICERS[0], entries.conflict(DEPUTY, self.wrenna))
        self.reading("attack a", 525, "09:45", DEPUTY, "s47")
        self.reading("attack b", 525, "09:46", SCHOOL_A, "educationSupport", as_of=moment(260, "12:00").isoformat())
        self.reading("attack c", 525, "09:47", NURSE, "s47", as_of=moment(280, "17:00").isoformat())
        self.reading("auditor", 525, "09:50", AUDITOR, "audit")
        self.quarantined = self.stage.hub_lines("quarantine", "list", "--as", STEWARD.id, "--purpose", "triage")

    def replays(self) -> None:
        self.at(525, "10:30")
        self.replayed["D+456"] = self.stage.hub_lines(
            "replay", self.wrenna, "--as", AUDITOR.id, "--purpose", "audit", "--reader", FRONT_DOOR.id,
            "--reader-purpose", "triage", "--at", moment(456, "11:29").isoformat(),
        )[0]  # fmt: skip


HEALTH_FEEDS = {("fenwater", 94): "fenwater-nursing", ("fenwater", 190): "fenwater-nursing"}
"""Files of one trust that come from another of its services than the folder's."""
