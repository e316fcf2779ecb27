"""From a native record's versions to sealed events: each change names the event that it changes, for the right child.

Files are taken into a real outbox, one after the other, and what was sealed is read back out of it.
"""

import csv
import io
import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.education.formats import AGENCY as EDUCATION
from adapters.health.formats import AGENCY as HEALTH
from adapters.kit.home import fill_settings
from adapters.kit.intake import Intake
from adapters.kit.keymaking import init_keys
from adapters.kit.outbox import open_outbox
from adapters.kit.progress import Progress
from adapters.kit.relevance import Sender
from adapters.police.formats import AGENCY as POLICE
from schemas.envelope import statement_bytes_of
from schemas.strict import b64url_decode

NOON = datetime(2025, 10, 3, 12, tzinfo=UTC)
CHOSEN = {"relevance": {"shared_by": {"person": "named-nurse", "decided": "2025-10-01"}}}
"""A person chose to send everything, where a test is not about which rule lets an event go."""
NOBODY_CHOSE = {"relevance": {}}
WORDS = {
    "source": "urn:safeguarding:source:trial",
    "hub": "urn:safeguarding:hub:trial",
    "partnership": "urn:safeguarding:partnership:trial",
    "service": "urn:safeguarding:service:trial",
    "service_name": "Trial",
    "service_kind": "another service",
    "url": "http://127.0.0.1:1",
}


class Adapter:
    """One agency's adapter with its outbox, as far as the seal."""

    def __init__(self, home, folder, outbox):
        self.home, self.folder, self.outbox = home, folder, outbox

    def take(self, name, raw, **more):
        """How the records of this file ended."""
        path = self.folder / name
        path.write_bytes(raw)
        intake = Intake(self.agency, self.home, self.outbox, lambda: NOON, Progress(io.StringIO()), **more)
        intake.take_file(path)
        return dict(intake.tally.ends)

    def events(self):
        """Everything sealed: the data with its id and subject."""
        return [read_row(record) for (record,) in self.outbox.select("SELECT record FROM sealed ORDER BY sequence")]


def read_row(record):
    data = json.loads(b64url_decode(json.loads(record)["data"].encode()))
    statement = json.loads(statement_bytes_of(record))
    return data | {"id": statement["id"], "subject": statement["subject"]}


@pytest.fixture
def open_adapter(tmp_path):
    @contextmanager
    def opened(agency, outbox_name="outbox.db", **settings):
        home, _ = init_keys(tmp_path / agency.name, agency, WORDS)
        home = replace(home, settings=fill_settings({**CHOSEN, **settings}, home.settings))
        folder = tmp_path / f"drop-{agency.name}"
        folder.mkdir(exist_ok=True)
        with open_outbox(home.path / outbox_name, home.source) as outbox:
            adapter = Adapter(home, folder, outbox)
            adapter.agency = agency
            yield adapter

    return opened


def targets(event, as_):
    return [one["id"] for one in event.get("references", ()) if one["as"] == as_]


def retracted(events):
    """(subject, id) of everything taken back: a retraction speaks about the same person as what it takes back."""
    by_id = {event["id"]: event for event in events}
    found = []
    for event in events:
        for target in targets(event, "retracts"):
            assert by_id[target]["subject"] == event["subject"]
            found.append(target)
    assert len(found) == len(set(found)), "taken back twice"
    return found


# -- police

ROW = {
    "incident_ref": "NMC/1", "incident_opened_at": "2025-03-04T19:30", "incident_type": "DA", "child_ref": "NM1",
    "child_given_name": "Ansel", "child_family_name": "Brightwater", "child_dob": "2013-02-04",
    "risk_level": "medium", "children_present": "yes", "submitted_at": "2025-03-04T22:00", "force_code": "northmarch",
    "outcome": "", "closed_at": "", "school_urn": "", "concern_codes": "",
}  # fmt: skip


def rows(**changes):
    out = io.StringIO()
    writer = csv.DictWriter(out, ROW)
    writer.writeheader()
    writer.writerow(ROW | changes)
    return out.getvalue().encode()


def test_a_second_correction_of_an_incident_corrects_the_incident_and_not_the_first_correction(open_adapter):
    with open_adapter(POLICE) as police:
        police.take("1.csv", rows())
        police.take("2.csv", rows(risk_level="high", submitted_at="2025-03-05T10:00"))
        police.take("3.csv", rows(risk_level="standard", submitted_at="2025-03-06T10:00"))
        incident, first, second = police.events()
    assert incident["event"] == "domestic-abuse-incident"
    assert [targets(one, "corrects") for one in (first, second)] == [[incident["id"]], [incident["id"]]]


def test_an_outcome_after_a_notice_or_a_replacement_follows_the_incident(open_adapter):
    with open_adapter(POLICE) as police:
        police.take("1.csv", rows())
        police.take("2.csv", rows(school_urn="999001", submitted_at="2025-03-05T10:00"))
        police.take("3.csv", rows(school_urn="999001", child_family_name="Brightwood", submitted_at="2025-03-06T10:00"))
        police.take(
            "4.csv",
            rows(
                school_urn="999001",
                child_family_name="Brightwood",
                submitted_at="2025-03-07T10:00",
                outcome="nfa-evidential",
            ),
        )
        incident, notice, again, *later = police.events()
    assert notice["event"] == "domestic-abuse-notice"
    assert targets(again, "replaces") == [incident["id"]]
    (outcome,) = [one for one in later if one["event"] == "investigation-outcome"]
    assert targets(outcome, "follows") == [again["id"]]


def child(ref, given, born):
    return {"person_ref": ref, "entity": "P_009", "given_name": given, "surname": "Brightwater", "date_of_birth": born}


def report(version, **changes):
    one = {
        "report_ref": "R1", "report_version": str(version), "recorded_at": f"2025-03-0{version}T22:00:00Z",
        "entity": "E_002", "occurred": {"from": "2025-03-01T19:30:00Z"},
        "people": [child("NM1", "Ansel", "2013-02-04"), child("NM2", "Lark", "2016-07-01")],
    }  # fmt: skip
    return json.dumps({"format": "pole-json/1", "force_code": "northmarch", "reports": [one | changes]}).encode()


def test_a_withdrawn_report_of_two_children_takes_back_everything_of_each_under_their_own_pseudonym(open_adapter):
    with open_adapter(POLICE) as police:
        police.take("1.json", report(1))
        police.take("2.json", report(2, child_seen=True))
        police.take("3.json", report(3, child_seen=True, outcome="charged"))
        before = police.events()
        police.take("4.json", report(4, status="withdrawn", withdrawal_reason="wrong-child"))
        events = police.events()
    subjects = {one["subject"] for one in before}
    assert len(subjects) == 2
    for subject in subjects:
        (first, again, *_) = [one for one in before if one["subject"] == subject]
        assert targets(again, "replaces") == [first["id"]]
    assert sorted(retracted(events)) == sorted(one["id"] for one in before)
    assert {one["label"]["category"] for one in events[len(before) :]} == {"police"}


# -- health

ORRIN = {"PID-3": "9994401173^^^NHS^NHSNMBR~FW-318820^^^ZZF^PAS", "PID-5": "Hale^Orrin", "PID-7": "20190201"}
UNA = {"PID-3": "9993189030^^^NHS^NHSNMBR~FW-318821^^^ZZF^PAS", "PID-5": "Hale^Una", "PID-7": "20170201"}
VISIT = {"PV1-2": "E", "PV1-3": "ED^^^ZZF01", "PV1-10": "180", "PV1-19": "V1^^^VISITID", "PV1-44": "202412020900"}
WRIST = {"PV2-3": "S60.2^Contusion of wrist^ICD10"}
ELBOW = {"PV2-3": "S50.0^Contusion of elbow^ICD10"}
BRUISE = {"DG1-3": "S40.0^Contusion of shoulder and upper arm^ICD10"}


def adt(trigger, number, *parts):
    fields = {"EVN-2": f"2024120209{number:02}", **VISIT}
    for part in parts:
        fields |= part
    by_segment = {}
    for name, value in fields.items():
        segment, place = name.split("-")
        by_segment.setdefault(segment, {})[int(place)] = value
    lines = [f"MSH|^~\\&|PAS|ZZF|ROUTE|HUB|20241202091500||ADT^{trigger}^ADT_A01|{number}|P|2.4"]
    for segment, numbered in by_segment.items():
        lines.append("|".join([segment, *(numbered.get(n, "") for n in range(1, max(numbered) + 1))]))
    return "\r".join(lines).encode()


def tell(health, *messages, **more):
    return [health.take(f"{n}-{len(raw)}.hl7", raw, **more) for n, raw in enumerate(messages)]


def test_a_visit_of_another_child_takes_back_the_attendance_and_its_correction(open_adapter):
    with open_adapter(HEALTH) as health:
        tell(health, adt("A04", 1, ORRIN, WRIST), adt("A08", 2, ORRIN, ELBOW), adt("A08", 3, UNA, ELBOW))
        events = health.events()
        attendance, *corrections, again, _, _ = events
        wrong, right = attendance["subject"], again["subject"]
        assert {one["event"] for one in corrections} == {"correction-made"}
        assert {target for one in corrections for target in targets(one, "corrects")} == {attendance["id"]}
        assert sorted(retracted(events)) == sorted(
            one["id"] for one in events if one["subject"] == wrong and one["event"] != "retraction-made"
        )
        assert {one["details"]["reason"] for one in events if one["event"] == "retraction-made"} == {"wrong-child"}
        assert {one["label"]["level"] for one in events if one["event"] == "retraction-made"} == {"R"}
        assert (again["event"], "references" in again, right != wrong) == ("emergency-attendance", False, True)

        tell(health, adt("A08", 4, UNA, WRIST))
        later = health.events()[len(events) :]
        assert later
        assert {(one["subject"], *targets(one, "corrects")) for one in later} == {(right, again["id"])}


def test_a_visit_of_another_child_takes_back_the_injury_that_was_added_later(open_adapter):
    with open_adapter(HEALTH) as health:
        ends = tell(
            health, adt("A04", 1, ORRIN), adt("A08", 2, ORRIN, BRUISE), adt("A08", 3, ORRIN, BRUISE, WRIST),
            adt("A08", 4, UNA, BRUISE, WRIST),
        )  # fmt: skip
        events = health.events()
    assert ends == [{"events": 1}] * 4
    wrong = events[0]["subject"]
    theirs = [one["id"] for one in events if one["subject"] == wrong and one["event"] != "retraction-made"]
    names = {one["event"] for one in events if one["id"] in theirs}
    assert names == {"emergency-attendance", "injury-observed", "correction-made"}
    assert sorted(retracted(events)) == sorted(theirs)


def test_a_visit_of_another_child_takes_back_the_discharge_too(open_adapter):
    with open_adapter(HEALTH) as health:
        tell(health, adt("A04", 1, ORRIN), adt("A03", 2, ORRIN, {"PV1-45": "202412021200"}), adt("A08", 3, UNA))
        events = health.events()
        assert [one["event"] for one in events if one["id"] in retracted(events)] == [
            "emergency-attendance",
            "discharge",
        ]
        tell(health, adt("A03", 4, UNA, {"PV1-45": "202412021200"}))
        assert [one["event"] for one in health.events()[len(events) :]] == ["discharge"]


def test_a_wrong_childs_entry_goes_at_once_where_a_person_must_look_at_the_right_ones(open_adapter):
    with open_adapter(HEALTH) as health:
        ends = tell(health, adt("A04", 1, UNA), adt("A08", 2, ORRIN | {"PID-7": ""}))
        assert ends == [{"events": 1}, {"held": 1}]
        events = health.events()
        assert retracted(events) == [events[0]["id"]]
        tell(health, adt("A08", 3, ORRIN))
        assert [one["event"] for one in health.events()[2:]] == ["emergency-attendance"]


def test_a_message_that_names_nobody_takes_nothing_back(open_adapter):
    with open_adapter(HEALTH) as health:
        ends = tell(health, adt("A04", 1, UNA), adt("A08", 2, UNA | {"PID-3": "", "PID-5": ""}))
        assert ends == [{"events": 1}, {"unmappable": 1}]
        assert retracted(health.events()) == []


def test_a_finding_that_is_gone_takes_back_itself_and_leaves_the_attendance(open_adapter):
    with open_adapter(HEALTH) as health:
        tell(health, adt("A04", 1, ORRIN, BRUISE), adt("A08", 2, ORRIN))
        events = health.events()
    assert [one["event"] for one in events if one["id"] in retracted(events)] == ["injury-observed"]


def test_the_same_child_under_another_number_of_the_hospital_is_told_there_and_taken_back_here(open_adapter):
    moved = ORRIN | {"PID-3": "9994401173^^^NHS^NHSNMBR~FW-999999^^^ZZF^PAS"}
    with open_adapter(HEALTH) as health:
        tell(health, adt("A04", 1, ORRIN), adt("A08", 2, moved), adt("A08", 3, UNA))
        events = health.events()
    first, again, back, una, _ = events
    assert (first["event"], again["event"], una["event"]) == ("emergency-attendance",) * 3
    assert back["details"]["reason"] == "removed-at-source"
    assert retracted(events) == [first["id"], again["id"]]


def nems(name, **changes):
    raw = (Path(__file__).parents[2] / "adapters" / "health" / "samples" / "ordinary" / name).read_text(
        encoding="utf-8"
    )
    for old, new in changes.items():
        assert old in raw
        raw = raw.replace(old, new)
    return raw.encode()


def test_a_contact_that_turns_out_to_be_another_childs_is_taken_back_from_the_first(open_adapter):
    raw = nems("nems-contacts-1-new.xml")
    other = raw.replace(b"9994401173", b"9993189030")
    assert other != raw
    with open_adapter(HEALTH) as health:
        health.take("1.xml", raw)
        health.take("2.xml", other)
        events = health.events()
    first, again, back = events
    assert (again["event"], "references" in again) == ("involvement-started", False)
    assert retracted(events) == [first["id"]]
    assert back["details"]["reason"] == "wrong-child"


# -- education


def register(*, student=7, first="Wrenna", upn="U999200118001", **tables):
    one = {"id": student, "upn": upn, "first_name": first, "last_name": "Mosswick", "dob": "2014-05-17"}
    return json.dumps({"students": [one]} | tables).encode()


def exclusion(**changes):
    return {
        "id": "E1", "student_id": 7, "exclusion_type": "SUSP", "start_date": "2025-01-13", "end_date": "2025-01-14",
        "exclusion_reason": "PP", "sessions": "4",
    } | changes  # fmt: skip


def marks(*days):
    return [
        {"student_id": 7, "session_date": day, "session_name": session, "attendance_mark": mark}
        for day, text in school_days(days)
        for session, mark in zip(("AM", "PM"), text.split(), strict=True)
    ]


def school_days(texts):
    days = (datetime(2025, 1, 6, tzinfo=UTC) + timedelta(days=n) for n in range(3 * len(texts)))
    return zip((day.date().isoformat() for day in days if day.weekday() < 5), texts, strict=False)


GONE = json.dumps({"data": [{"id": "E1", "type": "exclusions", "deleted_at": "2025-02-03"}]}).encode()
HERE, ILL, AWAY = "/ \\", "I I", "O O"


def test_a_deleted_exclusion_is_taken_back_with_what_it_had_replaced(open_adapter):
    with open_adapter(EDUCATION) as school:
        school.take("1.json", register(exclusions=[exclusion()]))
        school.take("2.json", register(exclusions=[exclusion(end_date="2025-01-15")]))
        school.take("3.json", register(exclusions=[exclusion(exclusion_type="PERM")]))
        school.take("4.json", GONE)
        first, longer, excluded, *_ = events = school.events()
    assert targets(longer, "replaces") == [first["id"]]
    assert (excluded["event"], targets(excluded, "replaces")) == ("excluded", [longer["id"]])
    assert retracted(events) == [first["id"], longer["id"], excluded["id"]]


def test_a_replaced_pattern_that_was_wrong_is_taken_back_with_what_it_replaced(open_adapter):
    with open_adapter(EDUCATION) as school:
        school.take("1.json", register(attendance=marks(*[HERE] * 10, *[ILL] * 4)))
        school.take("2.json", register(attendance=marks(*[HERE] * 9, *[ILL] * 5)))
        school.take("3.json", register(attendance=marks(*[HERE] * 14)))
        first, second, *_ = events = school.events()
    assert targets(second, "replaces") == [first["id"]]
    assert retracted(events) == [first["id"], second["id"]]


def test_a_run_of_ten_days_is_told_once_while_its_pattern_is_replaced(open_adapter):
    with open_adapter(EDUCATION) as school:
        school.take("1.json", register(attendance=marks(*[HERE] * 10, *[AWAY] * 10)))
        school.take("2.json", register(attendance=marks(*[HERE] * 10, *[AWAY] * 10, *[HERE] * 3)))
        events = school.events()
    assert [one["event"] for one in events].count("absent-ten-days") == 1
    assert [one["change"] for one in events if one["event"] == "absence-pattern"] == ["new", "replaces"]


def test_an_exclusion_put_under_another_pupil_is_taken_back_from_the_first(open_adapter):
    with open_adapter(EDUCATION) as school:
        school.take("1.json", register(exclusions=[exclusion()]))
        school.take("2.json", register(exclusions=[exclusion()], first="Tobin", upn="J999200118002"))
        first, again, back = events = school.events()
    assert again["subject"] != first["subject"]
    assert retracted(events) == [first["id"]]
    assert back["details"]["reason"] == "wrong-child"


# -- which rule lets an event go


def rules(events):
    return [one["relevance"].get("rule") for one in events]


def test_each_event_names_the_rule_that_let_it_go(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        tell(health, adt("A04", 5, UNA, BRUISE, {"PV1-19": "V3^^^VISITID"}))
        tell(health, adt("A04", 6, UNA, {"PV1-19": "V4^^^VISITID"}), adt("A04", 1, ORRIN))
        events = health.events()
    assert rules(events) == ["always-relevant", "already-shared", "already-shared"]  # an injured child; the injury
    assert {one["relevance"]["edition"] for one in events} == {"2024-09"}


def test_what_is_asked_about_leaves_and_names_that_rule(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        assert tell(health, adt("A04", 1, ORRIN)) == [{"held-back": 1}]
        ((subject,),) = health.outbox.select("SELECT subject FROM held_about")
        with health.outbox.transaction():
            health.outbox.noticing.ask_about(subject, "2025-10-03T12:00:00Z", history=False)
        assert tell(health, adt("A04", 2, ORRIN, {"PV1-19": "V2^^^VISITID"})) == [{"events": 1}]
        assert tell(health, adt("A04", 3, UNA, {"PV1-19": "V3^^^VISITID"})) == [{"held-back": 1}]
        assert [one["relevance"] for one in health.events()] == [{"rule": "asked-about", "edition": "2024-09"}]


def test_what_no_rule_lets_go_is_held_back_and_no_setting_changes_that_in_nobodys_name(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        first = adt("A04", 1, ORRIN)
        assert tell(health, first) == [{"held-back": 1}]
        assert health.outbox.select("SELECT reason FROM native") == [("not-relevant-yet",)]
        assert health.events() == []
        sent = Sender("named-nurse", "2025-10-03")
        assert tell(health, first, again=True, sender=sent) == [{"events": 1}]
        assert health.events()[0]["relevance"] == {"person": "named-nurse", "decided": "2025-10-03"}
        tell(health, adt("A04", 2, ORRIN, {"PV1-19": "V2^^^VISITID"}))
        assert rules(health.events()[1:]) == ["already-shared"]


def test_a_child_of_whom_all_was_taken_back_is_not_already_shared(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        tell(health, adt("A04", 1, ORRIN, BRUISE), adt("A08", 2, UNA))
        assert tell(health, adt("A04", 3, ORRIN, {"PV1-19": "V2^^^VISITID"})) == [{"held-back": 1}]


def test_a_correction_of_what_was_held_back_tells_the_visit_whole(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        first, second = adt("A04", 1, ORRIN), adt("A08", 2, ORRIN, {"PV1-44": "202412020830"})
        assert tell(health, first, second) == [{"held-back": 1}] * 2
        injured = adt("A08", 3, ORRIN, BRUISE)
        assert tell(health, injured) == [{"events": 1}]
        events = health.events()
    assert [one["event"] for one in events] == ["emergency-attendance", "injury-observed"]
    assert "previous-version-unknown" in [one["code"] for one in events[0]["remarks"]]


def test_held_back_versions_are_sent_in_order_when_a_person_sends_them(open_adapter):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        messages = [adt("A04", 1, ORRIN), adt("A08", 2, ORRIN, {"PV1-44": "202412020830"})]
        tell(health, *messages)
        tell(health, *messages, again=True, sender=Sender("named-nurse", "2025-10-03"))
        attendance, *corrections = health.events()
    assert corrections
    assert all(targets(one, "corrects") == [attendance["id"]] for one in corrections)


@pytest.mark.parametrize("taken_back", ["A11", "A08"])
def test_what_was_taken_back_while_it_was_held_can_never_be_sent(open_adapter, taken_back):
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        messages = [adt("A04", 1, ORRIN), adt(taken_back, 2, ORRIN if taken_back == "A11" else UNA)]
        tell(health, *messages)
        assert health.outbox.select("SELECT outcome, reason FROM native WHERE version = '1'") == [
            ("no-event", "taken-back-before-it-was-sent")
        ]
        tell(health, *messages, again=True, sender=Sender("named-nurse", "2025-10-03"))
        assert [one["event"] for one in health.events()] == ([] if taken_back == "A11" else ["emergency-attendance"])


def test_a_wrong_childs_entry_is_taken_back_even_while_the_right_childs_is_held(open_adapter):
    messages = [adt("A04", 1, ORRIN), adt("A08", 2, UNA)]
    with open_adapter(HEALTH) as health:
        tell(health, messages[0])
    with open_adapter(HEALTH, **NOBODY_CHOSE) as health:
        assert tell(health, messages[1]) == [{"held-back": 1}]
        events = health.events()
        assert retracted(events) == [events[0]["id"]]
        tell(health, messages[1], again=True, sender=Sender("named-nurse", "2025-10-03"))
        assert [one["event"] for one in health.events()[2:]] == ["emergency-attendance"]


def test_an_outbox_that_was_lost_comes_out_the_same_when_the_files_are_read_in_the_same_order(open_adapter):
    messages = [
        adt("A04", 1, ORRIN, WRIST), adt("A08", 2, ORRIN, ELBOW), adt("A04", 3, UNA, {"PV1-19": "V2^^^VISITID"}),
        adt("A08", 4, UNA, ELBOW), adt("A04", 5, ORRIN, BRUISE, {"PV1-19": "V3^^^VISITID"}),
    ]  # fmt: skip
    with open_adapter(HEALTH) as health:
        tell(health, *messages)
        once = health.events()
    with open_adapter(HEALTH, "another.db") as health:
        tell(health, *messages)
        assert health.events() == once
        tell(health, *messages, again=True)
        assert health.events() == once
