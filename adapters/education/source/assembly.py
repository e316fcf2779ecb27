"""Attendance and exclusion JSON as Wonde and Assembly serve it: {"data": [...], "meta": {...}}, one table or several.

A file is a period: its marks become one record a student. Exclusions, leavers and deletions are one record each. Names
and pupil numbers come from the students in the same file. Comments and other free text are never read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from adapters.education.source.assembly_rows import (
    Row,
    code_of,
    deletion_of,
    exclusion_of,
    leaver_of,
    mark_of,
    reference_of,
    student_of,
    table_of,
)
from adapters.education.source.ctf import SYSTEM
from adapters.education.source.days import find_upn, local_key, read_day
from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import ReadFault, decode, read_whole, strict_json

FORMAT = "assembly"
TABLES = ("students", "attendance", "attendance-codes", "exclusions", "students-leavers", "deletions")

Found = Iterator[NativeRecord | Unreadable]


def sniff(path: Path, head: bytes) -> bool:
    """Does this look like one of these answers: a JSON object with a `data` list or one of the tables?"""
    text = head.replace(b" ", b"").replace(b"\n", b"").replace(b"\r", b"").replace(b"\t", b"").lstrip(b"\xef\xbb\xbf")
    names = ("data", *TABLES, *(name.replace("-", "_") for name in TABLES))
    starts = (f'"{name}":{bracket}'.encode() for name in names for bracket in "[{")
    return text.startswith(b"{") and any(start in text for start in starts)


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Found:
    """The records of one file of at most 10 MB. What is no row of a known table is Unreadable, by table and number."""
    try:
        text, remarks = decode(read_whole(stream))
        document = strict_json(text)
    except ReadFault as fault:
        yield Unreadable(fault.reason)
        return
    if not isinstance(document, dict):
        yield Unreadable("no-table")
        return
    tables = _Tables(remarks=remarks)
    yield from tables.sort(document)
    yield from tables.attendance_records()
    yield from tables.single_records()


@dataclass
class _Tables:
    """One file's rows by table, joined by the supplier's student ids."""

    remarks: tuple[Remark, ...] = ()
    students: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    marks: dict[str, list[tuple[Row, str]]] = field(default_factory=dict)
    singles: list[tuple[str, Row, str]] = field(default_factory=list)
    stated: tuple[str, str] = ("", "")
    version: str = ""

    def sort(self, document: Row) -> Iterator[Unreadable]:
        """Put every row into its table; rows of none are given back."""
        found = False
        meta = document.get("meta")
        self.stated = _stated_period(meta if isinstance(meta, dict) else {})
        for name in (*TABLES, "data"):
            rows = document.get(name, document.get(name.replace("-", "_")))
            rows = rows.get("data") if isinstance(rows, dict) else rows
            if not isinstance(rows, list):
                continue
            found = True
            for number, row in enumerate(rows, 1):
                label = f"{name} {number}"
                table = table_of(row, "" if name == "data" else name)
                if not table or not self._take(table, row, label):
                    yield Unreadable("row-form" if not table else "row-without-id", label)
        if not found:
            yield Unreadable("no-table")

    def _take(self, table: str, row: Row, label: str) -> bool:
        self.version = self.version or ("wonde" if "upi" in row or "attendance_code_id" in row else "")
        if table == "students":
            return self._take_student(row)
        if table == "attendance-codes":
            number, mark = code_of(row)
            self.codes[number] = mark
            return bool(number)
        if table == "attendance":
            student = reference_of(row, "student", self.students)
            self.marks.setdefault(student, []).append((row, label))
            return bool(student)
        if table == "students-leavers":
            self.singles.append((table, row, label))
            return self._take_student(row)
        self.singles.append((table, row, label))
        return True

    def _take_student(self, row: Row) -> bool:
        one = student_of(row)
        if one.get("id"):
            self.students[one["id"]] = one
        return bool(one.get("id"))

    def _person(self, student: str) -> str:
        upn = find_upn(self.students.get(student, {}).get("upn", ""))
        return upn or local_key("student", student)

    def _record(self, key: str, student: str, parsed: dict[str, Any], rows: list[Row], label: str) -> NativeRecord:
        one = self.students.get(student, {"id": student} if student else {})
        odd = tuple(Remark(*parts) for parts in parsed.pop("odd", ())) + tuple(
            Remark(*parts) for parts in one.get("odd", ())
        )
        return NativeRecord(
            key=key,
            version="",
            person=self._person(student) if student else "",
            raw=json.dumps(rows, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(),
            parsed=parsed | {"student": {name: value for name, value in one.items() if name != "odd"}},
            format=FORMAT,
            format_version=self.version or "assembly",
            system=SYSTEM,
            remarks=tuple(dict.fromkeys((*self.remarks, *odd))),
            label=label,
        )

    def attendance_records(self) -> Found:
        """One record a student, over the file's whole period. A row that is no AM or PM mark is a remark."""
        read = {
            student: [mark_of(row, self.codes) for row, _ in rows] for student, rows in self.marks.items() if student
        }
        days = sorted(mark["date"] for marks in read.values() for mark in marks if mark.get("date"))
        start, end = self.stated[0] or (days or [""])[0], self.stated[1] or (days or [""])[-1]
        for student, marks in read.items():
            odd = [parts for mark in marks for parts in mark.pop("odd", ())]
            parsed = {
                "table": "attendance",
                "period": {"from": start, "to": end},
                "marks": [mark for mark in marks if mark.get("date") and mark.get("session")],
                "odd": list(dict.fromkeys(odd)),
            }
            rows = [row for row, _ in self.marks[student]]
            key = f"attendance/{self._person(student)}/{start}"
            yield self._record(
                key, student, parsed, rows, f"student with {len(rows)} rows, {self.marks[student][0][1]}"
            )

    def single_records(self) -> Found:
        for table, row, label in self.singles:
            student = reference_of(row, "student", self.students)
            if table == "exclusions":
                one = exclusion_of(row)
                number = one["id"] or local_key(student, one.get("start", ""), one.get("type", ""))
                yield self._record(f"exclusion/{_short(number)}", student, one, [row], label)
            elif table == "students-leavers":
                student = student_of(row).get("id", "")
                yield self._record(f"leaver/{self._person(student)}", student, leaver_of(row), [row], label)
            else:
                one = deletion_of(row)
                yield self._record(f"{_short(one['of'])}/{_short(one['id'])}", "", one, [row], label)


def _short(number: str) -> str:
    """A supplier's number as part of a key; one too long to be a number is kept as a digest."""
    return number if len(number) <= 80 else local_key(number)


def _stated_period(meta: Row) -> tuple[str, str]:
    """The period that the export says it covers, when it does."""
    inner = meta.get("period")
    asked = inner if isinstance(inner, dict) else meta
    start, end = (next((str(asked[n]) for n in names if asked.get(n)), "") for names in _PERIOD_NAMES)
    return read_day(start, "meta/from")[0], read_day(end, "meta/to")[0]


_PERIOD_NAMES = (("from", "start_date", "date_from"), ("to", "end_date", "date_to"))
