"""How log lines are written: words for a terminal, or one JSON object a line for a collector.

Ids and reasons only, by the manners of whoever logs. What an exception says may quote what it stumbled over, so of an
exception only its kind is written.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

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


def log_to_stderr(form: str = "text") -> None:
    """Warnings and worse go to stderr in this form, `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Words())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def announce(words: str, form: str = "text") -> None:
    """Tell whoever started a process that it runs, in the form of its log lines."""
    if form == "json":
        record = logging.getLogger("hub").makeRecord("hub", logging.INFO, "", 0, words, (), None)
        sys.stderr.write(JsonLines().format(record) + "\n")
    else:
        sys.stderr.write(f"hub: {words}\n")
