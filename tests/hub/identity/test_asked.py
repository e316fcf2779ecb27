"""Whom somebody asks for is read strictly, in the words of the MAIS standard or in ours."""

from __future__ import annotations

from typing import Any

import pytest

from hub.identity.asked import NotAPerson, description_of
from hub.identity.matching import Description, describe

NHS = "https://fhir.nhs.uk/Id/nhs-number"
OURS: dict[str, Any] = {
    "identifiers": [{"system": NHS, "value": "9991204318"}],
    "names": [{"family": "Quillfeather", "given": ["Wrenna", "Mae"], "preferred": "Wren"}],
    "birth_date": {"date": "2014-05-17"},
    "sex": "2",
    "address": [{"postcode": "ZZ1 4QF"}],
}
PUB01: dict[str, Any] = {
    "@type": "Person",
    "identifier": {"value": "999 120 4318", "system": NHS},
    "name": [{"familyName": ["Quillfeather"], "givenName": ["Wrenna", "Mae"], "preferredName": "Wren", "use": "usual"}],
    "dateOfBirth": {"date": "2014-05-17", "accuracyIndicator": "AAA"},
    "sexCode": "2",
    "address": {"line1": "1 Fell Row", "city": "Harrowmere", "postcode": "zz14qf"},
    "ethnicityCode": "1",
}


def test_both_ways_of_saying_it_are_one_description_and_the_one_that_an_event_has() -> None:
    assert description_of(OURS) == description_of(PUB01) == describe(OURS)


def test_who_says_nothing_describes_nobody() -> None:
    assert description_of({}) == Description()


def test_a_day_that_is_only_estimated_is_no_day_to_compare() -> None:
    estimated = {"dateOfBirth": {"date": "2014-05-17", "accuracyIndicator": "AEA"}}
    assert description_of(estimated).birth_dates == frozenset()


BAD: dict[str, tuple[Any, str]] = {
    "a name that is a word": ({"name": "Wrenna"}, "name"),
    "a family name that is a number": ({"names": [{"family": 7}]}, "familyName"),
    "more names than one question has": ({"name": [{"familyName": "Q"}] * 11}, "name"),
    "a name as long as a book": ({"name": {"familyName": "Q" * 201}}, "familyName"),
    "a number without its system": ({"identifier": {"value": "9991204318"}}, "identifier"),
    "two birth dates": ({"dateOfBirth": [{"date": "2014-05-17"}] * 2}, "dateOfBirth"),
    "no day of any calendar": ({"dateOfBirth": {"date": "2014-02-30"}}, "date"),
    "a day in another spelling": ({"birth_date": {"date": "20140517"}}, "date"),
    "the same in both words at once": ({"sex": "2", "sexCode": "1"}, "sexCode"),
    "a member that neither way of saying it has": ({**OURS, "birthDate": "2014-05-17"}, "person"),
    "a name under other names": ({"names": [{"surname": "Quillfeather", "given": ["Wrenna"]}]}, "name"),
    "a postcode in another spelling": ({"address": {"postCode": "ZZ1 4QF"}}, "address"),
    "what wraps a person": ({"person": OURS}, "person"),
    "an address that is null": ({"address": None}, "address"),
}


@pytest.mark.parametrize(("asked", "member"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_refused_by_its_name_alone(asked: dict[str, Any], member: str) -> None:
    with pytest.raises(NotAPerson) as refused:
        description_of(asked)
    assert str(refused.value) == member
