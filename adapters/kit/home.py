"""An adapter's home folder: its settings, keys and secrets. Makes them once, reads them ever after; never prints one.

adapter.toml     settings, edited by people
event.pem        signs events            transport.pem   signs the tokens that open the hub's inbox
agency.secret    makes ids and pseudonyms    salt.secret     makes the salts of the seals
hub-receipt.jwk  the hub's receipt key, pinned       outbox.db   the adapter's memory
kafka-ca.pem, kafka.password, hub-sealing.jwk        where records go by Kafka (`broker.py`)
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency, Settings
from schemas.envelope import KeyEntry, SigningKey
from schemas.heartbeat import LONGEST_S, SHORTEST_S

SECRET_BYTES = 32
RECEIPT_KEY_FILE = "hub-receipt.jwk"
PRIVATE_FILES = ("event.pem", "transport.pem", "agency.secret", "salt.secret")
WHAT_TO_BACK_UP = ("adapter.toml", *PRIVATE_FILES, RECEIPT_KEY_FILE, "outbox.db")
EVERY_S = 300
"""A source's rhythm where its settings name none."""
REQUIRED = (("source", "urn"), ("partnership", "urn"), ("service", "urn"), ("service", "name"), ("service", "kind"))


class BadHome(Exception):
    """The home folder lacks something or holds something wrong. The message says what and what to do."""


@dataclass(frozen=True)
class Secrets:
    """The two secrets of an agency. Losing them means other ids for the same records; leaking them, guessable ones."""

    agency: bytes
    salt: bytes


@dataclass(frozen=True)
class Home:
    """A home folder as read: nothing in it is asked of the environment."""

    path: Path
    settings: Settings
    event_key: SigningKey
    transport_key: SigningKey
    secrets: Secrets

    @property
    def source(self) -> str:
        return str(self.settings["source"]["urn"])

    @property
    def outbox_path(self) -> Path:
        return self.path / "outbox.db"


def fill_settings(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every table and value that was left out taken from the defaults."""
    filled = dict(defaults)
    for name, value in given.items():
        below = filled.get(name)
        both_tables = isinstance(value, Mapping) and isinstance(below, Mapping)
        filled[name] = fill_settings(value, below) if both_tables and below is not None else value
    return filled


def read_settings(path: Path, agency: Agency) -> Settings:
    """`adapter.toml` over the agency's defaults. BadHome names the first value that is missing."""
    try:
        given = tomllib.loads((path / "adapter.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadHome(f"no adapter.toml in {path}: make one with `adapter-{agency.name} keys init`") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadHome(f"adapter.toml cannot be read: {fault}") from None
    settings = fill_settings(given, agency.defaults)
    for table, name in REQUIRED:
        inside = settings.get(table)
        if not isinstance(inside, Mapping) or not isinstance(inside.get(name), str) or not inside[name]:
            raise BadHome(f"adapter.toml says nothing for [{table}] {name}")
    if settings.get("identity", {}).get("mode", "test") not in ("test", "live"):
        raise BadHome('adapter.toml: [identity] mode is "test" or "live"')
    _check_relevance(settings.get("relevance", {}))
    again_after_s = settings.get("outbox", {}).get("send_again_after_s", 60)
    if type(again_after_s) is not int or again_after_s < 1:
        raise BadHome("adapter.toml: [outbox] send_again_after_s is a number of seconds")
    beats = settings.get("heartbeat", {})
    every_s, stops_after_s = beats.get("every_s", EVERY_S), beats.get("stops_after_s", 0)
    if type(every_s) is not int or not SHORTEST_S <= every_s <= LONGEST_S:
        raise BadHome(f"adapter.toml: [heartbeat] every_s is a number of seconds from {SHORTEST_S} to {LONGEST_S}")
    if type(stops_after_s) is not int or stops_after_s < 0:
        raise BadHome("adapter.toml: [heartbeat] stops_after_s is a number of seconds, 0 for never")
    return settings


def _check_relevance(table: Mapping[str, Any]) -> None:
    """What leaves without a rule leaves because a person chose it: no setting says so in nobody's name."""
    if table.get("otherwise", "hold") != "hold":
        raise BadHome(
            'adapter.toml: [relevance] otherwise is "hold"; who chose to send everything is named in'
            ' shared_by = { person = "…", decided = "…", reason = "…" }'
        )
    days = table.get("keep_days", 1)
    if type(days) is not int or days < 1:
        raise BadHome("adapter.toml: [relevance] keep_days is a number of days")
    chosen = table.get("shared_by")
    if chosen is not None and not (
        isinstance(chosen, Mapping)
        and {"person", "decided"} <= chosen.keys() <= {"person", "decided", "reason"}
        and all(isinstance(one, str) and one for one in chosen.values())
    ):
        raise BadHome("adapter.toml: [relevance] shared_by names a person, when they decided, and a reason")


def open_home(path: Path, agency: Agency) -> Home:
    """Settings, keys and secrets of a home folder. BadHome when one is missing or others can read a private file."""
    settings = read_settings(path, agency)
    private = {name: _read_private(path / name, agency) for name in PRIVATE_FILES}
    try:
        event_key = SigningKey.from_pem(private["event.pem"])
        transport_key = SigningKey.from_pem(private["transport.pem"])
    except ValueError as fault:
        raise BadHome(f"a key cannot be used: {fault}") from None
    if event_key.kid == transport_key.kid:
        raise BadHome("event.pem and transport.pem hold the same key; the hub takes one key for one purpose")
    both = Secrets(_read_secret(private, "agency.secret"), _read_secret(private, "salt.secret"))
    return Home(path, settings, event_key, transport_key, both)


def get_receipt_key(home: Home) -> KeyEntry:
    """The hub's pinned receipt key: `[hub] receipt_key`, a JWK as a table or the name of a file in the home folder."""
    hub = home.settings.get("hub", {})
    jwk: Any = hub.get("receipt_key", RECEIPT_KEY_FILE)
    if isinstance(jwk, str):
        try:
            jwk = json.loads((home.path / jwk).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BadHome(
                f"the hub's receipt key is not in {home.path / str(jwk)}: ask the hub's officers for it"
            ) from None
    try:
        return KeyEntry.from_jwk(jwk, source=str(hub.get("urn", "")), purpose="receipt")
    except ValueError as fault:
        raise BadHome(f"the hub's receipt key cannot be used: {fault}") from None


def make_private_files(path: Path, alg: str) -> list[str]:
    """Makes what is missing of keys and secrets, readable for their owner only. Gives the names of what was made."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in PRIVATE_FILES:
        if (path / name).exists():
            continue
        is_key = name.endswith(".pem")
        content = SigningKey.generate(alg).to_pem() if is_key else secrets.token_hex(SECRET_BYTES).encode() + b"\n"
        write_new(path / name, content, mode=0o600)
        made.append(name)
    return made


def write_new(path: Path, content: bytes, mode: int = 0o644) -> None:
    """A new file, wholly on disk before it has its name; an existing one is never overwritten."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    finally:
        beside.unlink()


def _read_private(path: Path, agency: Agency) -> bytes:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadHome(f"{path.name} can be read by others: chmod 600 it")
        return path.read_bytes()
    except OSError:
        raise BadHome(f"no {path.name} in {path.parent}: make it with `adapter-{agency.name} keys init`") from None


def _read_secret(private: Mapping[str, bytes], name: str) -> bytes:
    try:
        secret = bytes.fromhex(private[name].decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise BadHome(f"{name} is not {SECRET_BYTES} bytes in hex; restore it from the backup")
    return secret
