"""The log's Merkle tree (RFC 9162 section 2.1) and the canonical bytes of its leaves, as pure functions.

`Frontier` appends and tells the root with one hash per level; `Tree` keeps every inner hash and makes proofs too. The
checkers need neither: an auditor's tool recomputes roots from a proof alone.

What it does not do: it stores nothing, signs nothing and asks no clock. Checkpoints and witnesses stand on it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162 2.1.1)."""

LEAF_VERSION = 1


def leaf(*, kind: str, stream: str, seq: int, prev: str, received: str, **more: str | int) -> bytes:
    """The bytes of one log entry: JSON, members sorted, no spaces, UTF-8. The same arguments give the same bytes.

    `kind` says what was recorded (event, read, key, shred …), `stream` is a random id, `seq` counts in it from 1,
    `prev` is the hex leaf hash of the stream's previous entry (empty for the first), `received` the hub's RFC 3339
    time. `more` holds digests, codes and indices; nothing personal stands in a leaf. Raises TypeError for a value that
    is neither text nor integer.
    """
    chain = {"stream": stream, "seq": seq, "prev": prev}
    members = {**more, **chain, "v": LEAF_VERSION, "kind": kind, "received": received}
    for name, value in members.items():
        if type(value) not in (str, int):
            raise TypeError(f"{name} is neither text nor integer")
    return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right). The prefix keeps a node from passing for a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    frontier = Frontier()
    for each in leaf_hashes:
        frontier.append(each)
    return frontier.root()


class Frontier:
    """The right edge of a tree: the roots of its perfect subtrees, largest first. Enough to append for ever."""

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Goes on from a stored `size` and `peaks`. Raises ValueError where the two do not belong together."""
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError("a tree has one peak of 32 bytes for each 1 in its size")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """What to store, with `size`, to go on later."""
        return tuple(self._peaks)

    def append(self, hashed: bytes) -> int:
        """Adds a leaf hash and gives its index. Each trailing 1 of the old size is a subtree that is now complete."""
        if len(hashed) != HASH_BYTES:
            raise ValueError("a leaf hash has 32 bytes")
        index, ones = self._size, self._size
        while ones & 1:
            hashed = node_hash(self._peaks.pop(), hashed)
            ones >>= 1
        self._peaks.append(hashed)
        self._size += 1
        return index

    def root(self) -> bytes:
        """The root over all leaves."""
        return _fold(self._peaks)


class Tree:
    """A tree with all hashes of its perfect subtrees, 64 bytes a leaf: roots and proofs for every size it ever had."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for each in leaf_hashes:
            self.append(each)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, hashed: bytes) -> int:
        """Adds a leaf hash and gives its index."""
        if len(hashed) != HASH_BYTES:
            raise ValueError("a leaf hash has 32 bytes")
        index = at = self.size
        level = 0
        self._levels[0] += hashed
        while at & 1:
            hashed = node_hash(self._node(level, at - 1), hashed)
            level, at = level + 1, at >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += hashed
        return index

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves, of all where none is given."""
        return self._subroot(0, self._checked(size))

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes that lead from leaf `index` to the root at `size`, leaf's neighbour first (RFC 9162 2.1.3.1)."""
        end = self._checked(size)
        if not 0 <= index < end:
            raise IndexError("no such leaf at this size")
        proof, start = [], 0
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._subroot(middle, end))
                end = middle
            else:
                proof.append(self._subroot(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Hashes showing that the tree at `size` begins with the tree at `old_size`, from 1 (RFC 9162 2.1.4.1)."""
        end = self._checked(size)
        if old_size == end:
            return []
        if not 0 < old_size < end:
            raise IndexError("no such size before this one")
        proof, start, whole = [], 0, True
        while old_size != end:
            middle = start + _split(end - start)
            if old_size <= middle:
                proof.append(self._subroot(middle, end))
                end = middle
            else:
                proof.append(self._subroot(start, middle))
                start, whole = middle, False
        # Where the old tree is itself one perfect subtree from the left edge, the checker has its root already.
        return ([] if whole else [self._subroot(start, end)]) + proof[::-1]

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError("tree was never of this size")
        return size

    def _node(self, level: int, at: int) -> bytes:
        return bytes(self._levels[level][at * HASH_BYTES : (at + 1) * HASH_BYTES])

    def _subroot(self, start: int, end: int) -> bytes:
        """Root over leaves start…end, where start is a multiple of the largest power of two within the span."""
        return _fold([self._node(level, at) for level, at in _perfect_subtrees(start, end)])


def _perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Level and index of the perfect subtrees that cover start…end, largest first."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _split(span: int) -> int:
    """The largest power of two smaller than `span`."""
    return 1 << (span - 1).bit_length() - 1


def verify_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at `index` in the tree of `size` leaves with this root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size or len(hashed) != HASH_BYTES or not _are_hashes(proof):
        return False
    at, last, reached = index, size - 1, hashed
    for each in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            reached = node_hash(each, reached)
            while at and not at & 1:  # a node without right neighbour rises unchanged
                at, last = at >> 1, last >> 1
        else:
            reached = node_hash(reached, each)
        at, last = at >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree with `root` begins with the tree with `old_root` (RFC 9162 2.1.4.2).

    From the empty tree nothing is proved, so it is refused: a first root is taken on trust, and knowingly.
    """
    if old_size == size:
        return not proof and old_root == root and (size > 0 or root == EMPTY_ROOT)
    if not 0 < old_size < size or not _are_hashes(proof):
        return False
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _are_hashes(proof: Sequence[bytes]) -> bool:
    return all(len(each) == HASH_BYTES for each in proof)
