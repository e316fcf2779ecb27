"""A child that grows by one fact at a time is the child that the fold over all of them makes, at a step each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain import child as domain
from hub.domain import drafts, growing, versions
from hub.domain.child import CHANGES, fold
from hub.domain.facts import EventKey, Fact
from hub.domain.growing import Growing
from hub.domain.versions import newer_versions

FEED, OTHER = "urn:safeguarding:source:school:live", "urn:safeguarding:source:club:live"
TARGETS = ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7"]
KINDS = sorted({*CHANGES, "retraction-made", "injury-observed"})


@st.composite
def some_facts(draw: st.DrawFn) -> list[Fact]:
    """Facts in order of the log that end, name, replace and take back one another, also before the other came."""
    ids = draw(st.permutations(TARGETS))
    refers = st.builds(
        lambda of, id, as_: {"source": of, "id": id, "as": as_},
        st.sampled_from([FEED, OTHER]), st.sampled_from(TARGETS),
        st.sampled_from(["replaces", "corrects", "retracts", "follows"]),
    )  # fmt: skip
    facts = []
    for seq, id in enumerate(ids[: draw(st.integers(0, len(ids)))], 1):
        details: dict[str, Any] = {"service": draw(st.sampled_from(["a", "b"])), "person": draw(st.sampled_from("pq"))}
        if draw(st.booleans()):
            details["agreement"] = {"source": FEED, "id": draw(st.sampled_from(TARGETS))}
        data: dict[str, Any] = {"details": details, "said_by": {"service": draw(st.sampled_from(["a", "b"]))}}
        data["references"] = draw(st.lists(refers, max_size=2))
        at = f"2025-03-0{draw(st.integers(1, 9))}T10:00:00+00:00"
        name = draw(st.sampled_from([*KINDS, "agreement-given", "agreement-withdrawn", "location-protected"]))
        facts.append(Fact(
            name=name, version=1, data=data, source=draw(st.sampled_from([FEED, FEED, OTHER])), id=id, seq=seq,
            shared=at, admitted=at,
        ))  # fmt: skip
    return facts


@settings(max_examples=400)
@given(some_facts(), st.integers(0, 8))
def test_whatever_is_added_one_by_one_it_is_the_fold_over_all(facts: list[Fact], known: int) -> None:
    child = Growing(facts[:known])
    assert child.child == fold(facts[:known])
    for many, fact in enumerate(facts[known:], known + 1):
        child.add(fact)
        assert child.child == fold(facts[:many])


def reported(name: str, id: str, **details: Any) -> Fact:
    at = "2025-03-03T10:00:00+00:00"
    return Fact(name=name, version=1, data={"details": details}, source=FEED, id=id, shared=at, admitted=at)


def test_attack_of_a_thousand_agreements_a_hundred_are_withdrawn_and_each_is_folded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folded: list[str] = []

    def counted(facts: Any) -> domain.Child:
        folded.append("all")
        return fold(facts)

    monkeypatch.setattr(growing, "fold", counted)
    child = Growing([reported("agreement-given", f"g{n}") for n in range(1000)])
    for n in range(100):
        assert child.child.agreements[FEED, f"g{n}"].state == "given"
        child.add(reported("agreement-withdrawn", f"w{n}", agreement={"source": FEED, "id": f"g{n}"}))
    assert folded == ["all"]
    assert sum(one.state == "withdrawn" for one in child.child.agreements.values()) == 100


def test_attack_a_fold_over_a_thousand_agreements_copies_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[int] = []
    set_in = drafts.set_in

    def counted(mapping: Any, key: Any, value: Any) -> Any:
        after = set_in(mapping, key, value)
        copies.append(after is not mapping)
        return after

    monkeypatch.setattr(domain, "set_in", counted)
    child = fold(reported("agreement-given", f"g{n}") for n in range(1000))
    assert (len(copies), sum(copies), len(child.agreements)) == (1000, 0, 1000)
    with pytest.raises(TypeError):
        child.agreements["a", "b"] = child.agreements[FEED, "g0"]  # type: ignore[index]


# --- chains of versions -----------------------------------------------------------------------------------------------


def the_end(key: EventKey, next_: dict[EventKey, EventKey]) -> EventKey:
    """The plain definition: walk on until nothing follows, or what follows was walked before."""
    seen = {key}
    while key in next_ and next_[key] not in seen:
        key = next_[key]
        seen.add(key)
    return key


@settings(max_examples=400)
@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9)))
def test_the_end_of_every_chain_is_where_walking_it_ends_in_circles_too(numbers: dict[int, int]) -> None:
    next_ = {("s", str(old)): ("s", str(new)) for old, new in numbers.items()}
    assert versions._last(next_) == {old: the_end(old, next_) for old in next_}


class Counted(dict[EventKey, EventKey]):
    """Counts how often it is asked for a next version."""

    steps = 0

    def __getitem__(self, key: EventKey) -> EventKey:
        self.steps += 1
        return super().__getitem__(key)


def test_attack_a_chain_of_two_thousand_versions_is_walked_once() -> None:
    chain = Counted({("s", str(n)): ("s", str(n + 1)) for n in range(2000)})
    assert set(versions._last(chain).values()) == {("s", "2000")}
    assert chain.steps == 2000
    facts = [
        Fact(name="x", version=1, source=FEED, id=str(n), data={
            "references": [{"source": FEED, "id": str(n - 1), "as": "replaces"}]
        }) for n in range(1, 2001)
    ]  # fmt: skip
    assert set(newer_versions(facts, frozenset()).values()) == {(FEED, "2000")}
