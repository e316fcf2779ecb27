"""Processes of a run, by name: started, stopped and killed here, and no other process is ever touched."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

ENDS_WITHIN_S = 20


class Processes:
    """Each runs `python WORDS` with its words going to NAME.log in the folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.killed: Counter[str] = Counter()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *words: str, **more: str) -> None:
        """Start it; `more` is environment of its own."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603
                [sys.executable, *words], env={**self.environment, **more}, stdout=log, stderr=log
            )

    def run(self, name: str, *words: str, within_s: float = 120) -> int:
        """Start it and wait for its end; gives its exit code."""
        self.start(name, *words)
        return self._running[name].wait(timeout=within_s)

    def lives(self, name: str) -> bool:
        """Does it run, or stand still?"""
        process = self._running.get(name)
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self._running[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.killed[name] += 1

    def pause(self, name: str) -> None:
        """SIGSTOP: it holds what it holds and does nothing."""
        self._running[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._running[name].send_signal(signal.SIGCONT)

    def end(self, *names: str) -> None:
        """Ask these, or all, to end; who does not is killed."""
        ending = [self._running.pop(name) for name in names or list(self._running) if name in self._running]
        for process in ending:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in ending:
            try:
                process.wait(timeout=ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def last_words(self, name: str) -> str:
        """The end of its log."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]

    def running(self) -> Sequence[str]:
        """The names of those that live."""
        return [name for name in self._running if self.lives(name)]
