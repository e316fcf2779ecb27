"""The judge is shown a real hub that loses one record, and one that writes one twice: it names that record.

And it is shown the evidence of a good run with one line taken out of each file, or put in twice.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.collecting import Collector
from tests.live.evidence import read_evidence
from tests.live.generator import Area, make_area
from tests.live.kafka_run import HUBS, KafkaRun
from tests.live.servers import Servers
from tests.live.soak import FINAL_WITHIN_S, judge

pytestmark = pytest.mark.live

EVENTS, SEQUENCE = 100, 5


@pytest.mark.parametrize(("defect", "times"), [("drop", 0), ("double", 2)])
def test_the_judge_sees_a_hub_that_drops_or_doubles_one_record(
    a_run: Callable[[Area], KafkaRun], defect: str, times: int
) -> None:
    run = a_run(make_area(EVENTS, seed=1, files=1))
    run.held |= {*HUBS}
    run.agencies.release(1)
    run.processes.start("broken", "-m", "tests.live.broken_hub", defect, str(SEQUENCE), "consume")
    run.settle(FINAL_WITHIN_S)
    run.close()
    evidence = Collector(run).write(run.folder / "evidence")
    verdict = judge(evidence)
    assert verdict["judged"]["lost" if defect == "drop" else "doubled"] == 1
    hit = [one for one in read_evidence(evidence).sealed if one.sequence == SEQUENCE]
    assert any(f"{one.source} {one.id}: stands {times} times" in verdict["faults_found"] for one in hit)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Iterator[Path]:
    """The evidence of a run without a fault."""
    folder = tmp_path_factory.mktemp("good")
    run = KafkaRun(folder, servers, make_area(EVENTS, seed=2, files=1), random.Random(0))  # noqa: S311
    try:
        run.set_up()
        run.agencies.release(1)
        run.settle(FINAL_WITHIN_S)
        run.close()
        yield Collector(run).write(folder / "evidence")
    finally:
        run.close()


def test_the_judge_finds_no_fault_in_the_evidence_of_a_good_run(good: Path) -> None:
    assert judge(good)["faults_found"] == []


@pytest.mark.parametrize("tamper", ["taken out", "put in twice"])
@pytest.mark.parametrize("file", ["sends", "receipts", "chronologies"])
def test_the_judge_sees_a_line_that_was_taken_out_of_the_evidence_or_put_in_twice(
    good: Path, tmp_path: Path, file: str, tamper: str
) -> None:
    evidence = tmp_path / "evidence"
    shutil.copytree(good, evidence)
    path = evidence / f"{file}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if file != "chronologies" or json.loads(line)["entries"])
    changed = [*lines[:at], *lines[at + 1 :]] if tamper == "taken out" else [lines[at], *lines]
    path.write_text("".join(changed))
    found = judge(evidence)["faults_found"]
    assert bool(found) != (file == "receipts" and tamper == "put in twice"), "receipts may be published again"


def test_the_judge_sees_receipts_that_somebody_else_signed(good: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    shutil.copytree(good, evidence)
    first, *rest = (evidence / "receipts.jsonl").read_text().splitlines()
    message = json.loads(first)
    head, payload, signature = message["jws"].split(".")
    message["jws"] = f"{head}.{payload}.{signature[:-4]}AAAA"
    (evidence / "receipts.jsonl").write_text("\n".join([json.dumps(message), *rest, ""]))
    assert any("is not signed by the pinned key" in fault for fault in judge(evidence)["faults_found"])
