"""An operator can follow `infra/README.md` over real servers: its lines are run as they stand, in an empty home."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra.kafka.cluster import free_ports

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```sh runnable\n(.*?)^```$", (ROOT / "infra/README.md").read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = {"hub": "-m hub", "adapter-police": "-m adapters.police", "python": ""}
LONGEST_S = 180


@pytest.fixture
def home() -> Iterator[Path]:
    """Not pytest's own, which PostgreSQL's user cannot enter where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="operator-"))
    folder.chmod(0o755)
    (folder / "bin").mkdir()
    for name, words in COMMANDS.items():
        (folder / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (folder / "bin" / name).chmod(0o755)
    yield folder
    down = [sys.executable, "-m", "infra.postgres", "down", str(folder / "site/postgres")]
    subprocess.run(down, check=False, capture_output=True)  # noqa: S603
    shutil.rmtree(folder)


def test_an_operator_can_follow_the_guide_from_the_servers_to_the_first_reading_and_end_them(home: Path) -> None:
    assert len(BLOCKS) >= 5
    script = "set -euo pipefail\n" + "\n".join(BLOCKS)
    serving, *watched = map(str, free_ports(3))
    for named, free in zip(("9401", "9402"), watched, strict=True):
        script = script.replace(named, free)
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("HUB_", "ADAPTER_"))}
    environment = clean | {"HOME": str(home), "PATH": f"{home / 'bin'}:{clean['PATH']}", "HUB_PORT": serving}
    with (home / "out").open("wb") as out, (home / "err").open("wb") as err:
        run = subprocess.Popen(  # noqa: S603
            ["bash", "-c", script],  # noqa: S607
            cwd=ROOT, env=environment, stdout=out, stderr=err, start_new_session=True, umask=0o022,
        )  # fmt: skip
    try:
        code = run.wait(timeout=LONGEST_S)
        said = (home / "out").read_text()
        assert code == 0, said[-2000:] + (home / "err").read_text()[-3000:]
        with pytest.raises(ProcessLookupError):
            os.killpg(run.pid, 0)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGTERM)
    assert '"settled": 4, "refused": 0, "all_receipted": true' in said
    assert re.search(r"^goes by +kafka to 127", said, re.MULTILINE)
    reading = json.loads(said.splitlines()[-1])
    assert sorted(one["event"] for one in reading["entries"]) == ["domestic-abuse-incident", "domestic-abuse-notice"]
    assert not (home / "site/postgres/data/postmaster.pid").exists()
