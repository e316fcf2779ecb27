"""The closed words that rules may use, and the groups they fall into.

All codes are reserved from the first edition, also where no rule uses them yet: a role or purpose without rules sees
nothing. Source: the partnership's lists of roles and purposes; categories after the MAIS safeguarding event codes;
handling markers after HL7 confidentiality and sensitivity codes. `rules/schema.cedarschema` says the same to Cedar, and
a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ROLES: Final = (
    "frontDoor", "outOfHours", "allocatedSocialWorker", "teamManager", "conferenceChair", "earlyHelpLead", "schoolLead",
    "healthPractitioner", "namedHealth", "camhs", "policeProtection", "youthJustice", "housing", "voluntarySector",
    "disclosureOfficer", "caseAuditor", "practiceReviewer", "inspector", "analyst", "steward", "child", "parent",
)  # fmt: skip

ROLE_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "practitioner": frozenset({
        "frontDoor", "outOfHours", "allocatedSocialWorker", "teamManager", "conferenceChair", "earlyHelpLead",
        "schoolLead", "healthPractitioner", "namedHealth", "camhs", "policeProtection", "youthJustice", "housing",
        "voluntarySector",
    }),
}  # fmt: skip
"""practitioner: works with children, so has own entries and may be addressed."""

PURPOSES: Final = (
    "s47", "strategyDiscussion", "cpPlan", "emergency", "s17", "earlyHelp", "directCare", "educationSupport",
    "audit", "learningReview", "inspection", "subjectAccess", "triage", "crimePrevention",
)  # fmt: skip

PURPOSE_CLASSES: Final[Mapping[str, frozenset[str]]] = {
    "statutory": frozenset({"s47", "strategyDiscussion", "cpPlan", "emergency"}),
    "byAgreement": frozenset({"s17", "earlyHelp", "directCare", "educationSupport"}),
    "assurance": frozenset({"audit", "learningReview", "inspection", "subjectAccess"}),
}

CATEGORIES: Final = (
    "involvement", "education", "health", "mentalHealth", "sexualHealth", "substance", "police", "intelligence",
    "domesticAbuse", "socialCare", "legal", "voice", "adult", "housing",
)  # fmt: skip

HANDLING: Final = (
    "originatorControl", "privileged", "liveInvestigation", "protectedSource", "confidentialAddress",
    "childConfidence", "adoption", "harmIfKnown", "thirdParty", "released",
)  # fmt: skip

AGREEMENTS: Final = ("notRelied", "given", "refused", "withdrawn", "expired", "unknown")
INVOLVEMENTS: Final = ("none", "team", "allocated")
THRESHOLDS: Final = ("none", "s17", "s47", "cpPlan", "emergency")
LEVELS: Final = (1, 2, 3)
LEVEL_LETTERS: Final = "NRV"

LATTICE: Final = ("full", "outline", "existence")
"""How much of an entry, most first; below existence it is hidden."""

FACETS: Final = ("family", "others", "place", "service", "summary", "structure")
"""Parts of a visible entry, each allowed or withheld by itself."""

BANNER: Final = "banner"
"""That a decision stands over the record, in a fixed sentence, where the entry itself is not shown in full."""

ACTIONS: Final = (*LATTICE, *FACETS, BANNER)

ACTION_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "upToExistence": frozenset({"existence"}),
    "upToOutline": frozenset({"existence", "outline"}),
    "upToFull": frozenset({"existence", "outline", "full"}),
    "fromExistence": frozenset({"existence", "outline", "full", "banner"}),
    "fromOutline": frozenset({"outline", "full"}),
    "names": frozenset({"family", "others"}),
    "whole": frozenset({"existence", "outline", "full", "family", "others", "place"}),
    "ordinary": frozenset({"service", "summary"}),
}
"""A permit goes up to a step of the lattice, a forbid takes away from a step on: so nothing between is left out."""
