"""Receipts: only the pinned key's count, and only for the very bytes that were sent."""

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import compact
from schemas.compact import Refused
from schemas.keys import SigningKey
from schemas.receipts import OUTCOMES, Receipt, SourceHead, open_receipts, open_receipts_head, sign_receipts

HUB = "urn:safeguarding:hub:harrowmere-westlorn"
AT = "2026-11-21T09:20:00Z"
KEY = SigningKey.generate()
ENTRY = KEY.entry(source=HUB, purpose="receipt")

digests = st.binary(max_size=3).map(lambda raw: hashlib.sha256(raw).hexdigest())
receipts = st.builds(
    Receipt,
    source=st.sampled_from(["urn:a", "urn:b"]),
    id=st.sampled_from(["1", "2", "é"]),
    statement=st.just("") | digests,
    outcome=st.sampled_from(sorted(OUTCOMES)),
    reason=st.sampled_from(["", "key", "other-content"]),
    position=st.none() | st.integers(1, 10**12),
    at=st.just(AT),
    cursor=st.integers(0, 10**12),
    record=digests,
)
A_RECEIPT = Receipt("urn:a", "1", "", "quarantined", "key", None, AT, 7, "ab" * 32)


@given(st.lists(receipts, max_size=5))
def test_receipts_open_as_they_were_signed(rows: list[Receipt]) -> None:
    assert open_receipts(sign_receipts(rows, KEY, hub=HUB, at=AT), ENTRY, hub=HUB) == rows


@given(receipts, st.sampled_from(["urn:a", "urn:b"]), st.sampled_from(["1", "2", "é"]), st.binary(max_size=3), digests)
def test_a_receipt_answers_only_an_equal_statement(
    row: Receipt, source: str, id: str, sent: bytes, record: str
) -> None:
    statement = hashlib.sha256(sent).hexdigest()
    answers = row.answers(source=source, id=id, statement=statement, record=record)
    if row.statement:
        assert answers == ((row.source, row.id, row.statement) == (source, id, statement))
    else:
        assert answers == (row.record == record)


@given(receipts)
def test_only_admitted_and_duplicate_leave_nothing_to_send(row: Receipt) -> None:
    assert row.settles == (row.outcome in {"admitted", "duplicate"})


def test_an_empty_receipt_answers_nothing() -> None:
    empty = dataclasses.replace(A_RECEIPT, record="")
    assert not empty.answers(source="urn:a", id="1", statement="", record="")


def step_of(jws: str, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        open_receipts(jws, more.pop("entry", ENTRY), **more)
    return caught.value.step


def test_receipts_of_another_key_purpose_or_hub_are_refused() -> None:
    signed = sign_receipts([A_RECEIPT], KEY, hub=HUB, at=AT)
    other = SigningKey.generate()
    assert step_of(sign_receipts([A_RECEIPT], other, hub=HUB, at=AT)) == "key"
    assert step_of(signed, entry=KEY.entry(source=HUB)) == "key"
    assert step_of(signed, entry=other.entry(source=HUB, purpose="receipt")) == "key"
    assert step_of(signed, hub="urn:safeguarding:hub:other") == "statement"


def test_a_sealed_record_or_a_proof_of_possession_is_no_receipt() -> None:
    for typ in ("sg-event+jws", "sg-possession+jws", "JWT"):
        assert step_of(compact.sign(b'{"at":"","hub":"","rows":[]}', KEY, typ)) == "header"


@given(st.floats(0, 1, exclude_max=True), st.sampled_from("AQgw09_-.é"))
def test_a_changed_batch_is_refused(place: float, put: str) -> None:
    signed = sign_receipts([A_RECEIPT], KEY, hub=HUB, at=AT)
    at = int(place * len(signed))
    changed = signed[:at] + put + signed[at + 1 :]
    if changed != signed:
        step_of(changed)


def with_row(**changes: Any) -> str:
    row = {**dataclasses.asdict(A_RECEIPT), **changes}
    return compact.sign(json.dumps({"at": AT, "hub": HUB, "rows": [row]}).encode(), KEY, "sg-receipts+jws")


@pytest.mark.parametrize(
    "changes",
    [{"outcome": "lost"}, {"cursor": "7"}, {"cursor": True}, {"position": "1"}, {"source": 1}, {"extra": ""}],
)
def test_a_row_of_another_form_is_refused_even_when_signed(changes: dict[str, Any]) -> None:
    assert step_of(with_row(**changes)) == "statement"


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"at":"","hub":"","rows":{}}', b'{"at":"","hub":"","rows":[1]}'])
def test_a_payload_of_another_form_is_refused_even_when_signed(payload: bytes) -> None:
    assert step_of(compact.sign(payload, KEY, "sg-receipts+jws")) == "statement"


def test_a_batch_of_500_fits_and_an_endless_one_is_not_read() -> None:
    rows = [dataclasses.replace(A_RECEIPT, id="x" * 64, statement="ab" * 32, cursor=n) for n in range(500)]
    assert len(open_receipts(sign_receipts(rows, KEY, hub=HUB, at=AT), ENTRY)) == 500
    assert step_of("A" * (1024 * 1024 + 1)) == "size"


def test_a_batch_may_say_how_far_the_hub_has_heard_the_source() -> None:
    head = SourceHead("urn:a", 12, "d" * 43)
    jws = sign_receipts([A_RECEIPT], KEY, hub=HUB, at=AT, head=head)
    assert open_receipts_head(jws, ENTRY, hub=HUB) == ([A_RECEIPT], head)
    assert open_receipts_head(sign_receipts([], KEY, hub=HUB, at=AT), ENTRY) == ([], None)


@pytest.mark.parametrize(
    "head",
    [None, {}, {"source": "urn:a", "sequence": -1, "digest": ""}, {"source": "urn:a", "sequence": True, "digest": ""}],
)
def test_a_head_in_another_form_is_refused(head: object) -> None:
    payload = compact.canonical_json({"at": AT, "hub": HUB, "rows": [], "head": head})
    with pytest.raises(Refused) as caught:
        open_receipts_head(compact.sign(payload, KEY, "sg-receipts+jws"), ENTRY)
    assert caught.value.step == "statement"
