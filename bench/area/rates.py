"""The rates of the invented area as numbers. What they are and where they come from stands in `rates.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "rates.toml"


@cache
def get_rates() -> dict[str, float]:
    """Every rate by its name."""
    return {name: float(entry["value"]) for name, entry in read_rates().items()}


def read_rates() -> dict[str, dict[str, Any]]:
    """The whole file: value, unit, standing and source of each."""
    with FILE.open("rb") as file:
        return tomllib.load(file)
