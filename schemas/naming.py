"""How partnerships, areas, sources and services are named: the form of each, and which kinds of service there are.

For whoever registers one, on either side. Whether anybody of that name exists is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.catalogue import get_codes

_NAME = "[a-z0-9]+(-[a-z0-9]+)*"
FORMS: Mapping[str, tuple[str, str]] = {
    "partnership": (f"urn:safeguarding:partnership:{_NAME}", "urn:safeguarding:partnership:NAME"),
    "service": (f"urn:safeguarding:service:{_NAME}", "urn:safeguarding:service:NAME"),
    "area": ("[A-Z][0-9]{8}", "a GSS code: a letter and eight digits"),
    **dict.fromkeys(
        ("source", "hub"),
        (r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[A-Za-z0-9()+,.:=@;$_!*'/-]{1,200}", "a URN, urn:…"),
    ),
}
"""What is named → (pattern, the same in words). NAME is small letters, digits and single hyphens (RFC 8141 URNs)."""

SHOWN = 80


def find_fault_in(what: str, name: Any) -> str:
    """A sentence on what is wrong with the name of a partnership, service, source, hub or area; "" when it is well."""
    pattern, words = FORMS[what]
    if isinstance(name, str) and re.fullmatch(pattern, name):
        return ""
    small = " (small letters, digits and single hyphens)" if "NAME" in words else ""
    return f"the {what} {_shown(name)} is not {words}{small}"


def find_fault_in_kind(kind: Any) -> str:
    """A sentence on a kind of service that is not on the list, with the list; "" when it is."""
    kinds = get_codes("service-kinds")
    if isinstance(kind, str) and kind in kinds:
        return ""
    return f"the service's kind {_shown(kind)} is not one of: {', '.join(kinds)}"


def _shown(name: Any) -> str:
    return ascii(name[:SHOWN]) if isinstance(name, str) else "(no text)"
