"""NEMS messages: one line a rule. Messages are made from the ordinary samples by changing what the rule asks about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.health.source import nems
from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable, Unreadable

SAMPLES = Path(__file__).parents[3] / "adapters" / "health" / "samples"
Change = Callable[[dict[str, Any]], Any]


def tree(name: str) -> dict[str, Any]:
    (path,) = SAMPLES.rglob(name)
    return nems.parse(path.read_bytes())[0]


def resource(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    found = [e["resource"][0] for e in bundle["entry"] if e["resource"][0]["resourceType"] == kind]
    return found[0]


def message(name: str, *changes: Change) -> tuple[str, bytes]:
    bundle = tree(name)
    for change in changes:
        change(bundle)
    return name.replace(".xml", ".json"), json.dumps(bundle).encode()


def put(kind: str, path: str, value: Any) -> Change:
    """Sets what stands at a dotted path of the first resource of a kind; None takes it away."""

    def change(bundle: dict[str, Any]) -> None:
        node = resource(bundle, kind)
        *above, name = path.split(".")
        for step in above:
            node = node[step][0]
        if value is None:
            node.pop(name, None)
        else:
            node[name] = [value]

    return change


def without(kind: str) -> Change:
    def change(bundle: dict[str, Any]) -> None:
        bundle["entry"] = [e for e in bundle["entry"] if e["resource"][0]["resourceType"] != kind]

    return change


ADDRESS = "nems-change-of-address.xml"
CONTACT = "nems-contacts-1-new.xml"
VACCINE = "d190-nems-vaccination-not-given.json"
DEATH = "nems-death-1-informal.xml"


@pytest.mark.parametrize(
    ("files", "ends"),
    [
        (["nems-change-of-address.xml"], [["address-changed"]]),
        (["nems-record-change-spaced-code.json"], [["name-changed", "address-changed"]]),
        (["nems-change-of-gp.xml"], [["registration-changed"]]),
        (["nems-birth-under-mothers-number.xml"], [["birth-notified"]]),
        (["nems-vaccination-given.json"], ["vaccination-given"]),
        (["nems-newborn-hearing.xml"], ["out-of-purpose"]),
        (["nems-death-1-informal.xml", "nems-death-2-removed.xml"], [["child-died"], ["retraction-made"]]),
        (["nems-death-2-removed.xml"], ["nothing-to-retract"]),
        (["nems-contacts-3-delete.xml"], ["nothing-to-retract"]),
        (["nems-contacts-3-delete.xml", "nems-contacts-1-new.xml"], ["nothing-to-retract", "older-version"]),
        (
            ["nems-contacts-1-new.xml", "nems-contacts-1-new.xml", "nems-contacts-2-update-finished.xml"],
            [["involvement-started"], "unchanged", ["involvement-ended"]],
        ),
    ],
)
def test_messages_in_order_end_like_this(outcomes: Any, samples: Any, files: list[str], ends: list[Any]) -> None:
    found = outcomes(*[samples / "ordinary" / name for name in files])
    assert [[e.name for e in o.events] if isinstance(o, Events) else o.reason for o in found] == ends


@pytest.mark.parametrize(
    ("name", "changes", "end"),
    [
        (VACCINE, [put("Immunization", "notGiven", "false")], NoEvent("vaccination-given")),
        (VACCINE, [put("Immunization", "notGiven", None)], NoEvent("vaccination-given")),
        (CONTACT, [put("EpisodeOfCare", "status", "planned")], NoEvent("not-started-yet")),
        (CONTACT, [without("EpisodeOfCare")], Unmappable("EpisodeOfCare", "no-episode")),
        (
            CONTACT,
            [put("Patient", "birthDate", "1988-01-01"), put("MessageHeader", "extension", None)],
            NoEvent("adult"),
        ),
        (DEATH, [put("Patient", "extension", None)], Unmappable("deathNotificationStatus", "status-unknown")),
        (
            ADDRESS,
            [put("MessageHeader", "event.code", "ch011")],
            Unmappable("MessageHeader.event", "event-code-unknown"),
        ),
        (
            ADDRESS,
            [without("Patient")],
            Held("the message does not say which patient it is about", "MessageHeader.focus"),
        ),
    ],
)
def test_one_change_in_a_message_ends_it_otherwise(outcomes: Any, name: str, changes: list[Change], end: Any) -> None:
    (found,) = outcomes(message(name, *changes))
    shown = {field: getattr(found, field) for field in ("reason", "field", "why") if hasattr(found, field)}
    assert (type(found), shown) == (type(end), {f: getattr(end, f) for f in shown})


def test_the_baby_is_the_child_and_the_mother_only_a_relation(outcomes: Any, samples: Any) -> None:
    ((event,),) = [o.events for o in outcomes(samples / "ordinary" / "nems-birth-under-mothers-number.xml")]
    assert event.data["child"]["identifiers"][0]["value"] == "9992044187"
    assert event.data["people"] == [{"ref": "mother", "group": "family", "relation": ["MTH"]}]
    for hers in ("9990000042", "Sunniva", "1994"):
        assert hers not in str(event.data)


def test_a_stillbirth_is_no_event(outcomes: Any) -> None:
    (found,) = outcomes(
        message(
            "nems-birth-under-mothers-number.xml", put("Observation", "valueCodeableConcept.coding", {"code": ["2"]})
        )
    )
    assert found.reason == "stillbirth"


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ([], "Held"),
        ([put("Patient", "name", {"family": ["LINDQVIST HALE"], "given": ["orrin"]})], "Held"),  # birth dates differ
        (
            [
                put("Patient", "name", {"family": ["LINDQVIST HALE"], "given": ["orrin"]}),
                put("Patient", "birthDate", "2019-02-01"),
            ],
            "Events",
        ),
    ],
)
def test_other_number_and_other_person_is_held_but_other_number_alone_is_a_remark(
    outcomes: Any, changes: list[Change], end: str
) -> None:
    (found,) = outcomes(message("two-different-people.xml", *changes))
    assert type(found).__name__ == end
    if end == "Events":
        assert "routing-number-differs" in {r.code for r in found.remarks}
    else:
        assert found.reason == "two different people as subject"


def test_another_birth_date_in_the_header_is_only_a_remark(outcomes: Any) -> None:
    (found,) = outcomes(message(ADDRESS, put("Patient", "birthDate", "2018-02-01")))
    assert [r.code for r in found.remarks] == ["birth-date-differs"]
    assert found.events[0].data["child"]["birth_date"]["date"] == "2018-02-01"


def test_a_number_that_fails_its_check_is_left_out_and_the_event_goes_by_name(outcomes: Any, samples: Any) -> None:
    (found,) = outcomes(samples / "bad" / "number-fails-check-digit.xml")
    assert "identifiers" not in found.events[0].data["child"]
    assert "identifier-dropped" in {r.code for r in found.remarks}


def test_a_child_without_any_name_or_good_number_is_unmappable(outcomes: Any) -> None:
    (found,) = outcomes(message("number-fails-check-digit.xml", put("Patient", "name", None)))
    assert (found.field, found.why) == ("Patient", "nobody-identified")


def test_live_mode_leaves_out_numbers_that_are_never_issued(outcomes: Any, settings: Any) -> None:
    live = settings | {"identity": {"mode": "live"}}
    (found,) = outcomes(message(ADDRESS), settings=live)
    assert "identifiers" not in found.events[0].data["child"]
    assert [r.code for r in found.remarks] == ["test-number-dropped"]


def test_a_death_without_birth_date_takes_the_headers(outcomes: Any) -> None:
    (found,) = outcomes(message(DEATH))
    event = found.events[0]
    assert event.data["details"] == {"notification": "informal"}
    assert event.data["happened"]["from"] == "2025-04-05T03:10:00+01:00"
    assert event.data["child"]["birth_date"]["date"] == "2019-02-01"


def test_nobody_is_taken_for_a_child_without_any_birth_date(outcomes: Any) -> None:
    (found,) = outcomes(message(DEATH, put("MessageHeader", "extension", None)))
    assert isinstance(found, Held)


def test_a_removed_death_called_new_says_so(outcomes: Any, samples: Any) -> None:
    _, removed = outcomes(samples / "ordinary/nems-death-1-informal.xml", samples / "ordinary/nems-death-2-removed.xml")
    assert [r.code for r in removed.remarks] == ["change-kind-differs"]
    assert removed.events[0].about[1] == "*"


def test_a_death_told_again_formally_replaces_the_informal_one(outcomes: Any) -> None:
    def formal(bundle: dict[str, Any]) -> None:
        status = resource(bundle, "Patient")["extension"][0]["extension"][0]
        status["valueCodeableConcept"][0]["coding"][0]["code"] = ["2"]

    later = put("MessageHeader", "meta.lastUpdated", "2025-04-07T09:00:00+01:00")
    _, second = outcomes(message(DEATH), message(DEATH, formal, later))
    (event,) = second.events
    assert (event.data["change"], event.as_, event.data["details"]) == (
        "replaces",
        "replaces",
        {"notification": "formal"},
    )


def test_an_impossible_offset_is_read_in_london_time(outcomes: Any) -> None:
    (found,) = outcomes(message(CONTACT, put("EpisodeOfCare", "period.start", "2024-10-01T09:00:00+58:00")))
    assert found.events[0].data["happened"]["zone"] == "assumed-london"
    assert found.remarks


def test_the_current_address_is_found_by_its_dates_not_its_order(outcomes: Any) -> None:
    def turn(bundle: dict[str, Any]) -> None:
        resource(bundle, "Patient")["address"].reverse()

    straight, turned = outcomes(message(ADDRESS)), outcomes(message(ADDRESS, turn))
    assert straight[0].events[0].data == turned[0].events[0].data
    postcodes = [(a["postcode"], a["use"]) for a in straight[0].events[0].data["child"]["address"]]
    assert postcodes == [("ZZ2 3BB", "home"), ("ZZ1 7AA", "old")]


def test_a_name_is_compared_with_the_message_before_where_none_is_marked_old(outcomes: Any) -> None:
    def named(family: str) -> Change:
        return put("Patient", "name", {"use": ["official"], "family": [family], "given": ["Orrin"]})

    name = "nems-record-change-spaced-code.json"
    here = put("Patient", "address", None)
    first, second, third = outcomes(
        message(name, named("Lindqvist-Hale"), here),
        message(name, named("Hale"), here),
        message(name, named("HALE"), here),
    )
    assert (first.reason, third.reason) == ("no-difference", "no-difference")
    assert second.events[0].data["details"]["from_family"] == "Lindqvist-Hale"
    assert second.events[0].data["happened"]["precision"] == "unknown"


def test_an_unknown_service_and_an_unknown_reason_are_kept_as_codes(outcomes: Any) -> None:
    (contact,) = outcomes(message(CONTACT, put("EpisodeOfCare", "type.coding", {"code": [" 123456 "]})))
    (vaccine,) = outcomes(message(VACCINE, put("Immunization", "explanation.reasonNotGiven.coding", {"code": ["77"]})))
    assert [(r.code, r.note) for r in contact.remarks] == [("unknown-code", "123456")]
    assert contact.events[0].data["details"]["kind"] == "other"
    assert vaccine.events[0].data["details"]["reason"] == "other"


def test_restricted_says_nothing_of_the_worker_or_where_the_child_moved(outcomes: Any) -> None:
    restricted = put("Patient", "meta.security", {"code": ["R"]})
    (contact,) = outcomes(message(CONTACT, restricted))
    (moved,) = outcomes(message(ADDRESS, restricted))
    assert "Thwaite" not in str(contact.events[0].data)
    assert "contact" not in contact.events[0].data["said_by"]
    assert moved.events[0].data["details"] == {}
    assert "ZZ" not in str(moved.events[0].data)


@pytest.mark.parametrize("kind", ["collection", "searchset"])
def test_another_bundle_is_unreadable(outcomes: Any, kind: str) -> None:
    name, raw = message(ADDRESS)
    (found,) = outcomes((name, raw.replace(b'"type": ["message"]', f'"type": ["{kind}"]'.encode())))
    assert isinstance(found, Unreadable)
    assert kind in found.reason


SHARED = Path(__file__).parents[4] / "shared" / "samples" / "health"


@pytest.mark.skipif(not SHARED.exists(), reason="the published samples are not beside this checkout")
@pytest.mark.parametrize(
    ("file", "ends"),
    [
        ("BaRS-ValidationRequest-POST.json", ["Unreadable"]),
        ("CPIS-CPP-Bundle-Example.xml", ["Unreadable"]),
        ("BirthNotificationWithMother.xml", ["birth-notified"]),
        ("PDS-Change-Of-Address-ems-example.xml", ["address-changed"]),
        ("PDS-Death-Notification-formal-ems-example.xml", ["Held"]),
        ("Professional-Contacts-1-new.xml", ["involvement-started"]),
        ("vaccinations-1-notgiven-new.xml", ["immunisation-not-given"]),
        ("ITK-ADT-A01.hl7", ["NoEvent"]),
        ("simhospital-adt-a01-children.hl7", ["admission", "admission", "admission"]),
    ],
)
def test_published_examples_end_as_their_manifest_says(outcomes: Any, file: str, ends: list[str]) -> None:
    found = outcomes(SHARED / file)
    assert [o.events[0].name if isinstance(o, Events) else type(o).__name__ for o in found] == ends
