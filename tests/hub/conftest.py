"""A hub in a folder of its own, a clock that stands where it is put, and an agency that seals events by hand."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub import bootstrap
from hub.__main__ import main
from hub.bootstrap import Hub
from hub.settings import Settings
from schemas.catalogue import get_example
from schemas.envelope import (
    NO_CHILD,
    REPORT,
    PublicSealingKey,
    SigningKey,
    proof_of_possession,
    seal,
    statement_bytes_of,
    statement_digest,
)
from tests.stores import Store, a_store

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
WRENNA = {
    "names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "official"}],
    "birth_date": {"date": "2014-05-17"},
    "sex": "2",
    "address": [{"postcode": "ZZ1 4QF"}],
}


@dataclass
class Clock:
    """Stands where it is put."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Agency:
    """An agency's system, reduced to sealing: it numbers its records and chains them."""

    source: str
    key: SigningKey = field(default_factory=SigningKey.generate)
    transport: SigningKey = field(default_factory=SigningKey.generate)
    sequence: int = 0
    digest: str = ""

    def request(self, hub: str) -> dict[str, Any]:
        def prove(key: SigningKey) -> dict[str, Any]:
            return {"jwk": key.public_jwk(), "proof": proof_of_possession(key, hub=hub, source=self.source)}

        service = {"urn": "urn:safeguarding:service:northmarch-police", "name": "Northmarch", "kind": "police"}
        return {
            "hub": hub, "source": self.source, "partnership": PARTNERSHIP, "service": service,
            "event": prove(self.key), "transport": prove(self.transport),
        }  # fmt: skip

    def seal(
        self, kind: str | dict[str, Any] = "domestic-abuse-incident", /, *, id: str = "", person: str = "p1",
        type: str = REPORT, shared: str = "2025-03-03T11:59:00Z", key: SigningKey | None = None, skip: int = 0,
        to: PublicSealingKey | None = None, **members: Any,
    ) -> bytes:  # fmt: skip
        """One sealed record; `members` replace those of the kind's example, None leaves one out."""
        data = get_example(kind, 1) if isinstance(kind, str) else dict(kind)
        data |= {"partnership": PARTNERSHIP, **members}
        data = {name: value for name, value in data.items() if value is not None}
        self.sequence += 1 + skip
        event_id = id or f"{self.source.rsplit(':', 1)[-1]}-{self.sequence}"
        raw = seal(
            json.dumps(data).encode(), key=key or self.key, source=self.source, event_id=event_id,
            subject=NO_CHILD if type != REPORT else hashlib.sha256(person.encode()).hexdigest()[:32], time=None,
            recordedtime=shared, sequence=self.sequence, prevdigest=self.digest, type=type,
            salt=hashlib.sha256(event_id.encode()).digest(), to=to,
        )  # fmt: skip
        self.digest = statement_digest(statement_bytes_of(raw))
        return raw


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The hub's databases: files in its home, or with `STORE=postgres` a real PostgreSQL for every test here."""
    server = request.getfixturevalue("postgres") if os.environ.get("STORE") == "postgres" else None
    with a_store(tmp_path / "hub", server) as store:
        for name, conninfo in store.settings().items():
            monkeypatch.setenv(f"HUB_{name.upper()}", conninfo)
        yield store


@pytest.fixture
def open_hub(tmp_path: Path, clock: Clock, own_store: Store) -> Iterator[Callable[..., Hub]]:
    """Opens the one hub of a test; called again it is another process's view of the same folder."""
    opened: list[Hub] = []

    def open_one(**settings: Any) -> Hub:
        made = Settings(home=tmp_path / "hub", demo=True, **own_store.settings(), **settings)
        if not (made.home / "hub.json").exists():
            bootstrap.init(made, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
        hub = bootstrap.open_hub(made)
        hub.clock = clock
        opened.append(hub)
        return hub

    yield open_one
    for hub in opened:
        hub.close()


@pytest.fixture
def hub(open_hub: Callable[..., Hub]) -> Hub:
    return open_hub()


@pytest.fixture
def register(hub: Hub) -> Callable[..., Agency]:
    """Registers an agency with the hub and gives its hand."""

    def one(name: str = "northmarch", **more: Any) -> Agency:
        agency = Agency(f"urn:safeguarding:source:{name}:live")
        hub.registration.add({**agency.request(hub.charter.hub), **more}, {"ada": hub.officer_key("ada")})
        return agency

    return one


@pytest.fixture
def police(register: Callable[..., Agency]) -> Agency:
    return register()


@pytest.fixture
def staff(hub: Hub) -> Callable[..., str]:
    """Registers and trains a professional; gives their id."""

    def one(person: str, role: str, service: str = "harrowmere-childrens-services") -> str:
        details = {
            "person": person,
            "role": role,
            "service": f"urn:safeguarding:service:{service}",
            "from": "2024-01-01",
        }
        hub.casework.record("ada", {"event": "role-held", "details": details})
        course = {"person": person, "completed": "2024-01-01", "until": "2030-01-01"}
        hub.casework.record("ada", {"event": "training-recorded", "details": course})
        return person

    return one


def only_child(hub: Hub) -> UUID:
    """The one child of this hub."""
    (child,) = hub.register().children()
    return child


@dataclass(frozen=True)
class Said:
    """What a command ended with."""

    code: int
    lines: list[Any]
    words: str

    @property
    def line(self) -> Any:
        (one,) = self.lines
        return one


@pytest.fixture
def say(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Said]:
    """Runs one command over the test's hub, its clock standing where the fixture's stands."""
    (tmp_path / "clock").write_text(hub.clock().isoformat())
    monkeypatch.setenv("HUB_HOME", str(hub.settings.home))
    monkeypatch.setenv("HUB_DEMO", "1")
    monkeypatch.setenv("HUB_DEMO_CLOCK", str(tmp_path / "clock"))

    def run(*argv: object) -> Said:
        capsys.readouterr()
        code = main([str(one) for one in argv])
        got = capsys.readouterr()
        assert "Traceback" not in got.err
        return Said(code, [json.loads(line) for line in got.out.splitlines()], got.err)

    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        path = tmp_path / "entry.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write
