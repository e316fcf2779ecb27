"""JSONTestSuite: what must be read is read or left out for a named reason, what must be refused is refused.

`json_parsing_left_out.json` names every file of the suites `y_` (must read) and `i_` (may) that we refuse, and why.
"""

import json
from pathlib import Path

import pytest

from schemas.strict import NotStrict, strict_json, strict_value

LIMIT = 256 * 1024
LEFT_OUT = json.loads(Path(__file__).with_name("json_parsing_left_out.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def files(shared_dir: Path) -> list[Path]:
    found = sorted((shared_dir / "vectors" / "json_test_suite" / "test_parsing").glob("*.json"))
    assert {path.name[0] for path in found} == {"y", "n", "i"}
    return found


def verdict(path: Path) -> str:
    try:
        strict_value(path.read_bytes(), LIMIT)
    except NotStrict as fault:
        return str(fault)
    return "read"


def test_valid_json_is_read_or_left_out_for_its_named_reason(files: list[Path]) -> None:
    valid = [path for path in files if path.name.startswith("y_")]
    assert {path.name: verdict(path) for path in valid} == {
        path.name: LEFT_OUT.get(path.name, "read") for path in valid
    }


def test_json_with_an_undefined_reading_is_refused_for_its_named_reason(files: list[Path]) -> None:
    undefined = [path for path in files if path.name.startswith("i_")]
    assert {path.name: verdict(path) for path in undefined} == {path.name: LEFT_OUT[path.name] for path in undefined}


def test_invalid_json_is_never_read(files: list[Path]) -> None:
    assert [path.name for path in files if path.name.startswith("n_") and verdict(path) == "read"] == []


def test_what_is_valid_but_no_object_is_no_event(files: list[Path]) -> None:
    for path in files:
        if verdict(path) == "read" and not path.read_bytes().lstrip().startswith(b"{"):
            with pytest.raises(NotStrict, match="not a JSON object"):
                strict_json(path.read_bytes(), LIMIT)


def test_the_list_of_reasons_names_no_file_that_is_gone(files: list[Path]) -> None:
    assert LEFT_OUT.keys() <= {path.name for path in files}
