"""The fields of one pupil and of the header in a Common Transfer File, found by local name. Keeps text as written.

Named after the published elements (DfE, Common Transfer File specification), and the names other tools use for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.education.source.days import read_day
from adapters.kit.outcomes import Remark
from adapters.kit.when import read_iso

MAX_TEXT = 2_000

_BLOCKS = {"contacts", "contact", "schoolhistory", "school", "stageassessments", "stageassessment", "senhistory"}
_BLOCKS |= {"attendance", "lookedafter", "admissions", "fsmhistory", "address", "addresses", "senneeds", "nawdetails"}
_NOT_STATED = {"", "none", "null", "*dummy*", "n/a", "unknown", "not known"}
_FILE_NAME = re.compile(r"(\d{3})([0-9A-Za-z]{4})_CTF_(\d{3}|[A-Za-z]{3})([0-9A-Za-z]{4})_\w+", re.IGNORECASE)

Pairs = dict[tuple[str, str], str]


def local_name(element: etree._Element) -> str:
    tag: Any = element.tag
    return tag.rpartition("}")[2].casefold() if isinstance(tag, str) else ""


def text_of(element: etree._Element | None) -> str:
    text = (element.text or "").strip()[:MAX_TEXT] if element is not None else ""
    return "" if text.casefold() in _NOT_STATED else text


def _find(top: etree._Element, *names: str) -> str:
    """The first written text under these names inside a small block, in the order of the names."""
    within = [(local_name(element), element) for element in top.iterdescendants()]
    return next((text for name in names for local, e in within if local == name and (text := text_of(e))), "")


class PupilElements:
    """The elements of one pupil by local name, walked once; which stand in a block of somebody or something else."""

    def __init__(self, element: etree._Element) -> None:
        self.named: dict[str, list[etree._Element]] = {}
        self.own: dict[str, list[etree._Element]] = {}
        self._walk(element, free=True)

    def _walk(self, top: etree._Element, *, free: bool) -> None:
        for element in top:
            local = local_name(element)
            self.named.setdefault(local, []).append(element)
            if free:
                self.own.setdefault(local, []).append(element)
            self._walk(element, free=free and local not in _BLOCKS)

    def text(self, *names: str) -> str:
        """The pupil's own: a contact's surname or a school's name is not theirs."""
        return next((text for name in names for e in self.own.get(name, ()) if (text := text_of(e))), "")

    def blocks(self, *names: str) -> Iterator[etree._Element]:
        return (element for name in names for element in self.named.get(name, ()))


def parse_pupil(pupil: PupilElements, odd: list[Remark]) -> dict[str, Any]:
    return {
        "pupil": _written(
            {
                "upn": pupil.text("upn"),
                "former_upn": pupil.text("formerupn"),
                "uln": pupil.text("uniquelearnernumber", "uln"),
                "surname": pupil.text("surname", "legalsurname"),
                "forename": pupil.text("forename", "legalforename"),
                "middle_names": pupil.text("middlenames", "middlename"),
                "preferred_surname": pupil.text("preferredsurname"),
                "preferred_forename": pupil.text("preferredforename"),
                "former_surname": pupil.text("formersurname"),
                "birth_date": _day(pupil.text("dob", "dateofbirth", "birthdate"), "DOB", odd),
                "sex": pupil.text("sex", "gender", "gendercurrent"),
            }
        ),
        "address": _address(pupil),
        "contacts": [_contact(element) for element in pupil.blocks("contact")],
        "says_contacts": "yes" if "contacts" in pupil.named or "contact" in pupil.named else "",
        "looked_after": _looked_after(pupil),
        "support": [_support(element, odd) for element in pupil.blocks("senprovision") if text_of(element)],
        "schools": [school for element in pupil.blocks("school") if (school := _school(element, odd))],
    }


def _written(fields: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}


def _day(text: str, field: str, odd: list[Remark]) -> str:
    day, remark = read_day(text, field)
    if remark:
        odd.append(remark)
    return day


def _address(pupil: PupilElements) -> dict[str, Any]:
    """The pupil's own address, as lines and postcode. A contact's address is never read."""
    for place in (e for name in ("address", "bs7666address", "addresslines") for e in pupil.own.get(name, ())):
        lines = [_find(place, f"addressline{number}", f"line{number}") for number in range(1, 6)]
        if not any(lines):
            house = ", ".join(filter(None, (_find(place, "saon"), _find(place, "paon"))))
            lines = [f"{house} {_find(place, 'street')}".strip(), _find(place, "locality"), _find(place, "town")]
        found: dict[str, Any] = {"lines": [line for line in lines if line]}
        found |= _written({"postcode": _find(place, "postcode"), "uprn": _find(place, "uprn", "uniqueproperty")})
        if found["lines"] or "postcode" in found:
            return found
    return {}


def _contact(element: etree._Element) -> dict[str, str]:
    return _written(
        {
            "surname": _find(element, "surname", "legalsurname"),
            "forename": _find(element, "forename", "legalforename"),
            "relation": _find(element, "relationship", "contactrelationship").upper(),
            "responsibility": _flag(_find(element, "responsibility", "parentalresponsibility")),
            "same_address": _flag(_find(element, "addressaspupil", "sameaddress")),
        }
    )


def _flag(text: str) -> str:
    """Yes, no, or nothing when it says neither."""
    match text.casefold():
        case "true" | "1" | "y" | "yes" | "t":
            return "yes"
        case "false" | "0" | "n" | "no" | "f":
            return "no"
        case _:
            return ""


def _looked_after(pupil: PupilElements) -> dict[str, str]:
    for element in pupil.blocks("incare"):
        parent = element.getparent()
        authority = "" if parent is None or local_name(parent) == "pupil" else _find(parent, "careauthority")
        return _written({"in_care": _flag(text_of(element)), "authority": authority})
    return {}


def _support(element: etree._Element, odd: list[Remark]) -> dict[str, str]:
    parent = element.getparent()
    start = "" if parent is None or local_name(parent) == "pupil" else _find(parent, "startdate")
    return _written({"provision": text_of(element).upper(), "start": _day(start, "SENhistory/StartDate", odd)})


def _school(element: etree._Element, odd: list[Remark]) -> dict[str, str]:
    return _written(
        {
            "lea": _find(element, "lea"),
            "estab": _find(element, "estab"),
            "urn": _find(element, "urn"),
            "name": _find(element, "schoolname"),
            "entry": _day(_find(element, "entrydate"), "SchoolHistory/EntryDate", odd),
            "leaving": _day(_find(element, "leavingdate"), "SchoolHistory/LeavingDate", odd),
            "reason": _find(element, "leavingreason").upper(),
        }
    )


def parse_file(header: Pairs, odd: list[Remark]) -> dict[str, str]:
    def at(*names: str) -> str:
        return next((text for (_, name), text in header.items() if name in names and text), "")

    written = at("datetime", "date", "datecreated")
    when = read_iso(written)
    if when.first is None:
        day, remark = read_day(written, "Header/DateTime")
        moment, instant = day, ""
        odd.extend([remark] if remark else [])
    else:
        moment, instant = when.first[:10], when.instant or ""
        odd.extend(when.remarks)
    return _written(
        {
            "date": moment,
            "instant": instant,
            "ctf_version": at("ctfversion", "ctfversionnumber") or header.get(("", "version"), ""),
            "qualifier": at("documentqualifier").casefold(),
            "descriptor": at("datadescriptor"),
        }
    )


def parse_school_of(header: Pairs, side: str, path: Path | None, odd: list[Remark]) -> dict[str, str]:
    """The sending or receiving school: its own block, else flat header fields, else (sending) the file's name."""
    parts = {"lea": "lea", "estab": "estab", "urn": "urn", "name": "schoolname"}
    block = f"{side}school"
    found = {ours: header.get((block, theirs), "") for ours, theirs in parts.items()}
    if not any(found.values()):
        flat = {name: text for (_, name), text in header.items()}
        found = {ours: flat.get(side + theirs, "") for ours, theirs in parts.items()}
    if not any(found.values()) and path is not None:
        if match := _FILE_NAME.search(path.stem):
            found = {"lea": match[1], "estab": match[2]}
            odd.append(Remark("source-school-from-file-name", "Header/SourceSchool"))
        else:
            odd.append(Remark("source-school-missing", "Header/SourceSchool"))
    return _written(found)


def parse_shape(
    element: etree._Element, pupil: PupilElements, header: Pairs, wrapper: str, odd: list[Remark]
) -> dict[str, str]:
    """Which of the shapes in the field this is; anything but the published one is also a remark."""
    names = (*pupil.own.get("surname", ()), *pupil.own.get("legalsurname", ()))
    parent = names[0].getparent() if names else None
    shape = {
        "root": header.get(("", "root"), ""),
        "wrapper": wrapper,
        "names_in": "" if parent is None else local_name(parent),
        "letter_case": "published" if etree.QName(element).localname == "Pupil" else "other",
        "header": "block" if any(above == "header" for above, _ in header) else "flat",
        "assessments": "under-pupil" if any(local_name(e).startswith("keystage") for e in element) else "",
    }
    published = {"root": "ctfile", "wrapper": "ctfpupildata", "letter_case": "published", "header": "block"}
    published |= {"names_in": "pupil" if names else "", "assessments": ""}
    if other := [name for name, text in published.items() if shape[name] != text]:
        odd.append(Remark("ctf-shape", "", "Placed otherwise than published: " + ", ".join(other) + "."))
    return _written(shape)
