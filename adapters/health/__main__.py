"""`python -m adapters.health` (`adapter-health`): the kit's commands for the health formats."""

from __future__ import annotations

import sys

from adapters.health.formats import AGENCY
from adapters.kit.command import main as run


def main() -> int:
    """Exit codes and commands: see adapters/kit/command.py and the README beside this file."""
    return run(AGENCY)


if __name__ == "__main__":
    sys.exit(main())
