"""What every test may ask for. Third-party test vectors lie beside the repository, in `shared`, not in it."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of third-party vectors and samples. Skips where it is absent, but fails in continuous integration."""
    if not SHARED.is_dir():
        absent = "no folder `shared` beside the repository: third-party vectors were not run"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return SHARED
