"""Bytes from outside: whatever comes ends in an outcome; line ends, wrappers and forms make no difference."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adapters.health.formats import AGENCY
from adapters.health.source import hl7v2, nems
from adapters.kit.agency import find_format
from adapters.kit.outcomes import Events, Held, NativeRecord, NoEvent, Unmappable, Unreadable

SAMPLES = Path(__file__).parents[3] / "adapters" / "health" / "samples"
TEST = {"identity": {"mode": "test"}, "service": {"urn": "urn:safeguarding:service:fenwater-emergency"}}
FILES = sorted(p for p in (SAMPLES).rglob("*") if p.suffix in (".xml", ".json", ".hl7"))
ENDS = (Events, NoEvent, Held, Unmappable, Unreadable)


def ends(path: Path, raw: bytes) -> list[Any]:
    read = hl7v2.read if path.suffix == ".hl7" else nems.read
    mapped = next(f for f in AGENCY.formats if f.read is read).map
    found = list(read(path, io.BytesIO(raw), TEST))
    return [r if isinstance(r, Unreadable) else mapped(r, None, TEST) for r in found]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_bytes_changed_anywhere_never_raise_and_always_end_in_an_outcome(path: Path, data: Any) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "put", "double", "drop"]))
        match how:
            case "flip":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                raw = raw[: at + 1]
            case "put":
                raw[at:at] = data.draw(
                    st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b'"', b"<", b"0", b"\\X0\\"])
                )
            case "double":
                raw[at:at] = raw[at : at + 40]
            case "drop":
                del raw[at : at + 12]
        if not raw:
            return
    assert all(isinstance(end, ENDS) for end in ends(path, bytes(raw)))


@given(raw=st.binary(max_size=400))
@hypothesis_settings(max_examples=150, deadline=None)
def test_any_bytes_end_in_an_outcome(raw: bytes) -> None:
    for path in (Path("x.hl7"), Path("x.xml"), Path("x.json")):
        for before in (b"", b"MSH|^~\\&|", b'{"resourceType":"Bundle"', b'<Bundle xmlns="http://hl7.org/fhir">'):
            assert all(isinstance(end, ENDS) for end in ends(path, before + raw))


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix != ".hl7"], ids=lambda p: p.name)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_element_lost_or_doubled_never_raises(path: Path, data: Any) -> None:
    if path.parent.name == "bad":
        return
    tree, _ = nems.parse(path.read_bytes())
    spot: Any = tree
    for _ in range(data.draw(st.integers(1, 12))):
        names = [n for n, v in spot.items() if isinstance(v, list) and v] if isinstance(spot, dict) else []
        if not names:
            break
        name = data.draw(st.sampled_from(names))
        items = spot[name]
        chosen = data.draw(st.integers(0, len(items) - 1))
        match data.draw(st.sampled_from(["down", "down", "down", "lose", "double", "text"])):
            case "down":
                spot = items[chosen]
            case "lose":
                del items[chosen]
                break
            case "double":
                items.append(items[chosen])
                break
            case "text":
                items[chosen] = data.draw(st.text(max_size=20))
                break
    if nems.why_not_ours(tree):
        return
    record = NativeRecord("k", "", "p", b"", tree, nems.FORMAT, "STU3", "nems")
    mapped = next(f for f in AGENCY.formats if f.name == nems.FORMAT).map
    assert isinstance(mapped(record, None, TEST), ENDS)
    assert isinstance(mapped(record, record, TEST), ENDS)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\n\r\n", "\n\n"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_change_nothing_but_the_raw_bytes(end: str, final: bool) -> None:
    segments = (SAMPLES / "story/fenwater/d039-adt-a04-wrist.hl7").read_text().rstrip("\r").split("\r")
    raw = (end.join(segments) + (end if final else "")).encode()
    (record,) = hl7v2.read(Path("x.hl7"), io.BytesIO(raw), TEST)
    (plain,) = hl7v2.read(Path("x.hl7"), io.BytesIO("\r".join(segments).encode()), TEST)
    assert isinstance(record, NativeRecord)
    assert isinstance(plain, NativeRecord)
    assert record.parsed == plain.parsed
    assert (record.key, record.version, record.person) == ("visit:FV-1016", "FEN20241018000417", "FW-204417")


def test_a_batch_with_frames_and_wrappers_is_read_message_by_message() -> None:
    one = (SAMPLES / "story/fenwater/d039-adt-a04-wrist.hl7").read_bytes()
    two = (SAMPLES / "story/fenwater/d214-adt-a04-not-brought.hl7").read_bytes()
    raw = b"FHS|^~\\&|x\rBHS|^~\\&|x\r\x0b" + one + b"\x1c\r\n\x0b" + two + b"\x1c\rBTS|2\rFTS|1\r"
    assert hl7v2.sniff(Path("x"), raw[:100])
    records = list(hl7v2.read(Path("x"), io.BytesIO(raw), TEST))
    assert [r.label for r in records] == ["message 1", "message 2"]
    assert [r.raw for r in records if isinstance(r, NativeRecord)][1].startswith(b"\x0bMSH")


def test_each_record_keeps_its_own_bytes_and_never_its_neighbours() -> None:
    one = (SAMPLES / "story/fenwater/d039-adt-a04-wrist.hl7").read_bytes()
    two = (SAMPLES / "story/fenwater/d214-adt-a04-not-brought.hl7").read_bytes()
    alone = [r.raw for raw in (one, two) for r in hl7v2.read(Path("x"), io.BytesIO(raw), TEST)]
    together = [r.raw for r in hl7v2.read(Path("x"), io.BytesIO(one + b"\r\n" + two), TEST)]
    assert together == alone


def test_a_message_that_never_ends_is_refused_without_filling_memory() -> None:
    class Endless(io.RawIOBase):
        left = 60 * 1024 * 1024

        def read(self, size: int = -1) -> bytes:
            taken = min(size, self.left)
            self.left -= taken
            return b"A" * taken

    tracemalloc.start()
    stream: Any = Endless()
    found = list(hl7v2.read(Path("x"), stream, TEST))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(f) for f in found] == [Unreadable]
    assert peak < 60 * 1024 * 1024


def test_the_message_after_one_too_large_is_read() -> None:
    good = (SAMPLES / "story/fenwater/d039-adt-a04-wrist.hl7").read_bytes()
    huge = b"MSH|^~\\&|x\rZZZ|" + b"A" * (11 * 1024 * 1024) + b"\r"
    found = list(hl7v2.read(Path("x"), io.BytesIO(huge + good), TEST))
    assert [type(f) for f in found] == [Unreadable, NativeRecord]
    assert isinstance(found[0], Unreadable)
    assert found[0].reason == "too-large"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("doctype-entities.xml", "xml-doctype"),
        ("cut-off.xml", "xml-form"),
        ("name-twice.json", "json-duplicate-name"),
        ("r4-message.json", "FHIR R4 message Bundle: not a format this adapter reads"),
    ],
)
def test_hostile_and_foreign_files_are_refused_by_name(file: str, reason: str) -> None:
    path = SAMPLES / "bad" / file
    (end,) = ends(path, path.read_bytes())
    assert isinstance(end, Unreadable)
    assert end.reason == reason


def test_xml_and_json_of_one_message_are_the_same_record() -> None:
    path = SAMPLES / "story/fenwater/d190-nems-vaccination-not-given.json"
    tree, _ = nems.parse(path.read_bytes())
    xml = _as_xml(json.loads(path.read_bytes()))
    again, _ = nems.parse(xml.encode())
    assert again == tree


def _as_xml(bundle: dict[str, Any]) -> str:
    def element(name: str, value: Any) -> str:
        if isinstance(value, list):
            return "".join(element(name, one) for one in value)
        if not isinstance(value, dict):
            return f'<{name} value="{str(value).lower() if isinstance(value, bool) else value}"/>'
        url = f' url="{value["url"]}"' if name == "extension" else ""
        inner = "".join(element(n, v) for n, v in value.items() if n not in ("resourceType", "url"))
        kind = value.get("resourceType")
        return f"<{name}{url}><{kind}>{inner}</{kind}></{name}>" if kind else f"<{name}{url}>{inner}</{name}>"

    body = "".join(element(n, v) for n, v in bundle.items() if n != "resourceType")
    return f'<Bundle xmlns="http://hl7.org/fhir">{body}</Bundle>'


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_sample_is_recognised_by_its_content(path: Path) -> None:
    found = find_format(AGENCY, Path("renamed.dat"), path.read_bytes()[:4096])
    assert found is not None
    assert found.name == ("hl7v2-itk" if path.suffix == ".hl7" else "nems-stu3")


def test_windows_1252_is_read_with_a_remark() -> None:
    raw = (SAMPLES / "story/fenwater/d039-adt-a04-wrist.hl7").read_bytes().replace(b"Wrenna", b"Ren\xe9e")
    (record,) = hl7v2.read(Path("x"), io.BytesIO(raw), TEST)
    assert isinstance(record, NativeRecord)
    assert [r.code for r in record.remarks] == ["encoding-guessed"]
    assert "Renée" in str(record.parsed)


def test_escapes_are_read_without_a_word_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    raw = b"MSH|^~\\&|PAS|ZZF|||2024||ADT^A01|1|P|2.4\rPID|1||||O\\T\\Neil\\S\\\\Xzz\\^Ann"
    (record,) = hl7v2.read(Path("x"), io.BytesIO(raw), TEST)
    assert isinstance(record, NativeRecord)
    assert record.parsed["segments"][1][5] == [["O&Neil^\\Xzz\\", "Ann"]]
    assert caplog.records == []
