"""The log's tree: every root and proof against the definition in RFC 9162, and no bent proof holds."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.log import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

hashes = st.lists(st.binary(min_size=1, max_size=4).map(leaf_hash), max_size=70)
some_hashes = st.lists(st.binary(min_size=1, max_size=4).map(leaf_hash), min_size=1, max_size=70)
different_hashes = st.integers(1, 70).map(lambda size: [leaf_hash(b"%d" % n) for n in range(size)])


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def test_hashes_of_leaves_and_nodes_are_kept_apart() -> None:
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


@given(hashes)
def test_roots_are_as_defined_at_every_size(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    assert tree.root() == root_of(leaves) == defined_root(leaves)
    for size in range(len(leaves) + 1):
        assert tree.root(size) == defined_root(leaves[:size])


@given(hashes, st.integers(0, 70))
def test_a_frontier_goes_on_from_what_was_stored(leaves: list[bytes], stop: int) -> None:
    first = Frontier()
    for each in leaves[:stop]:
        first.append(each)
    second = Frontier(first.size, first.peaks)
    for index, each in enumerate(leaves[stop:], start=first.size):
        assert second.append(each) == index
    assert (second.size, second.root()) == (len(leaves), defined_root(leaves))


@given(different_hashes, st.data())
def test_every_leaf_proves_its_place_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    tree = Tree(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    root, proof = tree.root(size), tree.inclusion_proof(index, size)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(-1, size + 1))
    assert verify_inclusion(leaves[index], other, size, proof, root) == (other == index)
    assert not verify_inclusion(leaf_hash(b"other leaf"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        bent = data.draw(st.integers(0, len(proof) - 1))
        changed = [bytes([each[0] ^ 1]) + each[1:] if n == bent else each for n, each in enumerate(proof)]
        assert not verify_inclusion(leaves[index], index, size, changed, root)
        assert not verify_inclusion(leaves[index], index, size, [each[:-1] for each in proof], root)


@given(some_hashes, st.data())
def test_every_older_tree_proves_that_it_was_only_added_to(leaves: list[bytes], data: st.DataObject) -> None:
    tree = Tree(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    old = data.draw(st.integers(1, size))
    proof = tree.consistency_proof(old, size)
    assert verify_consistency(old, tree.root(old), size, tree.root(size), proof)
    forged = bytes(32)
    assert not verify_consistency(old, forged, size, tree.root(size), proof)
    assert not verify_consistency(old, tree.root(old), size, forged, proof)
    assert not verify_consistency(old, tree.root(old), size, tree.root(size), [*proof, forged])
    if proof:
        assert not verify_consistency(old, tree.root(old), size, tree.root(size), proof[:-1])


@given(some_hashes, st.data())
def test_a_rewritten_past_has_no_consistency_proof(leaves: list[bytes], data: st.DataObject) -> None:
    rewritten = data.draw(st.integers(0, len(leaves) - 1))
    old = data.draw(st.integers(rewritten + 1, len(leaves)))
    past = Tree(leaves)
    now = Tree([*leaves[:rewritten], leaf_hash(b"another story"), *leaves[rewritten + 1 :], leaf_hash(b"new")])
    assert not verify_consistency(old, past.root(old), now.size, now.root(), now.consistency_proof(old))
    assert not verify_consistency(old, past.root(old), now.size, now.root(), past.consistency_proof(old))


def test_from_an_empty_tree_nothing_is_proved() -> None:
    tree = Tree([leaf_hash(b"a")])
    assert not verify_consistency(0, EMPTY_ROOT, 1, tree.root(), [])
    with pytest.raises(IndexError):
        tree.consistency_proof(0)
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])


def test_what_was_never_there_has_no_proof() -> None:
    tree = Tree([leaf_hash(b"a"), leaf_hash(b"b")])
    for ask in (lambda: tree.inclusion_proof(2), lambda: tree.inclusion_proof(0, 3), lambda: tree.root(3)):
        with pytest.raises(IndexError):
            ask()
    with pytest.raises(IndexError):
        tree.consistency_proof(2, 1)


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (2, [b"x" * 32, b"y" * 32]), (3, [b"x" * 32, b"y"]), (-1, [])])
def test_peaks_that_do_not_belong_to_the_size_are_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="peak"):
        Frontier(size, peaks)


@pytest.mark.parametrize("tree", [Frontier, Tree])
def test_only_hashes_are_appended(tree: Any) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tree().append(b"words")


def test_a_leaf_is_canonical_json() -> None:
    written = leaf(kind="event", stream="s", seq=1, prev="", received="2026-11-21T09:20:00Z", jws="é", body="b")
    assert (
        written
        == (
            '{"body":"b","jws":"é","kind":"event","prev":"","received":"2026-11-21T09:20:00Z","seq":1,"stream":"s","v":1}'
        ).encode()
    )


@given(st.dictionaries(st.sampled_from(["jws", "body", "basis", "v"]), st.text() | st.integers()))
def test_the_same_leaf_gives_the_same_bytes_in_whatever_order(more: dict[str, Any]) -> None:
    chain: dict[str, Any] = {"kind": "read", "stream": "s", "seq": 2, "prev": "a", "received": "2026-11-21T09:20:00Z"}
    backwards = dict(reversed({**chain, **more}.items()))
    assert leaf(**chain, **more) == leaf(**backwards)
    assert json.loads(leaf(**chain, **more)) == {**more, **chain, "v": 1}


@pytest.mark.parametrize("value", [1.5, True, None, b"x", ["x"]])
def test_a_leaf_takes_text_and_integers_only(value: Any) -> None:
    with pytest.raises(TypeError):
        leaf(kind="event", stream="s", seq=1, prev="", received="2026-11-21T09:20:00Z", extra=value)
