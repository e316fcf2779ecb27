"""Which clock an adapter goes by: the machine's, or, in a demonstration only, one that stands in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]


class ClockRefused(Exception):
    """A demonstration clock was asked for outside a demonstration, or its file holds no instant."""


def find_clock(environment: Mapping[str, str]) -> Clock:
    """The machine's clock; or that of ADAPTER_DEMO_CLOCK, a file with one RFC 3339 instant, if ADAPTER_DEMO=1."""
    path = environment.get("ADAPTER_DEMO_CLOCK")
    if path is None:
        return lambda: datetime.now(UTC)
    if environment.get("ADAPTER_DEMO") != "1":
        raise ClockRefused("ADAPTER_DEMO_CLOCK is set but ADAPTER_DEMO=1 is not: unset it, real events need real time")

    def standing() -> datetime:
        try:
            at = datetime.fromisoformat(Path(path).read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            raise ClockRefused("the file of ADAPTER_DEMO_CLOCK holds no RFC 3339 instant") from None
        if at.tzinfo is None:
            raise ClockRefused("the instant of ADAPTER_DEMO_CLOCK has no zone")
        return at.astimezone(UTC)

    standing()
    return standing
