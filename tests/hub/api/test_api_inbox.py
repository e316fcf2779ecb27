"""`/inbox`: a body counted while it is read, one receipt a record, and a word to whoever must wait."""

from __future__ import annotations

import json

import pytest

from hub.ingest.inbox import BODY_LIMIT, RECORDS_LIMIT


def test_each_line_is_one_record_in_order_and_the_receipts_come_back(world):
    answer = world.source.records(b'{"a":1}\n{"b":2}\n')
    assert (answer.status_code, answer.json()) == (200, {"receipts": "a.signed.receipt"})
    assert world.inbox.taken == [("urn:safeguarding:source:northmarch:live", [b'{"a":1}', b'{"b":2}'])]


def test_empty_lines_and_carriage_returns_are_no_part_of_a_record(world):
    world.source.records(b'{"a":1}\r\n\n\r\n{"b":2}')
    assert world.inbox.taken[0][1] == [b'{"a":1}', b'{"b":2}']


def test_a_record_that_is_too_large_goes_to_admission_like_any_other(world):
    large = b"x" * (300 * 1024)
    assert world.source.records(large + b"\n").status_code == 200
    assert world.inbox.taken[0][1] == [large]


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(world, problem):
    assert world.source.records(b"x" * BODY_LIMIT).status_code == 200
    assert problem(world.source.records(b"x" * (BODY_LIMIT + 1))) == (413, "large")


def test_more_records_than_one_call_may_bring_are_refused_whole(world, problem):
    assert world.source.records(b"{}\n" * RECORDS_LIMIT).status_code == 200
    assert problem(world.source.records(b"{}\n" * (RECORDS_LIMIT + 1))) == (413, "large")
    assert len(world.inbox.taken) == 1


def test_a_body_without_a_record_is_refused(world, problem):
    assert problem(world.source.records(b"\n\n")) == (400, "body")


@pytest.mark.parametrize("media", ["application/json", "application/cloudevents+json", "text/plain", ""])
def test_another_media_type_is_refused_with_the_one_that_is_read(world, problem, media):
    answer = world.source.records(b"{}\n", media)
    assert problem(answer) == (415, "media")
    assert answer.headers["accept-post"] == answer.json()["media_type"] == "application/x-ndjson"


def test_parameters_of_the_media_type_do_not_matter(world):
    assert world.source.records(b"{}\n", "Application/X-NDJSON; charset=utf-8").status_code == 200


def test_a_compressed_body_is_refused_unread(world, problem):
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert problem(world.source.call("POST", "/inbox", headers, b"\x1f\x8b")) == (415, "media")


def test_who_must_wait_is_told_for_how_long(world, problem):
    world.inbox.wait_s = 17
    answer = world.source.records(b"{}\n")
    assert problem(answer) == (429, "wait")
    assert answer.headers["retry-after"] == "17"
    assert world.inbox.taken == []


def test_a_source_gets_its_head(world):
    assert world.source.get("/inbox/head").json() == {
        "source": "urn:safeguarding:source:northmarch:live", "sequence": 3, "digest": "ab" * 32,
    }  # fmt: skip


def test_a_source_gets_its_receipts_again_from_a_cursor_on(world):
    assert world.source.get("/inbox/receipts").json() == {
        "receipts": "a.signed.receipt", "next": 1, "notices": "a.signed.notice", "notices_next": 0,
    }  # fmt: skip
    again = world.source.get("/inbox/receipts?after=41&notices_after=7").json()
    assert (again["next"], again["notices_next"]) == (42, 7)


@pytest.mark.parametrize("name", ["after", "notices_after"])
@pytest.mark.parametrize("after", ["-1", "1.5", "x", "", "9" * 19, "%D9%A3", "1%00"])
def test_a_cursor_that_is_no_number_is_refused(world, problem, name, after):
    assert problem(world.source.get(f"/inbox/receipts?{name}={after}")) == (400, "query")


def test_a_notice_is_opened_by_a_named_person_and_nobody_elses_is_there(world, problem):
    address = "/inbox/notices/5d41402abc4b2a76b9719d911017c592/opened"
    assert world.source.post(address, '{"person": "marnie.pell"}').json()["kind"] == "history-asked"
    assert problem(world.source.post(address, "{}")) == (422, "misfit")
    assert problem(world.source.post(address, json.dumps({"person": "x" * 121}))) == (422, "misfit")
    assert problem(world.source.post("/inbox/notices/another/opened", '{"person": "marnie.pell"}')) == (
        404,
        "no-notice",
    )
    assert problem(world.person.post(address, '{"person": "marnie.pell"}')) == (401, "token")


def test_attack_openings_without_end_fill_the_record(world, problem):
    world.inbox.wait_s = 17
    address = "/inbox/notices/5d41402abc4b2a76b9719d911017c592/opened"
    answer = world.source.post(address, '{"person": "marnie.pell"}')
    assert problem(answer) == (429, "wait")
    assert answer.headers["retry-after"] == "17"
    assert world.inbox.openings == []


def test_an_opening_counts_as_one_record(world):
    world.source.post("/inbox/notices/5d41402abc4b2a76b9719d911017c592/opened", '{"person": "marnie.pell"}')
    assert world.inbox.spent == [1]


def test_a_persons_token_is_no_sources_token(world, problem):
    assert problem(world.person.records(b"{}\n")) == (401, "token")
