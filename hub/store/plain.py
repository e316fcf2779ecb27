"""What can be told of a recorded event without parsing its data: most events only stand in the chronology.

Whatever is doubtful is not plain, and is parsed.
"""

from __future__ import annotations

from hub.domain.child import CHANGES
from hub.store.upcasters import LADDER

NARRATIVE, REFERENCES = b'"narrative"', b'"references"'


def may_name(data: bytes, member: bytes, start: int = 0) -> bool:
    """Could this JSON, from `start` on, have this member (in its quotation marks)? A backslash may spell any name."""
    return data.find(member, start) >= 0 or data.find(b"\\", start) >= 0


def is_plain(name: str, version: int, data: bytes, start: int = 0) -> bool:
    """Is this of today's version, and certainly nothing that decisions rest on? The data begins at `start`."""
    return name not in CHANGES and (name, version) not in LADDER and not may_name(data, REFERENCES, start)
