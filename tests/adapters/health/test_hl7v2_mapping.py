"""ADT messages: one line a rule. A visit is written as the few fields that matter and read by the adapter itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from adapters.health import codes
from adapters.health.mapping.hl7v2_codes import where_and_what
from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable

CHILD = {
    "PID-3": "9994401173^^^NHS^NHSNMBR~FW-318820^^^ZZF^PAS",
    "PID-5": "Hale^Orrin",
    "PID-7": "20190201",
    "PID-8": "1",
}
OTHER = {
    "PID-3": "9993189030^^^NHS^NHSNMBR~FW-318821^^^ZZF^PAS",
    "PID-5": "Hale^Una",
    "PID-7": "20170201",
    "PID-8": "2",
}
EMERGENCY = {"PV1-2": "E", "PV1-3": "ED^^^ZZF01", "PV1-4": "21", "PV1-10": "180", "PV1-44": "202412020900"}
STAY = {"PV1-2": "I", "PV1-3": "W5^^^ZZF01", "PV1-4": "11", "PV1-44": "202412020900"}
CLINIC = {"PV1-2": "O", "PV1-3": "OPD^^^ZZF01", "PV1-44": "202412020900"}
BRUISE = {"DG1-3": "S40.0^Contusion of shoulder and upper arm^ICD10"}
ELBOW = {"DG1-3": "S50.0^Contusion of elbow^ICD10"}


def adt(trigger: str, *parts: dict[str, str], cid: str = "", visit: str = "V1", **more: str) -> tuple[str, bytes]:
    """One message from `SEG-n` fields; later parts win."""
    fields = {"EVN-2": "202412020910", "EVN-6": "202412020900", "PV1-19": f"{visit}^^^VISITID" if visit else ""}
    for part in parts:
        fields |= part
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    by_segment: dict[str, dict[int, str]] = {}
    for name, value in fields.items():
        segment, number = name.rsplit("-", 1)
        by_segment.setdefault(segment, {})[int(number)] = value
    lines = [f"MSH|^~\\&|PAS|ZZF|ROUTE|HUB|20241202091500||ADT^{trigger}^ADT_A01|{cid or trigger}|P|2.4"]
    for segment, numbered in by_segment.items():
        lines.append("|".join([segment.split(".")[0], *(numbered.get(n, "") for n in range(1, max(numbered) + 1))]))
    return "x.hl7", "\r".join(lines).encode()


def names(outcome: Any) -> Any:
    return [e.name for e in outcome.events] if isinstance(outcome, Events) else outcome.reason


@pytest.mark.parametrize(
    ("trigger", "parts", "end"),
    [
        ("A04", [EMERGENCY], ["emergency-attendance"]),
        ("A01", [EMERGENCY], ["emergency-attendance"]),
        ("A04", [CLINIC | {"PV1-4": "21"}], ["emergency-attendance"]),
        ("A04", [CLINIC | {"PV1-10": "180"}], ["emergency-attendance"]),
        ("A01", [STAY], ["admission"]),
        ("A01", [STAY | {"PV1-4": "28b"}], ["admission"]),
        ("A04", [CLINIC], "no-emergency-and-no-admission"),
        ("A04", [CLINIC, {"ZU3-3": "3"}], ["was-not-brought"]),
        ("A04", [CLINIC, {"ZU3-3": "5"}], "no-emergency-and-no-admission"),  # attended
        ("A04", [CLINIC, {"ZU3-3": "7"}], "no-emergency-and-no-admission"),  # came too late to be seen
        ("A04", [CLINIC, {"ZU3-3": "2"}], "no-emergency-and-no-admission"),  # cancelled
        ("A04", [EMERGENCY, {"ZU3-3": "3"}], ["emergency-attendance"]),
        ("A04", [EMERGENCY, BRUISE], ["emergency-attendance", "injury-observed"]),
        ("A01", [STAY, BRUISE], ["admission", "injury-observed"]),
        ("A04", [EMERGENCY, {"DG1-3": "J45.9^Asthma^ICD10"}], ["emergency-attendance"]),
        ("A04", [EMERGENCY, {"DG1-3": "S40.0^Bruise^LOCAL"}], ["emergency-attendance"]),
        ("A04", [EMERGENCY, {"DG1-3": "T740^Neglect^ICD10"}], ["emergency-attendance", "safety-alert-noted"]),
        ("A03", [STAY, {"PV1-45": "202412031000", "PV1-37": "19"}], ["discharge"]),
        ("A03", [STAY, BRUISE], ["discharge", "injury-observed"]),
        ("A03", [CLINIC], "no-emergency-and-no-admission"),
        ("A08", [EMERGENCY], ["emergency-attendance"]),
        ("A40", [{"MRG-1": "FW-299001^^^ZZF^PAS"}], ["identity-merged"]),
        ("A34", [{"MRG-1": "FW-299001^^^ZZF^PAS"}], ["identity-merged"]),
        ("A40", [{}], "merge-names-no-earlier-number"),
        ("A40", [{"MRG-1": "9993189030^^^NHS^NHSNMBR"}], "the merge joins records of two different people"),
        ("A40", [{"MRG-1": "FW-1^^^ZZF", "MRG-7": "Brandreth^Odo"}], "the merge joins records of two different people"),
        ("A40", [{"MRG-1": "FW-1^^^ZZF", "MRG-7": "Lindqvist-Hale^Orrin"}], ["identity-merged"]),
        ("A11", [EMERGENCY], "nothing-to-retract"),
        ("A28", [STAY], "trigger-out-of-purpose"),
        ("A04", [EMERGENCY, {"PID-7": "19940811"}], "adult"),
        ("A04", [EMERGENCY, {"PID-7": "20061202"}], "adult"),  # eighteen on that day
        ("A04", [EMERGENCY, {"PID-7": "20061203"}], ["emergency-attendance"]),  # on the next
        ("A04", [EMERGENCY, {"PID-7": "196513121515"}], "adult"),  # the month is none, the year is enough
        ("A04", [EMERGENCY, {"PID-7": "20191301"}], ["emergency-attendance"]),
        ("A04", [EMERGENCY, {"PID-7": ""}], "no birth date: child or adult cannot be told"),
    ],
)
def test_a_first_message_of_a_visit_ends_like_this(outcomes: Any, trigger: str, parts: Any, end: Any) -> None:
    (found,) = outcomes(adt(trigger, CHILD, *parts))
    assert names(found) == end


@pytest.mark.parametrize(
    ("first", "second", "end"),
    [
        (("A04", [CHILD, EMERGENCY]), ("A08", [CHILD, EMERGENCY]), "unchanged"),
        (("A04", [CHILD, EMERGENCY]), ("A04", [CHILD, EMERGENCY]), "unchanged"),
        (
            ("A04", [CHILD, EMERGENCY]),
            ("A08", [CHILD, EMERGENCY, BRUISE]),
            ["correction-made"] * 2 + ["injury-observed"],
        ),
        (("A04", [CHILD, EMERGENCY, BRUISE]), ("A03", [CHILD, EMERGENCY, BRUISE]), ["discharge"]),
        (("A01", [CHILD, STAY]), ("A08", [CHILD, STAY | {"PV1-44": "202412020830"}]), ["correction-made"]),
        (("A04", [CHILD, CLINIC]), ("A08", [CHILD, CLINIC, {"ZU3-3": "3"}]), ["was-not-brought"]),
        (("A04", [CHILD, CLINIC, {"ZU3-3": "3"}]), ("A08", [CHILD, CLINIC, {"ZU3-3": "5"}]), ["retraction-made"]),
        (("A04", [CHILD, EMERGENCY]), ("A08", [OTHER, EMERGENCY]), ["emergency-attendance", "retraction-made"]),
        (
            ("A04", [CHILD, EMERGENCY, BRUISE]),
            ("A08", [OTHER, EMERGENCY, BRUISE]),
            ["emergency-attendance", "injury-observed", "retraction-made"],
        ),
        (("A04", [CHILD, EMERGENCY]), ("A08", [OTHER, EMERGENCY, {"PID-7": "19940811"}]), ["retraction-made"]),
        (("A04", [OTHER, EMERGENCY, {"PID-7": "19940811"}]), ("A08", [CHILD, EMERGENCY]), ["emergency-attendance"]),
        (("A04", [CHILD, CLINIC]), ("A08", [OTHER, CLINIC]), "no-emergency-and-no-admission"),
        (
            ("A04", [CHILD, EMERGENCY]),
            ("A08", [CHILD | {"PID-5": "Stone^Odo", "PID-7": "20150101"}, EMERGENCY]),
            "two different people in one visit",
        ),
        (("A04", [CHILD, EMERGENCY]), ("A08", [CHILD | {"PID-5": "Lindqvist^Orrin"}, EMERGENCY]), "unchanged"),
        (("A04", [CHILD, EMERGENCY]), ("A11", [CHILD, EMERGENCY]), ["retraction-made"]),
        (("A03", [CHILD, STAY]), ("A03", [CHILD, STAY]), "unchanged"),
        (("A03", [CHILD, STAY]), ("A03", [CHILD, STAY, {"PV1-37": "66"}]), ["correction-made"]),
        (("A03", [CHILD, STAY]), ("A03", [OTHER, STAY]), ["discharge", "retraction-made"]),
        (("A04", [CHILD, STAY]), ("A13", [CHILD, STAY]), "nothing-to-retract"),
        (("A03", [CHILD, STAY]), ("A13", [CHILD, STAY]), ["retraction-made"]),
        (
            ("A04", [CHILD, EMERGENCY]),
            ("A03", [OTHER, EMERGENCY]),
            "the discharge names another patient than the visit",
        ),
    ],
)
def test_a_second_message_of_the_visit_ends_like_this(outcomes: Any, first: Any, second: Any, end: Any) -> None:
    _, found = outcomes(adt(first[0], *first[1], cid="1"), adt(second[0], *second[1], cid="2"))
    assert names(found) == end


def test_a_merge_that_names_another_childs_visit_takes_it_back_and_tells_it_again(outcomes: Any) -> None:
    moved = {"MRG-1": "FW-318820^^^ZZF^PAS", "MRG-5": "V1^^^VISITID"}
    _, found = outcomes(adt("A04", CHILD, EMERGENCY), adt("A40", OTHER, moved, visit=""))
    again, taken_back = found.events
    assert (again.name, again.person) == ("emergency-attendance", "FW-318821")
    assert (taken_back.name, taken_back.person, taken_back.about) == ("retraction-made", "FW-318820", ("visit:V1", "*"))


def test_a_merge_that_names_the_same_childs_visit_is_a_merge(outcomes: Any) -> None:
    moved = {"MRG-1": "FW-299001^^^ZZF^PAS", "MRG-5": "V1^^^VISITID"}
    first = CHILD | {"PID-3": "FW-299001^^^ZZF^PAS"}
    _, found = outcomes(adt("A04", first, EMERGENCY), adt("A40", CHILD, moved, visit=""))
    (event,) = found.events
    assert event.data["details"] == {
        "old_identifier": {"system": "urn:local:fenwater-emergency:mrn", "value": "FW-299001"},
        "new_identifier": {"system": "urn:local:fenwater-emergency:mrn", "value": "FW-318820"},
    }


def test_a_correction_names_the_field_the_old_and_the_new(outcomes: Any) -> None:
    _, found = outcomes(
        adt("A04", CHILD, EMERGENCY, PV2_3="S40.0^Contusion of shoulder and upper arm^ICD10", cid="1"),
        adt("A08", CHILD, EMERGENCY, PV2_3="S50.0^Contusion of elbow^ICD10", cid="2"),
    )
    (event,) = found.events
    assert (event.about, event.as_) == (("visit:V1", "emergency-attendance"), "corrects")
    assert event.data["details"]["field"] == "/details/complaint"
    assert event.data["details"]["old"] == "Contusion of shoulder and upper arm"
    assert event.data["details"]["new"] == "Contusion of elbow"
    assert event.data["label"] == {"category": "health", "level": "R"}


@pytest.mark.parametrize("hidden", ["1", "2", "9"])
def test_a_hidden_location_takes_address_kin_practice_and_site_away(outcomes: Any, hidden: str) -> None:
    secrets = {
        "PID-11": "3 Alder Yard^^Westlorn^^ZZ8 2LW",
        "PID-13": "01632960177",
        "PD1-3": "ALDERBECK SURGERY^^ZZG01",
        "NK1-2": "Hale^Petra",
        "NK1-3": "12",
        "NK1-7": "ACC",
        "ZU8-4": hidden,
    }
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, secrets))
    (event,) = found.events
    for secret in ("Alder", "ALDER", "ZZ8", "01632", "Petra", "mother", "ZZF01", "Fenwater General"):
        assert secret not in str(event.data)
    assert [r.code for r in found.remarks] == ["location-hidden"]
    assert event.data["label"]["handling"] == ["confidentialAddress"]


@pytest.mark.parametrize("shown", ["", "0"])
def test_an_open_location_is_told(outcomes: Any, shown: str) -> None:
    (found,) = outcomes(
        adt("A04", CHILD, EMERGENCY, {"PID-11": "2 Juniper Close^^Harrowmere^^zz2 3bb^GBR^H", "ZU8-4": shown})
    )
    (event,) = found.events
    assert event.data["child"]["address"] == [
        {"lines": ["2 Juniper Close", "Harrowmere"], "postcode": "ZZ2 3BB", "use": "home"}
    ]
    assert event.data["place"]["name"] == "Fenwater General Hospital"


def test_what_is_not_listed_does_not_leave(outcomes: Any) -> None:
    other = {
        "PID-13": "01632960177", "PID-17": "C22", "PID-22": "A", "PID-19": "SSN", "PD1-3": "ALDERBECK SURGERY",
        "NK1-2": "Hale^Petra", "NK1-3": "12", "PV1-7": "C1^Darwin^Samuel", "AL1-3": "Z88", "OBX-5": "free text",
        "EVN-5": "1^Cortana^Emily", "PV2-3": "X^typed by somebody about Dad^LOCAL", "DG1-4": "typed too",
    }  # fmt: skip
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, other))
    for text in ("01632", "C22", "SSN", "ALDER", "Petra", "Darwin", "Z88", "free", "Cortana", "typed"):
        assert text not in str(found.events[0].data)


@pytest.mark.parametrize(
    ("pid3", "kept", "remarks"),
    [
        ("9994401173^^^NHS", ["9994401173"], []),
        ("999 440 1173^^^NHS^NHSNMBR", ["9994401173"], []),
        ("9994401173^^^NHSNBR^NHSNMBR", ["9994401173"], []),
        ("9994401173", ["9994401173"], []),  # no authority: a local number, whatever it looks like
        ("3333333333^^^NHS", [], ["identifier-dropped"]),
        ("9994401174^^^NHS", [], ["identifier-dropped"]),
        ('""^^^NHS', [], []),
    ],
)
def test_only_a_number_that_says_it_is_one_is_an_nhs_number(
    outcomes: Any, pid3: str, kept: list[str], remarks: list[str]
) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, {"PID-3": pid3}))
    identifiers = found.events[0].data["child"].get("identifiers", [])
    assert [i["value"] for i in identifiers] == kept
    assert [r.code for r in found.remarks] == remarks
    if "^" not in pid3:
        assert identifiers[0]["system"] == "urn:local:fenwater-emergency:mrn"


@pytest.mark.parametrize(
    ("stamp", "happened", "remark"),
    [
        ("202412020900", {"from": "2024-12-02T09:00:00Z", "precision": "instant", "zone": "assumed-london"}, False),
        (
            "20240702090000",
            {"from": "2024-07-02T09:00:00+01:00", "precision": "instant", "zone": "assumed-london"},
            False,
        ),
        ("202407020900+0200", {"from": "2024-07-02T09:00:00+02:00", "precision": "instant", "zone": "source"}, False),
        ("202410270130", {"from": "2024-10-27T01:30:00+01:00", "precision": "instant", "zone": "assumed-london"}, True),
        ("20241202", {"from": "2024-12-02", "precision": "day", "zone": "none"}, False),
        ("202412", {"from": "2024-12", "precision": "month", "zone": "none"}, False),
        ("20241302", {"precision": "unknown", "zone": "none"}, True),
        ("", {"precision": "unknown", "zone": "none"}, False),
    ],
)
def test_times_are_as_precise_as_they_were_written(outcomes: Any, stamp: str, happened: Any, remark: bool) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, {"PV1-44": stamp, "EVN-6": stamp}))
    assert found.events[0].data["happened"] == happened
    assert bool(found.remarks) == remark


def test_the_message_may_come_months_after_what_happened(outcomes: Any) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY | {"PV1-44": "202407150900", "EVN-2": "202407151000"}))
    (event,) = found.events
    assert (event.data["happened"]["from"][:10], event.time) == ("2024-07-15", "2024-07-15T10:00:00+01:00")


@pytest.mark.parametrize(
    ("code", "kind", "site"),
    [
        ("S40.0", "bruise", "upper-arm"),
        ("S00.1", "bruise", "eye"),
        ("S00.4", "mark", "ear"),
        ("S42.0", "fracture", "shoulder"),
        ("S52.5", "fracture", "forearm"),
        ("S06.0", "head-injury", "head"),
        ("S05.1", "eye-injury", "eye"),
        ("S31.2", "cut", "genitals"),
        ("S63.5", "other", "wrist"),
        ("S69.9", "not-stated", "wrist"),
        ("S90.3", "bruise", "foot"),
        ("T23.2", "burn", "hand"),
        ("T00.9", "mark", "several"),
        ("T14.0", "mark", "not-stated"),
        ("S02.0", "fracture", "head"),
    ],
)
def test_an_injury_code_tells_what_and_where(code: str, kind: str, site: str) -> None:
    assert where_and_what(code) == {"kind": kind, "site": site}


def _list(name: str) -> dict[str, dict[str, str]]:
    path = Path(schemas.__file__).parent / "codes" / f"{name}.json"
    return {entry["code"]: entry for entry in json.loads(path.read_text())["codes"]}


def test_the_tables_use_the_codes_of_the_shared_lists() -> None:
    assert set(codes.INJURY_SITES.values()) <= _list("body-sites").keys()
    assert set(codes.INJURY_KINDS.values()) <= _list("injury-kinds").keys()
    assert set(codes.RELATIONS.values()) <= _list("relationships-v3").keys()
    kin = _list("relationships-hl7v2")
    assert {c: v3 for c, v3 in codes.RELATIONS.items() if c.isdigit()} == {
        c: kin[c]["v3"] for c in codes.RELATIONS if c.isdigit()
    }


@pytest.mark.parametrize(
    ("nk1", "brought_by", "words"),
    [
        ({"NK1-3": "20^Carer", "NK1-7": "ACC", "NK1-15": "1"}, "carer", "carer, male"),
        ({"NK1-3": "12", "NK1-7": "ACC", "NK1-15": "2"}, "parent", "mother"),
        ({"NK1-3": "MTH", "NK1-7": "ACC"}, "parent", "mother"),
        ({"NK1-3": "77", "NK1-7": "ACC", "NK1-15": "1"}, "other", "other, male"),
        ({"NK1-3": "12", "NK1-7": "N"}, None, None),
        ({"PV2-38": "A"}, "ambulance", None),
    ],
)
def test_who_brought_the_child_is_a_role(outcomes: Any, nk1: Any, brought_by: str | None, words: str | None) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, nk1))
    details = found.events[0].data["details"]
    assert (details.get("brought_by"), details.get("brought_by_words")) == (brought_by, words)


def test_an_unknown_trigger_waits_for_a_person(outcomes: Any) -> None:
    (found,) = outcomes(adt("A99", CHILD, EMERGENCY))
    assert isinstance(found, Unmappable)


def test_several_messages_of_one_stay_end_as_one_story(outcomes: Any, samples: Any) -> None:
    found = outcomes(samples / "ordinary" / "adt-one-stay-lf-no-final-newline.hl7")
    assert [names(o) for o in found] == [
        ["admission"],
        "unchanged",
        ["correction-made", "correction-made"],
        ["discharge"],
        "no-emergency-and-no-admission",
        "trigger-out-of-purpose",
    ]


def test_a_v23_message_with_a_thirteenth_month_goes_without_birth_date(outcomes: Any, samples: Any) -> None:
    (found,) = outcomes(samples / "ordinary" / "adt-v23-month-13.hl7")
    child = found.events[0].data["child"]
    assert "birth_date" not in child
    assert child["names"] == [{"family": "Lindqvist-Hale", "given": ["Orrin"], "use": "official"}]
    assert [r.code for r in found.remarks] == ["birth-date-invalid"]


@pytest.mark.parametrize("end", [NoEvent, Held])
def test_ends_without_an_event_give_a_reason_without_personal_data(outcomes: Any, end: Any) -> None:
    day = "19940811" if end is NoEvent else ""
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, {"PID-7": day}))
    assert isinstance(found, end)
    assert "Orrin" not in repr(found)


def test_a_visit_cancelled_after_its_discharge_takes_back_both(outcomes: Any) -> None:
    *_, found = outcomes(adt("A04", CHILD, EMERGENCY), adt("A03", CHILD, EMERGENCY), adt("A11", CHILD, EMERGENCY))
    assert [event.about for event in found.events] == [("visit:V1", "*"), ("visit:V1:discharge", "*")]


NURSES = [{"service": "urn:safeguarding:service:fenwater-school-nursing", "role": "healthPractitioner"}]
COPY = {"OBX-3": "COPYTO^Copy to^L", "OBX-5": "SCHNUR^School nurse^L"}


def test_every_event_of_a_visit_is_addressed_to_whom_the_record_names_for_a_copy(outcomes: Any) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, BRUISE, COPY))
    assert names(found) == ["emergency-attendance", "injury-observed"]
    assert [event.data["addressed_to"] for event in found.events] == [NURSES, NURSES]
    assert found.remarks == ()


def test_a_copy_for_somebody_whom_nobody_listed_is_remarked_and_holds_nothing_back(outcomes: Any) -> None:
    (found,) = outcomes(adt("A04", CHILD, EMERGENCY, COPY | {"OBX-5": "HV^Health visitor^L"}))
    assert names(found) == ["emergency-attendance"]
    assert "addressed_to" not in found.events[0].data
    assert [remark.code for remark in found.remarks] == ["addressee-unknown"]


def test_a_visit_that_is_addressed_to_somebody_only_later_is_told_again_whole(outcomes: Any) -> None:
    _, later, again = outcomes(
        adt("A04", CHILD, EMERGENCY), adt("A08", CHILD, EMERGENCY, COPY), adt("A08", CHILD, EMERGENCY, COPY, cid="3")
    )
    (event,) = later.events
    assert (event.name, event.as_, event.about) == ("emergency-attendance", "replaces", ("visit:V1", event.name))
    assert (event.data["change"], event.data["addressed_to"]) == ("replaces", NURSES)
    assert names(again) == "unchanged"


def test_a_copy_that_the_hospital_takes_back_is_told_again_whole_without_its_addressee(outcomes: Any) -> None:
    _, later, again = outcomes(
        adt("A04", CHILD, EMERGENCY, COPY), adt("A08", CHILD, EMERGENCY), adt("A08", CHILD, EMERGENCY, cid="3")
    )
    (event,) = later.events
    assert (event.name, event.as_, event.about) == ("emergency-attendance", "replaces", ("visit:V1", event.name))
    assert (event.data["change"], "addressed_to" in event.data) == ("replaces", False)
    assert names(again) == "unchanged"


def test_a_visit_that_becomes_another_childs_is_no_longer_addressed_to_whom_the_first_message_named(
    outcomes: Any,
) -> None:
    _, moved = outcomes(adt("A04", CHILD, EMERGENCY, COPY), adt("A08", OTHER, EMERGENCY))
    assert names(moved) == ["emergency-attendance", "retraction-made"]
    assert not any("addressed_to" in event.data for event in moved.events)
