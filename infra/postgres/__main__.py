"""`python -m infra.postgres up DIR`, `down DIR`: a PostgreSQL of one's own, on loopback, in one folder."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.postgres.binaries import NoPostgres
from infra.postgres.server import OWNER, RUNNING, Server


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command. Exit 0 done, 1 it could not be, 2 misused."""
    parser = argparse.ArgumentParser(prog="python -m infra.postgres", description="A PostgreSQL in one folder.")
    parser.add_argument("verb", choices=["up", "down"], help="start it, made if it is new; or stop it")
    parser.add_argument("folder", type=Path, help="where it lives; delete it when it is down and no longer wanted")
    args = parser.parse_args(argv)
    try:
        server = Server(args.folder)
        if args.verb == "down":
            server.stop()
            return 0
        server.up()
    except (NoPostgres, OSError, subprocess.CalledProcessError, RuntimeError) as fault:
        sys.stderr.write(f"postgres: {fault}\n")
        return 1
    for role in (OWNER, RUNNING):
        settings = {"HUB_DATABASE": server.conninfo(role), "HUB_KEYS_DATABASE": server.conninfo(role, "hub_keys")}
        sys.stdout.write(json.dumps({"role": role, **settings}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
