"""The local journal: where an access is noted while the record cannot be written, so that a child's reader is answered.

One file in the hub's home, each line a JWS of the receipt key over its number, the digest of the line before it and the
note, which is encrypted as it would be in the record. On disk before the answer goes out. Brought into the access
stream in order, once, as soon as that can be written again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from hub.store.keys import KeyAway
from hub.store.sealing import open_bytes, seal_bytes
from schemas import compact
from schemas.envelope import KeyEntry, Refused, SigningKey
from schemas.strict import NotStrict, b64url_decode, b64url_encode

TYP = "sg-access-journal+jws"


class JournalDamaged(Exception):
    """From this line on, which the argument counts from 1, the journal is not what was written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One note as it stands in the journal."""

    at: str
    topic: str
    data: Mapping[str, Any]
    digest: str
    """SHA-256 of the line, hex: what the record keeps of it."""


class Journal:
    """One hub's journal. Safe between threads and processes. Errors: `OSError`."""

    def __init__(self, path: Path, key: Callable[[], SigningKey], secret: bytes) -> None:
        """`key` signs; `secret` (32 bytes) encrypts what a line notes."""
        self.path, self.key, self.secret = path, key, secret
        self._attempt = path.with_name(f"{path.name}.attempt")
        self._last = 0, 0, ""
        """Size of the file after our last line, that line's number and its digest."""

    def holds_any(self) -> bool:
        """Does anything wait to be brought into the record?"""
        try:
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def add(self, at: str, notes: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """These notes (topic and data) more, on disk when this returns; what did not get there whole is taken off.

        Gives the digest of each line: what the record will keep of it.
        """
        with self._locked() as file:
            end, number, before = self._find_end(file)
            written, digests = b"", []
            for topic, data in notes:
                number += 1
                line = self._line(number, before, at, topic, data)
                written, before = written + line + b"\n", hashlib.sha256(line).hexdigest()
                digests.append(before)
            try:
                os.ftruncate(file, end)  # what a process that died left of a line that nobody was answered on
                if os.pwrite(file, written, end) < len(written):
                    raise OSError(errno.ENOSPC, "the line was not taken whole")
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)
                raise
            self._last = end + len(written), number, before
            return digests

    def lines(self) -> list[Line]:
        """What waits, in order, as far as it is what was written."""
        lines: list[Line] = []
        if self.holds_any():
            with self._locked() as file, suppress(JournalDamaged):
                lines.extend(self._opened(_whole(_read(file))))
        return lines

    def bring_in(self, record: Callable[[Sequence[Line]], None]) -> None:
        """Give what waits to `record`, which returns when it is recorded; then it waits no more.

        What was altered since it was written is given up to the first altered line, and the file is laid aside, never
        deleted. Errors: `JournalDamaged`, after that.
        """
        with self._locked() as file:
            lines: list[Line] = []
            try:
                lines.extend(self._opened(_whole(_read(file))))
            except JournalDamaged:
                record(lines)
                self.path.rename(self.path.with_name(f"{self.path.name}.damaged-{os.urandom(4).hex()}"))
                raise
            record(lines)
            os.ftruncate(file, 0)
            os.fsync(file)
            self._attempt.unlink(missing_ok=True)

    def attempt(self, place: int) -> None:
        """About to be recorded from this place of the access stream on."""
        with open(os.open(self._attempt, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(str(place))
            file.flush()
            os.fsync(file.fileno())

    def attempted(self) -> int:
        """Where the last attempt began that nobody knows the end of; 0 where there is none."""
        try:
            return int(self._attempt.read_text() or 0)
        except FileNotFoundError:
            return 0

    def _find_end(self, file: int) -> tuple[int, int, str]:
        """(where the next line begins, number and digest of the one before it)."""
        end, _, digest = self._last
        if 0 < end == os.fstat(file).st_size and _digest_of_last(file, end) == digest:
            return self._last
        written = _whole(_read(file))
        last = hashlib.sha256(written[-1]).hexdigest() if written else ""
        return sum(len(line) + 1 for line in written), len(written), last

    def _line(self, number: int, before: str, at: str, topic: str, data: Mapping[str, Any]) -> bytes:
        place = f"{number} {at} {topic}".encode()
        sealed = b64url_encode(seal_bytes(self.secret, orjson.dumps(data), place)).decode()
        said = {"number": number, "before": before, "at": at, "topic": topic, "sealed": sealed}
        return compact.sign(orjson.dumps(said), self.key(), TYP).encode()

    def _opened(self, written: Sequence[bytes]) -> Iterator[Line]:
        own = KeyEntry.from_jwk(self.key().public_jwk(), source="", purpose="receipt")
        before = ""
        for number, line in enumerate(written, 1):
            try:
                parts = compact.split(line.decode(), TYP)
                compact.check_signature(parts, own)
                said = orjson.loads(parts.payload)
                if (said["number"], said["before"]) != (number, before):
                    raise JournalDamaged(number)
                place = f"{number} {said['at']} {said['topic']}".encode()
                data = orjson.loads(open_bytes(self.secret, b64url_decode(said["sealed"].encode()), place))
            except (Refused, KeyAway, NotStrict, ValueError, KeyError) as fault:
                raise JournalDamaged(number) from fault
            before = hashlib.sha256(line).hexdigest()
            yield Line(said["at"], said["topic"], data, before)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        file = self._open_locked()
        while not _is_at(file, self.path):  # laid aside while we waited for it
            os.close(file)
            file = self._open_locked()
        try:
            yield file
        finally:
            os.close(file)

    def _open_locked(self) -> int:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _read(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _digest_of_last(file: int, end: int) -> str:
    """Another process may have emptied the file and filled it to the same size."""
    return hashlib.sha256(_read(file)[:end].split(b"\n")[-2]).hexdigest()


def _whole(written: bytes) -> list[bytes]:
    """The lines that were written to their end."""
    return written.split(b"\n")[:-1]
