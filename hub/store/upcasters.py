"""The one ladder of upcasters, for both doors: what comes in and what is read back are brought to today's contract.

A step is a pure function from one version of an event's data to the next, dated and explained. A published schema is
never edited, so a step never changes either. Another meaning is another event, not a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]
Step = Callable[[Data], dict[str, Any]]

LADDER: dict[tuple[str, int], Step] = {}
"""(event name, from version) → the step to the next version.

With a new step the chronology's rows are built anew (`hub.projections.chronology.VERSION`): what has none yet is read
where it is recorded, and a narrative that a step makes must not come into an outline with it.
"""


def upcast(
    name: str, version: int, data: Data, ladder: Mapping[tuple[str, int], Step] = LADDER
) -> tuple[str, int, Data]:
    """(name, version, data) at the top of the ladder; data of the current version comes back untouched."""
    while step := ladder.get((name, version)):
        version += 1
        data = step(data) | {"event": name, "version": version}
    return name, version, data
