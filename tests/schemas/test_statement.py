"""A statement means the same whether its grammar matches at once or it is read as JSON."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import statement
from schemas.compact import Refused, canonical_json
from schemas.statement import TYPES, read_statement

SEALED = {
    "specversion": "1.0",
    "id": "e" * 32,
    "source": "urn:safeguarding:source:police",
    "type": "uk.safeguarding.report.v1",
    "subject": "5c9f0d1e2a3b4c5d6e7f8091a2b3c4d5",
    "time": "2026-11-21T09:15:03Z",
    "recordedtime": "2026-11-21T09:16:44Z",
    "datacontenttype": "application/json",
    "sequence": "1",
    "prevdigest": "",
    "datadigest": "B" * 43,
}
RAW = canonical_json(SEALED)


@given(
    member=st.sampled_from(sorted(statement._STATEMENT_MEMBERS)),
    text=st.text()
    | st.text('a"\\\\,:{}\\x00\\x7f\\x85é09', max_size=70)
    | st.from_regex(statement._TIME, fullmatch=True),
    escaped=st.booleans(),
)
@example(member="id", text='a","source":"b', escaped=True)
@example(member="id", text="", escaped=True)
@example(member="time", text="2026-02-30T00:00:00Z", escaped=True)
@example(member="time", text="0001-01-01T00:00:00+14:00", escaped=True)
@example(member="datadigest", text="\x7f", escaped=False)
def test_a_statement_is_read_alike_by_its_grammar_and_as_json(member: str, text: str, escaped: bool) -> None:
    changed = {**SEALED, member: text}
    read_alike(json.dumps(changed, ensure_ascii=escaped, separators=(",", ":")).encode("utf-8", "surrogatepass"))


@given(place=st.floats(0, 1, exclude_max=True), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_bytes_changed_in_a_statement_are_read_alike_by_its_grammar_and_as_json(
    place: float, cut: int, put: bytes
) -> None:
    whole = RAW
    at = int(place * len(whole))
    read_alike(whole[:at] + put + whole[at + cut :])


def test_a_statement_as_it_is_sealed_is_read_by_its_grammar() -> None:
    assert statement._match_plain(RAW) == SEALED


def read_alike(raw: bytes) -> None:
    """The same statement, or the same fault, whether or not it is read by its grammar first."""
    ends: list[Any] = []
    for way in (statement._match_plain, lambda raw: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statement, "_match_plain", way)
            try:
                ends.append(read_statement(raw, TYPES))
            except Refused as refused:
                ends.append((refused.step, refused.why))
    assert ends[0] == ends[1]
