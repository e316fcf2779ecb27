"""The feeds of the invented area: which agency's system, which format, and the settings that its adapter needs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
AREA = "E99000001"


@dataclass(frozen=True, slots=True)
class Feed:
    """One system of one agency. `half` is the part of the area that it serves; `settings` is a part of its
    `adapter.toml`."""

    name: str
    agency: str
    service_name: str
    service_kind: str
    formats: tuple[str, ...]
    half: int
    code: str = ""
    column_map: str = ""
    settings: str = ""

    @property
    def source(self) -> str:
        """The URN under which its adapter signs."""
        return f"urn:safeguarding:source:{self.name}:live"

    @property
    def service(self) -> dict[str, str]:
        """Its service: urn, name and kind."""
        return {
            "urn": f"urn:safeguarding:service:{self.name}",
            "name": self.service_name,
            "kind": self.service_kind,
        }


@dataclass(frozen=True, slots=True)
class School(Feed):
    """A school, or a trust of them with one system: `stage` 0 from four years on, 1 from eleven on."""

    stage: int = 0
    lea: str = "999"
    estab: str = ""
    urn: str = ""


_HL7, _NEMS, _POLE, _CSV = ("hl7v2-itk",), ("nems-stu3",), ("pole-json",), ("police-csv",)
_MIS = ("ctf", "assembly")
_A, _B = "a hospital", "a school"

CHIS = Feed("fenwater-chis", "health", "Fenwater child health information", "community health", _NEMS, 0, "ZZF")
HOSPITALS = (
    Feed("fenwater-hospital", "health", "Fenwater Hospital", _A, _HL7, 0, "ZZF"),
    Feed("westlorn-hospital", "health", "Westlorn Infirmary", _A, _HL7, 1, "ZZW"),
)
SCHOOLS = (
    School("larkbeck-primary", "education", "Larkbeck Primary", _B, _MIS, 0, stage=0, estab="2001", urn="999101"),
    School("tarnwhistle-academy", "education", "Tarnwhistle Academy", _B, _MIS, 0, stage=1, estab="4002", urn="999102"),
    School("merlestead-primary", "education", "Merlestead Primary", _B, _MIS, 1, stage=0, estab="2003", urn="999103"),
    School("owlerhay-academy", "education", "Owlerhay Academy", _B, _MIS, 1, stage=1, estab="4004", urn="999104"),
)
_NAMED = "\n".join(f'"{one.urn}" = "{one.service["urn"]}"' for one in SCHOOLS)
FORCES = (
    Feed(
        "northmarch-police", "police", "Northmarch Constabulary", "police", _CSV, 0, "northmarch", "northmarch",
        f'[police]\ncolumn_map = "northmarch"\n\n[police.schools]\n{_NAMED}\n',
    ),
    Feed("eastmoor-police", "police", "Eastmoor Police", "police", _POLE, 1, "eastmoor"),
)  # fmt: skip
FEEDS: tuple[Feed, ...] = (CHIS, *HOSPITALS, *SCHOOLS, *FORCES)
"""In the order in which their records of one moment stand."""
BY_NAME = {feed.name: feed for feed in FEEDS}


def write_feeds(folder: Path) -> None:
    """`feeds.json`: each feed with its agency, source, service, formats, column map and settings."""
    described = {}
    for feed in FEEDS:
        kept = {name: value for name, value in asdict(feed).items() if name in ("agency", "formats", "column_map")}
        described[feed.name] = {**kept, "source": feed.source, "service": feed.service, "settings": feed.settings}
    text = json.dumps({"partnership": PARTNERSHIP, "area": AREA, "feeds": described}, indent=1)
    (folder / "feeds.json").write_text(text + "\n", encoding="utf-8")
