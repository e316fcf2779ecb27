"""Settings are read once, safe when absent, and a typing mistake never leaves a safeguard off."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.settings import Settings, SettingsError, read_settings


def test_absent_settings_are_the_safe_ones() -> None:
    settings = read_settings({"PATH": "/usr/bin"})
    assert settings == Settings()
    assert (settings.demo, settings.host, settings.issuer) == (False, "127.0.0.1", "")


def test_each_setting_is_read_in_its_own_form() -> None:
    settings = read_settings({"HUB_HOME": "/srv/hub", "HUB_PORT": "9000", "HUB_DEMO": "1", "HUB_ALGORITHM": "ES256"})
    assert (settings.home, settings.port, settings.demo, settings.algorithm) == (Path("/srv/hub"), 9000, True, "ES256")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HUB_DEMOO", "1"),
        ("HUB_", "1"),
        ("HUB_DEMO", "yes"),
        ("HUB_DEMO", ""),
        ("HUB_PORT", "eighty"),
        ("HUB_PORT", "-1"),
        ("HUB_PORT", "1.5"),
        ("HUB_PORT", "²"),
        ("HUB_PORT", "0"),
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "9" * 5000),
        ("HUB_PAGE_SIZE", "0"),
        ("HUB_QUARANTINE_QUOTA", ""),
    ],
)
def test_an_unknown_or_malformed_setting_is_an_error_that_names_it(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


def test_the_demo_clock_is_refused_outside_demo_mode(tmp_path: Path) -> None:
    clock = {"HUB_DEMO_CLOCK": str(tmp_path / "clock")}
    with pytest.raises(SettingsError, match="HUB_DEMO_CLOCK"):
        read_settings(clock)
    with pytest.raises(SettingsError):
        read_settings({**clock, "HUB_DEMO": "0"})


def test_the_demo_clock_is_what_stands_in_its_file_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = read_settings({"HUB_DEMO": "1", "HUB_DEMO_CLOCK": str(file)}).clock()
    file.write_text("2024-09-09T08:00:00+01:00\n")
    assert clock() == datetime(2024, 9, 9, 7, tzinfo=UTC)
    file.write_text("2024-09-10T08:00:00Z")
    assert clock() == datetime(2024, 9, 10, 8, tzinfo=UTC)


def test_a_demo_clock_without_an_instant_is_named(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("noon")
    with pytest.raises(SettingsError, match="HUB_DEMO_CLOCK"):
        read_settings({"HUB_DEMO": "1", "HUB_DEMO_CLOCK": str(file)}).clock()()


def test_without_a_demo_clock_time_is_real_and_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= Settings().clock()() <= datetime.now(UTC)
