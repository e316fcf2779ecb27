"""The streams of the record that are no child's."""

from __future__ import annotations

from uuid import UUID, uuid5

FIXED = UUID("6e1b6a52-4f0c-5e0c-9f43-6f8f7c1d2a10")
REGISTRY = uuid5(FIXED, "registry")
"""Officers and keys: who may speak, from which position on."""
IDENTITY = uuid5(FIXED, "identity")
"""Which child each (source, subject) belongs to, and what people settled about it."""
ACCESS = uuid5(FIXED, "access")
"""Who read what, and why: a stream of its own, never in the child's."""
SOURCES = uuid5(FIXED, "sources")
"""What sources say of themselves: heartbeats, attestations, and records that waited."""
NOT_CHILDREN = frozenset({REGISTRY, IDENTITY, ACCESS, SOURCES})


def staff_stream(person: str) -> UUID:
    """The stream of one professional's standing."""
    return uuid5(FIXED, f"staff:{person}")
