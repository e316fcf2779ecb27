"""What an operator can watch: numbers in the Prometheus form, and whether the process lives and is ready.

A small port of its own, on loopback, for whoever scrapes the machine. Labels are sources' URNs and reason codes; no
event, child or person ever becomes a label. Nothing here decides anything.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

LOG = logging.getLogger("hub.watch")
LOOPBACK = "127.0.0.1"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BATCHES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
Check = Callable[[], bool]


class Watch:
    """The numbers of one process, from its start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        more: Any = {"registry": self.registry}
        self._records = Counter(
            "hub_records", "Records answered, by outcome and reason", ["source", "outcome", "reason"], **more
        )
        self._batch = Histogram("hub_batch_records", "Records in one transaction", buckets=BATCHES, **more)
        self._append = Histogram("hub_append_seconds", "Time of one transaction", buckets=SECONDS, **more)
        self._retries = Counter("hub_append_retries", "Batches decided again: another writer was faster", **more)
        self._lag = Gauge("hub_feed_lag_records", "Records in a source's topic that are not read", ["source"], **more)
        self._restarts = Counter(
            "hub_feed_restarts", "Topics read from their beginning again, and why", ["source", "why"], **more
        )
        self._faults = Counter("hub_feed_faults", "What kept reading or answering waiting", ["fault"], **more)
        self._relayed = Counter("hub_receipts_relayed", "Receipts published on sources' topics", ["source"], **more)
        self._oldest = Gauge(
            "hub_receipts_oldest_outstanding_seconds", "Age of a source's oldest receipt that is not published",
            ["source"], **more,
        )  # fmt: skip

        self._heard = Gauge("hub_source_heard_seconds", "Since a source's last heartbeat", ["source"], **more)
        self._silent = Gauge("hub_source_silent", "1: silent against its own rhythm", ["source"], **more)
        self._gaps = Gauge("hub_source_gaps", "1: numbers of its sequence never came", ["source"], **more)

    def heard(self, source: str, seconds: float | None, *, silent: bool, gaps: bool) -> None:
        """Seconds since a source was last heard; None: never, which shows as not a number."""
        self._heard.labels(source).set(float("nan") if seconds is None else seconds)
        self._silent.labels(source).set(silent)
        self._gaps.labels(source).set(gaps)

    def answered(self, source: str, ends: Sequence[tuple[str, str]]) -> None:
        """Records of a source have their ends: outcome and reason of each."""
        for (outcome, reason), count in Tally(ends).items():
            self._records.labels(source, outcome, reason).inc(count)

    def appended(self, records: int, seconds: float) -> None:
        """One transaction was committed."""
        self._batch.observe(records)
        self._append.observe(seconds)

    def retried(self) -> None:
        """Another writer was faster."""
        self._retries.inc()

    def lag(self, source: str, records: int) -> None:
        """How far a source's topic is ahead of what was read."""
        self._lag.labels(source).set(records)

    def restarted(self, source: str, why: str) -> None:
        """A topic is read from its beginning."""
        self._restarts.labels(source, why).inc()

    def fault(self, code: str) -> None:
        """Something kept the feed or the relay waiting."""
        self._faults.labels(code).inc()

    def relayed(self, source: str, receipts: int) -> None:
        """So many receipts were published."""
        self._relayed.labels(source).inc(receipts)

    def outstanding(self, source: str, seconds: float) -> None:
        """Age of the oldest receipt that its source was not sent; 0: none."""
        self._oldest.labels(source).set(seconds)

    def forget(self, source: str) -> None:
        """Another process reads and answers this source: our last words about it would be stale."""
        for gauge in (self._lag, self._oldest):
            with suppress(KeyError):
                gauge.remove(source)

    def text(self) -> bytes:
        """Every number in the Prometheus text form."""
        return generate_latest(self.registry)


class NoPort(Exception):
    """The port for metrics cannot be listened on now; the message names it and says what to do."""


@contextmanager
def port(watch: Watch, number: int, *, live: Sequence[Check], ready: Sequence[Check]) -> Iterator[int]:
    """While it lasts, a small server on loopback: `/metrics`, `/health/live`, `/health/ready`; gives its port.

    `number` 0 is no server: ask for one with a setting. Errors: `NoPort`.
    """
    if not number:
        yield 0
        return
    pages: dict[str, Page] = {
        "/metrics": lambda: (200, CONTENT_TYPE_PLAIN_0_0_4, watch.text()),
        "/health/live": lambda: _health("live", live),
        "/health/ready": lambda: _health("ready", ready),
    }
    try:
        server = ThreadingHTTPServer((LOOPBACK, number), _handler(pages))
    except OSError as fault:
        why = fault.strerror
        raise NoPort(f"cannot listen on {LOOPBACK}:{number} ({why}); set HUB_METRICS_PORT to another") from fault
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="watch", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


Page = Callable[[], tuple[int, str, bytes]]


def _handler(pages: dict[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            page = pages.get(self.path)
            status, kind, body = page() if page else (404, "text/plain", b"")
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Who scrapes is of no interest."""

    return Handler


def _name(check: Check) -> str:
    """An operator reads the log: a check is called by its function's name."""
    return getattr(check, "__name__", "unnamed")


def _health(of: str, checks: Sequence[Check]) -> tuple[int, str, bytes]:
    """Outsiders learn ok or not ok; the log learns which check it was."""
    for check in checks:
        try:
            holds = check()
        except Exception as fault:  # a check that fails in any way is a check that does not hold
            LOG.error("not %s: check %s, %s", of, _name(check), type(fault).__name__)
            holds = False
        if not holds:
            LOG.warning("not %s: check %s", of, _name(check))
            return 503, "application/json", b'{"status":"not-ok"}'
    return 200, "application/json", b'{"status":"ok"}'
