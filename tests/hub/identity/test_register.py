"""What people settled about who is who is remembered, can be undone, and copies nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.facts import Fact
from hub.identity.register import ASSIGNED, Register, assignment, fold

IDS = [UUID(int=n + 1) for n in range(5)]
A, B, C, D, STRANGER = IDS


def assigned(child: UUID, source: str = "police", subject: str = "", *, new: bool = True, **more: Any) -> Fact:
    data = assignment(source, subject or f"s{child.int}", child, rule="none/2024-01", new=new, **more)
    return Fact(name=ASSIGNED, version=1, data=data)


def said(what: str, one: UUID, other: UUID) -> Fact:
    return Fact(name=what, version=1, data={"details": {"children": [str(one), str(other)]}})


def same(one: UUID, other: UUID) -> Fact:
    return said("identity-same", one, other)


def not_same(one: UUID, other: UUID) -> Fact:
    return said("identity-not-same", one, other)


def known(*facts: Fact, children: int = 4) -> Register:
    return fold([*(assigned(child) for child in IDS[:children]), *facts])


def test_each_source_and_pseudonym_belongs_to_one_child() -> None:
    register = known(assigned(A, "health", "x", new=False))
    assert register.find("police", "s1") == register.find("health", "x") == A
    assert register.find("health", "s1") is None


def test_children_are_listed_once_in_the_order_in_which_they_came() -> None:
    assert known().children() == [A, B, C, D]
    assert known(same(A, C)).children() == [A, B, D]


def test_the_older_child_stays_whichever_is_named_first() -> None:
    for fact in (same(A, B), same(B, A)):
        register = known(fact)
        assert register.survivor(B) == register.survivor(A) == A
        assert register.members(A) == register.members(B) == [A, B]


def test_joins_carry_on_to_all_that_was_joined_before() -> None:
    register = known(same(C, D), same(B, C), same(D, A))
    assert register.members(D) == [A, B, C, D]
    assert {register.survivor(one) for one in (A, B, C, D)} == {A}


def test_what_a_pseudonym_stands_for_follows_the_join() -> None:
    assert known(same(A, B)).find("police", "s2") == A


def test_joining_the_same_two_again_changes_nothing() -> None:
    assert known(same(A, B), same(B, A)).members(A) == [A, B]


def test_not_the_same_takes_back_the_same_that_was_said_of_these_two() -> None:
    register = known(same(A, B), not_same(A, B))
    assert register.members(A) == [A]
    assert register.find("police", "s2") == B
    assert register.children() == [A, B, C, D]


def test_not_the_same_leaves_what_joins_them_otherwise() -> None:
    register = known(same(A, B), same(B, C), not_same(A, C))
    assert register.members(A) == [A, B, C]
    assert known(same(A, B), same(B, C), not_same(A, B)).members(C) == [B, C]


def test_said_to_be_the_same_after_all_they_are() -> None:
    register = known(not_same(A, B), same(A, B))
    assert register.members(A) == [A, B]
    assert frozenset((A, B)) not in register.not_same


def test_not_the_same_is_remembered() -> None:
    assert frozenset((A, B)) in known(not_same(B, A)).not_same


def test_a_doubt_opens_a_question_and_the_urgent_ones_come_first() -> None:
    register = fold(
        [
            assigned(A),
            assigned(B, candidates=[A], agrees=["number"], contradicts=["given name"], at="2025-03-03T10"),
            assigned(C, candidates=[A], at="2025-03-03T12", urgent=True),
            assigned(D, candidates=[A], at="2025-03-03T09"),
        ]
    )
    assert [item.child for item in register.open_items()] == [C, D, B]
    asked = register.items[B]
    assert (asked.candidates, asked.agrees, asked.contradicts) == ((A,), ("number",), ("given name",))


def test_a_question_that_names_not_all_waits_until_as_many_were_said_to_be_others() -> None:
    asked = [assigned(A), assigned(B), assigned(C), assigned(D, candidates=[A], more=1), not_same(D, A)]
    assert [(item.child, item.more) for item in fold(asked).open_items()] == [(D, 1)]
    assert fold([*asked, not_same(D, B)]).open_items() == []


def test_same_answers_the_question() -> None:
    register = fold([assigned(A), assigned(B, candidates=[A]), same(A, B)])
    assert register.open_items() == []
    assert register.provisional == set()


def test_not_the_same_answers_the_question_once_every_candidate_is_ruled_out() -> None:
    asked = [assigned(A), assigned(B), assigned(C, candidates=[A, B])]
    assert len(fold([*asked, not_same(C, A)]).open_items()) == 1
    assert fold([*asked, not_same(C, A), not_same(B, C)]).open_items() == []


def test_a_word_about_an_id_that_no_child_ever_had_changes_nothing_and_stops_nothing() -> None:
    register = known(same(A, STRANGER), not_same(STRANGER, B), same(C, D))
    assert register.members(A) == [A]
    assert register.members(C) == [C, D]
    assert not register.knows(STRANGER)
    assert register.members(STRANGER) == [STRANGER]


def test_a_split_or_a_move_is_kept_for_a_later_day() -> None:
    split = Fact(name="identity-split", version=1, data={"details": {"child": str(A)}}, seq=9)
    register = known(split)
    assert register.seq == 9
    assert register.children() == [A, B, C, D]


WORDS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(IDS[:4]), st.sampled_from(IDS[:4])).filter(lambda one: one[1] != one[2]),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_whatever_is_said_children_and_their_members_stay_a_partition(words: list[tuple[bool, UUID, UUID]]) -> None:
    register = known(*(same(one, other) if yes else not_same(one, other) for yes, one, other in words))
    groups = [register.members(child) for child in register.children()]
    assert sorted(one for group in groups for one in group) == [A, B, C, D]
    assert all(group[0] == min(group) == register.survivor(one) for group in groups for one in group)


@settings(max_examples=100, deadline=None)
@given(WORDS, st.integers(0, 8))
def test_folding_in_parts_is_folding_at_once(words: list[tuple[bool, UUID, UUID]], cut: int) -> None:
    facts = [same(one, other) if yes else not_same(one, other) for yes, one, other in words]
    parts = fold(facts[cut:], known(*facts[:cut]))
    assert parts == known(*facts)
