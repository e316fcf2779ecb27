"""What stayed in the agencies and what they were told, as their adapters say it. Prints nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from demo.stage import LONDON
from demo.story import DAY_0, Story

COUNT = {2: "two", 3: "three"}


def stayed_and_told(story: Story) -> Panel:
    """How much each agency read and held back, and the notices that reached a school."""
    lines = [_stayed(story, name) for name in story.stage.feeds]
    return Panel(
        Group(*(line for line in lines if line), *_told(story, "larkbeck")),
        title="What stayed in the agencies, and what one of them was told", border_style="green",
    )  # fmt: skip


def _stayed(story: Story, name: str) -> Text | None:
    """Records of which nothing left: nothing in them to share, or no rule that lets them go. Absent where all left."""
    status = story.stage.status(name)
    silent = sum(row["count"] for row in status["records"] if row["outcome"] == "no-event")
    waiting = sum(row["kept"] for row in status["held_back"]["rules"])
    chosen = len(story.replayed.get("held back", ())) if name == "tarnwhistle" else 0
    if not (silent or waiting or chosen):
        return None
    words = f"{silent} records with nothing to share, {waiting} held back"
    sent = f"; {chosen} more were held back until Juno Farrow chose to send them on D+322" if chosen else ""
    return Text.assemble((f"{story.stage.feeds[name].service['name']}: ", "bold"), words + sent)


def _told(story: Story, name: str) -> list[Text]:
    service = story.stage.feeds[name].service["name"]
    pupils = Counter(_told_of_one(one) for one in sorted(story.stage.notices(name), key=lambda one: str(one["at"])))
    return [
        Text.assemble((f"{service} was told {at}", "bold"), f" {_of_how_many(count)}: ", says, f"  {opened}")
        for (at, says, opened), count in pupils.items()
    ]


def _told_of_one(notice: Mapping[str, str]) -> tuple[str, str, str]:
    """When, what, and by whom it was opened when: notices of several pupils may say the same."""
    opened = f"opened {_when(notice['opened'])} by {notice['by']}" if "opened" in notice else "not opened"
    return _when(notice["at"]), notice["says"], opened


def _of_how_many(pupils: int) -> str:
    return "of one pupil" if pupils == 1 else f"for each of {COUNT.get(pupils, pupils)} pupils"


def _when(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(LONDON)
    return f"D+{(at.date() - DAY_0.date()).days} {at:%H:%M}"
