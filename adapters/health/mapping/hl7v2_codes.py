"""What the codes of an ADT message say in words: diagnoses, injuries, causes, titles. Codes of unknown systems are not
guessed at, and a title is quoted only from a national code system: anybody may have typed another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.health import codes
from adapters.health.mapping.child import Data
from adapters.health.record.hl7v2 import Visit, text

MAX_TITLE = 200


def where_and_what(code: str) -> Data:
    """Site and kind of an ICD-10 injury code."""
    kind = "bruise" if code in codes.BRUISES else longest(codes.INJURY_KINDS, code, f"{code[0]}.{code[2]}") or "other"
    return {"kind": kind, "site": longest(codes.INJURY_SITES, code) or "not-stated"}


def longest(table: Mapping[str, str], code: str, otherwise: str = "") -> str:
    """What the table says for the longest beginning of the code that it lists; `otherwise` before a single letter."""
    for length in range(len(code), 1, -1):
        if code[:length] in table:
            return table[code[:length]]
    return table.get(otherwise, table.get(code[:1], ""))


def injury_codes(visit: Visit, segment: str = "DG1") -> list[str]:
    """The coded injuries, each once: ICD-10 S00 to T14 and burns T20 to T32."""
    return [c for c in dict.fromkeys(diagnoses(visit, segment)) if re.match(r"S|T(0|1[0-4]|2|3[0-2])", c)]


def cause(visit: Visit) -> str:
    """The external cause as coded (ICD-10 chapter XX): its title where the record gives one, else the code."""
    for segment in visit.all_of("DG1"):
        if text(segment, 3).upper().startswith(codes.EXTERNAL_CAUSES) and text(segment, 3, 3).upper() in codes.ICD10:
            return text(segment, 3, 2)[:MAX_TITLE] or text(segment, 3)
    return ""


def diagnoses(visit: Visit, segment: str = "DG1") -> list[str]:
    """ICD-10 codes of DG1-3 (or PV2-3), with their dot. Codes of other systems are not guessed at."""
    found = []
    for one in visit.all_of(segment):
        code, system = text(one, 3).upper(), text(one, 3, 3).upper()
        if system in codes.ICD10 and re.fullmatch(r"[A-Z][0-9]{2}(\.?[0-9X]{1,2})?", code):
            found.append(code if "." in code or len(code) == 3 else f"{code[:3]}.{code[3:]}")
    return found


def coded_words(segments: list[list[Any]], field: int) -> str:
    """The title of a coded item, else its code. Only a national code system's title is a table's words; anybody may
    have typed another."""
    if not segments or not text(segments[0], field):
        return ""
    code, title, system = (text(segments[0], field, n) for n in (1, 2, 3))
    return title[:MAX_TITLE] if title and system.upper() in codes.NATIONAL_SYSTEMS else _plain_code(code)


def _plain_code(code: str) -> str:
    return code if re.fullmatch(r"[A-Za-z0-9.]{1,18}", code) else ""
