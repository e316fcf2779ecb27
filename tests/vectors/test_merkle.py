"""Proof vectors of transparency-dev/merkle and the checkpoints of a Tessera log, against `schemas.log`.

Not run: `subtreeinclusion` and `subtreeconsistency`, which are about parts of a tree; our proofs are about whole ones.
"""

import base64
import json
from pathlib import Path
from typing import Any

from schemas.log import Tree, leaf_hash, root_of, verify_consistency, verify_inclusion


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def vectors(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    found = [(str(path.relative_to(folder)), json.loads(path.read_bytes())) for path in sorted(folder.rglob("*.json"))]
    assert len(found) > 30
    return found


def test_inclusion_proofs_hold_exactly_where_they_should(shared_dir: Path) -> None:
    wrong = []
    for name, vector in vectors(shared_dir / "vectors" / "merkle" / "inclusion"):
        proof = [decoded(each) for each in vector["proof"] or []]
        leaf, root = decoded(vector["leafHash"]), decoded(vector["root"])
        if verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], proof, root) == vector["wantErr"]:
            wrong.append(name)
    assert wrong == []


def test_consistency_proofs_hold_exactly_where_they_should(shared_dir: Path) -> None:
    wrong = []
    for name, vector in vectors(shared_dir / "vectors" / "merkle" / "consistency"):
        proof = [decoded(each) for each in vector["proof"] or []]
        old, new = decoded(vector["root1"]), decoded(vector["root2"])
        if verify_consistency(vector["size1"], old, vector["size2"], new, proof) == vector["wantErr"]:
            wrong.append(name)
    assert wrong == []


def test_roots_are_those_of_another_implementations_checkpoints(shared_dir: Path) -> None:
    folder = shared_dir / "vectors" / "tessera_log"
    entries = [bytes.fromhex(each) for each in json.loads((folder / "log.json").read_bytes())["entries_hex"]]
    hashes = [leaf_hash(each) for each in entries]
    tree, checked = Tree(hashes), 0
    for checkpoint in folder.glob("checkpoint.*.txt"):
        _, size, root, *_ = checkpoint.read_text("utf-8").splitlines()
        assert tree.root(int(size)) == root_of(hashes[: int(size)]) == base64.b64decode(root), checkpoint.name
        checked += 1
    assert checked > 5
