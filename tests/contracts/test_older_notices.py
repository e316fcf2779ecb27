"""Notices from when all agencies' were numbered together: each goes on after its own, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub import bootstrap
from hub.settings import Settings
from hub.store.opening import BadDatabase, make_ready
from infra.postgres.server import OWNER, RUNNING, Server
from tests.stores import Store, a_store

MADE = {"partnership": "urn:safeguarding:partnership:trial", "area": "E99000001", "officers": ["ada", "quill"]}
BEFORE = (
    "DROP TABLE notice",
    "CREATE TABLE notice (cursor {integer} PRIMARY KEY, caller TEXT NOT NULL, id TEXT NOT NULL,"
    ' position {integer} NOT NULL, "row" {blob} NOT NULL, UNIQUE (caller, id))',
    "CREATE INDEX notice_after ON notice (caller, cursor)",
    "INSERT INTO notice VALUES (1,'one','a',7,'{{}}'), (2,'two','b',7,'{{}}'), (3,'one','c',8,'{{}}')",
)
AFTER = [("one", 1, "a"), ("one", 3, "c"), ("one", 4, "d"), ("two", 2, "b"), ("two", 3, "e")]


def write_two_more(settings: Settings) -> list[tuple[str, int, str]]:
    hub = bootstrap.open_hub(settings)
    with hub.record.database.transaction() as transaction:
        hub.notices._insert(transaction, [("one", "d", 9, {}), ("two", "e", 9, {})])
    rows = hub.record.query("SELECT caller, cursor, id FROM notice ORDER BY caller, cursor")
    hub.close()
    return rows


def test_a_file_with_notices_numbered_together_goes_on_with_numbers_for_each(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "hub", demo=True)
    bootstrap.init(settings, **MADE)
    hub = bootstrap.open_hub(settings)
    with hub.record.database.transaction() as transaction:
        for statement in BEFORE:
            transaction.execute(statement.format(integer="INTEGER", blob="BLOB"))
    hub.close()
    assert write_two_more(settings) == AFTER


@pytest.fixture
def older(postgres: Server, tmp_path: Path) -> Iterator[Store]:
    with a_store(tmp_path, postgres) as store:
        bootstrap.init(Settings(home=tmp_path / "hub", demo=True, **store.settings()), **MADE)
        with psycopg.connect(store.settings(OWNER)["database"]) as db:
            for statement in BEFORE:
                db.execute(statement.format(integer="bigint", blob="bytea").encode())
            db.execute(f"GRANT SELECT, INSERT ON notice TO {RUNNING}".encode())
        yield store


def test_a_hub_over_tables_of_an_older_one_does_not_start_and_says_what_to_run(older: Store, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "hub", demo=True, **older.settings())
    with pytest.raises(BadDatabase, match="hub migrate"):
        bootstrap.open_hub(settings)
    owner = older.settings(OWNER)
    for _ in range(2):  # again it changes nothing
        make_ready(owner["database"], owner["keys_database"], RUNNING)
    assert write_two_more(settings) == AFTER
