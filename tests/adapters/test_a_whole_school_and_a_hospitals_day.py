"""The hub is no register of all children: a whole school and a hospital's day pass their adapters, and of nobody does
anything leave without a reason that has a name. `REASONS` lists every event that left, with its reason."""

import io
import json
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest

from adapters.education.formats import AGENCY as EDUCATION
from adapters.health.formats import AGENCY as HEALTH
from adapters.kit.intake import Intake
from adapters.kit.keymaking import init_keys
from adapters.kit.outbox import open_outbox
from adapters.kit.progress import Progress
from adapters.kit.relevance import Sender
from schemas.envelope import statement_bytes_of
from schemas.strict import b64url_decode

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)
PUPILS, ILL, GONE, SCHOOL_DAYS = 1000, range(0, 1000, 40), 7, 20
UPN = "U999200118001"
FIRST_DAY = date(2025, 3, 3)

REASONS = {
    "school": {
        ("absent-ten-days", "always-relevant"): 1,  # the one who stopped coming: the council is told by law
        ("absence-pattern", "already-shared"): 1,  # and how it came to that
        ("left-roll", "already-shared"): 1,  # the same pupil
        ("left-roll", "person"): 1,  # another one, whom the school's lead chose to tell of
    },
    "hospital": {
        ("emergency-attendance", "always-relevant"): 1,  # the one injured child
        ("injury-observed", "already-shared"): 1,
        ("discharge", "already-shared"): 1,  # of the injured child
    },
}


class Adapter:
    """One agency's adapter as it is set up by `keys init`, as far as the seal."""

    def __init__(self, agency, home, outbox):
        self.agency, self.home, self.outbox = agency, home, outbox

    def intake(self, sender=None):
        return Intake(self.agency, self.home, self.outbox, lambda: NOON, Progress(io.StringIO()), sender)

    def take(self, path):
        intake = self.intake()
        intake.take_file(path)
        return intake.tally.ends

    def send(self, key):
        with self.outbox.transaction():
            self.outbox.keeping.choose(key, Sender("the-lead", "2025-03-31"))
        self.intake().take_chosen()

    def held(self):
        return [Held(*row) for row in self.outbox.select("SELECT key, reason FROM native WHERE outcome = 'held-back'")]


class Held(NamedTuple):
    key: str
    reason: str


@pytest.fixture
def open_adapter(tmp_path):
    with ExitStack() as doors:

        def open_adapter(agency):
            words = {
                "source": f"urn:safeguarding:source:{agency.name}", "hub": "urn:safeguarding:hub:trial",
                "partnership": "urn:safeguarding:partnership:trial", "service_name": "Trial",
                "service": f"urn:safeguarding:service:{agency.name}", "service_kind": "another service",
                "url": "http://127.0.0.1:1",
            }  # fmt: skip
            home, _ = init_keys(tmp_path / agency.name, agency, words)
            return Adapter(agency, home, doors.enter_context(open_outbox(home.outbox_path, home.source)))

        yield open_adapter


def what_left(outbox):
    """(event, reason) of everything sealed, how often; and about how many persons."""
    left, about = Counter(), set()
    for (record,) in outbox.select("SELECT record FROM sealed ORDER BY sequence"):
        data = json.loads(b64url_decode(json.loads(record)["data"].encode()))
        relevance = data["relevance"]
        assert {"rule", "edition"} <= relevance.keys() or {"person", "decided"} <= relevance.keys()
        left[data["event"], relevance.get("rule", "person")] += 1
        about.add(json.loads(statement_bytes_of(record))["subject"])
    return dict(left), len(about)


# -- the school


def pupil(n, leaving=""):
    born = date(2014, 9, 1) + timedelta(days=n % 365)
    number = f"<UPN>{UPN}</UPN>" if n == GONE else ""
    return (
        f"<Pupil>{number}<Surname>Plover{n}</Surname><Forename>Ansel</Forename><DOB>{born}</DOB><Sex>F</Sex><SchoolHistory>"
        "<School><LEA>999</LEA><Estab>2001</Estab><EntryDate>2020-09-01</EntryDate>"
        f"{f'<LeavingDate>{leaving}</LeavingDate>' if leaving else ''}</School></SchoolHistory></Pupil>"
    )


def roll(day, leaving=()):
    pupils = "".join(pupil(n, "2025-03-28" if n in leaving else "") for n in range(PUPILS))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><CTfile><Header><CTFversion>25.0</CTFversion>'
        f"<DateTime>{day}T09:00:00</DateTime><SourceSchool><LEA>999</LEA><Estab>2001</Estab></SourceSchool></Header>"
        f"<CTFpupilData>{pupils}</CTFpupilData></CTfile>"
    )


def code_of(n, nth):
    """Present; ill for two days; or gone without a word from the sixth day on."""
    if n == GONE and nth >= 5:
        return "O"
    return "I" if n in ILL and nth in (3, 4) else "/"


def register():
    students = [
        {
            "id": f"A{n}", "legal_surname": f"Plover{n}", "legal_forename": "Ansel", "gender": "FEMALE",
            "date_of_birth": {"date": f"{date(2014, 9, 1) + timedelta(days=n % 365)} 00:00:00.000000"},
            **({"education_details": {"data": {"upn": UPN}}} if n == GONE else {}),
        }
        for n in range(PUPILS)
    ]  # fmt: skip
    days = [FIRST_DAY + timedelta(days=nth + 2 * (nth // 5)) for nth in range(SCHOOL_DAYS)]
    marks = [
        {"student": f"A{n}", "date": day.isoformat(), "session": session, "attendance_code_id": code_of(n, nth)}
        for n in range(PUPILS)
        for nth, day in enumerate(days)
        for session in ("AM", "PM")
    ]
    codes = [{"id": code, "code": code} for code in "/OI"]
    tables = {"students": students, "attendance-codes": codes, "attendance": marks}
    meta = {"from": days[0].isoformat(), "to": days[-1].isoformat()}
    return json.dumps({name: {"data": rows} for name, rows in tables.items()} | {"meta": meta})


def test_of_a_whole_school_only_what_has_a_named_reason_leaves(open_adapter, tmp_path):
    adapter = open_adapter(EDUCATION)
    files = {"a.xml": roll("2025-03-03"), "b.json": register(), "c.xml": roll("2025-03-29", leaving=(GONE, 8, 9))}
    ends = Counter()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        ends += adapter.take(tmp_path / name)
    assert ends == {"no-event": 3 * PUPILS - 29, "held-back": 27, "events": 2}
    assert len(adapter.held()) == 27
    chosen = next(one for one in adapter.held() if one.key.startswith("ctf/"))
    adapter.send(chosen.key)
    assert what_left(adapter.outbox) == (REASONS["school"], 2)
    assert all(one.reason == "not-relevant-yet" for one in adapter.held())


# -- the hospital


def visit(n, *segments, trigger="A04"):
    """One message of the day: a child comes, or goes, with nothing remarkable unless a segment says so."""
    stamp = f"20250303{n % 24:02}{n % 60:02}"
    return "\r".join(
        [
            f"MSH|^~\\&|PAS|ZZF|ROUTE|HUB|{stamp}00||ADT^{trigger}^ADT_A01|{n}{trigger}|P|2.4", f"EVN||{stamp}",
            f"PID|||FW-{n}^^^ZZF^PAS||Plover{n}^Ansel||{2010 + n % 14}0201",
            f"PV1||E|ED^^^ZZF01|21||||||180|||||||||V{n}^^^VISITID"
            f"|||||||||||||||||||||||||{stamp}",
            *segments,
        ]
    )  # fmt: skip


COUGH, FEVER = "PV2|||R05^Cough^ICD10", "DG1|1||R50.9^Fever^ICD10"
WRIST, BRUISE = "PV2|||S60.2^Contusion of wrist^ICD10", "DG1|1||S40.0^Contusion of upper arm^ICD10"


def a_hospitals_day():
    for n in range(1, 121):
        yield visit(n, COUGH, FEVER)
        if n % 3 == 0:
            yield visit(n, COUGH, FEVER, trigger="A03")
    yield visit(200, WRIST, BRUISE)
    yield visit(200, WRIST, BRUISE, trigger="A03")


def test_of_a_hospitals_day_only_what_has_a_named_reason_leaves(open_adapter, tmp_path):
    adapter = open_adapter(HEALTH)
    ends = Counter()
    for n, text in enumerate(a_hospitals_day()):
        (tmp_path / f"{n:04}.hl7").write_bytes(text.encode())
        ends += adapter.take(tmp_path / f"{n:04}.hl7")
    assert what_left(adapter.outbox) == (REASONS["hospital"], 1)
    assert ends == {"events": 2, "held-back": 160}
