"""Which facts are a child's after splits and moves: by subject, by single event, and back again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.domain.facts import Fact
from hub.identity.assigning import assigned_to
from hub.identity.register import ASSIGNED, Register, assignment

A, B, C, D = (UUID(int=n + 1) for n in range(4))
NEW = [UUID(int=n + 100) for n in range(30)]
SOURCE = "police"


def subject(child: UUID) -> str:
    return f"s{child.int}"


class Told:
    """A register with four children of one source, two events each, and the words that people say about them."""

    def __init__(self) -> None:
        self.register = Register()
        self.facts: list[Fact] = []
        for child in (A, B, C, D):
            data = assignment(SOURCE, subject(child), child, rule="none/1", new=True)
            self.register.evolve(Fact(name=ASSIGNED, version=1, data=data))
        for number in range(8):
            self.tell((A, B, C, D)[number % 4], f"e{number}")

    def tell(self, of: UUID, id: str, **members: Any) -> Fact:
        """The source says something of a child whom it knows as it knew this one."""
        home = self.register.find_place((SOURCE, subject(of)))
        assert home
        fact = Fact(
            name="concern-logged", version=1, data=members, source=SOURCE, id=id, subject=subject(of), stream=home
        )
        self.facts.append(fact)
        return fact

    def say(self, what: str, **details: Any) -> None:
        self.register.evolve(Fact(name=what, version=1, data={"details": details}))

    def same(self, one: UUID, other: UUID) -> None:
        self.say("identity-same", children=[str(one), str(other)])

    def not_same(self, one: UUID, other: UUID) -> None:
        self.say("identity-not-same", children=[str(one), str(other)])

    def split(self, of: UUID, child: UUID, to: UUID) -> None:
        subjects = [{"source": SOURCE, "subject": subject(of)}]
        self.say("identity-split", child=str(child), to_child=str(to), subjects=subjects)

    def move(self, id: str, to: UUID) -> None:
        (fact,) = [fact for fact in self.facts if fact.id == id]
        event = {"source": SOURCE, "id": id}
        self.say("identity-moved", event=event, subject=fact.subject, to_child=str(to))

    def ids(self, child: UUID) -> list[str]:
        """What this child's chronology holds, read as the hub reads it: stream by stream."""
        streams = {one: [fact for fact in self.facts if fact.stream == one] for one in self.register.born}
        return sorted(fact.id for fact in assigned_to(self.register, child).read(streams.__getitem__))

    def all(self) -> dict[UUID, list[str]]:
        return {child: self.ids(child) for child in self.register.born if self.ids(child)}


def test_a_split_takes_a_sources_child_and_whatever_it_says_later() -> None:
    told = Told()
    told.same(A, B)
    told.split(B, A, NEW[0])
    told.tell(B, "later")
    assert told.ids(A) == ["e0", "e4"]
    assert told.ids(NEW[0]) == ["e1", "e5", "later"]


def test_split_back_everything_stands_where_it_stood_what_came_since_too() -> None:
    told = Told()
    told.split(B, B, NEW[0])
    told.tell(B, "later")
    told.split(B, NEW[0], B)
    told.tell(B, "last")
    assert told.ids(B) == ["e1", "e5", "last", "later"]
    assert NEW[0] not in told.register.children()


def test_single_events_go_and_their_sources_child_stays() -> None:
    told = Told()
    event = {"source": SOURCE, "id": "e0", "subject": subject(A)}
    told.say("identity-split", child=str(A), to_child=str(B), events=[event])
    assert (told.ids(A), told.ids(B)) == (["e4"], ["e0", "e1", "e5"])


def test_what_a_source_says_of_a_moved_event_goes_where_that_event_went() -> None:
    told = Told()
    told.move("e0", B)
    told.tell(A, "again", references=[{"source": SOURCE, "id": "e0", "as": "replaces"}])
    told.tell(A, "back", references=[{"source": SOURCE, "id": "again", "as": "retracts"}])
    assert told.ids(B) == ["again", "back", "e0", "e1", "e5"]
    told.move("e0", A)
    assert told.ids(A) == ["again", "back", "e0", "e4"]


def test_another_sources_word_about_a_moved_event_stays() -> None:
    told = Told()
    told.move("e0", B)
    fact = told.tell(A, "x")
    told.facts[-1] = fact._replace(data={"references": [{"source": "school", "id": "e0", "as": "replaces"}]})
    assert told.ids(A) == ["e4", "x"]


def test_what_a_source_says_of_a_moved_event_is_never_in_no_childs_record() -> None:
    told = Told()
    told.same(A, C)
    told.move("e2", B)
    told.tell(A, "urgent", references=[{"source": SOURCE, "id": "e2", "as": "corrects"}])
    assert [child for child, ids in told.all().items() if "urgent" in ids] != []


def test_what_was_moved_follows_the_child_that_it_was_moved_to() -> None:
    told = Told()
    told.move("e0", B)
    told.same(B, C)
    assert told.ids(C) == ["e0", "e1", "e2", "e5", "e6"]
    told.not_same(B, C)
    assert told.ids(C) == ["e2", "e6"]


def test_a_joined_childs_later_events_go_with_it_when_it_is_parted() -> None:
    told = Told()
    told.same(A, B)
    told.tell(B, "later")
    assert "later" in told.ids(A)
    told.not_same(A, B)
    assert told.ids(B) == ["e1", "e5", "later"]


def test_a_child_that_nothing_was_split_or_moved_from_is_read_as_before() -> None:
    told = Told()
    told.move("e0", B)
    theirs = assigned_to(told.register, C)
    assert theirs.streams is theirs.members


def test_words_about_what_was_never_heard_of_change_nothing() -> None:
    told, before = Told(), Told().all()
    told.say("identity-moved", event={"source": SOURCE, "id": "x"}, subject="nobody's", to_child=str(A))
    told.say("identity-split", child=str(NEW[0]), to_child=str(A), subjects=[{"source": SOURCE, "subject": "s1"}])
    told.say("identity-split", child=str(A), to_child=str(A), subjects=[{"source": SOURCE, "subject": "s1"}])
    told.say("identity-moved", event={"source": SOURCE, "id": "e0"}, subject=subject(A), to_child=str(NEW[1]))
    assert told.all() == before


CHILD = st.integers(0, 40)
STEPS = st.lists(st.tuples(st.sampled_from(["same", "split", "move", "tell"]), CHILD, CHILD), max_size=14)


@settings(max_examples=300, deadline=None)
@given(STEPS)
@example([("split", 0, 2), ("move", 0, 0), ("same", 1, 2), ("split", 0, 0)])
def test_whatever_is_joined_split_and_moved_and_undone_stands_where_it_would_have_stood(
    steps: list[tuple[str, int, int]],
) -> None:
    told, never = Told(), Told()
    undoings = []
    for number, (what, one, other) in enumerate(steps):
        known = list(told.register.born)
        child, to = known[one % len(known)], known[other % len(known)]
        of = (A, B, C, D)[one % 4]
        if what == "same" and told.register.survivor(child) != told.register.survivor(to):
            told.same(child, to)
            undoings.append((told.not_same, (child, to)))
        elif what == "split":
            stood = told.register.find(SOURCE, subject(of))
            to = NEW[number] if other % 2 else to
            told.split(of, stood or of, to)
            undoings.append((told.split, (of, to, stood)))
        elif what == "move":
            id = f"e{one % 8}"
            stood = next(each for each in told.register.children() if id in told.ids(each))
            told.move(id, to)
            undoings.append((told.move, (id, stood)))
        elif what == "tell":
            for each in (told, never):
                each.tell(of, f"later{number}")
    for undo, arguments in reversed(undoings):
        undo(*arguments)
    assert told.all() == never.all()
    assert told.register.children() == never.register.children()
    assert (told.register.moved, told.register.joined) == ({}, {})
