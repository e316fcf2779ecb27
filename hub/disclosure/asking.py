"""A question at the door out, its answer, and the ways in which there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class NoAnswer(Exception):
    """Nothing can be answered here: no such child, or not for this reader. Outside, both look the same."""


class NoStanding(Exception):
    """This person holds no role, or not the one they name, today."""


class CannotBeShownComplete(Exception):
    """Policy, a key or the view failed for an entry: a shorter list that looks whole would be worse than none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One question: who, which child, what for, as of when, which page."""

    person: str
    child: UUID
    purpose: str
    role: str = ""
    as_of: datetime | None = None
    cursor: str = ""
    page: int = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes for one reader, and the cursor of the page after them."""

    body: bytes
    etag: str
    """Digest of the answer but for the time of asking, so that an unchanged page is known again."""
    next: str = ""
    sha256: str = ""
    """Of the body, hex: what the access record keeps of it."""
