"""How fast the open items of many children are recomputed from zero, and what they add to one child's chronology.

From zero: every fact of the record opened in the order of the log, those that clocks may read parsed and gathered by
child, each child's items computed under the dated rules; against the bare verification of the same events' signatures.
What a chronology costs with its items is measured against the same reading without, by turns, in one process, the
access durably on record both times. Beside it: the view behind a team's list, rebuilt from zero.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from bench.measure import ASSUMED, Figure, Signatures, as_served, cpu_us, judge, run
from bench.records import KINDS, Source, event
from bench.stage import ENTRIES, BenchFault, Stage
from hub import bootstrap
from hub.disclosure import Ask, Clocks, Disclosure
from hub.domain.facts import Fact
from hub.domain.open_items import current, open_items, reads, told
from hub.projections.open_items import Concerned, find_clocked
from hub.rules.editions import find_edition
from hub.store.keys import WrappedKeys
from hub.store.mapper import Recorded
from hub.store.opening import open_databases
from hub.store.record import Record
from hub.store.streams import NOT_CHILDREN
from schemas.envelope import open_envelope

SEED = 20240903
BATCH = 500
AREA = "E99000001"
A_CHILD = 8
SIGNATURES = 2000
READS = 40
CLOCKED = {
    "larkbeck-primary": ("file-sent", "file-received", "challenge-raised", "left-roll", "referral-made"),
    "harrowmere-children": (
        "referral-made", "referral-decided", "referrer-informed", "strategy-discussion-held", "s47-started",
        "conference-held", "review-conference-held", "assessment-started", "view-of-child-recorded", "child-seen",
        "decided-not-to-share",
    ),
}  # fmt: skip
"""Source → kinds that clocks read, in equal part with the others that it sends."""
FIGURES = (
    Figure("from_zero", "facts recomputed into open items", "bare verifications", 20_000 / ASSUMED),
    Figure("reading", f"a chronology of {ENTRIES} with open items", "the same without", 1.20, least=False),
)


class NoClocks(Clocks):
    """The other side of a reading: no items are computed."""

    def items(self, visible: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
        """None."""
        return []


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench open_items", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--children", type=int, default=10_000, help="children (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default %(default)s)")
    parser.add_argument("--out", type=Path, help="where the JSON is kept")
    args = parser.parse_args(argv)
    return run("open_items", lambda: measure(args.children, args.rounds), args.out)


def measure(children: int, rounds: int) -> dict[str, Any]:
    """The whole run. Errors: `BenchFault`."""
    rng = random.Random(SEED)  # noqa: S311 - a mix, no secret
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="open-items-")))
        databases = open_databases(home)
        record = Record(databases.record, WrappedKeys(databases.keys, os.urandom(32)))
        opened.callback(record.close)
        sources = [Source(name) for name in KINDS]
        signatures = Signatures(sources, fill(record, sources, children, rng))
        concerned = Concerned(databases.view, record, os.urandom(32))
        stage = Stage(home / "stage", readers=2)
        stage.build(rng)
        hub = bootstrap.open_hub(stage.settings)
        opened.callback(hub.close)
        as_served()
        facts = children * A_CHILD
        measured = [
            one_round(record, concerned, signatures, facts) | reading(hub.disclosure, stage.children[0])
            for _ in range(rounds + 1)
        ][1:]
    return judge(FIGURES, [ratios(one) for one in measured], measured, facts=facts, children=children)


def fill(record: Record, sources: Sequence[Source], children: int, rng: random.Random) -> list[bytes]:
    """Sealed events of so many children, fifty children's mixed; gives the first of them as they were sealed."""
    first: list[bytes] = []
    for start in range(0, children, 50):
        mixed = [list(about(uuid4(), child, sources, rng)) for child in range(start, min(start + 50, children))]
        lying = [each[turn] for turn in range(A_CHILD) for each in mixed]
        for begin in range(0, len(lying), BATCH):
            record.append([fact for _, fact in lying[begin : begin + BATCH]])
        first += [raw for raw, _ in lying] if len(first) < SIGNATURES else []
    return first[:SIGNATURES]


def about(stream: UUID, child: int, sources: Sequence[Source], rng: random.Random) -> Iterator[tuple[bytes, Recorded]]:
    """Sealed records of one child, half of them of kinds that clocks read, and each as the record keeps it."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    keys = {source.key.kid: source.key.entry(source=source.urn) for source in sources}
    for seq in range(1, A_CHILD + 1):
        source = rng.choice(sources)
        kinds = CLOCKED.get(source.name) if rng.random() < 0.7 else None
        raw = source.seal(event(rng.choice(kinds or KINDS[source.name]), child, rng), child)
        one = open_envelope(raw, keys.get)
        yield raw, Recorded(stream, seq, f"{one.data['event']}/v1", at, one.jws, one.salt, one.data_bytes)


def one_round(record: Record, concerned: Concerned, signatures: Signatures, facts: int) -> dict[str, float]:
    """CPU microseconds: a verification; a fact until its child's items are there; a fact of the rebuilt view."""
    verify = signatures.verify_us()
    found: list[int] = []
    spent = cpu_us(lambda: found.append(from_zero(record, facts)))
    return {
        "verify_us": (verify + signatures.verify_us()) / 2, "from_zero_us": spent / facts,
        "from_zero_a_second": facts / spent * 1e6, "items": found[0],
        "rebuilt_view_us": cpu_us(concerned.rebuild) / facts,
    }  # fmt: skip


def from_zero(record: Record, facts: int) -> int:
    """How many items are open. Errors: `BenchFault` when facts are missing."""
    now, children = datetime.now(UTC), defaultdict[UUID, list[Fact]](list)
    position = count = 0
    while several := record.entries(position, BATCH, NOT_CHILDREN):
        position = several[-1].position
        count += sum(one.row is not None for one in several)
        for fact in map(find_clocked, several):
            if fact is not None:
                children[fact.stream].append(fact)
    if count != facts:
        raise BenchFault(f"{count} of {facts} facts read")
    return sum(len(items_of(several, now)) for several in children.values())


def items_of(facts: Sequence[Fact], now: datetime) -> list[Any]:
    """The open items of one child, by all that is known."""
    entries = [
        told(fact, {**fact.data, "shared": fact.shared}, fact.data["said_by"]["service"])
        for fact in current(facts)
        if reads(fact, fact.data)
    ]
    return open_items(entries, now, AREA, find_edition)


def reading(disclosure: Disclosure, child: str) -> dict[str, float]:
    """CPU microseconds of a reading with its items and without, by turns."""
    ask = Ask(person="reader-0", child=UUID(child), purpose="s47", page=ENTRIES)
    clocks = disclosure.clocks
    without = NoClocks(clocks.area, clocks.histories)
    spent = {"with": 0.0, "without": 0.0}
    counted = 0
    for _ in range(READS):
        for name, used in (("with", clocks), ("without", without)):
            disclosure.clocks = used
            spent[name] += cpu_us(partial(disclosure.chronology, ask))
        disclosure.clocks = clocks
    counted = len(orjson.loads(disclosure.chronology(ask).body)["open_items"])
    if not counted:
        raise BenchFault("the chronology has no open item")
    return {f"reading_{name}_us": one / READS for name, one in spent.items()} | {"reading_items": counted}


def ratios(one: dict[str, float]) -> dict[str, float]:
    """Rate against rate, and a reading against the same without."""
    return {
        "from_zero": one["verify_us"] / one["from_zero_us"],
        "reading": one["reading_with_us"] / one["reading_without_us"],
    }


if __name__ == "__main__":
    sys.exit(main())
