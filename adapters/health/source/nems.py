"""Reads FHIR STU3 message Bundles (NHS England's National Events Management Service), XML or JSON, one a file.

Both forms become the same plain tree: every element is a list, every primitive a text. It is a thin reader, not a model
of FHIR: an element it does not expect is carried, not refused. It does not say what a message means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from adapters.health.record.nems import ANCHORS, Message, tidy
from adapters.kit.outcomes import NativeRecord, Remark, Unreadable
from adapters.kit.reading import ReadFault, decode, read_whole, strict_json
from adapters.kit.xml import open_xml

FORMAT = "nems-stu3"
FHIR = "{http://hl7.org/fhir}"


def sniff(path: Path, head: bytes) -> bool:
    """Does this look like FHIR, of any version? Another version is then refused by name."""
    return b"http://hl7.org/fhir" in head or (b'"resourceType"' in head and head.lstrip()[:1] in (b"{", b"\xef"))


def read(path: Path, stream: BinaryIO, settings: Mapping[str, Any]) -> Iterator[NativeRecord | Unreadable]:
    """The one message of a file, at most 10 MB."""
    raw = b""
    try:
        raw = read_whole(stream)
        tree, remarks = parse(raw)
    except ReadFault as fault:
        yield Unreadable(fault.reason, "message 1", raw[:1024])
        return
    reason = why_not_ours(tree)
    if reason:
        yield Unreadable(reason, "message 1", raw)
        return
    yield _record(raw, tree, remarks)


def parse(raw: bytes) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The bytes as one tree, whichever form they have. ReadFault when they are neither."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        text, remarks = decode(raw)
        parsed = strict_json(text)
        return _from_json(parsed) if isinstance(parsed, dict) else {}, remarks
    root = open_xml(raw)
    if not isinstance(root.tag, str) or not root.tag.startswith(FHIR):
        return {}, ()
    return _from_xml(root) | {"resourceType": root.tag.removeprefix(FHIR)}, ()


def why_not_ours(tree: Mapping[str, Any]) -> str:
    """Why this is not a FHIR STU3 message Bundle, as a sentence without content; "" when it is one."""
    if tree.get("resourceType") != "Bundle":
        return "not a FHIR Bundle: not a format this adapter reads"
    kind = next((text for text in tree.get("type", ()) if isinstance(text, str)), "")
    if kind != "message":
        known = kind if kind in ("collection", "searchset", "document", "transaction", "batch", "history") else "other"
        return f"FHIR {known} Bundle (R4 or an interface's answer): not a format this adapter reads"
    header = Message(tree).header
    if "eventCoding" in header or "eventUri" in header:
        return "FHIR R4 message Bundle: not a format this adapter reads"
    if not Message(tree).event_code:
        return "FHIR message Bundle whose MessageHeader names no event"
    return ""


def _record(raw: bytes, tree: dict[str, Any], remarks: tuple[Remark, ...]) -> NativeRecord:
    message = Message(tree)
    return NativeRecord(
        key=_key(message),
        version=_version(message, raw),
        person=_person(message),
        raw=raw,
        parsed=tree,
        format=FORMAT,
        format_version="STU3",
        system="nems",
        remarks=remarks,
        label="message 1",
    )


def _key(message: Message) -> str:
    event = message.event_code
    resource_type = ANCHORS.get(event)
    if resource_type is None:
        return f"{event}:{hashlib.sha256(f'nems|{_person(message)}'.encode()).hexdigest()[:20]}"
    anchor = message.focus_of(resource_type)
    for identifier in anchor.get("identifier", ()):
        parts = [tidy(identifier, name) for name in ("system", "value")]
        if parts[1]:
            return f"{event}:{'|'.join(parts)}"
    return f"{event}:{tidy(anchor, 'id') or tidy(message.bundle, 'id')}"


def _version(message: Message, raw: bytes) -> str:
    """`meta.versionId` alone stays "1" through updates in real feeds, so the content's digest stands beside it."""
    version_id = tidy(message.header, "meta.versionId")
    return f"{version_id}-{hashlib.sha256(raw).hexdigest()[:16]}" if version_id else ""


def _person(message: Message) -> str:
    """The child's number as written, else what else names the child's resource. Only ever used inside a keyed hash."""
    child = message.child or {}
    return message.nhs_number_of(child) or tidy(child, "id") or message.routing.nhs_number or tidy(message.bundle, "id")


def _from_json(node: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in node.items():
        if name == "resourceType":
            tree[name] = value if isinstance(value, str) else ""
        elif not name.startswith("_"):
            items = [_item(one) for one in (value if isinstance(value, list) else [value])]
            tree[name] = [item for item in items if item is not None]
    return tree


def _item(value: Any) -> Any:
    match value:
        case dict():
            return _from_json(value)
        case bool():
            return "true" if value else "false"
        case None | list():  # FHIR has no lists in lists
            return None
        case _:
            return str(value)


def _from_xml(element: etree._Element) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if "url" in element.attrib:
        tree["url"] = [str(element.attrib["url"])]
    for below in element:
        if not isinstance(below.tag, str) or not below.tag.startswith(FHIR):
            continue  # a narrative's XHTML
        tree.setdefault(below.tag.removeprefix(FHIR), []).append(_xml_item(below))
    return tree


def _xml_item(element: etree._Element) -> Any:
    if "value" in element.attrib:
        return str(element.attrib["value"])
    resources = [b for b in element if isinstance(b.tag, str) and b.tag.startswith(FHIR)]
    if len(resources) == 1 and resources[0].tag.removeprefix(FHIR)[:1].isupper():
        return _from_xml(resources[0]) | {"resourceType": resources[0].tag.removeprefix(FHIR)}
    return _from_xml(element)
