"""What a batch asks of the record does not grow with the records in it: it holds the turn that everybody waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub

MANY = 60


def asked(hub: Hub, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> int:
    """How many questions to the record some work takes."""
    count = 0
    query = hub.record.query

    def counted(*given: Any) -> list[Any]:
        nonlocal count
        count += 1
        return query(*given)

    monkeypatch.setattr(hub.record, "query", counted)
    work()
    return count


def about_many(source: Any) -> list[bytes]:
    """One record about each of many children, in words by which none is found to be another."""
    return [
        source.seal("concern-logged", child={"names": [{"family": f"Zed{n}"}]}, person=f"p{n}") for n in range(MANY)
    ]


def test_where_the_streams_of_known_children_end_is_asked_once(
    open_hub: Callable[..., Hub], police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_hub()
    assert {one.outcome for one in first.admission.admit(about_many(police), police.source)} == {"admitted"}
    assert len(first.admission.resolver.register.born) == MANY
    hub, again = open_hub(), about_many(police)
    assert asked(hub, monkeypatch, lambda: hub.admission.admit(again, police.source)) < MANY


def test_how_much_of_a_source_waits_is_counted_once(
    open_hub: Callable[..., Hub], police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, bad = open_hub(), [b"bad %d" % number for number in range(MANY)]
    assert asked(hub, monkeypatch, lambda: hub.admission.admit(bad, police.source)) < MANY
