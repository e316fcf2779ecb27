"""A force's column map (YAML): which of its headers is which canonical column, how its values and dates are written.

Says nothing about what a value means for a child; that is the mapping's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from adapters.police.record.rows import COLUMNS, REQUIRED, UNKNOWN

SHIPPED = Path(__file__).parent.parent / "columns"
MAX_MAP_BYTES = 256 * 1024
_MEMBERS = {"map", "force", "delimiter", "list_separator", "columns", "values", "dates", "schools", "ignore"}
_SPACES = re.compile(r"\s+")


class ColumnMapFault(Exception):
    """The column map itself is wrong: a mistake of whoever wrote it, said with the member that is at fault."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """One force's way of writing. `columns`: canonical -> header. `values`: canonical -> {their value -> ours}.
    `schools`: the register's number of a school -> its service URN."""

    name: str
    force: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    instants: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    schools: Mapping[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    delimiter: str = ","
    list_separator: str = ";"

    def translate(self, column: str, written: str) -> str:
        """Our value for theirs; what the map does not list stays as written. Case and outer spaces do not count."""
        return self.values.get(column, {}).get(written.strip().casefold(), written.strip())

    def read_date(self, written: str, *, instant: bool) -> str:
        """A date as this force writes it, as ISO 8601 (still without a zone where it has none). Text no listed form
        fits stays as written: the mapping remarks on it."""
        for form in (self.instants + self.days) if instant else (self.days + self.instants):
            try:
                read = datetime.strptime(written, form)
            except (ValueError, OverflowError, re.error):
                continue
            only_day = form in self.days or not instant
            return read.date().isoformat() if only_day else read.isoformat()
        return written


CANONICAL = ColumnMap("canonical/1", "", {column: column for column in COLUMNS})


def column_maps_of(settings: Mapping[str, Any]) -> list[ColumnMap]:
    """The maps to try, by `[police] column_map`: "canonical", a shipped map ("northmarch"), the path of a YAML file, or
    "auto": the canonical headers, then each shipped map, whichever fits the header row."""
    named = str(settings.get("police", {}).get("column_map", "auto"))
    if named == "auto":
        return [CANONICAL, *(load_column_map(path) for path in sorted(SHIPPED.glob("*.yaml")))]
    if named == "canonical":
        return [CANONICAL]
    shipped = SHIPPED / f"{named}.yaml"
    if re.fullmatch(r"[a-z0-9-]+", named) and shipped.is_file():
        return [load_column_map(shipped)]
    return [load_column_map(Path(named))]


def load_column_map(path: Path) -> ColumnMap:
    """A column map from its file. ColumnMapFault says which member is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MAP_BYTES + 1)
    except OSError:
        raise ColumnMapFault(f"no column map can be read at {path}") from None
    if len(raw) > MAX_MAP_BYTES:
        raise ColumnMapFault("the column map is larger than 256 KiB")
    try:
        written = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise ColumnMapFault("the column map is not YAML") from None
    return column_map_from(written)


def column_map_from(written: Any) -> ColumnMap:
    """A column map from its parsed YAML. ColumnMapFault says which member is wrong."""
    if not isinstance(written, dict):
        raise ColumnMapFault("a column map is a list of named members")
    if strange := sorted(str(name) for name in set(written) - _MEMBERS):
        raise ColumnMapFault(f"unknown members: {', '.join(strange)}")
    columns = _columns(written.get("columns"))
    dates = _table(written.get("dates", {}), "dates")
    delimiter = str(written.get("delimiter", ","))
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ColumnMapFault("delimiter: one character")
    return ColumnMap(
        name=str(written.get("map", "")),
        force=str(written.get("force", "")),
        columns=columns,
        values=_values(written.get("values", {}), columns),
        instants=_forms(dates.get("instant", []), "dates.instant"),
        days=_forms(dates.get("day", []), "dates.day"),
        schools={str(urn): str(service) for urn, service in _table(written.get("schools", {}), "schools").items()},
        ignore=frozenset(tidy_header(name) for name in _forms(written.get("ignore", []), "ignore")),
        delimiter=delimiter,
        list_separator=str(written.get("list_separator", ";")) or ";",
    )


def tidy_header(text: str) -> str:
    """A header as it is compared: single spaces, no case."""
    return _SPACES.sub(" ", text).strip().casefold()


def is_unknown(text: str) -> bool:
    """Is this one of the ways in which exports write that nothing is known?"""
    return text.strip().casefold() in UNKNOWN


def _columns(written: Any) -> dict[str, str]:
    columns = {name: str(header) for name, header in _table(written, "columns").items()}
    if strange := sorted(set(columns) - set(COLUMNS)):
        raise ColumnMapFault(f"columns: not canonical: {', '.join(strange)}")
    if lacking := [name for name in REQUIRED if name not in columns]:
        raise ColumnMapFault(f"columns: missing: {', '.join(lacking)}")
    headers = [tidy_header(header) for header in columns.values()]
    if len(set(headers)) != len(headers):
        raise ColumnMapFault("columns: one header stands for two columns")
    return columns


def _values(written: Any, columns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    tables = _table(written, "values")
    if strange := sorted(set(tables) - set(columns)):
        raise ColumnMapFault(f"values: for columns that are not mapped: {', '.join(strange)}")
    return {column: _translations(table, f"values.{column}") for column, table in tables.items()}


def _translations(written: Any, member: str) -> dict[str, str]:
    return {_spoken(theirs).casefold(): _spoken(ours) for theirs, ours in _table(written, member).items()}


def _spoken(value: Any) -> str:
    """YAML 1.1 reads an unquoted yes and no as true and false; a map's author meant the words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()


def _table(written: Any, member: str) -> dict[Any, Any]:
    if not isinstance(written, dict):
        raise ColumnMapFault(f"{member}: must be a table")
    return written


def _forms(written: Any, member: str) -> tuple[str, ...]:
    if not isinstance(written, list) or not all(isinstance(form, str) for form in written):
        raise ColumnMapFault(f"{member}: must be a list of texts")
    return tuple(written)
