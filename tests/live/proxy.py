"""A TCP proxy on loopback that cuts connections on command: all of them now, or one at a word or after some bytes.

It looks at what clients say and changes nothing of it. A connection is cut as a broken line is, without a goodbye.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

HOST = "127.0.0.1"
PIECE = 64 * 1024
WAIT_S = 10
GONE = (ConnectionError, OSError)
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset."""
T = TypeVar("T")


@dataclass
class _Trap:
    """Cuts one connection: the first whose client says the word, or has said so many bytes since it was set."""

    word: bytes = b""
    left: int = 0
    delivered: bool = False
    """Whether what sprang the trap still reaches the server, whose answer is then lost."""
    sprung: threading.Event = field(default_factory=threading.Event)

    def springs(self, said: bytes, names: set[bytes]) -> bool:
        """Is this it? `names` stand for the word on this connection."""
        if self.word:
            return self.word in said or any(name in said for name in names)
        self.left -= len(said)
        return self.left < 0


class Proxy:
    """Listens on `port` and carries to `to`, from `with` to its end. Safe to command from any thread.

    `alias` finds where a client gives the word of a trap a name, its first group, which it says instead from then on.
    """

    def __init__(self, to: int, port: int = 0, alias: bytes = rb"(?!)") -> None:
        self.to, self.port, self.cuts = to, port, 0
        self._alias = re.compile(alias, re.DOTALL)
        self._trap: _Trap | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carried: set[asyncio.Task[Any] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._carry, HOST, self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=WAIT_S)
        self._loop.close()

    def cut(self) -> int:
        """Cut every connection now; gives how many there were."""
        return self._do(self._cut_all())

    def cut_at(self, word: bytes, *, delivered: bool) -> threading.Event:
        """Cut the next connection whose client says this word: before it arrives, or before its answer comes back.

        Gives what is set when it has happened.
        """
        return self._set(_Trap(word=word, delivered=delivered))

    def cut_after(self, size: int) -> threading.Event:
        """Cut the connection whose client says the byte that is so many bytes away."""
        return self._set(_Trap(left=size))

    def disarm(self) -> None:
        """Cut nothing by itself any more."""
        self._trap = None

    # -- carrying

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carried.add(task := asyncio.current_task())
        try:
            await self._carry_both(reader, writer)
        finally:
            self._carried.discard(task)

    async def _carry_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.to)
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, far_writer}
        try:
            ways = (self._say(reader, far_writer, writer), self._hear(far_reader, writer))
            done, left = await asyncio.wait([asyncio.create_task(w) for w in ways], return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*done, *left, return_exceptions=True)
        finally:
            self._open -= {writer, far_writer}
            for one in (writer, far_writer):
                one.close()

    async def _say(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, near: asyncio.StreamWriter) -> None:
        names: set[bytes] = set()
        with contextlib.suppress(*GONE):
            while said := await reader.read(PIECE):
                names |= {b"\0" + found + b"\0" for found in self._alias.findall(said)}
                trap = self._trap
                if trap is not None and trap.springs(said, names):
                    self._trap = None
                    await self._spring(trap, said, far, near)
                    return
                far.write(said)
                await far.drain()

    async def _spring(self, trap: _Trap, said: bytes, far: asyncio.StreamWriter, near: asyncio.StreamWriter) -> None:
        """The near side is reset at once; the far side hears what it is to hear and then the end of the line."""
        _reset(near)
        self.cuts += 1
        trap.sprung.set()
        if trap.delivered:
            far.write(said)
            await far.drain()
        else:
            _reset(far)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*GONE):
            while heard := await reader.read(PIECE):
                writer.write(heard)
                await writer.drain()

    async def _cut_all(self) -> int:
        cut = len(self._open) // 2
        for writer in self._open:
            _reset(writer)
        self.cuts += cut
        return cut

    async def _end(self) -> None:
        self._server.close()
        await self._cut_all()
        while self._carried:
            await asyncio.sleep(0)
        await self._server.wait_closed()

    def _set(self, trap: _Trap) -> threading.Event:
        self._trap = trap
        return trap.sprung

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=WAIT_S)


def _reset(writer: asyncio.StreamWriter) -> None:
    line: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
