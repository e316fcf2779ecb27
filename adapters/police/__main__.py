"""`python -m adapters.police` (`adapter-police`): the kit's commands for the police formats."""

from __future__ import annotations

import sys

from adapters.kit.command import main as run
from adapters.police.formats import AGENCY


def main() -> int:
    """Exit codes and commands: see `adapters/kit/command.py` and the README beside this file."""
    return run(AGENCY)


if __name__ == "__main__":
    sys.exit(main())
