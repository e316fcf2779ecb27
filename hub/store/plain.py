"""What can be told of a recorded event without parsing its data: most events only stand in the chronology.

Whatever is doubtful is not plain, and is parsed.
"""

from __future__ import annotations

from hub.domain.child import CHANGES
from hub.store.upcasters import LADDER

NARRATIVE, REFERENCES = b'"narrative"', b'"references"'


def may_name(data: bytes, member: bytes) -> bool:
    """Could this JSON have this member (in its quotation marks)? Text with a backslash may spell any name."""
    return member in data or b"\\" in data


def is_plain(name: str, version: int, data: bytes) -> bool:
    """Is this of today's version, and certainly nothing that decisions rest on?"""
    return name not in CHANGES and (name, version) not in LADDER and not may_name(data, REFERENCES)
