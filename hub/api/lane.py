"""One thread for all doors of a process: they share a record, a register and a view, and each call is short.

People never wait behind more than one batch of machines' records: machines take turns before they queue. A queue that
grows too long is refused, so that a caller knows at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hub.api.problems import Refusal

T = TypeVar("T")
WAITING_LIMIT = 256
RETRY_AFTER_S = "2"


class Lane:
    """Runs blocking calls of the doors, one at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="doors")
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def for_people(self, call: Callable[..., T], *args: Any, **named: Any) -> T:
        """Run a person's question as soon as the thread is free."""
        if self._waiting >= WAITING_LIMIT:
            raise Refusal("busy", headers={"Retry-After": RETRY_AFTER_S})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **named))
        finally:
            self._waiting -= 1

    async def for_machines(self, call: Callable[..., T], *args: Any) -> T:
        """Run a machine's call; only one of them stands in the queue at any time."""
        async with self._turn:
            return await self.for_people(call, *args)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()
