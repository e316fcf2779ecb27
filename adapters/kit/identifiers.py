"""Identifiers of people: form and check digits. Judges a number, never whose it is.

NHS number: NHS Data Dictionary, modulus 11. UPN: DfE, Unique pupil numbers: guidance, modulus 23. A ULN and a local
authority's child id have no check used here.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.kit.outcomes import Remark

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
UPN = "urn:gov:dfe:upn"
ULN = "urn:gov:dfe:uln"

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_UPN_FORM = re.compile(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]")
_DROPPED = "The identifier failed its check and was left out."


def tidy_number(text: str) -> str:
    """A number as written on paper without its spaces and hyphens: `999 120 4318` is `9991204318`."""
    return re.sub(r"[\s\u00a0-]", "", text)


def nhs_number_fault(value: str, *, live: bool) -> str:
    """Why this ten-digit text is no NHS number: "form", "repeated-digit", "check-digit", "never-issued", or "".

    Ten equal digits pass the modulus 11 check and are what tired people type: refused always. 999 xxx xxxx is never
    issued: good in tests, refused `live`.
    """
    if re.fullmatch(r"[0-9]{10}", value) is None:
        return "form"
    if len(set(value)) == 1:
        return "repeated-digit"
    total = sum(int(digit) * weight for digit, weight in zip(value[:9], range(10, 1, -1), strict=True))
    if (11 - total % 11) % 11 != int(value[9]):  # a remainder that asks for 10 never equals one digit
        return "check-digit"
    if live and value.startswith("999"):
        return "never-issued"
    return ""


def nhs_number_ok(value: str, *, live: bool = False) -> bool:
    """Is this ten-digit text an NHS number that may be sent in this mode?"""
    return nhs_number_fault(value, live=live) == ""


def upn_fault(value: str) -> str:
    """Why this text is no unique pupil number: "form", "check-letter", or "".

    Weights 2 to 13 over characters 2 to 13; the sum modulo 23 indexes the 23 letters. The last character of a
    temporary number is a letter and counts as its index.
    """
    if _UPN_FORM.fullmatch(value) is None:
        return "form"
    worth = [int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in value[1:]]
    total = sum(number * weight for number, weight in zip(worth, range(2, 14), strict=True))
    return "" if UPN_LETTERS[total % 23] == value[0] else "check-letter"


def upn_ok(value: str) -> bool:
    """Is this text a unique pupil number with the right letter in front?"""
    return upn_fault(value) == ""


def is_live(settings: Any) -> bool:
    """Does this deployment hold real children? `[identity] mode = "live"`; anything else is a test."""
    return bool(settings.get("identity", {}).get("mode", "test") == "live")


def keep_identifier(
    system: str, value: str, *, live: bool, field: str, verified: bool | None = None
) -> tuple[dict[str, Any] | None, Remark | None]:
    """The identifier as the canonical event carries it, or a remark with the field it stood in.

    The remark is `identifier-dropped`, or for the never-issued range in live use `test-number-dropped`.

    Nothing written at all gives (None, None). Systems without a check are kept as they are, trimmed.
    """
    if not value.strip():
        return None, None
    fault = ""
    if system == NHS_NUMBER:
        value = tidy_number(value)
        fault = nhs_number_fault(value, live=live)
    elif system == UPN:
        value = tidy_number(value).upper()
        fault = upn_fault(value)
    if fault:
        code = "test-number-dropped" if fault == "never-issued" else "identifier-dropped"
        return None, Remark(code, field, f"{_DROPPED} Reason: {fault}.")
    kept: dict[str, Any] = {"system": system, "value": value.strip()}
    if verified is not None:
        kept["verified"] = verified
    return kept, None
