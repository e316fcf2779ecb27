"""Transfer files as bytes: every shape in the field, odd encodings, hostile and endless files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.education.source import ctf as source
from adapters.kit.outcomes import NativeRecord, Unreadable

REPOSITORY = Path(__file__).parents[3]


def _codes(record):
    return {remark.code for remark in record.remarks}


def test_a_published_file_has_no_remarks_and_says_its_shape(read, ctf):
    (record,) = read(ctf())
    assert record.remarks == ()
    assert record.format_version == "25.0"
    assert record.parsed["shape"]["wrapper"] == "ctfpupildata"


def test_names_in_other_places_and_lower_case_are_found_and_the_shape_is_remarked(samples, read):
    name = "9974010_CTF_9984002_015-other-shape.xml"
    (record,) = read((samples / "ordinary" / name).read_bytes(), name)
    pupil = record.parsed["pupil"]
    assert (pupil["surname"], pupil["forename"], pupil["birth_date"]) == ("Quennell", "Zoë", "2010-10-07")
    assert record.parsed["source_school"] == {"lea": "997", "estab": "4010"}
    assert _codes(record) == {"ctf-shape", "date-form", "source-school-from-file-name"}
    assert record.parsed["shape"] == {
        "root": "ctfile",
        "wrapper": "pupils",
        "names_in": "basicdetails",
        "letter_case": "other",
        "header": "flat",
        "assessments": "under-pupil",
    }


def test_a_namespace_changes_nothing(read, ctf):
    raw = ctf().replace(b"<CTfile>", b'<CTfile xmlns="urn:example:ctf">')
    (record,), (plain,) = read(raw), read(ctf())
    assert record.parsed == plain.parsed


def test_a_contacts_name_and_address_are_never_the_pupils(read, ctf):
    contact = (
        "<Contacts><Contact><Surname>Vane</Surname><Address><PostCode>ZZ9 9ZZ</PostCode></Address></Contact></Contacts>"
    )
    (record,) = read(ctf(contact, Surname="", Forename=""))
    assert "surname" not in record.parsed["pupil"]
    assert record.parsed["address"] == {}


def test_the_digest_covers_the_pupil_and_not_the_file_around_it(read, ctf):
    (one,), (other,) = read(ctf()), read(ctf(day="2025-02-10T09:00:00"))
    assert hashlib.sha256(one.raw).digest() == hashlib.sha256(other.raw).digest()
    assert one.raw.startswith(b"<Pupil>")
    assert one.parsed != other.parsed


def test_a_wrong_check_letter_gives_no_key(read, ctf):
    (record,) = read(ctf(UPN="A123456789123"))
    assert record.key.startswith("ctf/local-")
    assert "quillfeather" not in record.key.lower()


def test_a_new_number_points_at_the_old_one(read, ctf):
    (record,) = read(ctf("<BasicDetails><FormerUPN>V999200121004</FormerUPN></BasicDetails>"))
    assert record.supersedes == "ctf/V999200121004"


def test_a_day_that_does_not_exist_is_left_out_with_a_remark(read, ctf):
    (record,) = read(ctf(DOB="2014-02-30"))
    assert "birth_date" not in record.parsed["pupil"]
    assert _codes(record) == {"date-invalid"}


@pytest.mark.parametrize(
    ("raw_encoding", "declared", "remarks"),
    [
        ("utf-8", "UTF-8", set()),
        ("utf-16", "UTF-16", set()),
        ("iso-8859-1", "ISO-8859-1", set()),
        ("windows-1252", "UTF-8", {"encoding-guessed"}),
        ("windows-1252", "", {"encoding-guessed"}),
    ],
)
def test_encodings_are_read_as_declared_or_guessed_with_a_remark(read, ctf, raw_encoding, declared, remarks):
    text = ctf(Forename="Zoë").decode()
    text = text.replace('encoding="UTF-8"', f'encoding="{declared}"' if declared else "")
    (record,) = read(text.encode(raw_encoding))
    assert record.parsed["pupil"]["forename"] == "Zoë"
    assert _codes(record) == remarks


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_any_doctype_is_refused_before_an_entity_is_expanded(read, encoding):
    text = (
        '<?xml version="1.0"?><!DOCTYPE CTfile [<!ENTITY a "x">]><CTfile><Pupil><Surname>&a;</Surname></Pupil></CTfile>'
    )
    (found,) = read(text.encode(encoding))
    assert isinstance(found, Unreadable)
    assert found.reason == "xml-doctype"


def test_pupils_before_a_fault_are_kept_and_the_rest_is_unreadable(samples, read):
    pupil, rest = read((samples / "bad" / "cut-off.xml").read_bytes())
    assert isinstance(pupil, NativeRecord)
    assert (rest.reason, rest.label) == ("xml-form", "after pupil 1")


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<a>" * 220 + "</a>" * 220, "xml-too-deep"),
        ("<a/>" * 60_000, "xml-too-many-nodes"),
        ("<Notes>" + "x" * 11_000_000 + "</Notes>", ("too-large", "xml-form")),
        ("<a" + "".join(f' b{n}="1"' for n in range(1000)) + ' b1="2"/>', "xml-form"),
    ],
)
def test_a_pupil_beyond_the_limits_is_unreadable(read, ctf, inside, reason):
    (found,) = read(ctf(inside))
    assert isinstance(found, Unreadable)
    assert found.reason in ([reason] if isinstance(reason, str) else reason)


def test_xml_without_a_pupil_says_so(read):
    assert read(b"<CTfile><Header/></CTfile>") == [Unreadable("no-pupil")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"pupilonrolltableid,dob\n1,2\n", "school census table: not a format this adapter reads"),
        (b'{"yearlyEducationAttendances": []}', "yearly counts without dates: not a format this adapter reads"),
        (b"", "empty file"),
        (b"Dear Sir", "neither a transfer file nor a register export"),
        (b"<Message><Header/></Message>", "neither a transfer file nor a register export"),
    ],
)
def test_files_of_no_format_are_named_and_not_guessed_at(read, raw, reason):
    assert read(raw, "file") == [Unreadable(reason)]


def test_a_gap_in_the_encoding_tells_nothing_of_the_content(read, ctf):
    (found,) = read(ctf(Forename="Wrenna").replace(b"Wrenna", b"Wr\x81\xffnna"))
    assert isinstance(found, NativeRecord | Unreadable)
    if isinstance(found, Unreadable):
        assert found.reason == "xml-form"


_MEASURE = """
import resource, sys
from pathlib import Path
from adapters.education.source.ctf import read
with open(sys.argv[1], "rb") as file:
    count = sum(1 for _ in read(Path("x.xml"), file, {}))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_twenty_thousand_pupils_stream_in_the_memory_of_a_thousand(tmp_path, samples):
    whole = next((samples / "story" / "larkbeck").glob("d000*")).read_bytes()
    start, end = whole.index(b"    <Pupil>"), whole.index(b"  </CTFpupilData>")
    peaks = {}
    for pupils in (1_000, 20_000):
        path = tmp_path / f"{pupils}.xml"
        with path.open("wb") as file:
            file.write(whole[:start])
            file.writelines(whole[start:end] for _ in range(pupils // 2))
            file.write(whole[end:])
        command = [sys.executable, "-c", _MEASURE, str(path)]
        said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, text=True).stdout  # noqa: S603
        count, peaks[pupils] = map(int, said.split())
        assert count == pupils
    assert peaks[20_000] - peaks[1_000] < 8_000  # KiB


def test_the_reader_is_lazy(ctf):
    class Endless:
        def __init__(self):
            whole = ctf()
            self.start, self.end = whole.index(b"<Pupil>"), whole.index(b"</CTFpupilData>")
            self.whole, self.given = whole, 0

        def seekable(self):
            return False

        def read(self, size=-1):
            self.given += 1
            return self.whole[: self.end] if self.given == 1 else self.whole[self.start : self.end]

    records = source.read(Path("x.xml"), Endless(), {})
    assert all(isinstance(next(records), NativeRecord) for _ in range(3))
