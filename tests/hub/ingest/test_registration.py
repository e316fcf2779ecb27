"""Who may speak is decided by two officers over an exact request, in the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.bootstrap import Hub
from hub.ingest.registration import BadRequest, NoSuchKey, NotApproved
from hub.settings import Settings
from hub.store.streams import REGISTRY
from schemas import compact
from schemas.envelope import KeyEntry, KeyRefused, Refused, SigningKey, proof_of_possession

PARTNERSHIP = "urn:safeguarding:partnership:harrowmere-westlorn"
SOURCE = "urn:safeguarding:source:northmarch:live"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Hub]:
    """A hub that is no demo."""
    settings = Settings(home=tmp_path / "live")
    bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
    hub = bootstrap.open_hub(settings)
    yield hub
    hub.close()


def officers(hub: Hub, *names: str) -> dict[str, SigningKey]:
    return {name: hub.officer_key(name) for name in names}


def request(
    hub: Hub, event: SigningKey | None = None, transport: SigningKey | None = None, **more: Any
) -> dict[str, Any]:
    source = more.get("source", SOURCE)

    def prove(key: SigningKey) -> dict[str, Any]:
        return {"jwk": key.public_jwk(), "proof": proof_of_possession(key, hub=hub.charter.hub, source=source)}

    service = {"urn": "urn:safeguarding:service:northmarch-police", "name": "Northmarch", "kind": "police"}
    return {
        "hub": hub.charter.hub, "source": source, "partnership": PARTNERSHIP, "service": service,
        "event": prove(event or SigningKey.generate()), "transport": prove(transport or SigningKey.generate()), **more,
    }  # fmt: skip


def test_the_two_officers_are_the_first_two_entries_of_the_log(live: Hub) -> None:
    first, second, third = live.record.since(0)
    assert [fact.name for fact in (first, second)] == ["officer-registered"] * 2
    assert [(fact.position, fact.data["name"]) for fact in (first, second)] == [(1, "ada"), (2, "quill")]
    assert (third.name, third.data["purpose"]) == ("key-added", "receipt")


def test_two_officers_register_an_agencys_keys(live: Hub) -> None:
    asked = request(live)
    live.registration.add(asked, officers(live, "ada", "quill"))
    keys = live.admission.keyring
    event, transport = (KeyEntry.from_jwk(asked[one]["jwk"], source=SOURCE).kid for one in ("event", "transport"))
    assert keys.event_key(event) is not None
    assert keys.transport_key(transport) is not None
    assert keys.event_key(transport) is keys.transport_key(event) is None
    assert keys.senders[SOURCE].service["kind"] == "police"


def test_one_officer_is_not_enough_outside_demo_mode(live: Hub) -> None:
    before = live.record.position()
    with pytest.raises(NotApproved, match="TwoOfficersNeeded"):
        live.registration.add(request(live), officers(live, "ada"))
    assert live.record.position() == before


def test_one_officer_is_enough_in_a_demo(hub: Hub) -> None:
    hub.registration.add(request(hub), officers(hub, "ada"))
    assert SOURCE in hub.admission.keyring.senders


@pytest.mark.parametrize("wrong", ["stranger", "another officer's name"])
def test_only_registered_officers_approve_and_each_with_their_own_key(live: Hub, wrong: str) -> None:
    approvers = officers(live, "ada", "quill")
    if wrong == "stranger":
        approvers["stranger"] = SigningKey.generate()
    else:
        approvers["quill"] = approvers["ada"]
    with pytest.raises(NotApproved, match="NotARegisteredOfficer"):
        live.registration.add(request(live), approvers)


def test_each_officers_signature_stands_in_the_log_over_exactly_this_request(live: Hub) -> None:
    live.registration.add(request(live), officers(live, "ada", "quill"))
    added = [fact for fact in live.record.facts(REGISTRY) if fact.data.get("source") == SOURCE]
    assert [fact.data["purpose"] for fact in added] == ["event", "transport"]
    for approval in added[0].data["approvals"]:
        parts = compact.split(approval["jws"], "sg-approval+jws")
        jwk = live.admission.keyring.officers[approval["officer"]]
        compact.check_signature(parts, KeyEntry.from_jwk(jwk, source="", purpose="event"))
        assert json.loads(parts.payload).keys() == {"hub", "request"}


def test_a_request_must_prove_that_both_keys_are_held(live: Hub) -> None:
    asked, other = request(live), SigningKey.generate()
    for purpose in ("event", "transport"):
        stolen = {**asked, purpose: {**asked[purpose], "jwk": other.public_jwk()}}
        with pytest.raises(Refused, match="possession"):
            live.registration.add(stolen, officers(live, "ada", "quill"))


def test_a_proof_for_another_hub_or_source_proves_nothing_here(live: Hub) -> None:
    asked = request(live)
    elsewhere = proof_of_possession(SigningKey.generate(), hub="urn:safeguarding:hub:elsewhere", source=SOURCE)
    with pytest.raises(Refused, match="possession"):
        live.registration.add({**asked, "source": SOURCE + "2"}, officers(live, "ada", "quill"))
    with pytest.raises(Refused, match="possession"):
        live.registration.add(
            {**asked, "event": {**asked["event"], "proof": elsewhere}}, officers(live, "ada", "quill")
        )


def test_one_key_for_events_and_transport_is_refused_however_it_is_written(live: Hub) -> None:
    key = SigningKey.generate()
    asked = request(live, key, key)
    with pytest.raises(Refused, match="one key"):
        live.registration.add(asked, officers(live, "ada", "quill"))
    plainly = {name: value for name, value in key.public_jwk().items() if name in ("kty", "crv", "x", "y")}
    with pytest.raises(Refused, match="one key"):
        live.registration.add(
            {**asked, "transport": {**asked["transport"], "jwk": plainly}}, officers(live, "ada", "quill")
        )


@pytest.mark.parametrize("source", ["urn:safeguarding:source:people:harrowmere-early-help", "the hub itself"])
def test_nobody_registers_keys_for_a_source_that_the_hub_keeps(live: Hub, source: str) -> None:
    source = source if source.startswith("urn") else live.charter.hub
    with pytest.raises(Refused, match="the hub's own"):
        live.registration.add(request(live, source=source), officers(live, "ada", "quill"))


def test_a_private_key_in_a_request_is_refused(live: Hub) -> None:
    asked = request(live)
    asked["event"]["jwk"] = {**asked["event"]["jwk"], "d": "c2VjcmV0"}
    with pytest.raises((Refused, KeyRefused)):
        live.registration.add(asked, officers(live, "ada", "quill"))


def test_retiring_or_revoking_needs_the_officers_too_and_a_key_that_is_known(live: Hub) -> None:
    key = SigningKey.generate()
    live.registration.add(request(live, key), officers(live, "ada", "quill"))
    for settle in (live.registration.retire, live.registration.revoke):
        with pytest.raises(NotApproved):
            settle(key.kid, 1 if settle == live.registration.retire else "stolen", officers(live, "ada"))
    with pytest.raises(NoSuchKey):
        live.registration.retire("no-such-key", 1, officers(live, "ada", "quill"))
    with pytest.raises(NoSuchKey):
        live.registration.revoke("no-such-key", "stolen", officers(live, "ada", "quill"))
    live.registration.retire(key.kid, 7, officers(live, "ada", "quill"))
    assert live.admission.keyring.retired == {key.kid: 7}
    assert key.kid not in [one.kid for one in live.admission.keyring.active()]
    assert live.admission.keyring.event_key(key.kid) is not None


def test_a_key_is_added_even_where_only_digests_were_kept_of_what_waited(
    open_hub: Callable[..., Hub], police: Any
) -> None:
    hub = open_hub(quarantine_quota=1)
    new = SigningKey.generate()
    hub.admission.admit([police.seal(key=new) for _ in range(3)], police.source)
    assert [bool(row.sealed) for row in hub.admission.quarantine.list()] == [True, False, False]
    police.key, police.transport = new, SigningKey.generate()
    receipts = hub.registration.add(police.request(hub.charter.hub), officers(hub, "ada"))
    assert [receipt.outcome for receipt in receipts] == ["admitted"]
    for row in hub.admission.quarantine.list():
        assert hub.admission.refuse(row.id, "bram").outcome == "refused"


SERVICE = {"urn": "urn:safeguarding:service:northmarch-police", "name": "Northmarch", "kind": "police"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"service": {**SERVICE, "urn": "urn:safeguarding:service:North March"}}, "service"),
        ({"service": {**SERVICE, "kind": "Police"}}, "one of: a school, .*police"),
        ({"service": {**SERVICE, "name": "\x1b[2J"}}, "name"),
        ({"service": {"urn": SERVICE["urn"]}}, "service.name"),
        ({"service": None}, "service.urn"),
        ({"partnership": "mytown"}, "partnership"),
        ({"event": {}}, "event.jwk"),
        ({"transport": {"jwk": {}}}, "transport.proof"),
    ],
)
def test_a_request_in_another_form_is_refused_and_says_which_member(
    live: Hub, change: dict[str, Any], named: str
) -> None:
    before = live.record.position()
    with pytest.raises(BadRequest, match=named):
        live.registration.add({**request(live), **change}, officers(live, "ada", "quill"))
    assert live.record.position() == before


@pytest.mark.parametrize("source", ["northmarch", "urn:", "urn:safeguarding:source:north march", "urn:x:\n"])
def test_a_source_that_is_no_urn_is_refused(live: Hub, source: str) -> None:
    with pytest.raises(BadRequest, match="source"):
        live.registration.add(request(live, source=source), officers(live, "ada", "quill"))


def test_nobody_retires_or_revokes_a_key_that_the_hub_itself_holds(hub: Hub, staff: Callable[..., str]) -> None:
    staff("fenn", "frontDoor")
    kept = [key.kid for key in hub.admission.keyring.active() if ":source:people:" in key.source]
    assert kept
    for kid in (*kept, hub.receipt_key.kid):
        with pytest.raises(NotApproved, match="TheHubsOwnKey"):
            hub.registration.revoke(kid, "stolen", officers(hub, "ada"))
        with pytest.raises(NotApproved, match="TheHubsOwnKey"):
            hub.registration.retire(kid, 1, officers(hub, "ada"))
