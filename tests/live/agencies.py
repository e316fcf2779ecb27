"""The agencies of a run: their folders with native files that are released bit by bit, and their outboxes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from tests.live.generator import FEEDS, Area


class Agencies:
    """Every feed under `folder`; reads outboxes as they lie on the disk, changes none."""

    def __init__(self, folder: Path, area: Area) -> None:
        self.folder, self.area = folder, area
        self._released = dict.fromkeys(area.files, 0)

    def inbox(self, name: str) -> Path:
        """The folder that a feed's adapter reads."""
        return self.folder / name / "in"

    def outbox(self, name: str) -> Path:
        """The file of a feed's outbox."""
        return self.folder / name / "outbox.db"

    def command(self, name: str, verb: str, *more: str) -> list[str]:
        """The words that run a feed's adapter over its folder."""
        home = str(self.folder / name)
        return ["-m", f"adapters.{FEEDS[name].agency}", "--home", home, verb, str(self.inbox(name)), *more]

    def release(self, part: float) -> None:
        """Put files into the folders until this part of them is there."""
        for name, files in self.area.files.items():
            self.inbox(name).mkdir(exist_ok=True)
            while self._released[name] < round(part * len(files)):
                file = files[self._released[name]]
                unfinished = self.inbox(name) / f"{file.name}.part"
                unfinished.write_text(file.content, newline="")
                unfinished.rename(self.inbox(name) / file.name)
                self._released[name] += 1

    def released_events(self, names: Iterable[str] = tuple(FEEDS)) -> int:
        """How many events the released files mean."""
        files = (file for name in names for file in self.area.files[name][: self._released[name]])
        return sum(file.meant.total() for file in files)

    def settled(self, names: Iterable[str] = tuple(FEEDS)) -> int:
        """How many sealed events have their receipt."""
        return sum(self._count(name, "state IN ('admitted', 'duplicate', 'refused')") for name in names)

    def sealed(self, names: Iterable[str] = tuple(FEEDS)) -> int:
        """How many events were sealed."""
        return sum(self._count(name, "true") for name in names)

    def is_behind(self, name: str) -> bool:
        """Is anything that was released without its receipt?"""
        return self.settled([name]) < self.released_events([name])

    def all_settled(self) -> bool:
        """Has everything that was released its receipt?"""
        return not any(self.is_behind(name) for name in FEEDS)

    def _count(self, name: str, which: str) -> int:
        if not self.outbox(name).exists():
            return 0
        try:
            with sqlite3.connect(f"{self.outbox(name).as_uri()}?mode=ro", uri=True) as db:
                asked = f"SELECT count(*) FROM sealed WHERE event <> 'heartbeat' AND {which}"  # noqa: S608
                return int(db.execute(asked).fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0
