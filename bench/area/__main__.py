"""`python -m bench.area --children N --years Y --seed S OUT/`: writes an invented area into an empty folder.

Exit 0 when it is written, 2 when misused.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.area.writing import write_area

YEARS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """One run of the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.area", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, default=1000, metavar="N")
    parser.add_argument("--years", type=int, default=YEARS, metavar="Y", help="how many years before September 2025")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another number, another population")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder that is not there yet, or empty")
    try:
        words = parser.parse_args(argv)
    except SystemExit as ended:
        return int(ended.code or 0)
    if words.children < 1 or not 1 <= words.years <= 15:
        sys.stderr.write("at least one child, and 1 to 15 years\n")
        return 2
    if words.out.exists() and (not words.out.is_dir() or any(words.out.iterdir())):
        sys.stderr.write(f"{words.out} is not empty; nothing was written\n")
        return 2
    began = time.monotonic()
    sums = write_area(words.out, children=words.children, years=words.years, seed=words.seed)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(sums.counts.items()))
    sys.stderr.write(f"{words.out}: {counts}, {time.monotonic() - began:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
