"""What is not parsed is certainly plain: whatever could be spelt otherwise is parsed."""

from __future__ import annotations

import orjson
import pytest

from hub.domain.child import CHANGES
from hub.store import plain
from hub.store.plain import NARRATIVE, is_plain, may_name


def test_an_ordinary_event_is_plain_and_one_that_changes_decisions_is_not() -> None:
    assert is_plain("concern-logged", 1, b'{"child":{}}')
    assert not any(is_plain(name, 1, b'{"child":{}}') for name in CHANGES)


def test_what_refers_to_another_event_is_not_plain() -> None:
    assert not is_plain("concern-logged", 1, b'{"references":[]}')


def test_what_has_a_step_to_climb_is_not_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LADDER", {("concern-logged", 1): dict})
    assert not is_plain("concern-logged", 1, b"{}")
    assert is_plain("concern-logged", 2, b"{}")


@pytest.mark.parametrize(
    "data", [b'{"narrative":{}}', b'{"narr\\u0061tive":{}}', b'{"\\u006earrative" : {}}', b'{"a":{"narrative":1}}']
)
def test_a_member_is_missed_in_no_spelling(data: bytes) -> None:
    assert orjson.loads(data)
    assert may_name(data, NARRATIVE)


def test_what_stands_before_the_data_says_nothing_of_it() -> None:
    assert not may_name(b'"narrative"\\{"child":{}}', NARRATIVE, 12)
