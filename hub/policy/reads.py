"""What rules can still read of a label once the reader is known: the key under which one evaluation serves many labels.

From each rule's syntax tree everything is taken away that this reader already settles (a rule about section 47 reads
nothing of a label where the threshold is recorded). What is left names attributes and groups of the label; two labels
that agree on those get the same answer from the engine. Syntax outside the subset understood here is refused. The
engine is never replaced by this: here nothing is decided, only which questions are the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from hub.domain.labels import Label

ATTRIBUTES: Final[Mapping[str, str]] = {
    "level": "level", "agreement": "agreement", "inScope": "in_scope", "agreementEvent": "agreement_event",
    "own": "own", "addressed": "addressed", "urgent": "urgent", "delivery": "delivery",
    "nothingFound": "nothing_found", "located": "located", "banner": "banner",
}  # fmt: skip
"""A label's attributes as the rules name them, and as Python does."""

Known = Mapping[str, Any]
"""What is known of the reader: each attribute's value, and under "" the (type, id) pairs of its groups."""
Read = tuple[str, str]
"""(type, id) of a group of labels, or ("attribute", name)."""
Projection = Callable[[Label], tuple[object, ...]]


class NotUnderstood(Exception):
    """A rule uses syntax that is not read here: it must not be loaded."""


def reads_of(tree: Mapping[str, Any], known: Known) -> frozenset[Read] | None:
    """What one rule reads of a label; None where the rule cannot apply to this reader at all."""
    found = set(_scope_read(tree["resource"]))
    for condition in tree["conditions"]:
        left = _settle(condition["body"], known)
        if left is (condition["kind"] == "unless"):
            return None
        found.update(_label_reads(left))
    return frozenset(found)


def projection(reads: frozenset[Read]) -> Projection:
    """A function that keeps of a label only what `reads` names."""
    if unknown := {kind for kind, _ in reads} - {"Category", "Handling", "attribute"}:
        raise NotUnderstood(f"labels compared with {', '.join(sorted(unknown))}")
    categories = frozenset(name for kind, name in reads if kind == "Category")
    handling = frozenset(name for kind, name in reads if kind == "Handling")
    places = tuple(Label._fields.index(ATTRIBUTES[name]) for kind, name in sorted(reads) if kind == "attribute")

    def project(label: Label) -> tuple[object, ...]:
        category = label.category if label.category in categories else None
        return category, label.handling & handling, *[label[place] for place in places]

    return project


def _settle(tree: Any, known: Known) -> Any:
    """The tree with all that the reader settles replaced by True or False."""
    match tree:
        case {"&&": {"left": left, "right": right}}:
            return _joined("&&", _settle(left, known), _settle(right, known), decisive=False)
        case {"||": {"left": left, "right": right}}:
            return _joined("||", _settle(left, known), _settle(right, known), decisive=True)
        case {"!": {"arg": arg}}:
            inner = _settle(arg, known)
            return (not inner) if isinstance(inner, bool) else {"!": {"arg": inner}}
        case {".": {"left": {"Var": "principal"}, "attr": str(name)}} if isinstance(known.get(name), bool):
            return known[name]
        case {"==": {"left": {".": {"left": {"Var": "principal"}, "attr": str(name)}}, "right": right}} if (
            name in known
        ):
            return (known[name],) == tuple(one for _, one in _members(right))
        case {"in": {"left": {"Var": "principal"}, "right": right}} if "" in known:
            return any(one in known[""] for one in _members(right))
    return tree


def _joined(operator: str, left: Any, right: Any, *, decisive: bool) -> Any:
    if left is decisive or right is decisive:
        return decisive
    if isinstance(left, bool):
        return right
    return left if isinstance(right, bool) else {operator: {"left": left, "right": right}}


def _scope_read(scope: Mapping[str, Any]) -> Iterator[Read]:
    if scope["op"] == "in":
        yield scope["entity"]["type"], scope["entity"]["id"]
    elif scope["op"] != "All":
        raise NotUnderstood(f"resource scope {scope['op']}")


def _label_reads(tree: Any) -> Iterator[Read]:
    """Walk a condition. `resource` may stand before a dot or before `in` only."""
    match tree:
        case {".": {"left": {"Var": "resource"}, "attr": str(name)}}:
            yield "attribute", name
        case {"in": {"left": {"Var": "resource"}, "right": right}}:
            yield from _members(right)
        case {"Var": "resource"}:
            raise NotUnderstood("a label used by itself")
        case dict():
            for branch in tree.values():
                yield from _label_reads(branch)
        case list():
            for branch in tree:
                yield from _label_reads(branch)


def _members(tree: Any) -> Iterator[Read]:
    match tree:
        case {"Value": {"__entity": {"type": str(kind), "id": str(name)}}}:
            yield kind, name
        case {"Set": list(several)}:
            for one in several:
                yield from _members(one)
        case _:
            raise NotUnderstood("a comparison with something other than codes")
