"""Twin hubs: the same secrets, people, children and visible entries; what some reader may not see differs.

A first hub is made with everything that both share, its folder is copied, and each copy then takes its own entries
through the one way in. Clocks stand still and are put forward alike. Compares nothing.
"""

from __future__ import annotations

import copy
import hashlib
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from hub import bootstrap
from hub.api.demo_issuer import demo_issuer
from hub.bootstrap import Hub
from hub.settings import Settings
from schemas.catalogue import get_example
from tests.attacks.entries import Author, Entry
from tests.attacks.seats import Seat, seats
from tests.hub.conftest import PARTNERSHIP, Agency, Clock

PAGE_SIZE = 3
BATCH = 250
EARLY = "2025-03-01T09:00:00Z"
FILLING, OLDER, YOUNGER = "filling-1", "older-2", "younger-3"
SOURCES = tuple(f"urn:safeguarding:source:{name}:live" for name in ("saltmarsh", "orrery", "northmarch"))
MOMENTS = tuple(datetime(2025, 3, day, 12, tzinfo=UTC) for day in (1, 3, 4))
"""Setting up, then two phases of entries; a reading as of between them moves the facts."""
BETWEEN = "2025-03-03T18:00:00Z"
DIFFERENCES = ("added", "dropped", "rewritten", "correction", "fields", "order", "number", "everything")
NOT_FOR_AUDITORS = {"fields": "rewritten", "order": "added", "number": "dropped"}
"""An auditor is shown digests and positions, so content, order of admission and number are not hidden from them."""


@dataclass
class Pair:
    """One child whom one seat reads in both hubs, and what differs."""

    seat: Seat
    difference: str
    person: str
    child: UUID | None = None
    planned: tuple[list[Entry], list[Entry]] = field(default_factory=lambda: ([], []))


@dataclass
class Twin:
    """One of the two hubs."""

    hub: Hub
    clock: Clock
    agencies: dict[str, Agency]

    def admit(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Seal each entry of (person, entry) by its source and admit it; whatever is not admitted is our mistake."""
        for source, agency in self.agencies.items():
            own = [(person, one) for person, one in entries if one.source == source]
            for start in range(0, len(own), BATCH):
                raw = [_sealed(agency, person, one) for person, one in own[start : start + BATCH]]
                receipts = self.hub.admission.admit(raw, source)
                wrong = [(r.id, r.outcome, r.reason) for r in receipts if r.outcome != "admitted"]
                assert not wrong, wrong[:3]

    def rows(self, child: UUID) -> list[Any]:
        """What this hub really holds of a child, for the naive and for checking that the twins do differ."""
        self.hub.view.catch_up()
        return self.hub.view.rows(self.hub.register().members(child))


@dataclass
class Twins:
    """Both hubs and every pair of readings."""

    left: Twin
    right: Twin
    pairs: list[Pair]
    unshared: list[UUID]
    """Children who stand in the left hub only, with nothing but what nobody here may see."""
    known: UUID
    """A child of whom the front door sees something …"""
    sealed_off: UUID
    """… and an older one in the record, of whom nobody here sees anything."""


DECIDER = "decider"
"""Somebody at the front door who puts down who works with a child."""


@contextmanager
def twin_hubs(folder: Path, count: int, seed: int) -> Iterator[Twins]:
    """Twins with so many pairs, over every seat and every difference in turn."""
    rng = random.Random(seed)  # noqa: S311
    pairs = [_pair(number, rng) for number in range(count)]
    base = _make(folder / "left")
    agencies = {source: _register(base, source) for source in SOURCES}
    first = Twin(base, base.clock, agencies)  # type: ignore[arg-type]
    first.admit([(FILLING, _filling(0)), *_two_children(), *(one for pair in pairs for one in _beginning(pair))])
    for pair in pairs:
        pair.child = base.register().find(SOURCES[0], _subject(pair.person))
        _involve(base, pair)
    older, younger = (base.register().find(SOURCES[0], _subject(person)) for person in (OLDER, YOUNGER))
    assert older
    assert younger
    _issue(base)
    base.close()
    shutil.copytree(folder / "left", folder / "right")
    twins = [Twin(hub := _open(folder / side), hub.clock, copy.deepcopy(agencies)) for side in ("left", "right")]  # type: ignore[arg-type]
    for pair in pairs:
        _plan(pair, rng)
    _fill(twins, pairs)
    unshared = _unshared(twins[0], rng)
    yield Twins(twins[0], twins[1], pairs, unshared, known=younger, sealed_off=older)
    for twin in twins:
        twin.hub.close()


def _pair(number: int, rng: random.Random) -> Pair:
    every = seats()
    seat, difference = every[number % len(every)], DIFFERENCES[number // len(every) % len(DIFFERENCES)]
    if seat.is_auditor:
        difference = NOT_FOR_AUDITORS.get(difference, difference)
    return Pair(seat, difference, f"c{number}-{rng.getrandbits(24):06x}")


def described(person: str) -> dict[str, Any]:
    number = int(person.partition("-")[2], 16)
    return {
        "names": [{"family": f"Testling {person}", "given": [f"Ansel {person}"], "use": "official"}],
        "birth_date": {"date": f"201{number % 9}-0{number % 8 + 1}-1{number % 7}"}, "sex": "2",
        "address": [{"postcode": "ZZ1 4QF"}],
    }  # fmt: skip


# -- what both hubs share


def _make(home: Path) -> Hub:
    made = Settings(home=home, demo=True, page_size=PAGE_SIZE)
    bootstrap.init(made, partnership=PARTNERSHIP, area="E99000001", officers=["ada"])
    hub = _open(home)
    for seat in {seat.person: seat for seat in seats()}.values():
        _appoint(hub, seat.person, seat.role, seat.service)
    _appoint(hub, "untrained", "frontDoor", "urn:safeguarding:service:x", trained=False)
    _appoint(hub, "stranger", "schoolLead", "urn:safeguarding:service:another-school")
    _appoint(hub, "relative", "frontDoor", "urn:safeguarding:service:x")
    _appoint(hub, DECIDER, "frontDoor", "urn:safeguarding:service:front-door")
    conflict = {"person": "relative", "reason": "family"}
    hub.casework.record("ada", {"event": "conflict-declared", "details": conflict})
    return hub


def _open(home: Path) -> Hub:
    hub = bootstrap.open_hub(Settings(home=home, demo=True, page_size=PAGE_SIZE))
    hub.clock = Clock(MOMENTS[0])
    return hub


def _appoint(hub: Hub, person: str, role: str, service: str, *, trained: bool = True) -> None:
    held = {"person": person, "role": role, "service": service, "from": "2024-01-01"}
    hub.casework.record("ada", {"event": "role-held", "details": held})
    if trained:
        course = {"person": person, "completed": "2024-01-01", "until": "2030-01-01"}
        hub.casework.record("ada", {"event": "training-recorded", "details": course})


def _register(hub: Hub, source: str) -> Agency:
    agency = Agency(source)
    council = {"urn": "urn:safeguarding:service:twin-council", "name": "Twin Council", "kind": "council"}
    hub.registration.add({**agency.request(hub.charter.hub), "service": council}, {"ada": hub.officer_key("ada")})
    return agency


def _issue(hub: Hub) -> None:
    """The issuer of people's tokens makes its key before the folder is copied."""
    demo_issuer(hub.settings.home, hub.clock)


def _beginning(pair: Pair) -> Iterator[tuple[str, Entry]]:
    """What gives the seat its relationship and threshold, from every source, so that all know the child."""
    seat, child = pair.seat, described(pair.person)
    said = {"service": "urn:safeguarding:service:saltmarsh-council", "service_name": "Saltmarsh Council"}
    details: dict[str, dict[str, Any]] = {
        "worker-allocated": {"person": seat.person, "role": seat.role, "service": seat.service, "from": "2025-02-01"},
    }
    kinds = ["worker-allocated"] if seat.role == "allocatedSocialWorker" else ["advice-given"]
    kinds += [seat.threshold] if seat.threshold else []
    kinds += ["agreement-given", "agreement-withdrawn"] if seat.below_threshold else []
    for number, kind in enumerate([*kinds, "advice-given", "advice-given"]):
        source = SOURCES[0] if number < len(kinds) else SOURCES[number - len(kinds) + 1]
        members = {"child": child, "references": None, "said_by": {**get_example(kind, 1)["said_by"], **said}}
        members |= {"details": details[kind]} if kind in details else {}
        if kind == "agreement-withdrawn":
            members["details"] = {"agreement": _agreement(pair), "by": "mother", "how": "telephone"}
        yield pair.person, Entry(f"{pair.person}-{kind}-{source[-9:]}", source, kind, EARLY, members)


def _involve(hub: Hub, pair: Pair) -> None:
    """Somebody who decides says that the seat's service works with the child; allocated workers need no such word."""
    details = {"service": pair.seat.service, "kind": "school-nursing", "from": "2025-02-01"}
    if pair.seat.role != "allocatedSocialWorker":
        hub.casework.record(DECIDER, {"event": "involvement-started", "child": str(pair.child), "details": details})


def _agreement(pair: Pair) -> dict[str, str]:
    return {"source": SOURCES[0], "id": f"{pair.person}-agreement-given-{SOURCES[0][-9:]}"}


# -- what differs


def _plan(pair: Pair, rng: random.Random) -> None:
    seat = pair.seat
    agreement = _agreement(pair) if seat.below_threshold else {}
    author = Author(rng, seat, pair.person, described(pair.person), SOURCES, agreement)
    if pair.difference == "order":  # of what one source sends, so that its sequence is another
        author.sources = SOURCES[:1]
    common = [author.visible(phase) for phase in (1, 1, 1, 2, 2) if seat.of("FMm")]
    if common and rng.random() < 0.5:  # a correction that the seat sees, of an entry that it sees
        common.append(author.about(common[0], "correction-made", "corrects", rng.choice((1, 2))))
    common += [author.carded(phase) for phase in (1, 2) if seat.of("E")]
    left, right = list(common), list(common)
    match pair.difference:
        case "added":
            right += _hidden(author, 2)
        case "dropped":
            left += _hidden(author, 2)
        case "rewritten":
            left += _hidden(author, 2)
            right += _hidden(author, 2)
        case "correction":
            right += _corrections(author, common)
        case "fields":
            right = [author.with_other_withheld_fields(one) for one in common]
        case "order":
            right = right[::-1]
        case "number":
            right += _more_behind_one_card(author, common)
        case "everything":
            left += _hidden(author, 1)
            right += [*_hidden(author, 3), *_corrections(author, common)]
            if not seat.is_auditor:
                right = [author.with_other_withheld_fields(one) if one in common else one for one in right]
                rng.shuffle(right)
    pair.planned = left, right


def _hidden(author: Author, count: int) -> list[Entry]:
    return [one for _ in range(count) for one in author.hidden(author.rng.choice((1, 2)))]


def _corrections(author: Author, common: Sequence[Entry]) -> list[Entry]:
    if not author.seat.of("FMm"):
        return _hidden(author, 1)
    return [author.hidden_correction(common[0]), *author.hidden_by_one_of_two(common[1])]


def _more_behind_one_card(author: Author, common: Sequence[Entry]) -> list[Entry]:
    """More of what a service holds, where the seat learns only that it holds something."""
    carded = [one for one in common if author.seat.cells[one.cell] == "E"]
    if not carded:
        return _hidden(author, 1)
    return [author.carded(one.phase, one.cell) for one in carded for _ in range(author.rng.randint(1, 3))]


def _fill(twins: Sequence[Twin], pairs: Sequence[Pair]) -> None:
    """Two phases. Auditors see positions: their visible entries come first, and the logs are made equally long."""
    for phase in (1, 2):
        for side, twin in enumerate(twins):
            twin.clock.now = MOMENTS[phase]
            planned = [(pair, one) for pair in pairs for one in pair.planned[side] if one.phase == phase]
            seen = [one for one in planned if one[0].seat.is_auditor and _is_common(*one)]
            for part in (seen, [one for one in planned if one not in seen]):
                twin.admit([(pair.person, one) for pair, one in part])
        _make_equally_long(twins)


def _is_common(pair: Pair, one: Entry) -> bool:
    return one in pair.planned[0] and one in pair.planned[1]


def _make_equally_long(twins: Sequence[Twin]) -> None:
    longest = max(twin.hub.record.position() for twin in twins)
    for twin in twins:
        position = twin.hub.record.position()
        twin.admit([(FILLING, _filling(number)) for number in range(position, longest)])
        assert twin.hub.record.position() == longest


def _filling(number: int) -> Entry:
    """An entry about a child whom nobody here reads."""
    return Entry(f"filling-{number}", SOURCES[0], "advice-given", EARLY, {"child": described(FILLING)})


def _two_children() -> list[tuple[str, Entry]]:
    """The older with nothing that anybody here may see, the younger with an ordinary entry."""
    said = {"references": None, "shared_under": {"gateway": "CA2004-s10"}}
    sealed = {**said, "child": described(OLDER), "label": {"level": "V", "handling": ["privileged"]}}
    return [
        (OLDER, Entry("older-child-1", SOURCES[0], "advice-given", EARLY, sealed)),
        (YOUNGER, Entry("younger-child-1", SOURCES[0], "advice-given", EARLY, {**said, "child": described(YOUNGER)})),
    ]


def _unshared(twin: Twin, rng: random.Random) -> list[UUID]:
    found = []
    for number, seat in enumerate(seats()):
        person = f"u{number}-{number:06x}"
        author = Author(rng, seat, person, described(person), SOURCES[:1])
        one = author.entry(("education", "N"), 2)
        twin.admit([(person, one.but(label={"level": "V", "handling": ["privileged"]}))])
        child = twin.hub.register().find(SOURCES[0], _subject(person))
        assert child is not None
        found.append(child)
    return found


def _sealed(agency: Agency, person: str, one: Entry) -> bytes:
    return agency.seal(one.kind, id=one.id, person=person, shared=one.shared, **one.members)


def _subject(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()[:32]
