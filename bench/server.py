"""`hub serve` with one route more: `/ready-made` answers with the bytes of a file, to compare a reading with.

The route stands in the hub's own application behind the same middleware, asks for no token and decides nothing. Only
the benchmark starts this; its environment names the file in `BENCH_READY_MADE`.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Response

from hub import serving
from hub.api.app import create_app
from hub.api.doors import Doors
from hub.bootstrap import open_hub
from hub.settings import read_settings

ETAG = {"ETag": '"' + "0" * 64 + '"'}


def main(file: Path) -> None:
    """Serve the hub in HUB_HOME until stopped."""

    @cache
    def held() -> bytes:
        return file.read_bytes()

    async def ready_made() -> Response:
        return Response(held(), headers=ETAG, media_type="application/json")

    def with_route(doors: Doors, **more: Any) -> Any:
        app = create_app(doors, **more)
        app.add_api_route("/ready-made", ready_made, methods=["GET"], response_model=None, response_class=Response)
        return app

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    serving.serve(open_hub(read_settings()), make=with_route)


if __name__ == "__main__":
    main(Path(os.environ["BENCH_READY_MADE"]))
