"""The family's files at both schools: exactly these events, from nothing but the files and their order."""

from __future__ import annotations

from adapters.kit.outcomes import Events, NoEvent


def _ends(ends):
    return [
        (record.person, [event.name for event in end.events] if isinstance(end, Events) else end.reason)
        for record, end in ends
    ]


WRENNA, TOBIN = "U999200118001", "V999200121004"


def test_the_first_school_reports_nothing_until_the_children_leave(samples, take):
    files = sorted((samples / "story" / "larkbeck").iterdir())
    nothing = "first-snapshot-nothing-to-report"
    assert _ends(take(files)) == [(WRENNA, nothing), (TOBIN, nothing), (WRENNA, ["left-roll"]), (TOBIN, ["left-roll"])]


def test_leaving_without_a_stated_destination_says_so_and_invents_no_school(samples, take, completed):
    *_, (record, end), _ = take(sorted((samples / "story" / "larkbeck").iterdir()))
    data = completed(record, end.events[0], end)
    assert data["details"] == {"left": "2025-06-03", "destination_known": False}
    assert data["happened"] == {"from": "2025-06-03", "precision": "day", "zone": "none"}
    assert end.events[0].time == "2025-06-03T15:10:00+01:00"
    assert data["child"] == {
        "identifiers": [{"system": "urn:gov:dfe:upn", "value": WRENNA}],
        "names": [{"family": "Quillfeather", "given": ["Wrenna"], "use": "official"}],
        "birth_date": {"date": "2014-05-17", "accuracy": "AAA"},
        "sex": "2",
        "address": [{"lines": ["7 Kestrel Row", "Harrowmere"], "postcode": "ZZ1 4QF", "use": "home"}],
    }


def test_the_second_school_reports_the_new_contact_and_the_absence(samples, take):
    files = sorted((samples / "story" / "tarnwhistle").iterdir())
    nothing = "first-snapshot-nothing-to-report"
    assert _ends(take(files)) == [
        (WRENNA, nothing),
        (TOBIN, nothing),
        (WRENNA, ["household-changed"]),
        (TOBIN, ["household-changed"]),
        (WRENNA, ["absence-pattern"]),
        (TOBIN, "below-the-threshold"),
    ]


def test_the_stepfather_is_named_among_people_and_nowhere_else(samples, take, completed):
    record, end = take(sorted((samples / "story" / "tarnwhistle").iterdir()))[2]
    data = completed(record, end.events[0], end)
    (adult,) = data.pop("people")
    assert (adult["name"], adult["relation"], adult["group"]) == ("Dorrick Vane", ["STPFTH"], "family")
    assert adult["adult"] is True
    assert adult["parental_responsibility"] is False
    assert data["details"] == {
        "change": "contact-added",
        "relation": "STPFTH",
        "relation_code": "STF",
        "person_ref": adult["ref"],
    }
    assert not any(name in str(data) for name in ("Vane", "Dorrick", "Isolde"))
    assert data["happened"]["precision"] == "unknown"
    assert data["learned"] == "2025-07-28T10:20:00+01:00"


def test_the_absence_is_a_period_with_sums_and_a_sudden_stop(samples, take, completed):
    record, end = take(sorted((samples / "story" / "tarnwhistle").iterdir()))[4]
    data = completed(record, end.events[0], end)
    assert data["happened"] == {"from": "2025-09-09", "to": "2025-10-02", "precision": "period", "zone": "none"}
    assert data["details"] == {
        "sessions_possible": 34,
        "sessions_missed": 14,
        "authorised": 4,
        "unauthorised": 10,
        "pattern": "sudden-stop",
    }
    assert data["summary"]["text"] == "Missed 14 of 34 sessions; stopped coming suddenly."


def test_one_child_is_one_person_in_both_formats(samples, take):
    ends = take(sorted((samples / "story" / "tarnwhistle").iterdir()))
    assert {record.person for record, _ in ends} == {WRENNA, TOBIN}
    assert {record.system for record, _ in ends} == {"school-mis"}


def test_reading_the_same_files_again_gives_the_same_records_and_outcomes(samples, take):
    files = [file for school in ("larkbeck", "tarnwhistle") for file in sorted((samples / "story" / school).iterdir())]
    assert take(files) == take(files)


def test_the_same_file_twice_says_nothing_twice(samples, take):
    files = sorted((samples / "story" / "tarnwhistle").iterdir())
    assert all(isinstance(end, NoEvent) for _, end in take([*files, files[1], files[2]])[6:])


def test_every_event_of_every_sample_fits_its_schema(samples, take, completed):
    count = 0
    for folder in ("story/larkbeck", "story/tarnwhistle", "ordinary"):
        for record, end in take(sorted((samples / folder).iterdir())):
            for event in end.events if isinstance(end, Events) else ():
                completed(record, event, end)
                count += 1
    assert count == 17
