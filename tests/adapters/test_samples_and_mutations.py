"""No file from outside makes an adapter fall over: real exports of other systems, spoiled ones, and hostile ones.

Every record ends as an event or in one of the other counted ways, with a reason, and the command ends with the exit
code that says so. `LONG=1` tries ten times as many spoiled files; `SEED=n` tries others.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.education.formats import AGENCY as EDUCATION
from adapters.health.formats import AGENCY as HEALTH
from adapters.kit.agency import HEAD_BYTES, find_format
from adapters.kit.command import main
from adapters.police.formats import AGENCY as POLICE

ROOT = Path(__file__).parents[2]
OTHERS = ROOT.parent / "shared" / "samples"
AGENCIES = {agency.name: agency for agency in (POLICE, HEALTH, EDUCATION)}
READERS = [(agency.name, format.name) for agency in AGENCIES.values() for format in agency.formats]

LONG = os.environ.get("LONG") == "1"
TRIES = 2_000 if LONG else 200
SEED = int(os.environ.get("SEED", "20250904"))
MOST_MEMORY_KB = 300 * 1024
MOST_SECONDS = 30
NEEDS_A_PERSON = {"held", "unmappable", "unreadable"}
OUTCOMES = {"events", "no-event", "held-back", *NEEDS_A_PERSON}


def files_of_others():
    """Published examples of other systems, where they lie beside the repository."""
    if not OTHERS.is_dir():
        why = f"no published examples of other systems in {OTHERS.parent.name}/{OTHERS.name} beside the repository"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return sorted(path for path in OTHERS.rglob("*") if path.is_file())


def own_files(agency):
    return sorted(path for path in (ROOT / "adapters" / agency.name / "samples").rglob("*") if path.is_file())


@contextmanager
def within(seconds):
    """Stops what does not end by itself."""

    def too_long(number, frame):
        raise AssertionError(f"it did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def check(capsys):
    """Runs `check --json` of an agency; gives the reports, having found code, words and reports as they have to be."""

    def run(agency, *paths):
        capsys.readouterr()
        with within(MOST_SECONDS):
            code = main(agency, ["check", "--json", *map(str, paths)], {})
        out, err = capsys.readouterr()
        return judge(code, out, err)

    return run


def judge(code, out, err):
    """The reports of a run of `check`, once they are found sound."""
    assert "Traceback" not in err
    reports = [json.loads(line) for line in out.splitlines()]
    assert code == (1 if NEEDS_A_PERSON & {one["outcome"] for one in reports} else 0), err
    for one in reports:
        assert_ended_well(one)
    return reports


def assert_ended_well(one):
    assert one["outcome"] in OUTCOMES
    assert one["record"]
    assert one["events"] or one["outcome"] != "events"
    if one["outcome"] != "events":
        (reason,) = one["reasons"]
        assert reason["why"]
        assert "failed" not in reason["why"], reason  # our own mistakes are no outcome
        assert "gave no event" not in reason["why"], reason
        if one["outcome"] in ("held", "unmappable"):
            assert reason["field"], reason


# -- published examples of other systems


@pytest.mark.parametrize("name", AGENCIES)
def test_every_published_example_of_any_system_ends_in_a_counted_way(check, name):
    files = files_of_others()
    for path in files:
        assert check(AGENCIES[name], path), f"nothing was said of {path.name}"


# -- spoiled files


def flip(raw, chance):
    spoiled = bytearray(raw)
    for _ in range(chance.randint(1, 20)):
        if spoiled:
            spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def cut(raw, chance):
    return raw[: chance.randint(0, len(raw))]


def slice_of(raw, chance):
    start = chance.randint(0, len(raw))
    return start, min(len(raw), start + chance.randint(1, 400))


def delete(raw, chance):
    start, end = slice_of(raw, chance)
    return raw[:start] + raw[end:]


def double(raw, chance):
    start, end = slice_of(raw, chance)
    return raw[:end] + raw[start:end] * chance.randint(1, 5) + raw[end:]


def move(raw, chance):
    start, end = slice_of(raw, chance)
    rest = raw[:start] + raw[end:]
    at = chance.randint(0, len(rest))
    return rest[:at] + raw[start:end] + rest[at:]


def re_encode(raw, chance):
    encoding = chance.choice(["utf-16", "utf-16-be", "utf-32", "cp1252", "cp500", "utf-8-sig", "shift_jis"])
    return raw.decode("utf-8", "replace").encode(encoding, "replace")


def put_in(raw, chance):
    token = chance.choice(
        [b"9" * 300_000, b"A" * 1_200_000, b"[" * 5_000, b'"', b"\0", b"<!DOCTYPE a>", b"&#x41;", b"\xff\xfe", b"'",
         b"~^\\&", b"\r", b"\n\n", b"|" * 70_000, b",", b"1e999999", b"null", b"\xed\xa0\x80", b"9999-99-99"]
    )  # fmt: skip
    at = chance.randint(0, len(raw))
    return raw[:at] + token + raw[at:]


def other_digits(raw, chance):
    old, new = (str(digit).encode() for digit in chance.sample(range(10), 2))
    return raw.replace(old, new, chance.randint(1, 50))


SPOILERS = (flip, cut, delete, double, move, re_encode, put_in, other_digits)


def spoil(raw, chance):
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        raw = chance.choice(SPOILERS)(raw, chance)
    return raw


def files_for(agency, format_name):
    """Our own samples that this reader takes, and every published example of this agency's systems."""
    others = OTHERS / agency.name
    beside = sorted(path for path in others.iterdir()) if others.is_dir() else []
    own = [path for path in own_files(agency) if takes(agency, format_name, path)]
    return [*own, *(path for path in beside if takes(agency, format_name, path))]


def takes(agency, format_name, path):
    found = find_format(agency, path, path.read_bytes()[:HEAD_BYTES])
    return found is not None and found.name == format_name


def spoiled_files(agency, format_name, tries):
    """(number, name, bytes), the same for the same seed."""
    files = [(path.name, path.read_bytes()) for path in files_for(agency, format_name)]
    assert files, f"no file for {format_name}"
    for number in range(tries):
        chance = random.Random(f"{SEED}/{agency.name}/{format_name}/{number}")  # noqa: S311
        name, raw = chance.choice(files)
        yield number, name, spoil(raw, chance)


@pytest.mark.parametrize(("name", "format_name"), READERS, ids=[f"{a}-{f}" for a, f in READERS])
def test_no_spoiled_file_makes_a_reader_or_mapping_fall_over(check, tmp_path, name, format_name):
    agency = AGENCIES[name]
    print(f"SEED={SEED}, {TRIES} spoiled files for {format_name}")
    ends = {}
    for number, file_name, raw in spoiled_files(agency, format_name, TRIES):
        path = tmp_path / file_name
        path.write_bytes(raw)
        try:
            reports = check(agency, path)
        except BaseException:
            kept = tmp_path / f"{number}-{file_name}"
            kept.write_bytes(raw)
            print(f"spoiled file {number} of {file_name}: kept as {kept}")
            raise
        for one in reports:
            ends[one["outcome"]] = ends.get(one["outcome"], 0) + 1
    print(ends)
    assert ends.get("unreadable"), "nothing was spoiled enough to be unreadable: the test tests little"


# -- the command itself, as a process


def run_command(name, *argv):
    """(exit code, standard output, words, largest memory in KB) of `python -m adapters.<name> …`."""
    command = [sys.executable, "-m", f"adapters.{name}", *map(str, argv)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", WITH_MEMORY, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = started.communicate(timeout=120)
    finally:
        started.kill()
    *words, memory = err.decode().splitlines()
    return started.returncode, out.decode(), "\n".join(words), int(memory)


WITH_MEMORY = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
sys.stderr.write(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\\n")
sys.exit(code)
"""


@pytest.mark.parametrize("name", AGENCIES)
def test_a_folder_of_spoiled_files_ends_with_1_within_300_megabytes(tmp_path, name):
    agency = AGENCIES[name]
    for format in agency.formats:
        for number, file_name, raw in spoiled_files(agency, format.name, 40):
            (tmp_path / f"{format.name}-{number}-{file_name}").write_bytes(raw)
    code, out, err, memory = run_command(name, "check", "--json", tmp_path)
    assert code == 1
    assert judge(code, out, err)
    assert memory < MOST_MEMORY_KB, f"{memory} KB"


@pytest.mark.parametrize(
    ("name", "argv", "code"),
    [
        ("police", ["check", "adapters/police/samples/story/d024-northmarch.csv"], 0),
        ("health", ["check", "--json", "adapters/health/samples/bad/laboratory-result.hl7"], 1),
        ("education", ["check", "no-such-file.xml"], 2),
        ("education", ["once", "no-such-folder"], 2),
        ("health", ["--help"], 0),
    ],
)
def test_the_exit_code_says_how_it_went(name, argv, code):
    argv = [str(ROOT / word) if word.startswith("adapters/") else word for word in argv]
    ended, _, err, _ = run_command(name, *argv)
    assert (ended, "Traceback" in err) == (code, False), err


LONG_LINES = {
    "police": {"a.csv": b"incident_ref,incident_type,child_given_name,child_family_name\n", "b.json": b'{"format": '},
    "health": {"a.hl7": b"MSH|^~\\&|PAS|ZZF|ROUTE|HUB|", "b.xml": b'<Bundle xmlns="http://hl7.org/fhir"><id a="'},
    "education": {"a.xml": b"<CTfile><Header><CTFversion>25.0</CTFversion><x>", "b.json": b'{"students": [{"id": "'},
}  # fmt: skip


@pytest.mark.parametrize("name", AGENCIES)
def test_a_line_of_a_hundred_megabytes_is_unreadable_within_300_megabytes(tmp_path, name):
    for file_name, beginning in LONG_LINES[name].items():
        with (tmp_path / file_name).open("wb") as file:
            file.write(beginning)
            for _ in range(100):
                file.write(b"x" * 1024 * 1024)
    started = time.monotonic()
    code, out, err, memory = run_command(name, "check", "--json", tmp_path)
    outcomes = [one["outcome"] for one in judge(code, out, err)]
    assert set(outcomes) == {"unreadable"}
    assert len(outcomes) >= 2
    assert memory < MOST_MEMORY_KB, f"{memory} KB"
    assert time.monotonic() - started < 60


# -- bad inputs, one by one

CSV_HEADER = (
    "incident_ref,incident_type,incident_opened_at,submitted_at,child_ref,child_given_name,child_family_name,"
    "child_dob,risk_level"
)
CSV_ROW = "NMC/1,DA,2025-03-04T19:30,2025-03-04T22:00,NM1,Ansel,Brightwater,2013-02-04,medium"
ADT = (
    "MSH|^~\\&|PAS|ZZF|ROUTE|HUB|20241202091500||ADT^A04^ADT_A01|1|P|2.4\rEVN||202412020910\r"
    "PID|||FW-1^^^ZZF^PAS||Hale^Orrin||20190201\r"
    "PV1||E|ED^^^ZZF01|21||||||180|||||||||V1^^^VISITID|||||||||||||||||||||||||202412020900\r"
)
CTF = (
    '<?xml version="1.0" encoding="UTF-8"?><CTfile><Header><CTFversion>25.0</CTFversion>'
    "<DateTime>2025-01-10T09:00:00</DateTime><SourceSchool><LEA>999</LEA><Estab>2001</Estab></SourceSchool></Header>"
    "<CTFpupilData><Pupil><Surname>Quillfeather</Surname><Forename>Wrenna</Forename><DOB>2014-05-17</DOB>"
    "<SchoolHistory><School><LEA>999</LEA><Estab>2001</Estab><EntryDate>2020-09-01</EntryDate>"
    "<LeavingDate>2025-01-08</LeavingDate></School></SchoolHistory></Pupil></CTFpupilData></CTfile>"
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><b>&a11;</b>"
)


def csv_of(row):
    return f"{CSV_HEADER}\n{row}\n"


GOOD = {
    ("police", "a.csv"): csv_of(CSV_ROW),
    ("health", "a.hl7"): ADT,
    ("education", "a.xml"): CTF,
}
CHANGED = {
    "a child without a name": {
        "a.csv": (",NM1,Ansel,Brightwater,", ",NM1,,,"),
        "a.hl7": ("FW-1^^^ZZF^PAS||Hale^Orrin|", "||"),
        "a.xml": ("<Surname>Quillfeather</Surname><Forename>Wrenna</Forename>", ""),
    },
    "dated in the future": {
        "a.csv": ("2025-03-04T19:30", "2031-03-04T19:30"),
        "a.hl7": ("202412020900", "203412020900"),
        "a.xml": ("<LeavingDate>2025", "<LeavingDate>2031"),
    },
    "an unknown code": {
        "a.csv": (",DA,", ",ZQ,"),
        "a.hl7": ("ADT^A04^ADT_A01", "ADT^Z99^ADT_Z99"),
        "a.xml": ("<LeavingDate>", "<LeavingReason>Q9</LeavingReason><LeavingDate>"),
    },
}


@pytest.mark.parametrize(("name", "file_name"), GOOD)
def test_the_good_file_behind_the_bad_ones_is_one_event(check, tmp_path, name, file_name):
    (tmp_path / file_name).write_text(GOOD[name, file_name], newline="")
    (report,) = check(AGENCIES[name], tmp_path / file_name)
    assert report["outcome"] in ("events", "held-back")
    assert len(report["events"]) + len(report["held_back"]) == 1


@pytest.mark.parametrize("bad", CHANGED)
@pytest.mark.parametrize(("name", "file_name"), GOOD)
def test_an_odd_record_is_an_event_with_a_remark_or_counted(check, tmp_path, name, file_name, bad):
    old, new = CHANGED[bad][file_name]
    good = GOOD[name, file_name]
    assert old in good
    (tmp_path / file_name).write_text(good.replace(old, new), newline="")
    (report,) = check(AGENCIES[name], tmp_path / file_name)
    if report["outcome"] == "events" and (bad, name) != ("an unknown code", "education"):  # its code is taken as it is
        assert any(event["remarks"] for event in report["events"])


@pytest.mark.parametrize("name", AGENCIES)
@pytest.mark.parametrize("suffix", [".csv", ".json", ".xml", ".hl7", ".bin"])
def test_bytes_that_mean_nothing_are_unreadable(check, tmp_path, name, suffix):
    chance = random.Random(f"{SEED}/{name}/{suffix}")  # noqa: S311
    (tmp_path / f"a{suffix}").write_bytes(chance.randbytes(50_000))
    (tmp_path / f"b{suffix}").write_bytes(BOMB)
    (tmp_path / f"c{suffix}").write_bytes(b"")
    reports = check(AGENCIES[name], tmp_path)
    assert {one["outcome"] for one in reports} == {"unreadable"}
    assert {Path(one["file"]).stem for one in reports} >= {"a", "b"}


@pytest.mark.parametrize(("name", "file_name"), GOOD)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-be", "cp500", "utf-32"])
def test_another_encoding_is_read_with_a_remark_or_unreadable(check, tmp_path, name, file_name, encoding):
    good = GOOD[name, file_name].replace("Orrin", "Örrin").replace("Ansel", "Ánsel").replace("Wrenna", "Wrénna")
    (tmp_path / file_name).write_bytes(good.encode(encoding))
    for report in check(AGENCIES[name], tmp_path / file_name):
        if report["outcome"] == "events" and encoding == "cp1252":
            assert "encoding-guessed" in [remark["code"] for remark in report["remarks"]]


@pytest.mark.parametrize(("name", "file_name"), GOOD)
def test_a_file_cut_anywhere_ends_in_a_counted_way(check, tmp_path, name, file_name):
    whole = GOOD[name, file_name].encode()
    for end in range(0, len(whole), 7):
        (tmp_path / file_name).write_bytes(whole[:end])
        check(AGENCIES[name], tmp_path / file_name)
