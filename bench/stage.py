"""The hub under measurement: in a folder of its own, its agencies and readers registered, served by a child process.

It measures CPU time of that process (user and system, all threads) and knows no ratio.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.records import KINDS, PARTNERSHIP, Source, make_chronology
from hub import bootstrap
from hub.api.demo_issuer import demo_issuer
from hub.bootstrap import Hub
from hub.settings import Settings
from hub.store.streams import ACCESS, NOT_CHILDREN
from schemas.envelope import transport_token

OFFICER = "ada.registrar"
COUNCIL = "urn:safeguarding:service:harrowmere-children"
ENTRIES = 200
READY_S = 30
CHILDREN_READ = 5
CHILDREN = 12
"""More than the hub keeps opened: whoever reads them all in turn finds none of them open."""
FIRST_CHILD_READ = 1_000_000


class BenchFault(RuntimeError):
    """What was to be measured did not happen; the message says what."""


@dataclass
class Stage:
    """A hub in `folder`, and how it is asked."""

    folder: Path
    readers: int = 20
    sources: list[Source] = field(default_factory=lambda: [Source(name) for name in KINDS])
    children: list[str] = field(default_factory=list)
    """Ids of children with a chronology of exactly 200 entries."""

    def __post_init__(self) -> None:
        self.home = self.folder / "hub"
        self.ready_made = self.folder / "ready-made.json"
        self.settings = Settings(home=self.home, demo=True)

    def build(self, rng: random.Random) -> None:
        """Make the hub, register agencies and readers, and fill the chronologies that are read."""
        bootstrap.init(self.settings, partnership=PARTNERSHIP, area="E99000001", officers=[OFFICER])
        hub = bootstrap.open_hub(self.settings)
        self.hub_urn = hub.charter.hub
        for source in self.sources:
            hub.registration.add(source.request(hub.charter.hub), {OFFICER: hub.officer_key(OFFICER)})
        for person, role in self.people():
            _register(hub, person, role)
        for number in range(CHILDREN):
            self.children.append(self._fill(hub, FIRST_CHILD_READ + number, rng))
        hub.close()

    def people(self) -> list[tuple[str, str]]:
        """Every reader and role: by turns at the front door and allocated to the children."""
        roles = ("frontDoor", "allocatedSocialWorker")
        return [(f"reader-{number}", roles[number % 2]) for number in range(self.readers)]

    @contextmanager
    def served(self) -> Iterator[Server]:
        """The hub in a process of its own."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        environment = plain | {
            "HUB_HOME": str(self.home), "HUB_DEMO": "1", "HUB_PORT": str(port), "HUB_PAGE_SIZE": str(ENTRIES),
            "HUB_INBOX_RECORDS_A_MINUTE": "100000000", "BENCH_READY_MADE": str(self.ready_made),
        }  # fmt: skip
        with (self.folder / "hub.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.server"], env=environment, stdout=log, stderr=log,
                cwd=Path(__file__).resolve().parents[1],
            )  # fmt: skip
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            server = Server(self, process, client)
            try:
                server.wait_until_ready()
                yield server
            finally:
                process.terminate()
                process.wait(timeout=30)

    def _fill(self, hub: Hub, number: int, rng: random.Random) -> str:
        """One child's 200 entries: what agencies sent, an allocation for each worker, and an enquiry."""
        workers = [person for person, role in self.people() if role == "allocatedSocialWorker"]
        sent = list(make_chronology(self.sources, number, ENTRIES - len(workers) - 1, rng))
        before = set(hub.register().children())
        for source in self.sources:
            hub.admission.admit([raw for one, raw in sent if one is source], source.urn)
        (child,) = set(hub.register().children()) - before
        for person in workers:
            details = {"person": person, "role": "allocatedSocialWorker", "service": COUNCIL}
            hub.casework.record("reader-0", {"event": "worker-allocated", "child": str(child), "details": details})
        enquiry = {"joint": "joint", "reason": "Injuries not explained", "conference_due": "2026-01-30"}
        hub.casework.record("reader-0", {"event": "s47-started", "child": str(child), "details": enquiry})
        return str(child)


@dataclass
class Server:
    """The served hub."""

    stage: Stage
    process: subprocess.Popen[bytes]
    client: httpx.Client

    def __post_init__(self) -> None:
        issuer = demo_issuer(self.stage.home, lambda: datetime.now(UTC))
        self._bearers = {
            person: {"Authorization": f"Bearer {issuer.token(person, 'safeguarding-hub')}"}
            for person, _ in self.stage.people()
        }

    def cpu_s(self) -> float:
        """CPU seconds that the process has used until now, user and system, all threads (Linux)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def memory_mb(self) -> float:
        """Resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def wait_until_ready(self) -> None:
        """Wait for the first answer. Errors: `BenchFault`."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if self.client.get("/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise BenchFault("the hub did not become ready; its words are in hub.log")

    def post(self, source: Source, records: Sequence[bytes]) -> None:
        """Post one batch. Errors: `BenchFault` when it is not taken."""
        token = transport_token(
            source.transport, source=source.urn, audience=f"{self.stage.hub_urn}/inbox", now=datetime.now(UTC),
            jti=uuid.uuid4().hex,
        )  # fmt: skip
        headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
        answer = self.client.post("/inbox", content=b"\n".join(records), headers=headers)
        if answer.status_code != 200:
            raise BenchFault(f"inbox: {answer.status_code} {answer.text}")

    def wait_for_views(self) -> None:
        """Wait until the chronology view has followed the record to its end."""
        record, views = (_read_only(self.stage.home / name) for name in ("record.db", "views.db"))
        with contextlib.closing(record), contextlib.closing(views):
            own = ",".join(f"'{one.hex}'" for one in NOT_CHILDREN)
            last = record.execute(f"SELECT MAX(position) FROM log WHERE stream NOT IN ({own})").fetchone()  # noqa: S608
            deadline = time.monotonic() + READY_S
            while views.execute("SELECT MAX(position) FROM progress").fetchone() < last:
                if time.monotonic() > deadline:
                    raise BenchFault("the views did not follow the record")
                time.sleep(0.05)

    def admitted(self) -> int:
        """How many agencies' and people's records count in the record."""
        with contextlib.closing(_read_only(self.stage.home / "record.db")) as record:
            count: int = record.execute("SELECT COUNT(*) FROM inbox").fetchone()[0]
            return count

    def accesses(self) -> int:
        """How many reads and attempts are on record."""
        with contextlib.closing(_read_only(self.stage.home / "record.db")) as record:
            count: int = record.execute("SELECT COUNT(*) FROM log WHERE stream=?", (ACCESS.hex,)).fetchone()[0]
            return count

    def read(self, number: int) -> bytes:
        """Readers in turn read a child's chronology for an enquiry; then the next child's."""
        return self._read(number, self.stage.children[number // self.stage.readers % CHILDREN_READ])

    def read_first(self) -> None:
        """Every child once. When this is done twice, the second time finds none of them open any more."""
        for number, child in enumerate(self.stage.children):
            self._read(number, child)

    def _read(self, number: int, child: str) -> bytes:
        person = f"reader-{number % self.stage.readers}"
        answer = self.client.get(f"/children/{child}/chronology?purpose=s47", headers=self._bearers[person])
        if answer.status_code != 200:
            raise BenchFault(f"chronology: {answer.status_code} {answer.text}")
        return answer.content

    def read_each(self, numbers: Sequence[int]) -> None:
        """Several readings, one after the other."""
        for number in numbers:
            self.read(number)

    def open_again(self) -> None:
        """One reading of each child that `read` asks for, so that all of those find it open."""
        for child in self.stage.children[:CHILDREN_READ]:
            self._read(0, child)

    def read_ready_made(self, times: int) -> None:
        """The same bytes, ready-made. Errors: `BenchFault`."""
        for _ in range(times):
            if self.client.get("/ready-made").status_code != 200:
                raise BenchFault("the ready-made bytes are not there")


def _register(hub: Hub, person: str, role: str) -> None:
    details = {"person": person, "role": role, "service": COUNCIL, "from": "2024-01-01"}
    hub.casework.record(OFFICER, {"event": "role-held", "details": details})
    course = {"person": person, "completed": "2024-01-01", "until": "2099-01-01"}
    hub.casework.record(OFFICER, {"event": "training-recorded", "details": course})


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
