"""The demo over Apache Kafka and PostgreSQL: the same story, word by word, and nothing left running when it ends."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.script import play
from demo.servers import ServedStage
from demo.show import show
from demo.stage import Stage
from demo.story import Story

pytestmark = pytest.mark.live

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12}|[0-9a-f]{16,64}|[0-9A-Za-z_-]{43}")
"""Ids of children and events, references in answers, names of what is held back, digests."""
WITHIN_S = 120


@dataclass(frozen=True)
class Told:
    """What came of one playing."""

    printed: str
    answers: Any
    ways: set[str]
    """How the feeds' records left."""
    unsettled: int
    """Records of theirs that wait for a receipt."""


def tell(folder: Path, make_stage: type[Stage]) -> Told:
    story, printed = Story(folder, make_stage), io.StringIO()
    try:
        play(story)
        show(story, Console(file=printed, width=110))
        states = [story.stage.status(name) for name in story.stage.feeds]
    finally:
        story.stage.end()
    answers = {"read": story.readings, "quarantined": story.quarantined, "replayed": story.replayed}
    waiting = sum(one["pending"] + one["awaiting_receipt"] for one in states)
    return Told(printed.getvalue(), mask(answers), {one["transport"]["way"] for one in states}, waiting)


def mask(answer: Any) -> Any:
    """An answer without its ids. What stands at the same time has no order but that of its references: none here."""
    if isinstance(answer, dict):
        return {name: mask(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return sorted((mask(one) for one in answer), key=lambda one: json.dumps(one, sort_keys=True))
    return "id" if isinstance(answer, str) and ID.fullmatch(answer) else answer


def test_over_kafka_and_postgresql_every_reader_is_answered_as_over_https_and_files(tmp_path: Path) -> None:
    embedded, served = tell(tmp_path / "embedded", Stage), tell(tmp_path / "served", ServedStage)
    assert (embedded.ways, served.ways) == ({"https"}, {"kafka"})
    assert served.unsettled == embedded.unsettled == 0
    assert served.printed == embedded.printed
    assert served.answers == embedded.answers


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the demo makes its folders. Not pytest's own, which PostgreSQL's user cannot enter where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def begin(scratch: Path, **more: str) -> subprocess.Popen[str]:
    """The demo as a terminal begins it, in a group of its own."""
    command = [sys.executable, "-m", "demo", "--kafka"]
    environment = os.environ | {"TMPDIR": str(scratch)} | more
    return subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def living(scratch: Path) -> list[str]:
    """The command lines that name a folder of the demo's, or come from one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + b" " + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(scratch).encode() in words:
            found.append(words.split(b"\0")[0].decode())
    return found


def wait_for(there: Callable[[], bool]) -> None:
    ended = time.monotonic() + WITHIN_S
    while not there():
        assert time.monotonic() < ended
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("moment", "sign"),
    [
        pytest.param("safeguarding-demo-*/kafka/node-1", signal.SIGTERM, id="told to, while Kafka is made"),
        pytest.param("safeguarding-demo-postgres-*/data", signal.SIGINT, id="by Ctrl-C, while PostgreSQL is made"),
        pytest.param("safeguarding-demo-*/fenwater/outbox.db", signal.SIGHUP, id="its terminal closed amid the story"),
    ],
)
def test_ended_at_any_moment_it_leaves_nothing_running(scratch: Path, moment: str, sign: signal.Signals) -> None:
    demo = begin(scratch)
    wait_for(lambda: any(scratch.glob(moment)))
    os.killpg(demo.pid, sign)
    demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 130
    assert living(scratch) == []
    assert list(scratch.iterdir()) == []


def test_without_java_it_says_what_to_install_and_leaves_nothing_running(scratch: Path) -> None:
    demo = begin(scratch, PATH=str(scratch))
    said, _ = demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 1
    assert "apt install openjdk-17-jre-headless" in said
    assert living(scratch) == []
    assert list(scratch.iterdir()) == []
