"""The README's commands work: every block marked `sh runnable` is run, in order, in an empty home."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh runnable\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = {
    "hub": "hub", "adapter-police": "adapters.police", "adapter-health": "adapters.health",
    "adapter-education": "adapters.education",
}  # fmt: skip
LONGEST_S = 180


def test_the_two_commands_of_the_first_screen_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_file_that_the_pages_name_is_there() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "infra" / "README.md", *(ROOT / "hub").rglob("*.md")]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_test_that_a_page_names_as_a_guard_exists() -> None:
    named = [
        (page.name, file, test)
        for page in sorted((ROOT / "hub").rglob("*.md"))
        for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())
    ]
    assert len(named) >= 40
    assert [one for one in named if not _is_defined(ROOT / one[1], one[2])] == []


def _is_defined(file: Path, test: str) -> bool:
    return file.exists() and re.search(rf"^(?:async )?def {test}\(", file.read_text(), re.MULTILINE) is not None


def test_a_reader_can_follow_the_readme_from_the_first_check_to_the_first_reading(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 6
    script = tmp_path / "readme.sh"
    script.write_text("set -euo pipefail\n" + "\n".join(BLOCKS).replace("8470", str(port := free_port())))
    run = start(["bash", str(script)], tmp_path, port)
    try:
        code = run.wait(timeout=LONGEST_S)
    finally:
        stop(run)
    assert code == 0, (tmp_path / "err").read_text()[-3000:]
    (read,) = [one for one in _told(tmp_path / "out") if "entries" in one]
    assert sorted(entry["event"] for entry in read["entries"]) == ["domestic-abuse-incident", "domestic-abuse-notice"]


def _told(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]


def test_the_name_of_no_command_is_misspelt() -> None:
    """Every `hub …` verb of the table is one that the command line has."""
    verbs = re.findall(
        r"`(?:hub )?([a-z]+)`", next(line for line in README.splitlines() if line.startswith("| `hub init`"))
    )
    for verb in verbs:
        words = [sys.executable, "-m", "hub", verb, "--help"]
        assert subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60).returncode == 0, verb  # noqa: S603


def start(words: list[str], home: Path, port: int) -> subprocess.Popen[bytes]:
    """Run in a process group of its own, with `hub` and the adapters as commands, and no setting of ours."""
    folder = home / "bin"
    folder.mkdir()
    for name, module in COMMANDS.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (folder / name).chmod(0o755)
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("HUB_", "ADAPTER_"))}
    environment = clean | {"HOME": str(home), "PATH": f"{folder}:{clean['PATH']}", "HUB_PORT": str(port)}
    with (home / "out").open("wb") as out, (home / "err").open("wb") as err:
        return subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=err, start_new_session=True)  # noqa: S603


def stop(run: subprocess.Popen[bytes]) -> None:
    """End the group: the script leaves its hub serving, as its reader would."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
