"""A hub is made once, by name, with secrets that only its owner reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hub import bootstrap
from hub.bootstrap import SECRETS, Hub, HubExists, NoHub
from hub.settings import Settings, SettingsError
from hub.store.streams import REGISTRY

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"


def make(home: Path, *, demo: bool = False, officers: tuple[str, ...] = ("ada", "quill")) -> Settings:
    settings = Settings(home=home, demo=demo)
    bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=officers)
    return settings


def contents(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_without_init_there_is_no_hub(tmp_path: Path) -> None:
    with pytest.raises(NoHub, match="hub init"):
        bootstrap.open_hub(Settings(home=tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_init_writes_what_the_hub_is_and_gives_fingerprints(tmp_path: Path) -> None:
    charter, fingerprints = bootstrap.init(
        Settings(home=tmp_path / "hub"), partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"]
    )
    assert charter.hub == "urn:safeguarding:hub:harrowmere-westlorn"
    assert json.loads((tmp_path / "hub" / "hub.json").read_text()) == {
        "hub": charter.hub, "partnership": PARTNERSHIP, "area": "E99000001", "demo": False,
    }  # fmt: skip
    assert set(fingerprints) == {"ada", "quill", "hub receipts"}
    assert len(set(fingerprints.values())) == 3


def test_secrets_are_random_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    make(tmp_path / "one")
    make(tmp_path / "two")
    for name in (*SECRETS, "receipt.pem", "officers/ada.pem"):
        one, two = (tmp_path / home / name for home in ("one", "two"))
        assert one.stat().st_mode & 0o777 == 0o600, name
        assert one.read_bytes() != two.read_bytes(), name
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700


def test_a_hub_is_never_made_over_another(tmp_path: Path) -> None:
    home = tmp_path / "hub"
    settings = make(home)
    before = contents(home)
    with pytest.raises(HubExists):
        bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=["mallory", "eve"])
    assert contents(home) == before


@pytest.mark.parametrize("left", SECRETS)
def test_nor_over_what_an_interrupted_init_left_behind(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_bytes(b"s" * 32)
    with pytest.raises(HubExists):
        make(tmp_path)
    assert contents(tmp_path) == {left: b"s" * 32}


def test_the_keys_of_keys_lie_in_no_database(tmp_path: Path) -> None:
    settings = make(tmp_path / "hub")
    secrets = [(settings.home / name).read_bytes() for name in SECRETS]
    for path in settings.home.glob("*.db*"):
        raw = path.read_bytes()
        assert not any(secret in raw for secret in secrets), path.name


def test_the_demo_clock_is_refused_over_a_hub_that_is_no_demo(tmp_path: Path) -> None:
    make(tmp_path / "hub")
    clock = tmp_path / "clock"
    with pytest.raises(SettingsError, match="not made in demo mode"):
        bootstrap.open_hub(Settings(home=tmp_path / "hub", demo=True, demo_clock=clock))


def test_demo_mode_does_not_make_one_officer_enough_for_a_hub_that_is_no_demo(tmp_path: Path) -> None:
    make(tmp_path / "hub")
    hub = bootstrap.open_hub(Settings(home=tmp_path / "hub", demo=True))
    assert hub.registration.needed == 2
    hub.close()


def test_a_hub_whose_record_is_elsewhere_or_lost_is_not_begun_anew(tmp_path: Path) -> None:
    """An empty record in its place would look like a hub that knows nobody."""
    settings = Settings(home=tmp_path)
    bootstrap.init(settings, partnership="urn:safeguarding:partnership:a", area="E99000001", officers=["ada", "quill"])
    (tmp_path / "record.db").unlink()
    with pytest.raises(NoHub, match="HUB_DATABASE"):
        bootstrap.open_hub(settings)
    assert not (tmp_path / "record.db").exists()


def test_closing_lets_go_of_every_file(tmp_path: Path) -> None:
    hub = bootstrap.open_hub(make(tmp_path / "hub"))
    hub.view.catch_up()
    hub.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        hub.view.position()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        hub.record.keys.event_key(REGISTRY, "any")


def test_rooms_are_opened_as_they_are_asked_for(open_hub: Callable[..., Hub]) -> None:
    hub = open_hub()
    assert "view" not in hub.__dict__
    assert hub.view is hub.view


def test_registered_services_are_named_by_their_registration(open_hub: Callable[..., Hub], police: object) -> None:
    hub = open_hub()
    listed = {
        "urn:safeguarding:service:northmarch-police": {"name": "Other", "kind": "council"},
        "urn:x": {"name": "X"},
    }
    (hub.settings.home / "services.json").write_text(json.dumps(listed))
    hub.admission.catch_up()
    assert hub.services()["urn:safeguarding:service:northmarch-police"]["name"] == "Northmarch"
    assert hub.services()["urn:x"] == {"name": "X"}


def test_what_is_derived_for_one_use_is_not_derived_for_another(open_hub: Callable[..., Hub]) -> None:
    hub = open_hub()
    assert hub.derived("one") == hub.derived("one") != hub.derived("two")
