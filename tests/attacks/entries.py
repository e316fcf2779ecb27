"""Entries for the non-interference suite: what is visible, what is hidden and why, and fields that are withheld.

Each is an event as a sending agency would write it. Nothing here asks the hub what is hidden: the reviewed matrix, the
handling markers and the agreements say it.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from hub.domain.child import CHANGES
from hub.domain.labels import CARE
from schemas.catalogue import KINDS, get_example
from tests.attacks.seats import HIDDEN, VISIBLE, Cell, Seat

MARK = "QZHIDDEN"
"""Stands in every hidden word: no answer may hold it."""
LEVELS = "NRV"
SERVICES = tuple(
    {"service": f"urn:safeguarding:service:{name}", "service_name": title, "service_kind": kind}
    for name, title, kind in (
        ("saltmarsh-council", "Saltmarsh Council", "council"), ("orrery-hospital", "Orrery Hospital", "a hospital"),
        ("pinfold-school", "Pinfold School", "a school"), ("northmarch-police", "Northmarch Police", "police"),
    )
)  # fmt: skip
CONTACT = {"name": "Duty desk", "role": "Duty worker", "phone": "01632 960112"}
CLEARED = ("references", "addressed_to", "asked", "by_when", "told", "not_to_be_told", "incident", "remarks", "label")
LEFT_OUT = frozenset({
    "location-protected", "location-protection-ended", "decided-not-to-share", "nothing-held", "identity-merged",
    "protective-condition-set", "protective-condition-ended",
})  # fmt: skip
"""Those of a protected place, of protective conditions and of decisions that stand over a record are told to some who
may not read them: that is their use."""
ANYBODY = ("privileged", "adoption")
URGENT = json.loads((Path(__file__).parents[2] / "schemas" / "rules" / "urgent.json").read_text())
URGENT_BY_CONTENT = frozenset(one["event"] for one in URGENT["by_content"])


@dataclass(frozen=True)
class Entry:
    """One event before it is sealed: the same id and salt in whichever hub it stands."""

    id: str
    source: str
    kind: str
    shared: str
    members: dict[str, Any]
    cell: Cell = ("", "")
    phase: int = 1

    def but(self, **members: Any) -> Entry:
        """The same event with other members."""
        return replace(self, members={**self.members, **members})


@dataclass
class Author:
    """Invents entries about one child, for one seat."""

    rng: random.Random
    seat: Seat
    person: str
    described: dict[str, Any]
    sources: tuple[str, ...]
    agreement: dict[str, str] = field(default_factory=dict)
    """{source, id} of an agreement of this child that was withdrawn; {} where there is none."""
    count: int = 0

    def visible(self, phase: int) -> Entry:
        """An entry that this seat sees in outline or in full."""
        return self.entry(self.rng.choice(_reachable(self.seat.of(VISIBLE))), phase)

    def carded(self, phase: int, cell: Cell | None = None) -> Entry:
        """An entry of which this seat learns only that a service holds something."""
        cell = cell or self.rng.choice(_reachable(self.seat.of("E")))
        return self.entry(cell, phase, said_by={**SERVICES[0], "contact": CONTACT})

    def entry(self, cell: Cell, phase: int, *, said_by: dict[str, Any] | None = None) -> Entry:
        """An entry of this category and level by a service that is not the reader's own."""
        kind, category = _kind(self.rng, cell)
        example = get_example(kind, 1)
        kept = {name: example[name] for name in ("details", "origin", "change")}
        said = said_by or {**self.rng.choice(SERVICES), "contact": CONTACT}
        members = dict.fromkeys([*CLEARED, "relevance", "childs_words", "adults_account", "afterwards"]) | kept | {
            "child": self._as_described(), "happened": self._happened(), "learned": None, "recorded": None,
            "said_by": {
                **example["said_by"], **said, "author": {"name": "Ansel Brightwater", "role": "Worker"},
                "statement": "seen",  # of what was not found no card tells, whatever its category and level
            },
            "label": {"level": cell[1], **({"category": cell[0]} if cell[0] != category else {})},
            "shared_under": {"gateway": "CA2004-s10"}, "summary": self._words("Seen by a worker"),
            "narrative": {"text": "Words of an ordinary day."}, "people": _people(), "place": _place(),
        }  # fmt: skip
        return Entry(self._id(), self.rng.choice(self.sources), kind, self._shared(phase), members, cell, phase)

    # -- hidden entries

    def hidden(self, phase: int) -> list[Entry]:
        """An entry that this seat does not see, with its own correction or retraction now and then."""
        way = self.rng.choice(self._ways())
        one = _told_apart(way(phase), self.rng)
        after = self.rng.choice(("", "", "corrected", "corrected twice", "retracted", "correction taken back"))
        if after == "retracted":
            return [one, self.about(one, "retraction-made", "retracts", phase)]
        if not after:
            return [one]
        correction = self.about(one, "correction-made", "corrects", phase)
        if after == "corrected twice":
            return [one, correction, self.about(correction, "correction-made", "corrects", phase)]
        if after == "correction taken back":
            return [one, correction, self.about(correction, "retraction-made", "retracts", phase)]
        return [one, correction]

    def hidden_correction(self, of: Entry) -> Entry:
        """A correction, or a later version, that its source hides, of an entry that is visible."""
        made = self.about(of, "correction-made", "corrects", of.phase)
        if self.rng.random() < 0.5:
            replacing = [{"source": of.source, "id": of.id, "as": "replaces"}]
            made = replace(of, id=self._id()).but(references=replacing, change="replaces")
        return _told_apart(made.but(label={"level": "V", "handling": [self.rng.choice(ANYBODY)]}), self.rng)

    def hidden_by_one_of_two(self, seen: Entry) -> list[Entry]:
        """A correction of two entries at once, one of them hidden, in either order of mention."""
        hidden = replace(_told_apart(self.rng.choice(self._ways())(seen.phase), self.rng), source=seen.source)
        made = self.about(seen, "correction-made", "corrects", seen.phase)
        both = [*made.members["references"], {"source": hidden.source, "id": hidden.id, "as": "corrects"}]
        self.rng.shuffle(both)
        return [hidden, _told_apart(made.but(references=both), self.rng)]

    def about(self, one: Entry, kind: str, as_: str, phase: int) -> Entry:
        """The same source's word about an earlier entry, without a wish of its own how closely it is held."""
        details = {"reason": self.rng.choice(("wrong-child", "untrue"))} if kind == "retraction-made" else None
        members = one.members | {
            "references": [{"source": one.source, "id": one.id, "as": as_}], "label": None, "people": None,
            "place": None, "details": details or get_example(kind, 1)["details"],
        }  # fmt: skip
        if kind == "retraction-made":
            members |= {"narrative": None}
        return Entry(self._id(), one.source, kind, self._shared(phase), members, one.cell, phase)

    def _ways(self) -> list[Callable[[int], Entry]]:
        seat = self.seat
        ways = [self._by_cell, self._by_marker]
        if self.agreement:
            ways.append(self._by_agreement)
        if seat.is_practitioner and not seat.is_answerable:
            ways.append(self._by_delivery)
        if _reachable(seat.of("E")):
            ways.append(self._by_nothing_found)
        if seat.below_threshold and seat.role != "frontDoor":
            ways.append(self._by_confidence)
        return ways

    def _by_cell(self, phase: int) -> Entry:
        return self.entry(self.rng.choice(_reachable(self.seat.of(HIDDEN))), phase)

    def _by_marker(self, phase: int) -> Entry:
        police = self.seat.role == "policeProtection"
        return self._marked(phase, self.rng.choice(ANYBODY if police else (*ANYBODY, "protectedSource")))

    def _by_confidence(self, phase: int) -> Entry:
        return self._marked(phase, "childConfidence")

    def _marked(self, phase: int, marker: str) -> Entry:
        one = self.entry(self.rng.choice(_reachable(list(self.seat.cells))), phase)
        return one.but(label={**one.members["label"], "handling": [marker]})

    def _by_agreement(self, phase: int) -> Entry:
        cells = self.seat.of(VISIBLE) or list(self.seat.cells)
        return self.entry(self.rng.choice(_reachable(cells)), phase).but(shared_under={"agreement": self.agreement})

    def _by_delivery(self, phase: int) -> Entry:
        one = self.entry(("domesticAbuse", "R"), phase)
        other = [{"service": "urn:safeguarding:service:addressed-school", "role": "schoolLead"}]
        details = get_example("domestic-abuse-notice", 1)["details"]
        return replace(one.but(addressed_to=other, details=details), kind="domestic-abuse-notice")

    def _by_nothing_found(self, phase: int) -> Entry:
        one = self.entry(self.rng.choice(_reachable(self.seat.of("E"))), phase)
        return one.but(said_by={**one.members["said_by"], "statement": "nothing-found"})

    # -- fields that are withheld

    def with_other_withheld_fields(self, one: Entry) -> Entry:
        """The same entry with other content wherever this seat's decision withholds content."""
        if one.kind == "correction-made":
            return one
        letter, category = self.seat.cells[one.cell], one.cell[0]
        members = copy.deepcopy(one.members)
        if letter == "E":
            return _told_apart(one, self.rng)
        if letter in "Mm":
            members |= {
                "narrative": {"text": f"{MARK} words"}, "childs_words": f"{MARK} she said",
                "adults_account": f"{MARK} he said", "happened": _other_hour(members["happened"], self.rng),
            }  # fmt: skip
            members["said_by"]["author"] = {"name": f"{MARK} author", "role": "Somebody"}
            members["place"] = _place() | {"address": f"{MARK} lane", "postcode": "ZZ9 9ZZ"}
            one = replace(one, shared=_other_second(one.shared, self.rng))
        if letter == "m":
            members["summary"] = self._words(f"{MARK} line")
        for person in members["people"]:
            if not self.seat.may_see(person["group"], category):
                person |= {"name": f"{MARK} name", "description": f"{MARK} description"}
        if letter in "Mm":
            members["people"] += [
                {"ref": f"x{n}", "group": group, "relation": ["NBOR"], "name": MARK}
                for n, group in enumerate(("family", "others")) if not self.seat.may_see(group, category)
            ]  # fmt: skip
        if not self.seat.may_see("place", category):
            members["place"] = {"kind": "other", "precision": "ward", "ward": MARK, "local_authority": MARK}
        return replace(one, members=members)

    # -- parts

    def _as_described(self) -> dict[str, Any]:
        """The child as this sender writes it down: now and then under another name, or with another day of birth."""
        if self.rng.random() < 0.6:
            return self.described
        family = f"{self.rng.choice(('Plover', 'Teasel', 'Sandpiper'))} {self.person}"
        use = self.rng.choice(("official", "official", "old"))
        return {**self.described, "names": [{"family": family, "given": ["Ansel"], "use": use}]}

    def _id(self) -> str:
        self.count += 1
        return f"{self.person}-{self.count}-{self.rng.getrandbits(32):08x}"

    def _words(self, text: str) -> dict[str, str]:
        return {"text": f"{text} {self.rng.getrandbits(20)}.", "made": "by-author"}

    def _happened(self) -> dict[str, str]:
        day, month = self.rng.randint(1, 27), self.rng.choice((1, 2, 2, 2))
        if self.rng.random() < 0.4:
            return {"from": f"2025-{month:02}-{day:02}", "precision": "day", "zone": "source"}
        at = f"2025-{month:02}-{day:02}T{self.rng.randint(6, 20):02}:{self.rng.randint(0, 59):02}:00Z"
        return {"from": at, "precision": "instant", "zone": "source"}

    def _shared(self, phase: int) -> str:
        return f"2025-03-{phase + 2:02}T{self.rng.randint(6, 11):02}:{self.rng.randint(0, 59):02}:00Z"


def _told_apart(one: Entry, rng: random.Random) -> Entry:
    """The entry with words, names and a day that would show wherever it leaked."""
    child = {
        "names": [{"family": f"{MARK}name", "given": [f"{MARK}given{rng.randint(0, 9)}"], "use": "official"}],
        "birth_date": {"date": f"2013-0{rng.randint(1, 9)}-11"}, "sex": "1",
    }  # fmt: skip
    said = {**one.members["said_by"], "author": {"name": f"{MARK} author"}}
    words = {"text": f"{MARK} {'long ' * rng.randint(0, 40)}", "made": "by-author"}
    narrative = {"narrative": {"text": f"{MARK} words"}} if one.members.get("narrative") else {}
    return one.but(child=child, said_by=said, summary=words, **narrative)


def _people() -> list[dict[str, Any]]:
    return [
        {"ref": "p1", "group": "family", "relation": ["MTH"], "name": "Isaura Testling", "adult": True},
        {"ref": "p2", "group": "others", "relation": ["NBOR"], "name": "Corwin Plover", "adult": True},
    ]


def _place() -> dict[str, Any]:
    return {
        "kind": "home", "precision": "address", "address": "1 Plover Close", "postcode": "ZZ1 1AA",
        "local_authority": "Harrowmere",
    }  # fmt: skip


def _other_hour(happened: dict[str, str], rng: random.Random) -> dict[str, str]:
    if happened["precision"] != "instant":
        return happened
    return {**happened, "from": f"{happened['from'][:11]}{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z"}


def _other_second(shared: str, rng: random.Random) -> str:
    return f"{shared[:11]}{rng.randint(0, 11):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


def _is_plain(name: str) -> bool:
    kind = KINDS[name]
    special = kind.urgent or kind.delivery or kind.handling or kind.as_target
    special = special or name in CHANGES or name in LEFT_OUT | URGENT_BY_CONTENT
    return kind.about == "child" and not special and not name.startswith("agreement-")


PLAIN = tuple(name for name in sorted(KINDS) if _is_plain(name))


@cache
def _kinds(cell: Cell) -> list[tuple[str, str]]:
    """(kind, its category) of plain kinds that can be of this category and level, by nature or by the sender's wish."""
    category, level = cell
    return [
        (name, KINDS[name].category)
        for name in PLAIN
        if LEVELS.index(KINDS[name].floor) <= LEVELS.index(level)
        and (KINDS[name].category == category or CARE[KINDS[name].category] < CARE[category])
    ]


def _kind(rng: random.Random, cell: Cell) -> tuple[str, str]:
    return rng.choice(_kinds(cell))


def _reachable(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if _kinds(cell)]
