"""References that tell nothing, and names as they are compared. Reads no file, knows no format."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_REF = 150
_NOT_WORDS = re.compile(r"[\W_]+")


def opaque(system: str, *parts: str) -> str:
    """Sixteen hex digits that stand for these parts within one source system: the same every time, and no name."""
    return hashlib.sha256("\x1f".join((system, *parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def normal_words(text: str) -> str:
    """A name for comparing: no case, no accents, single spaces in place of whatever is not a letter or digit."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _NOT_WORDS.sub(" ", plain).strip().casefold()


def child_key(system: str, ref: str, person: str) -> str:
    """The native key of one child's part in one report or incident: its reference and an opaque mark of the child.

    Both formats make it alike, so that a later JSON report can speak about an incident that came as a CSV row.
    """
    short = ref if len(ref) <= LONGEST_REF else opaque(system, "ref", ref)
    return f"{short}#{opaque(system, 'child', person)}"


def system_name(force_code: str) -> str:
    """The source system as every record of this force names it: the force's code, in small letters and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", force_code.casefold()).strip("-")[:60] or "police"
