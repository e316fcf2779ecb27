"""Keys: one an event, wrapped by its stream's, wrapped by the root; durable before the facts that use them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.store import keys
from hub.store.keys import KeyAway, WrappedKeys
from hub.store.sealing import open_bytes, open_token, seal_bytes, seal_token
from hub.store.streams import IDENTITY

ROOT = b"r" * 32
CHILD = uuid.UUID("3f0c9f54-6f5e-4f0a-9d57-2f6b5f7f1a01")
OTHER = uuid.UUID("8a4b2e61-1f35-4c39-8b7e-52d0a6c4be02")


@pytest.fixture
def open_keys(store: Any) -> Callable[..., WrappedKeys]:
    """Opens the one key store of a test; called again it is another process's."""
    return lambda root=ROOT: WrappedKeys(store.open().keys, root)


@pytest.mark.parametrize("stream", [CHILD, IDENTITY])
def test_a_committed_key_is_found_again_by_another_process(
    open_keys: Callable[..., WrappedKeys], stream: uuid.UUID
) -> None:
    store = open_keys()
    key_id, key = store.new_event_key(stream)
    store.commit()
    assert store.event_key(stream, key_id) == open_keys().event_key(stream, key_id) == key


def test_before_its_commit_a_key_is_not_durable(open_keys: Callable[..., WrappedKeys]) -> None:
    key_id, _ = open_keys().new_event_key(CHILD)
    with pytest.raises(KeyAway):
        open_keys().event_key(CHILD, key_id)


def test_every_event_has_a_key_of_its_own(open_keys: Callable[..., WrappedKeys]) -> None:
    store = open_keys()
    assert len({store.new_event_key(CHILD) for _ in range(20)}) == 20


def test_one_childs_key_does_not_open_anothers_event_key(open_keys: Callable[..., WrappedKeys]) -> None:
    store = open_keys()
    key_id, _ = store.new_event_key(CHILD)
    store.new_event_key(OTHER)
    store.commit()
    with pytest.raises(KeyAway):
        store.event_key(OTHER, key_id)


def test_another_root_opens_nothing(open_keys: Callable[..., WrappedKeys]) -> None:
    store = open_keys()
    key_id, _ = store.new_event_key(CHILD)
    store.commit()
    with pytest.raises(KeyAway):
        open_keys(b"x" * 32).event_key(CHILD, key_id)


def test_a_missing_key_or_stream_is_said_so(open_keys: Callable[..., WrappedKeys]) -> None:
    with pytest.raises(KeyAway):
        open_keys().event_key(CHILD, "00" * 16)
    with pytest.raises(KeyAway):
        open_keys().derived_key(CHILD, "view")


def test_derived_keys_differ_by_use_and_by_child_and_come_out_the_same_again(
    open_keys: Callable[..., WrappedKeys],
) -> None:
    store = open_keys()
    for stream in (CHILD, OTHER):
        store.new_event_key(stream)
    store.commit()
    found = [store.derived_key(stream, use) for stream in (CHILD, OTHER) for use in ("view", "narrative")]
    assert len(set(found)) == 4
    assert open_keys().derived_key(CHILD, "view") == found[0]


def test_two_processes_agree_on_the_key_of_a_stream_that_both_write(open_keys: Callable[..., WrappedKeys]) -> None:
    one, other = open_keys(), open_keys()
    ids = [store.new_event_key(IDENTITY) for store in (one, other)]
    one.commit()
    other.commit()
    assert [open_keys().event_key(IDENTITY, key_id) for key_id, _ in ids] == [key for _, key in ids]


def test_a_commit_that_failed_can_be_made_again(
    open_keys: Callable[..., WrappedKeys], store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store.open()
    keys = WrappedKeys(opened.keys, ROOT)
    key_id, key = keys.new_event_key(CHILD)

    def away(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(type(opened.keys), "transaction", away)
        with pytest.raises(OSError, match="disk full"):
            keys.commit()
    keys.commit()
    assert open_keys().event_key(CHILD, key_id) == key


def test_a_commit_whose_answer_was_lost_can_be_made_again(
    open_keys: Callable[..., WrappedKeys], store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store.open()
    keys, commit = WrappedKeys(opened.keys, ROOT), type(opened.keys).transaction
    key_id, key = keys.new_event_key(CHILD)

    @contextmanager
    def lost(*own: Any, **how: Any) -> Iterator[Any]:
        with commit(*own, **how) as transaction:
            yield transaction
        raise OSError("connection reset")

    with monkeypatch.context() as broken:
        broken.setattr(type(opened.keys), "transaction", lost)
        with pytest.raises(OSError, match="connection reset"):
            keys.commit()
    keys.commit()
    assert open_keys().event_key(CHILD, key_id) == key


def test_keys_that_were_fetched_together_are_those_that_are_found_one_by_one(
    open_keys: Callable[..., WrappedKeys],
) -> None:
    store = open_keys()
    made = [(stream, *store.new_event_key(stream)) for stream in (CHILD, OTHER, CHILD, IDENTITY)]
    store.commit()
    wanted = [(stream, key_id) for stream, key_id, _ in made]
    strange = [(CHILD, "00" * 16), (uuid.uuid4(), wanted[0][1]), (OTHER, wanted[0][1])]
    assert open_keys().event_keys(wanted + strange) == [key for _, _, key in made] + [None] * 3
    assert open_keys().event_keys([]) == []
    assert [open_keys().event_key(*one) for one in wanted] == [key for _, _, key in made]


def test_all_keys_of_a_stream_are_found_whatever_order_their_ids_had_when_they_were_made(
    open_keys: Callable[..., WrappedKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_keys()
    with monkeypatch.context() as older:
        older.setattr(keys, "_first_id", lambda _: uuid.uuid4().hex[:8])
        made = [store.new_event_key(CHILD) for _ in range(3)]
    made += [store.new_event_key(CHILD) for _ in range(3)]
    store.new_event_key(OTHER)
    store.commit()
    wanted = [key_id for key_id, _ in made]
    assert open_keys().stream_keys(CHILD, [*wanted, "00" * 16]) == [key for _, key in made] + [None]
    assert open_keys().stream_keys(CHILD, []) == []
    assert open_keys().stream_keys(OTHER, wanted) == open_keys().stream_keys(uuid.uuid4(), wanted) == [None] * 6


def test_a_stream_whose_key_came_after_it_was_asked_for_is_found(open_keys: Callable[..., WrappedKeys]) -> None:
    early, late = open_keys(), open_keys()
    early.fetch([CHILD])
    key_id, key = late.new_event_key(CHILD)
    late.commit()
    assert early.event_key(CHILD, key_id) == key


def test_no_key_lies_open_in_the_database(open_keys: Callable[..., WrappedKeys], store: Any) -> None:
    keys = open_keys()
    _, key = keys.new_event_key(CHILD)
    keys.commit()
    rows = [row for table in ("stream_key", "event_key") for row in store.owner().keys.query(f"SELECT * FROM {table}")]  # noqa: S608
    assert len(rows) == 2
    assert not {key, ROOT} & {value for row in rows for value in row}
    files = [path.read_bytes() for path in store.home.iterdir() if path.is_file()]
    assert not [raw for raw in files if key in raw or ROOT in raw]


def test_sealed_bytes_open_only_where_they_belong() -> None:
    sealed = seal_bytes(ROOT, b"words", b"here")
    assert open_bytes(ROOT, sealed, b"here") == b"words"
    assert sealed != seal_bytes(ROOT, b"words", b"here")
    for key, place, raw in (
        (b"x" * 32, b"here", sealed),
        (ROOT, b"there", sealed),
        (ROOT, b"here", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(KeyAway):
            open_bytes(key, raw, place)


def test_a_token_is_the_same_each_time_and_opens_only_for_its_question() -> None:
    token = seal_token(b"k" * 64, b"last", b"question")
    assert token == seal_token(b"k" * 64, b"last", b"question")
    assert open_token(b"k" * 64, token, b"question") == b"last"
    assert open_token(b"k" * 64, token, b"another question") is None
    assert open_token(b"k" * 64, b"", b"question") is None


def test_a_full_cache_loses_no_key_that_is_asked_for(
    open_keys: Callable[..., WrappedKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CACHED_STREAMS", 10)
    store = open_keys()
    made = [(stream, *store.new_event_key(stream)) for stream in (uuid.uuid4() for _ in range(15))]
    store.commit()
    for first, last in ((5, 15), (2, 8), (0, 15)):
        wanted = made[first:last]
        assert store.event_keys([(stream, key_id) for stream, key_id, _ in wanted]) == [key for *_, key in wanted]
