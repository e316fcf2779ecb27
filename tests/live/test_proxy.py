"""The proxy carries faithfully until it is told to cut, and cuts where it was told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.live.proxy import HOST, Proxy

WAIT_S = 5


class Listener:
    """Keeps what it is told on each connection and answers in capitals."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = threading.Semaphore(0)
        self._door = socket.create_server((HOST, 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        number = len(self.heard)
        self.heard.append(b"")
        with line:
            try:
                while said := line.recv(1000):
                    self.heard[number] += said
                    line.sendall(said.upper())
            except OSError:
                pass
        self.ended.release()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)  # or who waits to accept would accept once more
        self._door.close()


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, proxy.port), timeout=WAIT_S) as line:
        yield line


def ask(line: socket.socket, words: bytes) -> bytes:
    """The answer; "" where the line was cut."""
    try:
        line.sendall(words)
        return line.recv(1000)
    except ConnectionError:
        return b""


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    with suppress(OSError):
        made.close()


@pytest.fixture
def proxy(listener: Listener) -> Iterator[Proxy]:
    with Proxy(listener.port) as made:
        yield made


def test_what_is_said_and_answered_passes(proxy: Proxy) -> None:
    with connected(proxy) as line:
        assert ask(line, b"good day") == b"GOOD DAY"
        assert ask(line, b"again") == b"AGAIN"


def test_every_connection_is_cut_now_and_a_new_one_is_carried(proxy: Proxy) -> None:
    with connected(proxy) as one, connected(proxy) as two:
        assert ask(one, b"a") == ask(two, b"a") == b"A"
        assert proxy.cut() == 2
        assert ask(one, b"b") == ask(two, b"b") == b""
    with connected(proxy) as fresh:
        assert ask(fresh, b"c") == b"C"


@pytest.mark.parametrize(("delivered", "heard"), [(False, b"begin; "), (True, b"begin; commit")])
def test_a_word_cuts_its_connection_before_it_arrives_or_before_its_answer(
    proxy: Proxy, listener: Listener, delivered: bool, heard: bytes
) -> None:
    with connected(proxy) as line, connected(proxy) as other:
        assert ask(line, b"begin; ") == b"BEGIN; "
        sprung = proxy.cut_at(b"commit", delivered=delivered)
        assert ask(other, b"nothing of the kind")
        assert ask(line, b"commit") == b""
        assert sprung.wait(WAIT_S)
        assert listener.ended.acquire(timeout=WAIT_S)
        assert listener.heard[0] == heard
        assert ask(other, b"commit") == b"COMMIT", "a trap springs once"
    assert proxy.cuts == 1


def test_a_name_that_was_given_to_the_word_cuts_its_connection_and_no_other(listener: Listener) -> None:
    with Proxy(listener.port, alias=rb"P(\w+)\0commit\0") as proxy, connected(proxy) as line, connected(proxy) as other:
        assert ask(line, b"Pseven\0commit\0")
        assert ask(other, b"Pseven\0begin\0")
        sprung = proxy.cut_at(b"commit", delivered=False)
        assert ask(other, b"B\0seven\0")
        assert ask(line, b"B\0eleven\0")
        assert not sprung.is_set()
        assert ask(line, b"B\0seven\0") == b""
        assert sprung.is_set()


def test_a_connection_is_cut_in_the_middle_of_what_it_says(proxy: Proxy) -> None:
    with connected(proxy) as line:
        sprung = proxy.cut_after(10)
        assert ask(line, b"12345678") == b"12345678"
        assert not sprung.is_set()
        assert ask(line, b"9 and on") == b""
        assert sprung.wait(WAIT_S)


def test_a_server_that_is_away_looks_like_a_cut_line(listener: Listener) -> None:
    listener.close()
    with Proxy(listener.port) as proxy, suppress(ConnectionResetError), connected(proxy) as line:
        assert ask(line, b"anybody?") == b""
