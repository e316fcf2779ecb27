"""Lists of values reach the database as they are, however they are asked for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from hub.store.database import Database
from tests.stores import Store

AWKWARD = ["", "plain", "NULL", "a,b", "{a}", '"q"', "back\\slash", "ünïcode ☂", " space ", "'; --", "?", "%s"]


@pytest.fixture
def database(store: Store) -> Database:
    record = store.open().record
    record.recorder()  # SQLite makes its tables with it
    return record


def test_awkward_texts_are_found_in_a_list_and_nothing_else(database: Database) -> None:
    rows = [(word, uuid.uuid4().hex) for word in AWKWARD]
    with database.transaction() as tokens:
        tokens.insert("token_once", [(source, jti, 1) for source, jti in rows])
    for asked in (AWKWARD, AWKWARD[:1], AWKWARD[3:5], ["a", "b"], []):
        found = database.query("SELECT source FROM token_once WHERE source IN ??", (list(asked),))
        assert sorted(row[0] for row in found) == sorted(set(asked) & set(AWKWARD))


def test_bytes_are_found_in_a_list(database: Database) -> None:
    values = [b"", b"\x00", b"\x00\xff" * 8, b"\\x41", b"text"]
    with database.transaction() as index:
        index.insert("identity_index", [(value, "c") for value in values])
    found = database.query("SELECT token FROM identity_index WHERE token IN ??", (values[1:4],))
    assert sorted(row[0] for row in found) == sorted(values[1:4])


@pytest.mark.parametrize("count", [1, 3, 700])
def test_a_list_is_a_table_of_one_column(database: Database, count: int) -> None:
    words: list[Any] = [f"word {number}" for number in range(count)]
    asked = "WITH wanted (word) AS (VALUES ??) SELECT word FROM wanted WHERE word<>?"
    assert sorted(row[0] for row in database.query(asked, (words, "word 0"))) == sorted(words[1:])
