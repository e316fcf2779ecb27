"""Which keys may speak, from which position of the log on: the fold of the registry stream.

Nobody's clock is trusted: a key counts from the position at which it was added; once retired, for sequences up to the
one named; revoked, for none from that position on. Making keys and asking officers is the command line's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.domain.facts import Fact
from hub.domain.hearing import LiveSource
from schemas.envelope import KeyEntry

OFFICER, ADDED, RETIRED, REVOKED = "officer-registered", "key-added", "key-retired", "key-revoked"


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered source: who it is, and how its records count."""

    source: str
    service: Mapping[str, str]
    """urn, name and kind of the service that it speaks for."""
    history: bool = False
    """A history source raises no alerts, clocks or lateness remarks."""
    kept: bool = False
    """The hub keeps this source for a service's people; only such a source may settle standing and identity."""
    since: str = ""
    """When it was first registered, RFC 3339."""

    @property
    def decides(self) -> bool:
        """May it report what opens or closes a child's record: a council's own system, or the people's door."""
        return self.kept or self.service.get("kind") == "council"


@dataclass(slots=True)
class Keyring:
    """The fold of the registry stream up to `seq`."""

    seq: int = 0
    keys: dict[str, KeyEntry] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    """Retired key → the last sequence that it may sign."""
    revoked: set[str] = field(default_factory=set)
    officers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    services: dict[str, set[str]] = field(default_factory=dict)
    """Registered service → the sources that speak for it."""

    def evolve(self, fact: Fact) -> None:
        """Apply one fact of the registry."""
        self.seq, data = fact.seq, fact.data
        match fact.name:
            case "officer-registered":
                self.officers[data["name"]] = data["jwk"]
            case "key-added":
                self._add(data, fact.admitted)
            case "key-retired":
                self.retired[data["kid"]] = data["last_sequence"]
            case "key-revoked":
                self.revoked.add(data["kid"])

    def event_key(self, kid: str) -> KeyEntry | None:
        """The registry that `open_envelope` asks: a retired key still opens, admission judges its sequence."""
        key = self.keys.get(kid)
        return key if key is not None and key.purpose == "event" and kid not in self.revoked else None

    def transport_key(self, kid: str) -> KeyEntry | None:
        """The registry that transport tokens are judged by."""
        key = self.keys.get(kid)
        gone = kid in self.revoked or kid in self.retired
        return key if key is not None and key.purpose == "transport" and not gone else None

    def speaks_for(self, source: str, service: str) -> bool:
        """Is this source registered as this service's, or kept for its people?"""
        return source in self.services.get(service, ())

    def speaks_for_another(self, source: str, service: str) -> bool:
        """Does this source speak as a service that is registered, but not as its own?"""
        owners = self.services.get(service)
        return owners is not None and source not in owners

    def kind_of(self, source: str, said_by: Mapping[str, Any]) -> str:
        """As which kind of service a source is registered; "" where it speaks as another service than its own.

        By a source that the hub keeps for people only the hub itself says what kind their service is.
        """
        sender = self.senders.get(source)
        if sender is None or not self.speaks_for(source, said_by["service"]):
            return ""
        return str((said_by.get("service_kind", "") if sender.kept else sender.service.get("kind")) or "")

    def active(self) -> list[KeyEntry]:
        """Every key that is neither retired nor revoked."""
        return [key for kid, key in self.keys.items() if kid not in self.revoked and kid not in self.retired]

    def live(self) -> list[LiveSource]:
        """The sources that are to be heard: not history, not the hub's own for people, and with a key that counts."""
        speaking = {key.source for key in self.active() if key.purpose == "event"}
        return [
            LiveSource(one.source, one.service.get("urn", ""), one.service.get("name", ""), one.since)
            for one in self.senders.values()
            if one.source in speaking and not (one.history or one.kept)
        ]

    def _add(self, data: Mapping[str, Any], at: str) -> None:
        entry = KeyEntry.from_jwk(data["jwk"], source=data["source"], purpose=data["purpose"])
        self.keys[entry.kid] = entry
        if urn := data.get("service", {}).get("urn"):
            self.services.setdefault(urn, set()).add(data["source"])
        before = self.senders.get(data["source"])
        self.senders[data["source"]] = Sender(
            data["source"], data.get("service", {}), data.get("history", False), data.get("kept", False),
            before.since if before else at,
        )  # fmt: skip


def fold(facts: Iterable[Fact], keyring: Keyring | None = None) -> Keyring:
    """The keyring after these facts."""
    keyring = keyring or Keyring()
    for fact in facts:
        keyring.evolve(fact)
    return keyring
