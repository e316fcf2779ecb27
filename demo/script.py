"""The script: the chapters in order, each reading made when the clock stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from demo import entries
from demo.cast import PEOPLE
from demo.chapters import beginnings, enquiry, flight
from demo.stage import OFFICERS
from demo.story import Step, Story


def play(story: Story, told: Callable[[str], None] = lambda _: None) -> None:
    """Play all of it. Errors: `demo.stage.StageFault`."""
    for words, step in steps(story):
        told(words)
        step()


def steps(story: Story) -> Iterator[Step]:
    """Every step in order."""
    yield "the hub is made, agencies register their keys, professionals their roles", lambda: set_up(story)
    for chapter in (beginnings, flight, enquiry):
        yield from chapter.steps(story)


def set_up(story: Story) -> None:
    """Make the hub and register everybody."""
    story.at(-7)
    story.stage.build()
    story.stage.start()
    for person in PEOPLE:
        story.stage.record(OFFICERS[0], entries.role_held(person, "2024-09-02"))
        story.stage.record(OFFICERS[0], entries.trained(person, "2024-07-01", "2027-07-01"))
