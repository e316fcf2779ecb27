"""The inbox answers with signed receipts, knows its callers once, and asks the hasty to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.ingest import inbox as module
from hub.ingest.inbox import NotACaller, TooMany
from schemas.envelope import KeyEntry, Receipt, SigningKey, open_receipts, transport_token


def opened(hub: Hub, jws: str) -> list[Receipt]:
    """Receipts as an agency reads them, with the key that it pinned."""
    pinned = KeyEntry.from_jwk(hub.receipt_key.public_jwk(), source=hub.charter.hub, purpose="receipt")
    return open_receipts(jws, pinned)


def token(hub: Hub, agency: Any, jti: str = "j1", **other: Any) -> str:
    key = other.pop("key", agency.transport)
    asked = {"source": agency.source, "audience": hub.inbox.audience, "now": hub.clock(), "jti": jti, **other}
    return transport_token(key, **asked)


def test_receipts_are_signed_one_row_a_record_in_order(hub: Hub, police: Any) -> None:
    raw = police.seal(id="e1")
    found = opened(hub, hub.inbox.take(police.source, [raw, b"not a record", raw]))
    assert [(one.id, one.outcome) for one in found] == [("e1", "admitted"), ("", "quarantined"), ("e1", "duplicate")]
    assert found[0].position == hub.record.query("SELECT position FROM inbox")[0][0]
    assert len(found[0].statement) == len(found[0].record) == 64


def test_the_receipt_key_is_noted_in_the_registry_like_any_other(hub: Hub) -> None:
    hub.admission.catch_up()
    assert hub.admission.keyring.keys[hub.receipt_key.kid].purpose == "receipt"


def test_a_source_gets_its_receipts_again_from_any_cursor(
    hub: Hub, police: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECEIPTS_A_PAGE", 2)
    sent = opened(hub, hub.inbox.take(police.source, [police.seal(id=f"e{n}") for n in range(3)]))
    jws, cursor = hub.inbox.receipts(police.source, 0)
    rest, end = hub.inbox.receipts(police.source, cursor)
    assert opened(hub, jws) + opened(hub, rest) == sent
    assert [one.cursor for one in sent] == sorted(one.cursor for one in sent)
    empty, still = hub.inbox.receipts(police.source, end)
    assert (opened(hub, empty), still) == ([], end)


def test_nobody_gets_another_sources_receipts(hub: Hub, register: Callable[..., Any]) -> None:
    police, school = register("northmarch"), register("larkbeck")
    hub.inbox.take(police.source, [police.seal()])
    assert opened(hub, hub.inbox.receipts(school.source, 0)[0]) == []


def test_a_release_makes_a_superseding_receipt_after_the_cursor(hub: Hub, police: Any) -> None:
    new, lost = SigningKey.generate(), police.key
    hub.inbox.take(police.source, [police.seal(id="e1", key=new)])
    _, cursor = hub.inbox.receipts(police.source, 0)
    police.key, police.transport = new, SigningKey.generate()
    hub.registration.add(police.request(hub.charter.hub), {"ada": hub.officer_key("ada")})
    (superseding,) = opened(hub, hub.inbox.receipts(police.source, cursor)[0])
    assert (superseding.id, superseding.outcome) == ("e1", "admitted")
    assert lost.kid in hub.admission.keyring.keys


def test_a_duplicate_sealed_anew_has_a_receipt_of_its_own(hub: Hub, police: Any) -> None:
    hub.inbox.take(police.source, [police.seal(id="e1")])
    _, cursor = hub.inbox.receipts(police.source, 0)
    hub.inbox.take(police.source, [police.seal(id="e1")])
    assert [one.outcome for one in opened(hub, hub.inbox.receipts(police.source, cursor)[0])] == ["duplicate"]


def test_the_head_of_a_new_source_is_nothing_and_then_its_newest_statement(hub: Hub, police: Any) -> None:
    assert hub.inbox.head(police.source) == {"source": police.source, "sequence": 0, "digest": ""}
    hub.inbox.take(police.source, [police.seal(), police.seal()])
    assert hub.inbox.head(police.source) == {"source": police.source, "sequence": 2, "digest": police.digest}


def test_a_transport_token_proves_its_source_once(hub: Hub, open_hub: Callable[..., Hub], police: Any) -> None:
    said = token(hub, police)
    assert hub.inbox.caller(said) == police.source
    for door in (hub, open_hub()):
        with pytest.raises(NotACaller):
            door.inbox.caller(said)
    assert hub.inbox.caller(token(hub, police, "j2")) == police.source


@pytest.mark.parametrize(
    "other", [{"audience": "urn:safeguarding:hub:elsewhere/inbox"}, {"source": "urn:safeguarding:source:larkbeck:live"}]
)
def test_a_token_for_another_door_or_source_proves_nothing(hub: Hub, police: Any, other: dict[str, Any]) -> None:
    with pytest.raises(NotACaller):
        hub.inbox.caller(token(hub, police, **other))


def test_the_event_key_signs_no_tokens_and_a_stranger_none(hub: Hub, police: Any) -> None:
    for key in (police.key, SigningKey.generate()):
        with pytest.raises(NotACaller):
            hub.inbox.caller(token(hub, police, key=key))


def test_a_token_lasts_a_minute(hub: Hub, police: Any, clock: Any) -> None:
    said = token(hub, police)
    clock.forward(minutes=2)
    with pytest.raises(NotACaller):
        hub.inbox.caller(said)


def test_a_retired_or_revoked_transport_key_calls_no_more(hub: Hub, police: Any) -> None:
    hub.registration.revoke(police.transport.kid, "laptop lost", {"ada": hub.officer_key("ada")})
    with pytest.raises(NotACaller):
        hub.inbox.caller(token(hub, police))


def test_whoever_posts_more_than_its_allowance_is_told_how_long_to_wait(open_hub: Callable[..., Hub]) -> None:
    inbox = open_hub(inbox_records_a_minute=60).inbox
    inbox.spend("s", 90, seconds=1000.0)
    with pytest.raises(TooMany) as wait:
        inbox.spend("s", 1, seconds=1010.0)
    assert wait.value.args == (20,)
    inbox.spend("other", 60, seconds=1010.0)
    inbox.spend("s", 1, seconds=1030.0)


def test_an_idle_sender_saves_up_no_more_than_a_minutes_allowance(open_hub: Callable[..., Hub]) -> None:
    inbox = open_hub(inbox_records_a_minute=60).inbox
    inbox.spend("s", 1, seconds=0.0)
    inbox.spend("s", 61, seconds=100_000.0)
    with pytest.raises(TooMany):
        inbox.spend("s", 1, seconds=100_000.0)
