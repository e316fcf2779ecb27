"""Writes the area: block by block, each block's files and its truth, and nothing of the block before is held.

OUT/<feed>/…             native files, in the order of their names as they would have come
OUT/feeds.json           feed → agency, source, service, formats, column map, settings
OUT/truth/children.jsonl each child: its doubts, and what its chronology must hold
OUT/truth/records.jsonl  each native record: feed, file, key, child, what an adapter makes of it
OUT/truth/mistakes.jsonl each planted mistake: kind, record, which child is meant
OUT/truth/area.json      the arguments and the sums
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from bench.area.childhealth import child_health
from bench.area.childhealth_forms import write_message
from bench.area.feeds import BY_NAME, FEEDS, FORCES, School, write_feeds
from bench.area.hospital import hospital
from bench.area.people import Child, Family, Period, make_families
from bench.area.police import police
from bench.area.police_forms import as_csv
from bench.area.records import Piece, find_split
from bench.area.school import school
from bench.area.school_forms import as_register, as_transfer_file

END = date(2025, 9, 1)
READ_ON = datetime(2025, 11, 3, 9)
"""The day on which the demo's clock stands: everything was recorded before it."""
BLOCK = 1000
SAY_EVERY_S = 5.0
ORDER = {feed.name: place for place, feed in enumerate(FEEDS)}
SUFFIX = {"rows": "csv", "reports": "json", "hl7": "hl7", "xml": "xml", "json": "json", "pupils": "xml",
          "exclusions": "json", "marks": "json"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A family with all its pieces in the order in which they were recorded."""

    family: Family
    pieces: list[Piece]


@dataclass
class Sums:
    """What was written, counted."""

    counts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)


def make_period(years: int) -> Period:
    """The years before the day on which every area ends."""
    return Period(END.replace(year=END.year - years), END)


def tell(children: int, years: int, seed: int) -> Iterator[Told]:
    """Every family with what every system has of it, one after the other; nothing is held between them."""
    period = make_period(years)
    for family in make_families(children, seed, period):
        pieces = [piece for make in (child_health, hospital, school, police) for piece in make(family, seed, period)]
        pieces.sort(key=lambda piece: (piece.at, ORDER[piece.feed], piece.records[0].key))
        for child in family.children:
            doubt(child, family, pieces)
        yield Told(family, pieces)


def doubt(child: Child, family: Family, pieces: list[Piece]) -> None:
    """Why rules may not join what belongs to this child: what was planted, and where it makes them fail."""
    for other in family.children:
        feed, number = child.number_of_at
        used = any(r.child == child.id and r.meant for p in pieces if p.feed == feed for r in p.records)
        if number and used and number == other.nhs:
            child.doubts.add("shared-number")
            other.doubts.add("shared-number")
    if not find_split(pieces, child.id):
        return
    kinds = {r.planted for p in pieces for r in p.records if r.child == child.id}
    found = {
        "unborn": "unborn" in kinds, "birth-date-typo": bool(child.typo_at), "changed-name": len(child.surnames) > 1,
        "moved": len(child.homes) > 1, "dummy-number": "dummy-number" in kinds,
        "taken-back": bool({"retracted", "wrong-child"} & kinds) or _taken_back(child, pieces),
    }  # fmt: skip
    reasons = {name for name, is_so in found.items() if is_so}
    if "moved" in reasons and not (child.nhs and child.upn):
        reasons = reasons - {"moved"} | {"moved-without-number"}
    child.doubts |= reasons or (set() if child.doubts else {"unexplained"})


def _taken_back(child: Child, pieces: list[Piece]) -> bool:
    return any((r.of or r.child) == child.id and any(m.taken_back for m in r.meant) for p in pieces for r in p.records)


def write_area(out: Path, *, children: int, years: int, seed: int, block: int = BLOCK) -> Sums:
    """All files and the truth into an empty folder; says on stderr how far it is."""
    for feed in FEEDS:
        (out / feed.name).mkdir(parents=True)
    (out / "truth").mkdir()
    write_feeds(out)
    sums, said = Sums(), time.monotonic()
    with _Truth(out / "truth") as truth:
        waiting: list[Told] = []
        number = held = 0
        for told in tell(children, years, seed):
            waiting.append(told)
            held += len(told.family.children)
            if held >= block:
                _write_block(out, number, waiting, truth, sums)
                waiting, number, held = [], number + 1, 0
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                sys.stderr.write(f"{sums.counts['children']} of {children} children written\n")
        _write_block(out, number, waiting, truth, sums)
    arguments: dict[str, Any] = {"children": children, "years": years, "seed": seed, "read_on": READ_ON.isoformat()}
    parts = {name: dict(sorted(getattr(sums, name).items())) for name in ("counts", "events", "doubts")}
    (out / "truth" / "area.json").write_text(json.dumps(arguments | parts, indent=1) + "\n", encoding="utf-8")
    return sums


class _Truth:
    """The files of the truth, open while the area is written."""

    def __init__(self, folder: Path) -> None:
        self._open: dict[str, TextIO] = {
            name: (folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n")
            for name in ("children", "records", "mistakes")
        }

    def __enter__(self) -> _Truth:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()

    def note(self, name: str, row: dict[str, Any]) -> None:
        self._open[name].write(json.dumps(row) + "\n")


def _write_block(out: Path, number: int, waiting: list[Told], truth: _Truth, sums: Sums) -> None:
    """The files of one block of children: for each feed, month and form one; for messages one each."""
    pieces = sorted(
        (piece for told in waiting for piece in told.pieces),
        key=lambda piece: (piece.at, ORDER[piece.feed], piece.records[0].key),
    )
    files: dict[tuple[str, str], list[Piece]] = defaultdict(list)
    for place, piece in enumerate(pieces):
        files[piece.feed, _file_name(piece, number, place)].append(piece)
    named: dict[int, str] = {}
    for (feed, name), parts in files.items():
        text = _write_file(feed, parts)
        (out / feed / name).write_text(text, encoding="utf-8", newline="")
        named |= {id(piece): name for piece in parts}
        sums.counts |= {"files": sums.counts["files"] + 1, "bytes": sums.counts["bytes"] + len(text)}
    for told in waiting:
        _note(told, named, truth, sums)


def _note(told: Told, named: dict[int, str], truth: _Truth, sums: Sums) -> None:
    expected: dict[str, list[dict[str, Any]]] = {child.id: [] for child in told.family.children}
    for piece in told.pieces:
        for record in piece.records:
            row: dict[str, Any] = {
                "feed": piece.feed,
                "file": named[id(piece)],
                "record": record.key,
                "child": record.child,
            }
            events = [{"event": one.event, "day": one.day and one.day.isoformat()} for one in record.meant]
            truth.note("records", row | {"outcome": record.outcome, "events": events})
            sums.counts["records"] += 1
            if record.planted:
                stands = {"stands_under": record.of} if record.of else {}
                truth.note("mistakes", {"kind": record.planted, **row, **stands})
            for one, event in zip(record.meant, events, strict=True):
                back = {"taken_back": True} if one.taken_back else {}
                expected[record.of or record.child].append({"feed": piece.feed, "record": record.key, **event, **back})
                sums.events[one.event] += 1
                sums.counts["events"] += 1
    for child in told.family.children:
        whole = {"child": child.id, "family": told.family.index, "doubts": sorted(child.doubts)}
        truth.note("children", whole | {"expected": expected[child.id]})
        sums.counts["children"] += 1
        sums.counts["doubted"] += bool(child.doubts)
        sums.doubts.update(child.doubts)


def _file_name(piece: Piece, block: int, place: int) -> str:
    suffix = SUFFIX[piece.form]
    if piece.form in ("xml", "json"):  # one message a file
        return f"{piece.at:%Y-%m-%dT%H%M}-{block:05}-{place:07}.{suffix}"
    window = f"-{piece.body['meta']['from']}" if piece.form == "marks" else ""
    return f"{piece.at:%Y-%m}-{block:05}-{piece.form}{window}.{suffix}"


def _write_file(feed: str, pieces: list[Piece]) -> str:
    bodies, form = [piece.body for piece in pieces], pieces[0].form
    match form:
        case "hl7":
            return "\r".join(bodies) + "\r"
        case "xml" | "json":
            return write_message(bodies[0], form)
        case "rows":
            return as_csv([row for body in bodies for row in body])
        case "reports":
            document = {"format": "pole-json/1", "force_code": FORCES[1].code, "reports": bodies}
            return json.dumps(document, indent=1) + "\n"
        case "pupils":
            one = BY_NAME[feed]
            assert isinstance(one, School)
            return as_transfer_file(one, pieces[0].at.date(), bodies)
    return as_register(bodies)
