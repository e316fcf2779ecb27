"""The house's words: what this repository must not say, in code, comments and pages, with file and line.

The lists are short on purpose. A word of a standard (`subject` of a signed statement) is no fault; a word for a child
that is not "child", a path of somebody's machine or a promise in a comment is.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from adapters.kit.identifiers import nhs_number_ok

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "adapters", "hub", "demo")
FOLDERS = (*PACKAGES, "tests", "bench", "infra", "requirements", ".ci")
TEXT = {".py", ".md", ".toml", ".yaml", ".cedar", ".cedarschema", ".txt", ".in", "", ".json", ".xml", ".hl7", ".csv"}
MYSELF = Path(__file__).name

ANYWHERE = {
    "a path of somebody's machine": r"(?<![\w.])/(?:work|home|root|Users)/\w",
    "a package registry's host": r"pypi\.org|pythonhosted\.org|npmjs\.|ghcr\.io|docker\.io|quay\.io|pkg\.dev",
    "a promise in a comment": r"\b(?:TODO|FIXME|HACK)\b",
    "words about how this was made": r"(?i)\b(?:claude|anthropic|chatgpt|openai|copilot|llm|subagent)\b",
    "a telephone number outside the invented range": r"\b0(?:20|11\d|1\d1|7\d{3})[ -]?\d{3,4}[ -]?\d{3,4}\b",
}
IN_PROSE = {
    "a child is a child": r"(?i)\bdata subjects?\b|\bsubjects? (?:of the record|child)\b|\bsubject's\b",
    "a child is no case": r"(?i)\bcase(?:s)? (?:files?|records?|numbers?|workers?|notes?|histor\w+)\b|\bcaseloads?\b",
    "British English": r"(?i)\b(?:behaviors?|colors?|centers?|analyz\w+|organiz\w+|authoriz\w+|recogniz\w+)\b",
}
"""Only docstrings, comments and pages: names of standards are spelt as the standards spell them."""
EMPTY_NAMES = {"utils", "util", "common", "helper", "helpers", "manager", "managers", "misc"}


NUMBER = re.compile(r"(?<![\w.-])(?!999)\d{10}(?![\w.-])")
"""Ten digits that do not begin as never-issued NHS numbers do."""
EXAMPLES = {"test_identifiers.py": "published examples of the check digit, nobody's"}


def files(*suffixes: str) -> Iterator[Path]:
    named = [ROOT / name for name in ("Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")]
    found = [one for top in FOLDERS if (ROOT / top).is_dir() for one in (ROOT / top).rglob("*") if one.is_file()]
    for file in sorted(named + found):
        if file.suffix in (suffixes or TEXT) and "__pycache__" not in file.parts and file.name != MYSELF:
            yield file


def numbered(*suffixes: str) -> Iterator[tuple[Path, int, str]]:
    for file in files(*suffixes):
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            yield file, number, line


def place(file: Path, line: int, found: str) -> str:
    return f"{file.relative_to(ROOT)}:{line}: {found!r}"


@cache
def prose(file: Path) -> tuple[tuple[int, str], ...]:
    """Docstrings and comments of a Python file; every line of a page outside its code. Numbered."""
    return tuple(_prose(file))


def _prose(file: Path) -> Iterator[tuple[int, str]]:
    text = file.read_text()
    if file.suffix != ".py":
        yield from ((number, re.sub(r"`[^`]*`", "", line)) for number, line in enumerate(text.splitlines(), 1))
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from enumerate(node.value.value.splitlines(), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("fault", ANYWHERE)
def test_no_file_holds(fault: str) -> None:
    pattern = re.compile(ANYWHERE[fault])
    assert [place(file, number, hit[0]) for file, number, line in numbered() if (hit := pattern.search(line))] == []


@pytest.mark.parametrize("rule", IN_PROSE)
def test_prose_keeps_to(rule: str) -> None:
    pattern = re.compile(IN_PROSE[rule])
    lines = ((file, number, line) for file in files(".py", ".md") for number, line in prose(file))
    assert [place(file, number, hit[0]) for file, number, line in lines if (hit := pattern.search(line))] == []


def test_no_number_in_any_file_could_be_somebodys_nhs_number() -> None:
    found = (
        (file, number, hit)
        for file, number, line in numbered()
        if file.name not in EXAMPLES
        for hit in NUMBER.findall(line)
    )
    assert [place(file, number, hit) for file, number, hit in found if nhs_number_ok(hit)] == []


def test_nothing_prints_because_print_is_a_log() -> None:
    calls = [
        place(file, node.lineno, "print(")
        for top in PACKAGES
        for file in sorted((ROOT / top).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(file.relative_to(ROOT)) for file in files(".py") if file.stem in EMPTY_NAMES] == []
