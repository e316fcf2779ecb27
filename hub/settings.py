"""The hub's settings: one frozen object, read once, safe when absent.

Environment variables start with `HUB_`; an unknown one is an error, so that a typing mistake never leaves a
safeguard off. Secrets are files in the hub's home folder, never variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

RANGES = {"port": (1, 65_535), "page_size": (1, 10_000), "metrics_port": (0, 65_535), "kafka_session_s": (2, 300)}
"""Setting → the least and the most that it may be."""
CHOICES = {"log": ("text", "json"), "kafka_client": ("kafka-python", "confluent")}
"""Setting → the words that it may be."""
MOST_DIGITS = 12


class SettingsError(ValueError):
    """A setting is unknown, malformed or not allowed here; the message names it and says what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can set. Field `xyz` is the environment variable `HUB_XYZ`."""

    home: Path = Path(".hub")
    """Folder that holds the record, the key store, the views and the secrets."""
    database: str = ""
    """The record's PostgreSQL database, as libpq's connection string with a `passfile`; SQLite files when empty."""
    keys_database: str = ""
    """The key store's, a second database; the two are given together."""
    host: str = "127.0.0.1"
    """Address that `hub serve` listens on; anything but loopback belongs behind a TLS proxy."""
    port: int = 8470
    demo: bool = False
    """Demo mode: the built-in issuer of people's tokens and the demo clock are allowed. Never in production."""
    demo_clock: Path | None = None
    """File that holds one RFC 3339 instant which the hub takes for now. Only in demo mode."""
    issuer: str = ""
    """OpenID Connect issuer of people's tokens, compared byte by byte."""
    audience: str = "safeguarding-hub"
    """Audience that people's tokens must name, alone."""
    jwks: str = ""
    """Where the issuer's keys are: a file, or an https address."""
    algorithm: str = "RS256"
    """The one algorithm that the issuer signs with."""
    clock_ahead_s: int = 60
    """How far a source's clock may run ahead before its records carry the remark `clock-ahead`, seconds."""
    page_size: int = 50
    """Entries on one page of a chronology, at most."""
    inbox_records_a_minute: int = 6000
    """How many records one sender may post a minute before it is asked to wait (429)."""
    quarantine_quota: int = 10_000
    """How many quarantined records a sender may have open with their bytes; beyond it only digests are kept."""

    kafka: str = ""
    """Apache Kafka's brokers that `hub consume` reads from, host:port with commas between; empty: no Kafka."""
    kafka_ca: Path | None = None
    """Certificate authority of the brokers (PEM). Without it only a test broker on loopback is spoken to."""
    kafka_user: str = "hub"
    """The hub's user at the brokers (SCRAM-SHA-512)."""
    kafka_password_file: Path | None = None
    """File that holds that user's password."""
    kafka_group: str = "hub"
    """Consumer group; the processes of one hub share it."""
    kafka_client: str = "kafka-python"
    """The client library: `kafka-python`, or `confluent` where the extra `kafka-fast` is installed."""
    kafka_session_s: int = 10
    """How long a process of the group may be silent before others take its topics, seconds."""
    metrics_port: int = 0
    """Port on loopback for Prometheus metrics and health; 0: none."""
    log: str = "text"
    """How log lines are written to stderr: `text`, or `json`, one object a line."""

    def clock(self) -> Callable[[], datetime]:
        """The hub's clock: real time, or in demo mode the instant that stands in the demo clock's file."""
        path = self.demo_clock
        if path is None:
            return lambda: datetime.now(UTC)
        return lambda: _instant_in(path)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `HUB_…` variables.

    Errors: `SettingsError` for an unknown name, a value of the wrong form, or a demo clock outside demo mode.
    """
    known = {field.name: field for field in fields(Settings)}
    given: dict[str, object] = {}
    for variable, text in environment.items():
        if not variable.startswith("HUB_"):
            continue
        name = variable[4:].lower()
        if name not in known:
            raise SettingsError(f"{variable} is not a setting of the hub; known are " + ", ".join(_variables()))
        given[name] = _typed(variable, str(known[name].type), text)
        least, most = RANGES.get(name, (None, None))
        if least is not None and most is not None and not least <= int(str(given[name])) <= most:
            raise SettingsError(f"{variable} must be a whole number from {least} to {most}")
        if name in CHOICES and given[name] not in CHOICES[name]:
            raise SettingsError(f"{variable} must be " + " or ".join(CHOICES[name]))
    settings = Settings(**given)  # type: ignore[arg-type]
    if settings.demo_clock is not None and not settings.demo:
        raise SettingsError("HUB_DEMO_CLOCK is refused outside demo mode: set HUB_DEMO=1 on a demo hub, or unset it")
    if bool(settings.database) != bool(settings.keys_database):
        raise SettingsError("HUB_DATABASE and HUB_KEYS_DATABASE are given together: keys lie apart from what they open")
    return settings


def _variables() -> list[str]:
    return sorted("HUB_" + field.name.upper() for field in fields(Settings))


def _typed(variable: str, kind: str, text: str) -> object:
    if kind == "bool":
        if text not in ("0", "1"):
            raise SettingsError(f"{variable} must be 0 or 1")
        return text == "1"
    if kind == "int":
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            raise SettingsError(f"{variable} must be a whole number")
        return int(text)
    return Path(text) if kind.startswith("Path") else text


def _instant_in(path: Path) -> datetime:
    try:
        return datetime.fromisoformat(path.read_text().strip()).astimezone(UTC)
    except ValueError as error:
        raise SettingsError(f"HUB_DEMO_CLOCK: {path} must hold one RFC 3339 instant") from error
