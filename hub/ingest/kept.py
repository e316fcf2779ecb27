"""The sources that the hub keeps for people's services: what a person records is sealed like any agency's event.

A service gets its source, key and sequence the first time that one of its people records something; the key is
registered in the log like any other. Who may record what is not decided here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.domain.facts import PEOPLE
from hub.ingest.admission import Admission
from hub.ingest.keyring import ADDED
from hub.store.entries import own_note
from hub.store.record import Record
from hub.store.streams import REGISTRY
from schemas.compact import canonical_json
from schemas.envelope import NO_CHILD, Receipt, SigningKey, seal

PREFIX = PEOPLE


class KeptSources:
    """Seals and admits what people record. One per process; sequences are safe across processes."""

    def __init__(
        self, record: Record, admission: Admission, folder: Path, *, hub: str, secret: bytes,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.record, self.admission, self.folder, self.hub, self.clock = record, admission, folder, hub, clock
        self._secret = secret
        self._keys: dict[str, SigningKey] = {}
        self._lock = threading.RLock()

    def source(self, service: str) -> str:
        """The source that is kept for a service's people."""
        return PREFIX + service.rsplit(":", 1)[-1]

    def record_entry(self, service: str, data: Mapping[str, Any], *, about: str) -> tuple[Receipt, str]:
        """Seal one event's data under the service's source and admit it; gives the receipt and the event id.

        `about` names what the event is about within the service (a child's hub id, a person), and becomes the
        pseudonym; "" where it is about no child.
        """
        with self._lock:
            source, key = self.source(service), self._key(service)
            event_id = uuid.uuid4().hex
            raw = self._sealed(source, key, event_id, data, about)
            return self.admission.admit([raw], source)[0], event_id

    def _sealed(self, source: str, key: SigningKey, event_id: str, data: Mapping[str, Any], about: str) -> bytes:
        rows = self.record.query("SELECT sequence, digest FROM source_head WHERE source=?", (source,))
        sequence, digest = (rows[0][0], rows[0][1]) if rows else (0, "")
        now = self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        subject = hmac.new(self._secret, f"{source}\x1f{about}".encode(), hashlib.sha256).hexdigest()[:32]
        return seal(
            canonical_json(data),
            key=key,
            source=source,
            event_id=event_id,
            subject=subject if about else NO_CHILD,
            time=now,
            recordedtime=now,
            sequence=sequence + 1,
            prevdigest=digest,
            salt=hmac.digest(self._secret, f"salt\x1f{event_id}".encode(), hashlib.sha256),
        )

    def _key(self, service: str) -> SigningKey:
        if service in self._keys:
            return self._keys[service]
        path = self.folder / f"{service.rsplit(':', 1)[-1]}.pem"
        if not path.exists():
            self._make(service, path)
        key = self._keys[service] = SigningKey.from_pem(path.read_bytes())
        return key

    def _make(self, service: str, path: Path) -> None:
        """Write the key, then register it; a crash between is healed by registering again."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        key = SigningKey.generate()
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key.to_pem())
        data = {
            "source": self.source(service), "service": {"urn": service}, "purpose": "event",
            "jwk": key.public_jwk(), "kept": True, "approvals": [],
        }  # fmt: skip
        at = self.clock().isoformat(timespec="milliseconds")
        self.record.append([own_note(REGISTRY, self.record.version(REGISTRY) + 1, f"{ADDED}/v1", at, data)])
        fresh.rename(path)
