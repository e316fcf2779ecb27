"""What to try beside the demo while its hub stays up: one line that sets a terminal up, short commands, who is who.

The settings stand in a file in the demo's folder, so that nobody copies a path. Reads nothing of a child by itself.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

from demo.cast import AUDITOR, FEEDS, FRONT_DOOR, NURSE, POLICE, SCHOOL_A, SCHOOL_B, STEWARD, WORKER
from demo.stage import OFFICERS
from demo.story import Story, moment

NEEDED = (
    "HUB_HOME", "HUB_DEMO", "HUB_DEMO_CLOCK", "HUB_DATABASE", "HUB_KEYS_DATABASE", "ADAPTER_DEMO", "ADAPTER_DEMO_CLOCK",
)  # fmt: skip
"""What a command beside the demo is given: where the hub's record is, and the story's clock, on which all stand."""
DESCRIBED = {
    "names": [{"family": "Quillfeather", "given": ["Wrenna"]}],
    "birth_date": {"date": "2014-05-17"},
    "address": [{"postcode": "ZZ8 2LW"}],
}
CAST = (
    (WORKER, "social worker", "s47"), (FRONT_DOOR, "the front door", "triage"),
    (SCHOOL_A, "lead of Larkbeck, her first school", "educationSupport"),
    (SCHOOL_B, "lead of Tarnwhistle, her second", "s47"), (NURSE, "school nurse", "s47"), (POLICE, "police", "s47"),
    (STEWARD, "steward: who is who, quarantine", "triage"), (AUDITOR, "auditor", "audit"),
)  # fmt: skip


def prepare(story: Story) -> str:
    """Put the hub at D+525, noon, every feed just heard, and write the settings; gives the words to print."""
    story.heard(525, "12:00", *FEEDS)
    (story.folder / "child.json").write_text(json.dumps(DESCRIBED))
    told = {name: story.stage.environment[name] for name in NEEDED if name in story.stage.environment}
    told |= {"DEMO": str(story.folder), "WRENNA": story.wrenna, "URL": story.stage.url}
    settings = story.folder / "settings"
    settings.write_text("".join(f"export {name}={shlex.quote(text)}\n" for name, text in told.items()))
    commands = "\n".join(f"  {line}" for line in (*_of_the_hub(), *_of_the_agencies(story)))
    cast = "\n".join(f"  {one.id:16} {who:35} --purpose {purpose}" for one, who, purpose in CAST)
    return (
        f"The hub answers at {story.stage.url} until Ctrl-C. In another terminal, here:\n\n"
        f"  . {_activate()}; . {settings}\n\n"
        f"and then, for example:\n\n{commands}\n\n"
        f"Who may be named after --as, and for what they read:\n\n{cast}\n"
        f"  {', '.join(OFFICERS)}   the two officers\n"
    )


def _of_the_hub() -> tuple[str, ...]:
    reader = f"--reader {FRONT_DOOR.id} --reader-purpose triage --at {moment(456).date()}"
    return (
        f"hub chronology $WRENNA --as {WORKER.id} --purpose s47",
        f"hub inbox --as {FRONT_DOOR.id}",
        f"hub open-items --as {FRONT_DOOR.id} --purpose triage",
        f"hub query $DEMO/child.json --as {FRONT_DOOR.id} --purpose triage",
        f"hub identity list --as {STEWARD.id} --purpose triage",
        f"hub quarantine list --as {STEWARD.id} --purpose triage",
        f"hub replay $WRENNA --as {AUDITOR.id} --purpose audit \\\n    {reader}",
        "hub sources",
        f"hub staff list --as {OFFICERS[0]} --purpose audit",
        f'curl -H "Authorization: Bearer $(hub token --as {NURSE.id})" \\\n'
        "    $URL/children/$WRENNA/chronology?purpose=s47",
    )


def _of_the_agencies(story: Story) -> tuple[str, ...]:
    """An adapter's own words, and a notice that nobody opened yet, where there is one."""
    school = "adapter-education --home $DEMO/tarnwhistle"
    waiting = [one["id"] for one in story.stage.collect("tarnwhistle") if "opened" not in one]
    opening = [f"{school} notices open {waiting[0][:12]} --by {SCHOOL_B.id}"] if waiting else []
    return "adapter-police --home $DEMO/northmarch status", f"{school} notices", *opening


def _activate() -> str:
    """The file that puts `hub` and the adapters on the path, from here where it is below."""
    activate = Path(sys.executable).parent / "activate"
    return os.path.relpath(activate) if activate.is_relative_to(Path.cwd()) else str(activate)
