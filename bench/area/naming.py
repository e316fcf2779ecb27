"""Names, places and numbers that are nobody's: invented words, postcodes of no area, number ranges never issued."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from bench.area.draw import Draw

WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
GIVEN: dict[str, list[str]] = WORDS["given"]
MIDDLE: list[str] = WORDS["middle"]
TOWNS: list[str] = WORDS["towns"]
_FIRST, _MIDST, _LAST = (WORDS["surname"][part] for part in ("first", "midst", "last"))
SURNAMES = len(_FIRST) * len(_MIDST) * len(_LAST)
NUMBERED = 950_000
"""Children who can have an NHS number of the never-issued range; those above it are mothers'."""
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def surname(family: int) -> tuple[str, str]:
    """Surname and middle name of a family's children: no two families have both the same."""
    number, again = (family * 7_919 + 12_345) % SURNAMES, family // SURNAMES
    first, rest = number % len(_FIRST), number // len(_FIRST)
    midst, last = rest % len(_MIDST), rest // len(_MIDST)
    return _FIRST[first] + _MIDST[midst] + _LAST[last], MIDDLE[(number * 31 + again) % len(MIDDLE)]


def address(draw: Draw, half: int) -> tuple[str, str]:
    """A house and its postcode in one half of the area. Postcodes begin with ZZ, which is no area."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    outward = f"ZZ{1 + draw.below(4) + 4 * half}"
    return (
        f"{1 + draw.below(180)} {draw.one(WORDS['streets'])}",
        f"{outward} {draw.below(10)}{draw.one(letters)}{draw.one(letters)}",
    )


def nhs_number(child: int, seed: int) -> str:
    """The child's number: 999 and a valid check digit, or "" for the one in eleven whose digits have none."""
    return "" if child >= NUMBERED else _nhs((child * 379_721 + seed * 104_729) % NUMBERED)


def mothers_number(family: int) -> str:
    """A number for a mother, of those that no child has. Only the routing of a birth carries it."""
    place = NUMBERED + family % (1_000_000 - NUMBERED)
    return _nhs(place) or _nhs(place - 1) or _nhs(place - 2) or _nhs(place - 3)


def broken_number(child: int) -> str:
    """What is typed where a number is asked for: one digit ten times, or a wrong check digit."""
    if child % 2:
        return "9" * 10
    good = _nhs(child % NUMBERED) or _nhs(child % NUMBERED + 1) or _nhs(child % NUMBERED + 2)
    return good[:9] + str((int(good[9]) + 1) % 10)


def _nhs(place: int) -> str:
    digits = f"999{place:06}"
    check = (11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11) % 11
    return "" if check == 10 else f"{digits}{check}"


def upn(child: int, seed: int) -> str:
    """A pupil number of the local authority 999, which is none, with the right letter in front."""
    digits = f"999{(child * 379_721 + seed * 7_907) % 10**9:09}"
    total = sum(int(d) * w for d, w in zip(digits, range(2, 14), strict=True))
    return _UPN_LETTERS[total % 23] + digits


def phone(number: int) -> str:
    """A telephone number of the range kept for drama."""
    return f"01632 960{number % 1000:03}"
