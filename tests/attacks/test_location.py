"""The flight: two hubs that differ only in where the child lives answer whoever is not named byte for byte alike.

Over every route of the table below, while the protection is open and after it ended, as of any day. A route that is
added to the hub is added to `ROUTES`: it gets who asks, as what and what for, and gives all that came back.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from hub.audit.replay import replay
from hub.casework import CannotSettle, Misfit, NotYours
from hub.disclosure import Ask, NoAnswer, NoStanding, TeamAsk
from hub.export import NotEnough, to_jsonld
from tests.attacks.answers import Client, question
from tests.attacks.located_hubs import (
    AFTER,
    BETWEEN,
    ENDS,
    LEFT,
    NAMED,
    NUMBERS,
    OLD_POSTCODE,
    READERS,
    RIGHT,
    Located,
    alerted,
    ended,
    located_hubs,
)

MOMENTS = ("2025-02-03T12:00:00Z", "2025-03-06T12:00:00Z", "2025-05-06T12:00:00Z", "2025-08-01T12:00:00Z")
"""Before the flight, after it, after what was recorded in between, after the end."""
WHEN = ("while it is protected", "after that ended")
Parts = list[bytes]


@dataclass(frozen=True)
class Reader:
    """Who asks one of the two hubs, as what and what for."""

    one: Located
    client: Client
    person: str
    role: str
    purpose: str

    def ask(self, **more: Any) -> Ask:
        return Ask(person=self.person, child=self.one.child, purpose=self.purpose, role=self.role, **more)


def chronology(reader: Reader) -> Parts:
    """Every page, with status and headers."""
    first = question(reader.person, reader.one.child, reader.purpose, reader.role)
    answers = [reader.client.ask(first)]
    while cursor := answers[-1].said.get("next"):
        answers.append(reader.client.ask(first.also(cursor=cursor)))
    return [repr((one.status, one.headers)).encode() + one.body for one in answers]


def as_of(reader: Reader) -> Parts:
    """The first page as of several days: the facts move, the protection is today's."""
    first = question(reader.person, reader.one.child, reader.purpose, reader.role)
    answers = [reader.client.ask(first.also(as_of=at)) for at in MOMENTS]
    return [repr((one.status, one.headers)).encode() + one.body for one in answers]


def errors(reader: Reader) -> Parts:
    """What is refused: other purposes and roles, a cursor of nobody, no such child."""
    first = question(reader.person, reader.one.child, reader.purpose, reader.role)
    asked = [
        question(reader.person, reader.one.child, "inspection", reader.role),
        question(reader.person, reader.one.child, "triage", "teamManager"),
        first.also(cursor="x" * 40),
        question(reader.person, UUID(int=7), reader.purpose, reader.role),
        question("nobody", reader.one.child, reader.purpose, reader.role),
    ]
    answers = map(reader.client.ask, asked)
    return [repr((one.status, one.headers)).encode() + one.body for one in answers]


def export(reader: Reader) -> Parts:
    """The MAIS document."""
    try:
        answer = orjson.loads(reader.one.hub.disclosure.chronology(reader.ask(page=10_000)).body)
        return [orjson.dumps(to_jsonld(answer))]
    except (NoAnswer, NotEnough) as error:
        return [repr(error).encode()]


def replays(reader: Reader) -> Parts:
    """What others could see at past moments, for whoever may ask that."""
    hub, found = reader.one.hub, []
    for at in (BETWEEN, ENDS, AFTER):
        with suppress(NoStanding):
            auditor = hub.disclosure.allow("replay", reader.person, reader.role, reader.purpose)
            for person, (role, purpose) in {**READERS, NAMED[0]: NAMED[1:]}.items():
                ask = Ask(person=person, child=reader.one.child, purpose=purpose, role=role)
                could = hub.disclosure.could_see(ask, at, auditor, reader.purpose)
                found.append(orjson.dumps(replay(could, [], person, at)))
    return found


def identity_list(reader: Reader) -> Parts:
    """Children and the open questions about who is who."""
    hub = reader.one.hub
    try:
        children = hub.casework.review.children(reader.person, reader.role, reader.purpose)
    except NoStanding as error:
        return [repr(error).encode()]
    return [repr(children).encode(), repr(hub.register().open_items()).encode()]


def identity_shown(reader: Reader) -> Parts:
    """What a child is made of, with the sources that speak of it, and who read what is another's: for stewards."""
    review, found = reader.one.hub.casework.review, []
    for look in (review.show, review.readers):
        try:
            found.append(repr(look(reader.person, reader.role, reader.purpose, reader.one.child)).encode())
        except (NoStanding, CannotSettle) as error:
            found.append(repr(error).encode())
    return found


def identity_described(reader: Reader) -> Parts:
    """The questions with both descriptions."""
    try:
        return [repr(reader.one.hub.casework.review.items(reader.person, reader.role, reader.purpose)).encode()]
    except NoStanding as error:
        return [repr(error).encode()]


def team_list(reader: Reader) -> Parts:
    """What is waited for in the reader's team."""
    try:
        return [reader.one.hub.teams.open_items(TeamAsk(person=reader.person, purpose=reader.purpose)).body]
    except NoStanding as error:
        return [repr(error).encode()]


def queries(reader: Reader) -> Parts:
    """Whom to ring about a child who is described, with the places and numbers of both hubs, as somebody tries them."""
    described = {"names": [{"family": "Quillfeather", "given": ["Wrenna"]}], "birth_date": {"date": "2014-05-17"}}
    asked: list[dict[str, Any]] = [described, described | {"address": [{"postcode": OLD_POSTCODE}]}]
    for where in (LEFT, RIGHT):
        asked.append(described | {"address": [{"postcode": where.postcode}]})
        asked.append(described | {"identifiers": [{"system": NUMBERS, "value": where.number}]})
    answers = [reader.client.search(reader.person, one, reader.purpose, reader.role) for one in asked]
    return [repr((one.status, one.headers)).encode() + one.body for one in answers]


def items(reader: Reader) -> Parts:
    """What waits for this person."""
    answer = reader.client.items(reader.person)
    return [repr((answer.status, answer.headers)).encode() + answer.body]


def casework(reader: Reader) -> Parts:
    """What is refused at the people's door."""
    found, child = [], str(reader.one.child)
    entries: list[dict[str, Any]] = [
        {"event": "worker-allocated", "child": child, "details": {"person": reader.person, "role": "teamManager"}},
        {"event": "identity-same", "details": {"children": [child, child], "why": "x", "decided_by": reader.person}},
        {"event": "child-seen", "child": child, "details": {"nothing": 1}},
    ]
    for entry in entries:
        try:
            reader.one.hub.casework.record(reader.person, entry, role=reader.role)
        except (NotYours, Misfit) as error:
            found.append(repr(error).encode())
    assert len(found) == len(entries)
    return found


ROUTES: dict[str, Callable[[Reader], Parts]] = {
    "chronology": chronology, "as of": as_of, "errors": errors, "export": export, "replay": replays,
    "identity list": identity_list, "identity shown": identity_shown, "identity described": identity_described,
    "team list": team_list, "query": queries, "items": items, "casework": casework,
}  # fmt: skip
"""Every way in which the hub answers somebody about a child."""


@dataclass
class Hubs:
    left: Located
    right: Located
    clients: tuple[Client, Client]

    def both(self, person: str, role: str, purpose: str) -> tuple[Reader, Reader]:
        left, right = self.clients
        return Reader(self.left, left, person, role, purpose), Reader(self.right, right, person, role, purpose)


def _hubs(folder: Path, loop: asyncio.Runner, **more: Any) -> Iterator[Hubs]:
    with pytest.MonkeyPatch.context() as patched, located_hubs(folder, **more) as (left, right):
        patched.setattr("hub.api.query.BEAT_S", 0.001)
        yield Hubs(left, right, (Client(left.hub, loop), Client(right.hub, loop)))


@pytest.fixture(scope="module", params=WHEN)
def hubs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hubs]:
    with asyncio.Runner() as loop:
        for hubs in _hubs(tmp_path_factory.mktemp("located"), loop):
            if request.param == WHEN[1]:
                ended(hubs.left)
                ended(hubs.right)
            yield hubs


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("person", READERS)
def test_nothing_that_an_unnamed_reader_is_answered_depends_on_where_the_child_lives(
    hubs: Hubs, person: str, route: str
) -> None:
    left, right = map(ROUTES[route], hubs.both(person, *READERS[person]))
    assert left == right
    assert _told(left) == set()


def _told(parts: Parts) -> set[str]:
    """The words that tell where the child is, but for the list of all sources, which is the same for every child."""
    said = re.sub(rb'"(?:x-)?sources":\s*\[.*?\]', b"", b"".join(parts).replace(b'\\"', b'"')).lower()
    return {word for where in (LEFT, RIGHT) for word in where.words if word.lower().encode() in said}


@pytest.mark.parametrize("person", ["ottoline", "second", "fenn", "marnie", "marit", "rufus", "isla"])
def test_they_are_shown_what_happened_all_the_same(hubs: Hubs, person: str) -> None:
    reader, _ = hubs.both(person, *READERS[person])
    shown = json.loads(reader.one.hub.disclosure.chronology(reader.ask(page=10_000)).body)
    assert len(shown["entries"]) > 4
    assert {"absence-pattern", "child-seen"} & {one.get("event") for one in shown["entries"]}


def test_who_sent_an_alert_is_told_to_the_front_door_alone_and_no_place(tmp_path: Path) -> None:
    """An alert from "a school, ring the front door" could be acted on by nobody."""
    with asyncio.Runner() as loop:
        for hubs in _hubs(tmp_path, loop):
            alerted(hubs.left)
            alerted(hubs.right)
            for person in READERS.keys() - {"ottoline", "second"}:
                left, right = map(chronology, hubs.both(person, *READERS[person]))
                assert (left, _told(left)) == (right, set()), person
            for person, route in product(READERS, (queries, items)):
                left, right = map(route, hubs.both(person, *READERS[person]))
                assert (left, _told(left)) == (right, set()), (person, route)
            (alert,) = [each for each in _read(hubs.left, "ottoline") if each["event"] == "disclosure-by-child"]
            assert (alert["shown"], alert["source"]["name"]) == ("full", LEFT.school)
            assert alert["place"] == {"withheld": "place"}
            assert LEFT.street not in str(alert)


def test_a_query_finds_again_by_the_old_place_what_was_no_secret(tmp_path: Path) -> None:
    with asyncio.Runner() as loop:
        for hubs in _hubs(tmp_path, loop):
            ended(hubs.left)
            after, before = (queries(reader) for reader in hubs.both("rufus", *READERS["rufus"]))
            assert not any(b'"ring":[' in answer for answer in before)
            assert [b'"ring":[' in answer for answer in after] == [False, True, False, False, False, False]


def test_whoever_is_named_sees_where_the_child_is_and_the_hubs_do_differ(hubs: Hubs) -> None:
    left, right = (chronology(reader) for reader in hubs.both(*NAMED))
    assert left != right
    assert {LEFT.school, LEFT.hospital, LEFT.street, LEFT.number} <= _told(left)


def test_before_the_flight_the_place_was_no_secret_and_is_none_again_after_it(tmp_path: Path) -> None:
    with located_hubs(tmp_path) as (one, _):
        assert "Plover Close" not in str(_read(one, "fenn"))
        ended(one)
        assert "Plover Close" in str(_read(one, "fenn"))
        (after,) = [each for each in _read(one, "fenn") if each["event"] == "child-seen"]
        assert after["source"]["name"] == "Harrowmere Council"


def test_which_source_a_new_school_sends_by_changes_the_names_of_entries_alone(tmp_path: Path) -> None:
    """A name of an entry for a reader is a keyed digest of its source and id: it tells neither."""
    with asyncio.Runner() as loop:
        for hubs in _hubs(tmp_path, loop, other_school=True):
            for person in READERS:
                left, right = (_named_anew(reader) for reader in hubs.both(person, *READERS[person]))
                assert left == right, person


def _named_anew(reader: Reader) -> Any:
    try:
        answer = json.loads(reader.one.hub.disclosure.chronology(reader.ask(page=10_000)).body)
    except NoAnswer as error:
        return repr(error)
    for number, entry in enumerate(sorted(answer["entries"], key=lambda one: (str(one.get("happened")), _text(one)))):
        entry["ref"] = number
    answer["entries"] = sorted(answer["entries"], key=_text)
    return answer


def _text(entry: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in entry.items() if name != "ref"}, sort_keys=True)


def _read(one: Located, person: str) -> list[dict[str, Any]]:
    role, purpose = READERS[person]
    ask = Ask(person=person, child=one.child, purpose=purpose, role=role, page=10_000)
    entries: list[dict[str, Any]] = json.loads(one.hub.disclosure.chronology(ask).body)["entries"]
    return entries


def test_a_steward_who_is_not_named_is_not_shown_which_sources_speak_of_the_child(hubs: Hubs) -> None:
    """A source's name is a school's or a practice's: it tells where the child is as an address does."""
    reader, _ = hubs.both("bram", *READERS["bram"])
    assert identity_shown(reader) == [b"CannotSettle('WhereaboutsProtected')"] * 2
