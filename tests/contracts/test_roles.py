"""Who may do what in PostgreSQL: one role makes tables, the other runs the hub and can alter nothing recorded."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub import bootstrap
from hub.__main__ import main
from hub.settings import Settings, SettingsError, read_settings
from hub.store.migrate import KEYS_RIGHTS, RIGHTS
from hub.store.opening import BadDatabase, make_ready, open_databases
from infra.postgres.server import ADMIN, DATABASES, OWNER, RUNNING, Server, make_database
from tests.stores import Store, a_store

MADE = {"partnership": "urn:safeguarding:partnership:trial", "area": "E99000001", "officers": ["ada", "quill"]}


@pytest.fixture
def ready(postgres: Server, tmp_path: Path) -> Any:
    """Databases with their tables."""
    with a_store(tmp_path, postgres) as store:
        yield store


@pytest.fixture
def bare(postgres: Server, tmp_path: Path) -> Store:
    """Databases without any table."""
    names = ("bare", "bare_keys")
    with psycopg.connect(postgres.conninfo(ADMIN, "postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            make_database(admin, name)
    return Store("postgres", tmp_path, postgres, names)


def settings(store: Store, role: str = RUNNING) -> Settings:
    return Settings(home=store.home / "hub", demo=True, **store.settings(role))


@pytest.mark.parametrize("table", ["stored_events", "log", "inbox", "receipt", "identity_index"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1}={1}", "DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}"])
def test_whoever_runs_the_hub_cannot_alter_or_delete_what_was_recorded(ready: Store, table: str, act: str) -> None:
    column = {"stored_events": "topic", "log": "hash", "inbox": "source", "receipt": "caller"}.get(table, "child")
    with psycopg.connect(ready.settings()["database"]) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute(act.format(table, column))


@pytest.mark.parametrize("table", ["stream_key", "event_key"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET wrapped=''", "DELETE FROM {0}"])
def test_whoever_runs_the_hub_cannot_alter_or_delete_a_key(ready: Store, table: str, act: str) -> None:
    with psycopg.connect(ready.settings()["keys_database"]) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute(act.format(table))


@pytest.mark.parametrize("name", ["database", "keys_database"])
def test_whoever_runs_the_hub_makes_no_table(ready: Store, name: str) -> None:
    with psycopg.connect(ready.settings()[name]) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("CREATE TABLE mine (one int)")


def test_quarantine_changes_its_state_and_nothing_else(ready: Store) -> None:
    with psycopg.connect(ready.settings()["database"]) as db:
        db.execute("UPDATE quarantine SET state='open'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("UPDATE quarantine SET sealed=''")


def test_every_table_has_its_rights_written_down(ready: Store) -> None:
    there = "SELECT tablename FROM pg_tables WHERE schemaname='public'"
    owner = ready.owner()
    assert {row[0] for row in owner.record.query(there)} == RIGHTS.keys()
    assert {row[0] for row in owner.keys.query(there)} == KEYS_RIGHTS.keys()


def test_a_hub_is_neither_made_nor_opened_where_tables_are_missing(bare: Store, ready: Store) -> None:
    with pytest.raises(BadDatabase, match="hub migrate"):
        bootstrap.init(settings(bare), **MADE)
    assert not (bare.home / "hub").exists()
    bootstrap.init(settings(ready), **MADE)
    with pytest.raises(BadDatabase, match=r"HUB_DATABASE.*hub migrate"):
        bootstrap.open_hub(settings(bare))


def test_a_second_hub_is_not_made_over_the_record_of_the_first(ready: Store) -> None:
    bootstrap.init(settings(ready), **MADE)
    other = Settings(home=ready.home / "other", demo=True, **ready.settings())
    with pytest.raises(BadDatabase, match="holds a hub's record already"):
        bootstrap.init(other, **MADE)
    assert not other.home.exists()


def test_migrating_again_or_twice_at_once_changes_nothing(bare: Store) -> None:
    faults: list[BaseException] = []

    def migrate() -> None:
        try:
            make_ready(*bare.settings(OWNER).values(), RUNNING)
        except BaseException as fault:
            faults.append(fault)

    for _ in range(2):
        several = [threading.Thread(target=migrate) for _ in range(4)]
        for one in several:
            one.start()
        for one in several:
            one.join(60)
    assert faults == []
    bootstrap.init(settings(bare), **MADE)
    make_ready(*bare.settings(OWNER).values(), RUNNING)
    hub = bootstrap.open_hub(settings(bare))
    assert hub.officers() == {"ada", "quill"}
    hub.close()
    bare.close()


def test_the_running_role_cannot_migrate_and_an_unknown_one_is_named(bare: Store) -> None:
    with pytest.raises(BadDatabase, match="connect as the owner"):
        make_ready(*bare.settings(RUNNING).values(), RUNNING)
    with pytest.raises(BadDatabase, match="no role nobody_yet"):
        make_ready(*bare.settings(OWNER).values(), "nobody_yet")


def test_the_command_migrates_and_says_so(
    bare: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for role, code in ((RUNNING, 2), (OWNER, 0), (OWNER, 0)):
        for name, conninfo in bare.settings(role).items():
            monkeypatch.setenv(f"HUB_{name.upper()}", conninfo)
        assert main(["migrate"]) == code
    assert "hub_run has its rights" in capsys.readouterr().err


def test_a_password_in_a_setting_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for conninfo in ("host=localhost password=hush", "postgresql://hub_run:hush@localhost/hub", "nonsense hush"):
        with pytest.raises(BadDatabase) as told:
            open_databases(tmp_path, conninfo, conninfo)
        assert "hush" not in str(told.value)


def test_the_two_databases_are_given_together() -> None:
    with pytest.raises(SettingsError, match="given together"):
        read_settings({"HUB_DATABASE": "dbname=hub"})


def test_one_command_starts_a_server_and_another_stops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tempfile

    from infra.postgres.__main__ import main as infra

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        try:
            assert infra(["up", folder]) == 0
            said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            assert [one["role"] for one in said] == [OWNER, RUNNING]
            make_ready(said[0]["HUB_DATABASE"], said[0]["HUB_KEYS_DATABASE"], RUNNING)
            assert {"dbname=" + name for name in DATABASES} <= set(" ".join(said[1].values()).split())
        finally:
            assert infra(["down", folder]) == 0
        assert not (Path(folder) / "data" / "postmaster.pid").exists()
