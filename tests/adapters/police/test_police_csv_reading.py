"""A force's CSV as bytes: headers by the column map, rows that are none, encodings, and bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.outcomes import NativeRecord, Unreadable
from adapters.kit.reading import Line
from adapters.police.record.rows import COLUMNS
from adapters.police.source.column_map import ColumnMapFault, column_map_from, load_column_map
from adapters.police.source.rows import MAX_LINE_BYTES, read, split_rows

HEADER = b"incident_ref,incident_type,child_given_name,child_family_name,child_dob,submitted_at\n"
GOOD = b"R1,PPN,Ansel,Brightwater,2013-02-04,2025-03-04T22:00\n"
CANONICAL = {"police": {"column_map": "canonical"}}


def found(raw: bytes, settings: Any = CANONICAL) -> list[NativeRecord | Unreadable]:
    return list(read(Path("x.csv"), io.BytesIO(raw), settings))


def reasons(raw: bytes) -> list[str]:
    return [one.reason if isinstance(one, Unreadable) else "read" for one in found(raw)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n\n \n", "the file is empty"),
        (b",,,,\n", "not a format this adapter reads (the header row is empty)"),
        (b"<a>,b,c,d</a>\n", "not a format this adapter reads (XML)"),
        (b'{"a": 1, "b": 2, "c": 3, "d": 4}\n', "not a format this adapter reads (JSON where a CSV is expected)"),
        (b"a,b,c,d\n1,2,3,4\n", "not a format this adapter reads (no header row of a column map)"),
        (HEADER.replace(b"child_dob", b"incident_ref"), "duplicate header: incident_ref"),
        (HEADER.replace(b"incident_type", b"form"), "missing header: incident_type (incident_type)"),
        (b"a,\0b,c,d\n", "not a format this adapter reads (the row holds NUL characters)"),
        (b"x" * (MAX_LINE_BYTES + 9), "not a format this adapter reads (the line is longer than 1 MB)"),
        ("incident_ref,a,b,c".encode("utf-16"), "not a format this adapter reads (the row holds NUL characters)"),
    ],
)
def test_a_file_that_is_no_export_is_said_so_once(raw: bytes, reason: str) -> None:
    assert reasons(raw) == [reason]


def test_what_the_file_holds_is_never_repeated_in_a_fault() -> None:
    assert "Ansel" not in reasons(b"R1,PPN,Ansel,Brightwater,incident_ref\n" + GOOD)[0]


def test_headers_are_matched_without_case_and_spaces_and_unknown_ones_are_remarked_by_place() -> None:
    raw = HEADER.upper().replace(b"INCIDENT_REF", b" Incident_Ref ").replace(b"\n", b",Officer Smith\n")
    (record,) = found(raw + GOOD.replace(b"\n", b",4417\n"))
    assert isinstance(record, NativeRecord)
    assert [(remark.code, remark.field) for remark in record.remarks] == [("column-unknown", "column 7")]
    assert "4417" not in repr(dict(record.parsed))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"R2,PPN,Ansel,Brightwater,2013-02-04,2025-03-04,one,more\n", "the row has 8 cells, the header has 6"),
        (b'R2,PPN,"Ansel,Brightwater,2013-02-04,2025-03-04\n', "a quote is not closed"),
        (b'R2,PPN,"Ansel"x,Brightwater,2013-02-04,2025-03-04\n', "the quotes do not fit"),
        (b"R2,PPN,An\0sel,Brightwater,2013-02-04,2025-03-04\n", "the row holds NUL characters"),
        (b"R2,PPN,An\x81sel,Brightwater,2013-02-04,2025-03-04\n", "the text is neither UTF-8 nor Windows-1252"),
        (b"R2," + b"x" * (MAX_LINE_BYTES + 1) + b"\n", "the line is longer than 1 MB"),
        (b'R2,"' + b"x\n" * 200, "a quote is not closed"),
    ],
)
def test_a_bad_row_spoils_itself_alone(bad: bytes, reason: str) -> None:
    outcome = reasons(HEADER + GOOD + bad + GOOD)
    assert (outcome[0], outcome[1], outcome[-1]) == ("read", reason, "read")


def test_a_quoted_cell_may_hold_line_ends_and_delimiters() -> None:
    (record,) = found(HEADER + b'"R1","PPN","Ansel, called\n""Sel""",Brightwater,,\n')
    assert isinstance(record, NativeRecord)
    assert record.parsed["child_given_name"] == 'Ansel, called\n"Sel"'


def test_a_short_row_is_read_with_a_remark() -> None:
    (record,) = found(HEADER + b"R1,PPN,Ansel\n")
    assert [remark.code for remark in record.remarks] == ["row-short"]  # type: ignore[union-attr]


def test_windows_1252_is_read_with_a_remark_and_a_byte_order_mark_is_taken_off() -> None:
    (record,) = found(b"\xef\xbb\xbf" + HEADER + "R1,PPN,Zoë,Brightwater,,\n".encode("cp1252"))
    assert isinstance(record, NativeRecord)
    assert record.parsed["child_given_name"] == "Zoë"
    assert [remark.code for remark in record.remarks] == ["encoding-guessed"]


@pytest.mark.parametrize("nothing", ["", "null", "None", "*DUMMY*", " n/a "])
def test_every_way_of_writing_nothing_is_nothing(nothing: str) -> None:
    (record,) = found(HEADER + f"R1,PPN,Ansel,Brightwater,{nothing},\n".encode())
    assert "child_dob" not in record.parsed  # type: ignore[union-attr]


def test_the_key_stays_and_the_version_moves_with_any_change() -> None:
    one, same, later, silent = found(
        HEADER + GOOD + GOOD + GOOD.replace(b"22:00", b"23:00") + GOOD.replace(b"Ansel", b"ANSEL")
    )
    assert one.key == later.key == silent.key  # type: ignore[union-attr]
    assert one.version == same.version  # type: ignore[union-attr]
    assert len({one.version, later.version, silent.version}) == 3  # type: ignore[union-attr]
    assert one.version.startswith("2025-03-04T22:00")  # type: ignore[union-attr]
    assert "Ansel" not in one.key  # type: ignore[union-attr]


def test_each_record_holds_its_own_bytes() -> None:
    (record,) = found(HEADER + GOOD)
    assert record.raw == GOOD.rstrip(b"\n")


def test_a_long_export_is_read_in_bounded_memory() -> None:
    class Rows(io.RawIOBase):
        """A file of rows that is never held whole."""

        def __init__(self, count: int) -> None:
            self.lines: Iterator[bytes] = iter([HEADER])
            self.count, self.rest = count, b""
            self.lines = self._lines()

        def _lines(self) -> Iterator[bytes]:
            yield HEADER
            for number in range(self.count):
                yield b"R%d,PPN,Ansel,Brightwater,2013-02-04,2025-03-04T22:00\n" % number

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            while not self.rest and (line := next(self.lines, b"")):
                self.rest += line
            taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
            buffer[: len(taken)] = taken
            return len(taken)

    tracemalloc.start()
    try:
        count = sum(1 for _ in read(Path("x.csv"), io.BufferedReader(Rows(20_000)), CANONICAL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 2 * 1024 * 1024


def test_a_line_of_a_hundred_megabytes_is_not_held() -> None:
    class Endless(io.RawIOBase):
        """The header, a hundred megabytes without a line end, then a good row."""

        def __init__(self) -> None:
            self.left = 100 * 1024 * 1024
            self.parts = [HEADER]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            if self.parts:
                part = self.parts.pop()
            elif self.left > 0:
                part = b"x" * min(len(buffer), self.left)
                self.left -= len(part)
                self.parts = [b"\n" + GOOD] if not self.left else []
                self.left = self.left or -1
            else:
                return 0
            buffer[: len(part)] = part
            return len(part)

    tracemalloc.start()
    try:
        outcome = list(read(Path("x.csv"), io.BufferedReader(Endless(), 1 << 16), CANONICAL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [getattr(one, "reason", "read") for one in outcome] == ["the line is longer than 1 MB", "read"]
    assert peak < 16 * 1024 * 1024


def test_many_open_quotes_do_not_cost_more_than_their_lines() -> None:
    lines = (Line(number, b'a,"b') for number in range(3001))
    assert [row.fault for row in split_rows(lines, ",")][-1] == "a quote is not closed"


def test_the_shipped_map_is_chosen_by_its_header_and_its_dates_and_codes_translated(police_dir: Path) -> None:
    raw = (police_dir / "columns" / "northmarch.conformance.csv").read_bytes()
    record = found(raw, {})[3]
    assert isinstance(record, NativeRecord)
    assert record.format_version == "northmarch/1"
    assert record.parsed["incident_opened_at"] == "2025-01-09T19:50:00"
    assert record.parsed["child_dob"] == "2015-03-12"
    assert record.parsed["incident_type"] == "DA"
    assert record.parsed["children_present"] == "seen"
    assert record.parsed["share_limits"] == ["harm-if-known"]
    assert record.parsed["school_service"] == "urn:safeguarding:service:larkbeck-primary"


def test_a_day_that_does_not_exist_is_never_invented(police_dir: Path) -> None:
    raw = (police_dir / "columns" / "northmarch.conformance.csv").read_bytes()
    record = found(raw.replace(b"09/01/2025 19:50", b"31/02/2025 19:50"), {})[3]
    assert record.parsed["incident_opened_at"] == "31/02/2025 19:50"  # type: ignore[union-attr]


GOOD_MAP = {
    "map": "x/1",
    "force": "x",
    "columns": {
        "incident_ref": "Ref",
        "incident_type": "Type",
        "child_given_name": "First",
        "child_family_name": "Last",
    },
}


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"colums": {}}, "unknown members: colums"),
        ({"columns": {"incident_ref": "Ref"}}, "columns: missing"),
        ({"columns": {**GOOD_MAP["columns"], "shoe_size": "Shoe"}}, "columns: not canonical: shoe_size"),  # type: ignore[dict-item]
        ({"columns": {**GOOD_MAP["columns"], "child_dob": "ref"}}, "one header stands for two"),  # type: ignore[dict-item]
        ({"columns": []}, "columns: must be a table"),
        ({"values": {"risk_level": {}}}, "values: for columns that are not mapped: risk_level"),
        ({"dates": {"day": "%d"}}, "dates.day: must be a list"),
        ({"delimiter": ";;"}, "delimiter"),
    ],
)
def test_a_wrong_column_map_says_which_member_is_wrong(change: dict[str, Any], member: str) -> None:
    with pytest.raises(ColumnMapFault, match=member):
        column_map_from({**GOOD_MAP, **change})


@pytest.mark.parametrize("content", [b"", b"- a", b"a: [", b"\xff\xfe", b"x: !!python/object:os.system {}"])
def test_what_is_no_column_map_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(content)
    with pytest.raises(ColumnMapFault):
        load_column_map(path)


def test_a_column_map_that_cannot_be_used_is_the_one_outcome_of_the_file(tmp_path: Path) -> None:
    settings = {"police": {"column_map": str(tmp_path / "none.yaml")}}
    (outcome,) = found(HEADER + GOOD, settings)
    assert isinstance(outcome, Unreadable)
    assert outcome.reason.startswith("the column map cannot be used")


def test_unquoted_yes_and_no_in_a_map_mean_the_words(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(
        "map: x/1\nforce: x\ncolumns: {incident_ref: Ref, incident_type: Type, child_given_name: First,"
        " child_family_name: Last, children_present: Kids}\nvalues: {children_present: {Present: yes, N: no}}\n"
    )
    column_map = load_column_map(path)
    assert column_map.translate("children_present", "present") == "yes"
    assert column_map.translate("children_present", "n") == "no"


def test_the_shipped_map_maps_every_column_but_the_forces_own_code(police_dir: Path) -> None:
    column_map = load_column_map(police_dir / "columns" / "northmarch.yaml")
    assert set(COLUMNS) - set(column_map.columns) == {"force_code"}
