"""What police codes mean in the words of the record: relations, concerns, outcomes; and summaries made from codes.

A summary holds fixed words and codes alone: no name, no free text, no other person. Its template has the event's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.police.mapping.parts import Remarks


@dataclass(frozen=True, slots=True)
class Relation:
    """What somebody is to the child: HL7 v3 RoleCode where it has one, else words; `family` says which group."""

    word: str
    family: bool = True


RELATIONS: Mapping[str, Relation] = {
    "mother": Relation("MTH"),
    "father": Relation("FTH"),
    "parent": Relation("PRN"),
    "guardian": Relation("GUARD"),
    "step-parent": Relation("STPPRN"),
    "mothers-partner": Relation("mother's partner"),
    "fathers-partner": Relation("father's partner"),
    "sibling": Relation("SIB"),
    "grandparent": Relation("GRPRN"),
    "aunt-or-uncle": Relation("aunt or uncle"),
    "next-of-kin": Relation("next of kin"),
    "other-family": Relation("FAMMEMB"),
    "household-member": Relation("household member"),
    "carer": Relation("CAREGIVER"),
    "known": Relation("known to the child", family=False),
    "stranger": Relation("stranger", family=False),
}

# The concerns of schemas/codes/concerns.json.
CONCERNS = frozenset({
    "neglect", "physical-abuse", "emotional-abuse", "sexual-abuse", "domestic-abuse", "sexual-exploitation",
    "criminal-exploitation", "trafficking", "radicalisation", "serious-violence", "missing", "self-harm",
    "childs-substance-use", "parents-substance-use", "parents-mental-health", "parents-disability",
    "childs-disability", "genital-mutilation", "honour-based-abuse", "forced-marriage", "harm-between-children",
    "online-harm", "bullying", "unborn-child", "young-carer", "privately-fostered", "family-in-distress",
    "absent-parenting", "low-income", "homelessness", "missing-education", "behaviour", "other", "not-stated",
})  # fmt: skip
# Those of them that are exploitation, with its kind (schemas/codes/exploitation.json).
EXPLOITATION: Mapping[str, str] = {
    "sexual-exploitation": "sexual",
    "criminal-exploitation": "criminal",
    "trafficking": "trafficking",
    "radicalisation": "radicalisation",
    "serious-violence": "serious-violence",
}


@dataclass(frozen=True, slots=True)
class Result:
    """How an investigation ended, the class of the reason without which "no further action" would read as "nothing
    happened", and the words for both."""

    outcome: str
    words: str
    reason: str = ""


def _no_further_action(reason: str, words: str) -> Result:
    return Result("no-further-action", f"No further action: {words}", reason)


NOTHING_FOUND = "nothing-found"
RESULTS: Mapping[str, Result] = {
    NOTHING_FOUND: Result("other", "Nothing found"),
    "nfa-evidential": _no_further_action("evidential", "evidential"),
    "nfa-not-in-public-interest": _no_further_action("public-interest", "not in the public interest"),
    "nfa-victim-does-not-support": _no_further_action("victim-does-not-support", "the victim does not support it"),
    "nfa-no-offence": _no_further_action("no-crime", "no offence"),
    "nfa-suspect-not-identified": _no_further_action("suspect-not-identified", "no suspect identified"),
    "nfa": _no_further_action("not-stated", "reason not stated"),
    "charged": Result("charged", "Charged"),
    "caution": Result("cautioned", "Cautioned"),
    "community-resolution": Result("community-resolution", "Community resolution"),
    "convicted": Result("convicted", "Convicted"),
    "acquitted": Result("acquitted", "Acquitted"),
    "discontinued": Result("discontinued", "Discontinued"),
    "referred": Result("other", "Referred to another agency"),
    "found-safe": Result("other", "Found safe"),
    "found-harmed": Result("other", "Found, harmed"),
    "returned": Result("other", "Returned"),
    "other": Result("other", "Other"),
}
# Were children there, and did they hear or see it? For a summary.
PRESENT: Mapping[str, str] = {
    "yes": "Children recorded as present",
    "heard": "Children recorded as present; they heard it",
    "seen": "Children recorded as present; they saw it",
    "no": "Children recorded as not present",
}
CHILDREN_PRESENT: Mapping[str, str] = {"yes": "yes", "heard": "yes", "seen": "yes", "no": "no"}
SAW_OR_HEARD: Mapping[str, str] = {"heard": "yes", "seen": "yes"}
# Grades of risk: domestic abuse has standard, medium, high; missing and exploitation call the lowest low.
LOW_TO_HIGH: Mapping[str, str] = {"standard": "low", "medium": "medium", "high": "high"}


def summary(event: str, *sentences: str) -> dict[str, Any]:
    """A summary of sentences of fixed words and codes, by the template that has the event's name; empty ones are
    left out."""
    text = " ".join(f"{sentence}." for sentence in sentences if sentence)
    return {"text": text[:280], "made": "by-template", "template": f"{event}/1"}


def find_concerns(codes: Iterable[str], where: str, remarks: Remarks) -> list[str]:
    """The concerns these codes name, each once, in order; a code on no list becomes `other` with a remark."""
    concerns = []
    for code in codes:
        if code.casefold() not in CONCERNS:
            remarks.unknown_code(where, code)
        concerns.append(code.casefold() if code.casefold() in CONCERNS else "other")
    return list(dict.fromkeys(concerns))


def find_result(code: str, where: str, remarks: Remarks) -> Result | None:
    """How it ended; None where nothing was written. A code on no list becomes `other` with a remark."""
    if not code:
        return None
    if code not in RESULTS:
        remarks.unknown_code(where, code)
    return RESULTS.get(code, RESULTS["other"])


def find_relation(code: str, where: str, remarks: Remarks) -> Relation | None:
    """What they are to the child; None where nothing was written or the code is on no list (with a remark)."""
    relation = RELATIONS.get(code.casefold().replace(" ", "-"))
    if code and relation is None:
        remarks.unknown_code(where, code)
    return relation


def split_concerns(concerns: Iterable[str]) -> tuple[list[str], list[str]]:
    """Concerns that are no exploitation, and the kinds of exploitation: these are an event of their own, because who
    may read of them is another question."""
    concerns = list(concerns)
    kinds = (EXPLOITATION[concern] for concern in concerns if concern in EXPLOITATION)
    return [concern for concern in concerns if concern not in EXPLOITATION], list(dict.fromkeys(kinds))


def risk_in_words(risk: str | None) -> str:
    """The grade for a summary, "" for none."""
    return f"Risk: {risk}" if risk else ""


def concerns_in_words(concerns: Iterable[str]) -> str:
    """The concerns for a summary, "" for none."""
    words = ", ".join(concern.replace("-", " ") for concern in concerns)
    return f"Concerns: {words}" if words else ""
