"""The story's table at D+525, as practitioners wrote it: who sees what of each entry.

F full, M outline, E existence, · nothing, B a standing banner and no entry. Lower case after the letter: p people
withheld, l place withheld, s source shown only as a kind. `later` names the rule that a cell still waits for; such a
cell must fail today, and be unmarked when it passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

READERS = ("SW", "DSL", "NUR", "POL")


@dataclass(frozen=True)
class Row:
    """One entry of the script: its kind, the day that it shows, and the four cells."""

    number: int
    event: str
    day: int | None
    cells: tuple[str, str, str, str]
    later: dict[str, str] = field(default_factory=dict)
    """Reader → the rule of a later step that this cell waits for."""


TABLE = (
    Row(2, "domestic-abuse-incident", 24, ("F", "Mpl", "Mpl", "F")),
    Row(3, "domestic-abuse-notice", 24, ("F", "·", "·", "F")),
    Row(4, "correction-made", 24, ("F", "Mpl", "Mpl", "F")),
    Row(5, "emergency-attendance", 39, ("F", "E", "M", "M")),
    Row(6, "advice-sought", 58, ("F", "M", "M", "F")),
    Row(6, "advice-given", 58, ("F", "M", "M", "F")),
    Row(7, "agreement-given", 65, ("F", "M", "F", "F")),
    Row(8, "lead-professional-named", 80, ("F", "M", "M", "M")),
    Row(8, "common-assessment-completed", 80, ("F", "M", "M", "M")),
    Row(9, "involvement-started", 94, ("F", "M", "F", "F")),
    Row(10, "view-of-child-recorded", 120, ("F", "M", "F", "F")),
    Row(11, "incident-attended", 165, ("F", "·", "M", "F")),
    Row(12, "immunisation-not-given", 190, ("F", "E", "F", "M")),
    Row(13, "was-not-brought", 214, ("F", "E", "F", "M")),
    Row(14, "location-protected", 247, ("F", "B", "B", "B")),
    Row(15, "name-changed", 252, ("Fls", "Es", "Fls", "Mls")),
    Row(15, "registration-changed", 252, ("Fls", "Es", "Fls", "Mls")),
    Row(16, "left-roll", 267, ("Fls", "Fls", "Mls", "Fls")),
    Row(16, "file-sent", 267, ("Fls", "Fls", "Mls", "Fls")),
    Row(19, "household-changed", 322, ("F", "F", "M+name", "F")),
    Row(20, "absence-pattern", 365, ("F", "F", "M", "F")),
    Row(21, "agreement-withdrawn", 410, ("F", "M", "F", "F")),
    Row(22, "contact-received", 455, ("Fp", "Mp", "Mp", "Fp")),
    Row(22, "referral-made", 455, ("Fp", "Mp", "Mp", "Fp")),
    Row(23, "referral-decided", 456, ("F", "M", "M", "F")),
    Row(23, "referrer-informed", 458, ("F", "M", "M", "F")),
    Row(23, "challenge-raised", 459, ("F", "M", "F", "F")),
    Row(24, "injury-observed", 309, ("Fls", "Es", "Mls", "Mls")),
    Row(25, "disclosure-by-child", 521, ("F", "F", "·", "F")),
    Row(26, "referral-made", 521, ("F", "F", "M", "F")),
    Row(26, "shared-without-agreement", 521, ("F", "F", "M", "F")),
    Row(26, "referral-decided", 521, ("F", "M", "M", "F")),
    Row(27, "strategy-discussion-called", 522, ("F", "M", "M", "F")),
    Row(27, "strategy-discussion-held", 522, ("F", "M", "M", "F")),
    Row(27, "s47-started", 522, ("F", "M", "M", "F")),
    Row(28, "intelligence-held", None, ("·", "·", "·", "F")),
    Row(29, "child-seen", 522, ("F", "M", "M", "F")),
    Row(29, "view-of-child-recorded", 522, ("F", "M", "M", "F")),
    Row(30, "arrest-or-custody", 523, ("E", "·", "·", "F")),
    Row(30, "protective-condition-set", 523, ("F", "F", "F", "F")),
    Row(31, "decided-not-to-share", 524, ("F", "B", "B", "B")),
)
"""Entry 1 never left the school; 17 and 18 are judged by their own tests; 32 to 35 come after the reading."""
