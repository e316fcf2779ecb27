"""The description of the topics: equal to the code, whole in itself, and true of real records and receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from infra.kafka import asyncapi
from schemas.catalogue import ROOT, find_misplaced_schemas, find_schema
from schemas.envelope import SealingKey, SigningKey, seal, sign_receipts
from schemas.topics import events_topic, receipts_topic, slug

DOCUMENT = asyncapi.document()
SOURCE = "urn:safeguarding:source:police:northmarch"
GOOD = sorted((ROOT / "vectors" / "good").glob("*.json"))


def fits(schema: str, instance: Any) -> bool:
    return bool(jsonschema_rs.validator_for(DOCUMENT["components"]["schemas"][schema]).is_valid(instance))


def test_the_published_file_is_what_the_code_describes() -> None:
    assert asyncapi.FILE.read_text("utf-8") == asyncapi.text(), "run: python -m infra.kafka.asyncapi --write"


def test_every_reference_leads_somewhere_in_the_document() -> None:
    found = list(references(DOCUMENT))
    assert len(found) >= 12
    for pointer in found:
        at = DOCUMENT
        for name in pointer.removeprefix("#/").split("/"):
            at = at[name]


@pytest.mark.parametrize(("channel", "name"), [("events", events_topic), ("receipts", receipts_topic)])
def test_the_addresses_are_the_names_that_the_code_computes(channel: str, name: Any) -> None:
    assert DOCUMENT["channels"][channel]["address"].replace("{slug}", slug(SOURCE)) == name(SOURCE)


def test_there_is_one_partition_seven_days_and_no_compaction() -> None:
    for channel in DOCUMENT["channels"].values():
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == 1
        assert kafka["topicConfiguration"]["retention.ms"] == 7 * 24 * 60 * 60 * 1000
        assert kafka["topicConfiguration"]["cleanup.policy"] == ["delete"]


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_sealed_records_of_version_1_fit_and_fit_nothing_else(file: Any) -> None:
    record = json.loads(file.read_bytes())
    assert fits("recordVersion1", record)
    assert not fits("recordVersion2", record)


def test_a_record_sealed_to_the_hub_fits_version_2_and_nothing_else(sealed_to_the_hub: dict[str, str]) -> None:
    assert fits("recordVersion2", sealed_to_the_hub)
    assert not fits("recordVersion1", sealed_to_the_hub)
    assert not fits("recordVersion2", sealed_to_the_hub | {"child": "a name"})


def test_receipts_fit() -> None:
    signed = sign_receipts([], SigningKey.generate(), hub="urn:safeguarding:hub:a", at="2026-03-01T12:00:00Z")
    assert fits("receipts", signed)
    assert not fits("receipts", "")


def test_every_schema_lies_where_its_id_says() -> None:
    assert find_misplaced_schemas() == []
    assert find_schema("urn:safeguarding:schema:common:v1") == "common/v1.json"
    assert find_schema("urn:safeguarding:schema:referral-made:v1") == "events/referral-made/v1.json"


@pytest.mark.parametrize(
    "name", ["", "referral-made", "urn:safeguarding:schema:nobody:v1", "urn:safeguarding:schema:../codes/sex:v1"]
)
def test_an_id_that_no_schema_has_leads_to_none(name: str) -> None:
    assert find_schema(name) is None


def test_the_description_leads_to_the_schema_of_every_kind_and_version() -> None:
    events = DOCUMENT["x-event-schemas"]
    assert len(events) == len(list((ROOT / "events").glob("*/v?.json"))) > 100
    for schema_id, path in events.items():
        assert json.loads((ROOT / path).read_text("utf-8"))["$id"] == schema_id


@pytest.fixture
def sealed_to_the_hub() -> dict[str, str]:
    line = seal(
        b"{}", key=SigningKey.generate(), source=SOURCE, event_id="1", subject="0" * 31 + "1", time=None,
        recordedtime="2026-03-01T12:00:00Z", sequence=1, prevdigest="", salt=bytes(32),
        to=SealingKey.generate().public,
    )  # fmt: skip
    record: dict[str, str] = json.loads(line)
    return record


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from references(one)
