"""The rows of Wonde and Assembly answers as small dicts of text: both suppliers' names for the same thing.

Only the members named here are taken: a comment, a reason in words or a teacher's name never gets any further.
Names from the Wonde PHP client (students, attendance, exclusions, deletions) and Assembly's (Attendance, Exclusion).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.education.source.days import read_zoned_day
from adapters.kit.outcomes import Remark

Row = dict[str, Any]
MAX_TEXT = 500

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NOT_STATED = {"", "none", "null", "*dummy*"}
_OBJECTS = {"student": "students", "attendance": "attendance", "exclusion": "exclusions", "deletion": "deletions"}
_OBJECTS |= {"attendance_code": "attendance-codes", "student_leaver": "students-leavers"}
_SHAPES = (  # first that fits; a leaver is a student with a leaving date
    ("attendance", ("attendance_mark", "attendance_code_id", "attendance_code")),
    ("exclusions", ("exclusion_type", "exclusion_reason", "exclusion_length")),
    ("deletions", ("deleted_at",)),
    ("students-leavers", ("leaving_date",)),
    ("students", ("forename", "surname", "upi", "first_name", "last_name", "upn")),
    ("attendance-codes", ("code",)),
)


def table_of(row: Any, named: str) -> str:
    """Which table this row belongs to: the one it stands in, its `object`, else its members; "" for none."""
    if not isinstance(row, dict):
        return ""
    if named:
        return named
    if kind := _OBJECTS.get(str(row.get("object")), ""):
        return kind
    return next((table for table, names in _SHAPES if any(name in row for name in names)), "")


def text_of(row: Row, *names: str) -> str:
    """The first written value under these names, as text; lists, objects and *not stated* words give ""."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = _CONTROL.sub(" ", str(value)).strip()[:MAX_TEXT]
            if text.casefold() not in _NOT_STATED:
                return text
    return ""


def _inner(row: Row, name: str) -> Row:
    """An included object: {"student": {"data": {...}}} or {"student": {...}}; {} when there is none."""
    value: Any = row.get(name)
    inner: Any = value.get("data", value) if isinstance(value, dict) else value
    return inner if isinstance(inner, dict) else {}


def reference_of(row: Row, name: str, known: dict[str, dict[str, Any]]) -> str:
    """The student a row speaks of, by id. A student included in the row joins the known ones."""
    if inner := _inner(row, name):
        one = student_of(inner)
        number = str(one.get("id", ""))
        if number:
            known.setdefault(number, one)
        return number
    return text_of(row, f"{name}_id", name)


def _written(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _day(row: Row, odd: list[tuple[str, str, str]], *names: str) -> str:
    for name in names:
        if row.get(name):
            day, remark = read_zoned_day(row[name], name)
            odd.extend([_parts(remark)] if remark else [])
            return day
    return ""


def _parts(remark: Remark) -> tuple[str, str, str]:
    return remark.code, remark.field, remark.note


def student_of(row: Row) -> dict[str, Any]:
    """Who a student is: legal names before the names in use, the pupil number from either place Wonde puts it."""
    odd: list[tuple[str, str, str]] = []
    flat = {**_inner(row, "education_details"), **row}
    return _written(
        {
            "id": text_of(row, "id", "student_id"),
            "upn": text_of(flat, "upn"),
            "former_upn": text_of(flat, "former_upn"),
            "uln": text_of(flat, "uln"),
            "surname": text_of(row, "legal_surname", "legal_last_name", "surname", "last_name"),
            "forename": text_of(row, "legal_forename", "legal_first_name", "forename", "first_name"),
            "middle_names": text_of(row, "middle_names", "middle_name"),
            "preferred_surname": text_of(row, "surname", "last_name"),
            "preferred_forename": text_of(row, "forename", "first_name"),
            "birth_date": _day(row, odd, "date_of_birth", "dob"),
            "sex": text_of(row, "sex", "gender"),
            "postcode": text_of(row, "postcode"),
            "odd": odd,
        }
    )


def code_of(row: Row) -> tuple[str, str]:
    """A supplier's code id and the letter it stands for."""
    return text_of(row, "id"), text_of(row, "code", "symbol", "mark")


def mark_of(row: Row, codes: Mapping[str, str]) -> dict[str, Any]:
    """One mark: day, AM or PM, letter. `unresolved` instead of the letter when the code id is not in the file."""
    odd: list[tuple[str, str, str]] = []
    session = text_of(row, "session_name", "session").upper()
    if session not in ("AM", "PM"):
        odd.append(("not-a-session", "session", "Only morning and afternoon registers count; others were left out."))
        session = ""
    day = _day(row, odd, "session_date", "date")
    if not day and not odd:
        odd.append(("date-missing", "date", "A mark without a day was left out."))
    mark = text_of(row, "attendance_mark")
    if not mark:
        number = text_of(row, "attendance_code_id", "attendance_code")
        included = text_of(_inner(row, "attendance_code"), "code", "symbol", "mark")
        mark = included or codes.get(number, "")
        if number and not mark:
            odd.append(("code-unresolved", "attendance_code_id", "A code id is not among the file's attendance codes."))
    return _written({"date": day, "session": session, "mark": mark, "odd": odd})


def exclusion_of(row: Row) -> dict[str, Any]:
    """One exclusion or suspension. A length without a unit (days? sessions?) is not read; `sessions` is."""
    odd: list[tuple[str, str, str]] = []
    codes = [text_of(row, name) or text_of(_inner(row, name), "code") for name in _REASONS]
    found = {
        "table": "exclusions",
        "id": text_of(row, "id"),
        "type": (text_of(row, "exclusion_type", "type") or text_of(_inner(row, "type"), "code")).upper(),
        "reasons": [code.upper() for code in codes if code],
        "start": _day(row, odd, "start_date"),
        "end": _day(row, odd, "end_date"),
        "start_session": text_of(row, "start_session").upper(),
        "sessions": text_of(row, "sessions", "number_of_sessions"),
        "odd": odd,
    }
    return _written(found) | {"id": found["id"]}


_REASONS = ("exclusion_reason", "exclusion_reason_2", "exclusion_reason_3", "reason", "reason_2", "reason_3")


def leaver_of(row: Row) -> dict[str, Any]:
    """When and why a student left, and where to if the school says so."""
    odd: list[tuple[str, str, str]] = []
    flat = {**_inner(row, "education_details"), **row}
    return _written(
        {
            "table": "students-leavers",
            "leaving": _day(flat, odd, "leaving_date", "end_date"),
            "reason": (text_of(flat, "leaving_reason") or text_of(_inner(flat, "leaving_reason"), "code")).upper(),
            "destination": text_of(flat, "destination_school"),
            "odd": odd,
        }
    )


def deletion_of(row: Row) -> dict[str, Any]:
    """What the supplier says no longer exists: `of` is the kind of thing, `id` its number there."""
    kind = text_of(row, "type", "object_type", "entity").casefold().rstrip("s")
    odd: list[tuple[str, str, str]] = []
    found = {"table": "deletions", "of": kind or "unknown", "id": text_of(row, "object_id", "entity_id", "id")}
    return found | _written({"deleted": _day(row, odd, "deleted_at"), "odd": odd})
