"""The schools' files through the kit's own intake: sealed, referred to, known again. No hub and no network."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from adapters.education.formats import AGENCY
from adapters.kit.home import open_home
from adapters.kit.intake import Intake
from adapters.kit.keymaking import init_keys
from adapters.kit.outbox import open_outbox
from adapters.kit.progress import Progress
from adapters.kit.relevance import Sender

WORDS = {
    "source": "urn:safeguarding:source:tarnwhistle-academy",
    "hub": "urn:safeguarding:hub:harrowmere-westlorn",
    "partnership": "urn:safeguarding:partnership:harrowmere-westlorn",
    "service": "urn:safeguarding:service:tarnwhistle-academy",
    "service_name": "Tarnwhistle Academy",
    "service_kind": "a school",
    "url": "http://127.0.0.1:1",
}
LEAD = Sender("juno.farrow", "2025-10-01", "she chose to send her school's files")
NOON = datetime(2025, 10, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    init_keys(tmp_path / "home", AGENCY, WORDS)
    return open_home(tmp_path / "home", AGENCY)


@pytest.fixture
def intake(home):
    with open_outbox(home.outbox_path, home.source) as outbox:
        yield Intake(AGENCY, home, outbox, lambda: NOON, Progress(io.StringIO()), LEAD)


def _counts(intake):
    return dict(intake.tally.ends), intake.tally.sealed


def test_the_second_schools_files_become_three_sealed_events(intake, samples):
    for file in sorted((samples / "story" / "tarnwhistle").iterdir()):
        assert intake.take_file(file)
    assert _counts(intake) == ({"events": 3, "no-event": 3}, 3)


def test_the_same_files_under_other_names_seal_nothing_more(intake, samples, tmp_path):
    files = sorted((samples / "story" / "tarnwhistle").iterdir())
    for number, file in enumerate((*files, *files)):
        copy = tmp_path / f"{number:02}{file.suffix}"
        copy.write_bytes(file.read_bytes() + (b"\n" if number >= len(files) else b""))
        assert intake.take_file(copy)
    assert _counts(intake) == ({"events": 3, "no-event": 3, "known": 6}, 3)


def test_a_deletion_is_sealed_only_where_the_exclusion_was(intake, samples, tmp_path):
    gone = samples / "ordinary" / "wonde-deletions-2025-02-03.json"
    intake.take_file(samples / "ordinary" / "wonde-2025-01-06-2025-01-31.json")
    sealed = intake.tally.sealed
    intake.take_file(gone)
    never = tmp_path / "never.json"
    never.write_text(json.dumps({"data": [{"id": "E77", "type": "exclusions", "deleted_at": "2025-02-03"}]}))
    intake.take_file(never)
    assert intake.tally.sealed == sealed + 1


def test_no_sample_needs_a_person_for_a_mapping_that_failed(intake, samples):
    for file in sorted((samples / "ordinary").iterdir()):
        intake.take_file(file)
    ends, sealed = _counts(intake)
    assert set(ends) == {"events", "no-event"}
    assert sealed == 12
