"""The issuer's public keys: fetched in the background, the last good set kept, an unknown name worth one fetch in 30 s.

A token never waits for a fetch: while the issuer is slow or away, tokens under known keys pass and others are refused.
Which keys of a set are taken is `hub.api.auth`'s part.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LOG = logging.getLogger("hub.api")
COOL_DOWN_S = 30
"""Least time between two fetches, seconds."""
REFRESH_S = 300
"""Age at which a set is fetched anew, seconds: a key that the issuer withdrew is not trusted for longer."""
FETCH_TIMEOUT_S = 5
SET_LIMIT = 256 * 1024


class KeysAway(Exception):
    """No set of keys was ever had: nobody's token can be judged."""


class SetRefused(ValueError):
    """A set of keys that is not taken; the text names the rule."""


class FetchFailed(OSError):
    """The set could not be fetched; the text names the kind of fault."""


class IssuerKeys:
    """The current set. `fetch` gives its bytes, `read` the keys in them by name; `start` runs a call elsewhere."""

    def __init__(
        self, fetch: Callable[[], bytes], read: Callable[[bytes], Mapping[str, Any]], *,
        seconds: Callable[[], float] = time.monotonic, start: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:  # fmt: skip
        self._fetch, self._read, self._seconds = fetch, read, seconds
        self._start = start or _in_background
        self._keys: Mapping[str, Any] = {}
        self._tried = self._had = float("-inf")
        self._busy = False
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Is there a set to judge tokens by? For the readiness check."""
        return bool(self._keys)

    def load(self) -> None:
        """Fetch now, at the start. Errors: `FetchFailed`, `SetRefused`."""
        self._tried = self._seconds()
        self._take()

    def find(self, kid: str) -> Any | None:
        """The key of this name, at once. Errors: `KeysAway`."""
        key = self._keys.get(kid)
        if key is None or self._seconds() - self._had > REFRESH_S:
            self._ask()
        if not self._keys:
            raise KeysAway
        return key

    def _ask(self) -> None:
        with self._lock:
            now = self._seconds()
            if self._busy or now - self._tried < COOL_DOWN_S:
                return
            self._busy, self._tried = True, now
        self._start(self._refresh)

    def _refresh(self) -> None:
        try:
            self._take()
        except (FetchFailed, SetRefused) as fault:
            LOG.error("the issuer's keys were not renewed: %s", fault)
        finally:
            self._busy = False

    def _take(self) -> None:
        self._keys = self._read(self._fetch())
        self._had = self._seconds()


def fetcher(where: str) -> Callable[[], bytes]:
    """How to get a set: from a file, or an https address without redirects. Errors: `SetRefused` for another scheme."""
    if where.startswith("https://"):
        return lambda: _from_address(where)
    if "://" in where or not where:
        raise SetRefused("the issuer's keys are in a file or at an https address")
    return lambda: _from_file(Path(where))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **named: Any) -> None:
        """No answer but from the configured address itself."""


def _from_address(address: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(address, timeout=FETCH_TIMEOUT_S) as answer:
            raw: bytes = answer.read(SET_LIMIT + 1)
            return raw
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise FetchFailed(type(fault).__name__) from None


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SET_LIMIT + 1)
    except OSError as fault:
        raise FetchFailed(type(fault).__name__) from None


def _in_background(call: Callable[[], None]) -> None:
    threading.Thread(target=call, name="issuer-keys", daemon=True).start()
