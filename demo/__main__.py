"""`python -m demo`: plays the story and prints it; with `--keep` the hub stays up until it is interrupted.

With `--kafka` it is played over Apache Kafka and PostgreSQL, and nothing of what is printed is different.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo.cast import SCHOOL_B, WORKER
from demo.script import play
from demo.servers import ServedStage
from demo.show import show
from demo.stage import Stage, StageFault
from demo.story import Story, moment

NEEDED = ("HUB_HOME", "HUB_DEMO", "HUB_DEMO_CLOCK", "HUB_DATABASE", "HUB_KEYS_DATABASE")
"""What a `hub` command beside the demo is given."""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Play, print, clean up; gives the exit code."""
    parser = argparse.ArgumentParser(prog="demo", description="One invented family, through the real doors.")
    parser.add_argument("--keep", action="store_true", help="keep the hub up afterwards and say what to try")
    parser.add_argument("--kafka", action="store_true", help="over Apache Kafka and PostgreSQL (needs Java and Maven)")
    args = parser.parse_args()
    console = Console(width=max(110, min(150, Console().width)), highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="safeguarding-demo-"))
    story, began = Story(folder, ServedStage if args.kafka else Stage), time.monotonic()
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    try:
        play(story, lambda words: console.print(words, style="dim"))
        show(story, console)
        console.print(f"Played in {time.monotonic() - began:.0f} s. Everybody and everything here is invented.")
        if args.keep:
            _stay(story, console)
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


def _stay(story: Story, console: Console) -> None:
    """Keep the hub up and say what to try next."""
    story.stage.set_clock(moment(525, "12:00"))
    settings = {name: story.stage.environment[name] for name in NEEDED if name in story.stage.environment}
    hub = " ".join([*(f"{name}={shlex.quote(text)}" for name, text in settings.items()), sys.executable, "-m hub"])
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
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
