"""The canonical columns of a police CSV: names, kinds of value, closed lists. Reads no bytes.

Names follow the NPCC Minimum POLE Data Standards Dictionary (v1.1) where it has one. A force never has to use these
headers: its column map says which of its own headers is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = "police-csv/1"

TEXT, CODE, CODES, YES_NO, DAY, INSTANT = "text", "code", "codes", "yes-no", "day", "instant"

# Canonical column: kind of value.
COLUMNS: Mapping[str, str] = {
    "incident_ref": TEXT,
    "incident_opened_at": INSTANT,
    "incident_type": CODE,
    "child_ref": TEXT,  # the force's own nominal reference; used to recognise the child again, never sent
    "child_given_name": TEXT,
    "child_family_name": TEXT,
    "child_dob": DAY,
    "child_dob_accuracy": CODE,
    "child_sex": CODE,
    "child_address1": TEXT,
    "child_postcode": TEXT,
    "child_uprn": TEXT,
    "child_nhs_number": TEXT,
    "school_urn": TEXT,
    "relationship_to_child": CODE,
    "children_present": CODE,
    "risk_level": CODE,
    "concern_codes": CODES,
    "repeat_victim": YES_NO,
    "outcome": CODE,
    "closed_at": INSTANT,
    "submitted_at": INSTANT,
    "force_code": TEXT,
    "referral_or_information": CODE,
    "share_limits": CODES,
}
REQUIRED = ("incident_ref", "incident_type", "child_given_name", "child_family_name")

# Closed lists. A value outside its list is kept as it stands, with the remark `unknown-code`.
CLOSED: Mapping[str, tuple[str, ...]] = {
    "incident_type": ("PPN", "VC", "MISPER", "DA", "POWERS46"),
    "child_sex": ("1", "2", "9", "X"),
    "children_present": ("yes", "heard", "seen", "no", "unknown"),
    "risk_level": ("standard", "medium", "high"),
    "referral_or_information": ("referral", "information"),
}
# What "nothing was written" looks like in exports.
UNKNOWN = frozenset({"", "null", "none", "n/a", "*dummy*"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row by canonical names. An empty text is "not written", never "no"."""

    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        value = self.cells.get(column, "")
        return value if isinstance(value, str) else ""

    def codes(self, column: str) -> list[str]:
        value = self.cells.get(column, [])
        return [code for code in value if isinstance(code, str)] if isinstance(value, list) else []

    @property
    def other_children(self) -> list[str]:
        """References of the other children whose rows for the same incident stand beside this one."""
        return self.codes("other_children")
