"""Makes a hub's home and opens a hub: the one place that knows every room and hands each what it needs."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.casework import Casework
from hub.disclosure import Clocks, Disclosure, PersonQuery, Staff, Teams
from hub.disclosure.completeness import Completeness
from hub.disclosure.gathering import Sources
from hub.disclosure.items import ItemList
from hub.disclosure.journal import Journal
from hub.disclosure.silence import Silences
from hub.identity.register import Register
from hub.ingest.admission import Admission
from hub.ingest.inbox import Inbox
from hub.ingest.kept import KeptSources
from hub.ingest.notices import Notices
from hub.ingest.registration import Registration
from hub.ingest.urgent import UrgentWaiting
from hub.policy.decide import Policy
from hub.projections.chronology import Chronology
from hub.projections.items import Items
from hub.projections.open_items import Concerned
from hub.rules.editions import check_all
from hub.settings import Settings, SettingsError
from hub.store.keys import WrappedKeys
from hub.store.opening import BadDatabase, Databases, open_databases, refuse_unready
from hub.store.record import Record
from hub.watch import Watch
from schemas.envelope import SealingKey, SigningKey
from schemas.rules import is_urgent

SEALING = "sealing.pem"
SECRETS = ("root.key", "index.key", "people.key", "disclosure.key")


class NoHub(Exception):
    """There is no hub in this home folder; `hub init` makes one."""


class HubExists(Exception):
    """There is a hub in this home folder already; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Charter:
    """What a hub is, written once by `hub init`."""

    hub: str
    partnership: str
    area: str
    demo: bool


def init(
    settings: Settings, *, partnership: str, area: str, officers: Sequence[str]
) -> tuple[Charter, Mapping[str, str]]:
    """Make a hub: secrets, the officers as the log's first entries, the receipt key. Gives key fingerprints to print.

    `partnership` is a URN, `area` a GSS code. Errors: `HubExists`, `BadDatabase`, `BrokenRule`.
    """
    check_all()
    home = settings.home
    if any((home / name).exists() for name in ("hub.json", *SECRETS)):
        raise HubExists
    if settings.database:
        _refuse_taken(settings)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SECRETS:
        write_secret(home / name, os.urandom(32))
    charter = Charter(f"urn:safeguarding:hub:{partnership.rsplit(':', 1)[-1]}", partnership, area, settings.demo)
    keys = {name: SigningKey.generate() for name in officers}
    receipt_key = SigningKey.generate()
    write_secret(home / "receipt.pem", receipt_key.to_pem())
    write_secret(home / SEALING, SealingKey.generate().to_pem())
    (home / "officers").mkdir(mode=0o700, exist_ok=True)
    for name, key in keys.items():
        write_secret(home / "officers" / f"{name}.pem", key.to_pem())
    (home / "services.json").write_text("{}\n")
    (home / "hub.json").write_text(json.dumps(_charter_json(charter), indent=1) + "\n")
    hub = open_hub(settings, new=True)
    hub.registration.officers(keys)
    hub.registration.receipt_key(receipt_key)
    hub.close()
    return charter, {**{name: key.kid for name, key in keys.items()}, "hub receipts": receipt_key.kid}


def open_hub(settings: Settings, *, new: bool = False) -> Hub:
    """Open the hub in the home folder; a `new` one has no record yet.

    Errors: `NoHub`, `BadDatabase`, `BrokenRule`, `SettingsError` for a demo clock over a hub that is no demo.
    """
    check_all()
    os.umask(0o077)  # databases and their journals are their owner's alone
    path = settings.home / "hub.json"
    if not path.exists():
        raise NoHub(f"no hub in {settings.home}; make one with: hub init --partnership URN --area GSS")
    if not new and not settings.database and not (settings.home / "record.db").exists():
        raise NoHub(  # an empty one made in its place would look like a hub that knows nobody
            f"the record of the hub in {settings.home} is not there: set HUB_DATABASE and HUB_KEYS_DATABASE to where it"
            " is, or restore record.db"
        )
    charter = Charter(**json.loads(path.read_text()))
    if settings.demo_clock is not None and not charter.demo:
        raise SettingsError("HUB_DEMO_CLOCK is refused: this hub was not made in demo mode")
    hub = Hub(settings, charter)
    if settings.database:
        refuse_unready(hub.databases)
    return hub


class Hub:
    """All rooms of one hub in one process, opened as they are asked for."""

    def __init__(self, settings: Settings, charter: Charter) -> None:
        self.settings, self.charter = settings, charter
        self.clock: Callable[[], datetime] = settings.clock()

    @cached_property
    def databases(self) -> Databases:
        """Files in the home folder, or what the settings name. Errors: `BadDatabase`."""
        return open_databases(self.settings.home, self.settings.database, self.settings.keys_database)

    @cached_property
    def record(self) -> Record:
        """The record and its key store."""
        return Record(self.databases.record, WrappedKeys(self.databases.keys, self._secret("root.key")))

    @cached_property
    def view(self) -> Chronology:
        """The chronology view."""
        return Chronology(self.databases.view, self.record)

    @cached_property
    def item_rows(self) -> Items:
        """What waits for people, as rows to find it by."""
        return Items(self.databases.view, self.record, is_urgent=is_urgent)

    @cached_property
    def admission(self) -> Admission:
        """The door in."""
        return Admission(
            self.record, partnership=self.charter.partnership, index_key=self._secret("index.key"), clock=self.clock,
            clock_ahead_s=self.settings.clock_ahead_s, quarantine_quota=self.settings.quarantine_quota,
            unseal=self.sealing_key, watch=self.watch,
        )  # fmt: skip

    @cached_property
    def watch(self) -> Watch:
        """What an operator can watch of this process."""
        return Watch()

    @cached_property
    def inbox(self) -> Inbox:
        """The machines' endpoint."""
        return Inbox(
            self.record, self.admission, self.notices, self.receipt_key, hub=self.charter.hub, clock=self.clock,
            records_a_minute=self.settings.inbox_records_a_minute, follows=self.settings.demo_clock is not None,
        )  # fmt: skip

    @cached_property
    def notices(self) -> Notices:
        """What agencies must be told."""
        return Notices(self.record, self.admission, secret=self.derived("notices"), clock=self.clock)

    @cached_property
    def registration(self) -> Registration:
        """Keys."""
        needed = 1 if self.charter.demo else 2
        return Registration(self.record, self.admission, hub=self.charter.hub, officers_needed=needed, clock=self.clock)

    @cached_property
    def disclosure(self) -> Disclosure:
        """The door out."""
        return Disclosure(
            self.record, self.view, self.register, Policy.load(), secret=self._secret("disclosure.key"),
            clock=self.clock, clocks=Clocks(self.charter.area, self.histories), services=self.services,
            completeness=self.completeness, journal=self.journal,
        )  # fmt: skip

    @cached_property
    def query(self) -> PersonQuery:
        """Whom to ring about a child whom somebody describes."""
        keys = {"index_key": self._secret("index.key"), "secret": self._secret("disclosure.key")}
        return PersonQuery(self.disclosure, **keys)

    @cached_property
    def staff(self) -> Staff:
        """What officers see of the professionals whom they register."""
        return Staff(self.disclosure, self.officers)

    @cached_property
    def items(self) -> ItemList:
        """What waits for people."""
        waiting = UrgentWaiting(self.admission)
        sources = Sources(
            officers=self.officers, services=self.services, speaks_for=self.admission.keyring.speaks_for,
            waiting=waiting.list,
        )  # fmt: skip
        return ItemList(self.disclosure, self.item_rows, sources, secret=self._secret("disclosure.key"))

    @cached_property
    def concerned(self) -> Concerned:
        """Where to look for a team's open items."""
        return Concerned(self.databases.view, self.record, self.derived("concerned"))

    @cached_property
    def teams(self) -> Teams:
        """The door out for a team's open items."""
        return Teams(self.disclosure, self.concerned)

    @cached_property
    def journal(self) -> Journal:
        """Where accesses are noted while the record cannot be written."""
        path = self.settings.home / "access.journal"
        return Journal(path, lambda: self.receipt_key, self.derived("access-journal"))

    @cached_property
    def silences(self) -> Silences:
        """Tells when a source falls silent."""
        telling = self.settings.demo_clock is None
        return Silences(self.record, self.completeness, self.watch, clock=self.clock, telling=telling)

    @cached_property
    def completeness(self) -> Completeness:
        """What is known of the sources that are to be heard."""
        door = self.admission
        return Completeness(self.record, lambda: door.keyring.live(), version=lambda: door.commits + door.keyring.seq)

    @cached_property
    def casework(self) -> Casework:
        """The door in for people."""
        kept = KeptSources(
            self.record, self.admission, self.settings.home / "people", hub=self.charter.hub,
            secret=self._secret("people.key"), clock=self.clock,
        )  # fmt: skip
        return Casework(
            kept, self.admission, self.disclosure, self.register, partnership=self.charter.partnership,
            officers=self.officers, services=self.services, clock=self.clock,
        )  # fmt: skip

    @cached_property
    def receipt_key(self) -> SigningKey:
        """What receipts are signed with; agencies pin its public half."""
        return SigningKey.from_pem((self.settings.home / "receipt.pem").read_bytes())

    @cached_property
    def sealing_key(self) -> SealingKey | None:
        """What opens version 2 records; agencies pin its public half. None in a home older than such records."""
        path = self.settings.home / SEALING
        return SealingKey.from_pem(path.read_bytes()) if path.exists() else None

    def make_sealing_key(self) -> SealingKey:
        """The sealing key, made now where the home is older than such keys; an existing one stays."""
        with suppress(FileExistsError):
            write_secret(self.settings.home / SEALING, SealingKey.generate().to_pem())
        self.__dict__.pop("sealing_key", None)
        key = self.sealing_key
        if key is None:
            raise FileNotFoundError(self.settings.home / SEALING)
        return key

    def register(self) -> Register:
        """Which child is which, up to now."""
        self.admission.catch_up()
        return self.admission.resolver.register

    def histories(self) -> frozenset[str]:
        """Sources that tell of the past: they start no clock."""
        return frozenset(one.source for one in self.admission.keyring.senders.values() if one.history)

    def officers(self) -> frozenset[str]:
        """Names of the registered officers."""
        self.admission.catch_up()
        return frozenset(self.admission.keyring.officers)

    def officer_key(self, name: str) -> SigningKey:
        """An officer's signing key, where it is kept in this home. Errors: `FileNotFoundError`."""
        return SigningKey.from_pem((self.settings.home / "officers" / f"{Path(name).name}.pem").read_bytes())

    def services(self) -> Mapping[str, Mapping[str, str]]:
        """Names and kinds of the partnership's services: as registered, or else as its `services.json` says."""
        found: dict[str, Mapping[str, str]] = json.loads((self.settings.home / "services.json").read_text())
        registered = (sender.service for sender in self.admission.keyring.senders.values())
        return found | {one["urn"]: one for one in registered if "name" in one}

    def derived(self, use: str) -> bytes:
        """A secret for one use, derived from the disclosure secret."""
        return hmac.digest(self._secret("disclosure.key"), use.encode(), hashlib.sha256)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("view", "record", "databases"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def _secret(self, name: str) -> bytes:
        return (self.settings.home / name).read_bytes()


def _refuse_taken(settings: Settings) -> None:
    """Another hub's record is no place for a new one. Errors: `BadDatabase`."""
    databases = open_databases(settings.home, settings.database, settings.keys_database)
    try:
        refuse_unready(databases)
        if databases.record.query("SELECT 1 FROM log LIMIT 1"):
            raise BadDatabase("HUB_DATABASE holds a hub's record already; nothing was changed")
    finally:
        databases.close()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; an existing one is never overwritten."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _charter_json(charter: Charter) -> dict[str, Any]:
    return {"hub": charter.hub, "partnership": charter.partnership, "area": charter.area, "demo": charter.demo}
