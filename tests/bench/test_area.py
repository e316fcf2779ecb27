"""The invented area: the same for the same arguments, in every format that adapters read, and meaning what it says."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.identifiers import nhs_number_ok, upn_ok
from bench.area import naming
from bench.area.__main__ import main
from bench.area.feeds import BY_NAME, FEEDS
from bench.area.judge import judge
from bench.area.judge import main as judge_main
from bench.area.people import is_namesake
from bench.area.rates import read_rates
from bench.area.writing import tell, write_area
from tests.bench.area_reading import KNOWN, Became, check_area

CHILDREN, SEED = 60, 11
Row = dict[str, Any]


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small area."""
    out = tmp_path_factory.mktemp("area") / "out"
    write_area(out, children=CHILDREN, years=3, seed=SEED, block=25)
    return out


@pytest.fixture(scope="module")
def became(area: Path) -> list[Became]:
    """What the adapters make of every record of the small area."""
    return list(check_area(area))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An area large enough for every mistake."""
    out = tmp_path_factory.mktemp("area") / "large"
    write_area(out, children=2000, years=3, seed=SEED)
    return out


def rows(area: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in (area / "truth" / f"{name}.jsonl").read_text().splitlines()]


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        whole.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return whole.hexdigest()


# -- the same


def test_the_same_arguments_give_the_same_bytes_in_another_process_with_another_hash_seed(
    area: Path, tmp_path: Path
) -> None:
    for number in ("1", "2"):
        words = ["-m", "bench.area", "--children", "60", "--seed", "11", str(tmp_path / number)]
        environment = {"PYTHONHASHSEED": number, "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
        subprocess.run([sys.executable, *words], check=True, env=environment, capture_output=True)  # noqa: S603
    assert digest(tmp_path / "1") == digest(tmp_path / "2")


def test_an_area_is_what_it_was_when_this_was_written(area: Path) -> None:
    """Whoever changes what is invented changes this line, and knows that figures taken before are of another area."""
    assert digest(area) == DIGEST


def test_another_seed_is_another_population(area: Path, tmp_path: Path) -> None:
    write_area(tmp_path / "other", children=CHILDREN, years=3, seed=SEED + 1)
    assert digest(tmp_path / "other") != digest(area)


def test_a_child_is_the_same_in_an_area_of_any_size() -> None:
    few, many = list(tell(20, 1, SEED)), list(islice(tell(200, 1, SEED), 8))
    assert [one.pieces for one in few][:8] == [one.pieces for one in many]


def test_the_command_writes_into_an_empty_folder_only(tmp_path: Path) -> None:
    assert main(["--children", "3", "--years", "1", str(tmp_path / "new")]) == 0
    assert main(["--children", "3", "--years", "1", str(tmp_path / "new")]) == 2
    assert main(["--children", "0", str(tmp_path / "none")]) == 2


# -- bounded


def test_memory_does_not_grow_with_the_number_of_children() -> None:
    told = tell(1_000_000, 1, SEED)
    for _ in islice(told, 200):
        pass
    tracemalloc.start()
    try:
        for _ in islice(told, 1_000):
            pass
        grown, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 1_000_000
    assert highest < 4_000_000


# -- meaning what it says


def test_every_record_becomes_what_the_truth_says(area: Path, became: list[Became]) -> None:
    meant, found = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for row in rows(area, "records"):
        meant.update((row["feed"], row["file"], row["record"], one["event"], one["day"]) for one in row["events"])
    for one in became:
        found.update((one.feed, one.file, *event) for event in one.events)
    assert meant == found
    assert meant.total() > 250


def test_no_record_is_unreadable_unmappable_or_held(became: list[Became]) -> None:
    assert [one for one in became if one.outcome not in ("events", "no-event", KNOWN)] == []


def test_every_format_that_adapters_read_is_written(became: list[Became]) -> None:
    formats = {one.format for one in became}
    assert formats == {name for feed in FEEDS for name in feed.formats}
    assert formats == {"ctf", "assembly", "hl7v2-itk", "nems-stu3", "pole-json", "police-csv"}


def test_the_truth_counts_every_record_once(area: Path, became: list[Became]) -> None:
    """A row with what was taken back of one child and told of another is two records of one message."""
    written = {(row["feed"], row["file"], row["record"], row["child"]) for row in rows(area, "records")}
    sums = json.loads((area / "truth" / "area.json").read_text())
    assert sums["counts"]["children"] == CHILDREN == len(rows(area, "children"))
    assert sums["counts"]["events"] == sum(len(one["expected"]) for one in rows(area, "children"))
    assert len(written) <= sums["counts"]["records"] <= len(became) + 5


def test_what_a_child_must_hold_is_what_its_records_mean(area: Path) -> None:
    by_record = Counter(
        (row["feed"], row["record"], one["event"]) for row in rows(area, "records") for one in row["events"]
    )
    by_child = Counter(
        (one["feed"], one["record"], one["event"]) for row in rows(area, "children") for one in row["expected"]
    )
    assert by_child == by_record


def test_every_kind_of_mistake_is_planted(large: Path) -> None:
    kinds = {row["kind"] for row in rows(large, "mistakes")}
    assert kinds == {
        "adult", "attended-after-all", "below-the-threshold", "corrected", "dummy-number", "duplicate", "not-shared",
        "nothing-new", "out-of-purpose", "retracted", "trigger-of-no-concern", "unborn", "vaccination-given",
        "wrong-child", "wrong-child-put-right",
    }  # fmt: skip
    doubts = {doubt for row in rows(large, "children") for doubt in row["doubts"]}
    assert doubts >= {"twin", "unborn", "birth-date-typo", "changed-name", "moved", "moved-without-number",
                      "shared-number", "namesake", "taken-back"}  # fmt: skip
    assert "unexplained" not in doubts


def test_most_children_are_without_doubt_and_events_are_about_five_a_child(large: Path) -> None:
    children = rows(large, "children")
    assert sum(not one["doubts"] for one in children) > 0.8 * len(children)
    assert 4 < sum(len(one["expected"]) for one in children) / len(children) < 6


def test_a_visit_that_was_told_of_the_wrong_child_names_the_child_who_is_meant(large: Path) -> None:
    wrong = [row for row in rows(large, "mistakes") if row["kind"] == "wrong-child"]
    assert wrong
    assert all(row["child"] != row["stands_under"] for row in wrong)
    expected = {row["child"]: row["expected"] for row in rows(large, "children")}
    for row in wrong:
        taken_back = [one for one in expected[row["stands_under"]] if one["record"] == row["record"]]
        assert taken_back
        assert all(one.get("taken_back") for one in taken_back)
        assert any(one["record"] == row["record"] for one in expected[row["child"]])


# -- nobody


def test_numbers_are_of_ranges_that_are_never_issued(large: Path) -> None:
    text = "".join(path.read_text() for feed in FEEDS for path in (large / feed.name).iterdir())
    assert {one[:3] for one in re.findall(r"(?<![\w.-])\d{10}(?![\w.-])", text)} == {"999"}
    assert {one[1:4] for one in re.findall(r"\b[A-Z]\d{12}\b", text)} == {"999"}
    assert {one[:2] for one in re.findall(r"\b[A-Z]{2}\d \d[A-Z]{2}\b", text)} == {"ZZ"}
    assert {one[:8] for one in re.findall(r"\b0\d{4} ?\d{6}\b", text.replace(" ", ""))} == {"01632960"}


def test_every_number_is_valid_and_no_two_children_have_the_same() -> None:
    numbers = [naming.nhs_number(child, SEED) for child in range(20_000)]
    given = [one for one in numbers if one]
    assert len(set(given)) == len(given) > 18_000
    assert all(map(nhs_number_ok, given))
    assert all(map(nhs_number_ok, map(naming.mothers_number, range(2_000))))
    assert not any(map(nhs_number_ok, map(naming.broken_number, range(2_000))))
    upns = [naming.upn(child, SEED) for child in range(20_000)]
    assert all(map(upn_ok, upns))
    assert len(set(upns)) == len(upns)


def test_no_two_families_share_both_surname_and_middle_name() -> None:
    names = [naming.surname(family) for family in range(3 * naming.SURNAMES)]
    assert len(set(names)) == len(names)
    assert any(map(is_namesake, range(5_000)))


def test_every_rate_says_where_it_comes_from_or_that_it_is_assumed() -> None:
    for name, entry in read_rates().items():
        assert entry["standing"] in ("published", "derived", "assumed"), name
        assert entry["unit"], name
        assert entry["standing"] == "assumed" or re.search(r"20\d\d", entry["source"]), name


def test_feeds_are_described_for_whoever_runs_the_adapters(area: Path) -> None:
    described = json.loads((area / "feeds.json").read_text())["feeds"]
    assert described.keys() == BY_NAME.keys()
    assert all(any((area / name).iterdir()) for name in described)
    assert described["northmarch-police"]["column_map"] == "northmarch"


# -- the judge is judged


def a_good_reading(area: Path) -> tuple[list[Row], dict[str, list[Row]]]:
    """A hub that is always right: one child for each child, in an order of its own."""
    truth = rows(area, "children")
    read: dict[str, list[Row]] = {}
    for number, child in enumerate(truth):
        if child["expected"]:
            source = [{"source": BY_NAME[one["feed"]].source} for one in child["expected"]]
            read[f"hub-{number}"] = [
                {**one, **origin, "id": f"{number}-{place}"}
                for place, (one, origin) in enumerate(zip(child["expected"], source, strict=True))
            ]
    return truth, read


def first_clean(truth: list[Row], read: Mapping[str, list[Row]], entries: int = 3) -> list[str]:
    """Ids in the hub of two children without doubt and with some entries."""
    clean = {f"hub-{n}" for n, one in enumerate(truth) if not one["doubts"] and len(one["expected"]) >= entries}
    return [child for child in read if child in clean][:2]


def test_the_judge_finds_nothing_in_a_good_reading(area: Path) -> None:
    verdict = judge(*a_good_reading(area))
    assert verdict.differences == verdict.doubted == []
    assert verdict.children == verdict.equal + verdict.doubted_equal == CHILDREN


def test_the_judge_sees_an_entry_that_is_missing(area: Path) -> None:
    truth, read = a_good_reading(area)
    one, _ = first_clean(truth, read)
    read[one].pop()
    assert [difference["why"] for difference in judge(truth, read).differences] == ["entries are missing"]


def test_the_judge_sees_a_child_in_two_and_two_children_in_one(area: Path) -> None:
    truth, read = a_good_reading(area)
    one, other = first_clean(truth, read)
    read["hub-part"] = [read[one].pop()]
    assert [one["why"] for one in judge(truth, read).differences] == ["it stands under 2 children"]
    truth, read = a_good_reading(area)
    read[one] += read.pop(other)
    assert len(judge(truth, read).differences) == 2


@pytest.mark.parametrize(("name", "other"), [("event", "child-died"), ("day", "1999-01-01"), ("taken_back", True)])
def test_the_judge_sees_an_entry_that_is_shown_otherwise(area: Path, name: str, other: object) -> None:
    truth, read = a_good_reading(area)
    one, _ = first_clean(truth, read)
    read[one][0] = read[one][0] | {name: other}
    whys = {difference["why"] for difference in judge(truth, read).differences}
    assert whys == {"entries are missing", "nobody meant this entry"}


def test_the_judge_sees_an_entry_twice(area: Path) -> None:
    truth, read = a_good_reading(area)
    one, _ = first_clean(truth, read)
    read[one].append(read[one][0])
    whys = {difference["why"] for difference in judge(truth, read).differences}
    assert whys == {"shown 2 times", "there are entries that are not this child's, or twice"}


def test_a_child_with_a_planted_doubt_is_reported_apart(area: Path) -> None:
    truth, read = a_good_reading(area)
    place = next(n for n, one in enumerate(truth) if one["doubts"] and len(one["expected"]) > 1)
    read["hub-part"] = [read[f"hub-{place}"].pop()]
    verdict = judge(truth, read)
    assert verdict.differences == []
    assert [one["doubts"] for one in verdict.doubted] == [truth[place]["doubts"]]


def test_the_judges_command_says_what_differs_in_its_exit_code(
    area: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, read = a_good_reading(area)
    (tmp_path / "read.json").write_text(json.dumps(read))
    assert judge_main([str(area / "truth"), str(tmp_path / "read.json")]) == 0
    read.pop(first_clean(truth, read)[0])
    (tmp_path / "read.json").write_text(json.dumps(read))
    assert judge_main([str(area / "truth"), str(tmp_path / "read.json")]) == 1
    assert "nothing of it is shown" in capsys.readouterr().out


DIGEST = "5975b6cd6d037f127d197db8322fcdeb2d1c265ca51a8dc406b437f71db39af5"
