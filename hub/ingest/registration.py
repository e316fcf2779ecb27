"""Registering keys: an agency's request, two officers' signatures over it, and a fact in the registry stream.

The log is the authority on keys. A request proves possession of both keys; officers approve its exact content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hub.ingest.admission import Admission
from hub.ingest.kept import PREFIX
from hub.ingest.keyring import ADDED, OFFICER, RETIRED, REVOKED
from hub.store.record import REGISTRY, Record, own_note
from schemas import compact
from schemas.envelope import Receipt, Refused, SigningKey, check_possession

APPROVAL_TYP = "sg-approval+jws"


class NotApproved(Exception):
    """Too few officers approve, or one of them is not registered; the argument names the broken rule."""


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

        Errors: `schemas.envelope.Refused` when possession is not proved, `NotApproved`, `KeyError` for a missing
        member, `TypeError` for one of another form.
        """
        source = request["source"]
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

        Errors: `NotApproved`, `NoSuchKey`.
        """
        self._must_know(kid)
        data = {"kid": kid, "last_sequence": last_sequence}
        self._append(RETIRED, {**data, "approvals": self.approvals(data, approvers)})

    def revoke(self, kid: str, reason: str, approvers: Mapping[str, SigningKey]) -> None:
        """From this position of the log on the key counts for nothing. Errors: `NotApproved`, `NoSuchKey`."""
        self._must_know(kid)
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

    def _must_know(self, kid: str) -> None:
        self.admission.catch_up()
        if kid not in self.admission.keyring.keys:
            raise NoSuchKey("no key of this name was ever registered")

    def _append(self, name: str, *facts: Mapping[str, Any]) -> None:
        seq, at = self.record.version(REGISTRY), self.clock().isoformat(timespec="milliseconds")
        self.record.append(
            [own_note(REGISTRY, seq + number, f"{name}/v1", at, dict(fact)) for number, fact in enumerate(facts, 1)]
        )
        self.admission.catch_up()


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(compact.canonical_json(dict(sorted(request.items())))).hexdigest()
