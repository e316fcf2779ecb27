"""The one way in for XML from outside: no DOCTYPE, no entities, no network, bounded. Knows no vocabulary."""

from __future__ import annotations

from typing import Any

from lxml import etree

from adapters.kit.reading import MAX_LEVELS, MAX_MESSAGE_BYTES, ReadFault

MAX_MARKS = 1_000_000  # "<" and "=" in one document: bounds the memory of its tree


def open_xml(raw: bytes) -> etree._Element:
    """The root element of a document of at most 10 MB and 200 levels, comments and processing instructions removed.

    ReadFault "too-large", "xml-too-many-nodes", "xml-form", "xml-doctype" (any), "xml-too-deep".
    """
    if len(raw) > MAX_MESSAGE_BYTES:
        raise ReadFault("too-large")
    if raw.count(b"<") > MAX_MARKS or raw.count(b"=") > MAX_MARKS:
        raise ReadFault("xml-too-many-nodes")
    if b"<!DOCTYPE" in raw or "<!DOCTYPE".encode("utf-16-le") in raw or "<!DOCTYPE".encode("utf-16-be") in raw:
        raise ReadFault("xml-doctype")  # before parsing: entities inside attributes would be expanded by then
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ReadFault("xml-form") from None
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise ReadFault("xml-doctype")
    _check_levels(root)
    return root


def _check_levels(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_LEVELS:
            raise ReadFault("xml-too-deep")
