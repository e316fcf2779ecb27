"""The police agency as the kit sees it: its two formats, in order of trial, and its settings."""

from __future__ import annotations

from adapters.kit.agency import Agency, Format
from adapters.police.mapping import pole as pole_mapping
from adapters.police.mapping import rows as rows_mapping
from adapters.police.source import pole as pole_source
from adapters.police.source import rows as rows_source

SKELETON = """\
[police]
# "auto" (canonical headers, then the shipped maps), "canonical", a shipped map ("northmarch") or a file's path
column_map = "auto"
# Under which power or duty the police share, where a report does not say: schemas/codes/gateways.json
gateway = "CA2004-s11"
# The service that decides on referrals
# front_door = "urn:safeguarding:service:..."

# Number in the schools register = the school's service; it goes before what the column map says
[police.schools]
# "999101" = "urn:safeguarding:service:..."
"""

AGENCY = Agency(
    name="police",
    title="police",
    formats=(
        Format(
            name="pole-json",
            read=pole_source.read,
            map=pole_mapping.map_record,
            sniff=pole_source.sniff,
            suffixes=(".json", ".xml"),
        ),
        Format(
            name="police-csv",
            read=rows_source.read,
            map=rows_mapping.map_record,
            sniff=rows_source.sniff,
            suffixes=(".csv", ".tsv", ".txt"),
        ),
    ),
    defaults={"police": {"column_map": "auto", "gateway": "CA2004-s11"}},
    skeleton=SKELETON,
)
