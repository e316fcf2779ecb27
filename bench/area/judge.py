"""Compares what a hub shows with the truth of an area. Trusts nothing of the hub but what it shows.

    python -m bench.area.judge OUT/truth READ.json

READ.json is {child id of the hub: [entry, …]}. An entry is a plain dict: `source` and `id` of the event; `feed` and
`record`, the native record that its agency made it from; `event` and `day`, as the hub shows them (day None where it is
not known); `taken_back` where it stands there as retracted, in which case nothing else of it is shown and `event` is
what the agency says that it was. Differences go to stdout as JSON lines; exit 1 when a child without a planted doubt
differs, or an entry is shown that nobody meant.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
Row = tuple[str, str, str, str, bool]
"""(feed, record, event, day or "", taken back). Of what was taken back no day is shown, and none compared."""


@dataclass(slots=True)
class Verdict:
    """What came of the comparison. `differences` are of children without a planted doubt, and of entries that nobody
    meant; `doubted` of the others."""

    children: int = 0
    equal: int = 0
    silent: int = 0
    """Children of whom nobody said anything, and of whom the hub shows nothing."""
    doubted_equal: int = 0
    entries: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    doubted: list[dict[str, Any]] = field(default_factory=list)
    by_doubt: dict[str, Counter[str]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The sums, for people and for programs."""
        clean = self.children - self.doubted_equal - len(self.doubted)
        return {
            "children": self.children, "without_doubt": clean, "of_them_equal": self.equal,
            "of_them_silent": self.silent, "with_planted_doubt": self.doubted_equal + len(self.doubted),
            "of_those_equal": self.doubted_equal, "entries_read": self.entries, "differences": len(self.differences),
            "by_doubt": {doubt: dict(sorted(ends.items())) for doubt, ends in sorted(self.by_doubt.items())},
        }  # fmt: skip


def judge(truth: Iterable[Mapping[str, Any]], read: Mapping[str, Sequence[Entry]]) -> Verdict:
    """Each child of the truth against the hub's children that hold anything of it.

    A child is equal when one child of the hub holds exactly what is expected of it, each entry once, and nothing else.
    """
    verdict = Verdict(entries=sum(len(entries) for entries in read.values()))
    verdict.differences += _shown_again(read)
    rows = {child: Counter(map(_row, entries)) for child, entries in read.items()}
    holds: dict[Row, set[str]] = defaultdict(set)
    for child, found in rows.items():
        for row in found:
            holds[row].add(child)
    meant: set[Row] = set()
    for one in truth:
        expected = Counter(_row(entry) for entry in one["expected"])
        meant |= expected.keys()
        _one_child(one, expected, rows, holds, verdict)
    for what in sorted(holds.keys() - meant):
        verdict.differences.append({"why": "nobody meant this entry", "entry": list(what)})
    return verdict


def _one_child(
    one: Mapping[str, Any],
    expected: Counter[Row],
    rows: Mapping[str, Counter[Row]],
    holds: Mapping[Row, set[str]],
    verdict: Verdict,
) -> None:
    where = sorted(set().union(*(holds.get(row, set()) for row in expected)))
    found = sum((rows[child] for child in where), Counter[Row]())
    same = len(where) == bool(expected) and found == expected
    verdict.children += 1
    doubts: Sequence[str] = one["doubts"]
    for doubt in doubts:
        verdict.by_doubt.setdefault(doubt, Counter())["equal" if same else "differs"] += 1
    if same:
        verdict.equal += not doubts
        verdict.silent += not doubts and not expected
        verdict.doubted_equal += bool(doubts)
        return
    report = {
        "child": one["child"], "why": _why(where, expected, found), "hub": where,
        "missing": [list(row) for row in (expected - found).elements()],
        "too_much": [list(row) for row in (found - expected).elements()],
    }  # fmt: skip
    if doubts:
        verdict.doubted.append(report | {"doubts": list(doubts)})
    else:
        verdict.differences.append(report)


def _why(where: list[str], expected: Counter[Row], found: Counter[Row]) -> str:
    if not where:
        return "nothing of it is shown"
    if expected - found:
        return "entries are missing"
    if len(where) > 1:
        return f"it stands under {len(where)} children"
    return "there are entries that are not this child's, or twice"


def _shown_again(read: Mapping[str, Sequence[Entry]]) -> Iterator[dict[str, Any]]:
    """No event may be shown twice, in one chronology or in two."""
    seen = Counter((entry["source"], entry["id"]) for entries in read.values() for entry in entries)
    yield from ({"why": f"shown {count} times", "event": list(key)} for key, count in seen.items() if count > 1)


def _row(entry: Mapping[str, Any]) -> Row:
    back = bool(entry.get("taken_back", False))
    return entry["feed"], entry["record"], entry["event"], "" if back else entry["day"] or "", back


def read_truth(folder: Path) -> Iterator[dict[str, Any]]:
    """The children of the truth, one after the other."""
    with (folder / "children.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def main(argv: Sequence[str] | None = None) -> int:
    """One run of the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.area.judge", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("truth", type=Path)
    parser.add_argument("read", type=Path)
    words = parser.parse_args(argv)
    verdict = judge(read_truth(words.truth), json.loads(words.read.read_text(encoding="utf-8")))
    for difference in verdict.differences:
        sys.stdout.write(json.dumps(difference) + "\n")
    sys.stderr.write(json.dumps(verdict.summary(), indent=1) + "\n")
    return 1 if verdict.differences else 0


if __name__ == "__main__":
    sys.exit(main())
