"""A NEMS message as a person reads it: header, routing, focus, the child it is about. Finds; does not judge.

`tidy(node, "a.b")` is the first text at a path, "" where there is none; unknown is always "".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.kit.identifiers import NHS_NUMBER, tidy_number

Node = Mapping[str, Any]

# An EpisodeOfCare or Immunization keeps its own identifier through every version; the demographic messages are about a
# person and carry none.
ANCHORS = {"professional-contacts-1": "EpisodeOfCare", "vaccinations-1": "Immunization"}

UNKNOWN = {"", "none", "null", "*dummy*"}
ROUTING = "Extension-RoutingDemographics-1"
MESSAGE_TYPE = "Extension-MessageEventType-1"
MOTHER = {"12", "MTH", "NMTH"}  # PersonRelationshipType-1; HL7 v3 RoleCode


def every(node: Any, path: str) -> Iterator[Any]:
    """Everything at a dotted path, in order."""
    name, _, rest = path.partition(".")
    found = node.get(name, ()) if isinstance(node, Mapping) else ()
    for one in found if isinstance(found, list) else ():
        if rest:
            yield from every(one, rest)
        else:
            yield one


def tidy(node: Any, path: str) -> str:
    """The first known text at a path, without the spaces around it."""
    for one in every(node, path):
        if isinstance(one, str) and one.strip().casefold() not in UNKNOWN:
            return one.strip()
    return ""


def first(node: Any, path: str) -> Node:
    """The first element with parts at a path, empty where there is none."""
    return next((one for one in every(node, path) if isinstance(one, Mapping)), {})


def extension(node: Any, ending: str) -> Node:
    """The extension whose url ends so (publishers disagree about what stands before it)."""
    return next((e for e in every(node, "extension") if tidy(e, "url").endswith(ending)), {})


def coding(node: Any, path: str = "coding") -> list[tuple[str, str, str]]:
    """(system, code, display) of each coding. Codes come with stray spaces in real files."""
    return [(tidy(c, "system"), tidy(c, "code"), tidy(c, "display")) for c in every(node, path)]


@dataclass(frozen=True, slots=True)
class Routing:
    """Whom the header says the message is about. Only routing: it may disagree with the Patient."""

    nhs_number: str
    name: Node
    birth: str


class Message:
    """One message Bundle, read only."""

    def __init__(self, bundle: Node) -> None:
        self.bundle = bundle

    @cached_property
    def resources(self) -> list[Node]:
        return [r for r in every(self.bundle, "entry.resource") if isinstance(r, Mapping)]

    @cached_property
    def header(self) -> Node:
        return next((r for r in self.resources if r.get("resourceType") == "MessageHeader"), {})

    @cached_property
    def event_code(self) -> str:
        """Lower case, without spaces around it; the text in `event` where an old copy has no code."""
        return (tidy(self.header, "event.code") or tidy(self.header, "event.display")).casefold()

    @property
    def event_type(self) -> str:
        """new, update or delete as the header claims; not always honest."""
        concept = first(extension(self.header, MESSAGE_TYPE), "valueCodeableConcept")
        return next((code.casefold() for _, code, _ in coding(concept)), "")

    @cached_property
    def routing(self) -> Routing:
        found = extension(self.header, ROUTING)
        return Routing(
            nhs_number=tidy_number(tidy(extension(found, "nhsNumber"), "valueIdentifier.value")),
            name=first(extension(found, "name"), "valueHumanName"),
            birth=tidy(extension(found, "birthDateTime"), "valueDateTime"),
        )

    @cached_property
    def _index(self) -> dict[str, Node]:
        index: dict[str, Node] = {}
        for entry in every(self.bundle, "entry"):
            resource = first(entry, "resource")
            bare_id = tidy(resource, "id")
            kind = str(resource.get("resourceType", ""))
            for name in (_bare(tidy(entry, "fullUrl")), f"{kind}/{bare_id}" if bare_id else "", bare_id):
                if name:
                    index.setdefault(name, resource)
        return index

    def resolve(self, node: Any, path: str) -> Node:
        """The resource in this Bundle that the reference at a path points to, empty when it points elsewhere."""
        return self._index.get(_bare(tidy(node, f"{path}.reference")), {})

    def all_of(self, kind: str) -> list[Node]:
        return [r for r in self.resources if r.get("resourceType") == kind]

    @cached_property
    def focus(self) -> Node:
        return self.resolve(self.header, "focus")

    def focus_of(self, kind: str) -> Node:
        """The focus if it is of this kind, else the only resource of that kind, else nothing."""
        if self.focus.get("resourceType") == kind:
            return self.focus
        found = self.all_of(kind)
        return found[0] if len(found) == 1 else {}

    @cached_property
    def mother_of(self) -> Node:
        """The RelatedPerson that says: this Patient's mother."""
        for related in self.all_of("RelatedPerson"):
            if any(code in MOTHER for _, code, _ in coding(related, "relationship.coding")):
                return related
        return {}

    @cached_property
    def child(self) -> Node | None:
        """The Patient the message is about: at a birth the baby of the mother's RelatedPerson, else what the focus is
        or points to; the only Patient where the focus leads nowhere. None when that leaves a choice."""
        if self.event_code.startswith("pds-birth"):
            baby = self.resolve(self.mother_of, "patient")
            if baby.get("resourceType") == "Patient":
                return baby
        for found in (self.focus, self.resolve(self.focus, "subject"), self.resolve(self.focus, "patient")):
            if found.get("resourceType") == "Patient":
                return found
        patients = self.all_of("Patient")
        return patients[0] if len(patients) == 1 else None

    def nhs_number_of(self, patient: Node) -> str:
        """As written, without spaces; only where the identifier states that system."""
        for identifier in every(patient, "identifier"):
            if tidy(identifier, "system") == NHS_NUMBER and tidy(identifier, "value"):
                return tidy_number(tidy(identifier, "value"))
        return ""

    @cached_property
    def restricted(self) -> bool:
        """The child's record is marked restricted (v3-Confidentiality R or V)."""
        return any(code in ("R", "V") for _, code, _ in coding(self.child, "meta.security"))

    @property
    def last_updated(self) -> str:
        return tidy(self.header, "meta.lastUpdated")

    @property
    def timestamp(self) -> str:
        return tidy(self.header, "timestamp") or self.last_updated


def _bare(reference: str) -> str:
    """References come with and without `urn:uuid:`."""
    return reference.removeprefix("urn:uuid:")
