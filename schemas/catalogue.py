"""The catalogue: which kinds of event exist, at which version, with the schema and the example of each.

It reads `events/<name>/v<n>.json`, `common/` and `rules/labels.json` and puts them into one table. It does not
judge whether a payload fits (that is `check`), and knows neither how an older version becomes a newer one nor who
may read.
A released schema is never edited: `PUBLISHED` holds the digest of each, `find_edited_releases` names every difference.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

ROOT = Path(__file__).parent
"""The folder of the language: everything below it is data that both sides share."""

_SCHEMA = "urn:safeguarding:schema:"
COMMON = f"{_SCHEMA}common:v1"
"""Name of the schema of the members that every event carries."""

_VERSION_FILE = re.compile(r"^v([1-9][0-9]?)\.json$")


@dataclass(frozen=True)
class Kind:
    """One kind of event, at its current version.

    `floor` is the level (N normal, R restricted, V very restricted) below which no sender may go, `handling` the
    markers that always hold, `urgent` whether the front door reads it at once, `delivery` whether it only carries news
    of another event. `mais` is the MAIS PUB02 code under which it is exported, or an `x-` code of ours; `episode`
    whether it opens or closes something. `floor_when_nothing_found` replaces the floor where the statement kind is
    nothing-found; `as_target` says that category, level and handling follow the event it refers to, where they are
    higher.
    """

    name: str
    version: int
    title: str
    about: Literal["child", "staff", "service"]
    agency: Literal["police", "health", "education", "social-care", "any"]
    category: str
    floor: Literal["N", "R", "V"]
    handling: tuple[str, ...]
    urgent: bool
    delivery: bool
    mais: str
    mais_object: Literal["LifeEvent", "ServiceEpisode", "Person", "none"]
    episode: Literal["opens", "closes", "point"]
    floor_when_nothing_found: str = ""
    as_target: bool = False


def _versions_of(name: str) -> list[int]:
    found = (_VERSION_FILE.match(file.name) for file in (ROOT / "events" / name).iterdir())
    return sorted(int(match[1]) for match in found if match)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _kind(name: str, version: int, label: Mapping[str, Any]) -> Kind:
    schema = _read(ROOT / "events" / name / f"v{version}.json")
    mais = schema["x-mais"]
    return Kind(
        name=name,
        version=version,
        title=schema["title"],
        about=schema["x-about"],
        agency=schema["x-agency"],
        category=label["category"],
        floor=label["floor"],
        handling=tuple(label["handling"]),
        urgent=label["urgent"],
        delivery=label["delivery"],
        mais=mais["code"],
        mais_object=mais["object"],
        episode=mais["episode"],
        floor_when_nothing_found=label.get("floor_when_nothing_found", ""),
        as_target=label.get("as_target", False),
    )


_LABELS: Mapping[str, Any] = _read(ROOT / "rules" / "labels.json")["kinds"]
_VERSIONS: Mapping[str, list[int]] = {
    folder.name: _versions_of(folder.name) for folder in sorted((ROOT / "events").iterdir()) if folder.is_dir()
}
KINDS: Mapping[str, Kind] = MappingProxyType(
    {name: _kind(name, versions[-1], _LABELS[name]) for name, versions in _VERSIONS.items()}
)
"""The current version of every kind, by name."""


def find_kind(name: str) -> Kind | None:
    """The kind of this name at its current version, or None where nobody has described it."""
    return KINDS.get(name)


def knows(name: str, version: int) -> bool:
    """Whether this very version has a schema here. A newer one is not wrong: it waits until the hub is upgraded."""
    return version in _VERSIONS.get(name, ())


def versions_of(name: str) -> tuple[int, ...]:
    """All versions of a kind that have a schema, oldest first; empty for an unknown kind."""
    return tuple(_VERSIONS.get(name, ()))


def get_schema(name: str, version: int) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a version, as a copy of the caller's own. KeyError where there is none."""
    return _get(name, version, f"v{version}.json")


def get_example(name: str, version: int) -> dict[str, Any]:
    """An example of that version that fits, about invented people. KeyError where there is none."""
    return _get(name, version, f"v{version}.example.json")


def get_common() -> dict[str, Any]:
    """The schema of the members that every event carries."""
    return _read(ROOT / "common" / "v1.json")


@cache
def get_codes(name: str) -> Mapping[str, Mapping[str, Any]]:
    """A closed list of `codes/`, by code: title and further members. KeyError where there is no such list."""
    path = ROOT / "codes" / f"{name}.json"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        raise KeyError(name)
    return MappingProxyType({row["code"]: MappingProxyType(row) for row in _read(path)["codes"]})


def name_schema(name: str, version: int) -> str:
    """The `$id` of a kind's schema."""
    return f"{_SCHEMA}{name}:v{version}"


def find_schema(schema_id: str) -> str | None:
    """The path below `ROOT` at which the schema of this `$id` is published, for ever; None where there is none."""
    match = re.fullmatch(re.escape(_SCHEMA) + r"([a-z0-9-]+):v([1-9][0-9]?)", schema_id)
    if not match:
        return None
    folder = "common" if match[1] == "common" else f"events/{match[1]}"
    path = f"{folder}/v{match[2]}.json"
    return path if (ROOT / path).is_file() else None


def find_misplaced_schemas() -> list[str]:
    """Schemas of events that do not lie where their `$id` says: paths below `ROOT`, empty when all is well."""
    files = [*(ROOT / "common").glob("v*.json"), *(ROOT / "events").glob("*/v*.json")]
    paths = [file.relative_to(ROOT).as_posix() for file in files if _VERSION_FILE.match(file.name)]
    return sorted(path for path in paths if find_schema(_read(ROOT / path)["$id"]) != path)


def _get(name: str, version: int, file: str) -> dict[str, Any]:
    if not knows(name, version):
        raise KeyError(f"{name}/v{version}")
    return _read(ROOT / "events" / name / file)


def find_edited_releases(root: Path = ROOT) -> list[str]:
    """Released schemas that are no longer what they were: paths below `root`, empty when all is well.

    `PUBLISHED` has one line for each released schema: SHA-256 in hex, two spaces, path. Only a release writes it.
    """
    lines = (root / "PUBLISHED").read_text(encoding="utf-8").splitlines()
    released = [line.split("  ", 1) for line in lines if line and not line.startswith("#")]
    return [path for digest, path in released if _digest(root / path) != digest]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
