"""`keys init`: makes an adapter's keys, secrets and settings, and the request that the hub's officers register."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency
from adapters.kit.broker import pin_files, split_servers
from adapters.kit.home import RECEIPT_KEY_FILE, BadHome, Home, make_private_files, open_home, write_new
from schemas.envelope import KeyEntry, SigningKey, proof_of_possession
from schemas.naming import find_fault_in, find_fault_in_kind

SKELETON = """\
# Who this adapter is and where it sends. Private keys and secrets lie beside this file; back up the whole folder.

[source]
urn = {source}

[partnership]
urn = {partnership}

[service]
urn = {service}
name = {service_name}
kind = {service_kind}
# contact = {{ name = "Duty desk", phone = "01632 960000" }}

[identity]
mode = "test"               # "live" with real children: numbers that are never issued are dropped

[hub]
urn = {hub}
url = {url}
audience = {audience}
receipt_key = "hub-receipt.jwk"

[kafka]
servers = {kafka_servers}                # with "host:port" in it, records go by Kafka, sealed to the hub
ca = "kafka-ca.pem"
# user = "..."              # when the broker knows us by another name than the source's
password_file = "kafka.password"
sealing_key = "hub-sealing.jwk"

[relevance]
held_back_formats = []      # formats that leave only when a person sends them (once DIR --by PERSON --decided DATE)
keep_days = 365             # so long what no rule lets go is kept here, to be sent by a person or when the hub asks
# shared_by = {{ person = "...", decided = "2026-09-01", reason = "..." }}   # who chose to send all that this reads

[outbox]
keep_sent_days = 30         # so long the bytes of receipted records are kept, should the hub have to be restored
# send_again_after_s = 60   # so long a record waits for its receipt before it is sent again

[heartbeat]
every_s = 300               # the hub is told that this feed lives; with `once` from a timetable: how often that runs
# stops_after_s = 172800    # without a new file for so long the feed counts as stopped, and the heart stops
"""

MUST_AGREE = {"source": ("source", "urn"), "hub": ("hub", "urn"), "partnership": ("partnership", "urn")}


def init_keys(path: Path, agency: Agency, words: Mapping[str, str]) -> tuple[Home, list[str]]:
    """Makes what is missing in the home folder; gives it and the names of what was made. BadHome when `words` (source,
    hub, partnership ...) say another thing than an adapter.toml that is there."""
    if not (path / "adapter.toml").exists():
        missing = [f"--{name.replace('_', '-')}" for name in NEEDED if not words.get(name)]
        if missing:
            raise BadHome(f"no adapter.toml in {path}: to make one, give {' '.join(missing)}")
    _check_names(words)
    try:
        return _make_home(path, agency, words)
    except OSError as fault:
        raise BadHome(f"cannot write {fault.filename or path}: {fault.strerror}") from None


def _make_home(path: Path, agency: Agency, words: Mapping[str, str]) -> tuple[Home, list[str]]:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    if not (path / "adapter.toml").exists():
        write_new(path / "adapter.toml", write_skeleton(agency, words).encode())
        made.append("adapter.toml")
    made += make_private_files(path, words.get("alg") or "EdDSA")
    if words.get("receipt_key") and not (path / RECEIPT_KEY_FILE).exists():
        _pin_receipt_key(path, Path(words["receipt_key"]), words.get("hub", ""))
        made.append(RECEIPT_KEY_FILE)
    made += pin_files(path, words)
    home = open_home(path, agency)
    for word, (table, name) in MUST_AGREE.items():
        stands = home.settings.get(table, {}).get(name, "")
        if words.get(word) and stands != words[word]:
            raise BadHome(f"adapter.toml says [{table}] {name} = {stands!r}; edit it, or leave --{word} out")
    if words.get("kafka_servers"):
        stands = home.settings.get("kafka", {}).get("servers", [])
        if stands != split_servers(words["kafka_servers"]):
            raise BadHome(f"adapter.toml says [kafka] servers = {stands}; edit it, or leave --kafka-servers out")
    if not home.settings.get("hub", {}).get("urn"):
        raise BadHome("adapter.toml says nothing for [hub] urn")
    service = home.settings["service"]
    _check_names(
        {name: str(home.settings[name]["urn"]) for name in NAMED}
        | {"service_name": str(service["name"]), "service_kind": str(service["kind"])}
    )
    return home, made


def _check_names(words: Mapping[str, str]) -> None:
    """Refuses a name in a form that no hub registers. BadHome says which, and what it should be."""
    faults = [find_fault_in(name, words[name]) for name in NAMED if words.get(name)]
    if words.get("service_kind"):
        faults.append(find_fault_in_kind(words["service_kind"]))
    if not words.get("service_name", "").isprintable():
        faults.append("the service's name holds a character that cannot be printed")
    if wrong := [fault for fault in faults if fault]:
        raise BadHome("; ".join(wrong))


NAMED = ("source", "hub", "partnership", "service")
NEEDED = ("source", "hub", "partnership", "service", "service_name", "service_kind")


def write_skeleton(agency: Agency, words: Mapping[str, str]) -> str:
    """A new adapter.toml."""
    given = {**dict.fromkeys(NEEDED, ""), "url": "", **words}
    given["audience"] = given.get("audience") or f"{given['hub']}/inbox"
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in given.items()}
    quoted["kafka_servers"] = json.dumps(split_servers(given.get("kafka_servers", "")))
    own = f"\n{agency.skeleton.strip()}\n" if agency.skeleton.strip() else ""
    return SKELETON.format(**quoted) + own


def make_request(home: Home) -> dict[str, Any]:
    """What `hub keys add` takes: public keys, each with the proof that we hold its private half."""
    hub, service = str(home.settings["hub"]["urn"]), home.settings["service"]
    return {
        "hub": hub,
        "source": home.source,
        "partnership": home.settings["partnership"]["urn"],
        "service": {name: service[name] for name in ("urn", "name", "kind")},
        "event": _prove(home.event_key, hub, home.source),
        "transport": _prove(home.transport_key, hub, home.source),
    }


def _prove(key: SigningKey, hub: str, source: str) -> dict[str, Any]:
    return {"jwk": dict(key.public_jwk()), "proof": proof_of_possession(key, hub=hub, source=source)}


def _pin_receipt_key(home: Path, given: Path, hub: str) -> None:
    try:
        jwk = json.loads(given.read_text(encoding="utf-8"))
        entry = KeyEntry.from_jwk(jwk, source=hub, purpose="receipt")
    except (OSError, ValueError) as fault:
        raise BadHome(f"{given} is no receipt key: {fault}") from None
    write_new(home / RECEIPT_KEY_FILE, json.dumps(dict(entry.public_jwk)).encode() + b"\n")
