"""Pages of one answer: after redaction, with a cursor that holds the last entry shown and nothing else."""

from __future__ import annotations

import base64

from hub.disclosure.answer import Seen
from hub.store.sealing import open_token, seal_token


class BadCursor(ValueError):
    """The cursor is not one that this reader was given for this question."""


def page_of(listed: list[Seen], cursor: str, size: int, place: bytes, key: bytes) -> tuple[list[Seen], str]:
    """A page and the cursor of the next: sealed for this question (`place`), always in the same length.

    Errors: `BadCursor`.
    """
    start = 0
    if cursor:
        last = _opened(key, cursor, place)
        refs = [one.ref for one in listed]
        if last not in refs:
            raise BadCursor("not a cursor for this question")
        start = refs.index(last) + 1
    page = listed[start : start + size]
    if not page or start + size >= len(listed):
        return page, ""
    sealed = seal_token(key, page[-1].ref.encode(), place)
    return page, base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _opened(key: bytes, cursor: str, place: bytes) -> str:
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise BadCursor("not a cursor") from error
    plain = open_token(key, sealed, place)
    if plain is None:
        raise BadCursor("not a cursor for this question")
    return plain.decode()
