"""A hub with a defect, for the judge: `python -m tests.live.broken_hub drop|double SEQUENCE WORDS` is `hub WORDS`, but
one record, the first of this sequence, is not written or is written twice, with a receipt as if nothing were wrong.
"""

from __future__ import annotations

import sys
from typing import Any

from hub.__main__ import main
from hub.ingest.admission import Admission

record = Admission._record
"""What puts a reported fact into a batch; gives the place of the fact there."""


def break_it(defect: str, sequence: int) -> None:
    """From now on this process has the defect."""
    done: list[str] = []

    def broken(self: Admission, batch: Any, opened: Any, *more: Any) -> int:
        is_it = int(opened.statement["sequence"]) == sequence and done in ([], [opened.statement["id"]])
        if not is_it:
            return record(self, batch, opened, *more)
        done[:] = [opened.statement["id"]]
        if defect == "drop":
            return len(batch.facts) - 1
        record(self, batch, opened, *more)
        return record(self, batch, opened, *more)

    setattr(Admission, "_record", broken)  # noqa: B010


if __name__ == "__main__":
    break_it(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
