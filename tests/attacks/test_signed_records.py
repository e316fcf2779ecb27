"""The corpus of forged, bent and mislabelled records: each verdict, and the step that gives it.

`signed_record_steps.json` is the reviewed table: name and step of every record, in the corpus' order (names repeat).
"""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.__main__ import read_registry
from schemas.envelope import STEPS, Refused, open_envelope

STEPS_TABLE = Path(__file__).with_name("signed_record_steps.json")
TYPE = "uk.safeguarding.concern.raised.v1"
CLOCK = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def corpus_file(shared_dir: Path) -> Path:
    return shared_dir / "vectors" / "generated" / "signed_record_attacks.json"


def test_every_record_of_the_corpus_ends_at_the_step_in_the_reviewed_table(corpus_file: Path) -> None:
    raw = corpus_file.read_bytes()
    registry, cases = read_registry(raw), json.loads(raw)["cases"]
    table = json.loads(STEPS_TABLE.read_text("utf-8"))
    assert [name for name, _ in table] == [each["name"] for each in cases]
    wrong = []
    for number, (each, (name, step)) in enumerate(zip(cases, table, strict=True)):
        try:
            open_envelope(
                base64.b64decode(each["record_b64"]), registry, types={TYPE}, latest=CLOCK + timedelta(seconds=60)
            )
            ended = "accepted"
        except Refused as refused:
            ended = refused.step
        if ended != step or (ended == "accepted") != (each["expect"] == "accept"):
            wrong.append((number, name, ended, step))
    assert wrong == []


def test_the_reviewed_table_names_only_steps_that_exist_and_misses_none_but_those_named() -> None:
    used = {step for _, step in json.loads(STEPS_TABLE.read_text("utf-8"))}
    assert used == {*STEPS, "accepted"}


def test_the_command_line_judges_the_corpus_alike_and_never_ends_in_a_traceback(
    corpus_file: Path, tmp_path: Path
) -> None:
    cases = json.loads(corpus_file.read_bytes())["cases"]
    table = json.loads(STEPS_TABLE.read_text("utf-8"))
    names = []
    for number, each in enumerate(cases):
        record = tmp_path / f"{number:03}.json"
        record.write_bytes(base64.b64decode(each["record_b64"]))
        names.append(str(record))
    types = tmp_path / "types.txt"
    types.write_text(TYPE + "\n")
    command = [sys.executable, "-m", "schemas", "verify", "--keys", str(corpus_file), "--types", str(types)]
    ran = subprocess.run(  # noqa: S603 our own interpreter and files
        [*command, "--at", "2026-11-21T09:20:00Z", *names],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["record"] for line in lines] == names
    assert [line.get("step", line["outcome"]) for line in lines] == [step for _, step in table]
