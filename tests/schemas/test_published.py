"""A released schema is never edited."""

import hashlib
import shutil

import pytest

from schemas.catalogue import ROOT, find_edited_releases

RELEASED = ("common/v1.json", "events/referral-made/v1.json")


@pytest.fixture
def release(tmp_path):
    """A copy of the language of which two schemas are released."""
    root = tmp_path / "schemas"
    for path in RELEASED:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    lines = [f"{hashlib.sha256((root / path).read_bytes()).hexdigest()}  {path}" for path in RELEASED]
    (root / "PUBLISHED").write_text("\n".join(["# released", "", *lines]) + "\n", encoding="utf-8")
    return root


def test_no_released_schema_was_edited():
    assert find_edited_releases() == []


def test_an_untouched_release_is_not_named(release):
    assert find_edited_releases(release) == []


@pytest.mark.parametrize("path", RELEASED)
def test_one_space_more_in_a_released_schema_is_refused_by_name(release, path):
    with (release / path).open("a", encoding="utf-8") as file:
        file.write(" ")
    assert find_edited_releases(release) == [path]


@pytest.mark.parametrize("path", RELEASED)
def test_a_released_schema_that_is_gone_is_refused_by_name(release, path):
    (release / path).unlink()
    assert find_edited_releases(release) == [path]
