"""A police CSV export to native records: one row is one child in one incident.

Reads in bounded memory, whatever the file: a line beyond 1 MB and a row that is not a row are given as `Unreadable`
and reading goes on with the next line. Translates headers, codes and dates by the force's column map, and joins rows
of one incident that stand together, so that each child's record knows that there were other children. Judges nothing.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import Line, ReadFault, decode, read_lines
from adapters.police.record.rows import CODES, COLUMNS, DAY, FORMAT, INSTANT, REQUIRED, YES_NO
from adapters.police.source.column_map import ColumnMap, ColumnMapFault, column_maps_of, is_unknown, tidy_header
from adapters.police.source.naming import child_key, normal_words, system_name

MAX_LINE_BYTES = 1024 * 1024
MAX_LINES_A_ROW = 50
MAX_CHILDREN_JOINED = 50
KEPT_OF_UNREADABLE = 1024

SHORT_ROW = Remark("row-short", "", "The row has fewer cells than the header.")
NOT_OURS = "not a format this adapter reads"
_YES_NO = {"y": "yes", "yes": "yes", "true": "yes", "1": "yes", "n": "no", "no": "no", "false": "no", "0": "no"}


@dataclass(frozen=True, slots=True)
class SplitRow:
    """The cells of one row, or the fault that stopped it. `number` is the line on which the row begins."""

    number: int
    raw: bytes
    cells: list[str] = field(default_factory=list)
    fault: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """Where each canonical column stands, or why this is no header of this map."""

    places: Mapping[str, int]
    width: int
    remarks: tuple[Remark, ...] = ()
    fault: str = ""
    lacking: int = 0


def sniff(path: Path, head: bytes) -> bool:
    """Does this look like a table with a header row? What the columns are is for the column map to say."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not first or first[:1] in b"{[<" or b"\0" in first:
        return False
    line = first.splitlines()[0]
    return any(line.count(mark) >= 3 for mark in (b",", b";", b"\t", b"|"))


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """The records of one export, in the order of its rows."""
    try:
        maps = column_maps_of(settings)
    except ColumnMapFault as fault:
        yield Unreadable(f"the column map cannot be used: {fault}", "column map")
        return
    lines = read_lines(stream, MAX_LINE_BYTES)
    first = next((line for line in lines if line.raw.strip()), None)
    if first is None:
        yield Unreadable("the file is empty", "row 1")
        return
    header, column_map = choose_header(first, maps)
    if header.fault:
        yield Unreadable(header.fault, f"row {first.number}", first.raw[:KEPT_OF_UNREADABLE])
        return
    rows = split_rows(lines, column_map.delimiter)
    yield from _join_incidents(_records(rows, header, column_map))


def choose_header(first: Line, maps: Sequence[ColumnMap]) -> tuple[Header, ColumnMap]:
    """The map that fits the header row; where none fits, the one that lacks least, with its fault."""
    nothing = SplitRow(first.number, first.raw, fault="the header row is empty")
    rows = ((next(split_rows(iter((first,)), each.delimiter), nothing), each) for each in maps)
    tried = [(read_header(row, each), each) for row, each in rows]
    return min(tried, key=lambda pair: (bool(pair[0].fault), pair[0].lacking))


def split_rows(lines: Iterator[Line], delimiter: str) -> Iterator[SplitRow]:
    """Rows of cells out of lines. A quoted cell may hold line ends, within 50 lines; a quote that is never closed
    spoils its own line only: the lines after it are read again, each for itself. Blank rows are left out."""
    waiting: deque[Line] = deque()

    def next_line() -> Line | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (line := next_line()) is not None:
        if line.too_long:
            yield SplitRow(line.number, line.raw, fault="the line is longer than 1 MB")
            continue
        taken = [line]
        row = _split(taken, delimiter)
        while row.fault == _OPEN_QUOTE and len(taken) < MAX_LINES_A_ROW:
            more = next_line()
            if more is None:
                break
            taken.append(more)
            row = SplitRow(line.number, line.raw, fault=_BAD_QUOTE) if more.too_long else _split(taken, delimiter)
        if row.fault and len(taken) > 1:
            waiting.extendleft(reversed(taken[1:]))
            row = SplitRow(line.number, line.raw, fault=_OPEN_QUOTE)
        if row.fault or any(cell.strip() for cell in row.cells):
            yield row


_OPEN_QUOTE = "a quote is not closed"
_BAD_QUOTE = "the quotes do not fit"


def _split(taken: list[Line], delimiter: str) -> SplitRow:
    number, raw = taken[0].number, b"\n".join(line.raw for line in taken)
    try:
        text, remarks = decode(raw)
    except ReadFault:
        return SplitRow(number, raw, fault="the text is neither UTF-8 nor Windows-1252")
    if "\0" in text:
        return SplitRow(number, raw, fault="the row holds NUL characters")
    if not text:
        return SplitRow(number, raw)
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return SplitRow(number, raw, fault=_OPEN_QUOTE if "unexpected end" in str(error) else _BAD_QUOTE)
    return SplitRow(number, raw, rows[0] if rows else [], remarks=remarks)


def read_header(row: SplitRow, column_map: ColumnMap) -> Header:
    """Match the first row with the map. Faults name what the map expects, never what the file holds."""
    if row.raw.lstrip()[:1] == b"<":
        return Header({}, 0, fault=f"{NOT_OURS} (XML)", lacking=len(REQUIRED))
    if row.raw.lstrip()[:1] in (b"{", b"["):
        return Header({}, 0, fault=f"{NOT_OURS} (JSON where a CSV is expected)")
    if row.fault:
        return Header({}, 0, fault=f"{NOT_OURS} ({row.fault})")
    found = [tidy_header(cell) for cell in row.cells]
    wanted = {column: tidy_header(header) for column, header in column_map.columns.items()}
    if doubled := [column_map.columns[name] for name, header in wanted.items() if found.count(header) > 1]:
        return Header({}, 0, fault=f"duplicate header: {', '.join(doubled)}")
    if lacking := [name for name in REQUIRED if wanted[name] not in found]:
        named = ", ".join(f"{column_map.columns[name]} ({name})" for name in lacking)
        known = len(lacking) < len(REQUIRED)
        fault = f"missing header: {named}" if known else f"{NOT_OURS} (no header row of a column map)"
        return Header({}, 0, fault=fault, lacking=len(lacking))
    places = {column: found.index(header) for column, header in wanted.items() if header in found}
    return Header(places, len(found), _header_remarks(found, wanted, column_map))


def _header_remarks(found: list[str], wanted: Mapping[str, str], column_map: ColumnMap) -> tuple[Remark, ...]:
    mapped = set(wanted.values()) | column_map.ignore | {""}
    every = column_map.name == "canonical/1"  # nobody exports all of these: what is absent there is no remark
    absent = [] if every else [name for name, header in wanted.items() if header not in found]
    unknown = [place for place, header in enumerate(found, 1) if header not in mapped]
    return (
        *(Remark("column-missing", name, "The export has no such column.") for name in absent),
        *(Remark("column-unknown", f"column {place}", "The column map does not know it.") for place in unknown),
    )


def _records(
    rows: Iterator[SplitRow], header: Header, column_map: ColumnMap
) -> Iterator[tuple[str, NativeRecord | Unreadable]]:
    """Each record with the incident it belongs to ("" for none)."""
    for row in rows:
        label = f"row {row.number}"
        fault = row.fault
        if not fault and len(row.cells) > header.width:
            fault = f"the row has {len(row.cells)} cells, the header has {header.width}"
        if fault:
            yield "", Unreadable(fault, label, row.raw[:KEPT_OF_UNREADABLE])
            continue
        cells = _translate(row.cells, header, column_map)
        short = (SHORT_ROW,) if len(row.cells) < header.width else ()
        record = _record(cells, row.raw, (*header.remarks, *row.remarks, *short), label, column_map)
        yield str(cells.get("incident_ref", "")), record


def _translate(cells: list[str], header: Header, column_map: ColumnMap) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for column, place in header.places.items():
        written = cells[place].strip() if place < len(cells) else ""
        if is_unknown(written):
            continue
        kind = COLUMNS[column]
        if kind == CODES:
            parts = [part.strip() for part in written.split(column_map.list_separator)]
            parsed[column] = [column_map.translate(column, part) for part in parts if not is_unknown(part)]
            continue
        value = column_map.translate(column, written)
        if kind in (INSTANT, DAY):
            value = column_map.read_date(value, instant=kind == INSTANT)
        elif kind == YES_NO:
            value = _YES_NO.get(value.casefold(), value)
        if value:
            parsed[column] = value
    if service := column_map.schools.get(str(parsed.get("school_urn", ""))):
        parsed["school_service"] = service
    return parsed


def _record(cells: dict[str, Any], raw: bytes, remarks: tuple[Remark, ...], label: str, by: ColumnMap) -> NativeRecord:
    if "force_code" not in cells and by.force:
        cells["force_code"] = by.force
    system = system_name(str(cells.get("force_code", "")))
    digest = hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()
    incident = cells.get("incident_ref", "")
    person = _person(cells)
    key = child_key(system, str(incident), person or digest) if incident else f"row#{digest[:16]}"
    submitted = cells.get("submitted_at", "")
    version = f"{submitted[:40]}/{digest[:8]}" if submitted else digest
    return NativeRecord(key, version, person, raw, cells, FORMAT, by.name, system, remarks, label)


def _person(cells: Mapping[str, Any]) -> str:
    """The force's nominal reference; without one, names and birth date as they stand."""
    if ref := cells.get("child_ref"):
        return str(ref)
    named = [normal_words(str(cells.get(column, ""))) for column in ("child_given_name", "child_family_name")]
    if not any(named):
        number = str(cells.get("child_nhs_number", ""))
        return f"nhs|{number}" if number else ""
    return "|".join((*named, str(cells.get("child_dob", ""))))


def _join_incidents(records: Iterator[tuple[str, NativeRecord | Unreadable]]) -> Iterator[NativeRecord | Unreadable]:
    """Rows of one incident that stand together learn of each other, by references that tell nothing."""
    together: list[NativeRecord] = []
    current = ""
    for incident, record in records:
        starts_anew = incident != current or not incident or len(together) >= MAX_CHILDREN_JOINED
        if starts_anew:
            yield from _with_others(together)
            together, current = [], incident
        if isinstance(record, NativeRecord) and incident:
            together.append(record)
        else:
            yield record
    yield from _with_others(together)


def _with_others(together: list[NativeRecord]) -> Iterator[NativeRecord]:
    for record in together:
        others = sorted({other.key.rpartition("#")[2] for other in together if other.key != record.key})
        if others:
            record = replace(record, parsed={**record.parsed, "other_children": others})
        yield record
