"""Whatever stewards join, split and move and then take back: each chronology is as if they had never said a word."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import bootstrap
from hub.bootstrap import Hub
from hub.casework import CannotSettle
from hub.disclosure import Ask, NoAnswer
from hub.identity.register import Subject
from hub.settings import Settings
from tests.hub.conftest import NOON, PARTNERSHIP, Agency, Clock
from tests.stores import a_store

SOURCES = ("northmarch", "larkbeck")
PEOPLE = ("p1", "p2", "p3")
NAMES = {"p1": ("Wrenna", "2014-05-17"), "p2": ("Tobin", "2016-11-02"), "p3": ("Isla", "2012-01-09")}
STEWARDS = ("bram", "juno")


@dataclass
class Told:
    """A hub in which two agencies told of three children each, and everything that a steward may name in it."""

    hub: Hub
    agencies: dict[str, Agency]
    children: list[UUID] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)

    def tell(self, source: str, person: str, kind: str) -> None:
        given, born = NAMES[person]
        child = {"names": [{"family": source, "given": [given]}], "birth_date": {"date": born}}
        agency = self.agencies[source]
        self.hub.admission.admit([raw := agency.seal(kind, child=child, person=person)], agency.source)
        assert raw
        self.events.append({"source": agency.source, "id": f"live-{agency.sequence}"})
        self.children = self.hub.register().children() if not self.children else self.children

    def subjects(self) -> list[Subject]:
        return [
            (one.source, hashlib.sha256(p.encode()).hexdigest()[:32]) for one in self.agencies.values() for p in PEOPLE
        ]

    def chronologies(self) -> dict[UUID, bytes]:
        """Every child's chronology as one reader gets it, by id; none where nothing is answered."""
        found = {}
        for child in [*self.children, *self.hub.register().born]:
            try:
                found[child] = self.hub.disclosure.chronology(
                    Ask(person="ottoline", child=child, purpose="triage")
                ).body
            except NoAnswer:
                continue
        return found


@contextmanager
def told(folder: Path) -> Iterator[Told]:
    with a_store(folder, None) as store:
        made = Settings(home=folder, demo=True, **store.settings())
        bootstrap.init(made, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
        hub = bootstrap.open_hub(made)
        hub.clock = Clock(NOON)
        _appoint(hub)
        agencies = {name: Agency(f"urn:safeguarding:source:{name}:live") for name in SOURCES}
        for name, agency in agencies.items():
            service = {"urn": f"urn:safeguarding:service:{name}", "name": name, "kind": "police"}
            request = {**agency.request(hub.charter.hub), "service": service}
            hub.registration.add(request, {"ada": hub.officer_key("ada")})
        world = Told(hub, agencies)
        for person in PEOPLE:
            for source in SOURCES:
                for kind in ("domestic-abuse-incident", "concern-logged"):
                    world.tell(source, person, kind)
        world.children = hub.register().children()
        hub.casework.record("ottoline", {"event": "child-seen", "child": str(world.children[0]), "details": {}})
        yield world
        hub.close()


def _appoint(hub: Hub) -> None:
    for person, role in (("ottoline", "frontDoor"), *((one, "steward") for one in STEWARDS)):
        service = "urn:safeguarding:service:harrowmere-childrens-services"
        details = {"person": person, "role": role, "service": service, "from": "2024-01-01"}
        hub.casework.record("ada", {"event": "role-held", "details": details})
        course = {"person": person, "completed": "2024-01-01", "until": "2030-01-01"}
        hub.casework.record("ada", {"event": "training-recorded", "details": course})


@dataclass
class Undo:
    """How a word is taken back."""

    what: str
    arguments: dict[str, Any]


def say(world: Told, word: tuple[str, int, int]) -> Undo | None:
    """One word; None where it was refused, because it says nothing that could be."""
    what, one, other = word
    casework, register = world.hub.casework, world.hub.register()
    ids = list(register.born)
    to = ids[other % len(ids)]
    try:
        match what:
            case "same":
                child = ids[one % len(ids)]
                if register.survivor(child) == register.survivor(to):
                    return None
                if casework.settle(STEWARDS[0], "identity-same", child, to, "said").waits_for:
                    casework.settle(STEWARDS[1], "identity-same", child, to, "confirmed")
                return Undo("not-same", {"pair": (child, to)})
            case "split":
                source, subject = world.subjects()[one % len(world.subjects())]
                stood = register.find(source, subject)
                assert stood
                named = to if other % 3 == 0 else None
                sent = [{"source": source, "subject": subject}]
                done = casework.split(STEWARDS[0], stood, "said", subjects=sent, to=named)
                return Undo("split", {"child": UUID(done.to_child), "subjects": sent, "to": stood})
            case _:
                event = world.events[one % len(world.events)]
                stood = _stands(world, event)
                casework.move(STEWARDS[0], event, to, "said")
                return Undo("move", {"event": event, "to": stood})
    except CannotSettle:
        return None


def _stands(world: Told, event: dict[str, str]) -> UUID:
    register = world.hub.register()
    subject = world.hub.admission.resolver.subject_of(event["source"], event["id"])
    assert subject
    place = register.find_place((event["source"], subject))
    assert place
    return register.survivor(register.moved.get((event["source"], event["id"]), [place])[-1])


def take_back(world: Told, undo: Undo) -> None:
    given = undo.arguments
    match undo.what:
        case "not-same":
            world.hub.casework.settle(STEWARDS[0], "identity-not-same", *given["pair"], "taken back")
        case "split":
            world.hub.casework.split(
                STEWARDS[0], given["child"], "taken back", subjects=given["subjects"], to=given["to"]
            )
        case _:
            world.hub.casework.move(STEWARDS[0], given["event"], given["to"], "taken back")


WORDS = st.lists(
    st.tuples(st.sampled_from(["same", "split", "move"]), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=7,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told(tmp_path_factory.mktemp("undo") / "hub") as made:
        yield made


@settings(
    max_examples=int(os.environ.get("UNDO_EXAMPLES", "6")), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(words=WORDS)
def test_any_sequence_of_joins_splits_and_moves_undone_leaves_every_chronology_byte_for_byte(
    world: Told, words: list[tuple[str, int, int]]
) -> None:
    """The same hub takes all examples: what one leaves behind is where the next begins."""
    before = world.chronologies()
    assert len(before) >= len(world.children)
    undoings = [undo for word in words if (undo := say(world, word)) is not None]
    for undo in reversed(undoings):
        take_back(world, undo)
    after = world.chronologies()
    assert {child: body for child, body in after.items() if child in before} == before
    assert after.keys() == before.keys()
