"""Whatever bytes come: no exception, every record ends in an outcome, every event fits, twice the same."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.education.formats import AGENCY
from adapters.kit.agency import HEAD_BYTES, find_format
from adapters.kit.outcomes import Events, Held, NativeRecord, NoEvent, Unmappable, Unreadable

SAMPLES = Path(__file__).parents[3] / "adapters" / "education" / "samples"
ORIGINALS = sorted(path for path in SAMPLES.rglob("*") if path.suffix in (".xml", ".json", ".csv"))
SERVICE = {"urn": "urn:safeguarding:service:tarnwhistle-academy", "name": "Tarnwhistle Academy", "kind": "a school"}
HOME = {"service": SERVICE}
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

cuts = st.tuples(st.integers(0, 20_000), st.integers(0, 40), st.binary(max_size=12))


def mutate(raw, changes):
    for at, length, put in changes:
        at %= len(raw) + 1
        raw = raw[:at] + put + raw[at + length :]
    return raw


def walk(raw, name):
    chosen = find_format(AGENCY, Path(name), raw[:HEAD_BYTES])
    last, ends = {}, []
    for found in chosen.read(Path(name), io.BytesIO(raw), HOME):
        if isinstance(found, Unreadable):
            ends.append(found)
            continue
        assert isinstance(found, NativeRecord)
        assert found.key
        assert len(found.key) <= 200
        end = chosen.map(found, last.get(found.key), HOME)
        assert isinstance(end, Events | NoEvent | Held | Unmappable)
        last[found.key] = found
        ends.append((found, end))
    return ends


def check(ends, completed):
    assert ends
    for end in ends:
        if not isinstance(end, Unreadable) and isinstance(end[1], Events):
            for event in end[1].events:
                completed(end[0], event, end[1])


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda path: path.name)
@FEW
@given(changes=st.lists(cuts, min_size=1, max_size=4))
def test_mutated_files_always_end_in_outcomes(completed, original, changes):
    raw = mutate(original.read_bytes(), changes)
    ends = walk(raw, original.name)
    if ends:
        check(ends, completed)
    assert walk(raw, original.name) == ends


texts = st.text(max_size=30) | st.sampled_from(["", "/", "2025-01-06", "31/12/2024", "PERM", "U999200118001", "null"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id", "date"]), inner),
    max_leaves=6,
)
NAMES = [
    "id",
    "student_id",
    "student",
    "session_date",
    "date",
    "session",
    "attendance_mark",
    "attendance_code_id",
    "upn",
]
NAMES += ["exclusion_type", "exclusion_reason", "start_date", "end_date", "leaving_date", "deleted_at", "type", "code"]
NAMES += ["forename", "surname", "date_of_birth", "gender", "education_details", "object", "sessions", "postcode"]
rows = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)
TABLES = ["students", "attendance", "attendance-codes", "exclusions", "students-leavers", "deletions", "data"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=st.dictionaries(st.sampled_from(TABLES), st.lists(rows, max_size=4), min_size=1))
def test_rows_of_any_content_always_end_in_outcomes(completed, tables):
    raw = json.dumps(tables).encode()
    for end in walk(raw, "a.json"):
        check([end], completed)


ELEMENTS = "UPN Surname Forename DOB Sex Contacts Contact Relationship School LeavingDate InCare LEA Estab SENprovision"
ELEMENTS += " Address PostCode AddressLine1 LeavingReason FormerUPN Pupil"
elements = st.sampled_from(ELEMENTS.split())
words = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<&>"), max_size=30)
trees = st.recursive(
    st.tuples(elements, words | st.sampled_from(["true", "E", "PE", "2025-01-09", "999", "2001", "STF"])),
    lambda inner: st.tuples(elements, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def write(tree):
    name, inside = tree
    return f"<{name}>{inside if isinstance(inside, str) else ''.join(map(write, inside))}</{name}>"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pupils=st.lists(st.lists(trees, max_size=8), min_size=1, max_size=3))
def test_elements_in_any_place_always_end_in_outcomes(completed, pupils):
    inside = "".join(f"<Pupil>{''.join(map(write, pupil))}</Pupil>" for pupil in pupils)
    raw = f"<CTfile><Header><DateTime>2025-01-10</DateTime></Header>{inside}</CTfile>".encode()
    check(walk(raw, "9992001_CTF_XXXXXXX_001.xml"), completed)
