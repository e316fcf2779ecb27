"""The API over a real hub in a folder: from sealed record to receipt, from token to recorded read."""

from __future__ import annotations

import json
import uuid

import pytest

from hub.api.app import create_app
from hub.api.auth import PeopleTokens, read_set
from hub.api.demo_issuer import demo_issuer
from hub.api.doors import Doors
from hub.api.issuer_keys import IssuerKeys
from schemas.catalogue import get_codes
from schemas.envelope import open_receipts, transport_token
from schemas.strict import strict_json

AUDIENCE = "safeguarding-hub"


class Served:
    """A hub's application, with tokens for whoever calls."""

    def __init__(self, hub, client):
        self.hub, self.client = hub, client
        self.issuer = demo_issuer(hub.settings.home, hub.clock)
        keys = IssuerKeys(self.issuer.jwks, lambda raw: read_set(raw, self.issuer.algorithm))
        keys.load()
        tokens = PeopleTokens(
            issuer=self.issuer.issuer, audience=AUDIENCE, algorithm=self.issuer.algorithm, keys=keys, clock=hub.clock
        )
        self.app = create_app(
            Doors(
                inbox=hub.inbox, disclosure=hub.disclosure, query=hub.query, items=hub.items, teams=hub.teams,
                casework=hub.casework, person_of=tokens.person_of, strict_json=strict_json,
                purposes=get_codes("purposes"), roles=get_codes("roles"), checks=[lambda: hub.record.position() > 0],
            )
        )  # fmt: skip

    def person(self, name):
        return self.client(self.app, self.issuer.token(name, AUDIENCE))

    def source(self, agency, jti="", *, audience=""):
        token = transport_token(
            agency.transport, source=agency.source, audience=audience or self.hub.inbox.audience,
            now=self.hub.clock(), jti=jti or uuid.uuid4().hex,
        )  # fmt: skip
        return self.client(self.app, token)

    def receipts(self, answer):
        key = self.hub.receipt_key.entry(source=self.hub.charter.hub, purpose="receipt")
        return open_receipts(answer.json()["receipts"], key, hub=self.hub.charter.hub)


@pytest.fixture
def served(hub, world):
    return Served(hub, type(world.nobody))


def child_of(hub):
    (child,) = hub.register().children()
    return child


def test_a_sealed_record_is_admitted_and_its_receipt_is_signed(served, police):
    answer = served.source(police).records(police.seal() + b"\n" + police.seal() + b"\n")
    assert answer.status_code == 200
    assert [one.outcome for one in served.receipts(answer)] == ["admitted", "admitted"]
    assert [one.sequence for one in [police]] == [2]
    assert served.source(police).get("/inbox/head").json()["sequence"] == 2
    again = served.source(police).get("/inbox/receipts?after=0")
    assert [one.outcome for one in served.receipts(again)] == ["admitted", "admitted"]


def test_a_record_over_256_kib_is_quarantined_by_its_size_and_its_sender_is_told(served, police):
    (one,) = served.receipts(served.source(police).records(b'{"jws":"' + b"x" * 262_144 + b'"}\n'))
    assert (one.outcome, one.reason) == ("quarantined", "size")


def test_a_transport_token_passes_once(served, police, problem):
    first = served.source(police, "the-same-jti").records(police.seal())
    position = served.hub.record.position()
    assert first.status_code == 200
    second = served.source(police, "the-same-jti").records(police.seal())
    assert problem(second) == (401, "token")
    assert served.hub.record.position() == position


def test_a_token_by_the_event_key_for_another_audience_or_out_of_time_stores_nothing(served, police, problem, clock):
    position = served.hub.record.position()
    by_event_key = type(police)(police.source, police.key, police.key)
    for caller in (
        served.source(by_event_key), served.source(police, audience="urn:safeguarding:hub:other/inbox"),
        served.client(served.app, "x.y.z"), served.client(served.app, served.issuer.token("ada", AUDIENCE)),
    ):  # fmt: skip
        assert problem(caller.records(police.seal())) == (401, "token")
    late = served.source(police)
    clock.forward(minutes=2)
    assert problem(late.records(police.seal())) == (401, "token")
    assert served.hub.record.position() == position


def test_a_sender_beyond_its_allowance_is_asked_to_wait(open_hub, police, problem, world):
    served = Served(open_hub(inbox_records_a_minute=1), type(world.nobody))
    for _ in range(2):
        assert served.source(police).records(police.seal() + b"\n" + police.seal()).status_code in (200, 429)
    answer = served.source(police).records(police.seal())
    assert problem(answer) == (429, "wait")
    assert int(answer.headers["retry-after"]) > 0


def test_a_reader_gets_the_chronology_and_the_read_is_on_record(served, police, staff):
    served.source(police).records(police.seal())
    staff("ottoline", "frontDoor")
    child = child_of(served.hub)
    answer = served.person("ottoline").get(f"/children/{child}/chronology?purpose=triage&role=frontDoor")
    assert answer.status_code == 200
    assert answer.json()["child"]["id"] == str(child)
    assert len(answer.json()["entries"]) == 1
    (read,) = served.hub.disclosure.accesses(child)
    assert (read["reader"], read["purpose"], read["outcome"]) == ("ottoline", "triage", "answered")


def test_not_for_you_no_such_child_and_no_id_at_all_are_the_same_bytes(served, police, staff):
    served.source(police).records(police.seal())
    staff("hesper", "voluntarySector")
    hidden = served.person("hesper").get(f"/children/{child_of(served.hub)}/chronology?purpose=earlyHelp")
    for id in (uuid.uuid4(), "nonsense", ""):
        absent = served.person("hesper").get(f"/children/{id}/chronology?purpose=earlyHelp")
        assert (absent.status_code, absent.content, absent.headers.raw) == (404, hidden.content, hidden.headers.raw)


def test_who_holds_no_role_is_told_so_whatever_they_ask_for(served, police, problem):
    served.source(police).records(police.seal())
    for id in (child_of(served.hub), uuid.uuid4(), "nonsense"):
        answer = served.person("nobody").get(f"/children/{id}/chronology?purpose=s47")
        assert problem(answer) == (403, "no-standing")


def test_a_malformed_id_is_on_record_as_an_attempt(served, staff):
    staff("ottoline", "frontDoor")
    served.person("ottoline").get("/children/wrenna/chronology?purpose=triage")
    (read,) = served.hub.disclosure.accesses(uuid.UUID(int=0))
    assert (read["reader"], read["outcome"]) == ("ottoline", "no-answer")


def test_what_a_person_records_is_admitted_with_them_as_author(served, police, staff):
    served.source(police).records(police.seal())
    staff("ottoline", "frontDoor")
    child = child_of(served.hub)
    entry = {
        "event": "contact-received", "child": str(child), "role": "frontDoor",
        "summary": {"text": "A relative rang about the child.", "made": "by-author"}, "details": {},
    }  # fmt: skip
    answer = served.person("ottoline").post("/casework", json.dumps(entry))
    assert (answer.status_code, answer.json().get("outcome")) == (201, "admitted"), answer.text
    read = served.person("ottoline").get(f"/children/{child}/chronology?purpose=triage")
    assert len(read.json()["entries"]) == 2


MARKER = "quillfeather"


@pytest.mark.parametrize(
    "entry",
    [
        {MARKER: 1}, {"details": {MARKER: 1}}, {"details": {"wanted": {MARKER: MARKER}}},
        {"details": {"concern": MARKER}}, {"told": [{"who": MARKER, "told": MARKER}]},
        {"summary": {"text": 5, MARKER: MARKER}}, {"happened": {"from": MARKER, "precision": "instant"}},
        {"people": [{MARKER: [{MARKER: MARKER}]}]}, {"place": {"kind": MARKER}},
        {"label": {"handling": [MARKER]}}, {"references": {MARKER: MARKER}}, {"said_by": {"statement": MARKER}},
        {"said_by": {"author": {"name": {MARKER: MARKER}}}}, {"shared_under": {"agreement": {MARKER: MARKER}}},
        {"child": MARKER}, {"event": MARKER}, {"version": MARKER}, {"partnership": MARKER},
        {"origin": {MARKER: MARKER}},
    ],
)  # fmt: skip
def test_an_entry_that_does_not_fit_is_refused_without_a_word_of_it(served, staff, problem, caplog, entry):
    staff("ottoline", "frontDoor")
    whole = {"event": "contact-received", "child": str(uuid.uuid4()), "details": {}, **entry}
    answer = served.person("ottoline").post("/casework", json.dumps(whole))
    assert answer.status_code in (202, 422)
    assert MARKER not in answer.text + repr(answer.headers.raw) + caplog.text


def test_only_officers_register_staff(served, problem):
    details = {"person": "mallory", "role": "frontDoor", "service": "urn:safeguarding:service:x", "from": "2024-01-01"}
    entry = json.dumps({"event": "role-held", "details": details})
    answer = served.person("mallory").post("/casework", entry)
    assert (problem(answer), answer.json()["rule"]) == ((403, "not-yours"), "OnlyOfficersRegisterStaff")
    assert served.person("ada").post("/casework", entry).status_code == 201


def test_a_steward_settles_a_quarantined_record(served, police, staff, problem):
    staff("aldous", "steward", "partnership-stewards")
    served.source(police).records(b"nonsense")
    (waiting,) = served.hub.admission.quarantine.list()
    entry = json.dumps({"decision": "release", "reason": "rang the sender"})
    answer = served.person("aldous").post(f"/casework/quarantine/{waiting.id}", entry)
    assert (problem(answer), answer.json()["reason"]) == ((409, "still-waits"), "record-form")
    entry = json.dumps({"decision": "refuse", "reason": "rang the sender"})
    answer = served.person("aldous").post(f"/casework/quarantine/{waiting.id}", entry)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "refused")
    answer = served.person("aldous").post(f"/casework/quarantine/{waiting.id}", entry)
    assert problem(answer) == (404, "no-record")


def settle(served, steward, **said):
    return served.person(steward).post("/casework/identity", json.dumps({"reason": "rang the school", **said}))


def test_a_steward_settles_who_is_who_by_all_five_words(served, police, staff, problem):
    staff("aldous", "steward", "partnership-stewards")
    staff("birk", "steward", "partnership-stewards")
    twin = {"names": [{"family": "Quillfeather", "given": ["Tobin"]}], "birth_date": {"date": "2016-11-02"}}
    for id in ("e1", "e2"):
        served.source(police).records(police.seal(id=id))
        served.source(police).records(police.seal(id=f"t{id}", child=twin, person="p2"))
    one, other = map(str, served.hub.register().children())
    first = settle(served, "aldous", decision="merge", child=one, other=other)
    assert (first.status_code, first.json()["waits_for"]) == (201, "another-steward")
    again = settle(served, "aldous", decision="same", child=one, other=other)
    assert (problem(again), again.json()["rule"]) == ((409, "cannot-settle"), "TwoPersonsNeeded")
    assert "waits_for" not in settle(served, "birk", decision="same", child=one, other=other).json()
    assert settle(served, "birk", decision="not-same", child=one, other=other).status_code == 201
    made = served.person("birk").get(f"/identity/children/{other}?purpose=triage").json()
    (subject,) = [{"source": each["source"], "subject": each["subject"]} for each in made["subjects"]]
    new = settle(served, "birk", decision="split", child=other, subjects=[subject]).json()["to_child"]
    assert settle(served, "birk", decision="split", child=new, to=other, subjects=[subject]).status_code == 201
    event = {"source": police.source, "id": "te1"}
    assert settle(served, "birk", decision="move", event=event, to=one).json()["to_child"] == one
    assert served.person("birk").get(f"/identity/children/{other}/readers?purpose=triage").json() == {"readers": []}
    assert served.person("birk").get("/identity/items?purpose=triage").json() == {"items": []}


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ({"decision": "split", "child": "x", "subjects": "p2"}, "subjects"),
        ({"decision": "split", "child": "x", "subjects": [{"source": "a"}]}, "subjects"),
        ({"decision": "split", "child": "x", "events": [{"source": "a", "id": 1}]}, "events"),
        ({"decision": "split", "child": "x", "other": "y"}, "entry"),
        ({"decision": "move", "event": {"source": "a", "id": "b"}}, "to"),
        ({"decision": "move", "event": "b", "to": "x"}, "event"),
        ({"decision": "move", "to": "x"}, "event"),
    ],
)
def test_a_word_in_another_form_is_refused_by_its_member(served, staff, problem, said, member):
    staff("aldous", "steward", "partnership-stewards")
    answer = settle(served, "aldous", **said)
    assert (problem(answer), answer.json()["member"]) == ((422, "misfit"), member)


def test_what_a_child_is_made_of_is_for_stewards(served, staff, problem):
    staff("ottoline", "frontDoor")
    for path in ("", "/readers"):
        answer = served.person("ottoline").get(f"/identity/children/{uuid.uuid4()}{path}?purpose=triage")
        assert problem(answer) == (403, "no-standing")


def test_what_a_child_is_made_of_who_is_not_there_is_no_answer(served, staff, problem):
    staff("birk", "steward", "partnership-stewards")
    for path in ("", "/readers"):
        answer = served.person("birk").get(f"/identity/children/{uuid.uuid4()}{path}?purpose=triage")
        assert problem(answer) == (404, "no-answer")


def test_the_hub_is_ready_once_it_has_a_record(served):
    assert served.client(served.app).get("/health/ready").json() == {"status": "ok"}
