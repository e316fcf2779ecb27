"""The Quillfeather children's story on its stage: what its chapters have in common, and what came of it.

Day 0 is Monday 9 September 2024. What bodies and people do is in `chapters`; what readers then see is not scripted but
read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from demo.cast import AREA, FEEDS, PARTNERSHIP, SERVICES
from demo.entries import entry
from demo.stage import LONDON, Stage

DAY_0 = datetime(2024, 9, 9, tzinfo=LONDON)
SAMPLES = Path(__file__).parent.parent / "adapters"
Reading = dict[str, Any]
Step = tuple[str, Callable[[], object]]
"""The line that says what happens, and what makes it happen."""


def moment(day: int, clock: str = "09:00") -> datetime:
    """D+`day` at a London wall-clock time."""
    hour, minute = map(int, clock.split(":"))
    return (DAY_0 + timedelta(days=day)).replace(hour=hour, minute=minute)


@dataclass
class Story:
    """The story on its stage, and what came of it."""

    folder: Path
    make_stage: type[Stage] = Stage
    stage: Stage = field(init=False)
    wrenna: str = ""
    tobin: str = ""
    readings: dict[str, Reading | int] = field(default_factory=dict)
    """Reading → the answer, or the status code of a refusal."""
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    """Word for an entry → {source, id} of the event, for what later refers to it."""
    sources: list[dict[str, Any]] = field(default_factory=list)
    """What the operator saw while a feed was silent."""
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    told_of_removal: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Person → what their list said on D+290 of an entry that was removed."""
    replayed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stage = self.make_stage(self.folder, PARTNERSHIP, AREA, SERVICES, FEEDS)

    def at(self, day: int, clock: str = "09:00") -> None:
        """Put the clock."""
        self.stage.set_clock(moment(day, clock))

    def file(self, day: int, clock: str, feed: str, *names: str) -> None:
        """An agency's system writes files; its adapter reads and sends them."""
        self.at(day, clock)
        self.stage.feed(feed, [SAMPLES / name for name in names])

    def health(self, day: int) -> None:
        """All health files of a day, each from the trust that wrote it."""
        self.at(day, "18:00")
        folder = SAMPLES / "health" / "samples" / "story"
        for file in sorted(folder.glob(f"*/d{day:03}-*")):
            feed = HEALTH_FEEDS.get((file.parent.name, day), file.parent.name)
            self.stage.feed(feed, [file], choice=self.choice(CHOSEN.get((feed, day), "")))

    def heard(self, day: int, clock: str, *feeds: str) -> None:
        """These feeds' adapters run, whether or not there is anything to read."""
        self.at(day, clock)
        self.stage.heartbeats(feeds)

    def choice(self, person: str) -> list[str]:
        """What an adapter is told where a person chose to send what no rule lets go."""
        return ["--by", person, "--decided", self.stage.clock.read_text()] if person else []

    def note(self, person: Any, event: str, word: str = "", **members: Any) -> None:
        """A person records something about Wrenna."""
        done = self.stage.record(person.id, entry(event, self.wrenna, **members))
        self.ids[word or event] = {"source": done["source"], "id": done["id"]}

    def reading(self, word: str, day: int, clock: str, person: Any, purpose: str, **query: str) -> None:
        """One reading of Wrenna's chronology, kept under a word."""
        self.at(day, clock)
        answer = self.stage.ask(person.id, self.wrenna, purpose, **query)
        if answer.status_code != 200:
            self.readings[word] = answer.status_code
            return
        self.readings[word] = self.stage.read(person.id, self.wrenna, purpose, **query)


HEALTH_FEEDS = {("fenwater", 94): "fenwater-nursing", ("fenwater", 190): "fenwater-nursing"}
"""Files of one trust that come from another of its services than the folder's."""
CHOSEN = {
    ("fenwater-nursing", 94): "marit.sole", ("fenwater-chis", 252): "petra.vole",
    ("westlorn", 276): "sorrel.finch", ("westlorn", 290): "sorrel.finch",
}  # fmt: skip
"""Who chose to send a health file that is on no list, about a child of whom that service had shared nothing."""
