"""The sealed records published in `schemas/vectors` are what the script writes and are judged as their index says."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from schemas.__main__ import read_registry
from schemas.envelope import STEPS, Refused, open_envelope

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vectors"
INDEX = json.loads((FOLDER / "index.json").read_bytes())


@pytest.fixture(scope="module")
def make_vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_vectors", Path(__file__).with_name("make_vectors.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("vector", INDEX["records"], ids=lambda vector: vector["file"])
def test_a_published_record_is_judged_as_its_index_says(vector: dict[str, str]) -> None:
    registry = read_registry((FOLDER / INDEX["registry"]).read_bytes())
    try:
        open_envelope((FOLDER / vector["file"]).read_bytes(), registry)
        ended = ("accepted", None)
    except Refused as refused:
        ended = ("refused", refused.step)
    assert ended == (vector["expect"], vector.get("step"))


def test_every_step_has_a_published_record() -> None:
    assert {vector["step"] for vector in INDEX["records"] if "step" in vector} == set(STEPS)


def test_the_folder_holds_exactly_what_the_script_writes(make_vectors: ModuleType) -> None:
    written = make_vectors.files()
    there = {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*.json")}
    assert there.keys() == written.keys()
    assert [path for path in written if written[path] != there[path]] == []
