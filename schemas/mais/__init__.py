"""The shapes of the MAIS standards as data, and whether a JSON-LD document fits them.

PUB01 (Person) and PUB02 (LifeEvent, ServiceEpisode, Finding) stand in `pub01-person.json` and
`pub02-safeguarding.json`: for every property how often it may occur, what it holds and the clause that says so. This
does not build documents (the hub's export does) and does not resolve JSON-LD: it reads the one form in `README.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from schemas.catalogue import KINDS, get_codes

FILES = ("pub01-person.json", "pub02-safeguarding.json")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")


@dataclass(frozen=True)
class MaisFault:
    """One broken constraint: shape, JSON pointer into the document, constraint, and the clause that it comes from."""

    shape: str
    path: str
    constraint: str
    clause: str


def check_document(document: Mapping[str, Any], *, extensions: bool = True) -> list[MaisFault]:
    """Check a document of the form `{"@context": …, "@graph": [Person, LifeEvent…, ServiceEpisode…]}`.

    An empty list: it fits. With `extensions` our `x-` event codes pass; without, they are named, as a recipient who
    knows only the published vocabularies would name them. Faults never hold a value of the document.
    """
    graph = document.get("@graph")
    if "@context" not in document:
        return [MaisFault("Document", "", "context", "JSON-LD 1.1: a document of terms needs its @context")]
    if not isinstance(graph, list) or not graph:
        return [MaisFault("Document", "/@graph", "graph", "the graph holds at least one Person")]
    return [*_check_graph(graph, extensions), *_check_references(graph)]


@cache
def get_shapes() -> Mapping[str, Any]:
    """Every shape of PUB01 and PUB02 by name."""
    folder = Path(__file__).parent
    files = [json.loads((folder / name).read_text(encoding="utf-8")) for name in FILES]
    return {name: shape for file in files for name, shape in file["shapes"].items()}


@cache
def get_context() -> Mapping[str, Any]:
    """The JSON-LD context of such documents: each term with its IRI, scoped by type, made from the shapes."""
    file = json.loads((Path(__file__).parent / FILES[0]).read_text(encoding="utf-8"))
    terms: dict[str, Any] = {"@version": 1.1, **file["namespaces"]}
    for name, shape in get_shapes().items():
        inside = {term: _term(rule) for term, rule in shape["properties"].items()}
        terms[name] = {"@id": shape["iri"], "@context": inside}
    return terms


def _term(rule: Mapping[str, Any]) -> Any:
    typed = {"date": "xsd:date", "dateTime": "xsd:dateTime", "decimal": "xsd:decimal", "uri": "@id"}
    if "shape" in rule or rule["value"] not in typed:
        return rule["iri"]
    return {"@id": rule["iri"], "@type": typed[rule["value"]]}


def _check_graph(graph: Sequence[Any], extensions: bool) -> Iterator[MaisFault]:
    shapes = get_shapes()
    for index, node in enumerate(graph):
        path = f"/@graph/{index}"
        name = node.get("@type") if isinstance(node, Mapping) else None
        if isinstance(name, str) and shapes.get(name, {}).get("top"):
            yield from _check_node(name, node, path, extensions)
        else:
            yield MaisFault("Document", f"{path}/@type", "type", "the graph holds Person, LifeEvent and ServiceEpisode")


def _check_node(name: str, node: Mapping[str, Any], path: str, extensions: bool) -> Iterator[MaisFault]:
    for term, rule in get_shapes()[name]["properties"].items():
        place = f"{path}/{term}"
        values = _values(node.get(term))
        if len(values) < rule["min"]:
            yield MaisFault(name, place, "min", rule["clause"])
        if len(values) > rule.get("max", len(values)):
            yield MaisFault(name, place, "max", rule["clause"])
        for pointer, value in _placed(place, node.get(term)):
            yield from _check_value(name, rule, value, pointer, extensions)


def _check_value(name: str, rule: Mapping[str, Any], value: Any, path: str, extensions: bool) -> Iterator[MaisFault]:
    if "shape" in rule:
        if not isinstance(value, Mapping) or value.get("@type") != rule["shape"]:
            yield MaisFault(name, path, "class", rule["clause"])
        else:
            yield from _check_node(rule["shape"], value, path, extensions)
    elif not _is_a(rule["value"], value):
        yield MaisFault(name, path, rule["value"], rule["clause"])
    elif "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        yield MaisFault(name, path, "pattern", rule["clause"])
    elif "codes" in rule and not _in_vocabulary(rule["codes"], value, extensions):
        yield MaisFault(name, path, "codes", rule["clause"])


def _values(value: Any) -> list[Any]:
    """JSON-LD says the same with one value and with a list of one."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _placed(place: str, value: Any) -> list[tuple[str, Any]]:
    """Each value with its JSON pointer: a single one stands at the member itself, one of a list at its index."""
    if isinstance(value, list):
        return [(f"{place}/{index}", each) for index, each in enumerate(value)]
    return [] if value is None else [(place, value)]


def _is_a(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "decimal":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str) or not value:
        return False
    if kind == "uri":
        return _URI.fullmatch(value) is not None
    return kind == "string" or _exists(kind, value)


def _exists(kind: str, value: str) -> bool:
    form, read = (_DATE, date.fromisoformat) if kind == "date" else (_DATE_TIME, datetime.fromisoformat)
    try:
        return form.fullmatch(value) is not None and read(value) is not None
    except ValueError:
        return False


def _in_vocabulary(name: str, code: str, extensions: bool) -> bool:
    rows = get_codes(name)
    if code in rows or any(code == row.get("later") for row in rows.values()):
        return True
    return extensions and name in ("life-events", "service-episodes") and code in _extensions()


@cache
def _extensions() -> frozenset[str]:
    return frozenset(kind.mais for kind in KINDS.values() if kind.mais.startswith("x-") and kind.mais_object != "none")


def _check_references(graph: Sequence[Any]) -> Iterator[MaisFault]:
    """Whoever an event is about must stand in the same document: a reference into nothing tells nobody anything."""
    nodes = [(index, node) for index, node in enumerate(graph) if isinstance(node, Mapping)]
    people = [node for _, node in nodes if node.get("@type") == "Person"]
    known = {pair for person in people for pair in _identifiers(person.get("identifier"))}
    for index, node in nodes:
        for place, subject in _placed(f"/@graph/{index}/subjectPerson", node.get("subjectPerson")):
            pairs = _identifiers(subject.get("person")) if isinstance(subject, Mapping) else set()
            if pairs and not pairs & known:
                clause = "PUB02 SubjectPerson.person refers to a Person"
                yield MaisFault("SubjectPerson", f"{place}/person", "reference", clause)


def _identifiers(value: Any) -> set[tuple[str, str]]:
    return {(str(each.get("system")), str(each.get("value"))) for each in _values(value) if isinstance(each, Mapping)}
