"""`python -m demo`: plays the story and prints it; with `--keep` the hub stays up until it is interrupted."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo.cast import SCHOOL_B, WORKER
from demo.script import play
from demo.show import show
from demo.stage import StageFault
from demo.story import Story, moment


def main() -> int:
    """Play, print, clean up; gives the exit code."""
    parser = argparse.ArgumentParser(prog="demo", description="One invented family, through the real doors.")
    parser.add_argument("--keep", action="store_true", help="keep the hub up afterwards and say what to try")
    args = parser.parse_args()
    console = Console(width=max(110, min(150, Console().width)), highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="safeguarding-demo-"))
    story, began = Story(folder), time.monotonic()
    try:
        play(story, lambda words: console.print(words, style="dim"))
        show(story, console)
        console.print(f"Played in {time.monotonic() - began:.0f} s. Everybody and everything here is invented.")
        if args.keep:
            _stay(story, console)
    except StageFault as fault:
        console.print(f"The demo stopped: {fault}", style="bold red", markup=False)
        log = folder / "hub.log"
        console.print(log.read_text()[-4000:] if log.exists() else "", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        story.stage.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _stay(story: Story, console: Console) -> None:
    """Keep the hub up and say what to try next."""
    story.stage.set_clock(moment(525, "12:00"))
    home = f"HUB_HOME={story.stage.home} HUB_DEMO=1 HUB_DEMO_CLOCK={story.stage.clock}"
    hub = f"{home} {sys.executable} -m hub"
    console.print(
        f"\nThe hub answers at {story.stage.url} until you press Ctrl-C. Try:\n"
        f"  {hub} chronology {story.wrenna} --as {WORKER.id} --purpose s47\n"
        f"  {hub} chronology {story.wrenna} --as {SCHOOL_B.id} --purpose s47\n"
        f"  {hub} quarantine list --as bram.tolley --purpose triage\n"
        f'  curl -s -H "Authorization: Bearer $({hub} token --as {WORKER.id})"'
        f" '{story.stage.url}/children/{story.wrenna}/chronology?purpose=s47'\n",
        markup=False,
        soft_wrap=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
