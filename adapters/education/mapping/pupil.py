"""The child of an event as a school knows them, and the questions that come before any meaning. Pure.

Is anybody identified at all, is it a child, is it the same child as last time. Says nothing about what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from adapters.education.record.pupil import Pupil
from adapters.kit.identifiers import ULN, UPN, is_live, keep_identifier
from adapters.kit.outcomes import Held, NoEvent, Outcome, Remark, Unmappable

ADULT_AGE = 18  # Children Act 1989 s105(1)
SEX = {"M": "1", "MALE": "1", "1": "1", "F": "2", "FEMALE": "2", "2": "2"}

_LOCAL_SERVICE = re.compile(r"urn:safeguarding:service:([a-z0-9]+(?:-[a-z0-9]+)*)")


def find_obstacle(pupil: Pupil, before: Pupil | None, day: str) -> Outcome | None:
    """What ends the mapping before it begins: nobody, an adult on that day, or somebody else than last time.

    Two of forename, surname and birth date contradicting the last version is a second person under one number (twins,
    a mistyped number) or a child whose whole identity changed (adoption): a person must look in both cases.
    """
    if not (pupil.upn or pupil.surname or pupil.forename):
        return Unmappable("Pupil", "Neither a name nor a pupil number: nobody is identified.")
    if is_adult(pupil.birth_date, day):
        return NoEvent("adult")
    if before is not None and len(find_contradictions(pupil, before)) >= 2:
        return Held("two-people-under-one-number", "UPN")
    return None


def is_adult(birth_date: str, day: str) -> bool:
    """Eighteen or older on that day; False where either day is not known."""
    if not birth_date or not day:
        return False
    born, on = date.fromisoformat(birth_date), date.fromisoformat(day)
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) >= ADULT_AGE


def find_contradictions(pupil: Pupil, before: Pupil) -> frozenset[str]:
    """Which of forename, surname, birth date differ from last time. What either leaves out contradicts nothing."""
    pairs = {
        "forename": (pupil.forenames, before.forenames),
        "surname": (pupil.surnames, before.surnames),
        "birth_date": ({pupil.birth_date} - {""}, {before.birth_date} - {""}),
    }
    return frozenset(name for name, (now, then) in pairs.items() if now and then and not now & then)


def describe_child(
    pupil: Pupil, settings: Mapping[str, Any], *, old_surname: str = ""
) -> tuple[dict[str, Any] | None, tuple[Remark, ...]]:
    """The `child` member, and what was left out of it. None when neither a name nor a number is left."""
    identifiers, remarks = _identifiers(pupil, settings)
    names = _names(pupil, old_surname)
    if not names and not any(one["system"] in (UPN, ULN) for one in identifiers):
        return None, remarks
    child = {
        "identifiers": identifiers,
        "names": names,
        "birth_date": {"date": pupil.birth_date, "accuracy": "AAA"} if pupil.birth_date else {},
        "sex": SEX.get(pupil.sex.upper(), ""),
        "address": _address(pupil),
    }
    return {name: value for name, value in child.items() if value}, remarks


def _identifiers(pupil: Pupil, settings: Mapping[str, Any]) -> tuple[list[dict[str, Any]], tuple[Remark, ...]]:
    live = is_live(settings)
    kept = [keep_identifier(UPN, pupil.upn, live=live, field="UPN")]
    if re.fullmatch(r"[0-9]{10}", pupil.uln):
        kept.append(keep_identifier(ULN, pupil.uln, live=live, field="UniqueLearnerNumber"))
    elif pupil.uln:
        kept.append((None, Remark("identifier-dropped", "UniqueLearnerNumber", "Not ten digits; left out.")))
    service = _LOCAL_SERVICE.fullmatch(str(settings.get("service", {}).get("urn", "")))
    if service and re.fullmatch(r"\S{1,64}", pupil.local_id):
        kept.append(({"system": f"urn:local:{service[1]}:student", "value": pupil.local_id}, None))
    return [one for one, _ in kept if one], tuple(remark for _, remark in kept if remark)


def _names(pupil: Pupil, old_surname: str) -> list[dict[str, Any]]:
    given = [name[:100] for name in (pupil.forename, *pupil.middle_names.split())[:10] if name]
    official: dict[str, Any] = {"family": pupil.surname[:200], "given": given, "use": "official"}
    if pupil.preferred_forename and pupil.preferred_forename != pupil.forename:
        official["preferred"] = pupil.preferred_forename[:100]
    names = [official, {"family": pupil.preferred_surname[:200], "given": given[:1], "use": "usual"}]
    if pupil.preferred_surname in ("", pupil.surname):
        names.pop()
    if old_surname:
        names.append({"family": old_surname[:200], "given": given[:1], "use": "old"})
    tidy = ({part: value for part, value in name.items() if value} for name in names)
    return [name for name in tidy if name.keys() - {"use"}]


def _address(pupil: Pupil) -> list[dict[str, Any]]:
    address = {
        "lines": [line[:200] for line in pupil.lines[:8]],
        "postcode": pupil.postcode if len(pupil.postcode) <= 12 else "",
        "uprn": pupil.uprn if re.fullmatch(r"[0-9]{1,12}", pupil.uprn) else "",
    }
    written = {name: value for name, value in address.items() if value}
    return [written | {"use": "home"}] if written else []
