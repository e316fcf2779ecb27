"""The JSON profile `pole-json/1` to native records: one for each child of each report. Judges nothing.

A file is one report or a batch. It is read whole, at most 10 MB; JSON with a name twice, or deeper than 200 levels, is
refused. A report that is not one is `Unreadable` by itself; the others of its batch are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import ReadFault, decode, read_whole, strict_json
from adapters.police.record.pole import FORMAT, FORMAT_VERSION, Part, child_refs, without_unknowns
from adapters.police.source.naming import LONGEST_REF, child_key, system_name

NOT_OURS = "not a format this adapter reads"
KEPT_OF_UNREADABLE = 1024
_SPACE = " \t\r\n"
_FAULTS = {
    "too-large": "the file is larger than 10 MB",
    "encoding": f"{NOT_OURS} (neither UTF-8 nor Windows-1252)",
    "json-form": f"{NOT_OURS} (not JSON)",
    "json-duplicate-name": "a JSON object has the same name twice",
    "json-too-deep": "the JSON is nested more than 200 levels deep",
    "json-too-many-values": "the JSON holds too many values",
    "json-surrogate": "the JSON holds half a character",
}


def sniff(path: Path, head: bytes) -> bool:
    """Does this look like JSON, or like XML (which is answered as not ours)?"""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b"<")


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """The records of one file, in the order of its reports and their children."""
    raw = b""
    try:
        raw = read_whole(stream)
        text, remarks = decode(raw)
        if text.lstrip()[:1] == "<":
            raise ReadFault(f"{NOT_OURS} (XML)")
        top = strict_json(text)
    except ReadFault as fault:
        yield Unreadable(_FAULTS.get(fault.reason, fault.reason), "file", raw[:KEPT_OF_UNREADABLE])
        return
    if fault_of_top := _fault_of_top(top):
        yield Unreadable(fault_of_top, "file", raw[:KEPT_OF_UNREADABLE])
        return
    force = system_name(Part(top).text("force_code"))
    encoding = "cp1252" if remarks else "utf-8"
    if "report" in top:
        yield from _records(top["report"], raw, force, "report 1", remarks)
        return
    for number, (report, own) in enumerate(zip(top["reports"], _elements(text, "reports"), strict=True), 1):
        yield from _records(report, own.encode(encoding), force, f"report {number}", remarks)


def _fault_of_top(top: Any) -> str:
    """Why this JSON is not the profile, in words that name members of the profile only."""
    if not isinstance(top, dict):
        return f"{NOT_OURS} (JSON whose top is not an object)"
    if "format" not in top:
        return f'{NOT_OURS} (JSON without "format": "{FORMAT}")'
    if top["format"] != FORMAT:
        return f"{NOT_OURS} (JSON of another format or version than {FORMAT})"
    if ("report" in top) == ("reports" in top):
        return 'the profile asks for either "report" or "reports"'
    if "report" in top and not isinstance(top["report"], dict):
        return '"report" is not an object'
    if "reports" in top and not (isinstance(top["reports"], list) and top["reports"]):
        return '"reports" is not a list of reports'
    return ""


def _elements(text: str, name: str) -> Iterator[str]:
    """The texts of the elements of the list that is the member `name` of the JSON object `text` (known to be good)."""
    decoder = json.JSONDecoder(parse_float=str)
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        found, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        if found == name:
            break
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, ",")
    at = _skip(text, at + 1)
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = _skip(text, end, ",")


def _skip(text: str, at: int, also: str = "") -> int:
    while text[at] in _SPACE or text[at] in also:
        at += 1
    return at


def _records(
    report: Any, raw: bytes, force: str, label: str, remarks: tuple[Remark, ...]
) -> Iterator[NativeRecord | Unreadable]:
    if not isinstance(report, dict):
        yield Unreadable("a report is not an object", label, raw[:KEPT_OF_UNREADABLE])
        return
    tidy = without_unknowns(report) or {}
    part = Part(tidy)
    ref, written = part.text("report_ref"), part.text("report_version")
    if not ref:
        yield Unreadable("a report has no report_ref", label, raw[:KEPT_OF_UNREADABLE])
        return
    about = part.text("about_report")
    digest = hashlib.sha256(json.dumps(tidy, sort_keys=True).encode()).hexdigest()
    version = f"{written[:40]}/{digest[:8]}" if written else digest  # content counts, whether or not they counted up
    for child in child_refs(part) or [""]:
        parsed = {**tidy, "subject_ref": child} if child else tidy
        key = child_key(force, ref, child) if child else ref[:LONGEST_REF]
        earlier = child_key(force, about, child) if about and child and about != ref else ""
        yield NativeRecord(key, version, child, raw, parsed, FORMAT, FORMAT_VERSION, force, remarks, label, earlier)
