"""The two formats of the schools' adapter and what its `adapter.toml` may say, as the kit wants them."""

from __future__ import annotations

from adapters.education.mapping import assembly as assembly_mapping
from adapters.education.mapping import ctf as ctf_mapping
from adapters.education.source import assembly as assembly_source
from adapters.education.source import ctf as ctf_source
from adapters.education.source import other
from adapters.kit.agency import Agency, Format

SKELETON = """\
[education]
# Under which power or duty the school shares: schemas/codes/gateways.json
gateway = "EA2002-s175"
# true: also SM, DA and OW (sexual misconduct, drugs or alcohol, weapon) as reasons of a suspension
sensitive_reasons = false
# Who may learn the name of an adult listed for the child (roles); left out, those who visit or decide
# contacts_named_to = ["frontDoor", "allocatedSocialWorker"]
"""

AGENCY = Agency(
    name="education",
    title="school",
    formats=(
        Format(ctf_source.FORMAT, ctf_source.read, ctf_mapping.map_record, ctf_source.sniff),
        Format(assembly_source.FORMAT, assembly_source.read, assembly_mapping.map_record, assembly_source.sniff),
        Format("not-read", other.read, other.map_record, other.sniff),
    ),
    defaults={"education": {"gateway": "EA2002-s175", "sensitive_reasons": False}},
    skeleton=SKELETON,
)
