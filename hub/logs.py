"""How log lines are written: words for a terminal, or one JSON object a line for a collector.

Ids and reasons only, by the manners of whoever logs. What an exception says may quote what it stumbled over, so of an
exception only its kind is written. What is said again and again is written once a minute: a server that is away for a
night fills no disk.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

AGAIN_S = 60.0
MOST_LINES = 1_000
"""So many lines are remembered before all are forgotten."""
TEXT = "%(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "message"}`, and `fault`, the kind of an exception, where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        if record.exc_info and record.exc_info[0]:
            said["fault"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=False)


class Words(logging.Formatter):
    """The level, the logger, the message, and of an exception its kind."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatException(self, exc_info: object) -> str:
        """Its kind."""
        kind = exc_info[0] if isinstance(exc_info, tuple) else None
        return f"fault={kind.__name__}" if kind else ""


class Seldom(logging.Filter):
    """Lets a line pass that was not written within the last minute. Of a library the same words with other numbers are
    the same line: it tells of every try."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._written: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it to be written?"""
        ours = record.name.partition(".")[0] == "hub"
        line, now = (record.name, record.getMessage() if ours else str(record.msg)), self._seconds()
        if now - self._written.get(line, -AGAIN_S) < AGAIN_S:
            return False
        if len(self._written) >= MOST_LINES:
            self._written.clear()
        self._written[line] = now
        return True


def log_to_stderr(form: str = "text") -> None:
    """Warnings and worse go to stderr in this form, `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Words())
    handler.addFilter(Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def announce(words: str, form: str = "text") -> None:
    """Tell whoever started a process that it runs, in the form of its log lines."""
    if form == "json":
        record = logging.getLogger("hub").makeRecord("hub", logging.INFO, "", 0, words, (), None)
        sys.stderr.write(JsonLines().format(record) + "\n")
    else:
        sys.stderr.write(f"hub: {words}\n")
