"""What `hub sources` does: shows an operator every live source. It names no child, so it needs no reader."""

from __future__ import annotations

import argparse

from hub.bootstrap import open_hub
from hub.commands import FaultFound, out_or_say
from hub.domain.hearing import NEVER
from hub.settings import Settings


def cmd_sources(settings: Settings, args: argparse.Namespace) -> None:
    """Every live source: when it was last heard, and what of it is not here."""
    hub = open_hub(settings)
    hub.admission.catch_up()
    now = hub.clock()
    known = [(one, one.falls_silent() <= now) for one in hub.completeness.hearings()]
    rows = (
        {"source": one.of.source, "service": one.of.service, "name": one.of.name, "last_heard": one.heard or NEVER,
         "every_s": one.every_s, "silent": silent, "gaps": [list(hole) for hole in one.missing],
         "waiting": one.waiting, "outstanding_when_heard": one.outstanding, "remarks": one.remarks.split()}
        for one, silent in known
    )  # fmt: skip
    out_or_say(rows, "no live sources yet")
    if number := sum(silent for _, silent in known):
        raise FaultFound(f"{number} of {len(known)} sources are silent; ring them: records may wait with them")
