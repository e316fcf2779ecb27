"""Keeps writing what agencies must be told, beside whatever else a process of the hub does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hub.bootstrap import Hub

LOG = logging.getLogger("hub.notifying")
TELL_EVERY_S = 1.0


def keep_telling(hub: Hub, wait: Callable[[float], bool]) -> None:
    """Write what agencies must be told, until `wait` says that it is over. A thread of its own: a whole child is read
    for it, and no receipt and no reader waits for that, nor for a notice that cannot be written."""
    while not wait(TELL_EVERY_S):
        try:
            hub.notices.follow()
        except Exception as fault:  # one of the loops that must not die
            LOG.error("notices wait: fault=%s", type(fault).__name__)
            hub.watch.fault(type(fault).__name__)
