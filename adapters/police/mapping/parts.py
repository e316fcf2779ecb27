"""The parts of an event that both police formats have: child, times, people, place, limits. Pure; knows no format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from adapters.kit.identifiers import NHS_NUMBER, keep_identifier
from adapters.kit.outcomes import Remark
from adapters.kit.when import LONDON, When, is_after, read_iso
from adapters.police.source.naming import opaque
from schemas.catalogue import find_kind, get_schema

ADULT_YEARS = 18
UNKNOWN_CODE = "The code is on no list of this adapter."
SERVICE = re.compile(r"(?=.{1,120}$)urn:safeguarding:service:[a-z0-9]+(-[a-z0-9]+)*")
# Powers and duties to share, schemas/codes/gateways.json.
GATEWAYS = frozenset({
    "CA2004-s16LA", "CA2004-s10", "CA2004-s11", "CA1989-s47", "CA1989-s17", "CDA1998-s115", "EA2002-s175",
    "HSCA2012-s251B", "VPA2024-encompass", "UKGDPR-6-1-e", "vital-interests",
})  # fmt: skip
# Roles of readers, schemas/codes/roles.json, that an agency may address.
ROLES = frozenset({
    "frontDoor", "outOfHours", "allocatedSocialWorker", "teamManager", "conferenceChair", "earlyHelpLead",
    "schoolLead", "healthPractitioner", "namedHealth", "camhs", "policeProtection", "youthJustice", "housing",
    "voluntarySector",
})  # fmt: skip
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./-]{0,39}")
_SEX = {"1": "1", "m": "1", "male": "1", "2": "2", "f": "2", "female": "2", "9": "9"}
_SEX |= dict.fromkeys(("x", "u", "unknown", "other"), "X")
_PRECISION = {"instant": "AAA", "day": "AAA", "month": "UAA", "period": "UUA"}

# What a force writes about sharing -> the marker of the record. What is not listed counts as the strictest that still
# lets partners know (`originatorControl`), with a remark: a limit is never lost because it was spelt otherwise.
HANDLING: Mapping[str, str] = {
    "originator-control": "originatorControl",
    "live-investigation": "liveInvestigation",
    "protected-source": "protectedSource",
    "privileged": "privileged",
    "confidential-address": "confidentialAddress",
    "harm-if-known": "harmIfKnown",
    "third-party": "thirdParty",
    "child-confidence": "childConfidence",
}
_HANDLING = {name.replace("-", ""): marker for name, marker in HANDLING.items()}


@dataclass
class Remarks:
    """What was odd, gathered while one record is mapped."""

    found: list[Remark] = field(default_factory=list)

    def add(self, code: str, where: str = "", note: str = "") -> None:
        self.found.append(Remark(code, where, note))

    def unknown_code(self, where: str, code: str) -> None:
        """The raw code is repeated only where it looks like one: a sentence in a code column is not."""
        shown = f" Code: {code}" if _CODE.fullmatch(code) and len(code.split()) <= 3 else ""
        self.add("unknown-code", where, f"{UNKNOWN_CODE}{shown}")

    def when(self, read: When) -> When:
        self.found.extend(read.remarks)
        return read


@dataclass(frozen=True, kw_only=True)
class ChildAsWritten:
    """What a police record says who the child is, in the force's own spelling. All may be empty.

    `address_closed`: the force marked the address as confidential; then nothing of it is taken over.
    """

    given: str = ""
    family: str = ""
    known_as: str = ""
    birth_date: str = ""
    accuracy: str = ""
    sex: str = ""
    lines: Sequence[str] = ()
    postcode: str = ""
    uprn: str = ""
    nhs_number: str = ""
    expected: str = ""
    unborn: bool = False
    address_closed: bool = False


def child_part(child: ChildAsWritten, *, live: bool, at: str, remarks: Remarks) -> dict[str, Any]:
    """The child as the canonical event describes it; {} where neither a name nor an identifier is left.

    `at` is the prefix of the fields that remarks name.
    """
    part: dict[str, Any] = {}
    number, remark = keep_identifier(NHS_NUMBER, child.nhs_number, live=live, field=f"{at}nhs_number", verified=False)
    if remark:
        remarks.found.append(remark)
    if number:
        part["identifiers"] = [number]
    if name := _name(child, at, remarks):
        part["names"] = [{**name, "use": "usual"}]
    if not part:
        return {}
    part |= _birth(child, at, remarks)
    if child.sex:
        if sex := _SEX.get(child.sex.casefold()):
            part["sex"] = sex
        else:
            remarks.unknown_code(f"{at}sex", child.sex)
    if address := _address(child, at, remarks):
        part["address"] = [address]
    return part


def _name(child: ChildAsWritten, at: str, remarks: Remarks) -> dict[str, Any]:
    """A name has a letter in it: a hyphen or a question mark in its place is how tired people write "not known"."""
    family, given, known_as = (
        text if any(c.isalpha() for c in text) else "" for text in (child.family, child.given, child.known_as)
    )
    each = [shorten(one, 100, f"{at}given_name", remarks) for one in given.split()[:10]]
    return without_empty(
        family=shorten(family, 200, f"{at}family_name", remarks),
        given=each,
        preferred=shorten(known_as, 100, f"{at}known_as", remarks),
    )


def shorten(text: str, limit: int, where: str, remarks: Remarks) -> str:
    """The text as far as the record takes it, with a remark where it was longer."""
    if len(text) > limit:
        remarks.add("text-shortened", where, "The text was longer than the record takes.")
    return text[:limit].strip()


def _birth(child: ChildAsWritten, at: str, remarks: Remarks) -> dict[str, Any]:
    if child.unborn:
        expected = remarks.when(read_iso(child.expected, f"{at}expected")).first
        return {"unborn": {"expected": expected[:10]} if expected else {}}
    if not child.birth_date:
        return {}
    read = remarks.when(read_iso(child.birth_date, f"{at}dob")).happened
    if "from" not in read:
        return {}
    accuracy = _PRECISION[read["precision"]]
    if re.fullmatch("[AEU]{3}", child.accuracy.upper()):
        accuracy = child.accuracy.upper() if accuracy == "AAA" else accuracy
    elif child.accuracy:
        remarks.unknown_code(f"{at}dob_accuracy", child.accuracy)
    return {"birth_date": {"date": (read["from"] + "-01")[:10], "accuracy": accuracy}}


def _address(child: ChildAsWritten, at: str, remarks: Remarks) -> dict[str, Any]:
    address: dict[str, Any] = {}
    if child.address_closed:
        return {"use": "home", "protected": True}
    lines = [shorten(line, 200, f"{at}address", remarks) for line in child.lines if line]
    if lines:
        address["lines"] = lines
    postcode = " ".join(child.postcode.upper().split())
    if postcode and len(postcode) <= 12:
        address["postcode"] = postcode
    elif postcode:
        remarks.add("postcode-unreadable", f"{at}postcode")
    if re.fullmatch("[0-9]{1,12}", child.uprn, re.ASCII):
        address["uprn"] = child.uprn
    elif child.uprn:
        remarks.add("identifier-dropped", f"{at}uprn", "A UPRN is at most twelve digits.")
    return {**address, "use": "home"} if address else {}


def is_adult(child: Mapping[str, Any], happened: Mapping[str, Any]) -> bool:
    """Was this person eighteen or older when it happened? Unknown days are read in the child's favour."""
    born, when = child.get("birth_date"), str(happened.get("from", ""))[:10]
    if born is None or len(when) < 10:
        return False
    birth, on = date.fromisoformat(born["date"]), date.fromisoformat(when)
    month_day = (12, 31) if born["accuracy"].startswith("UU") else (birth.month, birth.day)
    return on.year - birth.year - ((on.month, on.day) < month_day) >= ADULT_YEARS


def incident_key(system: str, ref: str) -> str:
    """The group key of an incident's accounts: the same for every child and both formats, and it tells nothing."""
    return opaque(system, "incident", ref)


def other_child(ref: str, relation: Sequence[str] = ()) -> dict[str, Any]:
    """Another child of the same incident: that there was one, and no more."""
    part: dict[str, Any] = {"ref": f"child-{ref}", "group": "others", "incident_role": "other-child", "adult": False}
    return part | ({"relation": list(relation)} if relation else {})


def handling(limits: Iterable[str], where: str, remarks: Remarks) -> list[str]:
    """The handling markers for a force's share limits, each once and in order."""
    markers = []
    for limit in limits:
        marker = _HANDLING.get(re.sub(r"[\s_-]", "", limit).casefold())
        if marker is None:
            remarks.unknown_code(where, limit)
            marker = "originatorControl"
        markers.append(marker)
    return list(dict.fromkeys(markers))


def label_of(event: str, limits: Sequence[str]) -> dict[str, Any]:
    """The label for what corrects an event of this name: that event's category and floor, and limits."""
    kind = find_kind(event)
    return without_empty(category=kind.category, level=kind.floor, handling=list(limits)) if kind else {}


def remark_on_future(happened: Mapping[str, Any], recorded: str | None, where: str, remarks: Remarks) -> None:
    """What is said to have happened after it was recorded goes out all the same, with a remark."""
    if recorded and is_after(str(happened.get("from", "")), recorded):
        remarks.add("future-dated", where, "It is dated after the time at which it was recorded.")


def local_day(moment: str) -> str:
    """The London day of an instant; a day stays a day."""
    return moment if len(moment) <= 10 else datetime.fromisoformat(moment).astimezone(LONDON).date().isoformat()


def moment_of(text: str, where: str, remarks: Remarks) -> str:
    """An instant or a day as the record carries it; "" for nothing or what is less exact."""
    return remarks.when(read_iso(text, where)).first or ""


def without_empty(**members: Any) -> dict[str, Any]:
    """Only the members that say something. False and 0 do."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {}, ())}


def code_of(text: str) -> str:
    """A force's code as a kebab-case code of the record; "" where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:60].strip("-")


def listed(event: str, field: str, code: str, remarks: Remarks) -> str:
    """A code that is on the list of this detail of this event; else `other` or `not-stated` with a remark, whichever
    the list has."""
    if not code:
        return ""
    codes = _codes_of(event, field)
    if code in codes:
        return code
    remarks.unknown_code(field, code)
    return next((other for other in ("other", "not-stated") if other in codes), "")


@cache
def _codes_of(event: str, field: str) -> tuple[str, ...]:
    details = get_schema(event, 1)["properties"]["details"]["properties"][field]
    return tuple(details.get("items", details)["enum"])


def said(statement: str, basis: str = "fact") -> dict[str, Any]:
    """How the author knows; the rest of who says so are the agency's settings."""
    return {"statement": statement, "basis": basis}
