"""Sealed records to measure with: invented children, two agencies each, about twenty kinds of event at about 1 KB.

The events are the catalogue's own examples about other children, so what is measured is what the schemas describe.
The same seed gives the same children and kinds; keys, and so seals, are new each time.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import combinations, cycle
from typing import Any

from schemas.catalogue import get_example
from schemas.envelope import (
    PublicSealingKey,
    SigningKey,
    proof_of_possession,
    seal,
    statement_bytes_of,
    statement_digest,
)

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
EVENTS_A_CHILD = 10
KINDS = {
    "northmarch-police": (
        "domestic-abuse-incident", "missing-reported", "missing-ended", "incident-attended", "arrest-or-custody",
        "harassment-or-community-concern",
    ),
    "fenwater-hospital": (
        "emergency-attendance", "was-not-brought", "admission", "discharge", "health-visitor-contact",
        "immunisation-not-given",
    ),
    "larkbeck-primary": ("concern-logged", "absence-pattern", "suspended", "part-time-timetable", "joined-roll"),
    "harrowmere-children": (
        "contact-received", "referral-decided", "child-seen", "assessment-started", "core-group-held",
        "view-of-child-recorded",
    ),
}  # fmt: skip
"""Source → the kinds that it sends."""
HELD_ELSEWHERE = "arrest-or-custody"
"""A kind of the first source of which the readers here learn only that the service holds something."""
ELSEWHERE = 10
"""How many of them stand in a chronology that is read, beside the entries that are seen."""
NARRATIVE = (
    "Spoke with the mother at the door and with the child upstairs, apart. The child was quiet and drew while talking."
)
SYLLABLES = ("wren", "quill", "moss", "lark", "fen", "tarn", "hollow", "reed", "brack", "sedge", "ash", "thorn")


@dataclass
class Source:
    """One agency's system: it numbers its records and chains them."""

    name: str
    key: SigningKey = field(default_factory=SigningKey.generate)
    transport: SigningKey = field(default_factory=SigningKey.generate)
    sequence: int = 0
    digest: str = ""

    @property
    def urn(self) -> str:
        """Under which it seals."""
        return f"urn:safeguarding:source:{self.name}:live"

    def request(self, hub: str) -> dict[str, Any]:
        """What it asks the hub's officers to register."""

        def prove(key: SigningKey) -> dict[str, Any]:
            return {"jwk": key.public_jwk(), "proof": proof_of_possession(key, hub=hub, source=self.urn)}

        service = {"urn": f"urn:safeguarding:service:{self.name}", "name": self.name, "kind": "another service"}
        return {
            "hub": hub, "source": self.urn, "partnership": PARTNERSHIP, "service": service,
            "event": prove(self.key), "transport": prove(self.transport),
        }  # fmt: skip

    def seal(self, data: dict[str, Any], child: int, to: PublicSealingKey | None = None) -> bytes:
        """The next record of this source."""
        self.sequence += 1
        event_id = hashlib.sha256(f"{self.urn} {self.sequence}".encode()).hexdigest()[:32]
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        raw = seal(
            json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), key=self.key, source=self.urn,
            event_id=event_id, subject=hashlib.sha256(f"{self.urn} child {child}".encode()).hexdigest()[:32],
            time=None, recordedtime=now, sequence=self.sequence, prevdigest=self.digest,
            salt=hashlib.sha256(event_id.encode()).digest(), to=to,
        )  # fmt: skip
        self.digest = statement_digest(statement_bytes_of(raw))
        return raw


Posted = tuple[Source, list[bytes]]
"""What one source posts at once."""


def make_batches(
    sources: Sequence[Source], count: int, size: int, rng: random.Random, to: PublicSealingKey | None = None
) -> list[tuple[Source, list[bytes]]]:
    """`count` records in batches of `size`, each of one source; ten events a child, half of them from each of two.

    With `to` they are version 2, sealed to that key.

    So every batch brings its share of children whom this source, and of children whom nobody spoke of before.
    """
    waiting: dict[str, list[tuple[str, int]]] = {one.name: [] for one in sources}
    pairs = cycle(combinations(waiting, 2))
    pair: tuple[str, str] = ("", "")
    for number in range(count):
        child, turn = divmod(number, EVENTS_A_CHILD)
        if not turn:
            pair = next(pairs)
        name = pair[turn % 2]
        waiting[name].append((rng.choice(KINDS[name]), child))
    return [
        (source, [source.seal(event(kind, child, rng), child, to) for kind, child in rng.sample(part, len(part))])
        for start in range(0, count, size)
        for source in sources
        if (part := waiting[source.name][start : start + size])
    ]


def make_chronology(
    sources: Sequence[Source], child: int, count: int, rng: random.Random
) -> Iterator[tuple[Source, bytes]]:
    """`count` records about one child that its readers see, from every source in turn, and some that they do not."""
    for number in range(count + ELSEWHERE):
        source = sources[number % len(sources)]
        kind = rng.choice([one for one in KINDS[source.name] if one != HELD_ELSEWHERE])
        if number >= count:
            source, kind = sources[0], HELD_ELSEWHERE
        yield source, source.seal(event(kind, child, rng), child)


def event(kind: str, child: int, rng: random.Random) -> dict[str, Any]:
    """One event's data: the kind's example, about this child, shared within days but for one in ten.

    One in four has a narrative.
    """
    data = {**_example(kind), "partnership": PARTNERSHIP, "child": _child(child)}
    on = datetime.now(UTC).date() - timedelta(days=rng.randrange(20) if rng.random() < 0.9 else rng.randrange(400))
    data["happened"] = {"from": on.isoformat(), "precision": "day", "zone": "none"}
    data["learned"] = data["recorded"] = on.isoformat()
    if rng.random() < 0.25:
        data["narrative"] = {"text": NARRATIVE}
    return data


@cache
def _example(kind: str) -> dict[str, Any]:
    return get_example(kind, 1)


def _child(number: int) -> dict[str, Any]:
    """A child whom nobody has, with full names, birth date and postcode, so that two agencies' records meet."""
    rng = random.Random(number)  # noqa: S311 - invented children, no secrets
    family = "".join(rng.sample(SYLLABLES, 3)).title()
    given = "".join(rng.sample(SYLLABLES, 2)).title()
    return {
        "names": [{"family": family, "given": [given], "use": "official"}],
        "birth_date": {"date": (date(2008, 1, 1) + timedelta(days=rng.randrange(5000))).isoformat(), "accuracy": "AAA"},
        "sex": rng.choice("12"),
        "address": [{"lines": [f"{rng.randrange(1, 99)} Teasel Row"], "postcode": "ZZ99 4QF", "use": "home"}],
    }
