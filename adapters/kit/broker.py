"""The table [kafka] of adapter.toml: where the broker is, as whom we come, and to which key of the hub's we seal.

With `servers` in it records go by Kafka and are version 2; without, over HTTPS. Reads settings and files, connects
nowhere.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.kit.home import BadHome, Home, write_new
from adapters.kit.sealing import Sealer
from schemas.envelope import PublicSealingKey
from schemas.topics import NoTopic, events_topic, receipts_topic, slug

CA_FILE, PASSWORD_FILE, SEALING_KEY_FILE = "kafka-ca.pem", "kafka.password", "hub-sealing.jwk"
KAFKA_FILES = (CA_FILE, PASSWORD_FILE, SEALING_KEY_FILE)
MEMBERS = ("servers", "ca", "user", "password_file", "sealing_key", "security")


@dataclass(frozen=True)
class Broker:
    """How to reach the broker and be known there. Without `ca` it is plain text: a test's broker on this machine."""

    servers: tuple[str, ...]
    ca: Path | None
    user: str
    password: str = field(repr=False)


def uses_kafka(settings: Mapping[str, Any]) -> bool:
    """Do records go by Kafka?"""
    return bool(_read_table(settings).get("servers"))


def find_broker(home: Home) -> Broker | None:
    """The broker of a home that has one. BadHome says which setting or file is wrong."""
    table = _read_table(home.settings)
    if not table.get("servers"):
        return None
    servers = _read_servers(table["servers"])
    user = table.get("user") or slug(home.source)
    try:
        receipts_topic(home.source)
    except NoTopic as fault:
        raise BadHome(f"adapter.toml: [source] urn: {fault}") from None
    if table.get("security", "tls") != "tls":
        _check_plain(table["security"], servers, home.settings)
        return Broker(servers, None, user, "")
    ca = home.path / table.get("ca", CA_FILE)
    if not ca.is_file():
        raise BadHome(f"the certificate of the broker's authority is not in {ca}: ask the hub's officers for it")
    return Broker(servers, ca, user, _read_password(home.path / table.get("password_file", PASSWORD_FILE)))


def make_sealer(home: Home) -> Sealer:
    """What seals this source's events: to the hub's pinned key where they go by Kafka. BadHome when it is not there."""
    to = _read_sealing_key(home) if uses_kafka(home.settings) else None
    return Sealer(home.source, home.event_key, to)


def describe_way(settings: Mapping[str, Any]) -> dict[str, Any]:
    """For `status`: by which way records leave, and to where."""
    hub = settings.get("hub", {}).get("url", "")
    if not uses_kafka(settings):
        return {"way": "https", "to": [hub]}
    table, source = _read_table(settings), str(settings["source"]["urn"])
    way = {"way": "kafka", "to": list(_read_servers(table["servers"])), "user": table.get("user") or slug(source)}
    return way | {"events_topic": events_topic(source), "receipts_topic": receipts_topic(source)}


def pin_files(home: Path, words: Mapping[str, str]) -> list[str]:
    """`keys init`: keeps what the hub's officers gave (`kafka_ca`, `sealing_key`: paths) in the home folder, unless it
    has it already. Gives the names of what was made."""
    made = []
    for word, name, read in (("kafka_ca", CA_FILE, _read_authority), ("sealing_key", SEALING_KEY_FILE, _read_jwk)):
        if words.get(word) and not (home / name).exists():
            write_new(home / name, read(Path(words[word])))
            made.append(name)
    return made


def split_servers(text: str) -> list[str]:
    """`--kafka-servers host:port,…`. BadHome for another form."""
    servers = [one.strip() for one in text.split(",") if one.strip()]
    return list(_read_servers(servers))


def _read_authority(path: Path) -> bytes:
    try:
        ssl.create_default_context(cafile=str(path))
        return path.read_bytes()
    except OSError as fault:  # of the ssl module, too
        raise BadHome(f"{path} holds no certificate of an authority: {fault.strerror or fault}") from None


def _read_jwk(path: Path) -> bytes:
    try:
        key = PublicSealingKey.from_jwk(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as fault:
        raise BadHome(f"{path} is no sealing key: {fault}") from None
    return json.dumps(key.public_jwk()).encode() + b"\n"


def _read_sealing_key(home: Home) -> PublicSealingKey:
    path = home.path / _read_table(home.settings).get("sealing_key", SEALING_KEY_FILE)
    try:
        return PublicSealingKey.from_jwk(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise BadHome(f"the hub's sealing key is not in {path}: ask the hub's officers for it") from None
    except ValueError as fault:
        raise BadHome(f"{path.name} is no sealing key: {fault}") from None


def _read_table(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    table = settings.get("kafka", {})
    if not isinstance(table, Mapping):
        raise BadHome("adapter.toml: [kafka] is a table")
    for name, value in table.items():
        if name not in MEMBERS:
            raise BadHome(f"adapter.toml: [kafka] knows no {name!r}; it has {', '.join(MEMBERS)}")
        if name != "servers" and not isinstance(value, str):
            raise BadHome(f"adapter.toml: [kafka] {name} is a text")
    return table


def _read_servers(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) and _is_address(one) for one in given):
        raise BadHome('adapter.toml: [kafka] servers is a list of "host:port"')
    return tuple(given)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isascii() and port.isdecimal() and 0 < int(port) < 65536


def _check_plain(security: str, servers: tuple[str, ...], settings: Mapping[str, Any]) -> None:
    """Plain text leaves this machine never, and carries no real child."""
    if security != "none":
        raise BadHome('adapter.toml: [kafka] security is "tls", or "none" for a test on this machine')
    if settings.get("identity", {}).get("mode") != "test":
        raise BadHome('adapter.toml: [kafka] security = "none" is for [identity] mode = "test" only')
    if not all(_is_loopback(server.rpartition(":")[0]) for server in servers):
        raise BadHome('adapter.toml: [kafka] security = "none" is for a broker on this machine only')


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _read_password(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadHome(f"{path.name} can be read by others: chmod 600 it")
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadHome(f"the broker's password is not in {path}: ask the hub's officers for it") from None
    if not password:
        raise BadHome(f"{path.name} is empty")
    return password
