"""The stage of the demo: a hub, its agencies' adapters and people, all under one clock that stands where it is put.

Everything goes through the real doors: adapters run as their own processes and post to the hub's inbox, people record
and read over HTTP with tokens of the demo issuer. The stage knows no story.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from hub.api.demo_issuer import demo_issuer

LONDON = ZoneInfo("Europe/London")
OFFICERS = ("ada.registrar", "quill.registrar")
READY_S = 30
AUDIENCE = "safeguarding-hub"


class StageFault(RuntimeError):
    """Something on the stage did not do what the story needs; the message names the command and its words."""


@dataclass(frozen=True)
class Feed:
    """One agency system's feed: which adapter, under which source, for which service."""

    agency: str
    source: str
    service: Mapping[str, str]
    """urn, name and kind."""
    extra: str = ""
    """The agency's own part of its `adapter.toml`."""
    partnership: str = ""
    """Another partnership's URN, where this feed is set up wrongly."""
    shared_by: str = ""
    """A person who chose to send all that this feed reads; nobody: the adapter's rules say what leaves."""


@dataclass
class Stage:
    """A hub and its feeds in one folder."""

    folder: Path
    partnership: str
    area: str
    services: Mapping[str, Mapping[str, str]]
    feeds: Mapping[str, Feed]
    port: int = 0
    _hub: subprocess.Popen[bytes] | None = None
    _client: httpx.Client | None = None
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = self.folder / "clock"
        self.home = self.folder / "hub"
        self.port = self.port or free_port()
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("HUB_", "ADAPTER_"))}
        self.environment = plain | {
            "HUB_HOME": str(self.home), "HUB_DEMO": "1", "HUB_DEMO_CLOCK": str(self.clock), "HUB_PORT": str(self.port),
            "ADAPTER_DEMO": "1", "ADAPTER_DEMO_CLOCK": str(self.clock), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    @property
    def url(self) -> str:
        """Where the hub answers."""
        return f"http://127.0.0.1:{self.port}"

    def set_clock(self, at: datetime) -> None:
        """Put the one clock of hub, adapters and people's door; it stands there until it is put again."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(at.astimezone(UTC).isoformat())
        fresh.replace(self.clock)
        self._tokens.clear()

    def build(self) -> None:
        """Make the hub and every feed's home, and register their keys."""
        officers = [word for name in OFFICERS for word in ("--officer", name)]
        self.hub("init", "--partnership", self.partnership, "--area", self.area, *officers)
        (self.home / "services.json").write_text(json.dumps(self.services, indent=1))
        receipt_key = self.folder / "hub-receipt.jwk"
        receipt_key.write_text(self.hub("keys", "receipt"))
        for name in self.feeds:
            self._build_feed(name, receipt_key)

    def start(self) -> None:
        """Start `hub serve` and wait until it is ready."""
        with (self.folder / "hub.log").open("ab") as log:
            command = [sys.executable, "-m", "hub", "serve"]
            self._hub = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)  # noqa: S603
        self._client = httpx.Client(base_url=self.url, timeout=30)
        wait_until_ready(self._hub, self.url, "hub.log")

    def stop(self) -> None:
        """End the hub; it can be started again."""
        if self._client:
            self._client.close()
        if self._hub:
            end_process(self._hub)
            self._hub = None

    def end(self) -> None:
        """End everything that the stage started; nothing is left running."""
        self.stop()

    def describe_way(self) -> list[str]:
        """What `keys init` is told of the way by which records leave; nothing: over HTTPS alone."""
        return []

    def hub(self, *words: str) -> str:
        """Run one `hub` command; gives its stdout."""
        return self._run([sys.executable, "-m", "hub", *words])

    def hub_lines(self, *words: str) -> list[dict[str, Any]]:
        """Run one `hub` command; gives its JSON lines."""
        return [json.loads(line) for line in self.hub(*words).splitlines()]

    def feed(self, name: str, files: Sequence[Path], *, choice: Sequence[str] = (), well: bool = True) -> str:
        """Put native files into a feed's folder and run its adapter once, until every record has its receipt."""
        folder = self.folder / name / "in"
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, folder / file.name)
        return self._adapter(name, "once", str(folder), *choice, well=well)

    def send_held_back(self, name: str, record: str, by: str, reason: str) -> None:
        """A person chooses to send what a feed's adapter held back."""
        self._adapter(name, "send", record, "--by", by, "--reason", reason)

    def collect(self, name: str, at_least: int = 0) -> list[dict[str, Any]]:
        """A feed's adapter asks the hub what there is for it, until so many came; gives its notices. What tells
        agencies runs beside admission: the clock is to stand until then."""
        deadline = time.monotonic() + READY_S
        while True:
            self.feed(name, ())
            if len(found := self.notices(name)) >= at_least:
                return found
            if time.monotonic() > deadline:
                raise StageFault(f"{name} was told {len(found)} times, not {at_least}")

    def notices(self, name: str) -> list[dict[str, Any]]:
        """What the hub told a feed's agency, as its adapter lists it."""
        return [json.loads(line) for line in self._adapter(name, "notices", "--json").splitlines()]

    def open_notice(self, name: str, notice: str, by: str, child: str = "") -> dict[str, Any]:
        """A person of an agency opens a notice, or says which child of their own system it is about."""
        words = ("notices", "open", notice, "--by", by, *(("--child", child) if child else ()))
        opened: dict[str, Any] = json.loads(self._adapter(name, *words))
        return opened

    def heartbeats(self, names: Sequence[str]) -> None:
        """The adapters of these feeds tell the hub that they live, a few at a time."""
        feeds = ((name, self.feeds[name].agency) for name in names)
        commands = [
            [sys.executable, "-m", f"adapters.{agency}", "--home", str(self.folder / name), "heartbeat"]
            for name, agency in feeds
        ]
        with ThreadPoolExecutor(os.cpu_count()) as side_by_side:
            list(side_by_side.map(self._run, commands))

    def sources(self) -> list[dict[str, Any]]:
        """What the hub's operator is told of every source; a silent one is a fault found."""
        listed = self._run([sys.executable, "-m", "hub", "sources"], well=False)
        return [json.loads(line) for line in listed.splitlines()]

    def status(self, name: str) -> dict[str, Any]:
        """What a feed's adapter says of itself."""
        found: dict[str, Any] = json.loads(self._adapter(name, "status", "--json"))
        return found

    def _adapter(self, name: str, *words: str, well: bool = True) -> str:
        module, home = f"adapters.{self.feeds[name].agency}", str(self.folder / name)
        return self._run([sys.executable, "-m", module, "--home", home, *words], well=well)

    def record(self, person: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A person records something at the people's door."""
        answer = self.client.post("/casework", json=entry, headers=self._bearer(person))
        if answer.status_code not in (200, 201):
            raise StageFault(f"{entry.get('event')} by {person}: {answer.status_code} {answer.text}")
        done: dict[str, Any] = answer.json()
        return done

    def settle(self, person: str, decision: str, child: str, other: str, reason: str) -> dict[str, Any]:
        """A steward settles who is who."""
        body = {"decision": decision, "child": child, "other": other, "reason": reason}
        answer = self.client.post("/casework/identity", json=body, headers=self._bearer(person))
        if answer.status_code not in (200, 201):
            raise StageFault(f"identity by {person}: {answer.status_code} {answer.text}")
        done: dict[str, Any] = answer.json()
        return done

    def ask(self, person: str, child: str, purpose: str, **query: str) -> httpx.Response:
        """A person asks for a chronology; whatever comes back."""
        parameters = {"purpose": purpose, **query}
        return self.client.get(f"/children/{child}/chronology", params=parameters, headers=self._bearer(person))

    def get(self, person: str, path: str) -> httpx.Response:
        """A person asks for anything else; whatever comes back."""
        return self.client.get(path, headers=self._bearer(person))

    def post(self, person: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """A person sends anything else; whatever comes back."""
        return self.client.post(path, json=body, headers=self._bearer(person))

    def read(self, person: str, child: str, purpose: str, **query: str) -> dict[str, Any]:
        """A person reads a child's whole chronology, page after page."""
        whole: dict[str, Any] = {}
        while True:
            answer = self.ask(person, child, purpose, **query)
            if answer.status_code != 200:
                raise StageFault(f"reading by {person} for {purpose}: {answer.status_code} {answer.text}")
            page = answer.json()
            whole = page if not whole else {**whole, "entries": whole["entries"] + page["entries"]}
            if "next" not in page:
                whole.pop("next", None)
                return whole
            query["cursor"] = page["next"]

    @property
    def client(self) -> httpx.Client:
        """The HTTP client of people."""
        if self._client is None:
            raise StageFault("the hub is not started")
        return self._client

    def _bearer(self, person: str) -> dict[str, str]:
        key = person, self.clock.read_text()
        if key not in self._tokens:
            self._tokens[key] = demo_issuer(self.home, self._now).token(person, AUDIENCE)
        return {"Authorization": f"Bearer {self._tokens[key]}"}

    def _now(self) -> datetime:
        return datetime.fromisoformat(self.clock.read_text())

    def _build_feed(self, name: str, receipt_key: Path) -> None:
        feed, home = self.feeds[name], self.folder / name
        urn = f"urn:safeguarding:hub:{self.partnership.rsplit(':', 1)[-1]}"
        request = self._run(
            [
                sys.executable, "-m", f"adapters.{feed.agency}", "--home", str(home), "keys", "init", "--hub", urn,
                "--source", feed.source, "--partnership", feed.partnership or self.partnership,
                "--service", feed.service["urn"], "--service-name", feed.service["name"],
                "--service-kind", feed.service["kind"], "--url", self.url,
                "--receipt-key", str(receipt_key), *self.describe_way(),
            ]
        )  # fmt: skip
        settings = home / "adapter.toml"
        told = settings.read_text() + (f"\n{feed.extra}" if feed.extra else "")
        if feed.shared_by:
            chosen = f'shared_by = {{ person = "{feed.shared_by}", decided = "2024-01-01" }}'
            told = told.replace("[relevance]\n", f"[relevance]\n{chosen}\n")
        settings.write_text(told)
        path = home / "request.json"
        path.write_text(request)
        self.hub("keys", "add", str(path), "--as", OFFICERS[0], "--as", OFFICERS[1])

    def _run(self, command: Sequence[str], *, well: bool = True) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)  # noqa: S603
        if well and done.returncode != 0:
            raise StageFault(f"{' '.join(command[2:])}: exit {done.returncode}\n{done.stderr}{done.stdout}")
        return done.stdout


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: str) -> None:
    """Wait until a process says at its address that it is ready. Errors: `StageFault`, which names its log."""
    deadline = time.monotonic() + READY_S
    with httpx.Client(base_url=url, timeout=READY_S) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if client.get("/health/ready").status_code == 200:
                    return
            time.sleep(0.05)
    raise StageFault(f"the hub did not become ready; its words are in {log}")


def end_process(process: subprocess.Popen[bytes], within_s: float = 20) -> None:
    """Ask a process to end, and kill it when it does not."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """One below those that systems hand out by themselves, so that nobody takes it while the hub is down."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
