"""Words to standard error while long input is read and sent: counts only, never content."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

ON_A_TERMINAL_S = 0.5
ELSEWHERE_S = 30.0


@dataclass
class Progress:
    """Says how far it is, often on a terminal, rarely in a log, and not at all when it is soon over."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    monotonic: Callable[[], float] = time.monotonic
    _said: float = -1.0
    _line_open: bool = False

    def count(self, read: int, sealed: int, sent: int = 0) -> None:
        """So many records read, events sealed, records sent with a receipt."""
        now = self.monotonic()
        if self._said < 0:
            self._said = now
        terminal = self.out.isatty()
        if now - self._said < (ON_A_TERMINAL_S if terminal else ELSEWHERE_S):
            return
        self._said = now
        line = f"{read} records read, {sealed} events sealed, {sent} sent"
        self.out.write(f"\r{line}" if terminal else f"{line}\n")
        self._line_open = terminal
        self.out.flush()

    def say_file(self, name: str, records: int) -> None:
        """A file was read to its end (only its name and size are said)."""
        if self._line_open:
            self.say(f"{name}: {records} records")

    def say(self, words: str) -> None:
        """One line."""
        if self._line_open:
            self.out.write("\n")
            self._line_open = False
        self.out.write(f"{words}\n")
        self.out.flush()
