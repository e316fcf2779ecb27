"""Ids, pseudonyms, salts and the data: the same record gives the same bytes, and nothing else does."""

import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from kit_toy import TOY_FORMAT, make_event

from adapters.kit.events import make_event_id, make_name, make_salt, make_subject
from adapters.kit.home import Secrets
from adapters.kit.judging import Judge
from adapters.kit.outcomes import Events, NativeRecord

SECRET = bytes(range(32))
RECORD = NativeRecord("T-1", "1", "C-1", b"raw", {"id": "T-1", "child": "C-1", "says": "injury"}, "toy/1", "", "toybox")


class NothingPublished:
    def list_standing(self, system, key, subject):
        return []

    def is_shared(self, subject):
        return False


NOTHING_PUBLISHED = NothingPublished()


@pytest.fixture
def judge(home):
    return Judge(home.settings, home.secrets, NOTHING_PUBLISHED)


def ready_of(judge, record=RECORD):
    return judge.judge(TOY_FORMAT, record, None).ready


def test_an_id_is_32_hex_digits_that_stay_the_same_for_ever():
    words = b'["event","toybox","T-1","1","injury-observed",0]'
    assert make_event_id(SECRET, RECORD, "injury-observed", 0) == hmac.digest(SECRET, words, "sha256").hex()[:32]
    assert make_event_id(SECRET, RECORD, "injury-observed", 0) == "7948f574b9f0cf268e4b950cc43b2377"
    person = b'["subject","toybox","C-1"]'
    assert make_subject(SECRET, "toybox", "C-1") == hmac.digest(SECRET, person, "sha256").hex()[:32]
    assert make_salt(SECRET, "ab" * 16) == hmac.digest(SECRET, b"ab" * 16, "sha256")


def test_parts_that_run_together_are_told_apart():
    assert make_name(SECRET, "ab", "c") != make_name(SECRET, "a", "bc")
    assert make_name(SECRET, "a,b") != make_name(SECRET, "a", "b")
    assert make_name(SECRET, "1") != make_name(SECRET, 1)


@pytest.mark.parametrize("part", ["key", "version", "system"])
def test_another_record_version_or_system_is_another_event(part):
    other = replace(RECORD, **{part: "other"})
    assert make_event_id(SECRET, other, "a", 0) != make_event_id(SECRET, RECORD, "a", 0)


def test_without_a_version_of_the_format_the_content_is_the_version():
    bare = replace(RECORD, version="")
    other = replace(bare, parsed={**bare.parsed, "text": "B"})
    spelled = replace(bare, parsed=dict(reversed(bare.parsed.items())), raw=b"other spelling")
    assert make_event_id(SECRET, bare, "a", 0) != make_event_id(SECRET, other, "a", 0)
    assert make_event_id(SECRET, bare, "a", 0) == make_event_id(SECRET, spelled, "a", 0)


def test_two_events_of_one_name_in_one_record_have_two_ids(judge):
    first, second = ready_of(judge, replace(RECORD, parsed={**RECORD.parsed, "says": "twice"}))
    assert first.id != second.id
    assert first.subject == second.subject


def test_the_salt_needs_the_secret_of_its_own(home):
    one, other = Secrets(SECRET, SECRET), Secrets(SECRET, bytes(32))
    salts = {ready_of(Judge(home.settings, both, NOTHING_PUBLISHED))[0].salt for both in (one, other)}
    ids = {ready_of(Judge(home.settings, both, NOTHING_PUBLISHED))[0].id for both in (one, other)}
    assert len(salts) == 2
    assert len(ids) == 1


def test_the_kit_adds_what_is_the_same_for_every_event(judge):
    [ready] = ready_of(judge)
    data = json.loads(ready.data)
    assert data["event"] == "injury-observed"
    assert data["version"] == 1
    assert data["partnership"] == "urn:safeguarding:partnership:harrowmere-westlorn"
    assert data["origin"] == {
        "system": "toybox",
        "record": "T-1",
        "version": "1",
        "format": "toy/1",
        "raw_sha256": hashlib.sha256(b"raw").hexdigest(),
    }
    assert data["said_by"] == {
        "service": "urn:safeguarding:service:toy-clinic",
        "service_name": "Toy clinic",
        "service_kind": "a hospital",
        "statement": "seen",
        "basis": "fact",
    }
    assert data["relevance"] == {"rule": "always-relevant", "edition": "2024-09"}
    assert data["remarks"] == [{"code": "unknown-code", "field": "text", "note": "T9"}]


def test_the_same_record_gives_the_same_bytes_wherever_it_stood(judge):
    [here] = ready_of(judge)
    [there] = ready_of(judge, replace(RECORD, label="line 9"))
    assert here == there


def test_the_claim_of_the_sources_clock_is_kept_in_the_data(home):
    def map_without(record, last, settings):
        event = make_event(record.parsed, time="2031-01-01T00:00:00Z")
        del event.data["recorded"]
        return Events((event,))

    judge = Judge(home.settings, home.secrets, NOTHING_PUBLISHED)
    [ready] = judge.judge(replace(TOY_FORMAT, map=map_without), RECORD, None).ready
    assert json.loads(ready.data)["recorded"] == "2031-01-01T00:00:00Z"
    assert ready.time == "2031-01-01T00:00:00Z"


@pytest.mark.parametrize("time", ["yesterday", "2024-10-03", "2024-10-03T09:00:00"])
def test_a_recording_time_without_a_zone_or_an_hour_is_unmappable(judge, time):
    judged = judge.judge(TOY_FORMAT, replace(RECORD, parsed={**RECORD.parsed, "time": time}), None)
    assert (judged.outcome, judged.field) == ("unmappable", "time")


def test_a_name_outside_the_catalogue_is_unmappable(judge):
    odd = replace(TOY_FORMAT, map=lambda record, last, settings: Events((make_event(record.parsed, "no-such-kind"),)))
    judged = judge.judge(odd, RECORD, None)
    assert (judged.outcome, judged.field) == ("unmappable", "event")
