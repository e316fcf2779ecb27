"""Every remark an adapter makes has its meaning in the shared list, so that whoever reads it can look it up."""

import ast
import json
from pathlib import Path

import pytest

from adapters.education.formats import AGENCY as EDUCATION
from adapters.health.formats import AGENCY as HEALTH
from adapters.kit.checking import Check, trial_settings
from adapters.police.formats import AGENCY as POLICE
from schemas.catalogue import get_codes

ADAPTERS = Path(__file__).parents[2] / "adapters"
AGENCIES = {agency.name: agency for agency in (POLICE, HEALTH, EDUCATION)}


def written_in(path):
    """The codes that stand in the code: first argument of `Remark(...)`, or of `add(...)` and rows for it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("Remark", "add"):
                yield node.args[0].value
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
            yield from (one.elts[0].value for one in node.args if is_row(one))


def is_row(node):
    return isinstance(node, ast.Tuple) and len(node.elts) == 3 and isinstance(node.elts[0], ast.Constant)


def test_every_remark_that_stands_in_the_code_is_in_the_list():
    used = {code for path in ADAPTERS.rglob("*.py") for code in written_in(path)}
    assert {"identifier-dropped", "not-a-session", "addressee-unknown"} <= used
    assert sorted(used - get_codes("remarks").keys()) == []


@pytest.mark.parametrize("name", AGENCIES)
def test_every_remark_on_the_samples_is_in_the_list(name):
    agency = AGENCIES[name]
    files = sorted(path for path in (ADAPTERS / name / "samples").rglob("*") if path.is_file())
    used = set()
    for path in files:
        for report in Check(agency, trial_settings(agency, None)).check([path]):
            used |= {remark["code"] for remark in report["remarks"]}
            used |= {code for event in report["events"] for code in event["remarks"]}
    assert used, "no sample has a remark: the samples do not show what remarks are for"
    assert sorted(used - get_codes("remarks").keys()) == []


def test_no_code_is_listed_twice():
    path = Path(ADAPTERS).parent / "schemas" / "codes" / "remarks.json"
    codes = [one["code"] for one in json.loads(path.read_text(encoding="utf-8"))["codes"]]
    assert len(codes) == len(set(codes))
