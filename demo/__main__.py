"""`python -m demo`: plays the story and prints it; with `--keep` the hub stays up until it is interrupted.

With `--kafka` it is played over Apache Kafka and PostgreSQL, and nothing of what is printed is different.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo.script import play
from demo.servers import ServedStage
from demo.show import FAMILY, show
from demo.stage import Stage, StageFault
from demo.story import Story
from demo.trying import prepare

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NARROWEST = 80
"""Columns; below it the tables would be cut."""


def main() -> int:
    """Play, print, clean up; gives the exit code."""
    parser = argparse.ArgumentParser(prog="demo", description="One invented family, through the real doors.")
    parser.add_argument("--keep", action="store_true", help="keep the hub up afterwards and say what to try")
    parser.add_argument("--kafka", action="store_true", help="over Apache Kafka and PostgreSQL (needs Java and Maven)")
    args = parser.parse_args()
    console = Console(width=_width(), highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="safeguarding-demo-"))
    story, began = Story(folder, ServedStage if args.kafka else Stage), time.monotonic()
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    try:
        console.print(FAMILY, markup=False)
        play(story, lambda words: console.print(words, style="dim"))
        show(story, console)
        console.print(f"Played in {time.monotonic() - began:.0f} s. Everybody and everything here is invented.")
        if args.keep:
            _stay(prepare(story), console)
    except StageFault as fault:
        console.print(f"The demo stopped: {fault}", style="bold red", markup=False)
        for log in sorted(folder.glob("*.log")):
            console.print(f"{log.name}:\n{log.read_text(errors='replace')[-4000:]}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)  # what is being ended now is ended whole
        story.stage.end()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _stay(words: str, console: Console) -> None:
    """Keep the hub up until somebody ends it, which is how it should end."""
    console.print(f"\n{words}", markup=False, soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _width() -> int:
    """The terminal's, as far as the tables fit it; a file's is the same everywhere."""
    return max(NARROWEST, min(150, Console().width)) if sys.stdout.isatty() else 110


if __name__ == "__main__":
    sys.exit(main())
