"""The spine's speed as ratios of CPU time: opening against bare verification, admitting against opening, a policed
reading against the same bytes ready-made.

Both sides of a ratio run in one go, by turns in rounds, and the median of the rounds' ratios counts: a busy neighbour
slows both alike. Words and table go to stderr, one JSON document to stdout and to `results/spine.json`. Exit 1 when a
ratio is below its reach, 2 when misused.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.records import Posted, make_batches
from bench.stage import CHILDREN, CHILDREN_READ, ENTRIES, BenchFault, Server, Stage
from schemas.check import check_event
from schemas.compact import split
from schemas.envelope import EVENT_TYP, open_envelope
from schemas.keys import KeyEntry

RESULTS = Path(__file__).parent / "results" / "spine.json"
BATCH = 500
READS_A_TURN = 5
READY_MADE_A_READ = 5
"""Ready-made answers are so quick that several are asked for in place of each reading."""
SEED = 20240903
SPENT = ("verify", "open", "admit", "read", "read_first", "ready_made")


@dataclass(frozen=True, slots=True)
class Side:
    """One ratio: what is measured, against what, and how much of its rate is wanted."""

    name: str
    what: str
    against: str
    reach: float


SIDES = (
    Side("open", "open_envelope + check_event", "bare Ed25519 verification of the same records", 0.60),
    Side("admit", "POST /inbox, committed and in the view", "open_envelope + check_event of the same records", 0.40),
    Side("read", f"chronology of {ENTRIES} entries, read by one after the other", "the same bytes ready-made", 0.05),
)


@dataclass(slots=True)
class Round:
    """CPU microseconds: a record for the first three, a request for the others."""

    verify: float
    open: float
    admit: float
    read: float
    read_first: float
    """A reading of a child whom nobody read a moment ago; measured beside, not judged."""
    ready_made: float

    def ratios(self) -> dict[str, float]:
        """Rate against rate, so the time of the other side over our own."""
        return {"open": self.verify / self.open, "admit": self.open / self.admit, "read": self.ready_made / self.read}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    args = _parser().parse_args(argv)
    if args.rounds < 1 or args.records < 20 * args.rounds or args.reads < args.rounds:
        sys.stderr.write("bench: a round needs 20 records and a reading at least\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="spine-") as folder:
        try:
            result = measure(Path(folder), args.records, args.reads, args.rounds)
        except BenchFault as fault:
            sys.stderr.write(f"bench: {fault}\n")
            return 1
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    args.out.write_text(text + "\n")
    sys.stderr.write(table(result))
    return 0 if all(one["reached"] for one in result["ratios"].values()) else 1


def measure(folder: Path, records: int, reads: int, rounds: int) -> dict[str, Any]:
    """The whole run: `records` sealed records and `reads` readings, spread over `rounds`. Errors: `BenchFault`."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    stage = Stage(folder)
    stage.build(rng)
    batches = make_batches(stage.sources, records, min(BATCH, max(1, records // (2 * rounds))), rng)
    done: list[Round] = []
    with stage.served() as server:
        stage.ready_made.write_bytes(whole_chronology(server))
        records_before, reads_before, memory_before = server.admitted(), server.accesses(), server.memory_mb()
        for number in range(rounds):
            turn = range(number * reads // rounds, (number + 1) * reads // rounds)
            done.append(one_round(server, batches[number::rounds], turn))
        admitted, recorded = server.admitted() - records_before, server.accesses() - reads_before
        memory = [round(memory_before), round(server.memory_mb())]
    sent = [raw for _, batch in batches for raw in batch]
    asked = reads + rounds * (2 * CHILDREN + CHILDREN_READ)
    if admitted != len(sent) or recorded != asked:
        raise BenchFault(f"{admitted} of {len(sent)} records admitted, {recorded} of {asked} readings on record")
    return {
        **summary(done),
        "records": {"count": len(sent), "bytes": _mean(map(len, sent)), "data_bytes": _mean(map(_data_bytes, sent))},
        "reads": {"count": reads, "entries": ENTRIES, "bytes": stage.ready_made.stat().st_size},
        "server_mb": {"before": memory[0], "after": memory[1]},
        "machine": machine(),
    }


def whole_chronology(server: Server) -> bytes:
    """One answer, once every reader has read every child; all of them must hold exactly the wanted entries."""
    server.read_first()
    bodies = [server.read(number) for number in range(server.stage.readers * CHILDREN_READ)]
    counts = {len(json.loads(body)["entries"]) for body in bodies}
    if counts != {ENTRIES}:
        raise BenchFault(f"chronologies have {sorted(counts)} entries, not {ENTRIES}")
    return sorted(bodies, key=len)[len(bodies) // 2]


def one_round(server: Server, part: Sequence[Posted], reads: Sequence[int]) -> Round:
    """Every side, by turns in small pieces: batch after batch, and a few readings after a few ready-made answers."""
    keys = {source.key.kid: source.key.entry(source=source.urn) for source in server.stage.sources}
    cpu = dict.fromkeys(SPENT, 0.0)

    def add(side: str, clock: Callable[[], float], work: Callable[[], object]) -> None:
        before = clock()
        work()
        cpu[side] += (clock() - before) * 1e6

    for source, batch in part:
        signed = [_signed(raw, keys) for raw in batch]
        add("verify", time.process_time, partial(_verify, signed))
        add("open", time.process_time, partial(_open, batch, keys))
        add("admit", server.cpu_s, partial(server.post, source, batch))
    add("admit", server.cpu_s, server.wait_for_views)
    server.open_again()
    for start in range(0, len(reads), READS_A_TURN):
        turn = reads[start : start + READS_A_TURN]
        add("read", server.cpu_s, partial(server.read_each, turn))
        add("ready_made", server.cpu_s, partial(server.read_ready_made, len(turn) * READY_MADE_A_READ))
    server.read_first()
    add("read_first", server.cpu_s, server.read_first)
    records = sum(len(batch) for _, batch in part)
    counts = {"read": len(reads), "read_first": CHILDREN, "ready_made": len(reads) * READY_MADE_A_READ}
    return Round(**{side: spent / counts.get(side, records) for side, spent in cpu.items()})


def summary(done: Sequence[Round]) -> dict[str, Any]:
    """Medians over the rounds: each ratio with its reach, and the CPU time of each side."""
    ratios = {}
    for side in SIDES:
        several = [one.ratios()[side.name] for one in done]
        middle = statistics.median(several)
        ratios[side.name] = {
            "what": side.what, "against": side.against, "reach": side.reach, "median": round(middle, 4),
            "rounds": [round(one, 4) for one in several], "reached": middle >= side.reach,
        }  # fmt: skip
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "ratios": ratios,
        "cpu_us": {side: round(statistics.median(getattr(one, side) for one in done), 1) for side in SPENT},
    }


def machine() -> dict[str, Any]:
    """What the figures rest on, without names."""
    return {
        "cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version, "system": platform.system(),
    }  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """The same for people."""
    cpu = result["cpu_us"]
    first = cpu["ready_made"] / cpu["read_first"]
    lines = [
        "",
        f"bare verification {cpu['verify']:9.1f} us a record",
        f"open and check    {cpu['open']:9.1f} us a record",
        f"admit and project {cpu['admit']:9.1f} us a record",
        f"ready-made bytes  {cpu['ready_made']:9.1f} us a request",
        f"policed reading   {cpu['read']:9.1f} us a request",
        f"first of a child  {cpu['read_first']:9.1f} us a request, not judged: {first:.1%} of ready-made",
        "",
    ]
    for one in result["ratios"].values():
        word = "reached" if one["reached"] else "BELOW"
        lines.append(
            f"{one['median']:7.1%}  (reach {one['reach']:4.0%}, {word})  {one['what']}, against {one['against']}"
        )
    return "\n".join(lines) + "\n"


def _signed(raw: bytes, keys: Mapping[str, KeyEntry]) -> tuple[Any, bytes, bytes]:
    parts = split(json.loads(raw)["jws"], EVENT_TYP)
    return keys[parts.kid].public_key, parts.signature, parts.signing_input


def _verify(signed: Sequence[tuple[Any, bytes, bytes]]) -> None:
    for key, signature, message in signed:
        key.verify(signature, message)


def _open(records: Sequence[bytes], keys: Mapping[str, KeyEntry]) -> None:
    for raw in records:
        if check_event(open_envelope(raw, keys.get).data):
            raise BenchFault("a record does not fit its schema")


def _data_bytes(raw: bytes) -> int:
    return len(json.loads(raw)["data"]) * 3 // 4


def _mean(numbers: Iterable[int]) -> int:
    return round(statistics.fmean(numbers))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.spine", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--records", type=int, default=6000, help="sealed records in all (default %(default)s)")
    parser.add_argument("--reads", type=int, default=600, help="readings of 200 entries in all (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=6, help="rounds (default %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
