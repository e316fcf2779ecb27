"""Registering keys: an agency's request, two officers' signatures over it, and a fact in the registry stream.

The log is the authority on keys. A request proves possession of both keys; officers approve its exact content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.ingest.admission import Admission
from hub.ingest.kept import PREFIX
from hub.ingest.keyring import ADDED, OFFICER, RETIRED, REVOKED
from hub.store.entries import own_note
from hub.store.record import Record
from hub.store.streams import REGISTRY
from schemas import compact
from schemas.envelope import KeyEntry, Receipt, Refused, SigningKey, check_possession
from schemas.naming import find_fault_in, find_fault_in_kind

APPROVAL_TYP = "sg-approval+jws"


class NotApproved(Exception):
    """Too few officers approve, or one of them is not registered; the argument names the broken rule."""


class BadRequest(ValueError):
    """The request lacks a member, or names a source, service or partnership in another form; the argument says so."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks officers to approve. The proofs are not yet checked."""

    source: str
    service: Mapping[str, str]
    """urn, name and kind."""
    event: str
    """Fingerprint of the key that will sign events."""
    transport: str
    """Fingerprint of the key that will open the inbox."""


class NoSuchKey(LookupError):
    """Nobody registered a key of this name, so there is nothing to retire or revoke."""


class Registration:
    """Adds, retires and revokes keys."""

    def __init__(
        self, record: Record, admission: Admission, *, hub: str, officers_needed: int, clock: Callable[[], datetime]
    ) -> None:
        self.record, self.admission, self.hub, self.needed, self.clock = record, admission, hub, officers_needed, clock

    def add(self, request: Mapping[str, Any], approvers: Mapping[str, SigningKey]) -> list[Receipt]:
        """Register an agency's event and transport key; gives the receipts of what waited for them.

        Errors: `BadRequest`, `schemas.envelope.KeyRefused`, `schemas.envelope.Refused` when possession is not proved,
        `NotApproved`.
        """
        asked = read_request(request)
        source = asked.source
        kids = {
            check_possession(request[purpose]["proof"], request[purpose]["jwk"], hub=self.hub, source=source)
            for purpose in ("event", "transport")
        }
        if len(kids) < 2:
            raise Refused("possession", "event key and transport key are one key")
        if source == self.hub or source.startswith(PREFIX):
            raise Refused("source", "this source is the hub's own")
        approvals = self.approvals({"request": _digest(request)}, approvers)
        self._append(
            ADDED,
            *(
                {
                    "source": source, "purpose": purpose, "jwk": request[purpose]["jwk"],
                    "service": dict(request["service"]), "history": bool(request.get("history")),
                    "approvals": approvals,
                }
                for purpose in ("event", "transport")
            ),
        )  # fmt: skip
        return self.admission.try_waiting("key", source)

    def retire(self, kid: str, last_sequence: int, approvers: Mapping[str, SigningKey]) -> None:
        """This key may sign up to this sequence and no further; what it signed stays good whenever it arrives.

        Errors: `NotApproved`, also for a key that the hub itself holds; `NoSuchKey`.
        """
        self._must_be_an_agencys(kid)
        data = {"kid": kid, "last_sequence": last_sequence}
        self._append(RETIRED, {**data, "approvals": self.approvals(data, approvers)})

    def revoke(self, kid: str, reason: str, approvers: Mapping[str, SigningKey]) -> None:
        """From this position of the log on the key counts for nothing. Errors: as `retire`."""
        self._must_be_an_agencys(kid)
        data = {"kid": kid, "reason": reason}
        self._append(REVOKED, {**data, "approvals": self.approvals(data, approvers)})

    def officers(self, keys: Mapping[str, SigningKey]) -> None:
        """The first entries of the log: who may register others. Trust on first use."""
        self._append(OFFICER, *({"name": name, "jwk": key.public_jwk()} for name, key in keys.items()))

    def receipt_key(self, key: SigningKey) -> None:
        """Note the key that the hub signs receipts with."""
        self._append(ADDED, {"source": self.hub, "purpose": "receipt", "jwk": key.public_jwk(), "approvals": []})

    def officer_of(self, key: SigningKey) -> str:
        """The name under which this key is registered as an officer's; "" when it is not."""
        self.admission.catch_up()
        found = [name for name, jwk in self.admission.keyring.officers.items() if jwk.get("kid") == key.kid]
        return found[0] if found else ""

    def approvals(self, what: Mapping[str, Any], approvers: Mapping[str, SigningKey]) -> list[dict[str, str]]:
        """Each officer's signature over exactly this. Errors: `NotApproved`."""
        self.admission.catch_up()
        known = self.admission.keyring.officers
        for name, key in approvers.items():
            if known.get(name, {}).get("kid") != key.kid:
                raise NotApproved("NotARegisteredOfficer")
        if len(approvers) < self.needed:
            raise NotApproved("TwoOfficersNeeded")
        payload = compact.canonical_json({"hub": self.hub, **what})
        return [{"officer": name, "jws": compact.sign(payload, key, APPROVAL_TYP)} for name, key in approvers.items()]

    def _must_be_an_agencys(self, kid: str) -> None:
        self.admission.catch_up()
        key = self.admission.keyring.keys.get(kid)
        if key is None:
            raise NoSuchKey("no key of this name was ever registered")
        if key.source == self.hub or key.source.startswith(PREFIX):
            raise NotApproved("TheHubsOwnKey")

    def _append(self, name: str, *facts: Mapping[str, Any]) -> None:
        seq, at = self.record.version(REGISTRY), self.clock().isoformat(timespec="milliseconds")
        self.record.append(
            [own_note(REGISTRY, seq + number, f"{name}/v1", at, dict(fact)) for number, fact in enumerate(facts, 1)]
        )
        self.admission.catch_up()


def read_request(request: Mapping[str, Any]) -> Asked:
    """What a request for keys asks for, its names judged. Errors: `BadRequest`, `schemas.envelope.KeyRefused`."""
    source, service = request.get("source"), request.get("service")
    jwks = [_member(request.get(purpose), "jwk", purpose) for purpose in ("event", "transport")]
    for purpose in ("event", "transport"):
        if not isinstance(request[purpose].get("proof"), str):
            raise BadRequest(f"the request lacks {purpose}.proof; make it with: adapter-NAME keys init")
    urn, name, kind = (_member(service, member, "service") for member in ("urn", "name", "kind"))
    faults = [
        find_fault_in("source", source), find_fault_in("service", urn), find_fault_in_kind(kind),
        find_fault_in("partnership", request.get("partnership")),
        "" if isinstance(name, str) and name.strip() and name.isprintable() else "the service has no name",
    ]  # fmt: skip
    if wrong := [fault for fault in faults if fault]:
        raise BadRequest("; ".join(wrong))
    kids = [KeyEntry.from_jwk(jwk, source=str(source)).kid for jwk in jwks]
    return Asked(str(source), {"urn": urn, "name": name, "kind": kind}, *kids)


def _member(within: Any, member: str, where: str) -> Any:
    if not isinstance(within, Mapping) or member not in within:
        raise BadRequest(f"the request lacks {where}.{member}; make it with: adapter-NAME keys init")
    return within[member]


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(compact.canonical_json(dict(sorted(request.items())))).hexdigest()
