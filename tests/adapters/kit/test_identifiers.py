"""NHS numbers and pupil numbers: which are let through, and why the others are not."""

import pytest

from adapters.kit.identifiers import (
    NHS_NUMBER,
    UPN,
    keep_identifier,
    nhs_number_fault,
    nhs_number_ok,
    upn_fault,
    upn_ok,
)
from adapters.kit.outcomes import Remark


@pytest.mark.parametrize(
    "number", ["9991204318", "9993189022", "9993189030", "9992044187", "9994401173", "9990000042", "9990554412"]
)
def test_numbers_of_the_never_issued_range_are_good_in_tests_and_refused_live(number):
    assert nhs_number_ok(number)
    assert nhs_number_fault(number, live=True) == "never-issued"


@pytest.mark.parametrize("number", ["9449304424", "9434765919", "9691292211", "9000000009"])
def test_a_right_check_digit_is_good_in_both_modes(number):
    assert nhs_number_ok(number)
    assert nhs_number_ok(number, live=True)


@pytest.mark.parametrize("number", ["6101231234", "3478526985", "9991234566", "1112223330", "9912003890"])
def test_a_wrong_check_digit_is_refused(number):
    assert nhs_number_fault(number, live=False) == "check-digit"


@pytest.mark.parametrize("digit", "0123456789")
def test_ten_equal_digits_are_refused_although_some_pass_the_check(digit):
    assert nhs_number_fault(digit * 10, live=False) == "repeated-digit"


@pytest.mark.parametrize("text", ["", "999120431", "99912043188", "999120431X", "٩٩٩١٢٠٤٣١٨", "999 120 4318"])
def test_another_form_is_no_number(text):
    assert nhs_number_fault(text, live=False) == "form"


@pytest.mark.parametrize("number", ["U999200118001", "V999200121004", "H801200001001"])
def test_pupil_numbers_with_the_right_letter_are_good(number):
    assert upn_ok(number)


def test_a_temporary_pupil_number_counts_its_last_letter():
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    assert sum(upn_ok(f"{letter}99920012100B") for letter in letters) == 1


@pytest.mark.parametrize(
    ("number", "fault"),
    [("A123456789123", "check-letter"), ("A820001408001", "check-letter"), ("I999200118001", "form"), ("", "form")],
)
def test_other_pupil_numbers_are_refused(number, fault):
    assert upn_fault(number) == fault


def test_every_wrong_digit_of_a_number_is_noticed():
    for place in range(10):
        for digit in "0123456789":
            other = "9991204318"[:place] + digit + "9991204318"[place + 1 :]
            assert (nhs_number_fault(other, live=False) == "") == (other == "9991204318")


def test_an_identifier_is_kept_tidy():
    assert keep_identifier(NHS_NUMBER, " 999 120 4318 ", live=False, field="PID-3", verified=True) == (
        {"system": NHS_NUMBER, "value": "9991204318", "verified": True},
        None,
    )
    assert keep_identifier(UPN, "u999200118001", live=True, field="UPN")[0] == {"system": UPN, "value": "U999200118001"}


def test_a_dropped_identifier_leaves_a_remark_that_does_not_say_it():
    kept, remark = keep_identifier(NHS_NUMBER, "3333333333", live=False, field="PID-3")
    assert kept is None
    assert isinstance(remark, Remark)
    assert (remark.code, remark.field) == ("identifier-dropped", "PID-3")
    assert "3333" not in remark.note
    _, live = keep_identifier(NHS_NUMBER, "9991204318", live=True, field="PID-3")
    assert live is not None
    assert live.code == "test-number-dropped"


def test_nothing_written_is_no_fault():
    assert keep_identifier(NHS_NUMBER, "  ", live=True, field="PID-3") == (None, None)
