"""Which differences between two transfer files speak, and which stay silent: a table of before, after, events."""

from __future__ import annotations

import pytest

from adapters.kit.outcomes import Events, Held, NoEvent, Unmappable

CONTACT = "<Contact><Surname>{}</Surname><Forename>{}</Forename><Relationship>{}</Relationship></Contact>"
MOTHER = CONTACT.format("Quillfeather", "Isolde", "PAM")
STEPFATHER = CONTACT.format("Vane", "Dorrick", "STF")
WORKER = CONTACT.format("Brack", "Ottoline", "SWR")
UNKNOWN = CONTACT.format("Vane", "Dorrick", "QQQ")


def contacts(*listed):
    return f"<Contacts>{''.join(listed)}</Contacts>"


def school(*, lea="999", estab="2001", entry="2018-09-05", leaving="", reason=""):
    ended = f"<LeavingDate>{leaving}</LeavingDate><LeavingReason>{reason}</LeavingReason>" if leaving else ""
    own = f"<LEA>{lea}</LEA><Estab>{estab}</Estab><EntryDate>{entry}</EntryDate>{ended}"
    return f"<SchoolHistory><School>{own}</School></SchoolHistory>"


def address(line, postcode="ZZ1 4QF"):
    lines = f"<AddressLines><AddressLine1>{line}</AddressLine1></AddressLines><PostCode>{postcode}</PostCode>"
    return f"<Address>{lines}</Address>"


def care(answer):
    return f"<LookedAfter><InCare>{answer}</InCare><CareAuthority>999</CareAuthority></LookedAfter>"


def support(letter):
    return f"<SENhistory><SEN><StartDate>2024-11-04</StartDate><SENprovision>{letter}</SENprovision></SEN></SENhistory>"


LEFT = school(leaving="2025-01-09")
NOTHING = ()

TABLE = {
    # what: (before or None for a first sight, after, events)
    "first sight of an ordinary pupil": (None, school() + contacts(MOTHER) + address("7 Kestrel Row"), NOTHING),
    "first sight of contacts, a stepfather too": (None, contacts(MOTHER, STEPFATHER), NOTHING),
    "first sight of a leaver": (None, LEFT, ("left-roll",)),
    "first sight of care": (None, care("true"), ("looked-after-noted",)),
    "first sight of a plan": (None, support("E"), ("support-plan-noted",)),
    "nothing changed": (school(), school(), NOTHING),
    "a leaving date": (school(), LEFT, ("left-roll",)),
    "the same leaving date again": (LEFT, LEFT, NOTHING),
    "another school's leaving date": (school(), school(lea="998", leaving="2025-01-09"), NOTHING),
    "permanent exclusion": (school(), school(leaving="2025-01-09", reason="PE"), ("excluded",)),
    "the same exclusion again": (school(leaving="2025-01-09", reason="PE"),) * 2 + (NOTHING,),
    "left, then called an exclusion": (LEFT, school(leaving="2025-01-09", reason="PE"), ("excluded",)),
    "a new entry day": (school(), school(entry="2025-01-06"), ("joined-roll",)),
    "a leaving date taken back": (LEFT, school(), ("joined-roll",)),
    "a contact added": (contacts(MOTHER), contacts(MOTHER, STEPFATHER), ("household-changed",)),
    "a contact removed": (contacts(MOTHER, STEPFATHER), contacts(MOTHER), ("household-changed",)),
    "one of each": (contacts(MOTHER), contacts(STEPFATHER), ("household-changed", "household-changed")),
    "a contact of an unknown code": (contacts(MOTHER), contacts(MOTHER, UNKNOWN), ("household-changed",)),
    "a social worker listed": (contacts(MOTHER), contacts(MOTHER, WORKER), NOTHING),
    "contacts left out of the file": (contacts(MOTHER, STEPFATHER), "", NOTHING),
    "contacts in the file again": ("", contacts(MOTHER), NOTHING),
    "the first contact of an empty list": (contacts(), contacts(STEPFATHER), ("household-changed",)),
    "contacts in another order": (contacts(MOTHER, STEPFATHER), contacts(STEPFATHER, MOTHER), NOTHING),
    "another address": (address("7 Kestrel Row"), address("3 Alder Yard", "ZZ8 2LW"), ("address-changed",)),
    "an address in other capitals": (address("7 Kestrel Row"), address("7 KESTREL  ROW", "zz14qf"), NOTHING),
    "an address left out": (address("7 Kestrel Row"), "", NOTHING),
    "into care": (care("false"), care("true"), ("looked-after-noted",)),
    "still in care": (care("true"), care("1"), NOTHING),
    "no longer in care": (care("true"), care("false"), NOTHING),
    "a plan": (support("K"), support("E"), ("support-plan-noted",)),
    "support without a plan": (support("N"), support("K"), NOTHING),
    "a plan as before": (support("E"), support("E"), NOTHING),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_this_difference_says_exactly_this(take, completed, ctf, row):
    before, after, expected = row
    files = [("a.xml", ctf(before, day="2025-01-03T09:00:00"))] if before is not None else []
    record, end = take([*files, ("b.xml", ctf(after))])[-1]
    said = end.events if isinstance(end, Events) else ()
    assert tuple(event.name for event in said) == expected
    for event in said:
        completed(record, event, end)
    if not said:
        assert end == NoEvent("nothing-new-to-report" if files else "first-snapshot-nothing-to-report")


def _two(take, ctf, first, second, **after):
    files = [("a.xml", ctf(day="2025-01-03T09:00:00", **first)), ("b.xml", ctf(**(second | after)))]
    return take(files)[-1]


def test_another_surname_is_a_changed_name_with_the_old_one_kept(take, completed, ctf):
    record, end = _two(take, ctf, {}, {"Surname": "Mosswick"})
    data = completed(record, end.events[0], end)
    assert (data["details"]["from_family"], data["details"]["to_family"]) == ("Quillfeather", "Mosswick")
    assert data["child"]["names"] == [
        {"family": "Mosswick", "given": ["Wrenna"], "use": "official"},
        {"family": "Quillfeather", "given": ["Wrenna"], "use": "old"},
    ]


@pytest.mark.parametrize(
    "second",
    [
        {"Forename": "Tobin", "DOB": "2016-11-02"},
        {"Surname": "Vetchling", "DOB": "2012-06-18"},
        {"Surname": "Vetchling", "Forename": "Isadora"},
        {"Surname": "Vetchling", "Forename": "Isadora", "DOB": "2012-06-18"},
    ],
)
def test_two_people_under_one_number_wait_for_a_person(take, ctf, second):
    _, end = _two(take, ctf, {}, second)
    assert end == Held("two-people-under-one-number", "UPN")


def test_what_is_held_does_not_become_the_last_version(samples, take):
    ordinary, bad = samples / "ordinary" / "9974010_CTF_XXXXXXX_014.xml", samples / "bad"
    *_, (_, end) = take([ordinary, bad / "another-child-under-a-known-number.xml"])
    assert end == Held("two-people-under-one-number", "UPN")


def test_a_corrected_birth_date_alone_is_remarked_and_not_held(take, ctf):
    files = {"body": LEFT, "DOB": "2014-05-18"}
    _, end = _two(take, ctf, {}, files)
    assert "birth-date-differs" in {remark.code for remark in end.remarks}


def test_an_older_file_that_comes_late_waits_and_takes_no_contact_away(take, ctf):
    files = [("b.xml", ctf(contacts(MOTHER, STEPFATHER))), ("a.xml", ctf(contacts(MOTHER), day="2025-01-03T09:00:00"))]
    assert take(files)[-1][1] == Held("older-than-the-last-file", "Header/DateTime")


def test_a_partial_file_takes_nobody_away(take, ctf):
    first = ctf(contacts(MOTHER, STEPFATHER), day="2025-01-03T09:00:00")
    files = [("a.xml", first), ("b.xml", ctf(contacts(MOTHER), qualifier="partial"))]
    assert take(files)[-1][1] == NoEvent("nothing-new-to-report")


@pytest.mark.parametrize(("born", "adult"), [("2007-01-10", True), ("2007-01-11", False)])
def test_the_eighteenth_birthday_ends_reporting_on_that_day(take, ctf, born, adult):
    ((_, end),) = take([("a.xml", ctf(LEFT, DOB=born))])
    assert (end == NoEvent("adult")) is adult


def test_nobody_is_unmappable(take, ctf):
    ((_, end),) = take([("a.xml", ctf(LEFT, UPN="", Surname="", Forename=""))])
    assert isinstance(end, Unmappable)


def test_a_failing_number_and_no_name_is_unmappable(take, ctf):
    ((_, end),) = take([("a.xml", ctf(LEFT, UPN="A123456789123", Surname="", Forename=""))])
    assert isinstance(end, Unmappable)
    assert [remark.code for remark in end.remarks] == ["identifier-dropped"]


def test_a_failing_number_is_dropped_and_the_name_carries_the_event(take, completed, ctf):
    ((record, end),) = take([("a.xml", ctf(LEFT, UPN="A123456789123"))])
    data = completed(record, end.events[0], end)
    assert "identifiers" not in data["child"]
    assert data["remarks"] == [
        {
            "code": "identifier-dropped",
            "field": "UPN",
            "note": "The identifier failed its check and was left out. Reason: check-letter.",
        }
    ]


def test_a_leaving_date_ahead_of_the_file_is_said_with_a_remark(take, ctf):
    ((_, end),) = take([("a.xml", ctf(school(leaving="2025-07-18")))])
    assert [remark.code for remark in end.remarks] == ["future-dated"]


def test_a_named_next_school_is_given(take, completed, ctf):
    raw = ctf(LEFT).replace(b"<LEA>XXX</LEA><Estab>XXXX</Estab>", b"<LEA>998</LEA><Estab>4002</Estab><URN>999402</URN>")
    ((record, end),) = take([("a.xml", raw)])
    details = completed(record, end.events[0], end)["details"]
    expected = {"left": "2025-01-09", "destination_known": True, "destination": "9984002", "destination_urn": "999402"}
    assert details == expected


def test_free_text_where_a_code_belongs_goes_nowhere(take, completed, ctf):
    body = school(leaving="2025-01-09", reason="MOVED IN WITH HER AUNT")
    ((record, end),) = take([("a.xml", ctf(body))])
    assert "AUNT" not in str(completed(record, end.events[0], end))


def test_an_unknown_relation_is_another_adult_with_a_remark(take, completed, ctf):
    files = [("a.xml", ctf(contacts(MOTHER), day="2025-01-03T09:00:00")), ("b.xml", ctf(contacts(MOTHER, UNKNOWN)))]
    record, end = take(files)[-1]
    data = completed(record, end.events[0], end)
    assert data["people"][0]["relation"] == ["other"]
    assert {"code": "unknown-code", "field": "Contact/Relationship", "note": "QQQ"} in data["remarks"]


def test_who_may_learn_a_contacts_name_is_the_schools_setting(take, ctf, settings):
    settings["education"] = {"contacts_named_to": ["frontDoor"], "gateway": "CA2004-s10"}
    files = [("a.xml", ctf(contacts(MOTHER), day="2025-01-03T09:00:00")), ("b.xml", ctf(contacts(MOTHER, STEPFATHER)))]
    data = take(files, settings)[-1][1].events[0].data
    assert data["people"][0]["may_be_named_to"] == ["frontDoor"]
    assert data["shared_under"] == {"gateway": "CA2004-s10"}


def test_a_new_pupil_number_is_compared_with_the_file_under_the_old_one(take, ctf):
    former = "<BasicDetails><FormerUPN>U999200118001</FormerUPN></BasicDetails>"
    files = [("a.xml", ctf(contacts(MOTHER), day="2025-01-03T09:00:00"))]
    files += [("b.xml", ctf(former + contacts(MOTHER, STEPFATHER), UPN="V999200121004"))]
    assert [event.name for event in take(files)[-1][1].events] == ["household-changed"]
