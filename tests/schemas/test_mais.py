"""Each constraint of PUB01 and PUB02, broken once, is named with the clause it comes from."""

import copy
import json

import pytest

from schemas.catalogue import KINDS, ROOT, get_codes
from schemas.mais import check_document, get_context, get_shapes


def example():
    return json.loads((ROOT / "mais" / "example.json").read_text(encoding="utf-8"))


def _nodes(value, path=""):
    """Every typed object of the document with its pointer."""
    if isinstance(value, dict):
        if "@type" in value:
            yield path, value
        for key, inner in value.items():
            yield from _nodes(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nodes(inner, f"{path}/{index}")


def _first(document, shape):
    return next((path, node) for path, node in _nodes(document) if node["@type"] == shape)


RULES = [(shape, term) for shape, rules in get_shapes().items() for term in rules["properties"]]
WRONG = {
    "string": 1,
    "uri": "no uri",
    "date": "2025-02-29",
    "dateTime": "2025-02-28",
    "boolean": "true",
    "decimal": 1.5,
}
RIGHT = {
    "string": "x",
    "uri": "urn:local:larkbeck:pupil",
    "date": "2025-02-28",
    "dateTime": "2025-02-28T09:30:00Z",
    "boolean": False,
    "decimal": 4,
}
OF_PATTERN = {"date": "2025-02-28", "accuracyIndicator": "AAE", "postcode": "ZZ99 4QF", "ethnicityCode": "-8"}


def rule_of(shape, term):
    return get_shapes()[shape]["properties"][term]


def a_value(term, rule):
    """One value that fits a rule, with every member that its shape knows."""
    if "shape" in rule:
        return filled(rule["shape"])
    if "pattern" in rule:
        return OF_PATTERN[term]
    return next(iter(get_codes(rule["codes"]))) if "codes" in rule else RIGHT[rule["value"]]


def filled(shape):
    rules = get_shapes()[shape]["properties"]
    return {"@type": shape, **{term: a_value(term, rule) for term, rule in rules.items()}}


def whole():
    """A document in which every member of every shape stands, one value each."""
    return {"@context": "context.json", "@graph": [filled(name) for name in ("Person", "LifeEvent", "ServiceEpisode")]}


def broken(shape, change):
    """The faults after one change to the first object of a shape, and where that object stands."""
    document = whole()
    path, node = _first(document, shape)
    change(node)
    return path, check_document(document)


def named(faults, shape, path, constraint, clause):
    return any((f.shape, f.constraint, f.clause) == (shape, constraint, clause) and f.path == path for f in faults)


def where(word):
    """Every (shape, member) whose rule has this constraint."""
    return sorted((shape, term) for shape, term in RULES if rule_of(shape, term).get(word))


def test_a_document_with_every_member_of_every_shape_fits():
    assert check_document(whole()) == []
    assert {node["@type"] for _, node in _nodes(whole())} == set(get_shapes())


def test_every_constraint_of_a_rule_is_one_that_is_broken_below():
    known = {"min", "max", "shape", "value", "codes", "pattern", "clause", "iri"}
    assert {word for shape, term in RULES for word in rule_of(shape, term)} == known


def test_the_example_fits():
    assert check_document(example()) == []


@pytest.mark.parametrize(("shape", "term"), where("min"))
def test_a_missing_member_is_named(shape, term):
    path, faults = broken(shape, lambda node: node.pop(term))
    assert named(faults, shape, f"{path}/{term}", "min", rule_of(shape, term)["clause"])


@pytest.mark.parametrize(("shape", "term"), where("max"))
def test_one_value_too_many_is_named(shape, term):
    path, faults = broken(shape, lambda node: node.update({term: [node[term], copy.deepcopy(node[term])]}))
    assert named(faults, shape, f"{path}/{term}", "max", rule_of(shape, term)["clause"])


@pytest.mark.parametrize(("shape", "term"), where("shape"))
def test_an_object_of_another_class_is_named(shape, term):
    path, faults = broken(shape, lambda node: node.update({term: [{"@type": "SomethingElse"}]}))
    assert named(faults, shape, f"{path}/{term}/0", "class", rule_of(shape, term)["clause"])


@pytest.mark.parametrize(("shape", "term"), where("value"))
def test_a_value_of_another_type_is_named(shape, term):
    kind = rule_of(shape, term)["value"]
    path, faults = broken(shape, lambda node: node.update({term: [WRONG[kind]]}))
    assert named(faults, shape, f"{path}/{term}/0", kind, rule_of(shape, term)["clause"])


@pytest.mark.parametrize(("shape", "term"), where("pattern"))
def test_a_value_of_another_form_is_named(shape, term):
    path, faults = broken(shape, lambda node: node.update({term: ["?"]}))
    assert named(faults, shape, f"{path}/{term}/0", "pattern", rule_of(shape, term)["clause"])


@pytest.mark.parametrize(("shape", "term"), where("codes"))
def test_a_code_that_is_not_in_its_vocabulary_is_named(shape, term):
    path, faults = broken(shape, lambda node: node.update({term: ["no-such-code"]}))
    assert named(faults, shape, f"{path}/{term}/0", "codes", rule_of(shape, term)["clause"])


def test_a_single_value_is_named_at_its_member_and_not_at_an_index():
    document = example()
    document["@graph"][0]["dateOfBirth"]["date"] = "2025-02-29"
    assert [fault.path for fault in check_document(document)] == ["/@graph/0/dateOfBirth/date"]


def test_every_constraint_says_its_clause():
    assert all(rule_of(shape, term)["clause"].startswith(("PUB01 ", "PUB02 ")) for shape, term in RULES)


def test_every_vocabulary_that_a_shape_names_exists():
    assert all(get_codes(rule_of(s, t)["codes"]) for s, t in RULES if "codes" in rule_of(s, t))


def test_our_own_codes_pass_as_extensions_and_are_named_without_them():
    document = example()
    document["@graph"][1]["type"] = ["x-domestic-abuse-incident"]
    assert check_document(document) == []
    assert [fault.constraint for fault in check_document(document, extensions=False)] == ["codes"]
    document["@graph"][1]["type"] = ["x-made-up"]
    assert [fault.constraint for fault in check_document(document)] == ["codes"]


def test_both_forms_of_an_episode_code_fit():
    document = example()
    document["@graph"][2]["type"] = ["assessment.section-47"]
    assert check_document(document, extensions=False) == []


def test_an_event_about_somebody_who_is_not_in_the_document_is_named():
    document = example()
    document["@graph"][1]["subjectPerson"][0]["person"]["value"] = "9993189022"
    assert [(f.path, f.constraint) for f in check_document(document)] == [
        ("/@graph/1/subjectPerson/0/person", "reference")
    ]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, ""),
        ({"@context": {}}, "/@graph"),
        ({"@context": {}, "@graph": []}, "/@graph"),
        ({"@context": {}, "@graph": ["x"]}, "/@graph/0/@type"),
        ({"@context": {}, "@graph": [{"@type": "Finding"}]}, "/@graph/0/@type"),
        ({"@context": {}, "@graph": [{"@type": ["Person"]}]}, "/@graph/0/@type"),
    ],
)
def test_a_document_of_another_form_is_named(document, path):
    assert [fault.path for fault in check_document(document)] == [path]


def test_a_fault_never_says_what_was_written():
    document = example()
    document["@graph"][0]["genderCode"] = "Quillfeather"
    document["@graph"][0]["dateOfBirth"]["date"] = "Quillfeather"
    assert "Quillfeather" not in repr(check_document(document))


def test_the_context_in_the_folder_is_the_one_made_from_the_shapes():
    file = json.loads((ROOT / "mais" / "context.json").read_text(encoding="utf-8"))
    assert file == {"@context": get_context()}


def test_every_kind_that_is_exported_has_an_object_that_a_document_may_hold():
    assert {kind.mais_object for kind in KINDS.values()} == {"LifeEvent", "ServiceEpisode", "Person", "none"}
