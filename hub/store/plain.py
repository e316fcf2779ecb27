"""What can be told of a recorded event without parsing its data: most events only stand in the chronology.

Whatever is doubtful is not plain, and is parsed.
"""

from __future__ import annotations

from hub.domain.child import CHANGES
from hub.store.upcasters import LADDER


def may_name(data: bytes, member: str) -> bool:
    """Could this JSON have a member of that name, at whatever depth? Text with `\\u` may spell any name."""
    return b'"%b"' % member.encode() in data or b"\\u" in data


def is_plain(name: str, version: int, data: bytes) -> bool:
    """Is this of today's version, and certainly nothing that decisions rest on?"""
    return name not in CHANGES and (name, version) not in LADDER and not may_name(data, "references")
