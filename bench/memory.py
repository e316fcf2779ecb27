"""How much more memory a hub process holds at many events than at few: `hub serve`, resident, all admitted by it.

Ten events a child from two of four sources, ever other children, so that what grows with children grows too. The hub is
asked at the first count and at the last; when fewer events are sent than the reach speaks of, the growth is scaled.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.measure import Figure, judge, run
from bench.records import EVENTS_A_CHILD, KINDS, Posted, Source, event
from bench.stage import BenchFault, Server, Stage

SEED = 20240903
BATCH = 500
BETWEEN = 150_000
"""Events between the two counts of the reach, 50,000 and 200,000."""
FIGURES = (
    Figure("growth_mb", f"MB that a hub process grows by with {BETWEEN:,} events more", "20 MB", 20, least=False),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench memory", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--few", type=int, default=50_000, help="events at the first look (default %(default)s)")
    parser.add_argument("--many", type=int, default=200_000, help="events at the last look (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    if not 0 < args.few < args.many:
        sys.stderr.write("bench memory: many are more than few, and few more than none\n")
        return 2
    return run("memory", lambda: measure(args.few, args.many), args.out)


def measure(few: int, many: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        stage = Stage(Path(folder), readers=2)
        stage.build(rng)
        with stage.served() as server:
            found = {"at_start_mb": server.memory_mb()}
            before = server.admitted()
            for first, last, name in ((0, few, "few"), (few, many, "many")):
                post(server, stage.sources, first, last, rng)
                found[f"at_{name}_mb"] = server.memory_mb()
            admitted = server.admitted() - before
    if admitted != many:
        raise BenchFault(f"{admitted} of {many} records admitted")
    growth = (found["at_many_mb"] - found["at_few_mb"]) * BETWEEN / (many - few)
    return judge(FIGURES, [{"growth_mb": growth}], [found], events={"few": few, "many": many})


def post(server: Server, sources: Sequence[Source], first: int, last: int, rng: random.Random) -> None:
    """These events, and wait until the view has them too."""
    for start in range(first, last, len(sources) * BATCH):
        for source, batch in batches(sources, start, min(last, start + len(sources) * BATCH), rng):
            for begin in range(0, len(batch), BATCH):
                server.post(source, batch[begin : begin + BATCH])
    server.wait_for_views()


def batches(sources: Sequence[Source], first: int, last: int, rng: random.Random) -> Iterator[Posted]:
    """The events of these numbers, by source."""
    waiting: dict[str, list[bytes]] = {one.name: [] for one in sources}
    for number in range(first, last):
        child, turn = divmod(number, EVENTS_A_CHILD)
        source = sources[(child + turn % 2) % len(sources)]
        waiting[source.name].append(source.seal(event(rng.choice(KINDS[source.name]), child, rng), child))
    yield from ((source, waiting[source.name]) for source in sources)


if __name__ == "__main__":
    sys.exit(main())
