"""The other people of a POLE report, as one of its children's events may carry them. Pure.

Built from what is allowed: an opaque reference, the group, the part in the incident, the relation to this child. A name
only in a protective condition, and only with the roles that the report lists for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.police.mapping.parts import ROLES, Remarks, other_child, without_empty
from adapters.police.mapping.words import find_relation
from adapters.police.record.pole import CHILD_ENTITIES, SUSPECT, VICTIM, Part, Report
from adapters.police.source.naming import opaque

# Reason of a link -> part in the incident. Every other reason is a relation.
_PARTS = {
    "victim": "victim",
    "known suspect": "suspect",
    "witness": "witness",
    "person reporting": "reporter",
    "present": "present",
}
_PART_BY_ENTITY = {SUSPECT: "suspect", VICTIM: "victim"}
MOST_PEOPLE = 200
_HIDDEN_PARTS = frozenset({"suspect", "reporter", "witness"})
_S38 = {"suspect": "suspect", "victim": "victim", "witness": "witness"}


@dataclass(frozen=True)
class PeopleOf:
    """The people of a report as seen from one of its children."""

    report: Report
    system: str
    remarks: Remarks

    def family_and_others(self) -> list[dict[str, Any]]:
        """Everybody but the child, adults first; nobody by name."""
        others = [person for person in self._others() if not _is_child(person)]
        children = dict.fromkeys(opaque(self.system, "child", _ref(p)) for p in self._others() if _is_child(p))
        return [*(self._adult(person) for person in others), *(other_child(ref) for ref in children)][:MOST_PEOPLE]

    def find_suspect(self) -> str:
        """The reference of the first suspect, "" for none."""
        suspects = (p["ref"] for p in self.family_and_others() if p.get("incident_role") == "suspect")
        return next(suspects, "")

    def bound(self, ref: str) -> list[dict[str, Any]]:
        """Whom a condition binds: by relation, and by name for those roles that the report lists."""
        person = next((other for other in self._others() if ref and _ref(other) == ref), None)
        if person is None:
            return []
        part = self._adult(person)
        if any(relation.family for relation in self._relations(person)):
            part["group"] = "family"  # who lives with the child must know of it, and so must those who visit
        named = " ".join(filter(None, (person.text("given_name"), person.text("surname"))))[:200]
        roles = [role for link in self._links(person) for role in link.texts("may_be_named_to")]
        may_know = [role for role in dict.fromkeys(roles) if role in ROLES]
        return [part | (without_empty(name=named, may_be_named_to=may_know) if may_know else {})]

    def _others(self) -> list[Part]:
        """Each other person once."""
        seen = {_ref(person): person for person in reversed(self.report.people)}
        order = dict.fromkeys(_ref(person) for person in self.report.people)
        return [seen[ref] for ref in order if ref and ref != self.report.child]

    def _links(self, person: Part) -> list[Part]:
        """Why this person stands in the report, for the incident or for this child."""
        links = (link for link in self.report.parts("links") if link.text("person_ref") == _ref(person))
        return [link for link in links if link.text("to") in ("", self.report.child)]

    def _relations(self, person: Part) -> list[Any]:
        reasons = [link.text("reason") for link in self._links(person)]
        named = (find_relation(reason, "links.reason", self.remarks) for reason in reasons if _is_relation(reason))
        return [relation for relation in named if relation is not None]

    def _adult(self, person: Part) -> dict[str, Any]:
        parts = [_PARTS[link.text("reason")] for link in self._links(person) if link.text("reason") in _PARTS]
        part = parts[0] if parts else _PART_BY_ENTITY.get(person.text("entity"), "")
        relations = self._relations(person)
        family = any(relation.family for relation in relations) and part not in _HIDDEN_PARTS
        return without_empty(
            ref=f"person-{opaque(self.system, 'person', _ref(person))}",
            group="family" if family else "others",
            relation=list(dict.fromkeys(relation.word for relation in relations))[:10],
            incident_role=part,
            adult=person.flag("adult"),
            s38=_S38.get(part),
        )


def _ref(person: Part) -> str:
    return person.text("person_ref")


def _is_child(person: Part) -> bool:
    return person.text("entity") in CHILD_ENTITIES or person.flag("adult") is False


def _is_relation(reason: str) -> bool:
    return bool(reason) and reason not in _PARTS and reason != "other"
