"""The two formats of the health adapter and what its `adapter.toml` may say, as the kit wants them."""

from __future__ import annotations

from adapters.health.mapping import hl7v2 as hl7v2_mapping
from adapters.health.mapping import nems as nems_mapping
from adapters.health.source import hl7v2 as hl7v2_source
from adapters.health.source import nems as nems_source
from adapters.kit.agency import Agency, Format

SKELETON = """
[sharing]
gateway = "CA2004-s11"           # why the trust may share, on every event of this adapter

[hl7v2]
accompanying_roles = ["ACC"]     # NK1-7: the codes by which this system marks who brought the child

[sites]                          # PV1-3.4 code = the site's name
# FEN01 = "Fenwater General Hospital"

# Whom the record names for a copy of a visit (OBX-3 COPYTO), by the system's own code.
# [addressees.SCHNUR]
# service = "urn:safeguarding:service:fenwater-school-nursing"
# role = "healthPractitioner"

# A service of the trust that speaks for itself, by SNOMED or ODS code.
# [services.931821000000105]
# urn = "urn:safeguarding:service:fenwater-school-nursing"
# name = "Fenwater school nursing"
# kind = "community health"
"""

AGENCY = Agency(
    name="health",
    title="NEMS (FHIR STU3) and HL7 v2 ADT",
    formats=(
        Format(
            name=hl7v2_source.FORMAT,
            suffixes=(".hl7", ".adt"),
            read=hl7v2_source.read,
            map=hl7v2_mapping.map_record,
            sniff=hl7v2_source.sniff,
        ),
        Format(
            name=nems_source.FORMAT,
            suffixes=(".xml", ".json"),
            read=nems_source.read,
            map=nems_mapping.map_record,
            sniff=nems_source.sniff,
        ),
    ),
    defaults={"identity": {"mode": "test"}},
    skeleton=SKELETON,
)
